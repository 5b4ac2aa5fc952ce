/* tables.h - which SA, or which policy, an outbound packet belongs to: an immutable snapshot behind one atomic pointer.
 * The control thread builds and publishes; workers only read. What was replaced is freed when every worker has passed
 * a quiescent point. */
#ifndef DP_TABLES_H
#define DP_TABLES_H

#include <stdatomic.h>
#include "adit/model.h"
#include "dp/dp.h"
#include "dp/pmtu.h"
#include "wire/ip.h"

struct esp_sa;

/* Local and remote selectors in one block. */
struct dp_selectors {
    uint16_t n_local, n_remote;
    struct adit_ts ts[]; /* local ones, then remote ones */
};
/* NULL: memory. Freed with mem_del(). */
struct dp_selectors *selectors_new(const struct adit_ts *local, uint16_t n_local,
                                   const struct adit_ts *remote, uint16_t n_remote);
bool selectors_match(const struct dp_selectors *s, const struct ip_packet *ip);
/* How wide: 0 = one flow; more = more hosts, ports, protocols. */
uint32_t selectors_width(const struct dp_selectors *s);

/* A Child SA as all threads see it. `esp` and what follows it belong to the owner, worker spi_in % workers. */
struct dp_sa {
    uint32_t id, reqid, replaces, spi_in, spi_out;
    unsigned owner;
    unsigned resource; /* 0: for all; n: only worker n - 1 sends on it */
    bool shares;       /* for all, and others may have SAs of their own */
    bool transport, cut_outside;
    bool paced; /* sends by itself */
    bool padded;
    bool stream;
    _Atomic bool succeeded; /* its successor carries the traffic */
    uint64_t order; /* of birth: newer ones are higher */
    bool leaving;   /* the peer is about to close it: control's, tables know it by their order */
    uint64_t inactivity_ns, born_at;
    struct dp_selectors *sel;
    _Atomic bool active; /* carries outbound traffic */
    _Atomic uint16_t inner_mtu;
    /* control's */
    struct adit_path path;
    bool udp_encap;
    uint32_t link_inner; /* largest inner packet for the link's MTU */
    /* owner's */
    struct esp_sa *esp;
    struct pmtu pmtu;
    uint64_t gone_at; /* inbound half ends; UINT64_MAX = alive */
    unsigned events;  /* bits of esp_event still to be told */
    bool told_inactive, dead_out;
    bool touched; /* in this batch */
    /* published by the owner, read by anyone: odd = being written */
    _Atomic uint32_t stats_seq;
    struct adit_child_stats stats;
};
void sa_stats_put(struct dp_sa *sa, const struct adit_child_stats *s);
void sa_stats_get(const struct dp_sa *sa, struct adit_child_stats *out);

/* A policy without regard to its SAs. */
struct dp_trap {
    uint32_t reqid, priority;
    enum adit_mode mode;
    bool trap;
    struct dp_selectors *sel;
    _Atomic uint64_t acquire_at; /* when ACQUIRE was raised last */
};

struct dp_entry {
    uint64_t rank; /* ascending: priority, then width, then SAs before policies */
    uint64_t order;
    const struct dp_selectors *sel;
    struct dp_sa *sa; /* or */
    struct dp_trap *trap;
};
struct dp_tables {
    size_t n;
    struct dp_entry e[]; /* the first match counts; SAs that aren't active are passed over */
};

struct dp_match {
    struct dp_sa *sa;
    struct dp_trap *trap;
};
/* Both NULL: nothing matches. */
struct dp_match tables_lookup(const struct dp_tables *t, const struct ip_packet *ip, unsigned worker);
/* A new snapshot of these; NULL: memory. priority of an SA = that of the trap with its reqid. */
struct dp_tables *tables_new(struct dp_sa *const *sas, size_t n_sas, struct dp_trap *const *traps,
                             size_t n_traps);

/* --- when may what was replaced be freed? -------------------------------------------------------------------- */
struct epoch_slot {
    _Alignas(64) _Atomic uint64_t seen;
};
struct epoch {
    _Alignas(64) _Atomic uint64_t now;
    unsigned n;
    struct epoch_slot *slots;
    struct retired *retired; /* control's */
};
ADIT_MUST_USE enum adit_rc epoch_init(struct epoch *e, unsigned workers);
void epoch_fini(struct epoch *e); /* all workers have ended: frees everything */
/* Worker i holds no pointer from before this call. */
void epoch_pass(struct epoch *e, unsigned i);
/* Worker i holds no pointer until it passes again. */
void epoch_idle(struct epoch *e, unsigned i);
/* Control: `p`, no longer reachable, is freed by `del` after all workers passed. Without memory for the note it leaks
 * rather than dangles. */
void epoch_retire(struct epoch *e, void *p, void (*del)(void *));
void epoch_collect(struct epoch *e);

#endif
