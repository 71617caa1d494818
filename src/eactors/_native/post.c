/* Post: where an enclave drops what it has to tell the host, into an mbox that all share. */
#include "types.h"

typedef struct {
    PyObject_HEAD
    RegionObject *region;
    ea_pool pool;
    ea_mbox mbox;
    ea_bell *bell;
} PostObject;

/* Post(region, (pool, nodes, payload), (mbox, capacity), bell, /). */
static PyObject *post_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    RegionObject *region;
    unsigned long long pool, mbox, bell;
    unsigned int nodes, payload, capacity;
    if (!PyArg_ParseTuple(args, "O!(KII)(KI)K", &Region_Type, &region, &pool, &nodes, &payload, &mbox, &capacity, &bell))
        return NULL;
    PostObject *self = (PostObject *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->region = (RegionObject *)Py_NewRef((PyObject *)region);
    self->bell = ea_region_at(&region->region, bell, sizeof *self->bell);
    if (self->bell == NULL || !ea_pool_attach(&self->pool, &region->region, pool, nodes, payload) ||
        !ea_mbox_attach(&self->mbox, &region->region, mbox, capacity, &self->pool)) {
        PyErr_SetString(PyExc_ValueError, "the host's mbox does not lie inside the region");
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

/* push(frame, /): leave bytes for the host; whether there was room. */
static PyObject *post_push(PostObject *self, PyObject *frame) {
    const ea_context *who = ea_current_who();
    uint32_t index;
    if (who == NULL) return NULL;
    if (!PyBytes_Check(frame) || PyBytes_GET_SIZE(frame) > (Py_ssize_t)self->pool.payload)
        return PyErr_Format(PyExc_ValueError, "a frame is bytes, at most %u", self->pool.payload);
    ea_status status = ea_pool_pop_front(&self->pool, who, &index);
    if (status == EA_OK) {
        ea_node *node = ea_pool_node(&self->pool, index);
        memcpy(node->payload, PyBytes_AS_STRING(frame), (size_t)PyBytes_GET_SIZE(frame));
        node->length = (uint32_t)PyBytes_GET_SIZE(frame);
        status = ea_mbox_push_back(&self->mbox, who, index);
        if (status == EA_OK)
            ea_bell_ring(self->bell, who->shared);
        else
            (void)ea_pool_push_front(&self->pool, who, index);
    }
    if (status == EA_CORRUPT) return ea_raise("RegionCorrupted", NULL, "the host's mbox is corrupted");
    return PyBool_FromLong(status == EA_OK);
}

static void post_dealloc(PostObject *self) {
    Py_DECREF((PyObject *)self->region);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef methods[] = {
    {"push", (PyCFunction)post_push, METH_O, NULL},
    {0},
};

PyTypeObject Post_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.Post",
    .tp_basicsize = sizeof(PostObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = post_new,
    .tp_dealloc = (destructor)post_dealloc,
    .tp_methods = methods,
};
