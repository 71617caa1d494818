/* What an operation on shared memory can answer. */
#ifndef EA_STATUS_H
#define EA_STATUS_H

typedef enum {
    EA_OK = 0,
    EA_EMPTY = 1,   /* nothing to take */
    EA_FULL = 2,    /* no room */
    EA_BUSY = 3,    /* gave up after EA_ATTEMPTS lost races: ask again later */
    EA_CORRUPT = 4, /* shared memory holds what no honest peer writes */
} ea_status;

/* An honest race is lost a handful of times; a host that keeps rewriting a word must not
 * be able to hold an enclave in a loop. */
enum { EA_ATTEMPTS = 1 << 16 };

#endif
