#include "seal.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "xaes.h"

enum { ID = 16, WORD = 6, NONCES = 64 };
enum { COMMIT = offsetof(ea_commit, tag), HISTORY = sizeof(ea_history) };
enum { HEAD = sizeof(ea_record_head), REFS = EA_FANOUT * sizeof(ea_ref), TAGS = EA_FANOUT * sizeof(uint64_t) };

struct ea_store_keys {
    uint8_t id[ID];
    ea_xaes records;
    ea_cmac256 hashes, branches;
    /* Drawn in advance: one alone would cost more than all the rest of sealing a short record. */
    uint8_t nonces[NONCES][EA_STORE_NONCE];
    unsigned left, drawn; /* how many are left; `forks` when they were drawn */
};

/* In how many forks this process is the child: what its parent has drawn, the parent uses. No other
 * thread is there when it changes. */
static unsigned forks;

static void forked(void) { forks++; }

bool ea_store_keys_start(const char **missing) {
    static bool listens; /* for forks */
    *missing = EA_NO_AES;
    if (!ea_cpu_has_aes() || !ea_xaes_start(missing)) return false;
    *missing = "memory for a fork handler";
    if (!listens) listens = pthread_atfork(NULL, NULL, forked) == 0;
    return listens;
}

/* `name` says which of the keys. */
static bool derive(const uint8_t key[EA_STORE_KEY], const char *name, const uint8_t id[ID], uint8_t derived[EA_STORE_KEY]) {
    uint8_t info[48];
    size_t size = strlen(name);
    memcpy(info, name, size);
    memcpy(info + size, id, ID);
    return ea_hkdf((ea_bytes){key, EA_STORE_KEY}, (ea_bytes){"", 0}, (ea_bytes){info, size + ID}, derived, EA_STORE_KEY);
}

ea_store_keys *ea_store_keys_new(const uint8_t key[EA_STORE_KEY], const uint8_t id[ID]) {
    uint8_t derived[EA_STORE_KEY];
    ea_store_keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL) return NULL;
    memcpy(keys->id, id, ID);
    bool ok = derive(key, "eactors store records", id, derived) && ea_xaes_key(&keys->records, derived) &&
              derive(key, "eactors store hashes", id, derived) && ea_cmac256_key(&keys->hashes, derived) &&
              derive(key, "eactors store branches", id, derived) && ea_cmac256_key(&keys->branches, derived);
    ea_wipe(derived, sizeof derived);
    if (ok) return keys;
    ea_store_keys_free(keys);
    return NULL;
}

void ea_store_keys_free(ea_store_keys *keys) {
    if (keys == NULL) return;
    ea_xaes_end(&keys->records);
    ea_cmac256_end(&keys->hashes);
    ea_cmac256_end(&keys->branches);
    ea_wipe(keys, sizeof *keys);
    free(keys);
}

bool ea_store_hash_secretly(ea_store_keys *keys, const uint8_t *key, size_t size, uint8_t hash[EA_HASH]) {
    return ea_cmac256_of(&keys->hashes, key, size, hash);
}

static bool draw(ea_store_keys *keys, uint8_t nonce[EA_STORE_NONCE]) {
    if (keys->left == 0 || keys->drawn != forks) {
        keys->left = 0;
        if (!ea_told(RAND_bytes(keys->nonces[0], sizeof keys->nonces) == 1)) return false;
        keys->left = NONCES;
        keys->drawn = forks;
    }
    uint8_t *drawn = keys->nonces[--keys->left];
    memcpy(nonce, drawn, EA_STORE_NONCE);
    ea_wipe(drawn, EA_STORE_NONCE);
    return true;
}

/* What the head of a record is authenticated with, and it itself. */
static ea_bytes bind(const ea_store_keys *keys, const ea_record_head *head, uint8_t aad[WORD + ID + HEAD]) {
    memcpy(aad, "record", WORD);
    memcpy(aad + WORD, keys->id, ID);
    memcpy(aad + WORD + ID, head, HEAD);
    return (ea_bytes){aad, WORD + ID + HEAD};
}

static bool fits(const ea_record_head *head) {
    return head->key_size <= EA_LONGEST_KEY && head->value_size <= EA_LARGEST_VALUE;
}

bool ea_store_seal(ea_store_keys *keys, const ea_record_head *head, const uint8_t *key, const uint8_t *value, uint8_t *out) {
    uint8_t aad[WORD + ID + HEAD], *tag = out + EA_STORE_NONCE, *text = out + EA_SEALED;
    const ea_xaes_part parts[] = {{key, text, head->key_size}, {value, text + head->key_size, head->value_size}};
    return fits(head) && draw(keys, out) && ea_xaes_text(&keys->records, true, out, bind(keys, head, aad), parts, 2, tag);
}

bool ea_store_unseal(ea_store_keys *keys, const ea_record_head *head, const uint8_t *sealed, uint8_t *key, uint8_t *value) {
    uint8_t aad[WORD + ID + HEAD], tag[EA_STORE_TAG];
    const uint8_t *text = sealed + EA_SEALED;
    const ea_xaes_part parts[] = {{text, key, head->key_size}, {text + head->key_size, value, head->value_size}};
    memcpy(tag, sealed + EA_STORE_NONCE, sizeof tag);
    return fits(head) && ea_xaes_text(&keys->records, false, sealed, bind(keys, head, aad), parts, 2, tag);
}

bool ea_store_branch_tag(ea_store_keys *keys, unsigned level, const ea_ref refs[EA_FANOUT], const uint64_t tags[EA_FANOUT],
                         uint64_t *tag) {
    uint8_t text[WORD + ID + 1 + REFS + TAGS], whole[EA_CMAC_BLOCK];
    memcpy(text, "branch", WORD);
    memcpy(text + WORD, keys->id, ID);
    text[WORD + ID] = (uint8_t)level;
    memcpy(text + WORD + ID + 1, refs, REFS);
    memcpy(text + WORD + ID + 1 + REFS, tags, TAGS);
    bool ok = ea_cmac256_of(&keys->branches, text, sizeof text, whole);
    if (ok) memcpy(tag, whole, sizeof *tag);
    return ok;
}

bool ea_store_commit_tag(ea_store_keys *keys, const ea_commit *commit, const ea_history *history, uint8_t tag[EA_STORE_TAG]) {
    uint8_t text[WORD + ID + COMMIT + HISTORY];
    memcpy(text, "commit", WORD);
    memcpy(text + WORD, keys->id, ID);
    memcpy(text + WORD + ID, commit, COMMIT);
    memcpy(text + WORD + ID + COMMIT, history, HISTORY);
    return ea_cmac256_of(&keys->branches, text, sizeof text, tag);
}
