/* test_transport.c - transport mode: the IP header stays or is made anew, checksums survive NAT. */
#include "esp_fixture.h"

static struct box box;
static uint8_t inner[2000];

static void start(struct pair *p, bool udp, bool v6)
{
    pair_init(p, &suites[0]);
    p->spec.mode = ADIT_MODE_TRANSPORT;
    p->spec.udp_encap = udp;
    if (v6)
        p->spec.path = (struct adit_path){ { ip6(1, 1), 0 }, { ip6(2, 2), 0 } };
    pair_start(p);
}

/* The header that arrives is ours, but for what belongs to the host that sent it: TTL, ID, DF. */
static void same_packet(struct esp_pkt *pkt, struct adit_span sent)
{
    struct rd a = rd_init(pkt_span(pkt)), b = rd_init(sent);
    struct ip_packet x, y;
    assert_true(ip_get(&a, &x) && ip_get(&b, &y));
    assert_int_equal(x.version, y.version);
    assert_int_equal(x.proto, y.proto);
    assert_int_equal(x.tos, y.tos);
    assert_true(span_equal(span(x.src.ip, 16), span(y.src.ip, 16)) &&
                span_equal(span(x.dst.ip, 16), span(y.dst.ip, 16)));
    assert_true(span_equal(rd_rest(&a), rd_rest(&b)));
    assert_true(l4_checksum_ok(pkt->buf + pkt->off, &x));
    assert_true(x.version == 6 || ip4_checksum_ok(pkt->buf + pkt->off, &x));
}

static void there_and_back(void **state)
{
    for (int i = 0; i < 4; i++) {
        bool udp = i & 1, v6 = i & 2;
        struct pair p;
        start(&p, udp, v6);
        for (size_t size = 48; size < 80; size++) {
            size_t n = v6 ? udp_packet(inner, ip6(1, 1), ip6(2, 2), 0xba, true, 7, 8, size)
                          : udp_packet(inner, ip4(192, 0, 2, 1), ip4(198, 51, 100, 2), 0xba, true, 7, 8,
                                       size);
            struct esp_pkt *pkt = box_fill(&box, span(inner, n));
            assert_int_equal(seal_one(p.a, pkt, 1), ESP_OK);
            assert_int_equal(pkt->tos, 0xba);
            assert_true(pkt->df);
            if (!udp)
                strip_outer(pkt);
            assert_int_equal(open_one(p.at_b, pkt, 1), ESP_OK);
            same_packet(pkt, span(inner, n));
        }
        pair_stop(&p);
    }
}

static void raw_keeps_the_header(void **state)
{
    static const struct {
        const char *what, *hex; /* header; 8 octets of payload follow */
        uint16_t header_n, next_at;
    } rows[] = {
        { "v4", "451000 1c 1234 4000 2511 0000 c0000201 c6336402", 20, 9 },
        { "v4 with options", "461000 20 1234 4000 2511 0000 c0000201 c6336402 94040000", 24, 9 },
        { "v6", "600abcde 0008 11 25 20010db8000100000000000000000001 20010db8000200000000000000000002", 40,
          6 },
        { "v6 with hop-by-hop",
          "600abcde 0010 00 25 20010db8000100000000000000000001 20010db8000200000000000000000002"
          "1100050200000100",
          48, 40 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pair p;
        start(&p, false, i >= 2);
        size_t n = unhex(inner, rows[i].hex);
        struct rd in;
        struct ip_packet before, after;
        assert_int_equal(n, rows[i].header_n);
        n += unhex(inner + n, "0007000800080000");
        in = rd_init(span(inner, n));
        assert_true(ip_get(&in, &before));
        struct esp_pkt *pkt = box_fill(&box, span(inner, n));
        assert_row(rows[i].what, seal_one(p.a, pkt, 1) == ESP_OK);
        const uint8_t *out = pkt->buf + pkt->off;
        in = rd_init(pkt_span(pkt));
        assert_row(rows[i].what,
                   ip_get(&in, &after) && after.proto == IP_PROTO_ESP && after.total_n == pkt->len);
        assert_row(rows[i].what, after.header_n == rows[i].header_n && out[rows[i].next_at] == IP_PROTO_ESP);
        assert_row(rows[i].what, after.ttl == 0x25 && after.id == before.id && after.tos == before.tos &&
                                     after.flow_label == before.flow_label);
        assert_row(rows[i].what, be32_get(out + after.header_n) == SPI_A);
        assert_row(rows[i].what, in.n == 16 + 8 + 4 + 16);
        pair_stop(&p);
    }
}

static void what_cannot_be_carried_is_refused(void **state)
{
    static const struct {
        const char *what, *hex;
        bool udp, v6;
    } rows[] = {
        { "fragment", "4500001c 1234 2000 2511 0000 c0000201 c6336402 0007000800080000", false, false },
        { "later fragment", "4500001c 1234 0001 2511 0000 c0000201 c6336402 0007000800080000", false, false },
        { "cut short", "4500001d 1234 0000 2511 0000 c0000201 c6336402 0007000800080000", false, false },
        { "other family than the path", "4500001c 1234 0000 2511 0000 c0000201 c6336402 0007000800080000",
          false, true },
        { "extension headers that UDP would lose",
          "600abcde 0010 00 25 20010db8000100000000000000000001 20010db8000200000000000000000002 1100050200000100"
          "0007000800080000",
          true, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pair p;
        start(&p, rows[i].udp, rows[i].v6);
        struct esp_pkt *pkt = box_fill(&box, span(inner, unhex(inner, rows[i].hex)));
        assert_row(rows[i].what, seal_one(p.a, pkt, 1) == ESP_MALFORMED && p.a->seq == 0);
        pair_stop(&p);
    }
}

static void options_count_against_the_path_mtu(void **state)
{
    struct pair p;
    start(&p, false, false);
    uint16_t plain = esp_sa_inner_mtu(p.a);
    memset(inner, 0, sizeof(inner));
    unhex(inner, "46000000 1234 4000 2511 0000 c0000201 c6336402 94040000");
    for (int more = 0; more < 2; more++) {
        be16_put(inner + 2,
                 (uint16_t)(plain + more)); /* 4 octets of options: 4 less of payload, the same in all */
        struct esp_pkt *pkt = box_fill(&box, span(inner, plain + (size_t)more));
        assert_int_equal(seal_one(p.a, pkt, 1), more ? ESP_TOO_BIG : ESP_OK);
        assert_true(more || pkt->len <= 1500);
    }
    pair_stop(&p);
}

/* a (192.0.2.1) sits behind a NAT: b sees it as 203.0.113.7, and b is known to a by 198.51.100.99, an address that
 * another NAT turns into 198.51.100.2. */
static void checksums_survive_nat(void **state)
{
    for (int tcp = 0; tcp < 2; tcp++) {
        struct pair p;
        struct adit_path from = { { ip4(198, 51, 100, 2), 4500 }, { ip4(203, 0, 113, 7), 61234 } };
        pair_init(&p, &suites[0]);
        p.spec.mode = ADIT_MODE_TRANSPORT;
        p.spec.udp_encap = true;
        p.spec.n_local_ts = p.spec.n_remote_ts = 1;
        p.local[0] = ts_host(from.remote.addr, 0, 0, 65535);
        p.remote[0] = ts_host(from.local.addr, 0, 0, 65535);
        pair_start(&p);
        p.b->remote_seen_by_peer = ip4(192, 0, 2, 1);
        p.b->local_seen_by_peer = ip4(198, 51, 100, 99);
        size_t n = udp_packet(inner, ip4(192, 0, 2, 1), ip4(198, 51, 100, 99), 0, true, 7, 8, 60);
        struct rd in = rd_init(span(inner, n));
        struct ip_packet ip;
        assert_true(ip_get(&in, &ip));
        if (tcp) {
            assert_int_equal(ip_set_proto(inner, &ip, IP_PROTO_TCP, ip.total_n), ADIT_OK);
            ip.proto = IP_PROTO_TCP;
            l4_checksum_set(inner, &ip);
        }
        struct esp_pkt *pkt = box_fill(&box, span(inner, n));
        assert_int_equal(seal_one(p.a, pkt, 1), ESP_OK);
        pkt->from = &from;
        assert_int_equal(open_one(p.at_b, pkt, 1), ESP_OK);
        in = rd_init(pkt_span(pkt));
        assert_true(ip_get(&in, &ip));
        assert_true(span_equal(span(ip.src.ip, 4), span(from.remote.addr.ip, 4)));
        assert_true(l4_checksum_ok(pkt->buf + pkt->off, &ip));
        pair_stop(&p);
    }
}

static void selectors_hold_for_the_made_header(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.mode = ADIT_MODE_TRANSPORT;
    p.spec.udp_encap = true;
    p.spec.n_local_ts = p.spec.n_remote_ts = 1;
    p.local[0] = ts_host(ip4(192, 0, 2, 1), 17, 7, 7);
    p.remote[0] = ts_host(ip4(198, 51, 100, 2), 17, 0, 65535);
    pair_start(&p);
    for (uint16_t port = 7; port < 9; port++) {
        size_t n = udp_packet(inner, ip4(192, 0, 2, 1), ip4(198, 51, 100, 2), 0, true, port, 8, 60);
        struct esp_pkt *pkt = box_fill(&box, span(inner, n));
        assert_int_equal(seal_one(p.a, pkt, 1), ESP_OK);
        assert_int_equal(open_one(p.at_b, pkt, 1), port == 7 ? ESP_OK : ESP_SELECTOR);
    }
    pair_stop(&p);
}

static void no_room_for_a_header(void **state)
{
    struct pair p;
    start(&p, true, false);
    struct esp_pkt *pkt = box_fill(&box, span(inner, sample4(inner, 60)));
    assert_int_equal(seal_one(p.a, pkt, 1), ESP_OK);
    for (uint32_t i = 0; i < pkt->len; i++)
        pkt->buf[i] = pkt->buf[pkt->off + i];
    pkt->off = 0; /* 16 octets of ESP header are less than an IP header */
    assert_int_equal(open_one(p.at_b, pkt, 1), ESP_MALFORMED);
    pair_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(raw_keeps_the_header),
        cmocka_unit_test(what_cannot_be_carried_is_refused),
        cmocka_unit_test(options_count_against_the_path_mtu),
        cmocka_unit_test(checksums_survive_nat),
        cmocka_unit_test(selectors_hold_for_the_made_header),
        cmocka_unit_test(no_room_for_a_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
