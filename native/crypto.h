/* The cryptography that every enclave needs: hashes, and the owners' signatures.
 *
 * A thin layer over OpenSSL's libcrypto: no algorithm is implemented here, nor in keys.h,
 * cipher.h and aead.h. Everything is fetched once at the start, because a sealed enclave can
 * open no file any more. All functions answer whether it worked.
 */
#ifndef EA_CRYPTO_H
#define EA_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EA_SHA256 = 32, EA_RSA = 384 };

/* `data` is not NULL, even of no bytes. */
typedef struct {
    const void *data;
    size_t size;
} ea_bytes;

/* Once per process, before anything else of libcrypto. On failure *missing names what the
 * library lacks. */
bool ea_crypto_start(const char **missing);
/* Errors are told by the answer; what the library queues is for nobody. Returns `ok`. */
bool ea_told(bool ok);

bool ea_sha256(const ea_bytes parts[], size_t count, uint8_t digest[EA_SHA256]);

/* RSASSA-PSS with SHA-256, MGF1-SHA-256 and a salt of 32 bytes (RFC 8017), by a key in PEM
 * SubjectPublicKeyInfo: RSA-3072 with the public exponent 3, as SGX has it. Other exponents are
 * refused: an identity is the hash of the modulus alone. */
bool ea_rsa_pss_verify(ea_bytes pem, ea_bytes signature, ea_bytes data);

#endif
