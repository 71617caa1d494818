/* Whatever a store's file is, and whatever the host does to it while it is used: libFuzzer looks for what breaks us.
 *
 *     make -C native fuzz SECONDS=600
 *
 * An input is a shape, pokes, and bytes. The bytes are the file; or they lie over an honest store, which was closed
 * in order or not, plain or encrypted. Pokes change words, before it is opened or between two operations.
 * Then everything that users and the keeper do is done, twice over.
 *
 * No memory error, no call that does not end, no answer that is none of ours; and of an encrypted
 * store, no value that was not put under its key.
 */
#define _GNU_SOURCE
#include <openssl/rand.h>
#include <string.h>
#include <sys/mman.h>

#include "check.h"
#include "keys.h"
#include "store/keeper.h"

enum { USER = 7, GONE = 9 };
enum { LIMIT = 160, USABLE = 96, KEYS = 14, LONG = 3, TURNS = 12, KINDS = 3 };
enum { NO_CHECKS = 1, OTHER_BOOT = 2, ANY_BOOT = 4, LIVES = 8, WHOLE = 16 };

typedef struct {
    uint8_t kind, dirty, flags, at, pokes; /* at: the block where the bytes begin */
} shape;

/* What the host writes, and when: before operation `turn`, or before the store is opened if it is 0. */
typedef struct {
    uint8_t turn, how;
    uint16_t where; /* a word of 4 bytes; a block */
    uint32_t value;
} poke;

static const uint8_t KEY[EA_STORE_KEY] = {1}, ID[16] = {2}, BOOT[16] = {3}, OTHER[16] = {4};
static const char *const COUNTER = "counter";

static struct {
    uint8_t *bytes;
    size_t size;
} honest[KINDS][2];

/* The same each time, that an input does the same each time. */
static uint64_t drawn;
int RAND_bytes(unsigned char *to, int size) {
    for (int i = 0; i < size; i++) to[i] = (uint8_t)check_random(&drawn);
    return 1;
}
int RAND_priv_bytes(unsigned char *to, int size) { return RAND_bytes(to, size); }

/* Unlike other tests, this one has to leave libFuzzer the input. */
void check_failed(const char *file, int line, const char *condition) {
    fprintf(stderr, "%s:%d: failed: %s\n", file, line, condition);
    abort();
}

/* ---- what honest users have put ---- */

static size_t name_of(unsigned number, uint8_t *name) { return (size_t)snprintf((char *)name, 8, "key %u", number); }
static uint32_t size_of(unsigned number) { return number % LONG == 0 ? 700 + number : 10 * number; }

static uint8_t *value_of(unsigned number, uint8_t fill) {
    static uint8_t value[1024];
    memset(value, (int)number, sizeof value);
    if (size_of(number) > 0) value[0] = fill;
    return value;
}

static bool was_put(const uint8_t *name, size_t name_size, const uint8_t *value, size_t size) {
    uint8_t known[8];
    if (name_size == strlen(COUNTER) && memcmp(name, COUNTER, name_size) == 0) return size == sizeof(int64_t);
    for (unsigned i = 0; i < KEYS; i++)
        if (name_of(i, known) == name_size && memcmp(name, known, name_size) == 0)
            return size == size_of(i) && (size == 0 || memcmp(value, value_of(i, value[0]), size) == 0);
    return false;
}

/* ---- users ---- */

/* Nobody else is there, so nothing is tried again and again, unless the host has taken all pins. */
static void answer(const ea_store *store, ea_store_status status) {
    bool pinned = true;
    for (int pin = 0; pin < EA_PINS; pin++) pinned = pinned && ea_load(&store->header->pins[pin], EA_RELAXED) != 0;
    CHECK(status >= EA_STORE_OK && status <= EA_STORE_NO_MEMORY && status != EA_STORE_RACED);
    CHECK(status != EA_STORE_BUSY || pinned);
}

static ea_store_status put(ea_store *store, unsigned number, uint8_t fill) {
    uint8_t name[8];
    ea_change change = {.key = name, .value = value_of(number, fill), .value_size = size_of(number)};
    change.key_size = (uint32_t)name_of(number, name);
    return ea_store_apply(store, &change, 1, NULL, NULL, 0);
}

typedef struct {
    uint8_t *bytes;
    uint32_t size;
} value;

static uint8_t *room(void *context, uint32_t size) {
    value *to = context;
    free(to->bytes);
    to->size = size;
    return to->bytes = malloc(size + 1);
}

static void get_all(ea_store *store, const ea_view *view) {
    for (unsigned i = 0; i <= KEYS; i++) {
        uint8_t name[8];
        value found = {0};
        size_t size = name_of(i, name);
        ea_store_status status = ea_store_get(store, view, name, size, room, &found);
        if (view == NULL) answer(store, status);
        if (status == EA_STORE_OK && store->sealed) CHECK(was_put(name, size, found.bytes, found.size));
        free(found.bytes);
    }
}

static void read_one(ea_store *store, const ea_found *found) {
    uint8_t name[EA_LONGEST_KEY], *bytes = malloc(found->head.value_size + 1);
    ea_store_status status = ea_record_read(store, found, name, bytes);
    answer(store, status);
    if (status == EA_STORE_OK && store->sealed) CHECK(was_put(name, found->head.key_size, bytes, found->head.value_size));
    free(bytes);
}

static void walk_all(ea_store *store, ea_walk *walk) {
    ea_found before, after;
    ea_store_status status;
    while ((status = ea_walk_next(walk, &before, &after)) == EA_STORE_OK) {
        CHECK(before.ref != 0 || after.ref != 0);
        if (before.ref != 0) read_one(store, &before);
        if (after.ref != 0) read_one(store, &after);
    }
    answer(store, status);
    ea_walk_free(walk);
}

static void exchange(ea_store *store) {
    uint8_t name[8];
    ea_change change = {.key = name, .value = value_of(1, 'r'), .value_size = size_of(1)};
    change.key_size = (uint32_t)name_of(1, name);
    answer(store, ea_store_replace(store, &change, value_of(1, 0), size_of(1)));
    change.value = NULL;
    answer(store, ea_store_replace(store, &change, NULL, 0));
    for (unsigned i = 2; i < KEYS; i += 2) {
        change.key_size = (uint32_t)name_of(i, name);
        answer(store, ea_store_apply(store, &change, 1, NULL, NULL, 0));
    }
}

static void transact(ea_store *store, const ea_view *since) {
    uint8_t names[3][8];
    ea_change changes[2] = {0};
    for (unsigned i = 0; i < 2; i++)
        changes[i] = (ea_change){.key = names[i], .key_size = (uint32_t)name_of(i + 3, names[i]), .value = value_of(4, 't')};
    changes[0].value = NULL;
    changes[1].value_size = size_of(4);
    ea_key read = {names[2], name_of(5, names[2])};
    answer(store, ea_store_apply(store, changes, 2, since, &read, 1));
}

/* Everything that is done to a store, one after the other. */
static void do_one(ea_keeper *keeper, ea_store *store, ea_view *kept, unsigned turn) {
    int64_t sum;
    uint64_t version;
    uint32_t blocks;
    ea_view now;
    switch (turn) {
    case 1: get_all(store, NULL); break;
    case 2: answer(store, ea_store_pin(store, kept)); break;
    case 3: answer(store, put(store, 0, 'n')); break;
    case 4: answer(store, put(store, KEYS - 1, 'n')); break;
    case 5: exchange(store); break;
    case 6: answer(store, ea_store_add(store, (const uint8_t *)COUNTER, strlen(COUNTER), 5, &sum)); break;
    case 7:
        if (kept->pin >= 0) transact(store, kept);
        break;
    case 8:
        if (kept->pin >= 0) get_all(store, kept);
        if (kept->pin >= 0) walk_all(store, ea_walk_new(store, kept));
        break;
    case 9:
        if (kept->pin < 0 || ea_store_pin(store, &now) != EA_STORE_OK) break;
        walk_all(store, ea_walk_changes(store, kept, &now));
        ea_store_unpin(store, &now);
        break;
    case 10:
        if (ea_keeper_wants_room(keeper)) (void)ea_keeper_grow(keeper);
        (void)ea_keeper_sync(keeper, &version);
        (void)ea_keeper_mourn(keeper, GONE, &blocks);
        break;
    default: answer(store, put(store, turn, 'm')); break;
    }
}

/* ---- the host ---- */

/* The checks are no secret: a host that means harm makes them right. */
static void repair(ea_store_header *header) {
    ea_store_fixed fixed = header->fixed;
    memcpy(fixed.magic, EA_STORE_MAGIC, sizeof fixed.magic);
    fixed.block_size = EA_BLOCK;
    ea_header_fix(header, &fixed);
    for (int i = 0; i < EA_SLOTS; i++) {
        ea_store_slot slot = header->slots[i].slot;
        ea_header_write_slot(header, i, slot.version, slot.commit, slot.fresh);
    }
}

/* The size that a file has afterwards. */
static size_t poke_all(uint8_t *bytes, size_t size, const poke *pokes, unsigned count, unsigned turn) {
    for (unsigned i = 0; i < count && size >= EA_BLOCK; i++) {
        if (pokes[i].turn % (TURNS + 1) != turn) continue;
        uint32_t *word = (uint32_t *)(void *)bytes + pokes[i].where % (size / 4);
        size_t blocks = size / EA_BLOCK;
        switch (pokes[i].how % 5) {
        case 0: *word = pokes[i].value; break;
        case 1: *word ^= pokes[i].value; break;
        case 2: *word += pokes[i].value; break;
        case 3: /* one block where another was */
            memmove(bytes + pokes[i].where % blocks * EA_BLOCK, bytes + pokes[i].value % blocks * EA_BLOCK, EA_BLOCK);
            break;
        default:
            if (turn == 0) size = pokes[i].value % size; /* cut short */
        }
    }
    return size;
}

static ea_store_shape shape_of(unsigned kind) {
    ea_store_shape made = {.limit = LIMIT, .usable = USABLE, .encryption = kind > 0, .detects = kind > 1, .lasts = true};
    memcpy(made.id, ID, sizeof made.id);
    return made;
}

static ea_store_keys *keys_of(void *context, uint32_t number) {
    uint8_t key[EA_STORE_KEY];
    (void)context;
    memcpy(key, KEY, sizeof key);
    key[1] = (uint8_t)number;
    return ea_store_keys_new(key, ID);
}

static ea_store_status attach(ea_store *store, const ea_keeper *keeper, unsigned kind, uint32_t owner) {
    static const ea_key_source SOURCE = {.fetch = keys_of};
    return ea_store_attach(store, keeper->store.header, keeper->store.limit, owner, kind > 0 ? &SOURCE : NULL, kind > 1);
}

static int file_of(const void *bytes, size_t size) {
    int fd = memfd_create("store", MFD_CLOEXEC);
    CHECK(fd >= 0 && pwrite(fd, bytes, size, 0) == (ssize_t)size);
    return fd;
}

/* ---- libFuzzer's side ---- */

static void keep(int fd, unsigned kind, unsigned dirty) {
    off_t size = lseek(fd, 0, SEEK_END);
    honest[kind][dirty].size = (size_t)size;
    honest[kind][dirty].bytes = malloc((size_t)size);
    CHECK(pread(fd, honest[kind][dirty].bytes, (size_t)size, 0) == size);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    const char *missing = NULL;
    CHECK(ea_keys_start(&missing) && ea_store_keys_start(&missing));
    for (unsigned kind = 0; kind < KINDS; kind++) {
        ea_keeper keeper;
        ea_store store;
        ea_store_shape wanted = shape_of(kind);
        int64_t sum;
        uint64_t version;
        static _Alignas(64) uint8_t fresh[LIMIT * EA_BLOCK];
        ea_store_format(fresh, &wanted);
        int fd = file_of(fresh, sizeof fresh);
        CHECK(ea_keeper_open(&keeper, fd, &wanted, BOOT) == EA_KEEPER_OK && attach(&store, &keeper, kind, GONE) == EA_STORE_OK);
        /* Synced each time, as the store is small: what waits for a sync has to be free again. */
        for (unsigned i = 0; i < KEYS - 1; i++)
            CHECK(put(&store, i, 'o') == EA_STORE_OK && ea_keeper_sync(&keeper, &version) == EA_KEEPER_OK);
        CHECK(ea_store_add(&store, (const uint8_t *)COUNTER, strlen(COUNTER), 5, &sum) == EA_STORE_OK);
        CHECK(put(&store, 2, 'p') == EA_STORE_OK);
        keep(fd, kind, 1);
        ea_store_detach(&store);
        CHECK(ea_keeper_close(&keeper, true) == EA_KEEPER_OK);
        keep(fd, kind, 0);
        close(fd);
    }
    return 0;
}

static void use(int fd, const shape *form, const poke *pokes) {
    ea_keeper keeper;
    ea_store store;
    ea_view kept = {.pin = -1};
    unsigned kind = form->kind % KINDS;
    ea_store_shape wanted = shape_of(kind);
    const uint8_t *boot = form->flags & ANY_BOOT ? NULL : form->flags & OTHER_BOOT ? OTHER : BOOT;
    ea_keeper_status opened = ea_keeper_open(&keeper, fd, &wanted, boot);
    CHECK(opened >= EA_KEEPER_OK && opened <= EA_KEEPER_CORRUPT);
    if (opened != EA_KEEPER_OK) return;
    ea_store_status attached = attach(&store, &keeper, kind, USER);
    CHECK(attached >= EA_STORE_OK && attached <= EA_STORE_NO_MEMORY);
    for (unsigned turn = 1; attached == EA_STORE_OK && turn <= TURNS; turn++) {
        poke_all((uint8_t *)keeper.store.header, keeper.size, pokes, form->pokes, turn);
        do_one(&keeper, &store, &kept, turn);
    }
    if (attached == EA_STORE_OK) ea_store_unpin(&store, &kept);
    ea_store_detach(&store);
    ea_reach reach;
    if (ea_reach_check(&keeper.store, &reach) == EA_STORE_OK) ea_reach_free(&reach);
    (void)ea_keeper_close(&keeper, !(form->flags & LIVES));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static _Alignas(64) uint8_t bytes[LIMIT * EA_BLOCK];
    shape form = {0};
    poke pokes[UINT8_MAX];
    if (size < sizeof form) return 0;
    memcpy(&form, data, sizeof form);
    data += sizeof form, size -= sizeof form;
    if (size < form.pokes * sizeof(poke)) form.pokes = (uint8_t)(size / sizeof(poke));
    memcpy(pokes, data, form.pokes * sizeof(poke));
    data += form.pokes * sizeof(poke), size -= form.pokes * sizeof(poke);
    size_t file = honest[form.kind % KINDS][form.dirty & 1].size, at = form.at % LIMIT * EA_BLOCK;
    memcpy(bytes, honest[form.kind % KINDS][form.dirty & 1].bytes, file);
    if (form.flags & WHOLE) at = 0, file = size < file ? size : file;
    memcpy(bytes + at, data, size < file - at ? size : file - at);
    file = poke_all(bytes, file, pokes, form.pokes, 0);
    if (file >= sizeof(ea_store_header) && !(form.flags & NO_CHECKS)) repair((ea_store_header *)(void *)bytes);
    drawn = 0;
    int fd = file_of(bytes, file);
    use(fd, &form, pokes);
    use(fd, &form, pokes);
    close(fd);
    return 0;
}
