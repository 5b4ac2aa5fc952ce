/* test_ke.c - Key Exchange payload. */
#include "wire_test.h"

/* The layout of draft-ietf-ipsecme-ikev2-mlkem: payload length is 8 + the public key's. */
static void ml_kem_public_keys_fit(void **state)
{
    static const struct {
        const char *what;
        uint16_t method;
        size_t n;
    } rows[] = {
        { "ML-KEM-512", KE_ML_KEM_512, 800 },    { "ML-KEM-768", KE_ML_KEM_768, 1184 },
        { "ML-KEM-1024", KE_ML_KEM_1024, 1568 }, { "x25519", KE_CURVE_25519, 32 },
        { "largest payload", 1234, 65535 - 8 },
    };
    static uint8_t key[65535];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct wr w;
        struct ke_payload ke;
        begin_message(&w);
        ke_put(&w, rows[i].method, span(key, rows[i].n));
        assert_row(rows[i].what, w.n == IKE_HDR_SIZE + 8 + rows[i].n);
        struct rd in = only_payload(&w, PLD_KE);
        assert_row(rows[i].what, ke_get(&in, &ke) && ke.method == rows[i].method && ke.data.n == rows[i].n);
    }
}

static void a_payload_has_at_most_65535_octets(void **state)
{
    static uint8_t key[65535];
    struct wr w;
    begin_message(&w);
    ke_put(&w, 1, span(key, 65535 - 7));
    assert_false(wr_ok(&w));
}

static void bodies_are_judged(void **state)
{
    static const struct {
        const char *what, *hex;
        bool ok;
    } rows[] = {
        { "reserved octets are ignored", "0023ffff01", true },
        { "no key", "00230000", false },
        { "cut", "002300", false },
        { "empty", "", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ke_payload ke;
        struct rd in = rd_init(unhex(rows[i].hex));
        assert_row(rows[i].what, ke_get(&in, &ke) == rows[i].ok);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ml_kem_public_keys_fit),
        cmocka_unit_test(a_payload_has_at_most_65535_octets),
        cmocka_unit_test(bodies_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
