/* dp.c - the data plane as the daemon sees it: chooses a back end for each Child SA and passes on what is said of it. */
#include "dp/dp.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/why.h"
#include "dp/backend.h"
#include "dp/user.h"

struct dp_child {
    uint32_t id, replaces;
    const struct dp_backend *on;
};
struct dp {
    struct dp_user *user;
    struct dp_backend back[1];
    unsigned n_back;
    struct map children; /* id -> struct dp_child */
    unsigned next;       /* back end whose events come next */
};

static struct dp_child *child_of(const struct dp *dp, uint32_t id)
{
    return map_get(&dp->children, id);
}

/* --- Child SAs ------------------------------------------------------------------------------------------------ */

static enum adit_rc add_to(struct dp *dp, struct dp_child *c, const struct adit_child_spec *spec, struct adit_why *why)
{
    c->on = &dp->back[0];
    TRY(map_put(&dp->children, c->id, c));
    enum adit_rc rc = c->on->ops->child_add(c->on->self, spec, why);
    if (rc)
        map_del(&dp->children, c->id);
    return rc;
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
    enum adit_rc rc = add_to(dp, c, spec, why);
    if (rc)
        mem_del(c);
    return rc;
}

void dp_child_activate(struct dp *dp, uint32_t id)
{
    const struct dp_child *c = child_of(dp, id);
    if (c)
        c->on->ops->child_activate(c->on->self, id);
}

void dp_child_leave(struct dp *dp, uint32_t id)
{
    const struct dp_child *c = child_of(dp, id);
    if (c)
        c->on->ops->child_leave(c->on->self, id);
}

void dp_child_path(struct dp *dp, uint32_t id, const struct adit_path *path, bool udp_encap)
{
    const struct dp_child *c = child_of(dp, id);
    if (c)
        c->on->ops->child_path(c->on->self, id, path, udp_encap);
}

void dp_child_del(struct dp *dp, uint32_t id, uint64_t grace_ns, struct adit_child_stats *last)
{
    struct dp_child *c = map_del(&dp->children, id);
    if (last)
        *last = (struct adit_child_stats){ 0 };
    if (!c)
        return;
    c->on->ops->child_del(c->on->self, id, grace_ns, last);
    mem_del(c);
}

bool dp_child_stats(struct dp *dp, uint32_t id, struct adit_child_stats *out)
{
    const struct dp_child *c = child_of(dp, id);
    return c && c->on->ops->child_stats(c->on->self, id, out);
}

/* --- policies and events -------------------------------------------------------------------------------------- */

enum adit_rc dp_policy_add(struct dp *dp, const struct dp_policy *p, struct adit_why *why)
{
    return dp->back[0].ops->policy_add(dp->back[0].self, p, why);
}

void dp_policy_del(struct dp *dp, uint32_t reqid)
{
    dp->back[0].ops->policy_del(dp->back[0].self, reqid);
}

int dp_event_fd(const struct dp *dp)
{
    return user_event_fd(dp->user);
}

bool dp_poll(struct dp *dp, struct dp_event *out)
{
    return dp->back[0].ops->poll(dp->back[0].self, out);
}

/* --- what only user space has ----------------------------------------------------------------------------------- */

const char *dp_name(const struct dp *dp)
{
    return dp->back[0].ops->name;
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

enum adit_rc dp_new(const struct dp_settings *s, struct dp **out, struct adit_why *why)
{
    struct dp *dp = mem_new(sizeof(*dp));
    *out = NULL;
    if (!dp)
        return ADIT_ERR_MEMORY;
    map_init(&dp->children, 0); /* our own numbers */
    enum adit_rc rc = user_new(s, &dp->user, why);
    if (rc) {
        mem_del(dp);
        return rc;
    }
    dp->back[dp->n_back++] = (struct dp_backend){ &user_ops, dp->user };
    *out = dp;
    return ADIT_OK;
}

void dp_free(struct dp *dp)
{
    size_t it = 0;
    if (!dp)
        return;
    for (unsigned i = dp->n_back; i-- > 0;)
        dp->back[i].ops->free(dp->back[i].self);
    for (struct dp_child *c; (c = map_next(&dp->children, &it));)
        mem_del(c);
    map_fini(&dp->children);
    mem_del(dp);
}
