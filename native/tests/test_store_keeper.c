/* The host's part of a store; each name says what must hold. The tests make files in /dev/shm, which never wait for a disk. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "storage.h"

enum { LIMIT = 1 << 13, USABLE = 1024, SIZE = LIMIT * EA_BLOCK, SECTOR = 512 };

static const uint8_t BOOT[16] = {1}, NEXT_BOOT[16] = {2};
static char path[64];
static ea_keeper keeper;
static ea_store user, other;
static uint8_t *disk, *crashed;          /* what it has; and had when power failed */
static uint64_t random_state;
static uint32_t until_cut;               /* 0: power does not fail */
static bool blocks_changed;              /* by what the last sync wrote */

static ea_store_shape shape_of(bool lasts) { return (ea_store_shape){.limit = LIMIT, .usable = USABLE, .lasts = lasts}; }

static ea_keeper_status try_open(const uint8_t *boot) {
    bool created;
    ea_store_shape shape = shape_of(boot != NULL);
    int fd = ea_store_file(path, &shape, &created);
    CHECK(fd >= 0);
    ea_keeper_status status = ea_keeper_open(&keeper, fd, &shape, boot);
    if (status != EA_KEEPER_OK) (void)close(fd);
    return status;
}

static void attach(ea_store *store, uint32_t owner) {
    CHECK(ea_store_attach(store, keeper.store.header, LIMIT, owner, NULL, false) == EA_STORE_OK);
}

static void open_store(const uint8_t *boot) {
    CHECK(try_open(boot) == EA_KEEPER_OK);
    attach(&user, 1);
    attach(&other, 2);
}

static storage memory(void) { return (storage){.base = (uint8_t *)keeper.store.header, .limit = LIMIT}; }

static void detach(void) {
    storage whole = memory();
    ea_store_detach(&user);
    ea_store_detach(&other);
    CHECK(storage_lost(&whole) == 0);
}

static void close_store(void) {
    detach();
    CHECK(ea_keeper_close(&keeper, true) == EA_KEEPER_OK);
    (void)close(keeper.fd);
}

/* As if all were killed. */
static void abandon(void) {
    storage_forget(&user);
    storage_forget(&other);
    (void)ea_keeper_close(&keeper, false);
    (void)close(keeper.fd);
}

static void begin(void) {
    (void)snprintf(path, sizeof path, "/dev/shm/eactors-test-store-%d", (int)getpid());
    (void)unlink(path);
}

static void end(void) { CHECK(unlink(path) == 0); }

static const char *name_of(uint32_t number) {
    static char name[16];
    (void)snprintf(name, sizeof name, "key %u", number);
    return name;
}

/* As a user does who has a keeper: asks it for what is wanted, and tries again. */
static uint32_t rooms, syncs;

static void put(ea_store *store, const char *key, const char *value) {
    ea_store_status status;
    uint64_t version;
    while ((status = storage_put(store, key, value)) != EA_STORE_OK) {
        CHECK(status == EA_STORE_WANTS_ROOM || status == EA_STORE_WANTS_SYNC);
        rooms += status == EA_STORE_WANTS_ROOM;
        syncs += status == EA_STORE_WANTS_SYNC;
        CHECK((status == EA_STORE_WANTS_ROOM ? ea_keeper_grow(&keeper) : ea_keeper_sync(&keeper, &version)) == EA_KEEPER_OK);
    }
}

/* --- opening --- */

static void what_was_put_is_there_after_closing(void) {
    for (int lasts = 0; lasts < 2; lasts++) {
        const uint8_t *boot = lasts ? BOOT : NULL;
        begin();
        for (uint32_t round = 0; round < 4; round++) {
            open_store(boot);
            CHECK(!keeper.recovered && !keeper.fell_back);
            for (uint32_t i = 0; i < round * 100; i++) CHECK(storage_has(&user, NULL, name_of(i), "value"));
            for (uint32_t i = 0; i < 100; i++) put(&user, name_of(round * 100 + i), "value");
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
        for (uint32_t i = 0; i < round * 100; i++) CHECK(storage_has(&user, NULL, name_of(i), "value"));
        for (uint32_t i = 0; i < 100; i++) put(&user, name_of(round * 100 + i), "value");
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

/* --- what the disk has --- */

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
            for (uint32_t i = 0; i < KEYS && crashed == NULL; i++) put(i % 2 ? &user : &other, name_of(i), text_of(round));
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
            bool found = synced == 0 && storage_has(&user, NULL, name_of(i), NULL);
            /* A sync that a user waited for may have come later. */
            for (uint32_t r = synced == 0 ? 1 : synced; r <= round; r++)
                found = found || storage_has(&user, NULL, name_of(i), text_of(r));
            CHECK(found);
        }
        for (uint32_t i = 0; i < 3000; i++) put(&user, name_of(i % KEYS), "after");
        close_store();
        end();
    }
}

/* The sectors reach the disk in any order: that all is well must be the last of them. */
static void a_store_is_not_called_closed_before_all_of_it_is_on_the_disk(void) {
    begin();
    for (uint32_t round = 0; round < 2; round++) {
        open_store(BOOT);
        CHECK(!keeper.recovered);
        for (uint32_t turn = 0; turn < 2000; turn++) put(&user, name_of(turn % 50), "value");
        close_store();
        CHECK(!blocks_changed);
    }
    end();
}

/* It is as much a store as before, wherever the file is moved. */
static void a_store_that_did_not_last_lasts_from_then_on(void) {
    begin();
    open_store(NULL);
    for (uint32_t turn = 0; turn < 500; turn++) put(&user, name_of(turn % 50), "value");
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
    for (uint32_t turn = 0; turn < 20000; turn++) put(&user, name_of(turn % 50), "value");
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
            put(&user, name_of(key), "value");
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
    for (uint32_t turn = 0; turn < 3000; turn++) put(&user, name_of(turn), "value");
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
        for (uint32_t turn = 0; turn < 1000; turn++) put(turn % 2 ? &user : &other, name_of(turn % 60), "value");
        CHECK(ea_store_pin(&other, &kept) == EA_STORE_OK);
        storage_forget(&other);
        CHECK(ea_keeper_mourn(&keeper, 2, &blocks) == EA_KEEPER_OK && blocks > 0);
        CHECK(ea_store_lowest_pin(&user) == UINT64_MAX);
        for (uint32_t turn = 0; turn < 1000; turn++) put(&user, name_of(turn % 60), "value");
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
    for (uint32_t i = 0; i < 60; i++) put(i % 2 ? &user : &other, name_of(i), "old");
    CHECK(ea_store_pin(&user, &kept) == EA_STORE_OK);
    for (uint32_t i = 0; i < 60; i++) put(&other, name_of(i), "new");
    storage_forget(&other);
    CHECK(ea_keeper_mourn(&keeper, 2, &blocks) == EA_KEEPER_OK && blocks > 0);
    for (uint32_t turn = 0; turn < 1000; turn++) put(&user, name_of(turn % 60), "newer");
    for (uint32_t i = 0; i < 60; i++) CHECK(storage_has(&user, &kept, name_of(i), "old"));
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
    storage_forget(&other);
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

int main(void) {
    static const check_test TESTS[] = {
        TEST(what_was_put_is_there_after_closing),
        TEST(what_was_put_is_there_though_nobody_closed_it),
        TEST(one_store_has_one_keeper),
        TEST(what_is_no_store_is_refused),
        TEST(all_that_was_synced_is_there_after_a_power_cut),
        TEST(a_store_is_not_called_closed_before_all_of_it_is_on_the_disk),
        TEST(a_store_that_did_not_last_lasts_from_then_on),
        TEST(a_store_grows_up_to_its_limit_and_then_waits_for_syncs),
        TEST(a_user_waits_for_room_if_nobody_makes_it_before),
        TEST(what_a_dead_user_held_is_given_back_while_others_go_on),
        TEST(what_the_dead_have_replaced_is_still_read),
        TEST(what_was_lost_is_found_at_closing),
    };
    check_watch(120);
    int result = check_all(TESTS, sizeof TESTS / sizeof *TESTS);
    free(disk);
    return result;
}
