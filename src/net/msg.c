/* msg.c - receive buffers and ancillary data of UDP and raw sockets: packet info, TOS, GRO and GSO sizes. */
#include "net/msg.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <sys/time.h>
#include "base/mem.h"
#include "base/span.h"

/* Not in older libcs' headers. */
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

unsigned net_sockaddr_put(struct sockaddr_storage *out, const struct adit_endpoint *e)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    *out = (struct sockaddr_storage){ 0 };
    if (e->addr.family == 4) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(e->port);
        span_copy((uint8_t *)&v4->sin_addr, span(e->addr.ip, 4));
        return sizeof(*v4);
    }
    if (e->addr.family != 6)
        return 0;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(e->port);
    span_copy((uint8_t *)&v6->sin6_addr, span(e->addr.ip, 16));
    return sizeof(*v6);
}

bool net_sockaddr_get(const struct sockaddr_storage *in, struct adit_endpoint *out)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)in;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)in;
    *out = (struct adit_endpoint){ 0 };
    if (in->ss_family == AF_INET) {
        out->addr.family = 4;
        span_copy(out->addr.ip, span(&v4->sin_addr, 4));
        out->port = ntohs(v4->sin_port);
        return true;
    }
    if (in->ss_family != AF_INET6)
        return false;
    out->addr.family = 6;
    span_copy(out->addr.ip, span(&v6->sin6_addr, 16));
    out->port = ntohs(v6->sin6_port);
    return true;
}

struct net_rx *net_rx_new(unsigned batch)
{
    struct net_rx *rx = mem_new(sizeof(*rx));
    if (!rx)
        return NULL;
    rx->n = batch < 1 ? 1 : batch > NET_BATCH ? NET_BATCH : batch;
    rx->mem = mmap(NULL, (size_t)rx->n * NET_BUF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (rx->mem == MAP_FAILED) {
        mem_del(rx);
        return NULL;
    }
    for (unsigned i = 0; i < rx->n; i++) {
        rx->iov[i] = (struct iovec){ rx->mem + (size_t)i * NET_BUF + NET_HEADROOM, NET_BUF - NET_HEADROOM };
        rx->msg[i].msg_hdr =
            (struct msghdr){ .msg_name = &rx->from[i], .msg_iov = &rx->iov[i], .msg_iovlen = 1 };
    }
    return rx;
}

void net_rx_free(struct net_rx *rx)
{
    if (!rx)
        return;
    munmap(rx->mem, (size_t)rx->n * NET_BUF);
    mem_del(rx);
}

struct net_datagram *net_rx_at(struct net_rx *rx, unsigned i)
{
    return &rx->at[i];
}

/* Reads one item of ancillary data into d. */
static void ctrl_get(const struct cmsghdr *c, struct net_datagram *d)
{
    const uint8_t *p = CMSG_DATA(c);
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
        const struct in_pktinfo *info = (const struct in_pktinfo *)(const void *)p;
        d->path.local.addr = (struct adit_addr){ .family = 4 };
        span_copy(d->path.local.addr.ip, span(&info->ipi_addr, 4));
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
        const struct in6_pktinfo *info = (const struct in6_pktinfo *)(const void *)p;
        d->path.local.addr = (struct adit_addr){ .family = 6 };
        span_copy(d->path.local.addr.ip, span(&info->ipi6_addr, 16));
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
        d->tos = *p;
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
        d->tos = (uint8_t) * (const int *)(const void *)p;
    } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
        int size = *(const int *)(const void *)p;
        if (size > 0 && (uint32_t)size < d->n)
            d->segment = (uint32_t)size;
    }
}

int net_msg_recv(int fd, uint16_t local_port, struct net_rx *rx)
{
    for (unsigned i = 0; i < rx->n; i++) {
        rx->msg[i].msg_hdr.msg_namelen = sizeof(rx->from[i]);
        rx->msg[i].msg_hdr.msg_control = rx->ctrl[i];
        rx->msg[i].msg_hdr.msg_controllen = NET_CTRL;
    }
    int n = recvmmsg(fd, rx->msg, rx->n, MSG_DONTWAIT, NULL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    for (int i = 0; i < n; i++) {
        struct net_datagram *d = &rx->at[i];
        struct msghdr *m = &rx->msg[i].msg_hdr;
        *d = (struct net_datagram){ .data = rx->iov[i].iov_base,
                                    .n = rx->msg[i].msg_len,
                                    .segment = rx->msg[i].msg_len };
        net_sockaddr_get(&rx->from[i], &d->path.remote);
        for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
            ctrl_get(c, d);
        d->path.local.port = local_port;
    }
    return n;
}

/* With IP_RECVERR an ICMP error, forged perhaps, makes the next call on the socket fail, which then sent nothing. */
bool net_was_pending(int error)
{
    return error != EAGAIN && error != EIO && error != EINVAL && error != ENOBUFS && error != EOPNOTSUPP;
}

size_t net_msg_send(int fd, const struct msghdr *like, struct iovec *iov, size_t n, int *error)
{
    struct mmsghdr m[NET_BATCH];
    size_t sent = 0, at = 0, retried = SIZE_MAX;
    while (at < n) {
        size_t k = n - at < NET_BATCH ? n - at : NET_BATCH;
        for (size_t i = 0; i < k; i++) {
            m[i].msg_hdr = *like;
            m[i].msg_hdr.msg_iov = &iov[at + i];
            m[i].msg_hdr.msg_iovlen = 1;
        }
        int done = sendmmsg(fd, m, (unsigned)k, 0);
        if (done > 0) {
            sent += (size_t)done;
            at += (size_t)done;
        } else if (retried != at && net_was_pending(errno)) {
            retried = at;
        } else {
            *error = *error ? *error : -errno;
            at++;
        }
    }
    return sent;
}

static void ctrl_add(struct net_ctrl *c, int level, int type, const void *data, size_t n)
{
    struct cmsghdr *h = (struct cmsghdr *)(void *)(c->mem + c->n);
    h->cmsg_level = level;
    h->cmsg_type = type;
    h->cmsg_len = CMSG_LEN(n);
    span_copy(CMSG_DATA(h), span(data, n));
    c->n += CMSG_SPACE(n);
}

static void ctrl_source(struct net_ctrl *c, const struct adit_addr *src)
{
    if (src->family == 4) {
        struct in_pktinfo info = { 0 };
        span_copy((uint8_t *)&info.ipi_spec_dst, span(src->ip, 4));
        ctrl_add(c, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    } else {
        struct in6_pktinfo info = { 0 };
        span_copy((uint8_t *)&info.ipi6_addr, span(src->ip, 16));
        ctrl_add(c, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    }
}

void net_ctrl_put(struct net_ctrl *c, uint8_t family, const struct adit_addr *src, uint8_t tos,
                  uint16_t segment)
{
    int tclass = tos;
    c->n = 0;
    if (src->family == family)
        ctrl_source(c, src);
    if (family == 4)
        ctrl_add(c, IPPROTO_IP, IP_TOS, &tclass, sizeof(tclass));
    else
        ctrl_add(c, IPPROTO_IPV6, IPV6_TCLASS, &tclass, sizeof(tclass));
    if (segment)
        ctrl_add(c, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment));
}

int net_opt(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) ? -errno : 0;
}

/* PROBE sets DF but trusts the device's MTU alone: router's claims about the path are for dp/pmtu.c to judge. */
int net_opt_df(int fd, uint8_t family, bool df)
{
    if (family == 4)
        return net_opt(fd, IPPROTO_IP, IP_MTU_DISCOVER, df ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
    return net_opt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, df ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT);
}

static int send_wait(int fd, unsigned us)
{
    struct timeval tv = { .tv_sec = us / 1000000, .tv_usec = us % 1000000 };
    return us && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) ? -errno : 0;
}

static int family_opts(int fd, uint8_t family)
{
    static const int v4[] = { IP_PKTINFO, IP_RECVTOS, IP_RECVERR };
    static const int v6[] = { IPV6_RECVPKTINFO, IPV6_RECVTCLASS, IPV6_RECVERR };
    for (size_t i = 0; i < ARRAY_LEN(v4); i++) {
        int e = family == 4 ? net_opt(fd, IPPROTO_IP, v4[i], 1) : net_opt(fd, IPPROTO_IPV6, v6[i], 1);
        if (e)
            return e;
    }
    return net_opt_df(fd, family, true);
}

int net_opts_set(int fd, uint8_t family, const struct net_opts *opts)
{
    int e = opts->mark ? net_opt(fd, SOL_SOCKET, SO_MARK, (int)opts->mark) : 0;
    if (e)
        return e;
    if (opts->bypass)
        (void)net_xfrm_bypass(fd, family);
    /* The forced form needs CAP_NET_ADMIN; the other is bounded by sysctl, and good enough without. */
    if (opts->buffer && net_opt(fd, SOL_SOCKET, SO_RCVBUFFORCE, opts->buffer))
        (void)net_opt(fd, SOL_SOCKET, SO_RCVBUF, opts->buffer);
    if (opts->buffer && net_opt(fd, SOL_SOCKET, SO_SNDBUFFORCE, opts->buffer))
        (void)net_opt(fd, SOL_SOCKET, SO_SNDBUF, opts->buffer);
    e = send_wait(fd, opts->wait_us);
    return e ? e : family_opts(fd, family);
}
