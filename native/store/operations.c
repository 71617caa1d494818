/* What users do: each is one commit, tried until no other comes between. */
#include <stdlib.h>
#include <string.h>

#include "store.h"

static ea_store_status get_from(ea_store *store, const ea_view *view, const uint8_t *key, size_t size, ea_reserve *reserve, void *context) {
    uint8_t stored[EA_LONGEST_KEY], hash[EA_HASH];
    ea_found found;
    if (!ea_store_hash(store, key, size, hash)) return EA_STORE_NO_MEMORY;
    ea_store_status status = ea_store_find(store, view, hash, &found);
    if (status != EA_STORE_OK) return status;
    uint8_t *value = reserve(context, found.head.value_size);
    if (value == NULL) return EA_STORE_NO_MEMORY;
    status = ea_record_read(store, &found, stored, value);
    if (status == EA_STORE_OK && (found.head.key_size != size || memcmp(stored, key, size) != 0))
        return store->keys != NULL ? EA_STORE_FORGED : EA_STORE_CORRUPT;
    return status;
}

ea_store_status ea_store_get(ea_store *store, const ea_view *view, const uint8_t *key, size_t size, ea_reserve *reserve, void *context) {
    enum { QUICK = 8 }; /* then it takes longer than others leave us, and we have to say that we are there */
    if (view != NULL) {
        ea_store_status status = ea_keyring_of(store, view);
        return status == EA_STORE_OK ? get_from(store, view, key, size, reserve, context) : status;
    }
    for (int attempt = 0; attempt < QUICK; attempt++) {
        ea_view now;
        ea_store_status status = ea_store_look(store, &now);
        if (status != EA_STORE_OK) return status;
        status = ea_store_judge(store, &now, get_from(store, &now, key, size, reserve, context));
        if (status != EA_STORE_RACED) return status;
    }
    ea_view kept;
    ea_store_status status = ea_store_pin(store, &kept);
    if (status != EA_STORE_OK) return status;
    status = get_from(store, &kept, key, size, reserve, context);
    ea_store_unpin(store, &kept);
    return status;
}

/* Whether each key has the same record in both: while one is pinned, its blocks are no other record's. */
static ea_store_status compare(ea_store *store, const ea_view *since, const ea_view *now, const ea_key *reads, size_t count) {
    /* Which records are the same cannot be told any more. */
    if (count > 0 && since->commit.key_id != now->commit.key_id) return EA_STORE_DIFFERENT;
    for (size_t i = 0; i < count; i++) {
        uint8_t hash[EA_HASH];
        ea_found before = {0}, after = {0};
        if (!ea_store_hash(store, reads[i].key, reads[i].size, hash)) return EA_STORE_NO_MEMORY;
        ea_store_status status = ea_store_find(store, since, hash, &before);
        if (status == EA_STORE_ABSENT) before = (ea_found){0};
        else if (status != EA_STORE_OK) return status;
        status = ea_store_find(store, now, hash, &after);
        if (status == EA_STORE_ABSENT) after = (ea_found){0};
        else if (status != EA_STORE_OK) return ea_store_judge(store, now, status);
        if (before.ref != after.ref || before.tag != after.tag) return ea_store_judge(store, now, EA_STORE_DIFFERENT);
    }
    return ea_store_judge(store, now, EA_STORE_OK); /* also what did make sense may have been of a later version */
}

/* Under the newest keys that are known. */
static ea_store_status write_records(ea_store *store, ea_change *changes, size_t count) {
    ea_store_status status = EA_STORE_OK;
    ea_keyring_newest(store);
    store->written = store->kept[0].number;
    for (size_t i = 0; status == EA_STORE_OK && i < count; i++) {
        if (!ea_store_hash(store, changes[i].key, changes[i].key_size, changes[i].hash)) return EA_STORE_NO_MEMORY;
        if (changes[i].value != NULL) status = ea_record_write(store, &changes[i]);
    }
    return status;
}

static ea_store_status commit(ea_store *store, const ea_view *now, ea_change *changes, size_t count) {
    store->replaced.count = 0;
    return ea_store_commit_to(store, now, changes, count);
}

/* The newest version, and the records written anew if it is under other keys than they are. */
static ea_store_status look(ea_store *store, ea_view *now, ea_change *changes, size_t count) {
    for (int attempt = 0; attempt < EA_STORE_ATTEMPTS; attempt++) {
        ea_store_status status = ea_store_look(store, now);
        if (status != EA_STORE_OK || store->kept[0].number == store->written) return status;
        ea_blocks_untake(store, 0);
        status = write_records(store, changes, count);
        if (status != EA_STORE_OK) return status;
    }
    return EA_STORE_BUSY;
}

/* Who has not enough keeps nothing that may be enough for others. */
ea_store_status ea_store_undo(ea_store *store, ea_store_status status) {
    if (status == EA_STORE_FULL || status == EA_STORE_WANTS_ROOM || status == EA_STORE_WANTS_SYNC) ea_blocks_let_go(store);
    else if (status != EA_STORE_OK) ea_blocks_untake(store, 0);
    return status == EA_STORE_RACED ? EA_STORE_BUSY : status;
}

ea_store_status ea_store_apply(ea_store *store, ea_change *changes, size_t count, const ea_view *since, const ea_key *reads,
                               size_t read_count) {
    ea_store_status status = write_records(store, changes, count);
    if (status != EA_STORE_OK) return ea_store_undo(store, status);
    for (int attempt = 0; attempt < EA_STORE_ATTEMPTS; attempt++) {
        ea_view now;
        status = look(store, &now, changes, count);
        if (status == EA_STORE_OK && since != NULL && now.word != since->word)
            status = compare(store, since, &now, reads, read_count);
        if (status == EA_STORE_OK && count > 0) status = commit(store, &now, changes, count);
        if (status != EA_STORE_RACED) break;
    }
    return ea_store_undo(store, status);
}

/* What is there is what was expected, or not. */
static ea_store_status expect(ea_store *store, const ea_view *now, const ea_change *change, const uint8_t *expected, size_t size) {
    ea_found found;
    uint8_t key[EA_LONGEST_KEY];
    ea_store_status status = ea_store_find(store, now, change->hash, &found);
    if (status == EA_STORE_ABSENT) return expected == NULL ? EA_STORE_OK : EA_STORE_DIFFERENT;
    if (status != EA_STORE_OK) return status;
    if (expected == NULL || found.head.value_size != size) { /* or does the host say so? */
        status = ea_record_prove(store, &found);
        return status == EA_STORE_OK ? EA_STORE_DIFFERENT : status;
    }
    uint8_t *value = malloc(size + 1);
    if (value == NULL) return EA_STORE_NO_MEMORY;
    status = ea_record_read(store, &found, key, value);
    if (status == EA_STORE_OK && memcmp(value, expected, size) != 0) status = EA_STORE_DIFFERENT;
    free(value);
    return status;
}

ea_store_status ea_store_replace(ea_store *store, ea_change *change, const uint8_t *expected, size_t expected_size) {
    ea_store_status status = write_records(store, change, 1);
    if (status != EA_STORE_OK) return ea_store_undo(store, status);
    for (int attempt = 0; attempt < EA_STORE_ATTEMPTS; attempt++) {
        ea_view now;
        status = look(store, &now, change, 1);
        if (status != EA_STORE_OK) break;
        status = ea_store_judge(store, &now, expect(store, &now, change, expected, expected_size));
        if (status == EA_STORE_OK) status = commit(store, &now, change, 1);
        if (status == EA_STORE_ABSENT) { /* it was to be deleted, and to be absent */
            ea_blocks_untake(store, 0);
            return EA_STORE_OK;
        }
        if (status != EA_STORE_RACED) break;
    }
    return ea_store_undo(store, status);
}

static uint8_t *counter(void *context, uint32_t size) { return size == sizeof(int64_t) ? context : NULL; }

ea_store_status ea_store_add(ea_store *store, const uint8_t *key, size_t size, int64_t amount, int64_t *sum) {
    ea_change change = {.key = key, .key_size = (uint32_t)size, .value = (uint8_t *)sum, .value_size = sizeof *sum};
    for (int attempt = 0; attempt < EA_STORE_ATTEMPTS; attempt++) {
        int64_t value = 0;
        ea_view now;
        ea_store_status status = ea_store_look(store, &now);
        if (status != EA_STORE_OK) return status;
        if (!ea_store_hash(store, key, size, change.hash)) return EA_STORE_NO_MEMORY;
        status = get_from(store, &now, key, size, counter, &value);
        if (status == EA_STORE_ABSENT) status = EA_STORE_OK;
        status = ea_store_judge(store, &now, status == EA_STORE_NO_MEMORY ? EA_STORE_DIFFERENT : status);
        if (status == EA_STORE_OK && __builtin_add_overflow(value, amount, sum)) return EA_STORE_OVERFLOW;
        if (status == EA_STORE_OK) status = ea_record_write(store, &change);
        if (status == EA_STORE_OK) status = commit(store, &now, &change, 1);
        if (status != EA_STORE_RACED) return ea_store_undo(store, status);
        ea_blocks_untake(store, 0);
    }
    return EA_STORE_BUSY;
}
