/* buf.h - owned bytes on the heap. { 0 } is an empty buffer; buf_fini() of it is fine. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/span.h"

struct adit_buf {
    uint8_t *p;
    size_t n;   /* octets in use */
    size_t cap; /* octets allocated */
};

/* Replaces the contents by a copy of s. ADIT_ERR_MEMORY: buf unchanged. s may not lie inside buf. */
ADIT_MUST_USE enum adit_rc buf_set(struct adit_buf *buf, struct adit_span s);
/* Makes it n octets long (new ones zero, old ones kept). */
ADIT_MUST_USE enum adit_rc buf_resize(struct adit_buf *buf, size_t n);
ADIT_MUST_USE enum adit_rc buf_append(struct adit_buf *buf, struct adit_span s);
/* Capacity for at least cap octets in all. */
ADIT_MUST_USE enum adit_rc buf_reserve(struct adit_buf *buf, size_t cap);
void buf_fini(struct adit_buf *buf);
/* Wipes, then frees: for buffers that held plaintext. */
void buf_wipe(struct adit_buf *buf);

static inline struct adit_span buf_span(const struct adit_buf *buf)
{
    return (struct adit_span){ buf->p, buf->n };
}

/* Moves the bytes from `from` to `to` (whose old bytes are freed). */
void buf_move(struct adit_buf *to, struct adit_buf *from);

#endif
