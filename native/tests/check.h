/* What all tests of the core share: a check that ends the run, and seeded randomness. */
#ifndef EA_CHECK_H
#define EA_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What to print with a failure so that it can be repeated: "model: seed 17, scenario x". */
extern char check_context[160];

#define CHECK(condition) \
    do { \
        if (!(condition)) check_failed(__FILE__, __LINE__, #condition); \
    } while (0)

_Noreturn void check_failed(const char *file, int line, const char *condition);

/* End the process, naming the context, if it runs longer than any honest machine needs,
 * or if it breaks memory. */
void check_watch(unsigned seconds);

typedef struct {
    const char *name; /* says what must hold */
    void (*run)(void);
} check_test;

#define TEST(name) {#name, name}

int check_all(const check_test tests[], size_t count);

/* splitmix64 (S. Vigna): any seed is a good seed, also 0, 1, 2. */
static inline uint64_t check_random(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static inline uint32_t check_below(uint64_t *state, uint32_t limit) {
    return (uint32_t)((check_random(state) >> 32) * limit >> 32);
}

#endif
