/* What verifying an SGX quote needs besides hashing: ECDSA P-256, and the certificates that
 * lead from the processor's key to a root. */
#ifndef EA_QUOTE_H
#define EA_QUOTE_H

#include "crypto.h"

enum { EA_P256 = 64 }; /* of a key, X and Y, and of a signature, r and s; all big-endian */

/* Look up once what is needed: a sealed enclave opens no file. */
bool ea_quote_start(void);

/* Whether `signature` is one of SHA-256 of `data` under `key`. */
bool ea_p256_verify(const uint8_t key[EA_P256], const uint8_t signature[EA_P256], ea_bytes data);

/* The key of the first certificate of `chain` (PEM), if it is a PCK certificate of a processor
 * and the others lead from it to `root` (one certificate, PEM). Dates are not looked at, for
 * an enclave has no clock that it could trust. */
bool ea_pck_key(ea_bytes root, ea_bytes chain, uint8_t key[EA_P256]);

#endif
