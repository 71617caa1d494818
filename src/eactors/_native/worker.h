/* Worker, for what makes one span several enclaves, and actors come and go. */
#ifndef EA_PY_WORKER_H
#define EA_PY_WORKER_H

#include "types.h"

/* The bound on a sleep without bodies: how late a wake-up is noticed that was lost with a killed
 * process. */
enum { WORKER_SLEEP_NS = 100 * 1000 * 1000 };

/* What a worker whose looks are turns knows of its idleness. */
typedef struct {
    uint32_t idle, armed;
} worker_idleness;

typedef struct worker_seat {
    ActorObject *actor;
    PyObject *body; /* NULL: handlers only */
    bool resting;   /* body() need not be called until a message comes */
    uint32_t count;
    ConnectorObject **connectors;
} seat;

/* Let go of what a seat holds. */
void worker_clear_seat(seat *at);
bool worker_stopping(const WorkerObject *worker);
/* Visit every actor; whether anything moved. -1: an exception of the runtime's own. */
int worker_turn(WorkerObject *worker);
/* Another turn is over: announce that the worker sleeps, or let it sleep, if it is time. */
void worker_look_again(WorkerObject *worker, worker_idleness *seen, bool progress);

#endif
