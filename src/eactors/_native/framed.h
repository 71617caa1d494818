/* What the carriers through shared memory have in common: messages as frames in nodes. */
#ifndef EA_PY_FRAMED_H
#define EA_PY_FRAMED_H

#include "channel.h"
#include "types.h"

/* The beginning of what such a carrier keeps in ConnectorObject.carrier. */
typedef struct {
    ea_end end;
    RegionObject *region;
    uint32_t side;
    PyObject *partial;      /* a message of several frames, so far */
    Py_ssize_t partial_got;
} framed_state;

/* How a frame that is not sent as it is gets into its node, where it is `tag` bytes longer. */
typedef struct ea_frames ea_frames;
typedef struct {
    ea_frames *frames;
    bool (*seal)(ea_frames *frames, ea_frame frame, const uint8_t *data, uint8_t *shared);
    uint32_t tag;
} framed_seal;

/* Make the carrier's state of `size` bytes, zeros behind the framed_state, for a channel's end that
 * lies at (region, pool, shared, (mbox, mbox), capacity, payload, side, peer's bell, participant,
 * its id); NULL and an exception if that is no place inside the region, or the connector is attached
 * already. */
void *framed_attach(ConnectorObject *connector, PyObject *place, size_t size);

/* 1: sent; 0: no room, the caller still has the node; -1: corrupted. */
int framed_push(ConnectorObject *connector, uint32_t node, ea_frame frame);
/* Send `data` from *done on; `seal` NULL: as it is. As offer(), but -1 sets no exception. */
int framed_send(ConnectorObject *connector, const uint8_t *data, size_t size, ea_kind kind, Py_ssize_t *done,
                const framed_seal *seal);
/* The whole of offer(), except that -1 sets no exception. */
int framed_offer(ConnectorObject *connector, PyObject *bytes_or_none, const framed_seal *seal);

/* Where the bytes of this frame, of a message of at most `most` bytes, go. NULL: it does not
 * follow on what came before, or there is an exception. */
uint8_t *framed_room(ConnectorObject *connector, size_t length, size_t rest, size_t most);
/* They are there. The whole message if these were its last, else NULL. */
PyObject *framed_whole(ConnectorObject *connector, size_t length, size_t rest);

bool framed_can_take(const ConnectorObject *connector);
bool framed_can_offer(const ConnectorObject *connector);
void framed_announce(ConnectorObject *connector);
void framed_clear(ConnectorObject *connector);

#endif
