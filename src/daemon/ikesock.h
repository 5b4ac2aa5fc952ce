/* ikesock.h - the IKE sockets: port 500 for both families; without a data plane also the NAT traversal port, whose
 * datagrams carry the non-ESP marker (RFC 3948 s2.2). */
#ifndef DAEMON_IKESOCK_H
#define DAEMON_IKESOCK_H

#include <uv.h>
#include "adit/model.h"

struct ikesock;
/* One datagram for the engine, marker removed. */
typedef void ikesock_input_fn(void *arg, const struct adit_path *path, struct adit_span datagram);

struct ikesock_settings {
    uint16_t port;       /* 0 = none */
    uint16_t port_nat_t; /* 0 = the data plane has it */
    uint32_t mark;       /* SO_MARK, 0 = none */
    bool bypass;         /* the kernel's IPsec policies don't touch them */
    ikesock_input_fn *input;
    void *arg;
};
/* At least one family has to work; the other's absence is no error. */
ADIT_MUST_USE enum adit_rc ikesock_new(uv_loop_t *loop, const struct ikesock_settings *s,
                                       struct ikesock **out, struct adit_why *why);
/* Sends from path->local (its port chooses the socket) with marker where it belongs; a single 0xff octet is a NAT
 * keepalive and goes without. 0 or -errno. */
int ikesock_send(struct ikesock *s, const struct adit_path *path, const struct adit_span *datagrams,
                 size_t n);
/* The loop must run once more before ikesock_free(). */
void ikesock_stop(struct ikesock *s);
void ikesock_free(struct ikesock *s);

#endif
