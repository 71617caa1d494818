/* What the two threads of a span share; see span.c. */
#ifndef EA_PY_SPAN_H
#define EA_PY_SPAN_H

#include "types.h"

#include <pthread.h>

#include "aead.h"
#include "channel.h"
#include "link.h"

/* One channel to the other server: the host's end of it, in the place of the actor there. */
typedef struct {
    ea_end end;
    uint32_t tag;    /* bytes behind what a sealed frame calls its length */
    ea_fifo waiting; /* frames that have come, and for which there was no room yet */
    bool reading;    /* the writer's: a frame of the actor is to be sent */
    bool stuck;      /* the writer's: room in the mbox is waited for */
} span_port;

typedef struct {
    PyObject_HEAD
    RegionObject *region;
    pthread_mutex_t mutex;
    pthread_cond_t idle;
    ea_link link;
    ea_link_window *windows;
    span_port *ports;
    ea_bell *bell;
    ea_waiter waiter;
    ea_a32 poked;
    int spins;           /* how often the reader looks before it sleeps */
    int fd;              /* of the connection; -1: there is none */
    bool writing;        /* the writer is inside send() */
    bool closing;
    const char *corrupt; /* what is wrong with shared memory */
} SpanObject;

int ea_py_add_links(PyObject *module);  /* the link alone, as a state machine */
int ea_py_add_bridge(PyObject *module); /* that, and what carries it */

/* Windows from a tuple of (channel, frames, payload); -1 and an exception. */
int link_windows(PyObject *tuple, ea_link_window **windows, uint32_t *count);

/* Make the writer look, from any thread. */
void span_poke(SpanObject *self);
/* Read from a connection. 1: there is a word; 0: the connection is over; -1: see link.wrong. */
int span_read(SpanObject *self, int fd, ea_link_event *word);
/* Write to whichever connection there is, until the span is closed. */
void span_write(SpanObject *self, uint64_t idle_ns);

#endif
