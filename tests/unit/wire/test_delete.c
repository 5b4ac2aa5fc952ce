/* test_delete.c - Delete payload. */
#include "wire_test.h"

static void child_spis_are_put_and_got(void **state)
{
    static const uint32_t spis[] = { 0x01020304, 0xfffffffe };
    struct wr w;
    struct delete_payload d;
    begin_message(&w);
    delete_put_child(&w, PROTO_ESP, spis, 2);
    struct rd in = only_payload(&w, PLD_DELETE);
    assert_true(delete_get(&in, &d));
    assert_true(d.proto == PROTO_ESP && d.spi_n == 4 && d.n == 2);
    assert_true(span_equal(d.spis, SPAN_LIT("\1\2\3\4\xff\xff\xff\xfe")));
}

static void the_ike_sa_needs_no_spi(void **state)
{
    struct wr w;
    struct delete_payload d;
    begin_message(&w);
    delete_put_ike(&w);
    struct rd in = only_payload(&w, PLD_DELETE);
    assert_true(delete_get(&in, &d));
    assert_true(d.proto == PROTO_IKE && d.spi_n == 0 && d.n == 0 && d.spis.n == 0);
}

static void bodies_are_judged(void **state)
{
    static const struct {
        const char *what, *hex;
        bool ok;
    } rows[] = {
        { "one ESP SPI", "03040001 00000001", true },
        { "none", "03040000", true },
        { "one SPI too few", "03040002 00000001", false },
        { "one octet too many", "03040001 00000001 00", false },
        { "SPI size 8", "03080001 0000000000000001", false },
        { "SPI size 0", "03000001", false },
        { "AH", "02040001 00000001", true },
        { "IKE with an SPI", "01080001 0000000000000001", false },
        { "IKE, size said but none there", "01080000", true },
        { "unknown protocol", "c8020001 0001", true },
        { "65535 of 255 octets", "c8ffffff", false },
        { "cut", "030400", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct delete_payload d;
        struct rd in = rd_init(unhex(rows[i].hex));
        assert_row(rows[i].what, delete_get(&in, &d) == rows[i].ok);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(child_spis_are_put_and_got),
        cmocka_unit_test(the_ike_sa_needs_no_spi),
        cmocka_unit_test(bodies_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
