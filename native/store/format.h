/* The format of a store: what lies where. docs/design/store-format.md has it in words.
 *
 * A store is an array of blocks of 256 bytes. The first HEADER_BLOCKS are the header; every other
 * one is free, or part of a record, or a branch of the trie that finds records by the hash of
 * their key, or a commit. Blocks refer to each other by index. What a commit can reach is never
 * written again: a change makes new blocks, up to a new commit, and puts that in `root` by one
 * compare-and-swap. Integers are little-endian.
 */
#ifndef EA_STORE_FORMAT_H
#define EA_STORE_FORMAT_H

#include "atomics.h"

#define EA_STORE_MAGIC "EASTORE\1"

enum {
    EA_BLOCK = 256,
    EA_HEADER_BLOCKS = 32,
    EA_FANOUT = 16, /* four bits of the hash per level */
    EA_HASH = 16,
    EA_LEVELS = 2 * EA_HASH,
    EA_PINS = 64,
    EA_SLOTS = 2,
    EA_KEY_SLOTS = 32,
    EA_LONGEST_KEY = 1024,
    EA_LARGEST_VALUE = 16 << 20,
    EA_STORE_TAG = 16,
    EA_STORE_NONCE = 24,
    EA_MARK = 16,
    EA_WRITERS = 8,
};

/* What never changes once a store was created, but for the limit while nobody has it open. */
typedef struct {
    char magic[8];
    uint32_t block_size;
    uint32_t limit;      /* blocks that it may grow to, header included */
    uint8_t id[16];      /* random: no two stores have the same */
    uint8_t seed[16];    /* of the hash, where that is no secret */
    uint32_t encryption; /* 0: none, 1: XAES-256-GCM */
    uint32_t detects;    /* 1: branches and commits are authenticated, so that a rollback is seen */
    uint8_t check[8];    /* SipHash-2-4 of all before it under a key of zeros, its first half */
} ea_store_fixed;

/* A commit that has reached the disk. The two slots are written in turn, each in a sector of its own. */
typedef struct {
    uint64_t version;
    uint32_t commit;
    uint32_t fresh; /* no block at or above it was in use */
    uint8_t check[8];
} ea_store_slot;

/* The key of the store, sealed for one who may have it. */
typedef struct {
    uint32_t state; /* 0: empty; 1: in use */
    uint32_t key_id;
    uint8_t owner[32];
    uint8_t sealed[88];
} ea_key_slot;

typedef struct {
    ea_store_fixed fixed;
    uint8_t pad0[512 - sizeof(ea_store_fixed)];
    union {
        ea_store_slot slot;
        uint8_t sector[512];
    } slots[EA_SLOTS];
    /* At 1536. Who has the store open, and whether nobody has. */
    uint8_t boot[16];
    ea_a32 dirty;    /* 0: closed in order, so that the free blocks are right as they stand */
    uint32_t keeper; /* the process that has it open, for people */
    uint8_t pad1[512 - 24];
    /* At 2048: the words that move, each on its own cache line. */
    _Alignas(64) ea_a64 root;    /* {version:32, commit:32} */
    _Alignas(64) ea_a64 horizon; /* blocks that were replaced in versions up to it may be in use again */
    _Alignas(64) ea_a64 durable; /* the version of the newer slot; all ones where nothing has to be durable */
    _Alignas(64) ea_a64 top;     /* of the stack of free blocks: {tag:32, block:32} */
    _Alignas(64) ea_a64 waiting; /* the same of blocks that are not free before their stamp is */
    _Alignas(64) ea_a32 fresh;   /* the first block that was never used */
    ea_a32 usable;               /* blocks that the disk has room for, header included; grows up to the limit */
    uint8_t pad2[512 - 328];
    /* At 2560. Versions that somebody looks at: {owner:12, version + 1:52}; 0: none. */
    _Alignas(64) ea_a64 pins[EA_PINS];
    uint8_t pad3[1024];
    /* At 4096. */
    ea_key_slot keys[EA_KEY_SLOTS];
} ea_store_header;

/* What a block is, for whoever cleans up after a process that has died: on the stack, or never used;
 * taken by its owner, and perhaps in use by all since; no longer in use, but perhaps still read. */
enum { EA_BLOCK_FREE = 0, EA_BLOCK_HELD = 1, EA_BLOCK_RETIRED = 2 };

typedef struct {
    ea_a32 state; /* {life:16, owner:12, what:4}: what as above, life tells two processes of one owner apart */
    ea_a32 next;  /* the next block of the record, or of the stack of free blocks; 0: none */
    ea_a32 stamp; /* the version that it came with, its lower half; on the stack of retired blocks, that retired it */
    ea_a32 below; /* the upper half; the next on that stack, whose records are perhaps still read: next stays */
    ea_a64 data[30];
} ea_block;

enum { EA_BLOCK_DATA = EA_BLOCK - 16 };

/* A reference to a block: its index, and what is there. 0: nothing. */
typedef uint32_t ea_ref;
#define EA_REF_RECORD 0x80000000u
#define EA_REF_INDEX 0x7fffffffu

/* The data of a branch: its references are one cache line, which of three depends on the block, so that
 * branches do not crowd into a quarter of the cache. What authenticates them has the other two. */
#define EA_BRANCH_REFS(block) (6 + 8 * ((block) % 3))
#define EA_BRANCH_TAGS(block, half) (6 + 8 * (((block) + 1 + (half)) % 3))

/* The data of a commit. */
typedef struct {
    uint64_t version;
    ea_ref root;
    uint32_t key_id;
    uint64_t keys;
    uint64_t records;  /* blocks in records */
    uint64_t branches; /* blocks in branches */
    uint64_t root_tag;
    uint8_t tag[EA_STORE_TAG];
} ea_commit;

/* What follows a commit where rollbacks are detected, of the versions that led to it. */
typedef struct {
    uint64_t steps;               /* how often the counter was to be advanced */
    uint8_t mark[EA_MARK];        /* of the last of these commits: its version, and 8 random bytes */
    uint64_t writers[EA_WRITERS]; /* the last version by the owners whose number is this, modulo EA_WRITERS */
} ea_history;

/* The first bytes of a record. In the clear, key and value follow; else a nonce, a tag, and both
 * as ciphertext. */
typedef struct {
    uint8_t hash[EA_HASH];
    uint32_t value_size;
    uint16_t key_size;
    uint16_t flags; /* 0 */
} ea_record_head;

_Static_assert(sizeof(ea_store_fixed) == 64, "nothing between");
_Static_assert(sizeof(ea_store_slot) == 24, "nothing between");
_Static_assert(sizeof(ea_key_slot) == 128, "nothing between");
_Static_assert(sizeof(ea_store_header) == EA_HEADER_BLOCKS * EA_BLOCK, "the header fills its blocks");
_Static_assert(sizeof(ea_block) == EA_BLOCK, "a block fills its lines");
_Static_assert(sizeof(ea_commit) == 64, "nothing between");
_Static_assert(sizeof(ea_history) == 88, "nothing between");
_Static_assert(sizeof(ea_record_head) == 24, "nothing between");

#endif
