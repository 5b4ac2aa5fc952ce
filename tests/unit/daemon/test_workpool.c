/* test_workpool.c - jobs run once, slow ones leave a thread free, a full queue says so, none is lost at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/resource.h>
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

static int niceness[2]; /* of whom the jobs ran in */
static struct job one_idle, one_slow;

static void run_noting(void *arg)
{
    niceness[arg == &one_idle] = getpriority(PRIO_PROCESS, 0);
    run(arg);
}

/* Nobody waits for it: it takes no thread of those that somebody waits for, and not the core either. */
static void an_idle_job_holds_up_no_other(void **state)
{
    static struct job fast;
    static atomic_bool gate;
    struct workpool_ops noting = { run_noting, done, NULL };
    uv_loop_t loop;
    uv_loop_init(&loop);
    n_done = 0;
    struct workpool *pool = workpool_new(&loop, 2, 10, &noting);
    one_idle.gate = &gate;
    assert_true(workpool_submit(pool, &one_idle, WORKPOOL_IDLE));
    uv_sleep(20);
    assert_true(workpool_submit(pool, &one_slow, WORKPOOL_SLOW));
    assert_true(workpool_submit(pool, &fast, WORKPOOL_FAST));
    run_until(&loop, 2);
    assert_true(one_slow.done && fast.done && !one_idle.done);
    atomic_store(&gate, true);
    run_until(&loop, 3);
    assert_true(niceness[1] > niceness[0] || niceness[0] > 9);
    end(&loop, pool);
}

/* However many threads: one idle job at a time. */
static void idle_jobs_run_one_after_the_other(void **state)
{
    static struct job idle[3];
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
    for (int ms = 0; ms < 5000; ms++) {
        workpool_get_stats(pool, &stats);
        if (stats.queued_idle < 3)
            break;
        uv_sleep(1);
    }
    uv_sleep(20);
    workpool_get_stats(pool, &stats);
    assert_true(stats.running == 0 && stats.queued_idle == 2);
    atomic_store(&gate, true);
    run_until(&loop, 3);
    end(&loop, pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_every_job_once),
        cmocka_unit_test(slow_jobs_leave_a_thread_for_fast_ones),
        cmocka_unit_test(a_flood_of_slow_jobs_delays_no_fast_one),
        cmocka_unit_test(an_idle_job_holds_up_no_other),
        cmocka_unit_test(idle_jobs_run_one_after_the_other),
        cmocka_unit_test(one_thread_alone_does_slow_jobs_too),
        cmocka_unit_test(refuses_when_the_queue_is_full_and_loses_nothing_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
