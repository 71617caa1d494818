/* SipHash-2-4 with 128 bits (J.-P. Aumasson, D. J. Bernstein, INDOCRYPT 2012, and their reference code).
 *
 * The hash of keys in a store that is not encrypted, and a check against accidents. Its keys are
 * no secrets here, so it is no cryptography; libcrypto's costs a quarter of a microsecond a call.
 */
#ifndef EA_SIPHASH_H
#define EA_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

void ea_siphash128(const uint8_t key[16], const void *data, size_t size, uint8_t out[16]);

#endif
