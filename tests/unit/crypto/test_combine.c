/* test_combine.c - two methods in one: the construction against X-Wing's vectors, what goes into the secret, and what is
 * refused. */
#include "kems.h"
#include "crypto/combine/combine.h"

/* X-Wing is the same construction with another hash input and label: another table. */
static const struct combination xwing = { KE_ML_KEM_768, KE_CURVE_25519, false, false, "\\.//^\\" };

static void xwing_comes_out_of_another_table(void **state)
{
    const struct ke_alg row = { .name = "X-Wing", .kem = true, .init_size = 1216, .resp_size = 1120, .secret_size = 32,
                                .ops = &combine_ops, .arg = &xwing };
    FILE *f = vectors_open("xwing.txt");
    static struct vector v;
    size_t n = 0;
    for (; vectors_next(f, &v); n++)
        check_kem(&row, &v);
    assert_int_equal(n, 3);
}

static const uint16_t methods[] = { KE_X25519_MLKEM768, KE_ECP256_MLKEM768, KE_ECP384_MLKEM1024 };

static void both_sides_agree(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        const struct ke_alg *a = crypto_ke(c, methods[i]);
        struct ke_state *st = NULL;
        struct adit_buf pub = { 0 }, ct = { 0 };
        struct adit_secret si = { 0 }, sr = { 0 };
        assert_row(a->name, a->ops->init(c, a, &st, &pub) == ADIT_OK && pub.n == a->init_size);
        assert_row(a->name, a->ops->respond(c, a, buf_span(&pub), &ct, &sr) == ADIT_OK && ct.n == a->resp_size);
        assert_row(a->name, a->ops->finish(c, a, st, buf_span(&ct), &si) == ADIT_OK);
        assert_row(a->name, si.n == a->secret_size && secret_equal(secret_span(&si), secret_span(&sr)));
        a->ops->free(st);
        buf_fini(&pub);
        buf_fini(&ct);
        secret_fini(&si);
        secret_fini(&sr);
    }
    adit_crypto_free(c);
}

/* The hash's input, written down once more by hand: secrets, then the responder's octets, the initiator's, the label. */
static void the_secret_is_a_hash_over_everything(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    const struct combination *m = crypto_ke(c, KE_X25519_MLKEM768)->arg;
    uint8_t octets[6][3], whole[18 + 19], expected[32], other[32];
    struct combine_in in;
    struct adit_secret out = { 0 };
    struct adit_span *parts[] = { &in.ss_pq, &in.ss_t, &in.ct_pq, &in.ct_t, &in.ek_pq, &in.ek_t };
    for (size_t i = 0; i < 6; i++) {
        for (size_t k = 0; k < 3; k++)
            whole[3 * i + k] = octets[i][k] = (uint8_t)(16 * i + k);
        *parts[i] = SPAN_ARRAY(octets[i]);
    }
    memcpy(whole + 18, "curve25519-mlkem768", 19);
    assert_int_equal(EVP_Digest(whole, sizeof(whole), expected, NULL, EVP_sha3_256(), NULL), 1);
    assert_int_equal(combine_secrets(c, m, &in, &out), ADIT_OK);
    assert_memory_equal(out.p, expected, 32);
    for (size_t i = 0; i < 18; i++) {
        octets[i / 3][i % 3] ^= 1;
        assert_int_equal(combine_secrets(c, m, &in, &out), ADIT_OK);
        memcpy(other, out.p, 32);
        assert_memory_not_equal(other, expected, 32);
        octets[i / 3][i % 3] ^= 1;
    }
    struct combination renamed = *m;
    renamed.label = "curve25519-mlkem769";
    assert_int_equal(combine_secrets(c, &renamed, &in, &out), ADIT_OK);
    assert_memory_not_equal(out.p, expected, 32);
    secret_fini(&out);
    adit_crypto_free(c);
}

static void other_lengths_are_refused(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        check_lengths(c, crypto_ke(c, methods[i]));
    adit_crypto_free(c);
}

/* One bad component is enough, on either side, whatever the other one says. */
static void bad_components_are_refused(void **state)
{
    static const struct {
        uint16_t method;
        const char *what;
        size_t at; /* in the request; the response's is behind the shorter ciphertext */
        uint8_t to, n;
        bool both; /* of a kind that the response has, too */
    } rows[] = {
        { KE_X25519_MLKEM768, "all-zero share", 1184, 0, 32, true },
        { KE_X25519_MLKEM768, "coefficient not reduced", 0, 0xff, 3, false },
        { KE_ECP256_MLKEM768, "no point format", 1184, 2, 1, true },
        { KE_ECP256_MLKEM768, "not on the curve", 1185, 7, 32, true },
        { KE_ECP256_MLKEM768, "coordinate not below p", 1185, 0xff, 32, true },
        { KE_ECP384_MLKEM1024, "not on the curve", 1569, 7, 48, true },
        { KE_ECP384_MLKEM1024, "coefficient not reduced", 1533, 0xff, 3, false },
    };
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct ke_alg *a = crypto_ke(c, rows[i].method);
        struct ke_state *st = NULL;
        struct adit_buf pub = { 0 }, ct = { 0 };
        struct adit_secret secret = { 0 };
        assert_row(rows[i].what, a->ops->init(c, a, &st, &pub) == ADIT_OK);
        assert_row(rows[i].what, a->ops->respond(c, a, buf_span(&pub), &ct, &secret) == ADIT_OK);
        secret_fini(&secret);
        size_t in_response = rows[i].at - (a->init_size - a->resp_size);
        memset(pub.p + rows[i].at, rows[i].to, rows[i].n);
        if (rows[i].both) {
            memset(ct.p + in_response, rows[i].to, rows[i].n);
            assert_row(rows[i].what, a->ops->finish(c, a, st, buf_span(&ct), &secret) == ADIT_ERR_PUBLIC);
        }
        assert_row(rows[i].what, a->ops->respond(c, a, buf_span(&pub), &ct, &secret) == ADIT_ERR_PUBLIC);
        assert_row(rows[i].what, secret.n == 0);
        a->ops->free(st);
        buf_fini(&pub);
        buf_fini(&ct);
    }
    adit_crypto_free(c);
}

/* RFC 5903's points have no first octet: known by their length. */
static void the_other_encoding_of_points_is_known(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    for (size_t i = 1; i < ARRAY_LEN(methods); i++) {
        const struct ke_alg *a = crypto_ke(c, methods[i]);
        assert_row(a->name, a->mixup && a->mixup->init_size == a->init_size - 1 &&
                                a->mixup->resp_size == a->resp_size - 1);
    }
    adit_crypto_free(c);
}

static void memory_running_out_is_told(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    const struct ke_alg *a = crypto_ke(c, KE_ECP256_MLKEM768);
    struct adit_buf peer = { 0 };
    struct ke_state *peer_st = NULL;
    assert_int_equal(a->ops->init(c, a, &peer_st, &peer), ADIT_OK);
    for (unsigned fail_at = 0; fail_at < 16; fail_at++) {
        struct ke_state *st = NULL;
        struct adit_buf pub = { 0 }, ct = { 0 };
        struct adit_secret secret = { 0 };
        unsigned left = fail_at;
        mem_set_gate(gate_countdown, &left);
        enum adit_rc init = a->ops->init(c, a, &st, &pub);
        left = fail_at;
        enum adit_rc respond = a->ops->respond(c, a, buf_span(&peer), &ct, &secret);
        mem_set_gate(NULL, NULL);
        assert_row(a->name, fail_at > 2 || (init == ADIT_ERR_MEMORY && respond == ADIT_ERR_MEMORY));
        assert_row(a->name, (init == ADIT_OK) == (st != NULL));
        assert_row(a->name, (respond == ADIT_OK) == (secret.n > 0));
        a->ops->free(st);
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
        cmocka_unit_test(xwing_comes_out_of_another_table),
        cmocka_unit_test(both_sides_agree),
        cmocka_unit_test(the_secret_is_a_hash_over_everything),
        cmocka_unit_test(other_lengths_are_refused),
        cmocka_unit_test(bad_components_are_refused),
        cmocka_unit_test(the_other_encoding_of_points_is_known),
        cmocka_unit_test(memory_running_out_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
