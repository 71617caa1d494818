/* A small store for tests: its memory, its users, and what must hold of it. */
#ifndef EA_STORAGE_H
#define EA_STORAGE_H

#include "store/keeper.h"

typedef enum { STORAGE_PLAIN, STORAGE_SEALED, STORAGE_DETECTING, STORAGE_KINDS } storage_kind;

typedef struct {
    uint8_t *base;
    uint32_t limit;
    storage_kind kind;
} storage;

/* An empty store that need not last, in `base`, which starts on a line; NULL: in memory of its own. */
void storage_create(storage *self, uint8_t *base, uint32_t limit, storage_kind kind);
void storage_destroy(storage *self);
/* The keys of a number, and where users get them. */
ea_store_keys *storage_keys(void *context, uint32_t number);
extern const ea_key_source STORAGE_SOURCE;
void storage_attach(const storage *self, ea_store *user, uint32_t owner);

/* A key, until the next one is named. */
const char *storage_name(uint32_t number);
/* Most tests need no other keys and values than text. NULL: the key is deleted. */
ea_change storage_change(const char *key, const char *value);
ea_store_status storage_put(ea_store *user, const char *key, const char *value);
ea_store_status storage_delete(ea_store *user, const char *key);
/* Whether the key has the value; NULL: whether it is absent. Of the newest version if `view` is NULL. */
bool storage_has(ea_store *user, const ea_view *view, const char *key, const char *value);

/* Where ea_store_get puts a value. */
typedef struct {
    uint8_t *bytes;
    uint32_t room, size;
} storage_value;
uint8_t *storage_room(void *context, uint32_t size);

/* Blocks that nobody has, after a check of all others. Only while nobody is at work, and nobody holds any. */
uint32_t storage_lost(const storage *self);
/* How many are free then. */
uint32_t storage_free(const storage *self);

#endif
