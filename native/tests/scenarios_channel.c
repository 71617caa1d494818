/* Bells, channels and batons. A thread here sleeps at once instead of spinning, and sleeps for
 * ever: the model reports as stuck whoever needs the bound of a sleep to go on. */
#include <string.h>

#include "layout.h"
#include "length.h"
#include "baton.h"
#include "channel.h"
#include "check.h"
#include "ledger.h"
#include "model.h"
#include "scenarios.h"

enum { MEMORY = 16 * 1024, POOL_AT = 4096 };

typedef struct {
    ea_end end;
    unsigned to_send, to_receive, sent, received;
} talker;

static _Alignas(64) uint8_t memory[MEMORY];
static talker talkers[2];
static ea_bell *bells[2];
static bool in_turns; /* each sends only after it received */
static unsigned each;

static ea_waiter sleeper(ea_participant *counters) {
    return (ea_waiter){.policy = EA_WAIT_SLEEP, .futex = true, .counters = counters};
}

/* --- one mbox, two producers, a consumer that sleeps --- */

static ea_bell consumer_bell;

static bool has_mail(const void *mbox) { return !ea_mbox_is_empty(mbox); }

static void send_and_ring(unsigned self) {
    uint32_t index;
    for (unsigned number = 0; number < each; number++) {
        CHECK(ledger_take(self, &index) && ledger_send(self, index, number));
        ea_bell_ring(&consumer_bell, world_who(&ledger_world, self + 1).shared);
    }
}

static void sleep_and_receive(unsigned self) {
    uint32_t index;
    ea_waiter waiter = sleeper(world_who(&ledger_world, self + 1).shared);
    while (ledger_received() < 2 * each) {
        if (ledger_receive(self, &index)) {
            ledger_give(self, index);
            continue;
        }
        if (model_kills() > 0 && model_alone(self) && ea_mbox_length(&ledger_world.mbox) == 0) return;
        (void)ea_wait(&waiter, &consumer_bell, has_mail, &ledger_world.mbox, 1000);
    }
}

static void open_bell(bool mortal) {
    /* Room and nodes for all: here only the consumer waits. */
    each = 2;
    ledger_open((ledger_size){.nodes = 6, .capacity = 4});
    memset(&consumer_bell, 0, sizeof consumer_bell);
    model_spawn(send_and_ring, mortal);
    model_spawn(send_and_ring, mortal);
    model_spawn(sleep_and_receive, false);
}

static void open_bell_immortal(void) { open_bell(false); }
static void open_bell_mortal(void) { open_bell(true); }

/* --- a channel --- */

static bool may_send(const talker *self) {
    return self->sent < self->to_send && (!in_turns || self->sent <= self->received);
}

static bool can_go_on(const void *what) {
    const talker *self = what;
    if (self->received < self->to_receive && ea_end_can_receive(&self->end)) return true;
    return may_send(self) && ea_end_can_send(&self->end);
}

static bool try_send(talker *self) {
    uint32_t index;
    if (!may_send(self) || !ea_end_can_send(&self->end)) return false;
    ea_status status = ea_end_acquire(&self->end, &index);
    CHECK(status == EA_OK || status == EA_EMPTY);
    if (status == EA_EMPTY) return false;
    ea_pool_node(&self->end.pool, index)->payload[0] = (uint8_t)self->sent;
    status = ea_end_push(&self->end, index);
    CHECK(status == EA_OK || status == EA_FULL);
    if (status == EA_FULL) CHECK(ea_end_release(&self->end, index) == EA_OK);
    self->sent += status == EA_OK;
    return status == EA_OK;
}

static bool try_receive(talker *self) {
    uint32_t index;
    ea_status status = ea_end_pop(&self->end, &index);
    CHECK(status == EA_OK || status == EA_EMPTY);
    if (status == EA_EMPTY) return false;
    CHECK(ea_pool_node(&self->end.pool, index)->payload[0] == self->received);
    self->received++;
    CHECK(ea_end_release(&self->end, index) == EA_OK);
    return true;
}

static void talk(unsigned side) {
    talker *self = &talkers[side];
    ea_waiter waiter = sleeper(self->end.who.shared);
    while (self->sent < self->to_send || self->received < self->to_receive) {
        bool did_send = try_send(self);
        bool did_receive = try_receive(self);
        if (did_send || did_receive) continue;
        if (model_kills() > 0 && model_alone(side)) return;
        if (may_send(self)) ea_end_announce(&self->end);
        (void)ea_wait(&waiter, bells[side], can_go_on, self, 1000);
    }
}

static void open_channel(uint32_t capacity, unsigned from_first, unsigned from_second, bool mortal) {
    static ea_participant participants[2];
    ea_region region = {memory, MEMORY};
    ea_channel_plan plan = {.pool = POOL_AT, .mbox = {1024, 2048}, .capacity = capacity, .payload = 32};
    memset(memory, 0, sizeof memory);
    memset(participants, 0, sizeof participants);
    CHECK(ea_channel_init(&region, &plan));
    for (uint32_t side = 0; side < 2; side++) {
        plan.side = side;
        plan.peer_bell = 256 + 64 * (1 - side);
        bells[side] = ea_region_at(&region, 256 + 64 * side, sizeof(ea_bell));
        talkers[side] = (talker){.to_send = side == 0 ? from_first : from_second};
        talkers[side].to_receive = side == 0 ? from_second : from_first;
        CHECK(ea_end_attach(&talkers[side].end, &region, &plan, (ea_context){&participants[side], side + 1}));
        model_spawn(talk, mortal);
    }
}

static void open_stream(void) {
    in_turns = false;
    open_channel(1, 4, 0, false);
}

static void open_both_ways(void) {
    in_turns = false;
    open_channel(2, 5, 5, false);
}

static void open_ping_pong(void) {
    in_turns = true;
    open_channel(1, 3, 2, false);
}

static void open_mortal_ends(void) {
    in_turns = false;
    open_channel(1, 4, 4, true);
}

static void all_talked(void) {
    uint32_t inside = ea_pool_length(&talkers[0].end.pool);
    for (int side = 0; side < 2; side++) {
        inside += talkers[side].end.stash.count;
        CHECK(talkers[side].sent == talkers[side].to_send);
        CHECK(talkers[side].received == talkers[side].to_receive);
    }
    CHECK(inside == talkers[0].end.pool.count);
}

static void nothing_more(void) {}

/* --- a baton --- */

enum { RUNNERS = 3, LAPS = 2 };

static ea_baton baton;
static unsigned turns_taken;

static void run_in_turn(unsigned self) {
    ea_participant counters = {0};
    ea_waiter waiter = sleeper(&counters);
    for (unsigned lap = 0; lap < LAPS; lap++) {
        while (!ea_baton_wait(&baton, &waiter, self, 1000)) model_yield();
        CHECK(turns_taken++ == lap * RUNNERS + self);
        ea_baton_pass(&baton, (self + 1) % RUNNERS);
    }
}

static void open_baton(void) {
    memset(&baton, 0, sizeof baton);
    turns_taken = 0;
    for (int i = 0; i < RUNNERS; i++) model_spawn(run_in_turn, false);
}

static void all_had_their_turns(void) { CHECK(turns_taken == RUNNERS * LAPS); }

const scenario channel_scenarios[] = {
    {"no_wake_up_is_lost", open_bell_immortal, ledger_close, 0, true},
    {"a_killed_waker_delays_but_holds_nobody", open_bell_mortal, ledger_close, 2, false},
    {"a_sender_without_room_is_woken", open_stream, all_talked, 0, true},
    {"two_full_directions_never_stop", open_both_ways, all_talked, 0, false},
    {"ping_pong_never_stops", open_ping_pong, all_talked, 0, true},
    {"baton_lets_one_run_and_wakes_the_next", open_baton, all_had_their_turns, 0, false},
    {"an_end_outlives_its_peer", open_mortal_ends, nothing_more, 1, false},
};
const size_t channel_scenario_count = sizeof channel_scenarios / sizeof channel_scenarios[0];
