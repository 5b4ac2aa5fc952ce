/* test_esn.c - the invisible high half (RFC 4303 Appendix A2). */
#include "esp_fixture.h"
#include "esp/esn.h"

#define HI(h, l) ((uint64_t)(h) << 32 | (l))

static const struct {
    const char *what;
    uint64_t top;
    uint32_t window, low;
    bool exists;
    uint64_t seq;
} rows[] = {
    { "first packet", 0, 64, 1, true, 1 },
    { "before the first packet", 0, 64, 0xffffffff, false, 0 },
    { "before the first packet, at the edge", 10, 64, (uint32_t)(10 - 63), false, 0 },
    { "plain next", 100, 64, 101, true, 101 },
    { "inside the window", 100, 64, 37, true, 37 },
    { "left of the window means the next subspace", 100, 64, 36, true, HI(1, 36) },
    { "wraps", HI(0, 0xffffffff), 64, 0, true, HI(1, 0) },
    { "wraps, reordered", HI(0, 0xffffffff), 64, 0xffffffc0, true, 0xffffffc0 },
    { "after the wrap, late one from before", HI(1, 5), 64, 0xfffffff0, true, 0xfffffff0 },
    { "after the wrap, left edge", HI(1, 5), 64, (uint32_t)(5 - 63), true, (uint32_t)(5 - 63) },
    { "after the wrap, left of the edge is ahead", HI(1, 5), 64, (uint32_t)(5 - 64), true,
      HI(1, (uint32_t)(5 - 64)) },
    { "window lies wholly in the subspace", HI(1, 63), 64, 0, true, HI(1, 0) },
    { "window touches the one before", HI(1, 62), 64, 0xffffffff, true, HI(0, 0xffffffff) },
    { "last subspace goes on", HI(0xffffffff, 100), 64, 101, true, HI(0xffffffff, 101) },
    { "there is no subspace after the last", HI(0xffffffff, 100), 64, 1, false, 0 },
    { "window off: near", HI(2, 7), 0, 9, true, HI(2, 9) },
    { "window off: behind", HI(2, 7), 0, 0xfffffff0, true, HI(1, 0xfffffff0) },
    { "window off: first", 0, 0, 1, true, 1 },
};

static void high_half_is_found(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t seq = 0;
        assert_row(rows[i].what, esn_guess(rows[i].top, rows[i].window, rows[i].low, &seq) == rows[i].exists);
        assert_row(rows[i].what, !rows[i].exists || seq == rows[i].seq);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(high_half_is_found) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
