#include "xaes.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

enum { HALF = EA_XAES_NONCE / 2 };

/* As in crypto.c: held for the life of the process. */
static EVP_CIPHER *gcm;

bool ea_xaes_start(const char **missing) {
    bool ok = (*missing = "AES-256-CBC", ea_cmac256_start()) &&
              (*missing = "AES-256-GCM", (gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL)) != NULL);
    return ea_told(ok);
}

bool ea_xaes_key(ea_xaes *xaes, const uint8_t key[EA_XAES_KEY]) {
    *xaes = (ea_xaes){.gcm = EVP_CIPHER_CTX_new()};
    /* The cipher once; its keys come with the nonces. */
    return ea_cmac256_key(&xaes->derives, key) &&
           ea_told(xaes->gcm != NULL && gcm != NULL && EVP_CipherInit_ex2(xaes->gcm, gcm, NULL, NULL, 1, NULL) == 1);
}

/* The key for one nonce: NIST SP 800-108r1 in counter mode, by CMAC, of the label X and half of the nonce. */
static bool derive(ea_xaes *xaes, const uint8_t nonce[EA_XAES_NONCE], uint8_t key[EA_XAES_KEY]) {
    uint8_t one[EA_CMAC_BLOCK] = {0, 1, 'X', 0}, two[EA_CMAC_BLOCK] = {0, 2, 'X', 0};
    memcpy(one + 4, nonce, HALF);
    memcpy(two + 4, nonce, HALF);
    return ea_cmac256_of(&xaes->derives, one, sizeof one, key) &&
           ea_cmac256_of(&xaes->derives, two, sizeof two, key + EA_CMAC_BLOCK);
}

bool ea_xaes_text(ea_xaes *xaes, bool sealing, const uint8_t nonce[EA_XAES_NONCE], ea_bytes aad, const ea_xaes_part parts[],
                  size_t count, uint8_t tag[EA_XAES_TAG]) {
    uint8_t key[EA_XAES_KEY], nothing[EA_XAES_TAG];
    int done;
    bool ok = derive(xaes, nonce, key) && EVP_CipherInit_ex2(xaes->gcm, NULL, key, nonce + HALF, sealing, NULL) == 1 &&
              EVP_CipherUpdate(xaes->gcm, NULL, &done, aad.data, (int)aad.size) == 1;
    OPENSSL_cleanse(key, sizeof key);
    for (size_t i = 0; ok && i < count; i++) /* no bytes at NULL would be the end of the text */
        ok = parts[i].size == 0 || EVP_CipherUpdate(xaes->gcm, parts[i].out, &done, parts[i].in, (int)parts[i].size) == 1;
    ok = ok && (sealing || EVP_CIPHER_CTX_ctrl(xaes->gcm, EVP_CTRL_AEAD_SET_TAG, EA_XAES_TAG, tag) == 1) &&
         EVP_CipherFinal_ex(xaes->gcm, nothing, &done) == 1 &&
         (!sealing || EVP_CIPHER_CTX_ctrl(xaes->gcm, EVP_CTRL_AEAD_GET_TAG, EA_XAES_TAG, tag) == 1);
    for (size_t i = 0; !ok && i < count; i++)
        if (parts[i].size > 0) OPENSSL_cleanse(parts[i].out, parts[i].size);
    return ea_told(ok);
}

void ea_xaes_end(ea_xaes *xaes) {
    ea_cmac256_end(&xaes->derives);
    EVP_CIPHER_CTX_free(xaes->gcm);
    *xaes = (ea_xaes){0};
}
