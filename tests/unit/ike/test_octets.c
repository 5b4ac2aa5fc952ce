/* The octets that AUTH covers (RFC 7296 s2.15); expected values from Python's hmac. */
#include "ike/auth/auth.h"
#include "ike_fixture.h"

#define MACED "fd66f2c27e78ef2e68cbe3db417500095aa19e7d05b0b893577737dc874ecdbf"

static void init(struct octets *o)
{
    struct adit_span id =
        hex("02000000 6d6f6f6e2e6578616d706c65"); /* FQDN moon.example, RESERVED as on the wire */
    assert_int_equal(octets_init(o, crypto_prf(crypto(), PRF_HMAC_SHA2_256), ascending(0xc0, 32),
                                 ascending(0, 100), ascending(0x20, 32), id),
                     ADIT_OK);
}

static void test_order(void **state)
{
    struct octets o;
    struct adit_buf flat = { 0 };
    init(&o);
    assert_int_equal(octets_flat(&o, &flat), ADIT_OK);
    assert_int_equal(flat.n, 100 + 32 + 32);
    assert_memory_equal(flat.p, ascending(0, 100).p, 100);
    assert_memory_equal(flat.p + 100, ascending(0x20, 32).p, 32);
    assert_memory_equal(flat.p + 132, hex(MACED).p, 32);
    buf_fini(&flat);
}

static void test_parts_of_extensions(void **state)
{
    struct octets o;
    struct adit_buf flat = { 0 };
    init(&o);
    o.part[OCTETS_PREFIX] = SPAN_LIT("PRE");
    o.part[OCTETS_RECEIVED] = SPAN_LIT("RECEIVED");
    o.part[OCTETS_TAIL] = SPAN_LIT("TAIL");
    assert_int_equal(buf_set(&flat, SPAN_LIT("what was there")), ADIT_OK);
    assert_int_equal(octets_flat(&o, &flat), ADIT_OK);
    assert_int_equal(flat.n, 3 + 8 + 164 + 4);
    assert_memory_equal(flat.p, "PRERECEIVED", 11);
    assert_memory_equal(flat.p + 11, ascending(0, 100).p, 100);
    assert_memory_equal(flat.p + 175, "TAIL", 4);
    buf_fini(&flat);
}

static void test_no_memory(void **state)
{
    struct octets o;
    struct adit_buf flat = { 0 };
    unsigned left = 0;
    init(&o);
    mem_set_gate(gate_countdown, &left);
    enum adit_rc rc = octets_flat(&o, &flat);
    mem_set_gate(NULL, NULL);
    assert_int_equal(rc, ADIT_ERR_MEMORY);
    buf_fini(&flat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_parts_of_extensions),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
