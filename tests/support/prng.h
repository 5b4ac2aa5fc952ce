/* prng.h - the one source of chance in a simulation: the same seed gives the same run (xoshiro256**). */
#ifndef TESTS_PRNG_H
#define TESTS_PRNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prng {
    uint64_t s[4];
};

void prng_init(struct prng *r, uint64_t seed);
uint64_t prng_u64(struct prng *r);
/* 0 .. n-1; 0 if n is 0. */
uint64_t prng_below(struct prng *r, uint64_t n);
/* true with probability p; draws nothing if p is 0, so that a perfect link doesn't shift the sequence. */
bool prng_chance(struct prng *r, double p);
/* adit_random_fn: arg is a struct prng. */
bool prng_fill(void *arg, uint8_t *out, size_t n);

#endif
