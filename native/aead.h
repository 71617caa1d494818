/* Authenticated encryption of single texts. */
#ifndef EA_AEAD_H
#define EA_AEAD_H

#include "cipher.h"

/* `out` has EA_TAG bytes more than `data`; open answers false for what is not authentic, with
 * `out` wiped. */
bool ea_aead_seal(const ea_cipher *cipher, const uint8_t *key, const uint8_t nonce[EA_NONCE], ea_bytes data, ea_bytes aad,
                  uint8_t *out);
bool ea_aead_open(const ea_cipher *cipher, const uint8_t *key, const uint8_t nonce[EA_NONCE], ea_bytes data, ea_bytes aad,
                  uint8_t *out);

#endif
