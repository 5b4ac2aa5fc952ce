/* wr.h - a writer whose overflow is sticky: write everything, then ask wr_ok() once.
 * Over fixed memory (wr_init) or over a growing buffer (wr_init_buf, up to `max` octets). */
#ifndef BASE_WR_H
#define BASE_WR_H

#include "base/buf.h"

struct wr {
    uint8_t *p;
    size_t n;   /* octets written */
    size_t cap; /* octets that fit now */
    size_t max; /* growing writers: never beyond */
    struct adit_buf *grow;
    size_t next_at; /* wire/payload.h: where the previous payload's Next Payload octet stands */
    uint8_t format; /* wire/payload.h: how headers of payloads are written */
    bool fail;
};

/* Writes into mem[cap], borrowed. */
void wr_init(struct wr *w, void *mem, size_t cap);
/* Starts at buf's beginning (old content dropped); buf->n follows what is written at wr_finish(). */
void wr_init_buf(struct wr *w, struct adit_buf *buf, size_t max);
void wr_u8(struct wr *w, uint8_t v);
void wr_u16(struct wr *w, uint16_t v);
void wr_u32(struct wr *w, uint32_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_span(struct wr *w, struct adit_span s);
void wr_zero(struct wr *w, size_t n);
/* n octets to be filled by the caller before the next write; NULL after overflow. */
uint8_t *wr_space(struct wr *w, size_t n);
/* Changes octets written earlier; `at` must lie before w->n. */
void wr_set_u8(struct wr *w, size_t at, uint8_t v);
void wr_set_u16(struct wr *w, size_t at, uint16_t v);
void wr_set_u32(struct wr *w, size_t at, uint32_t v);
static inline bool wr_ok(const struct wr *w)
{
    return !w->fail;
}
static inline struct adit_span wr_written(const struct wr *w)
{
    return (struct adit_span){ w->p, w->fail ? 0 : w->n };
}
/* Growing writers: sets buf->n; ADIT_ERR_LIMIT after overflow. */
ADIT_MUST_USE enum adit_rc wr_finish(struct wr *w);

#endif
