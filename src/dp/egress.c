/* egress.c - from the TUN to the wire: classify, cut, seal in batches, send in trains. Works on packets where they were
 * read; cut pieces go to slots. */
#include <errno.h>
#include <stdlib.h>
#include "dp/mss.h"
#include "dp/worker.h"
#include "wire/icmp.h"

#define READS_MAX 64
#define PACKET_MAX 65535
#define HOPS_MAX 2
#define ACQUIRE_NS (5ull * 1000000000)
#define ICMP_RATE 100.0 /* a second, RFC 4443 s2.4 f */
#define ICMP_BURST 50.0
#define PAD_IN_PLACE 128 /* of ESP_TAILROOM: the rest is for what ESP itself puts there */
#define REGION(n) (((size_t)ESP_HEADROOM + (n) + ESP_TAILROOM + 63) & ~(size_t)63)

enum adit_rc egress_init(struct egress *e, uint16_t slot_mtu)
{
    e->slot_size = REGION(slot_mtu);
    e->arena = aligned_alloc(64, EGRESS_ARENA);
    e->paced = NULL;
    e->slots = aligned_alloc(64, e->slot_size * EGRESS_MAX);
    return e->arena && e->slots ? ADIT_OK : ADIT_ERR_MEMORY;
}

void egress_fini(struct egress *e)
{
    free(e->arena);
    free(e->slots);
    free(e->paced);
}

/* --- answers to the sender ------------------------------------------------------------------------------------ */

static bool icmp_may(struct worker *w)
{
    w->icmp_tokens += (double)(w->now - w->icmp_at) * ICMP_RATE / 1e9;
    w->icmp_at = w->now;
    if (w->icmp_tokens > ICMP_BURST)
        w->icmp_tokens = ICMP_BURST;
    if (w->icmp_tokens < 1)
        return false;
    w->icmp_tokens -= 1;
    return true;
}

/* The error comes from the packet's own destination: an address of ours would be a martian to the kernel, and the
 * destination is routed into the TUN for sure. */
static void tell_too_big(struct worker *w, const uint8_t *packet, const struct ip_packet *ip, uint32_t mtu)
{
    static const struct virtio_net_hdr none = { 0 };
    uint8_t out[ICMP6_ERROR_MAX];
    if (ip->version == 6 && mtu < 1280)
        mtu = 1280; /* RFC 8200 s5: never less; what is longer than the path gets cut outside */
    if (!icmp_may(w))
        return;
    size_t n = icmp_error_put(out, sizeof(out), ICMP_TOO_BIG, packet, ip, &ip->dst, mtu);
    if (n && net_tun_write(w->tun, &none, out, n) == 0)
        COUNT(w, ptb_sent);
}

/* --- the batch ------------------------------------------------------------------------------------------------ */

/* Our own device got a smaller MTU, or the route leads over another one. */
static void tell_link_mtu(struct worker *w, const struct dp_sa *sa)
{
    struct note n = { .type = NOTE_ERROR,
                      .error = { .too_big = true, .local = true, .path = *esp_sa_path(sa->esp) } };
    if (worker_may_pass_error(w))
        (void)worker_note(w, &n, SPAN_NONE, NOTE_SPARE);
}

/* The control thread has the connection. When it does not keep up packets are dropped: TCP inside wants to know. */
static size_t send_to_stream(struct worker *w, const struct adit_path *path, const struct iovec *iov, size_t n)
{
    size_t sent = 0;
    for (size_t i = 0; i < n; i++) {
        struct note note = { .type = NOTE_EVENT, .event = { .type = DP_EV_ESP, .path = *path, .at = w->now },
                             .data_n = (uint32_t)iov[i].iov_len };
        sent += worker_note(w, &note, span(iov[i].iov_base, iov[i].iov_len), NOTE_SPARE_ESP);
    }
    return sent;
}

static void send_run(struct worker *w, struct dp_sa *sa, size_t first, size_t n)
{
    struct egress *e = &w->out;
    const struct adit_path *path = esp_sa_path(sa->esp);
    unsigned f = path->remote.addr.family == 6;
    int error = 0;
    size_t sent = 0;
    if (path->tcp)
        sent = send_to_stream(w, path, e->iov + first, n);
    else if (esp_sa_is_udp(sa->esp) && w->udp[f].fd >= 0)
        sent = net_udp_send(&w->udp[f], path, e->group[first]->tos, e->group[first]->df, e->iov + first, n,
                            &error);
    else if (!esp_sa_is_udp(sa->esp) && w->raw[f].tx >= 0)
        sent = net_raw_send(&w->raw[f], path, e->group[first]->tos, e->group[first]->df, e->iov + first, n,
                            &error);
    COUNT_ADD(w, packets_out, sent);
    COUNT_ADD(w, tx_errors, n - sent);
    if (error == -EMSGSIZE)
        tell_link_mtu(w, sa);
}

/* Sends group[0..n): packets with one TOS and DF go together. */
static void send_sealed(struct worker *w, struct dp_sa *sa, size_t n)
{
    struct egress *e = &w->out;
    for (size_t first = 0, i = 0; i < n; i++) {
        struct esp_pkt *p = e->group[i];
        e->iov[i] = (struct iovec){ p->buf + p->off, p->len };
        COUNT_ADD(w, bytes_out, p->len);
        bool last = i + 1 == n || e->group[i + 1]->tos != p->tos || e->group[i + 1]->df != p->df;
        if (last) {
            send_run(w, sa, first, i + 1 - first);
            first = i + 1;
        }
    }
}

static void seal_failed(struct worker *w, const struct esp_pkt *p)
{
    struct ip_packet ip;
    struct rd in = rd_init(span(p->buf + p->off, p->len));
    COUNT(w, drops[p->verdict & 15]);
    if (p->verdict == ESP_TOO_BIG && ip_get(&in, &ip))
        tell_too_big(w, p->buf + p->off, &ip, p->mtu);
}

/* Sends those of group[0..n) that could be sealed. */
static void send_good(struct worker *w, struct dp_sa *sa, size_t n)
{
    struct egress *e = &w->out;
    size_t good = 0;
    for (size_t i = 0; i < n; i++) {
        if (e->group[i]->verdict == ESP_OK)
            e->group[good++] = e->group[i];
        else
            seal_failed(w, e->group[i]);
    }
    send_sealed(w, sa, good);
}

static bool paced_slots(struct egress *e)
{
    if (!e->paced)
        e->paced = aligned_alloc(64, e->slot_size * PACED_MAX);
    for (size_t i = 0; e->paced && i < PACED_MAX; i++) {
        e->paced_pkt[i] = (struct esp_pkt){ .buf = e->paced + i * e->slot_size,
                                            .cap = (uint32_t)e->slot_size,
                                            .off = ESP_HEADROOM };
        e->group[i] = &e->paced_pkt[i];
    }
    return e->paced;
}

void egress_paced(struct worker *w, struct dp_sa *sa)
{
    struct egress *e = &w->out;
    size_t n;
    while (paced_slots(e) && (n = esp_pace_batch(sa->esp, e->group, PACED_MAX, w->now))) {
        send_good(w, sa, n);
        worker_touch(w, sa);
    }
}

/* What is not due yet leaves by the timer. */
static void stream_group(struct worker *w, struct dp_sa *sa, size_t n)
{
    struct egress *e = &w->out;
    for (size_t i = 0; i < n; i++) {
        e->group[i]->verdict = (uint8_t)esp_stream_put(sa->esp, e->group[i], w->now);
        if (e->group[i]->verdict != ESP_OK)
            seal_failed(w, e->group[i]);
    }
    if (esp_sa_due(sa->esp) <= w->now)
        egress_paced(w, sa);
    pace_hint(w, sa);
}

static void seal_group(struct worker *w, struct dp_sa *sa, size_t n)
{
    if (sa->stream) {
        stream_group(w, sa, n);
        return;
    }
    esp_seal_batch(sa->esp, w->out.group, n, w->now);
    send_good(w, sa, n);
    worker_touch(w, sa);
}

void egress_flush(struct worker *w)
{
    struct egress *e = &w->out;
    for (size_t i = 0; i < e->n; i++) {
        struct dp_sa *sa = e->sa[i];
        size_t n = 0;
        for (size_t j = i; sa && j < e->n; j++) {
            if (e->sa[j] != sa)
                continue;
            e->group[n++] = &e->pkt[j];
            e->sa[j] = NULL;
        }
        if (n)
            seal_group(w, sa, n);
    }
    e->n = 0;
}

/* --- one packet ----------------------------------------------------------------------------------------------- */

static void make_room(struct worker *w, size_t n)
{
    if (w->out.n + n > EGRESS_MAX)
        egress_flush(w);
}

static struct esp_pkt *slot_take(struct worker *w, struct dp_sa *sa)
{
    struct egress *e = &w->out;
    struct esp_pkt *p = &e->pkt[e->n];
    *p = (struct esp_pkt){ .buf = e->slots + e->n * e->slot_size,
                           .cap = (uint32_t)e->slot_size,
                           .off = ESP_HEADROOM };
    e->sa[e->n++] = sa;
    return p;
}

/* Before encryption: the peer's gateway then needn't put outer packets together (RFC 4301 s7, App. D). */
static void cut_and_add(struct worker *w, struct dp_sa *sa, const uint8_t *packet, const struct ip_packet *ip,
                        uint16_t mtu)
{
    uint32_t at = 0;
    size_t n;
    make_room(w, ip->total_n / ((mtu - 60u) & ~7u) + 2);
    while (w->out.n < EGRESS_MAX) {
        struct esp_pkt *p = slot_take(w, sa);
        n = ip4_fragment_put(p->buf + p->off, mtu, packet, ip, &at);
        p->len = (uint32_t)n;
        if (!n) {
            w->out.n--;
            return;
        }
    }
}

/* False: doesn't fit, and was answered or cut. */
static bool fits(struct worker *w, struct dp_sa *sa, const uint8_t *packet, const struct ip_packet *ip)
{
    uint16_t mtu = atomic_load_explicit(&sa->inner_mtu, memory_order_relaxed);
    if (ip->total_n <= mtu || (ip->version == 6 && ip->total_n <= 1280))
        return true;
    if (sa->cut_outside && ip->version == 4 && !ip->dont_fragment)
        return true;
    if (ip->version == 4 && !ip->dont_fragment && mtu <= w->out.slot_size - ESP_HEADROOM - ESP_TAILROOM) {
        cut_and_add(w, sa, packet, ip, mtu);
        return false;
    }
    COUNT(w, drops[ESP_TOO_BIG]);
    tell_too_big(w, packet, ip, mtu);
    return false;
}

/* There is more room in a slot than around a packet in the arena. */
static bool add_copy(struct worker *w, struct dp_sa *sa, const uint8_t *packet, uint32_t n)
{
    struct esp_pkt *p = slot_take(w, sa);
    span_copy(p->buf + p->off, span(packet, n));
    p->len = n;
    return false;
}

static bool add_single(struct worker *w, struct dp_sa *sa, uint8_t *packet, const struct ip_packet *ip)
{
    struct egress *e = &w->out;
    if (!fits(w, sa, packet, ip))
        return false;
    make_room(w, 1);
    if (sa->padded && esp_sa_padded(sa->esp, ip->total_n) > ip->total_n + PAD_IN_PLACE)
        return add_copy(w, sa, packet, ip->total_n);
    e->pkt[e->n] = (struct esp_pkt){ .buf = packet - ESP_HEADROOM,
                                     .cap = ESP_HEADROOM + ip->total_n + ESP_TAILROOM,
                                     .off = ESP_HEADROOM,
                                     .len = ip->total_n };
    e->sa[e->n++] = sa;
    return true;
}

/* The cut pieces lie in slots. Those that are too long still are cut again, or answered. */
static void add_pieces(struct worker *w, struct dp_sa *sa, size_t first, size_t n)
{
    struct egress *e = &w->out;
    for (size_t i = first; i < first + n; i++) {
        struct esp_pkt *p = &e->pkt[i];
        struct ip_packet ip;
        struct rd in = rd_init(span(p->buf + p->off, p->len));
        if (p->len <= atomic_load_explicit(&sa->inner_mtu, memory_order_relaxed))
            continue;
        e->sa[i] = NULL;
        /* Not cut further unless there is room: a flush now would reuse the slots that we walk. */
        if (ip_get(&in, &ip) && e->n + p->len / 256 + 4 < EGRESS_MAX)
            fits(w, sa, p->buf + p->off, &ip);
    }
}

static void add_super(struct worker *w, struct dp_sa *sa, const struct esp_gso *gso, const uint8_t *packet,
                      const struct ip_packet *ip)
{
    struct egress *e = &w->out;
    uint16_t mtu = atomic_load_explicit(&sa->inner_mtu, memory_order_relaxed);
    if (gso->size == 0 || (gso->size + ip->header_n > mtu && ip->dont_fragment)) {
        COUNT(w, drops[ESP_TOO_BIG]);
        tell_too_big(w, packet, ip, mtu);
        return;
    }
    size_t most = ip->total_n / gso->size + 2, first;
    if (most > EGRESS_MAX) {
        COUNT(w, drops[ESP_MALFORMED]);
        return;
    }
    make_room(w, most);
    first = e->n;
    for (size_t i = 0; i < most; i++)
        e->group[i] = slot_take(w, sa);
    size_t n = esp_gso_split(packet, ip->total_n, gso, e->group, most);
    e->n = first + n;
    if (n)
        add_pieces(w, sa, first, n);
    else
        COUNT(w, drops[ESP_MALFORMED]);
}

static void acquire(struct worker *w, struct dp_trap *trap, const struct ip_packet *ip)
{
    uint64_t before = atomic_load_explicit(&trap->acquire_at, memory_order_relaxed);
    if (before && w->now - before < ACQUIRE_NS)
        return;
    if (!atomic_compare_exchange_strong(&trap->acquire_at, &before, w->now))
        return; /* another worker did */
    struct note n = { .type = NOTE_EVENT,
                      .event = { .type = DP_EV_ACQUIRE, .reqid = trap->reqid, .at = w->now } };
    uint16_t widest = ip->has_ports ? 0 : UINT16_MAX; /* without a port: any (RFC 7296 s3.13.1) */
    n.event.local = (struct adit_ts){
        .family = ip->version, .proto = ip->proto, .port_lo = ip->src_port, .port_hi = ip->src_port | widest
    };
    n.event.remote = (struct adit_ts){
        .family = ip->version, .proto = ip->proto, .port_lo = ip->dst_port, .port_hi = ip->dst_port | widest
    };
    span_copy(n.event.local.lo, span(ip->src.ip, 16));
    span_copy(n.event.local.hi, span(ip->src.ip, 16));
    span_copy(n.event.remote.lo, span(ip->dst.ip, 16));
    span_copy(n.event.remote.hi, span(ip->dst.ip, 16));
    if (worker_note(w, &n, SPAN_NONE, 0))
        COUNT(w, acquires);
    else
        atomic_store_explicit(&trap->acquire_at, 0, memory_order_relaxed);
}

/* No SA carries it. What is to pass in the clear can't through a TUN: it is routed elsewhere. */
static void without_sa(struct worker *w, struct dp_trap *trap, const struct esp_gso *gso,
                       const uint8_t *packet, const struct ip_packet *ip)
{
    if (trap && trap->mode == ADIT_MODE_PASS) {
        COUNT(w, bypassed);
        return;
    }
    if (trap && trap->trap && trap->mode != ADIT_MODE_DROP) {
        acquire(w, trap, ip);
        if (!gso->type && hold_put(w->hold, trap->reqid, span(packet, ip->total_n), w->now))
            return;
    }
    COUNT(w, no_policy);
}

/* Once a second at most: whoever decides may have reasons to say no. */
static void ask_for_own(struct worker *w, const struct dp_sa *sa)
{
    struct note n = { .type = NOTE_EVENT,
                      .event = { .type = DP_EV_OWN, .id = sa->id, .reqid = sa->reqid, .resource = w->i + 1, .at = w->now } };
    if (w->own_at && w->now - w->own_at < ACQUIRE_NS)
        return;
    if (worker_note(w, &n, SPAN_NONE, NOTE_SPARE))
        w->own_at = w->now;
}

static struct dp_match find(struct worker *w, const struct ip_packet *ip)
{
    struct dp_shared *s = dp_shared_of(w->dp);
    uint64_t generation = atomic_load_explicit(&s->generation, memory_order_acquire);
    return flow_lookup(w->flows, atomic_load_explicit(&s->tables, memory_order_acquire), generation, ip);
}

static struct dp_match classify(struct worker *w, const struct ip_packet *ip)
{
    struct dp_match m = find(w, ip);
    if (m.sa && m.sa->shares)
        ask_for_own(w, m.sa);
    return m;
}

bool egress_packet(struct worker *w, struct esp_gso *gso, uint8_t *packet, uint32_t n, unsigned hops)
{
    struct ip_packet ip;
    struct rd in = rd_init(span(packet, n));
    if (!ip_get(&in, &ip)) {
        COUNT(w, drops[ESP_MALFORMED]);
        return false;
    }
    if (!gso->type && gso->needs_csum && !esp_gso_checksum(packet, n, gso)) {
        COUNT(w, drops[ESP_MALFORMED]);
        return false;
    }
    if (!gso->type)
        gso->needs_csum = false;
    struct dp_match m = classify(w, &ip);
    if (!m.sa) {
        without_sa(w, m.trap, gso, packet, &ip);
        return false;
    }
    if (m.sa->owner != w->i) {
        if (hops >= HOPS_MAX || !handover_out(w, m.sa->owner, gso, span(packet, ip.total_n), hops))
            COUNT(w, tx_errors);
        return false;
    }
    if (gso->type) {
        add_super(w, m.sa, gso, packet, &ip);
        return false;
    }
    if (dp_shared_of(w->dp)->clamp &&
        mss_clamp(packet, &ip, atomic_load_explicit(&m.sa->inner_mtu, memory_order_relaxed)))
        COUNT(w, mss_clamped);
    return add_single(w, m.sa, packet, &ip);
}

/* --- reading -------------------------------------------------------------------------------------------------- */

static struct esp_gso gso_of(const struct virtio_net_hdr *h)
{
    return (struct esp_gso){
        .type = h->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN,
        .size = h->gso_size,
        .hdr_len = h->hdr_len,
        .needs_csum = h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .csum_start = h->csum_start,
        .csum_offset = h->csum_offset,
    };
}

unsigned egress_read(struct worker *w)
{
    struct egress *e = &w->out;
    unsigned reads = 0;
    e->at = 0;
    while (reads < READS_MAX && handover_ready(w)) {
        struct virtio_net_hdr h;
        if (e->at + REGION(PACKET_MAX) > EGRESS_ARENA)
            break;
        uint8_t *packet = e->arena + e->at + ESP_HEADROOM;
        int n = net_tun_read(w->tun, &h, packet, PACKET_MAX);
        if (n <= 0)
            break;
        struct esp_gso gso = gso_of(&h);
        reads++;
        if (egress_packet(w, &gso, packet, (uint32_t)n, 0))
            e->at += REGION((size_t)n);
    }
    egress_flush(w);
    return reads;
}

void egress_release_held(struct worker *w)
{
    struct held *slot;
    uint64_t from = 0, last = w->hold->order;
    COUNT_ADD(w, no_policy, hold_expire(w->hold, w->now));
    while ((slot = hold_next(w->hold, &from)) && slot->order <= last) {
        struct esp_gso none = { 0 };
        struct ip_packet ip;
        struct rd in = rd_init(span(slot->mem + ESP_HEADROOM, slot->n));
        if (!ip_get(&in, &ip) || !classify(w, &ip).sa)
            continue;
        egress_packet(w, &none, slot->mem + ESP_HEADROOM, slot->n, 0);
        egress_flush(w);
        hold_free(w->hold, slot);
    }
}
