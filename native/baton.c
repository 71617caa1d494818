#define _GNU_SOURCE
#include "baton.h"

#include <sched.h>

enum { YIELDS = 32 };

bool ea_baton_wait(ea_baton *baton, ea_waiter *waiter, uint32_t position, uint64_t nanoseconds) {
    for (int yield = 0; yield < YIELDS; yield++) {
        /* Acquire: what the last holder wrote for us, idle and armed, comes with the baton. */
        if (ea_load(&baton->holder, EA_ACQUIRE) == position) return true;
        sched_yield();
    }
    /* Dekker again (wait.h): raise the count, then look; the passer stores, then looks. */
    (void)ea_add(&baton->sleepers, 1, EA_SEQ_CST);
    uint32_t holder = ea_load(&baton->holder, EA_SEQ_CST);
    if (holder != position) ea_word_sleep(waiter, &baton->holder, holder, nanoseconds);
    (void)ea_add(&baton->sleepers, UINT32_MAX, EA_RELAXED);
    return ea_load(&baton->holder, EA_ACQUIRE) == position;
}

void ea_baton_pass(ea_baton *baton, uint32_t to) {
    /* Relaxed: only the holder counts. */
    ea_store(&baton->passes, ea_load(&baton->passes, EA_RELAXED) + 1, EA_RELAXED);
    ea_store(&baton->holder, to, EA_SEQ_CST);
    if (ea_load(&baton->sleepers, EA_SEQ_CST) != 0) ea_word_wake(&baton->holder);
}
