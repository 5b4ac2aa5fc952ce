/* span.h - borrowed bytes: making, slicing and comparing them. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <string.h>
#include "adit/base.h"

#define SPAN_LIT(s) ((struct adit_span){ (const uint8_t *)(s), sizeof(s) - 1 })
#define SPAN_ARRAY(a) ((struct adit_span){ (const uint8_t *)(a), sizeof(a) })
#define SPAN_NONE ((struct adit_span){ NULL, 0 })
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static inline struct adit_span span(const void *p, size_t n)
{
    return (struct adit_span){ p, n };
}

static inline struct adit_span span_str(const char *s)
{
    return (struct adit_span){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

/* For public bytes only: secrets are compared by secret_equal(). */
static inline bool span_equal(struct adit_span a, struct adit_span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Octet by octet; a proper prefix is lower (the nonce rule of RFC 7296 s2.8.1 wants exactly this). */
static inline int span_compare(struct adit_span a, struct adit_span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n ? memcmp(a.p, b.p, n) : 0;
    return d ? d : (a.n > b.n) - (a.n < b.n);
}

/* The part from `from` on; empty if there is none. */
static inline struct adit_span span_from(struct adit_span s, size_t from)
{
    return from >= s.n ? (struct adit_span){ s.n ? s.p + s.n : s.p, 0 }
                       : (struct adit_span){ s.p + from, s.n - from };
}

/* The first n octets, or all if there are fewer. */
static inline struct adit_span span_first(struct adit_span s, size_t n)
{
    return (struct adit_span){ s.p, n < s.n ? n : s.n };
}

/* Copies s to out, which must hold s.n octets; returns the octet after it. */
static inline uint8_t *span_copy(uint8_t *out, struct adit_span s)
{
    if (s.n)
        memcpy(out, s.p, s.n);
    return s.n ? out + s.n : out; /* NULL + 0 is undefined in C17 */
}

#endif
