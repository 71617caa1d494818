/* A store, as one process sees it: what is private, and above all the bounds of what is shared.
 *
 * Everything that comes from shared memory is read once, checked, then used. A hostile host can
 * make keys absent and operations fail; it cannot make them run away: every loop is bounded
 * by the number of levels, of blocks, or of attempts.
 */
#ifndef EA_STORE_H
#define EA_STORE_H

#include <stddef.h>

#include "format.h"
#include "seal.h"

typedef enum {
    EA_STORE_OK = 0,
    EA_STORE_ABSENT,      /* no such key */
    EA_STORE_DIFFERENT,   /* the value is not what it was expected to be */
    EA_STORE_RACED,       /* another commit was first; never given to users */
    EA_STORE_BUSY,        /* gave up after EA_STORE_ATTEMPTS races, or all pins are taken */
    EA_STORE_FULL,        /* no block is free, and the store is as large as it may be */
    EA_STORE_WANTS_ROOM,  /* no block is free before the keeper makes room */
    EA_STORE_WANTS_SYNC,  /* no block is free before the keeper has synced */
    EA_STORE_CORRUPT,     /* shared memory holds what no honest process writes */
    EA_STORE_FORGED,      /* what was read is not authentic */
    EA_STORE_NO_KEY,      /* the key of this version cannot be had */
    EA_STORE_ROLLED_BACK, /* an older version than one that was seen */
    EA_STORE_OVERFLOW,    /* a counter would be larger than 64 bits */
    EA_STORE_NO_MEMORY,
} ea_store_status;

enum {
    EA_STORE_ATTEMPTS = 1 << 16,
    EA_KEPT_KEYS = 4, /* of the last rotations: a version that is kept longer cannot be read any more */
    EA_STORE_SPARE = EA_LEVELS / 2, /* blocks that nothing is written without: a full store must be emptied somehow */
};

/* One version of the store. */
typedef struct {
    ea_commit commit;
    uint64_t word; /* the root word that led there */
    int pin;       /* its number; -1: not pinned */
} ea_view;

/* A growing list of blocks. */
typedef struct {
    uint64_t came;    /* the version that it came with */
    uint64_t retired; /* the version that retired it */
    uint32_t index;
    uint32_t state; /* that it had when it was in use */
} ea_held;

typedef struct {
    ea_held *items;
    uint32_t first, count, room; /* those from `first` to `count` are in it */
} ea_list;

/* Where the keys of an encrypted store come from: those of a number, which are the store's then, or NULL. */
typedef struct {
    ea_store_keys *(*fetch)(void *context, uint32_t number);
    void *context;
} ea_key_source;

typedef struct {
    uint32_t number;
    ea_store_keys *keys;
} ea_kept_keys;

typedef struct {
    ea_store_header *header;
    ea_block *blocks; /* the same memory */
    uint32_t limit;   /* blocks that are mapped: bounds every index */
    uint32_t state;   /* of blocks of ours, but for what they are */
    uint8_t id[16], seed[16];
    bool sealed;          /* whether it is encrypted */
    ea_key_source source; /* without fetch for the keeper, who reads no record, and where it is not encrypted */
    ea_kept_keys kept[EA_KEPT_KEYS]; /* the newest version's first */
    ea_store_keys *keys;  /* of the version that is read or written now; NULL where there is no source */
    uint32_t written;     /* the number of the keys that the records in `taken` are under */
    bool detects;
    ea_view newest;     /* that was seen */
    ea_history history; /* of it, if the store detects */
    uint64_t bound;     /* nobody looks at what versions up to it have retired */
    uint64_t durable;   /* what the disk has */
    uint64_t drained;   /* the lower of both, when all that wait were looked through */
    uint64_t left;      /* the word of their stack then; 0: none was left */
    uint32_t culprit;   /* the block in which something was wrong */
    ea_list stash;      /* free blocks of ours */
    ea_list limbo;      /* retired by us, perhaps still read by others; in the order of versions, as the next */
    ea_list unsynced;   /* the same, and perhaps part of what the disk has */
    ea_list taken;      /* being filled, and not yet reachable */
    ea_list replaced;   /* what the commit under way retires */
    uint8_t *scratch;   /* private memory for what is sealed or opened */
    size_t scratch_size;
    struct ea_draft *draft;
} ea_store;

/* A record, found and not yet read. */
typedef struct {
    ea_ref ref;
    uint64_t tag;
    ea_record_head head;
} ea_found;

/* What is to be changed under one key. */
typedef struct {
    const uint8_t *key, *value; /* value NULL: the key is deleted */
    uint32_t key_size, value_size;
    uint8_t hash[EA_HASH];
    ea_ref ref; /* of the record that was written for it */
    uint64_t tag;
    uint32_t blocks;
} ea_change;

/* Whose a block is that is in this state. */
static inline uint32_t ea_owner_of(uint32_t state) { return state >> 4 & 0xfff; }
static inline bool ea_block_is(const ea_store *store, uint32_t index) {
    return index >= EA_HEADER_BLOCKS && index < store->limit;
}
/* The version that a block came with which is in use. */
static inline uint64_t ea_block_came(const ea_block *block) {
    return (uint64_t)ea_load(&block->below, EA_RELAXED) << 32 | ea_load(&block->stamp, EA_RELAXED);
}
static inline void ea_block_comes(ea_block *block, uint64_t version) {
    ea_store(&block->stamp, (uint32_t)version, EA_RELAXED);
    ea_store(&block->below, (uint32_t)(version >> 32), EA_RELAXED);
}
/* Acquire, for the reader: should a word be of a later use of its block, the horizon is seen that
 * allowed it. Release, for the writer, is the other half. */
static inline void ea_words_in(uint64_t *to, const ea_a64 *from, unsigned count) {
    for (unsigned i = 0; i < count; i++) to[i] = ea_load(&from[i], EA_ACQUIRE);
}
static inline void ea_words_out(ea_a64 *to, const uint64_t *from, unsigned count) {
    for (unsigned i = 0; i < count; i++) ea_store(&to[i], from[i], EA_RELEASE);
}
/* Private memory that lasts until the next call. */
uint8_t *ea_store_scratch(ea_store *store, size_t size);

/* Attach to a store that the keeper has opened. `base` has room for `limit` blocks. `source`: NULL if it is not
 * encrypted. EA_STORE_CORRUPT unless the header says what was expected. */
ea_store_status ea_store_attach(ea_store *store, void *base, uint32_t limit, uint32_t owner, const ea_key_source *source, bool detects);
/* Give back all that it holds. */
void ea_store_detach(ea_store *store);
/* Its private memory alone: what it holds is another's, or the keeper's to mourn. */
void ea_store_forget(ea_store *store);

/* ---- keys (keyring.c) ---- */
/* From now on what is read and written is under the newest version's keys; or under those of a view that is kept. */
static inline void ea_keyring_newest(ea_store *store) { store->keys = store->kept[0].keys; }
ea_store_status ea_keyring_of(ea_store *store, const ea_view *view);
/* The keys of the newest version, which are the store's then. */
void ea_keyring_keep(ea_store *store, uint32_t number, ea_store_keys *keys);
void ea_keyring_forget(ea_store *store);

/* ---- views (view.c) ---- */
/* The newest version, and its keys. */
ea_store_status ea_store_look(ea_store *store, ea_view *view);
/* What was read of the view, and is this: it was of another version unless the view still holds. */
ea_store_status ea_store_judge(const ea_store *store, const ea_view *view, ea_store_status status);
ea_store_status ea_store_pin(ea_store *store, ea_view *view);
void ea_store_unpin(ea_store *store, ea_view *view);
/* The pins of an owner who has died; or the lowest version that is pinned, all ones if none is. */
void ea_store_drop_pins(ea_store *store, uint32_t owner);
uint64_t ea_store_lowest_pin(const ea_store *store);

/* ---- the trie, read (find.c) ---- */
typedef struct {
    ea_ref refs[EA_FANOUT];
    uint64_t tags[EA_FANOUT];
} ea_branch;

static inline unsigned ea_nibble(const uint8_t hash[EA_HASH], unsigned level) {
    return level & 1 ? hash[level / 2] >> 4 : hash[level / 2] & 15;
}
bool ea_store_hash(ea_store *store, const uint8_t *key, size_t size, uint8_t hash[EA_HASH]);
/* A private copy, authentic if the store detects. */
ea_store_status ea_store_branch(ea_store *store, ea_ref ref, unsigned level, uint64_t tag, ea_branch *branch);
ea_store_status ea_store_find(ea_store *store, const ea_view *view, const uint8_t hash[EA_HASH], ea_found *found);

/* ---- records (record.c) ---- */
uint64_t ea_record_blocks(const ea_store *store, uint64_t key_size, uint64_t value_size);
/* The head, which says no more than the format allows. */
ea_store_status ea_record_look(ea_store *store, ea_found *found);
/* Where the store detects: whether the head is authentic, as only the whole record can tell. */
ea_store_status ea_record_prove(ea_store *store, const ea_found *found);
/* `key` and `value` have room for what the head says; EA_STORE_FORGED if they are not authentic. */
ea_store_status ea_record_read(ea_store *store, const ea_found *found, uint8_t *key, uint8_t *value);
/* Into new blocks, which are then in store->taken. */
ea_store_status ea_record_write(ea_store *store, ea_change *change);
/* Its blocks, to be replaced by the commit under way. */
ea_store_status ea_record_replace(ea_store *store, const ea_found *found);

/* ---- blocks (blocks.c) ---- */
bool ea_list_add(ea_list *list, ea_held item);
/* See to it that the stash has so many, and `taken` room for them. */
ea_store_status ea_blocks_reserve(ea_store *store, uint64_t count);
/* One of the stash, which has it. */
uint32_t ea_blocks_take(ea_store *store);
/* What was taken since `taken` had `from` goes back to the stash. */
void ea_blocks_untake(ea_store *store, uint32_t from);
/* Note a block that the commit under way replaces. */
bool ea_blocks_replace(ea_store *store, uint32_t index);
/* The commit is there: what it replaced retires. */
void ea_blocks_retire(ea_store *store, uint64_t version);
/* Everything that is held goes to all. */
void ea_blocks_let_go(ea_store *store);
/* The private memory of all lists. */
void ea_blocks_forget(ea_store *store);
/* Give a block to all: a free one; or one that was retired by a version (what the word of their stack is then). */
void ea_blocks_free(ea_store *store, uint32_t index);
uint64_t ea_blocks_leave(ea_store *store, uint32_t index, uint64_t retired);
/* All that waits is free: nobody looks at any version, and the newest is what the disk has. */
void ea_blocks_free_waiting(ea_store *store);

/* ---- commits (commit.c) ---- */
struct ea_draft *ea_draft_new(void);
void ea_draft_free(struct ea_draft *draft);
/* Apply the changes to the version of the view, and retire what is in store->replaced, too. Sorted or not, no two of one key.
 * EA_STORE_RACED if it is no longer the newest. */
ea_store_status ea_store_commit_to(ea_store *store, const ea_view *view, ea_change *changes, size_t count);
/* Make the commit, whose block is reserved, the newest version, in place of that of the view; if it is not to be, what was taken
 * since `taken` had `from` goes back. `mark`: 8 random bytes if the counter is to be advanced to it; or NULL. */
ea_store_status ea_commit_publish(ea_store *store, const ea_view *view, const ea_commit *commit, const uint8_t *mark, uint32_t from);

/* ---- steps of the counter (step.c) ---- */
/* A new version with another mark and nothing else that is new; EA_STORE_DIFFERENT if the newest has not so many steps. */
ea_store_status ea_store_step(ea_store *store, uint64_t steps, const uint8_t random[EA_MARK / 2]);

/* ---- operations (operations.c) ---- */
/* Where a value goes: room for so many bytes, or NULL. It may be called again for another try. */
typedef uint8_t *ea_reserve(void *context, uint32_t size);

ea_store_status ea_store_get(ea_store *store, const ea_view *view, const uint8_t *key, size_t size, ea_reserve *reserve, void *context);
/* Any number of keys at once, all or nothing; `changes` have key, value and sizes. With `since`, which
 * is pinned, EA_STORE_DIFFERENT if one of the `reads` is not as it was there. */
typedef struct {
    const uint8_t *key;
    size_t size;
} ea_key;
ea_store_status ea_store_apply(ea_store *store, ea_change *changes, size_t count, const ea_view *since, const ea_key *reads,
                               size_t read_count);
/* What was taken goes back, as nothing comes of it; the status for users. */
ea_store_status ea_store_undo(ea_store *store, ea_store_status status);
/* If the value is `expected` (NULL: if it is absent). */
ea_store_status ea_store_replace(ea_store *store, ea_change *change, const uint8_t *expected, size_t expected_size);
ea_store_status ea_store_add(ea_store *store, const uint8_t *key, size_t size, int64_t amount, int64_t *sum);

/* ---- another key (rotate.c) ---- */
/* Write all anew under the keys of this number, the next; they are the store's then, if it is EA_STORE_OK.
 * EA_STORE_DIFFERENT if it is not the next. */
ea_store_status ea_store_rotate(ea_store *store, uint32_t number, ea_store_keys *keys);

/* ---- walking (walk.c) ---- */
typedef struct ea_walk ea_walk;
/* All records of a pinned view; NULL: no memory. */
ea_walk *ea_walk_new(ea_store *store, const ea_view *view);
/* All records that differ between two pinned views, which are under one key. */
ea_walk *ea_walk_changes(ea_store *store, const ea_view *before, const ea_view *after);
/* The next: `before` or `after` with ref 0 if it was absent there; EA_STORE_ABSENT at the end. */
ea_store_status ea_walk_next(ea_walk *walk, ea_found *before, ea_found *after);
void ea_walk_free(ea_walk *walk);

#endif
