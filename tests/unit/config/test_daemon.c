/* test_daemon.c - adit.conf. */
#include "fake_io.h"

static struct arena arena;

static enum adit_rc load(const char *text, struct config_daemon *d, struct config_report *report)
{
    struct fake_file files[] = { { "/e/adit.conf", text },
                                 { "/e/conf.d/a.conf", "adit { port = 501 }" },
                                 { NULL, NULL } };
    struct config_io io = fake_io(files);
    struct config_source src = fake_source(&io);
    return config_daemon_load(&src, text ? "/e/adit.conf" : "/e/none.conf", &arena, d, report);
}

static void missing_file_gives_the_defaults(void **state)
{
    struct config_daemon d;
    struct config_report report = { 0 };
    assert_int_equal(load(NULL, &d, &report), ADIT_OK);
    assert_true(d.ike.port == 500 && d.ike.port_nat_t == 4500 && d.ike.retransmit_tries == 5);
    assert_true(d.ike.retransmit_timeout_s > 3.9 && d.ike.retransmit_timeout_s < 4.1 &&
                d.ike.retransmit_base > 1.7);
    assert_true(d.ike.half_open_timeout_s == 30 && d.ike.cookie_threshold == 30 &&
                d.ike.cookie_threshold_ip == 3);
    assert_true(d.n_vici_sockets == 1 && !strcmp(d.vici_sockets[0], "/run/adit/vici"));
    assert_string_equal(d.swanctl_conf, "/etc/swanctl/swanctl.conf");
    assert_true(d.log == 1 && !d.ike_keylog && !d.esp_keylog && d.dataplane == CONFIG_DP_AUTO && d.packet_crypto == CONFIG_PACKETS_AUTO && !d.workers);
    assert_true(d.install_routes && d.mss_clamp && d.raw_esp && !d.tun_name && !d.mtu && !d.fwmark &&
                !d.route_table);
    assert_int_equal(report.errors + report.warnings + d.ike.n_options, 0);
}

static void every_key_arrives(void **state)
{
    struct config_daemon d;
    struct config_report report = { 0 };
    assert_int_equal(
        load(
            "adit {\n port_nat_t = 4501\n retransmit_tries = 3\n retransmit_timeout = 1.5\n retransmit_base = 2\n"
            " half_open_timeout = 1m 30s\n cookie_threshold = 0\n cookie_threshold_ip = 7\n half_open_max = 100\n"
            " swanctl_conf = /x\n log = debug\n ike_keylog = /k\n esp_keylog = /e\n dataplane = none\n packet_crypto = openssl\n workers = 4\n"
            " install_routes = no\n mss_clamp = no\n raw_esp = no\n tun_name = t0\n mtu = 1400\n fwmark = 5\n"
            " route_table = 220\n vici { sockets = /run/a, /run/b }\n x_wait = 2m\n x_text = a b\n}\ninclude conf.d/*.conf",
            &d, &report),
        ADIT_OK);
    assert_true(d.ike.port == 501 && d.ike.port_nat_t == 4501 && d.ike.retransmit_tries == 3 &&
                d.ike.half_open_timeout_s == 90);
    assert_true(d.ike.cookie_threshold == UINT32_MAX && d.ike.cookie_threshold_ip == 7 &&
                d.ike.half_open_max == 100);
    assert_true(d.n_vici_sockets == 2 && !strcmp(d.vici_sockets[1], "/run/b") &&
                !strcmp(d.swanctl_conf, "/x"));
    assert_true(d.log == 3 && !strcmp(d.ike_keylog, "/k") && !strcmp(d.esp_keylog, "/e") &&
                d.dataplane == CONFIG_DP_NONE && d.packet_crypto == CONFIG_PACKETS_OPENSSL);
    assert_true(d.workers == 4 && !d.install_routes && !d.mss_clamp && !d.raw_esp &&
                !strcmp(d.tun_name, "t0"));
    assert_true(d.mtu == 1400 && d.fwmark == 5 && d.route_table == 220);
    assert_string_equal(adit_option_get(d.ike.options, d.ike.n_options, "x_wait"), "120");
    assert_string_equal(adit_option_get(d.ike.options, d.ike.n_options, "x_text"), "a b");
    assert_int_equal(report.warnings, 1); /* the keylog */
    config_report_fini(&report);
}

static const struct {
    const char *text, *problem;
} rows[] = {
    { "adit { prt = 1 }", "/e/adit.conf:1:8: unknown key 'prt'; did you mean 'port'?" },
    { "charon { port = 1 }", "/e/adit.conf:1:1: 'charon': all settings stand in section `adit`" },
    { "port = 1", "/e/adit.conf:1:1: 'port': all settings stand in section `adit`" },
    { "adit { port = 0 }",
      "/e/adit.conf:1:8: port = 0: a number from 1 to 65535 is expected (no leading zeros)" },
    { "adit { port = 4500 }", "/e/adit.conf:1:1: port and port_nat_t are the same" },
    { "adit { mtu = 500 }", "/e/adit.conf:1:1: mtu must be at least 1280, or 0" },
    { "adit { retransmit_base = 0.5 }", "/e/adit.conf:1:1: retransmit_base must be at least 1" },
    { "adit { retransmit_base = x }",
      "/e/adit.conf:1:8: retransmit_base = x: a number like 1.8 is expected" },
    { "adit { half_open_timeout = 0 }", "/e/adit.conf:1:1: half_open_timeout must be at least 1 second" },
    { "adit { half_open_timeout = 1h x }",
      "/e/adit.conf:1:8: half_open_timeout = 1h x: a time is expected: 30, 90s, 2m 30s" },
    { "adit { log = loud }", "/e/adit.conf:1:8: log = loud: one of audit|info|more|debug is expected" },
    { "adit { block_threshold = 7 }",
      "/e/adit.conf:1:8: block_threshold is not supported by this version: half_open_max bounds them all" },
    { "adit { plugins {} }", "/e/adit.conf:1:8: unknown section 'plugins'" },
    { "adit { vici { socket = /x } }", "/e/adit.conf:1:15: unknown key 'socket'; did you mean 'sockets'?" },
    { "adit { x_wait = soon }", "/e/adit.conf:1:8: x_wait = soon: expected is a time: 20s, 2m" },
    { "adit {", "/e/adit.conf:1:1: section 'adit' is not closed by '}'" },
    { "adit { block_threshold = 5\n make_before_break = yes\n delete_rekeyed_delay = 5\n ikesa_limit = 0 }",
      "" },
};

static void problems_are_told(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct config_daemon d;
        struct config_report report = { 0 };
        assert_row(rows[i].text, (load(rows[i].text, &d, &report) == ADIT_OK) == !rows[i].problem[0]);
        if (strcmp(first_problem(&report), rows[i].problem))
            fail_msg("%s: %s", rows[i].text, first_problem(&report));
        config_report_fini(&report);
    }
}

static int cleanup(void **state)
{
    arena_fini(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(missing_file_gives_the_defaults),
                                        cmocka_unit_test(every_key_arrives),
                                        cmocka_unit_test(problems_are_told) };
    return cmocka_run_group_tests_name("config/daemon", tests, NULL, cleanup);
}
