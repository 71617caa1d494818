/* What of a store can be reached, so what is free: for the keeper, after others have died. */
#include <stdlib.h>
#include <string.h>

#include "keeper.h"

static bool mark(ea_store *store, ea_reach *reach, uint32_t block) {
    store->culprit = block;
    if (!ea_block_is(store, block) || ea_reach_has(reach, block)) return false;
    reach->marks[block / 64] |= UINT64_C(1) << block % 64;
    if (block > reach->highest) reach->highest = block;
    return true;
}

static bool mark_record(ea_store *store, ea_reach *reach, ea_ref ref) {
    ea_found found = {.ref = ref};
    if (ea_record_look(store, &found) != EA_STORE_OK) return false;
    uint32_t block = ref & EA_REF_INDEX;
    uint64_t blocks = ea_record_blocks(store, found.head.key_size, found.head.value_size);
    reach->keys++;
    reach->records += blocks;
    for (; blocks > 0; blocks--) {
        if (!mark(store, reach, block)) return false;
        block = ea_load(&store->blocks[block].next, EA_ACQUIRE);
    }
    return true;
}

static bool mark_trie(ea_store *store, ea_reach *reach, ea_ref ref, unsigned level) {
    ea_branch branch;
    if (ref & EA_REF_RECORD) return mark_record(store, reach, ref);
    if (!mark(store, reach, ref) || ea_store_branch(store, ref, level, 0, &branch) != EA_STORE_OK) return false;
    reach->branches++;
    for (unsigned n = 0; n < EA_FANOUT; n++)
        if (branch.refs[n] != 0 && !mark_trie(store, reach, branch.refs[n], level + 1)) return false;
    return true;
}

ea_store_status ea_reach_mark(ea_store *store, ea_reach *reach, uint32_t at) {
    ea_commit commit;
    uint64_t words[sizeof commit / 8];
    *reach = (ea_reach){.marks = calloc((size_t)store->limit / 64 + 1, sizeof(uint64_t))};
    if (reach->marks == NULL) return EA_STORE_NO_MEMORY;
    bool ok = mark(store, reach, at);
    if (ok) {
        ea_words_in(words, store->blocks[at].data, sizeof words / 8);
        memcpy(&commit, words, sizeof commit);
        ok = commit.root == 0 || (!(commit.root & EA_REF_RECORD) && mark_trie(store, reach, commit.root, 0));
        if (ok) store->culprit = at;
        ok = ok && commit.keys == reach->keys && commit.records == reach->records && commit.branches == reach->branches;
    }
    if (ok) return EA_STORE_OK;
    ea_reach_free(reach);
    return EA_STORE_CORRUPT;
}

void ea_reach_free(ea_reach *reach) {
    free(reach->marks);
    reach->marks = NULL;
}

ea_store_status ea_reach_check(ea_store *store, ea_reach *reach) {
    ea_view view;
    ea_store_status status = ea_store_look(store, &view);
    if (status == EA_STORE_OK) status = ea_reach_mark(store, reach, (uint32_t)view.word);
    if (status != EA_STORE_OK) return status;
    ea_a64 *const stacks[] = {&store->header->top, &store->header->waiting};
    ea_reach free_too = *reach; /* the same marks: what is free is in use by nobody, and free once */
    for (int i = 0; i < 2; i++)
        for (uint32_t block = (uint32_t)ea_load(stacks[i], EA_ACQUIRE); block != 0 && status == EA_STORE_OK;)
            if (!mark(store, &free_too, block)) status = EA_STORE_CORRUPT;
            else block = ea_load(i == 0 ? &store->blocks[block].next : &store->blocks[block].below, EA_ACQUIRE), free_too.free++;
    uint32_t fresh = ea_load(&store->header->fresh, EA_RELAXED);
    if (status == EA_STORE_OK && free_too.highest >= fresh) status = EA_STORE_CORRUPT;
    reach->free = free_too.free;
    if (status != EA_STORE_OK) ea_reach_free(reach);
    return status;
}
