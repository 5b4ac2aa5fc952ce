/* test_xfrm_spd.c - which policy the kernel gets, as Child SAs come, become active, leave and go, in the kernel and elsewhere. A
 * kernel of our own takes the messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include "base/mem.h"
#include "base/span.h"
#include "dp/xfrm/select.h"
#include "dp/xfrm/spd.h"

/* What is installed, in words: "allow", "block", "none", or the template. */
struct kernel {
    char now[XFRM_POLICY_MAX][64];
    uint32_t priority[XFRM_POLICY_MAX];
    unsigned messages;
    int refuses; /* the next ones; -errno */
};

static void describe(struct kernel *k, const struct xfrm_msg *m)
{
    const struct xfrm_userpolicy_info *p = (const void *)(m->p + NLMSG_HDRLEN);
    char *out = k->now[p->dir];
    k->priority[p->dir] = p->priority;
    if (m->n == NLMSG_HDRLEN + sizeof(*p)) {
        snprintf(out, sizeof(k->now[0]), "%s", p->action == XFRM_POLICY_BLOCK ? "block" : "allow");
        return;
    }
    const struct xfrm_user_tmpl *t = (const void *)(m->p + NLMSG_HDRLEN + sizeof(*p) + NLA_HDRLEN);
    snprintf(out, sizeof(k->now[0]), "%s%s %u spi %u to %u%s", t->optional ? "or " : "", t->mode == XFRM_MODE_TUNNEL ? "tunnel" : "transport", t->reqid,
             ntohl(t->id.spi), ((const uint8_t *)&t->id.daddr)[3], p->flags & XFRM_POLICY_ASKS_OF_CPU ? " asks" : "");
}

static int take(void *arg, struct xfrm_msg *m)
{
    struct kernel *k = arg;
    const struct nlmsghdr *h = (const void *)m->p;
    const struct xfrm_userpolicy_id *id = (const void *)(m->p + NLMSG_HDRLEN);
    assert_false(m->fail);
    k->messages++;
    if (k->refuses)
        return k->refuses;
    if (h->nlmsg_type == XFRM_MSG_DELPOLICY)
        snprintf(k->now[id->dir], sizeof(k->now[0]), "none");
    else
        describe(k, m);
    return 0;
}

static struct kernel k;
static struct spd *spd;
static struct xfrm_selector sel;

static int begin(void **state)
{
    k = (struct kernel){ .now = { "none", "none", "none" } };
    sel = (struct xfrm_selector){ .family = AF_INET, .prefixlen_s = 16, .prefixlen_d = 16 };
    spd = spd_new(take, &k, 42);
    return spd ? 0 : -1;
}

static int end(void **state)
{
    spd_free(spd);
    for (int i = 0; i < XFRM_POLICY_MAX; i++)
        assert_string_equal(k.now[i], "none");
    return mem_blocks() ? -1 : 0;
}

static struct spd_owner child(enum spd_kind kind, uint64_t order, bool active)
{
    return (struct spd_owner){ .kind = kind, .rank = 100, .order = order, .reqid = 7, .spi_out = (uint32_t)order,
                               .local = { 4, { 192, 0, 2, 1 } }, .remote = { 4, { 192, 0, 2, 2 } }, .active = active, .n = 1, .sel = &sel };
}

static struct spd_owner policy(enum spd_kind kind)
{
    return (struct spd_owner){ .kind = kind, .rank = 101, .reqid = 7, .n = 1, .sel = &sel };
}

static void out_is(const char *text)
{
    assert_string_equal(k.now[XFRM_POLICY_OUT], text);
}

static void in_is(const char *text)
{
    assert_string_equal(k.now[XFRM_POLICY_IN], text);
    assert_string_equal(k.now[XFRM_POLICY_FWD], text);
}

static void activate(struct spd_owner *o)
{
    o->active = true;
    spd_changed(spd, o, false);
}

/* In, before anything may go out. */
static void standby(void **state)
{
    struct spd_owner a = child(SPD_KERNEL, 1, false);
    assert_int_equal(spd_add(spd, &a), 0);
    in_is("tunnel 7 spi 0 to 0");
    out_is("none");
    activate(&a);
    out_is("tunnel 7 spi 1 to 2");
    assert_int_equal(spd_installed(spd), 3);
    spd_del(spd, &a);
    in_is("none");
    out_is("none");
}

static void from_kernel_to_user_space_and_back(void **state)
{
    struct spd_owner a = child(SPD_KERNEL, 1, true), b = child(SPD_USER, 2, false), c = child(SPD_KERNEL, 3, false);
    assert_int_equal(spd_add(spd, &a) | spd_add(spd, &b), 0);
    out_is("tunnel 7 spi 1 to 2");
    in_is("or tunnel 7 spi 0 to 0"); /* from the TUN they come in the clear */
    activate(&b);
    out_is("allow");
    in_is("or tunnel 7 spi 0 to 0"); /* packets may still be under way */
    spd_del(spd, &a);
    in_is("allow");
    assert_int_equal(spd_add(spd, &c), 0);
    out_is("allow");
    in_is("or tunnel 7 spi 0 to 0");
    activate(&c);
    out_is("tunnel 7 spi 3 to 2");
    c.leaving = true;
    spd_changed(spd, &c, false);
    out_is("allow");
    spd_del(spd, &b);
    out_is("tunnel 7 spi 3 to 2");
    in_is("tunnel 7 spi 0 to 0");
    spd_del(spd, &c);
}

static void trapped(void **state)
{
    struct spd_owner trap = policy(SPD_TRAP), a = child(SPD_KERNEL, 1, true), b = child(SPD_USER, 2, true);
    assert_int_equal(spd_add(spd, &trap), 0);
    out_is("allow"); /* to the TUN, where its packets are held */
    in_is("none");
    assert_int_equal(spd_add(spd, &a), 0);
    out_is("tunnel 7 spi 1 to 2");
    spd_del(spd, &a);
    out_is("allow");
    assert_int_equal(spd_add(spd, &b), 0);
    out_is("allow");
    spd_del(spd, &b);
    spd_del(spd, &trap);
}

static void passed_and_dropped(void **state)
{
    struct spd_owner pass = policy(SPD_PASS), drop = policy(SPD_DROP), a = child(SPD_KERNEL, 1, true);
    assert_int_equal(spd_add(spd, &pass), 0);
    out_is("allow");
    in_is("allow");
    drop.rank = 50; /* an explicit priority comes before all by width */
    assert_int_equal(spd_add(spd, &drop) | spd_add(spd, &a), 0);
    out_is("block");
    in_is("block");
    assert_int_equal(k.priority[XFRM_POLICY_OUT], 50);
    spd_del(spd, &drop);
    out_is("tunnel 7 spi 1 to 2");
    in_is("tunnel 7 spi 0 to 0");
    spd_del(spd, &a);
    in_is("allow");
    spd_del(spd, &pass);
}

/* Two IKE SAs for a while: packets of both are welcome, and what is sent goes by the newer one. */
static void two_reqids(void **state)
{
    struct spd_owner a = child(SPD_KERNEL, 1, true), b = child(SPD_KERNEL, 2, true);
    b.reqid = 8;
    assert_int_equal(spd_add(spd, &a) | spd_add(spd, &b), 0);
    in_is("tunnel 0 spi 0 to 0");
    out_is("tunnel 8 spi 2 to 2");
    spd_del(spd, &b);
    in_is("tunnel 7 spi 0 to 0");
    out_is("tunnel 7 spi 1 to 2");
    spd_del(spd, &a);
}

static void one_a_processor(void **state)
{
    struct spd_owner all = child(SPD_KERNEL, 1, true), own = child(SPD_KERNEL, 2, true);
    all.shares = true;
    own.one_cpu = true;
    assert_int_equal(spd_add(spd, &all), 0);
    out_is("tunnel 7 spi 0 to 2 asks");
    assert_int_equal(spd_add(spd, &own), 0);
    out_is("tunnel 7 spi 0 to 2 asks");
    unsigned before = k.messages;
    spd_changed(spd, &own, false);
    assert_int_equal(k.messages, before);
    spd_changed(spd, &own, true); /* the kernel is to look for states again */
    assert_int_equal(k.messages, before + 1);
    all.shares = false; /* the peer makes no more */
    spd_changed(spd, &all, false);
    out_is("tunnel 7 spi 0 to 2");
    spd_del(spd, &own);
    out_is("tunnel 7 spi 1 to 2");
    spd_del(spd, &all);
}

static void transport_mode_forwards_nothing(void **state)
{
    struct spd_owner a = child(SPD_KERNEL, 1, true);
    a.transport = true;
    assert_int_equal(spd_add(spd, &a), 0);
    out_is("transport 7 spi 1 to 2");
    assert_string_equal(k.now[XFRM_POLICY_IN], "transport 7 spi 0 to 0");
    assert_string_equal(k.now[XFRM_POLICY_FWD], "none");
    spd_del(spd, &a);
}

static void the_kernel_refuses(void **state)
{
    struct spd_owner a = child(SPD_KERNEL, 1, true);
    k.refuses = -ENOSPC;
    assert_int_equal(spd_add(spd, &a), -ENOSPC);
    assert_int_equal(spd_installed(spd), 0);
    k.refuses = 0;
    assert_int_equal(spd_add(spd, &a), 0); /* the end removes what is still there */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(standby, begin, end),
        cmocka_unit_test_setup_teardown(from_kernel_to_user_space_and_back, begin, end),
        cmocka_unit_test_setup_teardown(trapped, begin, end),
        cmocka_unit_test_setup_teardown(passed_and_dropped, begin, end),
        cmocka_unit_test_setup_teardown(two_reqids, begin, end),
        cmocka_unit_test_setup_teardown(one_a_processor, begin, end),
        cmocka_unit_test_setup_teardown(transport_mode_forwards_nothing, begin, end),
        cmocka_unit_test_setup_teardown(the_kernel_refuses, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
