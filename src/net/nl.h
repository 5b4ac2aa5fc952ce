/* nl.h - one request, one answer over netlink: shared by netlink.c and route.c. Private. */
#ifndef NET_NL_H
#define NET_NL_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include "net/net.h"

/* Marks our routes in `ip route` ("proto 196"), so that a human sees whose they are. */
#define NET_RTPROT_ADIT 196
#define NL_BUF 16384 /* the kernel's answers to dumps are at most this long */

struct nlmsghdr *nl_begin(uint8_t *mem, uint16_t type, uint16_t flags);
/* Sends, then hands each answer to cb (may be NULL). 0 or -errno. */
int nl_talk(struct net_nl *nl, struct nlmsghdr *h, mnl_cb_t cb, void *arg);
struct adit_addr nl_addr(const struct nlattr *attr); /* family 0: neither 4 nor 16 octets */

#endif
