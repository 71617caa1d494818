/* watch(): a worker of the host that sleeps on its bell and a descriptor at once. */
#include "watcher.h"

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

static PyObject *watch(PyObject *module, PyObject *args) {
    WorkerObject *self;
    PyObject *file;
    if (!PyArg_ParseTuple(args, "O!O", &Worker_Type, &self, &file)) return NULL;
    int descriptor = PyObject_AsFileDescriptor(file);
    if (descriptor < 0) return NULL;
    ea_watcher *watcher = PyMem_Malloc(sizeof *watcher);
    if (watcher == NULL) return PyErr_NoMemory();
    int failed = ea_watcher_start(watcher, self->bell, descriptor);
    if (failed < 0) {
        PyMem_Free(watcher);
        errno = -failed;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    PyObject *capsule = PyCapsule_New(watcher, NAME, watcher_free);
    if (capsule == NULL) return ea_watcher_end(watcher), PyMem_Free(watcher), NULL;
    Py_XSETREF(self->watcher, capsule);
    self->sleep = sleep_watching;
    Py_RETURN_NONE;
}

int ea_py_add_watcher(PyObject *module) {
    static PyMethodDef functions[] = {
        {"watch", watch, METH_VARARGS,
         "watch(worker, file, /)\n--\n\nLet an idle worker sleep until a message comes or the file is readable."},
        {0},
    };
    return PyModule_AddFunctions(module, functions);
}
