/* The types of the extension module and what each offers to the others. */
#ifndef EA_TYPES_H
#define EA_TYPES_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "aead.h"
#include "baton.h"
#include "channel.h"

/* ---- errors: the classes of eactors.errors, by attribute of this struct ---- */

typedef struct {
    PyObject *actor_stopped, *message_too_large, *outbox_full, *region_corrupted, *not_offered, *channel_broken;
} ea_errors;
extern ea_errors errors;

/* Raise one of them with a hint (NULL: none). Always returns NULL. */
PyObject *ea_raise(PyObject *error, const char *hint, const char *format, ...);
/* Raise what `negative_errno` says about `path`. Always returns NULL. */
PyObject *ea_raise_errno(int negative_errno, const char *path);
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
extern PyTypeObject Cargo_Type;

/* A received message, in private memory; steals `bytes`. */
PyObject *cargo_of_bytes(ConnectorObject *connector, PyObject *bytes);
/* A message in a node: received (read-only) or to be filled (writable). */
PyObject *cargo_of_node(ConnectorObject *connector, uint32_t node, Py_ssize_t length, bool writable);
/* A message to be filled in private memory; steals `bytes`, which nobody else may know. */
PyObject *cargo_of_private(ConnectorObject *connector, PyObject *bytes);
/* To be sent: if `cargo` is a node of `connector`, take it out of the cargo (1); if it is
 * not, its content as bytes (0); -1 and an exception if it cannot be sent. */
int cargo_detach(PyObject *cargo, ConnectorObject *connector, uint32_t *node, Py_ssize_t *length, PyObject **bytes);

/* ---- Connector: an outbox, and a carrier below it ---- */

typedef enum { TAKE_ERROR = -1, TAKE_NOTHING = 0, TAKE_CARGO = 1, TAKE_CLOSE = 2 } take_result;

/* How messages travel. Neither side blocks; `can_*` and `announce` need no GIL. */
typedef struct {
    /* 1: sent; 0: no room now, offer the same again; -1: exception. None means close. */
    int (*offer)(ConnectorObject *connector, PyObject *bytes_or_none);
    take_result (*take)(ConnectorObject *connector, PyObject **cargo);
    bool (*can_take)(const ConnectorObject *connector);
    bool (*can_offer)(const ConnectorObject *connector);
    void (*announce)(ConnectorObject *connector);
    void (*clear)(ConnectorObject *connector);
    bool framed; /* messages travel in frames, through the carrier's shared_state */
} carrier_ops;
extern const carrier_ops shared_carrier, sealed_carrier;

typedef struct {
    ea_end end;
    RegionObject *region;
    bool copy;              /* received messages are copied before anyone looks at them */
    Py_ssize_t offered;     /* bytes of the message being offered that have left */
    PyObject *partial;      /* a message of several frames, so far */
    Py_ssize_t partial_got;
} shared_state;

typedef struct {
    shared_state shared;
    ea_frames out, in;
    PyObject *exchange; /* NULL: it is over */
    PyObject *queue;    /* a list: messages of the exchange that have not left */
    Py_ssize_t queue_offered;
    bool started, left; /* the exchange; and left the channel, once it was broken */
} sealed_state;

typedef struct {
    PyObject *channel; /* PrivateChannel */
    int side;
} private_state;

struct ConnectorObject {
    PyObject_HEAD
    ActorObject *actor;
    PyObject *peer;      /* name of the actor at the other end */
    PyObject *attribute; /* its own name in the actor */
    PyObject *encode, *decode;
    Py_ssize_t message_size;
    PyObject *lost;   /* called with the actor and the error when the channel has broken; NULL: the actor fails */
    PyObject *broken; /* the error; NULL: the channel is whole */
    bool told;        /* the actor knows that it is broken */
    bool unsettled;   /* the carrier has more to do than to carry: see sealed_advance() */
    bool peer_closed;
    PyObject **outbox; /* a ring */
    uint32_t outbox_head, outbox_count, outbox_room;
    const carrier_ops *ops;
    union {
        shared_state shared;
        sealed_state sealed; /* begins with `shared` */
        private_state private;
    } carrier;
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

/* Attach to a channel of the region; -1 and ValueError if the plan does not fit. */
int shared_attach(ConnectorObject *connector, RegionObject *region, const ea_channel_plan *plan, ea_context who, bool copy);
int shared_send_node(ConnectorObject *connector, uint32_t node, Py_ssize_t length);
/* Send `data` from *done on; `seal` NULL: as it is. As offer(), but -1 sets no exception. */
int frames_send(ConnectorObject *connector, const uint8_t *data, size_t size, ea_kind kind, Py_ssize_t *done, ea_frames *seal);
/* Where the bytes of this frame, of a message of at most `most` bytes, go. NULL: it does not
 * follow on what came before, or there is an exception. */
uint8_t *frames_room(ConnectorObject *connector, size_t length, size_t rest, size_t most);
/* They are there. The whole message if these were its last, else NULL. */
PyObject *frames_whole(ConnectorObject *connector, size_t length, size_t rest);
void frames_count_sent(ConnectorObject *connector);

/* `frames` says channel, cipher and first number. */
int sealed_attach(ConnectorObject *connector, RegionObject *region, const ea_channel_plan *plan, ea_context who,
                  const ea_frames *frames, PyObject *exchange);
/* Go on with the key exchange, or with telling the peer that the channel is given up. In any
 * state of the actor: one key exchange never waits for another, nor for an actor. */
void sealed_advance(ConnectorObject *connector);
/* Whether that could do something. */
bool sealed_ready(const ConnectorObject *connector);

/* ---- Worker ---- */

struct WorkerObject {
    PyObject_HEAD
    RegionObject *region;
    const ea_control *control;
    ea_context who;
    ea_bell *bell;
    ea_waiter waiter;
    ea_baton *baton; /* NULL: all its actors are in this process */
    uint32_t position, positions;
    bool alone;      /* the only worker of this process */
    bool has_body;
    bool stalled;    /* nothing has moved for a whole sleep */
    uint64_t patience; /* nanoseconds until a body() has to be called again, as the bodies said in this turn */
    void (*sleep)(WorkerObject *worker, uint32_t armed, uint64_t nanoseconds);
    PyObject *watcher; /* whatever else it sleeps on; NULL: nothing */
    PyObject *report;  /* called with (what, actor, detail) */
    struct worker_seat *seats;
    uint32_t seat_count;
};
extern PyTypeObject Worker_Type;

/* ---- Pool, Mbox, Node: the low level ---- */

typedef struct {
    PyObject_HEAD
    ea_pool pool;
    ea_stash stash; /* the GIL guards it */
    RegionObject *region;
    ea_bell **bells; /* of the workers whose actors use it */
    uint32_t bell_count;
} PoolObject;
extern PyTypeObject Pool_Type;
extern PyTypeObject Mbox_Type;
extern PyTypeObject Node_Type;

PyObject *node_new(PoolObject *pool, uint32_t index);
/* The node's index, given away by the caller; EA_NONE and an exception if it cannot be. */
uint32_t node_detach(PyObject *node, PoolObject *pool);
void node_reattach(PyObject *node, uint32_t index);
/* Read the offsets in `sequence` as bells; -1 and an exception if one is outside. */
int bells_of(RegionObject *region, PyObject *sequence, ea_bell ***bells, uint32_t *count);
void bells_ring(ea_bell **bells, uint32_t count);
/* Give a node back and wake who may be waiting for one. */
ea_status pool_give(PoolObject *pool, const ea_context *who, uint32_t index);
PyObject *ea_status_error(ea_status status, const char *what);

/* ---- Cryptography ---- */

/* Start it and add its functions; -1 and an exception if the library lacks something. */
int ea_py_add_crypto(PyObject *module);

#endif
