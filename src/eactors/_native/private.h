/* A channel inside one enclave, for what opens it anew. */
#ifndef EA_PY_PRIVATE_H
#define EA_PY_PRIVATE_H

#include "types.h"

typedef struct {
    PyObject **items; /* a ring of `capacity` */
    uint32_t head;
    ea_a32 count;
    ea_a32 waiting; /* the sender waits for room */
    ea_bell *reader, *writer;
} queue;

typedef struct {
    PyObject_HEAD
    uint32_t capacity;
    queue queues[2]; /* [side]: what that side receives */
} ChannelObject;

typedef struct {
    ChannelObject *channel;
    queue *inbound, *outbound; /* of the channel */
} private_state;

#endif
