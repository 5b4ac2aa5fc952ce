/* test_workpool.c - jobs run once, slow ones leave a thread free, a full queue says so, none is lost at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "daemon/workpool.h"

struct job {
    atomic_int ran;
    int done;
    atomic_bool *gate; /* runs until it opens */
};
static unsigned n_done;

static void run(void *arg)
{
    struct job *j = arg;
    while (j->gate && !atomic_load(j->gate))
        uv_sleep(1);
    atomic_fetch_add(&j->ran, 1);
}

static void done(void *arg, void *job)
{
    ((struct job *)job)->done++;
    n_done++;
}

static const struct workpool_ops ops = { run, done, NULL };

static void run_until(uv_loop_t *loop, unsigned wanted)
{
    for (int ms = 0; ms < 5000 && n_done < wanted; ms++) {
        uv_run(loop, UV_RUN_NOWAIT);
        uv_sleep(1);
    }
    assert_int_equal(n_done, wanted);
}

static void end(uv_loop_t *loop, struct workpool *pool)
{
    workpool_stop(pool);
    while (uv_run(loop, UV_RUN_DEFAULT))
        ;
    workpool_free(pool);
    assert_int_equal(uv_loop_close(loop), 0);
}

static void runs_every_job_once(void **state)
{
    static struct job jobs[500];
    uv_loop_t loop;
    uv_loop_init(&loop);
    n_done = 0;
    struct workpool *pool = workpool_new(&loop, 3, 1000, &ops);
    assert_non_null(pool);
    for (int i = 0; i < 500; i++)
        assert_true(workpool_submit(pool, &jobs[i], i % 3 == 0));
    run_until(&loop, 500);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(atomic_load(&jobs[i].ran), 1);
        assert_int_equal(jobs[i].done, 1);
    }
    end(&loop, pool);
}

static void slow_jobs_leave_a_thread_for_fast_ones(void **state)
{
    static struct job slow[4], fast;
    static atomic_bool gate;
    uv_loop_t loop;
    uv_loop_init(&loop);
    n_done = 0;
    struct workpool *pool = workpool_new(&loop, 2, 100, &ops);
    for (int i = 0; i < 4; i++) {
        slow[i].gate = &gate;
        assert_true(workpool_submit(pool, &slow[i], true));
    }
    assert_true(workpool_submit(pool, &fast, false));
    run_until(&loop, 1);
    assert_int_equal(fast.done, 1);
    atomic_store(&gate, true);
    run_until(&loop, 5);
    end(&loop, pool);
}

static void one_thread_alone_does_slow_jobs_too(void **state)
{
    static struct job slow;
    uv_loop_t loop;
    uv_loop_init(&loop);
    n_done = 0;
    struct workpool *pool = workpool_new(&loop, 1, 10, &ops);
    assert_true(workpool_submit(pool, &slow, true));
    run_until(&loop, 1);
    end(&loop, pool);
}

static void refuses_when_the_queue_is_full_and_loses_nothing_at_the_end(void **state)
{
    static struct job jobs[12];
    static atomic_bool gate;
    struct workpool_stats stats;
    uv_loop_t loop;
    uv_loop_init(&loop);
    n_done = 0;
    unsigned taken = 0;
    struct workpool *pool = workpool_new(&loop, 1, 4, &ops);
    for (int i = 0; i < 12; i++) {
        jobs[i].gate = &gate;
        taken += workpool_submit(pool, &jobs[i], false);
    }
    assert_true(taken == 4 || taken == 5); /* the thread may have taken one already */
    workpool_get_stats(pool, &stats);
    assert_int_equal(stats.submitted, taken);
    assert_int_equal(stats.refused, 12 - taken);
    atomic_store(&gate, true);
    end(&loop, pool);
    assert_int_equal(n_done, taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_every_job_once),
        cmocka_unit_test(slow_jobs_leave_a_thread_for_fast_ones),
        cmocka_unit_test(one_thread_alone_does_slow_jobs_too),
        cmocka_unit_test(refuses_when_the_queue_is_full_and_loses_nothing_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
