/* test_set.c - what is in a set: the rows promised, each once, found by number and by index. */
#include <pthread.h>
#include "vectors.h"
#include "crypto/set.h"

static struct adit_crypto *c;

static const uint16_t encrs[] = { ENCR_AES_GCM_16,
                                  ENCR_AES_GCM_12,
                                  ENCR_AES_GCM_8,
                                  ENCR_AES_CCM_16,
                                  ENCR_AES_CCM_12,
                                  ENCR_AES_CCM_8,
                                  ENCR_CHACHA20_POLY1305,
                                  ENCR_AES_CCM_8_IIV,
                                  ENCR_AES_GCM_16_IIV,
                                  ENCR_CHACHA20_POLY1305_IIV,
                                  ENCR_AES_CBC,
                                  ENCR_AES_CTR,
                                  ENCR_NULL,
                                  ENCR_NULL_AES_GMAC };
static const uint16_t kes[] = { KE_CURVE_25519, KE_CURVE_448,  KE_ECP_256,    KE_ECP_384,    KE_ECP_521,
                                KE_ECP_256_BP,  KE_ECP_384_BP, KE_ECP_512_BP, KE_MODP_2048,  KE_MODP_3072,
                                KE_MODP_4096,   KE_ML_KEM_512, KE_ML_KEM_768, KE_ML_KEM_1024,
                                KE_FRODOKEM_640_AES, KE_FRODOKEM_976_AES, KE_FRODOKEM_1344_AES, KE_FRODOKEM_640_SHAKE,
                                KE_FRODOKEM_976_SHAKE, KE_FRODOKEM_1344_SHAKE, KE_EFRODOKEM_640_AES,
                                KE_EFRODOKEM_976_AES, KE_EFRODOKEM_1344_AES, KE_EFRODOKEM_640_SHAKE,
                                KE_EFRODOKEM_976_SHAKE, KE_EFRODOKEM_1344_SHAKE, KE_X25519_MLKEM768,
                                KE_ECP256_MLKEM768, KE_ECP384_MLKEM1024, KE_MCELIECE_348864, KE_MCELIECE_348864F,
                                KE_MCELIECE_460896, KE_MCELIECE_460896F, KE_MCELIECE_6688128, KE_MCELIECE_6688128F,
                                KE_MCELIECE_6688128PC, KE_MCELIECE_6688128PCF, KE_MCELIECE_6960119,
                                KE_MCELIECE_6960119F, KE_MCELIECE_6960119PC, KE_MCELIECE_6960119PCF,
                                KE_MCELIECE_8192128, KE_MCELIECE_8192128F, KE_MCELIECE_8192128PC,
                                KE_MCELIECE_8192128PCF };

static void all_promised_rows_are_there(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(encrs); i++)
        assert_true(crypto_encr(c, encrs[i]) && crypto_encr(c, encrs[i])->id == encrs[i]);
    for (size_t i = 0; i < ARRAY_LEN(kes); i++)
        assert_true(crypto_ke(c, kes[i]) && crypto_ke(c, kes[i])->id == kes[i]);
    assert_null(crypto_encr_at(c, ARRAY_LEN(encrs)));
    assert_null(crypto_ke_at(c, ARRAY_LEN(kes)));
    assert_true(ARRAY_LEN(kes) < SET_KE_MAX);
    assert_null(crypto_prf_at(c, 5));
    assert_null(crypto_integ_at(c, 5));
}

static void rows_are_found_by_their_number_alone(void **state)
{
    const struct encr_alg *e;
    for (size_t i = 0; (e = crypto_encr_at(c, i)); i++)
        assert_row(e->name, crypto_encr(c, e->id) == e);
    const struct ke_alg *k;
    for (size_t i = 0; (k = crypto_ke_at(c, i)); i++)
        assert_row(k->name, crypto_ke(c, k->id) == k);
    const struct prf_alg *p;
    for (size_t i = 0; (p = crypto_prf_at(c, i)); i++)
        assert_row(p->name, crypto_prf(c, p->id) == p);
    const struct integ_alg *n;
    for (size_t i = 0; (n = crypto_integ_at(c, i)); i++)
        assert_row(n->name, crypto_integ(c, n->id) == n);
    assert_null(crypto_encr(c, ENCR_3DES));
    assert_null(crypto_integ(c, INTEG_HMAC_SHA1_96));
    assert_null(crypto_prf(c, PRF_HMAC_MD5));
    assert_null(crypto_ke(c, KE_MODP_1024));
}

static void random_octets_differ(void **state)
{
    uint8_t a[32] = { 0 }, b[32] = { 0 };
    assert_true(adit_crypto_random(c, a, sizeof(a)) && adit_crypto_random(c, b, sizeof(b)));
    assert_memory_not_equal(a, b, sizeof(a));
}

static void memory_running_out_makes_no_set(void **state)
{
    unsigned left = 0;
    struct adit_why why = { 0 };
    mem_set_gate(gate_countdown, &left);
    struct adit_crypto *none = adit_crypto_new(NULL, NULL, &why);
    mem_set_gate(NULL, NULL);
    assert_null(none);
    assert_int_equal(why.rc, ADIT_ERR_MEMORY);
    adit_crypto_free(NULL);
}

/* Rows and sets are shared by the work pool's threads. */
static void *exchange_many_times(void *arg)
{
    const struct ke_alg *a = crypto_ke(c, KE_CURVE_25519);
    const struct prf_alg *prf = crypto_prf(c, PRF_HMAC_SHA2_256);
    for (int i = 0; i < 40; i++) {
        struct ke_state *st = NULL;
        struct adit_buf gi = { 0 }, gr = { 0 };
        struct adit_secret si = { 0 }, sr = { 0 };
        uint8_t t1[32], t2[32];
        struct adit_span seed = SPAN_LIT("seed");
        bool ok = a->ops->init(c, a, &st, &gi) == ADIT_OK &&
                  a->ops->respond(c, a, buf_span(&gi), &gr, &sr) == ADIT_OK &&
                  a->ops->finish(c, a, st, buf_span(&gr), &si) == ADIT_OK &&
                  prf_compute(prf, secret_span(&si), &seed, 1, t1) == ADIT_OK &&
                  prf_compute(prf, secret_span(&sr), &seed, 1, t2) == ADIT_OK && memcmp(t1, t2, 32) == 0;
        a->ops->free(st);
        buf_fini(&gi);
        buf_fini(&gr);
        secret_fini(&si);
        secret_fini(&sr);
        if (!ok)
            return arg;
    }
    return NULL;
}

static void threads_share_a_set(void **state)
{
    pthread_t t[12];
    void *failed;
    for (size_t i = 0; i < ARRAY_LEN(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, exchange_many_times, c), 0);
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        assert_int_equal(pthread_join(t[i], &failed), 0);
        assert_null(failed);
    }
}

static int setup(void **state)
{
    c = crypto_or_fail(NULL, NULL);
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
        cmocka_unit_test(all_promised_rows_are_there), cmocka_unit_test(rows_are_found_by_their_number_alone),
        cmocka_unit_test(random_octets_differ),        cmocka_unit_test(memory_running_out_makes_no_set),
        cmocka_unit_test(threads_share_a_set),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
