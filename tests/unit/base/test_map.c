/* test_map.c - the hash map against a plain array, with keys that collide. */
#include "unit.h"
#include "base/map.h"

#define KEYS 600

/* A fixed pseudo-random sequence: the test is the same every time. */
static uint64_t next(uint64_t *x)
{
    *x = *x * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *x >> 33;
}

static void check_all(const struct map *m, void *const *model)
{
    size_t n = 0, walked = 0, it = 0;
    for (uint64_t k = 0; k < KEYS; k++) {
        assert_ptr_equal(map_get(m, k), model[k]);
        n += model[k] != NULL;
    }
    while (map_next(m, &it))
        walked++;
    assert_int_equal(m->n, n);
    assert_int_equal(walked, n);
}

static void behaves_like_an_array(void **state)
{
    static void *model[KEYS];
    struct map m;
    uint64_t x = 7;
    map_init(&m, 12345);
    for (unsigned round = 0; round < 20000; round++) {
        uint64_t k = next(&x) % KEYS;
        if (next(&x) % 5 < 2) {
            assert_ptr_equal(map_del(&m, k), model[k]);
            model[k] = NULL;
        } else {
            model[k] = &model[next(&x) % KEYS];
            assert_int_equal(map_put(&m, k, model[k]), ADIT_OK);
        }
        if (round % 500 == 0)
            check_all(&m, model);
    }
    check_all(&m, model);
    map_fini(&m);
}

static void an_empty_map_has_nothing(void **state)
{
    struct map m;
    size_t it = 0;
    map_init(&m, 1);
    assert_null(map_get(&m, 0));
    assert_null(map_del(&m, 0));
    assert_null(map_next(&m, &it));
    map_fini(&m);
}

static void extreme_keys_are_keys(void **state)
{
    struct map m;
    int a, b;
    map_init(&m, 0);
    assert_int_equal(map_put(&m, 0, &a), ADIT_OK);
    assert_int_equal(map_put(&m, UINT64_MAX, &b), ADIT_OK);
    assert_ptr_equal(map_get(&m, 0), &a);
    assert_ptr_equal(map_get(&m, UINT64_MAX), &b);
    assert_ptr_equal(map_del(&m, 0), &a);
    assert_null(map_get(&m, 0));
    map_fini(&m);
}

static void the_seed_moves_keys(void **state)
{
    unsigned same = 0;
    for (uint64_t k = 0; k < 1000; k++)
        same += map_mix(k, 1) % 1024 == map_mix(k, 2) % 1024;
    assert_in_range(same, 0, 20);
}

static void failing_memory_keeps_the_map(void **state)
{
    struct map m;
    int v;
    unsigned left = 1;
    map_init(&m, 3);
    mem_set_gate(gate_countdown, &left);
    uint64_t k = 0;
    while (map_put(&m, k, &v) == ADIT_OK)
        k++;
    mem_set_gate(NULL, NULL);
    assert_int_equal(k, 12); /* three quarters of the first 16 slots */
    assert_int_equal(m.n, 12);
    assert_ptr_equal(map_get(&m, 11), &v);
    assert_null(map_get(&m, 12));
    assert_int_equal(map_put(&m, 12, &v), ADIT_OK);
    map_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behaves_like_an_array),        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(extreme_keys_are_keys),        cmocka_unit_test(the_seed_moves_keys),
        cmocka_unit_test(failing_memory_keeps_the_map),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
