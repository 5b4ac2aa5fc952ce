/* test_usage.c - key usage and extended key usage of the end entity (RFC 4945 s5.1.3.2, s5.1.3.12). */
#include "certs.h"
#include "pki/pki_private.h"

static const struct {
    const char *what, *usage, *extended;
    bool ok;
} rows[] = {
    { "neither", NULL, NULL, true },
    { "digitalSignature", "digitalSignature", NULL, true },
    { "nonRepudiation", "nonRepudiation", NULL, true },
    { "keyEncipherment alone", "keyEncipherment", NULL, false },
    { "keyCertSign alone", "keyCertSign", NULL, false },
    { "both", "critical,digitalSignature,keyEncipherment", NULL, true },
    { "ipsecIKE", NULL, "1.3.6.1.5.5.7.3.17", true },
    { "any", NULL, "anyExtendedKeyUsage", true },
    { "serverAuth", NULL, "critical,serverAuth", true },
    { "clientAuth", NULL, "clientAuth", true },
    { "codeSigning", NULL, "codeSigning", false },
    { "timeStamping and ipsecIKE", NULL, "critical,timeStamping,1.3.6.1.5.5.7.3.17", true },
    { "good usage, wrong extended usage", "digitalSignature", "emailProtection", false },
};

static void only_signing_certificates_pass(void **state)
{
    struct adit_crypto *c = crypto_or_fail();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cert_spec spec = { .subject = "CN=moon" };
        size_t n = 0;
        struct adit_why why = { 0 };
        if (rows[i].usage) {
            spec.v3[n].nid = NID_key_usage;
            spec.v3[n++].value = rows[i].usage;
        }
        if (rows[i].extended) {
            spec.v3[n].nid = NID_ext_key_usage;
            spec.v3[n++].value = rows[i].extended;
        }
        struct party moon = party_new(c, spec);
        assert_row(rows[i].what, (pki_usage_check(moon.cert, &why) == ADIT_OK) == rows[i].ok);
        assert_row(rows[i].what, rows[i].ok || strstr(why.text, "key usage"));
        party_fini(&moon);
    }
    adit_crypto_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_signing_certificates_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
