#include "cipher.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

struct ea_cipher {
    const char *name, *fetch;
    size_t key_size;
    bool aes;
    EVP_CIPHER *fetched;
};

static ea_cipher ciphers[] = {
    {"aes-128-gcm", "AES-128-GCM", 16, true, NULL},
    {"aes-256-gcm", "AES-256-GCM", 32, true, NULL},
    {"chacha20-poly1305", "ChaCha20-Poly1305", 32, false, NULL},
};

enum { CIPHERS = sizeof ciphers / sizeof *ciphers, BOUNCE = 4096 };

void ea_ciphers_fetch(void) {
    for (size_t i = 0; i < CIPHERS; i++)
        if (ciphers[i].fetched == NULL) ciphers[i].fetched = EVP_CIPHER_fetch(NULL, ciphers[i].fetch, NULL);
    ERR_clear_error();
}

const ea_cipher *ea_cipher_find(const char *name) {
    for (size_t i = 0; i < CIPHERS; i++)
        if (strcmp(ciphers[i].name, name) == 0) return &ciphers[i];
    return NULL;
}

size_t ea_cipher_key_size(const ea_cipher *cipher) { return cipher->key_size; }

const char *ea_cipher_problem(const ea_cipher *cipher, bool aes) {
    if (cipher->fetched == NULL) return "this machine's libcrypto does not have it";
    return cipher->aes && !aes ? EA_NO_AES "; use chacha20-poly1305" : NULL;
}

bool ea_cipher_key(EVP_CIPHER_CTX *context, const ea_cipher *cipher, const uint8_t *bytes, bool sealing) {
    return context != NULL && cipher->fetched != NULL && EVP_CipherInit_ex2(context, cipher->fetched, bytes, NULL, sealing, NULL) == 1;
}

/* `in` to `out`, one of which may be shared; what the cipher reads or writes twice is only
 * private: GCM hashes its ciphertext in a second pass, which must be the same bytes. */
static bool crypt(EVP_CIPHER_CTX *context, bool sealing, const uint8_t *in, uint8_t *out, size_t size) {
    uint8_t bounce[BOUNCE];
    int done;
    for (size_t chunk; size > 0; in += chunk, out += chunk, size -= chunk) {
        chunk = size < BOUNCE ? size : BOUNCE;
        if (!sealing) memcpy(bounce, in, chunk);
        if (EVP_CipherUpdate(context, sealing ? bounce : out, &done, sealing ? in : bounce, (int)chunk) != 1) return false;
        if (sealing) memcpy(out, bounce, chunk);
    }
    return true;
}

bool ea_cipher_text(EVP_CIPHER_CTX *context, bool sealing, const uint8_t *nonce, ea_bytes aad, const uint8_t *in, uint8_t *out,
                    size_t size) {
    uint8_t tag[EA_TAG], nothing[EA_TAG];
    int done;
    if (!sealing) memcpy(tag, in + size, EA_TAG);
    bool ok = EVP_CipherInit_ex2(context, NULL, NULL, nonce, sealing, NULL) == 1 &&
              EVP_CipherUpdate(context, NULL, &done, aad.data, (int)aad.size) == 1 && crypt(context, sealing, in, out, size) &&
              (sealing || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, EA_TAG, tag) == 1) &&
              EVP_CipherFinal_ex(context, nothing, &done) == 1 &&
              (!sealing || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, EA_TAG, tag) == 1);
    if (ok && sealing) memcpy(out + size, tag, EA_TAG);
    if (ok) return true;
    if (!sealing) OPENSSL_cleanse(out, size);
    ERR_clear_error();
    return false;
}
