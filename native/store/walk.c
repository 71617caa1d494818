/* Walking through a version, or through what differs between two. */
#include <stdlib.h>
#include <string.h>

#include "store.h"

/* The same place in both versions. */
typedef struct {
    ea_ref refs[2];
    uint64_t tags[2];
    unsigned level;
} both;

struct ea_walk {
    ea_store *store;
    ea_view view;  /* whose keys all of it is under */
    uint64_t left; /* pairs that an honest store can still have */
    unsigned count;
    both pairs[(EA_LEVELS + 1) * (EA_FANOUT + 1)];
};

static ea_walk *begin(ea_store *store, const ea_commit *before, const ea_view *view) {
    const ea_commit *after = &view->commit;
    ea_walk *walk = malloc(sizeof *walk);
    if (walk == NULL) return NULL;
    walk->store = store;
    walk->view = *view;
    walk->left = UINT64_C(4) * (EA_FANOUT + 1) * store->limit;
    walk->count = before->root != after->root || before->root_tag != after->root_tag;
    walk->pairs[0] = (both){.refs = {before->root, after->root}, .tags = {before->root_tag, after->root_tag}};
    return walk;
}

ea_walk *ea_walk_new(ea_store *store, const ea_view *view) { return begin(store, &(ea_commit){0}, view); }

ea_walk *ea_walk_changes(ea_store *store, const ea_view *before, const ea_view *after) {
    return begin(store, &before->commit, after);
}

void ea_walk_free(ea_walk *walk) { free(walk); }

static bool is_branch(ea_ref ref) { return ref != 0 && !(ref & EA_REF_RECORD); }

static void add(ea_walk *walk, const both *pair) {
    if (pair->refs[0] != pair->refs[1] || pair->tags[0] != pair->tags[1]) walk->pairs[walk->count++] = *pair;
}

/* Both versions one level further down; a record goes where its hash says. */
static ea_store_status expand(ea_walk *walk, const both *above) {
    ea_branch branches[2] = {0};
    if (above->level >= EA_LEVELS) return EA_STORE_CORRUPT;
    for (int side = 0; side < 2; side++) {
        ea_store_status status = EA_STORE_OK;
        if (is_branch(above->refs[side])) {
            status = ea_store_branch(walk->store, above->refs[side], above->level, above->tags[side], &branches[side]);
        } else if (above->refs[side] != 0) {
            ea_found found = {.ref = above->refs[side]};
            status = ea_record_look(walk->store, &found);
            branches[side].refs[ea_nibble(found.head.hash, above->level)] = above->refs[side];
            branches[side].tags[ea_nibble(found.head.hash, above->level)] = above->tags[side];
        }
        if (status != EA_STORE_OK) return status;
    }
    for (unsigned n = 0; n < EA_FANOUT; n++)
        add(walk, &(both){.refs = {branches[0].refs[n], branches[1].refs[n]},
                          .tags = {branches[0].tags[n], branches[1].tags[n]},
                          .level = above->level + 1});
    return EA_STORE_OK;
}

ea_store_status ea_walk_next(ea_walk *walk, ea_found *before, ea_found *after) {
    ea_store_status known = ea_keyring_of(walk->store, &walk->view);
    if (known != EA_STORE_OK) return known;
    while (walk->count > 0) {
        both now = walk->pairs[--walk->count];
        if (walk->left-- == 0) return EA_STORE_CORRUPT; /* it goes in circles */
        ea_store_status status = EA_STORE_OK;
        if (is_branch(now.refs[0]) || is_branch(now.refs[1])) {
            status = expand(walk, &now);
            if (status != EA_STORE_OK) return status;
            continue;
        }
        *before = (ea_found){.ref = now.refs[0], .tag = now.tags[0]};
        *after = (ea_found){.ref = now.refs[1], .tag = now.tags[1]};
        if (before->ref != 0) status = ea_record_look(walk->store, before);
        if (status == EA_STORE_OK && after->ref != 0) status = ea_record_look(walk->store, after);
        if (status == EA_STORE_OK && before->ref != 0 && after->ref != 0 &&
            memcmp(before->head.hash, after->head.hash, EA_HASH) != 0) {
            /* One has gone and another has come. */
            add(walk, &(both){.refs = {0, now.refs[1]}, .tags = {0, now.tags[1]}, .level = now.level});
            *after = (ea_found){0};
        }
        return status;
    }
    return EA_STORE_ABSENT;
}
