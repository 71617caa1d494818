/* Store: one process's access to a store. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys.h"
#include "store/keeper.h"
#include "types.h"

ea_store *store_open(StoreObject *self) {
    if (self->base != NULL && self->forks == store_forks) return &self->store;
    PyErr_SetString(PyExc_ValueError, self->base == NULL ? "the store is closed"
                                                         : "the store was opened by the process that this one was forked from");
    return NULL;
}

static bool bytes_of(PyObject *object, const char *what, size_t most, const char *hint, const uint8_t **data, uint32_t *size) {
    if (!PyBytes_Check(object)) {
        PyErr_Format(PyExc_TypeError, "a %s of a store is bytes, not %.100s", what, Py_TYPE(object)->tp_name);
        return false;
    }
    if ((size_t)PyBytes_GET_SIZE(object) > most) {
        (void)store_raise("StoreTooLarge", hint, "a %s of a store has at most %zu bytes, not %zd", what, most, PyBytes_GET_SIZE(object));
        return false;
    }
    *data = (const uint8_t *)PyBytes_AS_STRING(object);
    *size = (uint32_t)PyBytes_GET_SIZE(object);
    return true;
}

bool store_key(PyObject *object, const uint8_t **key, uint32_t *size) {
    return bytes_of(object, "key", EA_LONGEST_KEY, "use a digest of it as the key", key, size);
}

bool store_value(PyObject *object, const uint8_t **value, uint32_t *size) {
    return bytes_of(object, "value", EA_LARGEST_VALUE, "put it under several keys, in one transaction", value, size);
}

/* ---- opening ---- */

/* Map the file, or make an empty store in memory of our own. */
static void *map(const char *path, uint32_t limit) {
    size_t size = (size_t)limit * EA_BLOCK;
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat stat;
    void *base = MAP_FAILED;
    if (path == NULL) {
        base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    } else if (fd >= 0 && fstat(fd, &stat) == 0) {
        if ((uint64_t)stat.st_size < size) errno = EINVAL; /* touching what is behind its end would be the end of us */
        else base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    int error = errno;
    if (fd >= 0) (void)close(fd);
    errno = error;
    if (base == MAP_FAILED) return path == NULL ? PyErr_NoMemory() : PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
    return base;
}

static bool in_memory(void *base, uint32_t limit) {
    ea_store_shape shape = {.limit = limit, .usable = limit};
    bool ok = store_identify(&shape);
    if (ok) ea_store_format(base, &shape);
    return ok;
}

static ea_store_keys *keys_of(PyObject *key, const uint8_t id[16]) {
    const char *missing = NULL;
    if (!PyBytes_Check(key) || PyBytes_GET_SIZE(key) != EA_STORE_KEY) {
        PyErr_Format(PyExc_ValueError, "the key of a store is %d bytes", EA_STORE_KEY);
        return NULL;
    }
    bool started = ea_crypto_start(&missing) && ea_keys_start(&missing) && ea_store_keys_start(&missing);
    ea_store_keys *keys = started ? ea_store_keys_new((const uint8_t *)PyBytes_AS_STRING(key), id) : NULL;
    if (keys == NULL && !started)
        (void)store_raise("StoreError", NULL, "an encrypted store cannot be opened here: %s", missing);
    else if (keys == NULL) (void)PyErr_NoMemory();
    return keys;
}

static ea_store_keys *fetch(void *context, uint32_t number) {
    StoreObject *self = context;
    PyObject *key = PyObject_CallFunction(self->keys, "I", number);
    ea_store_keys *keys = key == NULL ? NULL : keys_of(key, self->store.id);
    Py_XDECREF(key);
    return keys;
}

static bool attach(StoreObject *self, uint32_t limit, uint32_t owner, const Py_buffer *id, bool detects) {
    const ea_key_source source = {.fetch = fetch, .context = self};
    uint8_t found[16];
    memcpy(found, ((const ea_store_header *)self->base)->fixed.id, sizeof found);
    if (id->buf != NULL && (id->len != sizeof found || memcmp(id->buf, found, sizeof found) != 0)) {
        (void)store_raise("StoreCorrupt", "the host has exchanged its file", "this is another store than the one that was there");
        return false;
    }
    ea_store_status status = ea_store_attach(&self->store, self->base, limit, owner, self->keys == NULL ? NULL : &source, detects);
    if (status != EA_STORE_OK) (void)store_refuse(self, status);
    return status == EA_STORE_OK;
}

static PyObject *store_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"path", "limit", "owner", "keys", "id", "detects", "wait", "title", NULL};
    const char *path;
    unsigned int limit, owner = 0;
    Py_buffer id = {0};
    int detects = 0;
    PyObject *keys = Py_None, *wait = Py_None, *title = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "zI|I$Oz*pOU", names, &path, &limit, &owner, &keys, &id, &detects, &wait, &title))
        return NULL;
    StoreObject *self = NULL;
    if (limit <= EA_HEADER_BLOCKS + 1 || limit > EA_REF_INDEX || owner >= EA_KEEPER_OWNER) {
        PyErr_Format(PyExc_ValueError, "no store has %u blocks, or a user %u", limit, owner);
    } else if ((self = (StoreObject *)type->tp_alloc(type, 0)) != NULL) {
        self->size = (size_t)limit * EA_BLOCK;
        self->forks = store_forks;
        self->wait = wait == Py_None ? NULL : Py_NewRef(wait);
        self->keys = keys == Py_None ? NULL : Py_NewRef(keys);
        self->title = title == NULL ? PyUnicode_FromString("the store") : Py_NewRef(title);
        self->base = self->title == NULL ? NULL : map(path, limit);
        if (self->base == NULL || (path == NULL && !in_memory(self->base, limit)) ||
            !attach(self, limit, owner, &id, detects))
            Py_CLEAR(self);
    }
    if (id.buf != NULL) PyBuffer_Release(&id);
    return (PyObject *)self;
}

static PyObject *store_close(StoreObject *self, PyObject *unused) {
    if (self->base != NULL) {
        if (self->forks == store_forks) ea_store_detach(&self->store);
        else ea_store_forget(&self->store);
        (void)munmap(self->base, self->size);
        self->base = NULL;
    }
    Py_RETURN_NONE;
}

static void store_dealloc(StoreObject *self) {
    Py_XDECREF(store_close(self, NULL));
    Py_XDECREF(self->wait);
    Py_XDECREF(self->keys);
    Py_XDECREF(self->title);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* ---- single keys ---- */

static uint8_t *bytes_for(void *context, uint32_t size) {
    PyObject **value = context;
    Py_XSETREF(*value, PyBytes_FromStringAndSize(NULL, size));
    return *value == NULL ? NULL : (uint8_t *)PyBytes_AS_STRING(*value);
}

PyObject *store_fetch(StoreObject *self, const ea_view *view, PyObject *key) {
    ea_store *store = store_open(self);
    const uint8_t *data;
    uint32_t size;
    PyObject *value = NULL;
    if (store == NULL || !store_key(key, &data, &size)) return NULL;
    ea_store_status status = ea_store_get(store, view, data, size, bytes_for, &value);
    if (status == EA_STORE_OK) return value;
    Py_XDECREF(value);
    if (status != EA_STORE_NO_KEY) PyErr_Clear(); /* what bytes_for() has raised */
    if (status == EA_STORE_ABSENT) Py_RETURN_NONE;
    return store_refuse(self, status);
}

static PyObject *store_get(StoreObject *self, PyObject *key) { return store_fetch(self, NULL, key); }

static bool takes(const char *name, Py_ssize_t count, Py_ssize_t expected) {
    if (count == expected) return true;
    PyErr_Format(PyExc_TypeError, "%s() takes %zd arguments, not %zd", name, expected, count);
    return false;
}

static PyObject *store_put(StoreObject *self, PyObject *const *args, Py_ssize_t count) {
    ea_change change = {0};
    if (!takes("put", count, 2) || !store_key(args[0], &change.key, &change.key_size) ||
        !store_value(args[1], &change.value, &change.value_size) || store_open(self) == NULL)
        return NULL;
    for (;;) {
        ea_store_status status = ea_store_apply(&self->store, &change, 1, NULL, NULL, 0);
        if (status == EA_STORE_OK) Py_RETURN_NONE;
        if (store_again(self, status) < 0) return NULL;
    }
}

static PyObject *store_delete(StoreObject *self, PyObject *key) {
    ea_change change = {0};
    if (!store_key(key, &change.key, &change.key_size) || store_open(self) == NULL) return NULL;
    for (;;) {
        ea_store_status status = ea_store_apply(&self->store, &change, 1, NULL, NULL, 0);
        if (status == EA_STORE_OK || status == EA_STORE_ABSENT) return PyBool_FromLong(status == EA_STORE_OK);
        if (store_again(self, status) < 0) return NULL;
    }
}

static PyObject *store_replace(StoreObject *self, PyObject *const *args, Py_ssize_t count) {
    ea_change change = {0};
    const uint8_t *expected = NULL;
    uint32_t expected_size = 0;
    if (!takes("replace", count, 3) || !store_key(args[0], &change.key, &change.key_size) ||
        (args[1] != Py_None && !store_value(args[1], &expected, &expected_size)) ||
        (args[2] != Py_None && !store_value(args[2], &change.value, &change.value_size)) || store_open(self) == NULL)
        return NULL;
    for (;;) {
        ea_store_status status = ea_store_replace(&self->store, &change, expected, expected_size);
        if (status == EA_STORE_OK || status == EA_STORE_DIFFERENT) return PyBool_FromLong(status == EA_STORE_OK);
        if (store_again(self, status) < 0) return NULL;
    }
}

static PyObject *store_add(StoreObject *self, PyObject *const *args, Py_ssize_t count) {
    const uint8_t *key;
    uint32_t size;
    if (!takes("add", count, 2) || !store_key(args[0], &key, &size) || store_open(self) == NULL) return NULL;
    int64_t sum, amount = PyLong_AsLongLong(args[1]);
    if (amount == -1 && PyErr_Occurred()) return NULL;
    for (;;) {
        ea_store_status status = ea_store_add(&self->store, key, size, amount, &sum);
        if (status == EA_STORE_OK) return PyLong_FromLongLong(sum);
        if (store_again(self, status) < 0) return NULL;
    }
}

/* ---- versions ---- */

static bool look(StoreObject *self, ea_view *view) {
    ea_store *store = store_open(self);
    ea_store_status status = store == NULL ? EA_STORE_OK : ea_store_look(store, view);
    if (status != EA_STORE_OK) (void)store_refuse(self, status);
    return store != NULL && status == EA_STORE_OK;
}

static Py_ssize_t store_length(StoreObject *self) {
    ea_view view;
    return look(self, &view) ? (Py_ssize_t)view.commit.keys : -1;
}

static PyObject *store_version(StoreObject *self, void *unused) {
    ea_view view;
    return look(self, &view) ? PyLong_FromUnsignedLongLong(view.commit.version) : NULL;
}

static PyObject *store_progress(StoreObject *self, PyObject *unused) {
    ea_view view;
    const ea_history *history = &self->store.history;
    if (!look(self, &view)) return NULL;
    return Py_BuildValue("KKy#", view.commit.version, history->steps, history->mark, (Py_ssize_t)sizeof history->mark);
}

static PyObject *store_step(StoreObject *self, PyObject *args) {
    unsigned long long steps;
    const uint8_t *random;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "Ky#", &steps, &random, &size) || store_open(self) == NULL) return NULL;
    if (!self->store.detects || size != EA_MARK / 2)
        return PyErr_Format(PyExc_ValueError, "a step takes %d random bytes, and a store that detects rollbacks", EA_MARK / 2);
    for (;;) {
        ea_store_status status = ea_store_step(&self->store, steps, random);
        if (status == EA_STORE_OK || status == EA_STORE_DIFFERENT) return PyBool_FromLong(status == EA_STORE_OK);
        if (store_again(self, status) < 0) return NULL;
    }
}

static PyObject *store_rotate(StoreObject *self, PyObject *args) {
    unsigned int number;
    PyObject *key;
    if (!PyArg_ParseTuple(args, "IS", &number, &key) || store_open(self) == NULL) return NULL;
    if (!self->store.sealed) return PyErr_Format(PyExc_ValueError, "a store that is not encrypted has no key");
    for (;;) {
        ea_store_keys *keys = keys_of(key, self->store.id);
        if (keys == NULL) return NULL;
        ea_store_status status = ea_store_rotate(&self->store, number, keys);
        if (status != EA_STORE_OK) ea_store_keys_free(keys);
        if (status == EA_STORE_OK || status == EA_STORE_DIFFERENT) return PyBool_FromLong(status == EA_STORE_OK);
        if (store_again(self, status) < 0) return NULL;
    }
}

static PyObject *store_head(StoreObject *self, PyObject *unused) {
    if (store_open(self) == NULL) return NULL;
    return PyBytes_FromStringAndSize(self->base, sizeof(ea_store_header));
}

static PyObject *store_snapshot(StoreObject *self, PyObject *unused) {
    if (store_open(self) == NULL) return NULL;
    SnapshotObject *snapshot = (SnapshotObject *)Snapshot_Type.tp_alloc(&Snapshot_Type, 0);
    if (snapshot == NULL) return NULL;
    ea_store_status status = ea_store_pin(&self->store, &snapshot->view);
    if (status == EA_STORE_OK) {
        snapshot->store = (StoreObject *)Py_NewRef((PyObject *)self);
        return (PyObject *)snapshot;
    }
    Py_DECREF(snapshot);
    return store_refuse(self, status);
}

static PyObject *store_statistics(StoreObject *self, PyObject *unused) {
    ea_view view;
    int pins = 0;
    if (!look(self, &view)) return NULL;
    ea_store_header *header = self->store.header;
    for (int i = 0; i < EA_PINS; i++) pins += ea_load(&header->pins[i], EA_RELAXED) != 0;
    return Py_BuildValue("{sKsKsKsKsKsIsIsIsi}", "keys", view.commit.keys, "version", view.commit.version, "durable",
                         ea_load(&header->durable, EA_ACQUIRE), "record_blocks", view.commit.records, "branch_blocks",
                         view.commit.branches, "fresh", ea_load(&header->fresh, EA_RELAXED), "usable",
                         ea_load(&header->usable, EA_RELAXED), "limit", self->store.limit, "pins", pins);
}

static PyObject *store_key_number(StoreObject *self, void *unused) {
    ea_view view;
    return look(self, &view) ? PyLong_FromUnsignedLong(view.commit.key_id) : NULL;
}
static PyObject *store_id(StoreObject *self, void *unused) {
    return store_open(self) == NULL ? NULL : PyBytes_FromStringAndSize((const char *)self->store.id, sizeof self->store.id);
}
static PyObject *store_encryption(StoreObject *self, void *unused) { return PyLong_FromLong(self->store.sealed); }
static PyObject *store_detects(StoreObject *self, void *unused) { return PyBool_FromLong(self->store.detects); }

#define FAST(function) (PyCFunction)(void (*)(void)) function, METH_FASTCALL

static PyMethodDef methods[] = {
    {"get", (PyCFunction)store_get, METH_O, "get(key, /)\n--\n\nThe value, or None."},
    {"put", FAST(store_put), "put(key, value, /)\n--\n\nSet a value."},
    {"delete", (PyCFunction)store_delete, METH_O, "delete(key, /)\n--\n\nWhether it was there."},
    {"replace", FAST(store_replace), "replace(key, expected, value, /)\n--\n\nPut it if the value is as expected; whether it was."},
    {"add", FAST(store_add), "add(key, amount, /)\n--\n\nAdd to a counter; what it is then."},
    {"snapshot", (PyCFunction)store_snapshot, METH_NOARGS, "snapshot()\n--\n\nThe version of this moment."},
    {"commit", (PyCFunction)store_commit, METH_VARARGS, "commit(snapshot, reads, writes, /)\n--\n\nAll, or nothing and False."},
    {"progress", (PyCFunction)store_progress, METH_NOARGS, "progress()\n--\n\nVersion, steps and mark of this moment."},
    {"step", (PyCFunction)store_step, METH_VARARGS, "step(steps, random, /)\n--\n\nMake a version with a new mark; whether it was made."},
    {"rotate", (PyCFunction)store_rotate, METH_VARARGS, "rotate(number, key, /)\n--\n\nWrite all anew under the next key; whether it was that."},
    {"head", (PyCFunction)store_head, METH_NOARGS, "head()\n--\n\nThe header of the store, as its file has it now."},
    {"statistics", (PyCFunction)store_statistics, METH_NOARGS, "statistics()\n--\n\nNumbers of this moment."},
    {"close", (PyCFunction)store_close, METH_NOARGS, "close()\n--\n\nGive back what it holds."},
    {0},
};

static PyGetSetDef getters[] = {
    {"id", (getter)store_id, .doc = "16 bytes."},
    {"encryption", (getter)store_encryption, .doc = "0: none; 1: XAES-256-GCM."},
    {"detects", (getter)store_detects, .doc = "Whether branches and commits are authentic."},
    {"key_number", (getter)store_key_number, .doc = "Of the key that the newest version is under."},
    {"version", (getter)store_version, .doc = "Goes up by one with every commit."},
    {0},
};

static PyMappingMethods mapping = {.mp_length = (lenfunc)store_length};

PyTypeObject Store_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._store.Store",
    .tp_basicsize = sizeof(StoreObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "One process's access to a store.",
    .tp_new = store_new,
    .tp_dealloc = (destructor)store_dealloc,
    .tp_as_mapping = &mapping,
    .tp_methods = methods,
    .tp_getset = getters,
};
