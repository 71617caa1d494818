/* Authenticated encryption of the frames of one direction of a channel.
 *
 * A frame is bound to its channel, direction, kind, lengths and place in the sequence. Both
 * sides count the place themselves, in private memory: a host that drops, repeats, swaps or
 * changes a frame makes the receiver expect another one than it is shown.
 */
#ifndef EA_FRAMES_H
#define EA_FRAMES_H

#include "channel.h"
#include "cipher.h"

/* So many frames one key seals; it bounds what a captured key tells, and is far below what
 * either cipher allows. */
static const uint64_t EA_FRAMES_PER_KEY = 1u << 24;

/* One direction of a channel, at one end. */
typedef struct ea_frames {
    EVP_CIPHER_CTX *context; /* keyed */
    const ea_cipher *cipher;
    uint64_t channel, number;
    uint8_t direction; /* the side that sends */
    bool sealing;
    uint8_t key[EA_KEY_MOST];
} ea_frames;

/* `cipher`, `channel`, `direction`, `sealing` and `number` are set. */
bool ea_frames_start(ea_frames *frames, const uint8_t *key);
/* Wipe the key; nothing can be sealed or opened any more. */
void ea_frames_end(ea_frames *frames);

/* Seal `frame.length` private bytes into a node, or, at an end that does not seal, open them from
 * a node, which has EA_TAG bytes more. Each shared byte is read or written once. False: not
 * authentic, the last number, or ended; nothing of it is left in private memory. */
bool ea_frames_move(ea_frames *frames, ea_frame frame, const uint8_t *in, uint8_t *out);

#endif
