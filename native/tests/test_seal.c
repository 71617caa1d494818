/* The records, branches and commits of an encrypted store: what is sealed opens as what it was and in its
 * place, and nothing else does.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/wait.h>

#include "check.h"
#include "filter.h"
#include "keys.h"
#include "sandbox.h"
#include "store/seal.h"

enum { SIZE = 20, DRAWS = 200 }; /* more than are drawn at once */

static const uint8_t KEY[EA_STORE_KEY] = {1, 2, 3}, ID[16] = {4, 5, 6};
static uint8_t key[EA_LONGEST_KEY], value[EA_LARGEST_VALUE], opened_key[EA_LONGEST_KEY], opened_value[EA_LARGEST_VALUE];
static uint8_t sealed[EA_SEALED + EA_LONGEST_KEY + EA_LARGEST_VALUE];
static ea_store_keys *keys;

static void fill(uint8_t *bytes, size_t size, uint64_t seed) {
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)check_random(&seed);
}

static bool is_zero(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0) return false;
    return true;
}

static ea_record_head head_of(size_t key_size, size_t value_size) {
    ea_record_head head = {.key_size = (uint16_t)key_size, .value_size = (uint32_t)value_size};
    CHECK(ea_store_hash_secretly(keys, key, key_size, head.hash));
    return head;
}

/* Whether it opens; if it does not, nothing of it is to be seen. */
static bool opens(ea_store_keys *with, const ea_record_head *head) {
    memset(opened_key, 0xAA, head->key_size);
    memset(opened_value, 0xAA, head->value_size);
    if (ea_store_unseal(with, head, sealed, opened_key, opened_value)) return true;
    CHECK(is_zero(opened_key, head->key_size) && is_zero(opened_value, head->value_size));
    return false;
}

static void records_of_every_size_open_as_they_were(void) {
    static const size_t KEYS[] = {0, 1, 16, 17, EA_LONGEST_KEY};
    static const size_t VALUES[] = {0, 1, 15, 16, 17, 239, 240, 241, 1 << 20, EA_LARGEST_VALUE};
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        for (size_t j = 0; j < sizeof VALUES / sizeof *VALUES; j++) {
            ea_record_head head = head_of(KEYS[i], VALUES[j]);
            if (VALUES[j] > 1 << 20 && KEYS[i] != 16) continue;
            CHECK(ea_store_seal(keys, &head, key, value, sealed));
            CHECK(opens(keys, &head));
            CHECK(memcmp(opened_key, key, KEYS[i]) == 0 && memcmp(opened_value, value, VALUES[j]) == 0);
        }
    }
}

static void nothing_larger_than_a_record_may_be_is_sealed_or_opened(void) {
    ea_record_head long_key = {.key_size = EA_LONGEST_KEY + 1}, large = {.value_size = EA_LARGEST_VALUE + 1};
    CHECK(!ea_store_seal(keys, &long_key, key, value, sealed) && !ea_store_unseal(keys, &long_key, sealed, key, value));
    CHECK(!ea_store_seal(keys, &large, key, value, sealed) && !ea_store_unseal(keys, &large, sealed, key, value));
}

static void a_changed_record_does_not_open(void) {
    ea_record_head head = head_of(SIZE / 2, SIZE / 2), other;
    uint8_t *head_bytes = (uint8_t *)&other;
    CHECK(ea_store_seal(keys, &head, key, value, sealed));
    for (size_t bit = 0; bit < 8 * (EA_SEALED + SIZE); bit++) {
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!opens(keys, &head));
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t byte = 0; byte < sizeof head; byte++) { /* its low bits: sizes stay within their room */
        other = head;
        head_bytes[byte] ^= 1;
        CHECK((other.key_size > EA_LONGEST_KEY || other.value_size > EA_LARGEST_VALUE) || !opens(keys, &other));
    }
    for (size_t moved = 1; moved <= SIZE / 2; moved++) { /* the border between key and value */
        other = head;
        other.key_size = (uint16_t)(head.key_size - moved);
        other.value_size = (uint32_t)(head.value_size + moved);
        CHECK(!opens(keys, &other));
    }
    CHECK(opens(keys, &head));
}

static void a_record_opens_in_its_store_and_with_its_key_only(void) {
    static const uint8_t OTHER_ID[16] = {4, 5, 7}, OTHER_KEY[EA_STORE_KEY] = {1, 2, 4};
    ea_record_head head = head_of(SIZE / 2, SIZE / 2);
    ea_store_keys *same = ea_store_keys_new(KEY, ID);
    ea_store_keys *others[] = {ea_store_keys_new(KEY, OTHER_ID), ea_store_keys_new(OTHER_KEY, ID)};
    CHECK(same != NULL && ea_store_seal(keys, &head, key, value, sealed) && opens(same, &head));
    ea_store_keys_free(same);
    for (int i = 0; i < 2; i++) {
        uint8_t hash[EA_HASH];
        CHECK(others[i] != NULL && !opens(others[i], &head));
        CHECK(ea_store_hash_secretly(others[i], key, head.key_size, hash) && memcmp(hash, head.hash, sizeof hash) != 0);
        ea_store_keys_free(others[i]);
    }
    ea_store_keys_free(NULL);
}

static void every_byte_of_a_branch_is_in_its_tag(void) {
    struct {
        uint64_t tags[EA_FANOUT];
        ea_ref refs[EA_FANOUT];
    } branch;
    uint8_t *bytes = (uint8_t *)&branch;
    uint64_t tag, other;
    fill(bytes, sizeof branch, 3);
    CHECK(ea_store_branch_tag(keys, 2, branch.refs, branch.tags, &tag));
    for (size_t i = 0; i < sizeof branch; i++) {
        bytes[i] ^= 1;
        CHECK(ea_store_branch_tag(keys, 2, branch.refs, branch.tags, &other) && other != tag);
        bytes[i] ^= 1;
    }
    CHECK(ea_store_branch_tag(keys, 3, branch.refs, branch.tags, &other) && other != tag);
    CHECK(ea_store_branch_tag(keys, 2, branch.refs, branch.tags, &other) && other == tag);
}

static void every_byte_of_a_commit_is_in_its_tag(void) {
    struct {
        ea_commit commit;
        ea_history history;
    } all;
    uint8_t *bytes = (uint8_t *)&all, tag[EA_STORE_TAG], other[EA_STORE_TAG];
    fill(bytes, sizeof all, 4);
    CHECK(ea_store_commit_tag(keys, &all.commit, &all.history, tag));
    for (size_t i = 0; i < sizeof all; i++) {
        bytes[i] ^= 1;
        CHECK(ea_store_commit_tag(keys, &all.commit, &all.history, other));
        CHECK((memcmp(tag, other, sizeof tag) == 0) == (i >= offsetof(ea_commit, tag) && i < sizeof(ea_commit))); /* but of the tag */
        bytes[i] ^= 1;
    }
}

static void draw(uint8_t (*nonces)[EA_STORE_NONCE], size_t count) {
    ea_record_head head = {0};
    for (size_t i = 0; i < count; i++) {
        CHECK(ea_store_seal(keys, &head, key, value, sealed));
        memcpy(nonces[i], sealed, sizeof nonces[i]);
    }
}

static int compare(const void *one, const void *other) { return memcmp(one, other, EA_STORE_NONCE); }

/* Nor by processes that come of one, which all have what was drawn in advance. */
static void no_nonce_is_used_twice(void) {
    static uint8_t nonces[3 * DRAWS][EA_STORE_NONCE];
    for (int child = 0; child < 2; child++) {
        int ends[2], status;
        draw(nonces, 1 + child);
        CHECK(pipe(ends) == 0);
        pid_t pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
            static uint8_t drawn[DRAWS][EA_STORE_NONCE];
            draw(drawn, DRAWS);
            for (size_t i = 0; i < DRAWS; i++) CHECK(write(ends[1], drawn[i], sizeof drawn[i]) == sizeof drawn[i]);
            _exit(0);
        }
        for (size_t i = 0; i < DRAWS; i++)
            CHECK(read(ends[0], nonces[(1 + child) * DRAWS + i], EA_STORE_NONCE) == EA_STORE_NONCE);
        CHECK(waitpid(pid, &status, 0) == pid && status == 0);
        close(ends[0]);
        close(ends[1]);
    }
    draw(nonces, DRAWS);
    qsort(nonces, 3 * DRAWS, sizeof *nonces, compare);
    for (size_t i = 1; i < 3 * DRAWS; i++) CHECK(memcmp(nonces[i - 1], nonces[i], sizeof *nonces) != 0);
    CHECK(!is_zero(nonces[0], sizeof *nonces));
}

#ifndef __SANITIZE_ADDRESS__ /* whose own system calls would be refused */
/* As an enclave does, whose key comes only when it is attested. */
static void a_sealed_process_opens_a_store_and_seals_records(void) {
    struct sock_filter filter[EA_FILTER_ROOM];
    size_t length = ea_filter_generate(filter);
    int status;
    pid_t parent = getpid(), pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(ea_sandbox_prepare(parent) == 0 && ea_sandbox_seal(filter, length * sizeof *filter) == 0);
        ea_store_keys *mine = ea_store_keys_new(KEY, ID);
        CHECK(mine != NULL);
        ea_record_head head = head_of(SIZE / 2, SIZE / 2);
        for (int i = 0; i < DRAWS; i++) CHECK(ea_store_seal(mine, &head, key, value, sealed) && opens(mine, &head));
        ea_store_keys_free(mine);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}
#endif

static bool lacks_aes;
bool __wrap_ea_cpu_has_aes(void);
bool __wrap_ea_cpu_has_aes(void) { return !lacks_aes; }

/* Who shares the cache would learn the key of the store. */
static void where_the_cpu_has_no_aes_no_encrypted_store_is_opened(void) {
    const char *missing = NULL;
    lacks_aes = true;
    CHECK(!ea_store_keys_start(&missing) && strstr(missing, "leaks its key") != NULL);
    lacks_aes = false;
}

int main(void) {
    static const check_test TESTS[] = {
#ifndef __SANITIZE_ADDRESS__
        TEST(a_sealed_process_opens_a_store_and_seals_records), /* first: no random number was drawn before */
#endif
        TEST(records_of_every_size_open_as_they_were),
        TEST(nothing_larger_than_a_record_may_be_is_sealed_or_opened),
        TEST(a_changed_record_does_not_open),
        TEST(a_record_opens_in_its_store_and_with_its_key_only),
        TEST(every_byte_of_a_branch_is_in_its_tag),
        TEST(every_byte_of_a_commit_is_in_its_tag),
        TEST(no_nonce_is_used_twice),
        TEST(where_the_cpu_has_no_aes_no_encrypted_store_is_opened),
    };
    const char *missing;
    check_watch(120);
    CHECK(ea_crypto_start(&missing) && ea_keys_start(&missing) && ea_store_keys_start(&missing));
    keys = ea_store_keys_new(KEY, ID);
    CHECK(keys != NULL);
    fill(key, sizeof key, 1);
    fill(value, sizeof value, 2);
    int result = check_all(TESTS, sizeof TESTS / sizeof *TESTS);
    ea_store_keys_free(keys);
    return result;
}
