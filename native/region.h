/* One file of shared, untrusted memory, mapped with an explicit length.
 *
 * Everything in it is found by offset, and every offset comes from the caller's private
 * memory (the deployment's plan), never from the region itself.
 */
#ifndef EA_REGION_H
#define EA_REGION_H

#include <stddef.h>
#include <stdint.h>

#include "atomics.h"

enum { EA_LINE = 64, EA_MAX_PARTICIPANTS = 4095 };

typedef struct {
    uint8_t *base;
    size_t size;
} ea_region;

/* The first lines of the region. */
typedef struct {
    _Alignas(EA_LINE) ea_a32 stop; /* not 0: every worker ends at its next turn */
} ea_control;

/* One execution context (a worker in one enclave), as the rest of the application sees it.
 * Written by its owner alone, but for `stop`. */
typedef struct {
    /* Recovery: the node, by line of the region, that the next compare-and-swap moves. */
    _Alignas(EA_LINE) ea_a32 hazard;
    ea_a32 stop; /* not 0: this worker alone ends at its next turn; the host's */
    _Alignas(EA_LINE) ea_a64 received; /* messages given to actors */
    ea_a64 sent;
    ea_a64 turns;
    ea_a64 sleeps; /* times it slept in the kernel */
    ea_a64 wakes;  /* times it woke another worker through the kernel */
    ea_a64 yields;
    ea_a64 dropped; /* messages to actors that had finished */
} ea_participant;

/* One more. Relaxed load and store: only this participant writes its counters. */
static inline void ea_count(ea_a64 *counter) { ea_store(counter, ea_load(counter, EA_RELAXED) + 1, EA_RELAXED); }

/* All three return 0 or a negative errno. `map` closes the descriptor in any case. */
int ea_region_map(ea_region *region, int fd, size_t size);
int ea_region_open(ea_region *region, const char *path, size_t size);
int ea_region_close(ea_region *region);

/* The address of `bytes` bytes at `offset`, or NULL unless they lie inside the region and
 * start on a line. */
void *ea_region_at(const ea_region *region, uint64_t offset, uint64_t bytes);

#endif
