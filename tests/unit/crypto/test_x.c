/* test_x.c - Curve25519 and Curve448 against RFC 7748; small-order points are refused. */
#include "vectors.h"

static void exchanges_of_rfc_7748_come_out(void **state)
{
    FILE *f = vectors_open("x.txt");
    struct vector v;
    size_t n = 0;
    for (; vectors_next(f, &v); n++)
        check_exchange(&v);
    assert_int_equal(n, 2);
}

static const struct {
    const char *what;
    uint16_t id;
    const char *point; /* little-endian */
} small_order[] = {
    { "Curve25519, 0", KE_CURVE_25519, "0000000000000000000000000000000000000000000000000000000000000000" },
    { "Curve25519, 1", KE_CURVE_25519, "0100000000000000000000000000000000000000000000000000000000000000" },
    { "Curve25519, order 8", KE_CURVE_25519,
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800" },
    { "Curve25519, p", KE_CURVE_25519, "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
    { "Curve448, 0", KE_CURVE_448,
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" },
    { "Curve448, 1", KE_CURVE_448,
      "0100000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000" },
};

static void all_zero_secrets_are_refused(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(small_order); i++) {
        const struct ke_alg *a = crypto_ke(c, small_order[i].id);
        uint8_t point[56];
        struct adit_buf pub = { 0 };
        struct adit_secret secret = { 0 };
        struct ke_state *st = NULL;
        struct adit_span peer = span(point, unhex(small_order[i].point, point, sizeof(point)));
        assert_row(small_order[i].what, a->ops->respond(c, a, peer, &pub, &secret) == ADIT_ERR_PUBLIC);
        assert_row(small_order[i].what, secret.n == 0);
        assert_int_equal(a->ops->init(c, a, &st, &pub), ADIT_OK);
        assert_row(small_order[i].what, a->ops->finish(c, a, st, peer, &secret) == ADIT_ERR_PUBLIC);
        a->ops->free(st);
        buf_fini(&pub);
    }
    adit_crypto_free(c);
}

/* RFC 8031 s3, RFC 7748 s5: the top bit of a Curve25519 value is masked, not refused. */
static void the_top_bit_is_ignored(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    const struct ke_alg *a = crypto_ke(c, KE_CURVE_25519);
    struct adit_buf pub = { 0 }, other = { 0 };
    struct adit_secret s1 = { 0 }, s2 = { 0 };
    struct ke_state *st = NULL;
    assert_int_equal(a->ops->init(c, a, &st, &pub), ADIT_OK);
    assert_int_equal(a->ops->respond(c, a, buf_span(&pub), &other, &s1), ADIT_OK);
    other.p[31] ^= 0x80;
    assert_int_equal(a->ops->finish(c, a, st, buf_span(&other), &s2), ADIT_OK);
    assert_true(secret_equal(secret_span(&s1), secret_span(&s2)));
    a->ops->free(st);
    buf_fini(&pub);
    buf_fini(&other);
    secret_fini(&s1);
    secret_fini(&s2);
    adit_crypto_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exchanges_of_rfc_7748_come_out),
        cmocka_unit_test(all_zero_secrets_are_refused),
        cmocka_unit_test(the_top_bit_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
