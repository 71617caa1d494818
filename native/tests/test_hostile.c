/* A hostile host rewrites the region while honest code works on it.
 *
 *     test_hostile [SEED [MUTATIONS]]
 *
 * Whatever it writes: no memory error (run it under the sanitizers), no index from outside
 * is returned, every call ends, and every answer is an ea_status. What the honest side
 * gets may be nonsense; that is the business of the encryption above.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "layout.h"
#include "length.h"
#include "channel.h"
#include "check.h"
#include "world.h"

enum { NODES = 8, CAPACITY = 4, PAYLOAD = 32, FRESH_EVERY = 64, HELD_MOST = 4 };

static uint64_t seed = 1, mutations = 100000;

/* Everything on one region: the world's pool and mbox, and a channel behind them. */
static world made;
static ea_end ends[2];
static uint32_t held[HELD_MOST], held_count;
static size_t region_size;

static void lay_out(void) {
    uint64_t at = world_bytes(NODES, PAYLOAD, CAPACITY);
    ea_channel_plan plan = {.peer_bell = at, .shared = at + 64, .capacity = CAPACITY, .payload = PAYLOAD};
    plan.mbox[0] = at + 128;
    plan.mbox[1] = plan.mbox[0] + ea_mbox_bytes(CAPACITY);
    plan.pool = plan.mbox[1] + ea_mbox_bytes(CAPACITY);
    region_size = plan.pool + ea_pool_bytes(EA_CHANNEL_NODES(CAPACITY), PAYLOAD);
    static uint8_t marks[NODES];
    /* Allocated to the byte, so that the sanitizer sees the first one beyond it. */
    uint8_t *memory = made.region.base == NULL ? aligned_alloc(EA_LINE, region_size) : made.region.base;
    CHECK(memory != NULL);
    memset(memory, 0, region_size);
    world_init(&made, memory, marks, NODES, PAYLOAD, CAPACITY);
    made.dead[5] = true;
    ea_region region = {memory, region_size};
    CHECK(ea_channel_init(&region, &plan));
    for (plan.side = 0; plan.side < 2; plan.side++)
        CHECK(ea_end_attach(&ends[plan.side], &region, &plan, world_who(&made, plan.side + 2)));
    held_count = 0;
}

static uint64_t likely_value(uint64_t *random) {
    switch (check_below(random, 6)) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    case 2: return check_below(random, 40);                                                /* an index */
    case 3: return (uint64_t)check_below(random, 8) << 32 | check_below(random, NODES + 2); /* turn or tag, index */
    case 4: return check_below(random, NODES) | 6u << 20;                                    /* an owner: the dead one */
    default: return check_random(random);
    }
}

/* Atomic, so that the concurrent attack is no race in the terms of C. */
static void mutate(uint8_t *base, size_t size, uint64_t *random) {
    size_t offset = check_below(random, (uint32_t)size);
    uint64_t value = likely_value(random);
    switch (check_below(random, 3)) {
    case 0: __atomic_store_n(base + offset, (uint8_t)value, __ATOMIC_RELAXED); break;
    case 1: __atomic_store_n((uint32_t *)(void *)(base + offset / 4 * 4), (uint32_t)value, __ATOMIC_RELAXED); break;
    default: __atomic_store_n((uint64_t *)(void *)(base + offset / 8 * 8), value, __ATOMIC_RELAXED); break;
    }
}

static void check_answer(ea_status status) { CHECK(status >= EA_OK && status <= EA_CORRUPT); }

static void hold(ea_status status, const ea_pool *pool, uint32_t index) {
    check_answer(status);
    if (status != EA_OK) return;
    CHECK(index < pool->count);
    memset(ea_pool_node(pool, index)->payload, 0x55, PAYLOAD);
}

static void use_world(uint64_t *random) {
    ea_context who = world_who(&made, 1 + check_below(random, 4));
    uint32_t index = EA_NONE, which = held_count == 0 ? 0 : check_below(random, held_count);
    uint32_t action = check_below(random, 4);
    ea_status status = EA_EMPTY;
    if (action < 2 && held_count < HELD_MOST) {
        status = action == 0 ? ea_pool_pop_front(&made.pool, &who, &index) : ea_mbox_pop_front(&made.mbox, &who, &index);
        hold(status, &made.pool, index);
        if (status == EA_OK) held[held_count++] = index;
    } else if (action >= 2 && held_count > 0) {
        status = action == 2 ? ea_mbox_push_back(&made.mbox, &who, held[which])
                             : ea_pool_push_front(&made.pool, &who, held[which]);
        check_answer(status);
        if (status == EA_OK) held[which] = held[--held_count];
    }
}

static void use_channel(ea_end *end, uint64_t *random) {
    uint32_t index = EA_NONE;
    bool take = check_below(random, 2) == 0;
    ea_status status = take ? ea_end_acquire(end, &index) : ea_end_pop(end, &index);
    hold(status, &end->pool, index);
    if (status == EA_OK && take) {
        status = ea_end_push(end, index);
        check_answer(status);
        if (status == EA_OK) return;
    } else if (status != EA_OK) {
        return;
    }
    check_answer(ea_end_release(end, index));
}

static void look_around(uint64_t *random) {
    uint32_t recovered = 0;
    CHECK(ea_pool_length(&made.pool) <= NODES);
    CHECK(ea_mbox_length(&made.mbox) <= CAPACITY);
    (void)ea_mbox_is_empty(&made.mbox);
    (void)ea_mbox_is_full(&made.mbox);
    for (int side = 0; side < 2; side++) {
        (void)ea_end_can_receive(&ends[side]);
        (void)ea_end_can_send(&ends[side]);
        if (check_below(random, 8) == 0) ea_end_announce(&ends[side]);
    }
    if (check_below(random, 8) != 0) return;
    check_answer(world_recover(&made, &recovered));
    CHECK(recovered <= 2 * NODES);
}

static bool never(const void *what) { return what == NULL; }

static void wait_a_little(ea_end *end) {
    ea_waiter waiter = {.futex = true, .policy = EA_WAIT_SLEEP, .counters = end->who.shared};
    (void)ea_wait(&waiter, end->peer_bell, never, end, 1000);
}

static void use_everything(uint64_t *random) {
    use_world(random);
    use_channel(&ends[check_below(random, 2)], random);
    look_around(random);
    if (check_below(random, 64) == 0) wait_a_little(&ends[0]);
}

static void every_answer_is_sound_between_mutations(void) {
    uint64_t random = seed;
    for (uint64_t i = 0; i < mutations; i++) {
        /* Afresh now and then: in a region that is all rubbish, every call ends early. */
        if (i % FRESH_EVERY == 0) lay_out();
        mutate(made.region.base, region_size, &random);
        use_everything(&random);
    }
}

static _Atomic bool attack_over;
static _Atomic uint64_t attacks;

static void *attack(void *base) {
    uint64_t random = seed + 1;
    while (!atomic_load(&attack_over)) {
        mutate(base, region_size, &random);
        atomic_fetch_add(&attacks, 1);
    }
    return NULL;
}

static void every_answer_is_sound_during_mutations(void) {
    uint64_t random = seed + 2;
    pthread_t attacker;
    lay_out();
    CHECK(pthread_create(&attacker, NULL, attack, made.region.base) == 0);
    for (uint64_t i = 0; i < mutations || atomic_load(&attacks) < mutations; i++) {
        use_everything(&random);
        /* The layout is the creator's, made before the attacker can have come. */
        if (i % FRESH_EVERY != 0) continue;
        ea_pool_init(&made.pool);
        ea_mbox_init(&made.mbox);
        ea_pool_init(&ends[0].pool);
        ea_mbox_init(&ends[0].in);
        ea_mbox_init(&ends[0].out);
    }
    atomic_store(&attack_over, true);
    CHECK(pthread_join(attacker, NULL) == 0);
    printf("%" PRIu64 " mutations\n", (uint64_t)attacks);
}

int main(int argc, char **argv) {
    static const check_test TESTS[] = {
        TEST(every_answer_is_sound_between_mutations),
        TEST(every_answer_is_sound_during_mutations),
    };
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    if (argc > 2) mutations = strtoull(argv[2], NULL, 10);
    printf("seed %" PRIu64 "\n", seed);
    check_watch(300);
    int result = check_all(TESTS, 2);
    free(made.region.base);
    return result;
}
