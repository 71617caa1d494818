#include "length.h"

uint32_t ea_pool_length(const ea_pool *pool) {
    uint32_t first = (uint32_t)ea_load(&pool->shared->top, EA_ACQUIRE);
    if (first >= pool->count) return 0;
    uint32_t depth = ea_load(&ea_pool_node(pool, first)->depth, EA_RELAXED);
    return depth < pool->count ? depth : pool->count;
}

uint32_t ea_mbox_length(const ea_mbox *mbox) {
    uint64_t head = ea_load(&mbox->shared->head, EA_ACQUIRE);
    uint64_t tail = ea_load(&mbox->shared->tail, EA_ACQUIRE);
    uint64_t length = tail - head;
    if (length > UINT64_MAX / 2) return 0; /* the head moved between the two looks */
    return length <= mbox->mask ? (uint32_t)length : mbox->mask + 1;
}
