/* test_mceliece.c - Classic McEliece against the known answers of its reference. Each size once; ADIT_SLOW_TESTS=1 has all
 * sets, of which some take seconds to generate a key. */
#include <pthread.h>
#include "kems.h"

static bool is_quick(const char *name)
{
    static const char *const names[] = { "mceliece348864", "mceliece348864f", "mceliece460896f",
                                         "mceliece6688128pcf", "mceliece6960119f", "mceliece8192128f" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void known_answers_come_out(void **state)
{
    FILE *f = vectors_open("mceliece.txt");
    static struct vector v;
    size_t n = 0;
    for (; vectors_next(f, &v); n++)
        if (is_quick(v.what) || getenv("ADIT_SLOW_TESTS"))
            check_kem(NULL, &v);
    assert_int_equal(n, 16);
}

static void other_lengths_are_refused(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    check_lengths(c, crypto_ke(c, KE_MCELIECE_348864F));
    adit_crypto_free(c);
}

/* Rows of 5413 bits: the last three bits of each row's last octet are nobody's, and have to be zero. */
static void unused_bits_are_zero(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    const struct ke_alg *a = crypto_ke(c, KE_MCELIECE_6960119F);
    const size_t row = (5413 + 7) / 8, at[] = { row - 1, a->init_size / 2 / row * row - 1, a->init_size - 1 };
    struct ke_state *st = NULL;
    struct adit_buf pub = { 0 }, ct = { 0 };
    struct adit_secret secret = { 0 };
    assert_int_equal(a->ops->init(c, a, &st, &pub), ADIT_OK);
    for (size_t i = 0; i < ARRAY_LEN(at); i++)
        for (unsigned bit = 5; bit < 8; bit++) {
            pub.p[at[i]] ^= (uint8_t)(1u << bit);
            assert_int_equal(a->ops->respond(c, a, buf_span(&pub), &ct, &secret), ADIT_ERR_PUBLIC);
            pub.p[at[i]] ^= (uint8_t)(1u << bit);
        }
    assert_int_equal(a->ops->respond(c, a, buf_span(&pub), &ct, &secret), ADIT_OK);
    a->ops->free(st);
    buf_fini(&pub);
    buf_fini(&ct);
    secret_fini(&secret);
    adit_crypto_free(c);
}

static void *whole_exchange(void *arg)
{
    struct adit_crypto *c = arg;
    const struct ke_alg *a = crypto_ke(c, KE_MCELIECE_460896F);
    struct ke_state *st = NULL;
    struct adit_buf pub = { 0 }, ct = { 0 };
    struct adit_secret si = { 0 }, sr = { 0 };
    bool ok = a->ops->init(c, a, &st, &pub) == ADIT_OK &&
              a->ops->respond(c, a, buf_span(&pub), &ct, &sr) == ADIT_OK &&
              a->ops->finish(c, a, st, buf_span(&ct), &si) == ADIT_OK &&
              secret_equal(secret_span(&si), secret_span(&sr));
    a->ops->free(st);
    buf_fini(&pub);
    buf_fini(&ct);
    secret_fini(&si);
    secret_fini(&sr);
    return ok ? NULL : arg;
}

/* Threads of a work pool may have little: musl gives 128 KiB. */
static void a_small_stack_is_enough(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    pthread_attr_t small;
    pthread_t t;
    void *failed;
    assert_int_equal(pthread_attr_init(&small), 0);
    assert_int_equal(pthread_attr_setstacksize(&small, 128 << 10), 0);
    assert_int_equal(pthread_create(&t, &small, whole_exchange, c), 0);
    assert_int_equal(pthread_join(t, &failed), 0);
    assert_null(failed);
    pthread_attr_destroy(&small);
    adit_crypto_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_come_out),
        cmocka_unit_test(other_lengths_are_refused),
        cmocka_unit_test(unused_bits_are_zero),
        cmocka_unit_test(a_small_stack_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
