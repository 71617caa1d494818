/* Mbox: a public FIFO of full nodes of one pool. */
#include "length.h"

#include "pools.h"

typedef struct {
    PyObject_HEAD
    ea_mbox mbox;
    PoolObject *pool;
    ea_bell **bells;
    uint32_t bell_count;
} MboxObject;

static PyObject *mbox_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    PoolObject *pool;
    unsigned long long offset;
    unsigned int capacity;
    PyObject *bells = NULL;
    if (!PyArg_ParseTuple(args, "O!KI|O", &Pool_Type, &pool, &offset, &capacity, &bells)) return NULL;
    MboxObject *self = (MboxObject *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->pool = (PoolObject *)Py_NewRef((PyObject *)pool);
    if (!ea_mbox_attach(&self->mbox, &pool->region->region, offset, capacity, &pool->pool))
        PyErr_Format(PyExc_ValueError, "an mbox of %u nodes does not lie inside the region", capacity);
    else if (bells != NULL)
        (void)bells_of(pool->region, bells, &self->bells, &self->bell_count);
    if (PyErr_Occurred()) Py_CLEAR(self);
    return (PyObject *)self;
}

static PyObject *mbox_push_back(MboxObject *self, PyObject *node) {
    const ea_context *who = ea_current_who();
    uint32_t index = who == NULL ? EA_NONE : node_detach(node, self->pool);
    if (index == EA_NONE) return NULL;
    ea_status status = ea_mbox_push_back(&self->mbox, who, index);
    if (status != EA_OK) node_reattach(node, index);
    if (status == EA_CORRUPT) return ea_status_error(status, "mbox");
    if (status != EA_OK) Py_RETURN_FALSE;
    current.activity++;
    bells_ring(self->bells, self->bell_count);
    Py_RETURN_TRUE;
}

static PyObject *mbox_pop_front(MboxObject *self, PyObject *unused) {
    const ea_context *who = ea_current_who();
    uint32_t index;
    if (who == NULL) return NULL;
    ea_status status = ea_mbox_pop_front(&self->mbox, who, &index);
    if (status == EA_CORRUPT) return ea_status_error(status, "mbox");
    if (status != EA_OK) Py_RETURN_NONE;
    current.activity++;
    if (current.worker != NULL)
        ea_count(&who->shared->received);
    return node_new(self->pool, index);
}

static bool has_node(const void *mbox) { return !ea_mbox_is_empty(mbox); }

static PyObject *mbox_wait(MboxObject *self, PyObject *args) {
    unsigned long long offset, nanoseconds;
    if (!PyArg_ParseTuple(args, "KK", &offset, &nanoseconds)) return NULL;
    const ea_context *who = ea_current_who();
    if (who == NULL) return NULL;
    ea_bell *bell = ea_region_at(&self->pool->region->region, offset, sizeof *bell);
    if (bell == NULL) return PyErr_Format(PyExc_ValueError, "the bell at %llu does not lie inside the region", offset);
    ea_waiter waiter = {.policy = EA_WAIT_SLEEP, .futex = true, .counters = who->shared};
    Py_BEGIN_ALLOW_THREADS
    ea_wait(&waiter, bell, has_node, &self->mbox, nanoseconds);
    Py_END_ALLOW_THREADS
    return PyErr_CheckSignals() < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *refuse(PyObject *self, PyObject *unused) {
    return ea_raise("OperationNotOffered", "keep all users of this mbox in one enclave, or use a second mbox",
                    "a public mbox is first in, first out; only private mboxes have push_front and pop_back");
}

static PyObject *mbox_is_empty(MboxObject *self, PyObject *unused) { return PyBool_FromLong(ea_mbox_is_empty(&self->mbox)); }
static PyObject *mbox_length(MboxObject *self, PyObject *unused) {
    return PyLong_FromUnsignedLong(ea_mbox_length(&self->mbox));
}

static void mbox_dealloc(MboxObject *self) {
    PyMem_Free(self->bells);
    Py_DECREF((PyObject *)self->pool);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef methods[] = {
    {"push_back", (PyCFunction)mbox_push_back, METH_O,
     "push_back(node, /)\n--\n\nGive a full node away; False, and the node stays yours, if there is no room."},
    {"pop_front", (PyCFunction)mbox_pop_front, METH_NOARGS, "pop_front()\n--\n\nThe oldest node, or None."},
    {"wait", (PyCFunction)mbox_wait, METH_VARARGS,
     "wait(bell, nanoseconds, /)\n--\n\nSleep until it has a node, the bell rings, a signal comes, or the time is over."},
    {"push_front", refuse, METH_O, "push_front(node, /)\n--\n\nOnly private mboxes and pools have this."},
    {"pop_back", refuse, METH_NOARGS, "pop_back()\n--\n\nOnly private mboxes have this."},
    {"is_empty", (PyCFunction)mbox_is_empty, METH_NOARGS, "is_empty()\n--\n\nWhether it has no node at this moment."},
    {"length", (PyCFunction)mbox_length, METH_NOARGS, "length()\n--\n\nHow many nodes it has at this moment."},
    {0},
};

PyTypeObject Mbox_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.Mbox",
    .tp_basicsize = sizeof(MboxObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "A public FIFO of full nodes.",
    .tp_new = mbox_new,
    .tp_dealloc = (destructor)mbox_dealloc,
    .tp_methods = methods,
};

int ea_py_add_mboxes(PyObject *module) {
    return PyModule_AddType(module, &Pool_Type) < 0 || PyModule_AddType(module, &Mbox_Type) < 0 ||
                   PyModule_AddType(module, &Node_Type) < 0
               ? -1
               : 0;
}
