/* workpool.h - a small pool of threads for the engine's computations (signatures, key exchanges).
 * Three queues, each bounded: slow jobs never occupy the last thread, so that a key generation of milliseconds or seconds
 * can't starve signatures; idle ones run one at a time in a thread of their own, of low priority. Results come back on the
 * loop's thread. */
#ifndef DAEMON_WORKPOOL_H
#define DAEMON_WORKPOOL_H

#include <stdbool.h>
#include <uv.h>

struct workpool;
enum workpool_class { WORKPOOL_FAST, WORKPOOL_SLOW, WORKPOOL_IDLE, WORKPOOL_CLASSES };
struct workpool_ops {
    void (*run)(void *job);             /* any thread; may touch nothing but the job */
    void (*done)(void *arg, void *job); /* the loop's thread; in the order of completion */
    void *arg;
};
struct workpool_stats {
    unsigned threads, running /* without the idle thread */, queued_fast, queued_slow, queued_idle, queue_max;
    unsigned long submitted, refused;
};

/* threads 0 = one a core, at least 2: with one alone, a fast job has to wait for the slow one that runs. queue_max jobs of
 * each class may wait. NULL: memory or threads are out. */
struct workpool *workpool_new(uv_loop_t *loop, unsigned threads, unsigned queue_max,
                              const struct workpool_ops *ops);
/* Ends the threads after the jobs that run now; jobs that still wait, and results not yet handed back, go to done()
 * (unrun ones are run first), so that no job is lost. The loop must run once more to close the handle: `closed`. */
void workpool_stop(struct workpool *pool);
/* After workpool_stop() and uv_run(): frees. */
void workpool_free(struct workpool *pool);
/* false: the queue of its class is full. */
bool workpool_submit(struct workpool *pool, void *job, enum workpool_class class);
void workpool_get_stats(struct workpool *pool, struct workpool_stats *out);

#endif
