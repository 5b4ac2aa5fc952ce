/* test_section.c - unknown keys with the nearest known one, values of the wrong kind, options of extensions. */
#include "fake_io.h"
#include "config/load.h"

static const struct {
    const char *what, *text, *problem;
} rows[] = {
    { "all fine", "connections { c { children { x {} } } }", "" },
    { "nothing at all", "", "" },
    { "key of a child in the connection", "connections { c { remote_ts = 10.0.0.0/8\n children { x {} } } }",
      "/s/swanctl.conf:1:19: 'remote_ts' stands in the wrong section; it belongs into a section in `children`" },
    { "two keys in one line", "connections { c { children { x { updown = /bin/up mode = tunnel\n } } } }",
      "/s/swanctl.conf:1:34: warning: the value of 'updown' reaches to the end of the line; keys want a line each" },
    { "typing error in a key", "connections { c { remote_adrs = a\n children { x {} } } }",
      "/s/swanctl.conf:1:19: unknown key 'remote_adrs'; did you mean 'remote_addrs'?" },
    { "typing error in a section", "connections { c {\n childern { x {} } } }",
      "/s/swanctl.conf:2:2: unknown section 'childern'; did you mean 'children'?" },
    { "typing error at the top", "conections {}",
      "/s/swanctl.conf:1:1: unknown section 'conections'; did you mean 'connections'?" },
    { "nothing near", "connections { c { zzzzzz = 1\n children { x {} } } }",
      "/s/swanctl.conf:1:19: unknown key 'zzzzzz'" },
    { "key that is a section", "connections { c { children = 1 } }",
      "/s/swanctl.conf:1:19: 'children' is no key" },
    { "section that is a key", "connections { c { unique {}\n children { x {} } } }",
      "/s/swanctl.conf:1:19: 'unique' is no section" },
    { "key at the top", "port = 500", "/s/swanctl.conf:1:1: key 'port' stands outside of all sections" },
    { "key among connections", "connections { c = 1 }",
      "/s/swanctl.conf:1:15: 'c' stands in `connections`, which holds sections only" },
    { "key among children", "connections { c { children { x = 1 } } }",
      "/s/swanctl.conf:1:30: 'x' stands in `children`, which holds sections only" },
    { "template is no error", "base { dpd_delay = 3s } connections { c : base { children { x {} } } }", "" },
    { "what comes from a template is checked there",
      "base { dpd_dely = 3s }\nconnections { c : base { children { x {} } } }",
      "/s/swanctl.conf:1:8: unknown key 'dpd_dely'; did you mean 'dpd_delay'?" },
    { "unset key is no key", "connections { c { nosuch =\n children { x {} } } }", "" },
    { "option of an extension",
      "connections { c { x_mode = YES\n x_flag = 1\n children { x { y_size = 7 } } } }", "" },
    { "option with a wrong word", "connections { c { x_mode = maybe\n children { x {} } } }",
      "/s/swanctl.conf:1:19: x_mode = maybe: expected is no|auto|yes" },
    { "option with a wrong number", "connections { c { children { x { y_size = -1 } } } }",
      "/s/swanctl.conf:1:34: y_size = -1: expected is a number" },
    { "option in the wrong section", "connections { c { y_size = 1\n children { x {} } } }",
      "/s/swanctl.conf:1:19: unknown key 'y_size'" },
    { "typing error in an option", "connections { c { x_mod = yes\n children { x {} } } }",
      "/s/swanctl.conf:1:19: unknown key 'x_mod'; did you mean 'x_mode'?" },
    { "long name",
      "connections { bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb {} }",
      "/s/swanctl.conf:1:15: a name has at most 127 characters" },
    { "name with UTF-8", "connections { \xc3\xa4 {} }",
      "/s/swanctl.conf:1:15: a name holds printable ASCII characters only" },
    { "mobike is only allowed", "connections { c { mobike = yes\n children { x {} } } }",
      "/s/swanctl.conf:1:19: warning: mobike is not supported by this version: the IKE SA stays at its addresses" },
};

static void problems_are_told_at_their_place(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect_problem(rows[i].what, rows[i].text, rows[i].problem);
}

static void options_land_normalised(void **state)
{
    struct adit_config *cfg = good_config(
        "connections { c { x_mode = AUTO\n x_flag = Enabled\n children { x { y_size = 7 } z {} } } }");
    const struct adit_conn *c = adit_config_conn(cfg, "c");
    assert_int_equal(c->n_options, 2);
    assert_string_equal(adit_option_get(c->options, c->n_options, "x_mode"), "auto");
    assert_string_equal(adit_option_get(c->options, c->n_options, "x_flag"), "yes");
    const struct adit_child_cfg *x = conn_child(c, "x");
    assert_string_equal(adit_option_get(x->options, x->n_options, "y_size"), "7");
    assert_int_equal(conn_child(c, "z")->n_options, 0);
    adit_config_unref(cfg);
}

static void options_replace_refused_keys(void **state)
{
    static const struct config_option own = {
        "vips", CONFIG_OPT_CONN, CONFIG_OPT_TEXT, NULL, NULL, "now there", "cp"
    };
    struct fake_file files[] = {
        { "/s/swanctl.conf", "connections { c { vips = 0.0.0.0\n children { x {} } } }" }, { NULL, NULL }
    };
    struct config_io io = fake_io(files);
    struct config_source src = {
        .io = &io, .swanctl_conf = "/s/swanctl.conf", .options = &own, .n_options = 1
    };
    struct config_report report = { 0 };
    struct adit_config *cfg = NULL;
    assert_int_equal(config_load(&src, &cfg, &report), ADIT_OK);
    const struct adit_conn *c = adit_config_conn(cfg, "c");
    assert_string_equal(adit_option_get(c->options, c->n_options, "vips"), "0.0.0.0");
    adit_config_unref(cfg);
    config_report_fini(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(problems_are_told_at_their_place),
                                        cmocka_unit_test(options_land_normalised),
                                        cmocka_unit_test(options_replace_refused_keys) };
    return cmocka_run_group_tests_name("config/section", tests, NULL, NULL);
}
