/* Snapshot: one version of a store; and Walk, which goes through one, or through what differs between two. */
#include "types.h"

typedef struct {
    PyObject_HEAD
    SnapshotObject *before, *after; /* before NULL: all of after */
    PyObject *prefix;
    ea_walk *walk;
} WalkObject;

static bool is_open(SnapshotObject *self) {
    if (self->store != NULL) return store_open(self->store) != NULL;
    PyErr_SetString(PyExc_ValueError, "the snapshot is closed");
    return false;
}

static PyObject *snapshot_close(SnapshotObject *self, PyObject *unused) {
    if (self->store != NULL && self->store->base != NULL && self->store->forks == store_forks) ea_store_unpin(&self->store->store, &self->view);
    Py_CLEAR(self->store);
    Py_RETURN_NONE;
}

static void snapshot_dealloc(SnapshotObject *self) {
    Py_XDECREF(snapshot_close(self, NULL));
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *snapshot_get(SnapshotObject *self, PyObject *key) {
    return is_open(self) ? store_fetch(self->store, &self->view, key) : NULL;
}

static Py_ssize_t snapshot_length(SnapshotObject *self) { return is_open(self) ? (Py_ssize_t)self->view.commit.keys : -1; }

static PyObject *snapshot_version(SnapshotObject *self, void *unused) {
    return PyLong_FromUnsignedLongLong(self->view.commit.version);
}

static PyObject *snapshot_key_number(SnapshotObject *self, void *unused) {
    return PyLong_FromUnsignedLong(self->view.commit.key_id);
}

static PyObject *begin(SnapshotObject *before, SnapshotObject *after, PyObject *prefix) {
    if (!is_open(after) || (before != NULL && !is_open(before))) return NULL;
    WalkObject *self = (WalkObject *)Walk_Type.tp_alloc(&Walk_Type, 0);
    if (self == NULL) return NULL;
    self->before = (SnapshotObject *)Py_XNewRef((PyObject *)before);
    self->after = (SnapshotObject *)Py_NewRef((PyObject *)after);
    self->prefix = Py_XNewRef(prefix);
    ea_store *store = &after->store->store;
    self->walk = before == NULL ? ea_walk_new(store, &after->view) : ea_walk_changes(store, &before->view, &after->view);
    if (self->walk != NULL) return (PyObject *)self;
    Py_DECREF(self);
    return PyErr_NoMemory();
}

static PyObject *snapshot_scan(SnapshotObject *self, PyObject *args) {
    PyObject *prefix = NULL;
    return PyArg_ParseTuple(args, "|S", &prefix) ? begin(NULL, self, prefix) : NULL;
}

static PyObject *snapshot_changes(SnapshotObject *self, PyObject *args) {
    PyObject *prefix = NULL;
    SnapshotObject *later;
    if (!PyArg_ParseTuple(args, "O!|S", &Snapshot_Type, &later, &prefix)) return NULL;
    bool related = later->store == self->store, comparable = later->view.commit.key_id == self->view.commit.key_id;
    if (related && comparable) return begin(self, later, prefix);
    PyErr_SetString(PyExc_ValueError, related ? "the store's key has changed between these snapshots"
                                              : "these are snapshots of two stores, or one of them is closed");
    return NULL;
}

/* ---- Walk ---- */

static void walk_dealloc(WalkObject *self) {
    ea_walk_free(self->walk);
    Py_XDECREF((PyObject *)self->before);
    Py_XDECREF((PyObject *)self->after);
    Py_XDECREF(self->prefix);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* Whether a record, if it is one, could be read; its key and value are new references then. */
static bool read_record(StoreObject *self, const ea_found *found, PyObject **key, PyObject **value) {
    if (found->ref == 0) return true;
    Py_XSETREF(*key, PyBytes_FromStringAndSize(NULL, found->head.key_size));
    *value = PyBytes_FromStringAndSize(NULL, found->head.value_size);
    if (*key == NULL || *value == NULL) return false;
    ea_store_status status =
        ea_record_read(&self->store, found, (uint8_t *)PyBytes_AS_STRING(*key), (uint8_t *)PyBytes_AS_STRING(*value));
    if (status != EA_STORE_OK) (void)store_refuse(self, status);
    return status == EA_STORE_OK;
}

static bool begins(PyObject *key, PyObject *prefix) {
    return prefix == NULL || (PyBytes_GET_SIZE(key) >= PyBytes_GET_SIZE(prefix) &&
                              memcmp(PyBytes_AS_STRING(key), PyBytes_AS_STRING(prefix), (size_t)PyBytes_GET_SIZE(prefix)) == 0);
}

static PyObject *walk_next(WalkObject *self) {
    if (!is_open(self->after) || (self->before != NULL && !is_open(self->before))) return NULL;
    StoreObject *store = self->after->store;
    ea_found before, after;
    ea_store_status status;
    while ((status = ea_walk_next(self->walk, &before, &after)) == EA_STORE_OK) {
        PyObject *key = NULL, *old = NULL, *new = NULL, *result = NULL;
        bool ok = read_record(store, &before, &key, &old) && read_record(store, &after, &key, &new);
        bool wanted = ok && begins(key, self->prefix);
        if (wanted)
            result = self->before == NULL ? PyTuple_Pack(2, key, new)
                                          : PyTuple_Pack(3, key, old == NULL ? Py_None : old, new == NULL ? Py_None : new);
        Py_XDECREF(key);
        Py_XDECREF(old);
        Py_XDECREF(new);
        if (!ok || wanted) return result;
        if (PyErr_CheckSignals() < 0) return NULL;
    }
    return status == EA_STORE_ABSENT ? NULL : store_refuse(store, status);
}

PyTypeObject Walk_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._store.Walk",
    .tp_basicsize = sizeof(WalkObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "Goes through a version, or through what differs between two.",
    .tp_dealloc = (destructor)walk_dealloc,
    .tp_iter = PyObject_SelfIter,
    .tp_iternext = (iternextfunc)walk_next,
};

static PyMethodDef methods[] = {
    {"get", (PyCFunction)snapshot_get, METH_O, "get(key, /)\n--\n\nThe value in this version, or None."},
    {"scan", (PyCFunction)snapshot_scan, METH_VARARGS, "scan(prefix=b'', /)\n--\n\nAll keys that begin so, with their values."},
    {"changes", (PyCFunction)snapshot_changes, METH_VARARGS, "changes(later, prefix=b'', /)\n--\n\nWhat differs in a later one."},
    {"close", (PyCFunction)snapshot_close, METH_NOARGS, "close()\n--\n\nLet its blocks be used again."},
    {0},
};

static PyGetSetDef getters[] = {
    {"version", (getter)snapshot_version, .doc = "Of the store."},
    {"key_number", (getter)snapshot_key_number, .doc = "Of the key that it is under."},
    {0},
};

static PyMappingMethods mapping = {.mp_length = (lenfunc)snapshot_length};

PyTypeObject Snapshot_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._store.Snapshot",
    .tp_basicsize = sizeof(SnapshotObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "One version of a store.",
    .tp_dealloc = (destructor)snapshot_dealloc,
    .tp_as_mapping = &mapping,
    .tp_methods = methods,
    .tp_getset = getters,
};
