/* payload.c - the chain of payloads (RFC 7296 s3.2). The order is not judged here. */
#include "wire/payload.h"

#define CRITICAL 0x80
#define PRIVATE_TYPES 128 /* RFC 7296 s3.2: and above */

static bool is_protected(uint8_t type)
{
    return type == PLD_SK || type == PLD_SKF;
}

/* --- the header ------------------------------------------------------------------------------------------------ */

size_t payload_max(enum payload_format f)
{
    return f == PAYLOAD_RESERVED23 ? 0x7fffff : UINT16_MAX;
}

bool payload_hdr_get(struct rd *in, enum payload_format f, struct payload_hdr *out)
{
    out->next = rd_u8(in);
    out->flags = rd_u8(in);
    out->n = rd_u16(in);
    if (f == PAYLOAD_RESERVED23) {
        out->n |= (uint32_t)(out->flags & ~CRITICAL) << 16;
        out->flags &= CRITICAL;
    }
    return rd_require(in, out->n >= PAYLOAD_HDR_SIZE, "payload length below 4");
}

void payload_hdr_put(struct wr *w, enum payload_format f, struct payload_hdr h)
{
    if (h.n > payload_max(f))
        w->fail = true;
    wr_u8(w, h.next);
    wr_u8(w, f == PAYLOAD_RESERVED23 ? (uint8_t)((h.flags & CRITICAL) | h.n >> 16) : h.flags);
    wr_u16(w, (uint16_t)h.n);
}

/* --- the chain ------------------------------------------------------------------------------------------------- */

static bool may_be_big(uint8_t type)
{
    return type == PLD_KE || type == PLD_CERT || type == PLD_AUTH || type >= PRIVATE_TYPES;
}

/* One payload with its generic header; *next is the type of the one after it. */
static bool get_one(struct rd *in, enum payload_format f, uint8_t type, struct payload *out, uint8_t *next)
{
    struct payload_hdr h;
    bool good = payload_hdr_get(in, f, &h);
    *next = h.next;
    if (!good || !rd_require(in, h.n <= UINT16_MAX || may_be_big(type), "payload too long for its type"))
        return false;
    out->type = type;
    out->critical = h.flags & CRITICAL;
    out->body = rd_take(in, h.n - PAYLOAD_HDR_SIZE);
    return rd_ok(in);
}

bool payloads_get_as(struct rd *in, enum payload_format f, uint8_t first, struct payload_list *out, uint8_t *inner)
{
    uint8_t type = first, next = PLD_NONE;
    out->n = 0;
    if (inner)
        *inner = PLD_NONE;
    for (; type != PLD_NONE; type = next) {
        if (!rd_require(in, out->n < PAYLOADS_MAX, "too many payloads"))
            return false;
        if (!get_one(in, f, type, &out->v[out->n], &next))
            return false;
        out->n++;
        if (!is_protected(type))
            continue;
        if (inner)
            *inner = next;
        break; /* RFC 7296 s3.14: always the last one */
    }
    return rd_end(in);
}

bool payloads_get(struct rd *in, uint8_t first, struct payload_list *out, uint8_t *inner)
{
    return payloads_get_as(in, PAYLOAD_RFC7296, first, out, inner);
}

const struct payload *payloads_find(const struct payload_list *list, uint8_t type, unsigned nth)
{
    for (uint16_t i = 0; i < list->n; i++)
        if (list->v[i].type == type && nth-- == 0)
            return &list->v[i];
    return NULL;
}

struct wr_mark wr_payload(struct wr *w, uint8_t type)
{
    struct wr_mark mark = { w->n };
    wr_set_u8(w, w->next_at, type);
    w->next_at = w->n;
    wr_zero(w, PAYLOAD_HDR_SIZE);
    return mark;
}

/* The next payload, if there is one, will write its type into the header. */
void wr_payload_end(struct wr *w, struct wr_mark mark)
{
    uint8_t octets[PAYLOAD_HDR_SIZE];
    struct wr hdr;
    wr_init(&hdr, octets, sizeof(octets));
    payload_hdr_put(&hdr, (enum payload_format)w->format, (struct payload_hdr){ .n = (uint32_t)(w->n - mark.at) });
    if (w->n - mark.at > payload_max((enum payload_format)w->format) || !wr_ok(&hdr))
        w->fail = true;
    for (size_t i = 0; i < sizeof(octets) && wr_ok(w); i++)
        wr_set_u8(w, mark.at + i, octets[i]);
}

void wr_chain(struct wr *w)
{
    w->next_at = w->n;
    wr_u8(w, PLD_NONE);
}

void wr_format(struct wr *w, enum payload_format f)
{
    w->format = (uint8_t)f;
}
