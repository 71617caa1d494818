/* Ciphers for authenticated encryption; used through frames.h and aead.h. */
#ifndef EA_CIPHER_H
#define EA_CIPHER_H

#include <openssl/types.h>

#include "keys.h"

/* GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439) alike. */
enum { EA_NONCE = 12, EA_TAG = 16 };

typedef struct ea_cipher ea_cipher;

/* Once per process; what the library lacks is a problem of its cipher. */
void ea_ciphers_fetch(void);
/* "aes-128-gcm", "aes-256-gcm" or "chacha20-poly1305"; NULL: no such cipher. */
const ea_cipher *ea_cipher_find(const char *name);
size_t ea_cipher_key_size(const ea_cipher *cipher);
/* NULL, or why the cipher should not be used here. `aes` is ea_cpu_has_aes(), but in tests. */
const char *ea_cipher_problem(const ea_cipher *cipher, bool aes);

/* Key a context, which may be NULL: then, as for a cipher that was not fetched, it is false. */
bool ea_cipher_key(EVP_CIPHER_CTX *context, const ea_cipher *cipher, const uint8_t *bytes, bool sealing);
/* Seal or open `size` bytes under a keyed context. The tag lies
 * behind the ciphertext; what is not authentic is wiped from `out`. */
bool ea_cipher_text(EVP_CIPHER_CTX *context, bool sealing, const uint8_t *nonce, ea_bytes aad, const uint8_t *in, uint8_t *out,
                    size_t size);

#endif
