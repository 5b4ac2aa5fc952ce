/* worker.h - one packet thread and what it owns: a TUN queue, a NAT-T socket a family, raw sockets, its share of the
 * SAs. Private to this room; ingress.c and egress.c are its two halves, dp.c its master.
 * Nothing here is locked: what two threads share are rings, atomics, and commands for which the master waits. */
#ifndef DP_WORKER_H
#define DP_WORKER_H

#include <pthread.h>
#include <semaphore.h>
#include "base/map.h"
#include "dp/flow.h"
#include "dp/hold.h"
#include "dp/rings.h"
#include "dp/tables.h"
#include "esp/esp.h"
#include "net/net.h"

#define EGRESS_MAX 1024         /* packets sealed in one go */
#define EGRESS_ARENA (1u << 20) /* octets of packets read in one go */
#define INGRESS_RECV 8          /* trains received in one go */
#define INGRESS_MAX (INGRESS_RECV * 64)
#define COALESCE_RUNS 8 /* inner flows merged at a time */
#define PACED_MAX 64 /* packets that SAs send by themselves in one go */
#define TOUCHED_MAX 64
#define NOTE_SPARE_ESP (4 * 65536) /* ... and that ESP for TCP connections leaves to IKE */
#define NOTE_SPARE 65536 /* octets of the ring to control that IKE datagrams leave to other notes */

/* --- notes: worker -> control, one record each --------------------------------------------------------------- */
enum note_type { NOTE_EVENT, NOTE_ERROR, NOTE_GONE };
struct note {
    enum note_type type;
    struct dp_event event;  /* EVENT; data follows the note */
    struct net_error error; /* ERROR */
    struct dp_sa *sa;       /* GONE: nobody of this worker uses it any more */
    uint32_t data_n;
};

/* --- commands: control -> worker, one at a time, control waits ------------------------------------------------ */
enum cmd_type { CMD_ADD, CMD_DEL, CMD_ACTIVATE, CMD_PATH, CMD_PTB, CMD_LINK, CMD_SUCCEED, CMD_TUN };
struct cmd {
    enum cmd_type type;
    struct dp_sa *sa;
    const struct adit_path *path; /* PATH */
    bool udp_encap;
    uint64_t grace_ns; /* DEL */
    uint32_t mtu;      /* ADD, PATH, LINK: the link's; PTB: as told */
    bool check_seq;    /* PTB: only if seq was sent lately */
    uint32_t seq;
    int tun;           /* TUN: the queue to use from now on; the old one is control's to close */
    bool uso, lost;    /* TUN: of the new one; it is no more, and not to be watched */
    bool done_ok;                  /* out: PTB taken */
    enum adit_rc rc;               /* out: ADD, TUN */
    struct adit_child_stats stats; /* out: DEL */
};

struct egress {
    uint8_t *arena; /* packets as read from the TUN */
    size_t at;
    uint8_t *slots; /* one a packet: pieces and fragments */
    size_t slot_size;
    size_t n;
    struct esp_pkt pkt[EGRESS_MAX];
    struct dp_sa *sa[EGRESS_MAX]; /* NULL: not to be sent after all */
    struct esp_pkt *group[EGRESS_MAX];
    struct iovec iov[EGRESS_MAX];
    uint8_t *paced; /* slots of what SAs send by themselves; made with the first such SA */
    struct esp_pkt paced_pkt[PACED_MAX];
};
/* SAs that send by themselves, and the timer that says when. */
struct pace {
    int timer;
    struct dp_sa **sas;
    size_t n, cap;
    uint64_t at, armed_at; /* UINT64_MAX: never */
};
struct run { /* inner packets that become one write to the TUN */
    struct esp_pkt head;
    struct esp_gso gso;
    bool used, copied;
    uint64_t hash;
    uint8_t *buf;
};
struct ingress {
    struct net_rx *rx;
    size_t n;
    struct esp_pkt pkt[INGRESS_MAX];
    struct esp_pkt *list[INGRESS_MAX];
    struct adit_path from[INGRESS_MAX]; /* of records handed over */
    uint8_t *slots;                     /* transport mode: room in front, see piece_add() */
    size_t slot_n;
    struct run run[COALESCE_RUNS];
};

struct worker {
    struct dp_user *dp;
    unsigned i;
    pthread_t thread;
    bool started;
    int epoll, wake;
    int tun;
    bool uso;
    bool tun_watched;
    struct net_udp udp[2]; /* v4, v6 */
    struct net_raw raw[2];
    int sender[2]; /* control's sockets, if we look after their error queues; borrowed */
    struct esp_table *table;
    struct map by_spi; /* spi_in -> struct dp_sa */
    struct dp_sa **own;
    size_t n_own, cap_own;
    struct flow_cache *flows;
    struct hold *hold;
    struct pace pace;
    struct egress out;
    struct ingress in;
    struct dp_sa *touched[TOUCHED_MAX];
    size_t n_touched;
    uint64_t now, next_tick, seen_generation;
    double icmp_tokens;
    uint64_t icmp_at, errors_at, own_at;
    unsigned errors_n;
    uint16_t ready;  /* READY_* of the last wait */
    uint64_t handed; /* bit i: worker i (mod 64) has something from us */
    struct ring notes;
    _Alignas(64) struct dp_counters count;
    _Alignas(64) _Atomic(struct cmd *) cmd;
    sem_t cmd_done;
    _Atomic bool sleeping, stop;
};
#define COUNT_ADD(w, field, n) __atomic_store_n(&(w)->count.field, (w)->count.field + (n), __ATOMIC_RELAXED)
#define COUNT(w, field) COUNT_ADD(w, field, 1)

/* --- shared by all workers ------------------------------------------------------------------------------------ */
struct dp_shared {
    unsigned n;
    struct worker *workers;
    struct ring *rings; /* [from * n + to]; from n: the control thread */
    _Atomic(struct dp_tables *) tables;
    _Atomic uint64_t generation; /* of decisions: moves with the tables and with every (de)activation */
    struct epoch epoch;
    bool clamp;
    int event_fd;
    _Atomic bool event_raised;
};
struct dp_shared *dp_shared_of(struct dp_user *dp);

/* --- worker.c ---- */
struct worker_cfg {
    unsigned i;
    int tun;
    bool uso, raw_esp, bypass;
    uint16_t slot_mtu; /* largest packet of the TUN */
    uint16_t port;
    uint32_t mark;
    uint64_t seed;
};
ADIT_MUST_USE enum adit_rc worker_init(struct worker *w, struct dp_user *dp, const struct worker_cfg *cfg,
                                       struct adit_why *why);
/* Before its start: errors about packets of the port may also reach control's socket (f: 0 = v4, 1 = v6). */
ADIT_MUST_USE enum adit_rc worker_watch_sender(struct worker *w, unsigned f, int fd, struct adit_why *why);
ADIT_MUST_USE enum adit_rc worker_start(struct worker *w, struct adit_why *why);
void worker_stop(struct worker *w); /* and waits for its end */
void worker_fini(struct worker *w); /* frees its SAs too */
/* Wakes it if it sleeps. From any thread. */
void worker_kick(struct worker *w);
/* Control: runs a command in the worker's thread and waits. */
void worker_command(struct worker *w, struct cmd *c);
/* All decisions are looked up anew; sleeping workers look at what they hold. */
void workers_changed(struct dp_shared *s);
/* Worker: remember that the SA's counters and events are to be looked at after this batch. */
void worker_touch(struct worker *w, struct dp_sa *sa);
/* Worker: tells control; false: no room (spare = octets that must stay free). */
bool worker_note(struct worker *w, const struct note *n, struct adit_span data, size_t spare);
/* Worker: may one more error about our packets go to control in this second? Anybody can provoke them. */
bool worker_may_pass_error(struct worker *w);
struct ring *worker_ring(struct worker *w, unsigned to);
uint64_t worker_clock(void);

/* --- egress.c ---- */
ADIT_MUST_USE enum adit_rc egress_init(struct egress *e, uint16_t slot_mtu);
void egress_fini(struct egress *e);
/* Reads the TUN queue until it is empty or the batch is full. Returns how many packets. */
unsigned egress_read(struct worker *w);
/* One packet with ESP_HEADROOM octets before it and ESP_TAILROOM behind; hops: times it was handed over. True: its
 * memory is in use until egress_flush(). */
bool egress_packet(struct worker *w, struct esp_gso *gso, uint8_t *packet, uint32_t n, unsigned hops);
void egress_flush(struct worker *w);
void egress_release_held(struct worker *w);
/* Sends what the SA has to send by itself now. */
void egress_paced(struct worker *w, struct dp_sa *sa);

/* --- pace.c: what leaves at fixed times ---- */
ADIT_MUST_USE enum adit_rc pace_open(struct pace *p);
void pace_close(struct pace *p);
/* Is looked after from now on, if it sends anything by itself. */
ADIT_MUST_USE enum adit_rc pace_add(struct worker *w, struct dp_sa *sa);
void pace_del(struct worker *w, const struct dp_sa *sa);
/* The SA may have something to send before all others. */
void pace_hint(struct worker *w, const struct dp_sa *sa);
/* Sends what is due, if anything is. */
void pace_run(struct worker *w);
/* Before it waits: sets the timer. */
void pace_arm(struct worker *w);

/* --- ingress.c ---- */
ADIT_MUST_USE enum adit_rc ingress_init(struct ingress *in);
void ingress_fini(struct ingress *in);
void ingress_udp(struct worker *w, struct net_udp *u);
void ingress_raw(struct worker *w, struct net_raw *r);
/* A datagram handed over by another worker; it must stay until ingress_flush(). */
void ingress_esp(struct worker *w, uint8_t *data, uint32_t n, uint8_t tos, const struct adit_path *from);
void ingress_flush(struct worker *w);
/* What a stream has waited for is given up if it is time: what came behind it goes on. */
void ingress_expire(struct worker *w, struct dp_sa *sa);

/* --- handover.c: records between workers ---- */
/* False: no room. */
bool handover_out(struct worker *w, unsigned to, const struct esp_gso *gso, struct adit_span packet,
                  unsigned hops);
bool handover_in(struct worker *w, unsigned to, struct adit_span datagram, uint8_t tos,
                 const struct adit_path *from);
/* By the control thread, into the ring of worker `to`. */
bool handover_esp(struct dp_shared *s, unsigned to, struct adit_span packet, const struct adit_path *from);
/* Is there room for anything the TUN may give? */
bool handover_ready(struct worker *w);
/* Takes what others handed to us. Returns how many records. */
unsigned handover_take(struct worker *w);
/* Wakes those whom we handed something. */
void handover_kick(struct worker *w);

#endif
