/* Real threads on one store, for ThreadSanitizer and for the machine's own interleavings.
 *
 *     test_store_threads [TURNS]
 *
 * The words of a store are atomics by design, also those of its data: a reader may read what is just
 * being used again, and finds out afterwards. So what the sanitizer sees is whether anything else is shared;
 * that what is read is whole is checked here.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "check.h"
#include "keys.h"
#include "storage.h"

enum { THREADS = 4, KEYS = 24, ACCOUNTS = 12, WEALTH = 1000, COUNTERS = 3 };

static uint32_t turns = 20000;
static storage made;
static ea_store users[THREADS];
static _Atomic uint32_t ended;

typedef void (*body)(ea_store *user, uint32_t self);

typedef struct {
    body run;
    uint32_t self;
} job;

static void *run_job(void *what) {
    const job *one = what;
    one->run(&users[one->self], one->self);
    atomic_fetch_add(&ended, 1);
    return NULL;
}

static void run_threads(uint32_t limit, storage_kind kind, void (*prepare)(ea_store *user), const body bodies[THREADS]) {
    pthread_t threads[THREADS];
    job jobs[THREADS];
    storage_create(&made, NULL, limit, kind);
    for (uint32_t i = 0; i < THREADS; i++) storage_attach(&made, &users[i], i);
    prepare(&users[0]);
    atomic_store(&ended, 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        jobs[i] = (job){bodies[i], i};
        CHECK(pthread_create(&threads[i], NULL, run_job, &jobs[i]) == 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

static void end_threads(void) {
    for (uint32_t i = 0; i < THREADS; i++) ea_store_detach(&users[i]);
    CHECK(storage_lost(&made) == 0);
    storage_destroy(&made);
}

static const char *name_of(char name[16], const char *what, uint32_t number) {
    (void)snprintf(name, 16, "%s %u", what, number);
    return name;
}

/* Others may hold for a moment what is free. */
static bool is_over(ea_store_status status) {
    if (status == EA_STORE_FULL) sched_yield();
    return status != EA_STORE_FULL;
}

/* --- values of every size, each of one piece --- */

enum { LARGEST = 2000 };

static void make_value(uint8_t *value, uint32_t size, uint32_t seed) {
    memcpy(value, &seed, 4);
    for (uint32_t i = 4; i < size; i++) value[i] = (uint8_t)(seed + i);
}

static void is_whole(const uint8_t *value, uint32_t size) {
    uint32_t seed;
    CHECK(size >= 4);
    memcpy(&seed, value, 4);
    for (uint32_t i = 4; i < size; i++) CHECK(value[i] == (uint8_t)(seed + i));
}

static void put_some(ea_store *user, uint32_t key, uint64_t *random) {
    uint8_t value[LARGEST];
    char name[16];
    ea_change change = storage_change(name_of(name, "key", key), NULL);
    if (check_below(random, 4) != 0) {
        change.value = value;
        change.value_size = 4 + check_below(random, check_below(random, 2) ? 100 : LARGEST - 4);
        make_value(value, change.value_size, (uint32_t)check_random(random));
    }
    ea_store_status status = ea_store_apply(user, &change, 1, NULL, NULL, 0);
    CHECK(status == EA_STORE_OK || status == EA_STORE_ABSENT || status == EA_STORE_FULL);
}

static void get_some(ea_store *user, const ea_view *view, uint32_t key) {
    uint8_t bytes[LARGEST];
    char name[16];
    storage_value value = {bytes, sizeof bytes, 0};
    (void)name_of(name, "key", key);
    ea_store_status status = ea_store_get(user, view, (uint8_t *)name, strlen(name), storage_room, &value);
    CHECK(status == EA_STORE_OK || status == EA_STORE_ABSENT);
    if (status == EA_STORE_OK) is_whole(bytes, value.size);
}

static void walk_some(ea_store *user) {
    uint8_t key[EA_LONGEST_KEY], bytes[LARGEST];
    ea_found before, after;
    ea_view view;
    ea_store_status status;
    uint64_t keys = 0;
    CHECK(ea_store_pin(user, &view) == EA_STORE_OK);
    ea_walk *walk = ea_walk_new(user, &view);
    for (; (status = ea_walk_next(walk, &before, &after)) == EA_STORE_OK; keys++) {
        CHECK(after.head.value_size <= LARGEST && ea_record_read(user, &after, key, bytes) == EA_STORE_OK);
        is_whole(bytes, after.head.value_size);
    }
    CHECK(status == EA_STORE_ABSENT && keys == view.commit.keys);
    ea_walk_free(walk);
    ea_store_unpin(user, &view);
}

static void do_anything(ea_store *user, uint32_t self) {
    uint64_t random = self;
    for (uint32_t turn = 0; turn < turns; turn++) {
        uint32_t what = check_below(&random, 16);
        if (what < 8) put_some(user, check_below(&random, KEYS), &random);
        else if (what < 15) get_some(user, NULL, check_below(&random, KEYS));
        else walk_some(user);
    }
}

static void nothing(ea_store *user) { CHECK(user->header != NULL); }

static void every_value_that_is_read_is_whole(void) {
    for (storage_kind kind = 0; kind < STORAGE_KINDS; kind++) {
        run_threads(1 << 12, kind, nothing, (const body[]){do_anything, do_anything, do_anything, do_anything});
        end_threads();
        run_threads(512, kind, nothing, (const body[]){do_anything, do_anything, do_anything, do_anything}); /* often full */
        end_threads();
    }
}

/* --- a bank --- */

static uint64_t balance(ea_store *user, const ea_view *view, uint32_t account) {
    uint64_t amount = 0;
    char name[16];
    storage_value value = {(uint8_t *)&amount, sizeof amount, 0};
    (void)name_of(name, "account", account);
    CHECK(ea_store_get(user, view, (uint8_t *)name, strlen(name), storage_room, &value) == EA_STORE_OK);
    return amount;
}

static void open_accounts(ea_store *user) {
    static const uint64_t amount = WEALTH;
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        char name[16];
        ea_change change = storage_change(name_of(name, "account", i), NULL);
        change.value = (const uint8_t *)&amount;
        change.value_size = sizeof amount;
        CHECK(ea_store_apply(user, &change, 1, NULL, NULL, 0) == EA_STORE_OK);
    }
}

static void transfer(ea_store *user, uint32_t self) {
    uint64_t random = self;
    for (uint32_t turn = 0; turn < turns; turn++) {
        uint32_t from = check_below(&random, ACCOUNTS), to = (from + 1 + check_below(&random, ACCOUNTS - 1)) % ACCOUNTS;
        ea_store_status status;
        do {
            ea_view since;
            char names[2][16];
            CHECK(ea_store_pin(user, &since) == EA_STORE_OK);
            uint64_t amounts[] = {balance(user, &since, from), balance(user, &since, to)};
            uint64_t amount = amounts[0] == 0 ? 0 : check_below(&random, (uint32_t)amounts[0]);
            amounts[0] -= amount;
            amounts[1] += amount;
            ea_change changes[] = {storage_change(name_of(names[0], "account", from), NULL),
                                   storage_change(name_of(names[1], "account", to), NULL)};
            ea_key reads[2];
            for (int i = 0; i < 2; i++) {
                changes[i].value = (uint8_t *)&amounts[i];
                changes[i].value_size = sizeof amounts[i];
                reads[i] = (ea_key){changes[i].key, changes[i].key_size};
            }
            status = ea_store_apply(user, changes, 2, &since, reads, 2);
            ea_store_unpin(user, &since);
            CHECK(status == EA_STORE_OK || status == EA_STORE_DIFFERENT || status == EA_STORE_FULL);
        } while (!is_over(status) || status == EA_STORE_DIFFERENT);
    }
}

static void audit(ea_store *user, uint32_t self) {
    (void)self;
    while (atomic_load(&ended) < THREADS - 1) {
        uint64_t total = 0;
        ea_view view;
        CHECK(ea_store_pin(user, &view) == EA_STORE_OK);
        for (uint32_t i = 0; i < ACCOUNTS; i++) total += balance(user, &view, i);
        ea_store_unpin(user, &view);
        CHECK(total == (uint64_t)ACCOUNTS * WEALTH);
    }
}

static void in_every_version_the_bank_has_all_its_money(void) {
    for (storage_kind kind = 0; kind < STORAGE_KINDS; kind++) {
        run_threads(1 << 11, kind, open_accounts, (const body[]){transfer, transfer, transfer, audit});
        end_threads();
    }
}

/* --- counters --- */

static void count(ea_store *user, uint32_t self) {
    for (uint32_t turn = 0; turn < turns; turn++) {
        char name[16];
        int64_t sum = 0, before = 0;
        (void)name_of(name, "counter", (turn + self) % COUNTERS);
        do before = sum;
        while (!is_over(ea_store_add(user, (uint8_t *)name, strlen(name), 1, &sum)));
        CHECK(sum > 0 && before <= sum);
    }
}

static void no_count_is_lost(void) {
    for (storage_kind kind = 0; kind < STORAGE_KINDS; kind++) {
        run_threads(512, kind, nothing, (const body[]){count, count, count, count});
        int64_t total = 0, sum;
        for (uint32_t i = 0; i < COUNTERS; i++) {
            char name[16];
            (void)name_of(name, "counter", i);
            CHECK(ea_store_add(&users[0], (uint8_t *)name, strlen(name), 0, &sum) == EA_STORE_OK);
            total += sum;
        }
        CHECK(total == (int64_t)THREADS * turns);
        end_threads();
    }
}

/* --- a key comes and goes --- */

/* Two that delete and two that put: each put has to be undone once. */
static _Atomic uint32_t there;

static void come(ea_store *user, uint32_t self) {
    ea_change change = storage_change("key", self % 2 ? "odd" : "even");
    for (uint32_t turn = 0; turn < turns; turn++) {
        ea_store_status status = ea_store_replace(user, &change, NULL, 0);
        CHECK(status == EA_STORE_OK || status == EA_STORE_DIFFERENT);
        if (status == EA_STORE_OK) atomic_fetch_add(&there, 1);
    }
}

static void go(ea_store *user, uint32_t self) {
    (void)self;
    for (uint32_t turn = 0; turn < turns; turn++) {
        ea_store_status status = storage_delete(user, "key");
        CHECK(status == EA_STORE_OK || status == EA_STORE_ABSENT);
        if (status == EA_STORE_OK) atomic_fetch_sub(&there, 1);
    }
}

static void a_key_goes_as_often_as_it_has_come(void) {
    atomic_store(&there, 0);
    run_threads(1 << 11, STORAGE_PLAIN, nothing, (const body[]){come, come, go, go});
    CHECK(storage_has(&users[0], NULL, "key", NULL) == (atomic_load(&there) == 0) && atomic_load(&there) <= 1);
    end_threads();
}

/* --- room --- */

static void write_little(ea_store *user, uint32_t self) {
    uint64_t random = self;
    char name[16];
    for (uint32_t turn = 0; turn < turns; turn++) {
        ea_store_status status = storage_put(user, name_of(name, "key", check_below(&random, KEYS)), turn % 3 ? "value" : NULL);
        CHECK(status == EA_STORE_OK || status == EA_STORE_ABSENT);
    }
}

static void nobody_is_told_that_a_store_is_full_which_is_not(void) {
    run_threads(1 << 11, STORAGE_PLAIN, nothing, (const body[]){write_little, write_little, write_little, write_little});
    end_threads();
}

int main(int argc, char **argv) {
    static const check_test TESTS[] = {
        TEST(every_value_that_is_read_is_whole),
        TEST(in_every_version_the_bank_has_all_its_money),
        TEST(no_count_is_lost),
        TEST(a_key_goes_as_often_as_it_has_come),
        TEST(nobody_is_told_that_a_store_is_full_which_is_not),
    };
    const char *missing;
    if (argc > 1) turns = (uint32_t)strtoul(argv[1], NULL, 10);
    check_watch(300);
    CHECK(ea_crypto_start(&missing) && ea_keys_start(&missing) && ea_store_keys_start(&missing));
    return check_all(TESTS, sizeof TESTS / sizeof *TESTS);
}
