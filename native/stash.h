/* A stash: a few empty nodes that one process keeps out of the pool for its next messages.
 *
 * Nodes go to the pool and come from it in bursts, so that the line of the pool's top
 * changes hands once per burst and not with every message.
 */
#ifndef EA_STASH_H
#define EA_STASH_H

#include "pool.h"

enum { EA_STASH = 16 };

/* Private to one process; used by one thread at a time. */
typedef struct {
    uint32_t limit; /* at most EA_STASH; 0: keeps nothing back */
    uint32_t count;
    uint32_t nodes[EA_STASH];
} ea_stash;

/* A node, from the stash or else from the pool. */
ea_status ea_stash_take(ea_stash *stash, ea_pool *pool, const ea_context *who, uint32_t *index);
/* Give a node back; *pooled tells whether any went to the pool. */
ea_status ea_stash_give(ea_stash *stash, ea_pool *pool, const ea_context *who, uint32_t index, bool *pooled);

#endif
