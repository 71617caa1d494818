/* Rotation: all records of a version, written anew under another key, are the next version, by one commit. */
#include <stdlib.h>

#include "store.h"

enum { ATTEMPTS = 16 };

typedef struct {
    ea_store *store;
    ea_store_keys *old, *new;
    ea_change *changes; /* one for each record */
    size_t count, room;
    uint8_t *value;
    size_t size;   /* of the memory for a value */
    uint64_t left; /* branches and records that an honest store can still have */
} rotation;

static bool make_room(rotation *all, size_t value_size) {
    if (all->count == all->room) {
        size_t room = all->room == 0 ? 64 : 2 * all->room;
        ea_change *changes = realloc(all->changes, room * sizeof *changes);
        if (changes == NULL) return false;
        all->changes = changes;
        all->room = room;
    }
    if (all->value != NULL && value_size <= all->size) return true;
    uint8_t *value = realloc(all->value, value_size + 1);
    if (value == NULL) return false;
    all->value = value;
    all->size = value_size;
    return true;
}

static ea_store_status copy_record(rotation *all, ea_ref ref, uint64_t tag) {
    ea_store *store = all->store;
    uint8_t key[EA_LONGEST_KEY];
    ea_found found = {.ref = ref, .tag = tag};
    store->keys = all->old;
    ea_store_status status = ea_record_look(store, &found);
    if (status == EA_STORE_OK && !make_room(all, found.head.value_size)) status = EA_STORE_NO_MEMORY;
    if (status == EA_STORE_OK) status = ea_record_read(store, &found, key, all->value);
    if (status == EA_STORE_OK) status = ea_record_replace(store, &found);
    if (status != EA_STORE_OK) return status;
    ea_change *change = &all->changes[all->count++];
    *change = (ea_change){.key = key, .key_size = found.head.key_size, .value = all->value, .value_size = found.head.value_size};
    store->keys = all->new;
    if (!ea_store_hash(store, key, change->key_size, change->hash)) return EA_STORE_NO_MEMORY;
    status = ea_record_write(store, change);
    change->key = NULL; /* it is written; that there is a value is all that matters now */
    change->value = (const uint8_t *)"";
    return status;
}

static ea_store_status copy(rotation *all, ea_ref ref, unsigned level, uint64_t tag) {
    ea_branch branch;
    if (all->left-- == 0) return EA_STORE_CORRUPT; /* it goes in circles */
    if (ref & EA_REF_RECORD) return copy_record(all, ref, tag);
    all->store->keys = all->old;
    ea_store_status status = ea_store_branch(all->store, ref, level, tag, &branch);
    if (status == EA_STORE_OK && !ea_blocks_replace(all->store, ref)) status = EA_STORE_NO_MEMORY;
    for (unsigned n = 0; status == EA_STORE_OK && n < EA_FANOUT; n++)
        if (branch.refs[n] != 0) status = copy(all, branch.refs[n], level + 1, branch.tags[n]);
    return status;
}

/* There is nothing to be written but that the key is another. */
static ea_store_status commit_empty(ea_store *store, const ea_view *view, uint32_t number) {
    ea_commit commit = {.version = view->commit.version + 1, .key_id = number};
    ea_store_status status = ea_blocks_reserve(store, 1);
    return status == EA_STORE_OK ? ea_commit_publish(store, view, &commit, NULL, 0) : status;
}

static ea_store_status try(rotation *all, const ea_view *view, uint32_t number) {
    ea_store *store = all->store;
    ea_view empty = {.commit = {.version = view->commit.version, .key_id = number}, .word = view->word, .pin = -1};
    if (view->commit.key_id + 1 != number) return EA_STORE_DIFFERENT;
    all->old = store->keys;
    all->count = 0;
    all->left = store->limit;
    store->replaced.count = 0;
    ea_store_status status = view->commit.root == 0 ? EA_STORE_OK : copy(all, view->commit.root, 0, view->commit.root_tag);
    store->keys = all->new;
    if (status != EA_STORE_OK) return status;
    return all->count == 0 ? commit_empty(store, view, number) : ea_store_commit_to(store, &empty, all->changes, all->count);
}

ea_store_status ea_store_rotate(ea_store *store, uint32_t number, ea_store_keys *keys) {
    rotation all = {.store = store, .new = keys};
    ea_store_status status = EA_STORE_RACED;
    for (int attempt = 0; attempt < ATTEMPTS && status == EA_STORE_RACED; attempt++) {
        ea_view view;
        status = ea_store_pin(store, &view);
        if (status != EA_STORE_OK) break;
        status = try(&all, &view, number);
        ea_store_unpin(store, &view);
        if (status == EA_STORE_OK) ea_keyring_keep(store, number, keys);
        else ea_blocks_untake(store, 0);
        ea_keyring_newest(store);
    }
    free(all.changes);
    free(all.value);
    return ea_store_undo(store, status);
}
