/* Which blocks are free, and when those that were replaced may be used again. */
#include <stdlib.h>

#include "store.h"

#ifndef EA_STORE_LAG /* the model has little time */
#define EA_STORE_LAG 64
#define EA_STORE_BATCH 32
#endif

enum {
    LAG = EA_STORE_LAG,     /* versions: a reader that takes no longer than so many commits is not disturbed */
    BATCH = EA_STORE_BATCH, /* never-used blocks that are taken at once */
    STASH = 4096,           /* blocks; what is more goes to all, here and below */
    LIMBO = 1 << 16,
    SHARE = 32, /* nor does a user keep more than one in so many of all blocks: others may wait for them */
};

static bool make_room(ea_list *list, uint64_t count) {
    if (list->first > 0) { /* the front was taken away */
        for (uint32_t i = list->first; i < list->count; i++) list->items[i - list->first] = list->items[i];
        list->count -= list->first;
        list->first = 0;
    }
    uint64_t room = list->room == 0 ? 64 : list->room;
    while (room < list->count + count) room *= 2;
    if (room == list->room) return true;
    ea_held *items = room > UINT32_MAX ? NULL : realloc(list->items, room * sizeof *items);
    if (items == NULL) return false;
    list->items = items;
    list->room = (uint32_t)room;
    return true;
}

bool ea_list_add(ea_list *list, ea_held item) {
    /* Half of it, that moving is rare. */
    if (list->count == list->room && !make_room(list, list->first > list->count / 2 ? 1 : list->first + 1)) return false;
    list->items[list->count++] = item;
    return true;
}

static uint32_t length(const ea_list *list) { return list->count - list->first; }

/* ---- stacks (R. K. Treiber, IBM RJ 5118, 1986; the tag against ABA) ---- */

static ea_a32 *below(ea_store *store, const ea_a64 *stack, uint32_t index) {
    ea_block *block = &store->blocks[index];
    return stack == &store->header->top ? &block->next : &block->below;
}

/* What the stack's word is then. If a host does not let us, it costs a block. */
static uint64_t push(ea_store *store, ea_a64 *stack, uint32_t index) {
    uint64_t top = ea_load(stack, EA_RELAXED), word = 0;
    ea_store(&store->blocks[index].state, EA_BLOCK_FREE, EA_RELAXED);
    for (int attempt = 0; attempt < EA_STORE_ATTEMPTS; attempt++) {
        ea_store(below(store, stack, index), (uint32_t)top, EA_RELAXED);
        word = ((top >> 32) + 1) << 32 | index;
        /* Release: whoever pops it sees its link and its stamp. */
        if (ea_cas(stack, &top, word, EA_RELEASE)) break;
    }
    return word;
}

/* 0: none, or memory that makes no sense. */
static uint32_t pop(ea_store *store, ea_a64 *stack) {
    for (int attempt = 0; attempt < EA_STORE_ATTEMPTS; attempt++) {
        /* Acquire: its link and stamp are those that were pushed with it. */
        uint64_t top = ea_load(stack, EA_ACQUIRE);
        uint32_t index = (uint32_t)top;
        if (!ea_block_is(store, index)) return 0;
        uint32_t next = ea_load(below(store, stack, index), EA_RELAXED);
        if (next != 0 && !ea_block_is(store, next)) next = 0; /* of another moment, or a lie: it costs blocks, no more */
        if (ea_cas(stack, &top, ((top >> 32) + 1) << 32 | next, EA_ACQUIRE)) return index;
    }
    return 0;
}

void ea_blocks_free(ea_store *store, uint32_t index) { (void)push(store, &store->header->top, index); }

uint64_t ea_blocks_leave(ea_store *store, uint32_t index, uint64_t retired) {
    ea_store(&store->blocks[index].stamp, (uint32_t)retired, EA_RELAXED);
    return push(store, &store->header->waiting, index);
}

void ea_blocks_free_waiting(ea_store *store) {
    uint32_t index;
    for (uint32_t i = 0; i < store->limit && (index = pop(store, &store->header->waiting)) != 0; i++) ea_blocks_free(store, index);
}

/* It is ours, and free. */
static bool stash(ea_store *store, uint32_t index) {
    ea_store(&store->blocks[index].state, store->state | EA_BLOCK_HELD, EA_RELAXED);
    return ea_list_add(&store->stash, (ea_held){.index = index});
}

/* ---- what waits ---- */

/* Find out up to which version nobody looks at a version, and what the disk has. */
static void look_around(ea_store *store, uint64_t lag) {
    uint64_t version = store->newest.commit.version;
    uint64_t bound = version > lag ? version - lag : 0;
    /* Sequentially consistent, as pinning is, also where another has raised it: either we see the pin below, or who
     * pins sees the horizon. */
    for (int attempt = 0; attempt < EA_STORE_ATTEMPTS; attempt++) {
        uint64_t horizon = ea_load(&store->header->horizon, EA_SEQ_CST);
        if (horizon >= bound || ea_cas(&store->header->horizon, &horizon, bound, EA_SEQ_CST)) break;
    }
    uint64_t pinned = ea_store_lowest_pin(store);
    if (pinned < bound) bound = pinned;
    if (bound > store->bound) store->bound = bound;
    /* After the pins: who syncs a version keeps it pinned until this says so. */
    store->durable = ea_load(&store->header->durable, EA_ACQUIRE);
}

/* Whether the disk can do without it: it has it no more, or has never had it. */
static bool is_off_disk(const ea_store *store, const ea_held *held) {
    return held->retired <= store->durable || held->came > store->durable;
}

/* What has waited long enough is free. */
static void ripen(ea_store *store) {
    for (ea_list *limbo = &store->limbo; length(limbo) > 0; limbo->first++) {
        ea_held *held = &limbo->items[limbo->first];
        if (held->retired > store->bound) break;
        if (is_off_disk(store, held) ? !stash(store, held->index) : !ea_list_add(&store->unsynced, *held)) return;
    }
    for (ea_list *unsynced = &store->unsynced; length(unsynced) > 0; unsynced->first++) {
        ea_held *held = &unsynced->items[unsynced->first];
        if (held->retired > store->bound || held->retired > store->durable || !stash(store, held->index)) return;
    }
}

static bool fresh(ea_store *store) {
    uint32_t from = ea_load(&store->header->fresh, EA_RELAXED), to;
    for (int attempt = 0;; attempt++) {
        uint32_t usable = ea_load(&store->header->usable, EA_ACQUIRE); /* who raised it had made the room */
        if (usable > store->limit) usable = store->limit;
        if (from < EA_HEADER_BLOCKS || from >= usable || attempt == EA_STORE_ATTEMPTS) return false;
        to = usable - from < BATCH ? usable : from + BATCH;
        if (ea_cas(&store->header->fresh, &from, to, EA_RELAXED)) break;
    }
    for (; from < to; from++)
        if (!stash(store, from)) return false;
    return true;
}

/* As no 2^31 versions are younger than what was retired and not used again. */
static uint64_t retired_by(const ea_store *store, uint32_t index) {
    uint64_t version = store->newest.commit.version;
    uint32_t age = (uint32_t)version - ea_load(&store->blocks[index].stamp, EA_RELAXED);
    return version - (uint64_t)(int64_t)(int32_t)age;
}

static uint32_t share(const ea_store *store, uint32_t most) { return store->limit / SHARE < most ? store->limit / SHARE : most; }

/* Look for so many among those that wait, and for as many as we may keep: the others are others'. What is ripe may lie below what
 * is not. There is no use in looking again before anything has moved, or somebody has left more. */
static void drain(ea_store *store, uint64_t count) {
    uint64_t ripe = store->bound < store->durable ? store->bound : store->durable;
    ea_list unripe = {0};
    uint32_t index;
    if (store->drained == ripe && store->left == ea_load(&store->header->waiting, EA_RELAXED)) return;
    for (uint32_t i = 0; i < store->limit && store->stash.count < count + share(store, STASH); i++) {
        if ((index = pop(store, &store->header->waiting)) == 0) {
            store->drained = ripe;
            break;
        }
        /* Ours, so that all are found again if we die now. */
        ea_store(&store->blocks[index].state, store->state | EA_BLOCK_RETIRED, EA_RELAXED);
        uint64_t retired = retired_by(store, index);
        if (retired <= ripe) {
            if (!stash(store, index)) break;
        } else if (!ea_list_add(&unripe, (ea_held){.index = index, .retired = retired})) {
            (void)ea_blocks_leave(store, index, retired);
            break;
        }
    }
    while (unripe.count > 0) {
        ea_held *held = &unripe.items[--unripe.count];
        store->left = ea_blocks_leave(store, held->index, held->retired);
    }
    free(unripe.items);
}

static ea_store_status none_left(ea_store *store, uint64_t missing) {
    bool waits = length(&store->unsynced) > 0 || (uint32_t)ea_load(&store->header->waiting, EA_RELAXED) != 0;
    bool syncs = waits && store->durable < store->newest.commit.version;
    bool grows = ea_load(&store->header->usable, EA_RELAXED) < store->limit;
    if (syncs && (!grows || length(&store->unsynced) >= missing)) return EA_STORE_WANTS_SYNC;
    return grows ? EA_STORE_WANTS_ROOM : EA_STORE_FULL;
}

static bool has(const ea_store *store, uint64_t count) { return store->stash.count >= count; }

ea_store_status ea_blocks_reserve(ea_store *store, uint64_t count) {
    uint32_t index;
    if (count > store->limit) return EA_STORE_FULL;
    if (store->taken.room < store->taken.count + count && !make_room(&store->taken, count)) return EA_STORE_NO_MEMORY;
    if (has(store, count)) return EA_STORE_OK;
    if (store->newest.commit.version >= store->bound + 2 * LAG) look_around(store, LAG);
    ripen(store);
    while (!has(store, count) && (index = pop(store, &store->header->top)) != 0)
        if (!stash(store, index)) return EA_STORE_NO_MEMORY;
    while (!has(store, count) && fresh(store)) {
    }
    if (has(store, count)) return EA_STORE_OK;
    ea_view view;
    ea_store_keys *keys = store->keys;
    (void)ea_store_look(store, &view); /* for a newer version; what is wrong with it, the commit will find */
    store->keys = keys;                /* what is being written goes on under them */
    look_around(store, 0);
    ripen(store);
    drain(store, count);
    return has(store, count) ? EA_STORE_OK : none_left(store, count - store->stash.count);
}

uint32_t ea_blocks_take(ea_store *store) {
    ea_held block = store->stash.items[--store->stash.count];
    store->taken.items[store->taken.count++] = block;
    return block.index;
}

void ea_blocks_untake(ea_store *store, uint32_t from) {
    while (store->taken.count > from) {
        ea_held block = store->taken.items[--store->taken.count];
        if (!ea_list_add(&store->stash, block)) ea_blocks_free(store, block.index);
    }
}

bool ea_blocks_replace(ea_store *store, uint32_t index) {
    ea_block *block = &store->blocks[index];
    ea_held held = {.index = index, .state = ea_load(&block->state, EA_RELAXED), .came = ea_block_came(block)};
    return ea_list_add(&store->replaced, held);
}

/* What waits goes to all, but for the newest `most`. */
static void leave(ea_store *store, ea_list *list, uint32_t most) {
    for (; length(list) > most; list->first++)
        (void)ea_blocks_leave(store, list->items[list->first].index, list->items[list->first].retired);
}

/* What is more goes to all. */
static void keep(ea_store *store, uint32_t free_ones, uint32_t retired) {
    leave(store, &store->limbo, retired);
    leave(store, &store->unsynced, retired);
    while (store->stash.count > free_ones) ea_blocks_free(store, store->stash.items[--store->stash.count].index);
}

void ea_blocks_retire(ea_store *store, uint64_t version) {
    for (uint32_t i = 0; i < store->replaced.count; i++) {
        ea_held *held = &store->replaced.items[i];
        held->retired = version;
        /* It was another's when it was in use. If that has died meanwhile, the keeper may have been quicker, and it is
         * no longer ours to write to. */
        if (!ea_cas(&store->blocks[held->index].state, &held->state, store->state | EA_BLOCK_RETIRED, EA_RELAXED)) continue;
        if (!ea_list_add(&store->limbo, *held)) (void)ea_blocks_leave(store, held->index, version);
    }
    store->replaced.count = 0;
    store->taken.count = 0;
    keep(store, share(store, STASH), share(store, LIMBO));
}

void ea_blocks_let_go(ea_store *store) {
    ea_blocks_untake(store, 0);
    keep(store, 0, 0);
}

void ea_blocks_forget(ea_store *store) {
    ea_list *lists[] = {&store->limbo, &store->unsynced, &store->stash, &store->taken, &store->replaced};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        free(lists[i]->items);
        *lists[i] = (ea_list){0};
    }
}
