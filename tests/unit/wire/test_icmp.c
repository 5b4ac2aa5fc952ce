/* test_icmp.c - ICMP errors, compared with those of scapy 2.5.0. */
#include "wire_test.h"
#include "wire/icmp.h"
#include "wire/l4.h"

#define INNER4                                                                                               \
    "45000030000140003e115080c0000201c633640704570035001c41206161616161616161616161616161616161616161"
#define INNER6                                                                                               \
    "60000000000a110920010db800000000000000000000000120010db8ffff00000000000000000002"                       \
    "00050006000a29e07a7a"
#define FROM4 "45c0004c000000004001f4f1c00002fec0000201"
#define FROM6 "60000000003a3a4020010db80000000000000000000000fe20010db8000000000000000000000001"

static const struct adit_addr from4 = { 4, { 192, 0, 2, 254 } };
static const struct adit_addr from6 = { 6, { 0x20, 1, 0xd, 0xb8, [15] = 0xfe } };

static struct ip_packet parsed(struct adit_span p)
{
    struct ip_packet ip;
    struct rd in = rd_init(p);
    assert_true(ip_get(&in, &ip));
    return ip;
}

static const struct {
    const char *what, *inner, *error;
    enum icmp_what kind;
    uint32_t mtu;
} errors[] = {
    { "v4 fragmentation needed", INNER4, FROM4 "0304e3c70000059e" INNER4, ICMP_TOO_BIG, 1438 },
    { "v4 time exceeded", INNER4, FROM4 "0b00e16900000000" INNER4, ICMP_TIME_EXCEEDED, 9999 },
    { "v4 prohibited", INNER4, FROM4 "030de95c00000000" INNER4, ICMP_PROHIBITED, 0 },
    { "v6 packet too big", INNER6, FROM6 "02002a9000000592" INNER6, ICMP_TOO_BIG, 1426 },
    { "v6 time exceeded", INNER6, FROM6 "03002f2200000000" INNER6, ICMP_TIME_EXCEEDED, 0 },
    { "v6 prohibited", INNER6, FROM6 "0101312100000000" INNER6, ICMP_PROHIBITED, 0 },
};

static void errors_are_built_as_scapy_builds_them(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        uint8_t packet[128], out[256];
        struct adit_span s = unhex_to(packet, errors[i].inner);
        struct ip_packet ip = parsed(s);
        size_t n = icmp_error_put(out, sizeof(out), errors[i].kind, packet, &ip,
                                  ip.version == 4 ? &from4 : &from6, errors[i].mtu);
        assert_row(errors[i].what, span_equal(span(out, n), unhex(errors[i].error)));
    }
}

static void errors_are_taken_apart(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        struct ip_packet ip;
        struct icmp_error e;
        struct rd in = rd_init(unhex(errors[i].error));
        assert_row(errors[i].what, ip_get(&in, &ip) && icmp_error_get(&in, &ip, &e));
        bool too_big = errors[i].kind == ICMP_TOO_BIG;
        assert_row(errors[i].what, e.too_big == too_big && e.mtu == (too_big ? errors[i].mtu : 0));
        assert_row(errors[i].what, e.quoted.proto == 17 && e.quoted.has_ports);
        assert_row(errors[i].what, e.quoted.dst_port == (ip.version == 4 ? 53 : 6));
        assert_row(errors[i].what, e.quoted_upper.n == e.quoted.total_n - e.quoted.header_n);
    }
}

/* A packet with n octets of payload; its protocol is UDP. */
static struct ip_packet large(uint8_t *p, uint8_t family, size_t n)
{
    struct ip_outer o = { .src.family = family, .dst.family = family, .ttl = 9, .proto = 17 };
    o.src.ip[0] = o.dst.ip[0] = 10;
    assert_true(ip_put(p, &o, n));
    memset(p + ip_put_size(&o), 0x61, n);
    return parsed(span(p, ip_put_size(&o) + n));
}

static void quotes_are_cut_at_576_and_1280(void **state)
{
    static const struct {
        const char *what;
        uint8_t family;
        size_t payload_n, cap, n;
    } rows[] = {
        { "v4 just fits", 4, 528, 2000, 576 },   { "v4 cut", 4, 1480, 2000, 576 },
        { "v4 little room", 4, 1480, 100, 100 }, { "v4 no room for the header", 4, 1480, 47, 0 },
        { "v6 just fits", 6, 1192, 2000, 1280 }, { "v6 cut", 6, 1460, 2000, 1280 },
        { "v6 no room", 6, 1460, 87, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t p[2000], out[2000];
        struct ip_packet ip = large(p, rows[i].family, rows[i].payload_n);
        size_t n = icmp_error_put(out, rows[i].cap, ICMP_TOO_BIG, p, &ip,
                                  rows[i].family == 4 ? &from4 : &from6, 1300);
        assert_row(rows[i].what, n == rows[i].n);
        if (n == 0)
            continue;
        struct ip_packet outer;
        struct icmp_error e;
        struct rd in = rd_init(guard_copy(span(out, n)));
        assert_row(rows[i].what, ip_get(&in, &outer) && icmp_error_get(&in, &outer, &e));
        assert_row(rows[i].what, e.quoted.total_n == ip.total_n && e.mtu == 1300);
        assert_row(rows[i].what, outer.version == 6 || ip4_checksum_ok(out, &outer));
    }
}

static void the_mtu_stays_in_its_bounds(void **state)
{
    static const struct {
        const char *what;
        uint8_t family;
        uint32_t mtu, told;
    } rows[] = {
        { "v4 small", 4, 500, 500 },
        { "v4 beyond 16 bits", 4, 70000, 65535 },
        { "v6 below 1280", 6, 1000, 1280 },
        { "v6 beyond 16 bits", 6, 70000, 70000 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t p[200], out[400];
        struct ip_packet ip = large(p, rows[i].family, 40), outer;
        struct icmp_error e;
        size_t n = icmp_error_put(out, sizeof(out), ICMP_TOO_BIG, p, &ip,
                                  rows[i].family == 4 ? &from4 : &from6, rows[i].mtu);
        struct rd in = rd_init(span(out, n));
        assert_row(rows[i].what, ip_get(&in, &outer) && icmp_error_get(&in, &outer, &e));
        assert_row(rows[i].what, e.mtu == rows[i].told);
    }
}

#define V4(proto, offset, src, dst, rest) "4500001c0000" offset "40" proto "0000" src dst rest
#define UDP "0001000200080000"
#define HOST "0a000001"
static void some_packets_must_not_cause_errors(void **state)
{
    static const struct {
        const char *what, *hex;
        bool allowed, too_big_allowed;
    } rows[] = {
        { "UDP", V4("11", "0000", HOST, HOST, UDP), true, true },
        { "echo request", V4("01", "0000", HOST, HOST, "0800000000000000"), true, true },
        { "unreachable", V4("01", "0000", HOST, HOST, "0304000000000000"), false, false },
        { "redirect", V4("01", "0000", HOST, HOST, "0504000000000000"), false, false },
        { "ICMP whose type is not there", "4500001400000000400100000a0000010a000001", false, false },
        { "later fragment", V4("11", "0001", HOST, HOST, UDP), false, false },
        { "first fragment", V4("11", "2000", HOST, HOST, UDP), true, true },
        { "to multicast", V4("11", "0000", HOST, "e0000001", UDP), false, false },
        { "to broadcast", V4("11", "0000", HOST, "ffffffff", UDP), false, false },
        { "from nowhere", V4("11", "0000", "00000000", HOST, UDP), false, false },
        { "from loopback", V4("11", "0000", "7f000001", HOST, UDP), false, false },
        { "from multicast", V4("11", "0000", "e0000005", HOST, UDP), false, false },
        { "v6 UDP", INNER6, true, true },
        { "v6 to multicast: only too big",
          "6000000000081140 20010db8000000000000000000000001 ff020000000000000000000000000001" UDP, false,
          true },
        { "v6 error",
          "6000000000083a40 20010db8000000000000000000000001 20010db8000000000000000000000002"
          "0100000000000000",
          false, false },
        { "v6 unknown error",
          "6000000000083a40 20010db8000000000000000000000001 20010db8000000000000000000000002"
          "7f00000000000000",
          false, false },
        { "v6 redirect",
          "6000000000083a40 20010db8000000000000000000000001 20010db8000000000000000000000002"
          "8900000000000000",
          false, false },
        { "v6 echo",
          "6000000000083a40 20010db8000000000000000000000001 20010db8000000000000000000000002"
          "8000000000000000",
          true, true },
        { "v6 from ::",
          "6000000000081140 00000000000000000000000000000000 20010db8000000000000000000000002" UDP, false,
          false },
        { "v6 from ::1",
          "6000000000081140 00000000000000000000000000000001 20010db8000000000000000000000002" UDP, false,
          false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_span s = unhex(rows[i].hex);
        struct ip_packet ip = parsed(s);
        uint8_t out[600];
        assert_row(rows[i].what, icmp_error_allowed(s.p, &ip, ICMP_TIME_EXCEEDED) == rows[i].allowed);
        assert_row(rows[i].what, icmp_error_allowed(s.p, &ip, ICMP_TOO_BIG) == rows[i].too_big_allowed);
        size_t n = icmp_error_put(out, sizeof(out), ICMP_PROHIBITED, s.p, &ip,
                                  ip.version == 4 ? &from4 : &from6, 0);
        assert_row(rows[i].what, (n > 0) == rows[i].allowed);
    }
}

static void bad_errors_are_refused(void **state)
{
    static const struct {
        const char *what, *hex, *reason;
    } rows[] = {
        { "checksum", FROM4 "0304e3c80000059e" INNER4, "ICMP checksum" },
        { "echo", "4500001c 00000000 4001 0000 0a0000010a000002 0800f7ff 00000000", "not an ICMP error" },
        { "nothing quoted", "4500001c 00000000 4001 0000 0a0000010a000002 0300fcff 00000000",
          "neither IPv4 nor IPv6" },
        { "half a header quoted", "45000020 00000000 4001 0000 0a0000010a000002 0300b7eb 00000000 45000014",
          "IPv4 header cut short" },
        { "not ICMP at all", "4500001c 00000000 4011 0000 0a0000010a000002 0300fcff 00000000",
          "not an ICMP error" },
        { "a fragment", "4500001c 00002000 4001 0000 0a0000010a000002 0300fcff 00000000", "ICMP checksum" },
        { "nothing", "45000014 00000000 4001 0000 0a0000010a000002", "ICMP checksum" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ip_packet ip;
        struct icmp_error e;
        struct rd in = rd_init(unhex(rows[i].hex));
        assert_row(rows[i].what, ip_get(&in, &ip) && !icmp_error_get(&in, &ip, &e));
        assert_row(rows[i].what, strcmp(in.fail, rows[i].reason) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_built_as_scapy_builds_them),
        cmocka_unit_test(errors_are_taken_apart),
        cmocka_unit_test(quotes_are_cut_at_576_and_1280),
        cmocka_unit_test(the_mtu_stays_in_its_bounds),
        cmocka_unit_test(some_packets_must_not_cause_errors),
        cmocka_unit_test(bad_errors_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
