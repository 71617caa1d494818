/* A node: one preallocated block, a header and a payload.
 *
 * A node is in exactly one place: in a pool, in an mbox, or held by one participant. Who
 * holds it is also written into the node, for one reader only: the recovery that takes
 * back what a killed process held (recover.h). No other code depends on these words, so a
 * host that rewrites them can starve an enclave but not mislead it.
 */
#ifndef EA_NODE_H
#define EA_NODE_H

#include <stddef.h>

#include "atomics.h"
#include "region.h"

enum { EA_NONE = UINT32_MAX };

/* The last two only on encrypted channels, and only they are plain there. */
typedef enum {
    EA_DATA = 0,
    EA_CLOSE = 1,     /* the sender sends nothing more */
    EA_HANDSHAKE = 2, /* a message of the key exchange */
    EA_BROKEN = 3,    /* the sender has given the channel up */
} ea_kind;

typedef struct {
    ea_a32 owner;    /* participant:12 held:1 version:19 */
    ea_a32 next;     /* in a pool: the node below */
    ea_a32 depth;    /* in a pool: how many nodes from here down */
    uint32_t length; /* payload bytes of this frame */
    uint32_t rest;   /* bytes of the same message that later frames carry */
    uint32_t kind;   /* ea_kind */
    uint32_t unused[2];
    uint8_t payload[];
} ea_node;

_Static_assert(sizeof(ea_node) == 32, "a 16-byte message and its header share one cache line");

/* Who is about to move a node, and where that is announced. */
typedef struct {
    ea_participant *shared;
    uint32_t id; /* from 1: an owner word of 0 is nobody's */
} ea_context;

/* Announce which node the next swap moves, and that the move is over. Release: whoever sees
 * what follows also sees the announcement, and whoever sees it withdrawn sees the node's
 * new mark. */
static inline void ea_announce(const ea_context *who, uint32_t line) {
    ea_store(&who->shared->hazard, line, EA_RELEASE);
}
static inline void ea_withdraw(const ea_context *who) { ea_store(&who->shared->hazard, 0, EA_RELEASE); }

/* Say that `who` now holds the node, or has passed it on. The version makes two passings
 * by one participant differ, so that recovery sees that something happened between. */
static inline void ea_node_mark(ea_node *node, const ea_context *who, bool held) {
    uint32_t version = ea_load(&node->owner, EA_RELAXED) + 1;
    ea_store(&node->owner, who->id << 20 | (uint32_t)held << 19 | (version & 0x7FFFF), EA_RELEASE);
}

#endif
