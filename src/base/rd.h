/* rd.h - a reader that can only shrink. A read past the end gives 0 and the reader *fails for good*, with the
 * place and the reason of the first failure; a child from rd_sub() can't leave its parent, and its failure has
 * to be taken over with rd_join(). */
#ifndef BASE_RD_H
#define BASE_RD_H

#include "base/span.h"

struct rd {
    const uint8_t *p;
    size_t n;         /* octets left */
    size_t at;        /* octets consumed, counted from the outermost parent's start */
    const char *fail; /* NULL, or why it failed (a literal) */
};

/* rd_init borrows s; all others read in network order, and give 0 or an empty span past the end. */
struct rd rd_init(struct adit_span s);
uint8_t rd_u8(struct rd *in);
uint16_t rd_u16(struct rd *in);
uint32_t rd_u32(struct rd *in);
uint64_t rd_u64(struct rd *in);
struct adit_span rd_take(struct rd *in, size_t n);
struct adit_span rd_rest(struct rd *in);
void rd_skip(struct rd *in, size_t n);
/* A reader of the next n octets, which the parent skips. Too few: both fail. */
struct rd rd_sub(struct rd *in, size_t n);
/* Takes a finished child's failure over; true if there was none. */
bool rd_join(struct rd *in, const struct rd *child);
/* For loops: something is left and nothing has failed. */
static inline bool rd_more(const struct rd *in)
{
    return !in->fail && in->n > 0;
}
static inline bool rd_ok(const struct rd *in)
{
    return !in->fail;
}
/* Fails with `reason` unless cond; returns whether the reader is still good. */
bool rd_require(struct rd *in, bool cond, const char *reason);
/* All consumed? Otherwise fails with "octets left over". */
bool rd_end(struct rd *in);

#endif
