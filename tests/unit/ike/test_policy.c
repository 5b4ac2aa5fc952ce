/* Snapshots: what is parsed, which defaults are filled in, and how a bad part is named. */
#include "policy_fixture.h"

static void add_conn(struct adit_config *cfg, const char *name, const struct adit_auth_cfg *local,
                     const struct adit_auth_cfg *remote)
{
    struct adit_conn conn = {
        .name = name, .n_local = local ? 1 : 0, .n_remote = remote ? 1 : 0, .local = local, .remote = remote
    };
    assert_int_equal(adit_config_add_conn(cfg, &conn), ADIT_OK);
}

static void test_settings(void **state)
{
    struct adit_config *cfg = adit_config_new();
    struct policy *p = policy_of(cfg);
    assert_int_equal(p->settings.retransmit_tries, 5);
    assert_true(p->settings.retransmit_timeout_s == 4.0 && p->settings.retransmit_base == 1.8);
    assert_int_equal(p->settings.half_open_timeout_s, 30);
    assert_int_equal(p->settings.cookie_threshold, 30);
    assert_int_equal(p->settings.cookie_threshold_ip, 3);
    assert_int_equal(p->settings.half_open_max, 50000);
    assert_int_equal(p->settings.port, 500);
    assert_int_equal(p->settings.port_nat_t, 4500);
    policy_unref(p);

    struct adit_ike_settings s = { .retransmit_tries = 7,
                                   .retransmit_timeout_s = 0.5,
                                   .retransmit_base = 1.0,
                                   .cookie_threshold = UINT32_MAX,
                                   .port = 501 };
    cfg = adit_config_new();
    assert_int_equal(adit_config_settings(cfg, &s), ADIT_OK);
    p = policy_of(cfg);
    assert_int_equal(p->settings.retransmit_tries, 7);
    assert_true(p->settings.retransmit_timeout_s == 0.5 && p->settings.retransmit_base == 1.0);
    assert_int_equal(p->settings.cookie_threshold, UINT32_MAX);
    assert_int_equal(p->settings.port, 501);
    policy_unref(p);
}

static void expect_id(const struct adit_id *id, const char *text)
{
    STRBUF(got, 200);
    id_print(&got, id);
    assert_string_equal(got.p, text);
}

static void test_certificates_and_ids(void **state)
{
    struct adit_config *cfg = adit_config_new();
    struct adit_span moons[] = { PEM(PEM_SUN), PEM(PEM_MOON) }, sun = PEM(PEM_SUN), ca2 = PEM(PEM_CA2);
    struct adit_auth_cfg by_cert = { .class = ADIT_AUTH_PUBKEY, .n_certs = 2, .certs = moons };
    struct adit_auth_cfg by_id = { .class = ADIT_AUTH_PUBKEY,
                                   .id_text = "C=CH, O=Adit, CN=*",
                                   .auth = "rsa-4096" };
    struct adit_auth_cfg pinned = { .class = ADIT_AUTH_PUBKEY,
                                    .n_certs = 1,
                                    .certs = &sun,
                                    .n_cacerts = 1,
                                    .cacerts = &ca2,
                                    .revocation = ADIT_REVOKE_STRICT };
    struct adit_auth_cfg any = { .class = ADIT_AUTH_ANY, .n_certs = 1, .certs = &sun, .id_text = "%any" };
    add_key(cfg, PEM(PEM_MOON_KEY), "moon.key");
    add_cert(cfg, ADIT_CERT_CA, PEM(PEM_CA1), "ca1.pem");
    add_cert(cfg, ADIT_CERT_CRL, PEM(PEM_CRL1), "crl1.pem");
    add_conn(cfg, "a", &by_cert, &by_id);
    add_conn(cfg, "b", NULL, &pinned);
    add_conn(cfg, "c", NULL, &any);
    add_conn(cfg, "d", NULL, NULL);
    struct policy *p = policy_of(cfg);
    assert_int_equal(p->n_conns, 4);
    /* local: the first certificate with a key, whose subject is the identity */
    const struct policy_auth *local = p->conns[0].local;
    assert_non_null(local->cert);
    assert_non_null(local->cert->key);
    expect_id(&local->id, "C=CH, O=Adit, CN=moon");
    /* remote: a pattern, and constraints */
    assert_int_equal(p->conns[0].remote->id.type, ID_DER_ASN1_DN);
    assert_int_equal(p->conns[0].remote->constraints.min_bits, 4096);
    assert_int_equal(p->conns[0].remote->pki.min_rsa_bits, 4096);
    /* pinned: its subject is the identity; anchors */
    const struct policy_auth *remote = p->conns[1].remote;
    assert_int_equal(remote->n_pinned, 1);
    expect_id(&remote->id, "C=CH, O=Adit, CN=sun");
    assert_int_equal(remote->pki.n_anchors, 1);
    assert_int_equal(remote->pki.revocation, ADIT_REVOKE_STRICT);
    assert_int_equal(remote->pki.min_rsa_bits, 2048);
    struct pki_cert *const *cas;
    assert_int_equal(pki_store_cas(p->store, &cas), 2);
    assert_memory_equal(remote->pki.anchors[0].p, pki_cert_spki_sha1(cas[1]), 20);
    /* %any is any even with a pinned certificate */
    assert_int_equal(p->conns[2].remote->id.type, 0);
    /* no sections at all: public keys, any identity */
    assert_int_equal(p->conns[3].local->cfg->class, ADIT_AUTH_PUBKEY);
    assert_int_equal(p->conns[3].remote->id.type, 0);
    assert_ptr_equal(policy_ref(p), p);
    policy_unref(p);
    assert_int_equal(p->refs, 1);
    policy_unref(p);
}

static void test_bad_parts_are_named(void **state)
{
    struct adit_span junk = SPAN_LIT("junk"), sun = PEM(PEM_SUN);
    const struct adit_auth_cfg bad_cert = { .n_certs = 1, .certs = &junk },
                               bad_ca = { .n_cacerts = 1, .cacerts = &sun },
                               bad_auth = { .class = ADIT_AUTH_PUBKEY, .auth = "pubkey-md5" },
                               bad_id = { .id_text = "ipv4:x" },
                               psk = { .class = ADIT_AUTH_PSK, .auth = "psk" };
    static const char *const says[] = { "private key k.pem",
                                        "certificate e.pem",
                                        "CA certificate c.pem",
                                        "CRL r.pem",
                                        "CA certificate sun.pem: it is not a CA's",
                                        "connection 'x', local: its certificate 1",
                                        "connection 'x', remote: its CA certificate 1: it is not a CA's",
                                        "connection 'x', remote: auth 'pubkey-md5'",
                                        "connection 'x', local: identity 'ipv4:x'" };
    for (size_t i = 0; i < ARRAY_LEN(says); i++) {
        struct adit_config *cfg = adit_config_new();
        struct policy *p = NULL;
        struct adit_why why = { 0 };
        add_key(cfg, PEM(PEM_MOON_KEY), "moon.key");
        add_conn(cfg, "good", &psk, &psk);
        switch (i) {
        case 0: add_key(cfg, junk, "k.pem"); break;
        case 1: add_cert(cfg, ADIT_CERT_END_ENTITY, junk, "e.pem"); break;
        case 2: add_cert(cfg, ADIT_CERT_CA, junk, "c.pem"); break;
        case 3: add_cert(cfg, ADIT_CERT_CRL, junk, "r.pem"); break;
        case 4: add_cert(cfg, ADIT_CERT_CA, sun, "sun.pem"); break;
        case 5: add_conn(cfg, "x", &bad_cert, NULL); break;
        case 6: add_conn(cfg, "x", NULL, &bad_ca); break;
        case 7: add_conn(cfg, "x", NULL, &bad_auth); break;
        case 8: add_conn(cfg, "x", &bad_id, NULL); break;
        }
        assert_row(says[i], policy_new(crypto(), cfg, &p, &why) != ADIT_OK);
        if (strncmp(why.text, says[i], strlen(says[i])))
            fail_msg("row '%s': %s", says[i], why.text);
        assert_null(p);
        adit_config_unref(cfg);
    }
}

/* Every allocation fails once: no crash, no leak (the sanitizers look), always the same answer. */
static void test_no_memory(void **state)
{
    struct adit_config *cfg = adit_config_new();
    struct adit_span moon = PEM(PEM_MOON), ca = PEM(PEM_CA1);
    struct adit_auth_cfg local = { .class = ADIT_AUTH_PUBKEY, .n_certs = 1, .certs = &moon };
    struct adit_auth_cfg remote = {
        .class = ADIT_AUTH_PUBKEY, .id_text = "sun.example", .n_cacerts = 1, .cacerts = &ca
    };
    add_key(cfg, PEM(PEM_MOON_KEY), "moon.key");
    add_cert(cfg, ADIT_CERT_END_ENTITY, PEM(PEM_MOON2), "moon2.pem");
    add_conn(cfg, "a", &local, &remote);
    enum adit_rc rc = ADIT_ERR_MEMORY;
    unsigned n;
    crypto();
    for (n = 0; n < 500 && rc != ADIT_OK; n++) {
        struct policy *p = NULL;
        struct adit_why why = { 0 };
        unsigned left = n;
        mem_set_gate(gate_countdown, &left);
        rc = policy_new(crypto(), cfg, &p, &why);
        mem_set_gate(NULL, NULL);
        assert_true((rc == ADIT_OK) == (p != NULL));
        policy_unref(p);
    }
    assert_int_equal(rc, ADIT_OK);
    assert_true(n > 5);
    adit_config_unref(cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_certificates_and_ids),
        cmocka_unit_test(test_bad_parts_are_named),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
