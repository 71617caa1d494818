/* Steps: versions that only say that the counter is to be advanced to them. docs/design/rollback.md */
#include "store.h"

ea_store_status ea_store_step(ea_store *store, uint64_t steps, const uint8_t random[EA_MARK / 2]) {
    for (int attempt = 0; attempt < EA_STORE_ATTEMPTS; attempt++) {
        ea_view now;
        ea_store_status status = ea_blocks_reserve(store, 1);
        if (status == EA_STORE_OK) status = ea_store_look(store, &now);
        if (status != EA_STORE_OK) return status;
        if (store->history.steps != steps) return EA_STORE_DIFFERENT;
        ea_commit commit = now.commit;
        commit.version++;
        store->replaced.count = 0;
        status = ea_commit_publish(store, &now, &commit, random, 0);
        if (status != EA_STORE_RACED) return status;
    }
    return EA_STORE_BUSY;
}
