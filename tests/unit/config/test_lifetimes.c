/* test_lifetimes.c - lifetimes that are computed from each other (management.md s4.3). */
#include "fake_io.h"

static const struct {
    const char *keys;
    uint64_t rekey, reauth, over, rand;
} conns[] = {
    { "", 14400, 0, 1440, 1440 },
    { "rekey_time = 1h", 3600, 0, 360, 360 },
    { "reauth_time = 10h", 0, 36000, 3600, 3600 },
    { "reauth_time = 10h\n rekey_time = 1h", 3600, 36000, 3600, 1800 },
    { "rekey_time = 0", 0, 0, 0, 0 },
    { "rekey_time = 1h\n over_time = 50m", 3600, 0, 3000, 1800 },
    { "rekey_time = 1h\n rand_time = 1m", 3600, 0, 360, 60 },
};

static void connections_get_theirs(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(conns); i++) {
        STRBUF(text, 512);
        strbuf_addf(&text, "connections { c { %s\n children { x {} } } }", conns[i].keys);
        struct adit_config *cfg = good_config(text.p);
        const struct adit_conn *c = adit_config_conn(cfg, "c");
        assert_row(conns[i].keys, c->rekey_s == conns[i].rekey && c->reauth_s == conns[i].reauth);
        assert_row(conns[i].keys, c->over_s == conns[i].over && c->rand_s == conns[i].rand);
        adit_config_unref(cfg);
    }
}

static const struct {
    const char *keys;
    uint64_t rekey, life, rand;
} times[] = {
    { "", 3600, 3960, 360 },
    { "rekey_time = 100s", 100, 110, 10 },
    { "life_time = 110s", 100, 110, 10 },
    { "rekey_time = 0", 0, 0, 0 },
    { "rekey_time = 0\n life_time = 1h", 0, 3600, 0 },
    { "rekey_time = 1h\n life_time = 10h", 3600, 36000, 1800 },
    { "rekey_time = 1h\n life_time = 2h\n rand_time = 5m", 3600, 7200, 300 },
};

static void children_get_theirs(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        STRBUF(text, 512);
        strbuf_addf(&text, "connections { c { children { x { %s\n } } } }", times[i].keys);
        struct adit_config *cfg = good_config(text.p);
        const struct adit_child_cfg *x = &adit_config_conn(cfg, "c")->children[0];
        assert_row(times[i].keys,
                   x->rekey_s == times[i].rekey && x->life_s == times[i].life && x->rand_s == times[i].rand);
        assert_row(times[i].keys, !x->rekey_bytes && !x->life_bytes && !x->rekey_packets && !x->life_packets);
        adit_config_unref(cfg);
    }
}

static void volumes_saturate(void **state)
{
    struct adit_config *cfg = good_config(
        "connections { c { children { x { rekey_bytes = 1000\n life_packets = 2200 } "
        "y { rekey_bytes = 9000000000000000000g } } } }");
    const struct adit_child_cfg *x = &adit_config_conn(cfg, "c")->children[0],
                                *y = &adit_config_conn(cfg, "c")->children[1];
    assert_int_equal(x->life_bytes, 1100);
    assert_int_equal(x->rand_bytes, 100);
    assert_int_equal(x->rekey_packets, 2000);
    assert_int_equal(x->rand_packets, 200);
    assert_true(y->rekey_bytes == UINT64_MAX && y->life_bytes == UINT64_MAX && y->rand_bytes == 0);
    adit_config_unref(cfg);
}

static void contradictions_are_errors(void **state)
{
    expect_problem("life below rekey",
                   "connections { c { children { x { rekey_time = 2h\n life_time = 1h } } } }",
                   "/s/swanctl.conf:1:30: life_time must not be below rekey_time");
    expect_problem("rand not below rekey",
                   "connections { c { children { x { rekey_bytes = 10\n rand_bytes = 10 } } } }",
                   "/s/swanctl.conf:1:30: rand_bytes must be below rekey_bytes");
    expect_problem("rand not below rekey, IKE",
                   "connections { c { rekey_time = 1h\n rand_time = 1h\n children { x {} } } }",
                   "/s/swanctl.conf:1:15: rand_time must be shorter than rekey_time and reauth_time");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(connections_get_theirs),
                                        cmocka_unit_test(children_get_theirs),
                                        cmocka_unit_test(volumes_saturate),
                                        cmocka_unit_test(contradictions_are_errors) };
    return cmocka_run_group_tests_name("config/lifetimes", tests, NULL, NULL);
}
