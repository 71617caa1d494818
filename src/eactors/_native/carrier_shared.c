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
static int push(ConnectorObject *self, uint32_t node, size_t length, size_t rest, ea_kind kind) {
    ea_end *end = &state(self)->end;
    ea_node *header = ea_pool_node(&end->pool, node);
    header->length = (uint32_t)length;
    header->rest = (uint32_t)rest;
    header->kind = kind;
    ea_status status = ea_end_push(end, node);
    if (status == EA_CORRUPT) return corrupted(self);
    return status == EA_OK;
}

static void count_sent(ConnectorObject *self) {
    ea_participant *counters = state(self)->end.who.shared;
    ea_store(&counters->sent, ea_load(&counters->sent, EA_RELAXED) + 1, EA_RELAXED);
}

static int offer(ConnectorObject *self, PyObject *item) {
    shared_state *shared = state(self);
    bool close = item == Py_None;
    const char *data = close ? "" : PyBytes_AS_STRING(item);
    size_t size = close ? 0 : (size_t)PyBytes_GET_SIZE(item), payload = shared->end.pool.payload;
    size_t done = (size_t)shared->offered;
    do {
        uint32_t node;
        size_t chunk = size - done < payload ? size - done : payload;
        ea_status status = ea_end_acquire(&shared->end, &node);
        if (status == EA_CORRUPT) return corrupted(self);
        if (status != EA_OK) return 0;
        memcpy(ea_pool_node(&shared->end.pool, node)->payload, data + done, chunk);
        int pushed = push(self, node, chunk, size - done - chunk, close ? EA_CLOSE : EA_DATA);
        if (pushed <= 0) {
            (void)ea_end_release(&shared->end, node);
            return pushed;
        }
        done += chunk;
        shared->offered = (Py_ssize_t)done;
    } while (done < size);
    shared->offered = 0;
    if (!close) count_sent(self);
    return 1;
}

int shared_send_node(ConnectorObject *self, uint32_t node, Py_ssize_t length) {
    int pushed = push(self, node, (size_t)length, 0, EA_DATA);
    if (pushed > 0) count_sent(self);
    return pushed;
}

/* One more frame of a long message; TAKE_CARGO when it was the last. */
static take_result assemble(ConnectorObject *self, const uint8_t *payload, size_t length, size_t rest) {
    shared_state *shared = state(self);
    if (shared->partial == NULL) {
        if (length + rest > (size_t)self->message_size) return corrupted(self);
        shared->partial = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(length + rest));
        if (shared->partial == NULL) return TAKE_ERROR;
        shared->partial_got = 0;
    }
    size_t got = (size_t)shared->partial_got, total = (size_t)PyBytes_GET_SIZE(shared->partial);
    if (got + length + rest != total || (length == 0 && rest > 0)) return corrupted(self);
    memcpy(PyBytes_AS_STRING(shared->partial) + got, payload, length);
    shared->partial_got = (Py_ssize_t)(got + length);
    return rest == 0 ? TAKE_CARGO : TAKE_NOTHING;
}

static take_result take_frame(ConnectorObject *self, uint32_t node, PyObject **cargo, bool *kept) {
    shared_state *shared = state(self);
    ea_node *header = ea_pool_node(&shared->end.pool, node);
    size_t length = ea_fetch(header->length), rest = ea_fetch(header->rest);
    uint32_t kind = ea_fetch(header->kind);
    if (kind == EA_CLOSE) return TAKE_CLOSE;
    if (kind != EA_DATA || length > shared->end.pool.payload) return corrupted(self);
    if (rest == 0 && shared->partial == NULL) {
        if (length > (size_t)self->message_size) return corrupted(self);
        if (shared->copy) {
            PyObject *bytes = PyBytes_FromStringAndSize((char *)header->payload, (Py_ssize_t)length);
            *cargo = bytes == NULL ? NULL : cargo_of_bytes(self, bytes);
        } else {
            *cargo = cargo_of_node(self, node, (Py_ssize_t)length, false);
            *kept = *cargo != NULL;
        }
        return *cargo == NULL ? TAKE_ERROR : TAKE_CARGO;
    }
    take_result taken = assemble(self, header->payload, length, rest);
    if (taken == TAKE_CARGO) {
        *cargo = cargo_of_bytes(self, shared->partial);
        shared->partial = NULL;
        if (*cargo == NULL) return TAKE_ERROR;
    }
    return taken;
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

const carrier_ops shared_carrier = {offer, take, can_take, can_offer, announce, clear};

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
