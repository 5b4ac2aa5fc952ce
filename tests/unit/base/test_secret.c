/* test_secret.c - secrets: wiped, packed, thread-safe, refused cleanly. */
#include "unit.h"
#include <pthread.h>
#include "base/secret.h"

static size_t in_use(void)
{
    size_t used, locked;
    secret_usage(&used, &locked);
    assert_true(locked <= used);
    return used;
}

static void sizes_round_up_to_their_class(void **state)
{
    static const struct {
        const char *what;
        size_t n, cost;
        enum adit_rc rc;
    } rows[] = {
        { "nothing", 0, 0, ADIT_OK },
        { "one", 1, 16, ADIT_OK },
        { "smallest class", 16, 16, ADIT_OK },
        { "a key costs no page", 32, 32, ADIT_OK },
        { "next class", 33, 64, ADIT_OK },
        { "a page", 4096, 4096, ADIT_OK },
        { "more than a page", 4097, 8192, ADIT_OK },
        { "a FrodoKEM-1344 key", 43088, 45056, ADIT_OK },
        { "largest", SECRET_MAX, SECRET_MAX, ADIT_OK },
        { "too large", SECRET_MAX + 1, 0, ADIT_ERR_LIMIT },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_secret s = { 0 };
        assert_row(rows[i].what, secret_alloc(&s, rows[i].n) == rows[i].rc);
        assert_row(rows[i].what, in_use() == rows[i].cost);
        for (size_t k = 0; k < s.n; k++)
            assert_row(rows[i].what, s.p[k] == 0);
        secret_fini(&s);
        assert_row(rows[i].what, in_use() == 0);
    }
}

static void memory_is_wiped_when_it_goes(void **state)
{
    struct adit_secret keep = { 0 }, s = { 0 };
    assert_int_equal(secret_set(&keep, SPAN_LIT("keeps the page alive.")), ADIT_OK);
    assert_int_equal(secret_set(&s, SPAN_LIT("0123456789abcdef01234")), ADIT_OK);
    const uint8_t *p = s.p;
    secret_trim(&s, 4);
    assert_int_equal(s.n, 4);
    assert_memory_equal(p, "0123\0\0\0\0", 8);
    secret_trim(&s, 10);
    assert_int_equal(s.n, 4);
    secret_fini(&s);
    for (size_t i = 0; i < 21; i++)
        assert_int_equal(p[i], 0); /* still mapped: `keep` is in the same page */
    assert_memory_equal(keep.p, "keeps", 5);
    secret_fini(&keep);
}

static void a_new_secret_is_zeroed(void **state)
{
    struct adit_secret s = { 0 };
    assert_int_equal(secret_set(&s, SPAN_LIT("something")), ADIT_OK);
    assert_int_equal(secret_alloc(&s, 9), ADIT_OK);
    assert_true(secret_equal(secret_span(&s), SPAN_LIT("\0\0\0\0\0\0\0\0\0")));
    secret_fini(&s);
    secret_fini(&s);
}

static void it_may_be_set_from_itself(void **state)
{
    struct adit_secret s = { 0 };
    assert_int_equal(secret_set(&s, SPAN_LIT("key|salt")), ADIT_OK);
    assert_int_equal(secret_set(&s, span_from(secret_span(&s), 4)), ADIT_OK);
    assert_true(secret_equal(secret_span(&s), SPAN_LIT("salt")));
    secret_fini(&s);
}

static void moving_leaves_the_source_empty(void **state)
{
    struct adit_secret a = { 0 }, b = { 0 };
    assert_int_equal(secret_set(&a, SPAN_LIT("new")), ADIT_OK);
    assert_int_equal(secret_set(&b, SPAN_LIT("old")), ADIT_OK);
    secret_move(&b, &a);
    assert_null(a.p);
    assert_true(secret_equal(secret_span(&b), SPAN_LIT("new")));
    secret_move(&b, &b);
    assert_int_equal(b.n, 3);
    secret_fini(&b);
    assert_int_equal(in_use(), 0);
}

static void comparing_looks_at_everything(void **state)
{
    static const struct {
        const char *what;
        struct adit_span a, b;
        bool equal;
    } rows[] = {
        { "same", { (const uint8_t *)"abcd", 4 }, { (const uint8_t *)"abcd", 4 }, true },
        { "first differs", { (const uint8_t *)"xbcd", 4 }, { (const uint8_t *)"abcd", 4 }, false },
        { "last differs", { (const uint8_t *)"abcx", 4 }, { (const uint8_t *)"abcd", 4 }, false },
        { "prefix", { (const uint8_t *)"abc", 3 }, { (const uint8_t *)"abcd", 4 }, false },
        { "both empty", { NULL, 0 }, { NULL, 0 }, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_row(rows[i].what, secret_equal(rows[i].a, rows[i].b) == rows[i].equal);
}

/* All of a slab's pages for one class, given back, must serve another class: 240 pages' worth twice. */
static void pages_change_their_class(void **state)
{
    static struct adit_secret small[256 * 30], large[30];
    for (size_t i = 0; i < ARRAY_LEN(small); i++)
        assert_int_equal(secret_alloc(&small[i], 16), ADIT_OK);
    assert_int_equal(in_use(), 16 * ARRAY_LEN(small));
    for (size_t i = 0; i < ARRAY_LEN(small); i++)
        for (size_t k = i + 1; k < i + 3 && k < ARRAY_LEN(small); k++)
            assert_ptr_not_equal(small[i].p, small[k].p);
    for (size_t i = 0; i < ARRAY_LEN(small); i += 2)
        secret_fini(&small[i]);
    for (size_t i = 0; i < ARRAY_LEN(small); i += 2) /* holes are found again */
        assert_int_equal(secret_alloc(&small[i], 10), ADIT_OK);
    for (size_t i = 0; i < ARRAY_LEN(small); i++)
        secret_fini(&small[i]);
    for (size_t i = 0; i < ARRAY_LEN(large); i++) {
        assert_int_equal(secret_alloc(&large[i], 4096), ADIT_OK);
        for (size_t k = 0; k < 4096; k++)
            assert_int_equal(large[i].p[k], 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(large); i++)
        secret_fini(&large[i]);
    assert_int_equal(in_use(), 0);
}

static void failing_memory_keeps_the_old_secret(void **state)
{
    struct adit_secret s = { 0 };
    unsigned left = 0;
    assert_int_equal(secret_set(&s, SPAN_LIT("old")), ADIT_OK);
    mem_set_gate(gate_countdown, &left);
    enum adit_rc a = secret_alloc(&s, 100), b = secret_set(&s, SPAN_LIT("new"));
    mem_set_gate(NULL, NULL);
    assert_int_equal(a, ADIT_ERR_MEMORY);
    assert_int_equal(b, ADIT_ERR_MEMORY);
    assert_true(secret_equal(secret_span(&s), SPAN_LIT("old")));
    secret_fini(&s);
}

static void *churn(void *arg)
{
    struct adit_secret s[16] = { 0 };
    uint32_t x = (uint32_t)(uintptr_t)arg;
    bool right = true;
    for (unsigned round = 0; round < 20000; round++) {
        x = x * 1664525 + 1013904223;
        struct adit_secret *one = &s[x >> 28];
        for (size_t i = 0; i < one->n; i++)
            right &= one->p[i] == (uint8_t)(uintptr_t)arg;
        if (secret_alloc(one, x >> 8 & 511) == ADIT_OK && one->n)
            memset(one->p, (int)(uintptr_t)arg, one->n);
    }
    for (size_t i = 0; i < ARRAY_LEN(s); i++)
        secret_fini(&s[i]);
    return right ? arg : NULL;
}

static void threads_do_not_share_slots(void **state)
{
    pthread_t t[4];
    for (uintptr_t i = 0; i < ARRAY_LEN(t); i++)
        pthread_create(&t[i], NULL, churn, (void *)(i + 1));
    for (uintptr_t i = 0; i < ARRAY_LEN(t); i++) {
        void *right;
        pthread_join(t[i], &right);
        assert_non_null(right);
    }
    assert_int_equal(in_use(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_round_up_to_their_class),
        cmocka_unit_test(memory_is_wiped_when_it_goes),
        cmocka_unit_test(a_new_secret_is_zeroed),
        cmocka_unit_test(it_may_be_set_from_itself),
        cmocka_unit_test(moving_leaves_the_source_empty),
        cmocka_unit_test(comparing_looks_at_everything),
        cmocka_unit_test(pages_change_their_class),
        cmocka_unit_test(failing_memory_keeps_the_old_secret),
        cmocka_unit_test(threads_do_not_share_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
