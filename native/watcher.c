#define _GNU_SOURCE
#include "watcher.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* How late the end is noticed, and a ring whose caller was killed half-way. */
static const uint64_t LONGEST_NS = 100 * 1000 * 1000;

static void *watch(void *argument) {
    ea_watcher *self = argument;
    const ea_waiter waiter = {.futex = true};
    uint32_t seen = self->seen;
    while (!ea_load(&self->ended, EA_ACQUIRE)) {
        ea_word_sleep(&waiter, &self->bell->seq, seen, LONGEST_NS);
        /* Read before it is passed on: a ring between the two makes the next sleep end at once. */
        uint32_t now = ea_load(&self->bell->seq, EA_ACQUIRE);
        if (now == seen) continue;
        seen = now;
        uint64_t one = 1;
        /* It fails only when 2^64 rings were not heard. */
        if (write(self->rung, &one, sizeof one) < 0) continue;
    }
    return NULL;
}

int ea_watcher_start(ea_watcher *self, ea_bell *bell, int descriptor) {
    /* Looked at before there is a thread: a ring that comes earlier than it is none of its first. */
    *self = (ea_watcher){.bell = bell, .descriptor = descriptor, .seen = ea_load(&bell->seq, EA_ACQUIRE)};
    self->rung = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->rung < 0) return -errno;
    int failed = pthread_create(&self->thread, NULL, watch, self);
    if (failed != 0) close(self->rung);
    return -failed;
}

void ea_watcher_sleep(ea_watcher *self, uint32_t armed, uint64_t nanoseconds) {
    struct pollfd polled[] = {{.fd = self->descriptor, .events = POLLIN}, {.fd = self->rung, .events = POLLIN}};
    struct timespec most = {.tv_sec = (time_t)(nanoseconds / 1000000000), .tv_nsec = (long)(nanoseconds % 1000000000)};
    if (ea_load(&self->bell->seq, EA_ACQUIRE) != armed) most = (struct timespec){0};
    ppoll(polled, 2, &most, NULL);
    uint64_t rings;
    /* Nothing to read: something else ended the sleep. */
    if (read(self->rung, &rings, sizeof rings) < 0) return;
}

void ea_watcher_end(ea_watcher *self) {
    ea_store(&self->ended, 1, EA_RELEASE);
    pthread_join(self->thread, NULL);
    close(self->rung);
}
