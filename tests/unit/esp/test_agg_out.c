/* test_agg_out.c - packets to payloads: every octet of each payload, what is not cut, a queue with an end. */
#include "esp_fixture.h"
#include "base/mem.h"
#include "esp/agg.h"

static uint8_t payload[3000], packet[2000];

static size_t packet4(size_t n)
{
    return sample4(packet, n);
}

static void put(struct agg_out *out, size_t n)
{
    assert_true(agg_out_put(out, packet, (uint32_t)packet4(n), 1));
}

/* Rooms and packets; what each payload says. */
static void payloads(void **state)
{
    static const struct {
        const char *what;
        bool whole, pad;
        uint32_t packets[4], room;
        struct {
            uint32_t n, offset, inner;
        } want[4];
    } rows[] = {
        { "one packet", false, false, { 100 }, 1000, { { 104, 0, 100 } } },
        { "several in one", false, false, { 100, 200, 300 }, 1000, { { 604, 0, 600 } } },
        { "one in several", false, false, { 1000 }, 404, { { 404, 0, 400 }, { 404, 600, 400 }, { 204, 200, 200 } } },
        { "both", false, false, { 300, 300 }, 404, { { 404, 0, 400 }, { 204, 200, 200 } } },
        { "padded to one size", false, true, { 100 }, 404, { { 404, 0, 100 } } },
        { "nothing but padding", false, true, { 0 }, 404, { { 404, 0, 0 } } },
        { "padded behind the last", false, true, { 500 }, 404, { { 404, 0, 400 }, { 404, 100, 100 } } },
        { "whole ones only", true, false, { 300, 300, 50 }, 404, { { 304, 0, 300 }, { 354, 0, 350 } } },
        { "whole ones, padded", true, true, { 300, 300 }, 404, { { 404, 0, 300 }, { 404, 0, 300 } } },
        { "no room for a length", false, false, { 395, 100 }, 404, { { 399, 0, 395 }, { 104, 0, 100 } } },
        { "just room for a length", false, false, { 394, 100 }, 404, { { 404, 0, 400 }, { 98, 94, 94 } } },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct agg_out out;
        uint32_t inner;
        agg_out_init(&out, 100000, rows[i].whole);
        for (size_t k = 0; k < 4 && rows[i].packets[k]; k++)
            put(&out, rows[i].packets[k]);
        for (size_t k = 0; k < 4 && rows[i].want[k].n; k++) {
            memset(payload, 0x5a, sizeof(payload));
            uint32_t n = agg_out_fill(&out, payload, rows[i].room, rows[i].pad, &inner);
            assert_row(rows[i].what, n == rows[i].want[k].n && inner == rows[i].want[k].inner);
            assert_row(rows[i].what, be16_get(payload) == 0 && be16_get(payload + 2) == rows[i].want[k].offset);
            for (uint32_t at = AGG_HDR_SIZE + inner; at < n; at++)
                assert_row(rows[i].what, payload[at] == 0);
            assert_row(rows[i].what, payload[n] == 0x5a);
        }
        assert_row(rows[i].what, out.n == 0 && out.left == 0);
        agg_out_fini(&out);
    }
}

static void the_queue_has_an_end(void **state)
{
    struct agg_out out;
    uint32_t inner;
    agg_out_init(&out, 1000, false);
    put(&out, 600);
    assert_false(agg_out_put(&out, packet, (uint32_t)packet4(401), 1));
    put(&out, 400);
    assert_false(agg_out_put(&out, packet, (uint32_t)packet4(28), 1));
    agg_out_fill(&out, payload, 32, false, &inner);
    put(&out, 28);
    agg_out_fini(&out);
    agg_out_init(&out, 100, false); /* a packet larger than the whole queue */
    assert_false(agg_out_put(&out, packet, (uint32_t)packet4(101), 1));
    agg_out_fini(&out);
}

/* The ring goes round and grows in the middle of that; all octets come out in order. */
static void octets_stay_in_order(void **state)
{
    struct agg_out out;
    uint64_t seed = 5, in_at = 0, out_at = 0;
    uint32_t inner;
    agg_out_init(&out, 1 << 20, false);
    for (int i = 0; i < 20000; i++) {
        size_t n = 28 + next_random(&seed) % 1400;
        packet4(n);
        for (size_t k = 28; k < n; k++)
            packet[k] = (uint8_t)(in_at + k);
        if (agg_out_put(&out, packet, (uint32_t)n, 1))
            in_at += n;
        unsigned drains = (unsigned)(next_random(&seed) % (i % 1000 < 500 ? 2 : 4));
        for (unsigned k = 0; k < drains && out.n; k++) {
            agg_out_fill(&out, payload, 1000, false, &inner);
            out_at += inner;
        }
        assert_int_equal(in_at - out_at, out.n);
    }
    agg_out_fini(&out);
}

static bool never(void *arg, size_t n)
{
    return false;
}

static void without_memory_it_is_full(void **state)
{
    struct agg_out out;
    agg_out_init(&out, 1000, false);
    mem_set_gate(never, NULL);
    bool took = agg_out_put(&out, packet, (uint32_t)packet4(100), 1);
    mem_set_gate(NULL, NULL);
    assert_false(took);
    put(&out, 100);
    agg_out_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(payloads), cmocka_unit_test(the_queue_has_an_end),
                                        cmocka_unit_test(octets_stay_in_order),
                                        cmocka_unit_test(without_memory_it_is_full) };
    return cmocka_run_group_tests_name("esp/agg_out", tests, NULL, NULL);
}
