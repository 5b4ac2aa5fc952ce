/* test_l4.c - transport checksums and the MSS option; packets made by scapy 2.5.0. */
#include "wire_test.h"
#include "wire/be.h"
#include "wire/l4.h"

#define V6_PAIR "20010db8000000000000000000000001 20010db8000000000000000000000002"
#define UDP4 "45b90021123440003f113ca3c0000201c633640704570035000dcb3968656c6c6f"
#define TCP4                                                                                                 \
    "450000340001000040068e87c0000201c63364079c4001bb000000000000000080022000c5da0000020405b40402010303070000"
#define ICMP4 "48000029000100004001ec8bc0000201c633640794040000070704000000000008007fff0000000078"
#define ICMP6 "60000000000b3a40" V6_PAIR "80005fdf00010002616263"

static struct ip_packet parsed(struct adit_span p)
{
    struct ip_packet ip;
    struct rd in = rd_init(p);
    assert_true(ip_get(&in, &ip));
    return ip;
}

static void checksums_are_checked_and_set(void **state)
{
    static const struct {
        const char *what, *hex;
        int at;
    } rows[] = {
        { "UDP, odd length", UDP4, 6 }, { "TCP", TCP4, 16 }, { "ICMP", ICMP4, 2 }, { "ICMPv6", ICMP6, 2 }
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t p[128], same[128];
        struct adit_span s = unhex_to(p, rows[i].hex);
        unhex_to(same, rows[i].hex);
        struct ip_packet ip = parsed(s);
        assert_row(rows[i].what, l4_checksum_at(ip.proto) == rows[i].at);
        assert_row(rows[i].what, l4_checksum_ok(p, &ip));
        p[s.n - 1] ^= 1;
        assert_row(rows[i].what, !l4_checksum_ok(p, &ip));
        p[s.n - 1] ^= 1;
        p[ip.header_n + rows[i].at] ^= 0x40;
        assert_row(rows[i].what, !l4_checksum_ok(p, &ip));
        l4_checksum_set(p, &ip);
        assert_row(rows[i].what, memcmp(p, same, s.n) == 0);
    }
}

static void udp_has_its_own_rules(void **state)
{
    static const struct {
        const char *what, *hex;
        bool ok;
    } rows[] = {
        { "v4 without checksum", "4500001d00000000401100000a0000010a000002 00010002 0009 0000 61", true },
        { "v6 without checksum", "6000000000091140" V6_PAIR "00010002 0009 0000 61", false },
        { "octets behind the UDP length",
          "4500001f00000000401100000a0000010a000002 00010002 0009 8ad6 61 ffff", true },
        { "UDP header cut", "4500001900000000401100000a0000010a000002 00010002 00", false },
        { "first fragment: can't be known", "4500001d00002000401100000a0000010a000002 00010002 0009 1234 61",
          true },
        { "SCTP: no Internet checksum", "450000200001000040848e1dc0000201c63364070009000a00000000a60fcd45",
          true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_span s = unhex(rows[i].hex);
        struct ip_packet ip = parsed(s);
        assert_row(rows[i].what, l4_checksum_ok(s.p, &ip) == rows[i].ok);
    }
}

/* A payload for which the sum gives 0: the field must then say ffff (RFC 768). */
static void a_udp_checksum_is_never_zero(void **state)
{
    uint8_t p[64];
    struct adit_span s = unhex_to(p, "4500001e00000000401100000a0000010a000002 00010002 000a 0000 0000");
    struct ip_packet ip = parsed(s);
    l4_checksum_set(p, &ip);
    be16_put(p + 28, be16_get(p + 26)); /* adding the checksum itself makes the sum ffff */
    l4_checksum_set(p, &ip);
    assert_int_equal(be16_get(p + 26), 0xffff);
    assert_true(l4_checksum_ok(p, &ip));
}

static void translated_addresses_keep_the_checksum_right(void **state)
{
    static const struct {
        const char *what, *before, *after;
        size_t ip_n;
    } rows[] = {
        { "UDP over v4", "45000020000100004011468d0a000005c633640700010002000cf2d064617461",
          "450000200001000040111488cb007109c633640700010002000cc0cb64617461", 20 },
        { "ICMPv6", "60000000000c3a40" V6_PAIR "80005f7a0001000261626364",
          "60000000000c3a4020010db800070000000000000000007720010db8000000000000000000000002"
          "80005efd0001000261626364",
          40 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t p[128], expect[128];
        struct adit_span s = unhex_to(p, rows[i].before);
        unhex_to(expect, rows[i].after);
        struct ip_packet old = parsed(s), now = parsed(span(expect, s.n));
        l4_checksum_readdress(p + rows[i].ip_n, s.n - rows[i].ip_n, old.proto, &old.src, &now.src);
        assert_row(rows[i].what, memcmp(p + rows[i].ip_n, expect + rows[i].ip_n, s.n - rows[i].ip_n) == 0);
        l4_checksum_readdress(p + rows[i].ip_n, s.n - rows[i].ip_n, old.proto, &now.src, &old.src);
        assert_row(rows[i].what, span_equal(s, unhex(rows[i].before)));
    }
}

static void readdressing_leaves_others_alone(void **state)
{
    struct adit_addr a = { 4, { 10, 0, 0, 1 } }, b = { 4, { 10, 9, 8, 7 } }, v6 = { .family = 6 };
    static const struct {
        const char *what;
        uint8_t proto;
        uint16_t check;
        bool same_family;
        size_t n;
    } rows[] = {
        { "UDP without checksum", 17, 0, true, 8 }, { "ICMPv4", 1, 0x1234, true, 8 },
        { "SCTP", 132, 0x1234, true, 8 },           { "cut short", 17, 0x1234, true, 7 },
        { "other family", 17, 0x1234, false, 8 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t l4[8] = { 0 }, before[8];
        be16_put(l4 + 6, rows[i].check);
        be16_put(l4 + 2, rows[i].check);
        memcpy(before, l4, 8);
        l4_checksum_readdress(l4, rows[i].n, rows[i].proto, &a, rows[i].same_family ? &b : &v6);
        assert_row(rows[i].what, memcmp(l4, before, 8) == 0);
    }
}

static void a_udp_header_is_written(void **state)
{
    uint8_t out[UDP_HDR_SIZE];
    udp_put(out, 500, 4500, 20, 0xabcd);
    assert_memory_equal(out, "\x01\xf4\x11\x94\0\x1c\xab\xcd", 8);
}

#define SYN "9c4001bb 00000000 00000000 7002 2000 "
static void the_mss_of_a_syn_is_lowered(void **state)
{
    static const struct {
        const char *what, *tcp, *after;
        uint16_t mss;
        bool changed;
    } rows[] = {
        { "even place", SYN "d3e7 0000 020405b4 03030700", SYN "d44b 0000 02040550 03030700", 1360, true },
        { "odd place", SYN "2999 0000 01 020405b4 030307", SYN "8d99 0000 01 02040550 030307", 1360, true },
        { "small enough", SYN "d3e7 0000 020405b4 03030700", SYN "d3e7 0000 020405b4 03030700", 1460, false },
        { "not a SYN", "9c4001bb 00000000 00000000 7010 2000 d3e7 0000 020405b4 03030700",
          "9c4001bb 00000000 00000000 7010 2000 d3e7 0000 020405b4 03030700", 100, false },
        { "no option", "9c4001bb 00000000 00000000 5002 2000 d3e7 0000",
          "9c4001bb 00000000 00000000 5002 2000 d3e7 0000", 100, false },
        { "after the end of options", SYN "d3e7 0000 00 020405b4 010101", SYN "d3e7 0000 00 020405b4 010101",
          100, false },
        { "option of length 0", SYN "d3e7 0000 0300 020405b4 0101", SYN "d3e7 0000 0300 020405b4 0101", 100,
          false },
        { "option beyond the header", SYN "d3e7 0000 0101010101 020405", SYN "d3e7 0000 0101010101 020405",
          100, false },
        { "last octet is an option's first", SYN "d3e7 0000 01010101010101 02",
          SYN "d3e7 0000 01010101010101 02", 100, false },
        { "MSS of a wrong length", SYN "d3e7 0000 020605b40000 0101", SYN "d3e7 0000 020605b40000 0101", 100,
          false },
        { "header longer than the segment", "9c4001bb 00000000 00000000 f002 2000 d3e7 0000 020405b4",
          "9c4001bb 00000000 00000000 f002 2000 d3e7 0000 020405b4", 100, false },
        { "header length too small", "9c4001bb 00000000 00000000 4002 2000 d3e7 0000 020405b4",
          "9c4001bb 00000000 00000000 4002 2000 d3e7 0000 020405b4", 100, false },
        { "cut short", "9c4001bb 00000000 00000000 7002 2000 d3e7",
          "9c4001bb 00000000 00000000 7002 2000 d3e7", 100, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t expect[64];
        struct adit_span after = unhex_to(expect, rows[i].after);
        struct adit_span tcp = unhex(rows[i].tcp);
        uint8_t *p = (uint8_t *)(uintptr_t)tcp.p; /* in front of the guard page, and ours */
        assert_row(rows[i].what, tcp_mss_clamp(p, tcp.n, rows[i].mss) == rows[i].changed);
        assert_row(rows[i].what, span_equal(tcp, after));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_checked_and_set),
        cmocka_unit_test(udp_has_its_own_rules),
        cmocka_unit_test(a_udp_checksum_is_never_zero),
        cmocka_unit_test(translated_addresses_keep_the_checksum_right),
        cmocka_unit_test(readdressing_leaves_others_alone),
        cmocka_unit_test(a_udp_header_is_written),
        cmocka_unit_test(the_mss_of_a_syn_is_lowered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
