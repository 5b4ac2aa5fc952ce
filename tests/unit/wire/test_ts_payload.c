/* test_ts_payload.c - Traffic Selector payloads. */
#include "wire_test.h"

#define V4 "07 06 0010 0050 0050 0a000000 0a0000ff "
#define V6 "08 00 0028 0000 ffff 20010db8000000000000000000000000 20010db8ffffffffffffffffffffffff "
#define LABEL "0a 00 0008 61626364 "

static void bodies_are_judged(void **state)
{
    static const struct {
        const char *what, *hex, *reason;
        uint16_t n;
        unsigned unknown;
    } rows[] = {
        { "one v4", "01000000" V4, NULL, 1, 0 },
        { "v4 and v6", "02000000" V4 V6, NULL, 2, 0 },
        { "reserved octets are ignored", "01ffffff" V4, NULL, 1, 0 },
        { "a label beside it", "02000000" LABEL V4, NULL, 1, 1 },
        { "only unknown ones", "02000000" LABEL "09000004", NULL, 0, 2 },
        { "OPAQUE ports", "01000000 0711 0010 ffff 0000 0a000000 0a000000", NULL, 1, 0 },
        { "ports upside down select nothing", "01000000 0711 0010 0050 0010 0a000000 0a000000", NULL, 0, 1 },
        { "addresses upside down select nothing", "01000000 0700 0010 0000 ffff 0a000001 0a000000", NULL, 0,
          1 },
        { "none", "00000000", "no traffic selectors", 0, 0 },
        { "fewer than counted", "02000000" V4, "too short", 1, 0 },
        { "more than counted", "01000000" V4 V4, "octets left over", 1, 0 },
        { "v4 with v6's length",
          "01000000 07 00 0028 0000 ffff 20010db8000000000000000000000000"
          "20010db8ffffffffffffffffffffffff",
          "octets left over", 0, 0 },
        { "v6 with v4's length", "01000000 08 06 0010 0050 0050 0a000000 0a0000ff", "too short", 0, 0 },
        { "length 3", "01000000 0a 00 0003", "traffic selector length below 4", 0, 0 },
        { "length beyond the end", "01000000 0a 00 0009 61626364", "too short", 0, 0 },
        { "empty", "", "too short", 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        static struct adit_ts_list list;
        unsigned unknown;
        struct rd in = rd_init(unhex(rows[i].hex));
        assert_row(rows[i].what, ts_get(&in, &list, &unknown) == !rows[i].reason);
        if (rows[i].reason && strcmp(in.fail, rows[i].reason))
            fail_msg("row '%s': %s", rows[i].what, in.fail);
        if (!rows[i].reason)
            assert_row(rows[i].what, list.n == rows[i].n && unknown == rows[i].unknown);
    }
}

static void fields_are_in_their_place(void **state)
{
    static struct adit_ts_list list;
    unsigned unknown;
    struct rd in = rd_init(unhex("02000000" V4 V6));
    assert_true(ts_get(&in, &list, &unknown));
    const struct adit_ts *a = &list.v[0], *b = &list.v[1];
    assert_true(a->family == 4 && a->proto == 6 && a->port_lo == 80 && a->port_hi == 80);
    assert_memory_equal(a->lo, "\x0a\0\0\0\0\0", 6);
    assert_memory_equal(a->hi, "\x0a\0\0\xff\0\0", 6);
    assert_true(b->family == 6 && b->proto == 0 && b->port_lo == 0 && b->port_hi == 65535);
    assert_true(b->lo[15] == 0 && b->hi[15] == 0xff);
}

static void the_first_64_selectors_count(void **state)
{
    static struct adit_ts ts[65];
    static struct adit_ts_list list;
    for (size_t i = 0; i < 65; i++)
        ts[i] = (struct adit_ts){
            .family = 4, .port_hi = 65535, .lo = { 10, (uint8_t)i }, .hi = { 10, (uint8_t)i }
        };
    for (uint16_t n = 63; n <= 65; n++) {
        struct wr w;
        unsigned unknown;
        begin_message(&w);
        ts_put(&w, PLD_TSi, ts, n);
        struct rd in = only_payload(&w, PLD_TSi);
        assert_true(ts_get(&in, &list, &unknown) && list.n == (n < ADIT_TS_MAX ? n : ADIT_TS_MAX) && unknown + list.n == n);
        assert_int_equal(list.v[list.n - 1].lo[1], list.n - 1);
    }
    struct wr w;
    begin_message(&w);
    ts_put(&w, PLD_TSi, ts, 256);
    assert_false(wr_ok(&w));
}

static void random_ts(uint32_t *x, struct adit_ts *ts)
{
    *ts = (struct adit_ts){ 0 };
    *x = *x * 1664525 + 1013904223;
    ts->family = *x >> 31 ? 4 : 6;
    ts->proto = (uint8_t)(*x >> 3);
    ts->port_lo = (uint16_t)(*x >> 12) & 0x7fff;
    ts->port_hi = ts->port_lo + (uint16_t)(*x & 0x7fff);
    for (size_t i = 0; i < (ts->family == 4 ? 4u : 16u); i++) {
        *x = *x * 1664525 + 1013904223;
        ts->lo[i] = ts->hi[i] = (uint8_t)(*x >> 24);
    }
    ts->hi[3] |= 0x3f;
}

static void what_is_put_is_got(void **state)
{
    static struct adit_ts sent[ADIT_TS_MAX];
    static struct adit_ts_list list;
    uint32_t x = 3;
    for (uint16_t round = 0; round < 500; round++) {
        uint16_t n = 1 + round % ADIT_TS_MAX;
        unsigned unknown;
        struct wr w;
        for (uint16_t i = 0; i < n; i++)
            random_ts(&x, &sent[i]);
        begin_message(&w);
        ts_put(&w, PLD_TSr, sent, n);
        struct rd in = only_payload(&w, PLD_TSr);
        assert_true(ts_get(&in, &list, &unknown));
        assert_true(list.n == n && unknown == 0);
        assert_memory_equal(list.v, sent, n * sizeof(*sent));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_judged),
        cmocka_unit_test(fields_are_in_their_place),
        cmocka_unit_test(the_first_64_selectors_count),
        cmocka_unit_test(what_is_put_is_got),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
