/* An mbox: a bounded FIFO of full nodes, many producers and many consumers.
 *
 * A ring of 64-bit slots. A slot is {turn:32, index:32}; in lap L of the ring its turn is
 * 2L when it waits to be filled and 2L+1 when it holds node `index`. One compare-and-swap
 * of a slot is the whole of a push, and one the whole of a pop: there is no state
 * "claimed but not yet published" in which a killed process could leave the others
 * waiting. Head and tail only say where to look; whoever finds one behind moves it along.
 * (P. Tsigas, Y. Zhang, SPAA 2001, has the slot swap with helped counters; the lap in the
 * slot is what removes its ABA.)
 *
 * push_front and pop_back are not offered: one slot swap cannot decide them against both
 * ends at once. Pools and private mboxes have them.
 */
#ifndef EA_MBOX_H
#define EA_MBOX_H

#include "pool.h"

typedef struct {
    _Alignas(EA_LINE) ea_a64 head;
    _Alignas(EA_LINE) ea_a64 tail;
    _Alignas(EA_LINE) ea_a64 slots[];
} ea_mbox_shared;

/* The private side. */
typedef struct {
    ea_mbox_shared *shared;
    ea_pool *pool; /* whose nodes it carries */
    uint32_t mask; /* capacity - 1 */
    uint32_t shift;
} ea_mbox;

/* Bytes that an mbox of `capacity` nodes (a power of two up to 2^20) takes; 0: no such mbox. */
uint64_t ea_mbox_bytes(uint32_t capacity);
bool ea_mbox_attach(ea_mbox *mbox, const ea_region *region, uint64_t offset, uint32_t capacity, ea_pool *pool);

/* Give away a node that the caller holds. Anything but EA_OK leaves it with the caller. */
ea_status ea_mbox_push_back(ea_mbox *mbox, const ea_context *who, uint32_t index);
ea_status ea_mbox_pop_front(ea_mbox *mbox, const ea_context *who, uint32_t *index);
bool ea_mbox_is_empty(const ea_mbox *mbox);
bool ea_mbox_is_full(const ea_mbox *mbox);

#endif
