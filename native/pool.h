/* A pool: a LIFO of empty nodes (a Treiber stack, R. K. Treiber, IBM RJ 5118, 1986).
 *
 * The top word carries a 32-bit tag that every push and pop changes, against ABA. Links
 * are indices and are checked before use: a hostile host can empty, tangle or repeat the
 * pool, but no index outside it is ever followed.
 */
#ifndef EA_POOL_H
#define EA_POOL_H

#include "node.h"
#include "status.h"

typedef struct {
    _Alignas(EA_LINE) ea_a64 top; /* tag:32 index:32 */
} ea_pool_shared;

/* The private side: what bounds every index that comes from shared memory. */
typedef struct {
    ea_pool_shared *shared;
    uint8_t *nodes;
    uint32_t count;
    uint32_t payload;    /* bytes per node */
    uint32_t lines;      /* cache lines per node, header included */
    uint32_t first_line; /* of node 0, within the region: names nodes across pools */
} ea_pool;

/* Bytes that a pool takes in the region. 0: no such pool. */
uint64_t ea_pool_bytes(uint32_t count, uint32_t payload);
/* Attach to the pool at `offset`; false unless all of it lies inside the region. */
bool ea_pool_attach(ea_pool *pool, const ea_region *region, uint64_t offset, uint32_t count, uint32_t payload);

ea_status ea_pool_push_front(ea_pool *pool, const ea_context *who, uint32_t index);
ea_status ea_pool_pop_front(ea_pool *pool, const ea_context *who, uint32_t *index);

static inline ea_node *ea_pool_node(const ea_pool *pool, uint32_t index) {
    return (ea_node *)(void *)(pool->nodes + (size_t)index * pool->lines * EA_LINE);
}

static inline uint32_t ea_pool_line(const ea_pool *pool, uint32_t index) {
    return pool->first_line + index * pool->lines;
}

#endif
