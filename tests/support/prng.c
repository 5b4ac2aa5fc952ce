/* prng.c - xoshiro256** (Blackman, Vigna), seeded by splitmix64. */
#include "support/prng.h"

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void prng_init(struct prng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        r->s[i] = z ^ (z >> 31);
    }
}

uint64_t prng_u64(struct prng *r)
{
    uint64_t *s = r->s, out = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return out;
}

uint64_t prng_below(struct prng *r, uint64_t n)
{
    return n ? prng_u64(r) % n : 0;
}

bool prng_chance(struct prng *r, double p)
{
    return p > 0 && (double)(prng_u64(r) >> 11) * 0x1.0p-53 < p;
}

bool prng_fill(void *arg, uint8_t *out, size_t n)
{
    struct prng *r = arg;
    for (uint64_t i = 0, v = 0; i < n; i++, v >>= 8) {
        if (i % 8 == 0)
            v = prng_u64(r);
        out[i] = (uint8_t)v;
    }
    return true;
}
