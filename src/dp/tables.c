/* tables.c - selectors, the snapshot of SAs and policies in order of precedence (RFC 4301 s4.4.1), and its reclaim. */
#include "dp/tables.h"
#include <stdlib.h>
#include "base/mem.h"
#include "base/span.h"
#include "model/model.h"

struct retired {
    struct retired *next;
    void *p;
    void (*del)(void *);
    uint64_t at;
};

#define STAYS (UINT64_C(1) << 63)     /* in an entry's order: above all that leave ... */
#define OWN_FIRST (UINT64_C(1) << 62) /* ... and above all births */

struct dp_selectors *selectors_new(const struct adit_ts *local, uint16_t n_local,
                                   const struct adit_ts *remote, uint16_t n_remote)
{
    struct dp_selectors *s = mem_new(sizeof(*s) + ((size_t)n_local + n_remote) * sizeof(s->ts[0]));
    if (!s)
        return NULL;
    s->n_local = n_local;
    s->n_remote = n_remote;
    uint8_t *at = span_copy((uint8_t *)s->ts, span(local, n_local * sizeof(*local)));
    span_copy(at, span(remote, n_remote * sizeof(*remote)));
    return s;
}

/* Later fragments show no ports: only selectors that ask for none, or for OPAQUE, take them (RFC 4301 s4.4.1.1); the
 * peer would drop them otherwise. */
static bool shows_what_is_asked(const struct adit_ts *ts, const struct ip_packet *ip)
{
    bool any = ts->port_lo == 0 && ts->port_hi == UINT16_MAX, opaque = ts->port_lo > ts->port_hi;
    return any || opaque != ip->has_ports;
}

static bool any_match(const struct adit_ts *ts, size_t n, const struct ip_packet *ip,
                      const struct adit_addr *a, uint16_t port)
{
    for (size_t i = 0; i < n; i++)
        if (shows_what_is_asked(&ts[i], ip) && ts_match(&ts[i], a, ip->proto, port))
            return true;
    return false;
}

bool selectors_match(const struct dp_selectors *s, const struct ip_packet *ip)
{
    return any_match(s->ts, s->n_local, ip, &ip->src, ip->src_port) &&
           any_match(s->ts + s->n_local, s->n_remote, ip, &ip->dst, ip->dst_port);
}

/* Bits in which the range's ends differ at most. */
static uint32_t range_bits(const struct adit_ts *ts)
{
    size_t n = ts->family == 6 ? 16 : 4;
    for (size_t i = 0; i < n; i++) {
        unsigned d = (unsigned)(ts->hi[i] - ts->lo[i]) & 0xff;
        if (d)
            return (uint32_t)(n - i) * 8 - (uint32_t)__builtin_clz(d) % 8;
    }
    return 0;
}

static uint32_t ts_width(const struct adit_ts *ts)
{
    uint32_t ports = ts->port_lo == ts->port_hi ? 0 : 1;
    return range_bits(ts) * 4 + (ts->proto ? 0 : 2) + ports;
}

static uint32_t widest(const struct adit_ts *ts, size_t n)
{
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++)
        most = ts_width(&ts[i]) > most ? ts_width(&ts[i]) : most;
    return most;
}

uint32_t selectors_width(const struct dp_selectors *s)
{
    return widest(s->ts, s->n_local) + widest(s->ts + s->n_local, s->n_remote);
}

/* A worker's own SAs come first, those of others are not for it (RFC 9611). */
static bool is_for(const struct dp_sa *sa, unsigned worker)
{
    return atomic_load_explicit(&sa->active, memory_order_acquire) && (!sa->resource || sa->resource == worker + 1);
}

struct dp_match tables_lookup(const struct dp_tables *t, const struct ip_packet *ip, unsigned worker)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct dp_entry *e = &t->e[i];
        if (e->sa && !is_for(e->sa, worker))
            continue;
        if (selectors_match(e->sel, ip))
            return (struct dp_match){ e->sa, e->trap };
    }
    return (struct dp_match){ 0 };
}

/* Explicit priorities come before those by width; among equals SAs before policies. */
static uint64_t rank(uint32_t priority, const struct dp_selectors *sel, bool is_sa)
{
    uint64_t major = priority ? priority : (uint64_t)UINT32_MAX + 1 + selectors_width(sel);
    return major * 2 + !is_sa;
}

static uint32_t priority_of(uint32_t reqid, struct dp_trap *const *traps, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (traps[i]->reqid == reqid)
            return traps[i]->priority;
    return 0;
}

/* Newest first among equals, so that traffic moves to the newest active SA of a policy. */
static int compare(const void *va, const void *vb)
{
    const struct dp_entry *a = va, *b = vb;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->order > b->order ? -1 : a->order < b->order;
}

static uint64_t order_of(const struct dp_sa *sa)
{
    return sa->order | (sa->leaving ? 0 : STAYS) | (sa->resource ? OWN_FIRST : 0);
}

struct dp_tables *tables_new(struct dp_sa *const *sas, size_t n_sas, struct dp_trap *const *traps,
                             size_t n_traps)
{
    struct dp_tables *t = mem_new(sizeof(*t) + (n_sas + n_traps) * sizeof(t->e[0]));
    if (!t)
        return NULL;
    for (size_t i = 0; i < n_sas; i++)
        t->e[t->n++] = (struct dp_entry){ rank(priority_of(sas[i]->reqid, traps, n_traps), sas[i]->sel, true),
                                          order_of(sas[i]), sas[i]->sel, sas[i], NULL };
    for (size_t i = 0; i < n_traps; i++)
        t->e[t->n++] = (struct dp_entry){ rank(traps[i]->priority, traps[i]->sel, false), 0, traps[i]->sel,
                                          NULL, traps[i] };
    qsort(t->e, t->n, sizeof(t->e[0]), compare);
    return t;
}

/* A sequence lock: the owner writes after each batch, readers try again while it does. */
void sa_stats_put(struct dp_sa *sa, const struct adit_child_stats *s)
{
    uint32_t seq = atomic_load_explicit(&sa->stats_seq, memory_order_relaxed);
    atomic_store_explicit(&sa->stats_seq, seq + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    const uint64_t *from = (const uint64_t *)s;
    uint64_t *to = (uint64_t *)&sa->stats;
    for (size_t i = 0; i < sizeof(*s) / sizeof(*to); i++)
        __atomic_store_n(&to[i], from[i], __ATOMIC_RELAXED);
    atomic_store_explicit(&sa->stats_seq, seq + 2, memory_order_release);
}

void sa_stats_get(const struct dp_sa *sa, struct adit_child_stats *out)
{
    uint32_t before, after;
    const uint64_t *from = (const uint64_t *)&sa->stats;
    uint64_t *to = (uint64_t *)out;
    do {
        before = atomic_load_explicit(&sa->stats_seq, memory_order_acquire);
        for (size_t i = 0; i < sizeof(*out) / sizeof(*to); i++)
            to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
        atomic_thread_fence(memory_order_acquire);
        after = atomic_load_explicit(&sa->stats_seq, memory_order_relaxed);
    } while (before != after || before & 1);
}

enum adit_rc epoch_init(struct epoch *e, unsigned workers)
{
    atomic_init(&e->now, 1);
    e->n = workers;
    e->retired = NULL;
    e->slots = aligned_alloc(64, workers * sizeof(e->slots[0]));
    if (!e->slots)
        return ADIT_ERR_MEMORY;
    for (unsigned i = 0; i < workers; i++)
        atomic_init(&e->slots[i].seen, UINT64_MAX);
    return ADIT_OK;
}

void epoch_fini(struct epoch *e)
{
    for (unsigned i = 0; i < e->n; i++)
        epoch_idle(e, i);
    epoch_collect(e);
    free(e->slots);
    e->slots = NULL;
}

void epoch_pass(struct epoch *e, unsigned i)
{
    atomic_store(&e->slots[i].seen, atomic_load(&e->now));
    /* Pointers are read after this is visible, or control could miss us. */
    atomic_thread_fence(memory_order_seq_cst);
}

void epoch_idle(struct epoch *e, unsigned i)
{
    atomic_store_explicit(&e->slots[i].seen, UINT64_MAX, memory_order_release);
}

void epoch_retire(struct epoch *e, void *p, void (*del)(void *))
{
    struct retired *r = p ? mem_new(sizeof(*r)) : NULL;
    uint64_t at = atomic_fetch_add(&e->now, 1);
    if (!r)
        return;
    *r = (struct retired){ e->retired, p, del, at };
    e->retired = r;
    epoch_collect(e);
}

void epoch_collect(struct epoch *e)
{
    uint64_t oldest = UINT64_MAX;
    for (unsigned i = 0; i < e->n; i++) {
        uint64_t seen = atomic_load(&e->slots[i].seen);
        oldest = seen < oldest ? seen : oldest;
    }
    for (struct retired **at = &e->retired; *at;) {
        struct retired *r = *at;
        if (r->at >= oldest) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        r->del(r->p);
        mem_del(r);
    }
}
