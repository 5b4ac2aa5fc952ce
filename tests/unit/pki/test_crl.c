/* test_crl.c - revocation at three strictness levels (relaxed, ifuri, strict). */
#include "certs.h"
#include "pki/pki_private.h"

#define CDP "URI:http://crl.example/root.crl"

static struct adit_crypto *c;
static struct party ca, plain, pointing; /* pointing: its certificate names a CDP */
static EVP_PKEY *forger;

enum list { NONE, CLEAN, REVOKES, EXPIRED, EXPIRED_REVOKES, FUTURE, IDP_MATCHES, IDP_OTHER, FORGED };
static const struct {
    const char *what;
    enum list list;
    bool points; /* the leaf names a CDP */
    bool relaxed, ifuri, strict;
} rows[] = {
    { "no list, no CDP", NONE, false, true, true, false },
    { "no list, CDP", NONE, true, true, false, false },
    { "clean list, no CDP", CLEAN, false, true, true, true },
    { "clean list, CDP", CLEAN, true, true, true, true },
    { "revoked", REVOKES, false, false, false, false },
    { "revoked, CDP", REVOKES, true, false, false, false },
    { "expired list, no CDP", EXPIRED, false, true, true, false },
    { "expired list, CDP", EXPIRED, true, true, false, false },
    { "revoked by an expired list", EXPIRED_REVOKES, true, false, false, false },
    { "list of the future", FUTURE, true, true, false, false },
    { "IDP is the certificate's CDP", IDP_MATCHES, true, true, true, true },
    { "IDP is another one", IDP_OTHER, true, true, false, false },
    { "IDP, but the certificate has no CDP", IDP_MATCHES, false, true, true, false },
    { "signed by another key", FORGED, true, false, false, false },
};

static struct crl_spec list_of(enum list list)
{
    switch (list) {
    case REVOKES: return (struct crl_spec){ .issuer = &ca, .serial = 77 };
    case EXPIRED: return (struct crl_spec){ .issuer = &ca, .from = -9 * DAY, .to = -DAY };
    case EXPIRED_REVOKES:
        return (struct crl_spec){ .issuer = &ca, .serial = 77, .from = -9 * DAY, .to = -DAY };
    case FUTURE: return (struct crl_spec){ .issuer = &ca, .from = DAY, .to = 9 * DAY };
    case IDP_MATCHES: return (struct crl_spec){ .issuer = &ca, .idp = "fullname:" CDP };
    case IDP_OTHER:
        return (struct crl_spec){ .issuer = &ca, .idp = "fullname:URI:http://other.example/x.crl" };
    case FORGED: return (struct crl_spec){ .issuer = &ca, .forger = forger };
    default: return (struct crl_spec){ .issuer = &ca, .serial = 78 };
    }
}

static bool passes(size_t row, enum adit_revocation strictness)
{
    struct pki_store *s = pki_store_new(c);
    struct pki_policy policy = { .revocation = strictness, .min_rsa_bits = 2048 };
    struct adit_buf crl = { 0 };
    struct adit_why why = { 0 };
    assert_int_equal(pki_store_add_ca(s, ca.cert), ADIT_OK);
    if (rows[row].list != NONE) {
        crl_new(c, list_of(rows[row].list), &crl);
        assert_int_equal(pki_store_add_crl(s, buf_span(&crl), &why), ADIT_OK);
    }
    enum adit_rc rc = pki_verify(s, rows[row].points ? pointing.cert : plain.cert, NULL, 0, &policy, NOW,
                                 &why);
    if (rc != ADIT_OK && rows[row].list == REVOKES)
        assert_non_null(strstr(why.text, "revoked"));
    buf_fini(&crl);
    pki_store_free(s);
    return rc == ADIT_OK;
}

static void strictness_decides_about_what_is_unknown(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_row(rows[i].what, passes(i, ADIT_REVOKE_RELAXED) == rows[i].relaxed);
        assert_row(rows[i].what, passes(i, ADIT_REVOKE_IFURI) == rows[i].ifuri);
        assert_row(rows[i].what, passes(i, ADIT_REVOKE_STRICT) == rows[i].strict);
    }
}

static void an_intermediate_needs_a_status_too(void **state)
{
    struct party inter = party_new(
        c, (struct cert_spec){ .subject = "CN=Inter", .issuer = &ca, .serial = 50, .v3 = { CA_V3 } });
    struct party leaf = party_new(c, (struct cert_spec){ .subject = "CN=leaf", .issuer = &inter });
    struct pki_store *s = pki_store_new(c);
    struct pki_policy policy = { .revocation = ADIT_REVOKE_STRICT, .min_rsa_bits = 2048 };
    struct adit_buf crl = { 0 };
    assert_int_equal(pki_store_add_ca(s, ca.cert), ADIT_OK);
    crl_new(c, (struct crl_spec){ .issuer = &inter }, &crl);
    assert_int_equal(pki_store_add_crl(s, buf_span(&crl), NULL), ADIT_OK);
    assert_int_equal(pki_verify(s, leaf.cert, &inter.cert, 1, &policy, NOW, NULL), ADIT_ERR_AUTH);
    crl_new(c, (struct crl_spec){ .issuer = &ca }, &crl);
    assert_int_equal(pki_store_add_crl(s, buf_span(&crl), NULL), ADIT_OK);
    assert_int_equal(pki_verify(s, leaf.cert, &inter.cert, 1, &policy, NOW, NULL), ADIT_OK);
    pki_store_free(s);
    s = pki_store_new(c);
    policy.revocation = ADIT_REVOKE_RELAXED;
    crl_new(c, (struct crl_spec){ .issuer = &ca, .serial = 50 }, &crl);
    assert_int_equal(pki_store_add_ca(s, ca.cert), ADIT_OK);
    assert_int_equal(pki_store_add_crl(s, buf_span(&crl), NULL), ADIT_OK);
    assert_int_equal(pki_verify(s, leaf.cert, &inter.cert, 1, &policy, NOW, NULL), ADIT_ERR_AUTH);
    /* That we have the intermediate ourselves does not save it. */
    assert_int_equal(pki_store_add_ca(s, inter.cert), ADIT_OK);
    assert_int_equal(pki_verify(s, leaf.cert, NULL, 0, &policy, NOW, NULL), ADIT_ERR_AUTH);
    pki_store_free(s);
    buf_fini(&crl);
    party_fini(&inter);
    party_fini(&leaf);
}

static void garbage_is_no_list(void **state)
{
    struct pki_store *s = pki_store_new(c);
    struct adit_buf crl = { 0 };
    struct adit_why why = { 0 };
    crl_new(c, list_of(CLEAN), &crl);
    for (size_t n = 0; n < crl.n; n += 7)
        assert_int_equal(pki_store_add_crl(s, guard_copy(span(crl.p, n)), &why), ADIT_ERR_MALFORMED);
    assert_int_equal(pki_store_add_crl(s, pki_cert_der(ca.cert), &why), ADIT_ERR_MALFORMED);
    assert_non_null(strstr(why.text, "revocation list"));
    buf_fini(&crl);
    pki_store_free(s);
}

static int setup(void **state)
{
    c = crypto_or_fail();
    ca = party_new(c, (struct cert_spec){ .subject = "CN=Root", .v3 = { CA_V3 } });
    plain = party_new(c, (struct cert_spec){ .subject = "CN=plain", .issuer = &ca, .serial = 77 });
    pointing = party_new(c, (struct cert_spec){ .subject = "CN=pointing",
                                                .issuer = &ca,
                                                .serial = 77,
                                                .v3 = { { NID_crl_distribution_points, CDP } } });
    forger = party_key(c, NULL);
    return 0;
}

static int teardown(void **state)
{
    EVP_PKEY_free(forger);
    party_fini(&plain);
    party_fini(&pointing);
    party_fini(&ca);
    adit_crypto_free(c);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strictness_decides_about_what_is_unknown),
        cmocka_unit_test(an_intermediate_needs_a_status_too),
        cmocka_unit_test(garbage_is_no_list),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
