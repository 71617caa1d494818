#include "keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

/* As in crypto.c: held for the life of the process. */
static EVP_KDF *hkdf;

bool ea_cpu_has_aes(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__aarch64__)
    return (getauxval(AT_HWCAP) & (1 << 3 | 1 << 4)) == (1 << 3 | 1 << 4); /* HWCAP_AES, HWCAP_PMULL */
#else
    return false;
#endif
}

bool ea_keys_start(const char **missing) {
    uint8_t private[EA_X25519], public[EA_X25519], mac[EA_CMAC] = {0};
    bool ok = (*missing = "HKDF", hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL)) != NULL &&
              (*missing = "AES-128-CMAC", ea_cmac(mac, (ea_bytes){mac, sizeof mac}, mac)) &&
              (*missing = "X25519", ea_x25519_generate(private, public));
    ea_wipe(private, sizeof private);
    return ea_told(ok);
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
    return ea_told(ok);
}

bool ea_cmac(const uint8_t key[16], ea_bytes data, uint8_t mac[EA_CMAC]) {
    size_t length;
    return ea_told(EVP_Q_mac(NULL, "CMAC", NULL, "AES-128-CBC", NULL, key, 16, data.data, data.size, mac, EA_CMAC, &length) !=
                   NULL);
}

bool ea_x25519_generate(uint8_t private[EA_X25519], uint8_t public[EA_X25519]) {
    size_t size = EA_X25519;
    if (!ea_told(RAND_priv_bytes(private, EA_X25519) == 1)) return false;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, private, EA_X25519);
    bool ok = key != NULL && EVP_PKEY_get_raw_public_key(key, public, &size) == 1;
    EVP_PKEY_free(key);
    return ea_told(ok);
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
    return ea_told(ok);
}

void ea_wipe(void *data, size_t size) { OPENSSL_cleanse(data, size); }

bool ea_equal(const void *one, const void *other, size_t size) { return CRYPTO_memcmp(one, other, size) == 0; }
