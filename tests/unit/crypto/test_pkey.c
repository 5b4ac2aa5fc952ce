/* test_pkey.c - key generators are parked and used again; what fails leaves nothing behind. */
#include "vectors.h"
#include "crypto/set.h"

static size_t parked(const struct adit_crypto *c, const struct ke_alg *a)
{
    const struct ossl_group *g = a->arg;
    size_t n = 0;
    for (size_t i = 0; i < OSSL_POOL; i++)
        n += atomic_load(&c->ossl.ke[g->index].gen[i]) != NULL;
    return n;
}

static void groups_have_places_of_their_own(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    bool taken[OSSL_GROUPS] = { false };
    const struct ke_alg *a;
    for (size_t i = 0; (a = crypto_ke_at(c, i)); i++) {
        const struct ossl_group *g = a->arg;
        if (a->ops->library[0] != 'o')
            continue; /* another library's row */
        assert_row(a->name, g->index < OSSL_GROUPS && !taken[g->index]);
        taken[g->index] = true;
    }
    adit_crypto_free(c);
}

static void generators_are_used_again(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    const struct ke_alg *a = crypto_ke(c, KE_CURVE_25519);
    assert_int_equal(parked(c, a), 1);
    for (int i = 0; i < 5; i++) {
        struct ke_state *st = NULL;
        struct adit_buf pub = { 0 };
        assert_int_equal(a->ops->init(c, a, &st, &pub), ADIT_OK);
        assert_int_equal(parked(c, a), 1);
        a->ops->free(st);
        buf_fini(&pub);
    }
    a->ops->free(NULL);
    adit_crypto_free(c);
}

static bool sometimes(void *arg, uint8_t *out, size_t n)
{
    memset(out, 0x77, n);
    return *(bool *)arg;
}

static void a_generator_that_failed_is_replaced(void **state)
{
    bool entropy = false;
    struct adit_crypto *c = crypto_or_fail(sometimes, &entropy);
    const struct ke_alg *a = crypto_ke(c, KE_ML_KEM_768);
    struct ke_state *st = NULL;
    struct adit_buf pub = { 0 };
    assert_int_equal(a->ops->init(c, a, &st, &pub), ADIT_ERR_CRYPTO);
    assert_int_equal(parked(c, a), 0);
    entropy = true;
    assert_int_equal(a->ops->init(c, a, &st, &pub), ADIT_OK);
    assert_int_equal(parked(c, a), 1);
    a->ops->free(st);
    buf_fini(&pub);
    adit_crypto_free(c);
}

/* Each allocation of ours in turn fails: an error, no secret, no state; the leak checker sees the rest. */
static void memory_running_out_is_told(void **state)
{
    static const uint16_t methods[] = { KE_CURVE_25519, KE_ML_KEM_768, KE_ECP_256 };
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        const struct ke_alg *a = crypto_ke(c, methods[m]);
        struct adit_buf peer = { 0 };
        struct ke_state *peer_st = NULL;
        assert_int_equal(a->ops->init(c, a, &peer_st, &peer), ADIT_OK);
        for (unsigned fail_at = 0; fail_at < 2; fail_at++) {
            struct ke_state *st = NULL;
            struct adit_buf pub = { 0 };
            struct adit_secret secret = { 0 };
            unsigned left = fail_at;
            mem_set_gate(gate_countdown, &left);
            enum adit_rc init = a->ops->init(c, a, &st, &pub);
            left = fail_at;
            enum adit_rc respond = a->ops->respond(c, a, buf_span(&peer), &pub, &secret);
            mem_set_gate(NULL, NULL);
            if (fail_at == 0)
                assert_row(a->name, init == ADIT_ERR_MEMORY && respond == ADIT_ERR_MEMORY);
            assert_row(a->name, (init == ADIT_OK) == (st != NULL));
            assert_row(a->name, (respond == ADIT_OK) == (secret.n > 0));
            a->ops->free(st);
            buf_fini(&pub);
            secret_fini(&secret);
        }
        a->ops->free(peer_st);
        buf_fini(&peer);
    }
    adit_crypto_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_have_places_of_their_own),
        cmocka_unit_test(generators_are_used_again),
        cmocka_unit_test(a_generator_that_failed_is_replaced),
        cmocka_unit_test(memory_running_out_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
