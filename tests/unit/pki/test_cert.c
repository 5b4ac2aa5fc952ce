/* test_cert.c - parsing certificates and what the engine asks of them. */
#include "certs.h"

static struct adit_crypto *c;

static struct party root(void)
{
    return party_new(c, (struct cert_spec){ .subject = "C=CH, O=Test, CN=Root", .v3 = { CA_V3 } });
}

static void pem_and_der_give_the_same(void **state)
{
    struct party ca = root();
    char *pem;
    struct pki_cert *cert = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    BIO_puts(bio, "some text before\n-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n");
    PEM_write_bio_X509(bio, ca.x509);
    long n = BIO_get_mem_data(bio, &pem);
    assert_int_equal(pki_cert_parse(c, span(pem, (size_t)n), &cert, NULL), ADIT_OK);
    assert_true(span_equal(pki_cert_der(cert), pki_cert_der(ca.cert)));
    BIO_free(bio);
    pki_cert_free(cert);
    party_fini(&ca);
}

static void fields_are_as_made(void **state)
{
    struct party ca = root();
    STRBUF(subject, 100);
    pki_cert_subject(ca.cert, &subject);
    assert_string_equal(subject.p, "C=CH, O=Test, CN=Root");
    assert_true(pki_cert_not_before(ca.cert) == NOW - DAY);
    assert_true(pki_cert_not_after(ca.cert) == NOW + 365 * DAY);
    assert_true(pki_cert_is_ca(ca.cert));
    assert_int_equal(key_type(pki_cert_key(ca.cert)), KEY_ECDSA);
    struct adit_id id = pki_cert_subject_id(ca.cert);
    assert_int_equal(id.type, ID_DER_ASN1_DN);
    struct pki_cert *again = pki_cert_ref(ca.cert);
    assert_ptr_equal(again, ca.cert);
    pki_cert_free(again);
    party_fini(&ca);
}

/* RFC 7296 s3.7: SHA-1 over the whole DER SubjectPublicKeyInfo, not over the key bits (X509_pubkey_digest's way). */
static void the_certreq_hash_is_over_the_whole_spki(void **state)
{
    struct party ca = root();
    unsigned char *p = NULL, bits[20], want[64];
    int n = i2d_PUBKEY(ca.key, &p);
    struct adit_span spki = span(p, (size_t)n);
    assert_int_equal(crypto_hash(HASH_SHA1, &spki, 1, want), 20);
    assert_memory_equal(pki_cert_spki_sha1(ca.cert), want, 20);
    assert_int_equal(X509_pubkey_digest(ca.x509, EVP_sha1(), bits, NULL), 1);
    assert_memory_not_equal(pki_cert_spki_sha1(ca.cert), bits, 20);
    OPENSSL_free(p);
    party_fini(&ca);
}

static void issuers_are_known_by_name_and_key_id(void **state)
{
    struct party ca = root(), same_name = root();
    struct party leaf = party_new(c,
                                  (struct cert_spec){ .subject = "C=CH, CN=moon",
                                                      .issuer = &ca,
                                                      .v3 = { { NID_authority_key_identifier, "keyid" } } });
    assert_true(pki_cert_issued(ca.cert, leaf.cert));
    assert_true(pki_cert_issued(ca.cert, ca.cert));
    assert_false(pki_cert_issued(same_name.cert, leaf.cert));
    assert_false(pki_cert_issued(leaf.cert, ca.cert));
    assert_false(pki_cert_is_ca(leaf.cert));
    party_fini(&ca);
    party_fini(&same_name);
    party_fini(&leaf);
}

static void garbage_is_refused_with_a_reason(void **state)
{
    struct party ca = root();
    struct adit_span der = pki_cert_der(ca.cert);
    struct pki_cert *cert = NULL;
    struct adit_why why = { 0 };
    for (size_t n = 0; n < der.n; n++)
        assert_int_equal(pki_cert_parse(c, guard_copy(span_first(der, n)), &cert, &why), ADIT_ERR_MALFORMED);
    struct adit_buf longer = { 0 };
    assert_int_equal(buf_set(&longer, der), ADIT_OK);
    assert_int_equal(buf_append(&longer, SPAN_LIT("x")), ADIT_OK);
    assert_int_equal(pki_cert_parse(c, buf_span(&longer), &cert, &why), ADIT_ERR_MALFORMED);
    assert_int_equal(pki_cert_parse(c, SPAN_LIT("hello"), &cert, &why), ADIT_ERR_MALFORMED);
    assert_true(strstr(why.text, "certificate") && !cert);
    buf_fini(&longer);
    party_fini(&ca);
}

static void an_extension_twice_is_refused(void **state)
{
    struct pki_cert *cert = NULL;
    struct party twice = root();
    X509_EXTENSION *ext = X509_get_ext(twice.x509, 0);
    X509 *x509 = X509_dup(twice.x509);
    X509_add_ext(x509, ext, -1);
    assert_true(X509_sign(x509, twice.key, EVP_sha256()) > 0);
    unsigned char *p = NULL;
    int n = i2d_X509(x509, &p);
    assert_int_equal(pki_cert_parse(c, span(p, (size_t)n), &cert, NULL), ADIT_ERR_MALFORMED);
    OPENSSL_free(p);
    X509_free(x509);
    party_fini(&twice);
}

static int setup(void **state)
{
    c = crypto_or_fail();
    return 0;
}

static int teardown(void **state)
{
    adit_crypto_free(c);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pem_and_der_give_the_same),
        cmocka_unit_test(fields_are_as_made),
        cmocka_unit_test(the_certreq_hash_is_over_the_whole_spki),
        cmocka_unit_test(issuers_are_known_by_name_and_key_id),
        cmocka_unit_test(garbage_is_refused_with_a_reason),
        cmocka_unit_test(an_extension_twice_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
