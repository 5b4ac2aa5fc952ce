/* route.c - routes and rules: looked up, added, removed. */
#include <errno.h>
#include <linux/fib_rules.h>
#include "base/span.h"
#include "net/nl.h"

static int af(uint8_t family)
{
    return family == 6 ? AF_INET6 : AF_INET;
}

static void attr_addr(struct nlmsghdr *h, uint16_t type, const struct adit_addr *a)
{
    if (a->family)
        mnl_attr_put(h, type, a->family == 4 ? 4 : 16, a->ip);
}

struct found {
    struct net_route *route;
    uint32_t metric_mtu;
    bool expires;
};

static void metrics_get(const struct nlattr *nest, struct found *f)
{
    const struct nlattr *attr;
    mnl_attr_for_each_nested(attr, nest)
    {
        if (mnl_attr_get_type(attr) == RTAX_MTU)
            f->metric_mtu = mnl_attr_get_u32(attr);
    }
}

static int route_cb(const struct nlmsghdr *h, void *arg)
{
    struct found *f = arg;
    const struct nlattr *attr;
    mnl_attr_for_each(attr, h, sizeof(struct rtmsg))
    {
        switch (mnl_attr_get_type(attr)) {
        case RTA_OIF: f->route->oif = (int)mnl_attr_get_u32(attr); break;
        case RTA_GATEWAY: f->route->gateway = nl_addr(attr); break;
        case RTA_PREFSRC: f->route->src = nl_addr(attr); break;
        case RTA_METRICS: metrics_get(attr, f); break;
        case RTA_CACHEINFO:
            f->expires = ((const struct rta_cacheinfo *)mnl_attr_get_payload(attr))->rta_expires != 0;
            break;
        default: break;
        }
    }
    return MNL_CB_OK;
}

int net_route_get(struct net_nl *nl, const struct adit_addr *dst, uint32_t mark, struct net_route *out)
{
    uint8_t mem[NL_BUF];
    struct found f = { .route = out };
    struct nlmsghdr *h = nl_begin(mem, RTM_GETROUTE, NLM_F_ACK);
    struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    m->rtm_family = (unsigned char)af(dst->family);
    m->rtm_dst_len = dst->family == 4 ? 32 : 128;
    attr_addr(h, RTA_DST, dst);
    if (mark)
        mnl_attr_put_u32(h, RTA_MARK, mark);
    *out = (struct net_route){ .dst = *dst, .prefix = m->rtm_dst_len };
    int e = nl_talk(nl, h, route_cb, &f);
    /* An MTU that expires was told by some router, unauthenticated: not for us to rely on. */
    out->mtu = f.metric_mtu && !f.expires ? f.metric_mtu : net_link_mtu(out->oif);
    return e;
}

static int route_change(struct net_nl *nl, const struct net_route *r, uint16_t type, uint16_t flags)
{
    uint8_t mem[NL_BUF];
    struct nlmsghdr *h = nl_begin(mem, type, (uint16_t)(NLM_F_ACK | flags));
    struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    m->rtm_family = (unsigned char)af(r->dst.family);
    m->rtm_dst_len = r->prefix;
    m->rtm_table = RT_TABLE_UNSPEC;
    m->rtm_protocol = NET_RTPROT_ADIT;
    m->rtm_scope = r->dst.family == 4 && !r->gateway.family ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    m->rtm_type = RTN_UNICAST;
    attr_addr(h, RTA_DST, &r->dst);
    attr_addr(h, RTA_GATEWAY, &r->gateway);
    attr_addr(h, RTA_PREFSRC, &r->src);
    mnl_attr_put_u32(h, RTA_OIF, (uint32_t)r->oif);
    mnl_attr_put_u32(h, RTA_TABLE, r->table ? r->table : RT_TABLE_MAIN);
    return nl_talk(nl, h, NULL, NULL);
}

int net_route_add(struct net_nl *nl, const struct net_route *r)
{
    return route_change(nl, r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
}

int net_route_del(struct net_nl *nl, const struct net_route *r)
{
    return route_change(nl, r, RTM_DELROUTE, 0);
}

static int rule_change(struct net_nl *nl, uint8_t family, uint32_t mark, uint32_t table, uint32_t priority,
                       uint16_t type, uint16_t flags)
{
    uint8_t mem[NL_BUF];
    struct nlmsghdr *h = nl_begin(mem, type, (uint16_t)(NLM_F_ACK | flags));
    struct fib_rule_hdr *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    m->family = (uint8_t)af(family);
    m->table = RT_TABLE_UNSPEC;
    m->action = FR_ACT_TO_TBL;
    m->flags = FIB_RULE_INVERT;
    mnl_attr_put_u32(h, FRA_FWMARK, mark);
    mnl_attr_put_u32(h, FRA_FWMASK, UINT32_MAX);
    mnl_attr_put_u32(h, FRA_TABLE, table);
    mnl_attr_put_u32(h, FRA_PRIORITY, priority);
    return nl_talk(nl, h, NULL, NULL);
}

int net_rule_add(struct net_nl *nl, uint8_t family, uint32_t mark, uint32_t table, uint32_t priority)
{
    int e = rule_change(nl, family, mark, table, priority, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
    return e == -EEXIST ? 0 : e;
}

int net_rule_del(struct net_nl *nl, uint8_t family, uint32_t mark, uint32_t table, uint32_t priority)
{
    return rule_change(nl, family, mark, table, priority, RTM_DELRULE, 0);
}
