/* Records: key and value, over as many blocks as they need. */
#include <stdlib.h>
#include <string.h>

#include "store.h"

enum { HEAD = sizeof(ea_record_head), WORDS = EA_BLOCK_DATA / 8 };

uint8_t *ea_store_scratch(ea_store *store, size_t size) {
    if (size <= store->scratch_size) return store->scratch;
    uint8_t *scratch = realloc(store->scratch, size);
    if (scratch == NULL) return NULL;
    store->scratch = scratch;
    store->scratch_size = size;
    return scratch;
}

static uint64_t bytes_of(const ea_store *store, uint64_t key_size, uint64_t value_size) {
    return HEAD + (store->sealed ? EA_SEALED : 0) + key_size + value_size;
}

uint64_t ea_record_blocks(const ea_store *store, uint64_t key_size, uint64_t value_size) {
    return (bytes_of(store, key_size, value_size) + EA_BLOCK_DATA - 1) / EA_BLOCK_DATA;
}

/* Bytes of a record, from its first block on, each read once. */
typedef struct {
    ea_store *store;
    uint32_t block;
    uint64_t left;         /* bytes of the record that are not in `words` yet */
    uint64_t words[WORDS]; /* of the block */
    size_t at, have;
} reader;

static void load(reader *chain) {
    chain->have = chain->left < EA_BLOCK_DATA ? chain->left : EA_BLOCK_DATA;
    ea_words_in(chain->words, chain->store->blocks[chain->block].data, (unsigned)((chain->have + 7) / 8));
    chain->left -= chain->have;
    chain->at = 0;
}

/* False if it goes on where no block is. */
static bool copy(reader *chain, uint8_t *to, size_t size) {
    while (size > 0) {
        if (chain->at == chain->have) {
            chain->block = ea_load(&chain->store->blocks[chain->block].next, EA_ACQUIRE);
            if (chain->left == 0 || !ea_block_is(chain->store, chain->block)) return false;
            load(chain);
        }
        size_t part = chain->have - chain->at < size ? chain->have - chain->at : size;
        memcpy(to, (const uint8_t *)chain->words + chain->at, part);
        chain->at += part;
        to += part;
        size -= part;
    }
    return true;
}

static reader begin(ea_store *store, const ea_found *found) {
    reader chain = {.store = store,
                   .block = found->ref & EA_REF_INDEX,
                   .left = bytes_of(store, found->head.key_size, found->head.value_size)};
    load(&chain);
    chain.at = HEAD;
    return chain;
}

/* Both at once, sealed, in scratch memory; NULL and the status. */
static const uint8_t *gather(ea_store *store, const ea_found *found, ea_store_status *status) {
    size_t size = EA_SEALED + (size_t)found->head.key_size + found->head.value_size;
    uint8_t *sealed = ea_store_scratch(store, size);
    reader chain = begin(store, found);
    *status = sealed == NULL ? EA_STORE_NO_MEMORY : copy(&chain, sealed, size) ? EA_STORE_OK : EA_STORE_CORRUPT;
    if (*status == EA_STORE_OK && store->detects && memcmp(sealed + EA_STORE_NONCE, &found->tag, sizeof found->tag) != 0)
        *status = EA_STORE_FORGED;
    return *status == EA_STORE_OK ? sealed : NULL;
}

ea_store_status ea_record_read(ea_store *store, const ea_found *found, uint8_t *key, uint8_t *value) {
    store->culprit = found->ref & EA_REF_INDEX;
    if (store->keys == NULL) {
        reader chain = begin(store, found);
        return copy(&chain, key, found->head.key_size) && copy(&chain, value, found->head.value_size) ? EA_STORE_OK
                                                                                                     : EA_STORE_CORRUPT;
    }
    ea_store_status status;
    const uint8_t *sealed = gather(store, found, &status);
    if (sealed != NULL && !ea_store_unseal(store->keys, &found->head, sealed, key, value)) status = EA_STORE_FORGED;
    return status;
}

ea_store_status ea_record_prove(ea_store *store, const ea_found *found) {
    uint8_t key[EA_LONGEST_KEY];
    if (!store->detects) return EA_STORE_OK;
    uint8_t *value = malloc((size_t)found->head.value_size + 1);
    ea_store_status status = value == NULL ? EA_STORE_NO_MEMORY : ea_record_read(store, found, key, value);
    free(value);
    return status;
}

ea_store_status ea_record_look(ea_store *store, ea_found *found) {
    uint64_t words[HEAD / 8];
    uint32_t index = store->culprit = found->ref & EA_REF_INDEX;
    if (!ea_block_is(store, index)) return EA_STORE_CORRUPT;
    ea_words_in(words, store->blocks[index].data, HEAD / 8);
    memcpy(&found->head, words, HEAD);
    if (found->head.key_size > EA_LONGEST_KEY || found->head.value_size > EA_LARGEST_VALUE || found->head.flags != 0)
        return EA_STORE_CORRUPT;
    return EA_STORE_OK;
}

ea_store_status ea_record_replace(ea_store *store, const ea_found *found) {
    uint32_t index = found->ref & EA_REF_INDEX;
    for (uint64_t left = ea_record_blocks(store, found->head.key_size, found->head.value_size); left > 0; left--) {
        store->culprit = index;
        if (!ea_block_is(store, index)) return EA_STORE_CORRUPT;
        if (!ea_blocks_replace(store, index)) return EA_STORE_NO_MEMORY;
        index = ea_load(&store->blocks[index].next, EA_ACQUIRE);
    }
    return EA_STORE_OK;
}

/* ---- writing ---- */

typedef struct {
    ea_store *store;
    uint32_t block, following;
    uint64_t words[WORDS];
    size_t at;
} writer;

static void flush(writer *pen) {
    ea_block *block = &pen->store->blocks[pen->block];
    memset((uint8_t *)pen->words + pen->at, 0, (8 - pen->at % 8) % 8);
    ea_words_out(block->data, pen->words, (unsigned)((pen->at + 7) / 8));
    ea_store(&block->next, pen->following, EA_RELEASE);
}

static void put(writer *pen, const void *from, size_t size) {
    const uint8_t *bytes = from;
    while (size > 0) {
        if (pen->at == EA_BLOCK_DATA) {
            pen->following = ea_blocks_take(pen->store);
            flush(pen);
            pen->block = pen->following;
            pen->following = 0;
            pen->at = 0;
        }
        size_t part = EA_BLOCK_DATA - pen->at < size ? EA_BLOCK_DATA - pen->at : size;
        memcpy((uint8_t *)pen->words + pen->at, bytes, part);
        pen->at += part;
        bytes += part;
        size -= part;
    }
}

ea_store_status ea_record_write(ea_store *store, ea_change *change) {
    ea_record_head head = {.value_size = change->value_size, .key_size = (uint16_t)change->key_size};
    memcpy(head.hash, change->hash, EA_HASH);
    change->blocks = (uint32_t)ea_record_blocks(store, change->key_size, change->value_size);
    ea_store_status status = ea_blocks_reserve(store, (uint64_t)change->blocks + EA_STORE_SPARE);
    if (status != EA_STORE_OK) return status;
    uint8_t *sealed = NULL;
    size_t size = EA_SEALED + (size_t)change->key_size + change->value_size;
    if (store->keys != NULL) {
        sealed = ea_store_scratch(store, size);
        if (sealed == NULL || !ea_store_seal(store->keys, &head, change->key, change->value, sealed)) return EA_STORE_NO_MEMORY;
        if (store->detects) memcpy(&change->tag, sealed + EA_STORE_NONCE, sizeof change->tag);
    }
    writer pen = {.store = store, .block = ea_blocks_take(store)};
    change->ref = pen.block | EA_REF_RECORD;
    put(&pen, &head, HEAD);
    if (sealed != NULL) {
        put(&pen, sealed, size);
    } else {
        put(&pen, change->key, change->key_size);
        put(&pen, change->value, change->value_size);
    }
    flush(&pen);
    return EA_STORE_OK;
}
