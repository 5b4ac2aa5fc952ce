/* agg_out.c - inner packets to payloads (RFC 9347 s2.2): a queue of octets, from whose front payloads are cut. */
#include "base/mem.h"
#include "esp/agg.h"
#include "wire/be.h"

#define RING_MIN 65536u

void agg_out_init(struct agg_out *out, uint32_t max, bool whole)
{
    *out = (struct agg_out){ .max = max, .whole = whole };
}

void agg_out_fini(struct agg_out *out)
{
    mem_del(out->ring);
}

static void ring_read(struct agg_out *out, uint8_t *to, uint32_t n, bool keep)
{
    uint32_t first = out->cap - out->at < n ? out->cap - out->at : n;
    span_copy(span_copy(to, span(out->ring + out->at, first)), span(out->ring, n - first));
    if (keep)
        return;
    out->at = (out->at + n) & (out->cap - 1);
    out->n -= n;
}

static bool ring_grow(struct agg_out *out, uint32_t n)
{
    uint32_t cap = out->cap ? out->cap : RING_MIN;
    while (cap < n)
        cap *= 2;
    if (cap == out->cap)
        return true;
    uint8_t *ring = mem_new(cap);
    if (!ring)
        return false;
    if (out->n)
        ring_read(out, ring, out->n, true);
    mem_del(out->ring);
    out->ring = ring;
    out->cap = cap;
    out->at = 0;
    return true;
}

bool agg_out_put(struct agg_out *out, const uint8_t *packet, uint32_t n, uint64_t now)
{
    if (n > AGG_INNER_MAX || n > out->max || out->n > out->max - n || !ring_grow(out, out->n + n))
        return false;
    uint32_t at = (out->at + out->n) & (out->cap - 1), first = out->cap - at < n ? out->cap - at : n;
    span_copy(out->ring + at, span(packet, first));
    span_copy(out->ring, span(packet + first, n - first));
    if (!out->n)
        out->since = now;
    out->n += n;
    return true;
}

/* May the packet in front begin in so much room? Then it is on its way. */
static bool begin(struct agg_out *out, uint32_t room)
{
    uint8_t start[AGG_SIZE_KNOWN];
    if (!out->n)
        return false;
    ring_read(out, start, AGG_SIZE_KNOWN, true);
    uint32_t size = agg_inner_size(start, AGG_SIZE_KNOWN);
    if (size > room && (out->whole || room < AGG_SIZE_KNOWN))
        return false;
    out->left = size;
    return true;
}

uint32_t agg_out_fill(struct agg_out *out, uint8_t *p, uint32_t room, bool pad, uint32_t *inner)
{
    uint32_t n = AGG_HDR_SIZE;
    be16_put(p, 0); /* Sub-Type, Reserved */
    be16_put(p + 2, (uint16_t)out->left);
    while (n < room && (out->left || begin(out, room - n))) {
        uint32_t take = out->left < room - n ? out->left : room - n;
        ring_read(out, p + n, take, false);
        out->left -= take;
        n += take;
    }
    *inner = n - AGG_HDR_SIZE;
    if (!pad)
        return n;
    mem_wipe(p + n, room - n); /* a block of padding, if anything */
    return room;
}
