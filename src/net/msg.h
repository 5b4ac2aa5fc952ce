/* msg.h - what UDP and raw sockets share: receive buffers, ancillary data both ways, socket options. Private. */
#ifndef NET_MSG_H
#define NET_MSG_H

#include <sys/socket.h>
#include "net/net.h"

#define NET_BUF (NET_HEADROOM + 65536)
#define NET_CTRL 192
#define NET_BATCH 64

struct net_rx {
    unsigned n;
    uint8_t *mem;
    struct mmsghdr msg[NET_BATCH];
    struct iovec iov[NET_BATCH];
    struct sockaddr_storage from[NET_BATCH];
    _Alignas(struct cmsghdr) uint8_t ctrl[NET_BATCH][NET_CTRL];
    struct net_datagram at[NET_BATCH];
};

/* recvmmsg() and the ancillary data of each; local_port goes into the paths. */
int net_msg_recv(int fd, uint16_t local_port, struct net_rx *rx);

/* Sends n messages, one an iov, that are otherwise like `like`. Returns how many were taken; the first error goes to
 * *error unless that holds one, the refused message is passed over. */
size_t net_msg_send(int fd, const struct msghdr *like, struct iovec *iov, size_t n, int *error);
/* May this error belong to an earlier packet (an ICMP error that waited), so that sending again may work? */
bool net_was_pending(int error);

/* Ancillary data of a message to be sent. */
struct net_ctrl {
    _Alignas(struct cmsghdr) uint8_t mem[NET_CTRL];
    size_t n;
};
/* Source address (unset: none), TOS, and with segment != 0 UDP_SEGMENT. */
void net_ctrl_put(struct net_ctrl *c, uint8_t family, const struct adit_addr *src, uint8_t tos,
                  uint16_t segment);

/* setsockopt() of an int; 0 or -errno. */
int net_opt(int fd, int level, int name, int value);
/* What every socket gets: mark, buffers, packet info, TOS, error queue, no fragmentation by the kernel. -errno. */
int net_opts_set(int fd, uint8_t family, const struct net_opts *opts);
int net_opt_df(int fd, uint8_t family, bool df);

#endif
