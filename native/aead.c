#include "aead.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>
#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

struct ea_cipher {
    const char *name, *fetch;
    size_t key_size;
    bool aes;
    EVP_CIPHER *fetched;
};

static ea_cipher ciphers[] = {
    {"aes-128-gcm", "AES-128-GCM", 16, true, NULL},
    {"aes-256-gcm", "AES-256-GCM", 32, true, NULL},
    {"chacha20-poly1305", "ChaCha20-Poly1305", 32, false, NULL},
};

enum { CIPHERS = sizeof ciphers / sizeof *ciphers, BOUNCE = 4096, AAD = 32 };

void ea_ciphers_fetch(void) {
    for (size_t i = 0; i < CIPHERS; i++)
        if (ciphers[i].fetched == NULL) ciphers[i].fetched = EVP_CIPHER_fetch(NULL, ciphers[i].fetch, NULL);
    ERR_clear_error();
}

const ea_cipher *ea_cipher_find(const char *name) {
    for (size_t i = 0; i < CIPHERS; i++)
        if (strcmp(ciphers[i].name, name) == 0) return &ciphers[i];
    return NULL;
}

size_t ea_cipher_key_size(const ea_cipher *cipher) { return cipher->key_size; }

bool ea_cpu_has_aes(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#elif defined(__aarch64__)
    return (getauxval(AT_HWCAP) & (1 << 3 | 1 << 4)) == (1 << 3 | 1 << 4); /* HWCAP_AES, HWCAP_PMULL */
#else
    return false;
#endif
}

const char *ea_cipher_problem(const ea_cipher *cipher, bool aes) {
    if (cipher->fetched == NULL) return "this machine's libcrypto does not have it";
    if (cipher->aes && !aes)
        return "this CPU has no AES instructions, and AES in software leaks its key to the host through the cache; "
               "use chacha20-poly1305";
    return NULL;
}

static bool key(EVP_CIPHER_CTX *context, const ea_cipher *cipher, const uint8_t *bytes, bool sealing) {
    return context != NULL && cipher->fetched != NULL && EVP_CipherInit_ex2(context, cipher->fetched, bytes, NULL, sealing, NULL) == 1;
}

/* `in` to `out`, one of which may be shared; what the cipher reads or writes twice is only
 * private: GCM hashes its ciphertext in a second pass, which must be the same bytes. */
static bool crypt(EVP_CIPHER_CTX *context, bool sealing, const uint8_t *in, uint8_t *out, size_t size) {
    uint8_t bounce[BOUNCE];
    int done;
    for (size_t chunk; size > 0; in += chunk, out += chunk, size -= chunk) {
        chunk = size < BOUNCE ? size : BOUNCE;
        if (!sealing) memcpy(bounce, in, chunk);
        if (EVP_CipherUpdate(context, sealing ? bounce : out, &done, sealing ? in : bounce, (int)chunk) != 1) return false;
        if (sealing) memcpy(out, bounce, chunk);
    }
    return true;
}

/* `tagged` is the side of ciphertext, with the tag behind it. */
static bool text(EVP_CIPHER_CTX *context, bool sealing, const uint8_t *nonce, ea_bytes aad, const uint8_t *in, uint8_t *out,
                 size_t size) {
    uint8_t tag[EA_TAG], nothing[EA_TAG];
    int done;
    if (!sealing) memcpy(tag, in + size, EA_TAG);
    bool ok = EVP_CipherInit_ex2(context, NULL, NULL, nonce, sealing, NULL) == 1 &&
              EVP_CipherUpdate(context, NULL, &done, aad.data, (int)aad.size) == 1 && crypt(context, sealing, in, out, size) &&
              (sealing || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, EA_TAG, tag) == 1) &&
              EVP_CipherFinal_ex(context, nothing, &done) == 1 &&
              (!sealing || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, EA_TAG, tag) == 1);
    if (ok && sealing) memcpy(out + size, tag, EA_TAG);
    if (ok) return true;
    if (!sealing) OPENSSL_cleanse(out, size);
    ERR_clear_error();
    return false;
}

static bool once(const ea_cipher *cipher, bool sealing, const uint8_t *bytes, const uint8_t *nonce, ea_bytes data, ea_bytes aad,
                 uint8_t *out) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool ok = aad.size <= INT_MAX && key(context, cipher, bytes, sealing) &&
              text(context, sealing, nonce, aad, data.data, out, data.size);
    EVP_CIPHER_CTX_free(context);
    return ok;
}

bool ea_aead_seal(const ea_cipher *cipher, const uint8_t *bytes, const uint8_t nonce[EA_NONCE], ea_bytes data, ea_bytes aad,
                  uint8_t *out) {
    return once(cipher, true, bytes, nonce, data, aad, out);
}

bool ea_aead_open(const ea_cipher *cipher, const uint8_t *bytes, const uint8_t nonce[EA_NONCE], ea_bytes data, ea_bytes aad,
                  uint8_t *out) {
    if (data.size < EA_TAG) return false;
    data.size -= EA_TAG;
    return once(cipher, false, bytes, nonce, data, aad, out);
}

bool ea_frames_start(ea_frames *frames, const uint8_t *bytes) {
    memcpy(frames->key, bytes, frames->cipher->key_size);
    frames->context = EVP_CIPHER_CTX_new();
    bool ok = key(frames->context, frames->cipher, frames->key, frames->sealing);
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
    size_t size = frames->cipher->key_size;
    bool ok = ea_hkdf((ea_bytes){frames->key, size}, (ea_bytes){"", 0}, (ea_bytes){INFO, sizeof INFO - 1}, next, size) &&
              key(frames->context, frames->cipher, next, frames->sealing);
    if (ok) memcpy(frames->key, next, size);
    OPENSSL_cleanse(next, sizeof next);
    return ok;
}

static void put(uint8_t *to, uint64_t value, size_t size, bool big_endian) {
    for (size_t i = 0; i < size; i++) to[big_endian ? size - 1 - i : i] = (uint8_t)(value >> 8 * i);
}

static bool move_frame(ea_frames *frames, ea_frame frame, const uint8_t *in, uint8_t *out) {
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
    if (!text(frames->context, frames->sealing, nonce, (ea_bytes){aad, AAD}, in, out, frame.length)) return false;
    frames->number++;
    return frames->number % EA_FRAMES_PER_KEY != 0 || next_key(frames);
}

bool ea_frames_seal(ea_frames *frames, ea_frame frame, const uint8_t *data, uint8_t *shared) {
    return move_frame(frames, frame, data, shared);
}

bool ea_frames_open(ea_frames *frames, ea_frame frame, const uint8_t *shared, uint8_t *data) {
    return move_frame(frames, frame, shared, data);
}
