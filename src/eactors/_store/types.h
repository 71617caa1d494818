/* The types of the store's extension module, and what they share. */
#ifndef EA_PY_STORE_H
#define EA_PY_STORE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "store/header.h"
#include "store/store.h"

typedef struct {
    PyObject_HEAD
    ea_store store;
    void *base;     /* NULL: closed */
    size_t size;
    unsigned forks; /* store_forks when it was opened */
    PyObject *wait; /* or NULL, as the next */
    PyObject *keys;
    PyObject *title; /* what errors call it */
} StoreObject;

typedef struct {
    PyObject_HEAD
    StoreObject *store; /* NULL: closed */
    ea_view view;
} SnapshotObject;

extern PyTypeObject Store_Type, Snapshot_Type, Walk_Type, Keeper_Type;

/* Raise one of eactors.store.errors. Always returns NULL. */
PyObject *store_raise(const char *name, const char *hint, const char *format, ...);
/* Raise what the status stands for. Always returns NULL. */
PyObject *store_refuse(const StoreObject *self, ea_store_status status);
/* Whether to try once more: 1; 0: no; -1: no, and an exception is set. */
int store_again(StoreObject *self, ea_store_status status);

/* In how many forks this process is the child: what its parent has opened is the parent's. */
extern unsigned store_forks;
/* A new store's random id and seed; false and an exception if there are none. */
bool store_identify(ea_store_shape *shape);
/* NULL and ValueError if it is closed, or another process's. */
ea_store *store_open(StoreObject *self);
/* The bytes of a key or a value; false and an exception if it is none. */
bool store_key(PyObject *object, const uint8_t **key, uint32_t *size);
bool store_value(PyObject *object, const uint8_t **value, uint32_t *size);
/* A value, or None. */
PyObject *store_fetch(StoreObject *self, const ea_view *view, PyObject *key);
/* commit(snapshot, reads, writes): see the stub. */
PyObject *store_commit(StoreObject *self, PyObject *args);

#endif
