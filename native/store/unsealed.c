/* In the place of seal.c where no store is encrypted: there are no keys, so nobody can have any. */
#include "keys.h"
#include "seal.h"

bool ea_crypto_start(const char **missing) { return ea_store_keys_start(missing); }
bool ea_keys_start(const char **missing) { return ea_store_keys_start(missing); }
bool ea_store_keys_start(const char **missing) {
    *missing = "this enclave was built without encrypted stores";
    return false;
}
ea_store_keys *ea_store_keys_new(const uint8_t key[EA_STORE_KEY], const uint8_t id[16]) { return NULL; }
void ea_store_keys_free(ea_store_keys *keys) {}
bool ea_store_hash_secretly(ea_store_keys *keys, const uint8_t *key, size_t size, uint8_t hash[EA_HASH]) { return false; }
bool ea_store_seal(ea_store_keys *keys, const ea_record_head *head, const uint8_t *key, const uint8_t *value, uint8_t *out) {
    return false;
}
bool ea_store_unseal(ea_store_keys *keys, const ea_record_head *head, const uint8_t *sealed, uint8_t *key, uint8_t *value) {
    return false;
}
bool ea_store_branch_tag(ea_store_keys *keys, unsigned level, const ea_ref refs[EA_FANOUT], const uint64_t tags[EA_FANOUT],
                         uint64_t *tag) {
    return false;
}
bool ea_store_commit_tag(ea_store_keys *keys, const ea_commit *commit, const ea_history *history, uint8_t tag[EA_STORE_TAG]) {
    return false;
}
