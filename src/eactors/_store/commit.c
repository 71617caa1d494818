/* Several changes at once. */
#include "types.h"

/* The arguments of a commit, in the terms of the core. */
typedef struct {
    PyObject *reads, *writes; /* tuples, which keep all bytes alive and which nobody changes while we wait */
    ea_key *keys;
    ea_change *changes;
    Py_ssize_t read_count, write_count;
} request;

static bool take_reads(request *all) {
    uint32_t size;
    for (Py_ssize_t i = 0; i < all->read_count; i++) {
        if (!store_key(PyTuple_GET_ITEM(all->reads, i), &all->keys[i].key, &size)) return false;
        all->keys[i].size = size;
    }
    return true;
}

static bool take_writes(request *all) {
    for (Py_ssize_t i = 0; i < all->write_count; i++) {
        PyObject *pair = PyTuple_GET_ITEM(all->writes, i);
        ea_change *change = &all->changes[i];
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
            PyErr_SetString(PyExc_TypeError, "what is to be written is pairs of key and value");
            return false;
        }
        PyObject *value = PyTuple_GET_ITEM(pair, 1);
        if (!store_key(PyTuple_GET_ITEM(pair, 0), &change->key, &change->key_size) ||
            (value != Py_None && !store_value(value, &change->value, &change->value_size)))
            return false;
    }
    return true;
}

static void forget(request *all) {
    PyMem_Free(all->keys);
    PyMem_Free(all->changes);
    Py_XDECREF(all->reads);
    Py_XDECREF(all->writes);
}

static bool take(request *all, PyObject *reads, PyObject *writes) {
    all->reads = PySequence_Tuple(reads);
    all->writes = all->reads == NULL ? NULL : PySequence_Tuple(writes);
    if (all->writes == NULL) return false;
    all->read_count = PyTuple_GET_SIZE(all->reads);
    all->write_count = PyTuple_GET_SIZE(all->writes);
    all->keys = PyMem_Calloc((size_t)all->read_count + 1, sizeof *all->keys);
    all->changes = PyMem_Calloc((size_t)all->write_count + 1, sizeof *all->changes);
    if (all->keys == NULL || all->changes == NULL) return PyErr_NoMemory() != NULL;
    return take_reads(all) && take_writes(all);
}

static bool is_open(StoreObject *self, PyObject *since) {
    if (since == Py_None || (PyObject_TypeCheck(since, &Snapshot_Type) && ((SnapshotObject *)since)->store == self)) return true;
    PyErr_SetString(PyExc_ValueError, "that is no open snapshot of this store");
    return false;
}

PyObject *store_commit(StoreObject *self, PyObject *args) {
    PyObject *since, *reads, *writes;
    request all = {0};
    if (!PyArg_ParseTuple(args, "OOO", &since, &reads, &writes) || store_open(self) == NULL) return NULL;
    if (!is_open(self, since)) return NULL;
    const ea_view *view = since == Py_None ? NULL : &((SnapshotObject *)since)->view;
    int again = take(&all, reads, writes) ? 1 : -1;
    ea_store_status status = EA_STORE_OK;
    while (again == 1) {
        status = ea_store_apply(&self->store, all.changes, (size_t)all.write_count, view, all.keys, (size_t)all.read_count);
        if (status == EA_STORE_OK || status == EA_STORE_ABSENT || status == EA_STORE_DIFFERENT) again = 0;
        else again = store_again(self, status);
        if (again == 1 && !is_open(self, since)) again = -1; /* not any more */
    }
    forget(&all);
    return again < 0 ? NULL : PyBool_FromLong(status != EA_STORE_DIFFERENT);
}
