/* test_skf.c - the fragment fields of RFC 7383. */
#include "wire_test.h"

static void numbers_are_judged(void **state)
{
    static const struct {
        const char *what, *hex;
        bool ok;
    } rows[] = {
        { "only one", "00010001", true },
        { "last of many", "ffffffff", true },
        { "number 0", "00000001", false },
        { "total 0", "00000000", false },
        { "number above total", "00030002", false },
        { "cut", "000100", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct skf f;
        struct rd in = rd_init(unhex(rows[i].hex));
        assert_row(rows[i].what, skf_get(&in, &f) == rows[i].ok);
    }
}

static void what_is_put_is_got(void **state)
{
    uint8_t mem[4];
    struct wr w;
    struct skf f;
    wr_init(&w, mem, sizeof(mem));
    skf_put(&w, (struct skf){ 3, 0x1234 });
    struct rd in = rd_init(guard_copy(wr_written(&w)));
    assert_true(skf_get(&in, &f) && f.number == 3 && f.total == 0x1234);
    assert_true(rd_end(&in));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_judged),
        cmocka_unit_test(what_is_put_is_got),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
