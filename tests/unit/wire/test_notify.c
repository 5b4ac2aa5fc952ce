/* test_notify.c - Notify payload. */
#include "wire_test.h"

static void notifies_without_spi_are_put_and_got(void **state)
{
    struct notify n;
    struct wr w;
    begin_message(&w);
    notify_put(&w, N_COOKIE, SPAN_LIT("cookie"));
    struct rd in = only_payload(&w, PLD_NOTIFY);
    assert_true(notify_get(&in, &n));
    assert_true(n.proto == 0 && n.type == 16390 && n.spi.n == 0);
    assert_true(span_equal(n.data, SPAN_LIT("cookie")));
}

static void notifies_with_spi_are_put_and_got(void **state)
{
    struct notify n;
    struct wr w;
    begin_message(&w);
    notify_put_spi(&w, PROTO_ESP, 0xa1b2c3d4, N_REKEY_SA, SPAN_NONE);
    struct rd in = only_payload(&w, PLD_NOTIFY);
    assert_true(notify_get(&in, &n));
    assert_true(n.proto == PROTO_ESP && n.type == N_REKEY_SA && n.data.n == 0);
    assert_true(span_equal(n.spi, SPAN_LIT("\xa1\xb2\xc3\xd4")));
}

static void bodies_are_judged(void **state)
{
    static const struct {
        const char *what, *hex;
        bool ok;
        size_t spi_n, data_n;
    } rows[] = {
        { "nothing but a type", "00004001", true, 0, 0 },
        { "protocol 1 without SPI (RFC 6023)", "01004022", true, 0, 0 },
        { "SPI of 8", "01084009 0102030405060708", true, 8, 0 },
        { "SPI of 8 and data", "01084009 0102030405060708 99", true, 8, 1 },
        { "SPI beyond the end", "03044009 010203", false, 0, 0 },
        { "SPI of 255", "03ff4009 010203", false, 0, 0 },
        { "unknown type", "0000ffff 01", true, 0, 1 },
        { "cut", "000040", false, 0, 0 },
        { "empty", "", false, 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct notify n;
        struct rd in = rd_init(unhex(rows[i].hex));
        assert_row(rows[i].what, notify_get(&in, &n) == rows[i].ok);
        assert_row(rows[i].what, n.spi.n == rows[i].spi_n && n.data.n == rows[i].data_n);
    }
}

static void errors_are_below_16384(void **state)
{
    assert_true(notify_is_error(N_INVALID_SYNTAX));
    assert_true(notify_is_error(16383));
    assert_false(notify_is_error(N_INITIAL_CONTACT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notifies_without_spi_are_put_and_got),
        cmocka_unit_test(notifies_with_spi_are_put_and_got),
        cmocka_unit_test(bodies_are_judged),
        cmocka_unit_test(errors_are_below_16384),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
