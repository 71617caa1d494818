/* Real threads on the core, for ThreadSanitizer and for the machine's own interleavings.
 *
 *     test_threads [MESSAGES]
 *
 * What a node carries and who holds it are plain variables here: a missing release or
 * acquire in the core is a data race that the sanitizer reports.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "layout.h"
#include "length.h"
#include "baton.h"
#include "channel.h"
#include "check.h"
#include "world.h"

enum { MOST_THREADS = 8, PRODUCERS = 3, CONSUMERS = 3, NODES = 16, CAPACITY = 8 };

/* Nobody sleeps so long unless a wake-up was lost. */
static const uint64_t LOST_NS = 60ull * 1000 * 1000 * 1000;

static uint32_t messages = 200000;
static world made;
static uint32_t holder[NODES]; /* plain, see above */

typedef void (*body)(uint32_t self);

typedef struct {
    body run;
    uint32_t self;
} job;

static void *run_job(void *what) {
    const job *one = what;
    one->run(one->self);
    return NULL;
}

static void run_threads(uint32_t count, const body bodies[]) {
    pthread_t threads[MOST_THREADS];
    job jobs[MOST_THREADS];
    for (uint32_t i = 0; i < count; i++) {
        jobs[i] = (job){bodies[i], i};
        CHECK(pthread_create(&threads[i], NULL, run_job, &jobs[i]) == 0);
    }
    for (uint32_t i = 0; i < count; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

static void hold(uint32_t self, uint32_t index) {
    CHECK(index < NODES && holder[index] == 0);
    holder[index] = self + 1;
}

static void let_go(uint32_t self, uint32_t index) {
    CHECK(holder[index] == self + 1);
    holder[index] = 0;
}

static uint32_t take(uint32_t self) {
    ea_context who = world_who(&made, self + 1);
    uint32_t index;
    while (ea_pool_pop_front(&made.pool, &who, &index) != EA_OK) sched_yield();
    hold(self, index);
    return index;
}

static void give(uint32_t self, uint32_t index) {
    ea_context who = world_who(&made, self + 1);
    let_go(self, index);
    CHECK(ea_pool_push_front(&made.pool, &who, index) == EA_OK);
}

/* --- pool --- */

static void use_pool(uint32_t self) {
    for (uint32_t i = 0; i < messages; i++) {
        uint32_t first = take(self), second = take(self);
        give(self, first);
        give(self, second);
    }
}

static void pool_gives_no_node_twice(void) {
    world_create(&made, NODES, 32, CAPACITY);
    run_threads(4, (const body[]){use_pool, use_pool, use_pool, use_pool});
    CHECK(world_is_complete(&made, NULL, 0) && ea_pool_length(&made.pool) == NODES);
    world_destroy(&made);
}

/* --- mbox --- */

static _Atomic uint32_t delivered;
static uint32_t *times; /* [producer * messages + number], plain */

static void produce(uint32_t self) {
    ea_context who = world_who(&made, self + 1);
    for (uint32_t number = 0; number < messages; number++) {
        uint32_t index = take(self);
        ea_node *node = ea_pool_node(&made.pool, index);
        node->length = self;
        node->rest = number;
        memset(node->payload, (int)(number & 0xFF), 32);
        let_go(self, index);
        ea_status status;
        while ((status = ea_mbox_push_back(&made.mbox, &who, index)) == EA_FULL) sched_yield();
        CHECK(status == EA_OK);
    }
}

static void accept(uint32_t index, uint32_t *next) {
    const ea_node *node = ea_pool_node(&made.pool, index);
    CHECK(node->length < PRODUCERS && node->rest < messages && node->rest >= next[node->length]);
    next[node->length] = node->rest + 1;
    for (int i = 0; i < 32; i++) CHECK(node->payload[i] == (node->rest & 0xFF));
    times[node->length * messages + node->rest]++;
}

static void consume(uint32_t self) {
    ea_context who = world_who(&made, self + 1);
    uint32_t next[PRODUCERS] = {0}, index;
    while (atomic_load(&delivered) < PRODUCERS * messages) {
        ea_status status = ea_mbox_pop_front(&made.mbox, &who, &index);
        CHECK(status == EA_OK || status == EA_EMPTY);
        if (status == EA_EMPTY) {
            sched_yield();
            continue;
        }
        hold(self, index);
        accept(index, next);
        atomic_fetch_add(&delivered, 1);
        give(self, index);
    }
}

static void mpmc_delivers_each_once_in_order(void) {
    world_create(&made, NODES, 32, CAPACITY);
    times = calloc((size_t)PRODUCERS * messages, sizeof *times);
    CHECK(times != NULL);
    atomic_store(&delivered, 0);
    run_threads(PRODUCERS + CONSUMERS, (const body[]){produce, produce, produce, consume, consume, consume});
    for (uint32_t i = 0; i < PRODUCERS * messages; i++) CHECK(times[i] == 1);
    CHECK(world_is_complete(&made, NULL, 0));
    free(times);
    world_destroy(&made);
}

/* --- channel, bell, wait --- */

typedef struct {
    ea_end end;
    ea_waiter waiter;
    ea_bell *bell;
    uint32_t to_send, to_receive, sent, received;
} talker;

static talker talkers[2];
static bool in_turns;

static bool may_send(const talker *self) {
    return self->sent < self->to_send && (!in_turns || self->sent <= self->received);
}

static bool can_go_on(const void *what) {
    const talker *self = what;
    if (ea_end_can_receive(&self->end)) return true;
    return may_send(self) && ea_end_can_send(&self->end);
}

static bool try_send(talker *self) {
    uint32_t index;
    if (!may_send(self) || !ea_end_can_send(&self->end) || ea_end_acquire(&self->end, &index) != EA_OK) return false;
    ea_pool_node(&self->end.pool, index)->length = self->sent;
    if (ea_end_push(&self->end, index) == EA_OK) {
        self->sent++;
        return true;
    }
    CHECK(ea_end_release(&self->end, index) == EA_OK);
    return false;
}

static bool try_receive(talker *self) {
    uint32_t index;
    ea_status status = ea_end_pop(&self->end, &index);
    CHECK(status == EA_OK || status == EA_EMPTY);
    if (status == EA_EMPTY) return false;
    CHECK(ea_pool_node(&self->end.pool, index)->length == self->received);
    self->received++;
    CHECK(ea_end_release(&self->end, index) == EA_OK);
    return true;
}

static void talk(uint32_t side) {
    talker *self = &talkers[side];
    while (self->sent < self->to_send || self->received < self->to_receive) {
        bool did_send = try_send(self);
        bool did_receive = try_receive(self);
        if (did_send || did_receive) continue;
        if (may_send(self)) ea_end_announce(&self->end);
        /* False is honest: woken for room that is not enough. But not after so long. */
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        (void)ea_wait(&self->waiter, self->bell, can_go_on, self, LOST_NS);
        clock_gettime(CLOCK_MONOTONIC, &to);
        CHECK((uint64_t)(to.tv_sec - from.tv_sec) < LOST_NS / 1000000000);
    }
}

static void run_channel(uint32_t capacity, ea_waiter waiter, uint32_t first, uint32_t second) {
    enum { SIZE = 64 * 1024 };
    uint8_t *memory = aligned_alloc(EA_LINE, SIZE);
    CHECK(memory != NULL);
    memset(memory, 0, SIZE);
    ea_region region = {memory, SIZE};
    ea_channel_plan plan = {.shared = 1024, .mbox = {2048, 4096}, .pool = 8192, .capacity = capacity, .payload = 32};
    CHECK(ea_channel_init(&region, &plan));
    for (uint32_t side = 0; side < 2; side++) {
        ea_participant *me = ea_region_at(&region, 512 + 128 * side, sizeof *me);
        plan.side = side;
        plan.peer_bell = 128 + 128 * (1 - side);
        talkers[side] = (talker){.to_send = side == 0 ? first : second, .to_receive = side == 0 ? second : first};
        talkers[side].waiter = waiter;
        talkers[side].waiter.counters = me;
        talkers[side].bell = ea_region_at(&region, 128 + 128 * side, sizeof(ea_bell));
        CHECK(ea_end_attach(&talkers[side].end, &region, &plan, (ea_context){me, side + 1}));
    }
    run_threads(2, (const body[]){talk, talk});
    uint32_t inside = ea_pool_length(&talkers[0].end.pool) + talkers[0].end.stash.count + talkers[1].end.stash.count;
    CHECK(inside == talkers[0].end.pool.count);
    free(memory);
}

static const ea_waiter WAITERS[] = {
    {.policy = EA_WAIT_ADAPTIVE, .futex = true},
    {.policy = EA_WAIT_ADAPTIVE, .futex = true, .crowded = true},
    {.policy = EA_WAIT_SLEEP, .futex = true},
    {.policy = EA_WAIT_SLEEP, .futex = false},
};

static void channel_streams_with_every_policy(void) {
    in_turns = false;
    for (size_t i = 0; i < sizeof WAITERS / sizeof WAITERS[0]; i++) {
        uint32_t count = WAITERS[i].futex ? messages / 8 : 200;
        run_channel(1, WAITERS[i], count, 0);
        run_channel(4, WAITERS[i], count, count);
    }
}

static void channel_takes_turns_with_every_policy(void) {
    in_turns = true;
    for (size_t i = 0; i < sizeof WAITERS / sizeof WAITERS[0]; i++) {
        uint32_t count = WAITERS[i].futex ? messages / 8 : 200;
        run_channel(2, WAITERS[i], count, count - 1);
    }
}

static ea_baton baton;
static uint32_t turns_taken; /* plain: the baton orders it */

static void run_in_turn(uint32_t self) {
    ea_participant counters = {0};
    ea_waiter waiter = {.futex = true, .counters = &counters};
    for (uint32_t turn = 0; turn < messages / 16; turn++) {
        while (!ea_baton_wait(&baton, &waiter, self, LOST_NS)) sched_yield();
        CHECK(turns_taken++ == turn * 3 + self);
        ea_baton_pass(&baton, (self + 1) % 3);
    }
}

static void baton_lets_one_run_at_a_time(void) {
    memset(&baton, 0, sizeof baton);
    turns_taken = 0;
    run_threads(3, (const body[]){run_in_turn, run_in_turn, run_in_turn});
}

int main(int argc, char **argv) {
    static const check_test TESTS[] = {
        TEST(pool_gives_no_node_twice),
        TEST(mpmc_delivers_each_once_in_order),
        TEST(channel_streams_with_every_policy),
        TEST(channel_takes_turns_with_every_policy),
        TEST(baton_lets_one_run_at_a_time),
    };
    if (argc > 1) messages = (uint32_t)strtoul(argv[1], NULL, 10);
    check_watch(300);
    return check_all(TESTS, sizeof TESTS / sizeof TESTS[0]);
}
