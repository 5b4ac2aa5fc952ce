/* test_frodo.c - FrodoKEM against the known answers of its reference; salted and ephemeral are told from each other. */
#include "kems.h"

static void known_answers_come_out(void **state)
{
    FILE *f = vectors_open("frodokem.txt");
    static struct vector v;
    size_t n = 0;
    for (; vectors_next(f, &v); n++)
        check_kem(NULL, &v);
    assert_int_equal(n, 24);
}

static bool is_frodo(const struct ke_alg *a)
{
    return strstr(a->name, "FrodoKEM") != NULL;
}

static void other_lengths_are_refused(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    const struct ke_alg *a;
    size_t n = 0;
    for (size_t i = 0; (a = crypto_ke_at(c, i)); i++)
        if (is_frodo(a) && ++n)
            check_lengths(c, a);
    assert_int_equal(n, 12);
    adit_crypto_free(c);
}

/* The ciphertext of the other variant is longer or shorter by the salt, and the row says whose it is. */
static void each_variant_knows_the_other_by_its_length(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    const struct ke_alg *a;
    for (size_t i = 0; (a = crypto_ke_at(c, i)); i++) {
        if (!is_frodo(a))
            continue;
        bool ephemeral = a->name[0] == 'e';
        char twin[40];
        snprintf(twin, sizeof(twin), "%s%s", ephemeral ? "" : "e", a->name + ephemeral);
        const struct ke_alg *other = ke_by_name(c, twin);
        assert_row(a->name, other && a->mixup && a->mixup->resp_size == other->resp_size);
        assert_row(a->name, strncmp(a->mixup->what, twin, strlen(twin)) == 0);
        assert_row(a->name, a->init_size == other->init_size && !a->mixup->init_size);
        int salt = (int)a->resp_size - (int)other->resp_size;
        assert_row(a->name, salt * (ephemeral ? -1 : 1) == (int)a->secret_size * 2);
    }
    adit_crypto_free(c);
}

/* A key decapsulates once: the private key is gone then, as the ephemeral variant needs it. */
static void a_private_key_serves_once(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    const struct ke_alg *a = crypto_ke(c, KE_EFRODOKEM_640_AES);
    size_t before, after, locked;
    struct ke_state *st = NULL;
    struct adit_buf pub = { 0 }, ct = { 0 };
    struct adit_secret si = { 0 }, sr = { 0 }, again = { 0 };
    secret_usage(&before, &locked);
    assert_int_equal(a->ops->init(c, a, &st, &pub), ADIT_OK);
    secret_usage(&after, &locked);
    assert_true(after >= before + 19888);
    assert_int_equal(a->ops->respond(c, a, buf_span(&pub), &ct, &sr), ADIT_OK);
    assert_int_equal(a->ops->finish(c, a, st, buf_span(&ct), &si), ADIT_OK);
    assert_true(secret_equal(secret_span(&si), secret_span(&sr)));
    secret_fini(&si);
    secret_fini(&sr);
    secret_usage(&after, &locked);
    assert_int_equal(after, before);
    assert_int_equal(a->ops->finish(c, a, st, buf_span(&ct), &again), ADIT_ERR_PUBLIC);
    a->ops->free(st);
    buf_fini(&pub);
    buf_fini(&ct);
    adit_crypto_free(c);
}

/* Each allocation of ours in turn fails: an error, no secret, no state. */
static void memory_running_out_is_told(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    const struct ke_alg *a = crypto_ke(c, KE_FRODOKEM_640_AES);
    struct adit_buf peer = { 0 };
    struct ke_state *peer_st = NULL;
    assert_int_equal(a->ops->init(c, a, &peer_st, &peer), ADIT_OK);
    for (unsigned fail_at = 0; fail_at < 3; fail_at++) {
        struct ke_state *st = NULL;
        struct adit_buf pub = { 0 }, ct = { 0 };
        struct adit_secret secret = { 0 };
        unsigned left = fail_at;
        mem_set_gate(gate_countdown, &left);
        enum adit_rc init = a->ops->init(c, a, &st, &pub);
        left = fail_at;
        enum adit_rc respond = a->ops->respond(c, a, buf_span(&peer), &ct, &secret);
        mem_set_gate(NULL, NULL);
        assert_row(a->name, init == ADIT_ERR_MEMORY && !st);
        assert_row(a->name, fail_at ? true : respond == ADIT_ERR_MEMORY);
        assert_row(a->name, (respond == ADIT_OK) == (secret.n > 0));
        buf_fini(&pub);
        buf_fini(&ct);
        secret_fini(&secret);
    }
    a->ops->free(peer_st);
    buf_fini(&peer);
    adit_crypto_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_come_out),
        cmocka_unit_test(other_lengths_are_refused),
        cmocka_unit_test(each_variant_knows_the_other_by_its_length),
        cmocka_unit_test(a_private_key_serves_once),
        cmocka_unit_test(memory_running_out_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
