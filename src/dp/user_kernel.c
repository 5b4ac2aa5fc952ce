/* user_kernel.c - what the part in user space does for Child SAs of the kernel's: routes, which their traffic follows until the kernel's
 * policies take it, and sockets that leave their SPIs alone. */
#include "dp/user_int.h"
#include "wire/ip.h"

/* Owners of routes: above the orders of our own SAs, below policies. */
static uint64_t owner(uint32_t id)
{
    return UINT64_C(1) << 62 | id;
}

enum adit_rc user_route_add(struct dp_user *dp, const struct adit_child_spec *spec, struct adit_why *why)
{
    if (dp->routes)
        TRY(routes_add(dp->routes, owner(spec->id), spec->local_ts, spec->n_local_ts, spec->remote_ts, spec->n_remote_ts,
                       &spec->path.remote.addr, why));
    dp->n_others++;
    user_mtu_again(dp); /* the kernel knows how much shorter packets have to be; not shorter still */
    return ADIT_OK;
}

void user_route_del(struct dp_user *dp, uint32_t id)
{
    if (dp->routes)
        routes_del(dp->routes, owner(id));
    dp->n_others--;
    user_mtu_again(dp);
}

int user_leave_spis(struct dp_user *dp, const uint32_t *spi, size_t n)
{
    int rc = 0;
    for (unsigned f = 0; f < 2; f++) {
        const struct net_udp *group = &dp->s.workers[0].udp[f];
        int e = group->fd < 0 ? 0 : net_udp_steer_but(group, dp->s.n, spi, n, dp->s.n); /* the one opened last: the sender */
        rc = rc ? rc : e;
        for (unsigned i = 0; i < dp->s.n && dp->settings.raw_esp; i++) {
            const struct net_raw *r = &dp->s.workers[i].raw[f];
            e = r->rx < 0 ? 0 : net_raw_leave_out(r, i, dp->s.n, spi, n);
            rc = rc ? rc : e;
        }
    }
    return rc;
}

bool user_udp_encap(struct dp_user *dp)
{
    bool ok = dp->sender[0].fd >= 0 || dp->sender[1].fd >= 0;
    for (unsigned f = 0; f < 2; f++)
        ok &= dp->sender[f].fd < 0 || net_udp_encap(dp->sender[f].fd) == 0;
    return ok;
}
