/* errqueue.c - what routers and our own kernel say about packets that we sent (IP_RECVERR, IPV6_RECVERR). A router's
 * word is not authenticated: callers check the quoted packet and keep floors (esp.md s6; RFC 4301 s8.2). */
#include <errno.h>
#include <netinet/in.h>
#include <linux/errqueue.h>
#include "base/span.h"
#include "net/msg.h"

#define ICMP4_UNREACHABLE 3
#define ICMP4_FRAG_NEEDED 4
#define ICMP6_TOO_BIG_TYPE 2

static void error_fill(const struct sock_extended_err *err, struct net_error *out)
{
    out->local = err->ee_origin == SO_EE_ORIGIN_LOCAL;
    out->too_big = err->ee_errno == EMSGSIZE;
    if (err->ee_origin == SO_EE_ORIGIN_ICMP)
        out->too_big = err->ee_type == ICMP4_UNREACHABLE && err->ee_code == ICMP4_FRAG_NEEDED;
    else if (err->ee_origin == SO_EE_ORIGIN_ICMP6)
        out->too_big = err->ee_type == ICMP6_TOO_BIG_TYPE;
    out->mtu = out->too_big ? err->ee_info : 0;
}

bool net_error_get(int fd, uint8_t family, uint16_t port, struct net_error *out)
{
    struct sockaddr_storage to;
    _Alignas(struct cmsghdr) uint8_t ctrl[512];
    struct iovec iov = { out->quoted, sizeof(out->quoted) };
    struct msghdr m = { .msg_name = &to,
                        .msg_namelen = sizeof(to),
                        .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = ctrl,
                        .msg_controllen = sizeof(ctrl) };
    *out = (struct net_error){ 0 };
    ssize_t n = recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (n < 0)
        return false;
    out->quoted_n = (uint32_t)n;
    net_sockaddr_get(&to, &out->path.remote);
    out->path.local.port = port;
    if (!port)
        out->path.remote.port = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        bool is_error = family == 4 ? c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR
                                    : c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
        if (is_error)
            error_fill((const struct sock_extended_err *)(const void *)CMSG_DATA(c), out);
    }
    return true;
}
