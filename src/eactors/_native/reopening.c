/* Reopening: the living end of a channel whose other end has ended and is started anew.
 *
 * The host counts the channel's epoch up when an end has gone, and again when both are about
 * to be there. This end first takes what its peer has still sent; then it forgets all that
 * it had with that peer (keys, numbers, half messages, its outbox), empties both mboxes, and
 * says which epoch it has met. The host starts the new peer only then, so nothing of the old
 * one is left for it to find; and if it lies, the channel's key exchange fails, since each
 * opening has one of its own. Numbers begin at zero again, under new keys only. */
#include "reopening.h"

static reopening_state *state_of(const ConnectorObject *self) { return (reopening_state *)self->again; }

static bool is_changed(const ConnectorObject *self, uint32_t *epoch) {
    *epoch = ea_load(state_of(self)->epoch, EA_ACQUIRE);
    return *epoch != state_of(self)->seen;
}

/* What the peer sent before it ended, and the actor has not taken yet. */
static bool is_unread(const ConnectorObject *self) {
    return self->actor->state == ACTOR_RUNNING && !self->peer_closed && self->ops->can_take(self);
}

static bool due(const ConnectorObject *self) {
    uint32_t epoch;
    return is_changed(self, &epoch) && (self->outbox_count > 0 || !is_unread(self));
}

static void forget_outgoing(ConnectorObject *self) {
    connector_drop_outbox(self);
    self->offered = 0;
}

static void empty(ea_end *end, ea_mbox *mbox) {
    uint32_t node;
    /* So many it can hold; a host that fills it meanwhile does not keep us here. */
    for (uint32_t i = 0; i <= mbox->mask && ea_mbox_pop_front(mbox, &end->who, &node) == EA_OK; i++)
        (void)ea_end_release(end, node);
}

/* Leave nothing of this end, nor of its peer, in shared memory; and the actor nothing to know of it. */
static void forget(ConnectorObject *self) {
    Py_CLEAR(self->broken);
    self->told = self->unsettled = false;
    if (!is_shared(self)) return;
    ea_end *end = &((framed_state *)self->carrier)->end;
    empty(end, &end->in);
    empty(end, &end->out);
    while (end->stash.count > 0 && ea_pool_push_front(&end->pool, &end->who, end->stash.nodes[end->stash.count - 1]) == EA_OK)
        end->stash.count--;
    ea_store(end->waiting, 0, EA_RELAXED);
}

/* Attach to the same place as if for the first time, so that nothing private is left either:
 * keys, numbers, half messages. If that fails, the channel stays as it is, and closed. */
static int attach_again(ConnectorObject *self, bool open) {
    const carrier_ops *ops = self->ops;
    void *carrier = self->carrier;
    self->ops = NULL;
    self->carrier = NULL;
    PyObject *answer = PyObject_CallOneArg(state_of(self)->call, open ? Py_True : Py_False);
    void *fresh = self->carrier;
    const carrier_ops *now = self->ops;
    bool attached = answer != NULL && now != NULL;
    Py_XDECREF(answer);
    self->ops = ops;
    self->carrier = carrier;
    self->peer_closed = !attached || !open;
    self->unsettled = attached && open && self->unsettled;
    if (!attached) return -1;
    ops->clear(self);
    self->ops = now;
    self->carrier = fresh;
    return 0;
}

/* A finished actor tells its new peer at once that it is. */
static int say_finished(ConnectorObject *self) {
    if (self->actor->state < ACTOR_CLOSING) return 0;
    self->actor->state = ACTOR_CLOSING;
    return connector_close(self);
}

static int attend(ConnectorObject *self) {
    reopening_state *again = state_of(self);
    uint32_t epoch;
    if (!is_changed(self, &epoch)) return 0;
    forget_outgoing(self);
    if (is_unread(self)) return 0;
    bool open = (epoch & 1) != 0;
    again->seen = epoch; /* first of all: whatever fails now is not tried again */
    again->base.awaited = !open || again->on_demand;
    forget(self);
    current.activity++;
    if (attach_again(self, open) < 0) return -1;
    /* Release: whoever the host starts now finds the mboxes as we have left them. */
    ea_store(again->met, epoch, EA_RELEASE);
    ea_bell_ring(again->bell, self->actor->worker->who.shared);
    if (!open) return 0;
    if (say_finished(self) < 0) return -1;
    if (again->reopened == NULL || self->actor->state != ACTOR_RUNNING) return 0;
    PyObject *answer = PyObject_CallOneArg(again->reopened, (PyObject *)self->actor);
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

static void clear(ConnectorObject *self) {
    Py_DECREF(state_of(self)->call);
    Py_XDECREF(state_of(self)->reopened);
    PyMem_Free(self->again);
    self->again = NULL;
}

PyObject *reopening_begin(ConnectorObject *self, reopening_state plan) {
    if (self->again != NULL || self->ops == NULL)
        return PyErr_Format(PyExc_ValueError, "the channel to '%U' cannot be reopened", self->peer);
    reopening_state *again = PyMem_Malloc(sizeof *again);
    if (again == NULL) return PyErr_NoMemory();
    bool open = plan.seen % 2 != 0;
    plan.base = (reopening){attend, due, clear, !open || plan.on_demand};
    Py_INCREF(plan.call);
    plan.reopened = plan.reopened == Py_None ? NULL : Py_NewRef(plan.reopened);
    *again = plan;
    self->again = &again->base;
    /* Nobody is there yet: what is sent is for nobody, as after the peer's end; and what still
     * lies there is of a life of this actor that went after its peer. */
    if (!open) forget(self), self->peer_closed = true;
    Py_RETURN_NONE;
}

static PyObject *reopen(PyObject *module, PyObject *args) {
    ConnectorObject *self;
    RegionObject *region;
    unsigned long long shared, host;
    unsigned int side;
    int on_demand;
    reopening_state plan = {0};
    if (!PyArg_ParseTuple(args, "O!O!KIIKpOO", &Connector_Type, &self, &Region_Type, &region, &shared, &side, &plan.seen, &host,
                          &on_demand, &plan.call, &plan.reopened))
        return NULL;
    ea_channel_shared *flags = ea_region_at(&region->region, shared, sizeof *flags);
    plan.bell = ea_region_at(&region->region, host, sizeof *plan.bell);
    if (flags == NULL || plan.bell == NULL || side > 1)
        return PyErr_Format(PyExc_ValueError, "the channel to '%U' does not lie inside the region", self->peer);
    plan.epoch = &flags->epoch;
    plan.met = &flags->met[side];
    plan.on_demand = on_demand;
    return reopening_begin(self, plan);
}

static PyMethodDef functions[] = {{"reopen", reopen, METH_VARARGS, NULL}, {0}};

int ea_py_add_reopening(PyObject *module) { return PyModule_AddFunctions(module, functions); }
