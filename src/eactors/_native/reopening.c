/* Reopening: the living end of a channel whose other end has ended and is started anew.
 *
 * The host counts the channel's epoch up when an end has gone, and again when both are about
 * to be there. This end first takes what its peer has still sent; then it forgets all that
 * it had with that peer (keys, numbers, half messages, its outbox), empties both mboxes, and
 * says which epoch it has met. The host starts the new peer only then, so nothing of the old
 * one is left for it to find; and if it lies, the channel's key exchange fails, since each
 * opening has one of its own. Numbers begin at zero again, under new keys only. */
#include "reopening.h"

#include "framed.h"

typedef struct {
    reopening base;
    reopening_plan plan;
} state;

static state *state_of(const ConnectorObject *self) { return (state *)self->again; }

static bool is_changed(const ConnectorObject *self, uint32_t *epoch) {
    *epoch = ea_load(state_of(self)->plan.epoch, EA_ACQUIRE);
    return *epoch != state_of(self)->plan.seen;
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

void reopening_give_back(ea_end *end) {
    end->stash.limit = 0;
    while (end->stash.count > 0 && ea_pool_push_front(&end->pool, &end->who, end->stash.nodes[end->stash.count - 1]) == EA_OK)
        end->stash.count--;
}

/* Leave nothing of this end, nor of its peer, in shared memory. */
static void empty_shared(ConnectorObject *self) {
    ea_end *end = &((framed_state *)self->carrier)->end;
    empty(end, &end->in);
    empty(end, &end->out);
    reopening_give_back(end);
    ea_store(end->waiting, 0, EA_RELAXED);
}

/* Leave nothing of either end on the way, and the actor nothing to know of it. */
static void forget(ConnectorObject *self) {
    Py_CLEAR(self->broken);
    self->told = self->unsettled = false;
    state_of(self)->plan.empty(self);
}

/* Attach to the same place as if for the first time, so that nothing private is left either:
 * keys, numbers, half messages. If that fails, the channel stays as it is, and closed. */
static int attach_again(ConnectorObject *self, bool open) {
    self->peer_closed = !open;
    if (state_of(self)->plan.call == NULL) return 0;
    const carrier_ops *ops = self->ops;
    void *carrier = self->carrier;
    self->ops = NULL;
    self->carrier = NULL;
    PyObject *answer = PyObject_CallOneArg(state_of(self)->plan.call, open ? Py_True : Py_False);
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
    reopening_plan *plan = &state_of(self)->plan;
    uint32_t epoch;
    if (!is_changed(self, &epoch)) return 0;
    forget_outgoing(self);
    if (is_unread(self)) return 0;
    bool open = (epoch & 1) != 0;
    plan->seen = epoch; /* first of all: whatever fails now is not tried again */
    self->again->awaited = !open || plan->on_demand;
    forget(self);
    current.activity++;
    if (attach_again(self, open) < 0) return -1;
    /* Release: whoever the host starts now finds the mboxes as we have left them. */
    ea_store(plan->met, epoch, EA_RELEASE);
    ea_bell_ring(plan->bell, self->actor->worker->who.shared);
    if (!open) return 0;
    if (say_finished(self) < 0) return -1;
    if (plan->reopened == NULL || self->actor->state != ACTOR_RUNNING) return 0;
    PyObject *answer = PyObject_CallOneArg(plan->reopened, (PyObject *)self->actor);
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

static void clear(ConnectorObject *self) {
    state *again = state_of(self);
    self->again = NULL;
    Py_DECREF(again->plan.holder);
    Py_XDECREF(again->plan.call);
    Py_XDECREF(again->plan.reopened);
    PyMem_Free(again);
}

int reopening_begin(ConnectorObject *self, reopening_plan plan) {
    if (self->again != NULL || self->ops == NULL)
        return PyErr_Format(PyExc_ValueError, "the channel to '%U' cannot be reopened", self->peer), -1;
    state *again = PyMem_Malloc(sizeof *again);
    if (again == NULL) return PyErr_NoMemory(), -1;
    Py_INCREF(plan.holder);
    Py_XINCREF(plan.call);
    Py_XINCREF(plan.reopened);
    *again = (state){{attend, due, clear, plan.seen % 2 == 0 || plan.on_demand}, plan};
    self->again = &again->base;
    /* Nobody is there yet: what is sent is for nobody, as after the peer's end; and what still
     * lies there is of a life of this actor that went after its peer. */
    if (plan.seen % 2 == 0) forget(self), self->peer_closed = true;
    return 0;
}

static PyObject *reopen(PyObject *module, PyObject *args) {
    ConnectorObject *self;
    RegionObject *region;
    unsigned long long shared, host;
    unsigned int side;
    int on_demand;
    reopening_plan plan = {.empty = empty_shared};
    if (!PyArg_ParseTuple(args, "O!O!KIIKpOO", &Connector_Type, &self, &Region_Type, &region, &shared, &side, &plan.seen, &host,
                          &on_demand, &plan.call, &plan.reopened))
        return NULL;
    ea_channel_shared *flags = ea_region_at(&region->region, shared, sizeof *flags);
    plan.bell = ea_region_at(&region->region, host, sizeof *plan.bell);
    if (flags == NULL || plan.bell == NULL || side > 1)
        return PyErr_Format(PyExc_ValueError, "the channel to '%U' does not lie inside the region", self->peer);
    plan.epoch = &flags->epoch;
    plan.met = &flags->met[side];
    plan.holder = (PyObject *)region;
    plan.on_demand = on_demand;
    if (plan.reopened == Py_None) plan.reopened = NULL;
    return reopening_begin(self, plan) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef functions[] = {{"reopen", reopen, METH_VARARGS, NULL}, {0}};

int ea_py_add_reopening(PyObject *module) { return PyModule_AddFunctions(module, functions); }
