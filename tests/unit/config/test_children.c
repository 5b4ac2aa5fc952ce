/* test_children.c - children: every key, defaults, policies without SA. */
#include "fake_io.h"

static void defaults_are_filled_in(void **state)
{
    struct adit_config *cfg = good_config("connections { c { children { x {} } } }");
    const struct adit_child_cfg *x = conn_child(adit_config_conn(cfg, "c"), "x");
    assert_true(x->mode == ADIT_MODE_TUNNEL && x->proposals->n == 2 && x->replay_window == 4096);
    assert_true(x->n_local_ts == 1 && x->local_ts[0].dynamic && x->n_remote_ts == 1 &&
                x->remote_ts[0].dynamic);
    assert_true(!x->start_action && !x->close_action && !x->dpd_action && !x->inactivity_s);
    assert_true(x->df == ADIT_DF_COPY && x->fragment == ADIT_FRAGMENT_BEFORE && !x->tfc_padding && !x->tfc_dummies);
    assert_true(x->copy_ecn && x->copy_dscp == ADIT_COPY_OUT && !x->updown && !x->reqid &&
                !x->priority);
    adit_config_unref(cfg);
}

static void what_ends_comes_back_as_it_began(void **state)
{
    struct adit_config *cfg = good_config("connections { c { children { x { start_action = trap|start }\n"
                                          " y { start_action = start\n dpd_action = clear\n close_action = hold } } } }");
    const struct adit_child_cfg *x = conn_child(adit_config_conn(cfg, "c"), "x");
    const struct adit_child_cfg *y = conn_child(adit_config_conn(cfg, "c"), "y");
    assert_true(x->dpd_action == (ADIT_ACTION_TRAP | ADIT_ACTION_START) && x->close_action == x->dpd_action);
    assert_true(y->dpd_action == ADIT_ACTION_NONE && y->close_action == ADIT_ACTION_TRAP);
    adit_config_unref(cfg);
}

static void every_key_arrives(void **state)
{
    struct adit_config *cfg = good_config(
        "connections { c { children { x {\n esp_proposals = aes256-sha512\n local_ts = 10.1.0.0/16, fd01::/16\n"
        " remote_ts = ::/0\n rekey_time = 10m\n life_time = 20m\n rand_time = 1m\n rekey_bytes = 1m\n life_bytes = 2m\n"
        " rand_bytes = 1k\n rekey_packets = 10\n life_packets = 20\n rand_packets = 1\n start_action = trap\n"
        " close_action = start\n dpd_action = trap\n inactivity = 1d\n updown = /x\n replay_window = 64\n copy_df = no\n"
        " fragment = after\n tfc_padding = 1200\n tfc_dummies = 5\n"
        " copy_ecn = no\n copy_dscp = in\n priority = 7\n reqid = 9\n hw_offload = auto\n policies = yes\n } y {} } } }");
    const struct adit_conn *c = adit_config_conn(cfg, "c");
    const struct adit_child_cfg *x = conn_child(c, "x");
    assert_int_equal(c->n_children, 2);
    assert_true(x->proposals->n == 1 && x->n_local_ts == 2 && x->remote_ts[0].ts.family == 6);
    assert_true(x->rekey_s == 600 && x->life_s == 1200 && x->rand_s == 60);
    assert_true(x->rekey_bytes == 1 << 20 && x->life_bytes == 2 << 20 && x->rand_bytes == 1024);
    assert_true(x->rekey_packets == 10 && x->life_packets == 20 && x->rand_packets == 1);
    assert_true(x->start_action == ADIT_ACTION_TRAP && x->close_action == ADIT_ACTION_START &&
                x->dpd_action == ADIT_ACTION_TRAP);
    assert_true(x->inactivity_s == 86400 && !strcmp(x->updown, "/x") && x->replay_window == 64);
    assert_true(x->df == ADIT_DF_CLEAR && x->fragment == ADIT_FRAGMENT_AFTER && x->tfc_padding == 1200 &&
                x->tfc_dummies == 5);
    assert_true(!x->copy_ecn && x->copy_dscp == ADIT_COPY_IN && x->priority == 7 &&
                x->reqid == 9);
    adit_config_unref(cfg);
}

static const struct {
    const char *what, *text, *problem;
} rows[] = {
    { "drop policy",
      "connections { c { children { x { mode = drop\n start_action = trap\n local_ts = 10.0.0.0/8\n remote_ts = 0.0.0.0/0 } } } }",
      "" },
    { "pass policy that is started",
      "connections { c { children { x { mode = pass\n start_action = start\n local_ts = ::/0\n remote_ts = ::/0 } } } }",
      "/s/swanctl.conf:1:30: child 'x': a pass or drop policy can't be started; use start_action = trap" },
    { "pass policy that does nothing",
      "connections { c { children { x { mode = pass\n local_ts = ::/0\n remote_ts = ::/0 } } } }",
      "/s/swanctl.conf:1:30: warning: child 'x': the policy does nothing without start_action = trap" },
    { "pass policy without networks",
      "connections { c { children { x { mode = pass\n start_action = trap } } } }",
      "/s/swanctl.conf:1:30: child 'x': a pass or drop policy needs fixed local_ts and remote_ts" },
    { "transport mode", "connections { c { children { x { mode = transport } y { mode = transport\n local_ts = 192.0.2.1[udp/1701] } } } }", "" },
    { "transport mode of networks", "connections { c { children { x { mode = transport\n local_ts = 10.1.0.0/16 } } } }",
      "/s/swanctl.conf:1:30: child 'x': mode = transport is between two hosts: leave local_ts and remote_ts out "
      "(dynamic), or name the hosts' own addresses" },
    { "no replay protection", "connections { c { children { x { replay_window = 0 } } } }",
      "/s/swanctl.conf:1:30: warning: child 'x' has no replay protection" },
    { "no replay protection, 64-bit numbers among others",
      "connections { c { children { x { replay_window = 0\n esp_proposals = aes256gcm16-esn-noesn } } } }",
      "/s/swanctl.conf:1:30: warning: child 'x' has no replay protection" },
    { "no replay protection, only 64-bit numbers",
      "connections { c { children { x { replay_window = 0\n esp_proposals = aes256gcm16-esn } } } }",
      "/s/swanctl.conf:1:30: child 'x': without replay_window the receiver cannot follow 64-bit sequence numbers; "
      "add noesn to esp_proposals, or set replay_window" },
    { "mark", "connections { c { children { x { mark_in = 42 } } } }",
      "/s/swanctl.conf:1:34: mark_in is for a kernel data plane only" },
    { "DF in the words of a flag", "connections { c { children { x { copy_df = true } y { copy_df = 0 } z { copy_df = set } } } }", "" },
    { "DF in other words", "connections { c { children { x { copy_df = copy } } } }",
      "/s/swanctl.conf:1:34: copy_df = copy: one of yes|no|set is expected" },
    { "padding", "connections { c { children { x { tfc_padding = mtu } y { tfc_padding = 65534 } } } }", "" },
    { "padding in words", "connections { c { children { x { tfc_padding = some } } } }",
      "/s/swanctl.conf:1:34: tfc_padding = some: a number of octets is expected, or mtu" },
    { "padding longer than any packet", "connections { c { children { x { tfc_padding = 65535 } } } }",
      "/s/swanctl.conf:1:34: tfc_padding = 65535: a number of octets is expected, or mtu" },
    { "section in a child", "connections { c { children { x { y {} } } } }",
      "/s/swanctl.conf:1:34: unknown section 'y'" },
};

static void problems_are_told(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect_problem(rows[i].what, rows[i].text, rows[i].problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(defaults_are_filled_in),
 cmocka_unit_test(what_ends_comes_back_as_it_began),
                                        cmocka_unit_test(every_key_arrives),
                                        cmocka_unit_test(problems_are_told) };
    return cmocka_run_group_tests_name("config/children", tests, NULL, NULL);
}
