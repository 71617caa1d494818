/* From the root of the trie to a record. */
#include <string.h>

#include "siphash.h"
#include "store.h"

enum { EA_LINE_WORDS = 8 };

bool ea_store_hash(ea_store *store, const uint8_t *key, size_t size, uint8_t hash[EA_HASH]) {
    if (store->keys != NULL) return ea_store_hash_secretly(store->keys, key, size, hash);
    ea_siphash128(store->seed, key, size, hash);
    return true;
}

ea_store_status ea_store_branch(ea_store *store, ea_ref ref, unsigned level, uint64_t tag, ea_branch *branch) {
    uint64_t found;
    store->culprit = ref;
    if (!ea_block_is(store, ref) || level >= EA_LEVELS) return EA_STORE_CORRUPT;
    uint64_t words[EA_FANOUT / 2];
    ea_words_in(words, &store->blocks[ref].data[EA_BRANCH_REFS(ref)], EA_FANOUT / 2);
    memcpy(branch->refs, words, sizeof words);
    if (!store->detects) {
        memset(branch->tags, 0, sizeof branch->tags);
        return EA_STORE_OK;
    }
    for (int half = 0; half < 2; half++)
        ea_words_in(&branch->tags[half * EA_FANOUT / 2], &store->blocks[ref].data[EA_BRANCH_TAGS(ref, half)], EA_FANOUT / 2);
    if (!ea_store_branch_tag(store->keys, level, branch->refs, branch->tags, &found)) return EA_STORE_NO_MEMORY;
    return found == tag ? EA_STORE_OK : EA_STORE_FORGED;
}

/* One reference of a branch that need not be authentic: one load. */
static ea_ref reference(const ea_store *store, ea_ref branch, unsigned number) {
    uint64_t pair = ea_load(&store->blocks[branch].data[EA_BRANCH_REFS(branch) + number / 2], EA_ACQUIRE);
    return (ea_ref)(number & 1 ? pair >> 32 : pair);
}

ea_store_status ea_store_find(ea_store *store, const ea_view *view, const uint8_t hash[EA_HASH], ea_found *found) {
    ea_branch branch;
    ea_ref ref = view->commit.root;
    uint64_t tag = view->commit.root_tag;
    for (unsigned level = 0; ref != 0; level++) {
        unsigned number = level < EA_LEVELS ? ea_nibble(hash, level) : 0;
        if (ref & EA_REF_RECORD) {
            if (ea_block_is(store, ref & EA_REF_INDEX)) /* most records end in the third line */
                __builtin_prefetch(&store->blocks[ref & EA_REF_INDEX].data[EA_LINE_WORDS * 2 - 2]);
            *found = (ea_found){.ref = ref, .tag = tag};
            ea_store_status status = ea_record_look(store, found);
            if (status != EA_STORE_OK) return status;
            if (memcmp(found->head.hash, hash, EA_HASH) == 0) return EA_STORE_OK;
            status = ea_record_prove(store, found); /* is it another key's, or does the host say so? */
            return status == EA_STORE_OK ? EA_STORE_ABSENT : status;
        }
        if (store->detects) {
            ea_store_status status = ea_store_branch(store, ref, level, tag, &branch);
            if (status != EA_STORE_OK) return status;
            tag = branch.tags[number];
            ref = branch.refs[number];
        } else {
            store->culprit = ref;
            if (!ea_block_is(store, ref) || level >= EA_LEVELS) return EA_STORE_CORRUPT;
            ref = reference(store, ref, number);
        }
    }
    return EA_STORE_ABSENT;
}
