/* buf.c - owned bytes. Growing copies into a new block and wipes the old one, so that no plaintext stays
 * behind in freed memory (realloc would leave it). */
#include "base/buf.h"
#include "base/mem.h"

#define SMALLEST 64u /* octets: the first allocation of a growing buffer */

enum adit_rc buf_reserve(struct adit_buf *buf, size_t cap)
{
    if (cap <= buf->cap)
        return ADIT_OK;
    uint8_t *p = mem_new(cap);
    if (!p)
        return ADIT_ERR_MEMORY;
    size_t n = buf->n;
    if (buf->cap) {
        memcpy(p, buf->p, buf->cap); /* all of it: a writer's octets are not counted in n yet */
        buf_wipe(buf);
    }
    *buf = (struct adit_buf){ p, n, cap };
    return ADIT_OK;
}

/* Doubles, so that many small appends cost linear time. */
static enum adit_rc grow_to(struct adit_buf *buf, size_t n)
{
    if (n <= buf->cap)
        return ADIT_OK;
    size_t cap = buf->cap < SMALLEST / 2 ? SMALLEST : buf->cap * 2;
    return buf_reserve(buf, cap > n ? cap : n);
}

enum adit_rc buf_set(struct adit_buf *buf, struct adit_span s)
{
    if (buf_reserve(buf, s.n) != ADIT_OK)
        return ADIT_ERR_MEMORY;
    span_copy(buf->p, s);
    buf->n = s.n;
    return ADIT_OK;
}

enum adit_rc buf_resize(struct adit_buf *buf, size_t n)
{
    if (grow_to(buf, n) != ADIT_OK)
        return ADIT_ERR_MEMORY;
    if (n > buf->n)
        memset(buf->p + buf->n, 0, n - buf->n);
    buf->n = n;
    return ADIT_OK;
}

enum adit_rc buf_append(struct adit_buf *buf, struct adit_span s)
{
    if (s.n == 0)
        return ADIT_OK; /* nothing may be there to point into yet */
    if (s.n > SIZE_MAX - buf->n || grow_to(buf, buf->n + s.n) != ADIT_OK)
        return ADIT_ERR_MEMORY;
    span_copy(buf->p + buf->n, s);
    buf->n += s.n;
    return ADIT_OK;
}

void buf_fini(struct adit_buf *buf)
{
    mem_del(buf->p);
    *buf = (struct adit_buf){ 0 };
}

void buf_wipe(struct adit_buf *buf)
{
    mem_wipe(buf->p, buf->cap);
    buf_fini(buf);
}

void buf_move(struct adit_buf *to, struct adit_buf *from)
{
    if (to == from)
        return;
    buf_fini(to);
    *to = *from;
    *from = (struct adit_buf){ 0 };
}
