/* test_ipsecmb.c - the fast way with packets and OpenSSL's agree on every octet, whatever a packet's length and place. */
#include "seal.h"

#define MAX_N 1600u
#define JOBS 33u /* more than are done at once */

static struct adit_crypto *fast, *plain;

static const struct {
    const char *what;
    uint16_t encr, bits, integ;
} rows[] = {
    { "AES-GCM-16, 128 bits", ENCR_AES_GCM_16, 128, 0 },
    { "AES-GCM-16, 192 bits", ENCR_AES_GCM_16, 192, 0 },
    { "AES-GCM-16, 256 bits", ENCR_AES_GCM_16, 256, 0 },
    { "AES-GCM-12", ENCR_AES_GCM_12, 256, 0 },
    { "AES-GCM-8", ENCR_AES_GCM_8, 128, 0 },
    { "AES-GCM-16 with implicit IV", ENCR_AES_GCM_16_IIV, 256, 0 },
    { "ChaCha20-Poly1305", ENCR_CHACHA20_POLY1305, 0, 0 },
    { "ChaCha20-Poly1305 with implicit IV", ENCR_CHACHA20_POLY1305_IIV, 0, 0 },
    { "AES-CBC-128, SHA2-256", ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128 },
    { "AES-CBC-192, SHA2-384", ENCR_AES_CBC, 192, INTEG_HMAC_SHA2_384_192 },
    { "AES-CBC-256, SHA2-512", ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_512_256 },
    { "AES-CBC-256, SHA-1", ENCR_AES_CBC, 256, INTEG_HMAC_SHA1_96 },
};

/* A packet as ESP has it, in one piece: header | IV | data | ICV. */
struct packet {
    uint8_t octets[8 + 16 + MAX_N + 64], tail[4];
    struct crypt_job job;
};
static struct packet sealed[2][JOBS], opened[JOBS];

static struct crypt *context(const struct adit_crypto *c, size_t row, bool seal)
{
    static const uint8_t key[64] = { 1, 2, 3 }, integ_key[64] = { 4, 5, 6 };
    const struct encr_alg *encr = crypto_encr(c, rows[row].encr);
    const struct integ_alg *integ = rows[row].integ ? crypto_integ(c, rows[row].integ) : NULL;
    struct crypt *x = NULL;
    if (!encr || (rows[row].integ && !integ))
        return NULL;
    assert_row(rows[row].what, crypt_new(c, encr, rows[row].bits, span(key, encr_key_octets(encr, rows[row].bits)), integ,
                                         span(integ_key, integ ? integ->key : 0), seal, &x) == ADIT_OK);
    return x;
}

static void lay_out(struct packet *p, const struct encr_alg *a, size_t i, size_t n, bool apart)
{
    static uint8_t elsewhere[JOBS][64];
    for (size_t k = 0; k < sizeof(p->octets); k++)
        p->octets[k] = (uint8_t)(k * 7 + i);
    n = n / a->block * a->block;
    p->tail[3] = (uint8_t)i;
    p->job = (struct crypt_job){ .aad = p->octets, .aad_n = 8, .iv = p->octets + 8, .data = p->octets + 8 + a->nonce_iv,
                                 .n = (uint32_t)n, .icv = p->octets + 8 + a->nonce_iv + n };
    if (apart)
        p->job.icv = elsewhere[i];
    if (a->kind == ENCR_KIND_CIPHER && i % 2) {
        p->job.tail = p->tail;
        p->job.tail_n = 4;
    }
}

static size_t length_of(size_t round, size_t i)
{
    return (round * 37 + i * i * 11) % MAX_N;
}

static void seal_both(size_t row, size_t round, size_t n, bool apart)
{
    const struct adit_crypto *sets[] = { fast, plain };
    for (int s = 0; s < 2; s++) {
        struct crypt *x = context(sets[s], row, true);
        struct crypt_job jobs[JOBS];
        for (size_t i = 0; i < n; i++) {
            lay_out(&sealed[s][i], crypto_encr(plain, rows[row].encr), i, length_of(round, i), apart);
            jobs[i] = sealed[s][i].job;
        }
        crypt_seal_many(x, jobs, n);
        for (size_t i = 0; i < n; i++) {
            assert_row(rows[row].what, jobs[i].ok);
            if (apart) /* one place for both: keep it beside its packet */
                span_copy(sealed[s][i].octets + 8 + 16 + MAX_N, span(jobs[i].icv, crypt_icv(x)));
        }
        crypt_free(x);
    }
}

static void both_ways_seal_the_same(void **state)
{
    for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
        struct crypt *there = context(plain, row, true);
        for (size_t round = 0; there && round < 80; round++) {
            size_t n = round % JOBS + 1;
            seal_both(row, round, n, round % 3 == 2);
            for (size_t i = 0; i < n; i++)
                assert_row(rows[row].what,
                           span_equal(SPAN_ARRAY(sealed[0][i].octets), SPAN_ARRAY(sealed[1][i].octets)));
        }
        crypt_free(there);
    }
}

/* Every third one is spoiled: in its ICV, data, header or sequence number's upper half. */
static bool spoil_one(struct packet *p, size_t i)
{
    if (i % 3)
        return false;
    uint8_t *at[] = { p->job.icv, p->job.n ? p->job.data : p->job.icv, p->octets, p->job.tail_n ? p->tail : p->octets };
    at[i % 4][0] ^= 0x10;
    return true;
}

static void each_opens_what_the_other_sealed(void **state)
{
    const struct adit_crypto *sets[] = { fast, plain };
    for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
        for (size_t round = 0; round < 80; round++) {
            size_t n = round % JOBS + 1, s = round % 2;
            struct crypt *x = context(sets[!s], row, false);
            struct crypt_job jobs[JOBS];
            bool bad[JOBS];
            if (!x)
                break;
            seal_both(row, round, n, false);
            for (size_t i = 0; i < n; i++) {
                opened[i] = sealed[s][i];
                lay_out(&opened[i], crypto_encr(plain, rows[row].encr), i, length_of(round, i), false);
                span_copy(opened[i].octets, SPAN_ARRAY(sealed[s][i].octets));
                bad[i] = spoil_one(&opened[i], i);
                jobs[i] = opened[i].job;
            }
            crypt_open_many(x, jobs, n);
            for (size_t i = 0; i < n; i++) {
                assert_row(rows[row].what, jobs[i].ok == !bad[i]);
                for (size_t k = 0; k < jobs[i].n && jobs[i].ok; k++)
                    assert_row(rows[row].what, jobs[i].data[k] == (uint8_t)((size_t)(jobs[i].data + k - opened[i].octets) * 7 + i));
            }
            crypt_free(x);
        }
    }
}

/* Nothing is left to chance: where the library is built in and the processor has what it wants, it is what is used. */
static void the_set_says_what_it_works_with(void **state)
{
    struct crypt *x = context(fast, 0, true), *y = context(plain, 0, true);
    assert_string_equal(crypt_engine(y), "OpenSSL");
    assert_string_equal(crypto_packets_by(plain), "OpenSSL");
    assert_true(!strncmp(crypto_packets_by(fast), crypt_engine(x), strlen(crypt_engine(x))));
    crypt_free(x);
    crypt_free(y);
}

static void memory_running_out_leaves_nothing_behind(void **state)
{
    static const uint8_t key[48];
    for (unsigned left = 0; left < 2; left++) {
        struct crypt *x = NULL;
        unsigned gate = left;
        mem_set_gate(gate_countdown, &gate);
        enum adit_rc rc = crypt_new(fast, crypto_encr(fast, ENCR_CHACHA20_POLY1305), 0, span(key, 36), NULL, SPAN_NONE, true, &x);
        mem_set_gate(NULL, NULL);
        assert_true((rc == ADIT_OK) == (x != NULL));
        assert_true(left || rc == ADIT_ERR_MEMORY);
        crypt_free(x);
    }
}

static int setup(void **state)
{
    fast = crypto_or_fail(NULL, NULL);
    plain = crypto_or_fail(NULL, NULL);
    crypto_openssl_only(plain, true);
    return 0;
}

static int teardown(void **state)
{
    adit_crypto_free(fast);
    adit_crypto_free(plain);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_seal_the_same),
        cmocka_unit_test(each_opens_what_the_other_sealed),
        cmocka_unit_test(the_set_says_what_it_works_with),
        cmocka_unit_test(memory_running_out_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
