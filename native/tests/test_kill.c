/* Real processes, some of which are killed with -9 while they work.
 *
 *     test_kill [SEED [COUNT [MESSAGES]]]
 *
 * Four producers and four consumers in eight processes share one mbox and one pool; two of
 * the eight die. A victim, when it has moved as many messages as the seed says, starts a
 * timer of some microseconds that sends it SIGKILL, and works on: so it dies at any
 * instruction, mostly in the middle of the core, and not just where it waits.
 *
 * The account of what was sent and delivered is in shared memory too, and survives:
 *  - a producer writes that it is about to send i before the push and that it has sent i
 *    after it: of each killed producer one message is in doubt;
 *  - a consumer counts a message delivered after the pop: each killed consumer can have
 *    taken one that is not counted.
 * A producer and a consumer hold at most one node each; the pool must get them back.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "check.h"
#include "length.h"
#include "world.h"

enum { PRODUCERS = 4, CONSUMERS = 4, PROCESSES = PRODUCERS + CONSUMERS, KILLS = 2, NODES = 96, CAPACITY = 64 };
enum { WATCH_SECONDS = 120, LONGEST_FUSE_NS = 100 * 1000 };

typedef struct {
    _Alignas(EA_LINE) ea_a32 about_to_send; /* messages begun */
    ea_a32 sent;                            /* messages whose push has returned */
} producer_account;

typedef struct {
    _Alignas(EA_LINE) ea_a32 go, producers_gone;
    producer_account producers[PRODUCERS];
    _Atomic uint8_t delivered[]; /* how often, by message */
} account;

typedef struct {
    uint64_t seed;
    uint32_t per_producer;
    pid_t pids[PROCESSES];
    bool gone[PROCESSES], killed[PROCESSES];
    uint32_t fuse_after[PROCESSES]; /* messages; 0: no victim */
    uint64_t fuse_ns[PROCESSES];
    size_t bytes, account_bytes;
    uint32_t recovered_at_work;
} run;

typedef struct {
    uint32_t message, check; /* `check` tells a torn payload */
} payload;

static world made;
static account *books;
static run now;
static uint8_t marks[NODES];
static uint32_t moving, deaths; /* how often a victim died in the middle of a move */

/* --- the processes --- */

static void light_fuse(uint64_t nanoseconds) {
    struct sigevent kill_me = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    struct itimerspec when = {.it_value = {.tv_nsec = (long)nanoseconds}};
    timer_t timer;
    CHECK(timer_create(CLOCK_MONOTONIC, &kill_me, &timer) == 0);
    CHECK(timer_settime(timer, 0, &when, NULL) == 0);
}

static void count_move(uint32_t self, uint32_t moves) {
    if (now.fuse_after[self] == moves) light_fuse(now.fuse_ns[self]);
}

static void produce(uint32_t self) {
    ea_context who = world_who(&made, self + 1);
    producer_account *mine = &books->producers[self];
    for (uint32_t number = 0; number < now.per_producer; number++) {
        uint32_t index;
        ea_status status;
        count_move(self, number + 1);
        while ((status = ea_pool_pop_front(&made.pool, &who, &index)) == EA_EMPTY) sched_yield();
        CHECK(status == EA_OK);
        payload text = {.message = self * now.per_producer + number};
        text.check = ~text.message;
        memcpy(ea_pool_node(&made.pool, index)->payload, &text, sizeof text);
        ea_store(&mine->about_to_send, number + 1, EA_RELEASE);
        while ((status = ea_mbox_push_back(&made.mbox, &who, index)) == EA_FULL) sched_yield();
        CHECK(status == EA_OK);
        ea_store(&mine->sent, number + 1, EA_RELEASE);
    }
}

static void deliver(uint32_t index, uint32_t *next) {
    payload text;
    memcpy(&text, ea_pool_node(&made.pool, index)->payload, sizeof text);
    uint32_t producer = text.message / now.per_producer;
    CHECK(text.check == ~text.message && producer < PRODUCERS);
    CHECK(text.message >= next[producer]); /* first in, first out, as far as one consumer sees */
    next[producer] = text.message + 1;
    atomic_fetch_add(&books->delivered[text.message], 1);
}

static void consume(uint32_t self) {
    ea_context who = world_who(&made, self + 1);
    uint32_t next[PRODUCERS] = {0}, moves = 0, index;
    for (;;) {
        uint32_t last_look = ea_load(&books->producers_gone, EA_ACQUIRE);
        ea_status status = ea_mbox_pop_front(&made.mbox, &who, &index);
        CHECK(status == EA_OK || status == EA_EMPTY);
        if (status == EA_OK) {
            deliver(index, next);
            CHECK(ea_pool_push_front(&made.pool, &who, index) == EA_OK);
            count_move(self, ++moves);
        } else if (last_look != 0) {
            return;
        } else {
            sched_yield();
        }
    }
}

static void start(uint32_t self) {
    pid_t parent = getpid();
    now.pids[self] = fork();
    CHECK(now.pids[self] >= 0);
    if (now.pids[self] > 0) return;
    /* No process is left behind, however the parent ends. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    while (ea_load(&books->go, EA_ACQUIRE) == 0) sched_yield();
    if (self < PRODUCERS) produce(self);
    else consume(self);
    /* Two die in every run, also if the machine gave this one too little to do before. */
    if (now.fuse_after[self] != 0) raise(SIGKILL);
    _exit(0);
}

/* --- the parent --- */

static void lay_out(uint64_t seed, uint32_t messages) {
    now = (run){.seed = seed, .per_producer = messages / PRODUCERS};
    now.account_bytes = sizeof(account) + (size_t)messages;
    now.account_bytes = (now.account_bytes + EA_LINE - 1) / EA_LINE * EA_LINE;
    now.bytes = now.account_bytes + world_bytes(NODES, sizeof(payload), CAPACITY);
    uint8_t *memory = mmap(NULL, now.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    books = (account *)(void *)memory;
    world_init(&made, memory + now.account_bytes, marks, NODES, sizeof(payload), CAPACITY);
}

static void choose_victims(void) {
    uint64_t random = now.seed;
    for (uint32_t chosen = 0; chosen < KILLS;) {
        uint32_t victim = check_below(&random, PROCESSES);
        if (now.fuse_after[victim] != 0) continue;
        /* A consumer may get less than its share; half of that it will get. */
        uint32_t share = victim < PRODUCERS ? now.per_producer : now.per_producer / 2;
        now.fuse_after[victim] = 1 + check_below(&random, share);
        now.fuse_ns[victim] = 1 + check_below(&random, LONGEST_FUSE_NS);
        chosen++;
    }
}

static void recover_at_work(void) {
    for (int attempt = 0; attempt < 100; attempt++) {
        uint32_t recovered;
        ea_status status = world_recover(&made, &recovered);
        now.recovered_at_work += recovered;
        CHECK(status == EA_OK || status == EA_BUSY);
        if (status == EA_OK) return;
        sched_yield();
    }
}

static uint32_t who_was(pid_t pid) {
    for (uint32_t i = 0; i < PROCESSES; i++)
        if (now.pids[i] == pid) return i;
    check_failed(__FILE__, __LINE__, "a process of ours");
}

static bool producers_gone(void) {
    for (uint32_t i = 0; i < PRODUCERS; i++)
        if (!now.gone[i]) return false;
    return true;
}

static void reap(void) {
    for (int left = PROCESSES; left > 0; left--) {
        int status;
        pid_t pid = waitpid(-1, &status, 0);
        CHECK(pid > 0);
        uint32_t self = who_was(pid);
        now.gone[self] = true;
        if (WIFSIGNALED(status)) {
            CHECK(WTERMSIG(status) == SIGKILL && now.fuse_after[self] != 0);
            now.killed[self] = made.dead[self] = true;
            deaths++;
            moving += ea_load(&world_who(&made, self + 1).shared->hazard, EA_ACQUIRE) != 0;
            recover_at_work();
        } else {
            CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        }
        if (producers_gone()) ea_store(&books->producers_gone, 1, EA_RELEASE);
    }
}

/* How many messages that were surely sent never came. */
static uint32_t missing_of(uint32_t producer) {
    uint32_t sent = ea_load(&books->producers[producer].sent, EA_ACQUIRE), missing = 0;
    uint32_t begun = ea_load(&books->producers[producer].about_to_send, EA_ACQUIRE);
    CHECK(now.killed[producer] ? begun - sent <= 1 : sent == now.per_producer);
    for (uint32_t number = 0; number < now.per_producer; number++) {
        uint8_t times = atomic_load(&books->delivered[producer * now.per_producer + number]);
        CHECK(times <= (number < begun ? 1 : 0));
        missing += number < sent && times == 0;
    }
    return missing;
}

static void check_account(void) {
    uint32_t missing = 0, killed_consumers = 0, recovered;
    for (uint32_t i = 0; i < PRODUCERS; i++) missing += missing_of(i);
    for (uint32_t i = PRODUCERS; i < PROCESSES; i++) killed_consumers += now.killed[i];
    CHECK(missing <= killed_consumers);
    CHECK(ea_mbox_is_empty(&made.mbox) || killed_consumers > 0); /* a head left behind is moved by the next pop */
    CHECK(world_recover(&made, &recovered) == EA_OK);
    CHECK(ea_pool_length(&made.pool) == NODES && world_is_complete(&made, NULL, 0));
    CHECK(now.recovered_at_work + recovered <= KILLS);
}

int main(int argc, char **argv) {
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 3;
    uint32_t messages = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 100000;
    messages -= messages % PRODUCERS;
    if (messages < 2 * PRODUCERS) return fprintf(stderr, "test_kill: too few messages\n"), 2;
    for (uint64_t i = 0; i < count; i++) {
        snprintf(check_context, sizeof check_context, "test_kill %" PRIu64 " 1 %" PRIu32, seed + i, messages);
        check_watch(WATCH_SECONDS);
        lay_out(seed + i, messages);
        choose_victims();
        for (uint32_t self = 0; self < PROCESSES; self++) start(self);
        ea_store(&books->go, 1, EA_RELEASE);
        reap();
        check_account();
        printf("ok %s: recovered %" PRIu32 " at work\n", check_context, now.recovered_at_work);
        fflush(stdout);
        munmap(books, now.bytes);
    }
    CHECK(deaths == KILLS * count);
    printf("%" PRIu32 " killed, %" PRIu32 " of them while moving a node\n", deaths, moving);
    return 0;
}
