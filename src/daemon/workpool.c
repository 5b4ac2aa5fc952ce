/* workpool.c - see workpool.h. One mutex around three lists; jobs take microseconds to milliseconds, so that its
 * cost disappears beside them. */
#include "daemon/workpool.h"
#include <sys/resource.h>
#include "base/mem.h"

/* Of ten parts of a core that both want, the others have nine. Not less: at the end its last job is waited for. */
#define IDLE_NICE 10

struct item {
    struct item *next;
    void *job;
    enum workpool_class class;
};
struct queue {
    struct item *head, **tail;
    unsigned n;
};
struct workpool {
    struct workpool_ops ops;
    uv_async_t wake;
    uv_mutex_t lock;
    uv_cond_t work, idle_work;
    uv_thread_t *thread, idle_thread;
    unsigned threads, queue_max;
    unsigned of_class[WORKPOOL_CLASSES]; /* of those that run */
    unsigned long submitted, refused;
    bool ending, has_idle_thread;
    struct queue waiting[WORKPOOL_CLASSES], finished;
};

static void queue_init(struct queue *q)
{
    q->head = NULL;
    q->tail = &q->head;
    q->n = 0;
}

static void queue_put(struct queue *q, struct item *it)
{
    it->next = NULL;
    *q->tail = it;
    q->tail = &it->next;
    q->n++;
}

static struct item *queue_get(struct queue *q)
{
    struct item *it = q->head;
    if (!it)
        return NULL;
    q->head = it->next;
    if (!q->head)
        q->tail = &q->head;
    q->n--;
    return it;
}

/* Would another thread stay free for fast ones? One alone has to take what there is. */
static bool is_room_for_slow(const struct workpool *p)
{
    return p->threads == 1 || p->of_class[WORKPOOL_SLOW] + 1 < p->threads;
}

/* Fast ones first. */
static struct item *next_item(struct workpool *p)
{
    if (p->waiting[WORKPOOL_FAST].n)
        return queue_get(&p->waiting[WORKPOOL_FAST]);
    return is_room_for_slow(p) ? queue_get(&p->waiting[WORKPOOL_SLOW]) : NULL;
}

static void run_item(struct workpool *p, struct item *it)
{
    p->of_class[it->class]++;
    uv_mutex_unlock(&p->lock);
    p->ops.run(it->job);
    uv_mutex_lock(&p->lock);
    p->of_class[it->class]--;
    queue_put(&p->finished, it);
    uv_async_send(&p->wake);
    if (it->class == WORKPOOL_SLOW)
        uv_cond_signal(&p->work); /* room for the next slow one */
}

static void worker(void *arg)
{
    struct workpool *p = arg;
    uv_mutex_lock(&p->lock);
    while (!p->ending) {
        struct item *it = next_item(p);
        if (it)
            run_item(p, it);
        else
            uv_cond_wait(&p->work, &p->lock);
    }
    uv_mutex_unlock(&p->lock);
}

/* One job after the other, beside all others and never in front of them: whoever waits for a slow one does not wait for
 * what nobody waits for. */
static void idle_worker(void *arg)
{
    struct workpool *p = arg;
    (void)setpriority(PRIO_PROCESS, 0, IDLE_NICE); /* on Linux: of this thread */
    uv_mutex_lock(&p->lock);
    while (!p->ending) {
        struct item *it = queue_get(&p->waiting[WORKPOOL_IDLE]);
        if (it)
            run_item(p, it);
        else
            uv_cond_wait(&p->idle_work, &p->lock);
    }
    uv_mutex_unlock(&p->lock);
}

static void hand_back(struct workpool *p)
{
    uv_mutex_lock(&p->lock);
    struct queue done = p->finished;
    queue_init(&p->finished);
    uv_mutex_unlock(&p->lock);
    for (struct item *it = done.head, *next; it; it = next) {
        next = it->next;
        p->ops.done(p->ops.arg, it->job);
        mem_del(it);
    }
}

static void on_wake(uv_async_t *handle)
{
    hand_back(handle->data);
}

static bool start_threads(struct workpool *p, unsigned wanted)
{
    p->thread = mem_new_array(wanted, sizeof(*p->thread));
    if (!p->thread)
        return false;
    while (p->threads < wanted && uv_thread_create(&p->thread[p->threads], worker, p) == 0) {
        uv_mutex_lock(&p->lock);
        p->threads++;
        uv_mutex_unlock(&p->lock);
    }
    p->has_idle_thread = uv_thread_create(&p->idle_thread, idle_worker, p) == 0;
    return p->threads > 0 && p->has_idle_thread;
}

struct workpool *workpool_new(uv_loop_t *loop, unsigned threads, unsigned queue_max,
                              const struct workpool_ops *ops)
{
    struct workpool *p = mem_new(sizeof(*p));
    if (!p)
        return NULL;
    p->ops = *ops;
    p->queue_max = queue_max;
    for (int class = 0; class < WORKPOOL_CLASSES; class++)
        queue_init(&p->waiting[class]);
    queue_init(&p->finished);
    uv_mutex_init(&p->lock);
    uv_cond_init(&p->work);
    uv_cond_init(&p->idle_work);
    uv_async_init(loop, &p->wake, on_wake);
    p->wake.data = p;
    unsigned cores = uv_available_parallelism();
    /* Two at least, also on one core: the kernel shares it out, but a job is never interrupted by another of its thread. */
    if (start_threads(p, threads ? threads : cores > 2 ? cores : 2))
        return p;
    workpool_stop(p);
    uv_run(loop, UV_RUN_NOWAIT);
    workpool_free(p);
    return NULL;
}

void workpool_stop(struct workpool *p)
{
    uv_mutex_lock(&p->lock);
    p->ending = true;
    uv_cond_broadcast(&p->work);
    uv_cond_signal(&p->idle_work);
    uv_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->threads; i++)
        uv_thread_join(&p->thread[i]);
    if (p->has_idle_thread)
        uv_thread_join(&p->idle_thread);
    for (int class = 0; class < WORKPOOL_CLASSES; class++) {
        for (struct item *it; (it = queue_get(&p->waiting[class]));) {
            p->ops.run(it->job);
            queue_put(&p->finished, it);
        }
    }
    hand_back(p);
    uv_close((uv_handle_t *)&p->wake, NULL);
}

void workpool_free(struct workpool *p)
{
    if (!p)
        return;
    uv_cond_destroy(&p->work);
    uv_cond_destroy(&p->idle_work);
    uv_mutex_destroy(&p->lock);
    mem_del(p->thread);
    mem_del(p);
}

bool workpool_submit(struct workpool *p, void *job, enum workpool_class class)
{
    struct item *it = mem_new(sizeof(*it));
    uv_mutex_lock(&p->lock);
    bool room = it && !p->ending && p->waiting[class].n < p->queue_max;
    if (room) {
        it->job = job;
        it->class = class;
        queue_put(&p->waiting[class], it);
        p->submitted++;
        uv_cond_signal(class == WORKPOOL_IDLE ? &p->idle_work : &p->work);
    } else {
        p->refused++;
    }
    uv_mutex_unlock(&p->lock);
    if (!room)
        mem_del(it);
    return room;
}

void workpool_get_stats(struct workpool *p, struct workpool_stats *out)
{
    uv_mutex_lock(&p->lock);
    *out = (struct workpool_stats){ .threads = p->threads,
                                    .running = p->of_class[WORKPOOL_FAST] + p->of_class[WORKPOOL_SLOW],
                                    .queue_max = p->queue_max,
                                    .queued_fast = p->waiting[WORKPOOL_FAST].n,
                                    .queued_slow = p->waiting[WORKPOOL_SLOW].n,
                                    .queued_idle = p->waiting[WORKPOOL_IDLE].n,
                                    .submitted = p->submitted,
                                    .refused = p->refused };
    uv_mutex_unlock(&p->lock);
}
