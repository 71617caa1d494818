#include "siphash.h"

#include <string.h>

/* As the format of a store is; then a word is copied by one instruction. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are little-endian");

typedef struct {
    uint64_t v0, v1, v2, v3;
} state;

static inline uint64_t rotate(uint64_t word, int bits) { return word << bits | word >> (64 - bits); }

static inline uint64_t word_at(const uint8_t *bytes) {
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

static inline void rounds(state *s, int count) {
    while (count-- > 0) {
        s->v0 += s->v1, s->v1 = rotate(s->v1, 13) ^ s->v0, s->v0 = rotate(s->v0, 32);
        s->v2 += s->v3, s->v3 = rotate(s->v3, 16) ^ s->v2;
        s->v0 += s->v3, s->v3 = rotate(s->v3, 21) ^ s->v0;
        s->v2 += s->v1, s->v1 = rotate(s->v1, 17) ^ s->v2, s->v2 = rotate(s->v2, 32);
    }
}

static inline void absorb(state *s, uint64_t word) {
    s->v3 ^= word;
    rounds(s, 2);
    s->v0 ^= word;
}

/* Half of the result. */
static inline void finish(state *s, uint8_t *out) {
    rounds(s, 4);
    uint64_t word = s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
    memcpy(out, &word, sizeof word);
}

void ea_siphash128(const uint8_t key[16], const void *data, size_t size, uint8_t out[16]) {
    const uint8_t *bytes = data;
    uint64_t k0 = word_at(key), k1 = word_at(key + 8);
    state s = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d ^ 0xee, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
    uint8_t last[8] = {0};
    size_t rest = size % sizeof last;
    for (const uint8_t *end = bytes + size - rest; bytes < end; bytes += 8) absorb(&s, word_at(bytes));
    if (rest > 0) memcpy(last, bytes, rest); /* no data may be NULL */
    last[7] = (uint8_t)size;
    absorb(&s, word_at(last));
    s.v2 ^= 0xee;
    finish(&s, out);
    s.v1 ^= 0xdd;
    finish(&s, out + 8);
}
