/* test_connections.c - a connection with everything, defaults, rounds of authentication, the warnings. */
#include "fake_io.h"
#include "wire/iana.h"

static void defaults_are_filled_in(void **state)
{
    struct adit_config *cfg = good_config("connections { c { children { x {} } } }");
    const struct adit_conn *c = adit_config_conn(cfg, "c");
    assert_true(c->n_local_addrs == 1 && c->local_addrs[0].any && c->n_remote_addrs == 1 &&
                c->remote_addrs[0].any);
    assert_true(c->local_port == 500 && c->remote_port == 500 && c->keyingtries == 1 && c->send_certreq);
    assert_int_equal(c->proposals->n, 2);
    assert_true(c->unique == ADIT_UNIQUE_NO && c->send_cert == ADIT_CERT_IF_ASKED && !c->peer &&
                !c->dpd_delay_s);
    assert_true(c->n_local == 1 && c->n_remote == 1);
    assert_true(c->local[0].class == ADIT_AUTH_PUBKEY && !strcmp(c->local[0].auth, "pubkey"));
    assert_true(c->local[0].id.type == 0 && !c->local[0].id_text &&
                c->remote[0].revocation == ADIT_REVOKE_RELAXED);
    assert_string_equal(c->source, "/s/swanctl.conf:1");
    assert_int_equal(c->n_options, 0);
    adit_config_unref(cfg);
}

static void every_key_arrives(void **state)
{
    struct adit_config *cfg = good_config(
        "connections {\n c {\n local_addrs = 192.0.2.1\n remote_addrs = 192.0.2.2, moon.example\n local_port = 1500\n"
        " remote_port = 4500\n proposals = aes128gcm16-prfsha256-ecp256\n dpd_delay = 30s\n send_certreq = no\n"
        " send_cert = never\n keyingtries = 0\n unique = replace\n rekey_time = 1h\n over_time = 5m\n rand_time = 1m\n"
        " peer = strongswan\n local { auth = psk\n id = moon\n }\n remote { id = \"C=CH, CN=*\"\n certs = moon.pem\n"
        " cacerts = ca.pem\n revocation = strict\n }\n children { x {} }\n }\n}");
    const struct adit_conn *c = adit_config_conn(cfg, "c");
    const struct adit_auth_cfg *r = &c->remote[0];
    assert_true(c->local_addrs[0].single && c->n_remote_addrs == 2 &&
                !strcmp(c->remote_addrs[1].text, "moon.example"));
    assert_true(c->local_port == 1500 && c->remote_port == 4500 && c->proposals->n == 1 &&
                c->dpd_delay_s == 30);
    assert_true(!c->send_certreq && c->send_cert == ADIT_CERT_NEVER && c->keyingtries == 0);
    assert_true(c->unique == ADIT_UNIQUE_REPLACE && c->rekey_s == 3600 && c->over_s == 300 &&
                c->rand_s == 60);
    assert_string_equal(c->peer, "strongswan");
    assert_true(c->local[0].class == ADIT_AUTH_PSK && c->local[0].id.type == ID_FQDN);
    assert_true(r->id.type == ID_DER_ASN1_DN && span_equal(r->id.data, SPAN_LIT("DN:C=CH, CN=*")));
    assert_string_equal(r->id_text, "C=CH, CN=*");
    assert_true(span_equal(r->certs[0], SPAN_LIT("moon certificate")) &&
                span_equal(r->cacerts[0], SPAN_LIT("ca certificate")));
    assert_int_equal(r->revocation, ADIT_REVOKE_STRICT);
    assert_string_equal(c->source, "/s/swanctl.conf:2");
    adit_config_unref(cfg);
}

static void rounds_follow_number_then_place(void **state)
{
    struct adit_config *cfg = good_config(
        "connections { c { local-b { id = b\n round = 2 } local-a { id = a } local { id = c\n round = 1 } "
        "local_z { id = z } children { x {} } } }");
    static const char *const want[] = { "a", "z", "c", "b" };
    const struct adit_conn *c = adit_config_conn(cfg, "c");
    assert_int_equal(c->n_local, 4);
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_string_equal(c->local[i].id_text, want[i]);
    adit_config_unref(cfg);
}

static void certificates_come_by_section_too(void **state)
{
    struct adit_config *cfg = good_config(
        "connections { c { local { cert-1 { file = moon.pem } } remote { certs = moon.pem\n"
        "cacert { file = ca.pem } cert { file = /s/x509ca/ca.pem } } children { x {} } } }");
    const struct adit_conn *c = adit_config_conn(cfg, "c");
    assert_int_equal(c->local[0].n_certs, 1);
    assert_true(c->remote[0].n_certs == 2 && c->remote[0].n_cacerts == 1);
    assert_true(span_equal(c->remote[0].cacerts[0], SPAN_LIT("ca certificate")));
    adit_config_unref(cfg);
}

static const struct {
    const char *what, *text, *problem;
} rows[] = {
    { "no children", "connections { c {} }",
      "/s/swanctl.conf:1:15: warning: connection 'c' has no children: no traffic is protected" },
    { "version 0", "connections { c { version = 0\n children { x {} } } }",
      "/s/swanctl.conf:1:19: warning: version = 0: Adit speaks IKEv2 only" },
    { "version 1", "connections { c { version = 1\n children { x {} } } }",
      "/s/swanctl.conf:1:19: version = 1 is refused: Adit does not speak IKEv1" },
    { "version 3", "connections { c { version = 3\n children { x {} } } }",
      "/s/swanctl.conf:1:19: version = 3: one of 2|0 is expected" },
    { "psk with certificate",
      "connections { c { local { auth = psk\n certs = moon.pem } children { x {} } } }",
      "/s/swanctl.conf:1:15: warning: local: certificates mean nothing with auth = psk" },
    { "identity that cannot be", "connections { c { local { id = ipv4:10.0.0.1 } } }",
      "/s/swanctl.conf:1:27: id: identity 'ipv4:10.0.0.1': the text behind the prefix is taken raw and must be 4 octets (write "
      "the address alone, or '#' and hex)" },
    { "round", "connections { c { local { round = x } } }",
      "/s/swanctl.conf:1:19: round: a number up to 1000 is expected" },
    { "CA on our side", "connections { c { local { cacert-1 { file = ca.pem } } } }",
      "/s/swanctl.conf:1:27: unknown section 'cacert-1'" },
    { "certificate without file", "connections { c { local { cert-1 {} } } }",
      "/s/swanctl.conf:1:27: the certificate's `file` is missing" },
    { "token", "connections { c { local { cert-1 { handle = 42 } } } }",
      "/s/swanctl.conf:1:36: handle is not supported by this version: no tokens yet" },
    { "nine rounds",
      "connections { c { local1 {} local2 {} local3 {} local4 {} local5 {} local6 {} local7 {} local8 {} local9 {} } }",
      "/s/swanctl.conf:1:99: more than 8 rounds of authentication" },
};

static void problems_are_told(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect_problem(rows[i].what, rows[i].text, rows[i].problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(every_key_arrives),
        cmocka_unit_test(rounds_follow_number_then_place),
        cmocka_unit_test(certificates_come_by_section_too),
        cmocka_unit_test(problems_are_told),
    };
    return cmocka_run_group_tests_name("config/connections", tests, NULL, NULL);
}
