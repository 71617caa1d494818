/* Worker.watch(): a worker of the host that sleeps on its bell and a descriptor at once. */
#include "watcher.h"

#include "parts.h"
#include "types.h"

static const char NAME[] = "eactors._native.watcher";

static void sleep_watching(WorkerObject *worker, uint32_t armed, uint64_t nanoseconds) {
    ea_watcher_sleep(PyCapsule_GetPointer(worker->watcher, NAME), armed, nanoseconds);
}

static void watcher_free(PyObject *capsule) {
    ea_watcher *watcher = PyCapsule_GetPointer(capsule, NAME);
    ea_watcher_end(watcher);
    PyMem_Free(watcher);
}

static PyObject *worker_watch(WorkerObject *self, PyObject *argument) {
    int descriptor = PyObject_AsFileDescriptor(argument);
    if (descriptor < 0) return NULL;
    ea_watcher *watcher = PyMem_Malloc(sizeof *watcher);
    if (watcher == NULL) return PyErr_NoMemory();
    int failed = ea_watcher_start(watcher, self->bell, descriptor);
    PyObject *capsule = failed < 0 ? ea_raise_errno(failed, "watcher") : PyCapsule_New(watcher, NAME, watcher_free);
    if (capsule == NULL) return PyMem_Free(watcher), NULL;
    Py_XSETREF(self->watcher, capsule);
    self->sleep = sleep_watching;
    Py_RETURN_NONE;
}

int ea_py_add_watcher(PyObject *module) {
    static PyMethodDef methods[] = {
        {"watch", (PyCFunction)worker_watch, METH_O,
         "watch(descriptor, /)\n--\n\nWhen idle, sleep until a message comes or the descriptor is readable."},
        {0},
    };
    return ea_add_methods(&Worker_Type, methods);
}
