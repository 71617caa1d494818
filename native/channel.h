/* A channel: two mboxes and a pool between two ends, and the frames that travel on it.
 *
 * An end keeps a few nodes to itself: the node in which the last message came carries the
 * next answer, so two ends that talk in turns touch one slot and one node per message and
 * the pool not at all.
 */
#ifndef EA_CHANNEL_H
#define EA_CHANNEL_H

#include "mbox.h"
#include "stash.h"
#include "wait.h"

/* Nodes that a channel of `capacity` messages per direction needs so that neither end can
 * starve the other: both mboxes full, both stashes full, and a few in hand. */
#define EA_CHANNEL_NODES(capacity) (2u * (capacity) + 2u * EA_STASH + 4u)

typedef struct {
    /* Raised by an end that waits for room, and lowered by it when it has sent. */
    _Alignas(EA_LINE) ea_a32 waiting[2];
    /* Of a channel whose ends may end and be started anew: counted up by the host, odd while
     * both are there; and what each end has taken notice of. */
    ea_a32 epoch, met[2];
} ea_channel_shared;

/* What the header of a node says, fetched. */
typedef struct {
    uint32_t kind, length, rest;
} ea_frame;

/* The private side of one end; used by one thread at a time. */
typedef struct {
    ea_pool pool;
    ea_mbox in, out;
    ea_context who;
    ea_bell *peer_bell;
    ea_a32 *waiting, *peer_waiting;
    bool announced; /* our flag is up */
    ea_stash stash;
} ea_end;

/* Where the parts of a channel lie in the region, all from private memory. */
typedef struct {
    uint64_t pool, shared, mbox[2]; /* mbox[side] is what that side receives */
    uint32_t capacity, payload, side;
    uint64_t peer_bell;
} ea_channel_plan;

/* False unless all of it lies inside the region. */
bool ea_end_attach(ea_end *end, const ea_region *region, const ea_channel_plan *plan, ea_context who);

/* A node to fill. EA_EMPTY: none left now. */
ea_status ea_end_acquire(ea_end *end, uint32_t *index);
/* Send a filled node. EA_FULL: no room now; the caller still holds the node. */
ea_status ea_end_push(ea_end *end, uint32_t index);
ea_status ea_end_pop(ea_end *end, uint32_t *index);
/* Give back a node from pop or acquire. */
ea_status ea_end_release(ea_end *end, uint32_t index);

/* Whether there is something to pop; whether a push could work. */
bool ea_end_can_receive(const ea_end *end);
bool ea_end_can_send(const ea_end *end);
/* Tell the peer that this end waits for room; holds until the next push that works. Look
 * once more (can_send) before sleeping. */
void ea_end_announce(ea_end *end);

#endif
