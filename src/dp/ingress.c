/* ingress.c - from the wire to the TUN: split trains, sort out IKE and keepalives (RFC 3948 s2.2), open in batches,
 * merge segments of a flow into one write. Datagrams are opened where they were received. */
#include <errno.h>
#include <stdlib.h>
#include "dp/mss.h"
#include "dp/worker.h"
#include "wire/be.h"
#include "wire/udpencap.h"

#define RUN_BYTES 65535
#define SLOT_SIZE 2304 /* headroom and a datagram of an Ethernet link */

enum adit_rc ingress_init(struct ingress *in)
{
    in->rx = net_rx_new(INGRESS_RECV);
    in->slots = aligned_alloc(64, (size_t)SLOT_SIZE * INGRESS_MAX);
    if (!in->rx || !in->slots)
        return ADIT_ERR_MEMORY;
    for (size_t i = 0; i < COALESCE_RUNS; i++) {
        in->run[i].buf = aligned_alloc(64, ESP_HEADROOM + 65536 + ESP_TAILROOM + 32);
        if (!in->run[i].buf)
            return ADIT_ERR_MEMORY;
    }
    return ADIT_OK;
}

void ingress_fini(struct ingress *in)
{
    net_rx_free(in->rx);
    free(in->slots);
    for (size_t i = 0; i < COALESCE_RUNS; i++)
        free(in->run[i].buf);
}

/* --- to the TUN ----------------------------------------------------------------------------------------------- */

static void run_flush(struct worker *w, struct run *r)
{
    struct virtio_net_hdr h = { 0 };
    if (!r->used)
        return;
    r->used = false;
    if (r->gso.type) {
        h.gso_type = r->gso.type;
        h.gso_size = r->gso.size;
        h.hdr_len = r->gso.hdr_len;
    }
    if (r->gso.needs_csum) {
        h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        h.csum_start = r->gso.csum_start;
        h.csum_offset = r->gso.csum_offset;
    }
    if (net_tun_write(w->tun, &h, r->head.buf + r->head.off, r->head.len))
        COUNT(w, rx_errors);
}

static void run_hold(struct run *r)
{
    if (r->copied)
        return;
    span_copy(r->buf + ESP_HEADROOM, span(r->head.buf + r->head.off, r->head.len));
    r->head.buf = r->buf;
    r->head.off = ESP_HEADROOM;
    r->head.cap = ESP_HEADROOM + RUN_BYTES + ESP_TAILROOM;
    r->copied = true;
}

/* The run's packet lies in the receive buffer until a second one comes to follow it. */
static bool run_continue(struct run *r, const struct esp_pkt *p)
{
    run_hold(r);
    return esp_coalesce(&r->head, &r->gso, p);
}

/* A flow always has the same run, so that its packets stay in order. */
static void deliver(struct worker *w, struct esp_pkt *p, const struct ip_packet *ip)
{
    bool may_merge = ip->proto == IP_PROTO_TCP || (ip->proto == IP_PROTO_UDP && w->uso);
    uint64_t hash = flow_hash(ip, w->flows->seed);
    struct run *r = &w->in.run[hash % COALESCE_RUNS];
    if (r->used && may_merge && r->hash == hash && run_continue(r, p))
        return;
    run_flush(w, r);
    *r = (struct run){ .head = *p, .used = true, .hash = hash, .buf = r->buf };
}

static void accept_packet(struct worker *w, struct dp_sa *sa, struct esp_pkt *p)
{
    struct ip_packet ip;
    struct rd in = rd_init(span(p->buf + p->off, p->len));
    COUNT(w, packets_in);
    COUNT_ADD(w, bytes_in, p->len);
    if (!ip_get(&in, &ip)) {
        COUNT(w, drops[ESP_MALFORMED]);
        return;
    }
    if (dp_shared_of(w->dp)->clamp &&
        mss_clamp(p->buf + p->off, &ip, atomic_load_explicit(&sa->inner_mtu, memory_order_relaxed)))
        COUNT(w, mss_clamped);
    deliver(w, p, &ip);
}

/* --- streams: inner packets lie in payloads, or where their pieces were joined: they are copied --- */

struct receiver {
    struct worker *w;
    struct dp_sa *sa;
};

static void hold_runs(struct ingress *in)
{
    for (size_t i = 0; i < COALESCE_RUNS; i++)
        if (in->run[i].used)
            run_hold(&in->run[i]);
}

static void inner_packet(void *arg, enum esp_verdict verdict, uint8_t *packet, uint32_t n)
{
    const struct receiver *r = arg;
    struct esp_pkt p = { .buf = packet, .cap = n, .len = n };
    if (verdict == ESP_OK) {
        accept_packet(r->w, r->sa, &p);
        hold_runs(&r->w->in);
    } else {
        COUNT(r->w, drops[verdict & 15]);
    }
}

static void take_piece(struct worker *w, struct dp_sa *sa, const struct esp_pkt *p)
{
    struct receiver r = { w, sa };
    esp_stream_take(sa->esp, p, w->now, inner_packet, &r);
    pace_hint(w, sa);
}

static void flush_runs(struct worker *w)
{
    for (size_t i = 0; i < COALESCE_RUNS; i++)
        run_flush(w, &w->in.run[i]);
}

void ingress_expire(struct worker *w, struct dp_sa *sa)
{
    struct receiver r = { w, sa };
    esp_stream_expire(sa->esp, w->now, inner_packet, &r);
    worker_touch(w, sa);
    flush_runs(w);
}

void ingress_flush(struct worker *w)
{
    struct ingress *in = &w->in;
    struct dp_sa *sa = NULL;
    if (!in->n)
        return;
    esp_open_batch(w->table, in->list, in->n, w->now);
    for (size_t i = 0; i < in->n; i++) {
        struct esp_pkt *p = in->list[i];
        if (p->sa && (!sa || sa->esp != p->sa)) {
            sa = map_get(&w->by_spi, esp_sa_spi_in(p->sa));
            if (sa)
                worker_touch(w, sa);
        }
        if (p->verdict == ESP_OK && sa)
            accept_packet(w, sa, p);
        else if (p->verdict == ESP_STREAM && sa)
            take_piece(w, sa, p);
        else
            COUNT(w, drops[p->verdict & 15]);
    }
    flush_runs(w);
    in->n = in->slot_n = 0;
}

/* --- from the wire -------------------------------------------------------------------------------------------- */

/* In transport mode the inner header is written in front of the payload: in a train that would be the end of the packet
 * before. */
static bool writes_in_front(struct worker *w, uint32_t spi)
{
    const struct dp_sa *sa = map_get(&w->by_spi, spi);
    return sa && sa->transport;
}

static void piece_add(struct worker *w, uint8_t *data, uint32_t n, uint8_t tos, const struct adit_path *from,
                      bool in_train)
{
    struct ingress *in = &w->in;
    bool move = in_train && writes_in_front(w, be32_get(data));
    if (move && n > SLOT_SIZE - ESP_HEADROOM) {
        ingress_flush(w); /* too long for a slot: nobody needs the one before any more */
        move = false;
    }
    struct esp_pkt *p = &in->pkt[in->n];
    *p = (struct esp_pkt){ .buf = data - ESP_HEADROOM,
                           .cap = ESP_HEADROOM + n,
                           .off = ESP_HEADROOM,
                           .len = n,
                           .tos = tos,
                           .from = from };
    if (move) {
        p->buf = in->slots + in->slot_n++ * SLOT_SIZE;
        span_copy(p->buf + ESP_HEADROOM, span(data, n));
    }
    in->list[in->n++] = p;
}

static void esp_in(struct worker *w, uint8_t *data, uint32_t n, uint8_t tos, const struct adit_path *from,
                   bool in_train)
{
    unsigned owner = be32_get(data) % dp_shared_of(w->dp)->n;
    if (owner == w->i)
        piece_add(w, data, n, tos, from, in_train);
    else if (!handover_in(w, owner, span(data, n), tos, from))
        COUNT(w, rx_errors);
}

void ingress_esp(struct worker *w, uint8_t *data, uint32_t n, uint8_t tos, const struct adit_path *from)
{
    if (w->in.n == INGRESS_MAX)
        ingress_flush(w);
    piece_add(w, data, n, tos, from, false);
}

static void ike_in(struct worker *w, struct adit_span message, const struct net_datagram *d)
{
    struct note n = { .type = NOTE_EVENT, .event = { .type = DP_EV_IKE, .path = d->path, .at = w->now } };
    n.data_n = (uint32_t)message.n;
    if (!worker_note(w, &n, message, NOTE_SPARE))
        COUNT(w, rx_errors);
}

static void datagram_in(struct worker *w, const struct net_datagram *d)
{
    for (uint32_t at = 0; at < d->n; at += d->segment) {
        uint32_t n = d->n - at < d->segment ? d->n - at : d->segment;
        struct adit_span piece = span(d->data + at, n);
        switch (udpencap_kind(piece)) {
        case UDPENCAP_ESP: esp_in(w, d->data + at, n, d->tos, &d->path, d->n > d->segment); break;
        case UDPENCAP_IKE: ike_in(w, span_from(piece, UDPENCAP_MARKER_SIZE), d); break;
        case UDPENCAP_KEEPALIVE: break;
        case UDPENCAP_RUNT: COUNT(w, drops[ESP_MALFORMED]); break;
        }
        if (w->in.n == INGRESS_MAX)
            ingress_flush(w);
    }
}

/* An error here is an old ICMP error's; the error queue tells more. */
void ingress_udp(struct worker *w, struct net_udp *u)
{
    int n = net_udp_recv(u, w->in.rx);
    for (int i = 0; i < n; i++)
        datagram_in(w, net_rx_at(w->in.rx, (unsigned)i));
    ingress_flush(w);
}

void ingress_raw(struct worker *w, struct net_raw *r)
{
    int n = net_raw_recv(r, w->in.rx);
    for (int i = 0; i < n; i++) {
        const struct net_datagram *d = net_rx_at(w->in.rx, (unsigned)i);
        if (d->n >= 4)
            esp_in(w, d->data, d->n, d->tos, &d->path, false);
    }
    ingress_flush(w);
}
