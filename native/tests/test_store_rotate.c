/* Another key for a store; each name says what must hold. */
#include <string.h>

#include "check.h"
#include "keys.h"
#include "storage.h"

enum { LIMIT = 2048, KEYS = 100 };
#define FOR_SEALED(kind) for (storage_kind kind = STORAGE_SEALED; kind < STORAGE_KINDS; kind++)

static storage made;
static ea_store user, other;

static void open_store(storage_kind kind) {
    storage_create(&made, NULL, LIMIT, kind);
    storage_attach(&made, &user, 1);
    storage_attach(&made, &other, 2);
}

static void close_store(void) {
    ea_store_detach(&user);
    ea_store_detach(&other);
    CHECK(storage_lost(&made) == 0);
    storage_destroy(&made);
}

static void put_all(const char *value) {
    for (uint32_t i = 0; i < KEYS; i++) CHECK(storage_put(&user, storage_name(i), value) == EA_STORE_OK);
}

static void all_have(ea_store *store, const ea_view *view, const char *value) {
    for (uint32_t i = 0; i < KEYS; i++) CHECK(storage_has(store, view, storage_name(i), value));
}

/* The status; the keys are somebody's in any case. */
static ea_store_status rotate(ea_store *store, uint32_t number) {
    ea_store_keys *keys = storage_keys(NULL, number);
    ea_store_status status = ea_store_rotate(store, number, keys);
    if (status != EA_STORE_OK) ea_store_keys_free(keys);
    return status;
}

static uint32_t key_of(ea_store *store) {
    ea_view view;
    CHECK(ea_store_look(store, &view) == EA_STORE_OK);
    return view.commit.key_id;
}

static void all_is_there_under_another_key(void) {
    FOR_SEALED(kind) {
        open_store(kind);
        put_all("value");
        for (uint32_t number = 1; number < 10; number++) {
            ea_store_keys *old = user.keys;
            ea_view before;
            CHECK(ea_store_look(&user, &before) == EA_STORE_OK && rotate(&user, number) == EA_STORE_OK);
            CHECK(key_of(&user) == number && key_of(&other) == number && user.keys != old);
            CHECK(user.newest.commit.version == before.commit.version + 1 && user.newest.commit.keys == KEYS);
            CHECK(user.newest.commit.records == before.commit.records);
            all_have(&user, NULL, "value");
            all_have(&other, NULL, "value");
            CHECK(storage_has(&other, NULL, "another", NULL));
        }
        put_all("later");
        all_have(&other, NULL, "later");
        close_store();
    }
}

static void an_empty_store_can_have_another_key(void) {
    FOR_SEALED(kind) {
        open_store(kind);
        CHECK(rotate(&user, 1) == EA_STORE_OK && key_of(&other) == 1);
        CHECK(storage_put(&other, "key", "value") == EA_STORE_OK && storage_has(&user, NULL, "key", "value"));
        CHECK(storage_delete(&other, "key") == EA_STORE_OK && rotate(&other, 2) == EA_STORE_OK && key_of(&user) == 2);
        close_store();
    }
}

static void keys_come_one_after_the_other(void) {
    open_store(STORAGE_SEALED);
    put_all("value");
    CHECK(rotate(&user, 2) == EA_STORE_DIFFERENT && rotate(&user, 0) == EA_STORE_DIFFERENT);
    CHECK(rotate(&user, 1) == EA_STORE_OK && rotate(&other, 1) == EA_STORE_DIFFERENT);
    all_have(&other, NULL, "value");
    close_store();
}

/* As long as the keys of so many are kept. */
static void what_is_kept_is_read_under_its_own_key(void) {
    FOR_SEALED(kind) {
        ea_view kept;
        open_store(kind);
        put_all("old");
        CHECK(ea_store_pin(&other, &kept) == EA_STORE_OK);
        for (uint32_t number = 1; number <= EA_KEPT_KEYS; number++) {
            CHECK(rotate(&user, number) == EA_STORE_OK);
            CHECK(key_of(&other) == number); /* it has seen it */
            if (number == 1) put_all("new");
            all_have(&other, NULL, "new");
            if (number == EA_KEPT_KEYS) break;
            all_have(&other, &kept, "old");
            all_have(&other, NULL, "new");
        }
        uint8_t bytes[16];
        storage_value value = {bytes, sizeof bytes, 0};
        CHECK(ea_store_get(&other, &kept, (const uint8_t *)"key 1", 5, storage_room, &value) == EA_STORE_NO_KEY);
        ea_walk *walk = ea_walk_new(&other, &kept);
        ea_found before, after;
        CHECK(walk != NULL && ea_walk_next(walk, &before, &after) == EA_STORE_NO_KEY);
        ea_walk_free(walk);
        ea_store_unpin(&other, &kept);
        close_store();
    }
}

/* It had begun under the old key, or does not know of the new one. */
static void what_another_does_meanwhile_is_under_the_new_key(void) {
    FOR_SEALED(kind) {
        int64_t sum = 0;
        uint32_t number = 1;
        open_store(kind);
        put_all("value");
        CHECK(ea_store_add(&other, (const uint8_t *)"sum", 3, 5, &sum) == EA_STORE_OK && rotate(&user, number++) == EA_STORE_OK);
        CHECK(ea_store_add(&other, (const uint8_t *)"sum", 3, 5, &sum) == EA_STORE_OK && sum == 10);
        CHECK(rotate(&user, number++) == EA_STORE_OK && storage_put(&other, "key 1", "other") == EA_STORE_OK);
        CHECK(rotate(&user, number++) == EA_STORE_OK && storage_has(&user, NULL, "key 1", "other"));
        ea_change change = storage_change("key 1", "third"), absent = storage_change("absent", "value");
        CHECK(ea_store_replace(&other, &change, (const uint8_t *)"other", 5) == EA_STORE_OK);
        CHECK(rotate(&user, number++) == EA_STORE_OK && ea_store_replace(&other, &absent, NULL, 0) == EA_STORE_OK);
        CHECK(rotate(&user, number++) == EA_STORE_OK && storage_delete(&other, "key 2") == EA_STORE_OK);
        CHECK(rotate(&user, number++) == EA_STORE_OK && storage_delete(&other, "key 2") == EA_STORE_ABSENT);
        CHECK(storage_has(&user, NULL, "key 1", "third") && storage_has(&user, NULL, "absent", "value"));
        close_store();
    }
}

/* Nobody can tell any more whether what it has read is the same; what only writes does not care. */
static void a_commit_that_has_read_before_does_not_come_after(void) {
    FOR_SEALED(kind) {
        ea_view since;
        ea_key read = {(const uint8_t *)"key 1", 5};
        ea_change change = storage_change("key 2", "new");
        open_store(kind);
        put_all("value");
        CHECK(ea_store_pin(&other, &since) == EA_STORE_OK && rotate(&user, 1) == EA_STORE_OK);
        CHECK(ea_store_apply(&other, &change, 1, &since, &read, 1) == EA_STORE_DIFFERENT);
        CHECK(ea_store_apply(&other, &change, 1, &since, NULL, 0) == EA_STORE_OK);
        ea_store_unpin(&other, &since);
        CHECK(storage_has(&user, NULL, "key 2", "new"));
        close_store();
    }
}

static void where_there_is_no_room_for_all_of_it_nothing_changes(void) {
    FOR_SEALED(kind) {
        open_store(kind);
        static char large[1000];
        memset(large, 'x', sizeof large - 1);
        for (uint32_t i = 0; i < 300; i++) CHECK(storage_put(&user, storage_name(i), large) == EA_STORE_OK);
        uint32_t before = storage_free(&made);
        CHECK(rotate(&user, 1) == EA_STORE_FULL && key_of(&user) == 0);
        CHECK(storage_lost(&made) == 0 && storage_free(&made) >= before);
        for (uint32_t i = 0; i < 300; i++) CHECK(storage_has(&other, NULL, storage_name(i), large));
        for (uint32_t i = 0; i < 200; i++) CHECK(storage_delete(&other, storage_name(i)) == EA_STORE_OK);
        CHECK(rotate(&user, 1) == EA_STORE_OK && storage_has(&other, NULL, storage_name(250), large));
        close_store();
    }
}

/* --- a hostile host --- */

/* It has come by an old key, and can make what is authentic under it. */
static void a_version_under_an_older_key_is_refused(void) {
    static uint8_t saved[LIMIT * EA_BLOCK];
    FOR_SEALED(kind) {
        open_store(kind);
        put_all("old");
        memcpy(saved, made.base, sizeof saved);
        CHECK(rotate(&user, 1) == EA_STORE_OK && key_of(&other) == 1);
        ea_view old;
        uint64_t newest = ea_load(&user.header->root, EA_RELAXED);
        memcpy(made.base, saved, sizeof saved);
        CHECK(ea_store_look(&user, &old) == EA_STORE_ROLLED_BACK && storage_put(&other, "key 1", "new") == EA_STORE_ROLLED_BACK);
        /* Nor if it says that it is a newer version. */
        ea_block *commit = &user.blocks[(uint32_t)ea_load(&user.header->root, EA_RELAXED)];
        uint64_t version = (newest >> 32) + 10;
        ea_store(&commit->data[0], version, EA_RELAXED);
        ea_store(&user.header->root, version << 32 | (uint32_t)ea_load(&user.header->root, EA_RELAXED), EA_RELAXED);
        CHECK(ea_store_look(&user, &old) == EA_STORE_ROLLED_BACK);
        ea_store_forget(&user);
        ea_store_forget(&other);
        storage_destroy(&made);
    }
}

static ea_store_keys *no_keys(void *context, uint32_t number) {
    (void)context;
    return number > 0 ? NULL : storage_keys(NULL, number);
}

/* The host says that there is a newer key: which others have, and this user has not; or of which nobody knows. */
static void who_has_not_got_the_key_is_told_so(void) {
    FOR_SEALED(kind) {
        static const ea_key_source NONE = {.fetch = no_keys};
        ea_store third;
        open_store(kind);
        put_all("value");
        CHECK(ea_store_attach(&third, made.base, LIMIT, 3, &NONE, kind == STORAGE_DETECTING) == EA_STORE_OK);
        CHECK(storage_has(&third, NULL, "key 1", "value") && rotate(&user, 1) == EA_STORE_OK);
        uint8_t bytes[16];
        storage_value value = {bytes, sizeof bytes, 0};
        CHECK(ea_store_get(&third, NULL, (const uint8_t *)"key 1", 5, storage_room, &value) == EA_STORE_NO_KEY);
        CHECK(storage_put(&third, "key 1", "new") == EA_STORE_NO_KEY && storage_delete(&third, "key 1") == EA_STORE_NO_KEY);
        ea_store_detach(&third);
        all_have(&user, NULL, "value");
        close_store();
    }
}

static void a_trie_that_goes_in_circles_is_not_followed_for_ever(void) {
    open_store(STORAGE_SEALED); /* the others see that it is not authentic */
    put_all("value");
    ea_view view;
    CHECK(ea_store_look(&user, &view) == EA_STORE_OK);
    uint32_t root = view.commit.root;
    for (unsigned i = 0; i < EA_FANOUT / 2; i++)
        ea_store(&user.blocks[root].data[EA_BRANCH_REFS(root) + i], (uint64_t)root << 32 | root, EA_RELAXED);
    CHECK(rotate(&user, 1) == EA_STORE_CORRUPT && key_of(&user) == 0);
    ea_store_forget(&user);
    ea_store_forget(&other);
    storage_destroy(&made);
}

int main(void) {
    static const check_test TESTS[] = {
        TEST(all_is_there_under_another_key),
        TEST(an_empty_store_can_have_another_key),
        TEST(keys_come_one_after_the_other),
        TEST(what_is_kept_is_read_under_its_own_key),
        TEST(what_another_does_meanwhile_is_under_the_new_key),
        TEST(a_commit_that_has_read_before_does_not_come_after),
        TEST(where_there_is_no_room_for_all_of_it_nothing_changes),
        TEST(a_version_under_an_older_key_is_refused),
        TEST(who_has_not_got_the_key_is_told_so),
        TEST(a_trie_that_goes_in_circles_is_not_followed_for_ever),
    };
    const char *missing;
    CHECK(ea_keys_start(&missing) && ea_store_keys_start(&missing));
    check_watch(120);
    return check_all(TESTS, sizeof TESTS / sizeof *TESTS);
}
