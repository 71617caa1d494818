/* The hashes of a store. */
#define _GNU_SOURCE
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string.h>

#include "check.h"
#include "store/siphash.h"

/* Of the reference code: the key is 00 01 .. 0f, the data 00 01 .. as long as it says. */
static void siphash_gives_the_reference_vectors(void) {
    static const struct {
        size_t size;
        uint8_t hash[16];
    } VECTORS[] = {
        {0, {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93}},
        {1, {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45}},
        {7, {0xa1, 0xf1, 0xeb, 0xbe, 0xd8, 0xdb, 0xc1, 0x53, 0xc0, 0xb8, 0x4a, 0xa6, 0x1f, 0xf0, 0x82, 0x39}},
        {8, {0x3b, 0x62, 0xa9, 0xba, 0x62, 0x58, 0xf5, 0x61, 0x0f, 0x83, 0xe2, 0x64, 0xf3, 0x14, 0x97, 0xb4}},
        {15, {0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0, 0xa8, 0x11, 0x7e, 0x08, 0xec, 0x0f, 0x97, 0xcf, 0xc3, 0xd9}},
        {16, {0x6e, 0xe2, 0xa4, 0xca, 0x67, 0xb0, 0x54, 0xbb, 0xfd, 0x33, 0x15, 0xbf, 0x85, 0x23, 0x05, 0x77}},
        {63, {0x51, 0x50, 0xd1, 0x77, 0x2f, 0x50, 0x83, 0x4a, 0x50, 0x3e, 0x06, 0x9a, 0x97, 0x3f, 0xbd, 0x7c}},
    };
    uint8_t counting[63], hash[16];
    for (size_t i = 0; i < sizeof counting; i++) counting[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof VECTORS / sizeof *VECTORS; i++) {
        ea_siphash128(counting, counting, VECTORS[i].size, hash);
        CHECK(memcmp(hash, VECTORS[i].hash, sizeof hash) == 0);
    }
    ea_siphash128(counting, NULL, 0, hash);
    CHECK(memcmp(hash, VECTORS[0].hash, sizeof hash) == 0);
}

/* Of every length, and wherever it lies in memory. */
static void siphash_is_what_libcrypto_has(void) {
    uint64_t random = 1;
    uint8_t key[16], data[600], hash[16], other[16];
    size_t size = sizeof other;
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size), OSSL_PARAM_construct_end()};
    for (size_t i = 0; i < sizeof data; i++) data[i] = (uint8_t)check_random(&random);
    for (size_t length = 0; length <= 500; length++) {
        const uint8_t *from = data + check_below(&random, 100);
        for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)check_random(&random);
        ea_siphash128(key, from, length, hash);
        CHECK(EVP_Q_mac(NULL, "SIPHASH", NULL, NULL, params, key, sizeof key, from, length, other, sizeof other, NULL) != NULL);
        CHECK(memcmp(hash, other, sizeof hash) == 0);
    }
}

int main(void) {
    static const check_test TESTS[] = {
        TEST(siphash_gives_the_reference_vectors),
        TEST(siphash_is_what_libcrypto_has),
    };
    check_watch(120);
    return check_all(TESTS, sizeof TESTS / sizeof *TESTS);
}
