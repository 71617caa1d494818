/* Keeper: the host's part of a store. */
#include <errno.h>
#include <unistd.h>

#include "store/keeper.h"
#include "types.h"

enum { FIRST_ROOM = 4096 /* blocks: a mebibyte */ };

typedef struct {
    PyObject_HEAD
    ea_keeper keeper;
    PyObject *path;
    bool open, created;
    bool busy; /* in another thread */
} KeeperObject;

static PyObject *refuse(KeeperObject *self, ea_keeper_status status) {
    const char *path = PyBytes_AS_STRING(self->path);
    switch (status) {
    case EA_KEEPER_SYSTEM:
        return PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
    case EA_KEEPER_IN_USE:
        if (self->keeper.other == 0) return store_raise("StoreInUse", "wait until it has ended", "%s is in use", path);
        return store_raise("StoreInUse", "wait until it has ended", "%s is in use by process %u", path, self->keeper.other);
    case EA_KEEPER_FOREIGN:
        return store_raise("NotAStore", "name the file of a store", "%s is no store", path);
    case EA_KEEPER_VERSION:
        return store_raise("NotAStore", "export it with the version of EActors that made it, and import it here",
                           "%s is a store of another version", path);
    case EA_KEEPER_SHORT:
        return store_raise("NotAStore", "restore a whole copy", "%s is a store that was cut short", path);
    default:
        return store_raise("StoreCorrupt", "restore a copy that is known to be good", "%s is damaged, at block %u", path,
                           self->keeper.store.culprit);
    }
}

static bool open_it(KeeperObject *self, ea_store_shape *shape, const uint8_t *boot, const char *id) {
    if (!store_identify(shape)) return false;
    if (id != NULL) memcpy(shape->id, id, sizeof shape->id);
    int fd = ea_store_file(PyBytes_AS_STRING(self->path), shape, &self->created);
    if (fd < 0) {
        (void)PyErr_SetFromErrnoWithFilename(PyExc_OSError, PyBytes_AS_STRING(self->path));
        return false;
    }
    ea_keeper_status status = ea_keeper_open(&self->keeper, fd, shape, boot);
    if (status == EA_KEEPER_OK) return self->open = true;
    (void)refuse(self, status);
    (void)close(fd);
    return false;
}

static PyObject *keeper_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"path", "limit", "boot", "encryption", "detects", "id", NULL};
    PyObject *path;
    unsigned int limit;
    const char *boot, *id = NULL;
    Py_ssize_t boot_size, id_size = 0;
    int encryption = 0, detects = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O&Iy#|$ipy#", names, PyUnicode_FSConverter, &path, &limit, &boot, &boot_size,
                                     &encryption, &detects, &id, &id_size))
        return NULL;
    KeeperObject *self = (KeeperObject *)type->tp_alloc(type, 0);
    if (self == NULL) Py_DECREF(path);
    else self->path = path;
    ea_store_shape shape = {.limit = limit,
                            .usable = limit < FIRST_ROOM ? limit : FIRST_ROOM,
                            .encryption = (uint32_t)encryption,
                            .detects = (uint32_t)detects,
                            .lasts = boot_size != 0};
    if (self != NULL && ((boot_size != 0 && boot_size != 16) || (limit != 0 && limit <= EA_HEADER_BLOCKS + 1) || limit > EA_REF_INDEX ||
                         encryption < 0 || encryption > 1 || (detects && !encryption) || (id_size != 0 && id_size != 16)))
        PyErr_SetString(PyExc_ValueError, "ids have 16 bytes or none, a store 34 to 2^31 - 1 blocks, and only an encrypted one detects");
    if (self != NULL && (PyErr_Occurred() || !open_it(self, &shape, boot_size == 0 ? NULL : (const uint8_t *)boot, id_size == 0 ? NULL : id))) Py_CLEAR(self);
    return (PyObject *)self;
}

static ea_keeper *opened(KeeperObject *self) {
    if (self->open && !self->busy) return &self->keeper;
    PyErr_SetString(PyExc_ValueError, self->open ? "another thread uses the keeper" : "the keeper is closed");
    return NULL;
}

/* What waits for a disk lets other threads go on, but not in this keeper. */
#define WAITING(self, work)        \
    do {                           \
        (self)->busy = true;       \
        Py_BEGIN_ALLOW_THREADS     \
        work;                      \
        Py_END_ALLOW_THREADS       \
        (self)->busy = false;      \
    } while (0)

static void let_go(KeeperObject *self) {
    if (self->open) (void)close(self->keeper.fd);
    self->open = false;
}

static PyObject *keeper_close(KeeperObject *self, PyObject *unused) {
    if (!self->open) Py_RETURN_NONE;
    if (opened(self) == NULL) return NULL;
    ea_keeper_status status;
    WAITING(self, status = ea_keeper_close(&self->keeper, true));
    int error = errno;
    let_go(self);
    errno = error;
    return status == EA_KEEPER_OK ? Py_NewRef(Py_None) : refuse(self, status);
}

/* Forgotten, and not closed: it is as if the process had been killed. */
static void keeper_dealloc(KeeperObject *self) {
    if (self->open) (void)ea_keeper_close(&self->keeper, false);
    let_go(self);
    Py_XDECREF(self->path);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *keeper_wants_room(KeeperObject *self, PyObject *unused) {
    ea_keeper *keeper = opened(self);
    return keeper == NULL ? NULL : PyBool_FromLong(ea_keeper_wants_room(keeper));
}

static PyObject *keeper_grow(KeeperObject *self, PyObject *unused) {
    ea_keeper *keeper = opened(self);
    if (keeper == NULL) return NULL;
    uint32_t before = ea_load(&keeper->store.header->usable, EA_RELAXED);
    ea_keeper_status status;
    WAITING(self, status = ea_keeper_grow(keeper));
    if (status != EA_KEEPER_OK) return refuse(self, status);
    return PyBool_FromLong(ea_load(&keeper->store.header->usable, EA_RELAXED) > before);
}

static PyObject *keeper_sync(KeeperObject *self, PyObject *unused) {
    ea_keeper *keeper = opened(self);
    uint64_t version = 0;
    ea_keeper_status status;
    if (keeper == NULL) return NULL;
    WAITING(self, status = ea_keeper_sync(keeper, &version));
    return status == EA_KEEPER_OK ? PyLong_FromUnsignedLongLong(version) : refuse(self, status);
}

static PyObject *keeper_mourn(KeeperObject *self, PyObject *number) {
    ea_keeper *keeper = opened(self);
    unsigned long owner = PyLong_AsUnsignedLong(number);
    uint32_t blocks;
    if (keeper == NULL || (owner == (unsigned long)-1 && PyErr_Occurred())) return NULL;
    ea_keeper_status status = ea_keeper_mourn(keeper, (uint32_t)owner, &blocks);
    return status == EA_KEEPER_OK ? PyLong_FromUnsignedLong(blocks) : refuse(self, status);
}

static PyObject *keeper_check(KeeperObject *self, PyObject *unused) {
    ea_keeper *keeper = opened(self);
    ea_reach reach;
    if (keeper == NULL) return NULL;
    ea_store_status status = ea_reach_check(&keeper->store, &reach);
    if (status == EA_STORE_NO_MEMORY) return PyErr_NoMemory();
    if (status != EA_STORE_OK) return refuse(self, EA_KEEPER_CORRUPT);
    uint64_t known = reach.records + reach.branches + 1 + reach.free + EA_HEADER_BLOCKS;
    uint64_t lost = ea_load(&keeper->store.header->fresh, EA_RELAXED) - known;
    ea_reach_free(&reach);
    return Py_BuildValue("{sKsKsKsKsK}", "keys", reach.keys, "record_blocks", reach.records, "branch_blocks", reach.branches,
                         "free_blocks", reach.free, "lost_blocks", lost);
}

static PyObject *keeper_keys(KeeperObject *self, PyObject *unused) {
    ea_keeper *keeper = opened(self);
    PyObject *list = keeper == NULL ? NULL : PyList_New(EA_KEY_SLOTS);
    for (int i = 0; list != NULL && i < EA_KEY_SLOTS; i++) {
        const ea_key_slot *slot = &keeper->store.header->keys[i];
        PyObject *item = slot->state != 1
                             ? Py_NewRef(Py_None)
                             : Py_BuildValue("Iy#y#", slot->key_id, slot->owner, (Py_ssize_t)sizeof slot->owner, slot->sealed,
                                             (Py_ssize_t)sizeof slot->sealed);
        if (item == NULL) Py_CLEAR(list);
        else PyList_SET_ITEM(list, i, item);
    }
    return list;
}

static PyObject *keeper_set_key(KeeperObject *self, PyObject *args) {
    ea_keeper *keeper = opened(self);
    unsigned int number;
    ea_key_slot slot = {.state = 1};
    Py_buffer owner, sealed;
    if (keeper == NULL || !PyArg_ParseTuple(args, "IIy*y*", &number, &slot.key_id, &owner, &sealed)) return NULL;
    bool ok = number < EA_KEY_SLOTS && owner.len == sizeof slot.owner && sealed.len == sizeof slot.sealed;
    if (ok) {
        memcpy(slot.owner, owner.buf, sizeof slot.owner);
        memcpy(slot.sealed, sealed.buf, sizeof slot.sealed);
        keeper->store.header->keys[number] = slot;
    }
    PyBuffer_Release(&owner);
    PyBuffer_Release(&sealed);
    if (ok) Py_RETURN_NONE;
    return PyErr_Format(PyExc_ValueError, "a store has %d key slots, for 32 bytes of owner and 88 of key", EA_KEY_SLOTS);
}

static PyObject *keeper_id(KeeperObject *self, void *unused) {
    ea_keeper *keeper = opened(self);
    return keeper == NULL ? NULL : PyBytes_FromStringAndSize((const char *)keeper->store.header->fixed.id, 16);
}
static PyObject *keeper_encryption(KeeperObject *self, void *unused) {
    ea_keeper *keeper = opened(self);
    return keeper == NULL ? NULL : PyLong_FromUnsignedLong(keeper->store.header->fixed.encryption);
}
static PyObject *keeper_detects(KeeperObject *self, void *unused) {
    ea_keeper *keeper = opened(self);
    return keeper == NULL ? NULL : PyBool_FromLong(keeper->store.header->fixed.detects != 0);
}
static PyObject *keeper_limit(KeeperObject *self, void *unused) { return PyLong_FromUnsignedLong(self->keeper.store.limit); }
static PyObject *keeper_created(KeeperObject *self, void *unused) { return PyBool_FromLong(self->created); }
static PyObject *keeper_recovered(KeeperObject *self, void *unused) { return PyBool_FromLong(self->keeper.recovered); }
static PyObject *keeper_fell_back(KeeperObject *self, void *unused) { return PyBool_FromLong(self->keeper.fell_back); }

static PyMethodDef methods[] = {
    {"wants_room", (PyCFunction)keeper_wants_room, METH_NOARGS, "wants_room()\n--\n\nWhether it should grow."},
    {"grow", (PyCFunction)keeper_grow, METH_NOARGS, "grow()\n--\n\nMake room for more; whether there is more."},
    {"sync", (PyCFunction)keeper_sync, METH_NOARGS, "sync()\n--\n\nHave all on the disk; the version that is."},
    {"mourn", (PyCFunction)keeper_mourn, METH_O, "mourn(owner, /)\n--\n\nGive back what a process held that has ended."},
    {"check", (PyCFunction)keeper_check, METH_NOARGS, "check()\n--\n\nSee that nothing is in use twice."},
    {"keys", (PyCFunction)keeper_keys, METH_NOARGS, "keys()\n--\n\nThe key slots."},
    {"set_key", (PyCFunction)keeper_set_key, METH_VARARGS, "set_key(slot, key_id, owner, sealed, /)\n--\n\nFill a key slot."},
    {"close", (PyCFunction)keeper_close, METH_NOARGS, "close()\n--\n\nSync, and let go of it."},
    {0},
};

static PyGetSetDef getters[] = {
    {"created", (getter)keeper_created, .doc = "Whether it was not there."},
    {"recovered", (getter)keeper_recovered, .doc = "Whether it was not closed in order."},
    {"fell_back", (getter)keeper_fell_back, .doc = "Whether what was not synced is lost."},
    {"id", (getter)keeper_id, .doc = "16 bytes."},
    {"encryption", (getter)keeper_encryption, .doc = "0: none; 1: XAES-256-GCM."},
    {"detects", (getter)keeper_detects, .doc = "Whether branches and commits are authentic."},
    {"limit", (getter)keeper_limit, .doc = "Blocks that it may grow to."},
    {0},
};

PyTypeObject Keeper_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._store.Keeper",
    .tp_basicsize = sizeof(KeeperObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "The host's part of a store.",
    .tp_new = keeper_new,
    .tp_dealloc = (destructor)keeper_dealloc,
    .tp_methods = methods,
    .tp_getset = getters,
};
