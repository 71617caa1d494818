#include "aead.h"

#include <limits.h>
#include <openssl/evp.h>

static bool once(const ea_cipher *cipher, bool sealing, const uint8_t *bytes, const uint8_t *nonce, ea_bytes data, ea_bytes aad,
                 uint8_t *out) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool ok = aad.size <= INT_MAX && ea_cipher_key(context, cipher, bytes, sealing) &&
              ea_cipher_text(context, sealing, nonce, aad, data.data, out, data.size);
    EVP_CIPHER_CTX_free(context);
    return ok;
}

bool ea_aead_seal(const ea_cipher *cipher, const uint8_t *bytes, const uint8_t nonce[EA_NONCE], ea_bytes data, ea_bytes aad,
                  uint8_t *out) {
    return once(cipher, true, bytes, nonce, data, aad, out);
}

bool ea_aead_open(const ea_cipher *cipher, const uint8_t *bytes, const uint8_t nonce[EA_NONCE], ea_bytes data, ea_bytes aad,
                  uint8_t *out) {
    if (data.size < EA_TAG) return false;
    data.size -= EA_TAG;
    return once(cipher, false, bytes, nonce, data, aad, out);
}
