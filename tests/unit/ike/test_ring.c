/* test_ring.c - all of one key, the first of them in a map: whatever the order in which they come and go. */
#include "core.h"

enum { N = 4 };

static unsigned members(const struct map *m, uint64_t key)
{
    unsigned n = 0;
    for (struct ike_ring *r = NULL; (r = ring_next(m, key, r));)
        n++;
    return n;
}

static void goes_one_by_one(const unsigned order[N])
{
    struct ike_ring r[N] = { 0 }, other = { 0 };
    struct map m;
    map_init(&m, 1);
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(ring_add(&m, &r[i], 7), ADIT_OK);
    assert_int_equal(ring_add(&m, &other, 8), ADIT_OK);
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(members(&m, 7), N - i);
        ring_del(&m, &r[order[i]]);
        ring_del(&m, &r[order[i]]); /* it is in none any more */
        for (struct ike_ring *at = NULL; (at = ring_next(&m, 7, at));)
            assert_true(at != &r[order[i]]);
    }
    assert_null(map_get(&m, 7));
    assert_ptr_equal(ring_next(&m, 8, NULL), &other);
    assert_null(ring_next(&m, 8, &other));
    map_fini(&m);
}

static void whatever_the_order(void **state)
{
    for (unsigned i = 0; i < N * N * N * N; i++) {
        unsigned o[N] = { i % N, i / N % N, i / N / N % N, i / N / N / N }, seen = 0;
        for (unsigned k = 0; k < N; k++)
            seen |= 1U << o[k];
        if (seen == (1U << N) - 1)
            goes_one_by_one(o);
    }
}

static void one_that_was_in_joins_again(void **state)
{
    struct ike_ring a = { 0 }, b = { 0 };
    struct map m;
    map_init(&m, 1);
    assert_int_equal(ring_add(&m, &a, 1), ADIT_OK);
    assert_int_equal(ring_add(&m, &b, 1), ADIT_OK);
    ring_del(&m, &a);
    assert_int_equal(ring_add(&m, &a, 2), ADIT_OK);
    assert_int_equal(members(&m, 1), 1);
    assert_ptr_equal(ring_next(&m, 2, NULL), &a);
    map_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_the_order),
        cmocka_unit_test(one_that_was_in_joins_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
