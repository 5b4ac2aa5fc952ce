/* test_ecdh.c - ECP groups against RFC 5903; what is not a point of the curve is refused. */
#include "vectors.h"

static void exchanges_of_rfc_5903_come_out(void **state)
{
    FILE *f = vectors_open("ecdh.txt");
    struct vector v;
    size_t n = 0;
    for (; vectors_next(f, &v); n++)
        check_exchange(&v);
    assert_int_equal(n, 3);
}

static const uint16_t groups[] = { KE_ECP_256,    KE_ECP_384,    KE_ECP_521,
                                   KE_ECP_256_BP, KE_ECP_384_BP, KE_ECP_512_BP };

enum spoil { ZERO, ALL_ONES, OFF_CURVE, SHORT, COMPRESSED };
static const struct {
    const char *what;
    enum spoil how;
} bad[] = {
    { "zero is the point at infinity in disguise", ZERO },
    { "coordinates not below p", ALL_ONES },
    { "not on the curve", OFF_CURVE },
    { "one octet short", SHORT },
    { "x alone", COMPRESSED },
};

static struct adit_span spoilt(struct adit_buf *pub, enum spoil how)
{
    switch (how) {
    case ZERO: memset(pub->p, 0, pub->n); break;
    case ALL_ONES: memset(pub->p, 0xff, pub->n); break;
    case OFF_CURVE: pub->p[pub->n - 1] ^= 1; break;
    case SHORT: return span(pub->p, pub->n - 1);
    case COMPRESSED: return span(pub->p, pub->n / 2);
    }
    return buf_span(pub);
}

static void bad_points_are_refused(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    for (size_t g = 0; g < ARRAY_LEN(groups); g++)
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
            const struct ke_alg *a = crypto_ke(c, groups[g]);
            struct adit_buf pub = { 0 }, out = { 0 };
            struct adit_secret secret = { 0 };
            struct ke_state *st = NULL;
            assert_non_null(a);
            assert_int_equal(a->ops->init(c, a, &st, &pub), ADIT_OK);
            struct adit_span peer = spoilt(&pub, bad[i].how);
            assert_row(bad[i].what, a->ops->respond(c, a, peer, &out, &secret) == ADIT_ERR_PUBLIC);
            assert_row(bad[i].what,
                       a->ops->finish(c, a, st, peer, &secret) == ADIT_ERR_PUBLIC && secret.n == 0);
            a->ops->free(st);
            buf_fini(&pub);
            buf_fini(&out);
        }
    adit_crypto_free(c);
}

/* RFC 6954 A: brainpool vectors exist for TLS and IKE only as ECDH results; here both sides must agree. */
static void brainpool_sides_agree(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    for (size_t g = 3; g < ARRAY_LEN(groups); g++) {
        const struct ke_alg *a = crypto_ke(c, groups[g]);
        struct adit_buf gi = { 0 }, gr = { 0 };
        struct adit_secret si = { 0 }, sr = { 0 };
        struct ke_state *st = NULL;
        assert_int_equal(a->ops->init(c, a, &st, &gi), ADIT_OK);
        assert_int_equal(a->ops->respond(c, a, buf_span(&gi), &gr, &sr), ADIT_OK);
        assert_int_equal(a->ops->finish(c, a, st, buf_span(&gr), &si), ADIT_OK);
        assert_row(a->name, gi.n == a->init_size && gr.n == a->resp_size && si.n == a->secret_size);
        assert_row(a->name, secret_equal(secret_span(&si), secret_span(&sr)));
        a->ops->free(st);
        buf_fini(&gi);
        buf_fini(&gr);
        secret_fini(&si);
        secret_fini(&sr);
    }
    adit_crypto_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exchanges_of_rfc_5903_come_out),
        cmocka_unit_test(bad_points_are_refused),
        cmocka_unit_test(brainpool_sides_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
