#include "crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include "aead.h"

/* Held for the life of the process. What is looked up by name below stays in the library's
 * cache from its first use on, which is in ea_crypto_start. */
static EVP_MD *sha256;
static EVP_KDF *hkdf;

/* Errors are told by the answer; what the library queues is for nobody. */
static bool told(bool ok) {
    if (!ok) ERR_clear_error();
    return ok;
}

bool ea_crypto_start(const char **missing) {
    uint8_t private[EA_X25519], public[EA_X25519], mac[EA_CMAC] = {0};
    *missing = "libcrypto 3";
    /* A configuration file could make the algorithms another provider's. */
    bool ok = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 &&
              (*missing = "SHA-256", sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL)) != NULL &&
              (*missing = "HKDF", hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL)) != NULL &&
              (*missing = "AES-128-CMAC", ea_cmac(mac, (ea_bytes){mac, sizeof mac}, mac)) &&
              (*missing = "X25519", ea_x25519_generate(private, public));
    ea_wipe(private, sizeof private);
    ea_ciphers_fetch();
    return told(ok);
}

bool ea_sha256(const ea_bytes parts[], size_t count, uint8_t digest[EA_SHA256]) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context != NULL && EVP_DigestInit_ex2(context, sha256, NULL) == 1;
    for (size_t i = 0; ok && i < count; i++) ok = EVP_DigestUpdate(context, parts[i].data, parts[i].size) == 1;
    ok = ok && EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    return told(ok);
}

static OSSL_PARAM octets(const char *name, ea_bytes value) {
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)value.data, value.size);
}

bool ea_hkdf(ea_bytes key, ea_bytes salt, ea_bytes info, uint8_t *out, size_t size) {
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]){"SHA2-256"}, 0),
        octets(OSSL_KDF_PARAM_KEY, key),
        octets(OSSL_KDF_PARAM_SALT, salt),
        octets(OSSL_KDF_PARAM_INFO, info),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(hkdf);
    bool ok = context != NULL && EVP_KDF_derive(context, out, size, params) == 1;
    EVP_KDF_CTX_free(context);
    return told(ok);
}

bool ea_cmac(const uint8_t key[16], ea_bytes data, uint8_t mac[EA_CMAC]) {
    size_t length;
    return told(EVP_Q_mac(NULL, "CMAC", NULL, "AES-128-CBC", NULL, key, 16, data.data, data.size, mac, EA_CMAC, &length) != NULL);
}

bool ea_x25519_generate(uint8_t private[EA_X25519], uint8_t public[EA_X25519]) {
    size_t size = EA_X25519;
    if (!told(RAND_priv_bytes(private, EA_X25519) == 1)) return false;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private, EA_X25519);
    bool ok = key != NULL && EVP_PKEY_get_raw_public_key(key, public, &size) == 1;
    EVP_PKEY_free(key);
    return told(ok);
}

bool ea_x25519(const uint8_t private[EA_X25519], const uint8_t public[EA_X25519], uint8_t secret[EA_X25519]) {
    size_t size = EA_X25519;
    EVP_PKEY *mine = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private, EA_X25519);
    EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, public, EA_X25519);
    EVP_PKEY_CTX *context = mine == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
    /* The library refuses the all-zero result (RFC 7748, 6.1). */
    bool ok = context != NULL && theirs != NULL && EVP_PKEY_derive_init(context) == 1 &&
              EVP_PKEY_derive_set_peer(context, theirs) == 1 && EVP_PKEY_derive(context, secret, &size) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(theirs);
    EVP_PKEY_free(mine);
    return told(ok);
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
    if (told(ok)) return key;
    EVP_PKEY_free(key);
    return NULL;
}

bool ea_rsa_modulus(ea_bytes pem, uint8_t little_endian[EA_RSA]) {
    BIGNUM *modulus = NULL;
    EVP_PKEY *key = rsa_of(pem);
    bool ok = key != NULL && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) == 1 &&
              BN_bn2lebinpad(modulus, little_endian, EA_RSA) == EA_RSA;
    BN_free(modulus);
    EVP_PKEY_free(key);
    return told(ok);
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
    return told(ok);
}

void ea_wipe(void *data, size_t size) { OPENSSL_cleanse(data, size); }

bool ea_equal(const void *one, const void *other, size_t size) { return CRYPTO_memcmp(one, other, size) == 0; }
