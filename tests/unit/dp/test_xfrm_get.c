/* test_xfrm_get.c - events and states as the kernel writes them, and every message that is not whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include "base/span.h"
#include "dp/xfrm/get.h"
#include "dp/xfrm/put.h"
#include "dp/xfrm/select.h"
#include "model/model.h"

static _Alignas(8) uint8_t mem[1024];
static size_t n;

static void begin(uint16_t type, const void *body, size_t size)
{
    struct nlmsghdr *h = (void *)mem;
    *h = (struct nlmsghdr){ .nlmsg_type = type };
    span_copy(mem + NLMSG_HDRLEN, span(body, size));
    n = NLMSG_HDRLEN + NLMSG_ALIGN(size);
    h->nlmsg_len = (uint32_t)n;
}

static void add(uint16_t type, const void *data, size_t size)
{
    struct nlattr a = { .nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = type };
    span_copy(mem + n, span(&a, sizeof(a)));
    span_copy(mem + n + NLA_HDRLEN, span(data, size));
    n += NLA_ALIGN(NLA_HDRLEN + size);
    ((struct nlmsghdr *)(void *)mem)->nlmsg_len = (uint32_t)n;
}

static xfrm_address_t address(const char *text)
{
    struct adit_addr a;
    xfrm_address_t out;
    assert_true(addr_parse(text, &a));
    xfrm_address_put(&out, &a);
    return out;
}

static bool is_addr(const struct adit_addr *a, const char *text)
{
    struct adit_addr b;
    return addr_parse(text, &b) && addr_equal(a, &b);
}

/* No shorter one is taken for an event; at the full length it is one. */
static void whole_or_nothing(size_t least)
{
    struct xfrm_event ev;
    for (size_t k = 0; k < n; k++) {
        ((struct nlmsghdr *)(void *)mem)->nlmsg_len = (uint32_t)k;
        assert_int_equal(xfrm_event_get(span(mem, k), &ev), k >= least);
    }
    ((struct nlmsghdr *)(void *)mem)->nlmsg_len = (uint32_t)n;
    assert_false(xfrm_event_get(span(mem, n - 1), &ev));
}

static void acquire(void **state)
{
    struct xfrm_user_acquire a = { .id = { .proto = IPPROTO_ESP, .daddr = address("198.51.100.1") },
                                   .sel = { .family = AF_INET, .prefixlen_d = 32, .prefixlen_s = 32, .proto = 1 } };
    struct xfrm_user_tmpl t = { .reqid = 4711 };
    struct xfrm_event ev;
    uint32_t cpu = 3;
    a.sel.daddr = address("10.2.0.1");
    begin(XFRM_MSG_ACQUIRE, &a, sizeof(a));
    size_t least = NLMSG_HDRLEN + sizeof(a);
    add(XFRMA_TMPL, &t, sizeof(t));
    assert_true(xfrm_event_get(span(mem, n), &ev));
    assert_true(ev.type == XFRM_EV_ACQUIRE && ev.reqid == 4711 && ev.cpu == XFRM_NO_CPU && ev.packet.proto == 1);
    add(XFRM_ATTR_CPU, &cpu, sizeof(cpu));
    assert_true(xfrm_event_get(span(mem, n), &ev) && ev.cpu == 3);
    whole_or_nothing(least);
}

static void expire(void **state)
{
    static const enum xfrm_event_type types[] = { XFRM_EV_SOFT, XFRM_EV_HARD };
    struct xfrm_user_expire e = { .state = { .family = AF_INET6, .reqid = 5 } };
    struct xfrm_event ev;
    e.state.id = (struct xfrm_id){ address("2001:db8::9"), htonl(0xc0ffee01), IPPROTO_ESP };
    for (uint8_t hard = 0; hard < 2; hard++) {
        e.hard = hard;
        begin(XFRM_MSG_EXPIRE, &e, sizeof(e));
        assert_true(xfrm_event_get(span(mem, n), &ev));
        assert_true(ev.type == types[hard] && ev.spi == 0xc0ffee01 && ev.reqid == 5 && is_addr(&ev.dst, "2001:db8::9"));
        whole_or_nothing(NLMSG_HDRLEN + sizeof(e));
    }
    e.state.id.proto = IPPROTO_AH;
    begin(XFRM_MSG_EXPIRE, &e, sizeof(e));
    assert_false(xfrm_event_get(span(mem, n), &ev));
    e.state.id.proto = IPPROTO_ESP;
    e.state.family = 99;
    begin(XFRM_MSG_EXPIRE, &e, sizeof(e));
    assert_false(xfrm_event_get(span(mem, n), &ev));
}

static void mapping(void **state)
{
    struct xfrm_user_mapping m = { .reqid = 6, .new_sport = htons(61000) };
    struct xfrm_event ev;
    m.id = (struct xfrm_usersa_id){ address("192.0.2.1"), htonl(0x01020304), AF_INET, IPPROTO_ESP };
    m.new_saddr = address("203.0.113.5");
    begin(XFRM_MSG_MAPPING, &m, sizeof(m));
    assert_true(xfrm_event_get(span(mem, n), &ev));
    assert_true(ev.type == XFRM_EV_MAPPING && ev.spi == 0x01020304 && is_addr(&ev.dst, "192.0.2.1"));
    assert_true(ev.from.port == 61000 && is_addr(&ev.from.addr, "203.0.113.5"));
    whole_or_nothing(NLMSG_HDRLEN + sizeof(m));
    begin(XFRM_MSG_NEWPOLICY, &m, sizeof(m));
    assert_false(xfrm_event_get(span(mem, n), &ev));
}

static void a_state(void **state)
{
    struct xfrm_usersa_info i = { .family = AF_INET, .curlft = { 5000, 50, 1, 2 }, .stats = { 1, 2, 3 } };
    struct xfrm_state_info got;
    uint64_t used = 1700000000;
    uint32_t cpu = 1;
    begin(XFRM_MSG_NEWSA, &i, sizeof(i));
    assert_true(xfrm_state_get(span(mem, n), &got));
    assert_true(got.bytes == 5000 && got.packets == 50 && got.failed == 6 && !got.last_used && got.cpu == XFRM_NO_CPU);
    add(XFRMA_LASTUSED, &used, sizeof(used));
    add(XFRM_ATTR_CPU, &cpu, sizeof(cpu));
    assert_true(xfrm_state_get(span(mem, n), &got) && got.last_used == used && got.cpu == 1);
    for (size_t k = 0; k < NLMSG_HDRLEN + sizeof(i); k++)
        assert_false(xfrm_state_get(span(mem, k), &got));
    struct nlattr bad = { .nla_len = 2, .nla_type = XFRMA_LASTUSED }; /* shorter than its own header */
    begin(XFRM_MSG_NEWSA, &i, sizeof(i));
    add(XFRMA_PAD, NULL, 0);
    span_copy(mem + n - NLA_HDRLEN, span(&bad, sizeof(bad)));
    assert_true(xfrm_state_get(span(mem, n), &got) && !got.last_used);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(acquire), cmocka_unit_test(expire), cmocka_unit_test(mapping),
                                        cmocka_unit_test(a_state) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
