/* Why this is right.
 *
 * Only two kinds of node can be lost with a dead participant d:
 *  (a) nodes whose owner word says that d holds them: d marked itself after the swap that
 *      took the node, and marks it passed before the swap that gives it away, so nobody
 *      else can have it;
 *  (b) nodes that d was moving when it died: passed by d and not yet given (owner names
 *      d), or taken by d and not yet marked (d's hazard names the node).
 * A node of kind (b) is lost unless its move took effect. We look for it everywhere: in the
 * hazards of the living, in the pool, in the mboxes, and in the hazards of the living again,
 * and in the end the owner word must be what it was before the first look.
 *
 * The first look at the hazards is for givers: d's hazard may name a node that another took
 * before d could, and is now giving away. A living giver announces its hazard before it
 * marks the node passed and withdraws it after its swap, so if we saw the mark and then no
 * hazard, the swap is over, and the node lies where we are about to look, or was taken.
 *
 * The second look is for takers. A living taker announces its hazard before its swap and
 * withdraws it after it has marked itself owner (both release), so one who took the node
 * between our looks is seen either in its hazard or in the changed owner word.
 *
 * A node found in a pool or mbox at any time after d died is not d's: d cannot give it any
 * more, and did not take it.
 */
#include "recover.h"

enum { ABSENT = 0, CANDIDATE = 1, PRESENT = 2 };

/* What is in a node's owner word; see ea_node_mark. */
static uint32_t owner_id(uint32_t owner) { return owner >> 20; }
static bool owner_holds(uint32_t owner) { return (owner >> 19 & 1) != 0; }

static bool is_dead(const ea_census *census, uint32_t id) { return id > 0 && id <= census->count && census->dead[id - 1]; }

static bool hazard_of(const ea_census *census, uint32_t line, bool dead) {
    for (uint32_t i = 0; i < census->count; i++)
        if (census->dead[i] == dead && ea_load(&((ea_participant *)census->participants[i])->hazard, EA_ACQUIRE) == line)
            return true;
    return false;
}

/* Mark what the pool holds; false if it changed so much that the walk found no end.
 *
 * The pool may change meanwhile, or this would hardly ever succeed while others work. Every
 * node that the walk meets was in the pool at some time since it began: a link names the
 * node that was below when its holder was pushed, or would have been. And a node that stays
 * in the pool throughout is met: every push meanwhile links to it or to one above it. */
static bool mark_pool(ea_pool *pool, uint8_t *marks) {
    uint32_t index = (uint32_t)ea_load(&pool->shared->top, EA_ACQUIRE);
    for (uint64_t steps = 0; index != EA_NONE; steps++) {
        if (index >= pool->count || steps >= 2 * (uint64_t)pool->count) return false;
        if (marks[index] == CANDIDATE) marks[index] = PRESENT;
        /* Acquire pairs with the release of the link in ea_pool_push_front. */
        index = ea_load(&ea_pool_node(pool, index)->next, EA_ACQUIRE);
    }
    return true;
}

static void mark_mbox(const ea_mbox *mbox, uint8_t *marks) {
    for (uint32_t slot = 0; slot <= mbox->mask; slot++) {
        uint64_t word = ea_load(&mbox->shared->slots[slot], EA_ACQUIRE);
        uint32_t index = (uint32_t)word;
        if ((word >> 32 & 1) != 0 && index < mbox->pool->count && marks[index] == CANDIDATE) marks[index] = PRESENT;
    }
}

static bool is_candidate(const ea_pool *pool, const ea_census *census, uint32_t index, bool *held) {
    uint32_t owner = ea_load(&ea_pool_node(pool, index)->owner, EA_ACQUIRE);
    bool dead = is_dead(census, owner_id(owner));
    *held = dead && owner_holds(owner);
    if (dead) return true;
    return !owner_holds(owner) && hazard_of(census, ea_pool_line(pool, index), true);
}

static ea_status give_back(ea_pool *pool, const ea_context *who, uint32_t index, uint32_t *recovered) {
    ea_status status = ea_pool_push_front(pool, who, index);
    if (status == EA_OK) ++*recovered;
    return status;
}

/* Give back what the dead held, mark what they may have been moving. */
static ea_status collect(ea_pool *pool, const ea_census *census, const ea_context *who, uint8_t *marks,
                         uint32_t *recovered) {
    for (uint32_t index = 0; index < pool->count; index++) {
        bool held;
        marks[index] = is_candidate(pool, census, index, &held) ? CANDIDATE : ABSENT;
        if (!held) continue;
        marks[index] = ABSENT;
        ea_status status = give_back(pool, who, index, recovered);
        if (status != EA_OK) return status;
    }
    return EA_OK;
}

ea_status ea_recover(ea_pool *pool, ea_mbox *const mboxes[], uint32_t mbox_count, const ea_census *census,
                     const ea_context *who, uint8_t *marks, uint32_t *recovered) {
    *recovered = 0;
    ea_status status = collect(pool, census, who, marks, recovered);
    bool busy = false;
    for (uint32_t index = 0; status == EA_OK && index < pool->count; index++) {
        if (marks[index] != CANDIDATE) continue;
        uint32_t line = ea_pool_line(pool, index);
        uint32_t owner = ea_load(&ea_pool_node(pool, index)->owner, EA_ACQUIRE);
        bool held;
        /* Someone living may have taken it since the first look. */
        if (!is_candidate(pool, census, index, &held)) continue;
        if (hazard_of(census, line, false)) {
            busy = true;
            continue;
        }
        for (uint32_t i = 0; i < mbox_count; i++) mark_mbox(mboxes[i], marks);
        bool walked = mark_pool(pool, marks);
        if (marks[index] == PRESENT) continue;
        if (!walked || hazard_of(census, line, false)) {
            busy = true;
            continue;
        }
        if (ea_load(&ea_pool_node(pool, index)->owner, EA_ACQUIRE) != owner) continue;
        status = give_back(pool, who, index, recovered);
    }
    return status == EA_OK && busy ? EA_BUSY : status;
}
