/* test_secrets.c - pre-shared keys and who owns them; secrets never stand in a message. */
#include "fake_io.h"
#include "wire/iana.h"

static void secrets_are_decoded_and_owned(void **state)
{
    struct adit_config *cfg = good_config(
        "secrets {\n ike-1 { secret = \"a # b\"\n id-1 = moon\n id_2 = 192.0.2.1 }\n"
        " ike { secret = 0x00ff }\n ikex { secret = 0sAQI=\n id = %any } }");
    const struct adit_shared *const *s;
    assert_int_equal(adit_config_shared(cfg, &s), 3);
    assert_string_equal(s[0]->id, "ike-1");
    assert_true(s[0]->type == ADIT_SHARED_IKE && span_equal(s[0]->secret, SPAN_LIT("a # b")) &&
                s[0]->n_owners == 2);
    assert_true(s[0]->owners[0].type == ID_FQDN && s[0]->owners[1].type == ID_IPV4_ADDR);
    assert_true(span_equal(s[1]->secret, SPAN_LIT("\0\xff")) && s[1]->n_owners == 0);
    assert_true(span_equal(s[2]->secret, SPAN_LIT("\1\2")) && s[2]->n_owners == 1 &&
                s[2]->owners[0].type == 0);
    adit_config_unref(cfg);
}

static void kinds_are_told_apart(void **state)
{
    struct adit_config *cfg = good_config(
        "secrets { ppk-a { secret = 0x0102\n id-a = far.example\n id-b = \"@#0aff\" }\n"
        " ike { secret = s } }");
    const struct adit_shared *const *s;
    assert_int_equal(adit_config_shared(cfg, &s), 2);
    assert_true(s[0]->type == ADIT_SHARED_PPK && s[0]->n_owners == 2 &&
                span_equal(s[0]->secret, SPAN_LIT("\1\2")));
    assert_true(span_equal(s[0]->owners[0].data, SPAN_LIT("far.example")));
    assert_true(span_equal(s[0]->owners[1].data, SPAN_LIT("\x0a\xff")));
    assert_int_equal(s[1]->type, ADIT_SHARED_IKE);
    adit_config_unref(cfg);
}

static const struct {
    const char *what, *text, *problem;
} rows[] = {
    { "no secret", "secrets { ike-1 { id = moon } }", "/s/swanctl.conf:1:11: 'ike-1' has no secret" },
    { "empty secret", "secrets { ike-1 { secret = \"\" } }", "/s/swanctl.conf:1:19: the secret is empty" },
    { "broken hex", "secrets { ike-1 { secret = 0xHIDDEN } }",
      "/s/swanctl.conf:1:19: secret: broken hex (0x) or base64 (0s)" },
    { "unknown key", "secrets { ike-1 { secrt = HIDDEN } }",
      "/s/swanctl.conf:1:19: unknown key 'secrt'; did you mean 'secret'?" },
    { "bad identity", "secrets { ike-1 { secret = s\n id = \"@#\" } }",
      "/s/swanctl.conf:2:2: id: identity '@#': '#' wants pairs of hexadecimal digits" },
    { "EAP", "secrets { eap-a { secret = HIDDEN } }",
      "/s/swanctl.conf:1:11: eap is not supported by this version: no EAP yet" },
    { "PPK without secret", "secrets { ppk-1 { id = x } }", "/s/swanctl.conf:1:11: 'ppk-1' has no secret" },
    { "PKCS#12", "secrets { pkcs12-a { secret = HIDDEN } }",
      "/s/swanctl.conf:1:11: pkcs12 is not supported by this version: no PKCS#12 containers yet" },
    { "token", "secrets { token { pin = 1 } }",
      "/s/swanctl.conf:1:11: token is not supported by this version: no tokens yet" },
    { "unknown kind", "secrets { yke { secret = HIDDEN } }",
      "/s/swanctl.conf:1:11: unknown section 'yke'; did you mean 'ike'?" },
    { "no section", "secrets { ike = HIDDEN }",
      "/s/swanctl.conf:1:11: 'ike' stands in `secrets`, which holds sections only" },
    { "section in a secret", "secrets { ike { secret = s\n id {} } }",
      "/s/swanctl.conf:2:2: 'id' is no section" },
};

static void problems_are_told(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect_problem(rows[i].what, rows[i].text, rows[i].problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(secrets_are_decoded_and_owned),
                                        cmocka_unit_test(kinds_are_told_apart),
                                        cmocka_unit_test(problems_are_told) };
    return cmocka_run_group_tests_name("config/secrets", tests, NULL, NULL);
}
