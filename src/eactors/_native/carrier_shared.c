/* The carrier through shared memory: messages as frames in nodes.
 *
 * Whatever a node says is fetched once, checked against private bounds, and only then used. */
#include "types.h"

static shared_state *state(ConnectorObject *self) { return &self->carrier.shared; }

static take_result corrupted(ConnectorObject *self) {
    ea_raise(errors.region_corrupted, "the host, or the peer, wrote into shared memory what it must not",
             "actor '%s': the channel from '%U' is corrupted", actor_name(self->actor), self->peer);
    return TAKE_ERROR;
}

/* 1: sent; 0: no room, the caller still has the node; -1: corrupted. */
static int push(ConnectorObject *self, uint32_t node, ea_frame frame) {
    ea_end *end = &state(self)->end;
    ea_node *header = ea_pool_node(&end->pool, node);
    header->length = frame.length;
    header->rest = frame.rest;
    header->kind = frame.kind;
    ea_status status = ea_end_push(end, node);
    return status == EA_CORRUPT ? -1 : status == EA_OK;
}

void frames_count_sent(ConnectorObject *self) {
    ea_participant *counters = state(self)->end.who.shared;
    ea_store(&counters->sent, ea_load(&counters->sent, EA_RELAXED) + 1, EA_RELAXED);
}

int frames_send(ConnectorObject *self, const uint8_t *data, size_t size, ea_kind kind, Py_ssize_t *done, ea_frames *seal) {
    ea_end *end = &state(self)->end;
    size_t at = (size_t)*done, most = end->pool.payload - (seal == NULL ? 0 : EA_TAG);
    do {
        uint32_t node;
        size_t chunk = size - at < most ? size - at : most;
        /* What is sealed has its number and must go: nobody else fills this mbox. */
        if (seal != NULL && ea_mbox_is_full(&end->out)) return 0;
        ea_status status = ea_end_acquire(end, &node);
        if (status != EA_OK) return status == EA_CORRUPT ? -1 : 0;
        uint8_t *payload = ea_pool_node(&end->pool, node)->payload;
        ea_frame frame = {kind, (uint32_t)chunk, (uint32_t)(size - at - chunk)};
        int pushed = 1;
        if (seal == NULL)
            memcpy(payload, data + at, chunk);
        else
            pushed = ea_frames_seal(seal, frame, data + at, payload) ? 1 : -1;
        if (pushed > 0 && (pushed = push(self, node, frame)) == 0 && seal != NULL) pushed = -1;
        if (pushed <= 0) {
            (void)ea_end_release(end, node);
            return pushed;
        }
        at += chunk;
        *done = (Py_ssize_t)at;
    } while (at < size);
    *done = 0;
    return 1;
}

static int offer(ConnectorObject *self, PyObject *item) {
    bool close = item == Py_None;
    const uint8_t *data = (const uint8_t *)(close ? "" : PyBytes_AS_STRING(item));
    size_t size = close ? 0 : (size_t)PyBytes_GET_SIZE(item);
    int sent = frames_send(self, data, size, close ? EA_CLOSE : EA_DATA, &state(self)->offered, NULL);
    if (sent > 0 && !close) frames_count_sent(self);
    return sent < 0 ? corrupted(self) : sent;
}

int shared_send_node(ConnectorObject *self, uint32_t node, Py_ssize_t length) {
    int pushed = push(self, node, (ea_frame){EA_DATA, (uint32_t)length, 0});
    if (pushed > 0) frames_count_sent(self);
    return pushed < 0 ? corrupted(self) : pushed;
}

uint8_t *frames_room(ConnectorObject *self, size_t length, size_t rest, size_t most) {
    shared_state *shared = state(self);
    if (shared->partial == NULL) {
        if (length + rest > most) return NULL;
        shared->partial = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(length + rest));
        if (shared->partial == NULL) return NULL;
        shared->partial_got = 0;
    }
    size_t got = (size_t)shared->partial_got, total = (size_t)PyBytes_GET_SIZE(shared->partial);
    if (got + length + rest != total || (length == 0 && rest > 0)) return NULL;
    return (uint8_t *)PyBytes_AS_STRING(shared->partial) + got;
}

PyObject *frames_whole(ConnectorObject *self, size_t length, size_t rest) {
    shared_state *shared = state(self);
    shared->partial_got += (Py_ssize_t)length;
    if (rest > 0) return NULL;
    PyObject *whole = shared->partial;
    shared->partial = NULL;
    return whole;
}

static take_result take_frame(ConnectorObject *self, uint32_t node, PyObject **cargo, bool *kept) {
    shared_state *shared = state(self);
    ea_node *header = ea_pool_node(&shared->end.pool, node);
    size_t length = ea_fetch(header->length), rest = ea_fetch(header->rest), most = (size_t)self->message_size;
    uint32_t kind = ea_fetch(header->kind);
    if (kind == EA_CLOSE) return TAKE_CLOSE;
    if (kind != EA_DATA || length > shared->end.pool.payload) return corrupted(self);
    if (!shared->copy && rest == 0 && shared->partial == NULL) {
        if (length > most) return corrupted(self);
        *cargo = cargo_of_node(self, node, (Py_ssize_t)length, false);
        *kept = *cargo != NULL;
        return *cargo == NULL ? TAKE_ERROR : TAKE_CARGO;
    }
    uint8_t *room = frames_room(self, length, rest, most);
    if (room == NULL) return PyErr_Occurred() ? TAKE_ERROR : corrupted(self);
    memcpy(room, header->payload, length);
    PyObject *whole = frames_whole(self, length, rest);
    if (whole == NULL) return TAKE_NOTHING;
    *cargo = cargo_of_bytes(self, whole);
    return *cargo == NULL ? TAKE_ERROR : TAKE_CARGO;
}

static take_result take(ConnectorObject *self, PyObject **cargo) {
    for (;;) {
        uint32_t node;
        bool kept = false;
        ea_status status = ea_end_pop(&state(self)->end, &node);
        if (status == EA_CORRUPT) return corrupted(self);
        if (status != EA_OK) return TAKE_NOTHING;
        take_result taken = take_frame(self, node, cargo, &kept);
        if (!kept) (void)ea_end_release(&state(self)->end, node);
        if (taken != TAKE_NOTHING) return taken;
    }
}

static bool can_take(const ConnectorObject *self) { return ea_end_can_receive(&self->carrier.shared.end); }
static bool can_offer(const ConnectorObject *self) { return ea_end_can_send(&self->carrier.shared.end); }
static void announce(ConnectorObject *self) { ea_end_announce(&state(self)->end); }

static void clear(ConnectorObject *self) {
    Py_CLEAR(state(self)->partial);
    Py_DECREF((PyObject *)state(self)->region);
}

const carrier_ops shared_carrier = {offer, take, can_take, can_offer, announce, clear, true};

int shared_attach(ConnectorObject *self, RegionObject *region, const ea_channel_plan *plan, ea_context who, bool copy) {
    if (!ea_end_attach(&state(self)->end, &region->region, plan, who)) {
        PyErr_Format(PyExc_ValueError, "the channel to '%U' does not lie inside the region", self->peer);
        return -1;
    }
    state(self)->region = (RegionObject *)Py_NewRef((PyObject *)region);
    state(self)->copy = copy;
    self->ops = &shared_carrier;
    return 0;
}
