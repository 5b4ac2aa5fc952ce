/* test_nonce.c - Nonce payload. */
#include "wire_test.h"

static void the_length_is_checked(void **state)
{
    static const struct {
        const char *what;
        size_t n;
        bool ok;
    } rows[] = {
        { "empty", 0, false }, { "15", 15, false },  { "16", 16, true },
        { "32", 32, true },    { "256", 256, true }, { "257", 257, false },
    };
    static uint8_t octets[300];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_span nonce;
        struct rd in = rd_init(guard_copy(span(octets, rows[i].n)));
        assert_row(rows[i].what, nonce_get(&in, &nonce) == rows[i].ok);
    }
}

static void what_is_put_is_got(void **state)
{
    struct adit_span nonce, sent = SPAN_LIT("0123456789abcdef0123456789abcdef");
    struct wr w;
    begin_message(&w);
    nonce_put(&w, sent);
    struct rd in = only_payload(&w, PLD_NONCE);
    assert_true(nonce_get(&in, &nonce) && span_equal(nonce, sent));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_length_is_checked),
        cmocka_unit_test(what_is_put_is_got),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
