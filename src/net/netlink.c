/* netlink.c - the socket to the kernel's routing tables, links and addresses. */
#include "net/nl.h"
#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/span.h"
#include "base/why.h"

struct net_nl {
    struct mnl_socket *socket;
    unsigned port, seq;
};

enum adit_rc net_nl_new(struct net_nl **out, struct adit_why *why)
{
    struct net_nl *nl = mem_new(sizeof(*nl));
    *out = NULL;
    if (!nl)
        return ADIT_ERR_MEMORY;
    nl->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    if (!nl->socket || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        int e = errno;
        net_nl_free(nl);
        return why_set(why, ADIT_ERR_IO, "netlink: %s", strerror(e));
    }
    nl->port = mnl_socket_get_portid(nl->socket);
    *out = nl;
    return ADIT_OK;
}

void net_nl_free(struct net_nl *nl)
{
    if (!nl)
        return;
    if (nl->socket)
        mnl_socket_close(nl->socket);
    mem_del(nl);
}

struct nlmsghdr *nl_begin(uint8_t *mem, uint16_t type, uint16_t flags)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(mem);
    h->nlmsg_type = type;
    h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    return h;
}

int nl_talk(struct net_nl *nl, struct nlmsghdr *h, mnl_cb_t cb, void *arg)
{
    uint8_t in[NL_BUF];
    int rc;
    h->nlmsg_seq = ++nl->seq;
    if (mnl_socket_sendto(nl->socket, h, h->nlmsg_len) < 0)
        return -errno;
    do {
        ssize_t n = mnl_socket_recvfrom(nl->socket, in, sizeof(in));
        if (n < 0)
            return -errno;
        rc = mnl_cb_run(in, (size_t)n, h->nlmsg_seq, nl->port, cb, arg);
    } while (rc > MNL_CB_STOP);
    return rc < 0 ? -errno : 0;
}

int net_link_set(struct net_nl *nl, int ifindex, uint32_t mtu)
{
    uint8_t mem[NL_BUF];
    struct nlmsghdr *h = nl_begin(mem, RTM_NEWLINK, NLM_F_ACK);
    struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    m->ifi_family = AF_UNSPEC;
    m->ifi_index = ifindex;
    m->ifi_flags = m->ifi_change = IFF_UP;
    mnl_attr_put_u32(h, IFLA_MTU, mtu);
    return nl_talk(nl, h, NULL, NULL);
}

uint32_t net_link_mtu(int ifindex)
{
    struct ifreq ifr = { .ifr_ifindex = ifindex };
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = s >= 0 && !ioctl(s, SIOCGIFNAME, &ifr) && !ioctl(s, SIOCGIFMTU, &ifr);
    if (s >= 0)
        close(s);
    return ok && ifr.ifr_mtu > 0 ? (uint32_t)ifr.ifr_mtu : 0;
}

bool net_link_usable(int ifindex)
{
    struct ifreq ifr = { .ifr_ifindex = ifindex };
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = s >= 0 && !ioctl(s, SIOCGIFNAME, &ifr) && !ioctl(s, SIOCGIFFLAGS, &ifr);
    if (s >= 0)
        close(s);
    return ok && (ifr.ifr_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING) && !(ifr.ifr_flags & IFF_LOOPBACK);
}

struct addr_walk {
    bool (*each)(void *arg, const struct adit_addr *a, int ifindex);
    void *arg;
    bool stop;
};

static int addr_cb(const struct nlmsghdr *h, void *arg)
{
    struct addr_walk *w = arg;
    const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
    const struct nlattr *attr, *best = NULL;
    mnl_attr_for_each(attr, h, sizeof(*m))
    {
        /* On point-to-point links IFA_ADDRESS is the peer's, IFA_LOCAL ours. */
        int type = mnl_attr_get_type(attr);
        if (type == IFA_LOCAL || (type == IFA_ADDRESS && !best))
            best = attr;
    }
    if (best && !w->stop) {
        struct adit_addr a = nl_addr(best);
        w->stop = a.family && w->each(w->arg, &a, (int)m->ifa_index);
    }
    return MNL_CB_OK;
}

bool net_addr_each(struct net_nl *nl, bool (*each)(void *arg, const struct adit_addr *a, int ifindex),
                   void *arg)
{
    uint8_t mem[NL_BUF];
    struct addr_walk w = { each, arg, false };
    struct nlmsghdr *h = nl_begin(mem, RTM_GETADDR, NLM_F_DUMP);
    struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    m->ifa_family = AF_UNSPEC;
    return nl_talk(nl, h, addr_cb, &w) == 0 && w.stop;
}

/* No duplicate address detection: there is no link whose neighbours could have it. */
static int addr_change(struct net_nl *nl, int ifindex, const struct adit_addr *a, uint16_t type, uint16_t flags)
{
    uint8_t mem[NL_BUF];
    struct nlmsghdr *h = nl_begin(mem, type, (uint16_t)(NLM_F_ACK | flags));
    struct ifaddrmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));
    size_t n = a->family == 6 ? 16 : 4;
    m->ifa_family = a->family == 6 ? AF_INET6 : AF_INET;
    m->ifa_prefixlen = (unsigned char)(n * 8);
    m->ifa_flags = IFA_F_NODAD;
    m->ifa_index = (unsigned)ifindex;
    mnl_attr_put(h, IFA_LOCAL, n, a->ip);
    mnl_attr_put(h, IFA_ADDRESS, n, a->ip);
    return nl_talk(nl, h, NULL, NULL);
}

int net_addr_add(struct net_nl *nl, int ifindex, const struct adit_addr *a)
{
    return addr_change(nl, ifindex, a, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
}

int net_addr_del(struct net_nl *nl, int ifindex, const struct adit_addr *a)
{
    return addr_change(nl, ifindex, a, RTM_DELADDR, 0);
}

struct adit_addr nl_addr(const struct nlattr *attr)
{
    struct adit_addr a = { 0 };
    uint16_t n = mnl_attr_get_payload_len(attr);
    if (n != 4 && n != 16)
        return a;
    a.family = n == 4 ? 4 : 6;
    span_copy(a.ip, span(mnl_attr_get_payload(attr), n));
    return a;
}
