/* simnet.h - hosts joined by links in virtual time: delay, jitter, loss, duplicates, reordering, a largest datagram,
 * an address translator in front of a host, a cut cable. All chance comes from the run's generator. */
#ifndef TESTS_SIMNET_H
#define TESTS_SIMNET_H

#include "model/model.h"
#include "support/prng.h"

#define SIM_HOSTS 4

enum sim_kind { SIM_IKE, SIM_DATA /* an ESP packet: SPI and a digest of its key */, SIM_KEEPALIVE };
enum sim_fate { SIM_ARRIVES, SIM_LOST, SIM_TOO_BIG, SIM_CUT, SIM_NO_ROUTE, SIM_TWICE, SIM_LATE };

/* How a sender's datagrams fare. { 0 } is a perfect wire without delay. */
struct sim_link {
    unsigned delay_ms, jitter_ms;
    double loss, dup, reorder;
    double garble; /* each protected message is preceded by a falsified copy, which must change nothing */
    uint64_t drop_mask; /* bit i: the i-th IKE datagram since this was set is lost */
    unsigned mtu;       /* IKE datagrams above are lost (28 octets of IPv4 and UDP included); 0 = none */
};

struct simnat_map {
    struct adit_endpoint inner;
    uint16_t outer;
};
/* A translator with its own public address; each inner endpoint gets an outer port. */
struct simnat {
    bool on;
    struct adit_addr address;
    uint16_t next_port, n;
    struct simnat_map map[16];
};

#define SIM_ADDRESSES 4
/* An address of a host: there, or taken away; a dead path takes packets, and loses them. */
struct simnet_addr {
    struct adit_addr addr;
    bool gone, dead;
};

struct simnet_port {
    struct adit_addr addr;
    struct simnet_addr extra[SIM_ADDRESSES]; /* beside addr, and addr itself once something has become of it */
    unsigned n_extra;
    bool cut;
    uint32_t sent; /* IKE datagrams */
    struct sim_link link;
    unsigned counter; /* which of the counters drop_mask runs on */
    struct simnat nat;
};

struct sim_datagram {
    uint64_t at, seq;
    enum sim_kind kind;
    int src, dst;
    uint32_t nth;          /* of the IKE datagrams of its sender */
    struct adit_path path; /* as the receiver sees it */
    struct adit_buf data;
};

struct simnet {
    struct prng *prng;
    unsigned n_hosts;
    struct simnet_port host[SIM_HOSTS];
    unsigned counters[SIM_HOSTS + 1];
    struct sim_datagram *flying;
    size_t n_flying, cap_flying;
    uint64_t seq;
    bool no_udp; /* a firewall lets TCP through only */
    bool hold; /* IKE datagrams wait until somebody takes them by hand: simnet_pick() */
};

void simnet_init(struct simnet *net, struct prng *prng);
void simnet_fini(struct simnet *net);
/* Sends from host src; returns what becomes of it. */
enum sim_fate simnet_send(struct simnet *net, int src, enum sim_kind kind, const struct adit_path *path,
                          struct adit_span data, uint64_t now);
/* One that arrives then, whatever becomes of others. */
void simnet_carry(struct simnet *net, const struct sim_datagram *d, struct adit_span data, uint64_t at);
/* Which host that path leads to, and how it looks there; -1: nowhere. */
int simnet_reach(struct simnet *net, int src, const struct adit_path *path, struct adit_path *seen);
struct adit_addr simnet_address(const struct simnet *net, int host); /* the first that it has */
/* When the next datagram arrives; UINT64_MAX = none. */
uint64_t simnet_next(const struct simnet *net);
/* Takes the next one that has arrived by now; the caller frees out->data. */
bool simnet_take(struct simnet *net, uint64_t now, struct sim_datagram *out);
/* Datagrams that wait, and the nth oldest of them; keep: a copy of it waits on. The caller frees out->data. */
unsigned simnet_held(const struct simnet *net);
const struct sim_datagram *simnet_peek(const struct simnet *net, unsigned nth);
void simnet_pick(struct simnet *net, unsigned nth, bool keep, struct sim_datagram *out);
/* Those that wait arrive now, in the order in which they were sent, and no more are held. */
void simnet_release(struct simnet *net, uint64_t now);
/* The host's record of that address, made on first use. */
struct simnet_addr *simnet_addr(struct simnet *net, int host, const char *address);
void simnet_set_link(struct simnet *net, int host /* -1: all */, const struct sim_link *link);
/* Puts a translator in front of host. */
void simnet_nat(struct simnet *net, int host, const char *address);
/* The translator forgets its table: outer ports change. */
void simnet_nat_rebind(struct simnet *net, int host);

#endif
