/* Where a store's room ends, and to whom its free blocks belong; each name says what must hold. */
#define _GNU_SOURCE
#include <string.h>

#include "check.h"
#include "storage.h"

enum { LIMIT = 1024, USERS = 3 };

static storage made;
static ea_store users[USERS];

static void open_store(uint32_t limit) {
    storage_create(&made, NULL, limit, STORAGE_PLAIN);
    for (uint32_t i = 0; i < USERS; i++) storage_attach(&made, &users[i], i);
}

static void close_store(void) {
    for (uint32_t i = 0; i < USERS; i++) ea_store_detach(&users[i]);
    CHECK(storage_lost(&made) == 0);
    storage_destroy(&made);
}

/* Keys from 0 on, until no more go in; how many did. */
static uint32_t fill_up(ea_store *user) {
    for (uint32_t number = 0;; number++) {
        ea_store_status status = storage_put(user, storage_name(number), "value");
        CHECK(status == EA_STORE_OK || status == EA_STORE_FULL);
        if (status == EA_STORE_FULL) return number;
    }
}

static void empty(ea_store *user, uint32_t keys) {
    for (uint32_t number = 0; number < keys; number++) CHECK(storage_delete(user, storage_name(number)) == EA_STORE_OK);
}

/* Most blocks are in records then: a store of single blocks has a branch for every few of them. */
static bool is_about_full(uint32_t keys) { return keys > LIMIT * 2 / 3; }

static void a_full_store_is_as_it_was(void) {
    open_store(LIMIT);
    uint32_t keys = fill_up(&users[0]);
    CHECK(is_about_full(keys));
    for (uint32_t number = 0; number < keys; number++) CHECK(storage_has(&users[1], NULL, storage_name(number), "value"));
    CHECK(storage_has(&users[0], NULL, storage_name(keys), NULL));
    empty(&users[0], keys);
    close_store();
}

/* Else nobody could make room any more. */
static void any_key_of_a_full_store_can_be_deleted_by_anybody(void) {
    for (uint32_t number = 0; number < 700; number += 23) {
        for (uint32_t i = 0; i < USERS; i++) {
            open_store(LIMIT);
            CHECK(fill_up(&users[0]) > number);
            CHECK(storage_delete(&users[i], storage_name(number)) == EA_STORE_OK);
            close_store();
        }
    }
}

static void what_was_deleted_makes_room_for_others(void) {
    open_store(LIMIT);
    for (uint32_t turn = 0; turn < 4 * USERS; turn++) {
        uint32_t keys = fill_up(&users[turn % USERS]);
        CHECK(is_about_full(keys));
        empty(&users[(turn + 1) % USERS], keys);
    }
    close_store();
}

/* A user who rests may keep some for later, but not what others are waiting for. */
static void a_value_that_does_not_fit_takes_no_room(void) {
    static const uint8_t large[LIMIT * EA_BLOCK_DATA];
    ea_change change = {.key = large, .key_size = 4, .value = large, .value_size = (LIMIT - 40) * EA_BLOCK_DATA};
    open_store(LIMIT);
    CHECK(ea_store_apply(&users[0], &change, 1, NULL, NULL, 0) == EA_STORE_FULL);
    CHECK(is_about_full(fill_up(&users[1])));
    close_store();
}

/* Also if no commit comes between, which would be a reason to look for it again. */
static void what_a_user_leaves_is_found_at_once(void) {
    static const uint8_t large[LIMIT * EA_BLOCK_DATA];
    ea_store *leaver = &users[0], *finder = &users[1];
    open_store(LIMIT);
    for (uint32_t turn = 0; turn < 20; turn++) CHECK(storage_put(leaver, "key", "value") == EA_STORE_OK);
    uint32_t held = leaver->stash.count + leaver->limbo.count - leaver->limbo.first;
    (void)fill_up(finder);
    CHECK(held > leaver->stash.count + EA_STORE_SPARE);
    ea_store_detach(leaver);
    ea_change change = {.key = large, .key_size = 4, .value = large, .value_size = (held - EA_STORE_SPARE) * EA_BLOCK_DATA - 100};
    CHECK(ea_store_apply(finder, &change, 1, NULL, NULL, 0) == EA_STORE_OK);
    storage_attach(&made, leaver, 0);
    close_store();
}

static void what_a_user_leaves_others_still_read(void) {
    static char large[5 * EA_BLOCK_DATA];
    ea_store *leaver = &users[0], *reader = &users[1];
    uint8_t bytes[sizeof large];
    storage_value value = {bytes, sizeof bytes, 0};
    ea_view kept;
    memset(large, 'x', sizeof large - 1);
    open_store(LIMIT);
    CHECK(storage_put(leaver, "key", large) == EA_STORE_OK && ea_store_pin(reader, &kept) == EA_STORE_OK);
    CHECK(storage_put(leaver, "key", "value") == EA_STORE_OK);
    ea_store_detach(leaver);
    CHECK(ea_store_get(reader, &kept, (const uint8_t *)"key", 3, storage_room, &value) == EA_STORE_OK);
    CHECK(value.size == sizeof large - 1 && memcmp(bytes, large, value.size) == 0);
    ea_store_unpin(reader, &kept);
    storage_attach(&made, leaver, 0);
    close_store();
}

int main(void) {
    static const check_test TESTS[] = {
        TEST(a_full_store_is_as_it_was),
        TEST(any_key_of_a_full_store_can_be_deleted_by_anybody),
        TEST(what_was_deleted_makes_room_for_others),
        TEST(a_value_that_does_not_fit_takes_no_room),
        TEST(what_a_user_leaves_is_found_at_once),
        TEST(what_a_user_leaves_others_still_read),
    };
    check_watch(120);
    return check_all(TESTS, sizeof TESTS / sizeof *TESTS);
}
