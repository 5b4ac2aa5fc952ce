/* worker.c - a packet thread: its loop, its SAs' timers and events, commands and notes. */
#include "dp/worker.h"
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/why.h"

#define NOTE_RING (1u << 20)
#define SOCKET_BUF (8 << 20)
#define SEND_WAIT 10000 /* us */
#define TICK_MIN_NS 10000000ull
#define ERRORS_A_S 200 /* ICMP errors that one worker passes on in a second: anybody can forge them */

enum source { SRC_WAKE, SRC_TUN, SRC_UDP4, SRC_UDP6, SRC_RAW4, SRC_RAW6, SRC_SENDER4, SRC_SENDER6 };
#define SRC_TIMER 16 /* only wakes: no bit among the ready ones */
#define BIT(s) (1u << (s))
#define SRC_ERROR 8 /* shift of the error bits */

uint64_t worker_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

struct ring *worker_ring(struct worker *w, unsigned to)
{
    struct dp_shared *s = dp_shared_of(w->dp);
    return &s->rings[w->i * s->n + to];
}

static void raise_fd(int fd)
{
    uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof(one));
    (void)n; /* full = raised already */
}

void worker_kick(struct worker *w)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_exchange(&w->sleeping, false))
        raise_fd(w->wake);
}

void workers_changed(struct dp_shared *s)
{
    atomic_fetch_add(&s->generation, 1);
    for (unsigned i = 0; i < s->n; i++)
        worker_kick(&s->workers[i]);
}

/* --- notes to control ----------------------------------------------------------------------------------------- */

bool worker_note(struct worker *w, const struct note *n, struct adit_span data, size_t spare)
{
    struct dp_shared *s = dp_shared_of(w->dp);
    uint8_t *p = ring_reserve(&w->notes, sizeof(*n) + data.n, spare);
    if (!p)
        return false;
    *(struct note *)(void *)p = *n;
    span_copy(p + sizeof(*n), data);
    ring_commit(&w->notes, sizeof(*n) + data.n);
    if (!atomic_exchange(&s->event_raised, true))
        raise_fd(s->event_fd);
    return true;
}

static bool note_sa(struct worker *w, struct dp_sa *sa, enum dp_event_type type, const struct adit_path *path)
{
    struct note n = { .type = NOTE_EVENT,
                      .event = { .type = type, .id = sa->id, .reqid = sa->reqid, .at = w->now } };
    n.event.path = path ? *path : *esp_sa_path(sa->esp);
    return worker_note(w, &n, SPAN_NONE, 0);
}

/* --- an SA's events and limits -------------------------------------------------------------------------------- */

static void set_active(struct worker *w, struct dp_sa *sa, bool active)
{
    if (sa->dead_out && active)
        return;
    if (active)
        esp_sa_activate(sa->esp);
    if (atomic_exchange(&sa->active, active) != active)
        workers_changed(dp_shared_of(w->dp));
}

static void tell_events(struct worker *w, struct dp_sa *sa)
{
    static const struct {
        unsigned bit;
        enum dp_event_type type;
    } map[] = { { ESP_EV_FIRST_IN, DP_EV_FIRST_IN },
                { ESP_EV_PATH, DP_EV_PATH },
                { ESP_EV_SOFT, DP_EV_SOFT },
                { ESP_EV_HARD, DP_EV_HARD } };
    for (size_t i = 0; i < ARRAY_LEN(map); i++) {
        struct adit_path moved;
        bool has_path = map[i].bit == ESP_EV_PATH && esp_sa_moved(sa->esp, &moved);
        if (!(sa->events & map[i].bit))
            continue;
        if (note_sa(w, sa, map[i].type, has_path ? &moved : NULL))
            sa->events &= ~map[i].bit;
        else
            w->next_tick = 0; /* control is slow: later */
    }
}

/* RFC 7296 s2.8: an authentic packet on the new SA proves that the peer has it. */
static void look_after(struct worker *w, struct dp_sa *sa)
{
    struct adit_child_stats stats;
    sa->events |= esp_sa_events(sa->esp);
    if (sa->events & ESP_EV_FIRST_IN)
        set_active(w, sa, true);
    if (sa->events & ESP_EV_HARD)
        set_active(w, sa, false);
    if (sa->events)
        tell_events(w, sa);
    esp_sa_stats(sa->esp, &stats);
    sa_stats_put(sa, &stats);
}

static void settle_touched(struct worker *w)
{
    for (size_t i = 0; i < w->n_touched; i++) {
        w->touched[i]->touched = false;
        look_after(w, w->touched[i]);
    }
    w->n_touched = 0;
}

void worker_touch(struct worker *w, struct dp_sa *sa)
{
    if (sa->touched)
        return;
    if (w->n_touched == TOUCHED_MAX)
        settle_touched(w);
    sa->touched = true;
    w->touched[w->n_touched++] = sa;
}

static void set_pmtu(struct dp_sa *sa)
{
    esp_sa_set_pmtu(sa->esp, sa->pmtu.now);
    atomic_store_explicit(&sa->inner_mtu, esp_sa_inner_mtu(sa->esp), memory_order_relaxed);
}

/* Tells when the SA wants to be looked at next. */
static uint64_t idle_check(struct worker *w, struct dp_sa *sa)
{
    uint64_t last = sa->born_at, used = esp_sa_used_at(sa->esp);
    if (!sa->inactivity_ns || sa->told_inactive || sa->dead_out)
        return UINT64_MAX;
    last = used > last ? used : last;
    if (w->now < last + sa->inactivity_ns)
        return last + sa->inactivity_ns;
    sa->told_inactive = note_sa(w, sa, DP_EV_INACTIVE, NULL);
    return sa->told_inactive ? UINT64_MAX : w->now;
}

static uint64_t sa_tick(struct worker *w, struct dp_sa *sa)
{
    uint64_t at = esp_sa_deadline(sa->esp, w->now), idle = idle_check(w, sa);
    if (pmtu_age(&sa->pmtu, w->now))
        set_pmtu(sa);
    look_after(w, sa);
    at = idle < at ? idle : at;
    at = sa->pmtu.until < at ? sa->pmtu.until : at;
    return sa->gone_at < at ? sa->gone_at : at;
}

/* The inbound half ends; control frees the shell when no worker can hold it any more. False: tell it later. */
static bool sa_gone(struct worker *w, size_t i)
{
    struct dp_sa *sa = w->own[i];
    struct note n = { .type = NOTE_GONE, .sa = sa };
    if (sa->esp) {
        pace_del(w, sa);
        esp_table_del(w->table, sa->spi_in);
        map_del(&w->by_spi, sa->spi_in);
        esp_sa_free(sa->esp);
        sa->esp = NULL;
    }
    if (!worker_note(w, &n, SPAN_NONE, 0))
        return false;
    w->own[i] = w->own[--w->n_own];
    return true;
}

static void tick(struct worker *w)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < w->n_own;) {
        struct dp_sa *sa = w->own[i];
        if (w->now >= sa->gone_at) {
            if (sa_gone(w, i))
                continue;
            next = w->now;
        } else {
            uint64_t at = sa_tick(w, sa);
            next = at < next ? at : next;
        }
        i++;
    }
    if (w->hold->n) {
        egress_release_held(w);
        next = w->now + HOLD_NS / 10 < next ? w->now + HOLD_NS / 10 : next;
    }
    w->next_tick = next < w->now + TICK_MIN_NS ? w->now + TICK_MIN_NS : next;
}

/* --- descriptors ---------------------------------------------------------------------------------------------- */

static enum adit_rc watch(struct worker *w, int fd, enum source src, uint32_t events, struct adit_why *why)
{
    struct epoll_event ev = { .events = events, .data.u32 = src };
    if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &ev) == 0)
        return ADIT_OK;
    return why_set(why, ADIT_ERR_IO, "epoll: %s", strerror(errno));
}

static void tun_unwatch(struct worker *w)
{
    if (w->tun_watched)
        (void)epoll_ctl(w->epoll, EPOLL_CTL_DEL, w->tun, NULL);
    w->tun_watched = false;
}

static enum adit_rc tun_watch(struct worker *w, struct adit_why *why)
{
    enum adit_rc rc = watch(w, w->tun, SRC_TUN, EPOLLIN, why);
    w->tun_watched = rc == ADIT_OK;
    return rc;
}

/* Its device was deleted: the descriptor stays "ready" for ever, with nothing to read. Told by each worker; the first
 * one counts. */
static void tun_lost(struct worker *w)
{
    struct note n = { .type = NOTE_EVENT, .event = { .type = DP_EV_TUN, .at = w->now } };
    if (worker_note(w, &n, SPAN_NONE, 0)) /* else: next round */
        tun_unwatch(w);
}

/* --- commands ------------------------------------------------------------------------------------------------- */

static enum adit_rc own_add(struct worker *w, struct dp_sa *sa)
{
    if (w->n_own == w->cap_own) {
        size_t cap = w->cap_own ? w->cap_own * 2 : 16;
        struct dp_sa **own = mem_resize(w->own, cap * sizeof(*own));
        if (!own)
            return ADIT_ERR_MEMORY;
        w->own = own;
        w->cap_own = cap;
    }
    TRY(map_put(&w->by_spi, sa->spi_in, sa));
    enum adit_rc rc = esp_table_add(w->table, sa->esp);
    if (!rc && (rc = pace_add(w, sa)))
        esp_table_del(w->table, sa->spi_in);
    if (rc) {
        map_del(&w->by_spi, sa->spi_in);
        return rc;
    }
    w->own[w->n_own++] = sa;
    return ADIT_OK;
}

static void run_add(struct worker *w, struct cmd *c)
{
    struct dp_sa *sa = c->sa;
    c->rc = map_get(&w->by_spi, sa->spi_in) ? ADIT_ERR_EXISTS : own_add(w, sa);
    pmtu_init(&sa->pmtu, c->mtu, sa->path.remote.addr.family == 6);
    set_pmtu(sa);
}

static void run_del(struct worker *w, struct cmd *c)
{
    struct dp_sa *sa = c->sa;
    if (sa->stream && atomic_load(&sa->active)) {
        esp_stream_end(sa->esp, true);
        egress_paced(w, sa); /* what it has begun to say only it can end */
    }
    sa->dead_out = true;
    set_active(w, sa, false);
    sa->gone_at = w->now + c->grace_ns;
    esp_sa_stats(sa->esp, &c->stats);
}

static void run_path(struct worker *w, struct cmd *c)
{
    esp_sa_set_path(c->sa->esp, c->path, c->udp_encap);
    pmtu_init(&c->sa->pmtu, c->mtu, c->path->remote.addr.family == 6);
    set_pmtu(c->sa);
}

static void run_ptb(struct worker *w, struct cmd *c)
{
    c->done_ok = (!c->check_seq || esp_sa_sent(c->sa->esp, c->seq)) &&
                 pmtu_told(&c->sa->pmtu, c->mtu, w->now);
    if (c->done_ok)
        set_pmtu(c->sa);
}

static void run_tun(struct worker *w, struct cmd *c)
{
    struct adit_why why;
    tun_unwatch(w);
    w->tun = c->tun;
    w->uso = c->uso;
    c->rc = c->lost ? ADIT_OK : tun_watch(w, &why);
}

static void run_command(struct worker *w)
{
    struct cmd *c = atomic_load_explicit(&w->cmd, memory_order_acquire);
    if (!c)
        return;
    switch (c->type) {
    case CMD_ADD: run_add(w, c); break;
    case CMD_DEL: run_del(w, c); break;
    case CMD_SUCCEED: esp_stream_end(c->sa->esp, false); break;
    case CMD_ACTIVATE: set_active(w, c->sa, true); break;
    case CMD_PATH: run_path(w, c); break;
    case CMD_PTB: run_ptb(w, c); break;
    case CMD_TUN: run_tun(w, c); break;
    case CMD_LINK:
        if (pmtu_link(&c->sa->pmtu, c->mtu))
            set_pmtu(c->sa);
        break;
    }
    w->next_tick = 0;
    w->pace.at = 0;
    atomic_store_explicit(&w->cmd, NULL, memory_order_release);
    sem_post(&w->cmd_done);
}

void worker_command(struct worker *w, struct cmd *c)
{
    if (!w->started)
        return;
    atomic_store(&w->cmd, c);
    worker_kick(w);
    while (sem_wait(&w->cmd_done) && errno == EINTR)
        ;
}

/* --- the loop ------------------------------------------------------------------------------------------------- */

bool worker_may_pass_error(struct worker *w)
{
    if (w->now - w->errors_at > 1000000000) {
        w->errors_at = w->now;
        w->errors_n = 0;
    }
    return w->errors_n++ < ERRORS_A_S;
}

/* Local ones are left out: the send call said so too. */
static void take_errors(struct worker *w, int fd, uint8_t family, uint16_t port)
{
    struct note n = { .type = NOTE_ERROR };
    while (net_error_get(fd, family, port, &n.error))
        if (n.error.too_big && !n.error.local && worker_may_pass_error(w))
            (void)worker_note(w, &n, SPAN_NONE, NOTE_SPARE);
}

static void serve(struct worker *w)
{
    for (unsigned f = 0; f < 2; f++) {
        uint8_t family = f ? 6 : 4;
        if (w->ready & BIT(SRC_UDP4 + f))
            ingress_udp(w, &w->udp[f]);
        if (w->ready & BIT(SRC_RAW4 + f))
            ingress_raw(w, &w->raw[f]);
        if (w->ready & BIT(SRC_ERROR + SRC_UDP4 + f))
            take_errors(w, w->udp[f].fd, family, w->udp[f].port);
        if (w->ready & BIT(SRC_ERROR + SRC_SENDER4 + f))
            take_errors(w, w->sender[f], family, w->udp[f].port);
        if (w->ready & BIT(SRC_ERROR + SRC_RAW4 + f)) {
            take_errors(w, w->raw[f].rx, family, 0);
            take_errors(w, w->raw[f].tx, family, 0);
        }
    }
    if (w->ready & BIT(SRC_ERROR + SRC_TUN))
        tun_lost(w);
    if ((w->ready & BIT(SRC_TUN)) && !egress_read(w) && !handover_ready(w))
        sched_yield(); /* the owner of the SAs is behind: the TUN's queue is the place to wait */
}

/* Anything that a wake-up would have told? */
static bool has_work(struct worker *w)
{
    struct dp_shared *s = dp_shared_of(w->dp);
    if (atomic_load(&w->cmd) || atomic_load(&w->stop) || w->seen_generation != atomic_load(&s->generation))
        return true;
    for (unsigned from = 0; from <= s->n; from++)
        if (!ring_empty(&s->rings[from * s->n + w->i]))
            return true;
    return false;
}

static int wait_ms(const struct worker *w)
{
    if (w->next_tick == UINT64_MAX)
        return -1;
    if (w->next_tick <= w->now)
        return 0;
    uint64_t ms = (w->next_tick - w->now) / 1000000 + 1;
    return ms > 60000 ? 60000 : (int)ms;
}

static void collect_ready(struct worker *w, const struct epoll_event *ev, int n)
{
    uint64_t count;
    w->ready = 0;
    for (int i = 0; i < n; i++) {
        if (ev[i].events & EPOLLIN)
            w->ready |= (uint16_t)BIT(ev[i].data.u32);
        if (ev[i].events & EPOLLERR)
            w->ready |= (uint16_t)BIT(SRC_ERROR + ev[i].data.u32);
    }
    if (w->ready & BIT(SRC_WAKE) && read(w->wake, &count, sizeof(count)) < 0)
        w->ready &= (uint16_t)~BIT(SRC_WAKE);
}

/* Looks for readiness; sleeps only after a round in which nothing happened. */
static void wait_ready(struct worker *w, bool busy)
{
    struct dp_shared *s = dp_shared_of(w->dp);
    struct epoll_event ev[8];
    int timeout = 0;
    if (!busy) {
        epoch_idle(&s->epoch, w->i);
        atomic_store(&w->sleeping, true);
        atomic_thread_fence(memory_order_seq_cst);
        timeout = has_work(w) ? 0 : wait_ms(w);
    }
    int n = epoll_wait(w->epoll, ev, (int)ARRAY_LEN(ev), timeout);
    if (!busy)
        atomic_store(&w->sleeping, false);
    collect_ready(w, ev, n);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct dp_shared *s = dp_shared_of(w->dp);
    bool busy = true;
    while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
        wait_ready(w, busy);
        epoch_pass(&s->epoch, w->i);
        w->now = worker_clock();
        run_command(w);
        uint64_t generation = atomic_load(&s->generation);
        if (w->seen_generation != generation) {
            w->seen_generation = generation;
            w->pace.at = 0; /* who was on standby may send now */
            egress_release_held(w);
        }
        serve(w);
        busy = handover_take(w) > 0 || w->ready;
        pace_run(w);
        settle_touched(w);
        if (w->now >= w->next_tick || (w->hold->n && w->next_tick == UINT64_MAX))
            tick(w);
        pace_arm(w);
        handover_kick(w);
    }
    epoch_idle(&s->epoch, w->i);
    return NULL;
}

/* --- birth and death ------------------------------------------------------------------------------------------ */

static enum adit_rc open_family(struct worker *w, unsigned f, const struct worker_cfg *cfg,
                                struct adit_why *why)
{
    struct net_opts opts = {
        .reuseport = true, .offload = true, .mark = cfg->mark, .bypass = cfg->bypass, .buffer = SOCKET_BUF, .wait_us = SEND_WAIT
    };
    struct adit_endpoint any = { .addr.family = f ? 6 : 4, .port = cfg->port };
    unsigned n = dp_shared_of(w->dp)->n;
    TRY(net_udp_open(&any, &opts, &w->udp[f], why));
    TRY(watch(w, w->udp[f].fd, SRC_UDP4 + f, EPOLLIN, why));
    if (!cfg->raw_esp)
        return ADIT_OK;
    TRY(net_raw_open(any.addr.family, IP_PROTO_ESP, w->i, n, &opts, &w->raw[f], why));
    TRY(watch(w, w->raw[f].rx, SRC_RAW4 + f, EPOLLIN, why));
    return watch(w, w->raw[f].tx, SRC_RAW4 + f, 0, why); /* its error queue: our own device's MTU */
}

static enum adit_rc open_all(struct worker *w, const struct worker_cfg *cfg, struct adit_why *why)
{
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->epoll < 0 || w->wake < 0)
        return why_set(why, ADIT_ERR_IO, "epoll: %s", strerror(errno));
    TRY(pace_open(&w->pace));
    TRY(watch(w, w->pace.timer, SRC_TIMER, EPOLLIN, why));
    TRY(watch(w, w->wake, SRC_WAKE, EPOLLIN, why));
    TRY(tun_watch(w, why));
    TRY(open_family(w, 0, cfg, why));
    if (access("/proc/net/if_inet6", F_OK) == 0) /* a host without IPv6 */
        TRY(open_family(w, 1, cfg, why));
    return ADIT_OK;
}

static enum adit_rc allocate(struct worker *w, const struct worker_cfg *cfg)
{
    w->table = esp_table_new(cfg->seed);
    w->flows = mem_new(sizeof(*w->flows));
    w->hold = mem_new(sizeof(*w->hold));
    map_init(&w->by_spi, cfg->seed);
    if (!w->table || !w->flows || !w->hold)
        return ADIT_ERR_MEMORY;
    w->flows->seed = cfg->seed;
    w->flows->worker = cfg->i;
    TRY(egress_init(&w->out, cfg->slot_mtu));
    TRY(ingress_init(&w->in));
    return ring_init(&w->notes, NOTE_RING);
}

enum adit_rc worker_init(struct worker *w, struct dp_user *dp, const struct worker_cfg *cfg, struct adit_why *why)
{
    w->dp = dp;
    w->i = cfg->i;
    w->tun = cfg->tun;
    w->uso = cfg->uso;
    w->epoll = w->wake = -1;
    w->next_tick = UINT64_MAX;
    for (unsigned f = 0; f < 2; f++) {
        w->udp[f].fd = w->sender[f] = -1;
        w->raw[f].rx = w->raw[f].tx = -1;
    }
    sem_init(&w->cmd_done, 0, 0);
    if (allocate(w, cfg))
        return why_set(why, ADIT_ERR_MEMORY, "no memory for a packet worker");
    return open_all(w, cfg, why);
}

enum adit_rc worker_watch_sender(struct worker *w, unsigned f, int fd, struct adit_why *why)
{
    w->sender[f] = fd;
    return watch(w, fd, SRC_SENDER4 + f, 0, why);
}

enum adit_rc worker_start(struct worker *w, struct adit_why *why)
{
    int e = pthread_create(&w->thread, NULL, worker_main, w);
    if (e)
        return why_set(why, ADIT_ERR_IO, "packet worker: %s", strerror(e));
    w->started = true;
    return ADIT_OK;
}

void worker_stop(struct worker *w)
{
    if (!w->started)
        return;
    atomic_store(&w->stop, true);
    raise_fd(w->wake);
    pthread_join(w->thread, NULL);
    w->started = false;
}

void worker_fini(struct worker *w)
{
    for (size_t i = 0; i < w->n_own; i++) {
        esp_sa_free(w->own[i]->esp);
        w->own[i]->esp = NULL;
    }
    for (unsigned f = 0; f < 2; f++) {
        net_udp_close(&w->udp[f]);
        net_raw_close(&w->raw[f]);
    }
    if (w->epoll >= 0)
        close(w->epoll);
    if (w->wake >= 0)
        close(w->wake);
    if (w->table)
        esp_table_free(w->table);
    map_fini(&w->by_spi);
    pace_close(&w->pace);
    mem_del(w->own);
    mem_del(w->flows);
    mem_del(w->hold);
    egress_fini(&w->out);
    ingress_fini(&w->in);
    ring_fini(&w->notes);
    sem_destroy(&w->cmd_done);
}
