#include "check.h"
#include "ledger.h"
#include "model.h"
#include "scenarios.h"

static unsigned rounds;        /* messages per producer, or turns of a pool user */
static unsigned expected;      /* consumers end when so many have come, if nobody dies */
static unsigned patience;      /* how often a thread asks in vain before it gives up */

static bool wait_for_node(unsigned self, uint32_t *index) {
    for (unsigned i = 0; i < patience; i++) {
        if (ledger_take(self, index)) return true;
        model_yield();
    }
    return false;
}

static void produce(unsigned self) {
    uint32_t index;
    for (unsigned number = 0; number < rounds; number++) {
        if (!wait_for_node(self, &index)) return;
        for (unsigned i = 0; !ledger_send(self, index, number); i++) {
            if (i == patience) {
                ledger_give(self, index);
                return;
            }
            model_yield();
        }
    }
}

static void consume(unsigned self) {
    uint32_t index;
    for (unsigned i = 0; i < patience && ledger_received() < expected;) {
        if (ledger_receive(self, &index)) {
            ledger_give(self, index);
        } else {
            i++;
            model_yield();
        }
    }
}

static void use_pool(unsigned self) {
    uint32_t first, second;
    for (unsigned round = 0; round < rounds; round++) {
        if (!ledger_take(self, &first)) continue;
        bool both = ledger_take(self, &second);
        ledger_give(self, first);
        if (both) ledger_give(self, second);
    }
}

/* Takes part in everything: each node it touches passes through all kinds of hands. */
static void relay(unsigned self) {
    uint32_t index;
    for (unsigned round = 0; round < rounds; round++) {
        if (ledger_take(self, &index) && !ledger_send(self, index, round)) ledger_give(self, index);
        if (ledger_receive(self, &index)) ledger_give(self, index);
    }
}

static void take_once(unsigned self) {
    uint32_t index;
    if (ledger_take(self, &index)) ledger_give(self, index);
}

static void receive_once(unsigned self) {
    uint32_t index;
    if (ledger_receive(self, &index)) ledger_give(self, index);
}

static void recover(unsigned self) {
    while (!model_alone(self)) {
        if (model_kills() > 0) (void)ledger_recover();
        model_yield();
    }
}

static void recover_once(unsigned self) {
    for (unsigned i = 0; i < 3 && model_kills() == 0 && !model_alone(self); i++) model_yield();
    if (model_kills() > 0) (void)ledger_recover();
}

static void fix(unsigned how_many, unsigned producers) {
    rounds = how_many;
    expected = how_many * producers;
    patience = 60;
}

static void all_came(void) {
    ledger_close();
    CHECK(ledger_received() == expected);
}

static void open_spsc(void) {
    ledger_open((ledger_size){.nodes = 3, .capacity = 2});
    fix(5, 1);
    patience = 1000;
    model_spawn(produce, false);
    model_spawn(consume, false);
}

static void open_capacity_one(void) {
    ledger_open((ledger_size){.nodes = 3, .capacity = 1});
    fix(3, 2);
    patience = 1000;
    model_spawn(produce, false);
    model_spawn(produce, false);
    model_spawn(consume, false);
}

static void open_mpmc(bool mortal) {
    ledger_open((ledger_size){.nodes = 5, .capacity = 2});
    fix(4, 2);
    if (!mortal) patience = 1000;
    model_spawn(produce, mortal);
    model_spawn(produce, mortal);
    model_spawn(consume, mortal);
    model_spawn(consume, mortal);
}

static void open_mpmc_immortal(void) { open_mpmc(false); }
static void open_mpmc_mortal(void) { open_mpmc(true); }

static void open_mpmc_recovered(void) {
    open_mpmc(true);
    model_spawn(recover, false);
}

static void open_pool(void) {
    ledger_open((ledger_size){.nodes = 3, .capacity = 1});
    fix(4, 0);
    for (int i = 0; i < 3; i++) model_spawn(use_pool, false);
}

static void open_pool_mortal(void) {
    ledger_open((ledger_size){.nodes = 4, .capacity = 1});
    fix(4, 0);
    for (int i = 0; i < 3; i++) model_spawn(use_pool, true);
    model_spawn(recover, false);
}

static void open_relays(void) {
    ledger_open((ledger_size){.nodes = 4, .capacity = 2, .filled = 1});
    fix(4, 0);
    for (int i = 0; i < 3; i++) model_spawn(relay, true);
    model_spawn(recover, false);
}

/* As few steps as can show a fault of recovery, so that all of it can be gone through: one
 * dies while it takes a node that another takes and passes on. */
static void open_stale_take(void) {
    ledger_open((ledger_size){.nodes = 1, .capacity = 1});
    fix(1, 0);
    model_spawn(take_once, true);
    model_spawn(relay, false);
    model_spawn(recover_once, false);
}

static void open_stale_receive(void) {
    ledger_open((ledger_size){.nodes = 1, .capacity = 1, .filled = 1});
    fix(1, 0);
    model_spawn(receive_once, true);
    model_spawn(relay, false);
    model_spawn(recover_once, false);
}

static void open_stale_send(void) {
    ledger_open((ledger_size){.nodes = 1, .capacity = 1});
    fix(1, 0);
    model_spawn(relay, true);
    model_spawn(receive_once, false);
    model_spawn(recover_once, false);
}

const scenario queue_scenarios[] = {
    {"spsc_keeps_order", open_spsc, all_came, 0, true},
    {"capacity_of_one_is_exact", open_capacity_one, all_came, 0, false},
    {"mpmc_delivers_each_once_in_order", open_mpmc_immortal, all_came, 0, false},
    {"pool_gives_no_node_twice", open_pool, ledger_close, 0, false},
    {"kills_stop_nobody_and_all_is_recovered", open_mpmc_mortal, ledger_close, 2, false},
    {"recovery_works_while_the_living_work", open_mpmc_recovered, ledger_close, 2, false},
    {"pool_is_recovered_while_in_use", open_pool_mortal, ledger_close, 2, false},
    {"relays_die_and_are_recovered", open_relays, ledger_close, 2, false},
    {"stale_take_is_not_recovered", open_stale_take, ledger_close, 1, true},
    {"stale_receive_is_not_recovered", open_stale_receive, ledger_close, 1, true},
    {"stale_send_is_not_recovered", open_stale_send, ledger_close, 1, true},
};
const size_t queue_scenario_count = sizeof queue_scenarios / sizeof queue_scenarios[0];
