#include "keeper.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "header.h"

enum { FIRST = EA_HEADER_BLOCKS, STEP = 4096 /* blocks: a mebibyte */ };

/* ---- opening ---- */

static ea_keeper_status read_fixed(ea_keeper *keeper, uint64_t size, ea_store_fixed *fixed) {
    if (pread(keeper->fd, fixed, sizeof *fixed, 0) != sizeof *fixed || memcmp(fixed->magic, EA_STORE_MAGIC, sizeof fixed->magic - 1) != 0)
        return EA_KEEPER_FOREIGN;
    if (fixed->magic[7] != EA_STORE_MAGIC[7] || fixed->block_size != EA_BLOCK) return EA_KEEPER_VERSION;
    if (!ea_header_is_right(fixed) || fixed->limit <= FIRST + 1 || fixed->limit > EA_REF_INDEX)
        return EA_KEEPER_CORRUPT;
    return size < (uint64_t)fixed->limit * EA_BLOCK ? EA_KEEPER_SHORT : EA_KEEPER_OK;
}

static bool flush(ea_keeper *keeper) { return !keeper->lasts || fdatasync(keeper->fd) == 0; }

/* Free is what the newest version cannot reach. Not before that version is what the disk has. Where never-used blocks begin is what
 * somebody says: as far as it can be, it is believed. */
static void sweep(ea_store *store, const ea_reach *reach, uint32_t fresh) {
    ea_store_header *header = store->header;
    uint32_t usable = ea_load(&header->usable, EA_RELAXED);
    if (fresh <= reach->highest || fresh > usable || fresh > store->limit) fresh = reach->highest + 1;
    ea_store(&header->top, 0, EA_RELAXED);
    ea_store(&header->waiting, 0, EA_RELAXED);
    for (uint32_t block = fresh; block-- > FIRST;)
        if (!ea_reach_has(reach, block)) ea_blocks_free(store, block);
    ea_store(&header->fresh, fresh, EA_RELAXED);
}

/* The blocks of a version that the power cut brought back may have been retired since, and left to all: so they say. They are in
 * use, and came with that version or before. */
static void bring_back(ea_store *store, const ea_reach *reach, uint64_t version) {
    for (uint32_t index = FIRST; index <= reach->highest; index++) {
        ea_block *block = &store->blocks[index];
        if (!ea_reach_has(reach, index) || ((ea_load(&block->state, EA_RELAXED) & 15) == EA_BLOCK_HELD && ea_block_came(block) <= version)) continue;
        ea_store(&block->state, store->state | EA_BLOCK_HELD, EA_RELAXED);
        ea_block_comes(block, version);
    }
}

/* Nobody closed it: which version holds, and what is free? */
static ea_keeper_status recover(ea_keeper *keeper, bool rebooted) {
    ea_store *store = &keeper->store;
    ea_store_header *header = store->header;
    uint32_t fresh = ea_load(&header->fresh, EA_RELAXED);
    if (rebooted) {
        int newer = ea_header_newer_slot(header);
        store->culprit = 0;
        if (newer < 0) return EA_KEEPER_CORRUPT;
        const ea_store_slot *slot = &header->slots[newer].slot;
        uint64_t word = slot->version << 32 | slot->commit;
        keeper->fell_back = word != ea_load(&header->root, EA_RELAXED);
        fresh = slot->fresh;
        ea_store(&header->root, word, EA_RELAXED);
        ea_store(&header->durable, slot->version, EA_RELAXED);
    }
    ea_reach reach;
    ea_view view;
    uint64_t version;
    ea_store(&header->horizon, 0, EA_RELAXED);
    if (ea_store_look(store, &view) != EA_STORE_OK || ea_reach_mark(store, &reach, (uint32_t)view.word) != EA_STORE_OK)
        return EA_KEEPER_CORRUPT;
    if (rebooted) bring_back(store, &reach, view.commit.version);
    ea_keeper_status status = ea_keeper_sync(keeper, &version);
    if (status == EA_KEEPER_OK) sweep(store, &reach, fresh);
    ea_reach_free(&reach);
    keeper->recovered = true;
    return status;
}

static ea_keeper_status open_mapped(ea_keeper *keeper, const uint8_t *boot) {
    ea_store_header *header = keeper->store.header;
    uint32_t usable = ea_load(&header->usable, EA_RELAXED), dirty = ea_load(&header->dirty, EA_RELAXED);
    bool rebooted = boot != NULL && memcmp(header->boot, boot, sizeof header->boot) != 0;
    uint64_t version;
    ea_view view;
    keeper->store.culprit = 0;
    if (usable <= FIRST || usable > keeper->store.limit) return EA_KEEPER_CORRUPT;
    if (!ea_store_make_room(keeper->fd, keeper->store.limit, usable)) return EA_KEEPER_SYSTEM;
    for (int pin = 0; pin < EA_PINS; pin++) ea_store(&header->pins[pin], 0, EA_RELAXED);
    header->keeper = (uint32_t)getpid();
    ea_keeper_status status = dirty != 0 ? recover(keeper, rebooted) : EA_KEEPER_OK;
    if (status != EA_KEEPER_OK) return status;
    if (ea_store_look(&keeper->store, &view) != EA_STORE_OK) return EA_KEEPER_CORRUPT;
    /* It may have been a store that need not last, whose slots are old; or have become one, which waits for no sync. */
    if (boot == NULL) ea_store(&header->durable, UINT64_MAX, EA_RELAXED);
    else if (ea_load(&header->durable, EA_RELAXED) != view.commit.version) status = ea_keeper_sync(keeper, &version);
    if (status != EA_KEEPER_OK) return status;
    /* On the disk before anything else is: the root word must not be believed after a power cut. */
    if (boot != NULL) memcpy(header->boot, boot, sizeof header->boot);
    ea_store(&header->dirty, 1, EA_RELAXED);
    return flush(keeper) ? EA_KEEPER_OK : EA_KEEPER_SYSTEM;
}

static ea_keeper_status open_locked(ea_keeper *keeper, const ea_store_shape *shape, const uint8_t *boot) {
    struct stat stat;
    ea_store_fixed fixed;
    if (fstat(keeper->fd, &stat) != 0) return EA_KEEPER_SYSTEM;
    ea_keeper_status status = read_fixed(keeper, (uint64_t)stat.st_size, &fixed);
    if (status != EA_KEEPER_OK) return status;
    if (fixed.limit < shape->limit) fixed.limit = shape->limit;
    if (!ea_store_make_room(keeper->fd, fixed.limit, FIRST + 1)) return EA_KEEPER_SYSTEM; /* before the header says so */
    keeper->size = (size_t)fixed.limit * EA_BLOCK;
    void *base = mmap(NULL, keeper->size, PROT_READ | PROT_WRITE, MAP_SHARED, keeper->fd, 0);
    if (base == MAP_FAILED) return EA_KEEPER_SYSTEM;
    keeper->store = (ea_store){.header = base,
                               .blocks = base,
                               .limit = fixed.limit,
                               .state = EA_KEEPER_OWNER << 4,
                               .sealed = fixed.encryption != 0,
                               .newest.pin = -1};
    ea_header_fix(keeper->store.header, &fixed);
    return open_mapped(keeper, boot);
}

ea_keeper_status ea_keeper_open(ea_keeper *keeper, int fd, const ea_store_shape *shape, const uint8_t boot[16]) {
    *keeper = (ea_keeper){.fd = fd, .lasts = boot != NULL};
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return EA_KEEPER_SYSTEM;
        if (pread(fd, &keeper->other, sizeof keeper->other, offsetof(ea_store_header, keeper)) < 0) keeper->other = 0;
        return EA_KEEPER_IN_USE;
    }
    ea_keeper_status status = open_locked(keeper, shape, boot);
    int error = errno;
    if (status != EA_KEEPER_OK) (void)ea_keeper_close(keeper, false);
    errno = error;
    return status;
}

/* ---- while it is open ---- */

bool ea_keeper_wants_room(const ea_keeper *keeper) {
    const ea_store_header *header = keeper->store.header;
    uint32_t usable = ea_load(&header->usable, EA_RELAXED), fresh = ea_load(&header->fresh, EA_RELAXED);
    return usable < keeper->store.limit && fresh > usable - usable / 4;
}

ea_keeper_status ea_keeper_grow(ea_keeper *keeper) {
    ea_store_header *header = keeper->store.header;
    uint32_t usable = ea_load(&header->usable, EA_RELAXED), limit = keeper->store.limit;
    uint32_t step = usable / 2 < STEP ? STEP : usable / 2;
    if (usable >= limit) return EA_KEEPER_OK;
    usable = limit - usable < step ? limit : usable + step;
    if (!ea_store_make_room(keeper->fd, limit, usable)) return EA_KEEPER_SYSTEM;
    ea_store(&header->usable, usable, EA_RELEASE); /* the room is there before it is used */
    return EA_KEEPER_OK;
}

/* Nobody comes back to a version that was under an older key. */
static void drop_keys(ea_store_header *header, uint32_t number) {
    for (int i = 0; i < EA_KEY_SLOTS; i++)
        if (header->keys[i].state == 1 && header->keys[i].key_id < number) header->keys[i] = (ea_key_slot){0};
}

ea_keeper_status ea_keeper_sync(ea_keeper *keeper, uint64_t *version) {
    ea_store *store = &keeper->store;
    ea_store_header *header = store->header;
    ea_view view;
    if (ea_store_pin(store, &view) != EA_STORE_OK) return EA_KEEPER_CORRUPT;
    *version = view.commit.version;
    if (!keeper->lasts) {
        drop_keys(header, view.commit.key_id);
        ea_store_unpin(store, &view);
        return EA_KEEPER_OK;
    }
    uint32_t fresh = ea_load(&header->fresh, EA_ACQUIRE); /* after the root: none of its blocks is above */
    int newer = ea_header_newer_slot(header);
    bool ok = fdatasync(keeper->fd) == 0;
    if (ok && (newer < 0 || header->slots[newer].slot.version < view.commit.version)) {
        ea_header_write_slot(header, newer == 0, view.commit.version, (uint32_t)view.word, fresh);
        ok = fdatasync(keeper->fd) == 0;
    }
    /* Release: the slot is written before what only the older one needed is used again. */
    if (ok) ea_store(&header->durable, view.commit.version, EA_RELEASE);
    if (ok) drop_keys(header, view.commit.key_id);
    ea_store_unpin(store, &view);
    return ok ? EA_KEEPER_OK : EA_KEEPER_SYSTEM;
}

ea_keeper_status ea_keeper_mourn(ea_keeper *keeper, uint32_t owner, uint32_t *blocks) {
    ea_store *store = &keeper->store;
    ea_reach reach;
    ea_view view;
    *blocks = 0;
    ea_store_drop_pins(store, owner);
    if (ea_store_pin(store, &view) != EA_STORE_OK) return EA_KEEPER_CORRUPT;
    bool ok = ea_reach_mark(store, &reach, (uint32_t)view.word) == EA_STORE_OK;
    uint32_t fresh = ok ? ea_load(&store->header->fresh, EA_RELAXED) : 0;
    for (uint32_t block = FIRST; block < fresh && block < store->limit; block++) {
        uint32_t state = ea_load(&store->blocks[block].state, EA_RELAXED);
        bool retired = (state & 15) == EA_BLOCK_RETIRED;
        if (ea_owner_of(state) != owner || (state & 15) == EA_BLOCK_FREE || (!retired && ea_reach_has(&reach, block))) continue;
        /* Somebody may have replaced it, and be about to note that: only one of us has it then. */
        if (!ea_cas(&store->blocks[block].state, &state, store->state | EA_BLOCK_RETIRED, EA_RELAXED)) continue;
        /* When it was retired only its owner knew; who has read what was never reached, nobody: it is as if retired now. */
        (void)ea_blocks_leave(store, block, view.commit.version);
        ++*blocks;
    }
    if (ok) ea_reach_free(&reach);
    ea_store_unpin(store, &view);
    keeper->mourned = true;
    return ok ? EA_KEEPER_OK : EA_KEEPER_CORRUPT;
}

/* Nobody looks at any version any more. Who was killed has left blocks that nobody knows of. */
static ea_keeper_status free_all(ea_keeper *keeper) {
    ea_store *store = &keeper->store;
    ea_reach reach;
    ea_view view;
    if (!keeper->mourned) {
        ea_blocks_free_waiting(store);
        return EA_KEEPER_OK;
    }
    if (ea_store_look(store, &view) != EA_STORE_OK || ea_reach_mark(store, &reach, (uint32_t)view.word) != EA_STORE_OK)
        return EA_KEEPER_CORRUPT;
    sweep(store, &reach, ea_load(&store->header->fresh, EA_RELAXED));
    ea_reach_free(&reach);
    return EA_KEEPER_OK;
}

static ea_keeper_status finish(ea_keeper *keeper) {
    ea_store_header *header = keeper->store.header;
    uint64_t version;
    ea_keeper_status status = ea_keeper_sync(keeper, &version);
    /* Not before: what waits may be part of what the disk has. */
    if (status == EA_KEEPER_OK) status = free_all(keeper);
    if (status != EA_KEEPER_OK) return status;
    /* Only when that is on the disk: the free blocks must be right as they stand. */
    if (!flush(keeper)) return EA_KEEPER_SYSTEM;
    header->keeper = 0;
    ea_store(&header->dirty, 0, EA_RELAXED);
    return flush(keeper) ? EA_KEEPER_OK : EA_KEEPER_SYSTEM;
}

ea_keeper_status ea_keeper_close(ea_keeper *keeper, bool ok) {
    ea_store_header *header = keeper->store.header;
    ea_keeper_status status = header != NULL && ok ? finish(keeper) : EA_KEEPER_OK;
    if (header != NULL) (void)munmap(header, keeper->size);
    (void)flock(keeper->fd, LOCK_UN);
    keeper->store.header = NULL;
    return status;
}
