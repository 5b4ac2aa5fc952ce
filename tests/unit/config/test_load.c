/* test_load.c - whole files: all errors at once, nothing on any error, no memory, load-conn. */
#include "fake_io.h"

static void all_errors_are_told_and_nothing_comes_out(void **state)
{
    struct config_report report = { 0 };
    struct adit_config *cfg = NULL;
    assert_int_equal(
        load_text("connections { a { local_port = x\n children { x { mode = beet } } } b { nosuch = 1 } }\n"
                  "secrets { ike { } eap { } }\npools { p {} }\nauthorities { z {} }",
                  &cfg, &report),
        ADIT_ERR_CONFIG);
    assert_null(cfg);
    assert_int_equal(report.errors, 7);
    config_report_fini(&report);
}

static void syntax_errors_hide_the_rest(void **state)
{
    struct config_report report = { 0 };
    assert_int_equal(
        load_text("connections { a { local_port = x\n children { x { mode = beet } } }", NULL, &report),
        ADIT_ERR_CONFIG);
    assert_int_equal(report.errors, 1);
    config_report_fini(&report);
}

static void missing_main_file_is_an_error(void **state)
{
    struct fake_file none[] = { { NULL, NULL } };
    struct config_io io = fake_io(none);
    struct config_source src = fake_source(&io);
    struct config_report report = { 0 };
    assert_int_equal(config_load(&src, NULL, &report), ADIT_ERR_CONFIG);
    assert_string_equal(first_problem(&report),
                        "/s/swanctl.conf:0:0: No such file or directory");
    config_report_fini(&report);
}

static void pools_hold_sections(void **state)
{
    expect_problem("pool", "pools { p { addrs = 10.0.0.0/24 } }", "");
    expect_problem("key", "pools { p = 10.0.0.0/24 }", "/s/swanctl.conf:1:9: 'p' stands in `pools`, which holds sections only");
}

static void missing_secret_is_warned_of(void **state)
{
    expect_problem(
        "psk", "connections { c { local { auth = psk } children { x {} } } }",
        "/s/swanctl.conf:1:15: warning: connection 'c' has auth = psk, but `secrets` holds no ike section");
    expect_problem(
        "psk with secret",
        "connections { c { local { auth = psk } children { x {} } } } secrets { ike { secret = s } }", "");
}

static void order_is_kept(void **state)
{
    struct adit_config *cfg =
        good_config("connections { z { children { x {} } } a { children { x {} } } z { unique = keep } }");
    const struct adit_conn *const *conns;
    assert_int_equal(adit_config_conns(cfg, &conns), 2);
    assert_string_equal(conns[0]->name, "z");
    assert_int_equal(conns[0]->unique, ADIT_UNIQUE_KEEP);
    adit_config_unref(cfg);
}

static const char whole[] =
    "base { dpd_delay = 3s\n children { t { rekey_time = 1h } } }\n"
    "connections { c : base { local { certs = moon.pem\n id = moon } remote { auth = psk\n id = sun }\n"
    " children { x { local_ts = 10.0.0.0/8 } } x_mode = yes\n } }\n"
    "secrets { ike { secret = s\n id = sun } }\ntunnels { t { peer = a\n psk = b } }";

static void no_memory_is_told_and_leaks_nothing(void **state)
{
    enum adit_rc rc = ADIT_ERR_MEMORY;
    unsigned fail_at = 0;
    for (; rc != ADIT_OK && fail_at < 5000; fail_at++) {
        struct config_report report = { 0 };
        struct adit_config *cfg = NULL;
        unsigned left = fail_at;
        mem_set_gate(gate_countdown, &left);
        rc = load_text(whole, &cfg, &report);
        mem_set_gate(NULL, NULL);
        assert_true(rc == ADIT_OK ? cfg != NULL : cfg == NULL && report.errors > 0);
        adit_config_unref(cfg);
        config_report_fini(&report);
    }
    assert_int_equal(rc, ADIT_OK);
    assert_true(fail_at > 10);
}

static struct config_node *vici_conn(struct arena *arena, const char *name)
{
    struct config_node *root = config_tree_new(arena, "vici");
    struct config_node *c = config_tree_add(arena, root, CONFIG_SECTION, name, SPAN_NONE);
    struct config_node *local = config_tree_add(arena, c, CONFIG_SECTION, "local-1", SPAN_NONE);
    struct config_node *children = config_tree_add(arena, c, CONFIG_SECTION, "children", SPAN_NONE);
    struct config_node *x = config_tree_add(arena, children, CONFIG_SECTION, "x", SPAN_NONE);
    struct config_node *ts = config_tree_add(arena, x, CONFIG_LIST, "local_ts", SPAN_NONE);
    config_tree_add(arena, local, CONFIG_VALUE, "auth", SPAN_LIT("psk"));
    config_tree_add(arena, ts, CONFIG_VALUE, "", SPAN_LIT("10.0.0.0/8"));
    config_tree_add(arena, ts, CONFIG_VALUE, "", SPAN_LIT("11.0.0.0/8"));
    return c;
}

static void vici_sections_become_connections(void **state)
{
    struct arena arena = { 0 };
    struct config_io io = { 0 };
    struct config_source src = fake_source(&io);
    struct config_report report = { 0 };
    struct adit_config *cfg = adit_config_new();
    assert_int_equal(config_conn_from_tree(&src, vici_conn(&arena, "gw.example"), cfg, &report), ADIT_OK);
    const struct adit_conn *c = adit_config_conn(cfg, "gw.example");
    assert_true(c && c->local[0].class == ADIT_AUTH_PSK && c->children[0].n_local_ts == 2);
    struct config_node *bad = vici_conn(&arena, "bad");
    struct config_node *cert = config_tree_add(&arena, bad->first, CONFIG_SECTION, "cert", SPAN_NONE);
    config_tree_add(&arena, cert, CONFIG_VALUE, "file", SPAN_LIT("/etc/shadow"));
    assert_int_equal(config_conn_from_tree(&src, bad, cfg, &report), ADIT_ERR_CONFIG);
    assert_string_equal(first_problem(&report),
                        "vici:0:0: send the certificate itself in `certs` or `cacerts`");
    assert_null(adit_config_conn(cfg, "bad"));
    adit_config_unref(cfg);
    config_report_fini(&report);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_errors_are_told_and_nothing_comes_out),
        cmocka_unit_test(syntax_errors_hide_the_rest),
        cmocka_unit_test(missing_main_file_is_an_error),
        cmocka_unit_test(pools_hold_sections),
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(missing_secret_is_warned_of),
        cmocka_unit_test(no_memory_is_told_and_leaks_nothing),
        cmocka_unit_test(vici_sections_become_connections),
    };
    return cmocka_run_group_tests_name("config/load", tests, NULL, NULL);
}
