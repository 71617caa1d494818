/* Pool, Mbox and Node: the low level. */
#ifndef EA_PY_POOLS_H
#define EA_PY_POOLS_H

#include "stash.h"
#include "types.h"

typedef struct {
    PyObject_HEAD
    ea_pool pool;
    ea_stash stash; /* the GIL guards it */
    RegionObject *region;
    ea_bell **bells; /* of the workers whose actors use it */
    uint32_t bell_count;
} PoolObject;
extern PyTypeObject Pool_Type;
extern PyTypeObject Mbox_Type;
extern PyTypeObject Node_Type;

PyObject *node_new(PoolObject *pool, uint32_t index);
/* The node's index, given away by the caller; EA_NONE and an exception if it cannot be. */
uint32_t node_detach(PyObject *node, PoolObject *pool);
void node_reattach(PyObject *node, uint32_t index);
/* Read the offsets in `sequence` as bells; -1 and an exception if one is outside. */
int bells_of(RegionObject *region, PyObject *sequence, ea_bell ***bells, uint32_t *count);
void bells_ring(ea_bell **bells, uint32_t count);
/* Give a node back and wake who may be waiting for one. */
ea_status pool_give(PoolObject *pool, const ea_context *who, uint32_t index);

/* Raise what a status other than EA_OK means. Always returns NULL. */
PyObject *ea_status_error(ea_status status, const char *what);

#endif
