/* Messages as frames in nodes, whoever looks at what is in them. */
#include "framed.h"

void *framed_attach(ConnectorObject *self, PyObject *place, size_t size) {
    RegionObject *region;
    ea_channel_plan plan;
    ea_context who;
    unsigned long long participant;
    if (!connector_unattached(self)) return NULL;
    if (!PyArg_ParseTuple(place, "O!KK(KK)IIIKKI", &Region_Type, &region, &plan.pool, &plan.shared, &plan.mbox[0],
                          &plan.mbox[1], &plan.capacity, &plan.payload, &plan.side, &plan.peer_bell, &participant, &who.id))
        return NULL;
    who.shared = region_at(region, participant, sizeof *who.shared);
    if (who.shared == NULL) return NULL;
    framed_state *state = PyMem_Calloc(1, size);
    if (state == NULL) return PyErr_NoMemory();
    if (!ea_end_attach(&state->end, &region->region, &plan, who)) {
        PyMem_Free(state);
        return PyErr_Format(PyExc_ValueError, "the channel to '%U' does not lie inside the region", self->peer);
    }
    state->region = (RegionObject *)Py_NewRef((PyObject *)region);
    state->side = plan.side;
    self->capacity = plan.capacity;
    return self->carrier = state;
}

int framed_push(ConnectorObject *self, uint32_t node, ea_frame frame) {
    ea_end *end = &((framed_state *)self->carrier)->end;
    ea_node *header = ea_pool_node(&end->pool, node);
    header->length = frame.length;
    header->rest = frame.rest;
    header->kind = frame.kind;
    ea_status status = ea_end_push(end, node);
    return status == EA_CORRUPT ? -1 : status == EA_OK;
}

int framed_send(ConnectorObject *self, const uint8_t *data, size_t size, ea_kind kind, Py_ssize_t *done,
                const framed_seal *seal) {
    ea_end *end = &((framed_state *)self->carrier)->end;
    size_t at = (size_t)*done, most = end->pool.payload - (seal == NULL ? 0 : seal->tag);
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
            pushed = seal->seal(seal->frames, frame, data + at, payload) ? 1 : -1;
        if (pushed > 0 && (pushed = framed_push(self, node, frame)) == 0 && seal != NULL) pushed = -1;
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

int framed_offer(ConnectorObject *self, PyObject *item, const framed_seal *seal) {
    bool close = item == Py_None;
    const uint8_t *data = (const uint8_t *)(close ? "" : PyBytes_AS_STRING(item));
    size_t size = close ? 0 : (size_t)PyBytes_GET_SIZE(item);
    int sent = framed_send(self, data, size, close ? EA_CLOSE : EA_DATA, &self->offered, seal);
    if (sent > 0 && !close) ea_count(&((framed_state *)self->carrier)->end.who.shared->sent);
    return sent;
}

uint8_t *framed_room(ConnectorObject *self, size_t length, size_t rest, size_t most) {
    framed_state *state = self->carrier;
    if (state->partial == NULL) {
        if (length + rest > most) return NULL;
        state->partial = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(length + rest));
        if (state->partial == NULL) return NULL;
        state->partial_got = 0;
    }
    size_t got = (size_t)state->partial_got, total = (size_t)PyBytes_GET_SIZE(state->partial);
    if (got + length + rest != total || (length == 0 && rest > 0)) return NULL;
    return (uint8_t *)PyBytes_AS_STRING(state->partial) + got;
}

PyObject *framed_whole(ConnectorObject *self, size_t length, size_t rest) {
    framed_state *state = self->carrier;
    state->partial_got += (Py_ssize_t)length;
    if (rest > 0) return NULL;
    PyObject *whole = state->partial;
    state->partial = NULL;
    return whole;
}

bool framed_can_take(const ConnectorObject *self) { return ea_end_can_receive(&((framed_state *)self->carrier)->end); }
bool framed_can_offer(const ConnectorObject *self) { return ea_end_can_send(&((framed_state *)self->carrier)->end); }
void framed_announce(ConnectorObject *self) { ea_end_announce(&((framed_state *)self->carrier)->end); }

void framed_clear(ConnectorObject *self) {
    framed_state *state = self->carrier;
    Py_CLEAR(state->partial);
    Py_DECREF((PyObject *)state->region);
    PyMem_Free(state);
}
