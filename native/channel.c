#include "channel.h"

bool ea_end_attach(ea_end *end, const ea_region *region, const ea_channel_plan *plan, ea_context who) {
    *end = (ea_end){.who = who, .stash = {.limit = EA_STASH}};
    if (plan->side > 1 || plan->capacity > 1u << 20) return false;
    ea_channel_shared *shared = ea_region_at(region, plan->shared, sizeof *shared);
    end->peer_bell = ea_region_at(region, plan->peer_bell, sizeof(ea_bell));
    if (shared == NULL || end->peer_bell == NULL) return false;
    end->waiting = &shared->waiting[plan->side];
    end->peer_waiting = &shared->waiting[1 - plan->side];
    uint32_t nodes = EA_CHANNEL_NODES(plan->capacity);
    return ea_pool_attach(&end->pool, region, plan->pool, nodes, plan->payload) &&
           ea_mbox_attach(&end->in, region, plan->mbox[plan->side], plan->capacity, &end->pool) &&
           ea_mbox_attach(&end->out, region, plan->mbox[1 - plan->side], plan->capacity, &end->pool);
}

/* A peer that waits for room has raised its flag before its last look (seq_cst, as in
 * wait.h), and we look at the flag after the swap that made room. Only the peer lowers it:
 * lowered here, for room that the peer has used since, it could be the flag of its next
 * wait, and the peer would sleep on. A bell that nobody sleeps by costs one load to ring. */
static void made_room(ea_end *end) {
    if (ea_load(end->peer_waiting, EA_SEQ_CST) != 0) ea_bell_ring(end->peer_bell, end->who.shared);
}

ea_status ea_end_acquire(ea_end *end, uint32_t *index) {
    return ea_stash_take(&end->stash, &end->pool, &end->who, index);
}

ea_status ea_end_push(ea_end *end, uint32_t index) {
    ea_status status = ea_mbox_push_back(&end->out, &end->who, index);
    if (status != EA_OK) return status;
    if (end->announced) {
        end->announced = false;
        /* Relaxed: a peer that still sees it rings once too often. */
        ea_store(end->waiting, 0, EA_RELAXED);
    }
    ea_bell_ring(end->peer_bell, end->who.shared);
    return EA_OK;
}

ea_status ea_end_pop(ea_end *end, uint32_t *index) {
    ea_status status = ea_mbox_pop_front(&end->in, &end->who, index);
    if (status == EA_OK) made_room(end);
    return status;
}

ea_status ea_end_release(ea_end *end, uint32_t index) {
    bool pooled;
    ea_status status = ea_stash_give(&end->stash, &end->pool, &end->who, index, &pooled);
    if (pooled && status == EA_OK) made_room(end);
    return status;
}

bool ea_end_can_receive(const ea_end *end) { return !ea_mbox_is_empty(&end->in); }

bool ea_end_can_send(const ea_end *end) {
    bool node = end->stash.count > 0 || (uint32_t)ea_load(&end->pool.shared->top, EA_SEQ_CST) != EA_NONE;
    return node && !ea_mbox_is_full(&end->out);
}

void ea_end_announce(ea_end *end) {
    end->announced = true;
    ea_store(end->waiting, 1, EA_SEQ_CST);
}
