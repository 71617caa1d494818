/* The host's part of a store; each name says what must hold. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "check.h"
#include "keeping.h"

/* --- opening --- */

static void what_was_put_is_there_after_closing(void) {
    for (int lasts = 0; lasts < 2; lasts++) {
        const uint8_t *boot = lasts ? BOOT : NULL;
        begin();
        for (uint32_t round = 0; round < 4; round++) {
            open_store(boot);
            CHECK(!keeper.recovered && !keeper.fell_back);
            for (uint32_t i = 0; i < round * 100; i++) CHECK(storage_has(&user, NULL, storage_name(i), "value"));
            for (uint32_t i = 0; i < 100; i++) put(&user, storage_name(round * 100 + i), "value");
            close_store();
        }
        end();
    }
}

static void what_was_put_is_there_though_nobody_closed_it(void) {
    begin();
    for (uint32_t round = 0; round < 4; round++) {
        open_store(BOOT);
        CHECK(keeper.recovered == (round > 0) && !keeper.fell_back);
        storage whole = memory();
        for (uint32_t i = 0; i < round * 100; i++) CHECK(storage_has(&user, NULL, storage_name(i), "value"));
        for (uint32_t i = 0; i < 100; i++) put(&user, storage_name(round * 100 + i), "value");
        abandon();
        open_store(BOOT);
        CHECK(storage_lost(&whole) == 0); /* nobody has taken anything yet */
        abandon();
    }
    end();
}

static void one_store_has_one_keeper(void) {
    begin();
    open_store(BOOT);
    ea_keeper first = keeper;
    CHECK(try_open(BOOT) == EA_KEEPER_IN_USE && keeper.other == (uint32_t)getpid());
    keeper = first;
    close_store();
    end();
}

static void what_is_no_store_is_refused(void) {
    static const struct {
        size_t at;
        uint8_t byte;
        ea_keeper_status status;
    } CASES[] = {
        {0, 'X', EA_KEEPER_FOREIGN}, {7, 2, EA_KEEPER_VERSION},  {9, 9, EA_KEEPER_VERSION},
        {20, 7, EA_KEEPER_CORRUPT},  {60, 7, EA_KEEPER_CORRUPT}, {offsetof(ea_store_header, root), 5, EA_KEEPER_CORRUPT},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        begin();
        open_store(BOOT);
        close_store();
        int fd = open(path, O_RDWR);
        CHECK(fd >= 0 && pwrite(fd, &CASES[i].byte, 1, (off_t)CASES[i].at) == 1);
        CHECK(try_open(BOOT) == CASES[i].status);
        CHECK(CASES[i].at != 0 || ftruncate(fd, 10) == 0);
        CHECK(CASES[i].at != 0 || try_open(BOOT) == EA_KEEPER_FOREIGN);
        (void)close(fd);
        end();
    }
    begin();
    open_store(BOOT);
    close_store();
    CHECK(truncate(path, (off_t)LIMIT * EA_BLOCK - 1) == 0 && try_open(BOOT) == EA_KEEPER_SHORT);
    end();
}

/* It is as much a store as before, wherever the file is moved. */
static void a_store_that_did_not_last_lasts_from_then_on(void) {
    begin();
    open_store(NULL);
    for (uint32_t turn = 0; turn < 500; turn++) put(&user, storage_name(turn % 50), "value");
    close_store();
    open_store(BOOT);
    CHECK(ea_load(&keeper.store.header->durable, EA_RELAXED) == keeper.store.newest.commit.version);
    close_store();
    open_store(NULL);
    CHECK(ea_load(&keeper.store.header->durable, EA_RELAXED) == UINT64_MAX);
    uint64_t version;
    CHECK(ea_keeper_sync(&keeper, &version) == EA_KEEPER_OK && version == keeper.store.newest.commit.version);
    CHECK(ea_load(&keeper.store.header->durable, EA_RELAXED) == UINT64_MAX);
    syncs = 0;
    for (uint32_t turn = 0; turn < 20000; turn++) put(&user, storage_name(turn % 50), "value");
    CHECK(syncs == 0);
    close_store();
    end();
}

/* --- room --- */

static void a_store_grows_up_to_its_limit_and_then_waits_for_syncs(void) {
    begin();
    open_store(BOOT);
    rooms = syncs = 0;
    uint64_t version;
    /* What the disk has fills more than half of it, so all of it cannot be written anew before another sync. */
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t key = 0; key < LIMIT * 2 / 5; key++) {
            if (ea_keeper_wants_room(&keeper)) CHECK(ea_keeper_grow(&keeper) == EA_KEEPER_OK);
            put(&user, storage_name(key), "value");
        }
        if (round == 0) CHECK(ea_keeper_sync(&keeper, &version) == EA_KEEPER_OK);
    }
    CHECK(ea_load(&keeper.store.header->usable, EA_RELAXED) == LIMIT && !ea_keeper_wants_room(&keeper) && syncs > 0);
    close_store();
    end();
}

static void a_user_waits_for_room_if_nobody_makes_it_before(void) {
    begin();
    open_store(NULL);
    rooms = syncs = 0;
    for (uint32_t turn = 0; turn < 3000; turn++) put(&user, storage_name(turn), "value");
    CHECK(rooms > 0 && syncs == 0);
    close_store();
    end();
}

/* --- the dead --- */

static void what_a_dead_user_held_is_given_back_while_others_go_on(void) {
    begin();
    for (int lasts = 0; lasts < 2; lasts++) {
        open_store(lasts ? BOOT : NULL);
        storage whole = memory();
        ea_view kept;
        uint32_t blocks;
        for (uint32_t turn = 0; turn < 1000; turn++) put(turn % 2 ? &user : &other, storage_name(turn % 60), "value");
        CHECK(ea_store_pin(&other, &kept) == EA_STORE_OK);
        ea_store_forget(&other);
        CHECK(ea_keeper_mourn(&keeper, 2, &blocks) == EA_KEEPER_OK && blocks > 0);
        CHECK(ea_store_lowest_pin(&user) == UINT64_MAX);
        for (uint32_t turn = 0; turn < 1000; turn++) put(&user, storage_name(turn % 60), "value");
        CHECK(ea_keeper_mourn(&keeper, 2, &blocks) == EA_KEEPER_OK && blocks == 0);
        attach(&other, 2);
        put(&other, "another", "life");
        ea_store_detach(&user);
        ea_store_detach(&other);
        CHECK(storage_lost(&whole) == 0);
        attach(&user, 1);
        attach(&other, 2);
        close_store();
    }
    end();
}

/* A version that somebody still looks at stays, also those parts of it that the dead have replaced. */
static void what_the_dead_have_replaced_is_still_read(void) {
    begin();
    open_store(NULL);
    ea_view kept;
    uint32_t blocks;
    for (uint32_t i = 0; i < 60; i++) put(i % 2 ? &user : &other, storage_name(i), "old");
    CHECK(ea_store_pin(&user, &kept) == EA_STORE_OK);
    for (uint32_t i = 0; i < 60; i++) put(&other, storage_name(i), "new");
    ea_store_forget(&other);
    CHECK(ea_keeper_mourn(&keeper, 2, &blocks) == EA_KEEPER_OK && blocks > 0);
    for (uint32_t turn = 0; turn < 1000; turn++) put(&user, storage_name(turn % 60), "newer");
    for (uint32_t i = 0; i < 60; i++) CHECK(storage_has(&user, &kept, storage_name(i), "old"));
    ea_store_unpin(&user, &kept);
    attach(&other, 2);
    close_store();
    end();
}

/* Of blocks that nobody knows of, none is missing the next time. */
static void what_was_lost_is_found_at_closing(void) {
    begin();
    open_store(NULL);
    uint32_t blocks;
    put(&user, "key", "value");
    ea_store_forget(&other);
    (void)ea_add(&keeper.store.header->fresh, 10, EA_RELAXED); /* killed when it had just taken them */
    CHECK(ea_keeper_mourn(&keeper, 2, &blocks) == EA_KEEPER_OK && blocks == 0);
    storage whole = memory();
    ea_store_detach(&user);
    CHECK(storage_lost(&whole) == 10);
    CHECK(ea_keeper_close(&keeper, true) == EA_KEEPER_OK);
    (void)close(keeper.fd);
    open_store(NULL);
    CHECK(!keeper.recovered);
    close_store();
    end();
}

/* Whoever may write to the store may write anything there: the keeper looks at no block that is none, and loses none. */
static void where_nothing_was_used_yet_is_believed_as_far_as_it_can_be(void) {
    static const uint32_t SAID[] = {0, EA_HEADER_BLOCKS, USABLE + 1, LIMIT, LIMIT + 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof SAID / sizeof *SAID; i++) {
        begin();
        open_store(NULL);
        uint32_t blocks;
        put(&user, "key", "value");
        ea_store_forget(&other);
        CHECK(ea_keeper_mourn(&keeper, 2, &blocks) == EA_KEEPER_OK);
        ea_store_detach(&user);
        ea_store(&keeper.store.header->fresh, SAID[i], EA_RELAXED);
        CHECK(ea_keeper_close(&keeper, true) == EA_KEEPER_OK);
        (void)close(keeper.fd);
        open_store(NULL);
        CHECK(!keeper.recovered && storage_has(&user, NULL, "key", "value"));
        close_store();
        end();
    }
}

int main(void) {
    static const check_test TESTS[] = {
        TEST(what_was_put_is_there_after_closing),
        TEST(what_was_put_is_there_though_nobody_closed_it),
        TEST(one_store_has_one_keeper),
        TEST(what_is_no_store_is_refused),
        TEST(a_store_that_did_not_last_lasts_from_then_on),
        TEST(a_store_grows_up_to_its_limit_and_then_waits_for_syncs),
        TEST(a_user_waits_for_room_if_nobody_makes_it_before),
        TEST(what_a_dead_user_held_is_given_back_while_others_go_on),
        TEST(what_the_dead_have_replaced_is_still_read),
        TEST(what_was_lost_is_found_at_closing),
        TEST(where_nothing_was_used_yet_is_believed_as_far_as_it_can_be),
    };
    check_watch(120);
    return check_all(TESTS, sizeof TESTS / sizeof *TESTS);
}
