/* raw.c - IP packets of one protocol (ESP without UDP): received by a protocol socket, sent whole. No offloads exist
 * for these, so a packet costs a system call's share of a batch. */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <unistd.h>
#include "base/span.h"
#include "base/why.h"
#include "net/msg.h"

#ifndef IPV6_HDRINCL
#define IPV6_HDRINCL 36
#endif

/* Every raw socket gets a copy of every packet: the filter leaves each worker its own SPIs. A v4 socket sees the IP
 * header, a v6 one begins behind it. */
static int raw_filter(int fd, uint8_t family, unsigned i, unsigned n, const uint32_t *spi, size_t n_spi)
{
    struct sock_filter code[2 * NET_SPIS_MAX + 6];
    unsigned short at = 0;
    if (n_spi > NET_SPIS_MAX)
        return -E2BIG;
    code[at++] = family == 6 ? (struct sock_filter){ BPF_LDX | BPF_W | BPF_IMM, 0, 0, 0 }
                             : (struct sock_filter){ BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0 };
    code[at++] = (struct sock_filter){ BPF_LD | BPF_W | BPF_IND, 0, 0, 0 };
    for (size_t k = 0; k < n_spi; k++) {
        code[at++] = (struct sock_filter){ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, spi[k] };
        code[at++] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, 0 };
    }
    code[at++] = (struct sock_filter){ BPF_ALU | BPF_MOD | BPF_K, 0, 0, n };
    code[at++] = (struct sock_filter){ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, i };
    code[at++] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, UINT32_MAX };
    code[at++] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, 0 };
    struct sock_fprog prog = { at, code };
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) ? -errno : 0;
}

int net_raw_leave_out(const struct net_raw *r, unsigned i, unsigned n, const uint32_t *spi, size_t n_spi)
{
    return raw_filter(r->rx, r->family, i, n, spi, n_spi);
}

static int raw_socket(uint8_t family, int proto, bool wait, int *fd)
{
    *fd = socket(family == 6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC | (wait ? 0 : SOCK_NONBLOCK),
                 proto);
    return *fd < 0 ? -errno : 0;
}

static int raw_prepare(struct net_raw *r, unsigned i, unsigned n, const struct net_opts *opts)
{
    int e = raw_socket(r->family, r->proto, false, &r->rx);
    if (!e)
        e = net_opts_set(r->rx, r->family, opts);
    if (!e)
        e = net_opt_df(r->rx, r->family, false); /* it sends what may be cut */
    if (!e && n)
        e = raw_filter(r->rx, r->family, i, n, NULL, 0);
    if (!e && n && i) /* each would get a copy of each ICMP error: the first one's is enough */
        e = r->family == 4 ? net_opt(r->rx, IPPROTO_IP, IP_RECVERR, 0)
                           : net_opt(r->rx, IPPROTO_IPV6, IPV6_RECVERR, 0);
    if (!e)
        e = raw_socket(r->family, IPPROTO_RAW, opts->wait_us > 0, &r->tx);
    if (!e)
        e = net_opts_set(r->tx, r->family, opts);
    if (!e && r->family == 6)
        e = net_opt(r->tx, IPPROTO_IPV6, IPV6_HDRINCL, 1);
    return e;
}

enum adit_rc net_raw_open(uint8_t family, uint8_t proto, unsigned i, unsigned n, const struct net_opts *opts,
                          struct net_raw *out, struct adit_why *why)
{
    *out = (struct net_raw){ .rx = -1, .tx = -1, .family = family, .proto = proto };
    int e = raw_prepare(out, i, n, opts);
    if (!e)
        return ADIT_OK;
    net_raw_close(out);
    return why_set(why, ADIT_ERR_IO, "raw socket for IPv%u protocol %u: %s%s", family, proto, strerror(-e),
                   e == -EPERM ? " (needs CAP_NET_RAW)" : "");
}

void net_raw_close(struct net_raw *r)
{
    if (r->rx >= 0)
        close(r->rx);
    if (r->tx >= 0)
        close(r->tx);
    r->rx = r->tx = -1;
}

/* A v4 raw socket delivers the IP header too. */
static void strip_ip4(struct net_datagram *d)
{
    uint32_t header_n = d->n ? (uint32_t)(d->data[0] & 15) * 4 : 0;
    if (header_n < 20 || header_n > d->n) {
        d->n = 0;
        return;
    }
    d->tos = d->data[1];
    d->data += header_n;
    d->n -= header_n;
    d->segment = d->n;
}

int net_raw_recv(struct net_raw *r, struct net_rx *rx)
{
    int n = net_msg_recv(r->rx, 0, rx);
    for (int i = 0; i < n; i++) {
        net_rx_at(rx, (unsigned)i)->path.remote.port = 0;
        if (r->family == 4)
            strip_ip4(net_rx_at(rx, (unsigned)i));
    }
    return n;
}

size_t net_raw_send(struct net_raw *r, const struct adit_path *path, uint8_t tos, bool df, struct iovec *iov,
                    size_t n, int *error)
{
    struct sockaddr_storage to;
    struct adit_endpoint remote = { .addr = path->remote.addr };
    struct msghdr m = { .msg_name = &to, .msg_namelen = net_sockaddr_put(&to, &remote) };
    struct net_ctrl ctrl;
    size_t header_n = r->family == 4 ? 20 : 40;
    *error = 0;
    if (df)
        return net_msg_send(r->tx, &m, iov, n, error);
    net_ctrl_put(&ctrl, r->family, &path->local.addr, tos, 0);
    m.msg_control = ctrl.mem;
    m.msg_controllen = ctrl.n;
    for (size_t i = 0; i < n; i++)
        iov[i] = (struct iovec){ (uint8_t *)iov[i].iov_base + header_n, iov[i].iov_len - header_n };
    return net_msg_send(r->rx, &m, iov, n, error);
}
