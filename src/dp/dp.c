/* dp.c - the data plane as the daemon sees it: chooses a back end for each Child SA and passes on what is said of it. */
#include "dp/dp.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "base/map.h"
#include "base/mem.h"
#include "base/why.h"
#include "dp/backend.h"
#include "dp/user.h"
#include "dp/xfrm/xfrm.h"

struct dp_child {
    uint32_t id, replaces;
    const struct dp_backend *on;
    char *why; /* it is not in the kernel; NULL: nobody asked for that */
};
struct dp {
    enum dp_kernel kernel;
    struct dp_user *user;
    struct dp_xfrm *xfrm; /* NULL: not wanted, or `missing` says why not */
    struct dp_backend back[2];
    unsigned n_back;
    struct adit_why missing;
    struct map children; /* id -> struct dp_child */
    int epoll;           /* -1: there is but one back end's descriptor */
};

static struct dp_child *child_of(const struct dp *dp, uint32_t id)
{
    return map_get(&dp->children, id);
}

static const struct dp_backend *user_of(const struct dp *dp)
{
    return &dp->back[0];
}

static bool in_kernel(const struct dp_child *c)
{
    return c->on->ops == &xfrm_ops;
}

/* --- Child SAs ------------------------------------------------------------------------------------------------ */

/* ADIT_OK: it is in the kernel. Else *why says what the kernel lacks. */
static enum adit_rc try_kernel(struct dp *dp, struct dp_child *c, const struct adit_child_spec *spec, struct adit_why *why)
{
    const char *no = dp->xfrm ? xfrm_unfit(dp->xfrm, spec) : dp->missing.text;
    if (no)
        return why_set(why, ADIT_ERR_IO, "%s", no);
    enum adit_rc rc = xfrm_ops.child_add(dp->xfrm, spec, why);
    if (!rc)
        c->on = &dp->back[1];
    return rc;
}

/* Where the kernel has policies it has to know of this one, too. */
static enum adit_rc add_to_user(struct dp *dp, struct dp_child *c, const struct adit_child_spec *spec, struct adit_why *why)
{
    c->on = user_of(dp);
    TRY(user_ops.child_add(dp->user, spec, why));
    enum adit_rc rc = dp->xfrm ? xfrm_other_add(dp->xfrm, spec, why) : ADIT_OK;
    if (rc)
        user_ops.child_del(dp->user, spec->id, 0, NULL);
    return rc;
}

static enum adit_rc add_somewhere(struct dp *dp, struct dp_child *c, const struct adit_child_spec *spec, struct adit_why *why)
{
    struct adit_why no = { 0 };
    if (dp->kernel == DP_KERNEL_NO)
        return add_to_user(dp, c, spec, why);
    if (try_kernel(dp, c, spec, &no) == ADIT_OK)
        return ADIT_OK;
    if (dp->kernel == DP_KERNEL_ONLY)
        return why_set(why, no.rc, "not in the kernel's ESP, and dataplane = kernel: %s", no.text);
    c->why = mem_strdup(no.text);
    return add_to_user(dp, c, spec, why);
}

static void child_free(struct dp_child *c)
{
    mem_del(c->why);
    mem_del(c);
}

enum adit_rc dp_child_add(struct dp *dp, const struct adit_child_spec *spec, struct adit_why *why)
{
    if (child_of(dp, spec->id))
        return why_set(why, ADIT_ERR_EXISTS, "Child SA %u is there already", spec->id);
    struct dp_child *c = mem_new(sizeof(*c));
    if (!c)
        return ADIT_ERR_MEMORY;
    c->id = spec->id;
    c->replaces = spec->replaces;
    enum adit_rc rc = map_put(&dp->children, c->id, c);
    if (!rc)
        rc = add_somewhere(dp, c, spec, why);
    if (rc) {
        map_del(&dp->children, c->id);
        child_free(c);
    }
    return rc;
}

static void activate(struct dp *dp, const struct dp_child *c)
{
    c->on->ops->child_activate(c->on->self, c->id);
    if (dp->xfrm && !in_kernel(c))
        xfrm_other_activate(dp->xfrm, c->id);
}

void dp_child_activate(struct dp *dp, uint32_t id)
{
    const struct dp_child *c = child_of(dp, id);
    if (c)
        activate(dp, c);
}

void dp_child_leave(struct dp *dp, uint32_t id)
{
    const struct dp_child *c = child_of(dp, id);
    if (!c)
        return;
    c->on->ops->child_leave(c->on->self, id);
    if (dp->xfrm && !in_kernel(c))
        xfrm_other_leave(dp->xfrm, id);
}

void dp_child_path(struct dp *dp, uint32_t id, const struct adit_path *path, bool udp_encap)
{
    const struct dp_child *c = child_of(dp, id);
    if (c)
        c->on->ops->child_path(c->on->self, id, path, udp_encap);
}

/* Whoever carries them: so that there is no moment without any. */
static void activate_successors(struct dp *dp, uint32_t id)
{
    size_t it = 0;
    for (const struct dp_child *c; (c = map_next(&dp->children, &it));)
        if (c->replaces == id)
            activate(dp, c);
}

void dp_child_del(struct dp *dp, uint32_t id, uint64_t grace_ns, struct adit_child_stats *last)
{
    struct dp_child *c = map_del(&dp->children, id);
    if (last)
        *last = (struct adit_child_stats){ 0 };
    if (!c)
        return;
    if (dp->xfrm)
        activate_successors(dp, id);
    if (dp->xfrm && !in_kernel(c))
        xfrm_other_del(dp->xfrm, id, grace_ns);
    c->on->ops->child_del(c->on->self, id, grace_ns, last);
    child_free(c);
}

bool dp_child_stats(struct dp *dp, uint32_t id, struct adit_child_stats *out)
{
    const struct dp_child *c = child_of(dp, id);
    return c && c->on->ops->child_stats(c->on->self, id, out);
}

const char *dp_child_on(const struct dp *dp, uint32_t id, const char **why)
{
    const struct dp_child *c = child_of(dp, id);
    *why = c && c->why ? c->why : "";
    return c ? c->on->ops->name : NULL;
}

/* --- policies and events -------------------------------------------------------------------------------------- */

enum adit_rc dp_policy_add(struct dp *dp, const struct dp_policy *p, struct adit_why *why)
{
    TRY(user_ops.policy_add(dp->user, p, why));
    enum adit_rc rc = dp->xfrm ? xfrm_ops.policy_add(dp->xfrm, p, why) : ADIT_OK;
    if (rc)
        user_ops.policy_del(dp->user, p->reqid);
    return rc;
}

void dp_policy_del(struct dp *dp, uint32_t reqid)
{
    for (unsigned i = dp->n_back; i-- > 0;)
        dp->back[i].ops->policy_del(dp->back[i].self, reqid);
}

int dp_event_fd(const struct dp *dp)
{
    return dp->epoll >= 0 ? dp->epoll : user_event_fd(dp->user);
}

bool dp_poll(struct dp *dp, struct dp_event *out)
{
    if (dp->xfrm && xfrm_ops.poll(dp->xfrm, out))
        return true;
    bool found = user_ops.poll(dp->user, out);
    if (found && dp->xfrm && out->type == DP_EV_FIRST_IN)
        xfrm_other_activate(dp->xfrm, out->id);
    return found;
}

/* --- what only user space has ----------------------------------------------------------------------------------- */

const char *dp_name(const struct dp *dp)
{
    static const char *const names[] = { "user", "auto", "kernel" };
    return names[dp->kernel];
}

const char *dp_kernel_missing(const struct dp *dp)
{
    return dp->missing.text;
}

const char *dp_tun(const struct dp *dp)
{
    return user_tun(dp->user);
}

enum adit_rc dp_tun_renew(struct dp *dp, struct adit_why *why)
{
    return user_tun_renew(dp->user, why);
}

enum adit_rc dp_routes_renew(struct dp *dp, struct adit_why *why)
{
    return user_routes_renew(dp->user, why);
}

void dp_counters(struct dp *dp, struct dp_counters *out)
{
    user_counters(dp->user, out);
}

bool dp_esp_in(struct dp *dp, const struct adit_path *path, struct adit_span packet)
{
    return user_esp_in(dp->user, path, packet);
}

enum adit_rc dp_send_nat_t(struct dp *dp, const struct adit_path *path, struct adit_span data)
{
    return user_send_nat_t(dp->user, path, data);
}

/* --- birth and death ------------------------------------------------------------------------------------------ */

static enum adit_rc route_add(void *user, const struct adit_child_spec *spec, struct adit_why *why)
{
    return user_route_add(user, spec, why);
}

static void route_del(void *user, uint32_t id)
{
    user_route_del(user, id);
}

static int leave_spis(void *user, const uint32_t *spi, size_t n)
{
    return user_leave_spis(user, spi, n);
}

static enum adit_rc watch_both(struct dp *dp, struct adit_why *why)
{
    struct epoll_event ev = { .events = EPOLLIN };
    dp->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (dp->epoll < 0 || epoll_ctl(dp->epoll, EPOLL_CTL_ADD, user_event_fd(dp->user), &ev) ||
        epoll_ctl(dp->epoll, EPOLL_CTL_ADD, xfrm_event_fd(dp->xfrm), &ev))
        return why_set(why, ADIT_ERR_IO, "epoll: %s", strerror(errno));
    return ADIT_OK;
}

/* Without ESP in the kernel everything is ours, unless that is not wanted. */
static enum adit_rc start_kernel(struct dp *dp, const struct dp_settings *s, struct adit_why *why)
{
    struct xfrm_settings x = { .mark = s->fwmark, .cpus = dp_workers(0),
                               .hooks = { dp->user, route_add, route_del, leave_spis } };
    if (s->kernel == DP_KERNEL_NO)
        return ADIT_OK;
    enum adit_rc rc = xfrm_new(&x, &dp->xfrm, &dp->missing);
    if (rc == ADIT_ERR_IO && s->kernel == DP_KERNEL_AUTO)
        return ADIT_OK;
    if (rc)
        return why_set(why, rc, "%s", dp->missing.text);
    dp->back[dp->n_back++] = (struct dp_backend){ &xfrm_ops, dp->xfrm };
    xfrm_udp_encap(dp->xfrm, user_udp_encap(dp->user));
    return watch_both(dp, why);
}

enum adit_rc dp_new(const struct dp_settings *s, struct dp **out, struct adit_why *why)
{
    struct dp *dp = mem_new(sizeof(*dp));
    *out = NULL;
    if (!dp)
        return ADIT_ERR_MEMORY;
    dp->epoll = -1;
    dp->kernel = s->kernel;
    map_init(&dp->children, 0); /* our own numbers */
    enum adit_rc rc = user_new(s, &dp->user, why);
    if (!rc) {
        dp->back[dp->n_back++] = (struct dp_backend){ &user_ops, dp->user };
        rc = start_kernel(dp, s, why);
    }
    if (rc)
        dp_free(dp);
    else
        *out = dp;
    return rc;
}

void dp_free(struct dp *dp)
{
    size_t it = 0;
    if (!dp)
        return;
    for (unsigned i = dp->n_back; i-- > 0;)
        dp->back[i].ops->free(dp->back[i].self);
    for (struct dp_child *c; (c = map_next(&dp->children, &it));)
        child_free(c);
    map_fini(&dp->children);
    if (dp->epoll >= 0)
        close(dp->epoll);
    mem_del(dp);
}
