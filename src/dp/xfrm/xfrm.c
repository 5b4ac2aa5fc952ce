/* xfrm.c - see xfrm.h. Each Child SA is two states (states.c) and a share in policies (spd.c); what the kernel tells about them
 * becomes events of the data plane. */
#include "dp/xfrm/xfrm.h"
#include <errno.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/why.h"
#include "dp/tables.h"
#include "dp/xfrm/get.h"
#include "dp/xfrm/select.h"
#include "dp/xfrm/spd.h"
#include "dp/xfrm/states.h"
#include "model/model.h"
#include "wire/be.h"
#include "wire/iana.h"

#define WINDOW_MAX 4096     /* bits: XFRMA_REPLAY_ESN_MAX */
#define BY_WIDTH 0x80000000 /* priorities above are by the selectors' width */
#define EVENTS_MEM 65536
#define PROBE_SPI 0x7fad17ffu

struct child {
    struct list node;
    uint32_t id;
    struct adit_path path;
    bool udp_encap;
    bool standby;        /* waits for the first packet */
    bool told_soft, told_inactive;
    bool to_tcp;         /* the peer is reached by TCP now: another back end has to carry it */
    bool routed;
    uint64_t inactivity_ns, born_at;
    uint64_t gone_at;    /* inbound half ends; UINT64_MAX: alive */
    struct states states; /* of SPD_KERNEL */
    struct spd_owner owner;
};
struct policy {
    struct list node;
    uint32_t reqid, priority;
    struct spd_owner owner;
};
struct dp_xfrm {
    struct xfrm_settings set;
    struct net_xfrm *nl;
    struct spd *spd;
    struct list children, dying, policies;
    struct map by_id;
    size_t n_kernel; /* with states, those that die included */
    uint64_t order;
    bool udp_encap;
    bool per_cpu;    /* the kernel binds states to processors */
    int epoll, timer;
    bool ticking;
    _Alignas(8) uint8_t mem[EVENTS_MEM];
    size_t at, n; /* of events in mem */
};

/* --- small helpers --------------------------------------------------------------------------------------------------- */

static uint64_t clock_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int to_kernel(void *arg, struct xfrm_msg *m)
{
    struct dp_xfrm *x = arg;
    return m->fail ? -EMSGSIZE : net_xfrm_call(x->nl, m->p, m->n, NULL, 0, NULL);
}

static enum adit_rc refused(struct adit_why *why, const char *what, int e, const struct net_words *words)
{
    bool said = words && words->text[0];
    return why_set(why, ADIT_ERR_IO, "the kernel refuses %s: %s%s%s", what, strerror(-e), said ? ": " : "", said ? words->text : "");
}

static struct child *child_by_id(const struct dp_xfrm *x, uint32_t id)
{
    return map_get(&x->by_id, id);
}

static const struct policy *policy_by_reqid(const struct dp_xfrm *x, uint32_t reqid)
{
    list_for_each (it, &x->policies) {
        const struct policy *p = list_entry(it, struct policy, node);
        if (p->reqid == reqid)
            return p;
    }
    return NULL;
}

/* As tables.c orders: explicit priorities first, then the narrower; among equals SAs before policies. */
static uint32_t rank_of(uint32_t priority, const struct adit_ts *local, uint16_t n_local, const struct adit_ts *remote,
                        uint16_t n_remote, bool is_sa)
{
    struct dp_selectors *s = priority ? NULL : selectors_new(local, n_local, remote, n_remote);
    uint32_t major = priority < BY_WIDTH / 2 ? priority : BY_WIDTH / 2 - 1;
    if (s)
        major = BY_WIDTH / 2 + selectors_width(s);
    mem_del(s);
    return major * 2 + !is_sa;
}

/* Once a second as long as there is something to look at. */
static void tick_while_needed(struct dp_xfrm *x)
{
    bool needed = !list_empty(&x->dying);
    list_for_each (it, &x->children)
        needed |= list_entry(it, struct child, node)->inactivity_ns || list_entry(it, struct child, node)->to_tcp;
    struct itimerspec t = { { needed, 0 }, { needed, 0 } };
    if (needed != x->ticking)
        timerfd_settime(x->timer, 0, &t, NULL);
    x->ticking = needed;
}

/* --- what our sockets leave alone -------------------------------------------------------------------------------------- */

static size_t spis_in(const struct list *head, uint32_t *out, size_t n)
{
    list_for_each (it, head) {
        const struct child *c = list_entry(it, struct child, node);
        if (c->owner.kind == SPD_KERNEL && n < NET_SPIS_MAX)
            out[n++] = c->states.in.spi;
    }
    return n;
}

static int tell_spis(struct dp_xfrm *x)
{
    uint32_t spi[NET_SPIS_MAX];
    size_t n = spis_in(&x->children, spi, 0);
    return x->set.hooks.spis(x->set.hooks.arg, spi, spis_in(&x->dying, spi, n));
}

/* --- can the kernel? ----------------------------------------------------------------------------------------------------- */

static const char *unfit_algorithms(const struct adit_suite *s)
{
    const struct xfrm_alg *a = xfrm_alg_encr(s->encr);
    if (!a)
        return "the kernel has no ESP with this cipher";
    if (!a->aead && !xfrm_alg_integ(s->integ))
        return "the kernel has no ESP with this integrity algorithm";
    return s->sn > SN_64_BIT_PARTIAL ? "the kernel knows no such sequence numbers" : NULL;
}

static const char *unfit_shape(const struct adit_child_spec *spec)
{
    if (spec->mode == ADIT_MODE_AGGFRAG)
        return "the kernel's ESP is not asked for streams of packets (iptfs)";
    if (spec->shape.tfc_padding || spec->shape.dummies)
        return "the kernel pads no packets and sends no dummies";
    if (spec->mode == ADIT_MODE_TUNNEL && spec->df == ADIT_DF_SET)
        return "the kernel can't always set DF";
    if (spec->replay_window > WINDOW_MAX)
        return "the kernel's replay windows end at 4096";
    return !spec->replay_window && spec->suite.sn == SN_64_BIT_PARTIAL ? "without a replay window the kernel has no ESN" : NULL;
}

const char *xfrm_unfit(const struct dp_xfrm *x, const struct adit_child_spec *spec)
{
    const char *no = unfit_algorithms(&spec->suite);
    no = no ? no : unfit_shape(spec);
    if (no)
        return no;
    if (spec->path.tcp)
        return "the kernel is not asked for ESP in TCP";
    if (spec->udp_encap && !x->udp_encap)
        return "the kernel takes no ESP in UDP from our sockets";
    if ((spec->resource || spec->shares) && !x->per_cpu)
        return "this kernel binds no SAs to processors";
    if (spec->resource > x->set.cpus)
        return "there are more resources than processors";
    if (!spec->path.local.addr.family)
        return "our own address is not known";
    return x->n_kernel >= NET_SPIS_MAX ? "as many Child SAs as our sockets can leave alone are in the kernel" : NULL;
}

void xfrm_udp_encap(struct dp_xfrm *x, bool ok)
{
    x->udp_encap = ok;
}

/* --- Child SAs ------------------------------------------------------------------------------------------------------------- */

static struct child *child_new(const struct adit_child_spec *spec, enum spd_kind kind, const struct xfrm_selector *sel, size_t n)
{
    struct child *c = mem_new(sizeof(*c) + n * sizeof(*sel));
    if (!c)
        return NULL;
    list_init(&c->node);
    c->id = spec->id;
    c->path = spec->path;
    c->udp_encap = spec->udp_encap;
    c->inactivity_ns = kind == SPD_KERNEL ? spec->inactivity_ns : 0;
    c->born_at = clock_now();
    c->gone_at = UINT64_MAX;
    c->owner = (struct spd_owner){ .kind = kind, .reqid = spec->reqid, .spi_out = spec->out.spi,
                                   .local = spec->path.local.addr, .remote = spec->path.remote.addr,
                                   .transport = spec->mode == ADIT_MODE_TRANSPORT, .one_cpu = spec->resource != 0,
                                   .shares = spec->shares, .n = n, .sel = (struct xfrm_selector *)(c + 1) };
    span_copy((uint8_t *)c->owner.sel, span(sel, n * sizeof(*sel)));
    return c;
}

static void child_free(struct child *c)
{
    if (c->owner.kind == SPD_KERNEL)
        states_fini(&c->states);
    mem_del(c);
}

static enum adit_rc make_child(struct dp_xfrm *x, const struct adit_child_spec *spec, enum spd_kind kind, struct child **out,
                               struct adit_why *why)
{
    struct xfrm_selector sel[XFRM_SELECTORS_MAX];
    const char *no;
    size_t n = xfrm_selectors(spec->local_ts, spec->n_local_ts, spec->remote_ts, spec->n_remote_ts, sel, XFRM_SELECTORS_MAX, &no);
    if (!n)
        return why_set(why, ADIT_ERR_TS, "%s", no);
    *out = child_new(spec, kind, sel, n);
    if (!*out)
        return ADIT_ERR_MEMORY;
    const struct policy *trap = policy_by_reqid(x, spec->reqid);
    (*out)->owner.rank = rank_of(trap ? trap->priority : 0, spec->local_ts, spec->n_local_ts, spec->remote_ts, spec->n_remote_ts, true);
    (*out)->owner.order = ++x->order;
    if (kind != SPD_KERNEL)
        return ADIT_OK;
    x->n_kernel++;
    struct xfrm_selector hull = xfrm_selector_hull(sel, n);
    return states_init(&(*out)->states, spec, &hull, spec->mode == ADIT_MODE_TUNNEL ? x->set.mark : 0);
}

/* The end of it, wherever it stands. */
static void unmake(struct dp_xfrm *x, struct child *c)
{
    bool kernel = c->owner.kind == SPD_KERNEL;
    if (c->routed)
        x->set.hooks.route_del(x->set.hooks.arg, c->id);
    if (kernel) {
        states_del_out(&c->states, x->nl);
        states_del_in(&c->states, x->nl);
        x->n_kernel--;
    }
    spd_del(x->spd, &c->owner);
    list_remove(&c->node);
    child_free(c);
    if (kernel)
        (void)tell_spis(x); /* they are not used again soon */
}

static enum adit_rc go_out(struct dp_xfrm *x, struct child *c, struct adit_why *why)
{
    struct net_words words;
    int e = c->states.out_there ? 0 : states_put_out(&c->states, x->nl, &words);
    if (e)
        return refused(why, "the outbound SA", e, &words);
    c->standby = false;
    c->owner.active = true;
    spd_changed(x->spd, &c->owner, c->owner.one_cpu || c->owner.shares);
    return ADIT_OK;
}

/* Policies before states: what arrives must not be refused for want of one. Our sockets before both. */
static enum adit_rc install(struct dp_xfrm *x, struct child *c, const struct adit_child_spec *spec, struct adit_why *why)
{
    struct net_words words;
    int e = tell_spis(x);
    if (e)
        return refused(why, "filters on our sockets", e, NULL);
    e = spd_add(x->spd, &c->owner);
    if (e)
        return refused(why, "policies", e, NULL);
    c->standby = spec->outbound != ADIT_OUT_ACTIVE;
    e = states_put_in(&c->states, x->nl, c->standby, &words);
    if (e)
        return refused(why, "the inbound SA", e, &words);
    if (spec->mode == ADIT_MODE_TUNNEL)
        TRY(x->set.hooks.route_add(x->set.hooks.arg, spec, why));
    c->routed = spec->mode == ADIT_MODE_TUNNEL;
    return c->standby ? ADIT_OK : go_out(x, c, why);
}

static enum adit_rc child_add(void *self, const struct adit_child_spec *spec, struct adit_why *why)
{
    struct dp_xfrm *x = self;
    struct child *c = NULL;
    enum adit_rc rc = make_child(x, spec, SPD_KERNEL, &c, why);
    if (c)
        list_append(&x->children, &c->node);
    if (!rc)
        rc = map_put(&x->by_id, c->id, c);
    if (!rc)
        rc = install(x, c, spec, why);
    if (rc && c) {
        map_del(&x->by_id, c->id);
        unmake(x, c);
    }
    tick_while_needed(x);
    return rc;
}

static void child_activate(void *self, uint32_t id)
{
    struct dp_xfrm *x = self;
    struct child *c = child_by_id(x, id);
    if (c && c->gone_at == UINT64_MAX && !c->owner.active)
        (void)go_out(x, c, NULL); /* the one before goes on, until its end is noticed */
}

static void child_leave(void *self, uint32_t id)
{
    struct dp_xfrm *x = self;
    struct child *c = child_by_id(x, id);
    if (!c || c->owner.leaving)
        return;
    c->owner.leaving = true;
    spd_changed(x->spd, &c->owner, false);
}

static void child_path(void *self, uint32_t id, const struct adit_path *path, bool udp_encap)
{
    struct dp_xfrm *x = self;
    struct child *c = child_by_id(x, id);
    if (!c)
        return;
    c->to_tcp = path->tcp;
    tick_while_needed(x);
    if (path->tcp)
        return;
    c->path = *path;
    c->udp_encap = udp_encap;
    c->owner.local = path->local.addr;
    c->owner.remote = path->remote.addr;
    (void)states_move(&c->states, x->nl, path, udp_encap); /* what fails ends with the SA's dead peer detection */
    spd_changed(x->spd, &c->owner, false);
}

/* Outbound at once, inbound later. */
static void die(struct dp_xfrm *x, struct child *c, uint64_t grace_ns)
{
    c->owner.active = false;
    spd_changed(x->spd, &c->owner, false);
    if (c->owner.kind == SPD_KERNEL)
        states_del_out(&c->states, x->nl);
    if (c->routed)
        x->set.hooks.route_del(x->set.hooks.arg, c->id);
    c->routed = false;
    list_remove(&c->node);
    list_append(&x->dying, &c->node);
    c->gone_at = clock_now() + grace_ns;
    if (!grace_ns)
        unmake(x, c);
    tick_while_needed(x);
}

static void child_del(void *self, uint32_t id, uint64_t grace_ns, struct adit_child_stats *last)
{
    struct dp_xfrm *x = self;
    struct child *c = map_del(&x->by_id, id);
    if (!c)
        return;
    states_count(&c->states, x->nl, clock_now());
    if (last)
        *last = c->states.last;
    die(x, c, grace_ns);
}

static bool child_stats(void *self, uint32_t id, struct adit_child_stats *out)
{
    struct dp_xfrm *x = self;
    struct child *c = child_by_id(x, id);
    if (!c)
        return false;
    states_count(&c->states, x->nl, clock_now());
    *out = c->states.last;
    return true;
}

/* --- Child SAs of others ---------------------------------------------------------------------------------------------------- */

enum adit_rc xfrm_other_add(struct dp_xfrm *x, const struct adit_child_spec *spec, struct adit_why *why)
{
    struct child *c = NULL;
    enum adit_rc rc = make_child(x, spec, SPD_USER, &c, why);
    if (rc)
        return rc == ADIT_ERR_TS ? ADIT_OK : rc;
    c->owner.active = spec->outbound == ADIT_OUT_ACTIVE;
    int e = spd_add(x->spd, &c->owner);
    if (e)
        rc = refused(why, "policies", e, NULL);
    if (!rc)
        rc = map_put(&x->by_id, c->id, c);
    if (!rc)
        list_append(&x->children, &c->node);
    else
        unmake(x, c);
    return rc;
}

void xfrm_other_activate(struct dp_xfrm *x, uint32_t id)
{
    struct child *c = child_by_id(x, id);
    if (!c || c->owner.active)
        return;
    c->owner.active = true;
    spd_changed(x->spd, &c->owner, false);
}

void xfrm_other_leave(struct dp_xfrm *x, uint32_t id)
{
    child_leave(x, id);
}

void xfrm_other_del(struct dp_xfrm *x, uint32_t id, uint64_t grace_ns)
{
    struct child *c = map_del(&x->by_id, id);
    if (c)
        die(x, c, grace_ns);
}

/* --- policies ----------------------------------------------------------------------------------------------------------------- */

static void policy_del(void *self, uint32_t reqid)
{
    struct dp_xfrm *x = self;
    list_for_each_safe (it, &x->policies) {
        struct policy *p = list_entry(it, struct policy, node);
        if (p->reqid != reqid)
            continue;
        spd_del(x->spd, &p->owner);
        list_remove(&p->node);
        mem_del(p);
    }
}

static enum adit_rc policy_add(void *self, const struct dp_policy *p, struct adit_why *why)
{
    struct dp_xfrm *x = self;
    struct xfrm_selector sel[XFRM_SELECTORS_MAX];
    const char *no;
    policy_del(x, p->reqid);
    size_t n = xfrm_selectors(p->local_ts, p->n_local_ts, p->remote_ts, p->n_remote_ts, sel, XFRM_SELECTORS_MAX, &no);
    struct policy *mine = n ? mem_new(sizeof(*mine) + n * sizeof(sel[0])) : NULL;
    if (!mine)
        return n ? ADIT_ERR_MEMORY : ADIT_OK; /* the tables of user space have it */
    mine->reqid = p->reqid;
    mine->priority = p->priority;
    mine->owner = (struct spd_owner){ .kind = p->mode == ADIT_MODE_PASS   ? SPD_PASS
                                              : p->mode == ADIT_MODE_DROP ? SPD_DROP
                                                                          : SPD_TRAP,
                                      .rank = rank_of(p->priority, p->local_ts, p->n_local_ts, p->remote_ts, p->n_remote_ts, false),
                                      .reqid = p->reqid, .n = n, .sel = (struct xfrm_selector *)(mine + 1) };
    span_copy((uint8_t *)mine->owner.sel, span(sel, n * sizeof(sel[0])));
    int e = spd_add(x->spd, &mine->owner);
    if (e) {
        mem_del(mine);
        return refused(why, "policies", e, NULL);
    }
    list_append(&x->policies, &mine->node);
    return ADIT_OK;
}

/* --- events ---------------------------------------------------------------------------------------------------------------------- */

static struct child *child_of_state(const struct dp_xfrm *x, const struct xfrm_event *ev, bool *inbound)
{
    list_for_each (it, &x->children) {
        struct child *c = list_entry(it, struct child, node);
        if (c->owner.kind != SPD_KERNEL)
            continue;
        *inbound = c->states.in.spi == ev->spi && addr_equal(&c->states.in.dst, &ev->dst);
        if (*inbound || (c->states.out.spi == ev->spi && addr_equal(&c->states.out.dst, &ev->dst)))
            return c;
    }
    return NULL;
}

static bool limit_event(struct dp_xfrm *x, const struct xfrm_event *ev, struct dp_event *out)
{
    bool inbound;
    struct child *c = child_of_state(x, ev, &inbound);
    if (!c)
        return false;
    out->id = c->id;
    out->type = ev->type == XFRM_EV_HARD ? DP_EV_HARD : DP_EV_SOFT;
    if (ev->type == XFRM_EV_SOFT && inbound && c->standby) {
        child_activate(x, c->id); /* RFC 7296 s2.8: the peer has it */
        out->type = DP_EV_FIRST_IN;
        return true;
    }
    bool again = out->type == DP_EV_SOFT && c->told_soft;
    c->told_soft |= out->type == DP_EV_SOFT;
    return !again;
}

/* A processor sends by the SA that is for all, for want of its own. Traps are user space's: what is held there is sent by our own ESP. */
static bool acquire_event(struct dp_xfrm *x, const struct xfrm_event *ev, struct dp_event *out)
{
    list_for_each (it, &x->children) {
        const struct child *c = list_entry(it, struct child, node);
        if (ev->cpu != XFRM_NO_CPU && c->owner.reqid == ev->reqid && c->owner.shares && c->owner.active) {
            *out = (struct dp_event){ .type = DP_EV_OWN, .id = c->id, .reqid = ev->reqid, .resource = ev->cpu + 1 };
            return true;
        }
    }
    return false;
}

/* RFC 7296 s2.23: authentic packets from elsewhere. */
static bool mapping_event(struct dp_xfrm *x, const struct xfrm_event *ev, struct dp_event *out)
{
    bool inbound;
    const struct child *c = child_of_state(x, ev, &inbound);
    if (!c || !inbound)
        return false;
    out->type = DP_EV_PATH;
    out->id = c->id;
    out->path = c->path;
    out->path.remote = ev->from;
    return true;
}

static bool handle(struct dp_xfrm *x, struct adit_span msg, struct dp_event *out)
{
    struct xfrm_event ev;
    *out = (struct dp_event){ .at = clock_now() };
    if (!xfrm_event_get(msg, &ev))
        return false;
    switch (ev.type) {
    case XFRM_EV_ACQUIRE: return acquire_event(x, &ev, out);
    case XFRM_EV_MAPPING: return mapping_event(x, &ev, out);
    default: return limit_event(x, &ev, out);
    }
}

/* The next message of what was read: its length, or 0. */
static size_t next_message(const struct dp_xfrm *x)
{
    uint32_t n = 0;
    if (x->at < x->n && x->n - x->at >= 16)
        span_copy((uint8_t *)&n, span(x->mem + x->at, sizeof(n)));
    return n >= 16 && n <= x->n - x->at ? n : 0; /* a message's own header has 16 */
}

static bool kernel_event(struct dp_xfrm *x, struct dp_event *out)
{
    for (;;) {
        size_t n = next_message(x);
        struct adit_span msg = span(x->mem + x->at, n);
        x->at += (n + 3) & ~(size_t)3;
        if (n && handle(x, msg, out))
            return true;
        if (n)
            continue;
        int got = net_xfrm_next(x->nl, x->mem, sizeof(x->mem));
        if (got == -ENOBUFS)
            continue; /* some are lost: limits are met by time, and traffic asks again */
        x->at = 0;
        x->n = got > 0 ? (size_t)got : 0;
        if (got <= 0)
            return false;
    }
}

static bool is_idle(struct dp_xfrm *x, struct child *c, uint64_t now)
{
    if (!c->inactivity_ns || c->told_inactive || c->owner.kind != SPD_KERNEL)
        return false;
    states_count(&c->states, x->nl, now);
    uint64_t last = c->born_at;
    last = c->states.last.last_in_at > last ? c->states.last.last_in_at : last;
    last = c->states.last.last_out_at > last ? c->states.last.last_out_at : last;
    return now - last >= c->inactivity_ns;
}

/* What time brings. */
static bool due_event(struct dp_xfrm *x, struct dp_event *out)
{
    uint64_t now = clock_now();
    list_for_each (it, &x->children) {
        struct child *c = list_entry(it, struct child, node);
        bool idle = is_idle(x, c, now);
        if (!idle && !c->to_tcp)
            continue;
        *out = (struct dp_event){ .type = c->to_tcp ? DP_EV_SOFT : DP_EV_INACTIVE, .id = c->id, .at = now };
        c->told_inactive |= !c->to_tcp;
        c->to_tcp = false;
        return true;
    }
    return false;
}

static void bury(struct dp_xfrm *x)
{
    uint64_t now = clock_now();
    list_for_each_safe (it, &x->dying) {
        struct child *c = list_entry(it, struct child, node);
        if (now >= c->gone_at)
            unmake(x, c);
    }
    tick_while_needed(x);
}

static bool poll_events(void *self, struct dp_event *out)
{
    struct dp_xfrm *x = self;
    uint64_t ticks;
    if (kernel_event(x, out))
        return true;
    if (!x->ticking || read(x->timer, &ticks, sizeof(ticks)) != sizeof(ticks))
        return false;
    bury(x);
    return due_event(x, out);
}

int xfrm_event_fd(const struct dp_xfrm *x)
{
    return x->epoll;
}

/* --- birth and death --------------------------------------------------------------------------------------------------------------- */

static enum adit_rc lacks(int e, const struct net_words *words, struct adit_why *why)
{
    switch (e) {
    case -EPROTONOSUPPORT: return why_set(why, ADIT_ERR_IO, "the kernel has XFRM, but no ESP (CONFIG_INET_ESP, module esp4)");
    case -ENOSYS: return why_set(why, ADIT_ERR_IO, "the kernel's ESP lacks AES-GCM (modules gcm, seqiv, aes)");
    case -EPERM: return why_set(why, ADIT_ERR_IO, "the kernel's ESP needs CAP_NET_ADMIN");
    default: return refused(why, "an SA to try ESP with", e, words);
    }
}

/* An SA from this host to itself, which nothing uses, tells what the kernel has. */
static enum adit_rc probe(struct dp_xfrm *x, struct adit_why *why)
{
    uint8_t key[20]; /* AES-128 and its salt */
    struct adit_addr self = { .family = 4, .ip = { 127, 0, 0, 1 } };
    struct states s = { .in = { .src = self, .dst = self, .spi = PROBE_SPI, .inbound = true, .window = 32, .cpu = 0,
                                .encr = xfrm_alg_encr(ENCR_AES_GCM_16), .encr_key = span(key, sizeof(key)),
                                .sel.family = AF_INET } };
    struct xfrm_state_info info;
    struct net_words words;
    struct xfrm_msg m;
    if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
        return why_set(why, ADIT_ERR_CRYPTO, "no randomness");
    int e = states_put_in(&s, x->nl, false, &words);
    if (e == -EINVAL) { /* it knows of processors, and wants something else with them */
        s.in.cpu = XFRM_NO_CPU;
        e = states_put_in(&s, x->nl, false, &words);
    }
    if (e)
        return lacks(e, &words, why);
    xfrm_put_get_state(&m, &(struct xfrm_state_id){ self, PROBE_SPI });
    int n = net_xfrm_call(x->nl, m.p, m.n, m.p, sizeof(m.p), NULL);
    x->per_cpu = n > 0 && xfrm_state_get(span(m.p, (size_t)n), &info) && info.cpu == 0;
    xfrm_msg_wipe(&m);
    states_del_in(&s, x->nl);
    return ADIT_OK;
}

static enum adit_rc watch(struct dp_xfrm *x, struct adit_why *why)
{
    struct epoll_event ev = { .events = EPOLLIN };
    x->epoll = epoll_create1(EPOLL_CLOEXEC);
    x->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (x->epoll < 0 || x->timer < 0 || epoll_ctl(x->epoll, EPOLL_CTL_ADD, x->timer, &ev) ||
        epoll_ctl(x->epoll, EPOLL_CTL_ADD, net_xfrm_fd(x->nl), &ev))
        return why_set(why, ADIT_ERR_IO, "epoll: %s", strerror(errno));
    return ADIT_OK;
}

static enum adit_rc build(struct dp_xfrm *x, struct adit_why *why)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        return why_set(why, ADIT_ERR_CRYPTO, "no randomness");
    TRY(net_xfrm_new(&x->nl, why));
    TRY(probe(x, why));
    TRY(watch(x, why));
    x->spd = spd_new(to_kernel, x, seed);
    return x->spd ? ADIT_OK : ADIT_ERR_MEMORY;
}

static void free_all(void *self)
{
    struct dp_xfrm *x = self;
    struct list *lists[] = { &x->children, &x->dying };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        list_for_each_safe (it, lists[i])
            unmake(x, list_entry(it, struct child, node));
    list_for_each_safe (it, &x->policies)
        policy_del(x, list_entry(it, struct policy, node)->reqid);
    spd_free(x->spd);
    map_fini(&x->by_id);
    net_xfrm_free(x->nl);
    if (x->epoll >= 0)
        close(x->epoll);
    if (x->timer >= 0)
        close(x->timer);
    mem_del(x);
}

enum adit_rc xfrm_new(const struct xfrm_settings *s, struct dp_xfrm **out, struct adit_why *why)
{
    struct dp_xfrm *x = mem_new(sizeof(*x));
    *out = NULL;
    if (!x)
        return ADIT_ERR_MEMORY;
    x->set = *s;
    x->epoll = x->timer = -1;
    list_init(&x->children);
    list_init(&x->dying);
    list_init(&x->policies);
    map_init(&x->by_id, 0); /* our own numbers */
    enum adit_rc rc = build(x, why);
    if (rc)
        free_all(x);
    else
        *out = x;
    return rc;
}

const struct dp_backend_ops xfrm_ops = {
    .name = "kernel",
    .free = free_all,
    .child_add = child_add,
    .child_activate = child_activate,
    .child_leave = child_leave,
    .child_path = child_path,
    .child_del = child_del,
    .child_stats = child_stats,
    .policy_add = policy_add,
    .policy_del = policy_del,
    .poll = poll_events,
};
