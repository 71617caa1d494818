/* One process's access to a store. */
#include <stdlib.h>
#include <string.h>

#include "header.h"
#include "store.h"

ea_store_status ea_store_attach(ea_store *store, void *base, uint32_t limit, uint32_t owner, const ea_key_source *source, bool detects) {
    ea_store_fixed fixed;
    ea_view view = {0};
    *store = (ea_store){.header = base,
                        .blocks = base,
                        .limit = limit,
                        .state = (owner & 0xfff) << 4,
                        .sealed = source != NULL,
                        .source = source == NULL ? (ea_key_source){0} : *source,
                        .detects = detects,
                        .newest.pin = -1};
    memcpy(&fixed, &store->header->fixed, sizeof fixed);
    if (limit <= EA_HEADER_BLOCKS || limit > EA_REF_INDEX || !ea_header_is_right(&fixed) ||
        fixed.limit < limit || fixed.encryption != (source != NULL) || fixed.detects != detects || (detects && source == NULL))
        return EA_STORE_CORRUPT;
    memcpy(store->id, fixed.id, sizeof store->id);
    memcpy(store->seed, fixed.seed, sizeof store->seed);
    ea_store_status status = ea_store_look(store, &view);
    /* Another life of this owner begins at another version, or has retired nothing of anybody. */
    store->state |= ((uint32_t)view.commit.version & 0xffff) << 16;
    store->draft = ea_draft_new();
    return status != EA_STORE_OK || store->draft != NULL ? status : EA_STORE_NO_MEMORY;
}

void ea_store_forget(ea_store *store) {
    ea_blocks_forget(store);
    ea_draft_free(store->draft);
    ea_keyring_forget(store);
    free(store->scratch);
    *store = (ea_store){0};
}

void ea_store_detach(ea_store *store) {
    if (store->header != NULL) {
        ea_store_drop_pins(store, ea_owner_of(store->state));
        ea_blocks_let_go(store);
    }
    ea_store_forget(store);
}
