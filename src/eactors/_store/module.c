/* The extension module of stores. Of its two variants only the host's has keepers. */
#include <pthread.h>
#include <stdarg.h>

#include "types.h"

unsigned store_forks;

static void forked(void) { store_forks++; }

PyObject *store_raise(const char *name, const char *hint, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    PyObject *args = Py_BuildValue("(N)", PyUnicode_FromFormatV(format, arguments));
    va_end(arguments);
    PyObject *keywords = Py_BuildValue("{s:z}", "hint", hint);
    PyObject *module = PyImport_ImportModule("eactors.store.errors");
    PyObject *class = module == NULL ? NULL : PyObject_GetAttrString(module, name);
    PyObject *error = class == NULL || args == NULL || keywords == NULL ? NULL : PyObject_Call(class, args, keywords);
    if (error != NULL) PyErr_SetObject(class, error);
    Py_XDECREF(args);
    Py_XDECREF(keywords);
    Py_XDECREF(module);
    Py_XDECREF(class);
    Py_XDECREF(error);
    return NULL;
}

PyObject *store_refuse(const StoreObject *self, ea_store_status status) {
    const ea_store *store = &self->store;
    switch (status) {
    case EA_STORE_BUSY:
        return store_raise("StoreBusy", "try again; close snapshots that are no longer needed",
                           "others write to %U all the time, or %d versions of it are kept already", self->title, EA_PINS);
    case EA_STORE_FULL:
    case EA_STORE_WANTS_ROOM:
    case EA_STORE_WANTS_SYNC:
        return store_raise("StoreFull", "give its <store> a larger size=, and start again: it grows; or close old snapshots",
                           "%U is full: all of its %u blocks of %d bytes are in use, or kept for snapshots", self->title,
                           store->limit, EA_BLOCK);
    case EA_STORE_FORGED:
        return store_raise("StoreForged", "whoever has the file or the memory has changed it: restore a copy that is known to be good",
                           "block %u of %U is not authentic", store->culprit, self->title);
    case EA_STORE_ROLLED_BACK:
        return store_raise("RollbackDetected", "restore the newest copy; an old one cannot be used again",
                           "%U is older than it has been, or has become two", self->title);
    case EA_STORE_NO_KEY:
        if (PyErr_Occurred()) return NULL;
        return store_raise("StoreKeyMissing", "close snapshots before the store's key changes often",
                           "the key of this version of %U is not kept any more: it has changed %d times since", self->title, EA_KEPT_KEYS);
    case EA_STORE_NO_MEMORY:
        return PyErr_NoMemory();
    case EA_STORE_OVERFLOW:
        PyErr_SetString(PyExc_OverflowError, "the counter would not fit into 64 bits");
        return NULL;
    case EA_STORE_DIFFERENT:
        PyErr_SetString(PyExc_ValueError, "the value is no counter: it has not 8 bytes");
        return NULL;
    default:
        return store_raise("StoreCorrupt", "run eactors store verify on its file; a shared store may have been changed by another user of it",
                           "block %u of %U makes no sense", store->culprit, self->title);
    }
}

int store_again(StoreObject *self, ea_store_status status) {
    if ((status != EA_STORE_WANTS_ROOM && status != EA_STORE_WANTS_SYNC) || self->wait == NULL) {
        (void)store_refuse(self, status);
        return -1;
    }
    PyObject *done = PyObject_CallFunction(self->wait, "s", status == EA_STORE_WANTS_ROOM ? "room" : "sync");
    Py_XDECREF(done);
    return done != NULL && store_open(self) != NULL ? 1 : -1;
}

bool store_identify(ea_store_shape *shape) {
    PyObject *os = PyImport_ImportModule("os");
    PyObject *random = os == NULL ? NULL : PyObject_CallMethod(os, "urandom", "i", (int)(sizeof shape->id + sizeof shape->seed));
    if (random != NULL) {
        memcpy(shape->id, PyBytes_AS_STRING(random), sizeof shape->id);
        memcpy(shape->seed, PyBytes_AS_STRING(random) + sizeof shape->id, sizeof shape->seed);
    }
    Py_XDECREF(os);
    Py_XDECREF(random);
    return random != NULL;
}

static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, .m_name = "eactors._store", .m_doc = "Stores.", .m_size = -1};

PyMODINIT_FUNC PyInit__store(void) {
    PyTypeObject *const types[] = {&Store_Type, &Snapshot_Type, &Walk_Type,
#ifdef EA_STORE_KEEPER
                                   &Keeper_Type,
#endif
                                   NULL};
    if (pthread_atfork(NULL, NULL, forked) != 0) return PyErr_NoMemory();
    PyObject *module = PyModule_Create(&definition);
    for (int i = 0; module != NULL && types[i] != NULL; i++)
        if (PyModule_AddType(module, types[i]) < 0) Py_CLEAR(module);
    return module;
}
