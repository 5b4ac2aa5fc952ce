/* test_explain.c - effective values, with their origin. */
#include "fake_io.h"

static enum adit_rc explain(const char *text, const char *name, struct adit_buf *out,
                            struct config_report *report)
{
    struct fake_file files[] = { { "/s/inc.conf", "base { dpd_delay = 7s }" },
                                 { "/s/swanctl.conf", text },
                                 { NULL, NULL } };
    struct config_io io = fake_io(files);
    struct config_source src = fake_source(&io);
    return config_explain(&src, name, out, report);
}

static const char *const lines[] = {
    "connection c {   # /s/swanctl.conf:2\n",
    "  dpd_delay = 7s   # /s/inc.conf:1\n",
    "  unique = keep   # /s/swanctl.conf:3\n",
    "  rekey_time = 4h   # default\n",
    "  over_time = 24m   # default\n",
    "  version = 2   # default\n",
    "  proposals = aes256gcm16-prfsha384-ecp384-ke1_mlkem1024   # /s/swanctl.conf:4\n",
    "  x_mode = yes   # /s/swanctl.conf:5\n",
    "  x_flag = no   # default\n",
    "  local-1 {\n    auth = pubkey   # default\n    id = second   # /s/swanctl.conf:7\n  }\n",
    "  local-2 {\n    auth = psk   # /s/swanctl.conf:6\n    id = first   # /s/swanctl.conf:6\n  }\n",
    "  remote {\n    auth = pubkey   # default\n    revocation = relaxed   # default\n  }\n",
    "  child x {\n",
    "    local_ts = 10.0.0.0/8   # /s/swanctl.conf:8\n",
    "    life_time = 66m   # default\n",
    "    y_size = 0   # default\n",
};

static void effective_values_are_told_with_their_origin(void **state)
{
    struct adit_buf out = { 0 };
    struct config_report report = { 0 };
    assert_int_equal(
        explain("include inc.conf\nconnections { c : base {\nunique = keep\nproposals = cnsa2\nx_mode = YES\n"
                "local-a { auth = psk; id = first\n round = 2 }\nlocal-b { id = second }\n"
                "children { x { local_ts = 10.9.9.9/8 } } } d { children { x {} } } }",
                "c", &out, &report),
        ADIT_ERR_CONFIG);
    config_report_fini(&report);
    out.n = 0;
    assert_int_equal(
        explain(
            "include inc.conf\nconnections { c : base {\nunique = keep\nproposals = cnsa2\nx_mode = YES\n"
            "local-a { auth = psk } local-a { id = first } local-a { round = 2 }\nlocal-b { id = second }\n"
            "children { x { local_ts = 10.9.9.9/8 } } } d { children { x {} } } }",
            "c", &out, &report),
        ADIT_OK);
    assert_int_equal(buf_append(&out, SPAN_LIT("\0")), ADIT_OK);
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        if (!strstr((const char *)out.p, lines[i]))
            fail_msg("missing: %s in\n%s", lines[i], (const char *)out.p);
    }
    assert_null(strstr((const char *)out.p, "connection d"));
    buf_fini(&out);
    config_report_fini(&report);
}

static void unknown_names_and_errors_are_told(void **state)
{
    struct adit_buf out = { 0 };
    struct config_report report = { 0 };
    assert_int_equal(explain("connections { c { children { x {} } } }", "d", &out, &report), ADIT_ERR_CONFIG);
    assert_string_equal(first_problem(&report), "/s/swanctl.conf:0:0: there is no connection 'd'");
    config_report_fini(&report);
    assert_int_equal(explain("connections { c { uniqe = no } }", NULL, &out, &report), ADIT_ERR_CONFIG);
    assert_int_equal(out.n, 0);
    buf_fini(&out);
    config_report_fini(&report);
}

static void short_form_is_told_in_full(void **state)
{
    struct adit_buf out = { 0 };
    struct config_report report = { 0 };
    assert_int_equal(
        explain("tunnels { t { peer = sun.example\n psk = HIDDEN\n nets = 10.0.0.0/8 == 11.0.0.0/8 } }", NULL,
                &out, &report),
        ADIT_OK);
    assert_int_equal(buf_append(&out, SPAN_LIT("\0")), ADIT_OK);
    assert_non_null(strstr((const char *)out.p, "    remote_ts = 11.0.0.0/8   # /s/swanctl.conf:3\n"));
    assert_null(strstr((const char *)out.p, "HIDDEN"));
    buf_fini(&out);
    config_report_fini(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(effective_values_are_told_with_their_origin),
                                        cmocka_unit_test(unknown_names_and_errors_are_told),
                                        cmocka_unit_test(short_form_is_told_in_full) };
    return cmocka_run_group_tests_name("config/explain", tests, NULL, NULL);
}
