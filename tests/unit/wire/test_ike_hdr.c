/* test_ike_hdr.c - the IKE header. */
#include "wire_test.h"

static const char HEX[] = "0102030405060708 1112131415161718 21 20 22 08 00000005 0000001c";

static void fields_are_where_rfc_7296_puts_them(void **state)
{
    struct ike_hdr h;
    struct rd in = rd_init(unhex(HEX));
    assert_true(ike_hdr_get(&in, &h));
    assert_true(h.spi_i == UINT64_C(0x0102030405060708) && h.spi_r == UINT64_C(0x1112131415161718));
    assert_true(h.next == 33 && h.version == IKE_VERSION && h.exchange == XCHG_IKE_SA_INIT);
    assert_true(h.flags == IKE_FLAG_INITIATOR && h.msgid == 5 && h.length == IKE_HDR_SIZE);
    assert_int_equal(rd_rest(&in).n, 0);
}

static void what_is_got_is_put(void **state)
{
    struct ike_hdr h;
    uint8_t mem[IKE_HDR_SIZE];
    struct wr w;
    struct rd in = rd_init(unhex(HEX));
    assert_true(ike_hdr_get(&in, &h));
    wr_init(&w, mem, sizeof(mem));
    ike_hdr_put(&w, &h);
    assert_true(span_equal(wr_written(&w), unhex(HEX)));
    assert_int_equal(w.next_at, IKE_HDR_NEXT_AT);
}

static void closing_counts_from_the_header_on(void **state)
{
    uint8_t mem[64];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    wr_u32(&w, 0); /* non-ESP marker: not counted */
    ike_hdr_put(&w, &(struct ike_hdr){ .version = IKE_VERSION });
    assert_int_equal(w.next_at, 4 + IKE_HDR_NEXT_AT);
    wr_u16(&w, 0);
    ike_hdr_close(&w, 4);
    assert_memory_equal(mem + 4 + IKE_HDR_LENGTH_AT, "\0\0\0\x1e", 4);
}

static void every_octet_is_needed(void **state)
{
    uint8_t mem[IKE_HDR_SIZE];
    struct adit_span all = unhex_to(mem, HEX);
    for (size_t n = 0; n < IKE_HDR_SIZE; n++) {
        struct ike_hdr h;
        struct rd in = rd_init(guard_copy(span_first(all, n)));
        assert_false(ike_hdr_get(&in, &h));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_where_rfc_7296_puts_them),
        cmocka_unit_test(what_is_got_is_put),
        cmocka_unit_test(closing_counts_from_the_header_on),
        cmocka_unit_test(every_octet_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
