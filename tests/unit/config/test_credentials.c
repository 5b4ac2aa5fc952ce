/* test_credentials.c - the directories beside the main file, passphrases, authorities. */
#include "fake_io.h"

static struct config_report report;

static struct adit_config *load(const char *text, enum adit_rc want)
{
    struct fake_file files[] = { { "/elsewhere/key.pem", "far key" },
                                 { "/s/ecdsa/e.pem", "ec key" },
                                 { "/s/pkcs8/p8.der", "p8 key" },
                                 { "/s/private/.hidden~", "hidden key" },
                                 { "/s/private/a.pem", "a key" },
                                 { "/s/private/locked.pem", "locked key" },
                                 { "/s/pubkey/raw.pem", "raw public key" },
                                 { "/s/rsa/r.pem", "rsa key" },
                                 { "/s/swanctl.conf", text },
                                 { "/s/x509/moon.pem", "moon" },
                                 { "/s/x509ca/ca.pem", "ca" },
                                 { "/s/x509crl/ca.crl", "crl" },
                                 { "/s/near.pem", "near ca" },
                                 { NULL, NULL } };
    struct config_io io = fake_io(files);
    struct config_source src = fake_source(&io);
    struct adit_config *cfg = NULL;
    config_report_fini(&report);
    enum adit_rc rc = config_load(&src, &cfg, &report);
    if (rc != want)
        fail_msg("%s: %s", text, first_problem(&report));
    return cfg;
}

static const struct adit_key *key_of(const struct adit_config *cfg, const char *data)
{
    const struct adit_key *const *keys;
    size_t n = adit_config_keys(cfg, &keys);
    for (size_t i = 0; i < n; i++) {
        if (span_equal(keys[i]->data, span_str(data)))
            return keys[i];
    }
    return NULL;
}

static void directories_are_loaded(void **state)
{
    struct adit_config *cfg = load("", ADIT_OK);
    const struct adit_cert *const *certs;
    const struct adit_key *const *keys;
    assert_int_equal(adit_config_certs(cfg, &certs), 3);
    assert_true(certs[0]->use == ADIT_CERT_END_ENTITY && span_equal(certs[0]->data, SPAN_LIT("moon")));
    assert_string_equal(certs[0]->source, "/s/x509/moon.pem");
    assert_true(certs[1]->use == ADIT_CERT_CA && certs[2]->use == ADIT_CERT_CRL);
    assert_int_equal(adit_config_keys(cfg, &keys), 6); /* hidden files too, as swanctl does */
    assert_non_null(key_of(cfg, "hidden key"));
    assert_int_equal(key_of(cfg, "a key")->pass.n, 0);
    assert_string_equal(
        first_problem(&report),
        "/s/pubkey/raw.pem:0:0: warning: directory pubkey is not supported by this version: the file is ignored");
    adit_config_unref(cfg);
}

static void passphrases_find_their_files(void **state)
{
    struct adit_config *cfg =
        load("secrets { private-1 { file = locked.pem\n secret = \"pass\" } rsa { file = /s/rsa/r.pem\n"
             " secret = 0x41 } private-far { file = /elsewhere/key.pem\n secret = far } "
             "ecdsa-0 { file = e.pem } }",
             ADIT_OK);
    const struct adit_key *const *keys;
    assert_true(span_equal(key_of(cfg, "locked key")->pass, SPAN_LIT("pass")));
    assert_true(span_equal(key_of(cfg, "rsa key")->pass, SPAN_LIT("A")));
    assert_true(span_equal(key_of(cfg, "far key")->pass, SPAN_LIT("far")));
    assert_int_equal(key_of(cfg, "a key")->pass.n, 0);
    assert_int_equal(key_of(cfg, "ec key")->pass.n, 0);
    assert_int_equal(adit_config_keys(cfg, &keys), 7);
    adit_config_unref(cfg);
}

static void keys_may_live_elsewhere(void **state)
{
    struct adit_config *cfg = load("secrets { private-token { uri = pkcs11:token=gw;object=ike\n secret = 1234 } "
                                   "private-tpm { uri = handle:0x81000001 } }",
                                   ADIT_OK);
    const struct adit_key *const *keys, *elsewhere[2] = { NULL };
    size_t n = adit_config_keys(cfg, &keys), found = 0;
    for (size_t i = 0; i < n; i++)
        if (keys[i]->uri && found < 2)
            elsewhere[found++] = keys[i];
    assert_int_equal(found, 2);
    assert_string_equal(elsewhere[0]->uri, "pkcs11:token=gw;object=ike");
    assert_true(span_equal(elsewhere[0]->pass, SPAN_LIT("1234")));
    assert_string_equal(elsewhere[1]->uri, "handle:0x81000001");
    assert_int_equal(elsewhere[1]->data.n, 0);
    adit_config_unref(cfg);
}

static void authorities_are_ca_certificates(void **state)
{
    struct adit_config *cfg = load("authorities { a { cacert = ca.pem } b { file = near.pem } }", ADIT_OK);
    const struct adit_cert *const *certs;
    assert_int_equal(adit_config_certs(cfg, &certs), 4); /* ca.pem is there already */
    assert_true(certs[3]->use == ADIT_CERT_CA && span_equal(certs[3]->data, SPAN_LIT("near ca")));
    adit_config_unref(cfg);
}

static const struct {
    const char *text, *problem;
} rows[] = {
    { "secrets { private-1 { secret = HIDDEN } }", "/s/swanctl.conf:1:11: 'private-1' names no file" },
    { "secrets { private-1 { file = a.pem\n uri = handle:1 } }",
      "/s/swanctl.conf:1:11: 'private-1' names a file and a uri" },
    { "secrets { private-1 { file = no.pem\n secret = HIDDEN } }",
      "/s/swanctl.conf:1:23: /s/private/no.pem: No such file or directory" },
    { "secrets { private-1 { file = a.pem\n secret = 0xHIDDEN } }",
      "/s/swanctl.conf:2:2: secret: broken hex (0x) or base64 (0s)" },
    { "secrets { private-1 { file = a.pem\n pin = 1 } }", "/s/swanctl.conf:2:2: unknown key 'pin'" },
    { "authorities { a {} }", "/s/swanctl.conf:1:15: authority 'a' wants one of cacert and file" },
    { "authorities { a { cacert = ca.pem\n file = x } }",
      "/s/swanctl.conf:1:15: authority 'a' wants one of cacert and file" },
    { "authorities { a { cacert = no.pem } }",
      "/s/swanctl.conf:1:19: /s/x509ca/no.pem: No such file or directory" },
    { "authorities { a { cacert = ca.pem\n crl_uris = http://x } }",
      "/s/swanctl.conf:2:2: crl_uris is not supported by this version: no fetching of CRLs yet: put them into x509crl" },
    { "authorities { a = 1 }",
      "/s/swanctl.conf:1:15: 'a' stands in `authorities`, which holds sections only" },
};

static void problems_are_told(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_null(load(rows[i].text, ADIT_ERR_CONFIG));
        if (strcmp(first_problem(&report), rows[i].problem))
            fail_msg("%s: %s", rows[i].text, first_problem(&report));
    }
}

static void empty_files_are_errors(void **state)
{
    struct fake_file files[] = { { "/s/private/a.pem", "" }, { "/s/swanctl.conf", "" }, { NULL, NULL } };
    struct config_io io = fake_io(files);
    struct config_source src = fake_source(&io);
    config_report_fini(&report);
    assert_int_equal(config_load(&src, NULL, &report), ADIT_ERR_CONFIG);
    assert_string_equal(first_problem(&report), "/s/private/a.pem:0:0: /s/private/a.pem is empty");
}

static int cleanup(void **state)
{
    config_report_fini(&report);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directories_are_loaded),          cmocka_unit_test(passphrases_find_their_files),
        cmocka_unit_test(keys_may_live_elsewhere),
        cmocka_unit_test(authorities_are_ca_certificates), cmocka_unit_test(problems_are_told),
        cmocka_unit_test(empty_files_are_errors),
    };
    return cmocka_run_group_tests_name("config/credentials", tests, NULL, cleanup);
}
