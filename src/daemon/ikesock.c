/* ikesock.c - see ikesock.h. */
#include "daemon/ikesock.h"
#include <errno.h>
#include "base/mem.h"
#include "base/span.h"
#include "base/why.h"
#include "net/net.h"

#define BATCH 64
#define ROUNDS 8 /* batches read before the loop gets its turn */
#define SOCKS 8  /* two families, two ports, and for each one more for strangers */
#define MARKER 4 /* octets of zero before IKE on the NAT traversal port */

struct sock {
    struct net_udp udp;
    uv_poll_t poll;
    struct ikesock *owner;
    bool marker, open;
    bool strangers; /* requests without a cookie, which anybody can forge: a queue of their own, read a batch at a time */
};
struct ikesock {
    struct ikesock_settings set;
    struct net_rx *rx;
    struct sock v[SOCKS]; /* v4, v6 on port; v4, v6 on port_nat_t; then those for strangers in the same order */
};

static const uint8_t marker[MARKER];

static void input(const struct sock *s, const struct net_datagram *dg)
{
    struct adit_span data = { dg->data, dg->n };
    if (s->marker) {
        if (data.n < MARKER || !span_equal(span_first(data, MARKER), SPAN_ARRAY(marker)))
            return; /* ESP, or a keepalive */
        data = span_from(data, MARKER);
    }
    s->owner->set.input(s->owner->set.arg, &dg->path, data);
}

static void on_readable(uv_poll_t *poll, int status, int events);

/* An ICMP error about one of our datagrams, forged perhaps: libuv takes POLLERR for the end of the descriptor and stops
 * watching it. Nothing has ended: the queue of errors is emptied (IKE learns of dead peers by itself, RFC 7296 s2.4)
 * and we go on. */
static void watch_again(struct sock *s)
{
    struct net_error error;
    for (int i = 0; i < 1024 && net_error_get(s->udp.fd, s->udp.family, s->udp.port, &error); i++)
        ;
    uv_poll_start(&s->poll, UV_READABLE, on_readable);
}

/* Until the socket is empty, but not for ever: the loop has other work too. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct sock *s = poll->data;
    if (status < 0)
        watch_again(s);
    for (int round = 0; round < (s->strangers ? 1 : ROUNDS); round++) {
        int n = net_udp_recv(&s->udp, s->owner->rx);
        if (n <= 0)
            return;
        for (int i = 0; i < n && s->open; i++)
            input(s, net_rx_at(s->owner->rx, (unsigned)i));
        if (n < BATCH || !s->open)
            return;
    }
}

static enum adit_rc open_one(uv_loop_t *loop, struct sock *s, const struct adit_endpoint *local, const struct net_opts *opts,
                             struct adit_why *why)
{
    TRY(net_udp_open(local, opts, &s->udp, why));
    s->poll.data = s;
    s->open = true;
    uv_poll_init(loop, &s->poll, s->udp.fd);
    uv_poll_start(&s->poll, UV_READABLE, on_readable);
    return ADIT_OK;
}

/* A group would let a second daemon in; a socket that shares with nobody tells whether there is one. */
static enum adit_rc port_is_free(const struct adit_endpoint *local, struct adit_why *why)
{
    struct net_opts alone = { 0 };
    struct net_udp probe;
    TRY(net_udp_open(local, &alone, &probe, why));
    net_udp_close(&probe);
    return ADIT_OK;
}

/* A flood of requests with forged addresses fills the strangers' queue alone; who returned a cookie, or has an SA, is in
 * the other one. */
static enum adit_rc open_sorted(uv_loop_t *loop, struct sock *known, struct sock *strangers, uint8_t family, uint16_t port,
                                struct adit_why *why)
{
    struct adit_endpoint local = { .addr.family = family, .port = port };
    struct net_opts opts = { .reuseport = true, .mark = known->owner->set.mark, .bypass = known->owner->set.bypass, .buffer = 4 << 20 };
    TRY(port_is_free(&local, why));
    TRY(open_one(loop, known, &local, &opts, why));
    TRY(open_one(loop, strangers, &local, &opts, why));
    /* Without the filter the kernel spreads by a hash: nothing is lost but the order of preference. */
    (void)!net_udp_sort_strangers(&known->udp, known->marker ? MARKER : 0);
    return ADIT_OK;
}

static enum adit_rc open_pair(uv_loop_t *loop, struct ikesock *s, unsigned first, uint16_t port,
                              bool with_marker, struct adit_why *why)
{
    static const uint8_t families[] = { 4, 6 };
    for (unsigned i = 0; port && i < ARRAY_LEN(families); i++) {
        struct sock *known = &s->v[first + i], *strangers = &s->v[SOCKS / 2 + first + i];
        known->owner = strangers->owner = s;
        known->marker = strangers->marker = with_marker;
        strangers->strangers = true;
        struct adit_why no_v6; /* a kernel without IPv6 is fine */
        enum adit_rc rc = open_sorted(loop, known, strangers, families[i], port, i ? &no_v6 : why);
        if (rc != ADIT_OK && i == 0)
            return rc;
    }
    return ADIT_OK;
}

static struct sock *sock_for(struct ikesock *s, const struct adit_path *path)
{
    for (size_t i = 0; i < ARRAY_LEN(s->v); i++) {
        struct sock *k = &s->v[i];
        if (k->open && k->udp.family == path->remote.addr.family && k->udp.port == path->local.port)
            return k;
    }
    return NULL;
}

/* With the marker in front, in one buffer: net_udp_send() takes one iov a datagram. */
static int send_marked(struct sock *k, const struct adit_path *path, struct adit_span data)
{
    uint8_t buf[65536];
    int error = 0;
    bool keepalive = data.n == 1 && data.p[0] == 0xff;
    if (data.n + MARKER > sizeof(buf))
        return -EMSGSIZE;
    uint8_t *end = keepalive ? buf : span_copy(buf, SPAN_ARRAY(marker));
    end = span_copy(end, data);
    struct iovec iov = { buf, (size_t)(end - buf) };
    net_udp_send(&k->udp, path, 0, false, &iov, 1, &error);
    return error;
}

static int send_plain(struct sock *k, const struct adit_path *path, struct adit_span data)
{
    int error = 0;
    struct iovec iov = { (void *)(uintptr_t)data.p, data.n };
    net_udp_send(&k->udp, path, 0, false, &iov, 1, &error);
    return error;
}

int ikesock_send(struct ikesock *s, const struct adit_path *path, const struct adit_span *datagrams, size_t n)
{
    struct sock *k = sock_for(s, path);
    int error = k ? 0 : -EAFNOSUPPORT;
    for (size_t i = 0; k && i < n; i++) {
        int rc = k->marker ? send_marked(k, path, datagrams[i]) : send_plain(k, path, datagrams[i]);
        if (rc)
            error = rc;
    }
    return error;
}

enum adit_rc ikesock_new(uv_loop_t *loop, const struct ikesock_settings *set, struct ikesock **out,
                         struct adit_why *why)
{
    struct ikesock *s = mem_new(sizeof(*s));
    if (!s)
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    s->set = *set;
    s->rx = net_rx_new(BATCH);
    enum adit_rc rc = s->rx ? ADIT_OK : why_set(why, ADIT_ERR_MEMORY, "out of memory");
    if (rc == ADIT_OK)
        rc = open_pair(loop, s, 0, set->port, false, why);
    if (rc == ADIT_OK)
        rc = open_pair(loop, s, 2, set->port_nat_t, true, why);
    *out = s;
    return rc;
}

void ikesock_stop(struct ikesock *s)
{
    for (size_t i = 0; s && i < ARRAY_LEN(s->v); i++) {
        struct sock *k = &s->v[i];
        if (!k->open)
            continue;
        k->open = false;
        uv_poll_stop(&k->poll);
        uv_close((uv_handle_t *)&k->poll, NULL);
        net_udp_close(&k->udp);
    }
}

void ikesock_free(struct ikesock *s)
{
    if (!s)
        return;
    net_rx_free(s->rx);
    mem_del(s);
}
