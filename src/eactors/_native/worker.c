/* Worker: the loop that executes actors.
 *
 * A turn visits every actor once. What a turn finds nothing to do for, waits: an actor of
 * handlers can be looked after without Python (ea_wait), one with a body() only by calling
 * it, so there a look is a turn. So it is where a worker spans several enclaves (baton.c). */
#include "worker.h"

#include <math.h>
#include <sched.h>

enum {
    BATCH = 64,          /* messages per connector and turn, so that no actor starves another */
    IDLE_BODY_TURNS = 64, /* looks before a worker with bodies announces that it sleeps */
};

/* How often a body() that watches something other than messages gets to look. */
static const uint64_t SLEEP_BODY_NS = 20 * 1000 * 1000;

bool worker_stopping(const WorkerObject *self) {
    return ea_load(&self->control->stop, EA_ACQUIRE) != 0 || ea_load(&self->who.shared->stop, EA_ACQUIRE) != 0;
}

/* Tell the enclave's entry; it reports to the host. What is a literal. */
static int report(WorkerObject *self, const char *what, ActorObject *actor, PyObject *detail) {
    PyObject *answer = PyObject_CallFunction(self->report, "sOO", what, actor, detail == NULL ? Py_None : detail);
    Py_XDECREF(answer);
    return answer == NULL ? -1 : 0;
}

static int failed(WorkerObject *self, seat *at) {
    PyObject *error = ea_caught();
    at->actor->state = ACTOR_FINISHED;
    int reported = report(self, "failed", at->actor, error);
    Py_XDECREF(error);
    return reported;
}

/* A finished actor still empties its connectors, so that no sender waits for it. */
static int drain(seat *at) {
    for (uint32_t i = 0; i < at->count; i++) {
        for (int n = 0; n < BATCH; n++) {
            PyObject *cargo = NULL;
            take_result taken = connector_take(at->connectors[i], &cargo);
            if (taken == TAKE_ERROR) PyErr_Clear(); /* corrupted, and nobody left to tell */
            if (taken != TAKE_CARGO) break;
            Py_DECREF(cargo);
            ea_count(&at->actor->worker->who.shared->dropped);
        }
    }
    return 0;
}

static int flush(seat *at) {
    for (uint32_t i = 0; i < at->count && at->actor->waiting > 0; i++)
        if (connector_flush(at->connectors[i]) < 0) return -1;
    return 0;
}

/* Tell the actor of each channel that has broken, once: by its handler for that, or by this
 * exception; where body() polls, by what it calls there next. */
static int tell_broken(seat *at) {
    for (uint32_t i = 0; i < at->count; i++) {
        ConnectorObject *connector = at->connectors[i];
        if (connector->broken == NULL || connector->told) continue;
        if (connector->lost == NULL) {
            if (at->body != NULL && connector->handler == NULL && at->actor->state == ACTOR_RUNNING) continue;
            connector_raise(connector);
            return -1;
        }
        connector->told = true;
        PyObject *answer = PyObject_CallFunctionObjArgs(connector->lost, at->actor, connector->broken, NULL);
        if (answer == NULL) return -1;
        Py_DECREF(answer);
    }
    return 0;
}

static int finish(WorkerObject *self, seat *at) {
    if (at->actor->state == ACTOR_STOPPING) {
        for (uint32_t i = 0; i < at->count; i++)
            if (connector_close(at->connectors[i]) < 0) return -1;
        at->actor->state = ACTOR_CLOSING;
    }
    if (at->actor->waiting > 0) return 0;
    if (tell_broken(at) < 0) return -1;
    at->actor->state = ACTOR_FINISHED;
    current.activity++;
    return report(self, "finished", at->actor, NULL);
}

static int serve(WorkerObject *self, seat *at, uint32_t i) {
    ConnectorObject *connector = at->connectors[i];
    for (int n = 0; n < BATCH && at->actor->state == ACTOR_RUNNING && connector_may_take(connector); n++) {
        PyObject *cargo = NULL;
        take_result taken = connector_take(connector, &cargo);
        if (taken != TAKE_CARGO) return taken == TAKE_ERROR ? -1 : 0;
        if (connector->handler == NULL) {
            /* Nobody will ever look at it; but the end of the channel comes this way, too. */
            Py_DECREF(cargo);
            ea_count(&self->who.shared->dropped);
            continue;
        }
        ea_count(&self->who.shared->received);
        PyObject *arguments[] = {(PyObject *)at->actor, cargo};
        PyObject *answer = PyObject_Vectorcall(connector->handler, arguments, 2, NULL);
        Py_DECREF(cargo);
        if (answer == NULL) return -1;
        Py_DECREF(answer);
    }
    return 0;
}

/* Nothing can ever call this actor again. */
static bool is_over(const seat *at) {
    if (at->body != NULL && !at->resting) return false;
    for (uint32_t i = 0; i < at->count; i++) {
        const ConnectorObject *connector = at->connectors[i];
        if (!connector->idle && (!connector->peer_closed || (connector->again != NULL && connector->again->awaited))) return false;
    }
    return true;
}

/* While its outbox waits a body is called only if there is something that it may take. */
static bool may_call_body(const seat *at) {
    if (at->actor->waiting == 0) return true;
    for (uint32_t i = 0; i < at->count; i++) {
        ConnectorObject *connector = at->connectors[i];
        if (connector->handler == NULL && connector_may_take(connector) && connector->ops->can_take(connector)) return true;
    }
    return false;
}

/* What a body() answers: True, there is more to do at once though no message moved; or for how
 * many seconds it can do without being called though none comes; infinity: for ever. */
static void heed(WorkerObject *self, seat *at, PyObject *answer) {
    double patience = PyFloat_CheckExact(answer) ? PyFloat_AS_DOUBLE(answer) * 1e9 : SLEEP_BODY_NS;
    if (patience < (double)self->patience) self->patience = patience > 0 ? (uint64_t)patience : 0;
    at->resting = patience == (double)INFINITY;
    current.activity += answer == Py_True;
}

static int run_actor(WorkerObject *self, seat *at) {
    ActorObject *actor = at->actor;
    for (uint32_t i = 0; i < at->count; i++) {
        ConnectorObject *connector = at->connectors[i];
        if (connector->again != NULL && connector->again->attend(connector) < 0) return -1;
        if (connector->unsettled) connector->ops->advance(connector);
    }
    if (actor->state == ACTOR_FINISHED) return drain(at);
    if (actor->waiting > 0 && flush(at) < 0) return -1;
    if (actor->state == ACTOR_RUNNING) {
        for (uint32_t i = 0; i < at->count; i++)
            if ((at->connectors[i]->handler != NULL || at->body == NULL) && serve(self, at, i) < 0) return -1;
        if (at->body != NULL && actor->state == ACTOR_RUNNING && may_call_body(at)) {
            PyObject *answer = PyObject_CallOneArg(at->body, (PyObject *)actor);
            if (answer == NULL) return -1;
            heed(self, at, answer);
            Py_DECREF(answer);
        }
    }
    if (tell_broken(at) < 0) return -1;
    if (actor->state == ACTOR_RUNNING && actor->waiting == 0 && is_over(at)) actor->state = ACTOR_STOPPING;
    return actor->state == ACTOR_STOPPING || actor->state == ACTOR_CLOSING ? finish(self, at) : 0;
}

int worker_turn(WorkerObject *self) {
    uint64_t before = current.activity;
    ea_count(&self->who.shared->turns);
    /* Of the bodies in the other enclaves of a baton nothing is known here. */
    self->patience = self->positions > 1 && self->has_body ? SLEEP_BODY_NS : WORKER_SLEEP_NS;
    if (self->vacancies != NULL && self->vacancies->attend(self) < 0) return -1;
    for (uint32_t i = 0; i < self->seat_count; i++) {
        current.actor = self->seats[i].actor;
        if (run_actor(self, &self->seats[i]) < 0 && failed(self, &self->seats[i]) < 0) return -1;
    }
    current.actor = NULL;
    self->stalled = false;
    return current.activity != before;
}

static bool seat_ready(const seat *at) {
    for (uint32_t i = 0; i < at->count; i++) {
        const ConnectorObject *connector = at->connectors[i];
        if (connector->again != NULL && connector->again->due(connector)) return true;
        if (connector->unsettled && connector->ops->ready(connector)) return true;
        bool closing = at->actor->state == ACTOR_STOPPING || at->actor->state == ACTOR_CLOSING;
        if (connector->outbox_count > 0 && connector->ops->can_offer(connector)) return true;
        if (!closing && connector_may_take(connector) && connector->ops->can_take(connector)) return true;
    }
    return false;
}

static bool ready(const void *what) {
    const WorkerObject *self = what;
    if (worker_stopping(self) || (self->vacancies != NULL && self->vacancies->due(self))) return true;
    for (uint32_t i = 0; i < self->seat_count; i++)
        if (seat_ready(&self->seats[i])) return true;
    return false;
}

static void announce(const WorkerObject *self) {
    for (uint32_t i = 0; i < self->seat_count; i++)
        for (uint32_t j = 0; j < self->seats[i].count; j++) {
            ConnectorObject *connector = self->seats[i].connectors[j];
            if (connector->outbox_count > 0 || connector->unsettled) connector->ops->announce(connector);
        }
}

/* Handlers only, all in this process. */
static void wait_for_messages(WorkerObject *self) {
    announce(self);
    /* Between two messages a GIL that nobody else wants is not worth letting go of. */
    if (self->alone && ea_wait_spin(&self->waiter, ready, self)) return;
    Py_BEGIN_ALLOW_THREADS
    self->stalled = !ea_wait(&self->waiter, self->bell, ready, self, WORKER_SLEEP_NS);
    Py_END_ALLOW_THREADS
}

static void sleep_by_the_bell(WorkerObject *self, uint32_t armed, uint64_t nanoseconds) {
    ea_bell_sleep(&self->waiter, self->bell, armed, nanoseconds);
}

void worker_look_again(WorkerObject *self, worker_idleness *seen, bool progress) {
    uint32_t looks = self->looks;
    seen->idle = progress ? 0 : seen->idle + 1;
    if (seen->idle < looks || self->waiter.policy == EA_WAIT_SPIN) {
        if (self->positions == 1 && (self->waiter.crowded || seen->idle > looks / 2) && !progress) {
            Py_BEGIN_ALLOW_THREADS
            sched_yield();
            Py_END_ALLOW_THREADS
        }
    } else if (seen->idle == looks) {
        /* From here to the sleep everyone takes one more look: the second look of wait.h. */
        announce(self);
        seen->armed = ea_bell_arm(self->bell);
    } else if (seen->idle >= looks + self->positions) {
        Py_BEGIN_ALLOW_THREADS
        if (!worker_stopping(self)) self->sleep(self, seen->armed, self->patience);
        ea_bell_disarm(self->bell);
        self->stalled = ea_load(&self->bell->seq, EA_RELAXED) == seen->armed;
        Py_END_ALLOW_THREADS
        seen->idle = looks - 1; /* one round of looks, then sleep again */
    }
}

/* run(): execute the actors until the region is stopped. */
static PyObject *worker_run(WorkerObject *self, PyObject *unused) {
    worker_idleness seen = {0, 0};
    current.who = self->who;
    current.worker = self;
    while (!worker_stopping(self)) {
        int progress = self->run_once == NULL ? worker_turn(self) : self->run_once(self);
        if (progress < 0) return NULL;
        if (self->run_once != NULL) continue;
        if (self->has_body)
            worker_look_again(self, &seen, progress > 0);
        else if (progress == 0)
            wait_for_messages(self);
    }
    Py_RETURN_NONE;
}

static int fill_seat(WorkerObject *self, seat *at, PyObject *actor, PyObject *body, PyObject *links) {
    Py_ssize_t total = PyList_GET_SIZE(links);
    *at = (seat){.actor = (ActorObject *)Py_NewRef(actor), .body = body == Py_None ? NULL : Py_NewRef(body)};
    at->connectors = PyMem_Calloc((size_t)total + 1, sizeof *at->connectors);
    if (at->connectors == NULL) return PyErr_NoMemory(), -1;
    for (Py_ssize_t i = 0; i < total; i++) {
        PyObject *connector, *handler, *lost;
        if (!PyArg_ParseTuple(PyList_GET_ITEM(links, i), "O!OO", &Connector_Type, &connector, &handler, &lost)) return -1;
        if (((ConnectorObject *)connector)->ops == NULL)
            return PyErr_SetString(PyExc_ValueError, "a connector is attached to no channel"), -1;
        at->connectors[i] = (ConnectorObject *)Py_NewRef(connector);
        Py_XSETREF(at->connectors[i]->handler, handler == Py_None ? NULL : Py_NewRef(handler));
        Py_XSETREF(at->connectors[i]->lost, lost == Py_None ? NULL : Py_NewRef(lost));
        at->count++;
    }
    return 0;
}

/* add(actor, body, links, /): execute this actor; links are (connector, handler or None, handler of
 * its break or None) triples. */
static PyObject *worker_add(WorkerObject *self, PyObject *args) {
    PyObject *actor, *body, *links;
    if (!PyArg_ParseTuple(args, "O!OO!", &Actor_Type, &actor, &body, &PyList_Type, &links)) return NULL;
    seat *seats = PyMem_Resize(self->seats, seat, self->seat_count + 1);
    if (seats == NULL) return PyErr_NoMemory();
    self->seats = seats;
    seat *at = &seats[self->seat_count++];
    if (fill_seat(self, at, actor, body, links) < 0) return NULL;
    at->actor->worker = self;
    self->has_body |= at->body != NULL;
    Py_RETURN_NONE;
}

/* construct(actor, constructor, /): call the constructor on behalf of the actor and this worker. */
static PyObject *worker_construct(WorkerObject *self, PyObject *args) {
    ActorObject *actor;
    PyObject *constructor;
    if (!PyArg_ParseTuple(args, "O!O", &Actor_Type, &actor, &constructor)) return NULL;
    ea_current before = current;
    current.who = self->who;
    current.worker = self;
    current.actor = actor;
    PyObject *answer = PyObject_CallNoArgs(constructor);
    current = before;
    return answer;
}

static PyObject *worker_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"region", "participant", "participant_id", "bell", "policy", "futex", "crowded", "alone", "report", NULL};
    RegionObject *region;
    unsigned long long participant, bell;
    unsigned int id;
    int policy, futex, crowded, alone;
    PyObject *callback;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O!KIKipppO", names, &Region_Type, &region, &participant, &id, &bell,
                                     &policy, &futex, &crowded, &alone, &callback))
        return NULL;
    WorkerObject *self = (WorkerObject *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->region = (RegionObject *)Py_NewRef((PyObject *)region);
    self->control = ea_region_at(&region->region, 0, sizeof *self->control);
    self->who = (ea_context){ea_region_at(&region->region, participant, sizeof(ea_participant)), id};
    self->bell = ea_region_at(&region->region, bell, sizeof *self->bell);
    self->waiter = (ea_waiter){.policy = (ea_wait_policy)policy, .futex = futex, .crowded = crowded, .counters = self->who.shared};
    self->positions = 1;
    self->looks = IDLE_BODY_TURNS;
    self->alone = alone;
    self->sleep = sleep_by_the_bell;
    self->report = Py_NewRef(callback);
    if (self->control == NULL || self->who.shared == NULL || self->bell == NULL || policy < EA_WAIT_ADAPTIVE ||
        policy > EA_WAIT_SLEEP || id == 0 || id > EA_MAX_PARTICIPANTS) {
        Py_DECREF(self);
        return PyErr_Format(PyExc_ValueError, "worker: its part of the plan does not lie inside the region");
    }
    return (PyObject *)self;
}

void worker_clear_seat(seat *at) {
    for (uint32_t i = 0; i < at->count; i++) Py_DECREF((PyObject *)at->connectors[i]);
    PyMem_Free(at->connectors);
    Py_XDECREF(at->body);
    Py_DECREF((PyObject *)at->actor);
}

static void worker_dealloc(WorkerObject *self) {
    for (uint32_t i = 0; i < self->seat_count; i++) worker_clear_seat(&self->seats[i]);
    PyMem_Free(self->seats);
    Py_XDECREF((PyObject *)self->region);
    Py_XDECREF(self->report);
    Py_XDECREF(self->watcher);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static PyMethodDef methods[] = {
    {"add", (PyCFunction)worker_add, METH_VARARGS, NULL},
    {"construct", (PyCFunction)worker_construct, METH_VARARGS, NULL},
    {"run", (PyCFunction)worker_run, METH_NOARGS, NULL},
    {0},
};

PyTypeObject Worker_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.Worker",
    .tp_basicsize = sizeof(WorkerObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = worker_new,
    .tp_dealloc = (destructor)worker_dealloc,
    .tp_methods = methods,
};
