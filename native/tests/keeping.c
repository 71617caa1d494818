#include "keeping.h"

#include <string.h>

#include "check.h"

const uint8_t BOOT[16] = {1}, NEXT_BOOT[16] = {2};
char path[64];
ea_keeper keeper;
ea_store user, other;
uint32_t rooms, syncs;

static ea_store_shape shape_of(bool lasts) { return (ea_store_shape){.limit = LIMIT, .usable = USABLE, .lasts = lasts}; }

ea_keeper_status try_open(const uint8_t *boot) {
    bool created;
    ea_store_shape shape = shape_of(boot != NULL);
    int fd = ea_store_file(path, &shape, &created);
    CHECK(fd >= 0);
    ea_keeper_status status = ea_keeper_open(&keeper, fd, &shape, boot);
    if (status != EA_KEEPER_OK) (void)close(fd);
    return status;
}

void attach(ea_store *store, uint32_t owner) {
    CHECK(ea_store_attach(store, keeper.store.header, LIMIT, owner, NULL, false) == EA_STORE_OK);
}

void open_store(const uint8_t *boot) {
    CHECK(try_open(boot) == EA_KEEPER_OK);
    attach(&user, 1);
    attach(&other, 2);
}

storage memory(void) { return (storage){.base = (uint8_t *)keeper.store.header, .limit = LIMIT}; }

static void detach(void) {
    storage whole = memory();
    ea_store_detach(&user);
    ea_store_detach(&other);
    CHECK(storage_lost(&whole) == 0);
}

void close_store(void) {
    detach();
    CHECK(ea_keeper_close(&keeper, true) == EA_KEEPER_OK);
    (void)close(keeper.fd);
}

void abandon(void) {
    ea_store_forget(&user);
    ea_store_forget(&other);
    (void)ea_keeper_close(&keeper, false);
    (void)close(keeper.fd);
}

void begin(void) {
    (void)snprintf(path, sizeof path, "/dev/shm/eactors-test-store-%d", (int)getpid());
    (void)unlink(path);
}

void end(void) { CHECK(unlink(path) == 0); }

void put(ea_store *store, const char *key, const char *value) {
    ea_store_status status;
    uint64_t version;
    while ((status = storage_put(store, key, value)) != EA_STORE_OK) {
        CHECK(status == EA_STORE_WANTS_ROOM || status == EA_STORE_WANTS_SYNC);
        rooms += status == EA_STORE_WANTS_ROOM;
        syncs += status == EA_STORE_WANTS_SYNC;
        CHECK((status == EA_STORE_WANTS_ROOM ? ea_keeper_grow(&keeper) : ea_keeper_sync(&keeper, &version)) == EA_KEEPER_OK);
    }
}
