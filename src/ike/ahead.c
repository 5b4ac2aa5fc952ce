/* ahead.c - key pairs that are made before they are needed: those of the next exchange while the messages of this one travel,
 * and a stock of dear ones, filled while nothing else is to be computed. Each serves one exchange or none: what is not used
 * is wiped when its SA, its hour or its place in the configuration is gone. */
#include "ike/sa.h"

/* A key in the stock is a secret of the future: the longer it lies there, the more a stolen memory is worth. */
#define STOCK_LIFE SECONDS(3600)

struct ike_spare {
    struct list link; /* ike->spares */
    struct ike *ike;
    uint32_t sa_id;    /* whose; 0: the stock's */
    struct ike_ke ke;  /* what the job fills in */
    struct ike_xchg *x; /* it is needed already: who waits, and where to */
    struct ike_ke *to;
    bool made;
    uint64_t made_at;
};

static void spare_free(struct ike_spare *s)
{
    list_remove(&s->link);
    ke_fini(&s->ke);
    mem_del(s);
}

static struct ike_spare *make(struct ike *ike, const struct ke_alg *alg, uint32_t sa_id)
{
    struct ike_spare *s = mem_new(sizeof(*s));
    if (!s)
        return NULL;
    *s = (struct ike_spare){ .ike = ike, .sa_id = sa_id };
    if (ke_pick(ike, &s->ke, alg->id) != ADIT_OK || !spare_work(ike, s, &s->ke, sa_id)) {
        mem_del(s);
        return NULL;
    }
    list_append(&ike->spares, &s->link);
    return s;
}

/* What was made for this SA, and nobody waits for yet. */
static struct ike_spare *find(const struct ike *ike, const struct ke_alg *alg, uint32_t sa_id)
{
    list_for_each(it, &ike->spares) {
        struct ike_spare *s = list_entry(it, struct ike_spare, link);
        if (s->ke.alg == alg && s->sa_id == sa_id && !s->x)
            return s;
    }
    return NULL;
}

static void hand_over(struct ike_spare *s, struct ike_ke *to)
{
    to->state = s->ke.state;
    s->ke.state = NULL;
    buf_move(&to->ours, &s->ke.ours);
    to->work.state = 2;
    to->work.rc = ADIT_OK;
    spare_free(s);
}

/* --- the stock ------------------------------------------------------------------------------------------------------ */

static bool is_stale(const struct ike_spare *s)
{
    return s->made && !s->sa_id && s->ike->now >= s->made_at + STOCK_LIFE;
}

static unsigned in_stock(const struct ike *ike, const struct ke_alg *alg, bool *under_way)
{
    unsigned n = 0;
    list_for_each(it, &ike->spares) {
        const struct ike_spare *s = list_entry(it, struct ike_spare, link);
        *under_way |= !s->made && !s->sa_id;
        n += s->ke.alg == alg && !s->sa_id && s->made;
    }
    return n;
}

static unsigned wanted(const struct ike *ike, const struct ke_alg *alg)
{
    for (size_t i = 0; i < ike->policy->n_stock; i++)
        if (ike->policy->stock[i].method == alg->id)
            return ike->policy->stock[i].keys;
    return 0;
}

/* More than the configuration wants, too old, or never made: gone. */
static void weed(struct ike *ike)
{
    list_for_each_safe(it, &ike->spares) {
        struct ike_spare *s = list_entry(it, struct ike_spare, link);
        bool none = false;
        if (s->made && !s->sa_id && (is_stale(s) || in_stock(ike, s->ke.alg, &none) > wanted(ike, s->ke.alg)))
            spare_free(s);
    }
}

/* One at a time: nobody waits for it, and it takes a thread. */
void ahead_refill(struct ike *ike)
{
    weed(ike);
    for (size_t i = 0; i < ike->policy->n_stock && !ike->stock_stopped; i++) {
        const struct ke_pool_item *want = &ike->policy->stock[i];
        const struct ke_alg *alg = crypto_ke(ike->host.crypto, want->method);
        bool under_way = false;
        if (alg && in_stock(ike, alg, &under_way) < want->keys && !under_way) {
            (void)make(ike, alg, 0);
            return;
        }
        if (under_way)
            return;
    }
}

uint64_t ahead_deadline(const struct ike *ike)
{
    uint64_t at = UINT64_MAX;
    list_for_each(it, &ike->spares) {
        const struct ike_spare *s = list_entry(it, struct ike_spare, link);
        if (s->made && !s->sa_id && s->made_at + STOCK_LIFE < at)
            at = s->made_at + STOCK_LIFE;
    }
    return at;
}

bool adit_ike_ke_pool(const struct adit_ike *engine, size_t i, struct adit_ke_pool_info *out)
{
    const struct ike *ike = (const struct ike *)engine;
    bool ignored = false;
    if (i >= ike->policy->n_stock)
        return false;
    const struct ke_pool_item *want = &ike->policy->stock[i];
    const struct ke_alg *alg = crypto_ke(ike->host.crypto, want->method);
    *out = (struct adit_ke_pool_info){ want->method, want->keys, alg ? in_stock(ike, alg, &ignored) : 0 };
    return true;
}

/* --- for exchanges -------------------------------------------------------------------------------------------------- */

void ke_ahead(struct ike_xchg *x, uint16_t method)
{
    struct ike *ike = x->ike;
    const struct ke_alg *alg = method ? crypto_ke(ike->host.crypto, method) : NULL;
    bool ignored = false;
    if (!alg || alg->cost == CRYPTO_CHEAP || find(ike, alg, x->sa->id) || in_stock(ike, alg, &ignored))
        return;
    (void)make(ike, alg, x->sa->id); /* without memory it is made when it is needed */
}

/* It was begun for this very exchange, and is not there yet. */
static bool wait_for(struct ike_spare *s, struct ike_xchg *x, struct ike_ke *ke)
{
    s->x = x;
    s->to = ke;
    ke->work.state = 1;
    x->jobs_out++;
    x->waiting = ke->alg->name;
    return true;
}

static struct ike_spare *from_stock(struct ike_xchg *x, const struct ke_alg *alg)
{
    struct ike_spare *found = NULL;
    weed(x->ike);
    list_for_each(it, &x->ike->spares) {
        struct ike_spare *s = list_entry(it, struct ike_spare, link);
        if (s->ke.alg == alg && !s->sa_id && s->made)
            found = found ? found : s;
    }
    if (wanted(x->ike, alg))
        ike_count(x->ike, x->sa, found ? ADIT_C_KE_POOL_TAKEN : ADIT_C_KE_POOL_EMPTY);
    return found;
}

/* The SA's own before the stock's. */
bool ahead_take(struct ike_xchg *x, struct ike_ke *ke)
{
    struct ike_spare *own = find(x->ike, ke->alg, x->sa->id), *s = own ? own : from_stock(x, ke->alg);
    if (own)
        ike_count(x->ike, x->sa, ADIT_C_KE_AHEAD);
    if (own && !own->made)
        return wait_for(own, x, ke);
    if (s)
        hand_over(s, ke);
    ahead_refill(x->ike);
    return s != NULL;
}

struct ike_xchg *ahead_done(struct ike_spare *s, enum adit_rc rc)
{
    struct ike *ike = s->ike;
    struct ike_xchg *x = s->x;
    struct ike_ke *to = s->to;
    s->made = true;
    s->made_at = ike->now;
    if (x) {
        hand_over(s, to);
        to->work.rc = rc;
        return x;
    }
    ike->stock_stopped |= rc != ADIT_OK && !s->sa_id; /* until the next configuration: a job that fails is not repeated */
    if (rc == ADIT_OK && !s->sa_id)
        ike->counters[ADIT_C_KE_POOL_MADE]++;
    if (rc != ADIT_OK || (s->sa_id && !sa_by_id(ike, s->sa_id)))
        spare_free(s);
    ahead_refill(ike);
    return NULL;
}

void ahead_forget(struct ike_sa *sa)
{
    list_for_each_safe(it, &sa->ike->spares) {
        struct ike_spare *s = list_entry(it, struct ike_spare, link);
        if (s->sa_id == sa->id && s->made)
            spare_free(s);
    }
}

void ahead_fini(struct ike *ike)
{
    list_for_each_safe(it, &ike->spares)
        spare_free(list_entry(it, struct ike_spare, link)); /* the host ends its jobs before it ends the engine */
}
