/* Agreeing on keys and deriving them: for enclaves with encrypted channels, or that seal or report. */
#ifndef EA_KEYS_H
#define EA_KEYS_H

#include "crypto.h"

enum { EA_KEY_MOST = 32, EA_CMAC = 16, EA_X25519 = 32 };

#define EA_NO_AES "this CPU has no AES instructions, and AES in software leaks its key to the host through the cache"
bool ea_cpu_has_aes(void);

/* Once per process, after ea_crypto_start, and like it. */
bool ea_keys_start(const char **missing);

/* HKDF with SHA-256 (RFC 5869), extract and expand. */
bool ea_hkdf(ea_bytes key, ea_bytes salt, ea_bytes info, uint8_t *out, size_t size);
/* AES-128-CMAC (RFC 4493). */
bool ea_cmac(const uint8_t key[16], ea_bytes data, uint8_t mac[EA_CMAC]);

/* X25519 (RFC 7748). No shared secret comes of a peer that sends a point of small order. */
bool ea_x25519_generate(uint8_t private[EA_X25519], uint8_t public[EA_X25519]);
bool ea_x25519(const uint8_t private[EA_X25519], const uint8_t public[EA_X25519], uint8_t secret[EA_X25519]);

void ea_wipe(void *data, size_t size);
bool ea_equal(const void *one, const void *other, size_t size);

#endif
