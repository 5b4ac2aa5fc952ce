/* test_payload.c - the chain of payloads. */
#include "wire_test.h"

static struct payload_list list;

static const struct {
    const char *what, *hex;
    uint8_t first;
    const char *reason; /* NULL = good */
    uint16_t n;
    uint8_t inner;
} rows[] = {
    { "no payload", "", 0, NULL, 0, 0 },
    { "octets after no payload", "00", 0, "octets left over", 0, 0 },
    { "one", "0000000561", PLD_NONCE, NULL, 1, 0 },
    { "empty body", "00000004", PLD_VENDOR, NULL, 1, 0 },
    { "two", "2b000005 61 00000004", PLD_NONCE, NULL, 2, 0 },
    { "length 3", "00000003", PLD_NONCE, "payload length below 4", 0, 0 },
    { "length 0", "00000000", PLD_NONCE, "payload length below 4", 0, 0 },
    { "length beyond the end", "0000000661", PLD_NONCE, "too short", 0, 0 },
    { "header cut", "000000", PLD_NONCE, "too short", 0, 0 },
    { "second one is not there", "2b00000561", PLD_NONCE, "too short", 1, 0 },
    { "octets left over", "000000056100", PLD_NONCE, "octets left over", 1, 0 },
    { "reserved bits are ignored", "007f000561", PLD_NONCE, NULL, 1, 0 },
    { "unknown type is kept", "00000005 61", 200, NULL, 1, 0 },
    { "SK ends the chain", "2e000005 61 23000006 6162", PLD_NONCE, NULL, 2, PLD_IDi },
    { "nothing may follow SK", "23000006 6162 00000004", PLD_SK, "octets left over", 1, PLD_IDi },
    { "later SKF names no payload", "00000008 00020002", PLD_SKF, NULL, 1, 0 },
};

static void chains_are_walked(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t inner = 99;
        struct rd in = rd_init(unhex(rows[i].hex));
        assert_row(rows[i].what, payloads_get(&in, rows[i].first, &list, &inner) == !rows[i].reason);
        assert_row(rows[i].what, list.n == rows[i].n);
        if (rows[i].reason)
            assert_row(rows[i].what, strcmp(in.fail, rows[i].reason) == 0);
        else
            assert_row(rows[i].what, inner == rows[i].inner);
        assert_row(rows[i].what, list.n == 0 || list.v[0].type == rows[i].first);
    }
}

static void the_critical_bit_is_seen(void **state)
{
    struct rd in = rd_init(unhex("c9800004 00000004"));
    assert_true(payloads_get(&in, 200, &list, NULL));
    assert_true(list.v[0].critical && list.v[0].type == 200);
    assert_true(!list.v[1].critical && list.v[1].type == 201);
}

static void at_most_256_payloads(void **state)
{
    static uint8_t mem[300 * 4];
    for (size_t n = 255; n <= 257; n++) {
        for (size_t i = 0; i < n; i++)
            memcpy(mem + i * 4, i + 1 == n ? "\0\0\0\4" : "\x2b\0\0\4", 4);
        struct rd in = rd_init(guard_copy(span(mem, n * 4)));
        assert_int_equal(payloads_get(&in, PLD_VENDOR, &list, NULL), n <= PAYLOADS_MAX);
    }
    assert_int_equal(list.n, PAYLOADS_MAX);
}

static void payloads_are_found_by_type_and_place(void **state)
{
    struct rd in = rd_init(unhex("29000005 61 2b000005 62 29000005 63 00000005 64"));
    assert_true(payloads_get(&in, PLD_VENDOR, &list, NULL)); /* V N V N */
    assert_int_equal(payloads_find(&list, PLD_NOTIFY, 0)->body.p[0], 'b');
    assert_int_equal(payloads_find(&list, PLD_NOTIFY, 1)->body.p[0], 'd');
    assert_int_equal(payloads_find(&list, PLD_VENDOR, 1)->body.p[0], 'c');
    assert_null(payloads_find(&list, PLD_NOTIFY, 2));
    assert_null(payloads_find(&list, PLD_KE, 0));
}

static void a_message_links_itself(void **state)
{
    struct wr w;
    struct ike_hdr hdr;
    begin_message(&w);
    nonce_put(&w, SPAN_LIT("0123456789abcdef"));
    notify_put(&w, N_COOKIE, SPAN_LIT("x"));
    vendor_put(&w, SPAN_LIT("v"));
    ike_hdr_close(&w, 0);
    struct rd in = rd_init(guard_copy(wr_written(&w)));
    assert_true(ike_hdr_get(&in, &hdr) && payloads_get(&in, hdr.next, &list, NULL));
    assert_int_equal(list.n, 3);
    assert_int_equal(list.v[0].type, PLD_NONCE);
    assert_int_equal(list.v[1].type, PLD_NOTIFY);
    assert_int_equal(list.v[2].type, PLD_VENDOR);
}

static void inner_chains_begin_with_their_type(void **state)
{
    uint8_t mem[64];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    wr_chain(&w);
    assert_true(wr_ok(&w) && mem[0] == PLD_NONE);
    vendor_put(&w, SPAN_LIT("v"));
    auth_put(&w, AUTH_NULL, SPAN_LIT("a"));
    assert_int_equal(mem[0], PLD_VENDOR);
    struct rd in = rd_init(guard_copy(span_from(wr_written(&w), 1)));
    assert_true(payloads_get(&in, mem[0], &list, NULL));
    assert_int_equal(list.n, 2);
    assert_int_equal(list.v[1].type, PLD_AUTH);
}

static void overflow_sticks(void **state)
{
    uint8_t mem[IKE_HDR_SIZE + 8];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    ike_hdr_put(&w, &(struct ike_hdr){ 0 });
    vendor_put(&w, SPAN_LIT("fits"));
    assert_true(wr_ok(&w));
    vendor_put(&w, SPAN_NONE);
    ike_hdr_close(&w, 0);
    assert_false(wr_ok(&w));
}

/* What fits into 16 bits is the same in both dialects. */
static void lengths_at_the_edges(void **state)
{
    static const struct {
        uint32_t n;
        enum payload_format f;
        const char *octets; /* NULL: cannot be said */
    } edges[] = {
        { 4, PAYLOAD_RFC7296, "22000004" },        { 65531, PAYLOAD_RFC7296, "2200fffb" },
        { 65535, PAYLOAD_RFC7296, "2200ffff" },    { 65536, PAYLOAD_RFC7296, NULL },
        { 4, PAYLOAD_RESERVED23, "22000004" },     { 65531, PAYLOAD_RESERVED23, "2200fffb" },
        { 65532, PAYLOAD_RESERVED23, "2200fffc" }, { 65535, PAYLOAD_RESERVED23, "2200ffff" },
        { 65536, PAYLOAD_RESERVED23, "22010000" }, { 1044992 + 8, PAYLOAD_RESERVED23, "220ff208" },
        { 8388607, PAYLOAD_RESERVED23, "227fffff" }, { 8388608, PAYLOAD_RESERVED23, NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
        uint8_t mem[4];
        struct wr w;
        struct payload_hdr h;
        wr_init(&w, mem, sizeof(mem));
        payload_hdr_put(&w, edges[i].f, (struct payload_hdr){ PLD_KE, 0, edges[i].n });
        assert_int_equal(wr_ok(&w), edges[i].octets != NULL);
        if (!edges[i].octets)
            continue;
        assert_true(span_equal(wr_written(&w), unhex(edges[i].octets)));
        struct rd in = rd_init(unhex(edges[i].octets));
        assert_true(payload_hdr_get(&in, edges[i].f, &h) && h.next == PLD_KE && h.flags == 0 && h.n == edges[i].n);
    }
}

static void the_critical_bit_is_no_length(void **state)
{
    uint8_t mem[4];
    struct wr w;
    struct payload_hdr h;
    struct rd in = rd_init(unhex("22ff0001"));
    assert_true(payload_hdr_get(&in, PAYLOAD_RESERVED23, &h) && h.flags == 0x80 && h.n == 0x7f0001);
    wr_init(&w, mem, sizeof(mem));
    payload_hdr_put(&w, PAYLOAD_RESERVED23, h);
    assert_true(span_equal(wr_written(&w), unhex("22ff0001")));
    in = rd_init(unhex("22ff0005"));
    assert_true(payload_hdr_get(&in, PAYLOAD_RFC7296, &h) && h.flags == 0xff && h.n == 5);
}

static uint8_t big[8388607 + 16];

/* A chain of one payload with `n` octets in `room` octets. */
static bool reads(uint8_t type, uint32_t n, size_t room)
{
    struct wr w;
    wr_init(&w, big, sizeof(big));
    payload_hdr_put(&w, PAYLOAD_RESERVED23, (struct payload_hdr){ .n = n });
    struct rd in = rd_init(span(big, room));
    bool good = payloads_get_as(&in, PAYLOAD_RESERVED23, type, &list, NULL);
    assert_true(!good || (list.n == 1 && list.v[0].body.n == n - 4));
    return good;
}

static void long_payloads_are_read(void **state)
{
    static const uint32_t n[] = { 65531, 65532, 65535, 65536, 1045000, 8388607 };
    for (size_t i = 0; i < ARRAY_LEN(n); i++) {
        assert_true(reads(PLD_KE, n[i], n[i]));
        assert_false(reads(PLD_KE, n[i], n[i] - 1)); /* beyond the end */
        assert_false(reads(PLD_KE, n[i], n[i] + 1)); /* octets left over */
        assert_int_equal(reads(PLD_NOTIFY, n[i], n[i]), n[i] <= 65535);
        assert_int_equal(reads(PLD_TSi, n[i], n[i]), n[i] <= 65535);
        assert_true(reads(PLD_CERT, n[i], n[i]) && reads(PLD_AUTH, n[i], n[i]) && reads(200, n[i], n[i]));
    }
}

static void long_payloads_are_written(void **state)
{
    static const size_t n[] = { 65531, 65532, 65535, 65536, 8388607 };
    for (size_t i = 0; i < ARRAY_LEN(n); i++)
        for (int f = PAYLOAD_RFC7296; f <= PAYLOAD_RESERVED23; f++) {
            struct wr w;
            wr_init(&w, big, sizeof(big));
            wr_chain(&w);
            wr_format(&w, (enum payload_format)f);
            struct wr_mark mark = wr_payload(&w, PLD_KE);
            wr_zero(&w, n[i] - 4);
            wr_payload_end(&w, mark);
            assert_int_equal(wr_ok(&w), f == PAYLOAD_RESERVED23 || n[i] <= 65535);
            struct rd in = rd_init(span(big + 1, n[i]));
            if (wr_ok(&w))
                assert_true(payloads_get_as(&in, (enum payload_format)f, PLD_KE, &list, NULL) && list.n == 1);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_are_walked),      cmocka_unit_test(the_critical_bit_is_seen),
        cmocka_unit_test(at_most_256_payloads),   cmocka_unit_test(payloads_are_found_by_type_and_place),
        cmocka_unit_test(a_message_links_itself), cmocka_unit_test(inner_chains_begin_with_their_type),
        cmocka_unit_test(overflow_sticks),
        cmocka_unit_test(lengths_at_the_edges),   cmocka_unit_test(the_critical_bit_is_no_length),
        cmocka_unit_test(long_payloads_are_read), cmocka_unit_test(long_payloads_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
