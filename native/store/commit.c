/* Commits: a new version of the trie, which differs from another in some records.
 *
 * The branches that change are drafted in private memory, and written only when they are
 * complete: what is authenticated is what we meant, not what the host has made of it meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "store.h"

typedef struct {
    ea_branch branch;
    uint16_t drafted; /* bit n: reference n is the number of a draft */
    bool dropped;
    uint32_t parent, slot;
} drafting;

struct ea_draft {
    drafting *drafts;
    uint32_t count, room;
    uint32_t sources; /* branches that they replace */
    uint32_t dropped;
    ea_commit commit;
    bool changed;
};

/* Where in the drafts a key belongs. */
typedef struct {
    uint32_t draft;
    unsigned slot;
} place;

struct ea_draft *ea_draft_new(void) { return calloc(1, sizeof(struct ea_draft)); }

void ea_draft_free(struct ea_draft *draft) {
    if (draft != NULL) free(draft->drafts);
    free(draft);
}

static drafting *at(ea_store *store, uint32_t number) { return &store->draft->drafts[number]; }

/* A new, empty one below another; its number, or UINT32_MAX. */
static uint32_t add_draft(ea_store *store, place parent) {
    struct ea_draft *all = store->draft;
    if (all->count == all->room) {
        uint32_t room = all->room == 0 ? 16 : all->room * 2;
        drafting *drafts = realloc(all->drafts, room * sizeof *drafts);
        if (drafts == NULL) return UINT32_MAX;
        all->drafts = drafts;
        all->room = room;
    }
    drafting *new = &all->drafts[all->count];
    *new = (drafting){.parent = parent.draft, .slot = parent.slot};
    if (all->count > 0) {
        drafting *above = &all->drafts[parent.draft];
        above->branch.refs[parent.slot] = all->count;
        above->drafted |= (uint16_t)(1u << parent.slot);
    }
    return all->count++;
}

static ea_store_status draft_of(ea_store *store, ea_ref ref, unsigned level, uint64_t tag, place parent, uint32_t *number) {
    *number = add_draft(store, parent);
    if (*number == UINT32_MAX) return EA_STORE_NO_MEMORY;
    store->draft->sources++;
    ea_store_status status = ea_store_branch(store, ref, level, tag, &at(store, *number)->branch);
    return status != EA_STORE_OK || ea_blocks_replace(store, ref) ? status : EA_STORE_NO_MEMORY;
}

static void set(ea_store *store, place where, ea_ref ref, uint64_t tag) {
    drafting *draft = at(store, where.draft);
    draft->branch.refs[where.slot] = ref;
    draft->branch.tags[where.slot] = tag;
    draft->drafted &= (uint16_t)~(1u << where.slot);
}

/* After a record was taken away: a branch with one record is none, up to the root. */
static void collapse(ea_store *store, const place path[], unsigned level) {
    for (; level > 0; level--) {
        drafting *draft = at(store, path[level].draft);
        unsigned left = 0, slot = 0;
        for (unsigned n = 0; n < EA_FANOUT; n++)
            if (draft->branch.refs[n] != 0) left++, slot = n;
        if (left > 1 || draft->drafted != 0 || (left == 1 && !(draft->branch.refs[slot] & EA_REF_RECORD))) return;
        draft->dropped = true;
        store->draft->dropped++;
        set(store, path[level - 1], left == 0 ? 0 : draft->branch.refs[slot], left == 0 ? 0 : draft->branch.tags[slot]);
    }
}

/* Where there is a record of another key, make room for both: branches down to where they part. */
static ea_store_status part(ea_store *store, place here, unsigned level, const ea_found *other, const ea_change *change) {
    for (;;) {
        uint32_t below = add_draft(store, here);
        if (below == UINT32_MAX) return EA_STORE_NO_MEMORY;
        if (++level >= EA_LEVELS) return EA_STORE_CORRUPT;
        unsigned theirs = ea_nibble(other->head.hash, level), ours = ea_nibble(change->hash, level);
        here = (place){below, ours};
        if (theirs == ours) continue;
        set(store, (place){below, theirs}, other->ref, other->tag);
        set(store, here, change->ref, change->tag);
        return EA_STORE_OK;
    }
}

static ea_store_status change_one(ea_store *store, const ea_change *change) {
    place path[EA_LEVELS];
    ea_commit *commit = &store->draft->commit;
    uint32_t number = 0;
    for (unsigned level = 0; level < EA_LEVELS; level++) {
        place here = path[level] = (place){number, ea_nibble(change->hash, level)};
        drafting *draft = at(store, number);
        ea_ref ref = draft->branch.refs[here.slot];
        uint64_t tag = draft->branch.tags[here.slot];
        if (draft->drafted >> here.slot & 1) {
            number = ref;
            continue;
        }
        if (ref != 0 && !(ref & EA_REF_RECORD)) {
            ea_store_status status = draft_of(store, ref, level + 1, tag, here, &number);
            if (status != EA_STORE_OK) return status;
            continue;
        }
        ea_found other = {.ref = ref, .tag = tag};
        ea_store_status status = ref == 0 ? EA_STORE_OK : ea_record_look(store, &other);
        if (status == EA_STORE_OK && ref != 0) status = ea_record_prove(store, &other);
        if (status != EA_STORE_OK) return status;
        bool same = ref != 0 && memcmp(other.head.hash, change->hash, EA_HASH) == 0;
        if (change->value == NULL && !same) return EA_STORE_OK;
        store->draft->changed = true;
        if (same) {
            commit->keys--;
            commit->records -= ea_record_blocks(store, other.head.key_size, other.head.value_size);
            status = ea_record_replace(store, &other);
            if (status != EA_STORE_OK) return status;
        }
        if (change->value == NULL) {
            set(store, here, 0, 0);
            collapse(store, path, level);
            return EA_STORE_OK;
        }
        commit->keys++;
        commit->records += change->blocks;
        if (ref == 0 || same) {
            set(store, here, change->ref, change->tag);
            return EA_STORE_OK;
        }
        return part(store, here, level, &other, change);
    }
    return EA_STORE_CORRUPT;
}

static bool is_empty(const drafting *draft) {
    for (unsigned n = 0; n < EA_FANOUT; n++)
        if (draft->branch.refs[n] != 0) return false;
    return true;
}

static bool tag_of(ea_store *store, uint32_t number, uint64_t *tag) {
    const drafting *drafts = store->draft->drafts, *draft = &drafts[number];
    unsigned level = 0;
    for (uint32_t above = number; above != 0; above = drafts[above].parent) level++;
    return ea_store_branch_tag(store->keys, level, draft->branch.refs, draft->branch.tags, tag);
}

/* Write the drafts, those below first, which came last; false if libcrypto fails. */
static bool write_branches(ea_store *store) {
    struct ea_draft *all = store->draft;
    ea_commit *commit = &all->commit;
    for (uint32_t i = all->count; i-- > 0;) {
        drafting *draft = &all->drafts[i];
        uint64_t tag = 0, refs[EA_FANOUT / 2];
        if (draft->dropped) continue;
        if (store->detects && !tag_of(store, i, &tag)) return false;
        uint32_t index = ea_blocks_take(store);
        ea_block *block = &store->blocks[index];
        memcpy(refs, draft->branch.refs, sizeof refs);
        ea_words_out(&block->data[EA_BRANCH_REFS(index)], refs, EA_FANOUT / 2);
        for (int half = 0; store->detects && half < 2; half++)
            ea_words_out(&block->data[EA_BRANCH_TAGS(index, half)], &draft->branch.tags[half * EA_FANOUT / 2], EA_FANOUT / 2);
        if (i == 0) {
            commit->root = index;
            commit->root_tag = tag;
        } else {
            set(store, (place){draft->parent, draft->slot}, index, tag);
        }
    }
    return true;
}

static ea_store_status draft_all(ea_store *store, const ea_view *view, const ea_change *changes, size_t count) {
    struct ea_draft *all = store->draft;
    all->count = all->sources = all->dropped = 0;
    all->changed = false;
    all->commit = (ea_commit){.version = view->commit.version + 1,
                              .key_id = view->commit.key_id,
                              .keys = view->commit.keys,
                              .records = view->commit.records};
    uint32_t root;
    place nowhere = {0};
    if (view->commit.root & EA_REF_RECORD) return EA_STORE_CORRUPT;
    ea_store_status status = EA_STORE_OK;
    if (view->commit.root != 0)
        status = draft_of(store, view->commit.root, 0, view->commit.root_tag, nowhere, &root);
    else if (add_draft(store, nowhere) == UINT32_MAX)
        status = EA_STORE_NO_MEMORY;
    for (size_t i = 0; status == EA_STORE_OK && i < count; i++) status = change_one(store, &changes[i]);
    if (status != EA_STORE_OK) return status;
    if (is_empty(&all->drafts[0])) {
        all->drafts[0].dropped = true;
        all->dropped++;
    }
    uint32_t kept = all->count - all->dropped;
    all->commit.branches = view->commit.branches - all->sources + kept;
    return ea_blocks_reserve(store, (uint64_t)kept + 1);
}

ea_store_status ea_store_commit_to(ea_store *store, const ea_view *view, ea_change *changes, size_t count) {
    uint32_t before = store->taken.count;
    ea_store_status status = draft_all(store, view, changes, count);
    /* There was nothing to delete, if what was read was of this version. */
    if (status == EA_STORE_OK && !store->draft->changed) return ea_store_judge(store, view, EA_STORE_ABSENT);
    if (status != EA_STORE_OK) {
        /* What made no sense may have been of a later version. */
        bool stale = ea_load(&store->header->root, EA_ACQUIRE) != view->word;
        return stale && (status == EA_STORE_CORRUPT || status == EA_STORE_FORGED) ? EA_STORE_RACED : status;
    }
    if (write_branches(store)) return ea_commit_publish(store, view, &store->draft->commit, NULL, before);
    ea_blocks_untake(store, before);
    return EA_STORE_NO_MEMORY;
}

/* The history of a commit of ours that follows on the newest. */
static ea_history continued(const ea_store *store, uint64_t version, const uint8_t *mark) {
    ea_history history = store->history;
    history.writers[ea_owner_of(store->state) % EA_WRITERS] = version;
    if (mark == NULL) return history;
    history.steps++;
    memcpy(history.mark, &version, sizeof version);
    memcpy(history.mark + sizeof version, mark, EA_MARK - sizeof version);
    return history;
}

ea_store_status ea_commit_publish(ea_store *store, const ea_view *view, const ea_commit *commit, const uint8_t *mark, uint32_t from) {
    struct {
        ea_commit commit;
        ea_history history;
    } new = {.commit = *commit};
    uint64_t words[sizeof new / 8];
    unsigned count = sizeof new.commit / 8;
    /* A newer one may have been seen meanwhile, and then the history is of that one. */
    ea_store_status status = view->word == store->newest.word ? EA_STORE_OK : EA_STORE_RACED;
    if (status == EA_STORE_OK && !ea_blocks_replace(store, (uint32_t)view->word)) status = EA_STORE_NO_MEMORY;
    if (status == EA_STORE_OK && store->detects) {
        count = sizeof new / 8;
        new.history = continued(store, commit->version, mark);
        if (!ea_store_commit_tag(store->keys, &new.commit, &new.history, new.commit.tag)) status = EA_STORE_NO_MEMORY;
    }
    if (status != EA_STORE_OK) {
        ea_blocks_untake(store, from);
        return status;
    }
    uint32_t index = ea_blocks_take(store);
    memcpy(words, &new, sizeof words);
    ea_words_out(store->blocks[index].data, words, count);
    for (uint32_t i = 0; i < store->taken.count; i++)
        ea_block_comes(&store->blocks[store->taken.items[i].index], commit->version);
    uint64_t expected = view->word, word = commit->version << 32 | index;
    /* Release: whoever sees the word sees all that it names. Sequentially consistent is not needed: who
     * waits for a new version is woken through a bell, which has its own order. */
    if (!ea_cas(&store->header->root, &expected, word, EA_ACQ_REL)) {
        ea_blocks_untake(store, from);
        return EA_STORE_RACED;
    }
    store->newest = (ea_view){.commit = new.commit, .word = word, .pin = -1};
    store->history = new.history;
    ea_blocks_retire(store, commit->version);
    return EA_STORE_OK;
}
