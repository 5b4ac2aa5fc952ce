/* user.c - our own ESP, in user space: the master of the workers, in the control thread. Workers do the packets; this file
 * makes them, hands them SAs and tables, and turns their notes into events. */
#include "dp/user_int.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/why.h"
#include "model/model.h"
#include "wire/be.h"
#include "wire/udpencap.h"

#define WORKERS_MAX 64
#define RING_SIZE (4u << 20)
#define RING_SIZE_MIN (1u << 19) /* with many workers there are many rings */
#define MTU_DEFAULT 1400u        /* until there is an SA: fits UDP in IPv6 on Ethernet */
#define MTU_MIN 1280u            /* of the TUN: IPv6 wants it */
#define MTU_LINK 1500u

struct dp_shared *dp_shared_of(struct dp_user *dp)
{
    return &dp->s;
}

/* --- small helpers -------------------------------------------------------------------------------------------- */

static bool grow(void *list, size_t *cap, size_t n)
{
    void **v = list;
    if (n < *cap)
        return true;
    size_t more = *cap ? *cap * 2 : 16;
    void *p = mem_resize(*v, more * sizeof(void *));
    if (!p)
        return false;
    *v = p;
    *cap = more;
    return true;
}

static struct dp_sa *sa_by_id(const struct dp_user *dp, uint32_t id)
{
    for (size_t i = 0; i < dp->n_sas; i++)
        if (dp->sas[i]->id == id)
            return dp->sas[i];
    return NULL;
}

static struct worker *owner_of(struct dp_user *dp, const struct dp_sa *sa)
{
    return &dp->s.workers[sa->owner];
}

static void sa_del(void *p)
{
    struct dp_sa *sa = p;
    esp_sa_free(sa->esp);
    mem_del(sa->sel);
    mem_del(sa);
}

static void trap_del(void *p)
{
    struct dp_trap *t = p;
    mem_del(t->sel);
    mem_del(t);
}

/* Swaps the tables; workers see the new ones with their next packet. ADIT_ERR_MEMORY: the old ones stay. */
static enum adit_rc publish(struct dp_user *dp)
{
    struct dp_tables *t = tables_new(dp->sas, dp->n_sas, dp->traps, dp->n_traps);
    if (!t)
        return ADIT_ERR_MEMORY;
    dp->stale = false;
    struct dp_tables *old = atomic_exchange(&dp->s.tables, t);
    workers_changed(&dp->s);
    epoch_retire(&dp->s.epoch, old, mem_del);
    return ADIT_OK;
}

static uint32_t link_mtu(struct dp_user *dp, const struct adit_path *path)
{
    struct net_route route;
    int e = net_route_get(dp->nl, &path->remote.addr, dp->settings.fwmark, &route);
    return e || !route.mtu || route.mtu > UINT16_MAX ? MTU_LINK : route.mtu;
}

/* The largest packet that the TUN should take for it: what has to be cut outside must come in whole. */
static uint32_t taken_whole(const struct dp_sa *sa, uint32_t link)
{
    return sa->cut_outside ? link : sa->inner_mtu;
}

/* The TUN takes what fits every SA's link. What routers on the path say later is told to the senders by ICMP. */
void user_mtu_again(struct dp_user *dp)
{
    uint32_t mtu = dp->n_sas || dp->n_others ? MTU_LINK : MTU_DEFAULT;
    if (dp->settings.mtu)
        return;
    for (size_t i = 0; i < dp->n_sas; i++)
        mtu = dp->sas[i]->link_inner < mtu ? dp->sas[i]->link_inner : mtu;
    mtu = mtu < MTU_MIN ? MTU_MIN : mtu;
    if (mtu != dp->tun_mtu && net_link_set(dp->nl, dp->tun.ifindex, mtu) == 0)
        dp->tun_mtu = mtu;
}

/* The one that it replaces sends by itself no longer than it has something to say. */
static void succeed(struct dp_user *dp, const struct dp_sa *sa)
{
    struct dp_sa *old = sa && sa->replaces ? sa_by_id(dp, sa->replaces) : NULL;
    if (!old || !old->paced || !atomic_load(&sa->active) || atomic_exchange(&old->succeeded, true))
        return;
    struct cmd c = { .type = CMD_SUCCEED, .sa = old };
    worker_command(owner_of(dp, old), &c);
}

/* --- Child SAs ------------------------------------------------------------------------------------------------ */

static void fill_sa(struct dp_user *dp, struct dp_sa *sa, const struct adit_child_spec *spec)
{
    sa->id = spec->id;
    sa->reqid = spec->reqid;
    sa->replaces = spec->replaces;
    sa->spi_in = spec->in.spi;
    sa->spi_out = spec->out.spi;
    sa->owner = spec->in.spi % dp->s.n; /* as the sockets' filters spread them */
    sa->transport = spec->mode == ADIT_MODE_TRANSPORT;
    sa->cut_outside = spec->fragment == ADIT_FRAGMENT_AFTER;
    sa->stream = spec->mode == ADIT_MODE_AGGFRAG;
    sa->paced = sa->stream || spec->shape.dummies;
    sa->padded = spec->mode == ADIT_MODE_TUNNEL && spec->shape.tfc_padding;
    sa->resource = spec->resource;
    sa->shares = spec->shares;
    sa->order = ++dp->order;
    sa->inactivity_ns = spec->inactivity_ns;
    sa->born_at = worker_clock();
    sa->gone_at = UINT64_MAX;
    sa->path = spec->path;
    sa->udp_encap = spec->udp_encap;
    atomic_init(&sa->active, spec->outbound == ADIT_OUT_ACTIVE);
}

static enum adit_rc sa_new(struct dp_user *dp, const struct adit_child_spec *spec, struct dp_sa **out,
                           struct adit_why *why)
{
    struct dp_sa *sa = mem_new(sizeof(*sa));
    *out = sa;
    if (!sa)
        return ADIT_ERR_MEMORY;
    fill_sa(dp, sa, spec);
    sa->sel = selectors_new(spec->local_ts, spec->n_local_ts, spec->remote_ts, spec->n_remote_ts);
    if (!sa->sel)
        return ADIT_ERR_MEMORY;
    return esp_sa_new(dp->settings.crypto, spec, sa->born_at, &sa->esp, why);
}

/* Gives it to its worker: from now on inbound packets are taken. */
static enum adit_rc hand_out(struct dp_user *dp, struct dp_sa *sa, struct adit_why *why)
{
    struct cmd c = { .type = CMD_ADD, .sa = sa, .mtu = link_mtu(dp, &sa->path) };
    worker_command(owner_of(dp, sa), &c);
    sa->link_inner = taken_whole(sa, c.mtu);
    return c.rc ? why_set(why, c.rc, "inbound SPI %08x is in use", sa->spi_in) : ADIT_OK;
}

static void take_back(struct dp_user *dp, struct dp_sa *sa, uint64_t grace_ns, struct adit_child_stats *last)
{
    struct cmd c = { .type = CMD_DEL, .sa = sa, .grace_ns = grace_ns };
    worker_command(owner_of(dp, sa), &c);
    if (last)
        *last = c.stats;
}

static enum adit_rc install(struct dp_user *dp, struct dp_sa *sa, const struct adit_child_spec *spec,
                            struct adit_why *why)
{
    if (!grow(&dp->sas, &dp->cap_sas, dp->n_sas))
        return ADIT_ERR_MEMORY;
    if (dp->routes)
        TRY(routes_add(dp->routes, sa->order, spec->local_ts, spec->n_local_ts, spec->remote_ts,
                       spec->n_remote_ts, &spec->path.remote.addr, why));
    dp->sas[dp->n_sas++] = sa;
    enum adit_rc rc = publish(dp);
    if (rc) {
        dp->n_sas--;
        if (dp->routes)
            routes_del(dp->routes, sa->order);
    }
    return rc;
}

static enum adit_rc child_add(void *self, const struct adit_child_spec *spec, struct adit_why *why)
{
    struct dp_user *dp = self;
    struct dp_sa *sa;
    epoch_collect(&dp->s.epoch);
    if (sa_by_id(dp, spec->id))
        return why_set(why, ADIT_ERR_EXISTS, "Child SA %u is there already", spec->id);
    enum adit_rc rc = sa_new(dp, spec, &sa, why);
    if (!rc)
        rc = hand_out(dp, sa, why);
    if (rc) {
        if (sa)
            sa_del(sa);
        return rc;
    }
    rc = install(dp, sa, spec, why);
    if (rc)
        take_back(dp, sa, 0, NULL); /* freed when its worker lets go: NOTE_GONE */
    if (!rc)
        succeed(dp, sa);
    user_mtu_again(dp);
    return rc;
}

static void child_activate(void *self, uint32_t id)
{
    struct dp_user *dp = self;
    struct cmd c = { .type = CMD_ACTIVATE, .sa = sa_by_id(dp, id) };
    if (c.sa)
        worker_command(owner_of(dp, c.sa), &c);
    succeed(dp, c.sa);
}

static void child_leave(void *self, uint32_t id)
{
    struct dp_user *dp = self;
    struct dp_sa *sa = sa_by_id(dp, id);
    if (!sa || sa->leaving)
        return;
    sa->leaving = true;
    if (publish(dp) != ADIT_OK)
        dp->stale = true;
}

static void child_path(void *self, uint32_t id, const struct adit_path *path, bool udp_encap)
{
    struct dp_user *dp = self;
    struct dp_sa *sa = sa_by_id(dp, id);
    if (!sa)
        return;
    struct cmd c = {
        .type = CMD_PATH, .sa = sa, .path = path, .udp_encap = udp_encap, .mtu = link_mtu(dp, path)
    };
    sa->path = *path;
    sa->udp_encap = udp_encap;
    worker_command(owner_of(dp, sa), &c);
    sa->link_inner = taken_whole(sa, c.mtu);
    user_mtu_again(dp);
}

static void child_del(void *self, uint32_t id, uint64_t grace_ns, struct adit_child_stats *last)
{
    struct dp_user *dp = self;
    struct dp_sa *sa = sa_by_id(dp, id);
    if (last)
        *last = (struct adit_child_stats){ 0 };
    if (!sa)
        return;
    /* The successor first, so that there is no moment without any. */
    for (size_t i = 0; i < dp->n_sas; i++)
        if (dp->sas[i]->replaces == id && !atomic_load(&dp->sas[i]->active))
            child_activate(dp, dp->sas[i]->id);
    take_back(dp, sa, grace_ns, last);
    for (size_t i = 0; i < dp->n_sas; i++)
        if (dp->sas[i] == sa)
            dp->sas[i--] = dp->sas[--dp->n_sas];
    if (publish(dp) != ADIT_OK)
        dp->stale = true; /* it is inactive, and its shell lives at least until NOTE_GONE: see sa_gone() */
    if (dp->routes)
        routes_del(dp->routes, sa->order);
    user_mtu_again(dp);
}

static bool child_stats(void *self, uint32_t id, struct adit_child_stats *out)
{
    struct dp_user *dp = self;
    const struct dp_sa *sa = sa_by_id(dp, id);
    if (sa)
        sa_stats_get(sa, out);
    return sa;
}

/* --- policies ------------------------------------------------------------------------------------------------- */

static struct dp_trap *trap_new(const struct dp_policy *p)
{
    struct dp_trap *t = mem_new(sizeof(*t));
    if (!t)
        return NULL;
    t->reqid = p->reqid;
    t->priority = p->priority;
    t->mode = p->mode;
    t->trap = p->trap;
    t->sel = selectors_new(p->local_ts, p->n_local_ts, p->remote_ts, p->n_remote_ts);
    if (t->sel)
        return t;
    mem_del(t);
    return NULL;
}

/* Owners of routes: SAs by their order, policies by reqid above all orders. */
static uint64_t trap_owner(uint32_t reqid)
{
    return 1ull << 63 | reqid;
}

static void policy_del(void *self, uint32_t reqid)
{
    struct dp_user *dp = self;
    for (size_t i = 0; i < dp->n_traps; i++) {
        struct dp_trap *t = dp->traps[i];
        if (t->reqid != reqid)
            continue;
        dp->traps[i] = dp->traps[--dp->n_traps];
        if (publish(dp) == ADIT_OK)
            epoch_retire(&dp->s.epoch, t, trap_del);
        if (dp->routes)
            routes_del(dp->routes, trap_owner(reqid));
        return;
    }
}

static enum adit_rc policy_add(void *self, const struct dp_policy *p, struct adit_why *why)
{
    struct dp_user *dp = self;
    policy_del(dp, p->reqid);
    if (!grow(&dp->traps, &dp->cap_traps, dp->n_traps))
        return ADIT_ERR_MEMORY;
    bool wants_routes = dp->routes && ((p->mode == ADIT_MODE_TUNNEL && p->trap) || p->mode == ADIT_MODE_DROP);
    struct dp_trap *t = trap_new(p);
    enum adit_rc rc = t ? ADIT_OK : ADIT_ERR_MEMORY;
    if (!rc && wants_routes)
        rc = routes_add(dp->routes, trap_owner(p->reqid), p->local_ts, p->n_local_ts, p->remote_ts,
                        p->n_remote_ts, NULL, why);
    if (!rc) {
        dp->traps[dp->n_traps++] = t;
        rc = publish(dp);
        dp->n_traps -= rc != ADIT_OK;
    }
    if (rc && wants_routes)
        routes_del(dp->routes, trap_owner(p->reqid));
    if (rc && t)
        trap_del(t);
    return rc;
}

/* --- path MTU ------------------------------------------------------------------------------------------------- */

static void told_too_big(struct dp_user *dp, struct dp_sa *sa, const struct net_error *e, bool check)
{
    struct cmd c = { .type = CMD_PTB, .sa = sa, .mtu = e->mtu, .check_seq = check };
    if (check)
        c.seq = be32_get(e->quoted + 4);
    worker_command(owner_of(dp, sa), &c);
    if (c.done_ok)
        dp->own.ptb_taken++;
    else
        dp->own.ptb_refused++;
}

static void link_changed(struct dp_user *dp, struct dp_sa *sa)
{
    struct cmd c = { .type = CMD_LINK, .sa = sa, .mtu = link_mtu(dp, &sa->path) };
    worker_command(owner_of(dp, sa), &c);
    sa->link_inner = taken_whole(sa, c.mtu);
}

/* Is the error about a packet of this SA? The quoted SPI must be its own; of a UDP datagram a v4 router may quote so
 * little that only the path tells. A v6 router quotes all that fits (RFC 4443 s3.2). */
static bool error_is_about(const struct net_error *e, const struct dp_sa *sa)
{
    bool udp = e->path.local.port != 0;
    if (e->local)
        return addr_equal(&e->path.remote.addr, &sa->path.remote.addr);
    if (udp != sa->udp_encap || !addr_equal(&e->path.remote.addr, &sa->path.remote.addr))
        return false;
    if (udp && e->path.remote.port != sa->path.remote.port)
        return false;
    if (udp && e->quoted_n < 8)
        return e->path.remote.addr.family == 4;
    return e->quoted_n >= 8 && be32_get(e->quoted) == sa->spi_out;
}

static void path_error(struct dp_user *dp, const struct net_error *e)
{
    bool known = false;
    for (size_t i = 0; i < dp->n_sas; i++) {
        if (!error_is_about(e, dp->sas[i]))
            continue;
        known = true;
        if (e->local)
            link_changed(dp, dp->sas[i]);
        else
            told_too_big(dp, dp->sas[i], e, e->quoted_n >= 8);
    }
    if (e->local)
        user_mtu_again(dp);
    else
        dp->own.ptb_refused += !known;
}

/* --- events --------------------------------------------------------------------------------------------------- */

/* Its worker let go of it. While the tables still name it, it stays: a leak rather than a stray pointer. */
static void sa_gone(struct dp_user *dp, struct dp_sa *sa)
{
    if (!dp->stale || publish(dp) == ADIT_OK)
        epoch_retire(&dp->s.epoch, sa, sa_del);
}

/* All workers say so, some maybe after it is there again. */
static bool tun_is_news(struct dp_user *dp)
{
    bool news = !dp->tun_lost && !net_link_mtu(dp->tun.ifindex);
    dp->tun_lost |= news;
    return news;
}

/* True: *out is for the daemon. */
static bool take_note(struct dp_user *dp, struct ring *r, const struct note *n, struct dp_event *out)
{
    switch (n->type) {
    case NOTE_EVENT:
        *out = n->event;
        if (out->type == DP_EV_TUN && !tun_is_news(dp))
            break;
        if (out->type == DP_EV_FIRST_IN)
            succeed(dp, sa_by_id(dp, out->id));
        out->data = span((const uint8_t *)n + sizeof(*n), n->data_n);
        dp->borrowed = r;
        return true;
    case NOTE_ERROR: path_error(dp, &n->error); break;
    case NOTE_GONE: sa_gone(dp, n->sa); break;
    }
    ring_release(r);
    return false;
}

static bool next_event(struct dp_user *dp, struct dp_event *out)
{
    for (unsigned tried = 0; tried < dp->s.n;) {
        struct ring *r = &dp->s.workers[dp->next_worker].notes;
        size_t n;
        const uint8_t *p = ring_peek(r, &n);
        if (p && take_note(dp, r, (const struct note *)(const void *)p, out))
            return true;
        if (p)
            continue;
        dp->next_worker = (dp->next_worker + 1) % dp->s.n;
        tried++;
    }
    return false;
}

int user_event_fd(const struct dp_user *dp)
{
    return dp->s.event_fd;
}

static bool poll_events(void *self, struct dp_event *out)
{
    struct dp_user *dp = self;
    uint64_t count;
    if (dp->borrowed)
        ring_release(dp->borrowed);
    dp->borrowed = NULL;
    if (next_event(dp, out))
        return true;
    if (read(dp->s.event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
        return false;
    atomic_store(&dp->s.event_raised, false);
    epoch_collect(&dp->s.epoch);
    return next_event(dp, out); /* what came just before the flag fell */
}

bool user_esp_in(struct dp_user *dp, const struct adit_path *path, struct adit_span packet)
{
    unsigned to = packet.n < 4 ? 0 : be32_get(packet.p) % dp->s.n;
    bool taken = packet.n >= 4 && handover_esp(&dp->s, to, packet, path);
    if (taken)
        worker_kick(&dp->s.workers[to]);
    else
        dp->own.rx_errors++;
    return taken;
}

/* --- the TUN device anew -------------------------------------------------------------------------------------- */

static enum adit_rc use_tun(struct dp_user *dp, const struct net_tun *t, bool lost)
{
    enum adit_rc rc = ADIT_OK;
    for (unsigned i = 0; i < dp->s.n; i++) {
        struct cmd c = { .type = CMD_TUN, .tun = t->fd[i], .uso = t->uso, .lost = lost };
        worker_command(&dp->s.workers[i], &c);
        rc = rc ? rc : c.rc;
    }
    return rc;
}

enum adit_rc user_tun_renew(struct dp_user *dp, struct adit_why *why)
{
    struct net_tun fresh;
    if (!dp->tun_lost)
        return ADIT_OK;
    TRY(net_tun_open(dp->tun.name, dp->s.n, dp->settings.steer, &fresh, why));
    int e = net_link_set(dp->nl, fresh.ifindex, dp->tun_mtu);
    enum adit_rc rc = e ? why_set(why, ADIT_ERR_IO, "%s up: %s", dp->tun.name, strerror(-e)) : ADIT_OK;
    if (!rc && use_tun(dp, &fresh, false)) {
        rc = why_set(why, ADIT_ERR_IO, "%s: a worker can't wait for it", dp->tun.name);
        (void)use_tun(dp, &dp->tun, true); /* theirs until it goes well */
    }
    struct net_tun *unused = rc ? &fresh : &dp->tun;
    net_tun_close(unused);
    if (rc)
        return rc;
    dp->tun = fresh;
    dp->tun_lost = false;
    dp->own.tun_renewed++;
    return ADIT_OK;
}

enum adit_rc user_routes_renew(struct dp_user *dp, struct adit_why *why)
{
    return dp->routes && !dp->tun_lost ? routes_renew(dp->routes, dp->tun.ifindex, why) : ADIT_OK;
}

/* --- the rest of the interface -------------------------------------------------------------------------------- */

const char *user_tun(const struct dp_user *dp)
{
    return dp->tun.name;
}

void user_counters(struct dp_user *dp, struct dp_counters *out)
{
    uint64_t *sum = (uint64_t *)out;
    *out = dp->own;
    for (unsigned w = 0; w < dp->s.n; w++) {
        const uint64_t *part = (const uint64_t *)&dp->s.workers[w].count;
        for (size_t i = 0; i < sizeof(*out) / sizeof(*sum); i++)
            sum[i] += __atomic_load_n(&part[i], __ATOMIC_RELAXED);
    }
}

enum adit_rc user_send_nat_t(struct dp_user *dp, const struct adit_path *path, struct adit_span data)
{
    static uint8_t marker[UDPENCAP_MARKER_SIZE];
    struct net_udp *u = &dp->sender[path->remote.addr.family == 6];
    bool keepalive = data.n == 1 && data.p[0] == UDPENCAP_KEEPALIVE_OCTET;
    uint8_t *copy = u->fd < 0 ? NULL : mem_new(sizeof(marker) + data.n);
    if (!copy)
        return u->fd < 0 ? ADIT_ERR_IO : ADIT_ERR_MEMORY;
    uint8_t *end = keepalive ? copy : span_copy(copy, SPAN_ARRAY(marker));
    end = span_copy(end, data);
    struct iovec iov = { copy, (size_t)(end - copy) };
    int error;
    /* IKE messages may be cut by IP (RFC 7296 s2): no DF. */
    size_t sent = net_udp_send(u, path, 0, false, &iov, 1, &error);
    mem_del(copy);
    return sent ? ADIT_OK : ADIT_ERR_IO;
}

/* --- birth and death ------------------------------------------------------------------------------------------ */

/* From each worker to each, and from the control thread to each. */
static size_t n_rings(const struct dp_user *dp)
{
    return (size_t)(dp->s.n + 1) * dp->s.n;
}

static enum adit_rc make_rings(struct dp_user *dp)
{
    size_t n = n_rings(dp);
    dp->s.rings = aligned_alloc(64, n * sizeof(struct ring));
    if (!dp->s.rings)
        return ADIT_ERR_MEMORY;
    for (size_t i = 0; i < n; i++)
        dp->s.rings[i] = (struct ring){ 0 };
    for (size_t i = 0; i < n; i++)
        if (i / dp->s.n != i % dp->s.n) /* none to oneself */
            TRY(ring_init(&dp->s.rings[i], dp->s.n > 8 ? RING_SIZE_MIN : RING_SIZE));
    return ADIT_OK;
}

static enum adit_rc make_workers(struct dp_user *dp, struct adit_why *why)
{
    size_t size = (dp->s.n * sizeof(struct worker) + 63) & ~(size_t)63;
    dp->s.workers = aligned_alloc(64, size);
    if (!dp->s.workers)
        return ADIT_ERR_MEMORY;
    memset(dp->s.workers, 0, size);
    TRY(make_rings(dp));
    TRY(epoch_init(&dp->s.epoch, dp->s.n));
    for (unsigned i = 0; i < dp->s.n; i++) {
        struct worker_cfg cfg = {
            .i = i,
            .tun = dp->tun.fd[i],
            .uso = dp->tun.uso,
            .raw_esp = dp->settings.raw_esp,
            .slot_mtu = dp->settings.mtu > MTU_LINK ? dp->settings.mtu : MTU_LINK,
            .port = dp->settings.port_nat_t,
            .mark = dp->settings.fwmark,
            .bypass = dp->settings.kernel != DP_KERNEL_NO,
            .seed = dp->seed,
        };
        TRY(worker_init(&dp->s.workers[i], dp, &cfg, why));
    }
    return ADIT_OK;
}

/* The control thread's sockets join the workers' groups after them, where the filters never send anything but ICMP errors. */
static enum adit_rc make_senders(struct dp_user *dp, struct adit_why *why)
{
    struct net_opts opts = { .reuseport = true, .mark = dp->settings.fwmark, .bypass = dp->settings.kernel != DP_KERNEL_NO };
    for (unsigned f = 0; f < 2; f++) {
        const struct net_udp *first = &dp->s.workers[0].udp[f];
        struct adit_endpoint any = { .addr.family = f ? 6 : 4, .port = dp->settings.port_nat_t };
        if (first->fd < 0)
            continue;
        int e = net_udp_steer(first, dp->s.n);
        if (e)
            return why_set(why, ADIT_ERR_IO, "the kernel can't spread datagrams by SPI: %s", strerror(-e));
        TRY(net_udp_open(&any, &opts, &dp->sender[f], why));
        TRY(worker_watch_sender(&dp->s.workers[0], f, dp->sender[f].fd, why));
    }
    return ADIT_OK;
}

static enum adit_rc make_tun(struct dp_user *dp, struct adit_why *why)
{
    const char *name = dp->settings.tun_name ? dp->settings.tun_name : "adit%d";
    TRY(net_tun_open(name, dp->s.n, dp->settings.steer, &dp->tun, why));
    TRY(net_nl_new(&dp->nl, why));
    dp->tun_mtu = dp->settings.mtu ? dp->settings.mtu : MTU_DEFAULT;
    int e = net_link_set(dp->nl, dp->tun.ifindex, dp->tun_mtu);
    if (e)
        return why_set(why, ADIT_ERR_IO, "%s up: %s", dp->tun.name, strerror(-e));
    if (!dp->settings.install_routes)
        return ADIT_OK;
    struct routes_cfg cfg = { dp->nl, dp->tun.ifindex, dp->settings.route_table, dp->settings.fwmark };
    dp->routes = routes_new(&cfg);
    return dp->routes ? ADIT_OK : ADIT_ERR_MEMORY;
}

static enum adit_rc build(struct dp_user *dp, struct adit_why *why)
{
    TRY(net_caps_check(dp->settings.raw_esp, why));
    if (getrandom(&dp->seed, sizeof(dp->seed), 0) != (ssize_t)sizeof(dp->seed))
        return why_set(why, ADIT_ERR_CRYPTO, "no randomness");
    dp->s.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (dp->s.event_fd < 0)
        return why_set(why, ADIT_ERR_IO, "eventfd: %s", strerror(errno));
    TRY(make_tun(dp, why));
    TRY(make_workers(dp, why));
    TRY(make_senders(dp, why));
    TRY(publish(dp));
    for (unsigned i = 0; i < dp->s.n; i++)
        TRY(worker_start(&dp->s.workers[i], why));
    return ADIT_OK;
}

static void free_notes(struct dp_user *dp)
{
    struct dp_event ev;
    while (next_event(dp, &ev))
        ring_release(dp->borrowed);
    dp->borrowed = NULL;
}

static void free_workers(struct dp_user *dp)
{
    for (unsigned i = 0; i < dp->s.n; i++)
        worker_stop(&dp->s.workers[i]);
    free_notes(dp);
    for (unsigned i = 0; i < dp->s.n; i++) {
        struct worker *w = &dp->s.workers[i];
        size_t n = w->n_own;
        struct dp_sa **own = w->own;
        w->own = NULL;
        for (size_t k = 0; k < n; k++)
            sa_del(own[k]);
        w->n_own = 0;
        mem_del(own);
        if (w->dp)
            worker_fini(w);
    }
    free(dp->s.workers);
}

static void free_all(void *self)
{
    struct dp_user *dp = self;
    if (!dp)
        return;
    routes_free(dp->routes);
    if (dp->s.workers)
        free_workers(dp);
    if (dp->s.epoch.slots)
        epoch_fini(&dp->s.epoch);
    for (size_t i = 0; dp->s.rings && i < n_rings(dp); i++)
        ring_fini(&dp->s.rings[i]);
    free(dp->s.rings);
    mem_del(atomic_load(&dp->s.tables));
    for (size_t i = 0; i < dp->n_traps; i++)
        trap_del(dp->traps[i]);
    mem_del(dp->traps);
    mem_del(dp->sas);
    for (unsigned f = 0; f < 2; f++)
        net_udp_close(&dp->sender[f]);
    net_tun_close(&dp->tun);
    net_nl_free(dp->nl);
    if (dp->s.event_fd >= 0)
        close(dp->s.event_fd);
    free(dp);
}

unsigned dp_workers(unsigned configured)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n = configured ? configured : cores > 0 ? (unsigned)cores : 1;
    return n > WORKERS_MAX ? WORKERS_MAX : n;
}

enum adit_rc user_new(const struct dp_settings *s, struct dp_user **out, struct adit_why *why)
{
    struct dp_user *dp = aligned_alloc(64, (sizeof(*dp) + 63) & ~(size_t)63);
    *out = NULL;
    if (!dp)
        return ADIT_ERR_MEMORY;
    memset(dp, 0, sizeof(*dp));
    dp->settings = *s;
    dp->s.n = dp_workers(s->workers);
    dp->s.clamp = !s->no_mss_clamp;
    dp->s.event_fd = dp->sender[0].fd = dp->sender[1].fd = -1;
    atomic_init(&dp->s.generation, 1);
    enum adit_rc rc = build(dp, why);
    if (rc) {
        free_all(dp);
        return rc;
    }
    *out = dp;
    return ADIT_OK;
}

const struct dp_backend_ops user_ops = {
    .name = "user",
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
