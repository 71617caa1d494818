/* A hostile host rewrites a store while an honest user works on it.
 *
 *     test_store_hostile [SEED [MUTATIONS]]
 *
 * Whatever it writes: no memory error (run it under the sanitizers), every call ends soon, and every
 * answer is an ea_store_status. Under encryption a key has one of the values that were put under it, or none, or there
 * is an error; and where the store detects, it has the newest, or there is an error.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "keys.h"
#include "storage.h"

enum { LIMIT = 192, KEYS = 12, FRESH_EVERY = 64, LARGEST = 800, LONGEST_SECONDS = 20 };

static uint64_t seed = 1, mutations = 100000;
static storage made;
static ea_store user;
static uint8_t saved[LIMIT * EA_BLOCK]; /* as it was at some time: to be shown again */

/* What was put under each key: version `latest[key]` of it, which an error leaves in doubt. */
typedef struct {
    uint32_t version; /* 0: absent */
    bool doubtful;    /* or the one before: a commit failed, perhaps after it was made */
} truth;

static truth truths[KEYS];
static uint32_t versions;

static void lay_out(storage_kind kind) {
    if (made.base != NULL) ea_store_detach(&user);
    storage_create(&made, made.base, LIMIT, kind);
    storage_attach(&made, &user, 7);
    memset(truths, 0, sizeof truths);
    versions = 0;
}

/* --- the host --- */

static uint64_t likely_value(uint64_t *random) {
    uint32_t block = check_below(random, LIMIT + 8);
    switch (check_below(random, 9)) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    case 2: return block;
    case 3: return block | EA_REF_RECORD;
    case 4: return (uint64_t)check_below(random, 64) << 32 | block; /* a root word, or a stack's */
    case 5: return (uint64_t)(block | EA_REF_RECORD) << 32 | check_below(random, LIMIT);
    case 6: return check_below(random, 64); /* a version */
    case 7: return (uint64_t)check_below(random, 1 << 16) << 32 | check_below(random, EA_LARGEST_VALUE + 2); /* sizes */
    default: return check_random(random);
    }
}

/* One of the words that everything hangs on, or any. */
static size_t likely_place(uint64_t *random) {
    static const size_t PLACES[] = {offsetof(ea_store_header, root),    offsetof(ea_store_header, horizon), offsetof(ea_store_header, durable),
                                    offsetof(ea_store_header, top),     offsetof(ea_store_header, waiting), offsetof(ea_store_header, fresh),
                                    offsetof(ea_store_header, pins), offsetof(ea_store_header, pins) + 8};
    const ea_store_header *header = (void *)made.base;
    uint32_t block = EA_HEADER_BLOCKS + check_below(random, LIMIT - EA_HEADER_BLOCKS);
    switch (check_below(random, 4)) {
    case 0: return PLACES[check_below(random, sizeof PLACES / sizeof *PLACES)];
    case 1: block = (uint32_t)__atomic_load_n((const uint64_t *)(const void *)&header->root, __ATOMIC_RELAXED) % LIMIT; break; /* the commit */
    case 2: return (size_t)block * EA_BLOCK + 4 * check_below(random, 12); /* links, and the head of a record */
    default: break;
    }
    return (size_t)block * EA_BLOCK + check_below(random, EA_BLOCK);
}

static void write_word(size_t at, uint64_t value, uint32_t size) {
    /* Atomic, so that the concurrent attack is no race in the terms of C. */
    if (size == 1) __atomic_store_n(made.base + at, (uint8_t)value, __ATOMIC_RELAXED);
    else if (size == 4) __atomic_store_n((uint32_t *)(void *)(made.base + at / 4 * 4), (uint32_t)value, __ATOMIC_RELAXED);
    else __atomic_store_n((uint64_t *)(void *)(made.base + at / 8 * 8), value, __ATOMIC_RELAXED);
}

/* What lies in one block lies in another, too. */
static void copy_block(uint32_t to, const uint8_t *from) {
    for (size_t word = 0; word < EA_BLOCK; word += 8) {
        uint64_t value = __atomic_load_n((const uint64_t *)(const void *)(from + word), __ATOMIC_RELAXED);
        write_word((size_t)to * EA_BLOCK + word, value, 8);
    }
}

static void mutate(uint64_t *random) {
    static const uint32_t SIZES[] = {1, 4, 8};
    uint32_t block = check_below(random, LIMIT), other = check_below(random, LIMIT);
    switch (check_below(random, 12)) {
    case 0: copy_block(block, made.base + (size_t)other * EA_BLOCK); break;
    case 1: copy_block(block, saved + (size_t)block * EA_BLOCK); break;
    case 2: write_word(offsetof(ea_store_header, root), ((const uint64_t *)(const void *)saved)[offsetof(ea_store_header, root) / 8], 8); break;
    default: write_word(likely_place(random), likely_value(random), SIZES[check_below(random, 3)]); break;
    }
}

/* The whole store, as it was. */
static void save(void) {
    for (size_t word = 0; word < sizeof saved; word += 8)
        ((uint64_t *)(void *)saved)[word / 8] = __atomic_load_n((const uint64_t *)(const void *)(made.base + word), __ATOMIC_RELAXED);
}

static void show_again(void) {
    for (uint32_t block = 0; block < LIMIT; block++) copy_block(block, saved + (size_t)block * EA_BLOCK);
}

/* --- the user --- */

static bool is_answer(ea_store_status status) {
    CHECK(status >= EA_STORE_OK && status <= EA_STORE_NO_MEMORY && status != EA_STORE_RACED);
    return status == EA_STORE_OK || status == EA_STORE_ABSENT || status == EA_STORE_DIFFERENT;
}

static uint32_t key_name(char name[16], uint32_t key) { return (uint32_t)snprintf(name, 16, "key %u", key); }

static void make_value(uint8_t *value, uint32_t key, uint32_t version) {
    uint32_t words[] = {key, version};
    memcpy(value, words, sizeof words);
    memset(value + sizeof words, (int)(key * 31 + version), LARGEST - sizeof words);
}

static uint32_t size_of(uint32_t key, uint32_t version) { return 8 + (key * 7 + version * 13) % (LARGEST - 8); }

/* The version of a value that was once put under the key. */
static uint32_t version_of(const uint8_t *bytes, uint32_t size, uint32_t key) {
    uint8_t expected[LARGEST];
    uint32_t words[2] = {UINT32_MAX, 0};
    if (size >= sizeof words) memcpy(words, bytes, sizeof words);
    CHECK(words[0] == key && words[1] >= 1 && words[1] <= versions && size == size_of(key, words[1]));
    make_value(expected, key, words[1]);
    CHECK(memcmp(bytes, expected, size) == 0);
    return words[1];
}

static void is_true(uint32_t key, uint32_t version) {
    if (made.kind == STORAGE_DETECTING) CHECK(version == truths[key].version || truths[key].doubtful);
}

static void learn(uint32_t key, uint32_t version, ea_store_status status) {
    if (is_answer(status)) truths[key] = (truth){version, false};
    else truths[key].doubtful = true;
}

static void get(const ea_view *view, uint32_t key) {
    static uint8_t bytes[EA_LARGEST_VALUE];
    storage_value value = {bytes, sizeof bytes, 0};
    char name[16];
    uint32_t size = key_name(name, key);
    ea_store_status status = ea_store_get(&user, view, (uint8_t *)name, size, storage_room, &value);
    if (!is_answer(status) || made.kind == STORAGE_PLAIN) return;
    uint32_t version = status == EA_STORE_OK ? version_of(bytes, value.size, key) : 0;
    if (view == NULL) is_true(key, version);
}

static void put(uint32_t key, bool delete) {
    uint8_t value[LARGEST];
    char name[16];
    uint32_t size = key_name(name, key), version = delete ? 0 : ++versions;
    make_value(value, key, version);
    ea_change change = {.key = (uint8_t *)name, .key_size = size, .value = delete ? NULL : value, .value_size = size_of(key, version)};
    ea_store_status status = ea_store_apply(&user, &change, 1, NULL, NULL, 0);
    if (status == EA_STORE_ABSENT) is_true(key, 0);
    learn(key, version, status);
}

/* If it is absent, or what we have put there. */
static void replace(uint32_t key) {
    uint8_t value[LARGEST], expected[LARGEST];
    char name[16];
    uint32_t size = key_name(name, key), was = truths[key].version, version = ++versions;
    make_value(value, key, version);
    make_value(expected, key, was);
    ea_change change = {.key = (uint8_t *)name, .key_size = size, .value = value, .value_size = size_of(key, version)};
    ea_store_status status = ea_store_replace(&user, &change, was == 0 ? NULL : expected, was == 0 ? 0 : size_of(key, was));
    if (status == EA_STORE_DIFFERENT) is_true(key, UINT32_MAX);
    else learn(key, version, status);
    if (status == EA_STORE_DIFFERENT) truths[key].doubtful = true;
}

static void count(void) {
    int64_t sum;
    ea_store_status status = ea_store_add(&user, (const uint8_t *)"counter", 7, 1, &sum);
    CHECK(is_answer(status) || status >= EA_STORE_BUSY);
}

static void walk(const ea_view *before, const ea_view *after) {
    static uint8_t bytes[EA_LARGEST_VALUE], name[EA_LONGEST_KEY + 1];
    ea_walk *way = before == NULL ? ea_walk_new(&user, after) : ea_walk_changes(&user, before, after);
    ea_found sides[2];
    CHECK(way != NULL);
    for (;;) {
        ea_store_status status = ea_walk_next(way, &sides[0], &sides[1]);
        if (!is_answer(status) || status == EA_STORE_ABSENT) break;
        for (int side = 0; side < 2; side++) {
            if (sides[side].ref == 0 || ea_record_read(&user, &sides[side], name, bytes) != EA_STORE_OK) continue;
            if (made.kind == STORAGE_PLAIN || memcmp(name, "key ", 4) != 0) continue;
            name[sides[side].head.key_size] = 0;
            (void)version_of(bytes, sides[side].head.value_size, (uint32_t)atoi((char *)name + 4));
        }
    }
    ea_walk_free(way);
}

/* A transaction, with a version that is kept meanwhile. */
static void keep_and_commit(uint64_t *random) {
    ea_view since, later;
    char names[2][16];
    uint32_t keys[] = {check_below(random, KEYS), 0};
    if (!is_answer(ea_store_pin(&user, &since))) return;
    keys[1] = (keys[0] + 1) % KEYS;
    for (int i = 0; i < 2; i++) get(&since, keys[i]);
    put(keys[1], false);
    ea_key reads[2];
    uint8_t values[2][LARGEST];
    ea_change changes[2];
    for (int i = 0; i < 2; i++) {
        uint32_t version = ++versions;
        reads[i] = (ea_key){(uint8_t *)names[i], key_name(names[i], keys[i])};
        make_value(values[i], keys[i], version);
        changes[i] = (ea_change){.key = reads[i].key, .key_size = (uint32_t)reads[i].size, .value = values[i], .value_size = size_of(keys[i], version)};
    }
    ea_store_status status = ea_store_apply(&user, changes, 2, &since, reads, 1 + check_below(random, 2));
    if (status != EA_STORE_DIFFERENT)
        for (uint32_t i = 0; i < 2; i++) learn(keys[i], versions - 1 + i, status);
    walk(NULL, &since);
    if (is_answer(ea_store_pin(&user, &later))) {
        walk(&since, &later);
        ea_store_unpin(&user, &later);
    }
    ea_store_unpin(&user, &since);
}

static void do_anything(uint64_t *random) {
    struct timespec from, to;
    uint32_t key = check_below(random, KEYS);
    clock_gettime(CLOCK_MONOTONIC, &from);
    switch (check_below(random, 10)) {
    case 0: case 1: case 2: put(key, false); break;
    case 3: put(key, true); break;
    case 4: replace(key); break;
    case 5: count(); break;
    case 6: keep_and_commit(random); break;
    default: get(NULL, key); break;
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    CHECK(to.tv_sec - from.tv_sec < LONGEST_SECONDS);
}

/* --- both --- */

static void work_between_mutations(storage_kind kind) {
    uint64_t random = seed + kind;
    for (uint64_t i = 0; i < mutations; i++) {
        if (i % FRESH_EVERY == 0) {
            lay_out(kind);
            for (int turn = 0; turn < 40; turn++) do_anything(&random);
        }
        if (i % FRESH_EVERY == FRESH_EVERY / 4) save();
        if (i % FRESH_EVERY == FRESH_EVERY - 4 && check_below(&random, 4) == 0) show_again();
        if (i % FRESH_EVERY > FRESH_EVERY / 2) mutate(&random);
        do_anything(&random);
    }
}

static _Atomic bool attack_over;
static _Atomic uint64_t attacks;

static void *attack(void *unused) {
    uint64_t random = seed + 17;
    while (!atomic_load(&attack_over)) {
        mutate(&random);
        atomic_fetch_add(&attacks, 1);
        /* Else all is rubbish before anything is done with it. */
        for (uint32_t pause = check_below(&random, 500); pause > 0; pause--) ea_pause();
    }
    return unused;
}

static void work_during_mutations(storage_kind kind) {
    uint64_t random = seed + 3 + kind;
    pthread_t attacker;
    for (uint64_t round = 0; round < mutations / 250; round++) {
        lay_out(kind);
        for (int turn = 0; turn < 40; turn++) do_anything(&random);
        save();
        atomic_store(&attack_over, false);
        CHECK(pthread_create(&attacker, NULL, attack, NULL) == 0);
        for (uint64_t turn = 0; turn < FRESH_EVERY; turn++) do_anything(&random);
        atomic_store(&attack_over, true);
        CHECK(pthread_join(attacker, NULL) == 0);
    }
}

static void every_answer_is_sound_between_mutations(void) {
    for (storage_kind kind = 0; kind < STORAGE_KINDS; kind++) work_between_mutations(kind);
}

static void every_answer_is_sound_during_mutations(void) {
    for (storage_kind kind = 0; kind < STORAGE_KINDS; kind++) work_during_mutations(kind);
    printf("%" PRIu64 " mutations\n", (uint64_t)attacks);
}

int main(int argc, char **argv) {
    static const check_test TESTS[] = {
        TEST(every_answer_is_sound_between_mutations),
        TEST(every_answer_is_sound_during_mutations),
    };
    const char *missing;
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    if (argc > 2) mutations = strtoull(argv[2], NULL, 10);
    printf("seed %" PRIu64 "\n", seed);
    check_watch(300);
    CHECK(ea_crypto_start(&missing) && ea_keys_start(&missing) && ea_store_keys_start(&missing));
    int result = check_all(TESTS, 2);
    ea_store_detach(&user);
    storage_destroy(&made);
    return result;
}
