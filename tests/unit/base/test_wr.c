/* test_wr.c - the sticky writer. */
#include "unit.h"
#include "base/wr.h"

static void numbers_are_big_endian(void **state)
{
    uint8_t mem[15];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    wr_u8(&w, 1);
    wr_u16(&w, 0x0203);
    wr_u32(&w, 0x04050607);
    wr_u64(&w, UINT64_C(0x08090a0b0c0d0e0f));
    assert_true(wr_ok(&w));
    assert_true(span_equal(wr_written(&w), SPAN_LIT("\1\2\3\4\5\6\7\x8\x9\xa\xb\xc\xd\xe\xf")));
    assert_int_equal(wr_finish(&w), ADIT_OK);
    wr_u8(&w, 1);
    assert_false(wr_ok(&w));
}

static void overflow_sticks_and_writes_nothing(void **state)
{
    uint8_t mem[8] = { 0 };
    struct wr w;
    wr_init(&w, mem, 4);
    wr_u16(&w, 0x1111);
    wr_u32(&w, 0xffffffff);
    wr_u8(&w, 0xff); /* would fit, but the order is broken */
    wr_span(&w, SPAN_LIT("x"));
    wr_zero(&w, 1);
    assert_null(wr_space(&w, 1));
    assert_false(wr_ok(&w));
    assert_int_equal(wr_written(&w).n, 0);
    assert_int_equal(wr_finish(&w), ADIT_ERR_LIMIT);
    assert_memory_equal(mem, "\x11\x11\0\0\0\0\0\0", 8);
}

static void absurd_sizes_overflow(void **state)
{
    uint8_t mem[8];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    wr_u8(&w, 0);
    assert_null(wr_space(&w, SIZE_MAX));
    assert_false(wr_ok(&w));
}

static void earlier_octets_can_be_changed(void **state)
{
    uint8_t mem[12];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    wr_zero(&w, 8);
    wr_set_u8(&w, 0, 1);
    wr_set_u16(&w, 1, 0x0203);
    wr_set_u32(&w, 4, 0x04050607);
    assert_memory_equal(mem, "\1\2\3\0\4\5\6\7", 8);
    wr_set_u32(&w, 5, 1); /* its last octet is not written yet */
    assert_false(wr_ok(&w));
}

static void a_buffer_grows_up_to_the_limit(void **state)
{
    static const struct {
        const char *what;
        size_t max, n;
        enum adit_rc rc;
    } rows[] = {
        { "nothing", 100, 0, ADIT_OK },           { "small", 100, 50, ADIT_OK },
        { "up to the limit", 100, 100, ADIT_OK }, { "one more", 100, 101, ADIT_ERR_LIMIT },
        { "large", 70000, 65536, ADIT_OK },       { "limit 0", 0, 1, ADIT_ERR_LIMIT },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_buf buf = { 0 };
        struct wr w;
        wr_init_buf(&w, &buf, rows[i].max);
        for (size_t k = 0; k < rows[i].n; k++)
            wr_u8(&w, (uint8_t)k);
        assert_row(rows[i].what, wr_finish(&w) == rows[i].rc);
        assert_row(rows[i].what, buf.n == (rows[i].rc == ADIT_OK ? rows[i].n : 0));
        for (size_t k = 0; k < buf.n; k++)
            assert_row(rows[i].what, buf.p[k] == (uint8_t)k);
        buf_fini(&buf);
    }
}

static void an_old_buffer_is_used_again(void **state)
{
    struct adit_buf buf = { 0 };
    struct wr w;
    assert_int_equal(buf_set(&buf, SPAN_LIT("old contents")), ADIT_OK);
    wr_init_buf(&w, &buf, 4);
    wr_span(&w, SPAN_LIT("new"));
    assert_int_equal(wr_finish(&w), ADIT_OK);
    assert_true(span_equal(buf_span(&buf), SPAN_LIT("new")));
    wr_u16(&w, 0); /* 5 octets are allocated, but 4 allowed */
    assert_int_equal(wr_finish(&w), ADIT_ERR_LIMIT);
    buf_fini(&buf);
}

static void failing_memory_is_an_overflow(void **state)
{
    struct adit_buf buf = { 0 };
    struct wr w;
    unsigned left = 0;
    mem_set_gate(gate_countdown, &left);
    wr_init_buf(&w, &buf, 100);
    wr_u8(&w, 1);
    mem_set_gate(NULL, NULL);
    assert_int_equal(wr_finish(&w), ADIT_ERR_LIMIT);
    assert_int_equal(buf.n, 0);
    buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(overflow_sticks_and_writes_nothing),
        cmocka_unit_test(absurd_sizes_overflow),
        cmocka_unit_test(earlier_octets_can_be_changed),
        cmocka_unit_test(a_buffer_grows_up_to_the_limit),
        cmocka_unit_test(an_old_buffer_is_used_again),
        cmocka_unit_test(failing_memory_is_an_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
