/* Versions: looking at the newest, seeing whether one still holds, and keeping one. */
#include <string.h>

#include "store.h"

static uint64_t pin_word(uint32_t owner, uint64_t version) { return (uint64_t)owner << 52 | (version + 1); }

typedef struct {
    ea_commit commit;
    ea_history history; /* zeros unless the store detects */
} read_commit;

/* Whether a version may have come of the newest that was seen. It has, if nobody's commits in it end before those that
 * were in the other: who makes one has seen all its own before. */
static bool continues(const ea_store *store, const ea_commit *commit, const ea_history *history) {
    const ea_commit *newest = &store->newest.commit;
    const ea_history *before = &store->history;
    if (commit->version < newest->version || history->steps < before->steps) return false;
    if (commit->version == newest->version && memcmp(commit->tag, newest->tag, sizeof commit->tag) != 0) return false;
    if (history->steps == before->steps && memcmp(history->mark, before->mark, sizeof history->mark) != 0) return false;
    for (int i = 0; i < EA_WRITERS; i++)
        if (history->writers[i] < before->writers[i]) return false;
    return true;
}

/* Whether a commit is authentic, and comes of what was seen. */
static ea_store_status prove(const ea_store *store, const read_commit *read) {
    uint8_t tag[EA_STORE_TAG];
    static const read_commit empty = {.commit.version = 1};
    if (!store->detects) return EA_STORE_OK;
    /* The first commit is the host's, who has no key; it says nothing. */
    bool first = memcmp(read, &empty, sizeof empty) == 0;
    if (!first && !ea_store_commit_tag(store->keys, &read->commit, &read->history, tag)) return EA_STORE_NO_MEMORY;
    if (!first && memcmp(tag, read->commit.tag, sizeof tag) != 0) return EA_STORE_FORGED;
    return continues(store, &read->commit, &read->history) ? EA_STORE_OK : EA_STORE_ROLLED_BACK;
}

/* A commit that was read and belongs to the word. */
static ea_store_status believe(ea_store *store, const read_commit *read, ea_view *view) {
    uint32_t number = view->commit.key_id;
    /* Whoever has come by an old key must not bring back the time when it was good. */
    if (number < store->newest.commit.key_id) return EA_STORE_ROLLED_BACK;
    bool known = store->source.fetch == NULL || (store->keys != NULL && store->kept[0].number == number);
    if (!known && (store->keys = store->source.fetch(store->source.context, number)) == NULL) {
        ea_keyring_newest(store);
        return EA_STORE_NO_KEY;
    }
    ea_store_status status = prove(store, read);
    if (status != EA_STORE_OK) {
        if (!known) ea_store_keys_free(store->keys);
        ea_keyring_newest(store);
        return status;
    }
    if (!known) ea_keyring_keep(store, number, store->keys);
    store->newest = *view;
    store->history = read->history;
    return EA_STORE_OK;
}

ea_store_status ea_store_look(ea_store *store, ea_view *view) {
    union {
        read_commit all;
        uint64_t words[sizeof(read_commit) / 8];
    } read;
    ea_keyring_newest(store);
    unsigned count = (unsigned)(store->detects ? sizeof read : sizeof read.all.commit) / 8;
    /* Acquire: the blocks of the version that it names. */
    uint64_t word = ea_load(&store->header->root, EA_ACQUIRE);
    for (int attempt = 0; attempt < EA_STORE_ATTEMPTS; attempt++) {
        uint32_t at = store->culprit = (uint32_t)word;
        if (!ea_block_is(store, at)) return EA_STORE_CORRUPT;
        /* A word stands for one commit for ever, or for so long that nobody lives to see the other. */
        if (word == store->newest.word) {
            *view = store->newest;
            return EA_STORE_OK;
        }
        read.all.history = (ea_history){0};
        ea_words_in(read.words, store->blocks[at].data, count);
        *view = (ea_view){.commit = read.all.commit, .word = word, .pin = -1};
        uint64_t horizon = ea_load(&store->header->horizon, EA_ACQUIRE);
        uint64_t again = ea_load(&store->header->root, EA_ACQUIRE);
        if (again == word) /* then the block was in use all the time, and has to make sense */
            return (uint32_t)view->commit.version != word >> 32 || horizon > view->commit.version ? EA_STORE_CORRUPT
                                                                                                  : believe(store, &read.all, view);
        word = again;
    }
    return EA_STORE_BUSY;
}

ea_store_status ea_store_judge(const ea_store *store, const ea_view *view, ea_store_status status) {
    if (view->pin >= 0 || ea_load(&store->header->horizon, EA_ACQUIRE) <= view->commit.version) return status;
    /* Who raises the horizon has seen a newer version, and after that load we see it, too. Without one, trying again leads nowhere. */
    return ea_load(&store->header->root, EA_ACQUIRE) == view->word ? EA_STORE_CORRUPT : EA_STORE_RACED;
}

ea_store_status ea_store_pin(ea_store *store, ea_view *view) {
    for (int attempt = 0; attempt < EA_STORE_ATTEMPTS; attempt++) {
        ea_store_status status = ea_store_look(store, view);
        if (status != EA_STORE_OK) return status;
        uint64_t word = pin_word(ea_owner_of(store->state), view->commit.version), none = 0;
        int pin = 0;
        /* Sequentially consistent: see look_around() in blocks.c. */
        for (; pin < EA_PINS && !ea_cas(&store->header->pins[pin], &none, word, EA_SEQ_CST); pin++) none = 0;
        if (pin == EA_PINS) return EA_STORE_BUSY;
        if (ea_load(&store->header->horizon, EA_SEQ_CST) <= view->commit.version) {
            view->pin = pin;
            return EA_STORE_OK;
        }
        ea_store(&store->header->pins[pin], 0, EA_RELAXED);
        if (ea_load(&store->header->root, EA_ACQUIRE) == view->word) return EA_STORE_CORRUPT; /* a horizon above the newest */
    }
    return EA_STORE_BUSY;
}

void ea_store_unpin(ea_store *store, ea_view *view) {
    /* Release: all reading of the version comes before its blocks are used again. */
    if (view->pin >= 0) ea_store(&store->header->pins[view->pin], 0, EA_RELEASE);
    view->pin = -1;
}

void ea_store_drop_pins(ea_store *store, uint32_t owner) {
    for (int pin = 0; pin < EA_PINS; pin++) {
        uint64_t word = ea_load(&store->header->pins[pin], EA_RELAXED);
        if (word != 0 && word >> 52 == owner) (void)ea_cas(&store->header->pins[pin], &word, 0, EA_RELAXED);
    }
}

uint64_t ea_store_lowest_pin(const ea_store *store) {
    uint64_t lowest = UINT64_MAX;
    for (int pin = 0; pin < EA_PINS; pin++) {
        /* Sequentially consistent: after the horizon was raised; acquire is part of it. */
        uint64_t version = ea_load(&store->header->pins[pin], EA_SEQ_CST) & ((UINT64_C(1) << 52) - 1);
        if (version != 0 && version - 1 < lowest) lowest = version - 1;
    }
    return lowest;
}
