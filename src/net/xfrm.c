/* xfrm.c - sockets to the kernel's IPsec: one for requests, one for its events; and what it has to leave alone. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/udp.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/span.h"
#include "base/strbuf.h"
#include "base/why.h"
#include "net/net.h"

#ifndef IP_XFRM_POLICY
#define IP_XFRM_POLICY 17
#endif
#ifndef IPV6_XFRM_POLICY
#define IPV6_XFRM_POLICY 35
#endif
#ifndef UDP_ENCAP
#define UDP_ENCAP 100
#endif
#define EVENTS_BUFFER (4 << 20)
#define ANSWER_MAX 8192

struct net_xfrm {
    struct mnl_socket *talk, *events;
    uint32_t seq;
};

static struct mnl_socket *open_socket(int flags)
{
    struct mnl_socket *s = mnl_socket_open2(NETLINK_XFRM, SOCK_CLOEXEC | flags);
    if (s && mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) == 0)
        return s;
    int e = errno;
    if (s)
        mnl_socket_close(s);
    errno = e;
    return NULL;
}

static bool join(struct mnl_socket *s)
{
    static const int groups[] = { XFRMNLGRP_ACQUIRE, XFRMNLGRP_EXPIRE, XFRMNLGRP_MAPPING };
    int size = EVENTS_BUFFER;
    (void)setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        int group = groups[i];
        if (mnl_socket_setsockopt(s, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
            return false;
    }
    return true;
}

/* Its words come with errors, and not our request again, in which there may be keys. */
static void ask_for_words(struct mnl_socket *s)
{
    int on = 1;
    (void)mnl_socket_setsockopt(s, NETLINK_EXT_ACK, &on, sizeof(on));
    (void)mnl_socket_setsockopt(s, NETLINK_CAP_ACK, &on, sizeof(on));
}

enum adit_rc net_xfrm_new(struct net_xfrm **out, struct adit_why *why)
{
    struct net_xfrm *x = mem_new(sizeof(*x));
    *out = NULL;
    if (!x)
        return ADIT_ERR_MEMORY;
    x->talk = open_socket(0);
    x->events = x->talk ? open_socket(SOCK_NONBLOCK) : NULL;
    if (!x->events || !join(x->events)) {
        int e = errno;
        net_xfrm_free(x);
        return why_set(why, ADIT_ERR_IO, e == EPROTONOSUPPORT ? "the kernel has no XFRM (module xfrm_user)" : "XFRM over netlink: %s",
                       strerror(e));
    }
    ask_for_words(x->talk);
    *out = x;
    return ADIT_OK;
}

void net_xfrm_free(struct net_xfrm *x)
{
    if (!x)
        return;
    if (x->talk)
        mnl_socket_close(x->talk);
    if (x->events)
        mnl_socket_close(x->events);
    mem_del(x);
}

static void take_words(const struct nlmsghdr *h, struct net_words *words)
{
    const struct nlattr *a;
    if (!words || !(h->nlmsg_flags & NLM_F_ACK_TLVS))
        return;
    mnl_attr_for_each(a, h, sizeof(struct nlmsgerr))
    {
        struct strbuf text = { words->text, 0, sizeof(words->text) };
        if (mnl_attr_get_type(a) == NLMSGERR_ATTR_MSG && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0)
            strbuf_add(&text, mnl_attr_get_str(a));
    }
}

/* One datagram of the kernel's; true: *rc is the result. */
static bool answered(const struct net_xfrm *x, const struct nlmsghdr *h, int n, uint8_t *answer, size_t cap,
                     struct net_words *words, int *rc)
{
    for (; mnl_nlmsg_ok(h, n); h = mnl_nlmsg_next(h, &n)) {
        if (h->nlmsg_seq != x->seq)
            continue; /* of a request that was given up */
        if (h->nlmsg_type == NLMSG_ERROR && h->nlmsg_len >= mnl_nlmsg_size(sizeof(struct nlmsgerr))) {
            *rc = ((const struct nlmsgerr *)mnl_nlmsg_get_payload(h))->error;
            take_words(h, words);
            return true;
        }
        *rc = h->nlmsg_len > cap ? -EMSGSIZE : (int)h->nlmsg_len;
        if (*rc > 0)
            span_copy(answer, span(h, h->nlmsg_len));
        return true;
    }
    return false;
}

int net_xfrm_call(struct net_xfrm *x, uint8_t *msg, size_t n, uint8_t *answer, size_t cap, struct net_words *words)
{
    _Alignas(8) uint8_t in[ANSWER_MAX];
    int rc = 0;
    if (words)
        words->text[0] = 0;
    ((struct nlmsghdr *)(void *)msg)->nlmsg_seq = ++x->seq;
    if (mnl_socket_sendto(x->talk, msg, n) < 0)
        return -errno;
    for (ssize_t got = 0;;) {
        got = mnl_socket_recvfrom(x->talk, in, sizeof(in));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            rc = -errno;
        if (got < 0 || answered(x, (const struct nlmsghdr *)(const void *)in, (int)got, answer, cap, words, &rc))
            break;
    }
    mem_wipe(in, sizeof(in));
    return rc;
}

int net_xfrm_fd(const struct net_xfrm *x)
{
    return mnl_socket_get_fd(x->events);
}

int net_xfrm_next(struct net_xfrm *x, uint8_t *out, size_t cap)
{
    ssize_t n = mnl_socket_recvfrom(x->events, out, cap);
    return n >= 0 ? (int)n : errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int net_xfrm_bypass(int fd, uint8_t family)
{
    struct xfrm_userpolicy_info p = { .action = XFRM_POLICY_ALLOW, .sel.family = family == 6 ? AF_INET6 : AF_INET };
    static const uint8_t dirs[] = { XFRM_POLICY_OUT, XFRM_POLICY_IN };
    for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
        p.dir = dirs[i];
        if (family == 6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_XFRM_POLICY, &p, sizeof(p))
                        : setsockopt(fd, IPPROTO_IP, IP_XFRM_POLICY, &p, sizeof(p)))
            return -errno;
    }
    return 0;
}

int net_udp_encap(int fd)
{
    int kind = UDP_ENCAP_ESPINUDP;
    return setsockopt(fd, IPPROTO_UDP, UDP_ENCAP, &kind, sizeof(kind)) ? -errno : 0;
}
