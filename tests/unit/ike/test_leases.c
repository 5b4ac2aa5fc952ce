/* test_leases.c - who gets which address of a pool: tables of steps on one pool. */
#include "unit.h"
#include "ike/leases.h"
#include "model/model.h"

static struct adit_addr addr(const char *text)
{
    struct adit_addr a = { 0 };
    assert_true(!*text || addr_parse(text, &a));
    return a;
}

static struct adit_config *config(const char *name, const char *lo, const char *hi)
{
    struct adit_config *cfg = adit_config_new();
    struct adit_pool pool = { .name = name, .base = addr(lo), .lo = addr(lo), .hi = addr(hi) };
    assert_int_equal(adit_config_add_pool(cfg, &pool), ADIT_OK);
    return cfg;
}

static enum adit_rc set(struct leases *l, const char *name, const char *lo, const char *hi)
{
    struct adit_config *cfg = config(name, lo, hi);
    enum adit_rc rc = leases_config(l, cfg, NULL);
    adit_config_unref(cfg);
    return rc;
}

struct step {
    const char *what;
    char op; /* +: take, -: return what step n took */
    const char *owner, *wanted, *peer;
    bool takes_over;
    int n;
    const char *got; /* NULL: none */
};
#define TAKE(what, owner, wanted, peer, over, got) { what, '+', owner, wanted, peer, over, 0, got }
#define BACK(n) { "returned", '-', NULL, NULL, NULL, false, n, NULL }
#define STEPS 12

static const struct {
    const char *what, *lo, *hi;
    struct step step[STEPS];
    unsigned online, offline;
} stories[] = {
    { "in turn", "10.9.0.254", "10.9.1.1",
      { TAKE("first", "xxxa", "", "192.0.2.1", false, "10.9.0.254"), TAKE("second", "xxxb", "", "192.0.2.2", false, "10.9.0.255"),
        TAKE("carries over", "xxxc", "", "192.0.2.3", false, "10.9.1.0"), TAKE("last", "xxxd", "", "192.0.2.4", false, "10.9.1.1"),
        TAKE("exhausted", "xxxe", "", "192.0.2.5", false, NULL), BACK(1),
        TAKE("given to somebody else", "xxxe", "", "192.0.2.5", false, "10.9.0.255"),
        TAKE("whose it was", "xxxb", "", "192.0.2.2", false, NULL) }, 4, 0 },
    { "sticky", "10.9.0.1", "10.9.0.9",
      { TAKE("a", "xxxa", "", "192.0.2.1", false, "10.9.0.1"), TAKE("b", "xxxb", "", "192.0.2.2", false, "10.9.0.2"), BACK(0), BACK(1),
        TAKE("b again", "xxxb", "", "192.0.2.7", false, "10.9.0.2"), TAKE("c is new", "xxxc", "", "192.0.2.1", false, "10.9.0.3"),
        TAKE("a again", "xxxa", "", "192.0.2.1", false, "10.9.0.1") }, 3, 0 },
    { "wishes", "10.9.0.1", "10.9.0.9",
      { TAKE("free", "xxxa", "10.9.0.5", "192.0.2.1", false, "10.9.0.5"), TAKE("taken", "xxxb", "10.9.0.5", "192.0.2.2", false, "10.9.0.1"),
        TAKE("outside", "xxxc", "10.10.0.5", "192.0.2.2", false, "10.9.0.2"), TAKE("family", "xxxd", "fd00::1", "192.0.2.2", false, "10.9.0.3"),
        BACK(0), TAKE("another's, offline", "xxxe", "10.9.0.5", "192.0.2.2", false, "10.9.0.4"),
        TAKE("its own", "xxxa", "10.9.0.5", "192.0.2.1", false, "10.9.0.5"),
        TAKE("skipped in turn", "xxxf", "", "192.0.2.2", false, "10.9.0.6") }, 6, 0 },
    { "one identity twice", "10.9.0.1", "10.9.0.9",
      { TAKE("first", "xxxa", "", "192.0.2.1", false, "10.9.0.1"), TAKE("another device", "xxxa", "", "192.0.2.9", false, "10.9.0.2"),
        TAKE("it wants the first's", "xxxa", "10.9.0.1", "192.0.2.9", false, "10.9.0.3"),
        TAKE("reauthentication", "xxxa", "10.9.0.1", "192.0.2.1", false, "10.9.0.1"), BACK(0) }, 3, 0 },
    { "taken over", "10.9.0.1", "10.9.0.9",
      { TAKE("first", "xxxa", "", "192.0.2.1", false, "10.9.0.1"), TAKE("anew", "xxxa", "", "192.0.2.9", true, "10.9.0.1"), BACK(0) }, 1, 0 },
    { "IPv6", "fd09::1", "fd09::ffff:ffff:ffff:ffff",
      { TAKE("first", "xxxa", "", "192.0.2.1", false, "fd09::1"),
        TAKE("interface identifier", "xxxb", "2001:db8::42", "192.0.2.1", false, "fd09::42"),
        TAKE("it is taken", "xxxc", "2001:db8::42", "192.0.2.1", false, "fd09::2"),
        TAKE("far beyond", "xxxd", "fd09::1:0:0:1", "192.0.2.1", false, "fd09::3") }, 4, 0 },
};

static void play(struct leases *l, const struct step *steps, struct lease *held[STEPS])
{
    for (int i = 0; i < STEPS && steps[i].op; i++) {
        const struct step *s = &steps[i];
        if (s->op == '-') {
            lease_return(held[s->n]);
            held[s->n] = NULL;
            continue;
        }
        struct adit_addr wanted = addr(s->wanted), peer = addr(s->peer);
        struct lease_want want = { "p", span_str(s->owner), &wanted, &peer, s->takes_over };
        held[i] = lease_take(l, &want);
        assert_row(s->what, (held[i] != NULL) == (s->got != NULL));
        STRBUF(text, 64);
        if (held[i]) {
            struct adit_addr got = lease_address(held[i]);
            addr_print(&text, &got);
            assert_string_equal(text.p, s->got);
        }
    }
}

static void stories_are_played(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(stories); i++) {
        struct leases l;
        struct lease *held[STEPS] = { NULL };
        struct adit_pool_info info;
        leases_init(&l, 7);
        assert_int_equal(set(&l, "p", stories[i].lo, stories[i].hi), ADIT_OK);
        play(&l, stories[i].step, held);
        assert_true(leases_pool(&l, 0, &info));
        assert_row(stories[i].what, info.online == stories[i].online && info.offline == stories[i].offline);
        for (int k = 0; k < STEPS; k++)
            lease_return(held[k]);
        assert_true(leases_pool(&l, 0, &info) && info.online == 0);
        leases_fini(&l);
    }
}

static void sizes_are_counted(void **state)
{
    static const struct {
        const char *lo, *hi;
        uint32_t size;
    } rows[] = { { "10.0.0.1", "10.0.0.1", 1 }, { "10.0.0.0", "10.0.255.255", 65536 }, { "10.0.0.200", "10.0.2.3", 316 },
                 { "fd00::", "fd00::ffff", 65536 }, { "fd00::", "fd00::ffff:ffff:ffff:ffff", 0x7fffffff },
                 { "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0x7fffffff }, { "0.0.0.0", "255.255.255.255", 0x7fffffff } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct leases l;
        struct adit_pool_info info;
        leases_init(&l, 7);
        assert_int_equal(set(&l, "p", rows[i].lo, rows[i].hi), ADIT_OK);
        assert_true(leases_pool(&l, 0, &info));
        assert_int_equal(info.size, rows[i].size);
        leases_fini(&l);
    }
}

static void pools_in_use_stay(void **state)
{
    struct leases l;
    struct adit_addr none = { 0 };
    struct adit_pool_info info;
    struct adit_lease_info lease;
    struct lease_want want = { "p", SPAN_LIT("\2\0\0\0carol"), &none, &none, false };
    leases_init(&l, 7);
    assert_int_equal(set(&l, "p", "10.0.0.1", "10.0.0.9"), ADIT_OK);
    struct lease *held = lease_take(&l, &want);
    assert_int_equal(set(&l, "p", "10.0.0.1", "10.0.0.9"), ADIT_OK); /* the same range */
    assert_int_equal(set(&l, "p", "10.0.0.1", "10.0.0.8"), ADIT_ERR_EXISTS);
    assert_int_equal(set(&l, "q", "10.0.0.1", "10.0.0.9"), ADIT_ERR_EXISTS);
    assert_true(leases_pool(&l, 0, &info) && info.online == 1 && !strcmp(info.name, "p"));
    assert_true(leases_lease(&l, 0, 0, &lease) && lease.online && lease.owner.type == 2);
    assert_true(span_equal(lease.owner.data, SPAN_LIT("carol")));
    lease_return(held);
    assert_true(leases_lease(&l, 0, 0, &lease) && !lease.online);
    assert_int_equal(set(&l, "p", "10.0.0.1", "10.0.0.9"), ADIT_OK);
    assert_true(leases_pool(&l, 0, &info) && info.offline == 1);
    assert_int_equal(set(&l, "p", "10.0.1.1", "10.0.1.9"), ADIT_OK); /* nobody is online: leases are forgotten */
    assert_true(leases_pool(&l, 0, &info) && info.offline == 0);
    assert_int_equal(set(&l, "q", "10.0.1.1", "10.0.1.9"), ADIT_OK);
    assert_true(leases_pool(&l, 0, &info) && !strcmp(info.name, "q") && !leases_pool(&l, 1, &info));
    leases_fini(&l);
}

static bool not_now(void *arg, size_t n)
{
    unsigned *left = arg;
    return !*left || --*left;
}

static void without_memory_nothing_is_lost(void **state)
{
    struct adit_addr none = { 0 };
    struct adit_pool_info info;
    struct lease_want want = { "p", SPAN_LIT("carol"), &none, &none, false };
    for (unsigned at = 1; at < 12; at++) {
        struct leases l;
        unsigned left = at;
        leases_init(&l, 7);
        assert_int_equal(set(&l, "p", "10.0.0.1", "10.0.0.2"), ADIT_OK);
        mem_set_gate(not_now, &left);
        struct lease *held = lease_take(&l, &want);
        mem_set_gate(NULL, NULL);
        lease_return(held);
        held = lease_take(&l, &want);
        assert_non_null(held);
        assert_true(leases_pool(&l, 0, &info) && info.online == 1 && info.offline == 0);
        lease_return(held);
        leases_fini(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stories_are_played),
        cmocka_unit_test(sizes_are_counted),
        cmocka_unit_test(pools_in_use_stay),
        cmocka_unit_test(without_memory_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
