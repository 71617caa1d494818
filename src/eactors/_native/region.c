/* Region: the shared memory, as one object that keeps the mapping alive. */
#include "types.h"

PyObject *region_map(PyTypeObject *type, PyObject *args, int (*map)(ea_region *, const char *, size_t)) {
    PyObject *path;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "O&n", PyUnicode_FSConverter, &path, &size)) return NULL;
    RegionObject *self = NULL;
    if (size < EA_LINE) {
        PyErr_Format(PyExc_ValueError, "a region of %zd bytes is too small", size);
    } else if ((self = (RegionObject *)type->tp_alloc(type, 0)) != NULL) {
        int error = map(&self->region, PyBytes_AS_STRING(path), (size_t)size);
        if (error != 0) {
            errno = -error;
            PyErr_SetFromErrnoWithFilename(PyExc_OSError, PyBytes_AS_STRING(path));
            Py_CLEAR(self);
        }
    }
    Py_DECREF(path);
    return (PyObject *)self;
}

/* open(path, size, /): map the first `size` bytes of an existing file. */
static PyObject *region_open(PyTypeObject *type, PyObject *args) { return region_map(type, args, ea_region_open); }

static void region_dealloc(RegionObject *self) {
    ea_region_close(&self->region);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

void *region_at(RegionObject *self, unsigned long long offset, size_t bytes) {
    void *found = ea_region_at(&self->region, offset, bytes);
    if (found == NULL) PyErr_Format(PyExc_ValueError, "%zu bytes at %llu do not lie inside the region", bytes, offset);
    return found;
}

static PyObject *region_stopping(RegionObject *self, void *unused) {
    ea_control *control = region_at(self, 0, sizeof *control);
    return control == NULL ? NULL : PyBool_FromLong(ea_load(&control->stop, EA_ACQUIRE) != 0);
}

static PyObject *region_ring(RegionObject *self, PyObject *bells) {
    const ea_context *who = ea_current_who();
    if (who == NULL) return NULL;
    current.activity++;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bells); i++) {
        unsigned long long offset = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(bells, i));
        ea_bell *bell = PyErr_Occurred() ? NULL : region_at(self, offset, sizeof *bell);
        if (bell == NULL) return NULL;
        ea_bell_ring(bell, who->shared);
    }
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"open", (PyCFunction)region_open, METH_VARARGS | METH_CLASS, NULL},
    {"ring", (PyCFunction)region_ring, METH_VARARGS, "ring(*bells)\n--\n\nSomething moved: wake the workers with the bells at these offsets."},
    {0},
};

static PyGetSetDef properties[] = {
    {"stopping", (getter)region_stopping, NULL, "Whether the workers have been asked to end.", NULL},
    {0},
};

PyTypeObject Region_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.Region",
    .tp_basicsize = sizeof(RegionObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_dealloc = (destructor)region_dealloc,
    .tp_methods = methods,
    .tp_getset = properties,
};
