/* The types of the extension module and what each offers to the others. */
#ifndef EA_TYPES_H
#define EA_TYPES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "mbox.h"
#include "wait.h"

/* ---- errors: the classes of eactors.errors, by name ---- */

/* A new one, of arguments that are taken over; NULL and an exception if there is none, or they
 * are NULL. */
PyObject *ea_error(const char *name, PyObject *args, PyObject *keywords);
/* Raise one with a message and a hint (NULL: none). Always returns NULL. */
PyObject *ea_raise(const char *name, const char *hint, const char *format, ...);
/* The exception that is set, with its traceback, and no longer set. */
PyObject *ea_caught(void);

/* ---- Region ---- */

typedef struct {
    PyObject_HEAD
    ea_region region;
} RegionObject;
extern PyTypeObject Region_Type;

PyObject *region_map(PyTypeObject *type, PyObject *args, int (*map)(ea_region *, const char *, size_t));
/* The address of so many bytes; NULL and ValueError if they are not in the region. */
void *region_at(RegionObject *self, unsigned long long offset, size_t bytes);

/* ---- Post: to the host ---- */

extern PyTypeObject Post_Type;

/* ---- Worker and Actor ---- */

typedef enum { ACTOR_RUNNING = 0, ACTOR_STOPPING, ACTOR_CLOSING, ACTOR_FINISHED } actor_state;

typedef struct WorkerObject WorkerObject;

typedef struct {
    PyObject_HEAD
    PyObject *name;
    WorkerObject *worker; /* borrowed: a worker outlives the actors it executes */
    actor_state state;
    uint32_t waiting;     /* its connectors that have messages in their outbox */
} ActorObject;
extern PyTypeObject Actor_Type;

const char *actor_name(const ActorObject *actor);

/* On whose behalf this thread touches shared memory. */
typedef struct {
    ea_context who;
    WorkerObject *worker; /* NULL on the host */
    ActorObject *actor;   /* borrowed: the one whose code runs, or NULL */
    uint64_t activity;    /* messages and nodes moved: tells an idle body from a busy one */
    PyObject *region;     /* keeps `who` mapped */
} ea_current;
/* Initial-exec: one load instead of a call at every message, for 56 bytes of the static TLS
 * that the loader keeps in reserve for modules that come late. */
extern _Thread_local ea_current current __attribute__((tls_model("initial-exec")));

/* NULL and a RuntimeError if this thread has no participant. */
const ea_context *ea_current_who(void);

/* ---- Cargo ---- */

typedef struct ConnectorObject ConnectorObject;
extern PyTypeObject Cargo_Type; /* see cargo.h */

/* ---- Connector: an outbox, and a carrier below it ---- */

typedef enum { TAKE_ERROR = -1, TAKE_NOTHING = 0, TAKE_CARGO = 1, TAKE_CLOSE = 2 } take_result;

/* Of a carrier whose cargos can be nodes in shared memory. */
typedef struct CargoObject CargoObject;
typedef struct {
    /* A cargo of `size` bytes to fill; NULL without an exception: there is no node for it now. */
    PyObject *(*create)(ConnectorObject *connector, Py_ssize_t size);
    /* Send such a cargo: 1, or -1 and an exception, or 0, and the content left in *bytes. */
    int (*send)(ConnectorObject *connector, CargoObject *cargo, PyObject **bytes);
    void (*release)(ConnectorObject *connector, uint32_t node);
} in_place_ops;

/* How messages travel. Neither side blocks; `can_*`, `announce` and `ready` need no GIL. */
typedef struct {
    /* 1: sent; 0: no room now, offer the same again; -1: exception. None means close. */
    int (*offer)(ConnectorObject *connector, PyObject *bytes_or_none);
    take_result (*take)(ConnectorObject *connector, PyObject **cargo);
    bool (*can_take)(const ConnectorObject *connector);
    bool (*can_offer)(const ConnectorObject *connector);
    void (*announce)(ConnectorObject *connector);
    void (*clear)(ConnectorObject *connector);
    const in_place_ops *in_place; /* NULL: cargos are always private */
    /* Of a carrier that can be unsettled. Go on with the key exchange, or with telling the peer
     * that the channel is given up, in any state of the actor: one key exchange never waits for
     * another, nor for an actor. */
    void (*advance)(ConnectorObject *connector);
    bool (*ready)(const ConnectorObject *connector); /* whether that could do something */
} carrier_ops;

/* The beginning of what is kept of a channel whose peer may end and be started anew; see reopening.c. */
typedef struct {
    /* Notice that the peer has gone, or is there again; -1: the actor's handler of that raised. */
    int (*attend)(ConnectorObject *connector);
    bool (*due)(const ConnectorObject *connector); /* whether that would do something; needs no GIL */
    void (*clear)(ConnectorObject *connector);
    bool awaited; /* the peer has gone, or may be started at any time */
} reopening;

struct ConnectorObject {
    PyObject_HEAD
    ActorObject *actor;
    PyObject *peer;      /* name of the actor at the other end */
    PyObject *attribute; /* its own name in the actor */
    PyObject *encode, *decode;
    Py_ssize_t message_size;
    PyObject *handler; /* called with the actor and each cargo; NULL: body() polls, or nobody looks */
    PyObject *lost;   /* called with the actor and the error when the channel has broken; NULL: the actor fails */
    PyObject *broken; /* the error; NULL: the channel is whole */
    bool told;        /* the actor knows that it is broken */
    bool unsettled;   /* the carrier has more to do than to carry: see `advance` */
    bool peer_closed, idle; /* idle: the peer says nothing unless it is asked, and nothing is asked */
    reopening *again;   /* NULL: the channel ends with its peer */
    PyObject **outbox; /* a ring */
    uint32_t outbox_head, outbox_count, outbox_room;
    Py_ssize_t offered;    /* bytes of the message being offered that have left */
    uint32_t capacity;     /* messages that the channel holds in one direction */
    const carrier_ops *ops; /* NULL: not attached */
    void *carrier;
};
extern PyTypeObject Connector_Type;

/* Whether back-pressure lets the actor have what this connector's peer sent. While messages
 * to some peers wait in the outbox, only these peers are listened to: an answer may be what
 * makes them read on. That cannot untie a knot of three or more actors, so when a worker has
 * slept without anything moving it lets one batch through. */
bool connector_may_take(const ConnectorObject *connector);
/* 0, or -1 and an exception. */
int connector_close(ConnectorObject *connector);
int connector_flush(ConnectorObject *connector);
take_result connector_take(ConnectorObject *connector, PyObject **cargo);
bool connector_unattached(const ConnectorObject *connector);
void connector_drop_outbox(ConnectorObject *connector);
/* Tell the actor that the channel is broken, by this exception. Always returns NULL. */
PyObject *connector_raise(ConnectorObject *connector);

/* ---- Worker ---- */

/* The beginning of what is kept of the places of actors that are started on demand; see vacancies.c. */
typedef struct {
    int (*attend)(WorkerObject *worker); /* start and end them; -1: an exception of the runtime's own */
    bool (*due)(const WorkerObject *worker); /* whether that would do something; needs no GIL */
} vacancies;

struct WorkerObject {
    PyObject_HEAD
    RegionObject *region;
    const ea_control *control;
    ea_context who;
    ea_bell *bell;
    ea_waiter waiter;
    void *baton;     /* an ea_baton, if it spans several enclaves */
    uint32_t position, positions; /* among them */
    int (*run_once)(WorkerObject *worker); /* then; NULL: all its actors are in this process */
    uint32_t looks;  /* that find nothing before it announces that it sleeps, where they are turns */
    bool alone;      /* the only worker of this process */
    bool has_body;
    bool stalled;    /* nothing has moved for a whole sleep */
    uint64_t patience; /* nanoseconds until a body() has to be called again, as the bodies said in this turn */
    void (*sleep)(WorkerObject *worker, uint32_t armed, uint64_t nanoseconds);
    PyObject *watcher; /* whatever else it sleeps on; NULL: nothing */
    vacancies *vacancies; /* NULL: all its actors live as long as it */
    PyObject *report;  /* called with (what, actor, detail) */
    struct worker_seat *seats;
    uint32_t seat_count;
};
extern PyTypeObject Worker_Type;

#endif
