/* Cookies: two generations, bound to nonce, address and SPI (RFC 7296 s2.6). */
#include "ike/cookie.h"
#include "ike_fixture.h"

#define SPI 0x1122334455667788
static const struct adit_addr v4 = { 4, { 192, 0, 2, 1 } };

struct fixture {
    struct cookie_jar jar;
    const struct prf_alg *prf;
    struct adit_span nonce;
    uint8_t cookie[COOKIE_SIZE];
};

static struct fixture setup(void)
{
    struct fixture f = { .prf = crypto_prf(crypto(), PRF_HMAC_SHA2_256), .nonce = ascending(7, 32) };
    cookie_jar_init(&f.jar, ascending(1, 32).p, 1000);
    assert_int_equal(cookie_make(&f.jar, f.prf, f.nonce, &v4, SPI, f.cookie), ADIT_OK);
    return f;
}

static bool ok(const struct fixture *f)
{
    return cookie_ok(&f->jar, f->prf, SPAN_ARRAY(f->cookie), f->nonce, &v4, SPI);
}

static void test_binding(void **state)
{
    struct fixture f = setup();
    struct adit_addr other = { 4, { 192, 0, 2, 2 } }, v6 = { 6, { 192, 0, 2, 1 } };
    struct adit_span c = SPAN_ARRAY(f.cookie);
    assert_true(ok(&f));
    assert_false(cookie_ok(&f.jar, f.prf, c, f.nonce, &other, SPI));
    assert_false(cookie_ok(&f.jar, f.prf, c, f.nonce, &v6, SPI));
    assert_false(cookie_ok(&f.jar, f.prf, c, f.nonce, &v4, SPI + 1));
    assert_false(cookie_ok(&f.jar, f.prf, c, ascending(8, 32), &v4, SPI));
    assert_false(cookie_ok(&f.jar, f.prf, c, ascending(7, 31), &v4, SPI));
    for (size_t i = 0; i < COOKIE_SIZE; i++) {
        f.cookie[i] ^= 0x80;
        assert_false(ok(&f));
        f.cookie[i] ^= 0x80;
    }
    for (size_t n = 0; n < COOKIE_SIZE; n++)
        assert_false(cookie_ok(&f.jar, f.prf, span_first(c, n), f.nonce, &v4, SPI));
}

/* The octets Ni | IP are the same in both: a cookie for one must not be good for the other. */
static void test_no_shift_between_families(void **state)
{
    struct fixture f = setup();
    uint8_t nonce[44];
    struct adit_addr v6 = { 6, { 0 } };
    span_copy(nonce, ascending(7, 44));
    span_copy(v6.ip, span(nonce + 32, 12));
    span_copy(v6.ip + 12, span(v4.ip, 4));
    assert_int_equal(cookie_make(&f.jar, f.prf, span(nonce, 32), &v6, SPI, f.cookie), ADIT_OK);
    assert_true(cookie_ok(&f.jar, f.prf, SPAN_ARRAY(f.cookie), span(nonce, 32), &v6, SPI));
    assert_false(cookie_ok(&f.jar, f.prf, SPAN_ARRAY(f.cookie), span(nonce, 44), &v4, SPI));
}

static void test_generations(void **state)
{
    struct fixture f = setup();
    assert_false(cookie_jar_due(&f.jar, 1000 + COOKIE_LIFE_NS - 1));
    assert_true(cookie_jar_due(&f.jar, 1000 + COOKIE_LIFE_NS));
    cookie_jar_renew(&f.jar, ascending(100, 32).p, 1000 + COOKIE_LIFE_NS);
    assert_false(cookie_jar_due(&f.jar, 1000 + COOKIE_LIFE_NS));
    assert_true(ok(&f));
    cookie_jar_renew(&f.jar, ascending(200, 32).p, 1000 + 2 * COOKIE_LIFE_NS);
    assert_false(ok(&f));
}

/* The version wraps around after 256 secrets. */
static void test_version_wraps(void **state)
{
    struct fixture f = setup();
    for (unsigned i = 0; i < 255; i++)
        cookie_jar_renew(&f.jar, ascending((uint8_t)i, 32).p, i);
    assert_int_equal(cookie_make(&f.jar, f.prf, f.nonce, &v4, SPI, f.cookie), ADIT_OK);
    assert_int_equal(f.cookie[0], 255);
    cookie_jar_renew(&f.jar, ascending(77, 32).p, 0);
    assert_int_equal(f.jar.version, 0);
    assert_true(ok(&f));
}

/* A new jar knows no zero secret that could be guessed. */
static void test_no_zero_secret(void **state)
{
    struct fixture f = setup();
    struct cookie_jar zero = { .version = 255 };
    assert_int_equal(cookie_make(&zero, f.prf, f.nonce, &v4, SPI, f.cookie), ADIT_OK);
    assert_false(ok(&f));
    cookie_jar_fini(&f.jar);
    assert_int_equal(f.jar.secret[0][0] | f.jar.secret[1][31], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binding),        cmocka_unit_test(test_no_shift_between_families),
        cmocka_unit_test(test_generations),    cmocka_unit_test(test_version_wraps),
        cmocka_unit_test(test_no_zero_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
