/* What a store is hashed and sealed with gives what others have published, and what libcrypto gives. */
#define _GNU_SOURCE
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "check.h"
#include "keys.h"
#include "store/siphash.h"
#include "store/xaes.h"

static void from_hex(const char *text, uint8_t *bytes, size_t size) {
    size_t length;
    CHECK(OPENSSL_hexstr2buf_ex(bytes, size, &length, text, '\0') == 1 && length == size);
}

static bool is_hex(const uint8_t *bytes, size_t size, const char *text) {
    uint8_t expected[64];
    from_hex(text, expected, size);
    return memcmp(bytes, expected, size) == 0;
}

static void fill(uint8_t *bytes, size_t size, uint64_t *random) {
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)check_random(random);
}

/* Of the reference code: the key is 00 01 .. 0f, the data 00 01 .. as long as it says. */
static void siphash_gives_the_reference_vectors(void) {
    static const struct {
        size_t size;
        const char *hash;
    } VECTORS[] = {
        {0, "a3817f04ba25a8e66df67214c7550293"},  {1, "da87c1d86b99af44347659119b22fc45"},
        {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},  {8, "3b62a9ba6258f5610f83e264f31497b4"},
        {15, "5493e99933b0a8117e08ec0f97cfc3d9"}, {16, "6ee2a4ca67b054bbfd3315bf85230577"},
        {63, "5150d1772f50834a503e069a973fbd7c"},
    };
    uint8_t counting[63], hash[16];
    for (size_t i = 0; i < sizeof counting; i++) counting[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof VECTORS / sizeof *VECTORS; i++) {
        ea_siphash128(counting, counting, VECTORS[i].size, hash);
        CHECK(is_hex(hash, sizeof hash, VECTORS[i].hash));
    }
    ea_siphash128(counting, NULL, 0, hash);
    CHECK(is_hex(hash, sizeof hash, VECTORS[0].hash));
}

/* Of every length, and wherever it lies in memory. */
static void siphash_is_what_libcrypto_has(void) {
    uint64_t random = 1;
    uint8_t key[16], data[600], hash[16], other[16];
    size_t size = sizeof other;
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size), OSSL_PARAM_construct_end()};
    fill(data, sizeof data, &random);
    for (size_t length = 0; length <= 500; length++) {
        const uint8_t *from = data + check_below(&random, 100);
        fill(key, sizeof key, &random);
        ea_siphash128(key, from, length, hash);
        CHECK(EVP_Q_mac(NULL, "SIPHASH", NULL, NULL, params, key, sizeof key, from, length, other, 16, NULL) != NULL);
        CHECK(memcmp(hash, other, sizeof hash) == 0);
    }
}

/* The examples of NIST SP 800-38B for a key of 256 bits. */
static void cmac_gives_the_vectors_of_nist(void) {
    static const struct {
        size_t size;
        const char *tag;
    } VECTORS[] = {
        {0, "028962f61b7bf89efc6b551f4667d983"},
        {16, "28a7023f452e8f82bd4bf28d8c37c35c"},
        {40, "aaf3d8f1de5640c232f5b169b9c911e6"},
        {64, "e1992190549f6ed5696a2c056c315410"},
    };
    uint8_t key[32], text[64], tag[16];
    ea_cmac256 mac;
    from_hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", key, sizeof key);
    from_hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
             "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
             text, sizeof text);
    CHECK(ea_cmac256_key(&mac, key));
    for (size_t i = 0; i < sizeof VECTORS / sizeof *VECTORS; i++) {
        CHECK(ea_cmac256_of(&mac, VECTORS[i].size == 0 ? NULL : text, VECTORS[i].size, tag));
        CHECK(is_hex(tag, sizeof tag, VECTORS[i].tag));
    }
    ea_cmac256_end(&mac);
}

/* One context for all, so that what a text leaves behind would show in the next. */
static void cmac_is_what_libcrypto_has(void) {
    uint64_t random = 1;
    uint8_t key[32], text[EA_CMAC_LONGEST + 1], tag[16], other[16];
    ea_cmac256 mac;
    fill(text, sizeof text, &random);
    for (int keys = 0; keys < 4; keys++) {
        fill(key, sizeof key, &random);
        CHECK(ea_cmac256_key(&mac, key));
        for (size_t size = 0; size <= EA_CMAC_LONGEST; size++) {
            CHECK(ea_cmac256_of(&mac, text, size, tag));
            CHECK(EVP_Q_mac(NULL, "CMAC", NULL, "AES-256-CBC", NULL, key, sizeof key, text, size, other, 16, NULL) != NULL);
            CHECK(memcmp(tag, other, sizeof tag) == 0);
        }
        CHECK(!ea_cmac256_of(&mac, text, sizeof text, tag));
        ea_cmac256_end(&mac);
        CHECK(!ea_cmac256_of(&mac, text, 1, tag));
    }
}

/* RFC 5869, test case 3: without a salt, as a store derives its keys. */
static void hkdf_gives_the_vector_of_rfc_5869(void) {
    uint8_t key[22], derived[42];
    memset(key, 0x0b, sizeof key);
    CHECK(ea_hkdf((ea_bytes){key, sizeof key}, (ea_bytes){"", 0}, (ea_bytes){"", 0}, derived, sizeof derived));
    CHECK(is_hex(derived, sizeof derived,
                 "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"));
}

/* C2SP's two, which differ in the highest bit of what the subkey is made from. */
static void xaes_gives_the_vectors_of_c2sp(void) {
    static const struct {
        uint8_t key;
        const char *aad, *sealed;
    } VECTORS[] = {
        {1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
        {3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
    };
    static const uint8_t NONCE[] = "ABCDEFGHIJKLMNOPQRSTUVWX", TEXT[] = "XAES-256-GCM";
    enum { SIZE = sizeof TEXT - 1 };
    uint8_t key[EA_XAES_KEY], sealed[SIZE + EA_XAES_TAG], opened[SIZE];
    for (size_t i = 0; i < 2; i++) {
        ea_bytes aad = {VECTORS[i].aad, strlen(VECTORS[i].aad)};
        ea_xaes xaes;
        memset(key, VECTORS[i].key, sizeof key);
        CHECK(ea_xaes_key(&xaes, key));
        CHECK(ea_xaes_text(&xaes, true, NONCE, aad, &(ea_xaes_part){TEXT, sealed, SIZE}, 1, sealed + SIZE));
        CHECK(is_hex(sealed, sizeof sealed, VECTORS[i].sealed));
        CHECK(ea_xaes_text(&xaes, false, NONCE, aad, &(ea_xaes_part){sealed, opened, SIZE}, 1, sealed + SIZE));
        CHECK(memcmp(opened, TEXT, SIZE) == 0);
        ea_xaes_end(&xaes);
    }
}

/* The same again as C2SP accumulates it: inputs from one SHAKE-128, what comes out into another. */
static void xaes_gives_what_c2sp_accumulates(void) {
    enum { TIMES = 10000, LONGEST = 255, MOST = TIMES * (EA_XAES_KEY + EA_XAES_NONCE + 2 + 2 * LONGEST) };
    uint8_t sealed[LONGEST + EA_XAES_TAG], opened[LONGEST], result[32];
    uint8_t *stream = malloc(MOST), *at = stream;
    EVP_MD_CTX *source = EVP_MD_CTX_new(), *sum = EVP_MD_CTX_new();
    CHECK(stream != NULL && EVP_DigestInit_ex2(source, EVP_shake128(), NULL) == 1);
    CHECK(EVP_DigestFinalXOF(source, stream, MOST) == 1);
    CHECK(is_hex(stream, 16, "7f9c2ba4e88f827d616045507605853e"));
    CHECK(EVP_DigestInit_ex2(sum, EVP_shake128(), NULL) == 1);
    for (int i = 0; i < TIMES; i++) {
        const uint8_t *key = at, *nonce = key + EA_XAES_KEY, *text = nonce + EA_XAES_NONCE + 1;
        size_t size = text[-1], half = size / 2; /* in two parts: it is one text */
        ea_bytes aad = {text + size + 1, text[size]};
        const ea_xaes_part seals[] = {{text, sealed, half}, {text + half, sealed + half, size - half}};
        const ea_xaes_part opens[] = {{sealed, opened, size}};
        ea_xaes xaes;
        CHECK(ea_xaes_key(&xaes, key));
        CHECK(ea_xaes_text(&xaes, true, nonce, aad, seals, 2, sealed + size));
        CHECK(EVP_DigestUpdate(sum, sealed, size + EA_XAES_TAG) == 1);
        CHECK(ea_xaes_text(&xaes, false, nonce, aad, opens, 1, sealed + size) && memcmp(opened, text, size) == 0);
        ea_xaes_end(&xaes);
        at += EA_XAES_KEY + EA_XAES_NONCE + 2 + size + aad.size;
    }
    CHECK(EVP_DigestFinalXOF(sum, result, sizeof result) == 1);
    CHECK(is_hex(result, sizeof result, "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939"));
    EVP_MD_CTX_free(source);
    EVP_MD_CTX_free(sum);
    free(stream);
}

int main(void) {
    static const check_test TESTS[] = {
        TEST(siphash_gives_the_reference_vectors), TEST(siphash_is_what_libcrypto_has),
        TEST(cmac_gives_the_vectors_of_nist),      TEST(cmac_is_what_libcrypto_has),
        TEST(hkdf_gives_the_vector_of_rfc_5869),   TEST(xaes_gives_the_vectors_of_c2sp),
        TEST(xaes_gives_what_c2sp_accumulates),
    };
    const char *missing;
    check_watch(120);
    CHECK(ea_crypto_start(&missing) && ea_keys_start(&missing) && ea_xaes_start(&missing));
    return check_all(TESTS, sizeof TESTS / sizeof *TESTS);
}
