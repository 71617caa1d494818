#include "storage.h"

#include <string.h>

#include "check.h"

static const uint8_t ID[16] = {4, 5, 6};

void storage_create(storage *self, uint8_t *base, uint32_t limit, storage_kind kind) {
    ea_store_shape shape = {.limit = limit, .usable = limit, .encryption = kind != STORAGE_PLAIN, .detects = kind == STORAGE_DETECTING};
    memcpy(shape.id, ID, sizeof ID);
    /* Allocated to the byte, so that the sanitizer sees the first one beyond it. */
    *self = (storage){.base = base != NULL ? base : aligned_alloc(EA_BLOCK, (size_t)limit * EA_BLOCK), .limit = limit, .kind = kind};
    CHECK(self->base != NULL);
    memset(self->base, 0, (size_t)limit * EA_BLOCK);
    ea_store_format(self->base, &shape);
}

void storage_destroy(storage *self) {
    free(self->base);
    self->base = NULL;
}

void storage_attach(const storage *self, ea_store *user, uint32_t owner) {
    const ea_key_source *source = self->kind == STORAGE_PLAIN ? NULL : &STORAGE_SOURCE;
    CHECK(ea_store_attach(user, self->base, self->limit, owner, source, self->kind == STORAGE_DETECTING) == EA_STORE_OK);
}

/* Anyone has them. */
ea_store_keys *storage_keys(void *context, uint32_t number) {
    uint8_t key[EA_STORE_KEY] = {1, 2, 3, (uint8_t)number};
    (void)context;
    return ea_store_keys_new(key, ID);
}

const ea_key_source STORAGE_SOURCE = {.fetch = storage_keys};

const char *storage_name(uint32_t number) {
    static char name[16];
    (void)snprintf(name, sizeof name, "key %u", number);
    return name;
}

ea_change storage_change(const char *key, const char *value) {
    return (ea_change){.key = (const uint8_t *)key,
                       .key_size = (uint32_t)strlen(key),
                       .value = (const uint8_t *)value,
                       .value_size = value == NULL ? 0 : (uint32_t)strlen(value)};
}

ea_store_status storage_put(ea_store *user, const char *key, const char *value) {
    ea_change change = storage_change(key, value);
    return ea_store_apply(user, &change, 1, NULL, NULL, 0);
}

ea_store_status storage_delete(ea_store *user, const char *key) { return storage_put(user, key, NULL); }

uint8_t *storage_room(void *context, uint32_t size) {
    storage_value *value = context;
    value->size = size;
    return size <= value->room ? value->bytes : NULL;
}

bool storage_has(ea_store *user, const ea_view *view, const char *key, const char *expected) {
    uint8_t bytes[2048];
    storage_value value = {bytes, sizeof bytes, 0};
    ea_store_status status = ea_store_get(user, view, (const uint8_t *)key, strlen(key), storage_room, &value);
    CHECK(status == EA_STORE_OK || status == EA_STORE_ABSENT);
    if (status == EA_STORE_ABSENT || expected == NULL) return status == EA_STORE_ABSENT && expected == NULL;
    return value.size == strlen(expected) && memcmp(bytes, expected, value.size) == 0;
}

/* As the keeper sees it, who has no key. */
static ea_reach look_through(const storage *self, uint32_t *fresh) {
    ea_store_header *header = (void *)self->base;
    ea_store keeper = {.header = header,
                       .blocks = (void *)self->base,
                       .limit = self->limit,
                       .sealed = self->kind != STORAGE_PLAIN,
                       .newest.pin = -1};
    ea_reach reach;
    CHECK(ea_reach_check(&keeper, &reach) == EA_STORE_OK);
    for (int pin = 0; pin < EA_PINS; pin++) CHECK(ea_load(&header->pins[pin], EA_RELAXED) == 0);
    *fresh = ea_load(&header->fresh, EA_RELAXED);
    CHECK(*fresh <= self->limit);
    ea_reach_free(&reach);
    return reach;
}

uint32_t storage_lost(const storage *self) {
    uint32_t fresh;
    ea_reach reach = look_through(self, &fresh);
    uint64_t known = EA_HEADER_BLOCKS + 1 + reach.records + reach.branches + reach.free;
    CHECK(known <= fresh);
    return fresh - (uint32_t)known;
}

uint32_t storage_free(const storage *self) {
    uint32_t fresh;
    ea_reach reach = look_through(self, &fresh);
    return (uint32_t)reach.free + self->limit - fresh;
}
