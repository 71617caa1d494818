#include "cmac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

/* As in crypto.c: held for the life of the process. */
static EVP_CIPHER *cbc;

bool ea_cmac256_start(void) { return ea_told((cbc = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL)) != NULL); }

static void add(uint8_t block[EA_CMAC_BLOCK], const uint8_t other[EA_CMAC_BLOCK]) {
    for (int i = 0; i < EA_CMAC_BLOCK; i++) block[i] ^= other[i];
}

/* Encrypt in place. The mode adds the ciphertext before to each block. For the first that is what came
 * last of the text before this: added once more, it is gone, at no cost of a new beginning. */
static bool encrypt(ea_cmac256 *mac, uint8_t *blocks, size_t size) {
    int done;
    if (mac->context != NULL && EVP_EncryptUpdate(mac->context, blocks, &done, blocks, (int)size) == 1 && (size_t)done == size) {
        memcpy(mac->chain, blocks + size - EA_CMAC_BLOCK, EA_CMAC_BLOCK);
        return true;
    }
    ea_cmac256_end(mac); /* what the mode would add is not known any more */
    return ea_told(false);
}

/* Times x, in the field that SP 800-38B has its subkeys from. */
static void twice(const uint8_t from[EA_CMAC_BLOCK], uint8_t to[EA_CMAC_BLOCK]) {
    uint8_t over = (uint8_t)-(from[0] >> 7); /* no branch on what is secret */
    for (int i = 0; i < EA_CMAC_BLOCK - 1; i++) to[i] = (uint8_t)(from[i] << 1 | from[i + 1] >> 7);
    to[EA_CMAC_BLOCK - 1] = (uint8_t)(from[EA_CMAC_BLOCK - 1] << 1 ^ (over & 0x87));
}

bool ea_cmac256_key(ea_cmac256 *mac, const uint8_t key[32]) {
    uint8_t block[EA_CMAC_BLOCK] = {0};
    *mac = (ea_cmac256){.context = EVP_CIPHER_CTX_new()};
    bool ok = mac->context != NULL && cbc != NULL && EVP_EncryptInit_ex2(mac->context, cbc, key, mac->chain, NULL) == 1 &&
              EVP_CIPHER_CTX_set_padding(mac->context, 0) == 1 && encrypt(mac, block, sizeof block);
    twice(block, mac->whole);
    twice(mac->whole, mac->padded);
    OPENSSL_cleanse(block, sizeof block);
    return ea_told(ok);
}

bool ea_cmac256_of(ea_cmac256 *mac, const void *data, size_t size, uint8_t tag[EA_CMAC_BLOCK]) {
    uint8_t blocks[EA_CMAC_LONGEST];
    if (size > sizeof blocks) return false;
    size_t rest = size % EA_CMAC_BLOCK, filled = size - rest + (rest > 0 || size == 0 ? EA_CMAC_BLOCK : 0);
    if (size > 0) memcpy(blocks, data, size); /* no data may be NULL */
    if (size < filled) {
        blocks[size] = 0x80;
        memset(blocks + size + 1, 0, filled - size - 1);
    }
    add(blocks + filled - EA_CMAC_BLOCK, size < filled ? mac->padded : mac->whole);
    add(blocks, mac->chain);
    bool ok = encrypt(mac, blocks, filled);
    if (ok) memcpy(tag, mac->chain, EA_CMAC_BLOCK);
    OPENSSL_cleanse(blocks, filled);
    return ok;
}

void ea_cmac256_end(ea_cmac256 *mac) {
    EVP_CIPHER_CTX_free(mac->context);
    OPENSSL_cleanse(mac, sizeof *mac);
}
