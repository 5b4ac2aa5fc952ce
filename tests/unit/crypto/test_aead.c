/* test_aead.c - AEAD rows: published packets both ways, each part spoilt, all rows and key sizes in a round trip. */
#include "seal.h"

static struct adit_crypto *c;

static void published_packets_seal_and_open(void **state)
{
    FILE *f = vectors_open("aead.txt");
    struct vector v;
    size_t n = 0;
    for (; vectors_next(f, &v); n++) {
        check_sealing(c, &v);
        check_opening(c, &v);
    }
    assert_int_equal(n, 9);
}

static void round_trip(const struct encr_alg *a, uint16_t bits)
{
    uint8_t key[64], iv[16];
    struct crypt *seal = NULL, *open = NULL;
    struct adit_span k = span(key, encr_key_octets(a, bits));
    memset(key, 0x5a, sizeof(key));
    assert_row(a->name, crypt_new(c, a, bits, k, NULL, SPAN_NONE, true, &seal) == ADIT_OK);
    assert_row(a->name, crypt_new(c, a, bits, k, NULL, SPAN_NONE, false, &open) == ADIT_OK);
    for (uint64_t counter = 1; counter < 4; counter++) {
        struct sealed s;
        crypt_iv(seal, counter, iv);
        sealed_fill(&s, span(iv, a->nonce_iv), SPAN_LIT("headerxx"), SPAN_LIT("some octets of payload"),
                    SPAN_NONE, SPAN_NONE);
        crypt_seal_many(seal, &s.job, 1);
        bool hidden = !span_equal(span(s.data, s.job.n), SPAN_LIT("some octets of payload"));
        assert_row(a->name, s.job.ok && hidden == (a->kind == ENCR_KIND_AEAD));
        crypt_open_many(open, &s.job, 1);
        assert_row(a->name,
                   s.job.ok && span_equal(span(s.data, s.job.n), SPAN_LIT("some octets of payload")));
    }
    crypt_free(seal);
    crypt_free(open);
}

static void every_row_and_key_size_opens_what_it_seals(void **state)
{
    const struct encr_alg *a;
    size_t n = 0;
    for (size_t i = 0; (a = crypto_encr_at(c, i)); i++)
        for (size_t k = 0; k < 4 && a->key_sizes[k] && a->icv; k++, n++)
            round_trip(a, a->has_bits ? a->key_sizes[k] * 8 : 0);
    assert_int_equal(n, 9 * 3 + 2);
}

static void a_batch_judges_each_job_for_itself(void **state)
{
    const struct encr_alg *a = crypto_encr(c, ENCR_AES_GCM_16);
    struct crypt *seal = NULL, *open = NULL;
    struct crypt_job jobs[8];
    static struct sealed s[8];
    uint8_t key[36] = { 1 };
    assert_int_equal(crypt_new(c, a, 256, SPAN_ARRAY(key), NULL, SPAN_NONE, true, &seal), ADIT_OK);
    assert_int_equal(crypt_new(c, a, 256, SPAN_ARRAY(key), NULL, SPAN_NONE, false, &open), ADIT_OK);
    for (size_t i = 0; i < 8; i++) {
        uint8_t iv[8] = { 0, 0, 0, 0, 0, 0, 0, (uint8_t)i };
        sealed_fill(&s[i], SPAN_ARRAY(iv), SPAN_LIT("aad"), SPAN_LIT("payload"), SPAN_NONE, SPAN_NONE);
        jobs[i] = s[i].job;
    }
    crypt_seal_many(seal, jobs, 8);
    s[3].icv[15] ^= 1;
    s[5].data[0] ^= 1;
    crypt_open_many(open, jobs, 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(jobs[i].ok, i != 3 && i != 5);
    crypt_free(seal);
    crypt_free(open);
}

static void rows_say_what_esp_needs(void **state)
{
    static const struct {
        uint16_t id;
        size_t key256; /* octets of key and salt; esp.md s2, RFC 8750 */
        uint8_t iv, icv;
        bool esp_only;
    } rows[] = {
        { ENCR_AES_GCM_16, 36, 8, 16, false },
        { ENCR_AES_GCM_12, 36, 8, 12, false },
        { ENCR_AES_GCM_8, 36, 8, 8, false },
        { ENCR_AES_CCM_16, 35, 8, 16, false },
        { ENCR_AES_CCM_12, 35, 8, 12, false },
        { ENCR_AES_CCM_8, 35, 8, 8, false },
        { ENCR_NULL_AES_GMAC, 36, 8, 16, true },
        { ENCR_AES_CCM_8_IIV, 35, 0, 8, true },
        { ENCR_AES_GCM_16_IIV, 36, 0, 16, true },
        { ENCR_CHACHA20_POLY1305, 36, 8, 16, false },
        { ENCR_CHACHA20_POLY1305_IIV, 36, 0, 16, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct encr_alg *a = crypto_encr(c, rows[i].id);
        assert_non_null(a);
        assert_row(a->name, encr_key_octets(a, a->has_bits ? 256 : 0) == rows[i].key256);
        assert_row(a->name, encr_key_octets(a, a->has_bits ? 0 : 256) == 0);
        assert_row(a->name, encr_key_octets(a, 64) == 0);
        assert_row(a->name, a->iv == rows[i].iv && a->icv == rows[i].icv && a->nonce_iv == 8);
        assert_row(a->name, a->esp_only == rows[i].esp_only);
    }
}

static int setup(void **state)
{
    c = crypto_or_fail(NULL, NULL);
    return 0;
}

static int setup_openssl(void **state)
{
    c = crypto_or_fail(NULL, NULL);
    crypto_openssl_only(c, true);
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
        cmocka_unit_test(published_packets_seal_and_open),
        cmocka_unit_test(every_row_and_key_size_opens_what_it_seals),
        cmocka_unit_test(a_batch_judges_each_job_for_itself),
        cmocka_unit_test(rows_say_what_esp_needs),
    };
    int failed = cmocka_run_group_tests_name("the fastest library", tests, setup, teardown);
    return failed + cmocka_run_group_tests_name("OpenSSL", tests, setup_openssl, teardown);
}
