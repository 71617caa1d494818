/* Single-threaded tests of the core; each name says what must hold. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "layout.h"
#include "length.h"
#include "channel.h"
#include "check.h"
#include "world.h"

static world made;

static ea_status push(uint32_t index) {
    ea_context who = world_who(&made, 1);
    return ea_mbox_push_back(&made.mbox, &who, index);
}

static ea_status pop(uint32_t *index) {
    ea_context who = world_who(&made, 1);
    return ea_mbox_pop_front(&made.mbox, &who, index);
}

static ea_status take(uint32_t *index) {
    ea_context who = world_who(&made, 1);
    return ea_pool_pop_front(&made.pool, &who, index);
}

static ea_status give(uint32_t index) {
    ea_context who = world_who(&made, 1);
    return ea_pool_push_front(&made.pool, &who, index);
}

/* --- region --- */

static const char *scratch_path(void) {
    static char path[64];
    snprintf(path, sizeof path, "/dev/shm/eactors-test-%d", (int)getpid());
    return path;
}

static void region_refuses_what_lies_outside(void) {
    static _Alignas(64) uint8_t memory[1024];
    ea_region region = {memory, sizeof memory};
    CHECK(ea_region_at(&region, 0, 1024) == memory);
    CHECK(ea_region_at(&region, 960, 64) == memory + 960);
    CHECK(ea_region_at(&region, 0, 1025) == NULL);
    CHECK(ea_region_at(&region, 64, 961) == NULL);
    CHECK(ea_region_at(&region, 1088, 0) == NULL);
    CHECK(ea_region_at(&region, 64, UINT64_MAX) == NULL);
    CHECK(ea_region_at(&region, UINT64_MAX - 63, 64) == NULL);
    CHECK(ea_region_at(&region, 8, 8) == NULL);
    CHECK(ea_region_at(&(ea_region){NULL, 1024}, 0, 8) == NULL);
}

static void region_is_private_to_its_user_and_never_shared_by_accident(void) {
    ea_region one, again;
    struct stat status;
    CHECK(ea_region_create(&one, scratch_path(), 8192) == 0);
    CHECK(ea_region_create(&again, scratch_path(), 8192) == -EEXIST);
    CHECK(stat(scratch_path(), &status) == 0 && (status.st_mode & 0777) == 0600 && status.st_size == 8192);
    CHECK(status.st_blocks * 512 >= 8192);
    CHECK(ea_region_close(&one) == 0 && one.base == NULL);
    CHECK(ea_region_close(&one) == 0);
    CHECK(unlink(scratch_path()) == 0);
}

static void region_opened_elsewhere_is_the_same_memory(void) {
    ea_region one, other;
    CHECK(ea_region_create(&one, scratch_path(), 8192) == 0);
    CHECK(ea_region_open(&other, scratch_path(), 8192) == 0);
    one.base[8191] = 42;
    CHECK(other.base != one.base && other.base[8191] == 42);
    CHECK(ea_region_close(&one) == 0 && ea_region_close(&other) == 0);
    CHECK(unlink(scratch_path()) == 0);
}

static void region_refuses_bad_files_and_sizes(void) {
    ea_region one, other;
    CHECK(ea_region_open(&one, scratch_path(), 4096) == -ENOENT);
    CHECK(ea_region_create(&one, scratch_path(), 0) == -EINVAL);
    CHECK(ea_region_create(&one, scratch_path(), SIZE_MAX) == -EINVAL);
    CHECK(access(scratch_path(), F_OK) != 0);
    CHECK(ea_region_create(&one, scratch_path(), 4096) == 0);
    /* Shorter than the plan says: touching its end would be a SIGBUS. */
    CHECK(ea_region_open(&other, scratch_path(), 4097) == -EINVAL);
    CHECK(ea_region_close(&one) == 0 && unlink(scratch_path()) == 0);
    CHECK(symlink("/dev/shm", scratch_path()) == 0);
    CHECK(ea_region_open(&other, scratch_path(), 4096) == -ELOOP);
    CHECK(ea_region_create(&other, scratch_path(), 4096) == -EEXIST);
    CHECK(unlink(scratch_path()) == 0);
}

/* --- pool --- */

static void pool_attaches_only_within_the_region(void) {
    static _Alignas(64) uint8_t memory[64 + 3 * 64 + 64];
    ea_region region = {memory, 64 + 3 * 64};
    ea_pool pool;
    CHECK(ea_pool_bytes(3, 32) == 64 + 3 * 64);
    CHECK(ea_pool_attach(&pool, &region, 0, 3, 32));
    CHECK(!ea_pool_attach(&pool, &region, 0, 4, 32));
    CHECK(!ea_pool_attach(&pool, &region, 64, 3, 32));
    CHECK(!ea_pool_attach(&pool, &region, 0, 3, 33)); /* three lines per node */
    CHECK(!ea_pool_attach(&pool, &region, 0, 0, 32));
    CHECK(!ea_pool_attach(&pool, &region, 0, UINT32_MAX, 32));
    CHECK(!ea_pool_attach(&pool, &region, 0, 3, UINT32_MAX));
    CHECK(!ea_pool_attach(&pool, &region, UINT64_MAX - 63, 3, 32));
    CHECK(ea_pool_bytes(1, UINT32_MAX) == 0);
    /* The largest answer does not wrap to a small one, and such a pool fits no region. */
    CHECK(ea_pool_bytes(UINT32_MAX, UINT32_MAX - 4096) > UINT64_MAX / 2);
    CHECK(!ea_pool_attach(&pool, &region, 0, UINT32_MAX - 1, UINT32_MAX - 4096));
}

static void pool_is_last_in_first_out(void) {
    uint32_t index, first, second;
    world_create(&made, 3, 32, 1);
    CHECK(ea_pool_length(&made.pool) == 3);
    CHECK(take(&first) == EA_OK && take(&second) == EA_OK && take(&index) == EA_OK);
    CHECK(first != second && second != index && first != index);
    CHECK(take(&index) == EA_EMPTY && ea_pool_length(&made.pool) == 0);
    CHECK(give(first) == EA_OK && give(second) == EA_OK && ea_pool_length(&made.pool) == 2);
    CHECK(take(&index) == EA_OK && index == second);
    CHECK(take(&index) == EA_OK && index == first);
    world_destroy(&made);
}

static void payloads_of_any_size_do_not_overlap(void) {
    static const uint32_t SIZES[] = {0, 1, 16, 31, 32, 33, 4096, 131072, 524288, 1048576 + 7};
    for (size_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
        world_create(&made, 3, SIZES[i], 2);
        uint32_t index;
        for (uint8_t n = 0; n < 3; n++) {
            CHECK(take(&index) == EA_OK);
            memset(ea_pool_node(&made.pool, index)->payload, 0xA0 + n, SIZES[i]);
            ea_pool_node(&made.pool, index)->kind = n;
            ea_pool_node(&made.pool, index)->length = index;
        }
        for (index = 0; index < 3; index++) {
            ea_node *node = ea_pool_node(&made.pool, index);
            CHECK(node->length == index && node->kind < 3);
            for (uint32_t at = 0; at < SIZES[i]; at++) CHECK(node->payload[at] == 0xA0 + node->kind);
        }
        world_destroy(&made);
    }
}

static void pool_refuses_links_from_outside(void) {
    uint32_t index;
    world_create(&made, 3, 32, 1);
    CHECK(take(&index) == EA_OK);
    atomic_store(&made.pool.shared->top, 3);
    CHECK(give(index) == EA_CORRUPT && ea_pool_length(&made.pool) == 0);
    CHECK(take(&index) == EA_CORRUPT);
    atomic_store(&made.pool.shared->top, 1);
    atomic_store(&ea_pool_node(&made.pool, 1)->next, 3);
    CHECK(take(&index) == EA_CORRUPT);
    atomic_store(&ea_pool_node(&made.pool, 1)->depth, UINT32_MAX);
    CHECK(ea_pool_length(&made.pool) == 3);
    world_destroy(&made);
}

/* --- mbox --- */

static void mbox_attaches_only_within_the_region(void) {
    static _Alignas(64) uint8_t memory[192];
    ea_region region = {memory, sizeof memory};
    ea_mbox mbox;
    ea_pool pool = {0};
    CHECK(ea_mbox_bytes(0) == 0 && ea_mbox_bytes(3) == 0 && ea_mbox_bytes(1u << 21) == 0);
    CHECK(ea_mbox_bytes(1u << 31) == 0 && ea_mbox_bytes(1) != 0 && ea_mbox_bytes(1u << 20) > 8u << 20);
    CHECK(ea_mbox_bytes(8) == sizeof memory && ea_mbox_attach(&mbox, &region, 0, 8, &pool));
    CHECK(!ea_mbox_attach(&mbox, &region, 0, 16, &pool));
    CHECK(!ea_mbox_attach(&mbox, &region, 64, 8, &pool));
    CHECK(!ea_mbox_attach(&mbox, &region, 0, 7, &pool));
    CHECK(!ea_mbox_attach(&mbox, &region, 0, 0, &pool));
}

static void capacity_is_exact(void) {
    for (uint32_t capacity = 1; capacity <= 64; capacity *= 2) {
        world_create(&made, capacity + 1, 32, capacity);
        uint32_t index;
        CHECK(ea_mbox_is_empty(&made.mbox) && !ea_mbox_is_full(&made.mbox));
        for (uint32_t n = 0; n < capacity; n++) {
            CHECK(!ea_mbox_is_full(&made.mbox) && ea_mbox_length(&made.mbox) == n);
            CHECK(take(&index) == EA_OK && push(index) == EA_OK);
            CHECK(!ea_mbox_is_empty(&made.mbox));
        }
        CHECK(ea_mbox_is_full(&made.mbox) && ea_mbox_length(&made.mbox) == capacity);
        CHECK(take(&index) == EA_OK && push(index) == EA_FULL);
        CHECK(world_is_complete(&made, &index, 1));
        world_destroy(&made);
    }
}

/* Lay the empty mbox out as it is after `position` messages. */
static void age(uint64_t position) {
    uint32_t capacity = made.mbox.mask + 1;
    atomic_store(&made.mbox.shared->head, position);
    atomic_store(&made.mbox.shared->tail, position);
    for (uint64_t at = position; at != position + capacity; at++) {
        uint64_t turn = (uint32_t)((at >> made.mbox.shift) * 2);
        atomic_store(&made.mbox.shared->slots[at & made.mbox.mask], turn << 32);
    }
}

static void pass_messages(uint32_t count) {
    uint32_t index, sent = 0, received = 0, capacity = made.mbox.mask + 1;
    while (received < count) {
        while (sent - received < capacity && sent < count) {
            CHECK(take(&index) == EA_OK);
            ea_pool_node(&made.pool, index)->length = sent++;
            CHECK(push(index) == EA_OK);
        }
        CHECK(ea_mbox_length(&made.mbox) == sent - received);
        CHECK(ea_mbox_is_full(&made.mbox) == (sent - received == capacity));
        CHECK(pop(&index) == EA_OK && ea_pool_node(&made.pool, index)->length == received++);
        CHECK(give(index) == EA_OK);
    }
    CHECK(pop(&index) == EA_EMPTY && ea_mbox_is_empty(&made.mbox) && ea_mbox_length(&made.mbox) == 0);
    CHECK(world_is_complete(&made, NULL, 0));
}

static void spsc_keeps_order(void) {
    world_create(&made, 5, 32, 4);
    pass_messages(1000);
    world_destroy(&made);
}

static void turns_and_counters_wrap(void) {
    for (uint32_t capacity = 1; capacity <= 8; capacity *= 2) {
        world_create(&made, capacity + 1, 32, capacity);
        /* The turn wraps after 2^31 laps, the counters after 2^64 messages. */
        age(((uint64_t)1 << 31) * capacity - 3 * capacity - 1);
        pass_messages(10 * capacity);
        age(UINT64_MAX - 3 * capacity);
        pass_messages(10 * capacity);
        world_destroy(&made);
    }
}

static void a_pop_that_has_not_moved_the_head_holds_up_nobody(void) {
    uint32_t index, again;
    world_create(&made, 3, 32, 1);
    CHECK(take(&index) == EA_OK && push(index) == EA_OK && pop(&index) == EA_OK && push(index) == EA_OK);
    /* As if the first pop had been pre-empted, or killed, just after its swap. */
    atomic_store(&made.mbox.shared->head, 0);
    CHECK(!ea_mbox_is_empty(&made.mbox));
    CHECK(pop(&again) == EA_OK && again == index);
    CHECK(pop(&again) == EA_EMPTY);
    world_destroy(&made);
}

static void mbox_refuses_indices_from_outside(void) {
    uint32_t index;
    world_create(&made, 3, 32, 2);
    CHECK(take(&index) == EA_OK && push(index) == EA_OK);
    atomic_store(&made.mbox.shared->slots[0], (uint64_t)1 << 32 | 3);
    CHECK(pop(&index) == EA_CORRUPT);
    atomic_store(&made.mbox.shared->slots[0], (uint64_t)77 << 32);
    CHECK(pop(&index) == EA_CORRUPT);
    atomic_store(&made.mbox.shared->tail, 0);
    CHECK(push(0) == EA_CORRUPT);
    world_destroy(&made);
}

/* --- recovery --- */

static void recovery_takes_back_what_the_dead_held(void) {
    uint32_t index[4], recovered;
    world_create(&made, 6, 32, 4);
    ea_context living = world_who(&made, 2);
    for (int i = 0; i < 4; i++) CHECK(take(&index[i]) == EA_OK);
    CHECK(push(index[0]) == EA_OK && push(index[1]) == EA_OK);
    CHECK(ea_mbox_pop_front(&made.mbox, &living, &index[0]) == EA_OK);
    made.dead[0] = true;
    CHECK(world_recover(&made, &recovered) == EA_OK && recovered == 2);
    CHECK(world_is_complete(&made, &index[0], 1));
    CHECK(world_recover(&made, &recovered) == EA_OK && recovered == 0);
    world_destroy(&made);
}

static void recovery_leaves_the_living_alone(void) {
    uint32_t index[2], recovered;
    world_create(&made, 4, 32, 4);
    CHECK(take(&index[0]) == EA_OK && take(&index[1]) == EA_OK && push(index[0]) == EA_OK);
    made.dead[1] = true;
    CHECK(world_recover(&made, &recovered) == EA_OK && recovered == 0);
    CHECK(world_is_complete(&made, &index[1], 1));
    world_destroy(&made);
}

static void recovery_waits_for_a_living_hazard(void) {
    uint32_t index, recovered;
    world_create(&made, 4, 32, 4);
    ea_context living = world_who(&made, 2);
    CHECK(take(&index) == EA_OK);
    ea_node_mark(ea_pool_node(&made.pool, index), &(ea_context){NULL, 1}, false);
    made.dead[0] = true;
    ea_announce(&living, ea_pool_line(&made.pool, index));
    CHECK(world_recover(&made, &recovered) == EA_BUSY && recovered == 0);
    ea_withdraw(&living);
    CHECK(world_recover(&made, &recovered) == EA_OK && recovered == 1);
    CHECK(world_is_complete(&made, NULL, 0));
    world_destroy(&made);
}

/* --- channel --- */

static void channel_attaches_only_within_the_region(void) {
    static _Alignas(64) uint8_t memory[8192];
    ea_region region = {memory, sizeof memory};
    const ea_channel_plan good = {.shared = 64, .mbox = {128, 512}, .pool = 1024, .capacity = 2, .payload = 16};
    ea_channel_plan bad[9];
    ea_end end;
    ea_context who = {NULL, 1};
    CHECK(ea_channel_init(&region, &good) && ea_end_attach(&end, &region, &good, who));
    for (size_t i = 0; i < 9; i++) bad[i] = good;
    bad[0].side = 2;
    bad[1].capacity = 3;
    bad[2].capacity = 1u << 21;
    bad[3].payload = UINT32_MAX;
    bad[4].shared = 8192;
    bad[5].mbox[0] = 8128;
    bad[6].mbox[1] = 513;
    bad[7].pool = 7000;
    bad[8].peer_bell = 1u << 20;
    for (size_t i = 0; i < 9; i++) {
        CHECK(!ea_channel_init(&region, &bad[i]));
        CHECK(!ea_end_attach(&end, &region, &bad[i], who));
    }
}

int main(void) {
    static const check_test TESTS[] = {
        TEST(region_refuses_what_lies_outside),
        TEST(region_is_private_to_its_user_and_never_shared_by_accident),
        TEST(region_opened_elsewhere_is_the_same_memory),
        TEST(region_refuses_bad_files_and_sizes),
        TEST(pool_attaches_only_within_the_region),
        TEST(pool_is_last_in_first_out),
        TEST(payloads_of_any_size_do_not_overlap),
        TEST(pool_refuses_links_from_outside),
        TEST(mbox_attaches_only_within_the_region),
        TEST(capacity_is_exact),
        TEST(spsc_keeps_order),
        TEST(turns_and_counters_wrap),
        TEST(a_pop_that_has_not_moved_the_head_holds_up_nobody),
        TEST(mbox_refuses_indices_from_outside),
        TEST(recovery_takes_back_what_the_dead_held),
        TEST(recovery_leaves_the_living_alone),
        TEST(recovery_waits_for_a_living_hazard),
        TEST(channel_attaches_only_within_the_region),
    };
    check_watch(120);
    return check_all(TESTS, sizeof TESTS / sizeof TESTS[0]);
}
