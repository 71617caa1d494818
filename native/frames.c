#include "frames.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

enum { AAD = 32 };

bool ea_frames_start(ea_frames *frames, const uint8_t *bytes) {
    memcpy(frames->key, bytes, ea_cipher_key_size(frames->cipher));
    frames->context = EVP_CIPHER_CTX_new();
    bool ok = ea_cipher_key(frames->context, frames->cipher, frames->key, frames->sealing);
    if (!ok) ea_frames_end(frames);
    return ok;
}

void ea_frames_end(ea_frames *frames) {
    EVP_CIPHER_CTX_free(frames->context); /* wipes its copy of the key */
    frames->context = NULL;
    OPENSSL_cleanse(frames->key, sizeof frames->key);
}

static bool next_key(ea_frames *frames) {
    static const char INFO[] = "eactors next key";
    uint8_t next[EA_KEY_MOST];
    size_t size = ea_cipher_key_size(frames->cipher);
    bool ok = ea_hkdf((ea_bytes){frames->key, size}, (ea_bytes){"", 0}, (ea_bytes){INFO, sizeof INFO - 1}, next, size) &&
              ea_cipher_key(frames->context, frames->cipher, next, frames->sealing);
    if (ok) memcpy(frames->key, next, size);
    OPENSSL_cleanse(next, sizeof next);
    return ok;
}

static void put(uint8_t *to, uint64_t value, size_t size, bool big_endian) {
    for (size_t i = 0; i < size; i++) to[big_endian ? size - 1 - i : i] = (uint8_t)(value >> 8 * i);
}

bool ea_frames_move(ea_frames *frames, ea_frame frame, const uint8_t *in, uint8_t *out) {
    uint8_t nonce[EA_NONCE] = {0}, aad[AAD] = {0};
    /* A number that would come again ends the direction. */
    if (frames->context == NULL || frames->number == UINT64_MAX) return false;
    put(nonce + 4, frames->number, 8, true);
    put(aad, frames->channel, 8, false);
    aad[8] = frames->direction;
    aad[9] = (uint8_t)frame.kind;
    put(aad + 12, frame.length, 4, false);
    put(aad + 16, frame.rest, 4, false);
    put(aad + 20, frames->number, 8, false);
    if (!ea_cipher_text(frames->context, frames->sealing, nonce, (ea_bytes){aad, AAD}, in, out, frame.length)) return false;
    frames->number++;
    return frames->number % EA_FRAMES_PER_KEY != 0 || next_key(frames);
}
