/* AES-256-CMAC (NIST SP 800-38B) of many short texts under one key.
 *
 * The block cipher is libcrypto's; its CMAC is not used, for two reasons. Before 3.0.3 a context that begins
 * again under its key silently gives wrong results (openssl/openssl#17811), and to copy or to key
 * one for each text costs as much as all the rest of finding a record. And what looks for a key computes one
 * for each branch on its way.
 */
#ifndef EA_STORE_CMAC_H
#define EA_STORE_CMAC_H

#include <openssl/types.h>

#include "crypto.h"

enum { EA_CMAC_BLOCK = 16, EA_CMAC_LONGEST = 1024 };

/* For one thread at a time. */
typedef struct {
    EVP_CIPHER_CTX *context; /* AES-256 in CBC mode; NULL: of no use */
    uint8_t chain[EA_CMAC_BLOCK];
    uint8_t whole[EA_CMAC_BLOCK], padded[EA_CMAC_BLOCK]; /* the subkeys: for a last block that is full, and for others */
} ea_cmac256;

/* Once per process. */
bool ea_cmac256_start(void);
/* Also if it fails, there is ea_cmac256_end to be called. */
bool ea_cmac256_key(ea_cmac256 *mac, const uint8_t key[32]);
/* `data` has EA_CMAC_LONGEST bytes at most. */
bool ea_cmac256_of(ea_cmac256 *mac, const void *data, size_t size, uint8_t tag[EA_CMAC_BLOCK]);
/* Wipes the key. */
void ea_cmac256_end(ea_cmac256 *mac);

#endif
