/* Pool: a public LIFO of empty nodes. */
#include "length.h"

#include "pools.h"

enum {
    POOL_LOW = 8,    /* a pool with less than one part in so many left is nothing to wake for */
    POOL_SHARE = 32, /* of how many nodes a process may keep one in its stash */
};

PyObject *ea_status_error(ea_status status, const char *what) {
    if (status == EA_CORRUPT)
        return ea_raise("RegionCorrupted", "the host, or a peer, wrote into shared memory what it must not",
                        "%s: shared memory is corrupted", what);
    return PyErr_Format(PyExc_SystemError, "%s: unexpected status %d", what, (int)status);
}

int bells_of(RegionObject *region, PyObject *sequence, ea_bell ***bells, uint32_t *count) {
    PyObject *items = PySequence_Fast(sequence, "bells are a sequence of offsets");
    if (items == NULL) return -1;
    Py_ssize_t total = PySequence_Fast_GET_SIZE(items);
    *bells = PyMem_Calloc((size_t)total + 1, sizeof **bells);
    if (*bells == NULL) PyErr_NoMemory();
    for (Py_ssize_t i = 0; *bells != NULL && i < total && !PyErr_Occurred(); i++) {
        unsigned long long offset = PyLong_AsUnsignedLongLong(PySequence_Fast_GET_ITEM(items, i));
        if (PyErr_Occurred()) break;
        (*bells)[i] = ea_region_at(&region->region, offset, sizeof(ea_bell));
        if ((*bells)[i] == NULL) PyErr_Format(PyExc_ValueError, "the bell at %llu does not lie inside the region", offset);
    }
    Py_DECREF(items);
    *count = (uint32_t)total;
    return PyErr_Occurred() ? -1 : 0;
}

void bells_ring(ea_bell **bells, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) ea_bell_ring(bells[i], current.who.shared);
}

ea_status pool_give(PoolObject *self, const ea_context *who, uint32_t index) {
    bool pooled;
    ea_status status = ea_stash_give(&self->stash, &self->pool, who, index, &pooled);
    /* Waking an actor for every single node would cost more than the message. One that
     * waits for the last few nodes of a pool looks again by itself before long (worker.c). */
    if (pooled && status == EA_OK && ea_pool_length(&self->pool) >= self->pool.count / POOL_LOW)
        bells_ring(self->bells, self->bell_count);
    return status;
}

static uint32_t available(const PoolObject *self) { return self->stash.count + ea_pool_length(&self->pool); }

static PyObject *pool_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    RegionObject *region;
    unsigned long long offset;
    unsigned int nodes, payload;
    PyObject *bells = NULL;
    if (!PyArg_ParseTuple(args, "O!KII|O", &Region_Type, &region, &offset, &nodes, &payload, &bells)) return NULL;
    PoolObject *self = (PoolObject *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->region = (RegionObject *)Py_NewRef((PyObject *)region);
    if (!ea_pool_attach(&self->pool, &region->region, offset, nodes, payload))
        PyErr_Format(PyExc_ValueError, "a pool of %u nodes does not lie inside the region", nodes);
    self->stash.limit = nodes / POOL_SHARE < EA_STASH ? nodes / POOL_SHARE : EA_STASH;
    if (!PyErr_Occurred() && bells != NULL)
        (void)bells_of(region, bells, &self->bells, &self->bell_count);
    if (PyErr_Occurred()) Py_CLEAR(self);
    return (PyObject *)self;
}

static PyObject *pool_pop_front(PoolObject *self, PyObject *unused) {
    const ea_context *who = ea_current_who();
    uint32_t index;
    if (who == NULL) return NULL;
    ea_status status = ea_stash_take(&self->stash, &self->pool, who, &index);
    if (status == EA_CORRUPT) return ea_status_error(status, "pool");
    if (status != EA_OK) Py_RETURN_NONE;
    current.activity++;
    return node_new(self, index);
}

static PyObject *pool_push_front(PoolObject *self, PyObject *node) {
    const ea_context *who = ea_current_who();
    uint32_t index = who == NULL ? EA_NONE : node_detach(node, self);
    if (index == EA_NONE) return NULL;
    ea_status status = pool_give(self, who, index);
    if (status != EA_OK) {
        node_reattach(node, index);
        return ea_status_error(status, "pool");
    }
    current.activity++;
    Py_RETURN_NONE;
}

static PyObject *pool_is_empty(PoolObject *self, PyObject *unused) { return PyBool_FromLong(available(self) == 0); }
static PyObject *pool_length(PoolObject *self, PyObject *unused) { return PyLong_FromUnsignedLong(available(self)); }
static PyObject *pool_payload(PoolObject *self, void *unused) { return PyLong_FromUnsignedLong(self->pool.payload); }
static PyObject *pool_nodes(PoolObject *self, void *unused) { return PyLong_FromUnsignedLong(self->pool.count); }

static void pool_dealloc(PoolObject *self) {
    PyMem_Free(self->bells);
    Py_DECREF((PyObject *)self->region);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef methods[] = {
    {"pop_front", (PyCFunction)pool_pop_front, METH_NOARGS, "pop_front()\n--\n\nTake an empty node, or None if there is none."},
    {"push_front", (PyCFunction)pool_push_front, METH_O, "push_front(node, /)\n--\n\nGive a node back."},
    {"is_empty", (PyCFunction)pool_is_empty, METH_NOARGS, "is_empty()\n--\n\nWhether it has no node at this moment."},
    {"length", (PyCFunction)pool_length, METH_NOARGS, "length()\n--\n\nHow many nodes it has at this moment."},
    {0},
};

static PyGetSetDef properties[] = {
    {"payload", (getter)pool_payload, NULL, "Bytes that one node holds.", NULL},
    {"nodes", (getter)pool_nodes, NULL, "How many nodes belong to it.", NULL},
    {0},
};

PyTypeObject Pool_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.Pool",
    .tp_basicsize = sizeof(PoolObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "A public LIFO of empty nodes.",
    .tp_new = pool_new,
    .tp_dealloc = (destructor)pool_dealloc,
    .tp_methods = methods,
    .tp_getset = properties,
};
