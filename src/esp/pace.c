/* pace.c - what an SA sends by itself: dummy packets at fixed times (RFC 4303 s2.6), payloads of a stream (mode/stream.c). */
#include "base/mem.h"
#include "esp/sa.h"
#include "wire/ip.h"

#define SECOND_NS UINT64_C(1000000000)
#define LATE_NS (SECOND_NS / 10) /* who was kept from sending for longer begins anew: no flood at the end of a pause */

void pace_init(struct esp_pace *p, uint32_t rate)
{
    p->interval_ns = rate ? SECOND_NS / rate : 0;
    p->interval_ns += rate && !p->interval_ns;
}

size_t pace_due(struct esp_pace *p, uint64_t now, size_t max)
{
    if (!p->interval_ns || now < p->next_at)
        return 0;
    if (now - p->next_at > LATE_NS + p->interval_ns)
        p->next_at = now;
    uint64_t n = (now - p->next_at) / p->interval_ns + 1;
    n = n < max ? n : max;
    p->next_at += n * p->interval_ns;
    return (size_t)n;
}

uint64_t esp_sa_due(const struct esp_sa *sa)
{
    bool may = sa->active && !sa->expired;
    if (may && sa->stream)
        return stream_due(sa);
    return may && sa->pace.interval_ns ? sa->pace.next_at : UINT64_MAX;
}

/* Zeros: nobody sees them. */
static bool put_dummy(const struct esp_sa *sa, struct esp_pkt *pkt, struct esp_frame *f)
{
    uint32_t room = esp_room(sa, pkt);
    uint32_t n = sa->tfc ? esp_tfc_size(sa, 0) : esp_inner_max(sa, 0);
    if (!room)
        return false;
    n = n < room ? n : room;
    pkt->len = n;
    pkt->tos = 0;
    pkt->df = sa->df == ADIT_DF_SET;
    pkt->verdict = ESP_OK;
    *f = (struct esp_frame){
        .pkt = pkt, .payload = pkt->buf + pkt->off, .n = n, .next_header = IP_PROTO_NO_NEXT
    };
    mem_wipe(f->payload, n);
    return true;
}

static size_t dummies(struct esp_sa *sa, struct esp_pkt **pkts, size_t n, struct esp_frame *frames, uint64_t now)
{
    size_t m = 0;
    n = pace_due(&sa->pace, now, n);
    while (m < n && put_dummy(sa, pkts[m], &frames[m]))
        m++;
    sa->out.dummies += m;
    return m;
}

size_t esp_pace_batch(struct esp_sa *sa, struct esp_pkt **pkts, size_t n, uint64_t now)
{
    struct esp_frame frames[ESP_CHUNK];
    if (esp_seal_ready(sa, now) != ESP_OK)
        return 0;
    n = n < ESP_CHUNK ? n : ESP_CHUNK;
    n = sa->stream ? stream_frames(sa, pkts, n, frames, now) : dummies(sa, pkts, n, frames, now);
    esp_seal_frames(sa, frames, n, esp_outer_put, now);
    return n;
}
