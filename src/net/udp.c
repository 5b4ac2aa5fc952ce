/* udp.c - UDP sockets for many peers: batches, merged trains both ways where the kernel has them (UDP_GRO,
 * UDP_SEGMENT), source address and TOS a packet. */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <unistd.h>
#include "base/span.h"
#include "base/strbuf.h"
#include "base/why.h"
#include "net/msg.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#define TRAIN_MAX 64      /* segments; older kernels answer EINVAL to more */
#define TRAIN_BYTES 65000 /* a UDP datagram's limit is 65507 (v4) */

static int udp_prepare(struct net_udp *u, const struct adit_endpoint *local, const struct net_opts *opts)
{
    struct sockaddr_storage sa;
    socklen_t n = net_sockaddr_put(&sa, local);
    int e = net_opts_set(u->fd, u->family, opts);
    if (!e && opts->reuseport)
        e = net_opt(u->fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (!e && u->family == 6)
        e = net_opt(u->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (!e && bind(u->fd, (struct sockaddr *)&sa, n))
        e = -errno;
    n = sizeof(sa);
    if (!e && getsockname(u->fd, (struct sockaddr *)&sa, &n))
        e = -errno;
    if (e)
        return e;
    struct adit_endpoint bound;
    net_sockaddr_get(&sa, &bound);
    u->port = bound.port;
    u->df = true;
    u->gso = opts->offload;
    u->gro = opts->offload && net_opt(u->fd, IPPROTO_UDP, UDP_GRO, 1) == 0;
    return 0;
}

enum adit_rc net_udp_open(const struct adit_endpoint *local, const struct net_opts *opts, struct net_udp *out,
                          struct adit_why *why)
{
    *out = (struct net_udp){ .family = local->addr.family };
    out->fd = socket(out->family == 6 ? AF_INET6 : AF_INET,
                     SOCK_DGRAM | SOCK_CLOEXEC | (opts->wait_us ? 0 : SOCK_NONBLOCK), 0);
    int e = out->fd < 0 ? -errno : udp_prepare(out, local, opts);
    if (!e)
        return ADIT_OK;
    net_udp_close(out);
    return why_set(why, ADIT_ERR_IO, "UDP port %u (IPv%u): %s%s", local->port, local->addr.family,
                   strerror(-e), e == -EADDRINUSE ? " (another IKE daemon?)" : "");
}

void net_udp_close(struct net_udp *u)
{
    if (u->fd >= 0)
        close(u->fd);
    u->fd = -1;
}

/* The filter sees the UDP payload. An IKE message starts with zeros: socket 0. Too short: no return value, so the kernel falls back
 * to its hash. */
int net_udp_steer_but(const struct net_udp *u, unsigned n, const uint32_t *spi, size_t n_spi, unsigned to)
{
    struct sock_filter code[2 * NET_SPIS_MAX + 3];
    unsigned short at = 0;
    if (n_spi > NET_SPIS_MAX)
        return -E2BIG;
    code[at++] = (struct sock_filter){ BPF_LD | BPF_W | BPF_ABS, 0, 0, 0 };
    for (size_t i = 0; i < n_spi; i++) {
        code[at++] = (struct sock_filter){ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, spi[i] };
        code[at++] = (struct sock_filter){ BPF_RET | BPF_K, 0, 0, to };
    }
    code[at++] = (struct sock_filter){ BPF_ALU | BPF_MOD | BPF_K, 0, 0, n };
    code[at++] = (struct sock_filter){ BPF_RET | BPF_A, 0, 0, 0 };
    struct sock_fprog prog = { at, code };
    return setsockopt(u->fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog, sizeof(prog)) ? -errno : 0;
}

int net_udp_steer(const struct net_udp *u, unsigned n)
{
    return net_udp_steer_but(u, n, NULL, 0, 0);
}

/* Too short for an IKE header: a load beyond the end makes it 0. */
int net_udp_sort_strangers(const struct net_udp *u, unsigned skip)
{
    enum { NEXT_PAYLOAD = 16, EXCHANGE = 18, FLAGS = 19, IKE_SA_INIT = 34, IKE_SESSION_RESUME = 38, RESPONSE = 0x20, NOTIFY = 41 };
    struct sock_filter code[] = {
        { BPF_LD | BPF_B | BPF_ABS, 0, 0, skip + EXCHANGE },
        { BPF_JMP | BPF_JEQ | BPF_K, 1, 0, IKE_SA_INIT },
        { BPF_JMP | BPF_JEQ | BPF_K, 0, 5, IKE_SESSION_RESUME },
        { BPF_LD | BPF_B | BPF_ABS, 0, 0, skip + FLAGS },
        { BPF_JMP | BPF_JSET | BPF_K, 3, 0, RESPONSE },
        { BPF_LD | BPF_B | BPF_ABS, 0, 0, skip + NEXT_PAYLOAD },
        { BPF_JMP | BPF_JEQ | BPF_K, 1, 0, NOTIFY },
        { BPF_RET | BPF_K, 0, 0, 1 },
        { BPF_RET | BPF_K, 0, 0, 0 },
    };
    struct sock_fprog prog = { ARRAY_LEN(code), code };
    return setsockopt(u->fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog, sizeof(prog)) ? -errno : 0;
}

int net_udp_recv(struct net_udp *u, struct net_rx *rx)
{
    return net_msg_recv(u->fd, u->port, rx);
}

/* How many of iov make one train: equal sizes, the last may be shorter. */
static size_t train_length(const struct iovec *iov, size_t n)
{
    size_t size = iov[0].iov_len, bytes = size, i = 1;
    for (; i < n && i < TRAIN_MAX; i++) {
        if (iov[i].iov_len > size || bytes + iov[i].iov_len > TRAIN_BYTES)
            break;
        bytes += iov[i].iov_len;
        if (iov[i].iov_len < size)
            return i + 1;
    }
    return i;
}

struct out {
    struct sockaddr_storage to;
    socklen_t to_n;
    struct net_ctrl ctrl;
};

/* One train in one call: 0 or -errno. */
static int send_train(struct net_udp *u, const struct adit_path *path, uint8_t tos, struct out *o,
                      struct iovec *iov, size_t n)
{
    net_ctrl_put(&o->ctrl, u->family, &path->local.addr, tos, (uint16_t)iov[0].iov_len);
    struct msghdr m = { .msg_name = &o->to,
                        .msg_namelen = o->to_n,
                        .msg_iov = iov,
                        .msg_iovlen = n,
                        .msg_control = o->ctrl.mem,
                        .msg_controllen = o->ctrl.n };
    if (sendmsg(u->fd, &m, 0) >= 0 || (net_was_pending(errno) && sendmsg(u->fd, &m, 0) >= 0))
        return 0;
    return -errno;
}

static size_t send_singly(struct net_udp *u, const struct adit_path *path, uint8_t tos, struct out *o,
                          struct iovec *iov, size_t n, int *error)
{
    net_ctrl_put(&o->ctrl, u->family, &path->local.addr, tos, 0);
    struct msghdr m = {
        .msg_name = &o->to, .msg_namelen = o->to_n, .msg_control = o->ctrl.mem, .msg_controllen = o->ctrl.n
    };
    return net_msg_send(u->fd, &m, iov, n, error);
}

/* What a device without checksum offload or an old kernel says. EINVAL may also mean a route with a smaller MTU. */
static bool is_refusal(int e)
{
    return e == -EIO || e == -EINVAL || e == -EOPNOTSUPP;
}

/* Single datagrams went where the train was refused: does the socket lack trains for good? Not if they only had to be
 * cut, which IP does to single ones without DF. */
static bool lacks_trains(const struct net_udp *u, int refused)
{
    return refused && refused != -EMSGSIZE && (refused != -EINVAL || u->df);
}

static size_t send_part(struct net_udp *u, const struct adit_path *path, uint8_t tos, struct out *o,
                        struct iovec *iov, size_t n, int *error)
{
    int refused = 0;
    if (n > 1 && u->gso) {
        int e = send_train(u, path, tos, o, iov, n);
        if (!e)
            return n;
        if (!is_refusal(e) &&
            (e != -EMSGSIZE || u->df)) { /* a train can't be cut by IP, single datagrams can */
            *error = *error ? *error : e;
            return 0;
        }
        refused = e;
    }
    size_t sent = send_singly(u, path, tos, o, iov, n, error);
    if (sent == n && lacks_trains(u, refused))
        u->gso = false;
    return sent;
}

size_t net_udp_send(struct net_udp *u, const struct adit_path *path, uint8_t tos, bool df, struct iovec *iov,
                    size_t n, int *error)
{
    struct out o;
    size_t sent = 0, at = 0;
    *error = 0;
    o.to_n = net_sockaddr_put(&o.to, &path->remote);
    if (df != u->df && net_opt_df(u->fd, u->family, df) == 0)
        u->df = df;
    while (at < n) {
        size_t k = u->gso ? train_length(iov + at, n - at) : n - at;
        sent += send_part(u, path, tos, &o, iov + at, k, error);
        at += k;
    }
    return sent;
}
