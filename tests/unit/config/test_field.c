/* test_field.c - values by type: what is taken, what is refused with which words, how they print and compare. */
#include "fake_io.h"
#include "config/load.h"

static const struct {
    const char *where, *line,
        *printed; /* where: c = connection, x = child; printed '!' = refused with this text */
} rows[] = {
    { "c", "local_port = 4500", "4500" },
    { "c", "local_port = 0", "!a number from 1 to 65535 is expected" },
    { "c", "local_port = 65536", "!a number from 1 to 65535 is expected" },
    { "c", "local_port = 0500", "!no leading zeros" },
    { "c", "send_certreq = FALSE", "no" },
    { "c", "send_certreq = maybe", "!yes or no is expected" },
    { "c", "send_certreq = \"\"", "!yes or no is expected" },
    { "c", "rekey_time = 90m", "90m" },
    { "c", "rekey_time = 2 H", "2h" },
    { "c", "rekey_time = 1h30m", "!a time is expected" },
    { "c", "rekey_time = 010", "!a time is expected" },
    { "c", "unique = Keep", "keep" },
    { "c", "unique = often", "!one of no|never|keep|replace is expected" },
    { "c", "peer = cisco", "cisco" },
    { "c", "peer = auto", "auto" },
    { "c", "peer = vms", "!one of auto|strongswan" },
    { "c", "remote_addrs = 192.0.2.1, moon.example ,10.0.0.0/8", "192.0.2.1, moon.example, 10.0.0.0/8" },
    { "c", "remote_addrs = 192.0.2.1/40", "!is not an address" },
    { "c", "proposals = aes256gcm16-sha384-x25519, aes256-sha256-x25519",
      "aes256gcm16-prfsha384-x25519, aes256-sha256-prfsha256-x25519" },
    { "c", "proposals = cnsa2", "aes256gcm16-prfsha384-ecp384-ke1_mlkem1024" },
    { "c", "proposals = ,", "!no proposal" },
    { "c", "proposals = aes256gcm-x25519", "!has no PRF" },
    { "c", "proposals = aes255gcm16-prfsha384-x25519", "!did you mean" },
    { "x", "local_ts = 10.0.0.0/8[tcp/80], dynamic", "10.0.0.0/8[tcp/http], dynamic" },
    { "x", "local_ts = 10.0.0.0/8[tcp/zz]", "!is not a port" },
    { "x", "start_action = trap|start", "trap|start" },
    { "x", "start_action = Route", "trap" },
    { "x", "start_action = trap, start", "!is expected" },
    { "x", "dpd_action = restart", "start" },
    { "x", "rekey_bytes = 2k", "2048" },
    { "x", "rekey_bytes = 2q", "!a size is expected" },
    { "x", "rekey_packets = 1000", "1000" },
    { "x", "rekey_packets = 1k", "!a number from 0" },
    { "x", "copy_dscp = yes", "yes" },
    { "x", "mode = drop\n start_action = trap\n local_ts = 10.0.0.0/8\n remote_ts = 10.0.0.0/8", "drop" },
    { "x", "mode = tunel", "!one of tunnel|transport|pass|drop|iptfs is expected" },
    { "x", "updown = \"/bin/x -y\"", "/bin/x -y" },
    { "x", "replay_window = 65537", "!a number from 0 to 65536 is expected" },
    { "x", "esp_proposals = aes128-sha256-none-esn", "aes128-sha256-none-esn" },
};

static void check_refused(const char *text, const char *line, const char *part)
{
    struct config_report report = { 0 };
    assert_row(line, load_text(text, NULL, &report) == ADIT_ERR_CONFIG);
    if (!strstr(first_problem(&report), part) || report.v[0].line != 2 || report.v[0].column != 1)
        fail_msg("row '%s': %s", line, first_problem(&report));
    config_report_fini(&report);
}

static void check_printed(const char *text, const char *line, const char *where, const char *printed)
{
    struct adit_config *cfg = good_config(text);
    const struct adit_conn *c = adit_config_conn(cfg, "c");
    struct adit_buf out = { 0 };
    STRBUF(name, 64);
    strbuf_addf(&name, "%.*s", (int)strcspn(line, " "), line);
    const struct config_key *key = schema_find(*where == 'c' ? SCOPE_CONN : SCOPE_CHILD, name.p);
    assert_int_equal(field_print(key, *where == 'c' ? (const void *)c : &c->children[0], &out), ADIT_OK);
    if (!span_equal(buf_span(&out), span_str(printed)))
        fail_msg("row '%s': %.*s", line, (int)out.n, (const char *)out.p);
    assert_true(field_equal(key, *where == 'c' ? (const void *)c : &c->children[0],
                            *where == 'c' ? (const void *)c : &c->children[0]));
    buf_fini(&out);
    adit_config_unref(cfg);
}

static void values_are_taken_by_type(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        STRBUF(text, 1024);
        strbuf_addf(&text,
                    *rows[i].where == 'c' ? "connections { c {\n%s\n children { x {} } } }"
                                          : "connections { c { children { x {\n%s\n } } } }",
                    rows[i].line);
        if (rows[i].printed[0] == '!')
            check_refused(text.p, rows[i].line, rows[i].printed + 1);
        else
            check_printed(text.p, rows[i].line, rows[i].where, rows[i].printed);
    }
}

/* The same keys by VICI: lists are lists, single values are not, binary stays binary. */
static enum adit_rc from_tree(const char *key, enum config_kind kind, struct adit_span value,
                              struct adit_config *cfg, struct config_report *report)
{
    struct arena arena = { 0 };
    struct config_io io = { 0 };
    struct config_source src = fake_source(&io);
    struct config_node *root = config_tree_new(&arena, "vici");
    struct config_node *c = config_tree_add(&arena, root, CONFIG_SECTION, "c", SPAN_NONE);
    struct config_node *side = config_tree_add(&arena, c, CONFIG_SECTION, "local", SPAN_NONE);
    struct config_node *node = config_tree_add(&arena, key[0] == 'c' ? side : c, kind, key, value);
    if (kind == CONFIG_LIST)
        config_tree_add(&arena, node, CONFIG_VALUE, "", value);
    enum adit_rc rc = config_conn_from_tree(&src, c, cfg, report);
    arena_fini(&arena);
    return rc;
}

static const struct {
    const char *key;
    enum config_kind kind;
    struct adit_span value;
    bool ok;
} vici_rows[] = {
    { "remote_addrs", CONFIG_LIST, SPAN_LIT("192.0.2.1"), true },
    { "remote_addrs", CONFIG_VALUE, SPAN_LIT("192.0.2.1"), true },
    { "unique", CONFIG_VALUE, SPAN_LIT("keep"), true },
    { "unique", CONFIG_LIST, SPAN_LIT("keep"), false },
    { "unique", CONFIG_VALUE, SPAN_LIT("keep\0x"), false },
    { "remote_addrs", CONFIG_LIST, SPAN_LIT("a b"), false },
    { "x_mode", CONFIG_LIST, SPAN_LIT("yes"), false },
    { "certs", CONFIG_LIST, SPAN_LIT("\x30\x82\0,\xff"), true },
    { "certs", CONFIG_VALUE, SPAN_LIT("-----BEGIN, x"), true },
};

static void vici_trees_use_the_same_rows(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(vici_rows); i++) {
        struct config_report report = { 0 };
        struct adit_config *cfg = adit_config_new();
        enum adit_rc rc = from_tree(vici_rows[i].key, vici_rows[i].kind, vici_rows[i].value, cfg, &report);
        if ((rc == ADIT_OK) != vici_rows[i].ok)
            fail_msg("row %zu '%s': %s", i, vici_rows[i].key, first_problem(&report));
        const struct adit_conn *c = adit_config_conn(cfg, "c");
        assert_row(vici_rows[i].key, (c != NULL) == vici_rows[i].ok);
        if (c && vici_rows[i].key[0] == 'c') {
            assert_int_equal(c->local[0].n_certs, 1);
            assert_true(span_equal(c->local[0].certs[0], vici_rows[i].value));
        }
        assert_row(vici_rows[i].key, !c || !strcmp(c->source, "vici"));
        adit_config_unref(cfg);
        config_report_fini(&report);
    }
}

static void files_may_hold_certificates_in_line(void **state)
{
    struct adit_config *cfg =
        good_config("connections { c { local { certs = 0x3001, moon.pem, 0sMAI= } children { x {} } } }");
    const struct adit_auth_cfg *a = &adit_config_conn(cfg, "c")->local[0];
    assert_int_equal(a->n_certs, 3);
    assert_true(span_equal(a->certs[0], SPAN_LIT("\x30\x01")) &&
                span_equal(a->certs[2], SPAN_LIT("\x30\x02")));
    assert_true(span_equal(a->certs[1], SPAN_LIT("moon certificate")));
    adit_config_unref(cfg);
    expect_problem("broken hex", "connections { c { local { certs = 0x3 } } }",
                   "/s/swanctl.conf:1:27: certs: broken hex or base64");
    expect_problem("no such file", "connections { c { local { certs = sun.pem } } }",
                   "/s/swanctl.conf:1:27: /s/x509/sun.pem: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(values_are_taken_by_type),
                                        cmocka_unit_test(vici_trees_use_the_same_rows),
                                        cmocka_unit_test(files_may_hold_certificates_in_line) };
    return cmocka_run_group_tests_name("config/field", tests, NULL, NULL);
}
