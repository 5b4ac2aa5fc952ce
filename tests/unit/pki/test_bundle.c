/* test_bundle.c - bundles of certificates (RFC 7296 s3.6): what is made is read back, and nothing else is. */
#include "certs.h"

#define MOST 4
#define LIT(text) { (const uint8_t *)(text), sizeof(text) - 1 }

static const struct {
    const char *what;
    struct adit_span data;
    size_t n; /* certificates; 0: refused */
} rows[] = {
    { "one", LIT("\x30\x05\xa0\x03\x30\x01\x05"), 1 },
    { "two", LIT("\x30\x0a\xa0\x03\x30\x01\x05\xa0\x03\x30\x01\x06"), 2 },
    { "a revocation list between", LIT("\x30\x0e\xa0\x03\x30\x01\x05\xa1\x02\x30\x00\xa0\x03\x30\x01\x06"), 2 },
    { "as many as there may be", LIT("\x30\x08\xa0\x00\xa0\x00\xa0\x00\xa0\x00"), 4 },
    { "one more", LIT("\x30\x0a\xa0\x00\xa0\x00\xa0\x00\xa0\x00\xa0\x00"), 0 },
    { "nothing at all", { NULL, 0 }, 0 },
    { "no certificate", LIT("\x30\x00"), 0 },
    { "only a revocation list", LIT("\x30\x04\xa1\x02\x30\x00"), 0 },
    { "another choice", LIT("\x30\x07\xa2\x05\x30\x03\x02\x01\x05"), 0 },
    { "a bare certificate", LIT("\x30\x05\x30\x03\x02\x01\x05"), 0 },
    { "a set", LIT("\x31\x05\xa0\x03\x30\x01\x05"), 0 },
    { "more behind", LIT("\x30\x05\xa0\x03\x30\x01\x05\x00"), 0 },
    { "cut", LIT("\x30\x05\xa0\x03\x30\x01"), 0 },
    { "too long inside", LIT("\x30\x05\xa0\x7f\x30\x01\x05"), 0 },
    { "a length of 2^31 and more", LIT("\x30\x84\xff\xff\xff\xff\xa0\x00"), 0 },
    { "indefinite", LIT("\x30\x80\xa0\x03\x30\x01\x05\x00\x00"), 0 },
    { "indefinite inside", LIT("\x30\x07\xa0\x80\x30\x01\x05\x00\x00"), 0 },
    { "primitive", LIT("\x10\x05\xa0\x03\x30\x01\x05"), 0 },
};

static void only_the_frame_is_read(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_span out[MOST], data = guard_copy(rows[i].data);
        struct adit_why why = { 0 };
        size_t n;
        bool good = pki_bundle_read(data, out, MOST, &n, &why) == ADIT_OK;
        assert_row(rows[i].what, good == (rows[i].n > 0));
        assert_row(rows[i].what, good ? n == rows[i].n : why.text[0] != 0);
        for (size_t k = 0; good && k < n; k++)
            assert_row(rows[i].what, out[k].p >= data.p && out[k].p + out[k].n <= data.p + data.n);
    }
}

static void what_is_made_is_read_back(void **state)
{
    struct adit_crypto *c = crypto_or_fail();
    struct party ca = party_new(c, (struct cert_spec){ .subject = "CN=CA", .kind = "RSA:2048", .v3 = { CA_V3 } });
    struct party moon = party_new(c, (struct cert_spec){ .subject = "CN=moon", .issuer = &ca });
    const struct pki_cert *certs[] = { moon.cert, ca.cert };
    struct adit_buf bundle = { 0 };
    struct adit_span out[MOST];
    struct adit_why why;
    for (size_t many = 1; many <= 2; many++) {
        size_t n;
        assert_int_equal(pki_bundle_make(certs, many, &bundle), ADIT_OK);
        assert_int_equal(pki_bundle_read(buf_span(&bundle), out, MOST, &n, &why), ADIT_OK);
        assert_int_equal(n, many);
        for (size_t i = 0; i < n; i++)
            assert_true(span_equal(out[i], pki_cert_der(certs[i])));
    }
    buf_fini(&bundle);
    party_fini(&moon);
    party_fini(&ca);
    adit_crypto_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_frame_is_read),
        cmocka_unit_test(what_is_made_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
