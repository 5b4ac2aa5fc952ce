/* test_id_payload.c - Identification payloads. */
#include "wire_test.h"

static void what_is_put_is_got(void **state)
{
    struct adit_id id = { ID_FQDN, SPAN_LIT("moon.example") }, got;
    struct adit_span whole;
    struct wr w;
    begin_message(&w);
    id_put(&w, PLD_IDr, &id);
    struct rd in = only_payload(&w, PLD_IDr);
    assert_true(id_get(&in, &got, &whole));
    assert_int_equal(got.type, ID_FQDN);
    assert_true(span_equal(got.data, id.data));
    assert_true(span_equal(whole, SPAN_LIT("\2\0\0\0moon.example")));
}

static void bodies_are_judged(void **state)
{
    static const struct {
        const char *what, *hex;
        bool ok;
        size_t data_n;
    } rows[] = {
        { "IPv4", "01000000 c0000201", true, 4 },
        { "IPv4 too long", "01000000 c000020100", false, 5 },
        { "IPv4 too short", "01000000 c00002", false, 3 },
        { "IPv6", "05000000 20010db8000000000000000000000001", true, 16 },
        { "IPv6 of 4 octets", "05000000 c0000201", false, 4 },
        { "type 0", "00000000 61", false, 1 },
        { "NULL", "0d000000", true, 0 },
        { "NULL with data: ignored", "0d000000 6162", true, 0 },
        { "KEY_ID", "0b000000 ff", true, 1 },
        { "unknown type", "c9000000 6162", true, 2 },
        { "cut", "020000", false, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_id id;
        struct adit_span whole;
        struct rd in = rd_init(unhex(rows[i].hex));
        assert_row(rows[i].what, id_get(&in, &id, &whole) == rows[i].ok);
        assert_row(rows[i].what, id.data.n == rows[i].data_n);
    }
}

/* The peer's AUTH covers the RESERVED octets as it sent them. */
static void the_signed_form_is_as_on_the_wire(void **state)
{
    struct adit_id id;
    struct adit_span whole;
    struct rd in = rd_init(unhex("02a1b2c3 6162"));
    assert_true(id_get(&in, &id, &whole));
    assert_true(span_equal(whole, SPAN_LIT("\x02\xa1\xb2\xc3\x61\x62")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_got),
        cmocka_unit_test(bodies_are_judged),
        cmocka_unit_test(the_signed_form_is_as_on_the_wire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
