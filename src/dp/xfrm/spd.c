/* spd.c - see spd.h. Decisions are made anew for each selector of what changed; what comes out as before is not sent. */
#include "dp/xfrm/spd.h"
#include <errno.h>
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/span.h"
#include "dp/xfrm/select.h"
#include "model/model.h"

struct use {
    struct list node;
    struct spd_owner *owner;
};
struct entry {
    struct xfrm_selector sel; /* outbound */
    uint64_t key;
    struct list uses;
    bool there[XFRM_POLICY_MAX]; /* by direction */
    struct xfrm_policy_spec now[XFRM_POLICY_MAX];
};
struct spd {
    spd_send *send;
    void *arg;
    struct map entries;
    size_t installed;
};

/* --- decisions --------------------------------------------------------------------------------------------------- */

static bool is_child(const struct spd_owner *o)
{
    return o->kind == SPD_KERNEL || o->kind == SPD_USER;
}

static bool better(const struct spd_owner *a, const struct spd_owner *b)
{
    if (!b || a->rank != b->rank)
        return !b || a->rank < b->rank;
    if (a->one_cpu != b->one_cpu)
        return b->one_cpu;
    if (a->leaving != b->leaving)
        return b->leaving;
    return a->order > b->order;
}

static const struct spd_owner *best(const struct entry *e, bool outbound)
{
    const struct spd_owner *found = NULL;
    list_for_each (it, &e->uses) {
        const struct spd_owner *o = list_entry(it, struct use, node)->owner;
        bool in_play = outbound ? !is_child(o) || o->active : o->kind != SPD_TRAP;
        if (in_play && better(o, found))
            found = o;
    }
    return found;
}

/* Packets of any of them are welcome: the template names a reqid only if all have the same. Whose addresses a packet may
 * bear, each state says for itself. */
static uint32_t common_reqid(const struct entry *e, const struct spd_owner *o)
{
    list_for_each (it, &e->uses) {
        const struct spd_owner *other = list_entry(it, struct use, node)->owner;
        if (other->kind == SPD_KERNEL && other->reqid != o->reqid)
            return 0;
    }
    return o->reqid;
}

static bool has_siblings(const struct entry *e, const struct spd_owner *o)
{
    list_for_each (it, &e->uses) {
        const struct spd_owner *other = list_entry(it, struct use, node)->owner;
        if (other != o && other->kind == SPD_KERNEL && other->one_cpu && other->active && other->reqid == o->reqid)
            return true;
    }
    return false;
}

/* The SPI says which of several SAs it is; where each processor may have one, the kernel chooses. */
static void outbound_template(const struct entry *e, const struct spd_owner *o, struct xfrm_policy_spec *p)
{
    p->has_template = true;
    p->asks_of_cpu = o->shares;
    p->t = (struct xfrm_template){ o->local, o->remote, o->spi_out, o->reqid, o->transport };
    if (o->shares || (!o->one_cpu && has_siblings(e, o)))
        p->t.spi = 0;
}

static const struct spd_owner *newest(const struct entry *e, enum spd_kind kind)
{
    const struct spd_owner *found = NULL;
    list_for_each (it, &e->uses) {
        const struct spd_owner *o = list_entry(it, struct use, node)->owner;
        if (o->kind == kind && (!found || o->order > found->order))
            found = o;
    }
    return found;
}

/* What comes from the TUN has been opened in user space: to the kernel it is in the clear. */
static void inbound_template(const struct entry *e, struct xfrm_policy_spec *p)
{
    const struct spd_owner *o = newest(e, SPD_KERNEL);
    if (!o)
        return;
    p->has_template = true;
    p->t = (struct xfrm_template){ .src.family = o->remote.family, .dst.family = o->local.family, .reqid = common_reqid(e, o),
                                   .transport = o->transport, .optional = newest(e, SPD_USER) != NULL };
}

/* False: there is to be none. */
static bool decide(const struct entry *e, uint8_t dir, struct xfrm_policy_spec *p)
{
    bool outbound = dir == XFRM_POLICY_OUT;
    const struct spd_owner *o = best(e, outbound);
    *p = (struct xfrm_policy_spec){ .dir = dir };
    if (!o || (dir == XFRM_POLICY_FWD && o->transport))
        return false;
    p->sel = outbound ? e->sel : xfrm_selector_turned(&e->sel);
    p->priority = o->rank;
    p->block = o->kind == SPD_DROP;
    if (o->kind == SPD_KERNEL && outbound)
        outbound_template(e, o, p);
    else if (is_child(o) && !outbound)
        inbound_template(e, p);
    return true;
}

static bool same_template(const struct xfrm_template *a, const struct xfrm_template *b)
{
    return addr_equal(&a->src, &b->src) && addr_equal(&a->dst, &b->dst) && a->spi == b->spi && a->reqid == b->reqid &&
           a->transport == b->transport && a->optional == b->optional;
}

static bool same_policy(const struct xfrm_policy_spec *a, const struct xfrm_policy_spec *b)
{
    return a->priority == b->priority && a->block == b->block && a->asks_of_cpu == b->asks_of_cpu &&
           a->has_template == b->has_template && same_template(&a->t, &b->t);
}

/* --- what is installed --------------------------------------------------------------------------------------------- */

static int withdraw(struct spd *s, struct entry *e, uint8_t dir)
{
    struct xfrm_msg m;
    if (!e->there[dir])
        return 0;
    xfrm_put_del_policy(&m, dir, &e->now[dir].sel);
    e->there[dir] = false;
    s->installed--;
    return s->send(s->arg, &m);
}

static int settle(struct spd *s, struct entry *e, uint8_t dir, bool fresh)
{
    struct xfrm_policy_spec p;
    struct xfrm_msg m;
    if (!decide(e, dir, &p))
        return withdraw(s, e, dir);
    if (e->there[dir] && same_policy(&p, &e->now[dir]) && !(fresh && p.has_template))
        return 0;
    xfrm_put_policy(&m, &p);
    int rc = s->send(s->arg, &m);
    if (rc)
        return rc;
    s->installed += !e->there[dir];
    e->there[dir] = true;
    e->now[dir] = p;
    return 0;
}

static int settle_all(struct spd *s, struct entry *e, bool fresh)
{
    static const uint8_t dirs[] = { XFRM_POLICY_IN, XFRM_POLICY_FWD, XFRM_POLICY_OUT };
    int rc = 0;
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        int e1 = settle(s, e, dirs[i], fresh && dirs[i] == XFRM_POLICY_OUT);
        rc = rc ? rc : e1;
    }
    return rc;
}

/* --- entries --------------------------------------------------------------------------------------------------------- */

static uint64_t key_of(const struct spd *s, const struct xfrm_selector *sel)
{
    uint64_t part[6], key = 0;
    span_copy((uint8_t *)part, span(&sel->saddr, 16));
    span_copy((uint8_t *)(part + 2), span(&sel->daddr, 16));
    part[4] = (uint64_t)sel->sport << 48 | (uint64_t)sel->sport_mask << 32 | (uint64_t)sel->dport << 16 | sel->dport_mask;
    part[5] = (uint64_t)sel->family << 48 | (uint64_t)sel->prefixlen_s << 32 | (uint64_t)sel->prefixlen_d << 16 | sel->proto;
    for (size_t i = 0; i < ARRAY_LEN(part); i++)
        key = map_mix(key ^ part[i], s->entries.seed);
    return key;
}

static struct entry *entry_for(struct spd *s, const struct xfrm_selector *sel)
{
    uint64_t key = key_of(s, sel);
    struct entry *e = map_get(&s->entries, key);
    if (e)
        return e;
    e = mem_new(sizeof(*e));
    if (!e)
        return NULL;
    e->sel = *sel;
    e->key = key;
    list_init(&e->uses);
    if (map_put(&s->entries, key, e) == ADIT_OK)
        return e;
    mem_del(e);
    return NULL;
}

static void drop_use(struct spd *s, struct entry *e, const struct spd_owner *o)
{
    list_for_each_safe (it, &e->uses) {
        struct use *u = list_entry(it, struct use, node);
        if (u->owner == o) {
            list_remove(&u->node);
            mem_del(u);
        }
    }
    (void)settle_all(s, e, false); /* gone already: fine */
    if (!list_empty(&e->uses))
        return;
    map_del(&s->entries, e->key);
    mem_del(e);
}

static int add_use(struct spd *s, const struct xfrm_selector *sel, struct spd_owner *o)
{
    struct entry *e = entry_for(s, sel);
    struct use *u = e ? mem_new(sizeof(*u)) : NULL;
    if (!u) {
        if (e)
            drop_use(s, e, o);
        return -ENOMEM;
    }
    u->owner = o;
    list_append(&e->uses, &u->node);
    return settle_all(s, e, false);
}

int spd_add(struct spd *s, struct spd_owner *o)
{
    int rc = 0;
    for (size_t i = 0; i < o->n && !rc; i++)
        rc = add_use(s, &o->sel[i], o);
    if (rc)
        spd_del(s, o);
    return rc;
}

void spd_changed(struct spd *s, const struct spd_owner *o, bool fresh)
{
    for (size_t i = 0; i < o->n; i++) {
        struct entry *e = map_get(&s->entries, key_of(s, &o->sel[i]));
        if (e)
            (void)settle_all(s, e, fresh);
    }
}

void spd_del(struct spd *s, struct spd_owner *o)
{
    for (size_t i = 0; i < o->n; i++) {
        struct entry *e = map_get(&s->entries, key_of(s, &o->sel[i]));
        if (e)
            drop_use(s, e, o);
    }
}

size_t spd_installed(const struct spd *s)
{
    return s->installed;
}

/* --- birth and death ------------------------------------------------------------------------------------------------- */

struct spd *spd_new(spd_send *send, void *arg, uint64_t seed)
{
    struct spd *s = mem_new(sizeof(*s));
    if (!s)
        return NULL;
    s->send = send;
    s->arg = arg;
    map_init(&s->entries, seed);
    return s;
}

static void entry_free(struct spd *s, struct entry *e)
{
    for (uint8_t dir = 0; dir < XFRM_POLICY_MAX; dir++)
        (void)withdraw(s, e, dir);
    list_for_each_safe (it, &e->uses)
        mem_del(list_entry(it, struct use, node));
    mem_del(e);
}

void spd_free(struct spd *s)
{
    size_t it = 0;
    if (!s)
        return;
    for (struct entry *e; (e = map_next(&s->entries, &it));)
        entry_free(s, e);
    map_fini(&s->entries);
    mem_del(s);
}
