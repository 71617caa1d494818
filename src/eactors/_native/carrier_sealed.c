/* The carrier through shared memory that believes nothing it finds there: a key exchange,
 * and then frames that are encrypted and authenticated (frames.h).
 *
 * What an actor gets is what its peer has sent, all of it and in that order, or an end of
 * the channel: whatever else the host does breaks it. */
#include "frames.h"

#include "cargo.h"
#include "framed.h"

enum { HANDSHAKE_MOST = 1 << 14 }; /* a quote with its certificates is the longest */

typedef struct {
    framed_state framed;
    ea_frames out, in;
    framed_seal seal;   /* by `out` */
    PyObject *exchange; /* NULL: it is over */
    PyObject *queue;    /* a list: messages of the exchange that have not left */
    Py_ssize_t queue_offered;
    bool started, left; /* the exchange; and left the channel, once it was broken */
} sealed_state;

static const char HINT[] = "the host, or the peer, has changed, dropped or repeated what was sent; start the application again";

static sealed_state *state(const ConnectorObject *self) { return self->carrier; }

static void end_keys(ConnectorObject *self) {
    ea_frames_end(&state(self)->out);
    ea_frames_end(&state(self)->in);
}

static PyObject *error_of(ConnectorObject *self, const char *why, PyObject *cause) {
    PyObject *hint = cause == NULL ? NULL : PyObject_GetAttrString(cause, "hint");
    PyErr_Clear();
    if (hint == NULL || hint == Py_None) Py_XSETREF(hint, PyUnicode_FromString(HINT));
    PyObject *message = PyUnicode_FromFormat(cause == NULL ? "actor '%s': the channel '%U' to '%U' is broken: %s"
                                                           : "actor '%s': the channel '%U' to '%U' is broken: %s: %S",
                                             actor_name(self->actor), self->attribute, self->peer, why, cause);
    PyObject *keywords = Py_BuildValue("{s:O,s:O,s:N}", "channel", self->attribute, "peer", self->peer, "hint", hint);
    PyObject *error = ea_error("ChannelBroken", Py_BuildValue("(N)", message), keywords);
    return error != NULL ? error : ea_caught();
}

/* End the channel. An exception that is set becomes the cause. */
static void give_up(ConnectorObject *self, const char *why) {
    sealed_state *sealed = state(self);
    PyObject *cause = PyErr_Occurred() ? ea_caught() : NULL;
    self->broken = error_of(self, why, cause);
    if (cause != NULL) PyException_SetCause(self->broken, cause);
    self->peer_closed = self->unsettled = true;
    self->offered = 0;
    Py_CLEAR(sealed->framed.partial);
    Py_CLEAR(sealed->exchange);
    end_keys(self);
    connector_drop_outbox(self);
    current.activity++;
}

static take_result corrupted(ConnectorObject *self, const char *why) {
    give_up(self, why);
    return TAKE_NOTHING;
}

/* ---- the key exchange ---- */

static bool adopt_keys(ConnectorObject *self, PyObject *keys) {
    sealed_state *sealed = state(self);
    PyObject *out, *in;
    if (!PyArg_ParseTuple(keys, "YY", &out, &in)) return false;
    Py_ssize_t size = (Py_ssize_t)ea_cipher_key_size(sealed->out.cipher);
    uint8_t *ours = (uint8_t *)PyByteArray_AS_STRING(out), *theirs = (uint8_t *)PyByteArray_AS_STRING(in);
    /* One key for both directions would use each nonce twice. */
    bool ok = PyByteArray_GET_SIZE(out) == size && PyByteArray_GET_SIZE(in) == size && !ea_equal(ours, theirs, (size_t)size) &&
              ea_frames_start(&sealed->out, ours) && ea_frames_start(&sealed->in, theirs);
    ea_wipe(ours, (size_t)PyByteArray_GET_SIZE(out));
    ea_wipe(theirs, (size_t)PyByteArray_GET_SIZE(in));
    if (!ok) PyErr_SetString(PyExc_ValueError, "it gave keys that do not fit the cipher");
    Py_CLEAR(sealed->exchange);
    return ok;
}

static bool exchange(ConnectorObject *self, PyObject *frame) {
    sealed_state *sealed = state(self);
    PyObject *messages, *keys, *answer = PyObject_CallOneArg(sealed->exchange, frame);
    bool ok = answer != NULL && PyArg_ParseTuple(answer, "O!O", &PyTuple_Type, &messages, &keys);
    for (Py_ssize_t i = 0; ok && i < PyTuple_GET_SIZE(messages); i++) {
        PyObject *message = PyTuple_GET_ITEM(messages, i);
        ok = PyBytes_CheckExact(message) && PyBytes_GET_SIZE(message) <= HANDSHAKE_MOST;
        if (!ok) PyErr_SetString(PyExc_TypeError, "a message of it is not bytes, or too long");
        ok = ok && PyList_Append(sealed->queue, message) == 0;
    }
    ok = ok && (keys == Py_None || adopt_keys(self, keys));
    Py_XDECREF(answer);
    current.activity++;
    return ok;
}

static const char FAILED[] = "the key exchange failed";

static void take_handshake(ConnectorObject *self, const ea_node *header) {
    size_t length = ea_fetch(header->length), rest = ea_fetch(header->rest);
    uint32_t kind = ea_fetch(header->kind);
    if (kind == EA_BROKEN) return give_up(self, "its peer has given it up");
    uint8_t *room = NULL;
    if (kind == EA_HANDSHAKE && length <= state(self)->framed.end.pool.payload)
        room = framed_room(self, length, rest, HANDSHAKE_MOST);
    if (room == NULL) return give_up(self, "the key exchange received what is no part of it");
    memcpy(room, header->payload, length);
    PyObject *whole = framed_whole(self, length, rest);
    if (whole == NULL) return;
    if (!exchange(self, whole)) give_up(self, FAILED);
    Py_DECREF(whole);
}

static void send_queue(ConnectorObject *self) {
    sealed_state *sealed = state(self);
    while (PyList_GET_SIZE(sealed->queue) > 0) {
        PyObject *first = PyList_GET_ITEM(sealed->queue, 0);
        int sent = framed_send(self, (uint8_t *)PyBytes_AS_STRING(first), (size_t)PyBytes_GET_SIZE(first), EA_HANDSHAKE,
                               &sealed->queue_offered, NULL);
        if (sent == 0) return;
        if (sent < 0 || PyList_SetSlice(sealed->queue, 0, 1, NULL) < 0) return give_up(self, "shared memory is corrupted");
        current.activity++;
    }
}

/* Tell the peer that the channel is given up, and until it knows let it have its room back. */
static void leave(ConnectorObject *self) {
    ea_end *end = &state(self)->framed.end;
    Py_ssize_t done = 0;
    uint32_t node;
    ea_status status = EA_OK;
    if (!state(self)->left) state(self)->left = framed_send(self, (const uint8_t *)"", 0, EA_BROKEN, &done, NULL) != 0;
    for (uint32_t i = 0; i < end->pool.count && (status = ea_end_pop(end, &node)) == EA_OK; i++) (void)ea_end_release(end, node);
    if (status == EA_CORRUPT) self->unsettled = false;
}

static void advance(ConnectorObject *self) {
    sealed_state *sealed = state(self);
    ea_end *end = &sealed->framed.end;
    if (self->broken != NULL) return leave(self);
    if (!sealed->started && !exchange(self, Py_None)) give_up(self, FAILED);
    sealed->started = true;
    while (sealed->exchange != NULL) {
        uint32_t node;
        ea_status status = ea_end_pop(end, &node);
        if (status == EA_CORRUPT) give_up(self, "shared memory is corrupted");
        if (status != EA_OK) break;
        take_handshake(self, ea_pool_node(&end->pool, node));
        (void)ea_end_release(end, node);
    }
    if (self->broken == NULL) send_queue(self);
    if (self->broken == NULL) self->unsettled = sealed->exchange != NULL || PyList_GET_SIZE(sealed->queue) > 0;
}

static bool ready(const ConnectorObject *self) {
    const sealed_state *sealed = state(self);
    const ea_end *end = &sealed->framed.end;
    bool receives = self->broken != NULL || sealed->exchange != NULL;
    bool sends = self->broken != NULL ? !sealed->left : PyList_GET_SIZE(sealed->queue) > 0;
    return !sealed->started || (receives && ea_end_can_receive(end)) || (sends && ea_end_can_send(end));
}

/* ---- messages ---- */

static int offer(ConnectorObject *self, PyObject *item) {
    sealed_state *sealed = state(self);
    if (self->unsettled) return 0;
    int sent = framed_offer(self, item, &sealed->seal);
    if (sent < 0) give_up(self, sealed->out.number == UINT64_MAX ? "its frame numbers are used up" : "shared memory is corrupted");
    if (sent > 0 && item == Py_None) ea_frames_end(&sealed->out);
    return sent < 0 ? 1 : sent;
}

static take_result take_frame(ConnectorObject *self, const ea_node *header, PyObject **cargo) {
    sealed_state *sealed = state(self);
    ea_frame frame = {ea_fetch(header->kind), ea_fetch(header->length), ea_fetch(header->rest)};
    if (frame.kind == EA_BROKEN) return corrupted(self, "its peer has given it up");
    if ((frame.kind != EA_DATA && frame.kind != EA_CLOSE) || frame.length > sealed->framed.end.pool.payload - EA_TAG)
        return corrupted(self, "it received what is no frame");
    size_t most = frame.kind == EA_CLOSE ? 0 : (size_t)self->message_size;
    uint8_t *room = framed_room(self, frame.length, frame.rest, most);
    if (room == NULL) return PyErr_Occurred() ? TAKE_ERROR : corrupted(self, "it received a frame that does not follow");
    if (!ea_frames_move(&sealed->in, frame, header->payload, room)) return corrupted(self, "a frame failed authentication");
    PyObject *whole = framed_whole(self, frame.length, frame.rest);
    if (whole == NULL) return TAKE_NOTHING;
    if (frame.kind == EA_CLOSE) {
        /* The peer has finished, and would throw away what still waits for it here. */
        Py_DECREF(whole);
        end_keys(self);
        connector_drop_outbox(self);
        self->offered = 0;
        return TAKE_CLOSE;
    }
    *cargo = cargo_of_bytes(self, whole);
    return *cargo == NULL ? TAKE_ERROR : TAKE_CARGO;
}

static take_result take(ConnectorObject *self, PyObject **cargo) {
    ea_end *end = &state(self)->framed.end;
    while (!self->unsettled && !self->peer_closed) {
        uint32_t node;
        ea_status status = ea_end_pop(end, &node);
        if (status == EA_CORRUPT) return corrupted(self, "shared memory is corrupted");
        if (status != EA_OK) break;
        take_result taken = take_frame(self, ea_pool_node(&end->pool, node), cargo);
        (void)ea_end_release(end, node);
        if (taken != TAKE_NOTHING) return taken;
    }
    return TAKE_NOTHING;
}

static bool can_take(const ConnectorObject *self) {
    return !self->unsettled && !self->peer_closed && framed_can_take(self);
}
static bool can_offer(const ConnectorObject *self) { return !self->unsettled && framed_can_offer(self); }

static void clear(ConnectorObject *self) {
    end_keys(self);
    Py_CLEAR(state(self)->exchange);
    Py_CLEAR(state(self)->queue);
    framed_clear(self);
}

static const carrier_ops sealed_carrier = {
    .offer = offer,
    .take = take,
    .can_take = can_take,
    .can_offer = can_offer,
    .announce = framed_announce,
    .clear = clear,
    .advance = advance,
    .ready = ready,
};

static const char *problem_of(const ea_cipher *cipher, const sealed_state *sealed) {
    if (cipher == NULL) return "there is no such cipher";
    if (sealed->framed.end.pool.payload <= EA_TAG) return "a node has no room for a tag";
    return ea_cipher_problem(cipher, ea_cpu_has_aes());
}

static PyObject *attach_sealed(PyObject *module, PyObject *args) {
    ConnectorObject *self;
    PyObject *place, *exchange_call;
    ea_frames frames = {0};
    const char *cipher;
    if (!PyArg_ParseTuple(args, "O!O!KsO|K", &Connector_Type, &self, &PyTuple_Type, &place, &frames.channel, &cipher,
                          &exchange_call, &frames.number))
        return NULL;
    frames.cipher = ea_cipher_find(cipher);
    sealed_state *sealed = framed_attach(self, place, sizeof *sealed);
    if (sealed == NULL) return NULL;
    const char *problem = problem_of(frames.cipher, sealed);
    if (problem != NULL) PyErr_Format(PyExc_ValueError, "the channel to '%U': %s", self->peer, problem);
    if (problem != NULL || (sealed->queue = PyList_New(0)) == NULL) return framed_clear(self), NULL;
    sealed->exchange = Py_NewRef(exchange_call);
    sealed->out = sealed->in = frames;
    sealed->out.direction = (uint8_t)sealed->framed.side;
    sealed->in.direction = (uint8_t)(1 - sealed->framed.side);
    sealed->out.sealing = true;
    sealed->seal = (framed_seal){&sealed->out, ea_frames_move, EA_TAG};
    self->ops = &sealed_carrier;
    self->unsettled = true;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {{"attach_sealed", attach_sealed, METH_VARARGS, NULL}, {0}};

int ea_py_add_sealed(PyObject *module) {
    ea_ciphers_fetch();
    return PyModule_AddFunctions(module, functions);
}
