/* wr.c - the sticky writer. Every write goes through wr_space(), the only place that grows or compares. */
#include "base/wr.h"

#define SMALLEST ((size_t)256) /* octets: the first allocation of a growing writer */

void wr_init(struct wr *w, void *mem, size_t cap)
{
    *w = (struct wr){ .p = mem, .cap = cap, .max = cap };
}

void wr_init_buf(struct wr *w, struct adit_buf *buf, size_t max)
{
    buf->n = 0;
    *w = (struct wr){ .p = buf->p, .cap = buf->cap < max ? buf->cap : max, .max = max, .grow = buf };
}

static bool grow(struct wr *w, size_t n)
{
    if (!w->grow || n > w->max)
        return false;
    size_t cap = n < w->max / 2 ? n * 2 : w->max;
    if (cap < SMALLEST)
        cap = SMALLEST < w->max ? SMALLEST : w->max;
    if (buf_reserve(w->grow, cap) != ADIT_OK)
        return false;
    w->p = w->grow->p;
    w->cap = cap;
    return true;
}

uint8_t *wr_space(struct wr *w, size_t n)
{
    if (w->fail || n > SIZE_MAX - w->n || (w->n + n > w->cap && !grow(w, w->n + n))) {
        w->fail = true;
        return NULL;
    }
    uint8_t *p = w->n ? w->p + w->n : w->p;
    w->n += n;
    return p;
}

static void big_endian(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = n; i-- > 0; v >>= 8)
        p[i] = (uint8_t)v;
}

static void put(struct wr *w, uint64_t v, size_t n)
{
    uint8_t *p = wr_space(w, n);
    if (p)
        big_endian(p, v, n);
}

static void change(struct wr *w, size_t at, uint64_t v, size_t n)
{
    if (w->fail || at > w->n || n > w->n - at)
        w->fail = true;
    else
        big_endian(w->p + at, v, n);
}

void wr_u8(struct wr *w, uint8_t v)
{
    put(w, v, 1);
}

void wr_u16(struct wr *w, uint16_t v)
{
    put(w, v, 2);
}

void wr_u32(struct wr *w, uint32_t v)
{
    put(w, v, 4);
}

void wr_u64(struct wr *w, uint64_t v)
{
    put(w, v, 8);
}

void wr_span(struct wr *w, struct adit_span s)
{
    uint8_t *p = wr_space(w, s.n);
    if (p)
        span_copy(p, s);
}

void wr_zero(struct wr *w, size_t n)
{
    uint8_t *p = wr_space(w, n);
    if (p && n)
        memset(p, 0, n);
}

void wr_set_u8(struct wr *w, size_t at, uint8_t v)
{
    change(w, at, v, 1);
}

void wr_set_u16(struct wr *w, size_t at, uint16_t v)
{
    change(w, at, v, 2);
}

void wr_set_u32(struct wr *w, size_t at, uint32_t v)
{
    change(w, at, v, 4);
}

enum adit_rc wr_finish(struct wr *w)
{
    if (w->grow)
        w->grow->n = w->fail ? 0 : w->n;
    return w->fail ? ADIT_ERR_LIMIT : ADIT_OK;
}
