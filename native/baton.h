/* The baton of a worker whose actors live in several enclaves.
 *
 * Such a worker is one thread in each of those processes, of which only the holder of the
 * baton runs. Passing it on is what an enclave transition would be, so it is counted.
 */
#ifndef EA_BATON_H
#define EA_BATON_H

#include "wait.h"

typedef struct {
    _Alignas(EA_LINE) ea_a32 holder; /* position whose turn it is */
    ea_a32 sleepers;                 /* who may have to be woken when it changes */
    ea_a32 idle;                     /* turns without progress in a row, over all positions */
    ea_a32 armed;                    /* the bell's seq when the sleep was announced */
    ea_a64 passes;
} ea_baton;

/* Whether it is `position`'s turn now, after waiting about `nanoseconds` for it. */
bool ea_baton_wait(ea_baton *baton, ea_waiter *waiter, uint32_t position, uint64_t nanoseconds);
void ea_baton_pass(ea_baton *baton, uint32_t to);

#endif
