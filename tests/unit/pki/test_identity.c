/* test_identity.c - RFC 4945 s3.1: which identity a certificate proves. */
#include "certs.h"

static struct adit_crypto *c;
static struct party moon;
#define KEY_ID "\x0a\xff\0\x01"

static const struct {
    const char *what;
    uint8_t type;
    const char *value; /* DN as text */
    size_t n;          /* 0: strlen */
    bool proven;
} rows[] = {
    { "FQDN", ID_FQDN, "moon.example", 0, true },
    { "FQDN in another case", ID_FQDN, "Moon.Example", 0, true },
    { "FQDN that is longer", ID_FQDN, "x.moon.example", 0, false },
    { "FQDN that is a part", ID_FQDN, "example", 0, false },
    { "FQDN of the CN alone", ID_FQDN, "cn.example", 0, false },
    { "FQDN under the certificate's wildcard", ID_FQDN, "a.wild.example", 0, false },
    { "the wildcard itself", ID_FQDN, "*.wild.example", 0, true },
    { "FQDN with an octet zero", ID_FQDN, "moon.example\0x", 14, false },
    { "empty FQDN", ID_FQDN, "", 0, false },
    { "FQDN that is an e-mail name there", ID_FQDN, "carol@moon.example", 0, false },
    { "e-mail", ID_RFC822_ADDR, "carol@moon.example", 0, true },
    { "e-mail in another case", ID_RFC822_ADDR, "Carol@Moon.Example", 0, true },
    { "other e-mail", ID_RFC822_ADDR, "dave@moon.example", 0, false },
    { "e-mail of the subject alone", ID_RFC822_ADDR, "subject@moon.example", 0, false },
    { "IPv4", ID_IPV4_ADDR, "\xc0\x00\x02\x01", 4, true },
    { "other IPv4", ID_IPV4_ADDR, "\xc0\x00\x02\x02", 4, false },
    { "IPv6", ID_IPV6_ADDR, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16, true },
    { "other IPv6", ID_IPV6_ADDR, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02", 16, false },
    { "IPv6 cut to four octets", ID_IPV6_ADDR, "\x20\x01\x0d\xb8", 4, false },
    { "DN", ID_DER_ASN1_DN, "C=CH, O=Test, E=subject@moon.example, CN=cn.example", 0, true },
    { "DN in another case", ID_DER_ASN1_DN, "C=CH, O=test, E=subject@moon.example, CN=CN.example", 0, true },
    { "other DN", ID_DER_ASN1_DN, "C=CH, O=Test, CN=cn.example", 0, false },
    { "DN with a wildcard is policy, not identity", ID_DER_ASN1_DN,
      "C=CH, O=Test, E=subject@moon.example, CN=*", 0, false },
    { "issuer's DN", ID_DER_ASN1_DN, "CN=Root", 0, false },
    { "key id", ID_KEY_ID, KEY_ID, 4, true },
    { "key id, cut", ID_KEY_ID, KEY_ID, 3, false },
    { "key id and more", ID_KEY_ID, KEY_ID "\0", 5, false },
    { "another key id", ID_KEY_ID, "\x0a\xff\0\x02", 4, false },
    { "key id that is a name there", ID_KEY_ID, "moon.example", 0, false },
    { "empty key id", ID_KEY_ID, "", 0, false },
    { "key id as FQDN", ID_FQDN, KEY_ID, 4, false },
    { "no type", 0, "moon.example", 0, false },
};

static void only_what_stands_in_the_certificate_is_proven(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = { 0 };
        struct adit_why why = { 0 };
        struct adit_id id = { rows[i].type,
                              span(rows[i].value, rows[i].n ? rows[i].n : strlen(rows[i].value)) };
        if (id.type == ID_DER_ASN1_DN)
            assert_true(pki_dn_encode(NULL, rows[i].value, &arena, &id.data));
        assert_row(rows[i].what, pki_cert_proves(moon.cert, &id, &why) == rows[i].proven);
        if (!rows[i].proven)
            assert_row(rows[i].what,
                       why.rc == ADIT_ERR_AUTH && strstr(why.text, "CN=cn.example', moon.example, "));
        arena_fini(&arena);
    }
}

static void the_reason_names_all_that_is_proven(void **state)
{
    struct adit_why why = { 0 };
    struct adit_id id = { ID_FQDN, SPAN_LIT("sun.example") };
    assert_false(pki_cert_proves(moon.cert, &id, &why));
    assert_non_null(strstr(why.text, "192.0.2.1"));
    assert_non_null(strstr(why.text, "2001:db8::1"));
    assert_non_null(strstr(why.text, "carol@moon.example"));
    assert_non_null(strstr(why.text, ", key id @#0aff0001"));
}

static void a_dn_that_is_no_der_is_not_proven(void **state)
{
    struct adit_id whole = pki_cert_subject_id(moon.cert);
    assert_true(pki_cert_proves(moon.cert, &whole, NULL));
    for (size_t n = 0; n < whole.data.n; n++) {
        struct adit_id id = { ID_DER_ASN1_DN, guard_copy(span_first(whole.data, n)) };
        assert_false(pki_cert_proves(moon.cert, &id, NULL));
    }
}

/* What has no subjectKeyIdentifier proves no key ID, neither an empty one nor the hash that would be there. */
static void a_certificate_without_key_identifier_proves_no_key_id(void **state)
{
    struct party bare = party_new(c, (struct cert_spec){ .subject = "CN=bare" });
    uint8_t hash[20];
    struct adit_id id = { ID_KEY_ID, SPAN_ARRAY(hash) }, empty = { ID_KEY_ID, SPAN_NONE };
    assert_true(key_id_sha1(pki_cert_key(bare.cert), hash));
    assert_false(pki_cert_proves(bare.cert, &id, NULL));
    assert_false(pki_cert_proves(bare.cert, &empty, NULL));
    party_fini(&bare);
}

/* An empty subject proves no empty DN. */
static void an_empty_subject_proves_no_name(void **state)
{
    static const uint8_t empty_dn[] = { 0x30, 0x00 };
    struct adit_id id = { ID_DER_ASN1_DN, SPAN_ARRAY(empty_dn) };
    assert_false(pki_cert_proves(moon.cert, &id, NULL));
}

static int setup(void **state)
{
    c = crypto_or_fail();
    moon = party_new(
        c, (struct cert_spec){
               .subject = "C=CH, O=Test, E=subject@moon.example, CN=cn.example",
               .v3 = { { NID_subject_alt_name, "DNS:moon.example,DNS:*.wild.example,email:carol@moon.example,"
                                               "IP:192.0.2.1,IP:2001:db8::1,URI:https://moon.example/" },
                       { NID_subject_key_identifier, "0AFF0001" } } });
    return 0;
}

static int teardown(void **state)
{
    party_fini(&moon);
    adit_crypto_free(c);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_stands_in_the_certificate_is_proven),
        cmocka_unit_test(the_reason_names_all_that_is_proven),
        cmocka_unit_test(a_dn_that_is_no_der_is_not_proven),
        cmocka_unit_test(a_certificate_without_key_identifier_proves_no_key_id),
        cmocka_unit_test(an_empty_subject_proves_no_name),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
