/* Reopening, for channels that are opened anew without shared memory. */
#ifndef EA_PY_REOPENING_H
#define EA_PY_REOPENING_H

#include "channel.h"
#include "types.h"

/* How a channel is opened anew. */
typedef struct {
    ea_a32 *epoch, *met; /* counted up by whoever knows of the ends; and by this end, when it has met it */
    PyObject *holder;    /* of both */
    ea_bell *bell;       /* of whoever waits for that */
    uint32_t seen;
    bool on_demand;      /* the peer is started only when somebody asks for it */
    void (*empty)(ConnectorObject *connector); /* leave nothing on the way, in either direction */
    PyObject *call;      /* attaches it again; NULL: there is nothing to attach */
    PyObject *reopened;  /* called with the actor when a new peer is there; NULL: nothing */
} reopening_plan;

/* 0, or -1 and an exception. References are not taken over. */
int reopening_begin(ConnectorObject *connector, reopening_plan plan);
/* Let the pool have the nodes that this end keeps, and from now on all that it would keep. */
void reopening_give_back(ea_end *end);

#endif
