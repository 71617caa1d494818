#include "header.h"

#include <stddef.h>
#include <string.h>

#include "siphash.h"

static void check_of(const void *data, size_t size, uint8_t check[8]) {
    uint8_t digest[EA_HASH], zeros[16] = {0};
    ea_siphash128(zeros, data, size, digest);
    memcpy(check, digest, 8);
}

static bool is_right(const void *data, size_t size, const uint8_t check[8]) {
    uint8_t expected[8];
    check_of(data, size, expected);
    return memcmp(check, expected, sizeof expected) == 0;
}

bool ea_header_is_right(const ea_store_fixed *fixed) {
    return memcmp(fixed->magic, EA_STORE_MAGIC, sizeof fixed->magic) == 0 && fixed->block_size == EA_BLOCK &&
           is_right(fixed, offsetof(ea_store_fixed, check), fixed->check);
}

void ea_header_fix(ea_store_header *header, const ea_store_fixed *fixed) {
    header->fixed = *fixed;
    check_of(&header->fixed, offsetof(ea_store_fixed, check), header->fixed.check);
}

void ea_header_write_slot(ea_store_header *header, int number, uint64_t version, uint32_t commit, uint32_t fresh) {
    ea_store_slot slot = {.version = version, .commit = commit, .fresh = fresh};
    check_of(&slot, offsetof(ea_store_slot, check), slot.check);
    header->slots[number].slot = slot;
}

int ea_header_newer_slot(const ea_store_header *header) {
    int newer = -1;
    for (int i = 0; i < EA_SLOTS; i++) {
        const ea_store_slot *slot = &header->slots[i].slot;
        if (is_right(slot, offsetof(ea_store_slot, check), slot->check) &&
            (newer < 0 || slot->version > header->slots[newer].slot.version))
            newer = i;
    }
    return newer;
}

void ea_store_format(void *base, const ea_store_shape *shape) {
    ea_store_header *header = base;
    ea_block *blocks = base;
    ea_store_fixed fixed = {.block_size = EA_BLOCK, .limit = shape->limit, .encryption = shape->encryption, .detects = shape->detects};
    memcpy(fixed.magic, EA_STORE_MAGIC, sizeof fixed.magic);
    memcpy(fixed.id, shape->id, sizeof fixed.id);
    memcpy(fixed.seed, shape->seed, sizeof fixed.seed);
    memset(base, 0, (EA_HEADER_BLOCKS + 1) * EA_BLOCK);
    ea_header_fix(header, &fixed);
    ea_header_write_slot(header, 0, 1, EA_HEADER_BLOCKS, EA_HEADER_BLOCKS + 1);
    ea_store(&blocks[EA_HEADER_BLOCKS].data[0], 1, EA_RELAXED); /* the version: all else of an empty store's commit is 0 */
    ea_store(&header->durable, shape->lasts ? 1 : UINT64_MAX, EA_RELAXED);
    ea_store(&header->fresh, EA_HEADER_BLOCKS + 1, EA_RELAXED);
    ea_store(&header->usable, shape->usable, EA_RELAXED);
    ea_store(&header->root, UINT64_C(1) << 32 | EA_HEADER_BLOCKS, EA_RELEASE);
}
