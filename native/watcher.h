/* Watcher: lets a worker of the host sleep on its bell and on a file descriptor at once.
 *
 * A bell is rung by a futex, for enclaves make no other system call; sockets and timers wake
 * who polls a descriptor. So a thread of the watcher sleeps on the bell in the worker's
 * place, and passes each ring on through an eventfd that the worker polls beside its own
 * descriptor. While the worker is awake nobody rings, and the thread sleeps through. */
#ifndef EA_WATCHER_H
#define EA_WATCHER_H

#include <pthread.h>

#include "wait.h"

typedef struct {
    ea_bell *bell;
    pthread_t thread;
    int descriptor, rung; /* the worker's own; the eventfd */
    ea_a32 ended;
    uint32_t seen; /* of the bell, when it was started */
} ea_watcher;

/* 0 or a negative errno. The descriptor stays the caller's. */
int ea_watcher_start(ea_watcher *self, ea_bell *bell, int descriptor);
/* Until the bell rings after `armed`, the descriptor is ready, or the time has passed. */
void ea_watcher_sleep(ea_watcher *self, uint32_t armed, uint64_t nanoseconds);
void ea_watcher_end(ea_watcher *self);

#endif
