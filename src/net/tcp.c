/* tcp.c - TCP sockets that never wait, for streams of IKE and ESP (RFC 9329): listening, accepting, connecting. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>
#include "base/span.h"
#include "base/why.h"
#include "net/msg.h"

#define BACKLOG 128
#define KEEP_IDLE_S 60 /* a connection whose other end is gone is noticed after that ... */
#define KEEP_EVERY_S 10
#define KEEP_TIMES 3
#define GIVE_UP_MS 30000 /* ... or when what was sent is not acknowledged for so long */
#define UNSENT_MAX (128 << 10) /* octets that wait in the kernel: what waits longer waits where it can be dropped */

static int open_socket(uint8_t family)
{
    int fd = socket(family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
}

static int fail(int fd, int error)
{
    close(fd);
    return error;
}

/* None of these is worth a connection. */
static void tune(int fd)
{
    (void)net_opt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    (void)net_opt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_MAX);
    (void)net_opt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, GIVE_UP_MS);
    (void)net_opt(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    (void)net_opt(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S);
    (void)net_opt(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_EVERY_S);
    (void)net_opt(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_TIMES);
}

static int set_mark(int fd, uint32_t mark)
{
    return mark ? net_opt(fd, SOL_SOCKET, SO_MARK, (int)mark) : 0;
}

static int bind_to(int fd, const struct adit_endpoint *local, uint16_t port)
{
    struct sockaddr_storage sa;
    const struct adit_endpoint any_port = { .addr = local->addr, .port = port };
    socklen_t n = net_sockaddr_put(&sa, &any_port);
    return bind(fd, (struct sockaddr *)&sa, n) ? -errno : 0;
}

int net_tcp_listen(const struct adit_endpoint *local, uint32_t mark)
{
    int fd = open_socket(local->addr.family);
    if (fd < 0)
        return fd;
    int e = set_mark(fd, mark);
    e = e ? e : net_opt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (!e && local->addr.family == 6)
        e = net_opt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    e = e ? e : bind_to(fd, local, local->port);
    if (!e && listen(fd, BACKLOG))
        e = -errno;
    return e ? fail(fd, e) : fd;
}

static int names(int fd, struct adit_path *path)
{
    struct sockaddr_storage sa;
    socklen_t n = sizeof(sa);
    *path = (struct adit_path){ .tcp = true };
    if (getsockname(fd, (struct sockaddr *)&sa, &n) || !net_sockaddr_get(&sa, &path->local))
        return -ENOTCONN;
    n = sizeof(sa);
    if (getpeername(fd, (struct sockaddr *)&sa, &n) || !net_sockaddr_get(&sa, &path->remote))
        return -ENOTCONN;
    return 0;
}

int net_tcp_accept(int listener, struct adit_path *path)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return -errno;
    int e = names(fd, path);
    if (e)
        return fail(fd, e);
    tune(fd);
    return fd;
}

int net_tcp_connect(const struct adit_path *path, uint32_t mark)
{
    struct sockaddr_storage sa;
    socklen_t n = net_sockaddr_put(&sa, &path->remote);
    int fd = open_socket(path->remote.addr.family);
    if (fd < 0)
        return fd;
    int e = set_mark(fd, mark);
    if (!e && path->local.addr.family == path->remote.addr.family)
        e = bind_to(fd, &path->local, 0);
    tune(fd);
    if (!e && connect(fd, (struct sockaddr *)&sa, n) && errno != EINPROGRESS)
        e = -errno;
    return e ? fail(fd, e) : fd;
}

int net_tcp_connected(int fd, struct adit_path *path)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int error = 0;
    socklen_t n = sizeof(error);
    if (poll(&p, 1, 0) == 0)
        return -EINPROGRESS;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n))
        return -errno;
    return error ? -error : names(fd, path);
}
