/* test_selector.c - which packets belong into an SA (RFC 4301 s4.4.1.1, s5.2, s6.2). */
#include "esp_fixture.h"
#include "wire/checksum.h"
#include "wire/icmp.h"

#define ECHO 0x0800

/* local 10.0.0.5, remote 10.9.0.7, with the row's protocol and ports. */
static const struct {
    const char *what;
    uint8_t ts_proto;
    uint16_t local_lo, local_hi, remote_lo, remote_hi;
    uint8_t proto;
    bool has_ports;
    uint16_t local_port, remote_port;
    bool fits;
} ports[] = {
    { "everything", 0, 0, 65535, 0, 65535, 6, true, 1, 2, true },
    { "everything takes a later fragment", 0, 0, 65535, 0, 65535, 6, false, 0, 0, true },
    { "protocol", 6, 0, 65535, 0, 65535, 6, true, 1, 2, true },
    { "other protocol", 6, 0, 65535, 0, 65535, 17, true, 1, 2, false },
    { "port", 6, 0, 65535, 443, 443, 6, true, 5000, 443, true },
    { "other port", 6, 0, 65535, 443, 443, 6, true, 5000, 444, false },
    { "sides are not mixed up", 6, 443, 443, 0, 65535, 6, true, 5000, 443, false },
    { "range, low end", 17, 0, 65535, 100, 200, 17, true, 9, 100, true },
    { "range, high end", 17, 0, 65535, 100, 200, 17, true, 9, 200, true },
    { "above the range", 17, 0, 65535, 100, 200, 17, true, 9, 201, false },
    { "no port where one is wanted", 17, 0, 65535, 100, 200, 17, false, 0, 0, false },
    { "port 0 wanted, none there", 17, 0, 65535, 0, 0, 17, false, 0, 0, false },
    { "OPAQUE takes what has none", 17, 65535, 0, 65535, 0, 17, false, 0, 0, true },
    { "OPAQUE refuses what has one", 17, 65535, 0, 65535, 0, 17, true, 1, 2, false },
    { "ICMP type", 1, ECHO, ECHO | 255, ECHO, ECHO | 255, 1, true, ECHO, ECHO, true },
    { "other ICMP type", 1, ECHO, ECHO | 255, ECHO, ECHO | 255, 1, true, 0, 0, false },
    { "protocol without ports", 0, 0, 65535, 0, 65535, 50, false, 0, 0, true },
};

static void start(struct pair *p, struct adit_ts local, struct adit_ts remote)
{
    pair_init(p, &suites[0]);
    p->spec.n_local_ts = p->spec.n_remote_ts = 1;
    p->local[0] = local;
    p->remote[0] = remote;
    pair_start(p);
}

static void protocols_and_ports(void **state)
{
    const struct adit_addr local = ip4(10, 0, 0, 5), remote = ip4(10, 9, 0, 7);
    for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
        struct pair p;
        start(&p, ts_host(local, ports[i].ts_proto, ports[i].local_lo, ports[i].local_hi),
              ts_host(remote, ports[i].ts_proto, ports[i].remote_lo, ports[i].remote_hi));
        struct ip_packet out = { .src = local, .dst = remote, .version = 4, .proto = ports[i].proto };
        out.has_ports = ports[i].has_ports;
        out.src_port = ports[i].local_port;
        out.dst_port = ports[i].remote_port;
        struct ip_packet in = out;
        in.src = remote;
        in.dst = local;
        in.src_port = out.dst_port;
        in.dst_port = out.src_port;
        assert_row(ports[i].what, esp_sa_selects_packet(p.a, &out) == ports[i].fits);
        assert_row(ports[i].what, selector_inbound(p.a, &in, SPAN_NONE) == ports[i].fits);
        if (ports[i].has_ports || ports[i].proto == 50)
            assert_row(ports[i].what, esp_sa_selects(p.a, &local, &remote, out.proto, out.src_port,
                                                     out.dst_port) == ports[i].fits);
        pair_stop(&p);
    }
}

static struct adit_ts range(struct adit_addr lo, struct adit_addr hi)
{
    struct adit_ts ts = ts_host(lo, 0, 0, 65535);
    memcpy(ts.hi, hi.ip, 16);
    return ts;
}

static void addresses(void **state)
{
    static const struct {
        const char *what;
        uint8_t local, remote; /* last octets in 10.0.0.0/24 and 10.9.0.0/24 */
        bool fits;
    } rows[] = {
        { "inside", 15, 25, true },        { "low ends", 10, 20, true },
        { "high ends", 19, 29, true },     { "local below", 9, 25, false },
        { "local above", 20, 25, false },  { "remote below", 15, 19, false },
        { "remote above", 15, 30, false }, { "second remote", 15, 200, true },
    };
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.n_local_ts = 1;
    p.local[0] = range(ip4(10, 0, 0, 10), ip4(10, 0, 0, 19));
    p.remote[0] = range(ip4(10, 9, 0, 20), ip4(10, 9, 0, 29));
    p.remote[1] = range(ip4(10, 9, 0, 200), ip4(10, 9, 0, 200));
    pair_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_addr local = ip4(10, 0, 0, rows[i].local), remote = ip4(10, 9, 0, rows[i].remote);
        assert_row(rows[i].what, esp_sa_selects(p.a, &local, &remote, 17, 1, 2) == rows[i].fits);
    }
    struct adit_addr both = ip4(10, 9, 0, 25); /* a remote address is no local one */
    assert_false(esp_sa_selects(p.a, &both, &both, 17, 1, 2));
    struct adit_addr local6 = ip6(1, 1), remote6 = ip6(2, 2);
    assert_false(esp_sa_selects(p.a, &local6, &remote6, 17, 1, 2));
    pair_stop(&p);
}

static void v6_addresses(void **state)
{
    static const struct {
        const char *what;
        uint8_t local, remote;
        bool fits;
    } rows[] = { { "low ends", 10, 20, true },     { "high ends", 19, 29, true },
                 { "inside", 15, 25, true },       { "local below", 9, 25, false },
                 { "local above", 20, 25, false }, { "remote below", 15, 19, false },
                 { "remote above", 15, 30, false } };
    struct pair p;
    start(&p, range(ip6(1, 10), ip6(1, 19)), range(ip6(2, 20), ip6(2, 29)));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_addr local = ip6(1, rows[i].local), remote = ip6(2, rows[i].remote);
        assert_row(rows[i].what, esp_sa_selects(p.a, &local, &remote, 17, 1, 2) == rows[i].fits);
    }
    struct adit_addr local4 = ip4(0x20, 1, 0xd, 0xb8), remote4 = local4;
    assert_false(esp_sa_selects(p.a, &local4, &remote4, 17, 1, 2));
    pair_stop(&p);
}

/* An error about a UDP packet 10.0.0.5:1000 -> 10.9.0.7:2000, told by a router. */
static size_t router_error(uint8_t *out, uint16_t local_port)
{
    uint8_t quoted[64];
    struct adit_addr router = ip4(172, 16, 0, 1);
    size_t n = udp_packet(quoted, ip4(10, 0, 0, 5), ip4(10, 9, 0, 7), 0, true, local_port, 2000, 20);
    struct rd in = rd_init(span(quoted, n));
    struct ip_packet ip;
    assert_true(ip_get(&in, &ip));
    return icmp_error_put(out, 576, ICMP_TOO_BIG, quoted, &ip, &router, 1400);
}

static bool accepts(const struct esp_sa *sa, const uint8_t *packet, size_t n)
{
    struct rd in = rd_init(span(packet, n));
    struct ip_packet ip;
    assert_true(ip_get(&in, &ip));
    return selector_inbound(sa, &ip, rd_rest(&in));
}

static void icmp_errors_pass_by_what_they_quote(void **state)
{
    struct pair p;
    uint8_t packet[576];
    start(&p, ts_host(ip4(10, 0, 0, 5), 17, 1000, 1000), ts_host(ip4(10, 9, 0, 7), 17, 0, 65535));
    assert_true(accepts(p.a, packet, router_error(packet, 1000)));
    assert_false(accepts(p.a, packet, router_error(packet, 1001)));
    size_t n = router_error(packet, 1000);
    packet[n - 1] ^= 1; /* its checksum is wrong now */
    assert_false(accepts(p.a, packet, n));
    n = router_error(packet, 1000);
    packet[20] = 8; /* an echo request quotes nothing */
    assert_false(accepts(p.a, packet, n));
    n = router_error(packet, 1000);
    packet[19] = 6; /* to a host that the quoted packet is not from */
    assert_false(accepts(p.a, packet, n));
    n = router_error(packet, 1000);
    packet[20] = 5; /* a redirect, with a right checksum */
    packet[21] = 0;
    be16_put(packet + 22, 0);
    be16_put(packet + 22, checksum_fold(checksum_add(0, span(packet + 20, n - 20))));
    assert_false(accepts(p.a, packet, n));
    packet[20] = 12; /* a parameter problem may pass */
    be16_put(packet + 22, 0);
    be16_put(packet + 22, checksum_fold(checksum_add(0, span(packet + 20, n - 20))));
    assert_true(accepts(p.a, packet, n));
    pair_stop(&p);
}

static void icmp_v6_errors_too(void **state)
{
    struct pair p;
    uint8_t quoted[100], packet[1280];
    struct adit_addr router = ip6(77, 1);
    struct ip_packet ip;
    start(&p, ts_host(ip6(1, 1), 17, 1000, 1000), ts_host(ip6(2, 2), 17, 0, 65535));
    struct rd in = rd_init(span(quoted, sample6(quoted, 80)));
    assert_true(ip_get(&in, &ip));
    size_t n = icmp_error_put(packet, sizeof(packet), ICMP_TIME_EXCEEDED, quoted, &ip, &router, 0);
    assert_true(accepts(p.a, packet, n));
    packet[n - 1] ^= 1;
    assert_false(accepts(p.a, packet, n));
    pair_stop(&p);
}

static void an_open_sa_takes_errors_as_they_are(void **state)
{
    struct pair p;
    uint8_t packet[576];
    start(&p, ts_all(4), ts_all(4));
    size_t n = router_error(packet, 1000);
    packet[n - 1] ^= 1;
    assert_true(accepts(p.a, packet, n));
    pair_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(protocols_and_ports), cmocka_unit_test(addresses),
        cmocka_unit_test(v6_addresses),        cmocka_unit_test(icmp_errors_pass_by_what_they_quote),
        cmocka_unit_test(icmp_v6_errors_too),  cmocka_unit_test(an_open_sa_takes_errors_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
