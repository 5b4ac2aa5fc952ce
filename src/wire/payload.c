/* payload.c - the chain of payloads (RFC 7296 s3.2). The order is not judged here. */
#include "wire/payload.h"

#define GENERIC_SIZE 4 /* Next Payload, C | RESERVED, Payload Length */
#define CRITICAL 0x80

static bool is_protected(uint8_t type)
{
    return type == PLD_SK || type == PLD_SKF;
}

/* One payload with its generic header; *next is the type of the one after it. */
static bool get_one(struct rd *in, uint8_t type, struct payload *out, uint8_t *next)
{
    *next = rd_u8(in);
    out->type = type;
    out->critical = rd_u8(in) & CRITICAL;
    uint16_t n = rd_u16(in);
    if (!rd_require(in, n >= GENERIC_SIZE, "payload length below 4"))
        return false;
    out->body = rd_take(in, (size_t)n - GENERIC_SIZE);
    return rd_ok(in);
}

bool payloads_get(struct rd *in, uint8_t first, struct payload_list *out, uint8_t *inner)
{
    uint8_t type = first, next = PLD_NONE;
    out->n = 0;
    if (inner)
        *inner = PLD_NONE;
    for (; type != PLD_NONE; type = next) {
        if (!rd_require(in, out->n < PAYLOADS_MAX, "too many payloads"))
            return false;
        if (!get_one(in, type, &out->v[out->n], &next))
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
    wr_zero(w, GENERIC_SIZE);
    return mark;
}

void wr_payload_end(struct wr *w, struct wr_mark mark)
{
    size_t n = w->n - mark.at;
    if (n > UINT16_MAX)
        w->fail = true;
    wr_set_u16(w, mark.at + 2, (uint16_t)n);
}

void wr_chain(struct wr *w)
{
    w->next_at = w->n;
    wr_u8(w, PLD_NONE);
}
