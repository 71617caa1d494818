#include "layout.h"
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static const uint64_t MBOX_AT = EA_LINE + WORLD_PARTICIPANTS * sizeof(ea_participant);

uint64_t world_bytes(uint32_t nodes, uint32_t payload, uint32_t capacity) {
    return MBOX_AT + ea_mbox_bytes(capacity) + ea_pool_bytes(nodes, payload);
}

void world_init(world *self, uint8_t *memory, uint8_t *marks, uint32_t nodes, uint32_t payload, uint32_t capacity) {
    uint64_t bytes = world_bytes(nodes, payload, capacity);
    *self = (world){.region = {memory, bytes}, .marks = marks, .mbox_at = MBOX_AT};
    self->pool_at = MBOX_AT + ea_mbox_bytes(capacity);
    memset(memory, 0, MBOX_AT);
    CHECK(ea_pool_attach(&self->pool, &self->region, self->pool_at, nodes, payload));
    CHECK(ea_mbox_attach(&self->mbox, &self->region, MBOX_AT, capacity, &self->pool));
    ea_pool_init(&self->pool);
    ea_mbox_init(&self->mbox);
}

void world_create(world *self, uint32_t nodes, uint32_t payload, uint32_t capacity) {
    uint8_t *memory = aligned_alloc(EA_LINE, world_bytes(nodes, payload, capacity));
    uint8_t *marks = malloc(nodes);
    CHECK(memory != NULL && marks != NULL);
    world_init(self, memory, marks, nodes, payload, capacity);
}

void world_destroy(world *self) {
    free(self->region.base);
    free(self->marks);
}

ea_context world_who(const world *self, uint32_t id) {
    CHECK(id >= 1 && id <= WORLD_PARTICIPANTS);
    ea_participant *all = ea_region_at(&self->region, EA_LINE, WORLD_PARTICIPANTS * sizeof *all);
    return (ea_context){.shared = &all[id - 1], .id = id};
}

ea_status world_recover(world *self, uint32_t *recovered) {
    const ea_participant *participants[WORLD_PARTICIPANTS];
    for (uint32_t id = 1; id <= WORLD_PARTICIPANTS; id++) participants[id - 1] = world_who(self, id).shared;
    ea_census census = {.participants = participants, .dead = self->dead, .count = WORLD_PARTICIPANTS};
    ea_mbox *const mboxes[] = {&self->mbox};
    ea_context who = world_who(self, WORLD_RECOVERER);
    return ea_recover(&self->pool, mboxes, 1, &census, &who, self->marks, recovered);
}

/* Counted here and not with the code under test, so that one fault cannot hide another. */
static bool count_pool(const ea_pool *pool, uint8_t *seen) {
    uint32_t index = (uint32_t)atomic_load(&pool->shared->top);
    for (uint32_t steps = 0; index != EA_NONE; steps++) {
        if (steps >= pool->count || index >= pool->count) return false;
        seen[index]++;
        index = atomic_load(&ea_pool_node(pool, index)->next);
    }
    return true;
}

static bool count_mbox(const ea_mbox *mbox, uint8_t *seen) {
    for (uint32_t slot = 0; slot <= mbox->mask; slot++) {
        uint64_t word = atomic_load(&mbox->shared->slots[slot]);
        if ((word >> 32 & 1) == 0) continue;
        if ((uint32_t)word >= mbox->pool->count) return false;
        seen[(uint32_t)word]++;
    }
    return true;
}

bool world_is_complete(const world *self, const uint32_t held[], uint32_t held_count) {
    uint8_t *seen = calloc(self->pool.count, 1);
    CHECK(seen != NULL);
    bool complete = count_pool(&self->pool, seen) && count_mbox(&self->mbox, seen);
    for (uint32_t i = 0; i < held_count; i++) seen[held[i]]++;
    for (uint32_t index = 0; index < self->pool.count; index++) complete = complete && seen[index] == 1;
    free(seen);
    return complete;
}
