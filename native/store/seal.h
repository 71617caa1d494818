/* The cryptography of an encrypted store: docs/design/store-format.md, "Encryption". */
#ifndef EA_STORE_SEAL_H
#define EA_STORE_SEAL_H

#include <stddef.h>

#include "format.h"

enum { EA_STORE_KEY = 32, EA_SEALED = EA_STORE_NONCE + EA_STORE_TAG };

/* The keys of one store, derived from its key; the contexts of libcrypto are kept. For one thread at a time. */
typedef struct ea_store_keys ea_store_keys;

/* Once per process, after ea_keys_start, and like it. */
bool ea_store_keys_start(const char **missing);
/* NULL if libcrypto cannot, or there is no memory. */
ea_store_keys *ea_store_keys_new(const uint8_t key[EA_STORE_KEY], const uint8_t id[16]);
/* Wipes them; NULL is allowed. */
void ea_store_keys_free(ea_store_keys *keys);

/* All of these answer whether it worked. */
bool ea_store_hash_secretly(ea_store_keys *keys, const uint8_t *key, size_t size, uint8_t hash[EA_HASH]);
/* `out` has room for EA_SEALED bytes, the key and the value; all of it is private memory. */
bool ea_store_seal(ea_store_keys *keys, const ea_record_head *head, const uint8_t *key, const uint8_t *value, uint8_t *out);
/* What is not authentic is wiped from `key` and `value`, which have room for what `head` says. */
bool ea_store_unseal(ea_store_keys *keys, const ea_record_head *head, const uint8_t *sealed, uint8_t *key, uint8_t *value);
bool ea_store_branch_tag(ea_store_keys *keys, unsigned level, const ea_ref refs[EA_FANOUT], const uint64_t tags[EA_FANOUT],
                         uint64_t *tag);
bool ea_store_commit_tag(ea_store_keys *keys, const ea_commit *commit, const ea_history *history, uint8_t tag[EA_STORE_TAG]);

#endif
