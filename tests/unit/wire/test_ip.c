/* test_ip.c - IP packets. The hex packets were made by scapy 2.5.0. */
#include "wire_test.h"
#include "wire/be.h"
#include "wire/ip.h"

#define V6_PAIR "20010db8000000000000000000000001 20010db8000000000000000000000002"
static const struct {
    const char *what, *hex;
    uint8_t version, proto, tos, ttl;
    uint16_t header_n, proto_at, fragment_offset, src_port, dst_port;
    uint32_t total_n, id, flow_label;
    bool df, mf, ports;
} good[] = {
    { "v4 UDP", "45b90021123440003f113ca3c0000201c633640704570035000dcb3968656c6c6f", 4, 17, 0xb9, 63, 20, 9,
      0, 1111, 53, 33, 0x1234, 0, true, false, true },
    { "v4 options", "48000029000100004001ec8bc0000201c633640794040000070704000000000008007fff0000000078", 4,
      1, 0, 64, 32, 9, 0, 0x800, 0x800, 41, 1, 0, false, false, true },
    { "v4 later fragment", "4500001c000720b940116dd5c0000201c63364076162636465666768", 4, 17, 0, 64, 20, 9,
      1480, 0, 0, 28, 7, 0, false, true, false },
    { "v4 SCTP", "450000200001000040848e1dc0000201c63364070009000a00000000a60fcd45", 4, 132, 0, 64, 20, 9, 0,
      9, 10, 32, 1, 0, false, false, true },
    { "v4 UDP cut before the ports end", "45000017 00000000 4011 0000 c0000201 c6336407 045700", 4, 17, 0, 64,
      20, 9, 0, 0, 0, 23, 0, 0, false, false, false },
    { "v4 with octets behind it", "45000018 00000000 4006 0000 c0000201 c6336407 04570035 ffffffff", 4, 6, 0,
      64, 20, 9, 0, 1111, 53, 24, 0, 0, false, false, true },
    { "v4 header alone", "45000014 00000000 403b 0000 c0000201 c6336407", 4, 59, 0, 64, 20, 9, 0, 0, 0, 20, 0,
      0, false, false, false },
    { "v6 TCP",
      "62eabcde0016060920010db800000000000000000000000120010db8ffff000000000000000000020005000600000000000000005010"
      "2000b9d800007a7a",
      6, 6, 0x2e, 9, 40, 6, 0, 5, 6, 62, 0, 0xabcde, true, false, true },
    { "v6 with a chain of five headers",
      "60000000004800402001"
      "0db800000000000000000000000120010db8000000000000000000000002"
      "3c00010400000000"
      "2b00010400000000"
      "2c0200000000000020010db8000000000000000000000009"
      "3c000001deadbeef"
      "1100010400000000"
      "000700080010d3753132333435363738",
      6, 17, 0, 64, 96, 88, 0, 7, 8, 112, 0xdeadbeef, 0, true, true, true },
    { "v6 later fragment", "6000000000102c40" V6_PAIR "110005a8deadbeef3132333435363738", 6, 17, 0, 64, 48,
      40, 1448, 0, 0, 56, 0xdeadbeef, 0, true, false, false },
    { "v6 ICMP", "60000000000b3a40" V6_PAIR "80005fdf00010002616263", 6, 58, 0, 64, 40, 6, 0, 0x8000, 0x8000,
      51, 0, 0, true, false, true },
    { "v6 ESP ends the chain", "60000000000c3240" V6_PAIR "0102030400000005aabbccdd", 6, 50, 0, 64, 40, 6, 0,
      0, 0, 52, 0, 0, true, false, false },
    { "v6 mobility: type in the upper half", "6000000000088740" V6_PAIR "3b00050000000000", 6, 135, 0, 64, 40,
      6, 0, 0x500, 0x500, 48, 0, 0, true, false, true },
};

static void check_good(size_t i)
{
    const char *what = good[i].what;
    struct ip_packet ip;
    struct rd in = rd_init(unhex(good[i].hex));
    assert_row(what, ip_get(&in, &ip));
    assert_row(what, ip.version == good[i].version && ip.proto == good[i].proto);
    assert_row(what, ip.tos == good[i].tos && ip.ttl == good[i].ttl);
    assert_row(what, ip.header_n == good[i].header_n && ip.proto_at == good[i].proto_at);
    assert_row(what, ip.total_n == good[i].total_n && ip.id == good[i].id);
    assert_row(what, ip.flow_label == good[i].flow_label);
    assert_row(what, ip.dont_fragment == good[i].df && ip.more_fragments == good[i].mf);
    assert_row(what, ip.fragment_offset == good[i].fragment_offset && ip.has_ports == good[i].ports);
    assert_row(what, ip.src_port == good[i].src_port && ip.dst_port == good[i].dst_port);
    assert_row(what, in.n == ip.total_n -
                                 ip.header_n); /* the reader is at the next layer and ends with the packet */
    assert_row(what, ip.src.family == ip.version && ip.dst.family == ip.version);
    assert_row(what, ip.src.ip[0] == (ip.version == 4 ? 192 : 0x20));
    assert_row(what, ip.dst.ip[ip.version == 4 ? 3 : 15] == (ip.version == 4 ? 7 : 2));
}

static void packets_are_understood(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        check_good(i);
}

static void no_prefix_is_a_packet(void **state)
{
    uint8_t mem[200];
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct adit_span all = unhex_to(mem, good[i].hex);
        for (size_t n = 0; n < good[i].total_n; n++) {
            struct ip_packet ip;
            struct rd in = rd_init(guard_copy(span_first(all, n)));
            assert_row(good[i].what, !ip_get(&in, &ip));
        }
    }
}

static void a_quoted_packet_may_be_cut(void **state)
{
    uint8_t mem[200];
    struct adit_span all = unhex_to(mem, good[0].hex);
    for (size_t n = 0; n <= all.n; n++) {
        struct ip_packet ip;
        struct rd in = rd_init(guard_copy(span_first(all, n)));
        assert_int_equal(ip_get_quoted(&in, &ip), n >= 20);
        if (n >= 20)
            assert_true(ip.total_n == 33 && in.n == n - 20 && ip.has_ports == (n >= 24));
    }
}

static void bad_packets_are_refused(void **state)
{
    static const struct {
        const char *what, *hex, *reason;
    } rows[] = {
        { "nothing", "", "neither IPv4 nor IPv6" },
        { "version 5", "55000014 00000000 40060000 c0000201 c6336407", "neither IPv4 nor IPv6" },
        { "IHL 4", "44000014 00000000 40060000 c0000201 c6336407", "IPv4 header length" },
        { "total length below header", "45000013 00000000 40060000 c0000201 c6336407", "IPv4 header length" },
        { "total length above what is there", "45000015 00000000 40060000 c0000201 c6336407",
          "IP packet longer than what is there" },
        { "IHL beyond the total length", "46000014 00000000 40060000 c0000201 c6336407 00000000",
          "IPv4 header length" },
        { "v6 jumbogram", "6000000000000040" V6_PAIR "3b00c20400010000",
          "IPv6 packet without payload length" },
        { "v6 too long", "6000000000090640" V6_PAIR "3b00050000000000",
          "IP packet longer than what is there" },
        { "v6 second Fragment header",
          "6000000000182c40" V6_PAIR "2c00000111111111"
          "1100000022222222"
          "0001000200080000",
          "two IPv6 Fragment headers" },
        { "v6 extension header beyond the end", "6000000000080040" V6_PAIR "0601010400000000", "too short" },
        { "v6 extension header half there", "6000000000010040" V6_PAIR "06", "too short" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ip_packet ip;
        struct rd in = rd_init(unhex(rows[i].hex));
        assert_row(rows[i].what, !ip_get(&in, &ip));
        assert_row(rows[i].what, strcmp(in.fail, rows[i].reason) == 0);
    }
}

/* n destination option headers, then TCP's ports. */
static struct adit_span with_extensions(uint8_t *out, unsigned n)
{
    struct ip_outer o = { .src.family = 6, .dst.family = 6, .ttl = 1, .proto = n ? 60 : 6 };
    assert_true(ip_put(out, &o, n * 8 + 4));
    memset(out + 40, 0, n * 8 + 4);
    for (unsigned i = 0; i < n; i++)
        out[40 + i * 8] = i + 1 == n ? 6 : 60;
    return span(out, 40 + n * 8 + 4);
}

static void extension_headers_are_bounded(void **state)
{
    uint8_t mem[300];
    for (unsigned n = 0; n < 20; n++) {
        struct ip_packet ip;
        struct rd in = rd_init(guard_copy(with_extensions(mem, n)));
        assert_int_equal(ip_get(&in, &ip), n <= 16);
    }
}

static void headers_are_written_as_scapy_writes_them(void **state)
{
    static const char v4[] = "45b8001ebeef00004032cecac0000201c633640730313233343536373839";
    static const char v6[] = "6b812345000a1140" V6_PAIR "30313233343536373839";
    struct ip_outer o4 = { .src = { 4, { 192, 0, 2, 1 } },
                           .dst = { 4, { 198, 51, 100, 7 } },
                           .tos = 0xb8,
                           .ttl = 64,
                           .proto = 50,
                           .id = 0xbeef };
    struct ip_outer o6 = { .src = { 6, { 0x20, 1, 0xd, 0xb8, [15] = 1 } },
                           .dst = { 6, { 0x20, 1, 0xd, 0xb8, [15] = 2 } },
                           .tos = 0xb8,
                           .ttl = 64,
                           .proto = 17,
                           .flow_label = 0x12345 };
    uint8_t out[40];
    assert_true(ip_put(out, &o4, 10));
    assert_int_equal(ip_put_size(&o4), 20);
    assert_memory_equal(out, unhex(v4).p, 20);
    assert_true(ip_put(out, &o6, 10));
    assert_int_equal(ip_put_size(&o6), 40);
    assert_memory_equal(out, unhex(v6).p, 40);
    assert_false(ip_put(out, &o4, 65516));
    assert_true(ip_put(out, &o4, 65515));
    assert_false(ip_put(out, &o6, 65536));
    assert_true(ip_put(out, &o6, 65535));
}

static void what_is_put_is_got(void **state)
{
    for (uint32_t x = 1, round = 0; round < 2000; round++) {
        x = x * 1664525 + 1013904223;
        uint8_t family = x >> 31 ? 4 : 6, out[60] = { 0 };
        struct ip_outer o = { .src.family = family,
                              .dst.family = family,
                              .tos = (uint8_t)(x >> 3),
                              .ttl = (uint8_t)(x >> 9),
                              .proto = 253,
                              .dont_fragment = family == 6 || x >> 30 & 1,
                              .id = (uint16_t)x };
        o.src.ip[0] = (uint8_t)(x >> 11);
        o.dst.ip[3] = (uint8_t)(x >> 17);
        size_t n = x % 20;
        assert_true(ip_put(out, &o, n + 1));
        struct ip_packet ip;
        struct rd in = rd_init(span(out, sizeof(out)));
        assert_true(ip_get(&in, &ip));
        assert_true(ip.tos == o.tos && ip.ttl == o.ttl && ip.proto == 253 &&
                    ip.dont_fragment == o.dont_fragment);
        assert_true(memcmp(&ip.src, &o.src, sizeof(o.src)) == 0 &&
                    memcmp(&ip.dst, &o.dst, sizeof(o.dst)) == 0);
        assert_int_equal(in.n, n + 1);
        if (family == 4)
            assert_true(ip4_checksum_ok(out, &ip) && ip.id == o.id);
    }
}

static struct ip_packet parsed(const uint8_t *packet, size_t n)
{
    struct ip_packet ip;
    struct rd in = rd_init(span(packet, n));
    assert_true(ip_get(&in, &ip));
    return ip;
}

static void patches_keep_the_checksum(void **state)
{
    uint8_t p[64];
    struct adit_span s = unhex_to(p, good[0].hex);
    struct ip_packet before = parsed(p, s.n);
    assert_true(ip4_checksum_ok(p, &before));
    ip_set_tos(p, 0x03);
    ip_set_ttl(p, 1);
    ip4_set_df(p, false);
    struct ip_packet now = parsed(p, s.n);
    assert_true(ip4_checksum_ok(p, &now));
    assert_true(now.tos == 3 && now.ttl == 1 && !now.dont_fragment && now.proto == 17);
    ip4_set_df(p, true);
    assert_int_equal(ip_set_proto(p, &now, 50, 61), ADIT_OK);
    now = parsed(p, sizeof(p));
    assert_true(ip4_checksum_ok(p, &now));
    assert_true(now.dont_fragment && now.proto == 50 && now.total_n == 61);
    p[15] ^= 1;
    assert_false(ip4_checksum_ok(p, &now));
}

static void v6_patches_change_only_their_field(void **state)
{
    uint8_t p[128];
    struct adit_span s = unhex_to(p, good[8].hex);
    struct ip_packet ip = parsed(p, s.n);
    ip_set_tos(p, 0xff);
    ip_set_ttl(p, 7);
    assert_int_equal(ip_set_proto(p, &ip, 50, 112), ADIT_OK);
    struct ip_packet now = parsed(p, s.n);
    assert_true(now.tos == 0xff && now.ttl == 7 && now.proto == 50 && now.flow_label == ip.flow_label);
    assert_int_equal(now.header_n, ip.header_n);
    assert_int_equal(ip_set_proto(p, &ip, 50, 40 + 65536), ADIT_ERR_LIMIT);
    assert_int_equal(ip_set_proto(p, &ip, 50, 39), ADIT_ERR_LIMIT);
    assert_int_equal(ip_set_proto(p, &ip, 50, 40 + 65535), ADIT_OK);
}

/* Puts the fragments of a packet together again; returns how many there were. */
static unsigned put_together(const uint8_t *packet, const struct ip_packet *ip, size_t mtu, uint8_t *payload)
{
    uint8_t out[2048];
    uint32_t at = 0;
    unsigned count = 0;
    for (size_t n; (n = ip4_fragment_put(out, mtu, packet, ip, &at)) > 0; count++) {
        struct ip_packet f = parsed(out, n);
        assert_true(n <= mtu && f.total_n == n && ip4_checksum_ok(out, &f));
        assert_true(f.id == ip->id && f.proto == ip->proto && f.dont_fragment == ip->dont_fragment);
        bool last = at == ip->total_n - ip->header_n;
        assert_int_equal(f.more_fragments, !last || ip->more_fragments);
        uint32_t begin = f.fragment_offset - ip->fragment_offset;
        memcpy(payload + begin, out + f.header_n, n - f.header_n);
        assert_int_equal(begin + n - f.header_n, at);
    }
    return count;
}

static void fragments_make_up_the_packet(void **state)
{
    static const struct {
        const char *what;
        size_t payload_n, mtu;
        uint16_t flags; /* as in the header */
        unsigned count;
    } rows[] = {
        { "fits", 980, 1000, 0, 1 },
        { "one octet too many", 981, 1000, 0, 2 },
        { "many", 1400, 68, 0, 30 },
        { "odd mtu", 1400, 577, 0, 3 },
        { "a fragment in the middle", 1400, 576, 0x2000 | 185, 3 },
        { "the last fragment", 1400, 576, 185, 3 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t p[2048], back[2048];
        struct ip_outer o = { .src.family = 4, .dst.family = 4, .proto = 17, .id = 99 };
        assert_true(ip_put(p, &o, rows[i].payload_n));
        be16_put(p + 6, rows[i].flags);
        for (size_t k = 0; k < rows[i].payload_n; k++)
            p[20 + k] = (uint8_t)(k * 13);
        struct ip_packet ip = parsed(p, 20 + rows[i].payload_n);
        assert_row(rows[i].what, put_together(p, &ip, rows[i].mtu, back) == rows[i].count);
        assert_row(rows[i].what, memcmp(back, p + 20, rows[i].payload_n) == 0);
    }
}

static void later_fragments_carry_copied_options_only(void **state)
{
    static const char with_options[] = "4800 0064 0001 0000 4011 0000 c0000201 c6336407" /* 100 octets */
                                       "94040000 070704000000 00 01";
    uint8_t p[100] = { 0 }, out[100];
    unhex_to(p, with_options);
    struct ip_packet ip = parsed(p, 100);
    uint32_t at = 0;
    assert_int_equal(ip4_fragment_put(out, 72, p, &ip, &at), 72);
    assert_memory_equal(out + 20, p + 20, 12);
    assert_int_equal(ip4_fragment_put(out, 72, p, &ip, &at), 24 + 28);
    assert_memory_equal(out + 20, "\x94\x04\0\0", 4); /* Router Alert; Record Route is not copied */
    assert_int_equal(ip4_fragment_put(out, 72, p, &ip, &at), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_understood),
        cmocka_unit_test(no_prefix_is_a_packet),
        cmocka_unit_test(a_quoted_packet_may_be_cut),
        cmocka_unit_test(bad_packets_are_refused),
        cmocka_unit_test(extension_headers_are_bounded),
        cmocka_unit_test(headers_are_written_as_scapy_writes_them),
        cmocka_unit_test(what_is_put_is_got),
        cmocka_unit_test(patches_keep_the_checksum),
        cmocka_unit_test(v6_patches_change_only_their_field),
        cmocka_unit_test(fragments_make_up_the_packet),
        cmocka_unit_test(later_fragments_carry_copied_options_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
