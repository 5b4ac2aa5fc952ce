/* test_replay.c - the window against rows and against a model that simply remembers every number. */
#include "esp_fixture.h"
#include "esp/esn.h"

#define TOP UINT64_C(100000)

static void edges_of_the_window(void **state)
{
    static const struct {
        const char *what;
        uint32_t size;
        uint64_t seq;
        bool fresh;
    } rows[] = {
        { "newer", 64, TOP + 1, true },
        { "far newer", 64, TOP + 1000000, true },
        { "largest number", 64, UINT64_MAX, true },
        { "top again", 64, TOP, false },
        { "left edge", 64, TOP - 63, true },
        { "left of the edge", 64, TOP - 64, false },
        { "zero", 64, 0, false },
        { "left edge, odd size", 100, TOP - 99, true },
        { "left of the edge, odd size", 100, TOP - 100, false },
        { "left edge, size of a ring", 4096, TOP - 4095, true },
        { "left of it, size of a ring", 4096, TOP - 4096, false },
        { "left edge, smallest", 1, TOP - 1, false },
        { "left edge, largest", 65536, TOP - 65535, true },
        { "left of it, largest", 65536, TOP - 65536, false },
        { "cut to the largest", 1000000, TOP - 65536, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct replay w;
        assert_int_equal(replay_init(&w, rows[i].size), ADIT_OK);
        assert_true(replay_update(&w, TOP));
        assert_row(rows[i].what, replay_check(&w, rows[i].seq) == rows[i].fresh);
        assert_row(rows[i].what, replay_update(&w, rows[i].seq) == rows[i].fresh);
        assert_row(rows[i].what, !replay_check(&w, rows[i].seq));
        replay_fini(&w);
    }
}

static void a_fresh_window_takes_one_but_not_zero(void **state)
{
    struct replay w;
    assert_int_equal(replay_init(&w, 64), ADIT_OK);
    assert_false(replay_check(&w, 0));
    assert_true(replay_update(&w, 1));
    assert_false(replay_update(&w, 1));
    replay_fini(&w);
}

static void a_window_that_is_off_takes_all_and_keeps_the_top(void **state)
{
    struct replay w;
    assert_int_equal(replay_init(&w, 0), ADIT_OK);
    assert_null(w.bits);
    assert_true(replay_update(&w, 7));
    assert_true(replay_update(&w, 7));
    assert_true(replay_update(&w, 3));
    assert_int_equal(w.top, 7);
    replay_fini(&w);
}

static void memory_is_as_small_as_the_window(void **state)
{
    static const uint32_t rows[][2] = {
        { 1, 64 }, { 64, 64 }, { 65, 128 }, { 4096, 4096 }, { 65536, 65536 }
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct replay w;
        assert_int_equal(replay_init(&w, rows[i][0]), ADIT_OK);
        assert_int_equal(w.ring, rows[i][1]);
        replay_fini(&w);
    }
    unsigned none = 0;
    struct replay w;
    mem_set_gate(gate_countdown, &none);
    assert_int_equal(replay_init(&w, 64), ADIT_ERR_MEMORY);
    mem_set_gate(NULL, NULL);
}

/* The model: every number ever accepted, in a ring far longer than any window or jump used here. */
#define MODEL (1 << 20)
struct model {
    uint64_t top;
    uint32_t size;
    uint64_t taken[MODEL]; /* number + 1 */
};

static bool model_update(struct model *m, uint64_t seq)
{
    if (seq == 0 || (m->top >= m->size && seq <= m->top - m->size) || m->taken[seq % MODEL] == seq + 1)
        return false;
    m->taken[seq % MODEL] = seq + 1;
    m->top = seq > m->top ? seq : m->top;
    return true;
}

/* Mostly near the top, sometimes far ahead, as a lossy and reordering network would have it. */
static uint64_t pick(uint64_t top, uint32_t size, uint64_t *rnd)
{
    uint64_t r = next_random(rnd);
    switch (r >> 60) {
    case 0: return top + (r & 0x3fff);
    case 1: return top + (r & 0xff);
    case 2:
    case 3:
    case 4: return top + 1;
    default: r = (r & 0xffffffff) % (size + size / 4 + 4); return top > r ? top - r : r & 3;
    }
}

static void agrees_with_the_model(uint32_t size, uint64_t start, uint64_t seed)
{
    static struct model m;
    struct replay w;
    memset(&m, 0, sizeof(m));
    m.size = size;
    m.top = start;
    assert_int_equal(replay_init(&w, size), ADIT_OK);
    w.top = start;
    for (int i = 0; i < 60000; i++) {
        uint64_t seq = pick(w.top, size, &seed);
        bool check = replay_check(&w, seq);
        bool expect = model_update(&m, seq);
        assert_int_equal(check, expect);
        assert_int_equal(replay_update(&w, seq), expect);
        assert_int_equal(w.top, m.top);
    }
    replay_fini(&w);
}

static void agrees_with_the_model_for_all_sizes(void **state)
{
    static const uint32_t sizes[] = { 1, 2, 32, 63, 64, 65, 127, 128, 1000, 4096, 5000, 65536 };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        agrees_with_the_model(sizes[i], 0, i + 1);
        agrees_with_the_model(sizes[i], (UINT64_C(1) << 32) - 30000, i + 100);
    }
}

/* Only low halves travel. Each number that the window would take has to be found again, on both sides of 2^32. */
static void extended_numbers_cross_two_to_the_32(void **state)
{
    static const uint32_t sizes[] = { 32, 64, 4096, 65536 };
    uint64_t rnd = 42;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        static struct model m;
        struct replay w;
        memset(&m, 0, sizeof(m));
        m.size = sizes[i];
        assert_int_equal(replay_init(&w, sizes[i]), ADIT_OK);
        w.top = m.top = (UINT64_C(3) << 32) - 70000;
        for (int k = 0; k < 200000; k++) {
            uint64_t seq = pick(w.top, sizes[i], &rnd), guess;
            bool expect = model_update(&m, seq);
            bool found = esn_guess(w.top, w.size, (uint32_t)seq, &guess) && guess == seq;
            assert_int_equal(found && replay_update(&w, guess), expect);
        }
        assert_true(w.top >> 32 == 3);
        replay_fini(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_of_the_window),
        cmocka_unit_test(a_fresh_window_takes_one_but_not_zero),
        cmocka_unit_test(a_window_that_is_off_takes_all_and_keeps_the_top),
        cmocka_unit_test(memory_is_as_small_as_the_window),
        cmocka_unit_test(agrees_with_the_model_for_all_sizes),
        cmocka_unit_test(extended_numbers_cross_two_to_the_32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
