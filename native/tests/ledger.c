#include "ledger.h"
#include "length.h"

#include <string.h>

#include "check.h"
#include "model.h"

enum { MOST_NODES = 16, MESSAGES = MODEL_THREADS * LEDGER_EACH, MEMORY = 16 * 1024 };

/* An operation that began and has not returned may or may not have taken effect: so it
 * stays for ever, if its thread is killed. */
typedef struct {
    int done, pending;
} tally;

typedef struct {
    bool begun, done;
    uint64_t from, to;
} span;

typedef struct {
    tally *own, *other;
    int other_done; /* when the operation began */
    uint64_t from;
} attempt;

world ledger_world;
static _Alignas(64) uint8_t memory[MEMORY];
static uint8_t marks[MOST_NODES];
static unsigned holder[MOST_NODES]; /* 0: nobody, else thread + 1 */
static tally pushes, pops, gives, takes;
static span sent[MESSAGES], received[MESSAGES];
static uint64_t drained; /* the clock stands still outside the model */

static attempt begin(tally *own, tally *other) {
    own->pending++;
    return (attempt){own, other, other->done, model_now()};
}

static void end(const attempt *one, bool worked) {
    one->own->pending--;
    one->own->done += worked;
}

/* The most and the least that can have been inside at some moment of the attempt, without
 * what the attempt itself did. Called before end(). */
static int most_inside(const tally *in, int out_before) { return in->done + in->pending - out_before; }
static int least_inside(int in_before, const tally *out) { return in_before - out->done - out->pending; }

void ledger_open(ledger_size size) {
    CHECK(world_bytes(size.nodes, 32, size.capacity) <= MEMORY && size.nodes <= MOST_NODES);
    world_init(&ledger_world, memory, marks, size.nodes, 32, size.capacity);
    memset(holder, 0, sizeof holder);
    memset(sent, 0, sizeof sent);
    memset(received, 0, sizeof received);
    pushes = pops = takes = (tally){0};
    gives = (tally){.done = (int)size.nodes};
    drained = 0;
    uint32_t index;
    for (unsigned i = 0; i < size.filled; i++)
        CHECK(ledger_take(MODEL_THREADS - 1, &index) && ledger_send(MODEL_THREADS - 1, index, i));
}

static ea_context context(unsigned self) { return world_who(&ledger_world, self + 1); }

static void hold(unsigned self, uint32_t index) {
    CHECK(index < ledger_world.pool.count);
    CHECK(holder[index] == 0 || model_was_killed(holder[index] - 1));
    holder[index] = self + 1;
}

bool ledger_take(unsigned self, uint32_t *index) {
    ea_context who = context(self);
    attempt one = begin(&takes, &gives);
    int before = one.other_done;
    ea_status status = ea_pool_pop_front(&ledger_world.pool, &who, index);
    CHECK(status == EA_OK || status == EA_EMPTY);
    takes.pending--;
    /* Recovered nodes came in without our books; then we know nothing of EMPTY. */
    if (status == EA_EMPTY && model_kills() == 0) CHECK(least_inside(before, &takes) <= 0);
    takes.pending++;
    end(&one, status == EA_OK);
    if (status != EA_OK) return false;
    hold(self, *index);
    return true;
}

void ledger_give(unsigned self, uint32_t index) {
    ea_context who = context(self);
    CHECK(holder[index] == self + 1);
    holder[index] = 0; /* once the swap is done it can be another's before we return */
    attempt one = begin(&gives, &takes);
    CHECK(ea_pool_push_front(&ledger_world.pool, &who, index) == EA_OK);
    end(&one, true);
}

bool ledger_send(unsigned self, uint32_t index, unsigned number) {
    ea_context who = context(self);
    CHECK(number < LEDGER_EACH && holder[index] == self + 1);
    unsigned message = self * LEDGER_EACH + number;
    ea_pool_node(&ledger_world.pool, index)->payload[0] = (uint8_t)message;
    holder[index] = 0;
    attempt one = begin(&pushes, &pops);
    if (!sent[message].begun) sent[message] = (span){.begun = true, .from = model_now()};
    ea_status status = ea_mbox_push_back(&ledger_world.mbox, &who, index);
    CHECK(status == EA_OK || status == EA_FULL);
    if (status == EA_FULL) CHECK(most_inside(&pushes, one.other_done) - 1 > (int)ledger_world.mbox.mask);
    end(&one, status == EA_OK);
    CHECK(least_inside(pushes.done, &pops) <= (int)ledger_world.mbox.mask + 1);
    sent[message].done = status == EA_OK;
    sent[message].to = model_now();
    if (status != EA_OK) holder[index] = self + 1;
    return status == EA_OK;
}

bool ledger_receive(unsigned self, uint32_t *index) {
    ea_context who = context(self);
    attempt one = begin(&pops, &pushes);
    ea_status status = ea_mbox_pop_front(&ledger_world.mbox, &who, index);
    CHECK(status == EA_OK || status == EA_EMPTY);
    pops.pending--;
    if (status == EA_EMPTY) CHECK(least_inside(one.other_done, &pops) <= 0);
    pops.pending++;
    end(&one, status == EA_OK);
    if (status != EA_OK) return false;
    hold(self, *index);
    unsigned message = ea_pool_node(&ledger_world.pool, *index)->payload[0];
    CHECK(message < MESSAGES && sent[message].begun && !received[message].done);
    received[message] = (span){.begun = true, .done = true, .from = one.from + drained, .to = model_now() + drained};
    return true;
}

unsigned ledger_sent(void) { return (unsigned)pushes.done; }
unsigned ledger_received(void) { return (unsigned)pops.done; }

ea_status ledger_recover(void) {
    uint32_t recovered;
    for (unsigned i = 0; i < MODEL_THREADS; i++) ledger_world.dead[i] = model_was_killed(i);
    ea_status status = world_recover(&ledger_world, &recovered);
    CHECK(status == EA_OK || status == EA_BUSY);
    return status;
}

/* A message whose push had returned before another's began must not come out after it. */
static void check_order(unsigned first, unsigned second) {
    if (!sent[first].done || !sent[second].begun || sent[first].to >= sent[second].from) return;
    if (!received[first].done || !received[second].done) return;
    CHECK(received[second].to >= received[first].from);
}

static void drain(void) {
    uint32_t index;
    drained = 1;
    while (ledger_receive(MODEL_THREADS - 1, &index)) {
        drained++;
        ledger_give(MODEL_THREADS - 1, index);
    }
}

void ledger_close(void) {
    CHECK(ledger_recover() == EA_OK);
    CHECK(world_is_complete(&ledger_world, NULL, 0));
    drain();
    CHECK(world_is_complete(&ledger_world, NULL, 0));
    CHECK(ea_pool_length(&ledger_world.pool) == ledger_world.pool.count);
    unsigned missing = 0;
    for (unsigned m = 0; m < MESSAGES; m++) {
        missing += sent[m].done && !received[m].done;
        for (unsigned other = 0; other < MESSAGES; other++) check_order(m, other);
    }
    /* Only a pop that never returned can have taken a message with it. */
    CHECK((int)missing <= pops.pending);
}
