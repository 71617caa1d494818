/* Attacks on a store that detects them, each of which chance would take long to find; each name says what must hold. */
#define _GNU_SOURCE
#include <string.h>

#include "check.h"
#include "keys.h"
#include "storage.h"

enum { LIMIT = 512 };

static storage made;
static ea_store user, other;
static uint8_t saved[LIMIT * EA_BLOCK];

static void open_store(storage_kind kind) {
    storage_create(&made, NULL, LIMIT, kind);
    storage_attach(&made, &user, 1);
    storage_attach(&made, &other, 2);
}

static void close_store(void) {
    ea_store_detach(&user);
    ea_store_detach(&other);
    storage_destroy(&made);
}

static ea_store_status get(ea_store *from, const char *key) {
    uint8_t bytes[64];
    storage_value value = {bytes, sizeof bytes, 0};
    return ea_store_get(from, NULL, (const uint8_t *)key, strlen(key), storage_room, &value);
}

static ea_found find(const ea_view *view, const char *key) {
    ea_found found;
    uint8_t hash[EA_HASH];
    CHECK(ea_store_hash(&user, (const uint8_t *)key, strlen(key), hash));
    CHECK(ea_store_find(&user, view, hash, &found) == EA_STORE_OK);
    return found;
}

static void an_older_version_is_refused(void) {
    open_store(STORAGE_DETECTING);
    CHECK(storage_put(&user, "key", "old") == EA_STORE_OK);
    memcpy(saved, made.base, sizeof saved);
    CHECK(storage_put(&user, "key", "new") == EA_STORE_OK);
    memcpy(made.base, saved, sizeof saved);
    CHECK(get(&user, "key") == EA_STORE_ROLLED_BACK && storage_put(&user, "key", "newer") == EA_STORE_ROLLED_BACK);
    close_store();
}

/* Where nothing is detected, this is what a host can do: the record is good for its key. */
static void an_older_record_of_the_key_is_refused(void) {
    ea_view before, after;
    open_store(STORAGE_DETECTING);
    CHECK(storage_put(&user, "key", "old") == EA_STORE_OK && ea_store_look(&user, &before) == EA_STORE_OK);
    CHECK(storage_put(&user, "key", "new") == EA_STORE_OK && ea_store_look(&user, &after) == EA_STORE_OK);
    uint32_t old = find(&before, "key").ref & EA_REF_INDEX, new = find(&after, "key").ref & EA_REF_INDEX;
    memcpy(made.base + (size_t)new * EA_BLOCK, made.base + (size_t)old * EA_BLOCK, EA_BLOCK);
    CHECK(get(&user, "key") == EA_STORE_FORGED);
    close_store();
}

/* Two users are shown two stores that were one: neither may go on in the other's. */
static void another_version_of_the_same_number_is_refused(void) {
    open_store(STORAGE_DETECTING);
    CHECK(storage_put(&user, "key", "old") == EA_STORE_OK);
    memcpy(saved, made.base, sizeof saved);
    CHECK(storage_put(&user, "key", "mine") == EA_STORE_OK);
    memcpy(made.base, saved, sizeof saved);
    CHECK(storage_put(&other, "key", "theirs") == EA_STORE_OK);
    CHECK(get(&user, "key") == EA_STORE_ROLLED_BACK);
    close_store();
}

static void a_root_that_names_no_block_is_no_empty_store(void) {
    for (storage_kind kind = 0; kind < STORAGE_KINDS; kind++) {
        ea_store third;
        open_store(kind);
        ea_store(&user.header->root, 0, EA_RELAXED);
        CHECK(get(&user, "key") == EA_STORE_CORRUPT);
        const ea_key_source *source = kind == STORAGE_PLAIN ? NULL : &STORAGE_SOURCE;
        CHECK(ea_store_attach(&third, made.base, LIMIT, 3, source, kind == STORAGE_DETECTING) == EA_STORE_CORRUPT);
        ea_store_detach(&third);
        close_store();
    }
}

/* Not even that a value is not what was expected may be said of what is not authentic. */
static void what_is_not_authentic_is_not_different(void) {
    ea_change change = storage_change("key", "new");
    ea_view view;
    open_store(STORAGE_DETECTING);
    CHECK(storage_put(&user, "key", "old") == EA_STORE_OK && ea_store_look(&user, &view) == EA_STORE_OK);
    uint8_t *record = made.base + (size_t)(find(&view, "key").ref & EA_REF_INDEX) * EA_BLOCK + offsetof(ea_block, data);
    record[offsetof(ea_record_head, value_size)]++;
    CHECK(ea_store_replace(&user, &change, (const uint8_t *)"old", 3) == EA_STORE_FORGED);
    CHECK(ea_store_replace(&user, &change, NULL, 0) == EA_STORE_FORGED);
    record[0] ^= 1; /* the hash: it is another key's, says the host */
    CHECK(storage_delete(&user, "key") == EA_STORE_FORGED && get(&user, "key") == EA_STORE_FORGED);
    close_store();
}

/* The host takes the pin away, so that the block of the old record becomes that of a new one. */
static void a_record_in_the_block_of_an_older_one_is_another(void) {
    ea_view since, now;
    ea_key reads[] = {{(const uint8_t *)"key", 3}};
    static const uint8_t bytes[LIMIT * EA_BLOCK_DATA];
    uint64_t random = 1;
    ea_change change = storage_change("derived", "from the old one"), large = storage_change("large", "");
    ea_found before, after;
    large.value = bytes;
    open_store(STORAGE_DETECTING);
    CHECK(storage_put(&user, "key", "old") == EA_STORE_OK && ea_store_pin(&user, &since) == EA_STORE_OK);
    ea_ref old = find(&since, "key").ref;
    /* What the user reads of its version stays as it was. */
    memcpy(saved, made.base, sizeof saved);
    ea_store(&user.header->pins[since.pin], 0, EA_RELAXED);
    do {
        /* All blocks are used again, in another order each time, also if it does not fit. */
        large.value_size = check_below(&random, sizeof bytes);
        (void)ea_store_apply(&other, &large, 1, NULL, NULL, 0);
        CHECK(storage_put(&other, "key", "new") == EA_STORE_OK && ea_store_look(&user, &now) == EA_STORE_OK);
    } while (find(&now, "key").ref != old);
    memcpy(made.base + (size_t)since.commit.root * EA_BLOCK, saved + (size_t)since.commit.root * EA_BLOCK, EA_BLOCK);
    CHECK(now.commit.root != since.commit.root);
    ea_store_status status = ea_store_apply(&user, &change, 1, &since, reads, 1);
    CHECK(status == EA_STORE_DIFFERENT || status == EA_STORE_FORGED);
    ea_walk *walk = ea_walk_changes(&user, &since, &now);
    CHECK(walk != NULL);
    do CHECK(ea_walk_next(walk, &before, &after) == EA_STORE_OK);
    while (before.ref != old);
    CHECK(after.ref == old && before.tag != after.tag);
    ea_walk_free(walk);
    close_store();
}

/* Nobody is quicker then, though it looks as if somebody always were: nothing is tried again and again. */
static void a_horizon_above_the_newest_version_is_a_lie(void) {
    for (storage_kind kind = 0; kind < STORAGE_KINDS; kind++) {
        int64_t sum;
        open_store(kind);
        CHECK(storage_put(&user, "key", "value") == EA_STORE_OK);
        ea_store(&user.header->horizon, UINT64_MAX, EA_RELAXED);
        for (int round = 0; round < 2000; round++) { /* of 65,536 attempts each, this would take minutes */
            ea_change change = storage_change("key", "other"), absent = storage_change("other", "value");
            CHECK(get(&user, "key") == EA_STORE_CORRUPT && get(&other, "key") == EA_STORE_CORRUPT);
            CHECK(ea_store_replace(&user, &change, (const uint8_t *)"value", 5) == EA_STORE_CORRUPT);
            CHECK(ea_store_replace(&user, &absent, NULL, 0) == EA_STORE_CORRUPT);
            CHECK(ea_store_add(&user, (const uint8_t *)"sum", 3, 1, &sum) == EA_STORE_CORRUPT);
            CHECK(storage_delete(&user, "other") == EA_STORE_CORRUPT);
        }
        close_store();
    }
}

int main(void) {
    static const check_test TESTS[] = {
        TEST(an_older_version_is_refused),
        TEST(an_older_record_of_the_key_is_refused),
        TEST(another_version_of_the_same_number_is_refused),
        TEST(a_root_that_names_no_block_is_no_empty_store),
        TEST(what_is_not_authentic_is_not_different),
        TEST(a_record_in_the_block_of_an_older_one_is_another),
        TEST(a_horizon_above_the_newest_version_is_a_lie),
    };
    const char *missing;
    check_watch(60);
    CHECK(ea_crypto_start(&missing) && ea_keys_start(&missing) && ea_store_keys_start(&missing));
    return check_all(TESTS, sizeof TESTS / sizeof *TESTS);
}
