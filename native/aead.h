/* Authenticated encryption of single texts. */
#ifndef EA_AEAD_H
#define EA_AEAD_H

#include "cipher.h"

/* Seal `data`: `out` has EA_TAG bytes more. Or open it: `out` has EA_TAG bytes less, and false is
 * the answer to what is not authentic, with `out` wiped. */
bool ea_aead(const ea_cipher *cipher, bool sealing, const uint8_t *key, const uint8_t nonce[EA_NONCE], ea_bytes data,
             ea_bytes aad, uint8_t *out);

#endif
