/* adit/crypto.h - the set of algorithms that an engine works with. */
#ifndef ADIT_CRYPTO_H
#define ADIT_CRYPTO_H

#include "adit/base.h"

#pragma GCC visibility push(default) /* what follows is the library's interface */

struct adit_crypto;

/* Fills out[n] with random octets; false = no entropy. */
typedef bool adit_random_fn(void *arg, uint8_t *out, size_t n);

/* Everything that the libraries offer. random = NULL: the libraries' own generators (production, thread-safe).
 * Otherwise *all* key generation takes its randomness from it (deterministic tests; single thread only).
 * NULL and *why if a library is missing or too old. */
struct adit_crypto *adit_crypto_new(adit_random_fn *random, void *arg, struct adit_why *why);
void adit_crypto_free(struct adit_crypto *c);
/* Random octets from the set's generator. */
ADIT_MUST_USE bool adit_crypto_random(struct adit_crypto *c, uint8_t *out, size_t n);

#pragma GCC visibility pop
#endif
