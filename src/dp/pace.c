/* pace.c - SAs that send by themselves at fixed times: who they are, and a timer of the worker's that knows the next one.
 * The timer has nanoseconds; the worker's other deadlines make do with epoll's milliseconds. */
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "base/mem.h"
#include "dp/worker.h"

#define SECOND_NS 1000000000ull

enum adit_rc pace_open(struct pace *p)
{
    *p = (struct pace){ .at = UINT64_MAX, .armed_at = UINT64_MAX };
    p->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return p->timer < 0 ? ADIT_ERR_IO : ADIT_OK;
}

void pace_close(struct pace *p)
{
    if (p->timer > 0)
        close(p->timer);
    mem_del(p->sas);
    p->sas = NULL;
}

enum adit_rc pace_add(struct worker *w, struct dp_sa *sa)
{
    struct pace *p = &w->pace;
    if (!sa->paced)
        return ADIT_OK;
    if (p->n == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 8;
        struct dp_sa **sas = mem_resize(p->sas, cap * sizeof(struct dp_sa *));
        if (!sas)
            return ADIT_ERR_MEMORY;
        p->sas = sas;
        p->cap = cap;
    }
    p->sas[p->n++] = sa;
    p->at = 0;
    return ADIT_OK;
}

void pace_del(struct worker *w, const struct dp_sa *sa)
{
    struct pace *p = &w->pace;
    for (size_t i = 0; i < p->n; i++)
        if (p->sas[i] == sa)
            p->sas[i--] = p->sas[--p->n];
}

/* UINT64_MAX: it has nothing to send until something happens. */
static uint64_t sends_at(const struct dp_sa *sa)
{
    bool over = sa->dead_out || (!sa->stream && atomic_load_explicit(&sa->succeeded, memory_order_relaxed));
    return over ? UINT64_MAX : esp_sa_due(sa->esp);
}

void pace_hint(struct worker *w, const struct dp_sa *sa)
{
    uint64_t at = sends_at(sa), waits = sa->stream ? esp_stream_waits(sa->esp) : UINT64_MAX;
    at = waits < at ? waits : at;
    w->pace.at = at < w->pace.at ? at : w->pace.at;
}

void pace_run(struct worker *w)
{
    struct pace *p = &w->pace;
    if (w->now < p->at)
        return;
    p->at = UINT64_MAX;
    for (size_t i = 0; i < p->n; i++) {
        struct dp_sa *sa = p->sas[i];
        if (sends_at(sa) <= w->now)
            egress_paced(w, sa);
        if (sa->stream && esp_stream_waits(sa->esp) <= w->now)
            ingress_expire(w, sa);
        pace_hint(w, sa);
    }
}

/* Setting it also clears what it has told. */
void pace_arm(struct worker *w)
{
    struct pace *p = &w->pace;
    struct itimerspec t = { 0 };
    if (p->at == p->armed_at)
        return;
    if (p->at != UINT64_MAX) {
        uint64_t at = p->at ? p->at : 1; /* 0 would disarm it */
        t.it_value = (struct timespec){ (time_t)(at / SECOND_NS), (long)(at % SECOND_NS) };
    }
    if (timerfd_settime(p->timer, TFD_TIMER_ABSTIME, &t, NULL) == 0)
        p->armed_at = p->at;
}
