/* test_vendor.c - Vendor ID payload. */
#include "wire_test.h"

static void octets_go_as_they_are(void **state)
{
    struct wr w;
    begin_message(&w);
    vendor_put(&w, SPAN_LIT("opaque"));
    struct rd in = only_payload(&w, PLD_VENDOR);
    assert_true(span_equal(rd_rest(&in), SPAN_LIT("opaque")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_go_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
