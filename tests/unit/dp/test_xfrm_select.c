/* test_xfrm_select.c - traffic selectors in the kernel's words: what fits, what does not, and what holds them all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "base/strbuf.h"
#include "dp/xfrm/select.h"
#include "model/model.h"

static struct xfrm_selector found[XFRM_SELECTORS_MAX];

static size_t parse(const char *const *text, struct adit_ts *out)
{
    size_t n = 0;
    for (; text[n]; n++) {
        struct adit_addr lo, hi;
        char a[64], b[64];
        unsigned proto, from, to;
        assert_int_equal(sscanf(text[n], "%63[^-]-%63[^/]/%u/%u-%u", a, b, &proto, &from, &to), 5);
        assert_true(addr_parse(a, &lo) && addr_parse(b, &hi));
        out[n] = (struct adit_ts){ .family = lo.family, .proto = (uint8_t)proto, .port_lo = (uint16_t)from, .port_hi = (uint16_t)to };
        span_copy(out[n].lo, span(lo.ip, 16));
        span_copy(out[n].hi, span(hi.ip, 16));
    }
    return n;
}

static size_t select_for(const char *const *local, const char *const *remote, const char **why_not)
{
    struct adit_ts l[4], r[4];
    size_t n_l = parse(local, l), n_r = parse(remote, r);
    return xfrm_selectors(l, n_l, r, n_r, found, XFRM_SELECTORS_MAX, why_not);
}

static void print(const struct xfrm_selector *s, char *out, size_t cap)
{
    STRBUF(src, 64);
    STRBUF(dst, 64);
    struct adit_addr a = xfrm_address_get(&s->saddr, s->family), b = xfrm_address_get(&s->daddr, s->family);
    addr_print(&src, &a);
    addr_print(&dst, &b);
    snprintf(out, cap, "%s/%u:%u&%x > %s/%u:%u&%x %u", src.p, s->prefixlen_s, ntohs(s->sport), ntohs(s->sport_mask), dst.p,
             s->prefixlen_d, ntohs(s->dport), ntohs(s->dport_mask), s->proto);
}

#define ANY4(net) net "/0/0-65535"
static const struct row {
    const char *what, *local[4], *remote[4];
    size_t n;
    const char *first, *last, *why_not; /* a part of it */
} rows[] = {
    { "two networks", { ANY4("10.1.0.0-10.1.255.255") }, { ANY4("10.2.0.0-10.2.0.255") }, 1,
      "10.1.0.0/16:0&0 > 10.2.0.0/24:0&0 0", NULL, NULL },
    { "IPv6", { ANY4("fd00::-fd00::ffff") }, { ANY4("fd01::1-fd01::1") }, 1, "fd00::/112:0&0 > fd01::1/128:0&0 0", NULL, NULL },
    { "everything", { ANY4("0.0.0.0-255.255.255.255") }, { ANY4("0.0.0.0-255.255.255.255") }, 1,
      "0.0.0.0/0:0&0 > 0.0.0.0/0:0&0 0", NULL, NULL },
    { "a range", { ANY4("10.0.0.1-10.0.0.1") }, { ANY4("10.2.0.1-10.2.0.4") }, 3, "10.0.0.1/32:0&0 > 10.2.0.1/32:0&0 0",
      "10.0.0.1/32:0&0 > 10.2.0.4/32:0&0 0", NULL },
    { "two by two", { ANY4("10.0.0.0-10.0.0.255"), ANY4("10.0.2.0-10.0.2.255") },
      { ANY4("10.9.0.0-10.9.0.255"), ANY4("10.9.2.0-10.9.2.255") }, 4, "10.0.0.0/24:0&0 > 10.9.0.0/24:0&0 0",
      "10.0.2.0/24:0&0 > 10.9.2.0/24:0&0 0", NULL },
    { "families do not mix", { ANY4("10.0.0.0-10.0.0.255"), ANY4("fd00::1-fd00::1") },
      { ANY4("10.9.0.0-10.9.0.255"), ANY4("fd01::1-fd01::1") }, 2, "10.0.0.0/24:0&0 > 10.9.0.0/24:0&0 0",
      "fd00::1/128:0&0 > fd01::1/128:0&0 0", NULL },
    { "one port", { "10.0.0.1-10.0.0.1/6/0-65535" }, { "10.0.0.2-10.0.0.2/6/443-443" }, 1,
      "10.0.0.1/32:0&0 > 10.0.0.2/32:443&ffff 6", NULL, NULL },
    { "a port range in blocks", { "10.0.0.1-10.0.0.1/17/1000-1003" }, { "10.0.0.2-10.0.0.2/17/1-6" }, 4,
      "10.0.0.1/32:1000&fffc > 10.0.0.2/32:1&ffff 17", "10.0.0.1/32:1000&fffc > 10.0.0.2/32:6&ffff 17", NULL },
    { "one side names the protocol", { ANY4("10.0.0.1-10.0.0.1") }, { "10.0.0.2-10.0.0.2/17/53-53" }, 1,
      "10.0.0.1/32:0&0 > 10.0.0.2/32:53&ffff 17", NULL, NULL },
    { "protocols that exclude each other", { "10.0.0.1-10.0.0.1/6/0-65535" }, { "10.0.0.2-10.0.0.2/17/0-65535" }, 0, NULL, NULL,
      "no pair" },
    { "OPAQUE ports", { "10.0.0.1-10.0.0.1/6/65535-0" }, { ANY4("10.0.0.2-10.0.0.2") }, 0, NULL, NULL, "OPAQUE" },
    { "a type of ICMP", { "10.0.0.1-10.0.0.1/1/2048-2048" }, { "10.0.0.2-10.0.0.2/1/2048-2048" }, 0, NULL, NULL, "ports for TCP" },
    { "ICMP", { "10.0.0.1-10.0.0.1/1/0-65535" }, { "10.0.0.2-10.0.0.2/1/0-65535" }, 1, "10.0.0.1/32:0&0 > 10.0.0.2/32:0&0 1", NULL,
      NULL },
    { "too many", { "10.0.0.1-10.0.0.1/6/1-65534" }, { "10.0.0.1-10.0.0.1/6/1-65534" }, 0, NULL, NULL, "too many" },
};

static void table(void **state)
{
    char text[200];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *why_not;
        size_t n = select_for(rows[i].local, rows[i].remote, &why_not);
        if (n != rows[i].n)
            fail_msg("%s: %zu selectors, not %zu", rows[i].what, n, rows[i].n);
        assert_int_equal(n == 0, why_not != NULL);
        if (!n) {
            assert_non_null(strstr(why_not, rows[i].why_not));
            continue;
        }
        print(&found[0], text, sizeof(text));
        assert_string_equal(text, rows[i].first);
        print(&found[n - 1], text, sizeof(text));
        assert_string_equal(text, rows[i].last ? rows[i].last : rows[i].first);
    }
}

/* Blocks of ports are disjoint, and hold just the range. */
static void every_port_once(void **state)
{
    static const unsigned ranges[][2] = { { 0, 65534 }, { 1, 65535 }, { 1000, 2000 }, { 7, 7 }, { 32767, 32768 } };
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        char text[64];
        const char *why_not, *local[] = { "10.0.0.1-10.0.0.1/6/0-65535", NULL }, *remote[] = { text, NULL };
        snprintf(text, sizeof(text), "10.0.0.2-10.0.0.2/6/%u-%u", ranges[i][0], ranges[i][1]);
        size_t n = select_for(local, remote, &why_not);
        assert_true(n > 0);
        for (unsigned port = 0; port <= UINT16_MAX; port++) {
            unsigned hits = 0;
            for (size_t k = 0; k < n; k++)
                hits += (htons((uint16_t)port) & found[k].dport_mask) == found[k].dport;
            assert_int_equal(hits, port >= ranges[i][0] && port <= ranges[i][1]);
        }
    }
}

static void turned(void **state)
{
    const char *why_not, *local[] = { "10.1.0.0-10.1.255.255/6/80-80", NULL }, *remote[] = { ANY4("10.2.0.0-10.2.0.255"), NULL };
    char text[200];
    assert_int_equal(select_for(local, remote, &why_not), 1);
    struct xfrm_selector t = xfrm_selector_turned(&found[0]);
    print(&t, text, sizeof(text));
    assert_string_equal(text, "10.2.0.0/24:0&0 > 10.1.0.0/16:80&ffff 6");
    t = xfrm_selector_turned(&t);
    assert_true(xfrm_selector_equal(&t, &found[0]));
}

static void hull(void **state)
{
    const char *why_not, *local[] = { "10.1.0.0-10.1.255.255/6/80-80", "10.2.0.0-10.2.0.255/17/80-80", NULL },
               *remote[] = { ANY4("10.9.0.1-10.9.0.1"), NULL }, *both[] = { ANY4("10.9.0.1-10.9.0.1"), ANY4("fd00::1-fd00::1"), NULL };
    char text[200];
    size_t n = select_for(local, remote, &why_not);
    struct xfrm_selector one = xfrm_selector_hull(found, 1), all = xfrm_selector_hull(found, n);
    assert_true(n == 2 && xfrm_selector_equal(&one, &found[0]));
    print(&all, text, sizeof(text));
    assert_string_equal(text, "10.0.0.0/14:0&0 > 10.9.0.1/32:0&0 0");
    n = select_for(both, both, &why_not);
    all = xfrm_selector_hull(found, n);
    assert_true(n == 2 && all.family == 0 && all.prefixlen_s == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(table), cmocka_unit_test(every_port_once), cmocka_unit_test(turned),
                                        cmocka_unit_test(hull) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
