/* test_mss.c - which packets' MSS option is lowered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/span.h"
#include "dp/mss.h"
#include "wire/be.h"
#include "wire/l4.h"

/* An IPv4 or IPv6 SYN with MSS 1460, checksums right. */
static size_t make_syn(uint8_t *p, bool v6, uint8_t flags)
{
    struct ip_outer o = { .proto = IP_PROTO_TCP, .ttl = 64, .dont_fragment = true };
    struct ip_packet ip;
    o.src = o.dst = (struct adit_addr){ .family = v6 ? 6 : 4, .ip = { 10, 1, 0, 1 } };
    memset(p, 0, 128);
    ip_put(p, &o, 24);
    uint8_t *tcp = p + ip_put_size(&o);
    be16_put(tcp, 1000);
    be16_put(tcp + 2, 80);
    tcp[12] = 6 << 4;
    tcp[13] = flags;
    tcp[20] = 2;
    tcp[21] = 4;
    be16_put(tcp + 22, 1460);
    struct rd in = rd_init(span(p, ip_put_size(&o) + 24));
    assert_true(ip_get(&in, &ip));
    l4_checksum_set(p, &ip);
    return ip_put_size(&o) + 24;
}

static const struct {
    const char *what;
    bool v6;
    uint8_t flags;
    uint16_t mtu;
    bool changed;
    uint16_t mss;
} rows[] = {
    { "IPv4 SYN", false, 0x02, 1438, true, 1398 }, { "IPv4 SYN-ACK", false, 0x12, 1438, true, 1398 },
    { "IPv6 SYN", true, 0x02, 1438, true, 1378 },  { "fits", false, 0x02, 1500, false, 1460 },
    { "no SYN", false, 0x10, 1438, false, 1460 },  { "absurd MTU", false, 0x02, 40, false, 1460 },
};

static void syns_are_lowered(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t p[128];
        size_t n = make_syn(p, rows[i].v6, rows[i].flags);
        struct ip_packet ip;
        struct rd in = rd_init(span(p, n));
        assert_true(ip_get(&in, &ip));
        bool changed = mss_clamp(p, &ip, rows[i].mtu);
        if (changed != rows[i].changed || be16_get(p + n - 2) != rows[i].mss || !l4_checksum_ok(p, &ip))
            fail_msg("%s: changed %d, MSS %u", rows[i].what, changed, be16_get(p + n - 2));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(syns_are_lowered) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
