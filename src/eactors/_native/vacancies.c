/* Vacancies: the places of actors that are started on demand in a worker that runs.
 *
 * Each has a word in shared memory, which the host counts up: odd, the actor is to live; even,
 * it is to end. The worker looks at it between two turns, and when it has changed, or the actor
 * has finished, calls what knows what to do about it (enclave/vacancies.py). That is all that
 * the word decides: who is started is in the enclave's plan, and whatever is started has fresh
 * channels. A host that counts as it likes starts and ends what it could start and end anyway. */
#include "reopening.h"

#include "worker.h"

/* ---- of a channel inside the enclave, what openings are to the host: see openings.py ---- */

typedef struct {
    PyObject_HEAD
    ea_a32 count, met[2]; /* odd while both ends are there; what each has taken notice of */
    bool present[2];      /* the GIL guards it */
} EpochObject;

static PyTypeObject Epoch_Type;

static PyObject *count_up(EpochObject *self, PyObject *argument, bool there) {
    unsigned long side = PyLong_AsUnsignedLong(argument);
    if (PyErr_Occurred()) return NULL;
    if (side > 1) return PyErr_Format(PyExc_ValueError, "a channel has no side %lu", side);
    self->present[side] = there;
    uint32_t odd = self->present[0] && self->present[1], count = ea_load(&self->count, EA_RELAXED);
    count += count % 2 != odd;
    ea_store(&self->met[side], count, EA_RELAXED);
    if (!self->present[1 - side]) ea_store(&self->met[1 - side], count, EA_RELAXED);
    /* Seq_cst: before the look at the bell of whoever sleeps by it (wait.h). */
    ea_store(&self->count, count, EA_SEQ_CST);
    Py_RETURN_NONE;
}

static PyObject *epoch_enter(EpochObject *self, PyObject *side) { return count_up(self, side, true); }
static PyObject *epoch_leave(EpochObject *self, PyObject *side) { return count_up(self, side, false); }

static bool is_met(const EpochObject *self) {
    uint32_t count = ea_load(&self->count, EA_ACQUIRE);
    return ea_load(&self->met[0], EA_ACQUIRE) == count && ea_load(&self->met[1], EA_ACQUIRE) == count;
}

static PyObject *epoch_is_met(EpochObject *self, PyObject *unused) { return PyBool_FromLong(is_met(self)); }

static PyObject *epoch_reopen(EpochObject *self, PyObject *args) {
    ConnectorObject *connector;
    RegionObject *region;
    unsigned long long bell;
    unsigned int side;
    reopening_state plan = {.epoch = &self->count, .seen = ea_load(&self->count, EA_ACQUIRE), .on_demand = true};
    if (!PyArg_ParseTuple(args, "O!IO!KOO", &Connector_Type, &connector, &side, &Region_Type, &region, &bell, &plan.call,
                          &plan.reopened))
        return NULL;
    plan.bell = ea_region_at(&region->region, bell, sizeof *plan.bell);
    if (plan.bell == NULL || side > 1)
        return PyErr_Format(PyExc_ValueError, "the bell of a private channel does not lie inside the region");
    plan.met = &self->met[side];
    return reopening_begin(connector, plan);
}

static PyMethodDef epoch_methods[] = {
    {"enter", (PyCFunction)epoch_enter, METH_O, "enter(side, /)\n--\n\nAn end is going to be there."},
    {"leave", (PyCFunction)epoch_leave, METH_O, "leave(side, /)\n--\n\nAn end has gone."},
    {"is_met", (PyCFunction)epoch_is_met, METH_NOARGS, "is_met()\n--\n\nWhether the ends that are there know of both."},
    {"reopen", (PyCFunction)epoch_reopen, METH_VARARGS,
     "reopen(connector, side, region, peer_bell, attach, reopened, /)\n--\n\nLet an attached end be opened anew; "
     "attach(opens) attaches it again, and keeps this epoch."},
    {0},
};

static PyTypeObject Epoch_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "eactors._native.Epoch",
    .tp_basicsize = sizeof(EpochObject),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Epoch()\n--\n\nWho is at the ends of a private channel.",
    .tp_new = PyType_GenericNew,
    .tp_methods = epoch_methods,
};

/* ---- the places ---- */

typedef struct {
    ea_a32 *word;
    uint32_t seen;
    PyObject *call;
    ActorObject *actor; /* NULL: vacant */
    PyObject *unmet;    /* a list of epochs that it waits for; NULL: it does not */
} vacancy;

/* Of a worker, which lasts as long as the process. */
typedef struct {
    vacancies base;
    uint32_t count;
    vacancy each[];
} places;

static places *places_of(const WorkerObject *worker) { return (places *)worker->vacancies; }

static bool is_over(const vacancy *at) { return at->actor != NULL && at->actor->state == ACTOR_FINISHED; }

static bool are_met(const PyObject *epochs) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(epochs); i++)
        if (!is_met((EpochObject *)PyList_GET_ITEM(epochs, i))) return false;
    return true;
}

static bool is_due(const vacancy *at) {
    return ea_load(at->word, EA_ACQUIRE) != at->seen || is_over(at) || (at->unmet != NULL && are_met(at->unmet));
}

static bool due(const WorkerObject *worker) {
    for (uint32_t i = 0; i < places_of(worker)->count; i++)
        if (is_due(&places_of(worker)->each[i])) return true;
    return false;
}

static int attend(WorkerObject *worker) {
    for (uint32_t i = 0; i < places_of(worker)->count; i++) {
        vacancy *at = &places_of(worker)->each[i];
        if (!is_due(at)) continue;
        at->seen = ea_load(at->word, EA_ACQUIRE);
        PyObject *answer = PyObject_CallFunction(at->call, "IO", at->seen, is_over(at) ? Py_True : Py_False);
        if (answer == NULL) return -1;
        bool is_actor = PyObject_TypeCheck(answer, &Actor_Type), waits = PyList_CheckExact(answer);
        Py_XSETREF(at->actor, is_actor ? (ActorObject *)Py_NewRef(answer) : NULL);
        Py_XSETREF(at->unmet, waits ? Py_NewRef(answer) : NULL);
        Py_DECREF(answer);
        current.activity++;
    }
    return 0;
}

static PyObject *add_vacancy(PyObject *module, PyObject *args) {
    WorkerObject *worker;
    unsigned long long offset;
    PyObject *call;
    if (!PyArg_ParseTuple(args, "O!KO", &Worker_Type, &worker, &offset, &call)) return NULL;
    ea_a32 *word = region_at(worker->region, offset, sizeof *word);
    if (word == NULL) return NULL;
    uint32_t count = worker->vacancies == NULL ? 0 : places_of(worker)->count;
    places *more = PyMem_Realloc(worker->vacancies, sizeof *more + (count + 1) * sizeof *more->each);
    if (more == NULL) return PyErr_NoMemory();
    more->base = (vacancies){attend, due};
    more->count = count + 1;
    more->each[count] = (vacancy){.word = word, .seen = ea_load(word, EA_ACQUIRE), .call = Py_NewRef(call)};
    worker->vacancies = &more->base;
    Py_RETURN_NONE;
}

/* ---- the end of an actor ---- */

/* Let the pool have the nodes that this end keeps, and from now on all that it would keep. */
static void give_back(ea_end *end) {
    ea_stash *stash = &end->stash;
    while (stash->count > 0 && ea_pool_push_front(&end->pool, &end->who, stash->nodes[stash->count - 1]) == EA_OK) stash->count--;
    stash->count = stash->limit = 0; /* what a corrupted pool does not take is lost with it */
}

/* What still holds the connector finds an actor that has finished, and not the one whose life
 * is over: an actor and its connectors that held each other would never be dropped. */
static void retire(ConnectorObject *self, ActorObject *finished) {
    connector_drop_outbox(self);
    if (self->again != NULL) self->again->clear(self);
    Py_CLEAR(self->handler);
    Py_CLEAR(self->lost);
    self->peer_closed = true;
    self->unsettled = false;
    if (is_shared(self)) give_back(&((framed_state *)self->carrier)->end);
    Py_SETREF(self->actor, (ActorObject *)Py_NewRef((PyObject *)finished));
}

static PyObject *vacate(PyObject *module, PyObject *args) {
    WorkerObject *worker;
    ActorObject *actor;
    if (!PyArg_ParseTuple(args, "O!O!", &Worker_Type, &worker, &Actor_Type, &actor)) return NULL;
    uint32_t place = 0;
    while (place < worker->seat_count && worker->seats[place].actor != actor) place++;
    if (place == worker->seat_count) Py_RETURN_NONE;
    ActorObject *finished = PyObject_New(ActorObject, &Actor_Type);
    if (finished == NULL) return NULL;
    finished->name = Py_XNewRef(actor->name);
    finished->worker = worker;
    finished->state = actor->state = ACTOR_FINISHED;
    finished->waiting = 0;
    seat left = worker->seats[place];
    worker->seat_count--;
    memmove(&worker->seats[place], &worker->seats[place + 1], (worker->seat_count - place) * sizeof left);
    worker->has_body = false;
    for (uint32_t i = 0; i < worker->seat_count; i++) worker->has_body |= worker->seats[i].body != NULL;
    for (uint32_t i = 0; i < left.count; i++) retire(left.connectors[i], finished);
    worker_clear_seat(&left);
    Py_DECREF((PyObject *)finished);
    Py_RETURN_NONE;
}

static PyObject *meet(PyObject *module, PyObject *args) {
    RegionObject *region;
    unsigned long long shared;
    unsigned int side;
    if (!PyArg_ParseTuple(args, "O!KI", &Region_Type, &region, &shared, &side)) return NULL;
    ea_channel_shared *flags = region_at(region, shared, sizeof *flags);
    if (flags == NULL) return NULL;
    uint32_t epoch = ea_load(&flags->epoch, EA_ACQUIRE);
    ea_store(&flags->met[side & 1], epoch, EA_RELEASE);
    return PyLong_FromUnsignedLong(epoch);
}

static PyMethodDef functions[] = {
    {"add_vacancy", add_vacancy, METH_VARARGS,
     "add_vacancy(worker, word, call, /)\n--\n\nHave call(count, over) called when the word at this offset has changed, or the "
     "actor has finished. It answers who has the place now: an actor, None, or a list of epochs to be met first."},
    {"vacate", vacate, METH_VARARGS,
     "vacate(worker, actor, /)\n--\n\nExecute this actor no more, and give back what its connectors hold in shared memory."},
    {"meet", meet, METH_VARARGS, "meet(region, shared, side, /)\n--\n\nThe epoch of a channel, which this side has met thereby."},
    {0},
};

int ea_py_add_vacancies(PyObject *module) {
    return PyModule_AddType(module, &Epoch_Type) < 0 ? -1 : PyModule_AddFunctions(module, functions);
}
