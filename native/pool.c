#include "pool.h"

static uint32_t node_lines(uint32_t payload) {
    uint32_t lines = (uint32_t)((sizeof(ea_node) + (uint64_t)payload + EA_LINE - 1) / EA_LINE);
    /* An odd stride spreads the headers over all sets of the cache. */
    return lines | 1;
}

static uint64_t top_word(uint32_t tag, uint32_t index) { return (uint64_t)tag << 32 | index; }

uint64_t ea_pool_bytes(uint32_t count, uint32_t payload) {
    if (payload > UINT32_MAX - 4096) return 0;
    return sizeof(ea_pool_shared) + (uint64_t)node_lines(payload) * count * EA_LINE;
}

bool ea_pool_attach(ea_pool *pool, const ea_region *region, uint64_t offset, uint32_t count, uint32_t payload) {
    uint64_t bytes = ea_pool_bytes(count, payload);
    if (bytes == 0 || count == 0 || count == EA_NONE) return false;
    uint8_t *at = ea_region_at(region, offset, bytes);
    /* A line number must fit the hazard word. */
    if (at == NULL || (offset + bytes) / EA_LINE >= UINT32_MAX) return false;
    *pool = (ea_pool){
        .shared = (ea_pool_shared *)(void *)at,
        .nodes = at + sizeof(ea_pool_shared),
        .count = count,
        .payload = payload,
        .lines = node_lines(payload),
        .first_line = (uint32_t)((offset + sizeof(ea_pool_shared)) / EA_LINE),
    };
    return true;
}

ea_status ea_pool_push_front(ea_pool *pool, const ea_context *who, uint32_t index) {
    ea_node *node = ea_pool_node(pool, index);
    ea_status status = EA_BUSY;
    ea_announce(who, ea_pool_line(pool, index));
    ea_node_mark(node, who, false);
    for (int attempt = 0; attempt < EA_ATTEMPTS; attempt++) {
        uint64_t top = ea_load(&pool->shared->top, EA_ACQUIRE);
        uint32_t below = (uint32_t)top;
        uint32_t depth = 1;
        if (below != EA_NONE) {
            if (below >= pool->count) {
                status = EA_CORRUPT;
                break;
            }
            depth += ea_load(&ea_pool_node(pool, below)->depth, EA_RELAXED);
        }
        /* Release: a recovery that follows this link before we publish it (recover.c) must
         * see the node below as pushed. */
        ea_store(&node->next, below, EA_RELEASE);
        ea_store(&node->depth, depth, EA_RELAXED);
        /* Seq_cst includes release, which publishes link and depth to whoever pops, and
         * orders this before the giver's look at a waiting peer (wait.h). */
        if (ea_cas(&pool->shared->top, &top, top_word((uint32_t)(top >> 32) + 1, index), EA_SEQ_CST)) {
            ea_withdraw(who);
            return EA_OK;
        }
    }
    ea_node_mark(node, who, true);
    ea_withdraw(who);
    return status;
}

ea_status ea_pool_pop_front(ea_pool *pool, const ea_context *who, uint32_t *index) {
    for (int attempt = 0; attempt < EA_ATTEMPTS; attempt++) {
        /* Acquire: the link below was stored before this top was published. Seq_cst, so
         * that a taker who announced that it waits sees a node given before (wait.h). */
        uint64_t top = ea_load(&pool->shared->top, EA_SEQ_CST);
        uint32_t first = (uint32_t)top;
        if (first >= pool->count) {
            ea_withdraw(who);
            return first == EA_NONE ? EA_EMPTY : EA_CORRUPT;
        }
        ea_node *node = ea_pool_node(pool, first);
        ea_announce(who, ea_pool_line(pool, first));
        /* May be stale if another took this node meanwhile; then the tag fails the swap. */
        uint32_t below = ea_load(&node->next, EA_RELAXED);
        if (below != EA_NONE && below >= pool->count) {
            if (ea_load(&pool->shared->top, EA_ACQUIRE) != top) continue;
            ea_withdraw(who);
            return EA_CORRUPT;
        }
        /* Release: recovery that sees the node gone from the pool sees the hazard too. */
        if (ea_cas(&pool->shared->top, &top, top_word((uint32_t)(top >> 32) + 1, below), EA_ACQ_REL)) {
            ea_node_mark(node, who, true);
            ea_withdraw(who);
            *index = first;
            return EA_OK;
        }
    }
    ea_withdraw(who);
    return EA_BUSY;
}
