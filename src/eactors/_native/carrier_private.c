/* The carrier inside one enclave: references to bytes objects, nothing copied or shared.
 *
 * The GIL guards the queues; the counts are atomic so that a worker without it can see
 * whether there is anything to wake up for. */
#include "cargo.h"

typedef struct {
    PyObject **items; /* a ring of `capacity` */
    uint32_t head;
    ea_a32 count;
    ea_a32 waiting; /* the sender waits for room */
    ea_bell *reader, *writer;
} queue;

typedef struct {
    PyObject_HEAD
    uint32_t capacity;
    queue queues[2]; /* [side]: what that side receives */
} ChannelObject;

typedef struct {
    ChannelObject *channel;
    queue *inbound, *outbound; /* of the channel */
} private_state;

static queue *inbound(const ConnectorObject *self) { return ((private_state *)self->carrier)->inbound; }
static queue *outbound(const ConnectorObject *self) { return ((private_state *)self->carrier)->outbound; }

static int offer(ConnectorObject *self, PyObject *item) {
    queue *to = outbound(self);
    /* Seq_cst on count and waiting: the two looks of wait.h, at memory of our own. */
    uint32_t count = ea_load(&to->count, EA_SEQ_CST);
    if (count == self->capacity) return 0;
    to->items[(to->head + count) % self->capacity] = Py_NewRef(item);
    (void)ea_add(&to->count, 1, EA_SEQ_CST);
    ea_participant *counters = self->actor->worker->who.shared;
    if (item != Py_None) ea_count(&counters->sent);
    if (to->reader != NULL) ea_bell_ring(to->reader, counters);
    return 1;
}

static take_result take(ConnectorObject *self, PyObject **cargo) {
    queue *from = inbound(self);
    if (ea_load(&from->count, EA_SEQ_CST) == 0) return TAKE_NOTHING;
    PyObject *item = from->items[from->head];
    from->head = (from->head + 1) % self->capacity;
    (void)ea_add(&from->count, UINT32_MAX, EA_SEQ_CST);
    if (ea_load(&from->waiting, EA_SEQ_CST) != 0) {
        ea_store(&from->waiting, 0, EA_RELAXED);
        if (from->writer != NULL) ea_bell_ring(from->writer, self->actor->worker->who.shared);
    }
    if (item == Py_None) {
        Py_DECREF(item);
        return TAKE_CLOSE;
    }
    *cargo = cargo_of_bytes(self, item);
    return *cargo == NULL ? TAKE_ERROR : TAKE_CARGO;
}

static bool can_take(const ConnectorObject *self) { return ea_load(&inbound(self)->count, EA_SEQ_CST) > 0; }
static bool can_offer(const ConnectorObject *self) { return ea_load(&outbound(self)->count, EA_SEQ_CST) < self->capacity; }
static void announce(ConnectorObject *self) { ea_store(&outbound(self)->waiting, 1, EA_SEQ_CST); }
static void clear(ConnectorObject *self) {
    Py_DECREF((PyObject *)((private_state *)self->carrier)->channel);
    PyMem_Free(self->carrier);
}

static const carrier_ops private_carrier = {
    .offer = offer,
    .take = take,
    .can_take = can_take,
    .can_offer = can_offer,
    .announce = announce,
    .clear = clear,
};

static PyObject *channel_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    unsigned int room;
    if (!PyArg_ParseTuple(args, "I", &room)) return NULL;
    if (room == 0) return PyErr_Format(PyExc_ValueError, "a channel needs a capacity of at least 1");
    ChannelObject *self = (ChannelObject *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->capacity = room;
    for (int side = 0; side < 2; side++) {
        self->queues[side].items = PyMem_New(PyObject *, room);
        if (self->queues[side].items == NULL) {
            Py_DECREF(self);
            return PyErr_NoMemory();
        }
    }
    return (PyObject *)self;
}

static void channel_dealloc(ChannelObject *self) {
    for (int side = 0; side < 2; side++) {
        queue *left = &self->queues[side];
        for (uint32_t i = 0; i < left->count; i++) Py_DECREF(left->items[(left->head + i) % self->capacity]);
        PyMem_Free(left->items);
    }
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyTypeObject PrivateChannel_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.PrivateChannel",
    .tp_basicsize = sizeof(ChannelObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "PrivateChannel(capacity)\n--\n\nThe memory of a channel whose two ends are in one enclave.",
    .tp_new = channel_new,
    .tp_dealloc = (destructor)channel_dealloc,
};

static PyObject *attach_private(PyObject *module, PyObject *args) {
    ConnectorObject *self;
    RegionObject *region;
    ChannelObject *channel;
    int side;
    unsigned long long own, peer;
    if (!PyArg_ParseTuple(args, "O!O!O!iKK", &Connector_Type, &self, &Region_Type, &region, &PrivateChannel_Type, &channel, &side, &own,
                          &peer))
        return NULL;
    if (!connector_unattached(self)) return NULL;
    ea_bell *own_bell = ea_region_at(&region->region, own, sizeof *own_bell);
    ea_bell *peer_bell = ea_region_at(&region->region, peer, sizeof *peer_bell);
    if (own_bell == NULL || peer_bell == NULL || side < 0 || side > 1)
        return PyErr_Format(PyExc_ValueError, "the bells of a private channel do not lie inside the region");
    private_state *state = self->carrier = PyMem_Malloc(sizeof *state);
    if (state == NULL) return PyErr_NoMemory();
    queue *queues = channel->queues;
    *state = (private_state){(ChannelObject *)Py_NewRef((PyObject *)channel), &queues[side], &queues[1 - side]};
    self->capacity = channel->capacity;
    self->ops = &private_carrier;
    inbound(self)->reader = outbound(self)->writer = own_bell;
    inbound(self)->writer = outbound(self)->reader = peer_bell;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {{"attach_private", attach_private, METH_VARARGS, NULL}, {0}};

int ea_py_add_private(PyObject *module) {
    return PyModule_AddType(module, &PrivateChannel_Type) < 0 ? -1 : PyModule_AddFunctions(module, functions);
}
