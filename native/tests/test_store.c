/* What one user of a store may count on; each name says what must hold. */
#define _GNU_SOURCE
#include <string.h>

#include "check.h"
#include "keys.h"
#include "storage.h"

enum { SMALL = 256, LARGE = 1 << 18 };

static storage made;
static ea_store user;
static uint8_t buffer[EA_LARGEST_VALUE], expected[EA_LARGEST_VALUE], long_key[EA_LONGEST_KEY];

static void open_store(uint32_t limit, storage_kind kind) {
    storage_create(&made, NULL, limit, kind);
    storage_attach(&made, &user, 7);
}

/* Whatever a test did: afterwards nothing is in use twice, the counts are right, and nothing is lost. */
static void close_store(void) {
    ea_store_detach(&user);
    CHECK(storage_lost(&made) == 0);
    storage_destroy(&made);
}

static void fill(uint8_t *bytes, size_t size, uint64_t seed) {
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(i % 8 == 0 ? check_random(&seed) : seed >> 8 * (i % 8));
}

static const char *name_of(uint32_t number) {
    static char names[4][16];
    static unsigned next;
    char *name = names[next++ % 4];
    (void)snprintf(name, sizeof names[0], "key %u", number);
    return name;
}

static uint64_t count_keys(void) {
    ea_view view;
    CHECK(ea_store_look(&user, &view) == EA_STORE_OK);
    return view.commit.keys;
}

/* --- single keys --- */

static void put_and_get(size_t key_size, size_t size) {
    storage_value value = {buffer, sizeof buffer, 0};
    ea_change change = {.key = long_key, .key_size = (uint32_t)key_size, .value = expected, .value_size = (uint32_t)size};
    CHECK(ea_store_apply(&user, &change, 1, NULL, NULL, 0) == EA_STORE_OK);
    CHECK(ea_store_get(&user, NULL, long_key, key_size, storage_room, &value) == EA_STORE_OK);
    CHECK(value.size == size && memcmp(buffer, expected, size) == 0);
}

static void of_every_size(storage_kind kind) {
    static const size_t KEYS[] = {0, 1, 16, 215, 216, 217, EA_LONGEST_KEY};
    open_store(LARGE, kind);
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        for (size_t size = 0; size < 4; size++) put_and_get(KEYS[i], size);
        /* Around the end of each of the first blocks. */
        for (size_t blocks = 1; blocks < 8; blocks++) {
            size_t before = sizeof(ea_record_head) + (kind == STORAGE_PLAIN ? 0 : EA_SEALED) + KEYS[i];
            for (size_t end = blocks * EA_BLOCK_DATA - 9; end < blocks * EA_BLOCK_DATA + 9; end++)
                if (end >= before) put_and_get(KEYS[i], end - before);
        }
        CHECK(count_keys() == i + 1);
    }
    put_and_get(3, EA_LARGEST_VALUE);
    put_and_get(EA_LONGEST_KEY, EA_LARGEST_VALUE - 1);
    put_and_get(3, 1);
    close_store();
}

static void keys_and_values_of_every_size_come_back(void) {
    fill(long_key, sizeof long_key, 1);
    fill(expected, sizeof expected, 2);
    for (storage_kind kind = 0; kind < STORAGE_KINDS; kind++) of_every_size(kind);
}

static void many_keys(storage_kind kind, uint64_t seed) {
    enum { KEYS = 700, TURNS = 6000 };
    static char values[KEYS][24]; /* empty: absent */
    uint64_t present = 0;
    memset(values, 0, sizeof values);
    open_store(1 << 13, kind);
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        uint32_t key = check_below(&seed, KEYS);
        bool was = values[key][0] != 0, put = check_below(&seed, turn < TURNS / 2 ? 4 : 2) != 0;
        if (put) (void)snprintf(values[key], sizeof values[key], "turn %u", turn);
        else values[key][0] = 0;
        CHECK(storage_put(&user, name_of(key), put ? values[key] : NULL) == (put || was ? EA_STORE_OK : EA_STORE_ABSENT));
        present += put - was;
        CHECK(count_keys() == present);
        key = check_below(&seed, KEYS);
        CHECK(storage_has(&user, NULL, name_of(key), values[key][0] ? values[key] : NULL));
    }
    for (uint32_t key = 0; key < KEYS; key++) (void)storage_delete(&user, name_of(key));
    ea_view view;
    CHECK(ea_store_look(&user, &view) == EA_STORE_OK);
    CHECK(view.commit.keys == 0 && view.commit.records == 0 && view.commit.branches == 0 && view.commit.root == 0);
    close_store();
}

static void each_key_has_what_was_put_last_until_it_is_deleted(void) {
    for (storage_kind kind = 0; kind < STORAGE_KINDS; kind++) many_keys(kind, 3 + kind);
}

/* So two stores with the same keys are equally deep, whatever they have been through. */
static void the_trie_depends_on_its_keys_alone(void) {
    enum { KEYS = 300 };
    uint64_t branches = 0;
    for (uint64_t seed = 0; seed < 4; seed++) {
        ea_view view;
        uint64_t random = seed;
        open_store(1 << 13, STORAGE_PLAIN);
        for (uint32_t turn = 0; turn < 2000 * seed; turn++) {
            ea_change changes[3];
            uint32_t from = check_below(&random, 2 * KEYS);
            for (uint32_t i = 0; i < 3; i++) changes[i] = storage_change(name_of(from + i), check_below(&random, 2) ? "x" : NULL);
            ea_store_status status = ea_store_apply(&user, changes, 3, NULL, NULL, 0);
            CHECK(status == EA_STORE_OK || status == EA_STORE_ABSENT);
        }
        for (uint32_t key = KEYS; key < 2 * KEYS + 3; key++) (void)storage_delete(&user, name_of(key));
        for (uint32_t key = 0; key < KEYS; key++) CHECK(storage_put(&user, name_of(key), "y") == EA_STORE_OK);
        CHECK(ea_store_look(&user, &view) == EA_STORE_OK);
        CHECK(view.commit.keys == KEYS && (seed == 0 || view.commit.branches == branches));
        branches = view.commit.branches;
        close_store();
    }
}

static void a_value_is_replaced_if_it_is_as_expected(void) {
    ea_change change = storage_change("key", "one"), gone = storage_change("key", NULL);
    for (storage_kind kind = 0; kind < STORAGE_KINDS; kind++) {
        open_store(SMALL, kind);
        CHECK(ea_store_replace(&user, &change, (const uint8_t *)"zero", 4) == EA_STORE_DIFFERENT);
        CHECK(ea_store_replace(&user, &gone, (const uint8_t *)"zero", 4) == EA_STORE_DIFFERENT);
        CHECK(ea_store_replace(&user, &gone, NULL, 0) == EA_STORE_OK && count_keys() == 0);
        CHECK(ea_store_replace(&user, &change, NULL, 0) == EA_STORE_OK);
        CHECK(ea_store_replace(&user, &change, NULL, 0) == EA_STORE_DIFFERENT);
        CHECK(ea_store_replace(&user, &change, (const uint8_t *)"onf", 3) == EA_STORE_DIFFERENT);
        CHECK(ea_store_replace(&user, &change, (const uint8_t *)"one ", 4) == EA_STORE_DIFFERENT);
        change = storage_change("key", "");
        CHECK(ea_store_replace(&user, &change, (const uint8_t *)"one", 3) == EA_STORE_OK && storage_has(&user, NULL, "key", ""));
        CHECK(ea_store_replace(&user, &gone, (const uint8_t *)"", 0) == EA_STORE_OK && storage_has(&user, NULL, "key", NULL));
        change = storage_change("key", "one");
        close_store();
    }
}

static void a_counter_counts_and_does_not_overflow(void) {
    int64_t sum;
    open_store(SMALL, STORAGE_SEALED);
    for (int64_t i = 1; i <= 100; i++) CHECK(ea_store_add(&user, (const uint8_t *)"n", 1, -3, &sum) == EA_STORE_OK && sum == -3 * i);
    CHECK(ea_store_add(&user, (const uint8_t *)"n", 1, INT64_MAX, &sum) == EA_STORE_OK && sum == INT64_MAX - 300);
    CHECK(ea_store_add(&user, (const uint8_t *)"n", 1, 301, &sum) == EA_STORE_OVERFLOW);
    CHECK(ea_store_add(&user, (const uint8_t *)"n", 1, 300, &sum) == EA_STORE_OK && sum == INT64_MAX);
    CHECK(storage_put(&user, "text", "seven") == EA_STORE_OK);
    CHECK(ea_store_add(&user, (const uint8_t *)"text", 4, 1, &sum) == EA_STORE_DIFFERENT && storage_has(&user, NULL, "text", "seven"));
    close_store();
}

/* --- several keys at once --- */

static void many_changes_are_one_version(void) {
    enum { KEYS = 200 };
    ea_change changes[KEYS];
    static char names[KEYS][16];
    ea_view before, after;
    open_store(1 << 12, STORAGE_DETECTING);
    for (uint32_t i = 0; i < KEYS; i++) strcpy(names[i], name_of(i));
    for (uint32_t i = 0; i < KEYS; i++) changes[i] = storage_change(names[i], i % 2 ? "odd" : "even");
    CHECK(ea_store_look(&user, &before) == EA_STORE_OK);
    CHECK(ea_store_apply(&user, changes, KEYS, NULL, NULL, 0) == EA_STORE_OK);
    CHECK(ea_store_look(&user, &after) == EA_STORE_OK && after.commit.version == before.commit.version + 1);
    for (uint32_t i = 0; i < KEYS; i++) changes[i] = storage_change(names[i], i % 3 ? NULL : "third");
    CHECK(ea_store_apply(&user, changes, KEYS, NULL, NULL, 0) == EA_STORE_OK);
    for (uint32_t i = 0; i < KEYS; i++) CHECK(storage_has(&user, NULL, names[i], i % 3 ? NULL : "third"));
    for (uint32_t i = 0; i < KEYS; i++) changes[i] = storage_change(names[i], NULL);
    CHECK(ea_store_apply(&user, changes, KEYS, NULL, NULL, 0) == EA_STORE_OK && count_keys() == 0);
    CHECK(ea_store_apply(&user, changes, KEYS, NULL, NULL, 0) == EA_STORE_ABSENT);
    close_store();
}

static void a_commit_is_refused_if_what_it_read_has_changed(void) {
    ea_view since;
    ea_key reads[] = {{(const uint8_t *)"a", 1}, {(const uint8_t *)"b", 1}, {(const uint8_t *)"none", 4}};
    ea_change change = storage_change("sum", "a + b");
    for (storage_kind kind = 0; kind < STORAGE_KINDS; kind++) {
        open_store(SMALL, kind);
        CHECK(storage_put(&user, "a", "1") == EA_STORE_OK && storage_put(&user, "b", "2") == EA_STORE_OK);
        CHECK(ea_store_pin(&user, &since) == EA_STORE_OK);
        CHECK(storage_put(&user, "c", "3") == EA_STORE_OK); /* which is no business of it */
        CHECK(ea_store_apply(&user, &change, 1, &since, reads, 3) == EA_STORE_OK);
        CHECK(storage_put(&user, "b", "2") == EA_STORE_OK); /* the same value, but who knows */
        CHECK(ea_store_apply(&user, &change, 1, &since, reads, 3) == EA_STORE_DIFFERENT);
        CHECK(ea_store_apply(&user, NULL, 0, &since, reads, 3) == EA_STORE_DIFFERENT);
        CHECK(ea_store_apply(&user, NULL, 0, &since, reads, 1) == EA_STORE_OK);
        CHECK(storage_put(&user, "none", "some") == EA_STORE_OK);
        CHECK(ea_store_apply(&user, &change, 1, &since, &reads[2], 1) == EA_STORE_DIFFERENT);
        ea_store_unpin(&user, &since);
        close_store();
    }
}

/* --- versions --- */

/* Until the store is full, or so often. */
static uint32_t overwrite(uint32_t keys, uint32_t times) {
    char text[16];
    for (uint32_t turn = 0; turn < times; turn++) {
        (void)snprintf(text, sizeof text, "%u", turn);
        ea_store_status status = storage_put(&user, name_of(turn % keys), text);
        CHECK(status == EA_STORE_OK || status == EA_STORE_FULL);
        if (status == EA_STORE_FULL) return turn;
    }
    return times;
}

static void a_snapshot_stays_until_it_is_closed_though_the_store_fills_up(void) {
    for (storage_kind kind = 0; kind < STORAGE_KINDS; kind++) {
        ea_view kept;
        open_store(1 << 11, kind);
        CHECK(overwrite(20, 4000) == 4000);
        for (uint32_t i = 0; i < 20; i++) CHECK(storage_put(&user, name_of(i), "old") == EA_STORE_OK);
        CHECK(ea_store_pin(&user, &kept) == EA_STORE_OK);
        CHECK(overwrite(20, 4000) < 4000);
        for (uint32_t i = 0; i < 20; i++) CHECK(storage_has(&user, &kept, name_of(i), "old"));
        ea_store_unpin(&user, &kept);
        CHECK(overwrite(20, 4000) == 4000);
        close_store();
    }
}

static void no_more_versions_are_kept_than_there_are_pins(void) {
    ea_view kept[EA_PINS + 1];
    open_store(SMALL, STORAGE_PLAIN);
    for (int i = 0; i < EA_PINS; i++) CHECK(ea_store_pin(&user, &kept[i]) == EA_STORE_OK);
    CHECK(ea_store_pin(&user, &kept[EA_PINS]) == EA_STORE_BUSY);
    ea_store_unpin(&user, &kept[5]);
    CHECK(ea_store_pin(&user, &kept[EA_PINS]) == EA_STORE_OK && kept[EA_PINS].pin == kept[5].pin + 6);
    ea_store_drop_pins(&user, 8);
    CHECK(ea_store_lowest_pin(&user) == 1);
    ea_store_drop_pins(&user, 7);
    CHECK(ea_store_lowest_pin(&user) == UINT64_MAX);
    close_store();
}

/* What walks through the difference of two versions must find: each key once, with what it had before and after. */
static void walk_through(ea_walk *walk, const uint32_t before[], const uint32_t after[], uint32_t keys) {
    ea_found old, new;
    uint8_t seen[512] = {0};
    ea_store_status status;
    CHECK(walk != NULL && keys <= sizeof seen);
    while ((status = ea_walk_next(walk, &old, &new)) == EA_STORE_OK) {
        uint8_t key[EA_LONGEST_KEY + 1];
        uint32_t number = UINT32_MAX, values[2] = {0};
        const ea_found *sides[] = {&old, &new};
        for (int side = 0; side < 2; side++) {
            if (sides[side]->ref == 0) continue;
            CHECK(sides[side]->head.value_size == sizeof *values && sides[side]->head.key_size < 16);
            CHECK(ea_record_read(&user, sides[side], key, (uint8_t *)&values[side]) == EA_STORE_OK);
            key[sides[side]->head.key_size] = 0;
            CHECK(number == UINT32_MAX || number == (uint32_t)atoi((char *)key + 4));
            number = (uint32_t)atoi((char *)key + 4);
        }
        CHECK(number < keys && !seen[number]++);
        CHECK(values[0] == before[number] && values[1] == after[number] && values[0] != values[1]);
    }
    CHECK(status == EA_STORE_ABSENT);
    for (uint32_t i = 0; i < keys; i++) CHECK(seen[i] == (before[i] != after[i]));
    ea_walk_free(walk);
}

static void a_walk_finds_all_records_and_all_changes(void) {
    enum { KEYS = 400, VERSIONS = 12 };
    static const uint32_t nothing[KEYS];
    static uint32_t values[VERSIONS][KEYS]; /* 0: absent */
    for (storage_kind kind = 0; kind < STORAGE_KINDS; kind++) {
        ea_view views[VERSIONS];
        uint64_t random = kind;
        uint32_t turn = 0;
        open_store(1 << 14, kind);
        memset(values, 0, sizeof values);
        for (uint32_t v = 0; v < VERSIONS; v++) {
            if (v > 0) memcpy(values[v], values[v - 1], sizeof values[v]);
            for (uint32_t i = 0; i < v * 40; i++) {
                uint32_t key = check_below(&random, KEYS), *value = &values[v][key];
                *value = check_below(&random, 3) == 0 ? 0 : ++turn;
                ea_change change = storage_change(name_of(key), NULL);
                if (*value != 0) change.value = (uint8_t *)value, change.value_size = sizeof *value;
                (void)ea_store_apply(&user, &change, 1, NULL, NULL, 0);
            }
            CHECK(ea_store_pin(&user, &views[v]) == EA_STORE_OK);
        }
        for (uint32_t v = 0; v < VERSIONS; v++) {
            walk_through(ea_walk_new(&user, &views[v]), nothing, values[v], KEYS);
            for (uint32_t w = 0; w < VERSIONS; w++)
                walk_through(ea_walk_changes(&user, &views[v], &views[w]), values[v], values[w], KEYS);
        }
        for (uint32_t v = 0; v < VERSIONS; v++) ea_store_unpin(&user, &views[v]);
        close_store();
    }
}

/* --- attaching --- */

static void a_store_that_is_not_what_was_expected_is_refused(void) {
    ea_store other;
    for (storage_kind kind = 0; kind < STORAGE_KINDS; kind++) {
        open_store(SMALL, kind);
        ea_store_header *header = (void *)made.base;
        for (storage_kind said = 0; said < STORAGE_KINDS; said++) {
            const ea_key_source *source = said == STORAGE_PLAIN ? NULL : &STORAGE_SOURCE;
            ea_store_status status = ea_store_attach(&other, made.base, SMALL, 9, source, said == STORAGE_DETECTING);
            CHECK((status == EA_STORE_OK) == (said == kind));
            ea_store_detach(&other);
        }
        CHECK(ea_store_attach(&other, made.base, SMALL + 1, 9, NULL, false) == EA_STORE_CORRUPT);
        ea_store_detach(&other);
        for (size_t byte = 0; byte < sizeof header->fixed; byte++) {
            made.base[byte] ^= 4;
            CHECK(ea_store_attach(&other, made.base, SMALL, 9, NULL, false) == EA_STORE_CORRUPT);
            ea_store_detach(&other);
            made.base[byte] ^= 4;
        }
        close_store();
    }
}

int main(void) {
    static const check_test TESTS[] = {
        TEST(keys_and_values_of_every_size_come_back),
        TEST(each_key_has_what_was_put_last_until_it_is_deleted),
        TEST(the_trie_depends_on_its_keys_alone),
        TEST(a_value_is_replaced_if_it_is_as_expected),
        TEST(a_counter_counts_and_does_not_overflow),
        TEST(many_changes_are_one_version),
        TEST(a_commit_is_refused_if_what_it_read_has_changed),
        TEST(a_snapshot_stays_until_it_is_closed_though_the_store_fills_up),
        TEST(no_more_versions_are_kept_than_there_are_pins),
        TEST(a_walk_finds_all_records_and_all_changes),
        TEST(a_store_that_is_not_what_was_expected_is_refused),
    };
    const char *missing;
    check_watch(240);
    CHECK(ea_crypto_start(&missing) && ea_keys_start(&missing) && ea_store_keys_start(&missing));
    return check_all(TESTS, sizeof TESTS / sizeof *TESTS);
}
