#include "mbox.h"

static uint32_t turn_of(uint64_t word) { return (uint32_t)(word >> 32); }
static uint64_t slot_word(uint32_t turn, uint32_t index) { return (uint64_t)turn << 32 | index; }
/* The turn that the slot of `position` has while it waits to be filled. Turns wrap; only
 * equality and small differences are ever asked of them. */
static uint32_t empty_turn(const ea_mbox *mbox, uint64_t position) {
    return (uint32_t)(position >> mbox->shift) * 2;
}

/* Move a counter that was found behind. Failure means that someone else moved it. Release
 * and acquire chain through the counter: who reads it also sees the slots filled (or
 * emptied) before it moved, so a turn older than the previous lap is never honest. */
static void help(ea_a64 *counter, uint64_t position) {
    (void)ea_cas(counter, &position, position + 1, EA_ACQ_REL);
}

uint64_t ea_mbox_bytes(uint32_t capacity) {
    if (capacity == 0 || (capacity & (capacity - 1)) != 0 || capacity > 1u << 20) return 0;
    return (sizeof(ea_mbox_shared) + (uint64_t)capacity * sizeof(ea_a64) + EA_LINE - 1) / EA_LINE * EA_LINE;
}

bool ea_mbox_attach(ea_mbox *mbox, const ea_region *region, uint64_t offset, uint32_t capacity, ea_pool *pool) {
    uint64_t bytes = ea_mbox_bytes(capacity);
    ea_mbox_shared *shared = bytes == 0 ? NULL : ea_region_at(region, offset, bytes);
    if (shared == NULL) return false;
    *mbox = (ea_mbox){
        .shared = shared,
        .pool = pool,
        .mask = capacity - 1,
        .shift = (uint32_t)__builtin_ctz(capacity),
    };
    return true;
}

ea_status ea_mbox_push_back(ea_mbox *mbox, const ea_context *who, uint32_t index) {
    ea_node *node = ea_pool_node(mbox->pool, index);
    ea_status status = EA_BUSY;
    ea_announce(who, ea_pool_line(mbox->pool, index));
    /* Before the swap: afterwards the node is the consumer's to mark. */
    ea_node_mark(node, who, false);
    for (int attempt = 0; attempt < EA_ATTEMPTS; attempt++) {
        /* Acquire: see help(). */
        uint64_t tail = ea_load(&mbox->shared->tail, EA_ACQUIRE);
        ea_a64 *slot = &mbox->shared->slots[tail & mbox->mask];
        /* Seq_cst, so that a producer who announced that it waits for room sees a slot
         * that was emptied before (wait.h). */
        uint64_t word = ea_load(slot, EA_SEQ_CST);
        uint32_t ahead = turn_of(word) - empty_turn(mbox, tail);
        if (ahead == 0) {
            /* Release publishes the payload to the consumer; seq_cst orders this swap
             * before the look at the consumer's bell (wait.h). */
            if (ea_cas(slot, &word, slot_word(turn_of(word) + 1, index), EA_SEQ_CST)) {
                help(&mbox->shared->tail, tail);
                ea_withdraw(who);
                return EA_OK;
            }
        } else if (ahead == 1 || ahead == 2) {
            help(&mbox->shared->tail, tail); /* filled, perhaps already emptied, in this lap */
        } else if (ea_load(&mbox->shared->tail, EA_ACQUIRE) == tail) {
            /* The tail has not moved, so this slot is what a push would need. */
            status = ahead == UINT32_MAX ? EA_FULL : EA_CORRUPT;
            break;
        }
    }
    ea_node_mark(node, who, true);
    ea_withdraw(who);
    return status;
}

ea_status ea_mbox_pop_front(ea_mbox *mbox, const ea_context *who, uint32_t *index) {
    ea_status status = EA_BUSY;
    for (int attempt = 0; attempt < EA_ATTEMPTS; attempt++) {
        uint64_t head = ea_load(&mbox->shared->head, EA_ACQUIRE);
        ea_a64 *slot = &mbox->shared->slots[head & mbox->mask];
        /* Acquire: the payload was written before the slot was filled. */
        uint64_t word = ea_load(slot, EA_ACQUIRE);
        uint32_t ahead = turn_of(word) - empty_turn(mbox, head);
        if (ahead == 1) {
            uint32_t found = (uint32_t)word;
            if (found >= mbox->pool->count) {
                status = EA_CORRUPT;
                break;
            }
            ea_announce(who, ea_pool_line(mbox->pool, found));
            /* Release: recovery that sees the slot empty sees the hazard too. Seq_cst
             * orders this swap before the look at a waiting producer (wait.h). */
            if (ea_cas(slot, &word, slot_word(turn_of(word) + 1, 0), EA_SEQ_CST)) {
                ea_node_mark(ea_pool_node(mbox->pool, found), who, true);
                help(&mbox->shared->head, head);
                *index = found;
                status = EA_OK;
                break;
            }
        } else if (ahead == 2 || ahead == 3) {
            /* Emptied by one who has not moved the head yet, and perhaps filled again in
             * the next lap. Never further: the slots behind it wait for this head. */
            help(&mbox->shared->head, head);
        } else if (ea_load(&mbox->shared->head, EA_ACQUIRE) == head) {
            status = ahead == 0 ? EA_EMPTY : EA_CORRUPT;
            break;
        }
    }
    ea_withdraw(who);
    return status;
}

bool ea_mbox_is_empty(const ea_mbox *mbox) {
    uint64_t head = ea_load(&mbox->shared->head, EA_ACQUIRE);
    /* Seq_cst: the last look of a consumer that has announced that it sleeps (wait.h). */
    uint64_t word = ea_load(&mbox->shared->slots[head & mbox->mask], EA_SEQ_CST);
    return turn_of(word) == empty_turn(mbox, head);
}

bool ea_mbox_is_full(const ea_mbox *mbox) {
    uint64_t tail = ea_load(&mbox->shared->tail, EA_ACQUIRE);
    uint64_t word = ea_load(&mbox->shared->slots[tail & mbox->mask], EA_SEQ_CST);
    return turn_of(word) == empty_turn(mbox, tail) - 1;
}
