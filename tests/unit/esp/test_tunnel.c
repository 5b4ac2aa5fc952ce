/* test_tunnel.c - the outer header: addresses, DSCP, ECN, DF, sizes; and what of it reaches the inner packet. */
#include "esp_fixture.h"

static struct box box;
static uint8_t inner[2000];

static struct ip_packet outer_of(struct esp_pkt *pkt)
{
    struct rd in = rd_init(pkt_span(pkt));
    struct ip_packet ip;
    assert_true(ip_get(&in, &ip));
    assert_int_equal(ip.total_n, pkt->len);
    assert_int_equal(ip.proto, IP_PROTO_ESP);
    assert_true(ip.version == 6 || ip4_checksum_ok(pkt->buf + pkt->off, &ip));
    return ip;
}

static void outer_header(void **state)
{
    static const struct {
        const char *what;
        bool outer6, inner6, inner_df;
        enum adit_df df;
        bool copy_ecn;
        enum adit_copy dscp;
        uint8_t tos, want_tos;
        bool want_df;
    } rows[] = {
        { "v4 in v4", false, false, false, ADIT_DF_COPY, true, ADIT_COPY_OUT, 0xb9, 0xb9, false },
        { "DF copied", false, false, true, ADIT_DF_COPY, true, ADIT_COPY_OUT, 0, 0, true },
        { "DF not copied", false, false, true, ADIT_DF_CLEAR, true, ADIT_COPY_OUT, 0, 0, false },
        { "v6 sets DF", false, true, false, ADIT_DF_COPY, true, ADIT_COPY_OUT, 0, 0, true },
        { "v6, DF cleared", false, true, false, ADIT_DF_CLEAR, true, ADIT_COPY_OUT, 0, 0, false },
        { "DSCP kept inside", false, true, false, ADIT_DF_COPY, true, ADIT_COPY_NO, 0xba, 0x02, true },
        { "ECN kept inside", false, false, false, ADIT_DF_COPY, false, ADIT_COPY_BOTH, 0xbb, 0xb8, false },
        { "v4 in v6", true, false, true, ADIT_DF_COPY, true, ADIT_COPY_OUT, 0x2b, 0x2b, true },
        { "v6 in v6", true, true, false, ADIT_DF_COPY, true, ADIT_COPY_OUT, 0x2b, 0x2b, true },
        { "DF set", false, false, false, ADIT_DF_SET, true, ADIT_COPY_OUT, 0, 0, true },
        { "DF was set", false, false, true, ADIT_DF_SET, true, ADIT_COPY_OUT, 0, 0, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
        size_t r = i / 2;
        struct pair p;
        pair_init(&p, &suites[0]);
        p.spec.udp_encap = i & 1;
        p.spec.df = rows[r].df;
        p.spec.copy_ecn = rows[r].copy_ecn;
        p.spec.copy_dscp = rows[r].dscp;
        if (rows[r].outer6)
            p.spec.path = (struct adit_path){ { ip6(1, 1), 0 }, { ip6(2, 2), 0 } };
        pair_start(&p);
        size_t n = rows[r].inner6 ? udp_packet(inner, ip6(8, 1), ip6(9, 1), rows[r].tos, true, 1, 2, 100)
                                  : udp_packet(inner, ip4(10, 0, 0, 1), ip4(10, 9, 0, 1), rows[r].tos,
                                               rows[r].inner_df, 1, 2, 100);
        struct esp_pkt *pkt = box_fill(&box, span(inner, n));
        assert_row(rows[r].what, seal_one(p.a, pkt, 1) == ESP_OK);
        assert_row(rows[r].what, pkt->tos == rows[r].want_tos && pkt->df == rows[r].want_df);
        if (!p.spec.udp_encap) {
            struct ip_packet o = outer_of(pkt);
            assert_row(rows[r].what, o.version == (rows[r].outer6 ? 6 : 4) && o.ttl == 64);
            assert_row(rows[r].what, o.tos == rows[r].want_tos);
            assert_row(rows[r].what, o.version == 6 || o.dont_fragment == rows[r].want_df);
            assert_row(rows[r].what, o.src.ip[0] == p.spec.path.local.addr.ip[0] && o.id == (o.version == 4));
            strip_outer(pkt);
        }
        pkt->tos = rows[r].want_tos;
        assert_row(rows[r].what, open_one(p.at_b, pkt, 1) == ESP_OK);
        assert_row(rows[r].what, span_equal(pkt_span(pkt), span(inner, n)));
        pair_stop(&p);
    }
}

/* A router marks the outer header: the inner packet tells the transport protocol, with a right checksum. */
static void congestion_reaches_the_inner_packet(void **state)
{
    static const struct {
        const char *what;
        uint8_t inner, outer, result;
        enum esp_verdict verdict;
    } rows[] = {
        { "marked on the way", 0xb8 | 2, 0xb8 | 3, 0xb8 | 3, ESP_OK },
        { "ECT(1) marked", 0xb8 | 1, 0xb8 | 3, 0xb8 | 3, ESP_OK },
        { "unmarked", 0xb8 | 2, 0xb8 | 2, 0xb8 | 2, ESP_OK },
        { "could not have been marked", 0xb8, 0xb8 | 3, 0, ESP_ECN },
        { "bleached", 0xb8 | 2, 0, 0xb8 | 2, ESP_OK },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows) * 2; i++) {
        size_t r = i / 2;
        struct pair p;
        pair_init(&p, &suites[0]);
        p.spec.udp_encap = true;
        pair_start(&p);
        size_t n = i & 1 ? udp_packet(inner, ip6(8, 1), ip6(9, 1), rows[r].inner, true, 1, 2, 100)
                         : udp_packet(inner, ip4(10, 0, 0, 1), ip4(10, 9, 0, 1), rows[r].inner, false, 1, 2,
                                      100);
        struct esp_pkt *pkt = box_fill(&box, span(inner, n));
        assert_int_equal(seal_one(p.a, pkt, 1), ESP_OK);
        pkt->tos = rows[r].outer;
        assert_row(rows[r].what, open_one(p.at_b, pkt, 1) == rows[r].verdict);
        if (rows[r].verdict == ESP_OK) {
            struct rd in = rd_init(pkt_span(pkt));
            struct ip_packet ip;
            assert_row(rows[r].what, ip_get(&in, &ip) && ip.tos == rows[r].result);
            assert_row(rows[r].what, ip.version == 6 || ip4_checksum_ok(pkt->buf + pkt->off, &ip));
            ip_set_tos(pkt->buf + pkt->off, rows[r].inner);
            assert_row(rows[r].what, span_equal(pkt_span(pkt), span(inner, n)));
        }
        pair_stop(&p);
    }
}

static void too_big_says_what_would_fit(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    pair_start(&p);
    for (int i = 0; i < 3; i++) { /* v4 that may be cut, v4 that may not, v6 */
        size_t n = i == 2 ? udp_packet(inner, ip6(8, 1), ip6(9, 1), 0, true, 1, 2, 1447 - 48)
                          : udp_packet(inner, ip4(10, 0, 0, 1), ip4(10, 9, 0, 1), 0, i == 1, 1, 2, 1447 - 28);
        struct esp_pkt *pkt = box_fill(&box, span(inner, n));
        assert_int_equal(seal_one(p.a, pkt, 1), ESP_TOO_BIG);
        assert_int_equal(pkt->mtu, 1446);
        assert_true(span_equal(pkt_span(pkt), span(inner, n))); /* the caller quotes or cuts it */
    }
    assert_int_equal(p.a->seq, 0);
    pair_stop(&p);
}

/* Up to the wanted length, up to what the path takes, never less than the packet. */
static void padding_hides_lengths(void **state)
{
    static const struct {
        const char *what;
        uint16_t tfc;
        bool transport;
        size_t inner, payload;
    } rows[] = {
        { "none", 0, false, 100, 100 },
        { "to a number", 500, false, 100, 500 },
        { "already longer", 500, false, 501, 501 },
        { "beyond what fits", 9000, false, 100, 1446 },
        { "to the path's limit", ADIT_TFC_MTU, false, 28, 1446 },
        { "nothing to do", ADIT_TFC_MTU, false, 1446, 1446 },
        { "not in transport mode", 500, true, 100, 80 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pair p;
        pair_init(&p, &suites[0]);
        p.spec.mode = rows[i].transport ? ADIT_MODE_TRANSPORT : ADIT_MODE_TUNNEL;
        p.spec.shape.tfc_padding = rows[i].tfc;
        pair_start(&p);
        struct esp_pkt *pkt = box_fill(&box, span(inner, sample4(inner, rows[i].inner)));
        assert_row(rows[i].what, seal_one(p.a, pkt, 1) == ESP_OK);
        assert_row(rows[i].what, pkt->len == 20 + 16 + ((rows[i].payload + 2 + 3) & ~3u) + 16);
        strip_outer(pkt);
        assert_row(rows[i].what, open_one(p.at_b, pkt, 1) == ESP_OK);
        assert_row(rows[i].what, pkt->len == rows[i].inner);
        assert_row(rows[i].what, rows[i].transport || span_equal(pkt_span(pkt), span(inner, rows[i].inner)));
        assert_row(rows[i].what, p.a->out.bytes == rows[i].inner && p.b->in.bytes == rows[i].inner);
        pair_stop(&p);
    }
}

/* The caller may have less room behind the packet than the padding wants. */
static void padding_stays_in_the_buffer(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.shape.tfc_padding = ADIT_TFC_MTU;
    pair_start(&p);
    struct esp_pkt *pkt = box_fill(&box, span(inner, sample4(inner, 100)));
    pkt->cap = ESP_HEADROOM + 100 + ESP_TAILROOM;
    memset(box.mem + pkt->cap, 0x5a, 64);
    assert_int_equal(seal_one(p.a, pkt, 1), ESP_OK);
    assert_true(pkt->off + pkt->len <= pkt->cap && pkt->len > 20 + 16 + 100 + 200);
    for (int i = 0; i < 64; i++)
        assert_int_equal(box.mem[pkt->cap + i], 0x5a);
    strip_outer(pkt);
    assert_int_equal(open_one(p.at_b, pkt, 1), ESP_OK);
    assert_int_equal(pkt->len, 100);
    pair_stop(&p);
}

/* Cut outside: what may be cut goes out whole and without DF; what may not is refused as ever. */
static void cutting_is_left_to_others(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.fragment = ADIT_FRAGMENT_AFTER;
    p.spec.df = ADIT_DF_SET;
    pair_start(&p);
    struct esp_pkt *pkt = box_fill(&box, span(inner, sample4(inner, 1447)));
    assert_int_equal(seal_one(p.a, pkt, 1), ESP_OK);
    assert_false(pkt->df || outer_of(pkt).dont_fragment);
    size_t n = udp_packet(inner, ip4(10, 0, 0, 1), ip4(10, 9, 0, 1), 0, true, 1, 2, 1447 - 28);
    pkt = box_fill(&box, span(inner, n));
    assert_int_equal(seal_one(p.a, pkt, 1), ESP_TOO_BIG);
    pair_stop(&p);
}

/* No link may refuse an IPv6 packet of 1280 octets: rather the outer packet is cut. */
static void v6_is_never_told_less_than_1280(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    pair_start(&p);
    esp_sa_set_pmtu(p.a, 1000);
    struct esp_pkt *pkt = box_fill(&box, span(inner, sample6(inner, 1280)));
    assert_int_equal(seal_one(p.a, pkt, 1), ESP_OK);
    assert_false(pkt->df);
    assert_false(outer_of(pkt).dont_fragment);
    pkt = box_fill(&box, span(inner, sample6(inner, 1281)));
    assert_int_equal(seal_one(p.a, pkt, 1), ESP_TOO_BIG);
    assert_int_equal(pkt->mtu, 1280);
    pkt = box_fill(&box, span(inner, sample6(inner, 900)));
    assert_int_equal(seal_one(p.a, pkt, 1), ESP_OK);
    assert_true(pkt->df);
    pkt = box_fill(&box, span(inner, sample4(inner, 1280)));
    assert_int_equal(seal_one(p.a, pkt, 1), ESP_TOO_BIG);
    assert_int_equal(pkt->mtu, esp_sa_inner_mtu(p.a));
    pair_stop(&p);
}

static void only_whole_packets_go_in(void **state)
{
    static const struct {
        const char *what, *hex;
        enum esp_verdict verdict;
    } rows[] = {
        { "empty", "", ESP_MALFORMED },
        { "version 5", "55000014000000004011000001020304 05060708", ESP_MALFORMED },
        { "v4 cut short", "4500001400000000401100000102030405060", ESP_MALFORMED },
        { "v4 without payload", "4500001400000000401100000102030405060708", ESP_OK },
        { "v4 longer than there is", "4500001500000000401100000102030405060708", ESP_MALFORMED },
        { "v4 shorter than a header", "4500001300000000401100000102030405060708", ESP_MALFORMED },
        { "v4 with Ethernet padding", "4500001400000000401100000102030405060708 0000000000", ESP_OK },
        { "v6 cut short", "6000000000003b40 00000000000000000000000000000000 000000000000000000000000000000",
          ESP_MALFORMED },
        { "v6 longer than there is",
          "6000000000013b40 00000000000000000000000000000000 00000000000000000000000000000000",
          ESP_MALFORMED },
    };
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.udp_encap = true;
    pair_start(&p);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct esp_pkt *pkt = box_fill(&box, span(inner, unhex(inner, rows[i].hex)));
        assert_row(rows[i].what, seal_one(p.a, pkt, 1) == rows[i].verdict);
        if (rows[i].verdict == ESP_OK)
            assert_row(rows[i].what, pkt->len == 16 + 24 + 16); /* 20, padding, trailer */
    }
    pair_stop(&p);
}

static void the_ttl_is_left_alone(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.udp_encap = true;
    pair_start(&p);
    size_t n = sample4(inner, 100);
    ip_set_ttl(inner, 1);
    struct esp_pkt *pkt = box_fill(&box, span(inner, n));
    assert_int_equal(seal_one(p.a, pkt, 1), ESP_OK);
    assert_int_equal(open_one(p.at_b, pkt, 1), ESP_OK);
    assert_int_equal(pkt->buf[pkt->off + 8], 1);
    pair_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outer_header),
        cmocka_unit_test(congestion_reaches_the_inner_packet),
        cmocka_unit_test(too_big_says_what_would_fit),
        cmocka_unit_test(padding_hides_lengths),
        cmocka_unit_test(padding_stays_in_the_buffer),
        cmocka_unit_test(cutting_is_left_to_others),
        cmocka_unit_test(v6_is_never_told_less_than_1280),
        cmocka_unit_test(only_whole_packets_go_in),
        cmocka_unit_test(the_ttl_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
