/* test_xfrm_put.c - messages to the kernel, octet by octet. The expected ones were put together by another program (Python's
 * struct) from include/uapi/linux/xfrm.h; x86-64's byte order and alignment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include "base/span.h"
#include "dp/xfrm/get.h"
#include "dp/xfrm/put.h"
#include "dp/xfrm/select.h"
#include "model/model.h"
#include "wire/iana.h"

static const char gcm_in[] =
    "a00100001000050600000000000000000a0100000000000000000000000000000a02000000000000000000000000000000000000"
    "0000000002001010000000000000000000000000c63364010000000000000000000000001122334432000000c000020100000000"
    "0000000000000000000000000004000000000000000500000000000010000000000000001400000000000000000000004d0e0000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000700000002000100830000000000000070001200726663343130362867636d2861657329"
    "29000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000020010000"
    "800000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223241c0004000200119511940000"
    "00000000000000000000000000000000240017000200000000000000000000000000000000000000400000000000000000000000";
static const char cbc_out[] =
    "e801000010000506000000000000000020010db800000000000000000000000220010db800000000000000000000000101bbffff"
    "000000000a00808006000000000000000000000020010db8000000000000000000000002c00000013200000020010db800000000"
    "0000000000000001e803000000000000d0070000000000000000008000000000ffffffffffffffff000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000090000000a00000000000000000000005800020063626328616573290000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000080000000"
    "0102030405060708090a0b0c0d0e0f106c001400686d616328736861323536290000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000010000800000000102030405060708090a0b0c"
    "0d0e0f101112131415161718191a1b1c1d1e1f201c00170000000000000000000000000000000000000000000000000008001d00"
    "5500000005002100020000000800230003000000";
static const char del_sa[] =
    "28000000110005000000000000000000c00002010000000000000000000000001122334402003200";
static const char get_sa[] =
    "2800000012000100000000000000000020010db8000000000000000000000002c00000010a003200";
static const char pol_out[] =
    "fc0000001900050000000000000000000a0200000000000000000000000000000a01000000000000000000000000000000000000"
    "0000000002001010000000000000000000000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000006712000000000000010000000000000044000500c633640100000000000000000000000011223344"
    "3200000002000000c00002010000000000000000000000000700000001000000ffffffffffffffffffffffff";
static const char pol_drop[] =
    "b80000001900050000000000000000000a0200000000000000000000000000000a01000000000000000000000000000000000000"
    "0000000002001010000000000000000000000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000001000000000000000001000000000000";
static const char pol_cpu[] =
    "fc0000001900050000000000000000000a0200000000000000000000000000000a01000000000000000000000000000000000000"
    "0000000002001010000000000000000000000000ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000006712000000000000010004000000000044000500c633640100000000000000000000000000000000"
    "3200000002000000c00002010000000000000000000000000700000001000000ffffffffffffffffffffffff";
static const char del_pol[] =
    "500000001400050000000000000000000a0200000000000000000000000000000a01000000000000000000000000000000000000"
    "00000000020010100000000000000000000000000000000001000000";

static uint8_t key[64];
static struct xfrm_msg msg, moved;

static struct adit_addr addr(const char *text)
{
    struct adit_addr a;
    assert_true(addr_parse(text, &a));
    return a;
}

static struct xfrm_selector selector(const char *src, uint8_t ps, const char *dst, uint8_t pd)
{
    struct adit_addr s = addr(src), d = addr(dst);
    struct xfrm_selector sel = { .family = s.family == 6 ? AF_INET6 : AF_INET, .prefixlen_s = ps, .prefixlen_d = pd };
    xfrm_address_put(&sel.saddr, &s);
    xfrm_address_put(&sel.daddr, &d);
    return sel;
}

static void is(const struct xfrm_msg *m, const char *hex)
{
    static char text[2 * XFRM_MSG_ROOM + 1];
    assert_false(m->fail);
    for (size_t i = 0; i < m->n; i++)
        snprintf(text + 2 * i, 3, "%02x", m->p[i]);
    assert_string_equal(text, hex);
}

static struct xfrm_state_spec gcm_inbound(void)
{
    return (struct xfrm_state_spec){ .src = addr("192.0.2.1"), .dst = addr("198.51.100.1"), .spi = 0x11223344, .reqid = 7,
                                     .inbound = true, .esn = true, .window = 64, .encr = xfrm_alg_encr(ENCR_AES_GCM_16),
                                     .encr_key = span(key, 36), .sel = selector("10.2.0.0", 16, "10.1.0.0", 16), .no_ecn = true,
                                     .no_df = true, .dscp_in = true, .no_dscp_out = true, .encap = true, .encap_sport = 4501,
                                     .encap_dport = 4500, .life.hard_ns = UINT64_C(3660000000001), .cpu = XFRM_NO_CPU, .mark = 9 };
}

static struct xfrm_state_spec cbc_outbound(void)
{
    struct xfrm_state_spec s = { .src = addr("2001:db8::1"), .dst = addr("2001:db8::2"), .spi = 0xc0000001, .reqid = 9,
                                 .transport = true, .window = 4096, .encr = xfrm_alg_encr(ENCR_AES_CBC),
                                 .integ = xfrm_alg_integ(INTEG_HMAC_SHA2_256_128), .encr_key = span(key, 16),
                                 .integ_key = span(key, 32), .sel = selector("2001:db8::1", 128, "2001:db8::2", 128), .no_ecn = true,
                                 .no_dscp_out = true, .life = { .soft_bytes = 1000, .hard_bytes = 2000 }, .cpu = 3, .mark = 0x55 };
    s.sel.proto = 6;
    s.sel.dport = htons(443);
    s.sel.dport_mask = 0xffff;
    return s;
}

static void states(void **state)
{
    struct xfrm_state_spec in = gcm_inbound(), out = cbc_outbound();
    xfrm_put_state(&msg, &in, false);
    is(&msg, gcm_in);
    xfrm_put_state(&msg, &out, false);
    is(&msg, cbc_out);
    xfrm_put_state(&msg, &out, true);
    assert_true(((struct nlmsghdr *)(void *)msg.p)->nlmsg_type == XFRM_MSG_UPDSA);
    xfrm_put_del_state(&msg, &(struct xfrm_state_id){ in.src, in.spi });
    is(&msg, del_sa);
    xfrm_put_get_state(&msg, &(struct xfrm_state_id){ out.dst, out.spi });
    is(&msg, get_sa);
}

static void policies(void **state)
{
    struct xfrm_policy_spec p = { .dir = XFRM_POLICY_OUT, .sel = selector("10.1.0.0", 16, "10.2.0.0", 16), .priority = 4711,
                                  .has_template = true,
                                  .t = { addr("192.0.2.1"), addr("198.51.100.1"), 0x11223344, 7, false } };
    xfrm_put_policy(&msg, &p);
    is(&msg, pol_out);
    p.t.spi = 0;
    p.asks_of_cpu = true;
    xfrm_put_policy(&msg, &p);
    is(&msg, pol_cpu);
    xfrm_put_policy(&msg, &(struct xfrm_policy_spec){ .dir = XFRM_POLICY_IN, .sel = p.sel, .priority = 1, .block = true });
    is(&msg, pol_drop);
    xfrm_put_del_policy(&msg, XFRM_POLICY_OUT, &p.sel);
    is(&msg, del_pol);
}

/* What a GETSA would answer: a NEWSA with what was counted. */
static void fill_counts(struct xfrm_msg *m, uint32_t oseq)
{
    struct xfrm_usersa_info *i = (void *)(m->p + NLMSG_HDRLEN);
    i->curlft = (struct xfrm_lifetime_cur){ 1234, 56, 78, 90 };
    for (size_t at = NLMSG_HDRLEN + sizeof(*i); at < m->n;) {
        struct nlattr *a = (void *)(m->p + at);
        if (a->nla_type == XFRMA_REPLAY_ESN_VAL)
            ((struct xfrm_replay_state_esn *)(void *)(a + 1))->oseq = oseq;
        at += NLA_ALIGN((size_t)a->nla_len);
    }
}

static const uint8_t *attr_of(const struct xfrm_msg *m, uint16_t type)
{
    for (size_t at = NLMSG_HDRLEN + sizeof(struct xfrm_usersa_info); at < m->n;) {
        const struct nlattr *a = (const void *)(m->p + at);
        if (a->nla_type == type)
            return (const uint8_t *)(a + 1);
        at += NLA_ALIGN((size_t)a->nla_len);
    }
    return NULL;
}

/* Addresses and ports are new; keys, window and counts stay; what may have left meanwhile is skipped. */
static void a_state_moves(void **state)
{
    struct xfrm_state_spec s = cbc_outbound();
    struct xfrm_move move = { addr("192.0.2.7"), addr("192.0.2.8"), true, 4500, 6000, 10000 };
    xfrm_put_state(&msg, &s, false);
    fill_counts(&msg, UINT32_MAX - 5);
    assert_true(xfrm_put_moved(&moved, span(msg.p, msg.n), &move));
    const struct xfrm_usersa_info *i = (const void *)(moved.p + NLMSG_HDRLEN);
    struct adit_addr dst = xfrm_address_get(&i->id.daddr, i->family);
    assert_true(addr_equal(&dst, &move.dst) && i->reqid == 9 && i->lft.soft_byte_limit == 1000);
    const struct xfrm_algo *cipher = (const void *)attr_of(&moved, XFRMA_ALG_CRYPT);
    assert_memory_equal(cipher->alg_key, key, 16);
    const struct xfrm_replay_state_esn *r = (const void *)attr_of(&moved, XFRMA_REPLAY_ESN_VAL);
    assert_true(r->oseq == 9994 && r->oseq_hi == 1);
    struct xfrm_lifetime_cur cur; /* attributes are aligned to four octets, its fields to eight */
    memcpy(&cur, attr_of(&moved, XFRMA_LTIME_VAL), sizeof(cur));
    assert_true(cur.bytes == 1234 && cur.packets == 56 && cur.add_time == 78);
    const struct xfrm_encap_tmpl *e = (const void *)attr_of(&moved, XFRMA_ENCAP);
    assert_true(ntohs(e->encap_sport) == 4500 && ntohs(e->encap_dport) == 6000);
}

static void what_does_not_move(void **state)
{
    struct xfrm_state_spec s = gcm_inbound();
    struct xfrm_move move = { addr("192.0.2.7"), addr("192.0.2.8"), false, 0, 0, 0 };
    xfrm_put_state(&msg, &s, false);
    fill_counts(&msg, 0);
    assert_true(xfrm_put_moved(&moved, span(msg.p, msg.n), &move));
    assert_null(attr_of(&moved, XFRMA_ENCAP));
    for (size_t n = 0; n < msg.n; n++)
        assert_false(xfrm_put_moved(&moved, span(msg.p, n), &move));
    uint8_t none[36] = { 0 };
    s.encr_key = span(none, sizeof(none)); /* the kernel is under lockdown */
    xfrm_put_state(&msg, &s, false);
    assert_false(xfrm_put_moved(&moved, span(msg.p, msg.n), &move));
    xfrm_put_get_state(&msg, &(struct xfrm_state_id){ s.dst, s.spi });
    assert_false(xfrm_put_moved(&moved, span(msg.p, msg.n), &move));
    xfrm_msg_wipe(&moved);
    for (size_t k = 0; k < sizeof(moved.p); k++)
        assert_int_equal(moved.p[k], 0);
}

static void no_room(void **state)
{
    static uint8_t huge[XFRM_MSG_ROOM];
    struct xfrm_state_spec s = gcm_inbound();
    s.encr_key = span(huge, sizeof(huge));
    xfrm_put_state(&msg, &s, false);
    assert_true(msg.fail);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(states), cmocka_unit_test(policies), cmocka_unit_test(a_state_moves),
                                        cmocka_unit_test(what_does_not_move), cmocka_unit_test(no_room) };
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)(i + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
