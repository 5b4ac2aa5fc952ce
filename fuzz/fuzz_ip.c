/* fuzz_ip.c - an IP packet: parsed, patched, cut into fragments, answered by ICMP errors; and as an ICMP error itself. */
#include "fuzz_wire.h"
#include "wire/icmp.h"
#include "wire/l4.h"
#include "wire/udpencap.h"

#define PACKET_MAX 4096

static bool parse(const uint8_t *p, size_t n, struct ip_packet *ip)
{
    struct rd in = rd_init(span(p, n));
    if (!ip_get(&in, ip))
        return false;
    must(ip->header_n <= ip->total_n && ip->total_n <= n && in.n == ip->total_n - ip->header_n);
    must(ip->proto_at < ip->header_n && p[ip->proto_at] == ip->proto);
    must(ip->has_ports || (ip->src_port == 0 && ip->dst_port == 0));
    return true;
}

static void patch(uint8_t *p, const struct ip_packet *ip)
{
    struct ip_packet now;
    bool sum_ok = ip->version == 6 || ip4_checksum_ok(p, ip);
    ip_set_tos(p, ip->tos ^ 0x5a);
    ip_set_ttl(p, ip->ttl ^ 0xa5);
    must(ip_set_proto(p, ip, ip->proto, ip->total_n) == ADIT_OK);
    must(parse(p, ip->total_n, &now) && now.tos == (ip->tos ^ 0x5a) && now.ttl == (ip->ttl ^ 0xa5));
    must(!sum_ok || now.version == 6 || ip4_checksum_ok(p, &now));
    ip_set_tos(p, ip->tos);
    ip_set_ttl(p, ip->ttl);
}

static void transport(uint8_t *p, const struct ip_packet *ip)
{
    size_t upper_n = ip->total_n - ip->header_n;
    bool ok = l4_checksum_ok(p, ip);
    if (ip->proto == IP_PROTO_TCP && !ip_is_fragment(ip)) {
        tcp_mss_clamp(p + ip->header_n, upper_n, 1000);
        must(!ok || l4_checksum_ok(p, ip));
        must(!tcp_mss_clamp(p + ip->header_n, upper_n, 1000));
    }
    struct ip_packet moved = *ip;
    moved.src.ip[1] ^= 0x77;
    l4_checksum_readdress(p + ip->header_n, upper_n, ip->proto, &ip->src, &moved.src);
    if (ok && ip->proto != IP_PROTO_UDP)
        must(l4_checksum_ok(p, &moved));
    l4_checksum_set(p, ip);
}

static void cut(const uint8_t *p, const struct ip_packet *ip)
{
    static uint8_t out[PACKET_MAX];
    uint32_t at = 0, sum = 0;
    struct ip_packet f;
    for (size_t n; (n = ip4_fragment_put(out, 68, p, ip, &at)) > 0;) {
        must(n <= 68 && parse(out, n, &f) && ip4_checksum_ok(out, &f));
        sum += f.total_n - f.header_n;
    }
    must(sum == ip->total_n - ip->header_n);
}

static void answer(const uint8_t *p, const struct ip_packet *ip)
{
    static uint8_t out[2048];
    struct adit_addr from = { .family = ip->version, .ip = { 0x20, 9 } };
    for (enum icmp_what what = ICMP_TOO_BIG; what <= ICMP_UNREACHABLE; what++) {
        size_t n = icmp_error_put(out, sizeof(out), what, p, ip, &from, 1400);
        struct ip_packet outer;
        struct icmp_error e;
        if (n == 0)
            continue;
        must(n <= (ip->version == 4 ? ICMP4_ERROR_MAX : ICMP6_ERROR_MAX) && parse(out, n, &outer));
        struct rd in = rd_init(span(out, n));
        must(ip_get(&in, &outer) && icmp_error_get(&in, &outer, &e));
        must(e.quoted.total_n == ip->total_n && e.quoted.proto == ip->proto);
        must(!icmp_error_allowed(out, &outer, what)); /* no error about an error */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t p[PACKET_MAX];
    struct ip_packet ip;
    struct icmp_error e;
    if (n > sizeof(p))
        return 0;
    (void)udpencap_kind(span(data, n));
    struct rd quoted = rd_init(span(data, n));
    ip_get_quoted(&quoted, &ip);
    if (!parse(data, n, &ip))
        return 0;
    struct rd in = rd_init(span(data, n));
    if (ip_get(&in, &ip))
        icmp_error_get(&in, &ip, &e);
    span_copy(p, span(data, n));
    patch(p, &ip);
    if (ip.version == 4)
        cut(p, &ip);
    answer(p, &ip);
    transport(p, &ip);
    return 0;
}
