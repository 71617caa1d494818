/* Coroutines are made with makecontext once, and switched with _setjmp and _longjmp from
 * then on: swapcontext would pay a system call for each of the millions of switches. A
 * killed coroutine is just never continued; its stack is used again by the next run. */
#define _GNU_SOURCE
#include "model.h"

#include <linux/futex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <ucontext.h>

#include "check.h"

enum { STACK = 128 * 1024, MOST_STEPS = 200 * 1000, MOST_CHANGES = 3, MOST_KILLS = 4 };

typedef enum { READY, ASLEEP, ENDED, KILLED } state;

typedef struct {
    jmp_buf start, here;
    state state;
    bool fresh, mortal;
    model_body body;
    int64_t priority;
    const _Atomic uint32_t *word; /* ASLEEP on it */
} coroutine;

static _Alignas(64) char stacks[MODEL_THREADS][STACK];
static coroutine all[MODEL_THREADS];
static unsigned spawned, current, kill_count, kills_done, booting;
static bool running, booted;
static model_plan plan;
static model_end outcome;
static uint64_t state_of_random, now, changes[MOST_CHANGES], kills[MOST_KILLS];
static uint32_t switch_limit; /* MODEL_RANDOM: one step in so many switches */
static int64_t lowest;
static jmp_buf outside;

static void start(void) {
    if (_setjmp(all[booting].start) == 0) _longjmp(outside, 1);
    /* Here again at the start of every run; no local survives from an earlier one. */
    all[current].body(current);
    all[current].state = ENDED;
    model_yield();
    __builtin_unreachable();
}

static void boot(void) {
    static ucontext_t context;
    for (booting = 0; booting < MODEL_THREADS; booting++) {
        getcontext(&context);
        context.uc_stack.ss_sp = stacks[booting];
        context.uc_stack.ss_size = STACK;
        makecontext(&context, start, 0);
        if (_setjmp(outside) == 0) setcontext(&context);
    }
    booted = true;
}

uint32_t model_random(uint32_t limit) { return check_below(&state_of_random, limit); }

void model_begin(const model_plan *chosen) {
    static const uint32_t LIMITS[] = {2, 4, 12, 40};
    if (!booted) boot();
    plan = *chosen;
    state_of_random = plan.seed;
    spawned = kills_done = kill_count = 0;
    now = 0;
    lowest = 0;
    switch_limit = LIMITS[model_random(4)];
    uint32_t length = plan.length < 8 ? 8 : (uint32_t)plan.length;
    for (int i = 0; i < MOST_CHANGES; i++) changes[i] = 1 + model_random(length);
    /* Fewer kills than allowed are tried, too: a death must not hide the faults of the living. */
    kill_count = plan.kills == 0 ? 0 : model_random((plan.kills < MOST_KILLS ? plan.kills : MOST_KILLS) + 1);
    for (int i = 0; i < MOST_KILLS; i++) kills[i] = 1 + model_random(length);
}

void model_spawn(model_body body, bool mortal) {
    CHECK(spawned < MODEL_THREADS);
    coroutine *made = &all[spawned++];
    made->state = READY;
    made->fresh = true;
    made->mortal = mortal;
    made->body = body;
    made->priority = model_random(1 << 20);
}

static unsigned count_in(state wanted) {
    unsigned count = 0;
    for (unsigned i = 0; i < spawned; i++) count += all[i].state == wanted;
    return count;
}

static unsigned nth_ready(uint32_t n) {
    for (unsigned i = 0;; i++)
        if (all[i].state == READY && n-- == 0) return i;
}

static unsigned first_by_priority(void) {
    unsigned best = nth_ready(0);
    for (unsigned i = best + 1; i < spawned; i++)
        if (all[i].state == READY && all[i].priority > all[best].priority) best = i;
    return best;
}

static unsigned next_in_turn(void) {
    unsigned i = current;
    do i = (i + 1) % spawned;
    while (all[i].state != READY);
    return i;
}

static _Noreturn void leave(model_end how) {
    running = false;
    outcome = how;
    _longjmp(outside, 1);
}

/* Nobody can run. Sleeps are bounded, so after a death, which may have cost a wake-up, time
 * passes; but nobody may need that while all are alive. */
static void pass_time(void) {
    if (count_in(ASLEEP) == 0) leave(MODEL_ENDED);
    if (kills_done == 0) leave(MODEL_STUCK);
    for (unsigned i = 0; i < spawned; i++)
        if (all[i].state == ASLEEP) all[i].state = READY;
}

static unsigned choose(void) {
    if (count_in(READY) == 0) pass_time();
    if (plan.mode == MODEL_RANDOM) return nth_ready(model_random(count_in(READY)));
    return plan.mode == MODEL_PRIORITY ? first_by_priority() : next_in_turn();
}

static _Noreturn void enter(unsigned thread) {
    current = thread;
    bool fresh = all[thread].fresh;
    all[thread].fresh = false;
    _longjmp(fresh ? all[thread].start : all[thread].here, 1);
}

static void switch_to(unsigned thread) {
    if (thread == current && all[current].state == READY) return;
    if (_setjmp(all[current].here) == 0) enter(thread);
}

model_end model_run(void) {
    running = true;
    if (_setjmp(outside) == 0) {
        current = spawned - 1;
        enter(plan.mode == MODEL_POINTS ? plan.first % spawned : choose());
    }
    return outcome;
}

static bool kill_is_due(void) {
    if (!all[current].mortal) return false;
    if (plan.mode == MODEL_POINTS) return now == plan.kill_at;
    for (unsigned i = 0; i < kill_count; i++)
        if (now == kills[i]) return true;
    return false;
}

static bool switch_is_due(void) {
    if (plan.mode == MODEL_RANDOM) return model_random(switch_limit) == 0;
    if (plan.mode == MODEL_POINTS) return now == plan.switch_at[0] || now == plan.switch_at[1];
    for (int i = 0; i < MOST_CHANGES; i++)
        if (now == changes[i]) all[current].priority = --lowest;
    return true; /* whoever is first; perhaps someone with a higher priority has woken */
}

void ea_model_step(void) {
    now++;
    if (!running) return;
    if (now > MOST_STEPS) leave(MODEL_ENDLESS);
    if (kill_is_due()) {
        kills_done++;
        all[current].state = KILLED;
        switch_to(choose());
    }
    if (switch_is_due()) switch_to(choose());
}

void model_yield(void) {
    now++;
    if (!running) return;
    if (now > MOST_STEPS) leave(MODEL_ENDLESS);
    all[current].priority = --lowest;
    switch_to(choose());
}

int ea_model_sched_yield(void) {
    /* A kernel may well go on with the caller; who counts on more must be seen to sleep. */
    ea_model_step();
    return 0;
}

static void futex_wait(const _Atomic uint32_t *word, uint32_t value) {
    ea_model_step();
    /* The kernel compares and goes to sleep as one step. */
    if (atomic_load(word) != value) return;
    all[current].state = ASLEEP;
    all[current].word = word;
    switch_to(choose());
}

static void futex_wake(const _Atomic uint32_t *word) {
    ea_model_step();
    for (unsigned i = 0; i < spawned; i++)
        if (all[i].state == ASLEEP && all[i].word == word) all[i].state = READY;
}

long ea_model_syscall(long number, ...) {
    (void)number;
    va_list arguments;
    va_start(arguments, number);
    const _Atomic uint32_t *word = va_arg(arguments, const _Atomic uint32_t *);
    int operation = va_arg(arguments, int);
    uint32_t value = va_arg(arguments, uint32_t);
    va_end(arguments);
    if (operation == FUTEX_WAIT) futex_wait(word, value);
    if (operation == FUTEX_WAKE) futex_wake(word);
    return 0;
}

bool model_was_killed(unsigned thread) { return thread < spawned && all[thread].state == KILLED; }
unsigned model_kills(void) { return kills_done; }
uint64_t model_now(void) { return now; }

bool model_alone(unsigned self) {
    for (unsigned i = 0; i < spawned; i++)
        if (i != self && all[i].state != ENDED && all[i].state != KILLED) return false;
    return true;
}
