/* Reopening, for channels that are opened anew inside an enclave. */
#ifndef EA_PY_REOPENING_H
#define EA_PY_REOPENING_H

#include "framed.h"

typedef struct {
    reopening base;
    ea_a32 *epoch, *met; /* counted up by whoever knows of the ends; and by this end, when it has met it */
    ea_bell *bell;       /* of whoever waits for that */
    uint32_t seen;
    bool on_demand;      /* the peer is started only when somebody asks for it */
    PyObject *call, *reopened; /* attaches it again; and is called with the actor when a new peer is there */
} reopening_state;

/* Begin with all but `base`. None, or NULL and an exception. References are not taken over. */
PyObject *reopening_begin(ConnectorObject *connector, reopening_state plan);
/* Whether it goes through shared memory: only there are key exchanges, or cargos that are nodes. */
static inline bool is_shared(const ConnectorObject *self) { return self->ops->advance != NULL || self->ops->in_place != NULL; }

#endif
