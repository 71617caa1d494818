/* The host's part of a store: its file, what is free in it, and what is on the disk.
 *
 * There is one keeper per file, which it locks. A keeper sees no key: what is encrypted stays so.
 */
#ifndef EA_STORE_KEEPER_H
#define EA_STORE_KEEPER_H

#include "header.h"
#include "store.h"

typedef enum {
    EA_KEEPER_OK = 0,
    EA_KEEPER_SYSTEM,  /* errno says why */
    EA_KEEPER_IN_USE,  /* by process `other`, if that is not 0 */
    EA_KEEPER_FOREIGN, /* no store */
    EA_KEEPER_VERSION, /* a store of another version */
    EA_KEEPER_SHORT,   /* cut short */
    EA_KEEPER_CORRUPT, /* damaged, at block store.culprit */
} ea_keeper_status;

typedef struct {
    ea_store store; /* as a user without a key, who checks no tags */
    int fd;
    size_t size;    /* bytes that are mapped */
    bool lasts;     /* whether it has to outlive this kernel, and so be synced */
    uint32_t other;
    bool recovered, fell_back;
    bool mourned;   /* somebody was killed while it was open */
} ea_keeper;

enum { EA_KEEPER_OWNER = 4095 };

/* Open the file of a store for reading and writing, after making it, whole or not at all, if there is none and the
 * shape has a limit. The descriptor, or -1 and errno. */
int ea_store_file(const char *path, const ea_store_shape *shape, bool *created);
/* Room on the disk for so many blocks of a file of that limit; false and errno if there is none. */
bool ea_store_make_room(int fd, uint32_t limit, uint32_t usable);
/* Open the store in a file. The limit is the shape's if that is larger than the file's. `boot`: the
 * kernel's boot id, or NULL where it does not have to last. The descriptor stays the caller's. */
ea_keeper_status ea_keeper_open(ea_keeper *keeper, int fd, const ea_store_shape *shape, const uint8_t boot[16]);
/* Whether less than a quarter is left of what may be used, and it may grow. */
bool ea_keeper_wants_room(const ea_keeper *keeper);
/* EA_KEEPER_SYSTEM if the disk is full. */
ea_keeper_status ea_keeper_grow(ea_keeper *keeper);
/* Have all that is committed on the disk, if it has to last. */
ea_keeper_status ea_keeper_sync(ea_keeper *keeper, uint64_t *version);
/* Give back what a process held that has ended, before another has its number. */
ea_keeper_status ea_keeper_mourn(ea_keeper *keeper, uint32_t owner, uint32_t *blocks);
/* With `ok`, sync and note that it was closed in order. The memory is unmapped in any case. */
ea_keeper_status ea_keeper_close(ea_keeper *keeper, bool ok);

/* ---- what can be reached (reach.c) ---- */
typedef struct {
    uint64_t *marks; /* a bit for each block */
    uint64_t keys, records, branches;
    uint64_t free;    /* blocks on the stacks */
    uint32_t highest; /* block that can be reached */
} ea_reach;

/* All that a commit can reach; EA_STORE_CORRUPT if anything is reached twice, or is no block. */
ea_store_status ea_reach_mark(ea_store *store, ea_reach *reach, uint32_t commit);
static inline bool ea_reach_has(const ea_reach *reach, uint32_t block) { return reach->marks[block / 64] >> block % 64 & 1; }
void ea_reach_free(ea_reach *reach);
/* Whether the newest version has what its commit says, and no free block is in use. For when nobody writes. */
ea_store_status ea_reach_check(ea_store *store, ea_reach *reach);

#endif
