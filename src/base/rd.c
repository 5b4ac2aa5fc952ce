/* rd.c - the shrinking reader. Every access goes through advance(), the only place that compares lengths. */
#include "base/rd.h"

static void fail(struct rd *in, const char *reason)
{
    if (!in->fail)
        in->fail = reason;
    in->n = 0; /* nothing more to be had; `at` keeps the place */
}

/* The next n octets, or NULL. */
static const uint8_t *advance(struct rd *in, size_t n)
{
    if (in->fail || n > in->n) {
        fail(in, "too short");
        return NULL;
    }
    const uint8_t *p = in->p;
    if (n)
        in->p += n;
    in->n -= n;
    in->at += n;
    return p;
}

static uint64_t big_endian(struct rd *in, size_t n)
{
    uint64_t v = 0;
    const uint8_t *p = advance(in, n);
    for (size_t i = 0; p && i < n; i++)
        v = v << 8 | p[i];
    return v;
}

struct rd rd_init(struct adit_span s)
{
    return (struct rd){ .p = s.p, .n = s.n };
}

uint8_t rd_u8(struct rd *in)
{
    return (uint8_t)big_endian(in, 1);
}

uint16_t rd_u16(struct rd *in)
{
    return (uint16_t)big_endian(in, 2);
}

uint32_t rd_u32(struct rd *in)
{
    return (uint32_t)big_endian(in, 4);
}

uint64_t rd_u64(struct rd *in)
{
    return big_endian(in, 8);
}

struct adit_span rd_take(struct rd *in, size_t n)
{
    const uint8_t *p = advance(in, n);
    return span(p, p ? n : 0);
}

struct adit_span rd_rest(struct rd *in)
{
    return rd_take(in, in->n);
}

void rd_skip(struct rd *in, size_t n)
{
    (void)advance(in, n);
}

struct rd rd_sub(struct rd *in, size_t n)
{
    struct rd child = { .at = in->at };
    child.p = advance(in, n);
    child.n = rd_ok(in) ? n : 0;
    child.fail = in->fail;
    return child;
}

bool rd_join(struct rd *in, const struct rd *child)
{
    if (child->fail && !in->fail) {
        fail(in, child->fail);
        in->at = child->at;
    }
    return rd_ok(in);
}

bool rd_require(struct rd *in, bool cond, const char *reason)
{
    if (!cond)
        fail(in, reason);
    return rd_ok(in);
}

bool rd_end(struct rd *in)
{
    return rd_require(in, in->n == 0, "octets left over");
}
