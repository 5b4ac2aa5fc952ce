/* test_checksum.c - Internet checksums: RFC 1071's example, and the incremental forms against the full sum. */
#include "wire_test.h"
#include "wire/be.h"
#include "wire/checksum.h"

static void the_example_of_rfc_1071(void **state)
{
    /* RFC 1071 s3: 00 01 f2 03 f4 f5 f6 f7 sums up to ddf2 */
    struct adit_span s = unhex("0001f203f4f5f6f7");
    assert_int_equal(checksum_fold(checksum_add(0, s)), (uint16_t)~0xddf2);
}

/* Sum of RFC 1071 s4.1, written as it stands there. */
static uint16_t slow(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void every_length_and_every_cut_agrees(void **state)
{
    uint8_t p[64];
    for (size_t i = 0; i < sizeof(p); i++)
        p[i] = (uint8_t)(i * 151 + 200);
    for (size_t n = 0; n <= sizeof(p); n++)
        for (size_t cut = 0; cut <= n; cut += 2) {
            uint64_t sum = checksum_add(0, span(p, cut));
            assert_int_equal(checksum_fold(checksum_add(sum, span(p + cut, n - cut))), slow(p, n));
        }
}

static void updates_equal_the_full_sum(void **state)
{
    uint8_t p[32];
    uint32_t x = 5;
    memset(p, 0, sizeof(p));
    p[0] = 1;
    uint16_t check = slow(p, sizeof(p));
    for (unsigned round = 0; round < 100000; round++) {
        x = x * 1664525 + 1013904223;
        size_t at = (x >> 8) % 15 * 2 + 2; /* p[0] stays: an all-zero string would have two right checksums */
        uint16_t now = round % 3 == 0 ? 0 : round % 3 == 1 ? 0xffff : (uint16_t)(x >> 16);
        check = checksum_update(check, be16_get(p + at), now);
        be16_put(p + at, now);
        assert_int_equal(check, slow(p, sizeof(p)));
    }
}

static void addresses_are_updated_at_once(void **state)
{
    uint8_t p[24] = { 9 }, now[16];
    for (size_t i = 0; i < 16; i++)
        now[i] = (uint8_t)(i * 77 + 3);
    uint16_t check = slow(p, sizeof(p));
    check = checksum_update_span(check, span(p + 4, 16), SPAN_ARRAY(now));
    span_copy(p + 4, SPAN_ARRAY(now));
    assert_int_equal(check, slow(p, sizeof(p)));
}

static void pseudo_headers_are_summed(void **state)
{
    struct adit_addr a = { 4, { 192, 0, 2, 1 } }, b = { 4, { 198, 51, 100, 7 } };
    struct adit_addr c = { 6, { 0x20, 1, [15] = 1 } }, d = { 6, { 0x20, 1, [15] = 2 } };
    assert_int_equal(checksum_fold(checksum_pseudo(&a, &b, 17, 13)),
                     slow(unhex("c0000201 c6336407 0011 000d").p, 12));
    assert_int_equal(checksum_fold(checksum_pseudo(&c, &d, 58, 0x12345)),
                     slow(unhex("20010000000000000000000000000001 20010000000000000000000000000002 00012345"
                                "0000003a")
                              .p,
                          40));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc_1071),    cmocka_unit_test(every_length_and_every_cut_agrees),
        cmocka_unit_test(updates_equal_the_full_sum), cmocka_unit_test(addresses_are_updated_at_once),
        cmocka_unit_test(pseudo_headers_are_summed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
