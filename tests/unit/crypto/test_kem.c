/* test_kem.c - ML-KEM against known answers, and the tests of FIPS 203 s7.2 and s7.3. */
#include "kems.h"

static void check_known_answer(const struct vector *v)
{
    struct script script = { .state = 1, .next = vector_get(v, "seed") };
    struct adit_crypto *c = crypto_or_fail(script_random, &script);
    script.next = vector_get(v, "seed");
    const struct ke_alg *a = ke_by_name(c, v->what);
    struct ke_state *st = NULL;
    struct adit_buf ek = { 0 }, ct = { 0 };
    struct adit_secret si = { 0 }, sr = { 0 };
    assert_row(v->what, a && a->ops->init(c, a, &st, &ek) == ADIT_OK);
    assert_row(v->what, span_equal(buf_span(&ek), vector_get(v, "ek")));
    script.next = vector_get(v, "m");
    assert_row(v->what, a->ops->respond(c, a, buf_span(&ek), &ct, &sr) == ADIT_OK);
    assert_row(v->what, span_equal(buf_span(&ct), vector_get(v, "ct")));
    assert_row(v->what, span_equal(secret_span(&sr), vector_get(v, "secret")));
    assert_row(v->what, a->ops->finish(c, a, st, buf_span(&ct), &si) == ADIT_OK);
    assert_row(v->what, span_equal(secret_span(&si), vector_get(v, "secret")));
    a->ops->free(st);
    buf_fini(&ek);
    buf_fini(&ct);
    secret_fini(&si);
    secret_fini(&sr);
    adit_crypto_free(c);
}

static void known_answers_come_out(void **state)
{
    FILE *f = vectors_open("mlkem.txt");
    static struct vector v;
    size_t n = 0;
    for (; vectors_next(f, &v); n++)
        check_known_answer(&v);
    assert_int_equal(n, 3);
}

static void check_acvp(struct adit_crypto *c, struct script *script, const struct vector *v)
{
    const struct ke_alg *a = ke_by_name(c, v->what);
    struct ke_state *st = NULL;
    struct adit_buf out = { 0 };
    struct adit_secret secret = { 0 };
    bool keygen = vector_get(v, "seed").n;
    script->next = vector_get(v, keygen ? "seed" : "m");
    enum adit_rc rc = keygen ? a->ops->init(c, a, &st, &out) : a->ops->respond(c, a, vector_get(v, "ek"), &out, &secret);
    assert_row(v->what, rc == ADIT_OK && has_hash(buf_span(&out), vector_get(v, keygen ? "ekhash" : "cthash")));
    assert_row(v->what, span_equal(secret_span(&secret), vector_get(v, "secret")));
    a->ops->free(st);
    buf_fini(&out);
    secret_fini(&secret);
}

static void acvp_comes_out(void **state)
{
    FILE *f = vectors_open("mlkem_acvp.txt");
    static struct vector v;
    struct script script = { .state = 1 };
    struct adit_crypto *c = crypto_or_fail(script_random, &script);
    size_t n = 0;
    for (; vectors_next(f, &v); n++)
        check_acvp(c, &script, &v);
    assert_int_equal(n, 18);
    adit_crypto_free(c);
}

/* A whole decapsulation from the key's seed, or one encapsulation; without a secret in the record it is to be refused. */
static void check_wycheproof(struct adit_crypto *c, struct script *script, const struct vector *v)
{
    const struct ke_alg *a = ke_by_name(c, v->what);
    struct ke_state *st = NULL;
    struct adit_buf out = { 0 };
    struct adit_secret secret = { 0 };
    struct adit_span ct = vector_get(v, "ct"), expected = vector_get(v, "secret");
    script->next = vector_get(v, ct.n ? "seed" : "m");
    enum adit_rc rc = ct.n ? a->ops->init(c, a, &st, &out) : a->ops->respond(c, a, vector_get(v, "ek"), &out, &secret);
    if (ct.n) {
        assert_row(v->what, rc == ADIT_OK && has_hash(buf_span(&out), vector_get(v, "ekhash")));
        rc = a->ops->finish(c, a, st, ct, &secret);
    } else if (rc == ADIT_OK) {
        assert_row(v->what, has_hash(buf_span(&out), vector_get(v, "cthash")));
    }
    assert_row(v->what, rc == (expected.n ? ADIT_OK : ADIT_ERR_PUBLIC));
    assert_row(v->what, span_equal(secret_span(&secret), expected));
    a->ops->free(st);
    buf_fini(&out);
    secret_fini(&secret);
}

/* Matrices with much rejection, implicit rejection, keys that are not reduced, other lengths. */
static void wycheproof_comes_out(void **state)
{
    FILE *f = vectors_open("mlkem_wycheproof.txt");
    static struct vector v;
    struct script script = { .state = 1 };
    struct adit_crypto *c = crypto_or_fail(script_random, &script);
    size_t n = 0;
    for (; vectors_next(f, &v); n++)
        check_wycheproof(c, &script, &v);
    assert_int_equal(n, 39);
    adit_crypto_free(c);
}

static const uint16_t methods[] = { KE_ML_KEM_512, KE_ML_KEM_768, KE_ML_KEM_1024 };

/* FIPS 203 s7.2: a coefficient of 3329 (0xd01, 12 bits little-endian) anywhere makes the key invalid. */
static void unreduced_coefficients_are_refused(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        const struct ke_alg *a = crypto_ke(c, methods[m]);
        size_t coefficients = (a->init_size - 32) / 3 * 2;
        const size_t at[] = { 0, 1, coefficients / 2, coefficients - 1 };
        for (size_t i = 0; i < ARRAY_LEN(at); i++) {
            struct adit_buf ek = { 0 }, ct = { 0 };
            struct adit_secret secret = { 0 };
            struct ke_state *st = NULL;
            assert_int_equal(a->ops->init(c, a, &st, &ek), ADIT_OK);
            uint8_t *p = ek.p + at[i] / 2 * 3;
            if (at[i] % 2 == 0) {
                p[0] = 0x01;
                p[1] = (uint8_t)((p[1] & 0xf0) | 0x0d);
            } else {
                p[1] = (uint8_t)((p[1] & 0x0f) | 0x10);
                p[2] = 0xd0;
            }
            assert_row(a->name, a->ops->respond(c, a, buf_span(&ek), &ct, &secret) == ADIT_ERR_PUBLIC);
            assert_row(a->name, secret.n == 0);
            p[at[i] % 2 ? 1 : 0] = at[i] % 2 ? (uint8_t)(p[1] & 0x0f) : 0x00; /* 3328 is fine */
            assert_row(a->name, a->ops->respond(c, a, buf_span(&ek), &ct, &secret) == ADIT_OK);
            a->ops->free(st);
            buf_fini(&ek);
            buf_fini(&ct);
            secret_fini(&secret);
        }
    }
    adit_crypto_free(c);
}

static void wrong_lengths_are_refused(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    static const uint8_t zero[2000];
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        const struct ke_alg *a = crypto_ke(c, methods[m]);
        struct adit_buf ek = { 0 }, ct = { 0 };
        struct adit_secret secret = { 0 };
        struct ke_state *st = NULL;
        assert_int_equal(a->ops->init(c, a, &st, &ek), ADIT_OK);
        for (int d = -1; d <= 1; d += 2) {
            assert_row(a->name,
                       a->ops->respond(c, a, span(zero, a->init_size + d), &ct, &secret) == ADIT_ERR_PUBLIC);
            assert_row(a->name,
                       a->ops->finish(c, a, st, span(zero, a->resp_size + d), &secret) == ADIT_ERR_PUBLIC);
        }
        a->ops->free(st);
        buf_fini(&ek);
    }
    adit_crypto_free(c);
}

static void a_spoilt_ciphertext_gives_another_secret_and_no_error(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    const struct ke_alg *a = crypto_ke(c, KE_ML_KEM_768);
    struct adit_buf ek = { 0 }, ct = { 0 };
    struct adit_secret si = { 0 }, sr = { 0 };
    struct ke_state *st = NULL;
    assert_int_equal(a->ops->init(c, a, &st, &ek), ADIT_OK);
    assert_int_equal(a->ops->respond(c, a, buf_span(&ek), &ct, &sr), ADIT_OK);
    ct.p[100] ^= 1;
    assert_int_equal(a->ops->finish(c, a, st, buf_span(&ct), &si), ADIT_OK);
    assert_false(secret_equal(secret_span(&si), secret_span(&sr)));
    a->ops->free(st);
    buf_fini(&ek);
    buf_fini(&ct);
    secret_fini(&si);
    secret_fini(&sr);
    adit_crypto_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_come_out),
        cmocka_unit_test(acvp_comes_out),
        cmocka_unit_test(wycheproof_comes_out),
        cmocka_unit_test(unreduced_coefficients_are_refused),
        cmocka_unit_test(wrong_lengths_are_refused),
        cmocka_unit_test(a_spoilt_ciphertext_gives_another_secret_and_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
