/* test_cert.c - Certificate and Certificate Request payloads. */
#include "wire_test.h"

static void what_is_put_is_got(void **state)
{
    static const uint8_t types[] = { PLD_CERT, PLD_CERTREQ };
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct wr w;
        struct cert_payload c;
        begin_message(&w);
        cert_put(&w, types[i], CERTENC_X509_SIGNATURE, SPAN_LIT("\x30\x82"));
        struct rd in = only_payload(&w, types[i]);
        assert_true(cert_get(&in, &c));
        assert_int_equal(c.encoding, 4);
        assert_true(span_equal(c.data, SPAN_LIT("\x30\x82")));
    }
}

static void an_encoding_has_to_be_there(void **state)
{
    struct cert_payload c;
    struct rd in = rd_init(unhex(""));
    assert_false(cert_get(&in, &c));
    in = rd_init(unhex("04"));
    assert_true(cert_get(&in, &c) && c.encoding == 4 && c.data.n == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_got),
        cmocka_unit_test(an_encoding_has_to_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
