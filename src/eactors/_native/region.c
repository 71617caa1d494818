/* Region: the shared memory, as one object that keeps the mapping alive. */
#include "types.h"

#include <stddef.h>

static PyObject *region_map(PyTypeObject *type, PyObject *args, int (*map)(ea_region *, const char *, size_t)) {
    PyObject *path;
    Py_ssize_t size;
    if (!PyArg_ParseTuple(args, "O&n", PyUnicode_FSConverter, &path, &size)) return NULL;
    RegionObject *self = NULL;
    if (size < EA_LINE) {
        PyErr_Format(PyExc_ValueError, "a region of %zd bytes is too small", size);
    } else if ((self = (RegionObject *)type->tp_alloc(type, 0)) != NULL) {
        int error = map(&self->region, PyBytes_AS_STRING(path), (size_t)size);
        if (error != 0) {
            ea_raise_errno(error, PyBytes_AS_STRING(path));
            Py_CLEAR(self);
        }
    }
    Py_DECREF(path);
    return (PyObject *)self;
}

static PyObject *region_create(PyTypeObject *type, PyObject *args) { return region_map(type, args, ea_region_create); }
static PyObject *region_open(PyTypeObject *type, PyObject *args) { return region_map(type, args, ea_region_open); }

static void region_dealloc(RegionObject *self) {
    ea_region_close(&self->region);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static void *at(RegionObject *self, unsigned long long offset, size_t bytes) {
    void *found = ea_region_at(&self->region, offset, bytes);
    if (found == NULL) PyErr_Format(PyExc_ValueError, "%zu bytes at %llu do not lie inside the region", bytes, offset);
    return found;
}

static PyObject *region_stop(RegionObject *self, PyObject *unused) {
    ea_control *control = at(self, 0, sizeof *control);
    if (control == NULL) return NULL;
    ea_store(&control->stop, 1, EA_SEQ_CST);
    Py_RETURN_NONE;
}

static PyObject *region_stopping(RegionObject *self, void *unused) {
    ea_control *control = at(self, 0, sizeof *control);
    return control == NULL ? NULL : PyBool_FromLong(ea_load(&control->stop, EA_ACQUIRE) != 0);
}

static PyObject *region_ring(RegionObject *self, PyObject *bells) {
    const ea_context *who = ea_current_who();
    if (who == NULL) return NULL;
    current.activity++;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bells); i++) {
        unsigned long long offset = PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(bells, i));
        ea_bell *bell = PyErr_Occurred() ? NULL : at(self, offset, sizeof *bell);
        if (bell == NULL) return NULL;
        ea_bell_ring(bell, who->shared);
    }
    Py_RETURN_NONE;
}

static PyObject *region_counters(RegionObject *self, PyObject *args) {
    unsigned long long offset;
    if (!PyArg_ParseTuple(args, "K", &offset)) return NULL;
    ea_participant *shared = at(self, offset, sizeof *shared);
    if (shared == NULL) return NULL;
#define COUNTER(name) #name, (unsigned long long)ea_load(&shared->name, EA_RELAXED)
    return Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:K,s:K}", COUNTER(received), COUNTER(sent), COUNTER(turns), COUNTER(sleeps),
                         COUNTER(wakes), COUNTER(yields), COUNTER(dropped));
#undef COUNTER
}

static PyObject *region_passes(RegionObject *self, PyObject *args) {
    unsigned long long offset;
    if (!PyArg_ParseTuple(args, "K", &offset)) return NULL;
    ea_baton *baton = at(self, offset, sizeof *baton);
    return baton == NULL ? NULL : PyLong_FromUnsignedLongLong(ea_load(&baton->passes, EA_RELAXED));
}

static PyObject *region_init_channel(RegionObject *self, PyObject *args) {
    ea_channel_plan plan = {0};
    if (!PyArg_ParseTuple(args, "KK(KK)II", &plan.pool, &plan.shared, &plan.mbox[0], &plan.mbox[1], &plan.capacity,
                          &plan.payload))
        return NULL;
    if (!ea_channel_init(&self->region, &plan))
        return PyErr_Format(PyExc_ValueError, "a channel does not lie inside the region");
    Py_RETURN_NONE;
}

static int region_getbuffer(RegionObject *self, Py_buffer *view, int flags) {
    return PyBuffer_FillInfo(view, (PyObject *)self, self->region.base, (Py_ssize_t)self->region.size, 0, flags);
}

static PyObject *pool_bytes(PyObject *type, PyObject *args) {
    unsigned int count, payload;
    if (!PyArg_ParseTuple(args, "II", &count, &payload)) return NULL;
    return PyLong_FromUnsignedLongLong(ea_pool_bytes(count, payload));
}

static PyObject *mbox_bytes(PyObject *type, PyObject *args) {
    unsigned int capacity;
    if (!PyArg_ParseTuple(args, "I", &capacity)) return NULL;
    return PyLong_FromUnsignedLongLong(ea_mbox_bytes(capacity));
}

static PyMethodDef methods[] = {
    {"create", (PyCFunction)region_create, METH_VARARGS | METH_CLASS,
     "create(path, size, /)\n--\n\nMake a new file of `size` bytes, mode 0600, all its pages reserved, and map it."},
    {"open", (PyCFunction)region_open, METH_VARARGS | METH_CLASS,
     "open(path, size, /)\n--\n\nMap the first `size` bytes of an existing file."},
    {"stop", (PyCFunction)region_stop, METH_NOARGS, "stop()\n--\n\nAsk every worker to end at its next turn."},
    {"ring", (PyCFunction)region_ring, METH_VARARGS, "ring(*bells)\n--\n\nSomething moved: wake the workers with the bells at these offsets."},
    {"counters", (PyCFunction)region_counters, METH_VARARGS,
     "counters(participant, /)\n--\n\nThe counters of the participant at this offset, by name."},
    {"passes", (PyCFunction)region_passes, METH_VARARGS, "passes(baton, /)\n--\n\nHow often the baton was handed over."},
    {"init_channel", (PyCFunction)region_init_channel, METH_VARARGS,
     "init_channel(pool, shared, mboxes, capacity, payload, /)\n--\n\nLay an empty channel out at these offsets."},
    {"pool_bytes", pool_bytes, METH_VARARGS | METH_STATIC,
     "pool_bytes(nodes, payload, /)\n--\n\nBytes that a pool takes; 0 if there can be no such pool."},
    {"mbox_bytes", mbox_bytes, METH_VARARGS | METH_STATIC,
     "mbox_bytes(capacity, /)\n--\n\nBytes that an mbox takes; 0 if there can be no such mbox."},
    {0},
};

static PyGetSetDef properties[] = {
    {"stopping", (getter)region_stopping, NULL, "Whether the workers have been asked to end.", NULL},
    {0},
};

static PyBufferProcs buffer = {.bf_getbuffer = (getbufferproc)region_getbuffer};

PyTypeObject Region_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.Region",
    .tp_basicsize = sizeof(RegionObject),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_doc = "One file of shared memory, mapped.",
    .tp_dealloc = (destructor)region_dealloc,
    .tp_methods = methods,
    .tp_getset = properties,
    .tp_as_buffer = &buffer,
};
