/* test_rings.c - records come out whole and in order, a full ring refuses, also across threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include "base/span.h"
#include "dp/rings.h"

#define SIZE 4096

static void records_come_out_in_order(void **state)
{
    static struct ring r; /* cache-line aligned: gcc 12's address sanitizer does not align a fake stack that far */
    size_t n;
    assert_int_equal(ring_init(&r, SIZE), ADIT_OK);
    assert_null(ring_peek(&r, &n));
    for (unsigned i = 0; i < 1000; i++) {
        for (unsigned k = 0; k < 3; k++) {
            size_t want = (i * 7 + k * 131) % 900;
            uint8_t *p = ring_reserve(&r, want, 0);
            assert_non_null(p);
            memset(p, (int)(i + k), want);
            ring_commit(&r, want);
        }
        for (unsigned k = 0; k < 3; k++) {
            uint8_t *p = ring_peek(&r, &n);
            assert_non_null(p);
            assert_int_equal(n, (i * 7 + k * 131) % 900);
            for (size_t at = 0; at < n; at++)
                assert_int_equal(p[at], (uint8_t)(i + k));
        }
        assert_true(ring_empty(&r));
        ring_release(&r);
    }
    ring_fini(&r);
}

static void full_ring_refuses(void **state)
{
    static struct ring r;
    size_t n, put = 0;
    assert_int_equal(ring_init(&r, SIZE), ADIT_OK);
    assert_null(ring_reserve(&r, SIZE, 0));
    while (ring_reserve(&r, 100, 0)) {
        ring_commit(&r, 100);
        put++;
    }
    assert_int_equal(put, SIZE / 192);
    assert_non_null(ring_peek(&r, &n));
    assert_null(ring_reserve(&r, 100, 0)); /* peeked is not released */
    ring_release(&r);
    assert_non_null(ring_reserve(&r, 100, 0));
    ring_fini(&r);
}

static void spare_room_is_kept(void **state)
{
    static struct ring r;
    assert_int_equal(ring_init(&r, SIZE), ADIT_OK);
    while (ring_reserve(&r, 10, SIZE / 2))
        ring_commit(&r, 10);
    assert_true(ring_room(&r) >= SIZE / 2);
    assert_non_null(ring_reserve(&r, 10, 0));
    ring_fini(&r);
}

static void *produce(void *arg)
{
    struct ring *r = arg;
    for (uint32_t i = 0; i < 200000;) {
        size_t n = 4 + i % 300;
        uint8_t *p = ring_reserve(r, n, 0);
        if (!p) {
            sched_yield();
            continue;
        }
        memset(p, 0, n);
        memcpy(p, &i, 4);
        ring_commit(r, n);
        i++;
    }
    return NULL;
}

static void two_threads_lose_nothing(void **state)
{
    static struct ring r;
    pthread_t t;
    size_t n;
    assert_int_equal(ring_init(&r, SIZE), ADIT_OK);
    pthread_create(&t, NULL, produce, &r);
    for (uint32_t i = 0; i < 200000;) {
        const uint8_t *p = ring_peek(&r, &n);
        uint32_t got;
        if (!p) {
            sched_yield();
            continue;
        }
        memcpy(&got, p, 4);
        if (got != i || n != 4 + i % 300)
            fail_msg("record %u: got %u of %zu octets", i, got, n);
        i++;
        ring_release(&r);
    }
    pthread_join(t, NULL);
    ring_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_out_in_order),
        cmocka_unit_test(full_ring_refuses),
        cmocka_unit_test(spare_room_is_kept),
        cmocka_unit_test(two_threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
