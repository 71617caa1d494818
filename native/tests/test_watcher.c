/* The watcher: whatever a worker of the host sleeps on, it wakes; and nothing of it is left. */
#define _GNU_SOURCE
#include "watcher.h"

#include <dirent.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { ROUNDS = 2000 };

/* Nobody sleeps so long unless a ring was lost. */
static const uint64_t LOST_NS = 60ull * 1000 * 1000 * 1000, SOON_NS = 2 * 1000 * 1000;

static ea_bell bell;
static ea_participant counters;
static ea_watcher watcher;
static int descriptor;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static uint32_t open_descriptors(void) {
    uint32_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    CHECK(folder != NULL);
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

static void start(void) {
    memset(&bell, 0, sizeof bell);
    descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(descriptor >= 0 && ea_watcher_start(&watcher, &bell, descriptor) == 0);
}

static void end(void) {
    ea_watcher_end(&watcher);
    close(descriptor);
}

/* As a worker does: announce, look once more, sleep, be awake. */
static void sleep_once(uint64_t nanoseconds) {
    uint32_t armed = ea_bell_arm(&bell);
    ea_watcher_sleep(&watcher, armed, nanoseconds);
    ea_bell_disarm(&bell);
}

static void a_sleep_ends_in_time(void) {
    start();
    uint64_t began = now();
    sleep_once(SOON_NS);
    CHECK(now() - began >= SOON_NS);
    end();
}

static void a_readable_descriptor_ends_a_sleep(void) {
    start();
    uint64_t one = 1;
    CHECK(write(descriptor, &one, sizeof one) == sizeof one);
    sleep_once(LOST_NS);
    end();
}

static void a_ring_between_arming_and_sleeping_is_not_slept_over(void) {
    start();
    uint32_t armed = ea_bell_arm(&bell);
    ea_bell_ring(&bell, &counters);
    ea_watcher_sleep(&watcher, armed, LOST_NS);
    ea_bell_disarm(&bell);
    end();
}

static ea_a32 given;

static void *give(void *unused) {
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        while (ea_load(&given, EA_ACQUIRE) != 2 * round - 1) sched_yield();
        ea_store(&given, 2 * round, EA_SEQ_CST);
        ea_bell_ring(&bell, &counters);
    }
    return unused;
}

static void no_ring_is_lost(void) {
    start();
    ea_store(&given, 0, EA_RELEASE);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, give, NULL) == 0);
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        ea_store(&given, 2 * round - 1, EA_RELEASE);
        while (ea_load(&given, EA_SEQ_CST) != 2 * round) {
            uint32_t armed = ea_bell_arm(&bell);
            if (ea_load(&given, EA_SEQ_CST) != 2 * round) {
                uint64_t began = now();
                ea_watcher_sleep(&watcher, armed, LOST_NS);
                CHECK(now() - began < LOST_NS);
            }
            ea_bell_disarm(&bell);
        }
    }
    CHECK(pthread_join(thread, NULL) == 0);
    end();
}

static void nothing_is_left_of_it(void) {
    uint32_t before = open_descriptors();
    for (int i = 0; i < 5; i++) {
        start();
        sleep_once(0);
        end();
    }
    CHECK(open_descriptors() == before);
}

int main(void) {
    static const check_test TESTS[] = {
        TEST(a_sleep_ends_in_time),
        TEST(a_readable_descriptor_ends_a_sleep),
        TEST(a_ring_between_arming_and_sleeping_is_not_slept_over),
        TEST(no_ring_is_lost),
        TEST(nothing_is_left_of_it),
    };
    check_watch(300);
    return check_all(TESTS, sizeof TESTS / sizeof TESTS[0]);
}
