/* net.h - what the rooms above need from the operating system's network: sockets that know addresses, batches and
 * offloads; TUN; routes. Mechanisms without policy. Receiving never waits; nothing here is thread-safe, so
 * each worker opens its own. Errors of packet calls are -errno; those of set-up calls carry a reason. */
#ifndef NET_NET_H
#define NET_NET_H

#include <linux/virtio_net.h>
#include <sys/uio.h>
#include "adit/model.h"

/* --- receiving: udp.c ---------------------------------------------------------------------------------------- */
/* One datagram, or a train of them that the kernel merged (UDP_GRO): pieces of `segment` octets, the last may be
 * shorter. Valid until the next receive into the same net_rx. */
struct net_datagram {
    uint8_t *data;
    uint32_t n;
    uint32_t segment; /* = n for a single datagram */
    uint8_t tos;      /* TOS or traffic class, with ECN */
    struct adit_path path;
};
/* Buffers for a batch; 64 KiB each, with NET_HEADROOM octets of the reader's before the data. */
#define NET_HEADROOM 128
struct net_rx;
struct net_rx *net_rx_new(unsigned batch); /* 1..64; NULL: memory */
void net_rx_free(struct net_rx *rx);
struct net_datagram *net_rx_at(struct net_rx *rx, unsigned i);

/* --- UDP: udp.c ---------------------------------------------------------------------------------------------- */
struct net_opts {
    bool reuseport;   /* several sockets share the port: one a worker */
    bool offload;     /* try UDP_GRO and UDP_SEGMENT */
    bool bypass;      /* the kernel's IPsec policies don't touch it, if it has any */
    uint32_t mark;    /* SO_MARK; 0 = none */
    int buffer;       /* octets of SO_RCVBUF and SO_SNDBUF; 0 = the system's */
    unsigned wait_us; /* sending waits this long for room in the socket's buffer; 0 = never */
};
struct net_udp {
    int fd;
    uint8_t family;
    uint16_t port; /* of ours, host order */
    bool gso, gro; /* in use; gso goes off for good when the kernel refuses it */
    bool df;       /* as the socket is set now */
};
/* local: family 4 or 6 decides; unset octets = any address. Port 0 = any. A v6 socket is for v6 only. */
ADIT_MUST_USE enum adit_rc net_udp_open(const struct adit_endpoint *local, const struct net_opts *opts,
                                        struct net_udp *out, struct adit_why *why);
void net_udp_close(struct net_udp *u);
/* Spreads the datagrams of a reuseport group over its n sockets (in order of opening) by the first four octets modulo
 * n, so that an SPI always reaches the same socket. Set it on one of them. 0 or -errno. */
int net_udp_steer(const struct net_udp *u, unsigned n);
/* The same, but that those whose first four octets are among `spi` all go to the socket that was opened as the one with the
 * number `to`. At most NET_SPIS_MAX of them. 0 or -errno. */
#define NET_SPIS_MAX 1000
int net_udp_steer_but(const struct net_udp *u, unsigned n, const uint32_t *spi, size_t n_spi, unsigned to);
/* Of a group of two: the second gets the requests of strangers (IKE_SA_INIT or IKE_SESSION_RESUME that does not begin with
 * a notify, hence without a cookie), the first everything else. skip: octets before the IKE header. 0 or -errno. */
int net_udp_sort_strangers(const struct net_udp *u, unsigned skip);
/* Datagrams received (0 = none are waiting) or -errno. */
int net_udp_recv(struct net_udp *u, struct net_rx *rx);
/* Sends n datagrams, one an iov, all to path->remote from path->local (unset: the kernel chooses) with this TOS. df: never cut by IP
 * on the way (v4: DF) nor here. Equal sizes in a row go as one super-packet. Returns how many the kernel took; *error = 0 or -errno of the
 * first that it refused (the others were tried). */
size_t net_udp_send(struct net_udp *u, const struct adit_path *path, uint8_t tos, bool df, struct iovec *iov,
                    size_t n, int *error);

/* --- TCP: tcp.c ---------------------------------------------------------------------------------------------- */
/* Sockets, or -errno. Nothing here waits. listen: as net_udp_open() for `local`. */
int net_tcp_listen(const struct adit_endpoint *local, uint32_t mark);
int net_tcp_accept(int listener, struct adit_path *path); /* path->tcp is set; -EAGAIN: nobody is waiting */
/* From path->local.addr (family 0, or all zero: the kernel chooses) and any port. Writable: ask net_tcp_connected(). */
int net_tcp_connect(const struct adit_path *path, uint32_t mark);
int net_tcp_connected(int fd, struct adit_path *path); /* 0: it is, by this path; -EINPROGRESS: not yet; else why not */

/* --- raw IP: raw.c -------------------------------------------------------------------------------------------- */
struct net_raw {
    int rx, tx; /* protocol socket; header-included socket */
    uint8_t family, proto;
};
/* Receives packets of this protocol whose first four octets modulo n are `i` (n = 0: all). ICMP errors come
 * to number 0. */
ADIT_MUST_USE enum adit_rc net_raw_open(uint8_t family, uint8_t proto, unsigned i, unsigned n,
                                        const struct net_opts *opts, struct net_raw *out,
                                        struct adit_why *why);
void net_raw_close(struct net_raw *r);
/* As opened, but without packets whose first four octets are among `spi` (at most NET_SPIS_MAX). 0 or -errno. */
int net_raw_leave_out(const struct net_raw *r, unsigned i, unsigned n, const uint32_t *spi, size_t n_spi);
/* As net_udp_recv(); data begins behind the IP header, ports are 0. */
int net_raw_recv(struct net_raw *r, struct net_rx *rx);
/* Sends n whole IP packets to one destination. As net_udp_send(). Without df the kernel makes the header anew, since
 * only then it cuts what is too long. */
size_t net_raw_send(struct net_raw *r, const struct adit_path *path, uint8_t tos, bool df, struct iovec *iov,
                    size_t n, int *error);

/* --- errors about what we sent: errqueue.c --------------------------------------------------------------------- */
struct net_error {
    bool too_big;
    bool local;            /* our own kernel says so (device MTU), not a router */
    uint32_t mtu;          /* too_big: of the whole IP packet; 0 = not told */
    struct adit_path path; /* where the packet went to; local.port 0 for raw; local address may be unset */
    uint8_t quoted[64];
    uint32_t quoted_n; /* octets of the packet's payload (behind UDP, or the ESP header itself for raw) */
};
/* Takes the next one from the error queue; false = none left. Unauthenticated unless `local`. */
bool net_error_get(int fd, uint8_t family, uint16_t port, struct net_error *out);

/* --- TUN: tun.c ------------------------------------------------------------------------------------------------ */
struct net_tun {
    char name[16];
    int ifindex;
    unsigned n; /* queues */
    int *fd; /* each reads and writes: struct virtio_net_hdr (10 octets), then an IP packet of up to 64 KiB */
    bool uso; /* the kernel also hands out UDP super-packets */
    bool by_flow; /* packets of a flow always come by the same queue: steer.c */
};
/* name may hold "%d"; steer: from net_steer_load(), or 0. Removed by net_tun_close(). */
ADIT_MUST_USE enum adit_rc net_tun_open(const char *name, unsigned queues, int steer, struct net_tun *out,
                                        struct adit_why *why);
void net_tun_close(struct net_tun *t);
/* The program that chooses a queue by a hash of the flow; needs CAP_BPF. A descriptor, the caller's to close; -1: none. */
int net_steer_load(void);
/* False (also if program <= 0): the kernel goes on to choose by what was written last. */
bool net_tun_steer(int fd, int program);
/* Octets of the packet; 0 = nothing is waiting; -errno. */
int net_tun_read(int fd, struct virtio_net_hdr *hdr, uint8_t *out, size_t cap);
/* 0 or -errno. */
int net_tun_write(int fd, const struct virtio_net_hdr *hdr, const uint8_t *packet, size_t n);

/* --- links, addresses, routes: netlink.c, route.c -------------------------------------------------------------- */
struct net_nl; /* a netlink socket; control thread */
ADIT_MUST_USE enum adit_rc net_nl_new(struct net_nl **out, struct adit_why *why);
void net_nl_free(struct net_nl *nl);
/* Brings a link up with this MTU. 0 or -errno, as all below. */
int net_link_set(struct net_nl *nl, int ifindex, uint32_t mtu);
/* 0 = there is no such link. */
uint32_t net_link_mtu(int ifindex);
/* Is it up, with a carrier, and no loopback? */
bool net_link_usable(int ifindex);
/* Calls `each` for every address of this host; stops when it answers true; returns whether it did. */
bool net_addr_each(struct net_nl *nl, bool (*each)(void *arg, const struct adit_addr *a, int ifindex),
                   void *arg);
/* One address, without a network around it (/32, /128); 0 or -errno. */
int net_addr_add(struct net_nl *nl, int ifindex, const struct adit_addr *a);
int net_addr_del(struct net_nl *nl, int ifindex, const struct adit_addr *a);

/* Readable when addresses, links or routes change; net_watch_changed() empties it: false = nothing but our own routes, and
 * what concerns the link `but` (0 = none). */
struct net_watch;
ADIT_MUST_USE enum adit_rc net_watch_new(struct net_watch **out, struct adit_why *why);
void net_watch_free(struct net_watch *w);
int net_watch_fd(const struct net_watch *w);
bool net_watch_changed(struct net_watch *w, int but);

struct net_route {
    struct adit_addr dst;
    uint8_t prefix;
    struct adit_addr gateway, src; /* may be unset */
    int oif;
    uint32_t table; /* 0 = main */
    uint32_t mtu;   /* only from net_route_get(): lasting route MTU, or the device's */
};
/* The route to dst for a packet with this mark. */
int net_route_get(struct net_nl *nl, const struct adit_addr *dst, uint32_t mark, struct net_route *out);
/* -EEXIST: there is one to this destination with our metric, whoever made it. */
int net_route_add(struct net_nl *nl, const struct net_route *r);
int net_route_del(struct net_nl *nl, const struct net_route *r);
/* Rule "packets without this mark look into `table`". */
int net_rule_add(struct net_nl *nl, uint8_t family, uint32_t mark, uint32_t table, uint32_t priority);
int net_rule_del(struct net_nl *nl, uint8_t family, uint32_t mark, uint32_t table, uint32_t priority);

/* --- the kernel's IPsec: xfrm.c ----------------------------------------------------------------------------------- */
/* Carries messages (linux/xfrm.h) to it and back, and knows nothing of what they say. Control thread. */
struct net_xfrm;
ADIT_MUST_USE enum adit_rc net_xfrm_new(struct net_xfrm **out, struct adit_why *why);
void net_xfrm_free(struct net_xfrm *x);
/* One request, aligned to 4; its sequence number is filled in. 0 or -errno, then *words (may be NULL) has what the kernel
 * says about it, if anything. Without NLM_F_ACK in it: waits for an answer, copied to answer[cap]; returns its length. Wipes what
 * it has read by. */
struct net_words {
    char text[128];
};
int net_xfrm_call(struct net_xfrm *x, uint8_t *msg, size_t n, uint8_t *answer, size_t cap, struct net_words *words);
/* Readable when the kernel has events: acquire, expire, mapping. */
int net_xfrm_fd(const struct net_xfrm *x);
/* The next ones, several messages perhaps: octets, 0 = none are waiting, -errno (-ENOBUFS: some are lost). */
int net_xfrm_next(struct net_xfrm *x, uint8_t *out, size_t cap);
/* Policies of the kernel don't touch this socket's packets. 0 or -errno. */
int net_xfrm_bypass(int fd, uint8_t family);
/* ESP in datagrams that reach this socket is the kernel's. 0 or -errno. */
int net_udp_encap(int fd);

/* --- rights: caps.c --------------------------------------------------------------------------------------------- */
/* What a data plane in user space lacks on this machine, in words; ADIT_OK if nothing. raw: also raw sockets. */
ADIT_MUST_USE enum adit_rc net_caps_check(bool raw, struct adit_why *why);

/* --- socket addresses ------------------------------------------------------------------------------------------ */
struct sockaddr_storage;
/* Returns the length; 0 = family unset. */
unsigned net_sockaddr_put(struct sockaddr_storage *out, const struct adit_endpoint *e);
bool net_sockaddr_get(const struct sockaddr_storage *in, struct adit_endpoint *out);

#endif
