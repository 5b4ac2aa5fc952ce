/* route.c - see route.h. Asks the kernel each time: initiations are rare, routes change. */
#include "daemon/route.h"
#include "net/net.h"

void route_source(const struct adit_addr *dst, uint32_t mark, struct adit_addr *out)
{
    struct net_nl *nl;
    struct net_route route = { 0 };
    *out = (struct adit_addr){ 0 };
    if (net_nl_new(&nl, NULL) != ADIT_OK)
        return;
    if (net_route_get(nl, dst, mark, &route) == 0)
        *out = route.src;
    net_nl_free(nl);
}
