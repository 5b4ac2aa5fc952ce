/* test_auth.c - Authentication payload. */
#include "wire_test.h"

static void what_is_put_is_got(void **state)
{
    struct wr w;
    struct auth_payload a;
    begin_message(&w);
    auth_put(&w, AUTH_DIGITAL_SIGNATURE, SPAN_LIT("signature"));
    struct rd in = only_payload(&w, PLD_AUTH);
    assert_true(auth_get(&in, &a));
    assert_int_equal(a.method, 14);
    assert_true(span_equal(a.data, SPAN_LIT("signature")));
}

static void bodies_are_judged(void **state)
{
    static const struct {
        const char *what, *hex;
        bool ok;
        size_t data_n;
    } rows[] = {
        { "reserved octets are ignored", "02ffffff00", true, 1 },
        { "no data", "02000000", true, 0 },
        { "cut", "020000", false, 0 },
        { "empty", "", false, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct auth_payload a;
        struct rd in = rd_init(unhex(rows[i].hex));
        assert_row(rows[i].what, auth_get(&in, &a) == rows[i].ok && a.data.n == rows[i].data_n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_got),
        cmocka_unit_test(bodies_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
