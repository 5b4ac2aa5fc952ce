/* engine.c - birth, configuration, time and death of an engine; the public entry points that belong to no SA. */
#include "ike/sa.h"

/* The library's generator costs more for a call than for its octets: an engine draws them in advance and wipes what it
 * hands out. A request that is longer than the store goes past it. */
static bool stored_random(struct ike *ike, void *out, size_t n)
{
    struct random_store *st = &ike->random;
    if (n > sizeof(st->octets))
        return adit_crypto_random(ike->host.crypto, out, n);
    if (st->left < n && !adit_crypto_random(ike->host.crypto, st->octets, sizeof(st->octets)))
        return false;
    if (st->left < n)
        st->left = sizeof(st->octets);
    st->left -= n;
    span_copy(out, span(st->octets + st->left, n));
    mem_wipe(st->octets + st->left, n);
    return true;
}

bool ike_random(struct ike *ike, void *out, size_t n)
{
    return ike->host.random ? ike->host.random(ike->host.random_arg, out, n) : stored_random(ike, out, n);
}

uint64_t ike_jitter(struct ike *ike, uint64_t upto)
{
    uint64_t r = 0;
    if (!upto || !ike_random(ike, &r, sizeof(r)))
        return 0;
    return r % upto;
}

/* Policy of an engine that was never configured: nothing is allowed, nothing crashes. */
static bool empty_policy(struct ike *ike)
{
    struct adit_config *cfg = adit_config_new();
    if (!cfg)
        return false;
    enum adit_rc rc = policy_new(ike->host.crypto, cfg, &ike->policy, NULL);
    adit_config_unref(cfg);
    return rc == ADIT_OK;
}

static bool start(struct ike *ike, uint64_t now)
{
    uint8_t fresh[32];
    ike->scratch = mem_new(IKE_MESSAGE_MAX);
    ike->opened = mem_new(IKE_MESSAGE_MAX);
    if (!ike->scratch || !ike->opened || !ike_random(ike, &ike->seed, sizeof(ike->seed)) ||
        !ike_random(ike, fresh, sizeof(fresh)))
        return false;
    cookie_jar_init(&ike->cookies, fresh, now);
    map_init(&ike->by_spi, ike->seed);
    map_init(&ike->by_id, ike->seed ^ 5);
    map_init(&ike->by_name, ike->seed ^ 6);
    map_init(&ike->by_init, ike->seed ^ 1);
    map_init(&ike->by_child, ike->seed ^ 2);
    map_init(&ike->by_peer, ike->seed ^ 7);
    map_init(&ike->by_remote, ike->seed ^ 8);
    map_init(&ike->by_conn, ike->seed ^ 9);
    map_init(&ike->by_reqid, ike->seed ^ 10);
    map_init(&ike->spi_in, ike->seed ^ 3);
    map_init(&ike->per_ip, ike->seed ^ 4);
    unproven_init(ike);
    ike->leases.seed = ike->seed ^ 7;
    return empty_policy(ike);
}

struct adit_ike *adit_ike_new(const struct adit_host *host, uint64_t now)
{
    struct ike *ike = mem_new(sizeof(*ike));
    if (!ike)
        return NULL;
    ike->host = *host;
    ike->now = now;
    ike->next_id = ike->next_child_id = ike->next_reqid = 1;
    list_init(&ike->sas);
    list_init(&ike->ended);
    list_init(&ike->unknown);
    list_init(&ike->events);
    list_init(&ike->spare_events);
    list_init(&ike->orphans);
    list_init(&ike->spares);
    list_init(&ike->conns);
    list_init(&ike->fetches);
    timerheap_init(&ike->timers);
    leases_init(&ike->leases, 0);
    if (!start(ike, now)) {
        adit_ike_free((struct adit_ike *)ike);
        return NULL;
    }
    return (struct adit_ike *)ike;
}

void adit_ike_free(struct adit_ike *engine)
{
    struct ike *ike = (struct ike *)engine;
    if (!ike)
        return;
    list_for_each_safe(it, &ike->sas)
        sa_free(list_entry(it, struct ike_sa, link));
    list_for_each_safe(orphan, &ike->orphans) {
        struct ike_xchg *x = list_entry(orphan, struct ike_xchg, link);
        x->jobs_out = 0; /* the host ends its jobs before it ends the engine */
        list_remove(orphan);
        xchg_free(x);
    }
    ahead_fini(ike);
    events_fini(ike);
    conn_states_fini(ike);
    map_fini(&ike->by_spi);
    map_fini(&ike->by_id);
    map_fini(&ike->by_name);
    map_fini(&ike->by_init);
    map_fini(&ike->by_child);
    map_fini(&ike->by_peer);
    map_fini(&ike->by_remote);
    map_fini(&ike->by_conn);
    map_fini(&ike->by_reqid);
    map_fini(&ike->spi_in);
    map_fini(&ike->per_ip);
    unproven_fini(ike);
    timerheap_fini(&ike->timers);
    cookie_jar_fini(&ike->cookies);
    vaults_fini(ike);
    leases_fini(&ike->leases);
    policy_unref(ike->policy);
    mem_del(ike->scratch);
    if (ike->opened)
        mem_wipe(ike->opened, IKE_MESSAGE_MAX);
    mem_del(ike->opened);
    mem_wipe(&ike->random, sizeof(ike->random));
    mem_del(ike);
}

static enum adit_rc check_conn(const struct adit_conn *conn, struct adit_why *why)
{
    enum adit_rc rc = ADIT_OK;
    for (unsigned i = 0; i < EXT_COUNT && rc == ADIT_OK; i++)
        if (ike_exts[i]->on.check)
            rc = ike_exts[i]->on.check(conn, why);
    return rc == ADIT_OK ? rc : why_context(why, rc, "connection '%s'", conn->name);
}

static enum adit_rc check_conns(const struct adit_config *cfg, struct adit_why *why)
{
    const struct adit_conn *const *conns;
    size_t n = adit_config_conns(cfg, &conns);
    for (size_t i = 0; i < n; i++)
        TRY(check_conn(conns[i], why));
    return ADIT_OK;
}

enum adit_rc adit_ike_config(struct adit_ike *engine, struct adit_config *cfg, uint64_t now, struct adit_why *why)
{
    struct ike *ike = (struct ike *)engine;
    struct policy *fresh = NULL;
    ike->now = now;
    TRY(check_conns(cfg, why));
    TRY(policy_new(ike->host.crypto, cfg, &fresh, why));
    enum adit_rc rc = leases_config(&ike->leases, cfg, why);
    if (rc != ADIT_OK) {
        policy_unref(fresh);
        return rc;
    }
    policy_unref(ike->policy);
    ike->policy = fresh;
    ike->stock_stopped = false;
    ahead_refill(ike);
    ike_sweep(ike);
    return ADIT_OK;
}

const struct adit_config *adit_ike_get_config(const struct adit_ike *engine)
{
    return ((const struct ike *)engine)->policy->config;
}

void ike_renew_cookies(struct ike *ike)
{
    uint8_t fresh[32];
    if (cookie_jar_due(&ike->cookies, ike->now) && ike_random(ike, fresh, sizeof(fresh)))
        cookie_jar_renew(&ike->cookies, fresh, ike->now);
}

void adit_ike_tick(struct adit_ike *engine, uint64_t now)
{
    struct ike *ike = (struct ike *)engine;
    struct timer *t;
    ike->now = now;
    ike_renew_cookies(ike);
    if (ahead_deadline(ike) <= now)
        ahead_refill(ike);
    while ((t = timerheap_pop(&ike->timers, now))) {
        struct ike_sa *sa = list_entry(t, struct ike_sa, timer);
        sa_timer(sa);
        sa_arm(sa);
    }
    ike_sweep(ike);
}

uint64_t adit_ike_deadline(const struct adit_ike *engine)
{
    const struct ike *ike = (const struct ike *)engine;
    uint64_t timers = timerheap_deadline(&ike->timers), stock = ahead_deadline(ike);
    return stock < timers ? stock : timers;
}

void ike_sweep(struct ike *ike)
{
    crypto_idle();
    list_for_each_safe(it, &ike->ended)
        sa_free(list_entry(it, struct ike_sa, ended));
}

unsigned adit_ike_half_open(const struct adit_ike *engine)
{
    return ((const struct ike *)engine)->half_open;
}

unsigned adit_ike_sa_count(const struct adit_ike *engine)
{
    return ((const struct ike *)engine)->n_sas;
}
