#define _GNU_SOURCE
#include "wait.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    SPINS_LEAST = 1 << 6,  /* about a microsecond: two cache lines' round trip */
    SPINS_MOST = 1 << 12,  /* some tens of microseconds: what a futex sleep and wake cost */
    YIELDS = 32,           /* on a crowded CPU each lets everyone else have a turn */
};

static const uint64_t POLL_FIRST_NS = 50 * 1000, POLL_LAST_NS = 5 * 1000 * 1000;

static struct timespec duration(uint64_t nanoseconds) {
    return (struct timespec){.tv_sec = (time_t)(nanoseconds / 1000000000), .tv_nsec = (long)(nanoseconds % 1000000000)};
}

void ea_word_sleep(const ea_waiter *waiter, ea_a32 *word, uint32_t value, uint64_t nanoseconds) {
    if (waiter->futex) {
        struct timespec timeout = duration(nanoseconds);
        /* Not PRIVATE: the word is shared between processes. Any return is a reason to look again. */
        syscall(SYS_futex, word, FUTEX_WAIT, value, &timeout, NULL, 0);
        return;
    }
    for (uint64_t slept = 0, nap = POLL_FIRST_NS; slept < nanoseconds && ea_load(word, EA_RELAXED) == value;
         slept += nap, nap = nap * 2 < POLL_LAST_NS ? nap * 2 : POLL_LAST_NS) {
        struct timespec pause = duration(nap < nanoseconds - slept ? nap : nanoseconds - slept);
        nanosleep(&pause, NULL);
    }
}

void ea_word_wake(ea_a32 *word) { syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0); }

void ea_bell_ring(ea_bell *bell, ea_participant *counters) {
    if (ea_load(&bell->sleeping, EA_SEQ_CST) == 0) return;
    /* Of several wakers only the one that takes the flag pays for the system call. */
    if (ea_swap(&bell->sleeping, 0, EA_ACQ_REL) == 0) return;
    /* The sleeper compares seq in the kernel: changed after it armed, it does not sleep. */
    (void)ea_add(&bell->seq, 1, EA_RELEASE);
    ea_word_wake(&bell->seq);
    ea_count(&counters->wakes);
}

uint32_t ea_bell_arm(ea_bell *bell) {
    /* Acquire: seq is read before the flag is raised, so a ring in between changes it. */
    uint32_t seq = ea_load(&bell->seq, EA_ACQUIRE);
    ea_store(&bell->sleeping, 1, EA_SEQ_CST);
    return seq;
}

void ea_bell_sleep(ea_waiter *waiter, ea_bell *bell, uint32_t armed, uint64_t nanoseconds) {
    ea_count(&waiter->counters->sleeps);
    ea_word_sleep(waiter, &bell->seq, armed, nanoseconds);
}

void ea_bell_disarm(ea_bell *bell) { ea_store(&bell->sleeping, 0, EA_RELAXED); }

bool ea_wait_spin(ea_waiter *waiter, ea_ready ready, const void *what) {
    if (waiter->policy == EA_WAIT_SLEEP || waiter->crowded) return ready(what);
    for (uint32_t spin = 0; spin < waiter->spins; spin++) {
        if (ready(what)) {
            /* It paid: look longer next time, up to what sleeping would have cost. */
            if (spin > waiter->spins / 2 && waiter->spins < SPINS_MOST) waiter->spins *= 2;
            return true;
        }
        ea_pause();
    }
    if (waiter->policy == EA_WAIT_ADAPTIVE && waiter->spins > SPINS_LEAST) waiter->spins /= 2;
    return false;
}

bool ea_wait(ea_waiter *waiter, ea_bell *bell, ea_ready ready, const void *what, uint64_t nanoseconds) {
    if (waiter->spins < SPINS_LEAST) waiter->spins = SPINS_MOST;
    if (ea_wait_spin(waiter, ready, what)) return true;
    if (waiter->policy == EA_WAIT_SPIN) return false;
    for (int yield = 0; yield < YIELDS && waiter->policy == EA_WAIT_ADAPTIVE; yield++) {
        ea_count(&waiter->counters->yields);
        sched_yield();
        if (ready(what)) return true;
    }
    uint32_t armed = ea_bell_arm(bell);
    if (!ready(what)) ea_bell_sleep(waiter, bell, armed, nanoseconds);
    ea_bell_disarm(bell);
    return ready(what);
}
