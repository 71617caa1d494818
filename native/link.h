/* One end of the link between two servers: a state machine that does no I/O.
 *
 * It is told what comes from a connection, and says what to write to it; connections may
 * break at any byte and follow each other, and still what one end sends the other gets once
 * and in order. Whatever matters is numbered. Each side keeps what it has sent until the
 * other says that it has it, and after a break sends again what the other lacks: which that
 * is, the hellos say, before any of this (src/eactors/bridge/wire.py).
 *
 *     frame   type 1 | kind 1 | zeros 2 | channel 4 | length 4 | rest 4 | number 8 | received 8 | payload
 *
 * big-endian. What is kept is bounded by credit: of each channel the receiver says how many
 * frames may ever be sent, and says more only as its actor takes them. As that is a total,
 * saying it twice, or losing a saying that a later one repeats, changes nothing. */
#ifndef EA_LINK_H
#define EA_LINK_H

#include <stdbool.h>

#include "fifo.h"

enum {
    EA_LINK_HEADER = 32,
    EA_LINK_WORD_MOST = 1 << 16,
    EA_LINK_ACK_EVERY = 16, /* frames after which it is said that they have come, if nothing else is said */
};

/* What a frame is. The first two are numbered and acknowledged. */
typedef enum {
    EA_LINK_NOTHING = 0,
    EA_LINK_FRAME = 1,  /* of a channel */
    EA_LINK_WORD = 2,   /* what the bridges have to say to each other */
    EA_LINK_CREDIT = 3, /* number: how many frames of the channel may be sent in all */
    EA_LINK_ACK = 4,    /* nothing but what has been received */
    EA_LINK_WRONG = -1,
} ea_link_type;

/* One channel. Both ends know the first three from the deployment. */
typedef struct {
    uint32_t id, frames, payload;
    uint64_t sent, limit;           /* towards the peer, and as far as the peer has room */
    uint64_t got, allowed, taken;   /* from it, as far as we have said, and taken since */
} ea_link_window;

typedef struct {
    ea_link_type type;
    uint32_t window, kind, rest;
    const uint8_t *payload; /* until the next bytes come */
    size_t length;
} ea_link_event;

typedef struct {
    ea_link_window *windows;
    uint32_t count;
    bool credited;            /* the peer has made room; lowered by whoever looks */
    bool open;                /* there is a connection, and hellos were exchanged on it */
    ea_fifo kept, told, in;   /* numbered and not acknowledged; to write besides; not yet read */
    size_t written;           /* bytes of `kept` that were written to this connection */
    uint64_t acked, next;     /* number of the first frame that is kept, and of the next one */
    uint64_t expected, reported; /* number of the next frame to come, and what the peer knows of it */
    const char *wrong;        /* what the peer did that no peer does */
} ea_link;

/* The windows, `frames`, `payload` and `id` of which are set, stay the caller's. */
void ea_link_init(ea_link *link, ea_link_window *windows, uint32_t count);
void ea_link_free(ea_link *link);

/* A connection on which the peer's hello says that it has so many frames; false: it cannot. */
bool ea_link_open(ea_link *link, uint64_t received);
void ea_link_lost(ea_link *link);

static inline bool ea_link_may_send(const ea_link *link, uint32_t window) {
    return link->windows[window].sent < link->windows[window].limit;
}
/* Send a frame: room for its payload, which the caller fills; NULL: no memory. */
uint8_t *ea_link_send(ea_link *link, uint32_t window, uint32_t kind, uint32_t rest, size_t length);
uint8_t *ea_link_say(ea_link *link, size_t length);
/* Say what has been received, and that this end is alive. */
void ea_link_acknowledge(ea_link *link);

/* Append what is to be written now to `out`, whole frames of about `most` bytes; whether there
 * was any. It is taken to be written: who cannot write it loses the connection. */
bool ea_link_write(ea_link *link, ea_fifo *out, size_t most);

/* Room for what comes from the connection; then how much came, and what there is in it. */
uint8_t *ea_link_room(ea_link *link, size_t bytes);
void ea_link_came(ea_link *link, size_t bytes);
ea_link_event ea_link_next(ea_link *link);
/* A frame of this channel is where it was going. */
void ea_link_taken(ea_link *link, uint32_t window);

#endif
