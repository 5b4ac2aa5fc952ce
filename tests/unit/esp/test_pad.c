/* test_pad.c - padding: sizes, the longest, and lies. */
#include "esp_fixture.h"
#include "esp/pad.h"

static void sizes_fill_the_alignment(void **state)
{
    static const struct {
        uint32_t n, align, pad;
    } rows[] = { { 0, 4, 2 },    { 1, 4, 1 },   { 2, 4, 0 },    { 3, 4, 3 },   { 33, 4, 1 },
                 { 33, 16, 13 }, { 14, 16, 0 }, { 15, 16, 15 }, { 1438, 4, 0 } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(pad_size(rows[i].n, rows[i].align), rows[i].pad);
}

static void every_length_comes_off_again(void **state)
{
    uint8_t plain[300];
    for (uint32_t pad = 0; pad <= 255; pad++) {
        memset(plain, 0xee, 10);
        uint32_t n = 10 + pad_put(plain + 10, pad, 41);
        struct adit_span payload;
        uint8_t next = 0;
        assert_int_equal(n, 10 + pad + 2);
        assert_true(pad_get(guard_copy(span(plain, n)), &payload, &next));
        assert_int_equal(payload.n, 10);
        assert_int_equal(next, 41);
        if (pad) { /* one wrong octet anywhere */
            plain[10 + pad / 2] ^= 0x80;
            assert_false(pad_get(span(plain, n), &payload, &next));
        }
    }
}

static void lies_are_found(void **state)
{
    static const struct {
        const char *what, *hex;
        bool good;
        size_t payload;
    } rows[] = {
        { "empty", "", false, 0 },
        { "one octet", "00", false, 0 },
        { "just a trailer", "0004", true, 0 },
        { "padding only", "01020204", true, 0 },
        { "longer than what is there", "01020304", false, 0 },
        { "255 of three", "010203ff04", false, 0 },
        { "counts from zero",
          "aa000102"
          "0304",
          false, 0 },
        { "zeros",
          "aa0000"
          "0204",
          false, 0 },
        { "payload may look like padding",
          "01020304"
          "0004",
          true, 4 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t plain[16], next;
        struct adit_span payload;
        size_t n = unhex(plain, rows[i].hex);
        assert_row(rows[i].what, pad_get(guard_copy(span(plain, n)), &payload, &next) == rows[i].good);
        assert_row(rows[i].what, !rows[i].good || (payload.n == rows[i].payload && next == 4));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_fill_the_alignment),
        cmocka_unit_test(every_length_comes_off_again),
        cmocka_unit_test(lies_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
