/* prefixes.c - an address range as the fewest prefixes. */
#include "base/span.h"
#include "dp/routes.h"

/* Trailing zero bits of an address: the widest prefix that may begin there. */
static unsigned trailing_zeros(const uint8_t *a, size_t n)
{
    unsigned bits = 0;
    for (size_t i = n; i-- > 0; bits += 8)
        if (a[i])
            return bits + (unsigned)__builtin_ctz(a[i]);
    return bits;
}

/* last = a with its lowest `bits` bits set. */
static void fill_ones(uint8_t *last, const uint8_t *a, size_t n, unsigned bits)
{
    span_copy(last, span(a, n));
    for (size_t k = 0; k < n; k++) {
        unsigned left = bits > k * 8 ? bits - (unsigned)k * 8 : 0;
        last[n - 1 - k] |= (uint8_t)((1u << (left < 8 ? left : 8)) - 1);
    }
}

/* a += 1; false when it wraps. */
static bool increment(uint8_t *a, size_t n)
{
    for (size_t i = n; i-- > 0;)
        if (++a[i])
            return true;
    return false;
}

size_t prefixes_of(const struct adit_ts *ts, struct prefix *out, size_t max)
{
    size_t n = ts->family == 6 ? 16 : 4, count = 0;
    uint8_t at[16], last[16];
    bool more = span_compare(span(ts->lo, n), span(ts->hi, n)) <= 0;
    span_copy(at, span(ts->lo, n));
    while (more) {
        unsigned bits = trailing_zeros(at, n);
        fill_ones(last, at, n, bits);
        while (span_compare(span(last, n), span(ts->hi, n)) > 0)
            fill_ones(last, at, n, --bits);
        if (count == max)
            return 0;
        out[count] = (struct prefix){ .addr.family = ts->family, .n = (uint8_t)(n * 8 - bits) };
        span_copy(out[count++].addr.ip, span(at, n));
        if (span_compare(span(last, n), span(ts->hi, n)) == 0)
            break;
        span_copy(at, span(last, n));
        more = increment(at, n);
    }
    return count;
}
