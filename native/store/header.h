/* The header of a store: its fixed part, and the slots for what is on the disk. */
#ifndef EA_STORE_HEADER_H
#define EA_STORE_HEADER_H

#include "format.h"

/* What a new store is to be. */
typedef struct {
    uint32_t limit, usable; /* blocks */
    uint32_t encryption, detects;
    uint8_t id[16], seed[16];
    bool lasts; /* whether it has to outlive this kernel, and so be synced */
} ea_store_shape;

/* Make `base` an empty store. */
void ea_store_format(void *base, const ea_store_shape *shape);

/* Whether it is the fixed part of a store of this format. */
bool ea_header_is_right(const ea_store_fixed *fixed);
/* Put the fixed part in, with its check. */
void ea_header_fix(ea_store_header *header, const ea_store_fixed *fixed);
void ea_header_write_slot(ea_store_header *header, int number, uint64_t version, uint32_t commit, uint32_t fresh);
/* The number of the newer slot that is right; -1: neither. */
int ea_header_newer_slot(const ea_store_header *header);

#endif
