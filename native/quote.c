#include "quote.h"

#include <limits.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

enum { POINT = 1 + EA_P256, CERTIFICATES_MOST = 4, SIGNATURE_MOST = 80 };

/* By it Intel marks the certificates of processors, and no others below its root. */
static const char SGX_EXTENSION[] = "1.2.840.113741.1.13.1";

static bool told(bool ok) {
    if (!ok) ERR_clear_error();
    return ok;
}

static EVP_PKEY *key_of(const uint8_t key[EA_P256]) {
    uint8_t point[POINT] = {POINT_CONVERSION_UNCOMPRESSED};
    memcpy(point + 1, key, EA_P256);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char[]){"prime256v1"}, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *made = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    /* The library refuses a point that is not on the curve. */
    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, params) != 1)
        made = NULL;
    EVP_PKEY_CTX_free(context);
    return made;
}

/* The signature in DER, as the library takes it; its length, 0 if it has none. */
static size_t der_of(const uint8_t signature[EA_P256], uint8_t der[SIGNATURE_MOST]) {
    unsigned char *end = der;
    int length = 0;
    ECDSA_SIG *made = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, EA_P256 / 2, NULL), *s = BN_bin2bn(signature + EA_P256 / 2, EA_P256 / 2, NULL);
    if (made != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(made, r, s) == 1) {
        r = s = NULL;
        length = i2d_ECDSA_SIG(made, NULL) <= SIGNATURE_MOST ? i2d_ECDSA_SIG(made, &end) : 0;
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(made);
    return length > 0 ? (size_t)length : 0;
}

bool ea_p256_verify(const uint8_t key[EA_P256], const uint8_t signature[EA_P256], ea_bytes data) {
    uint8_t der[SIGNATURE_MOST];
    size_t length = der_of(signature, der);
    EVP_PKEY *public = key_of(key);
    EVP_MD_CTX *context = public == NULL || length == 0 ? NULL : EVP_MD_CTX_new();
    bool ok = context != NULL && EVP_DigestVerifyInit_ex(context, NULL, "SHA2-256", NULL, NULL, public, NULL) == 1 &&
              EVP_DigestVerify(context, der, length, data.data, data.size) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(public);
    return told(ok);
}

static int no_passphrase(char *buffer, int size, int writing, void *unused) {
    (void)buffer, (void)size, (void)writing, (void)unused;
    return -1;
}

/* All certificates in `pem`, at most so many; NULL: none, or more. */
static STACK_OF(X509) * certificates(ea_bytes pem, int most) {
    STACK_OF(X509) *found = sk_X509_new_null();
    BIO *source = pem.size > INT_MAX ? NULL : BIO_new_mem_buf(pem.data, (int)pem.size);
    X509 *next = NULL;
    bool ok = found != NULL && source != NULL;
    while (ok && (next = PEM_read_bio_X509(source, NULL, no_passphrase, NULL)) != NULL) {
        ok = sk_X509_num(found) < most && sk_X509_push(found, next) > 0;
        if (!ok) X509_free(next);
    }
    ERR_clear_error(); /* the end of the list is told as an error */
    BIO_free(source);
    if (ok && sk_X509_num(found) > 0) return found;
    sk_X509_pop_free(found, X509_free);
    return NULL;
}

static bool is_pck(X509 *certificate) {
    ASN1_OBJECT *extension = OBJ_txt2obj(SGX_EXTENSION, 1);
    bool is = extension != NULL && X509_get_ext_by_OBJ(certificate, extension, -1) >= 0 && X509_check_ca(certificate) == 0;
    ASN1_OBJECT_free(extension);
    return is;
}

static bool leads_to(X509 *root, STACK_OF(X509) * chain) {
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    bool ok = store != NULL && context != NULL && X509_STORE_add_cert(store, root) == 1 &&
              X509_STORE_CTX_init(context, store, sk_X509_value(chain, 0), chain) == 1;
    if (ok) {
        X509_STORE_CTX_set_flags(context, X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_X509_STRICT);
        ok = X509_verify_cert(context) == 1;
    }
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return ok;
}

static bool point_of(X509 *certificate, uint8_t key[EA_P256]) {
    uint8_t point[POINT];
    char group[32];
    size_t length = 0, named = 0;
    EVP_PKEY *public = X509_get0_pubkey(certificate);
    bool ok = public != NULL && EVP_PKEY_is_a(public, "EC") == 1 &&
              EVP_PKEY_get_group_name(public, group, sizeof group, &named) == 1 && strcmp(group, "prime256v1") == 0 &&
              EVP_PKEY_get_octet_string_param(public, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &length) == 1 &&
              length == POINT && point[0] == POINT_CONVERSION_UNCOMPRESSED;
    if (ok) memcpy(key, point + 1, EA_P256);
    return ok;
}

bool ea_pck_key(ea_bytes root, ea_bytes chain, uint8_t key[EA_P256]) {
    STACK_OF(X509) *trusted = certificates(root, 1), *given = certificates(chain, CERTIFICATES_MOST);
    bool ok = trusted != NULL && given != NULL && is_pck(sk_X509_value(given, 0)) &&
              leads_to(sk_X509_value(trusted, 0), given) && point_of(sk_X509_value(given, 0), key);
    sk_X509_pop_free(trusted, X509_free);
    sk_X509_pop_free(given, X509_free);
    return told(ok);
}

bool ea_quote_start(void) {
    /* The generator of the curve, a point like any other; the signature is no good, and that
     * is found out only after everything was looked up. */
    static const uint8_t generator[EA_P256] = {
        0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
        0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
        0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
        0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
    uint8_t signature[EA_P256];
    memset(signature, 1, sizeof signature);
    EVP_PKEY *key = key_of(generator);
    bool ok = key != NULL && !ea_p256_verify(generator, signature, (ea_bytes){signature, sizeof signature});
    EVP_PKEY_free(key);
    return told(ok);
}
