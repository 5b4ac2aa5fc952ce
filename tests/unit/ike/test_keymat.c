/* The key hierarchy against vectors that were computed with Python's hmac from the formulas of RFC 7296 s2.13-2.18 and
 * RFC 9370 s2.2.2-2.2.4 (none are published). */
#include "base/strbuf.h"
#include "ike/keymat.h"
#include "ike_fixture.h"

static const struct adit_suite gcm = { .encr = ENCR_AES_GCM_16, .encr_bits = 256, .prf = PRF_HMAC_SHA2_256 };
#define SPI_I 0x0102030405060708
#define SPI_R 0x1112131415161718

static struct keymat_in input(const struct adit_suite *suite, uint8_t nonce_i, uint8_t nonce_r)
{
    return (struct keymat_in){ .crypto = crypto(),
                               .suite = suite,
                               .nonce_i = ascending(nonce_i, 32),
                               .nonce_r = ascending(nonce_r, 32),
                               .spi_i = SPI_I,
                               .spi_r = SPI_R };
}

static void expect(struct adit_span got, const char *text)
{
    struct adit_span want = hex(text);
    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.p, want.p, want.n);
}

/* SK_d alone, for tests that begin with one. */
static struct ike_keys keys_with_d(struct adit_span sk_d)
{
    struct ike_keys k = { .n_d = (uint8_t)sk_d.n };
    assert_int_equal(secret_set(&k.block, sk_d), ADIT_OK);
    return k;
}

static struct adit_secret secret_of(struct adit_span octets)
{
    struct adit_secret s = { 0 };
    assert_int_equal(secret_set(&s, octets), ADIT_OK);
    return s;
}

/* RFC 5723 s5.1; computed like the others: prf+ of the SKEYSEED 173926f9..0e03268. */
static void test_resumed(void **state)
{
    struct keymat_in in = input(&gcm, 0x00, 0x20);
    struct ike_keys k = { 0 };
    struct adit_span sk_d = hex("0c26341d77313c227236f4aebf29182f0629dbe10e8ac56347f067a8defc22d5");
    assert_int_equal(keymat_resume(&in, sk_d, &k), ADIT_OK);
    expect(keys_d(&k), "e0eb72b2aefad77933015ef67e336f233cfd840c517e65d0a0703dc0c35c0743");
    expect(keys_p(&k, false), "8f97a77ed33d507ae2c31e8c27e9a303420a34ad35a0536eb815953a3c8ca265");
    keys_fini(&k);
}

static void test_first_generation(void **state)
{
    struct keymat_in in = input(&gcm, 0x00, 0x20);
    struct ike_keys k = { 0 };
    struct adit_secret keymat = { 0 };
    assert_int_equal(keymat_init(&in, ascending(0x40, 32), &k), ADIT_OK);
    expect(keys_d(&k), "0c26341d77313c227236f4aebf29182f0629dbe10e8ac56347f067a8defc22d5");
    expect(keys_e(&k, true), "8748594d3353b3e04121026ebf49d4a4907e2ae4eb2a9831832397da89af6f7968b67ce3");
    expect(keys_e(&k, false), "c70fad273ae0bbb34ee581341bbfd3303ab1d48166dde54604d0286bd75427665fbbb117");
    expect(keys_p(&k, true), "f4d9f877d73606ca959fbdb34f746d24f8939191f8d3af60fc816d7edfca54ae");
    expect(keys_p(&k, false), "0e23cdb44dc9e8476619d587774b27a4824b6c47d2e341e57237e03458c7e3e9");
    assert_int_equal(keys_a(&k, true).n, 0);
    assert_int_equal(keymat_child(crypto(), crypto_prf(crypto(), PRF_HMAC_SHA2_256), &k, &gcm, in.nonce_i,
                                  in.nonce_r, NULL, 0, &keymat),
                     ADIT_OK);
    expect(secret_span(&keymat),
           "2b9b2f8d7f6469c5053114fe8b9f093e4c8d1156c64f995b9b6455e3a98772fa1f7a4aace2fe2358"
           "d4a4ce9eeb031a0a46eb7d740081ef5fef0f164d899155a8e69520c0e5aac2f4");
    secret_fini(&keymat);
    keys_fini(&k);
    assert_null(k.block.p);
}

/* SKEYSEED never leaves the functions, so the vectors for it are compared through prf+ of the same inputs. */
static void expect_skeyseed(const struct ike_keys *k, const struct keymat_in *in, uint16_t prf,
                            const char *skeyseed)
{
    uint8_t want[300];
    struct adit_span spis = hex("0102030405060708 1112131415161718");
    const struct adit_span seed[] = { in->nonce_i, in->nonce_r, spis };
    assert_true(k->block.n <= sizeof(want));
    assert_int_equal(prf_plus(crypto_prf(crypto(), prf), hex(skeyseed), seed, 3, want, k->block.n), ADIT_OK);
    assert_memory_equal(k->block.p, want, k->block.n);
}

static void test_skeyseed(void **state)
{
    struct keymat_in in = input(&gcm, 0x00, 0x20);
    struct ike_keys k = { 0 }, next = { 0 };
    const struct prf_alg *prf = crypto_prf(crypto(), PRF_HMAC_SHA2_256);
    struct adit_secret dh = secret_of(ascending(0x40, 32));
    assert_int_equal(keymat_init(&in, secret_span(&dh), &k), ADIT_OK);
    expect_skeyseed(&k, &in, PRF_HMAC_SHA2_256,
                    "fb7b0d6107cf71fb87cb4f19020bd81cc0f757a8f6a81a8a62c5b6f3a2660ac5");
    assert_int_equal(keymat_rekey(&in, prf, &k, &dh, 1, false, &next), ADIT_OK);
    expect_skeyseed(&next, &in, PRF_HMAC_SHA2_256,
                    "1dced9ecf0906ec9ff8dca0f817e283fce07acd95c11dee5beaf9bc00d4bc611");
    assert_int_equal(keymat_round(&in, &k, ascending(0x60, 32), &k), ADIT_OK); /* in place */
    expect_skeyseed(&k, &in, PRF_HMAC_SHA2_256,
                    "ecec767c67865c42d02a4de348b7a1e3ee3698fd2c21b7f8dece10ac6703e1db");
    secret_fini(&dh);
    keys_fini(&k);
    keys_fini(&next);
}

/* RFC 9370 s2.2.2: after IKE_INTERMEDIATE. */
static void test_round(void **state)
{
    struct keymat_in in = input(&gcm, 0x20, 0x40);
    struct ike_keys from = keys_with_d(ascending(0x00, 32)), k = { 0 };
    assert_int_equal(keymat_round(&in, &from, ascending(0x80, 32), &k), ADIT_OK);
    expect_skeyseed(&k, &in, PRF_HMAC_SHA2_256,
                    "8782cdf79184a420e467a865dad8fdbdc11b6fea9ba297790308f1e7c71c23f1");
    expect(keys_d(&k), "dbe5d60a9756a857f29037b93bbb368d372347a574109a77545020fef9afea88");
    expect(keys_e(&k, true), "d60079e1e95e6cb4ca556a1fb2ba608e6d3042eedcd6d20a1259fb15d44cd47a f3a4e33b");
    expect(keys_e(&k, false), "8fb500c48c41e38227240b53e9caac87ce1a02aa6210500bfa38b5ebd1dd3604 00dd5838");
    expect(keys_p(&k, true), "954c1aa07642f1508d724f086b2febb868039e14ceab4e539000ff67754598f5");
    expect(keys_p(&k, false), "015feb8716914c58f777dcaf8c37d9e65aae21ba4b92aecb5a2d21063d0682e9");
    keys_fini(&from);
    keys_fini(&k);
}

/* RFC 9370 s2.2.4: CREATE_CHILD_SA and two IKE_FOLLOWUP_KE. */
/* RFC 8784 s3: SK_d and SK_p* are new, all between them is as it was. */
static void test_stir(void **state)
{
    struct keymat_in in = input(&gcm, 0x00, 0x20);
    struct ike_keys k = { 0 }, out = { 0 };
    const struct prf_alg *prf = crypto_prf(crypto(), PRF_HMAC_SHA2_256);
    assert_int_equal(keymat_init(&in, ascending(0x40, 32), &k), ADIT_OK);
    assert_int_equal(keymat_stir(prf, &k, SPAN_LIT("0123456789abcdef0123456789abcdef"), &out), ADIT_OK);
    expect(keys_d(&out), "9adeb6631b2319d9f26677ac039ad321cd624411ebefaffd86855e44db3d8393");
    expect(keys_p(&out, true), "63f9e2e97919ca93659ce372e54fd2362ea7650237b8ff2bf6a3b1d5c8f15fae");
    expect(keys_p(&out, false), "27ef90345e0d32ef6b793ccf081a16cf4e48f5b2fc332e454650b13b67788cee");
    for (int i = 0; i < 2; i++)
        assert_true(span_equal(keys_e(&out, i), keys_e(&k, i)) && span_equal(keys_a(&out, i), keys_a(&k, i)));
    assert_int_equal(keymat_stir(prf, &k, SPAN_LIT("0123456789abcdef0123456789abcdef"), &k),
                     ADIT_OK); /* in place */
    assert_true(span_equal(secret_span(&k.block), secret_span(&out.block)));
    keys_fini(&k);
    keys_fini(&out);
}

static void test_several_secrets(void **state)
{
    struct keymat_in in = input(&gcm, 0x20, 0x40);
    const struct prf_alg *prf = crypto_prf(crypto(), PRF_HMAC_SHA2_256);
    struct ike_keys from = keys_with_d(ascending(0x00, 32)), k = { 0 };
    uint8_t one[32], two[32], three[24];
    struct adit_secret keymat = { 0 };
    memset(one, 1, sizeof(one));
    memset(two, 2, sizeof(two));
    memset(three, 3, sizeof(three));
    struct adit_secret secrets[] = { secret_of(SPAN_ARRAY(one)), secret_of(SPAN_ARRAY(two)),
                                     secret_of(SPAN_ARRAY(three)) };
    assert_int_equal(keymat_rekey(&in, prf, &from, secrets, 3, false, &k), ADIT_OK);
    expect_skeyseed(&k, &in, PRF_HMAC_SHA2_256,
                    "9f8b5b7e7499f9b69e80c8fc9c3d13817aec7d660323e3bbaadce1b09f217cd3");
    assert_int_equal(keymat_child(crypto(), prf, &from, &gcm, in.nonce_i, in.nonce_r, secrets, 3, &keymat),
                     ADIT_OK);
    expect(secret_span(&keymat),
           "e24ff5e9d795f9bf11e8e8c1a72f554c4eb5e1ad46753e8f49316cd31ef4c8e030f21464bc5a855f"
           "38bc18cbfa0cc45f94b74bbd3847787796766fc7433d37466745a471a2d05bfc");
    assert_int_equal(keymat_rekey(&in, prf, &from, secrets, 0, false, &k), ADIT_ERR_BUG);
    for (size_t i = 0; i < 3; i++)
        secret_fini(&secrets[i]);
    secret_fini(&keymat);
    keys_fini(&from);
    keys_fini(&k);
}

/* Old PRF for SKEYSEED, new one for prf+ (RFC 7296 s2.18); a quirk of peers has the old one for both. Lengths follow the
 * new PRF in both. */
static void test_rekey_changes_prf(void **state)
{
    struct adit_suite suite = gcm;
    suite.prf = PRF_HMAC_SHA2_512;
    struct keymat_in in = input(&suite, 0x20, 0x40);
    const struct prf_alg *old = crypto_prf(crypto(), PRF_HMAC_SHA2_256);
    struct ike_keys from = keys_with_d(ascending(0x00, 32)), k = { 0 };
    struct adit_secret secret = secret_of(ascending(0x80, 32));
    const char *skeyseed =
        "8782cdf79184a420e467a865dad8fdbdc11b6fea9ba297790308f1e7c71c23f1"; /* as in test_round() */
    assert_int_equal(keymat_rekey(&in, old, &from, &secret, 1, false, &k), ADIT_OK);
    assert_int_equal(keys_d(&k).n, 64);
    expect_skeyseed(&k, &in, PRF_HMAC_SHA2_512, skeyseed);
    assert_int_equal(keymat_rekey(&in, old, &from, &secret, 1, true, &k), ADIT_OK);
    assert_int_equal(keys_d(&k).n, 64);
    expect_skeyseed(&k, &in, PRF_HMAC_SHA2_256, skeyseed);
    secret_fini(&secret);
    keys_fini(&from);
    keys_fini(&k);
}

/* One call for all seven keys, with the sum of their lengths in it; and each way after the other in a rekeying. */
static void test_one_call(void **state)
{
    struct adit_suite suite = gcm;
    suite.prf = PRF_KMAC_256;
    struct keymat_in in = input(&suite, 0x00, 0x20);
    const struct prf_alg *kmac = crypto_prf(crypto(), PRF_KMAC_256), *hmac = crypto_prf(crypto(), PRF_HMAC_SHA2_256);
    struct ike_keys k = { 0 }, next = { 0 };
    struct adit_secret dh = secret_of(ascending(0x40, 32));
    const struct adit_span parts[] = { ascending(0x40, 32), in.nonce_i, in.nonce_r };
    uint8_t seed[64];
    STRBUF(text, 200);
    assert_int_equal(keymat_init(&in, secret_span(&dh), &k), ADIT_OK);
    expect(keys_d(&k), "9123b6350f45b04eff84d207c2b53600578b21dc4b12fbb9d7293acf448c0016"
                       "900372df8a55211d8144c4f99194a9d49607f03968366f894a9131525b3150f3");
    expect(keys_e(&k, true), "6eb0341a7db16c868b905ffe5ea75ed16ef13baf2277af4cd1b0fd27a73adf56341f0bdf");
    expect(keys_p(&k, false), "3f9f79a7953f2b1536be39b207274ad0c820054d91b6a3664fec0928209379e8"
                              "cabac9f064a825245eba681d27f09b1858a1a41c31e25cd6207e8d1598418c14");
    /* to HMAC: SKEYSEED by KMAC */
    in.suite = &gcm;
    assert_int_equal(prf_compute(kmac, keys_d(&k), parts, 3, seed), ADIT_OK);
    strbuf_hex(&text, span(seed, 64));
    assert_int_equal(keymat_rekey(&in, kmac, &k, &dh, 1, false, &next), ADIT_OK);
    expect_skeyseed(&next, &in, PRF_HMAC_SHA2_256, text.p);
    /* and back: SKEYSEED by HMAC, 32 octets */
    in.suite = &suite;
    STRBUF(back, 200);
    const struct adit_span parts2[] = { ascending(0x40, 32), in.nonce_i, in.nonce_r };
    assert_int_equal(prf_compute(hmac, keys_d(&next), parts2, 3, seed), ADIT_OK);
    strbuf_hex(&back, span(seed, 32));
    assert_int_equal(keymat_rekey(&in, hmac, &next, &dh, 1, false, &k), ADIT_OK);
    assert_int_equal(keys_d(&k).n, 64);
    expect_skeyseed(&k, &in, PRF_KMAC_256, back.p);
    secret_fini(&dh);
    keys_fini(&k);
    keys_fini(&next);
}

static void test_slices(void **state)
{
    static const struct {
        const char *what;
        struct adit_suite suite;
        size_t encr, integ;
    } rows[] = {
        { "AES-GCM-256", { .encr = ENCR_AES_GCM_16, .encr_bits = 256 }, 36, 0 },
        { "AES-GCM-128", { .encr = ENCR_AES_GCM_16, .encr_bits = 128 }, 20, 0 },
        { "ChaCha20", { .encr = ENCR_CHACHA20_POLY1305 }, 36, 0 },
        { "AES-CBC-128 and SHA2-256",
          { .encr = ENCR_AES_CBC, .encr_bits = 128, .integ = INTEG_HMAC_SHA2_256_128 },
          16,
          32 },
        { "AES-CBC-256 and SHA2-512",
          { .encr = ENCR_AES_CBC, .encr_bits = 256, .integ = INTEG_HMAC_SHA2_512_256 },
          32,
          64 },
        { "NULL and SHA2-384", { .encr = ENCR_NULL, .integ = INTEG_HMAC_SHA2_384_192 }, 0, 48 },
    };
    const struct prf_alg *prf = crypto_prf(crypto(), PRF_HMAC_SHA2_384);
    struct ike_keys from = keys_with_d(ascending(0x00, 48));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_secret block = { 0 };
        struct adit_span e1, a1, e2, a2;
        enum adit_rc rc = keymat_child(crypto(), prf, &from, &rows[i].suite, ascending(1, 32),
                                       ascending(2, 32), NULL, 0, &block);
        assert_row(rows[i].what, rc == ADIT_OK && block.n == 2 * (rows[i].encr + rows[i].integ));
        keymat_child_slice(crypto(), &rows[i].suite, &block, true, &e1, &a1);
        keymat_child_slice(crypto(), &rows[i].suite, &block, false, &e2, &a2);
        assert_row(rows[i].what, e1.n == rows[i].encr && e2.n == rows[i].encr && a1.n == rows[i].integ &&
                                     a2.n == rows[i].integ);
        /* encr i->r | integ i->r | encr r->i | integ r->i, without gaps */
        assert_row(rows[i].what,
                   e1.p == block.p && a1.p == e1.p + e1.n && e2.p == a1.p + a1.n && a2.p == e2.p + e2.n);
        secret_fini(&block);
    }
    keys_fini(&from);
}

/* With INTEG: SK_a has its key's length; all seven parts lie side by side in the RFC's order. */
static void test_parts(void **state)
{
    struct adit_suite suite = {
        .encr = ENCR_AES_CBC, .encr_bits = 192, .prf = PRF_HMAC_SHA2_512, .integ = INTEG_HMAC_SHA2_384_192
    };
    struct keymat_in in = input(&suite, 0x20, 0x40);
    struct ike_keys k = { 0 }, moved = { 0 };
    assert_int_equal(keymat_init(&in, ascending(9, 66), &k), ADIT_OK);
    struct adit_span parts[] = { keys_d(&k),        keys_a(&k, true), keys_a(&k, false), keys_e(&k, true),
                                 keys_e(&k, false), keys_p(&k, true), keys_p(&k, false) };
    static const size_t sizes[] = { 64, 48, 48, 24, 24, 64, 64 };
    const uint8_t *at = k.block.p;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        assert_ptr_equal(parts[i].p, at);
        assert_int_equal(parts[i].n, sizes[i]);
        at += sizes[i];
    }
    assert_ptr_equal(at, k.block.p + k.block.n);
    keys_move(&moved, &k);
    assert_null(k.block.p);
    assert_int_equal(keys_d(&k).n, 0);
    assert_int_equal(keys_d(&moved).n, 64);
    keys_fini(&moved);
}

static void test_missing_rows(void **state)
{
    static const struct adit_suite bad[] = {
        { .encr = 999, .prf = PRF_HMAC_SHA2_256 },
        { .encr = ENCR_AES_GCM_16, .encr_bits = 99, .prf = PRF_HMAC_SHA2_256 },
        { .encr = ENCR_AES_GCM_16, .encr_bits = 256, .prf = 999 },
        { .encr = ENCR_AES_CBC, .encr_bits = 256, .integ = 999, .prf = PRF_HMAC_SHA2_256 },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct keymat_in in = input(&bad[i], 0x20, 0x40);
        struct ike_keys k = { 0 };
        assert_int_equal(keymat_init(&in, ascending(1, 32), &k), ADIT_ERR_CRYPTO);
        assert_null(k.block.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_generation),
        cmocka_unit_test(test_resumed),
        cmocka_unit_test(test_skeyseed),
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_stir),
        cmocka_unit_test(test_several_secrets),
        cmocka_unit_test(test_rekey_changes_prf),
        cmocka_unit_test(test_one_call),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_missing_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
