/* handover.c - packets that reached the wrong worker: copied into a ring to the one that owns the SA, which works on
 * them in place. */
#include "dp/worker.h"

#define ROOM_FOR_ANY (2 * (65536 + 1024))
#define TAKE_MAX 32

struct handed {
    bool out;
    uint8_t hops, tos;
    uint32_t n;
    struct esp_gso gso;
    struct adit_path from;
};

static bool ring_put(struct ring *r, const struct handed *h, struct adit_span data)
{
    size_t whole = sizeof(*h) + ESP_HEADROOM + h->n + ESP_TAILROOM;
    uint8_t *p = ring_reserve(r, whole, 0);
    if (!p)
        return false;
    *(struct handed *)(void *)p = *h;
    span_copy(p + sizeof(*h) + ESP_HEADROOM, data);
    ring_commit(r, whole);
    return true;
}

static bool record_put(struct worker *w, unsigned to, const struct handed *h, struct adit_span data)
{
    if (!ring_put(worker_ring(w, to), h, data))
        return false;
    w->handed |= 1ull << to % 64;
    return true;
}

bool handover_out(struct worker *w, unsigned to, const struct esp_gso *gso, struct adit_span packet,
                  unsigned hops)
{
    struct handed h = { .out = true, .hops = (uint8_t)(hops + 1), .n = (uint32_t)packet.n, .gso = *gso };
    return record_put(w, to, &h, packet);
}

bool handover_in(struct worker *w, unsigned to, struct adit_span datagram, uint8_t tos,
                 const struct adit_path *from)
{
    struct handed h = { .tos = tos, .n = (uint32_t)datagram.n, .from = *from };
    return record_put(w, to, &h, datagram);
}

bool handover_esp(struct dp_shared *s, unsigned to, struct adit_span packet, const struct adit_path *from)
{
    struct handed h = { .n = (uint32_t)packet.n, .from = *from };
    return ring_put(&s->rings[s->n * s->n + to], &h, packet);
}

bool handover_ready(struct worker *w)
{
    const struct dp_shared *s = dp_shared_of(w->dp);
    for (unsigned to = 0; to < s->n; to++)
        if (to != w->i && ring_room(worker_ring(w, to)) < ROOM_FOR_ANY)
            return false;
    return true;
}

static unsigned take_from(struct worker *w, struct ring *r)
{
    unsigned taken = 0;
    uint8_t *p;
    size_t n;
    while (taken < TAKE_MAX && (p = ring_peek(r, &n))) {
        struct handed *h = (struct handed *)(void *)p;
        uint8_t *data = p + sizeof(*h) + ESP_HEADROOM;
        if (h->out)
            egress_packet(w, &h->gso, data, h->n, h->hops);
        else
            ingress_esp(w, data, h->n, h->tos, &h->from);
        taken++;
    }
    if (taken) {
        egress_flush(w);
        ingress_flush(w);
        ring_release(r);
    }
    return taken;
}

unsigned handover_take(struct worker *w)
{
    struct dp_shared *s = dp_shared_of(w->dp);
    unsigned taken = 0;
    for (unsigned from = 0; from <= s->n; from++)
        if (from != w->i)
            taken += take_from(w, &s->rings[from * s->n + w->i]);
    return taken;
}

void handover_kick(struct worker *w)
{
    struct dp_shared *s = dp_shared_of(w->dp);
    for (unsigned to = 0; w->handed && to < s->n; to++)
        if (w->handed >> to % 64 & 1)
            worker_kick(&s->workers[to]);
    w->handed = 0;
}
