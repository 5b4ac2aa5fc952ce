/* test_ecn.c - all sixteen combinations of RFC 6040 figure 4, and DSCP. */
#include "esp_fixture.h"
#include "esp/ecn.h"

#define NO ECN_NOT_ECT
#define E0 ECN_ECT0
#define E1 ECN_ECT1
#define CE ECN_CE
#define BAD 0xff

static void sixteen_combinations(void **state)
{
    static const struct {
        uint8_t inner, outer, result;
    } rows[] = {
        { NO, NO, NO }, { NO, E0, NO }, { NO, E1, NO }, { NO, CE, BAD }, { E0, NO, E0 }, { E0, E0, E0 },
        { E0, E1, E1 }, { E0, CE, CE }, { E1, NO, E1 }, { E1, E0, E1 },  { E1, E1, E1 }, { E1, CE, CE },
        { CE, NO, CE }, { CE, E0, CE }, { CE, E1, CE }, { CE, CE, CE },
    };
    assert_int_equal(ARRAY_LEN(rows), 16);
    for (size_t i = 0; i < 16; i++) {
        uint8_t out;
        bool pass = ecn_inner(0xb8 | rows[i].inner, 0x28 | rows[i].outer, ADIT_COPY_NO, &out);
        assert_int_equal(pass, rows[i].result != BAD);
        if (pass)
            assert_int_equal(out, 0xb8 | rows[i].result);
    }
}

static void outer_octet(void **state)
{
    static const struct {
        const char *what;
        enum adit_copy dscp;
        bool ecn;
        uint8_t inner, outer;
    } rows[] = {
        { "both copied", ADIT_COPY_OUT, true, 0xbb, 0xbb },
        { "both directions", ADIT_COPY_BOTH, true, 0xba, 0xba },
        { "no DSCP", ADIT_COPY_NO, true, 0xba, 0x02 },
        { "inwards only", ADIT_COPY_IN, true, 0xb9, 0x01 },
        { "no ECN", ADIT_COPY_OUT, false, 0xbb, 0xb8 },
        { "nothing", ADIT_COPY_NO, false, 0xff, 0x00 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_row(rows[i].what, ecn_outer(rows[i].inner, rows[i].dscp, rows[i].ecn) == rows[i].outer);
}

static void dscp_inwards_only_when_asked(void **state)
{
    uint8_t out;
    assert_true(ecn_inner(0xb8, 0x28, ADIT_COPY_IN, &out));
    assert_int_equal(out, 0x28);
    assert_true(ecn_inner(0xb8 | E0, 0x28 | CE, ADIT_COPY_BOTH, &out));
    assert_int_equal(out, 0x28 | CE);
    assert_true(ecn_inner(0xb8, 0x28, ADIT_COPY_OUT, &out));
    assert_int_equal(out, 0xb8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixteen_combinations),
        cmocka_unit_test(outer_octet),
        cmocka_unit_test(dscp_inwards_only_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
