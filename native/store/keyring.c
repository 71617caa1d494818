/* Which keys a version is under: the newest's, and those that older versions had which somebody still looks at. */
#include "store.h"

enum { LAST = EA_KEPT_KEYS - 1 };

ea_store_status ea_keyring_of(ea_store *store, const ea_view *view) {
    if (store->source.fetch == NULL) return EA_STORE_OK;
    for (int i = 0; i < EA_KEPT_KEYS; i++) {
        if (store->kept[i].keys == NULL || store->kept[i].number != view->commit.key_id) continue;
        store->keys = store->kept[i].keys;
        return EA_STORE_OK;
    }
    return EA_STORE_NO_KEY;
}

void ea_keyring_keep(ea_store *store, uint32_t number, ea_store_keys *keys) {
    ea_store_keys_free(store->kept[LAST].keys);
    for (int i = LAST; i > 0; i--) store->kept[i] = store->kept[i - 1];
    store->kept[0] = (ea_kept_keys){number, keys};
    ea_keyring_newest(store);
}

void ea_keyring_forget(ea_store *store) {
    for (int i = 0; i < EA_KEPT_KEYS; i++) ea_store_keys_free(store->kept[i].keys);
}
