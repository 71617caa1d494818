/* A ping-pong between two processes over the native channel, without Python: what the
 * runtime's own rate is measured against. Prints round trips per second.
 *
 *     pingpong ROUNDS CPU CPU
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "layout.h"
#include "channel.h"

enum { CAPACITY = 64, PAYLOAD = 4096, MESSAGE = 16, SIZE = 1 << 21 };

static bool can_receive(const void *end) { return ea_end_can_receive(end); }

static void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    (void)sched_setaffinity(0, sizeof set, &set);
}

static void send_one(ea_end *end) {
    uint32_t index;
    if (ea_end_acquire(end, &index) != EA_OK) abort();
    ea_node *node = ea_pool_node(&end->pool, index);
    node->length = MESSAGE;
    memcpy(node->payload, "0123456789abcdef", MESSAGE);
    if (ea_end_push(end, index) != EA_OK) abort();
}

static void receive_one(ea_end *end, ea_waiter *waiter, ea_bell *bell) {
    char message[MESSAGE];
    uint32_t index;
    while (ea_end_pop(end, &index) != EA_OK) ea_wait(waiter, bell, can_receive, end, 50000000);
    ea_node *node = ea_pool_node(&end->pool, index);
    if (ea_fetch(node->length) != MESSAGE) abort();
    memcpy(message, node->payload, MESSAGE);
    ea_end_release(end, index);
}

int main(int argc, char **argv) {
    if (argc != 4) return fprintf(stderr, "usage: pingpong ROUNDS CPU CPU\n"), 2;
    long rounds = atol(argv[1]);
    void *base = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) return 1;
    ea_region region = {.base = base, .size = SIZE};
    ea_channel_plan plan = {.shared = 1024, .mbox = {2048, 8192}, .pool = 16384, .capacity = CAPACITY, .payload = PAYLOAD};
    if (!ea_channel_init(&region, &plan)) return 1;

    pid_t child = fork();
    plan.side = child == 0;
    pin(atoi(argv[2 + plan.side]));
    ea_bell *bell = ea_region_at(&region, 128 + 128 * plan.side, sizeof *bell);
    plan.peer_bell = 128 + 128 * (1 - plan.side);
    ea_participant *me = ea_region_at(&region, 512 + 128 * plan.side, sizeof *me);
    ea_waiter waiter = {.futex = true, .counters = me};
    ea_end end;
    if (!ea_end_attach(&end, &region, &plan, (ea_context){me, plan.side + 1})) return 1;

    struct timespec start, stop;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (long i = 0; i < rounds; i++) {
        if (plan.side == 0) send_one(&end);
        receive_one(&end, &waiter, bell);
        if (plan.side == 1) send_one(&end);
    }
    clock_gettime(CLOCK_MONOTONIC, &stop);
    if (plan.side == 1) return 0;
    waitpid(child, NULL, 0);
    double seconds = (double)(stop.tv_sec - start.tv_sec) + (double)(stop.tv_nsec - start.tv_nsec) / 1e9;
    printf("%.0f\n", (double)rounds / seconds);
    return 0;
}
