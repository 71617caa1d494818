/* The carrier through shared memory in the clear.
 *
 * Whatever a node says is fetched once, checked against private bounds, and only then used. A
 * message of one node need not be copied: a cargo can hold the node itself. */
#include "cargo.h"
#include "framed.h"

typedef struct {
    framed_state framed;
    bool copy; /* received messages are copied before anyone looks at them */
} plain_state;

static ea_end *end_of(ConnectorObject *self) { return &((plain_state *)self->carrier)->framed.end; }

static take_result corrupted(ConnectorObject *self) {
    ea_raise("RegionCorrupted", "the host, or the peer, wrote into shared memory what it must not",
             "actor '%s': the channel from '%U' is corrupted", actor_name(self->actor), self->peer);
    return TAKE_ERROR;
}

static int offer(ConnectorObject *self, PyObject *item) {
    int sent = framed_offer(self, item, NULL);
    return sent < 0 ? corrupted(self) : sent;
}

/* A message in a node. */
static PyObject *cargo_of_node(ConnectorObject *connector, uint32_t node, uint8_t *payload, Py_ssize_t length) {
    CargoObject *self = cargo_new(connector);
    if (self == NULL) return NULL;
    self->data = payload;
    self->length = length;
    self->node = node;
    return (PyObject *)self;
}

static take_result take_frame(ConnectorObject *self, uint32_t node, PyObject **cargo, bool *kept) {
    plain_state *plain = self->carrier;
    ea_node *header = ea_pool_node(&plain->framed.end.pool, node);
    size_t length = ea_fetch(header->length), rest = ea_fetch(header->rest), most = (size_t)self->message_size;
    uint32_t kind = ea_fetch(header->kind);
    if (kind == EA_CLOSE) return TAKE_CLOSE;
    if (kind != EA_DATA || length > plain->framed.end.pool.payload) return corrupted(self);
    if (!plain->copy && rest == 0 && plain->framed.partial == NULL) {
        if (length > most) return corrupted(self);
        *cargo = cargo_of_node(self, node, header->payload, (Py_ssize_t)length);
        *kept = *cargo != NULL;
        return *cargo == NULL ? TAKE_ERROR : TAKE_CARGO;
    }
    uint8_t *room = framed_room(self, length, rest, most);
    if (room == NULL) return PyErr_Occurred() ? TAKE_ERROR : corrupted(self);
    memcpy(room, header->payload, length);
    PyObject *whole = framed_whole(self, length, rest);
    if (whole == NULL) return TAKE_NOTHING;
    *cargo = cargo_of_bytes(self, whole);
    return *cargo == NULL ? TAKE_ERROR : TAKE_CARGO;
}

static take_result take(ConnectorObject *self, PyObject **cargo) {
    for (;;) {
        uint32_t node;
        bool kept = false;
        ea_status status = ea_end_pop(end_of(self), &node);
        if (status == EA_CORRUPT) return corrupted(self);
        if (status != EA_OK) return TAKE_NOTHING;
        take_result taken = take_frame(self, node, cargo, &kept);
        if (!kept) (void)ea_end_release(end_of(self), node);
        if (taken != TAKE_NOTHING) return taken;
    }
}

/* ---- cargos that are nodes ---- */

static PyObject *create(ConnectorObject *self, Py_ssize_t size) {
    ea_pool *pool = &end_of(self)->pool;
    uint32_t node;
    if (size > (Py_ssize_t)pool->payload || ea_end_acquire(end_of(self), &node) != EA_OK) return NULL;
    PyObject *cargo = cargo_of_node(self, node, ea_pool_node(pool, node)->payload, size);
    if (cargo != NULL) ((CargoObject *)cargo)->writable = true;
    return cargo;
}

static int send_node(ConnectorObject *self, CargoObject *cargo, PyObject **bytes) {
    if (!cargo_unexported(cargo)) return -1;
    uint32_t node = cargo->node;
    cargo->node = EA_NONE;
    cargo->spent = true;
    int sent = 0;
    /* Behind messages that wait, this one waits too, and lets its node go meanwhile. */
    if (self->outbox_count == 0) sent = framed_push(self, node, (ea_frame){EA_DATA, (uint32_t)cargo->length, 0});
    if (sent > 0) ea_count(&end_of(self)->who.shared->sent);
    if (sent < 0) return corrupted(self);
    if (sent == 0) {
        *bytes = PyBytes_FromStringAndSize((char *)cargo->data, cargo->length);
        (void)ea_end_release(end_of(self), node);
        if (*bytes == NULL) return -1;
    }
    return sent;
}

static void release_node(ConnectorObject *self, uint32_t node) { (void)ea_end_release(end_of(self), node); }

static const in_place_ops in_place = {create, send_node, release_node};

static const carrier_ops plain_carrier = {
    .offer = offer,
    .take = take,
    .can_take = framed_can_take,
    .can_offer = framed_can_offer,
    .announce = framed_announce,
    .clear = framed_clear,
    .in_place = &in_place,
};

static PyObject *attach_plain(PyObject *module, PyObject *args) {
    ConnectorObject *self;
    PyObject *place;
    int copy;
    if (!PyArg_ParseTuple(args, "O!O!p", &Connector_Type, &self, &PyTuple_Type, &place, &copy)) return NULL;
    plain_state *plain = framed_attach(self, place, sizeof *plain);
    if (plain == NULL) return NULL;
    plain->copy = copy != 0;
    self->ops = &plain_carrier;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {{"attach_plain", attach_plain, METH_VARARGS, NULL}, {0}};

int ea_py_add_plain(PyObject *module) { return PyModule_AddFunctions(module, functions); }
