#include "aead.h"

#include <limits.h>
#include <openssl/evp.h>

bool ea_aead(const ea_cipher *cipher, bool sealing, const uint8_t *key, const uint8_t nonce[EA_NONCE], ea_bytes data,
             ea_bytes aad, uint8_t *out) {
    if (!sealing && data.size < EA_TAG) return false;
    size_t size = sealing ? data.size : data.size - EA_TAG;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool ok = aad.size <= INT_MAX && ea_cipher_key(context, cipher, key, sealing) &&
              ea_cipher_text(context, sealing, nonce, aad, data.data, out, size);
    EVP_CIPHER_CTX_free(context);
    return ok;
}
