/* A worker that spans several enclaves: each look passes the baton on, and the worker sleeps
 * after a whole round has found nothing. */
#include "../../../native/baton.h"

#include "worker.h"

enum {
    IDLE_ROUNDS = 4, /* looks of everyone before the worker announces that it sleeps */
    BUSY_TURNS = 64, /* turns in a row before the baton is passed on all the same */
};

static int run_with_baton(WorkerObject *self) {
    ea_baton *baton = self->baton;
    bool mine;
    Py_BEGIN_ALLOW_THREADS
    mine = ea_baton_wait(baton, &self->waiter, self->position, WORKER_SLEEP_NS);
    Py_END_ALLOW_THREADS
    if (!mine) return 0;
    /* Relaxed: they came with the baton (baton.c). */
    worker_idleness seen = {ea_load(&baton->idle, EA_RELAXED), ea_load(&baton->armed, EA_RELAXED)};
    int progress = worker_turn(self);
    bool moved = progress > 0;
    for (int n = 1; n < BUSY_TURNS && progress > 0 && !worker_stopping(self); n++) progress = worker_turn(self);
    if (progress < 0) return -1;
    worker_look_again(self, &seen, moved);
    ea_store(&baton->idle, seen.idle, EA_RELAXED);
    ea_store(&baton->armed, seen.armed, EA_RELAXED);
    ea_baton_pass(baton, (self->position + 1) % self->positions);
    return 0;
}

static PyObject *span(PyObject *module, PyObject *args) {
    WorkerObject *self;
    unsigned long long offset;
    unsigned int position, positions;
    if (!PyArg_ParseTuple(args, "O!KII", &Worker_Type, &self, &offset, &position, &positions)) return NULL;
    self->baton = region_at(self->region, offset, sizeof(ea_baton));
    if (self->baton == NULL) return NULL;
    if (position >= positions) return PyErr_Format(PyExc_ValueError, "a worker has no position %u of %u", position, positions);
    self->position = position;
    self->positions = positions;
    self->looks = IDLE_ROUNDS * positions;
    self->run_once = run_with_baton;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {{"span", span, METH_VARARGS, NULL}, {0}};

int ea_py_add_baton(PyObject *module) { return PyModule_AddFunctions(module, functions); }
