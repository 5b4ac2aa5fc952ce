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
        assert_true(workpool_submit(pool, &jobs[i], (enum workpool_class)(i % 3)));
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
        assert_true(workpool_submit(pool, &slow[i], WORKPOOL_SLOW));
    }
    assert_true(workpool_submit(pool, &fast, WORKPOOL_FAST));
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
    assert_true(workpool_submit(pool, &slow, WORKPOOL_SLOW));
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
        taken += workpool_submit(pool, &jobs[i], WORKPOOL_FAST);
    }
    assert_true(taken == 4 || taken == 5); /* the thread may have taken one already */
    workpool_get_stats(pool, &stats);
    assert_int_equal(stats.submitted, taken);
    assert_int_equal(stats.refused, 12 - taken);
    atomic_store(&gate, true);
    end(&loop, pool);
    assert_int_equal(n_done, taken);
}

/* Whatever the number of cores: without a number there are two threads at least, so that a fast job never has to wait for
 * a slow one. Many slow ones wait, and refuse no fast one. */
static void a_flood_of_slow_jobs_delays_no_fast_one(void **state)
{
    static struct job slow[40], fast[4];
    static atomic_bool gate;
    struct workpool_stats stats;
    uv_loop_t loop;
    uv_loop_init(&loop);
    n_done = 0;
    unsigned taken = 0;
    struct workpool *pool = workpool_new(&loop, 0, 8, &ops);
    workpool_get_stats(pool, &stats);
    assert_true(stats.threads >= 2);
    for (int i = 0; i < 40; i++) {
        slow[i].gate = &gate;
        taken += workpool_submit(pool, &slow[i], WORKPOOL_SLOW);
    }
    assert_true(taken < 40); /* their own queue is full */
    for (int i = 0; i < 4; i++)
        assert_true(workpool_submit(pool, &fast[i], WORKPOOL_FAST));
    run_until(&loop, 4);
    assert_true(fast[0].done && fast[1].done && fast[2].done && fast[3].done);
    atomic_store(&gate, true);
    end(&loop, pool);
    assert_int_equal(n_done, 4 + taken);
}

static struct job *order[8];
static atomic_uint n_order;

static void run_noting(void *arg)
{
    run(arg);
    order[atomic_fetch_add(&n_order, 1)] = arg;
}

/* One thread: the order is that of the classes, whatever came first. */
static void idle_jobs_come_last(void **state)
{
    static struct job first, idle[2], slow, fast;
    static atomic_bool gate;
    struct workpool_ops noting = { run_noting, done, NULL };
    struct workpool_stats stats;
    uv_loop_t loop;
    uv_loop_init(&loop);
    n_done = 0;
    struct workpool *pool = workpool_new(&loop, 1, 10, &noting);
    first.gate = &gate;
    assert_true(workpool_submit(pool, &first, WORKPOOL_FAST));
    assert_true(workpool_submit(pool, &idle[0], WORKPOOL_IDLE));
    assert_true(workpool_submit(pool, &idle[1], WORKPOOL_IDLE));
    assert_true(workpool_submit(pool, &slow, WORKPOOL_SLOW));
    for (int ms = 0; ms < 5000; ms++) { /* until the thread has the first one */
        workpool_get_stats(pool, &stats);
        if (stats.running)
            break;
        uv_sleep(1);
    }
    assert_true(workpool_submit(pool, &fast, WORKPOOL_FAST));
    workpool_get_stats(pool, &stats);
    assert_true(stats.queued_fast == 1 && stats.queued_slow == 1 && stats.queued_idle == 2);
    atomic_store(&gate, true);
    run_until(&loop, 5);
    assert_true(order[1] == &fast && order[2] == &slow && order[3] == &idle[0] && order[4] == &idle[1]);
    end(&loop, pool);
}

/* However many threads: one idle job at a time, and none on the last thread. */
static void idle_jobs_run_alone(void **state)
{
    static struct job idle[3], fast;
    static atomic_bool gate;
    struct workpool_stats stats;
    uv_loop_t loop;
    uv_loop_init(&loop);
    n_done = 0;
    struct workpool *pool = workpool_new(&loop, 4, 10, &ops);
    for (int i = 0; i < 3; i++) {
        idle[i].gate = &gate;
        assert_true(workpool_submit(pool, &idle[i], WORKPOOL_IDLE));
    }
    assert_true(workpool_submit(pool, &fast, WORKPOOL_FAST));
    run_until(&loop, 1);
    uv_sleep(20);
    workpool_get_stats(pool, &stats);
    assert_true(fast.done && stats.running == 1 && stats.queued_idle == 2);
    atomic_store(&gate, true);
    run_until(&loop, 4);
    end(&loop, pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_every_job_once),
        cmocka_unit_test(slow_jobs_leave_a_thread_for_fast_ones),
        cmocka_unit_test(a_flood_of_slow_jobs_delays_no_fast_one),
        cmocka_unit_test(idle_jobs_come_last),
        cmocka_unit_test(idle_jobs_run_alone),
        cmocka_unit_test(one_thread_alone_does_slow_jobs_too),
        cmocka_unit_test(refuses_when_the_queue_is_full_and_loses_nothing_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
