/* Port: the host's end of a channel that goes on to another server; and the gate at which a
 * bridge waits for all of its ports at once.
 *
 * A port moves frames as they are. What they say is judged by the connectors at the two far
 * ends; here a length is checked so that no copy leaves its node, and nothing else. */
#include "parts.h"
#include "types.h"

#include <structmember.h>

typedef struct {
    PyObject_HEAD
    RegionObject *region;
    ea_end end;
    char reading; /* the gate opens for a frame to pop */
    char stuck;   /* the gate opens for room to push */
    uint32_t tag; /* bytes behind what a sealed frame calls its length */
} PortObject;

/* Where keys are not agreed yet, and where they have been given up, nothing is sealed. */
static uint32_t tag_of(const PortObject *self, uint32_t kind) { return kind == EA_DATA || kind == EA_CLOSE ? self->tag : 0; }

typedef struct {
    PyObject_HEAD
    RegionObject *region;
    ea_bell *bell;
    ea_waiter waiter;
    ea_a32 poked;
    PortObject **ports;
    Py_ssize_t count;
} GateObject;

static PyObject *port_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"region", "pool", "shared", "mboxes", "capacity", "payload", "side", "peer_bell", "participant",
                            "participant_id", "sealed", NULL};
    RegionObject *region;
    ea_channel_plan plan = {0};
    unsigned long long participant;
    ea_context who;
    int sealed;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!KK(KK)IIIKKIp", names, &Region_Type, &region, &plan.pool, &plan.shared,
                                     &plan.mbox[0], &plan.mbox[1], &plan.capacity, &plan.payload, &plan.side, &plan.peer_bell,
                                     &participant, &who.id, &sealed))
        return NULL;
    PortObject *self = (PortObject *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->region = (RegionObject *)Py_NewRef((PyObject *)region);
    who.shared = ea_region_at(&region->region, participant, sizeof *who.shared);
    if (who.shared == NULL || !ea_end_attach(&self->end, &region->region, &plan, who)) {
        Py_DECREF(self);
        return PyErr_Format(PyExc_ValueError, "a port's channel does not lie inside the region");
    }
    self->reading = true;
    self->tag = sealed ? EA_TAG : 0;
    return (PyObject *)self;
}

static PyObject *port_pop(PortObject *self, PyObject *unused) {
    uint32_t index;
    ea_status status = ea_end_pop(&self->end, &index);
    if (status == EA_CORRUPT) return ea_status_error(status, "a port");
    if (status != EA_OK) Py_RETURN_NONE;
    const ea_node *node = ea_pool_node(&self->end.pool, index);
    uint32_t kind = ea_fetch(node->kind), length = ea_fetch(node->length);
    uint64_t size = (uint64_t)length + tag_of(self, kind);
    PyObject *frame = size > self->end.pool.payload ? ea_status_error(EA_CORRUPT, "a port")
                                                    : Py_BuildValue("IIy#", kind, ea_fetch(node->rest),
                                                                    (const char *)node->payload, (Py_ssize_t)size);
    (void)ea_end_release(&self->end, index);
    return frame;
}

static PyObject *port_push(PortObject *self, PyObject *args) {
    unsigned int kind, rest;
    Py_buffer data;
    uint32_t index;
    if (!PyArg_ParseTuple(args, "IIy*", &kind, &rest, &data)) return NULL;
    ea_status status = EA_FULL;
    uint32_t tag = tag_of(self, kind);
    if (data.len > (Py_ssize_t)self->end.pool.payload || data.len < (Py_ssize_t)tag)
        PyErr_Format(PyExc_ValueError, "a frame of %zd bytes does not fit a node of %u", data.len, self->end.pool.payload);
    else
        status = ea_end_acquire(&self->end, &index);
    if (status == EA_OK) {
        ea_node *node = ea_pool_node(&self->end.pool, index);
        memcpy(node->payload, data.buf, (size_t)data.len);
        node->length = (uint32_t)data.len - tag;
        node->rest = rest;
        node->kind = kind;
        status = ea_end_push(&self->end, index);
        if (status != EA_OK) (void)ea_end_release(&self->end, index);
    }
    PyBuffer_Release(&data);
    if (status == EA_CORRUPT) return ea_status_error(status, "a port");
    return PyErr_Occurred() ? NULL : PyBool_FromLong(status == EA_OK);
}

static void port_dealloc(PortObject *self) {
    Py_DECREF((PyObject *)self->region);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyObject *gate_new(PyTypeObject *type, PyObject *args, PyObject *keywords);

static bool opened(const void *what) {
    const GateObject *self = what;
    if (ea_load(&self->poked, EA_SEQ_CST) != 0) return true;
    for (Py_ssize_t i = 0; i < self->count; i++) {
        const PortObject *port = self->ports[i];
        if (port->reading && ea_end_can_receive(&port->end)) return true;
        if (port->stuck && ea_end_can_send(&port->end)) return true;
    }
    return false;
}

static PyObject *gate_wait(GateObject *self, PyObject *nanoseconds) {
    unsigned long long most = PyLong_AsUnsignedLongLong(nanoseconds);
    if (PyErr_Occurred()) return NULL;
    for (Py_ssize_t i = 0; i < self->count; i++)
        if (self->ports[i]->stuck) ea_end_announce(&self->ports[i]->end);
    bool open;
    Py_BEGIN_ALLOW_THREADS
    open = ea_wait(&self->waiter, self->bell, opened, self, most);
    Py_END_ALLOW_THREADS
    ea_store(&self->poked, 0, EA_SEQ_CST);
    return PyBool_FromLong(open);
}

static PyObject *gate_poke(GateObject *self, PyObject *unused) {
    ea_store(&self->poked, 1, EA_SEQ_CST);
    ea_bell_ring(self->bell, self->waiter.counters);
    Py_RETURN_NONE;
}

static void gate_dealloc(GateObject *self) {
    for (Py_ssize_t i = 0; i < self->count; i++) Py_DECREF((PyObject *)self->ports[i]);
    PyMem_Free(self->ports);
    Py_DECREF((PyObject *)self->region);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef port_methods[] = {
    {"pop", (PyCFunction)port_pop, METH_NOARGS,
     "pop()\n--\n\nThe kind, rest and payload of the next frame of the actor; None: there is none."},
    {"push", (PyCFunction)port_push, METH_VARARGS,
     "push(kind, rest, payload, /)\n--\n\nGive the actor a frame; False: there is no room now."},
    {0},
};

static PyMemberDef port_members[] = {
    {"reading", T_BOOL, offsetof(PortObject, reading), 0, "Whether a frame to pop opens the gate."},
    {"stuck", T_BOOL, offsetof(PortObject, stuck), 0, "Whether room to push opens the gate."},
    {0},
};

static PyMethodDef gate_methods[] = {
    {"wait", (PyCFunction)gate_wait, METH_O,
     "wait(nanoseconds, /)\n--\n\nUntil a port has what is wanted of it, a poke, or so long; whether it opened."},
    {"poke", (PyCFunction)gate_poke, METH_NOARGS, "poke()\n--\n\nOpen the gate once, from any thread."},
    {0},
};

static PyTypeObject Port_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.Port",
    .tp_basicsize = sizeof(PortObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "The host's end of a channel that goes on to another server. For one thread at a time.",
    .tp_new = port_new,
    .tp_dealloc = (destructor)port_dealloc,
    .tp_methods = port_methods,
    .tp_members = port_members,
};

static PyTypeObject Gate_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.Gate",
    .tp_basicsize = sizeof(GateObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Gate(region, bell, participant, crowded, ports)\n--\n\nWhere a bridge waits for all of its ports.",
    .tp_new = gate_new,
    .tp_dealloc = (destructor)gate_dealloc,
    .tp_methods = gate_methods,
};

static PyObject *gate_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    RegionObject *region;
    unsigned long long bell, participant;
    int crowded;
    PyObject *ports;
    if (!PyArg_ParseTuple(args, "O!KKpO!", &Region_Type, &region, &bell, &participant, &crowded, &PyTuple_Type, &ports)) return NULL;
    GateObject *self = (GateObject *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->region = (RegionObject *)Py_NewRef((PyObject *)region);
    self->bell = ea_region_at(&region->region, bell, sizeof *self->bell);
    ea_participant *counters = ea_region_at(&region->region, participant, sizeof *counters);
    self->waiter = (ea_waiter){.policy = crowded ? EA_WAIT_SLEEP : EA_WAIT_ADAPTIVE, .futex = true, .counters = counters};
    self->ports = PyMem_Calloc((size_t)PyTuple_GET_SIZE(ports) + 1, sizeof *self->ports);
    if (self->ports == NULL) PyErr_NoMemory();
    if (self->bell == NULL || counters == NULL) PyErr_SetString(PyExc_ValueError, "a gate does not lie inside the region");
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(ports) && !PyErr_Occurred(); i++) {
        PyObject *port = PyTuple_GET_ITEM(ports, i);
        if (!Py_IS_TYPE(port, &Port_Type)) PyErr_SetString(PyExc_TypeError, "a gate is for ports");
        else self->ports[self->count++] = (PortObject *)Py_NewRef(port);
    }
    if (PyErr_Occurred()) Py_CLEAR(self);
    return (PyObject *)self;
}

int ea_py_add_ports(PyObject *module) {
    return PyModule_AddType(module, &Port_Type) < 0 || PyModule_AddType(module, &Gate_Type) < 0 ? -1 : 0;
}
