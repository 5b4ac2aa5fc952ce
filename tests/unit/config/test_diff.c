/* test_diff.c - what a new snapshot changes. */
#include "fake_io.h"

static void note(void *arg, const struct config_change *c)
{
    static const char *const names[] = { "+conn", "-conn", "~conn", "+child", "-child", "~child" };
    struct strbuf *out = arg;
    const struct adit_conn *conn = c->after ? c->after : c->before;
    strbuf_addf(out, "%s %s", names[c->kind], conn->name);
    if (c->child_before || c->child_after)
        strbuf_addf(out, "/%s", c->child_after ? c->child_after->name : c->child_before->name);
    strbuf_addf(out, "%s%s\n", c->key ? " " : "", c->key ? c->key : "");
}

#define C(conn, child) "connections { c { " conn "\n children { x { " child "\n } } } }"
static const struct {
    const char *what, *before, *after, *changes;
} rows[] = {
    { "nothing", C("", ""), C("", ""), "" },
    { "another place in the file", C("", ""), "\n\n" C("", ""), "" },
    { "another way to write it", C("rekey_time = 1h\n unique = keep", "local_ts = 10.0.0.0/8"),
      C("unique = KEEP\n rekey_time = 60m", "local_ts = 10.1.1.1/8"), "" },
    { "a key", C("", ""), C("dpd_delay = 3s", ""), "~conn c dpd_delay\n" },
    { "proposals", C("proposals = cnsa2", ""), C("proposals = cloudflare", ""), "~conn c proposals\n" },
    { "an option", C("x_mode = yes", ""), C("x_mode = no", ""), "~conn c x_mode\n" },
    { "an option that came", C("", ""), C("x_mode = no", ""), "~conn c x_mode\n" },
    { "an identity", C("local { id = a }", ""), C("local { id = b }", ""), "~conn c id\n" },
    { "auth", C("remote { auth = psk }", ""), C("remote { auth = rsa }", ""), "~conn c auth\n" },
    { "a certificate's contents", C("local { certs = 0x01 }", ""), C("local { certs = 0x02 }", ""),
      "~conn c certs\n" },
    { "a round more", C("local-1 {}", ""), C("local-1 {} local-2 {}", ""), "~conn c local\n" },
    { "a child's key", C("", ""), C("", "mode = tunnel\n start_action = trap"), "~child c/x start_action\n" },
    { "a child's option", C("", "y_size = 1"), C("", ""), "~child c/x y_size\n" },
    { "children come and go", "connections { c { children { x {} y {} } } }",
      "connections { c { children { y {} z {} } } }", "-child c/x\n+child c/z\n" },
    { "connections come and go", "connections { c { children { x {} } } }",
      "connections { d { children { x {} } } }", "-conn c\n+conn d\n" },
};

static void changes_are_named(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_config *before = good_config(rows[i].before), *after = good_config(rows[i].after);
        STRBUF(out, 512);
        config_diff(before, after, note, &out);
        if (strcmp(out.p, rows[i].changes))
            fail_msg("row '%s': %s", rows[i].what, out.p);
        adit_config_unref(before);
        adit_config_unref(after);
    }
}

static void nothing_before_or_after_is_fine(void **state)
{
    struct adit_config *cfg = good_config(C("", ""));
    STRBUF(out, 512);
    config_diff(NULL, cfg, note, &out);
    config_diff(cfg, NULL, note, &out);
    config_diff(NULL, NULL, note, &out);
    assert_string_equal(out.p, "+conn c\n-conn c\n");
    adit_config_unref(cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(changes_are_named),
                                        cmocka_unit_test(nothing_before_or_after_is_fine) };
    return cmocka_run_group_tests_name("config/diff", tests, NULL, NULL);
}
