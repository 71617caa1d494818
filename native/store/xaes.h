/* XAES-256-GCM (https://c2sp.org/XAES-256-GCM): AES-256-GCM whose nonce is long enough to be drawn at random. */
#ifndef EA_STORE_XAES_H
#define EA_STORE_XAES_H

#include "cmac.h"

enum { EA_XAES_KEY = 32, EA_XAES_NONCE = 24, EA_XAES_TAG = 16 };

/* For one thread at a time. */
typedef struct {
    ea_cmac256 derives;
    EVP_CIPHER_CTX *gcm;
} ea_xaes;

/* Part of a text: `size` bytes of `in` become as many of `out`. */
typedef struct {
    const uint8_t *in;
    uint8_t *out;
    size_t size;
} ea_xaes_part;

/* Once per process. On failure *missing names what the library lacks. */
bool ea_xaes_start(const char **missing);
/* Also if it fails, there is ea_xaes_end to be called. */
bool ea_xaes_key(ea_xaes *xaes, const uint8_t key[EA_XAES_KEY]);
/* Seal a text, which gives the tag, or open it, which needs it. All of it is private memory, no part larger
 * than INT_MAX. On failure, such as what is not authentic, each `out` is wiped. */
bool ea_xaes_text(ea_xaes *xaes, bool sealing, const uint8_t nonce[EA_XAES_NONCE], ea_bytes aad, const ea_xaes_part parts[],
                  size_t count, uint8_t tag[EA_XAES_TAG]);
/* Wipes the key. */
void ea_xaes_end(ea_xaes *xaes);

#endif
