/* The frames of an encrypted channel: what is sealed opens once, in its place, and nothing
 * else does.
 *
 *     test_aead [SEED [ATTACKS]]
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "aead.h"
#include "atomics.h"
#include "check.h"
#include "frames.h"

enum { MOST = 10000, DATA = 0, CLOSE = 1 };

static const char *const CIPHERS[] = {"aes-128-gcm", "aes-256-gcm", "chacha20-poly1305"};
static uint64_t seed = 1, attacks = 20000;
static uint8_t key[EA_KEY_MOST], data[MOST], shared[MOST + EA_TAG], opened[MOST];
static const ea_cipher *cipher;
static const char *name;

static ea_frames frames(uint8_t direction, bool sealing, uint64_t number) {
    ea_frames made = {.cipher = cipher, .channel = 7, .direction = direction, .sealing = sealing, .number = number};
    CHECK(ea_frames_start(&made, key));
    return made;
}

static bool is_zero(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0) return false;
    return true;
}

static void fill(uint8_t *bytes, size_t size, uint64_t *random) {
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)check_random(random);
}

/* --- each runs with every cipher --- */

static void frames_of_every_size_open_in_order(void) {
    static const uint32_t SIZES[] = {0, 1, 15, 16, 17, 64, 4095, 4096, 4097, 8192, MOST};
    ea_frames out = frames(0, true, 0), in = frames(0, false, 0);
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        ea_frame frame = {DATA, SIZES[i], (uint32_t)i};
        memset(opened, 0, sizeof opened);
        CHECK(ea_frames_move(&out, frame, data, shared));
        CHECK(ea_frames_move(&in, frame, shared, opened));
        CHECK(memcmp(opened, data, SIZES[i]) == 0 && is_zero(opened + SIZES[i], MOST - SIZES[i]));
    }
    CHECK(out.number == in.number && in.number == sizeof SIZES / sizeof *SIZES);
    ea_frames_end(&out);
    ea_frames_end(&in);
}

/* What the header of aead.h and docs/design say of the bytes, done with the single-text functions. */
static bool opens_as_specified(const uint8_t *with, uint64_t number, ea_frame frame, uint8_t direction) {
    uint8_t nonce[EA_NONCE] = {0}, aad[32] = {7, 0, 0, 0, 0, 0, 0, 0, direction, (uint8_t)frame.kind};
    for (int i = 0; i < 8; i++) nonce[4 + i] = (uint8_t)(number >> (56 - 8 * i));
    memcpy(aad + 12, &frame.length, 4);
    memcpy(aad + 16, &frame.rest, 4);
    memcpy(aad + 20, &number, 8);
    return ea_aead(cipher, false, with, nonce, (ea_bytes){shared, frame.length + EA_TAG}, (ea_bytes){aad, sizeof aad}, opened) &&
           memcmp(opened, data, frame.length) == 0;
}

static void no_key_sees_a_number_twice(void) {
    enum { AROUND = 5 };
    static const char INFO[] = "eactors next key";
    size_t size = ea_cipher_key_size(cipher);
    for (uint64_t epoch = 1; epoch <= 2; epoch++) {
        uint64_t first = epoch * EA_FRAMES_PER_KEY - AROUND;
        ea_frames out[2] = {frames(0, true, first), frames(1, true, first)};
        ea_frames in[2] = {frames(0, false, first), frames(1, false, first)};
        uint8_t next[EA_KEY_MOST];
        CHECK(ea_hkdf((ea_bytes){key, size}, (ea_bytes){"", 0}, (ea_bytes){INFO, sizeof INFO - 1}, next, size));
        for (uint64_t number = first; number < first + 2 * AROUND; number++) {
            /* Both directions at once, as in full duplex. */
            for (uint8_t side = 0; side < 2; side++) {
                ea_frame frame = {DATA, 40, 0};
                bool renewed = number >= epoch * EA_FRAMES_PER_KEY;
                CHECK(ea_frames_move(&out[side], frame, data, shared));
                CHECK(opens_as_specified(renewed ? next : key, number, frame, side));
                CHECK(!opens_as_specified(renewed ? key : next, number, frame, side));
                CHECK(ea_frames_move(&in[side], frame, shared, opened));
                CHECK(out[side].number == number + 1 && in[side].number == number + 1);
            }
        }
        for (int side = 0; side < 2; side++) {
            CHECK(memcmp(out[side].key, next, size) == 0);
            ea_frames_end(&out[side]);
            ea_frames_end(&in[side]);
        }
    }
}

static void the_last_number_is_never_used(void) {
    ea_frame frame = {DATA, 16, 0};
    ea_frames out = frames(0, true, UINT64_MAX - 1), in = frames(0, false, UINT64_MAX - 1);
    CHECK(ea_frames_move(&out, frame, data, shared) && ea_frames_move(&in, frame, shared, opened));
    memset(shared, 0, sizeof shared);
    CHECK(!ea_frames_move(&out, frame, data, shared) && is_zero(shared, 16 + EA_TAG));
    CHECK(!ea_frames_move(&in, frame, shared, opened));
    ea_frames_end(&out);
    ea_frames_end(&in);
}

static void ended_frames_keep_no_key(void) {
    ea_frame frame = {DATA, 16, 0};
    ea_frames out = frames(0, true, 0);
    ea_frames_end(&out);
    CHECK(is_zero(out.key, sizeof out.key) && !ea_frames_move(&out, frame, data, shared));
    ea_frames_end(&out);
}

/* Whether the frame opens as that; the expected number does not move if it does not. */
static bool opens(ea_frames *in, ea_frame frame) {
    uint64_t number = in->number;
    memset(opened, 0xAA, frame.length);
    if (ea_frames_move(in, frame, shared, opened)) return true;
    CHECK(in->number == number && is_zero(opened, frame.length));
    return false;
}

static void a_changed_frame_does_not_open(void) {
    enum { SIZE = 20 };
    ea_frame frame = {DATA, SIZE, 4}, other;
    ea_frames out = frames(0, true, 5), in = frames(0, false, 5), wrong = in;
    CHECK(ea_frames_move(&out, frame, data, shared));
    for (uint32_t bit = 0; bit < 8 * (SIZE + EA_TAG); bit++) {
        shared[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!opens(&in, frame));
        shared[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (uint32_t length = 0; length < 2 * SIZE; length++)
        CHECK(length == SIZE || !opens(&in, (other = frame, other.length = length, other)));
    for (uint32_t bit = 0; bit < 32; bit++) CHECK(!opens(&in, (other = frame, other.rest ^= 1u << bit, other)));
    CHECK(!opens(&in, (other = frame, other.kind = CLOSE, other)));
    /* Another place in the sequence, the way back, another channel. */
    for (uint64_t number = 0; number < 10; number++) CHECK(number == 5 || !opens((wrong.number = number, &wrong), frame));
    wrong.number = 5;
    CHECK(!opens((wrong.direction = 1, &wrong), frame));
    wrong.direction = 0;
    CHECK(!opens((wrong.channel = 8, &wrong), frame));
    CHECK(opens(&in, frame));
    CHECK(!opens(&in, frame));
    ea_frames_end(&out);
    ea_frames_end(&in);
}

static _Atomic bool attack_over;
static _Atomic uint64_t writes;

/* Volatile single bytes, as a host would write them; the reader copies each only once. */
static void *attack(void *unused) {
    uint64_t random = seed + (unused != NULL);
    while (!atomic_load(&attack_over)) {
        volatile uint8_t *at = shared + check_below(&random, 64 + EA_TAG);
        uint8_t was = *at;
        *at = (uint8_t)check_random(&random);
        for (uint32_t spin = check_below(&random, 2000); spin > 0; spin--) ea_pause();
        *at = was;
        for (uint32_t spin = check_below(&random, 2000); spin > 0; spin--) ea_pause();
        atomic_fetch_add(&writes, 1);
    }
    return NULL;
}

static void what_opens_under_attack_is_what_was_sealed(void) {
    ea_frame frame = {DATA, 64, 0};
    ea_frames out = frames(0, true, 0);
    pthread_t attacker;
    uint64_t good = 0, tried = 0;
    CHECK(ea_frames_move(&out, frame, data, shared));
    atomic_store(&attack_over, false);
    CHECK(pthread_create(&attacker, NULL, attack, NULL) == 0);
    ea_frames in = frames(0, false, 0);
    atomic_store(&writes, 0);
    for (; tried < attacks || atomic_load(&writes) < attacks / 10; tried++) {
        in.number = 0;
        if (!opens(&in, frame)) continue;
        CHECK(memcmp(opened, data, frame.length) == 0);
        good++;
    }
    atomic_store(&attack_over, true);
    CHECK(pthread_join(attacker, NULL) == 0);
    printf("%s: %" PRIu64 " of %" PRIu64 " opened\n", name, good, tried);
    ea_frames_end(&out);
    ea_frames_end(&in);
}

static void ciphers_have_problems_where_they_should(void) {
    CHECK(ea_cipher_find("none") == NULL);
    CHECK(ea_cipher_problem(cipher, true) == NULL);
    CHECK((ea_cipher_problem(cipher, false) == NULL) == (strcmp(name, "chacha20-poly1305") == 0));
}

int main(int argc, char **argv) {
    static const check_test TESTS[] = {
        TEST(ciphers_have_problems_where_they_should), TEST(frames_of_every_size_open_in_order),
        TEST(no_key_sees_a_number_twice),              TEST(the_last_number_is_never_used),
        TEST(ended_frames_keep_no_key),                TEST(a_changed_frame_does_not_open),
        TEST(what_opens_under_attack_is_what_was_sealed),
    };
    const char *missing;
    if (argc > 1) seed = strtoull(argv[1], NULL, 10);
    if (argc > 2) attacks = strtoull(argv[2], NULL, 10);
    printf("seed %" PRIu64 "\n", seed);
    check_watch(120);
    CHECK(ea_crypto_start(&missing));
    CHECK(ea_keys_start(&missing));
    ea_ciphers_fetch();
    uint64_t random = seed;
    fill(key, sizeof key, &random);
    fill(data, sizeof data, &random);
    int result = 0;
    for (int i = 0; i < 3 && result == 0; i++) {
        name = CIPHERS[i];
        cipher = ea_cipher_find(name);
        printf("%s\n", name);
        result = check_all(TESTS, sizeof TESTS / sizeof *TESTS);
    }
    return result;
}
