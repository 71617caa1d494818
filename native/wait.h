/* Waiting: spin, then yield, then sleep.
 *
 * Each worker has a bell in shared memory. The protocol against lost wake-ups is Dekker's:
 *
 *     sleeper                              waker
 *     sleeping = 1        (seq_cst)        publish a node   (seq_cst swap)
 *     look for nodes      (seq_cst load)   look at sleeping (seq_cst load)
 *
 * In the total order of sequentially consistent operations one of the two looks comes
 * last, so either the sleeper sees the node or the waker sees the sleeper. A waker that
 * finds nobody asleep makes no system call. A waker that is killed half-way, or a host
 * that rewrites the bell, can delay a sleeper, not hold it: every sleep is bounded.
 */
#ifndef EA_WAIT_H
#define EA_WAIT_H

#include "region.h"

typedef struct {
    _Alignas(EA_LINE) ea_a32 seq;
    ea_a32 sleeping;
} ea_bell;

typedef enum {
    EA_WAIT_ADAPTIVE = 0, /* spin as long as spinning has lately paid, then yield, then sleep */
    EA_WAIT_SPIN = 1,     /* never sleep */
    EA_WAIT_SLEEP = 2,    /* never spin */
} ea_wait_policy;

/* Private to one worker. */
typedef struct {
    ea_wait_policy policy;
    bool futex;          /* false: no futex between processes here, sleep by polling */
    bool crowded;        /* other workers share the CPUs: spinning would stop the one we wait for */
    uint32_t spins;      /* adaptive: how often to look before yielding */
    ea_participant *counters;
} ea_waiter;

typedef bool (*ea_ready)(const void *what);

/* Only the spinning, for callers who want to let go of something before the rest. */
bool ea_wait_spin(ea_waiter *waiter, ea_ready ready, const void *what);
/* Until `ready` or about `nanoseconds` have passed; whether it is ready. */
bool ea_wait(ea_waiter *waiter, ea_bell *bell, ea_ready ready, const void *what, uint64_t nanoseconds);

/* Wake the worker if it sleeps. Call after the swap that gave it something. */
void ea_bell_ring(ea_bell *bell, ea_participant *counters);
/* Announce sleep; returns what ea_bell_sleep needs. Then look once more before sleeping. */
uint32_t ea_bell_arm(ea_bell *bell);
void ea_bell_sleep(ea_waiter *waiter, ea_bell *bell, uint32_t armed, uint64_t nanoseconds);
void ea_bell_disarm(ea_bell *bell);

/* Sleep while *word == value, at most `nanoseconds`; and wake those who do. */
void ea_word_sleep(const ea_waiter *waiter, ea_a32 *word, uint32_t value, uint64_t nanoseconds);
void ea_word_wake(ea_a32 *word);

#endif
