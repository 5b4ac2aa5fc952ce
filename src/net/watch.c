/* watch.c - told by the kernel that addresses, links or routes have changed. What they are now is asked anew. */
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "base/why.h"
#include "net/nl.h"

struct net_watch {
    struct mnl_socket *socket;
};

enum adit_rc net_watch_new(struct net_watch **out, struct adit_why *why)
{
    unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
    struct net_watch *w = mem_new(sizeof(*w));
    *out = NULL;
    if (!w)
        return ADIT_ERR_MEMORY;
    w->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!w->socket || mnl_socket_bind(w->socket, groups, MNL_SOCKET_AUTOPID) < 0) {
        int e = errno;
        net_watch_free(w);
        return why_set(why, ADIT_ERR_IO, "netlink: %s", strerror(e));
    }
    *out = w;
    return ADIT_OK;
}

void net_watch_free(struct net_watch *w)
{
    if (!w)
        return;
    if (w->socket)
        mnl_socket_close(w->socket);
    mem_del(w);
}

int net_watch_fd(const struct net_watch *w)
{
    return mnl_socket_get_fd(w->socket);
}

struct look {
    int but;
    bool changed;
};

static int oif_of(const struct nlmsghdr *h)
{
    const struct nlattr *attr;
    mnl_attr_for_each(attr, h, sizeof(struct rtmsg))
    {
        if (mnl_attr_get_type(attr) == RTA_OIF)
            return (int)mnl_attr_get_u32(attr);
    }
    return 0;
}

/* Routes that we made ourselves say nothing about the network; nor does what the kernel caches. */
static bool route_matters(const struct nlmsghdr *h, int but)
{
    const struct rtmsg *r = mnl_nlmsg_get_payload(h);
    return r->rtm_protocol != NET_RTPROT_ADIT && !(r->rtm_flags & RTM_F_CLONED) && (!but || oif_of(h) != but);
}

static bool matters(const struct nlmsghdr *h, int but)
{
    const struct ifinfomsg *link = mnl_nlmsg_get_payload(h);
    const struct ifaddrmsg *addr = mnl_nlmsg_get_payload(h);
    switch (h->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: return mnl_nlmsg_get_payload_len(h) >= sizeof(*link) && (!but || link->ifi_index != but);
    case RTM_NEWADDR:
    case RTM_DELADDR: return mnl_nlmsg_get_payload_len(h) >= sizeof(*addr) && (!but || (int)addr->ifa_index != but);
    case RTM_NEWROUTE:
    case RTM_DELROUTE: return mnl_nlmsg_get_payload_len(h) >= sizeof(struct rtmsg) && route_matters(h, but);
    default: return false;
    }
}

static int each(const struct nlmsghdr *h, void *arg)
{
    struct look *l = arg;
    l->changed |= matters(h, l->but);
    return MNL_CB_OK;
}

bool net_watch_changed(struct net_watch *w, int but)
{
    uint8_t in[NL_BUF];
    struct look l = { .but = but };
    for (int round = 0; round < 64; round++) {
        ssize_t n = mnl_socket_recvfrom(w->socket, in, sizeof(in));
        if (n < 0 && errno == ENOBUFS) /* more than the kernel keeps for us: something has changed */
            return true;
        if (n <= 0 || mnl_cb_run(in, (size_t)n, 0, 0, each, &l) < 0)
            break;
    }
    return l.changed;
}
