/* What only the host does with a region: make it, lay it out, stop and watch its users. */
#include "../../../native/baton.h"
#include "cipher.h"
#include "layout.h"
#include "parts.h"
#include "span.h"
#include "types.h"

static PyObject *region_create(PyTypeObject *type, PyObject *args) { return region_map(type, args, ea_region_create); }

static PyObject *region_stop(RegionObject *self, PyObject *unused) {
    ea_control *control = region_at(self, 0, sizeof *control);
    if (control == NULL) return NULL;
    ea_store(&control->stop, 1, EA_SEQ_CST);
    Py_RETURN_NONE;
}

static PyObject *region_counters(RegionObject *self, PyObject *args) {
    unsigned long long offset;
    if (!PyArg_ParseTuple(args, "K", &offset)) return NULL;
    ea_participant *shared = region_at(self, offset, sizeof *shared);
    if (shared == NULL) return NULL;
#define COUNTER(name) #name, (unsigned long long)ea_load(&shared->name, EA_RELAXED)
    return Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:K,s:K}", COUNTER(received), COUNTER(sent), COUNTER(turns), COUNTER(sleeps),
                         COUNTER(wakes), COUNTER(yields), COUNTER(dropped));
#undef COUNTER
}

static PyObject *region_passes(RegionObject *self, PyObject *args) {
    unsigned long long offset;
    if (!PyArg_ParseTuple(args, "K", &offset)) return NULL;
    ea_baton *baton = region_at(self, offset, sizeof *baton);
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

static PyObject *region_init_pool(RegionObject *self, PyObject *args) {
    unsigned long long offset;
    unsigned int nodes, payload;
    ea_pool pool;
    if (!PyArg_ParseTuple(args, "KII", &offset, &nodes, &payload)) return NULL;
    if (!ea_pool_attach(&pool, &self->region, offset, nodes, payload))
        return PyErr_Format(PyExc_ValueError, "a pool of %u nodes does not lie inside the region", nodes);
    ea_pool_init(&pool);
    Py_RETURN_NONE;
}

static PyObject *region_init_mbox(RegionObject *self, PyObject *args) {
    unsigned long long offset;
    unsigned int capacity;
    ea_mbox mbox;
    if (!PyArg_ParseTuple(args, "KI", &offset, &capacity)) return NULL;
    if (!ea_mbox_attach(&mbox, &self->region, offset, capacity, NULL))
        return PyErr_Format(PyExc_ValueError, "an mbox of %u nodes does not lie inside the region", capacity);
    ea_mbox_init(&mbox);
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

static PyObject *channel_nodes(PyObject *module, PyObject *capacity) {
    unsigned long value = PyLong_AsUnsignedLong(capacity);
    if (PyErr_Occurred()) return NULL;
    if (value > 1u << 20) return PyErr_Format(PyExc_ValueError, "a capacity of %lu is too large", value);
    return PyLong_FromUnsignedLong(EA_CHANNEL_NODES((uint32_t)value));
}

static PyObject *cipher_problem(PyObject *module, PyObject *args) {
    const char *name, *problem;
    int aes = ea_cpu_has_aes();
    if (!PyArg_ParseTuple(args, "s|p", &name, &aes)) return NULL;
    const ea_cipher *cipher = ea_cipher_find(name);
    problem = cipher == NULL ? "there is no such cipher" : ea_cipher_problem(cipher, aes);
    return problem == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(problem);
}

static PyMethodDef region_methods[] = {
    {"create", (PyCFunction)region_create, METH_VARARGS | METH_CLASS,
     "create(path, size, /)\n--\n\nMake a new file of `size` bytes, mode 0600, all its pages reserved, and map it."},
    {"stop", (PyCFunction)region_stop, METH_NOARGS, "stop()\n--\n\nAsk every worker to end at its next turn."},
    {"counters", (PyCFunction)region_counters, METH_VARARGS,
     "counters(participant, /)\n--\n\nThe counters of the participant at this offset, by name."},
    {"passes", (PyCFunction)region_passes, METH_VARARGS, "passes(baton, /)\n--\n\nHow often the baton was handed over."},
    {"init_channel", (PyCFunction)region_init_channel, METH_VARARGS,
     "init_channel(pool, shared, mboxes, capacity, payload, /)\n--\n\nLay an empty channel out at these offsets."},
    {"init_pool", (PyCFunction)region_init_pool, METH_VARARGS,
     "init_pool(offset, nodes, payload, /)\n--\n\nLay a full pool out at this offset."},
    {"init_mbox", (PyCFunction)region_init_mbox, METH_VARARGS,
     "init_mbox(offset, capacity, /)\n--\n\nLay an empty mbox out at this offset."},
    {"pool_bytes", pool_bytes, METH_VARARGS | METH_STATIC,
     "pool_bytes(nodes, payload, /)\n--\n\nBytes that a pool takes; 0 if there can be no such pool."},
    {"mbox_bytes", mbox_bytes, METH_VARARGS | METH_STATIC,
     "mbox_bytes(capacity, /)\n--\n\nBytes that an mbox takes; 0 if there can be no such mbox."},
    {0},
};

static PyMethodDef functions[] = {
    {"channel_nodes", channel_nodes, METH_O,
     "channel_nodes(capacity, /)\n--\n\nHow many nodes the pool of a channel of this capacity has."},
    {"cipher_problem", cipher_problem, METH_VARARGS,
     "cipher_problem(name, aes=..., /)\n--\n\nWhy the cipher should not be used here, or None. "
     "`aes`: whether the CPU has AES instructions, if not this one is meant."},
    {0},
};

static int add_constants(PyObject *module) {
    const struct {
        const char *name;
        long value;
    } constants[] = {
        {"LINE", EA_LINE},
        {"STASH", EA_STASH},
        {"MAX_PARTICIPANTS", EA_MAX_PARTICIPANTS},
        {"CONTROL_BYTES", sizeof(ea_control)},
        {"PARTICIPANT_BYTES", sizeof(ea_participant)},
        {"BELL_BYTES", sizeof(ea_bell)},
        {"BATON_BYTES", sizeof(ea_baton)},
        {"CHANNEL_BYTES", sizeof(ea_channel_shared)},
        {"NODE_HEADER_BYTES", sizeof(ea_node)},
    };
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) return -1;
    return 0;
}

/* Give a type that is ready more methods. */
static int add_methods(PyTypeObject *type, PyMethodDef *methods) {
    for (; methods->ml_name != NULL; methods++) {
        PyObject *made = (methods->ml_flags & METH_CLASS) != 0    ? PyDescr_NewClassMethod(type, methods)
                         : (methods->ml_flags & METH_STATIC) != 0 ? PyCFunction_New(methods, NULL)
                                                                  : PyDescr_NewMethod(type, methods);
        int added = made == NULL ? -1 : PyDict_SetItemString(type->tp_dict, methods->ml_name, made);
        Py_XDECREF(made);
        if (added < 0) return -1;
    }
    PyType_Modified(type);
    return 0;
}

ea_py_part ea_py_add_watcher, ea_py_add_recovery, ea_py_add_cpu;

int ea_py_add_host(PyObject *module) {
    static PyBufferProcs buffer = {.bf_getbuffer = (getbufferproc)region_getbuffer};
    Region_Type.tp_as_buffer = &buffer;
    PyType_Modified(&Region_Type);
    if (add_methods(&Region_Type, region_methods) < 0 || PyModule_AddFunctions(module, functions) < 0) return -1;
    if (add_constants(module) < 0 || ea_py_add_watcher(module) < 0 || ea_py_add_recovery(module) < 0) return -1;
    return ea_py_add_cpu(module) < 0 ? -1 : ea_py_add_bridge(module);
}
