/* transport.c - the payload is what follows the IP header; the header stays, with the protocol changed (RFC 4303 s3.1.1).
 * Host to host only. In UDP the socket writes a new header, and on arrival there is none but the path: so it is made
 * anew there, with what NAT did to the checksums put right (RFC 3948 s3.1.2, RFC 7296 s2.23.1). */
#include "esp/sa.h"
#include "wire/ip.h"
#include "wire/l4.h"

#define TTL 64 /* a packet that reached its host: the value no longer matters */

/* v6 extension headers steer the packet, so they can't just go missing when a socket writes the header. */
static bool may_drop_header(const struct ip_packet *ip)
{
    return ip->version == 4 || ip->header_n == IP6_HDR_SIZE;
}

static enum esp_verdict wrap_one(const struct esp_sa *sa, struct esp_pkt *pkt, struct esp_frame *f)
{
    uint8_t *packet = pkt->buf + pkt->off;
    struct rd in = rd_init(span(packet, pkt->len));
    struct ip_packet ip;
    /* RFC 4303 s3.3.4: whole datagrams only */
    if (!ip_get(&in, &ip) || ip_is_fragment(&ip) || (sa->udp && !may_drop_header(&ip)))
        return ESP_MALFORMED;
    if (ip.version != sa->path.remote.addr.family)
        return ESP_MALFORMED;
    pkt->len = ip.total_n;
    pkt->tos = ip.tos;
    pkt->df = ip.dont_fragment;
    if (!esp_fits(sa, pkt, ip.version == 6, ip.dont_fragment, esp_inner_max(sa, ip.header_n)))
        return ESP_TOO_BIG;
    f->pkt = pkt;
    f->payload = packet + ip.header_n;
    f->n = pkt->len - ip.header_n;
    f->inner_n = pkt->len;
    f->next_header = ip.proto;
    f->head_n = ip.header_n;
    f->proto_at = ip.proto_at;
    f->version = ip.version;
    if (!sa->udp) /* the ESP header is about to be written where the IP header is */
        memmove(packet - sa->proto->header_n - sa->iv, packet, ip.header_n);
    return ESP_OK;
}

static size_t wrap(struct esp_sa *sa, struct esp_pkt **pkts, size_t n, struct esp_frame *frames)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        pkts[i]->verdict = wrap_one(sa, pkts[i], &frames[m]);
        m += pkts[i]->verdict == ESP_OK;
    }
    return m;
}

static bool finish(struct esp_sa *sa, struct esp_frame *f)
{
    struct ip_packet ip = { .version = f->version, .header_n = f->head_n, .proto_at = f->proto_at };
    f->pkt->off -= f->head_n;
    f->pkt->len += f->head_n;
    return ip_set_proto(f->pkt->buf + f->pkt->off, &ip, sa->proto->ip_proto, f->pkt->len) == ADIT_OK;
}

/* Checksums cover the addresses that the peer saw; the packet now gets those that we see. */
static void translate(const struct esp_sa *sa, const struct esp_frame *f, const struct ip_outer *now)
{
    if (sa->remote_seen_by_peer.family)
        l4_checksum_readdress(f->payload, f->n, f->next_header, &sa->remote_seen_by_peer, &now->src);
    if (sa->local_seen_by_peer.family)
        l4_checksum_readdress(f->payload, f->n, f->next_header, &sa->local_seen_by_peer, &now->dst);
}

static bool put_header(const struct esp_sa *sa, struct esp_frame *f)
{
    const struct adit_path *path = f->pkt->from ? f->pkt->from : &sa->path;
    struct ip_outer header = {
        .src = path->remote.addr,
        .dst = path->local.addr,
        .tos = f->pkt->tos,
        .ttl = TTL,
        .proto = f->next_header,
        .dont_fragment = true,
    };
    size_t n = ip_put_size(&header);
    if (header.src.family != header.dst.family || n > (size_t)(f->payload - f->pkt->buf))
        return false;
    translate(sa, f, &header);
    f->pkt->off = (uint32_t)(f->payload - f->pkt->buf - n);
    f->pkt->len = f->inner_n = (uint32_t)(f->n + n);
    return ip_put(f->payload - n, &header, f->n);
}

static enum esp_verdict unwrap(struct esp_sa *sa, struct esp_frame *f)
{
    struct ip_packet ip;
    if (!put_header(sa, f))
        return ESP_MALFORMED;
    struct rd in = rd_init(span(f->pkt->buf + f->pkt->off, f->pkt->len));
    if (!ip_get(&in, &ip) || ip_is_fragment(&ip))
        return ESP_MALFORMED;
    return selector_inbound(sa, &ip, rd_rest(&in)) ? ESP_OK : ESP_SELECTOR;
}

static uint16_t kept(const struct esp_sa *sa)
{
    return sa->path.remote.addr.family == 6 ? IP6_HDR_SIZE : IP4_HDR_MIN;
}

const struct esp_mode esp_mode_transport = {
    .id = ADIT_MODE_TRANSPORT,
    .wrap = wrap,
    .finish = finish,
    .unwrap = unwrap,
    .kept = kept,
};
