/* A small region for tests: participants, one pool, one mbox, and what must hold of them. */
#ifndef EA_WORLD_H
#define EA_WORLD_H

#include "mbox.h"
#include "recover.h"

/* The last participant is the one who recovers. */
enum { WORLD_PARTICIPANTS = 12, WORLD_RECOVERER = WORLD_PARTICIPANTS };

typedef struct {
    ea_region region;
    uint64_t mbox_at, pool_at;
    ea_pool pool;
    ea_mbox mbox;
    uint8_t *marks; /* one byte per node */
    bool dead[WORLD_PARTICIPANTS];
} world;

uint64_t world_bytes(uint32_t nodes, uint32_t payload, uint32_t capacity);
/* Lay out an empty world in `memory`, which starts on a line. `marks` lives elsewhere: it
 * is the recoverer's private memory. */
void world_init(world *self, uint8_t *memory, uint8_t *marks, uint32_t nodes, uint32_t payload, uint32_t capacity);
/* As world_init does, but in memory of its own. */
void world_create(world *self, uint32_t nodes, uint32_t payload, uint32_t capacity);
void world_destroy(world *self);

/* Participants count from 1. */
ea_context world_who(const world *self, uint32_t id);
ea_status world_recover(world *self, uint32_t *recovered);

/* Whether every node is exactly once in the pool, in the mbox or among `held`. Only while
 * nobody is at work. */
bool world_is_complete(const world *self, const uint32_t held[], uint32_t held_count);

#endif
