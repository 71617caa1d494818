#include "crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>

/* Held for the life of the process. What is looked up by name below stays in the library's
 * cache from its first use on, which is before the enclave is sealed. */
static EVP_MD *sha256;

bool ea_told(bool ok) {
    if (!ok) ERR_clear_error();
    return ok;
}

bool ea_crypto_start(const char **missing) {
    *missing = "libcrypto 3";
    /* A configuration file could make the algorithms another provider's. */
    bool ok = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 &&
              (*missing = "SHA-256", sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL)) != NULL;
    return ea_told(ok);
}

bool ea_sha256(const ea_bytes parts[], size_t count, uint8_t digest[EA_SHA256]) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context != NULL && EVP_DigestInit_ex2(context, sha256, NULL) == 1;
    for (size_t i = 0; ok && i < count; i++) ok = EVP_DigestUpdate(context, parts[i].data, parts[i].size) == 1;
    ok = ok && EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    return ea_told(ok);
}

/* Decoded without a callback for passphrases, which would ask for one on the terminal. */
static EVP_PKEY *rsa_of(ea_bytes pem) {
    EVP_PKEY *key = NULL;
    BIGNUM *exponent = NULL;
    const unsigned char *data = pem.data;
    OSSL_DECODER_CTX *context =
        OSSL_DECODER_CTX_new_for_pkey(&key, "PEM", "SubjectPublicKeyInfo", "RSA", EVP_PKEY_PUBLIC_KEY, NULL, NULL);
    bool ok = context != NULL && OSSL_DECODER_from_data(context, &data, &pem.size) == 1 &&
              EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 && BN_is_word(exponent, 3) &&
              EVP_PKEY_get_bits(key) == EA_RSA * 8;
    OSSL_DECODER_CTX_free(context);
    BN_free(exponent);
    if (ea_told(ok)) return key;
    EVP_PKEY_free(key);
    return NULL;
}

bool ea_rsa_pss_verify(ea_bytes pem, ea_bytes signature, ea_bytes data) {
    int salt = 32;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, (char[]){"pss"}, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, (char[]){"SHA2-256"}, 0),
        OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &salt),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = rsa_of(pem);
    EVP_MD_CTX *context = key == NULL ? NULL : EVP_MD_CTX_new();
    bool ok = context != NULL && EVP_DigestVerifyInit_ex(context, NULL, "SHA2-256", NULL, NULL, key, params) == 1 &&
              EVP_DigestVerify(context, signature.data, signature.size, data.data, data.size) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return ea_told(ok);
}
