/* Connector: an actor's end of a channel, whatever carries it.
 *
 * send() never blocks and never fails for want of room: what the carrier cannot take waits
 * in the outbox, and the worker gives the actor nothing new until the outbox has drained. */
#include "cargo.h"

#include <structmember.h>

/* An actor that sends this much within one call does not react to back-pressure at all. */
enum { OUTBOX_MOST = 1 << 16 };

static const char OUTBOX_HINT[] = "send less per call and let the worker drain the outbox in between, or use try_send()";

static int outbox_push(ConnectorObject *self, PyObject *item) {
    if (self->outbox_count == self->outbox_room) {
        if (self->outbox_room >= OUTBOX_MOST) {
            ea_raise("OutboxFull", OUTBOX_HINT, "actor '%s': %u messages to '%U' wait for room", actor_name(self->actor),
                     self->outbox_count, self->peer);
            return -1;
        }
        uint32_t room = self->outbox_room == 0 ? 16 : self->outbox_room * 2;
        PyObject **items = PyMem_New(PyObject *, room);
        if (items == NULL) return PyErr_NoMemory(), -1;
        for (uint32_t i = 0; i < self->outbox_count; i++)
            items[i] = self->outbox[(self->outbox_head + i) % self->outbox_room];
        PyMem_Free(self->outbox);
        self->outbox = items;
        self->outbox_head = 0;
        self->outbox_room = room;
    }
    self->outbox[(self->outbox_head + self->outbox_count) % self->outbox_room] = Py_NewRef(item);
    if (self->outbox_count++ == 0) self->actor->waiting++;
    return 0;
}

int connector_flush(ConnectorObject *self) {
    while (self->outbox_count > 0) {
        PyObject *item = self->outbox[self->outbox_head];
        int sent = self->ops->offer(self, item);
        if (sent <= 0 || self->broken != NULL) return sent < 0 ? -1 : 0;
        Py_DECREF(item);
        self->outbox_head = (self->outbox_head + 1) % self->outbox_room;
        current.activity++;
        if (--self->outbox_count == 0) self->actor->waiting--;
    }
    return 0;
}

void connector_drop_outbox(ConnectorObject *self) {
    if (self->outbox_count > 0) self->actor->waiting--;
    for (; self->outbox_count > 0; self->outbox_count--) {
        Py_DECREF(self->outbox[self->outbox_head]);
        self->outbox_head = (self->outbox_head + 1) % self->outbox_room;
    }
}

PyObject *connector_raise(ConnectorObject *self) {
    self->told = true;
    PyException_SetTraceback(self->broken, Py_None);
    PyErr_SetObject((PyObject *)Py_TYPE(self->broken), self->broken);
    return NULL;
}

int connector_close(ConnectorObject *self) {
    if (self->peer_closed || outbox_push(self, Py_None) < 0) return self->peer_closed ? 0 : -1;
    return connector_flush(self);
}

bool connector_may_take(const ConnectorObject *self) {
    return self->actor->waiting == 0 || self->outbox_count > 0 || self->actor->worker->stalled;
}

take_result connector_take(ConnectorObject *self, PyObject **cargo) {
    take_result taken = self->ops->take(self, cargo);
    if (taken == TAKE_CLOSE) self->peer_closed = true;
    if (taken > TAKE_NOTHING) current.activity++;
    return taken;
}

/* Whether the channel is whole, as far as the actor is to know. One that has a handler for
 * the break hears of it there first; what it sends until then is lost as what it has sent. */
static bool is_whole(ConnectorObject *self) {
    if (self->broken != NULL && (self->told || self->lost == NULL)) connector_raise(self);
    return self->broken == NULL || (!self->told && self->lost != NULL);
}

static bool may_send(ConnectorObject *self) {
    if (self->actor->state == ACTOR_RUNNING) return is_whole(self);
    ea_raise("ActorStopped", "send before stop()", "actor '%s' has stopped and can send nothing more to '%U'",
             actor_name(self->actor), self->peer);
    return false;
}

static bool fits(ConnectorObject *self, Py_ssize_t size) {
    if (size <= self->message_size) return true;
    ea_raise("MessageTooLarge", "set a larger message-size on this <channel> of the deployment",
             "actor '%s': a message of %zd bytes to '%U' exceeds the channel's %zd", actor_name(self->actor), size, self->peer,
             self->message_size);
    return false;
}

/* A new reference to the bytes that go on the way for `message`. */
static PyObject *as_bytes(ConnectorObject *self, PyObject *message) {
    if (self->encode != NULL) return PyObject_CallOneArg(self->encode, message);
    if (PyBytes_CheckExact(message)) return Py_NewRef(message);
    if (PyObject_CheckBuffer(message)) return PyBytes_FromObject(message);
    return PyErr_Format(PyExc_TypeError, "actor '%s' sends %.100s to '%U'; a message is bytes, unless the connector names its type",
                        actor_name(self->actor), Py_TYPE(message)->tp_name, self->peer);
}

/* 1: gone; 0: no room; -1: exception. */
static int send_now(ConnectorObject *self, PyObject *bytes) {
    if (self->outbox_count > 0 && connector_flush(self) < 0) return -1;
    return self->outbox_count > 0 ? 0 : self->ops->offer(self, bytes);
}

/* Like send_now(), but what cannot go in place is left in *bytes. */
static int send_cargo(ConnectorObject *self, CargoObject *cargo, PyObject **bytes) {
    if (cargo->node != EA_NONE && cargo->connector == self) return self->ops->in_place->send(self, cargo, bytes);
    *bytes = cargo_content(cargo);
    return *bytes == NULL ? -1 : 0;
}

static PyObject *connector_send(ConnectorObject *self, PyObject *message) {
    PyObject *bytes = NULL;
    int sent = 0;
    if (!may_send(self)) return NULL;
    current.activity++;
    if (Py_IS_TYPE(message, &Cargo_Type)) {
        sent = send_cargo(self, (CargoObject *)message, &bytes);
        if (sent < 0) return NULL;
    } else if ((bytes = as_bytes(self, message)) == NULL) {
        return NULL;
    }
    if (bytes != NULL) {
        sent = !fits(self, PyBytes_GET_SIZE(bytes)) ? -1 : self->peer_closed ? 1 : send_now(self, bytes);
        if (sent == 0) sent = outbox_push(self, bytes);
        Py_DECREF(bytes);
    }
    return sent < 0 || !is_whole(self) ? NULL : Py_NewRef(Py_None);
}

/* Whether what there is no room for counts as sent. A message whose first frames have left is
 * on its way, and must follow whole; and before a channel has keys nothing leaves at all, so
 * as many messages may wait as the channel holds. */
static bool may_wait(const ConnectorObject *self) {
    return self->offered > 0 || (self->unsettled && self->outbox_count < self->capacity);
}

static PyObject *connector_try_send(ConnectorObject *self, PyObject *message) {
    if (!may_send(self)) return NULL;
    PyObject *bytes = as_bytes(self, message);
    if (bytes == NULL) return NULL;
    int sent = !fits(self, PyBytes_GET_SIZE(bytes)) ? -1 : self->peer_closed ? 0 : send_now(self, bytes);
    if (sent == 0 && !self->peer_closed && may_wait(self)) sent = outbox_push(self, bytes) < 0 ? -1 : 1;
    Py_DECREF(bytes);
    current.activity += sent > 0;
    return sent < 0 || !is_whole(self) ? NULL : PyBool_FromLong(sent);
}

static PyObject *connector_receive(ConnectorObject *self, PyObject *unused) {
    PyObject *cargo = NULL;
    if (self->outbox_count > 0 && connector_flush(self) < 0) return NULL;
    if (!self->peer_closed && connector_may_take(self) && connector_take(self, &cargo) == TAKE_ERROR) return NULL;
    if (self->broken != NULL && !self->told && self->lost == NULL) return connector_raise(self);
    return cargo == NULL ? Py_NewRef(Py_None) : cargo;
}

static PyObject *connector_create(ConnectorObject *self, PyObject *argument) {
    Py_ssize_t size = PyLong_AsSsize_t(argument);
    if (size == -1 && PyErr_Occurred()) return NULL;
    if (size < 0) return PyErr_Format(PyExc_ValueError, "a message cannot have %zd bytes", size);
    if (!may_send(self) || !fits(self, size)) return NULL;
    PyObject *cargo = self->ops->in_place == NULL ? NULL : self->ops->in_place->create(self, size);
    if (cargo != NULL || PyErr_Occurred()) return cargo;
    /* No node of this size, or none free: filled in private memory, copied when sent. */
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    cargo = bytes == NULL ? NULL : cargo_of_bytes(self, bytes);
    if (cargo != NULL) ((CargoObject *)cargo)->writable = true;
    return cargo;
}

static PyObject *connector_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"actor", "peer", "message_size", "encode", "decode", "attribute", NULL};
    PyObject *actor, *peer, *encode = Py_None, *decode = Py_None, *attribute = NULL;
    Py_ssize_t size;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!Un|OOU", names, &Actor_Type, &actor, &peer, &size, &encode, &decode,
                                     &attribute))
        return NULL;
    ConnectorObject *self = (ConnectorObject *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->actor = (ActorObject *)Py_NewRef(actor);
    self->peer = Py_NewRef(peer);
    self->attribute = Py_NewRef(attribute == NULL ? peer : attribute);
    self->message_size = size;
    self->encode = encode == Py_None ? NULL : Py_NewRef(encode);
    self->decode = decode == Py_None ? NULL : Py_NewRef(decode);
    return (PyObject *)self;
}

bool connector_unattached(const ConnectorObject *self) {
    if (self->ops != NULL) PyErr_SetString(PyExc_RuntimeError, "this connector is attached already");
    return self->ops == NULL;
}

static void connector_dealloc(ConnectorObject *self) {
    if (self->again != NULL) self->again->clear(self);
    if (self->ops != NULL) self->ops->clear(self);
    connector_drop_outbox(self);
    PyMem_Free(self->outbox);
    Py_DECREF((PyObject *)self->actor);
    Py_DECREF(self->peer);
    Py_DECREF(self->attribute);
    Py_XDECREF(self->handler);
    Py_XDECREF(self->lost);
    Py_XDECREF(self->broken);
    Py_XDECREF(self->encode);
    Py_XDECREF(self->decode);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef methods[] = {
    {"send", (PyCFunction)connector_send, METH_O,
     "send(message, /)\n--\n\nSend bytes, a cargo, or an instance of the connector's message type. Never blocks."},
    {"try_send", (PyCFunction)connector_try_send, METH_O,
     "try_send(message, /)\n--\n\nSend if there is room at once; whether it was sent."},
    {"receive", (PyCFunction)connector_receive, METH_NOARGS,
     "receive()\n--\n\nThe next message as a cargo, or None. For body(); a connector with a handler is served by it."},
    {"create", (PyCFunction)connector_create, METH_O,
     "create(size, /)\n--\n\nA cargo of `size` bytes to fill in place through its view, and to send."},
    {0},
};

#define FIELD(field) offsetof(ConnectorObject, field)

static PyMemberDef members[] = {
    {"closed", T_BOOL, FIELD(peer_closed), READONLY, "Whether the peer has finished and all its messages were received."},
    {"broken", T_OBJECT, FIELD(broken), READONLY, "The ChannelBroken that ended this channel; None: it is whole."},
    {"waiting", T_UINT, FIELD(outbox_count), READONLY, "How many sent messages wait for room in the channel."},
    {"peer", T_OBJECT, FIELD(peer), READONLY, "The name of the actor at the other end."},
    {"message_size", T_PYSSIZET, FIELD(message_size), READONLY, "The most bytes that one message may have."},
    {"idle", T_BOOL, FIELD(idle), 0, "Whether nothing will come unless something is sent."},
    {0},
};

PyTypeObject Connector_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.Connector",
    .tp_basicsize = sizeof(ConnectorObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "An actor's end of a one-to-one channel.",
    .tp_new = connector_new,
    .tp_dealloc = (destructor)connector_dealloc,
    .tp_methods = methods,
    .tp_members = members,
};
