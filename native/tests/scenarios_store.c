/* Stores. Every value is the number of the operation that put it, so that each reading can be held against what
 * the clock allows: the operation had begun, and none that came wholly after it had ended before.
 *
 * The store is so small that blocks are used again after a few commits.
 */
#include <string.h>

#include "check.h"
#include "model.h"
#include "scenarios.h"
#include "storage.h"

enum { MOST_BLOCKS = 40, TIGHT = 24, MOST_OPERATIONS = 96, LONG = 300 /* more than a block holds */ };

static const char *const KEYS[] = {"a", "b", "c"};
enum { KEY_COUNT = sizeof KEYS / sizeof *KEYS };

typedef struct {
    unsigned key;
    bool deletes, failed;
    uint64_t from, to; /* when it began and ended; it may be that it never did */
} operation;

static _Alignas(EA_BLOCK) uint8_t memory[(EA_HEADER_BLOCKS + MOST_BLOCKS) * EA_BLOCK];
static storage made;
static ea_store users[MODEL_THREADS];
static bool attached[MODEL_THREADS], mourned[MODEL_THREADS];
static ea_keeper keeper;
static operation operations[MOST_OPERATIONS]; /* 0: before all, and there was nothing */
static unsigned operation_count, turns;
static unsigned sums_begun, sums_done;

static void attach(unsigned self, uint32_t owner) {
    storage_attach(&made, &users[self], owner);
    attached[self] = true;
}

static void open_store(unsigned rounds, uint32_t blocks) {
    CHECK(blocks <= MOST_BLOCKS);
    storage_create(&made, memory, EA_HEADER_BLOCKS + blocks, STORAGE_PLAIN);
    memset(attached, 0, sizeof attached);
    memset(mourned, 0, sizeof mourned);
    keeper = (ea_keeper){.store = {.header = (void *)memory, .blocks = (void *)memory, .limit = made.limit, .state = EA_KEEPER_OWNER << 4}};
    keeper.store.newest.pin = -1;
    operation_count = 1;
    operations[0] = (operation){.deletes = true};
    sums_begun = sums_done = 0;
    turns = rounds;
}

/* --- the books --- */

static unsigned begin(unsigned key, bool deletes) {
    CHECK(operation_count < MOST_OPERATIONS);
    operations[operation_count] = (operation){.key = key, .deletes = deletes, .from = model_now(), .to = UINT64_MAX};
    return operation_count++;
}

/* Whether number `number`, or for 0 some deletion, can have been the last of its key at some moment of the time given. */
static bool can_be_last(unsigned number, unsigned key, uint64_t from, uint64_t to) {
    const operation *last = &operations[number];
    if (last->failed || last->from > to || (number != 0 && last->key != key)) return false;
    for (unsigned i = 1; i < operation_count; i++) {
        const operation *other = &operations[i];
        if (!other->failed && other->key == key && other->from > last->to && other->to < from) return false;
    }
    return true;
}

static void can_be(unsigned number, unsigned key, uint64_t from) {
    bool can = false;
    for (unsigned i = 0; i < operation_count && !can; i++)
        can = (number == 0 ? operations[i].deletes : i == number) && can_be_last(i, key, from, model_now());
    CHECK(can);
}

/* --- what users do --- */

static ea_change change_of(unsigned key, unsigned number, char value[LONG + 1]) {
    int size = number % 2 ? LONG : 3;
    (void)snprintf(value, LONG + 1, "%03u%*s", number, size - 3, "");
    memset(value + 3, 'a' + (int)number % 26, (size_t)size - 3);
    return storage_change(KEYS[key], operations[number].deletes ? NULL : value);
}

/* The number of the operation; 0: absent. */
static unsigned read_key(ea_store *user, const ea_view *view, unsigned key) {
    uint8_t bytes[LONG + 1];
    storage_value value = {bytes, sizeof bytes, 0};
    ea_store_status status = ea_store_get(user, view, (const uint8_t *)KEYS[key], 1, storage_room, &value);
    CHECK(status == EA_STORE_OK || status == EA_STORE_ABSENT);
    if (status == EA_STORE_ABSENT) return 0;
    char expected[LONG + 1];
    unsigned number = (unsigned)(bytes[0] - '0') * 100 + (unsigned)(bytes[1] - '0') * 10 + (unsigned)(bytes[2] - '0');
    CHECK(value.size >= 3 && number > 0 && number < operation_count);
    ea_change change = change_of(key, number, expected);
    CHECK(change.value_size == value.size && memcmp(bytes, expected, value.size) == 0);
    return number;
}

static bool is_full(ea_store_status status) {
    return status == EA_STORE_FULL || (status == EA_STORE_WANTS_SYNC && keeper.lasts);
}

static void write_key(ea_store *user, unsigned key, bool deletes) {
    char value[LONG + 1];
    unsigned number = begin(key, deletes);
    uint64_t from = model_now();
    ea_change change = change_of(key, number, value);
    ea_store_status status = ea_store_apply(user, &change, 1, NULL, NULL, 0);
    CHECK(status == EA_STORE_OK || is_full(status) || (status == EA_STORE_ABSENT && deletes));
    operations[number].failed = status != EA_STORE_OK;
    operations[number].to = model_now();
    if (status == EA_STORE_ABSENT) can_be(0, key, from);
}

static void replace_key(ea_store *user, unsigned key) {
    char value[LONG + 1], old[LONG + 1];
    uint64_t from = model_now();
    unsigned was = read_key(user, NULL, key), number = begin(key, model_random(3) == 0);
    can_be(was, key, from);
    from = model_now();
    ea_change change = change_of(key, number, value), expected = change_of(key, was, old);
    ea_store_status status = ea_store_replace(user, &change, was == 0 ? NULL : expected.value, expected.value_size);
    CHECK(status == EA_STORE_OK || is_full(status) || status == EA_STORE_DIFFERENT);
    operations[number].failed = status != EA_STORE_OK;
    operations[number].to = model_now();
    if (status == EA_STORE_OK) can_be(was, key, from);
}

static void read_now(ea_store *user, unsigned key) {
    uint64_t from = model_now();
    can_be(read_key(user, NULL, key), key, from);
}

static void read_kept(ea_store *user) {
    unsigned first[KEY_COUNT];
    uint64_t from = model_now();
    ea_view view;
    CHECK(ea_store_pin(user, &view) == EA_STORE_OK);
    for (unsigned key = 0; key < KEY_COUNT; key++) first[key] = read_key(user, &view, key);
    for (unsigned key = 0; key < KEY_COUNT; key++) can_be(first[key], key, from);
    for (unsigned key = 0; key < KEY_COUNT; key++) CHECK(read_key(user, &view, key) == first[key]);
    ea_store_unpin(user, &view);
}

static void write_keys(unsigned self) {
    attach(self, self);
    for (unsigned turn = 0; turn < turns; turn++) write_key(&users[self], model_random(KEY_COUNT), model_random(3) == 0);
}

static void read_keys(unsigned self) {
    attach(self, self);
    for (unsigned turn = 0; turn < 2 * turns; turn++) read_now(&users[self], model_random(KEY_COUNT));
}

static void keep_keys(unsigned self) {
    attach(self, self);
    for (unsigned turn = 0; turn < turns; turn++) read_kept(&users[self]);
}

/* One key, and every commit uses the blocks of the one before again. */
static void write_one(unsigned self) {
    attach(self, self);
    for (unsigned turn = 0; turn < turns; turn++) write_key(&users[self], 0, false);
}

static void keep_one(unsigned self) {
    attach(self, self);
    for (unsigned turn = 0; turn < 2 * turns; turn++) {
        ea_view view;
        CHECK(ea_store_pin(&users[self], &view) == EA_STORE_OK);
        unsigned first = read_key(&users[self], &view, 0);
        model_yield();
        CHECK(read_key(&users[self], &view, 0) == first);
        ea_store_unpin(&users[self], &view);
    }
}

/* One key, which comes and goes: with few others in its branch, the trie changes its shape. */
static void toggle_key(unsigned self) {
    attach(self, self);
    for (unsigned turn = 0; turn < turns; turn++) {
        if (model_random(2)) replace_key(&users[self], 0);
        else write_key(&users[self], 0, model_random(2));
    }
}

/* --- transactions: two counters that are always equal --- */

static int64_t counter(ea_store *user, const ea_view *view, unsigned key) {
    int64_t amount = 0;
    storage_value value = {(uint8_t *)&amount, sizeof amount, 0};
    ea_store_status status = ea_store_get(user, view, (const uint8_t *)KEYS[key], 1, storage_room, &value);
    CHECK(status == EA_STORE_ABSENT || (status == EA_STORE_OK && value.size == sizeof amount));
    return amount;
}

static void count_both(unsigned self) {
    ea_store *user = &users[self];
    attach(self, self);
    for (unsigned turn = 0; turn < turns; turn++) {
        ea_view since;
        CHECK(ea_store_pin(user, &since) == EA_STORE_OK);
        int64_t amount = counter(user, &since, 0);
        CHECK(counter(user, &since, 1) == amount);
        amount++;
        ea_key reads[] = {{(const uint8_t *)KEYS[0], 1}};
        ea_change changes[2];
        for (unsigned i = 0; i < 2; i++)
            changes[i] = (ea_change){.key = (const uint8_t *)KEYS[i], .key_size = 1, .value = (uint8_t *)&amount, .value_size = sizeof amount};
        sums_begun++;
        ea_store_status status = ea_store_apply(user, changes, 2, &since, reads, 1);
        CHECK(status == EA_STORE_OK || status == EA_STORE_DIFFERENT || status == EA_STORE_FULL);
        if (status == EA_STORE_OK) sums_done++;
        else sums_begun--;
        ea_store_unpin(user, &since);
    }
}

static void add_to_one(unsigned self) {
    int64_t sum;
    attach(self, self);
    for (unsigned turn = 0; turn < turns; turn++) {
        sums_begun++;
        ea_store_status status = ea_store_add(&users[self], (const uint8_t *)KEYS[0], 1, 1, &sum);
        CHECK(status == EA_STORE_OK || status == EA_STORE_FULL);
        if (status == EA_STORE_OK) sums_done++;
        else sums_begun--;
    }
}

/* --- the dead --- */

static void mourn_all(void) {
    uint32_t blocks;
    for (unsigned i = 0; i < MODEL_THREADS; i++) {
        if (!model_was_killed(i) || mourned[i]) continue;
        CHECK(ea_keeper_mourn(&keeper, i, &blocks) == EA_KEEPER_OK);
        mourned[i] = true;
    }
}

static void mourn(unsigned self) {
    while (!model_alone(self)) {
        mourn_all();
        model_yield();
    }
}

/* The next life of one who was killed, under the same number. */
static void inherit(unsigned self) {
    for (unsigned patience = 0; patience < 200; patience++, model_yield())
        for (unsigned i = 0; i < self; i++) {
            if (!mourned[i]) continue;
            attach(self, i);
            for (unsigned turn = 0; turn < turns; turn++) write_key(&users[self], model_random(KEY_COUNT), model_random(3) == 0);
            return;
        }
}

/* --- the disk --- */

static uint8_t disk[sizeof memory], crashed[sizeof memory];

/* The system call of whoever syncs. */
int ea_model_fdatasync(int fd) {
    CHECK(fd == keeper.fd);
    ea_model_step();
    memcpy(disk, memory, sizeof disk);
    return 0;
}

static void sync_often(unsigned self) {
    uint64_t version;
    while (!model_alone(self)) {
        CHECK(ea_keeper_sync(&keeper, &version) == EA_KEEPER_OK);
        model_yield();
    }
}

/* Whatever of the sectors that were written since the last sync has reached the disk: there is a whole version, and none
 * older than what was said to be durable. */
static void cut_power(unsigned self) {
    enum { SECTOR = 512 };
    for (unsigned turn = 0; turn < 4 * turns && !model_alone(self); turn++, model_yield()) {
        uint64_t durable = atomic_load(&keeper.store.header->durable);
        for (size_t at = 0; at < (size_t)made.limit * EA_BLOCK; at += SECTOR)
            memcpy(crashed + at, (model_random(2) ? memory : disk) + at, SECTOR);
        ea_store store = {.header = (void *)crashed, .blocks = (void *)crashed, .limit = made.limit, .newest.pin = -1};
        ea_reach reach;
        int newer = ea_header_newer_slot(store.header);
        CHECK(newer >= 0 && store.header->slots[newer].slot.version >= durable);
        CHECK(ea_reach_mark(&store, &reach, store.header->slots[newer].slot.commit) == EA_STORE_OK);
        ea_reach_free(&reach);
    }
}

/* --- what must hold at the end --- */

static void end_users(void) {
    enum { LOST_MOST = 8 }; /* a batch, and what one commit replaces */
    mourn_all();
    for (unsigned i = 0; i < MODEL_THREADS; i++) {
        if (!attached[i]) continue;
        if (model_was_killed(i)) ea_store_forget(&users[i]);
        else ea_store_detach(&users[i]);
    }
    CHECK(storage_lost(&made) <= model_kills() * LOST_MOST);
}

static void close_keys(void) {
    end_users();
    attach(0, 0);
    for (unsigned key = 0; key < KEY_COUNT; key++) read_now(&users[0], key);
    ea_store_detach(&users[0]);
}

static void close_sums(void) {
    end_users();
    attach(0, 0);
    int64_t sum = counter(&users[0], NULL, 0);
    CHECK(sum >= (int64_t)sums_done && sum <= (int64_t)sums_begun);
    ea_store_detach(&users[0]);
}

static void open_readers(void) {
    open_store(10, MOST_BLOCKS);
    model_spawn(write_keys, false);
    model_spawn(write_keys, false);
    model_spawn(read_keys, false);
}

static void open_keepers(void) {
    open_store(10, MOST_BLOCKS);
    model_spawn(write_keys, false);
    model_spawn(write_keys, false);
    model_spawn(keep_keys, false);
}

static void open_one(void) {
    open_store(10, TIGHT);
    model_spawn(write_one, false);
    model_spawn(keep_one, false);
}

static void open_toggles(void) {
    open_store(10, MOST_BLOCKS);
    for (int i = 0; i < 3; i++) model_spawn(toggle_key, false);
}

static void open_both(void) {
    open_store(8, MOST_BLOCKS);
    for (int i = 0; i < 3; i++) model_spawn(count_both, false);
}

static void open_sums(void) {
    open_store(10, MOST_BLOCKS);
    for (int i = 0; i < 3; i++) model_spawn(add_to_one, false);
}

static void open_mortal(void) {
    open_store(10, MOST_BLOCKS);
    model_spawn(write_keys, true);
    model_spawn(toggle_key, true);
    model_spawn(keep_keys, true);
    model_spawn(write_keys, false);
    model_spawn(inherit, false);
    model_spawn(mourn, false);
}

static void open_lasting(void) {
    open_store(10, MOST_BLOCKS);
    keeper.lasts = true;
    ea_store(&keeper.store.header->durable, 1, EA_RELAXED);
    memcpy(disk, memory, sizeof disk);
    model_spawn(write_keys, false);
    model_spawn(toggle_key, false);
    model_spawn(sync_often, false);
    model_spawn(cut_power, false);
}

const scenario store_scenarios[] = {
    {"store_is_read_as_it_is", open_readers, close_keys, 0, false},
    {"store_versions_that_are_kept_stay", open_keepers, close_keys, 0, false},
    {"store_blocks_wait_for_pins", open_one, close_keys, 0, false},
    {"store_keys_come_and_go", open_toggles, close_keys, 0, false},
    {"store_commits_all_or_nothing", open_both, close_sums, 0, false},
    {"store_counts_each_once", open_sums, close_sums, 0, false},
    {"store_is_whole_on_the_disk", open_lasting, close_keys, 0, false},
    {"store_outlives_its_users", open_mortal, close_keys, 2, false},
};
const size_t store_scenario_count = sizeof store_scenarios / sizeof store_scenarios[0];
