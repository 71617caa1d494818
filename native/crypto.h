/* The cryptography that an enclave needs beside the frames of its channels (aead.h).
 *
 * A thin layer over OpenSSL's libcrypto: no algorithm is implemented here. Everything is
 * fetched once at the start, because a sealed enclave can open no file any more. All
 * functions answer whether it worked.
 */
#ifndef EA_CRYPTO_H
#define EA_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EA_KEY_MOST = 32, EA_SHA256 = 32, EA_CMAC = 16, EA_X25519 = 32, EA_RSA = 384 };

/* `data` is not NULL, even of no bytes. */
typedef struct {
    const void *data;
    size_t size;
} ea_bytes;

/* Once per process, before anything else here and in aead.h. On failure *missing names what
 * the library lacks. */
bool ea_crypto_start(const char **missing);

bool ea_sha256(const ea_bytes parts[], size_t count, uint8_t digest[EA_SHA256]);
/* HKDF with SHA-256 (RFC 5869), extract and expand. */
bool ea_hkdf(ea_bytes key, ea_bytes salt, ea_bytes info, uint8_t *out, size_t size);
/* AES-128-CMAC (RFC 4493). */
bool ea_cmac(const uint8_t key[16], ea_bytes data, uint8_t mac[EA_CMAC]);

/* X25519 (RFC 7748). No shared secret comes of a peer that sends a point of small order. */
bool ea_x25519_generate(uint8_t private[EA_X25519], uint8_t public[EA_X25519]);
bool ea_x25519(const uint8_t private[EA_X25519], const uint8_t public[EA_X25519], uint8_t secret[EA_X25519]);

/* RSA-3072 with the public exponent 3, as SGX has it, from PEM SubjectPublicKeyInfo. Other
 * exponents are refused: an identity is the hash of the modulus alone. */
bool ea_rsa_modulus(ea_bytes pem, uint8_t little_endian[EA_RSA]);
/* RSASSA-PSS with SHA-256, MGF1-SHA-256 and a salt of 32 bytes (RFC 8017). */
bool ea_rsa_pss_verify(ea_bytes pem, ea_bytes signature, ea_bytes data);

void ea_wipe(void *data, size_t size);
bool ea_equal(const void *one, const void *other, size_t size);

#endif
