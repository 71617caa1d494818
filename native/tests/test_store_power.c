/* The power fails while a store is in use; each name says what must hold then. */
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "keeping.h"

enum { SECTOR = 512 };

static uint8_t *disk, *crashed; /* what it has; and had when power failed */
static uint64_t random_state;
static uint32_t until_cut;      /* 0: power does not fail */
static bool blocks_changed;     /* by what the last sync wrote */

/* Power fails: of what was written since the last sync, the disk has any sectors; and the one that is being written, in part. */
static void cut_power(void) {
    const uint8_t *now = (const uint8_t *)keeper.store.header;
    crashed = malloc(SIZE);
    CHECK(crashed != NULL);
    for (size_t at = 0, step; at < SIZE; at += step) {
        step = at >= SECTOR && at < 3 * SECTOR ? sizeof(uint64_t) : SECTOR; /* the slots */
        memcpy(crashed + at, (check_below(&random_state, 2) ? now : disk) + at, step);
    }
}

int fdatasync(int fd) {
    const uint8_t *now = (const uint8_t *)keeper.store.header;
    CHECK(fd == keeper.fd && now != NULL);
    if (disk == NULL) disk = malloc(SIZE);
    CHECK(disk != NULL);
    if (until_cut > 0 && --until_cut == 0) cut_power();
    blocks_changed = memcmp(disk + sizeof(ea_store_header), now + sizeof(ea_store_header), SIZE - sizeof(ea_store_header)) != 0;
    memcpy(disk, now, SIZE);
    return 0;
}

/* Of more than one block. */
static const char *text_of(uint32_t round) {
    static char text[512];
    (void)snprintf(text, sizeof text, "%-500u", round);
    return text;
}

static void all_that_was_synced_is_there_after_a_power_cut(void) {
    enum { KEYS = 50 };
    for (uint64_t seed = 0; seed < 60; seed++) {
        uint32_t round, synced = 0;
        random_state = seed;
        begin();
        open_store(BOOT);
        until_cut = 1 + check_below(&random_state, 30); /* syncs later */
        for (round = 1; crashed == NULL; round++) {
            uint64_t version;
            for (uint32_t i = 0; i < KEYS && crashed == NULL; i++) put(i % 2 ? &user : &other, storage_name(i), text_of(round));
            uint32_t what = crashed == NULL ? check_below(&random_state, 20) : UINT32_MAX;
            if (what == 0) CHECK(ea_keeper_sync(&keeper, &version) == EA_KEEPER_OK);
            if (what == 1) abandon(), open_store(BOOT);
            if (what < 2 && crashed == NULL) synced = round;
        }
        memcpy(keeper.store.header, crashed, SIZE);
        free(crashed);
        crashed = NULL;
        abandon();
        open_store(NEXT_BOOT);
        CHECK(keeper.recovered);
        for (uint32_t i = 0; i < KEYS; i++) {
            bool found = synced == 0 && storage_has(&user, NULL, storage_name(i), NULL);
            /* A sync that a user waited for may have come later. */
            for (uint32_t r = synced == 0 ? 1 : synced; r <= round; r++)
                found = found || storage_has(&user, NULL, storage_name(i), text_of(r));
            CHECK(found);
        }
        for (uint32_t i = 0; i < 3000; i++) put(&user, storage_name(i % KEYS), "after");
        close_store();
        end();
    }
}

static void put_all(ea_store *store, uint32_t count, const char *value) {
    for (uint32_t i = 0; i < count; i++) put(store, storage_name(i), value);
}

static void all_have(uint32_t count, const char *value) {
    for (uint32_t i = 0; i < count; i++) CHECK(storage_has(&user, NULL, storage_name(i), value));
}

/* What was synced is replaced, and that is lost: so its blocks say that they were left to all. All else of them is right. */
static void what_one_power_cut_brought_back_outlives_the_next(void) {
    enum { KEYS = 50 };
    const uint8_t *boots[] = {NEXT_BOOT, BOOT, NEXT_BOOT};
    uint64_t version;
    begin();
    open_store(BOOT);
    put_all(&user, KEYS, "synced");
    CHECK(ea_keeper_sync(&keeper, &version) == EA_KEEPER_OK);
    for (int cut = 0; cut < 3; cut++) {
        /* Few of them at a time, which nobody leaves to all before they may be used again. */
        for (uint32_t turn = 0; turn < 8 * KEYS; turn++) put(&user, turn % 8 == 0 ? storage_name(turn / 8) : "another", "lost");
        ea_store_detach(&user);
        abandon();
        open_store(boots[cut]);
        CHECK(keeper.fell_back);
        all_have(KEYS, "synced");
    }
    close_store();
    end();
}

static void what_a_power_cut_brought_back_is_not_of_the_dead_who_had_replaced_it(void) {
    enum { KEYS = 50 };
    uint64_t version;
    uint32_t blocks;
    begin();
    open_store(BOOT);
    put_all(&user, KEYS, "synced");
    CHECK(ea_keeper_sync(&keeper, &version) == EA_KEEPER_OK);
    put_all(&other, KEYS, "lost");
    abandon();
    open_store(NEXT_BOOT);
    ea_store_forget(&other);
    CHECK(ea_keeper_mourn(&keeper, 2, &blocks) == EA_KEEPER_OK && blocks == 0);
    attach(&other, 2);
    for (uint32_t round = 0; round < 3000; round++) put(&other, "another", "value");
    all_have(KEYS, "synced");
    close_store();
    end();
}

/* The sectors reach the disk in any order: that all is well must be the last of them. */
static void a_store_is_not_called_closed_before_all_of_it_is_on_the_disk(void) {
    begin();
    for (uint32_t round = 0; round < 2; round++) {
        open_store(BOOT);
        CHECK(!keeper.recovered);
        for (uint32_t turn = 0; turn < 2000; turn++) put(&user, storage_name(turn % 50), "value");
        close_store();
        CHECK(!blocks_changed);
    }
    end();
}

int main(void) {
    static const check_test TESTS[] = {
        TEST(all_that_was_synced_is_there_after_a_power_cut),
        TEST(what_one_power_cut_brought_back_outlives_the_next),
        TEST(what_a_power_cut_brought_back_is_not_of_the_dead_who_had_replaced_it),
        TEST(a_store_is_not_called_closed_before_all_of_it_is_on_the_disk),
    };
    check_watch(120);
    int result = check_all(TESTS, sizeof TESTS / sizeof *TESTS);
    free(disk);
    return result;
}
