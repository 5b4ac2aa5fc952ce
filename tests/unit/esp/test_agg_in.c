/* test_agg_in.c - payloads to packets: rows of payloads octet by octet, bounds in memory and time, and a property over
 * networks that lose, reorder and repeat: what comes out is what went in, whole, and once. */
#include <stdlib.h>
#include "esp_fixture.h"
#include "base/mem.h"
#include "esp/agg.h"

#define MAX 4000

/* Packets that came out: lengths, and the number that each carries. */
static struct {
    unsigned n;
    uint32_t size[MAX], number[MAX];
} got;

/* A v4 packet whose octets all follow from its number: 20 octets of header, number, contents. */
static uint32_t make(uint8_t *p, uint32_t number, uint32_t n)
{
    memset(p, 0, 20);
    p[0] = 0x45;
    be16_put(p + 2, (uint16_t)n);
    be32_put(p + 20, number);
    for (uint32_t i = 24; i < n; i++)
        p[i] = (uint8_t)(number * 31 + i);
    return n;
}

static void came(void *arg, uint8_t *p, uint32_t n)
{
    static uint8_t want[AGG_INNER_MAX];
    assert_true(n >= 24 && got.n < MAX);
    make(want, be32_get(p + 20), n);
    assert_memory_equal(p, want, n);
    got.size[got.n] = n;
    got.number[got.n++] = be32_get(p + 20);
}

static const struct agg_sink sink = { came, NULL };

/* Payloads, described: sub-type, BlockOffset, then pieces of the stream of packets 1, 2, 3 of 100 octets each. */
struct piece {
    int type; /* sub-type; -1: none follows */
    uint16_t offset;
    int from, n; /* octets of the stream; from < 0: -from octets of 0x00 */
    uint8_t first; /* if not 0: the first octet instead */
    uint64_t seq;
};
static const struct {
    const char *what;
    bool whole;
    struct piece piece[5];
    unsigned packets;
    uint64_t lost;
    uint32_t number[3];
} rows[] = {
    { "three whole ones", false, { { 0, 0, 0, 300, 0, 1 }, { -1 } }, 3, 0, { 1, 2, 3 } },
    { "one and padding", false, { { 0, 0, 0, 100, 0, 1 }, { 0, 0, -50, 0, 0, 2 }, { -1 } }, 1, 0, { 1 } },
    { "an empty payload", false, { { 0, 0, 0, 0, 0, 1 }, { 0, 0, 0, 100, 0, 2 }, { -1 } }, 1, 0, { 1 } },
    { "cut in two", false, { { 0, 0, 0, 150, 0, 1 }, { 0, 50, 150, 50, 0, 2 }, { -1 } }, 2, 0, { 1, 2 } },
    { "cut in three", false, { { 0, 0, 0, 30, 0, 1 }, { 0, 70, 30, 30, 0, 2 }, { 0, 40, 60, 140, 0, 3 }, { -1 } }, 2, 0, { 1, 2 } },
    { "padding between the pieces", false, { { 0, 0, 0, 30, 0, 1 }, { 0, 0, -100, 0, 0, 2 }, { 0, 70, 30, 70, 0, 3 }, { -1 } }, 1, 0, { 1 } },
    { "another sub-type between the pieces", false, { { 0, 0, 0, 30, 0, 1 }, { 7, 0, 0, 30, 0, 2 }, { 0, 70, 30, 70, 0, 3 }, { -1 } }, 1, 0, { 1 } },
    { "cut within the length", false, { { 0, 0, 0, 3, 0, 1 }, { 0, 97, 3, 97, 0, 2 }, { -1 } }, 1, 0, { 1 } },
    { "an octet at a time", false, { { 0, 0, 0, 1, 0, 1 }, { 0, 99, 1, 1, 0, 2 }, { 0, 98, 2, 1, 0, 3 }, { 0, 97, 3, 97, 0, 4 }, { -1 } }, 1, 0, { 1 } },
    { "with congestion control", false, { { 1, 0, 0, 150, 0, 1 }, { 1, 50, 150, 150, 0, 2 }, { -1 } }, 3, 0, { 1, 2, 3 } },
    { "offset beyond the payload, for the first", false, { { 0, 200, 50, 50, 0, 1 }, { 0, 0, 100, 100, 0, 2 }, { -1 } }, 1, 0, { 2 } },
    { "rest of what was never begun", false, { { 0, 50, 50, 150, 0, 1 }, { -1 } }, 1, 0, { 2 } },
    { "the rest does not come", false, { { 0, 0, 0, 150, 0, 1 }, { 0, 0, 200, 100, 0, 2 }, { -1 } }, 2, 1, { 1, 3 } },
    { "the rest has another length", false, { { 0, 0, 0, 150, 0, 1 }, { 0, 49, 151, 149, 0, 2 }, { -1 } }, 2, 1, { 1, 3 } },
    { "the length was another", false, { { 0, 0, 0, 3, 0, 1 }, { 0, 96, 4, 196, 0, 2 }, { -1 } }, 1, 1, { 2 } },
    { "shorter than its own length field", false, { { 0, 0, 0, 2, 0, 1 }, { 0, 1, 2, 1, 0, 2 }, { 0, 0, 100, 100, 0, 3 }, { -1 } }, 1, 1, { 2 } },
    { "neither IP nor padding", false, { { 0, 0, 0, 100, 0x57, 1 }, { 0, 0, 100, 100, 0, 2 }, { -1 } }, 1, 0, { 2 } },
    { "IP and rubbish", false, { { 0, 100, 0, 100, 0x57, 1 }, { 0, 0, 100, 100, 0, 2 }, { -1 } }, 1, 0, { 2 } },
    { "fragments are not taken", true, { { 0, 0, 0, 150, 0, 1 }, { 0, 50, 150, 150, 0, 2 }, { -1 } }, 2, 1, { 1, 3 } },
    { "out of order", false, { { 0, 50, 150, 50, 0, 2 }, { 0, 0, 0, 150, 0, 1 }, { -1 } }, 2, 0, { 1, 2 } },
    { "twice", false, { { 0, 50, 150, 50, 0, 2 }, { 0, 50, 150, 50, 0, 2 }, { 0, 0, 0, 150, 0, 1 }, { 0, 0, 0, 150, 0, 1 }, { -1 } }, 2, 0, { 1, 2 } },
    { "one is lost, the window goes on", false, { { 0, 0, 0, 150, 0, 1 }, { 0, 0, 200, 100, 0, 9 }, { -1 } }, 1, 1, { 1 } },
};

static void feed(struct agg_in *in, const struct piece *c, const uint8_t *stream, uint64_t now)
{
    uint8_t p[2000] = { (uint8_t)c->type };
    uint32_t head = c->type == 1 ? AGG_CC_HDR_SIZE : AGG_HDR_SIZE, n = (uint32_t)(c->from < 0 ? -c->from : c->n);
    be16_put(p + 2, c->offset);
    if (c->from >= 0)
        memcpy(p + head, stream + c->from, n);
    if (c->first)
        p[head] = c->first;
    agg_in_put(in, c->seq, p, head + n, now, &sink);
}

static void each_payload(void **state)
{
    uint8_t stream[300];
    for (uint32_t i = 0; i < 3; i++)
        make(stream + 100 * i, i + 1, 100);
    for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
        struct agg_in in;
        agg_in_init(&in, 3, SECOND, rows[r].whole);
        got.n = 0;
        for (const struct piece *c = rows[r].piece; c->type >= 0; c++)
            feed(&in, c, stream, 1);
        assert_row(rows[r].what, got.n == rows[r].packets);
        for (unsigned i = 0; i < got.n; i++)
            assert_row(rows[r].what, got.number[i] == rows[r].number[i] && got.size[i] == 100);
        assert_row(rows[r].what, in.lost == rows[r].lost);
        agg_in_fini(&in);
    }
}

/* Every length of a payload, from nothing on. */
static void cut_short(void **state)
{
    uint8_t p[200] = { 0 }, stream[100];
    make(stream, 1, 100);
    for (unsigned type = 0; type < 3; type++)
        for (uint32_t n = 0; n < 124; n++) {
            struct agg_in in;
            uint8_t *exact = malloc(n + !n); /* a sanitizer watches its end */
            p[0] = (uint8_t)type;
            memcpy(p + (type == 1 ? 24 : 4), stream, 100);
            memcpy(exact, p, n);
            got.n = 0;
            agg_in_init(&in, 3, SECOND, false);
            agg_in_put(&in, 1, exact, n, 1, &sink);
            assert_int_equal(got.n, (type == 0 && n >= 104) || (type == 1 && n >= 124));
            agg_in_fini(&in);
            free(exact);
        }
}

static void lengths_that_lie(void **state)
{
    static const struct {
        const char *what;
        uint8_t p[8];
        uint32_t n, size;
    } lies[] = {
        { "nothing", { 0 }, 0, 0 },
        { "v4, too little to tell", { 0x45, 0, 0 }, 3, 0 },
        { "v4", { 0x45, 0, 0, 20 }, 4, 20 },
        { "v4, shorter than a header", { 0x45, 0, 0, 19 }, 4, UINT32_MAX },
        { "v4, the longest", { 0x45, 0, 0xff, 0xff }, 4, 65535 },
        { "v6, too little to tell", { 0x60, 0, 0, 0, 0 }, 5, 0 },
        { "v6", { 0x60, 0, 0, 0, 0, 8 }, 6, 48 },
        { "v6, the longest", { 0x60, 0, 0, 0, 0xff, 0xff }, 6, 65575 },
    };
    for (size_t i = 0; i < ARRAY_LEN(lies); i++)
        assert_row(lies[i].what, agg_inner_size(lies[i].p, lies[i].n) == lies[i].size);
}

static void a_missing_one_is_waited_for(void **state)
{
    uint8_t stream[300];
    struct agg_in in;
    for (uint32_t i = 0; i < 3; i++)
        make(stream + 100 * i, i + 1, 100);
    agg_in_init(&in, 3, SECOND, false);
    got.n = 0;
    assert_true(agg_in_due(&in) == UINT64_MAX);
    feed(&in, &(struct piece){ 0, 0, 100, 100, 0, 2 }, stream, SECOND);
    feed(&in, &(struct piece){ 0, 0, 200, 100, 0, 4 }, stream, SECOND * 3 / 2);
    assert_int_equal(got.n, 0);
    assert_true(agg_in_due(&in) == 2 * SECOND);
    agg_in_expire(&in, 2 * SECOND - 1, &sink);
    assert_int_equal(got.n, 0);
    agg_in_expire(&in, 2 * SECOND, &sink);
    assert_true(got.n == 1 && got.number[0] == 2 && in.next == 3 && in.n_held == 1);
    feed(&in, &(struct piece){ 0, 0, 0, 100, 0, 1 }, stream, 2 * SECOND); /* too late */
    assert_int_equal(got.n, 1);
    assert_true(agg_in_due(&in) == SECOND * 5 / 2);
    agg_in_expire(&in, SECOND * 5 / 2, &sink);
    assert_true(got.n == 2 && got.number[1] == 3 && in.n_held == 0 && agg_in_due(&in) == UINT64_MAX);
    agg_in_fini(&in);
}

/* A packet that nobody goes on with is not kept for ever. */
static void a_part_is_forgotten(void **state)
{
    uint8_t stream[100];
    struct agg_in in;
    make(stream, 1, 100);
    agg_in_init(&in, 3, SECOND, false);
    feed(&in, &(struct piece){ 0, 0, 0, 50, 0, 1 }, stream, SECOND);
    assert_true(in.part && agg_in_due(&in) == 11 * SECOND);
    agg_in_expire(&in, 11 * SECOND, &sink);
    assert_true(!in.part && in.lost == 1 && agg_in_due(&in) == UINT64_MAX);
    agg_in_fini(&in);
}

static bool never(void *arg, size_t n)
{
    return false;
}

static void without_memory_packets_are_lost(void **state)
{
    uint8_t stream[300];
    struct agg_in in;
    for (uint32_t i = 0; i < 3; i++)
        make(stream + 100 * i, i + 1, 100);
    agg_in_init(&in, 3, SECOND, false);
    got.n = 0;
    mem_set_gate(never, NULL);
    feed(&in, &(struct piece){ 0, 0, 0, 150, 0, 1 }, stream, 1);
    feed(&in, &(struct piece){ 0, 0, 200, 100, 0, 3 }, stream, 1);
    feed(&in, &(struct piece){ 0, 50, 150, 50, 0, 2 }, stream, 1);
    mem_set_gate(NULL, NULL);
    assert_true(got.n == 1 && got.number[0] == 1 && in.lost == 1 && in.n_held == 0 && in.next == 3);
    agg_in_fini(&in);
}

/* --- a bad network ------------------------------------------------------------------------------------------------- */

#define PAYLOADS 600
static struct {
    uint8_t p[1500];
    uint32_t n;
} wire[PAYLOADS];

struct weather {
    const char *what;
    unsigned lose, repeat, late; /* per cent */
    uint32_t window;
    bool pad, whole;
};

static size_t fill_wire(const struct weather *w, uint64_t *seed, uint32_t *packets)
{
    static uint8_t packet[AGG_INNER_MAX];
    struct agg_out out;
    size_t n = 0;
    uint32_t inner;
    agg_out_init(&out, 1 << 20, w->whole);
    while (n < PAYLOADS) {
        uint32_t size = 24 + (uint32_t)(next_random(seed) % (next_random(seed) % 8 || w->whole ? 400 : 9000));
        if (next_random(seed) % 4 && agg_out_put(&out, packet, make(packet, *packets, size), 0))
            ++*packets;
        if (!out.n && !w->pad)
            continue;
        wire[n].n = agg_out_fill(&out, wire[n].p, 500 + (uint32_t)(next_random(seed) % 900), w->pad, &inner);
        n++;
    }
    agg_out_fini(&out);
    return n;
}

/* Each packet at most once, in order, and all of them if nothing is missing. (came() looks at every octet.) */
static void run_weather(const struct weather *w, uint64_t seed)
{
    struct agg_in in;
    uint32_t packets = 0;
    static uint64_t order[PAYLOADS * 2];
    size_t n = fill_wire(w, &seed, &packets), m = 0;
    for (uint64_t i = 0; i < n; i++) {
        if (next_random(&seed) % 100 < w->lose)
            continue;
        order[m++] = i;
        if (next_random(&seed) % 100 < w->repeat)
            order[m++] = i;
    }
    for (size_t i = 0; i + 8 < m; i++)
        if (next_random(&seed) % 100 < w->late) {
            size_t to = i + 1 + next_random(&seed) % 3;
            uint64_t x = order[i];
            memmove(&order[i], &order[i + 1], (to - i) * sizeof(x));
            order[to] = x;
            i = to;
        }
    got.n = 0;
    agg_in_init(&in, w->window, SECOND, false);
    for (size_t i = 0; i < m; i++) {
        uint8_t copy[1500];
        memcpy(copy, wire[order[i]].p, wire[order[i]].n);
        agg_in_put(&in, order[i] + 1, copy, wire[order[i]].n, i, &sink);
    }
    agg_in_expire(&in, 100 * SECOND, &sink);
    assert_row(w->what, in.n_held == 0);
    for (unsigned i = 0; i < got.n; i++)
        assert_row(w->what, got.number[i] < packets && (!i || got.number[i] > got.number[i - 1]));
    bool complete = !w->lose && (!w->late || w->window >= 8);
    assert_row(w->what, complete ? got.n + 40 >= packets && in.lost <= 1 : got.n > packets / 8);
    for (unsigned i = 0; complete && i < got.n; i++)
        assert_row(w->what, got.number[i] == i);
    agg_in_fini(&in);
}

static void whole_or_not_at_all(void **state)
{
    static const struct weather weathers[] = {
        { "fair", 0, 0, 0, 3, false, false },
        { "fair, constant", 0, 0, 0, 3, true, false },
        { "whole packets", 0, 0, 0, 3, true, true },
        { "repeats", 0, 30, 0, 3, false, false },
        { "reorders", 0, 0, 20, 8, false, false },
        { "reorders more than the window", 0, 10, 20, 1, false, false },
        { "no window", 0, 10, 20, 0, false, false },
        { "loses", 10, 0, 0, 3, false, false },
        { "all at once", 10, 10, 20, 3, false, false },
        { "all at once, constant", 30, 30, 30, 64, true, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(weathers); i++)
        for (uint64_t seed = 1; seed <= 60; seed++)
            run_weather(&weathers[i], seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_payload),
        cmocka_unit_test(cut_short),
        cmocka_unit_test(lengths_that_lie),
        cmocka_unit_test(a_missing_one_is_waited_for),
        cmocka_unit_test(a_part_is_forgotten),
        cmocka_unit_test(without_memory_packets_are_lost),
        cmocka_unit_test(whole_or_not_at_all),
    };
    return cmocka_run_group_tests_name("esp/agg_in", tests, NULL, NULL);
}
