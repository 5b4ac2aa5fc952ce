/* dp.h - the data plane as the control thread sees it. Back ends (backend.h) carry the Child SAs; user.c is our own ESP.
 * All calls come from the control thread. Workers talk back through events: poll dp_event_fd(). */
#ifndef DP_DP_H
#define DP_DP_H

#include "adit/model.h"
#include "crypto/crypto.h"

struct dp;

/* May the kernel's ESP carry Child SAs? */
enum dp_kernel {
    DP_KERNEL_NO,
    DP_KERNEL_AUTO, /* those that need nothing that only our own ESP has, if it has ESP */
    DP_KERNEL_ONLY, /* all; what it can't carry fails */
};
struct dp_settings {
    enum dp_kernel kernel;
    const struct adit_crypto *crypto;
    const char *tun_name; /* "adit%d"; NULL = default */
    uint16_t port_nat_t;  /* 4500: ESP-in-UDP and IKE behind the non-ESP marker */
    unsigned workers;     /* 0 = one a core */
    bool install_routes;  /* routes to remote selectors into the TUN */
    bool no_mss_clamp;
    uint16_t mtu;         /* of the TUN; 0 = derive */
    bool raw_esp;         /* open protocol-50 sockets (needs CAP_NET_RAW) */
    uint16_t fwmark;      /* SO_MARK of our own packets, 0 = none: keeps them out of the tunnel */
    uint32_t route_table; /* 0 = main */
    int steer;            /* from net_steer_load(): flows keep their worker; <= 0: as the kernel does it. Stays the caller's */
    int (*esp_keylog)(void *arg, const struct adit_child_spec *spec); /* unused by workers; may be NULL */
    void *keylog_arg;
};

enum dp_event_type {
    DP_EV_ACQUIRE,  /* a trap policy was hit: reqid, ts of the packet */
    DP_EV_SOFT,     /* id: rekey */
    DP_EV_HARD,     /* id: gone */
    DP_EV_FIRST_IN, /* id: first authentic packet; a standby outbound half was activated */
    DP_EV_PATH,     /* id: peer seen at another endpoint (RFC 7296 s2.23 dynamic update) */
    DP_EV_INACTIVE, /* id: idle for its inactivity time */
    DP_EV_OWN,      /* id: a worker (resource - 1) sends on this one, which is for all, for want of its own */
    DP_EV_TUN,      /* the TUN device was deleted: dp_tun_renew() */
    DP_EV_ESP,      /* data: a packet for the TCP connection `path` (RFC 9329) */
    DP_EV_IKE,      /* an IKE datagram arrived on the NAT-T port: data without marker, path, tos */
};
struct dp_event {
    enum dp_event_type type;
    uint32_t id, reqid;
    unsigned resource; /* OWN */
    struct adit_path path;
    struct adit_ts local, remote; /* ACQUIRE */
    struct adit_span data;        /* IKE, ESP: valid until the next dp_poll() */
    uint64_t at;                  /* ns, CLOCK_MONOTONIC */
};

struct dp_counters { /* monotonic since start */
    uint64_t packets_in, packets_out, bytes_in, bytes_out;
    uint64_t drops[16]; /* by enum esp_verdict */
    uint64_t no_policy, bypassed, ptb_sent, ptb_taken, ptb_refused, mss_clamped, acquires, rx_errors,
        tx_errors, tun_renewed;
};

/* What to do with inner traffic that has no SA.
 * Limits of a TUN: PASS can't hand a packet back to the kernel's routing, so what reached the TUN is dropped and counted
 * (`bypassed`); let routes lead such traffic elsewhere: none are installed for PASS. And packets that arrive in the clear
 * though a policy protects them (RFC 4301 s5.2, last rule) never pass here: the kernel routes them; keep them out with
 * its packet filter. */
struct dp_policy {
    uint32_t reqid;
    enum adit_mode mode; /* TUNNEL, PASS, DROP */
    bool trap;           /* TUNNEL: raise ACQUIRE */
    uint32_t priority;   /* lower first; 0 = by selector size */
    uint16_t n_local_ts, n_remote_ts;
    const struct adit_ts *local_ts, *remote_ts;
};

/* Opens TUN and sockets and starts the workers; settings are copied. ADIT_ERR_IO, ADIT_ERR_MEMORY with *why. */
ADIT_MUST_USE enum adit_rc dp_new(const struct dp_settings *s, struct dp **out, struct adit_why *why);
unsigned dp_workers(unsigned configured); /* how many there will be; 0 = one a core */
void dp_free(struct dp *dp);          /* stops workers, removes TUN and routes */
int dp_event_fd(const struct dp *dp); /* readable: dp_poll has something */
bool dp_poll(struct dp *dp, struct dp_event *out);
/* Who may carry Child SAs: "user", "auto", "kernel"; and why the kernel does not though it may ("": it does; else in words). */
const char *dp_name(const struct dp *dp);
const char *dp_kernel_missing(const struct dp *dp);
/* Who carries this one: "user" or "kernel", NULL if it is unknown; *why: why not the kernel, though it may, or "". */
const char *dp_child_on(const struct dp *dp, uint32_t id, const char **why);
const char *dp_tun(const struct dp *dp);
/* After DP_EV_TUN: the device anew, under its name, with its MTU; workers read and write the new one. The addresses on it
 * are the caller's to put back, then dp_routes_renew(). Child SAs and policies are untouched. ADIT_OK too if it is there;
 * ADIT_ERR_IO, ADIT_ERR_MEMORY with *why: nothing has changed, to be tried again later. */
ADIT_MUST_USE enum adit_rc dp_tun_renew(struct dp *dp, struct adit_why *why);
/* The routes that went with the device, or with the last address on it. ADIT_ERR_IO with *why: some are missing; the others are there. */
ADIT_MUST_USE enum adit_rc dp_routes_renew(struct dp *dp, struct adit_why *why);

/* Publishes the inbound half before it returns; outbound by spec->outbound; when spec->replaces is set, traffic switches
 * from that one as soon as this one is active and the old inbound half stays until dp_child_del(). */
ADIT_MUST_USE enum adit_rc dp_child_add(struct dp *dp, const struct adit_child_spec *spec,
                                        struct adit_why *why);
void dp_child_activate(struct dp *dp, uint32_t id);
/* Traffic moves to any other active one of the same policy, however old. */
void dp_child_leave(struct dp *dp, uint32_t id);
void dp_child_path(struct dp *dp, uint32_t id, const struct adit_path *path, bool udp_encap);
/* Stops sending at once; inbound is kept for `grace_ns` more (packets under way), then wiped. Final counts in *last. */
void dp_child_del(struct dp *dp, uint32_t id, uint64_t grace_ns, struct adit_child_stats *last);
bool dp_child_stats(struct dp *dp, uint32_t id, struct adit_child_stats *out);
ADIT_MUST_USE enum adit_rc dp_policy_add(struct dp *dp, const struct dp_policy *p, struct adit_why *why);
void dp_policy_del(struct dp *dp, uint32_t reqid);
void dp_counters(struct dp *dp, struct dp_counters *out);
/* An ESP packet that came by a TCP connection. False: dropped, its worker is behind. */
bool dp_esp_in(struct dp *dp, const struct adit_path *path, struct adit_span packet);
/* Sends an IKE datagram (marker is added) or a NAT keepalive from the NAT-T port. data.n == 1 && 0xff: keepalive. */
ADIT_MUST_USE enum adit_rc dp_send_nat_t(struct dp *dp, const struct adit_path *path, struct adit_span data);

#endif
