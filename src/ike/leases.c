/* leases.c - see leases.h. Addresses are numbers from the pool's first one; a pool remembers those that were ever leased. */
#include "ike/leases.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/why.h"
#include "model/model.h"

#define POOL_SIZE_MAX 0x7fffffffu /* an IPv6 prefix holds more than anybody will lease */

struct lease_pool {
    struct list link;
    char *name;
    struct adit_addr base, lo, hi;
    uint32_t size, next; /* next: offsets from here on were never leased in turn */
    uint32_t n, online;
    struct lease **v; /* by age; made for each address once */
    struct map by_offset, by_owner;
    struct list offline; /* longest offline first */
};
struct lease {
    struct list link; /* in its pool's `offline` while nobody holds it */
    struct lease_pool *pool;
    struct lease *same; /* the next one of the same owner's hash */
    uint32_t offset;
    unsigned refs;
    struct adit_addr peer;
    struct adit_buf owner;
};

/* --- addresses as numbers ---------------------------------------------------------------------------------------------- */

/* lo + offset; what is carried beyond 32 bits goes into the octets above. */
static struct adit_addr address_at(const struct lease_pool *p, uint32_t offset)
{
    struct adit_addr a = p->lo;
    uint64_t carry = offset;
    for (int i = (a.family == 6 ? 16 : 4) - 1; i >= 0 && carry; i--) {
        carry += a.ip[i];
        a.ip[i] = (uint8_t)carry;
        carry >>= 8;
    }
    return a;
}

/* b - a, at most POOL_SIZE_MAX; -1 if b is below a. */
static int64_t distance(const struct adit_addr *a, const struct adit_addr *b)
{
    int64_t d = 0;
    if (a->family != b->family || span_compare(addr_span(b), addr_span(a)) < 0)
        return -1;
    for (int i = 0; i < (a->family == 6 ? 16 : 4); i++) {
        d = d * 256 + b->ip[i] - a->ip[i];
        d = d > (int64_t)1 << 48 ? (int64_t)1 << 48 : d; /* borrows below take less than one unit */
    }
    return d > POOL_SIZE_MAX ? (int64_t)POOL_SIZE_MAX : d;
}

/* False: not in the pool. */
static bool offset_of(const struct lease_pool *p, const struct adit_addr *a, uint32_t *offset)
{
    int64_t d = a ? distance(&p->lo, a) : -1;
    if (d < 0 || d >= p->size)
        return false;
    *offset = (uint32_t)d;
    return true;
}

/* --- pools ------------------------------------------------------------------------------------------------------------- */

static void lease_free(struct lease *lease)
{
    list_remove(&lease->link);
    buf_fini(&lease->owner);
    mem_del(lease);
}

static void pool_free(struct lease_pool *p)
{
    for (uint32_t i = 0; i < p->n; i++)
        lease_free(p->v[i]);
    list_remove(&p->link);
    map_fini(&p->by_offset);
    map_fini(&p->by_owner);
    mem_del(p->v);
    mem_del(p->name);
    mem_del(p);
}

static struct lease_pool *pool_new(const struct adit_pool *cfg, uint64_t seed)
{
    struct lease_pool *p = mem_new(sizeof(*p));
    if (!p)
        return NULL;
    list_init(&p->link);
    list_init(&p->offline);
    map_init(&p->by_offset, seed);
    map_init(&p->by_owner, seed ^ 1);
    p->base = cfg->base;
    p->lo = cfg->lo;
    p->hi = cfg->hi;
    int64_t last = distance(&cfg->lo, &cfg->hi);
    p->size = last >= POOL_SIZE_MAX ? POOL_SIZE_MAX : (uint32_t)(last + 1);
    p->name = mem_strdup(cfg->name);
    if (p->name)
        return p;
    pool_free(p);
    return NULL;
}

static struct lease_pool *find_pool(const struct list *pools, const char *name)
{
    list_for_each(it, pools) {
        struct lease_pool *p = list_entry(it, struct lease_pool, link);
        if (!strcmp(p->name, name))
            return p;
    }
    return NULL;
}

static bool same_range(const struct lease_pool *p, const struct adit_pool *cfg)
{
    return cfg && addr_equal(&p->lo, &cfg->lo) && addr_equal(&p->hi, &cfg->hi);
}

void leases_init(struct leases *l, uint64_t seed)
{
    list_init(&l->pools);
    l->seed = seed;
}

void leases_fini(struct leases *l)
{
    list_for_each_safe(it, &l->pools)
        pool_free(list_entry(it, struct lease_pool, link));
}

static enum adit_rc may_go(const struct leases *l, const struct adit_config *cfg, struct adit_why *why)
{
    list_for_each(it, &l->pools) {
        const struct lease_pool *p = list_entry(it, struct lease_pool, link);
        const struct adit_pool *now = adit_config_pool(cfg, p->name);
        if (!p->online || same_range(p, now))
            continue;
        return why_set(why, ADIT_ERR_EXISTS,
                       "pool '%s' has %u addresses in use: it can't %s until their peers are gone (adit list-pools "
                       "--leases)",
                       p->name, p->online, now ? "get another range" : "be unloaded");
    }
    return ADIT_OK;
}

/* Into `fresh`: all pools of the configuration, new ones where the range is another one. */
static enum adit_rc make(struct leases *l, const struct adit_config *cfg, struct list *fresh)
{
    const struct adit_pool *const *pools;
    size_t n = adit_config_pools(cfg, &pools);
    for (size_t i = 0; i < n; i++) {
        struct lease_pool *p = find_pool(&l->pools, pools[i]->name);
        if (p && same_range(p, pools[i]))
            continue;
        if (!(p = pool_new(pools[i], l->seed)))
            return ADIT_ERR_MEMORY;
        list_append(fresh, &p->link);
    }
    return ADIT_OK;
}

static void order(struct leases *l, const struct adit_config *cfg, struct list *fresh)
{
    struct list old;
    const struct adit_pool *const *pools;
    size_t n = adit_config_pools(cfg, &pools);
    list_init(&old);
    list_for_each_safe(was, &l->pools) {
        list_remove(was);
        list_append(&old, was);
    }
    for (size_t i = 0; i < n; i++) {
        struct lease_pool *p = find_pool(fresh, pools[i]->name);
        if (!p)
            p = find_pool(&old, pools[i]->name);
        list_remove(&p->link);
        p->base = pools[i]->base;
        list_append(&l->pools, &p->link);
    }
    list_for_each_safe(it, &old)
        pool_free(list_entry(it, struct lease_pool, link));
}

enum adit_rc leases_config(struct leases *l, const struct adit_config *cfg, struct adit_why *why)
{
    struct list fresh;
    list_init(&fresh);
    TRY(may_go(l, cfg, why));
    enum adit_rc rc = make(l, cfg, &fresh);
    if (rc == ADIT_OK) {
        order(l, cfg, &fresh);
        return ADIT_OK;
    }
    list_for_each_safe(it, &fresh)
        pool_free(list_entry(it, struct lease_pool, link));
    return why_set(why, rc, "out of memory");
}

/* --- leases ------------------------------------------------------------------------------------------------------------ */

static uint64_t owner_key(const struct lease_pool *p, struct adit_span owner)
{
    uint64_t h = p->by_owner.seed;
    for (size_t i = 0; i < owner.n; i++)
        h = map_mix(h ^ owner.p[i], p->by_owner.seed);
    return h;
}

static void forget_owner(struct lease *lease)
{
    struct lease_pool *p = lease->pool;
    uint64_t key = owner_key(p, buf_span(&lease->owner));
    struct lease *first = map_get(&p->by_owner, key), **at = &first;
    while (*at && *at != lease)
        at = &(*at)->same;
    if (*at)
        *at = lease->same;
    lease->same = NULL;
    if (!first)
        map_del(&p->by_owner, key);
    else
        (void)!map_put(&p->by_owner, key, first); /* the key is there: nothing is allocated */
}

static enum adit_rc set_owner(struct lease *lease, struct adit_span owner)
{
    struct lease_pool *p = lease->pool;
    uint64_t key = owner_key(p, owner);
    struct lease *first = map_get(&p->by_owner, key);
    TRY(buf_set(&lease->owner, owner));
    TRY(map_put(&p->by_owner, key, lease));
    lease->same = first;
    return ADIT_OK;
}

static enum adit_rc add(struct lease_pool *p, struct lease *lease)
{
    struct lease **v = mem_resize(p->v, (p->n + 1) * sizeof(struct lease *));
    if (!v)
        return ADIT_ERR_MEMORY;
    p->v = v;
    TRY(map_put(&p->by_offset, (uint64_t)lease->offset + 1, lease));
    v[p->n++] = lease;
    return ADIT_OK;
}

/* An address that was never leased. */
static struct lease *lease_new(struct lease_pool *p, uint32_t offset, struct adit_span owner)
{
    struct lease *lease = mem_new(sizeof(*lease));
    if (!lease)
        return NULL;
    list_init(&lease->link);
    lease->pool = p;
    lease->offset = offset;
    if (set_owner(lease, owner) == ADIT_OK) {
        if (add(p, lease) == ADIT_OK)
            return lease;
        forget_owner(lease);
    }
    lease_free(lease);
    return NULL;
}

static struct lease *at_offset(const struct lease_pool *p, uint32_t offset)
{
    return map_get(&p->by_offset, (uint64_t)offset + 1);
}

/* May the owner have what it holds already once more? */
static bool may_share(const struct lease *lease, const struct lease_want *w, bool asked_for)
{
    return w->takes_over || (asked_for && w->peer && addr_equal(&lease->peer, w->peer));
}

/* One that is the owner's: this address, or if `offset` is NULL any; online ones only if they may be shared. */
static struct lease *own(const struct lease_pool *p, const struct lease_want *w, const uint32_t *offset, bool online)
{
    for (struct lease *it = map_get(&p->by_owner, owner_key(p, w->owner)); it; it = it->same) {
        if (!span_equal(buf_span(&it->owner), w->owner) || (offset && it->offset != *offset))
            continue;
        if (it->refs ? online && may_share(it, w, offset != NULL) : !online || offset)
            return it;
    }
    return NULL;
}

/* The interface identifier that the peer wants, with the pool's prefix (RFC 7296 s3.15.3). */
static bool offset_of_identifier(const struct lease_pool *p, const struct adit_addr *wanted, uint32_t *offset)
{
    static const uint8_t none[8];
    if (!wanted || wanted->family != 6 || p->lo.family != 6 || span_equal(span(wanted->ip + 8, 8), SPAN_ARRAY(none)))
        return false;
    struct adit_addr a = p->lo;
    span_copy(a.ip + 8, span(wanted->ip + 8, 8));
    return offset_of(p, &a, offset);
}

static struct lease *never_leased(struct lease_pool *p, struct adit_span owner)
{
    while (p->next < p->size && at_offset(p, p->next))
        p->next++;
    return p->next < p->size ? lease_new(p, p->next, owner) : NULL;
}

/* Whoever has been away for longest has to find another one. */
static struct lease *longest_offline(struct lease_pool *p, struct adit_span owner)
{
    if (list_empty(&p->offline))
        return NULL;
    struct lease *lease = list_entry(p->offline.next, struct lease, link);
    struct adit_buf before = lease->owner;
    forget_owner(lease);
    lease->owner = (struct adit_buf){ 0 };
    if (set_owner(lease, owner) == ADIT_OK) {
        buf_fini(&before);
        return lease;
    }
    buf_fini(&lease->owner);
    lease->owner = before; /* nobody finds it by its owner any more, but it is offline and will be given away */
    return NULL;
}

static struct lease *choose(struct lease_pool *p, const struct lease_want *w)
{
    uint32_t offset;
    struct lease *lease = NULL;
    if (offset_of(p, w->wanted, &offset) && !(lease = own(p, w, &offset, true)) && !at_offset(p, offset))
        lease = lease_new(p, offset, w->owner);
    if (!lease && w->takes_over)
        lease = own(p, w, NULL, true);
    if (!lease)
        lease = own(p, w, NULL, false);
    if (!lease && offset_of_identifier(p, w->wanted, &offset) && !at_offset(p, offset))
        lease = lease_new(p, offset, w->owner);
    if (!lease)
        lease = never_leased(p, w->owner);
    return lease ? lease : longest_offline(p, w->owner);
}

struct lease *lease_take(struct leases *l, const struct lease_want *w)
{
    struct lease_pool *p = find_pool(&l->pools, w->pool);
    struct lease *lease = p ? choose(p, w) : NULL;
    if (!lease)
        return NULL;
    if (!lease->refs++) {
        list_remove(&lease->link);
        p->online++;
    }
    if (w->peer)
        lease->peer = *w->peer;
    return lease;
}

void lease_return(struct lease *lease)
{
    if (!lease || --lease->refs)
        return;
    lease->pool->online--;
    list_append(&lease->pool->offline, &lease->link);
}

struct adit_addr lease_address(const struct lease *lease)
{
    return address_at(lease->pool, lease->offset);
}

/* --- looking at them ----------------------------------------------------------------------------------------------------- */

static const struct lease_pool *pool_at(const struct leases *l, size_t i)
{
    list_for_each(it, &l->pools)
        if (i-- == 0)
            return list_entry(it, struct lease_pool, link);
    return NULL;
}

bool leases_pool(const struct leases *l, size_t i, struct adit_pool_info *out)
{
    const struct lease_pool *p = pool_at(l, i);
    if (!p)
        return false;
    *out = (struct adit_pool_info){
        .name = p->name, .base = p->base, .size = p->size, .online = p->online, .offline = p->n - p->online
    };
    return true;
}

bool leases_lease(const struct leases *l, size_t pool, size_t i, struct adit_lease_info *out)
{
    const struct lease_pool *p = pool_at(l, pool);
    if (!p || i >= p->n)
        return false;
    const struct lease *lease = p->v[i];
    struct adit_span owner = buf_span(&lease->owner);
    *out = (struct adit_lease_info){ .addr = lease_address(lease), .online = lease->refs > 0 };
    if (owner.n >= 4)
        out->owner = (struct adit_id){ .type = owner.p[0], .data = span_from(owner, 4) };
    return true;
}
