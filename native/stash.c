#include "stash.h"

ea_status ea_stash_take(ea_stash *stash, ea_pool *pool, const ea_context *who, uint32_t *index) {
    if (stash->count > 0) {
        *index = stash->nodes[--stash->count];
        return EA_OK;
    }
    ea_status status = ea_pool_pop_front(pool, who, index);
    while (status == EA_OK && stash->count < stash->limit / 2 &&
           ea_pool_pop_front(pool, who, &stash->nodes[stash->count]) == EA_OK)
        stash->count++;
    return status;
}

ea_status ea_stash_give(ea_stash *stash, ea_pool *pool, const ea_context *who, uint32_t index, bool *pooled) {
    *pooled = stash->count == stash->limit;
    if (!*pooled) {
        stash->nodes[stash->count++] = index;
        return EA_OK;
    }
    ea_status status = ea_pool_push_front(pool, who, index);
    while (status == EA_OK && stash->count > stash->limit / 2 &&
           ea_pool_push_front(pool, who, stash->nodes[stash->count - 1]) == EA_OK)
        stash->count--;
    return status;
}
