/* Authenticated encryption: of single texts, and of the frames of one direction of a channel.
 *
 * A frame is bound to its channel, direction, kind, lengths and place in the sequence. Both
 * sides count the place themselves, in private memory: a host that drops, repeats, swaps or
 * changes a frame makes the receiver expect another one than it is shown.
 */
#ifndef EA_AEAD_H
#define EA_AEAD_H

#include "crypto.h"

/* GCM (NIST SP 800-38D) and ChaCha20-Poly1305 (RFC 8439) alike. */
enum { EA_NONCE = 12, EA_TAG = 16 };
/* So many frames one key seals; it bounds what a captured key tells, and is far below what
 * either cipher allows. */
static const uint64_t EA_FRAMES_PER_KEY = 1u << 24;

typedef struct ea_cipher ea_cipher;

void ea_ciphers_fetch(void);
/* "aes-128-gcm", "aes-256-gcm" or "chacha20-poly1305"; NULL: no such cipher. */
const ea_cipher *ea_cipher_find(const char *name);
size_t ea_cipher_key_size(const ea_cipher *cipher);
/* NULL, or why the cipher should not be used here. `aes` is ea_cpu_has_aes(), but in tests. */
const char *ea_cipher_problem(const ea_cipher *cipher, bool aes);
bool ea_cpu_has_aes(void);

/* One text. `out` has EA_TAG bytes more than `data`; open answers false for what is not
 * authentic, with `out` wiped. */
bool ea_aead_seal(const ea_cipher *cipher, const uint8_t *key, const uint8_t nonce[EA_NONCE], ea_bytes data, ea_bytes aad,
                  uint8_t *out);
bool ea_aead_open(const ea_cipher *cipher, const uint8_t *key, const uint8_t nonce[EA_NONCE], ea_bytes data, ea_bytes aad,
                  uint8_t *out);

/* One direction of a channel, at one end. */
typedef struct {
    void *context; /* EVP_CIPHER_CTX, keyed */
    const ea_cipher *cipher;
    uint64_t channel, number;
    uint8_t direction; /* the side that sends */
    bool sealing;
    uint8_t key[EA_KEY_MOST];
} ea_frames;

/* What the header of a node says, fetched. */
typedef struct {
    uint32_t kind, length, rest;
} ea_frame;

/* `cipher`, `channel`, `direction`, `sealing` and `number` are set. */
bool ea_frames_start(ea_frames *frames, const uint8_t *key);
/* Wipe the key; nothing can be sealed or opened any more. */
void ea_frames_end(ea_frames *frames);

/* Seal `frame.length` private bytes into a node, or open them from a node, which has EA_TAG
 * bytes more. Each shared byte is read or written once. False: not authentic, the last
 * number, or ended; nothing of it is left in `data`. */
bool ea_frames_seal(ea_frames *frames, ea_frame frame, const uint8_t *data, uint8_t *shared);
bool ea_frames_open(ea_frames *frames, ea_frame frame, const uint8_t *shared, uint8_t *data);

#endif
