/* hold.c - packets that wait for an SA. */
#include "dp/hold.h"

static unsigned count_of(const struct hold *h, uint32_t reqid)
{
    unsigned n = 0;
    for (size_t i = 0; i < HOLD_SLOTS; i++)
        n += h->slots[i].n && h->slots[i].reqid == reqid;
    return n;
}

bool hold_put(struct hold *h, uint32_t reqid, struct adit_span packet, uint64_t now)
{
    if (!packet.n || packet.n > HOLD_OCTETS || h->n == HOLD_SLOTS || count_of(h, reqid) >= HOLD_PER_POLICY)
        return false;
    struct held *slot = h->slots;
    while (slot->n)
        slot++;
    slot->reqid = reqid;
    slot->n = (uint16_t)packet.n;
    slot->until = now + HOLD_NS;
    slot->order = ++h->order;
    span_copy(slot->mem + ESP_HEADROOM, packet);
    h->n++;
    return true;
}

struct held *hold_next(struct hold *h, uint64_t *from)
{
    struct held *best = NULL;
    for (size_t i = 0; i < HOLD_SLOTS && h->n; i++) {
        struct held *s = &h->slots[i];
        if (s->n && s->order >= *from && (!best || s->order < best->order))
            best = s;
    }
    if (best)
        *from = best->order + 1;
    return best;
}

void hold_free(struct hold *h, struct held *slot)
{
    slot->n = 0;
    h->n--;
}

unsigned hold_expire(struct hold *h, uint64_t now)
{
    unsigned n = 0;
    for (size_t i = 0; i < HOLD_SLOTS; i++) {
        if (h->slots[i].n && now >= h->slots[i].until) {
            hold_free(h, &h->slots[i]);
            n++;
        }
    }
    return n;
}
