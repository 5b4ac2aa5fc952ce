/* sa.h - the engine's own structures. Private to src/ike (not for ext/). */
#ifndef IKE_SA_H
#define IKE_SA_H

#include "base/map.h"
#include "base/mem.h"
#include "base/timerheap.h"
#include "ike/quirks.h"
#include "ike/cookie.h"
#include "ike/ext.h"
#include "ike/leases.h"
#include "ike/limits.h"
#include "ike/narrow.h"
#include "ike/negotiate.h"
#include "ike/policy.h"

struct ike_event;
struct conn_state;
struct ike_spare;

struct ike_bucket { /* how often something may still happen in this second */
    uint64_t filled_at;
    unsigned tokens;
};

/* Random octets drawn in advance; the last `left` of them are unused. */
struct random_store {
    uint8_t octets[512];
    size_t left;
};

/* Memory that SAs hold of unfinished messages: unproven.c. */
struct unproven {
    const char *what, *setting; /* setting: what max is by; NULL: nobody's choice */
    size_t octets, max;
    uint64_t told_at; /* that it is full; 0 = never */
    struct list holders; /* SAs by ike_sa.held, who got something last at the end */
    struct map by_ip;    /* hash of an address -> its share */
};

struct ike {
    struct adit_host host;
    struct random_store random;
    uint64_t now;
    struct policy *policy; /* the newest; never NULL */
    struct list sas;       /* by birth */
    struct list ended;     /* those of them that are cut: freed by ike_sweep() */
    struct map by_id;      /* IKE SA id -> SA */
    struct map by_spi;     /* our SPI -> SA */
    struct map by_init;    /* hash of (peer, SPIi) -> half-open responder SA */
    struct map by_child;   /* child id -> child */
    struct map by_peer;    /* hash of a pair of identities -> first ike_sa.of_peer of that hash */
    struct map by_remote;  /* hash of the peer's identity -> first ike_sa.of_remote */
    struct map by_conn;    /* hash of a connection's name -> first ike_sa.of_conn */
    struct map by_reqid;   /* -> first ike_child.of_reqid */
    struct list unknown;   /* SAs by ike_sa.unknown, whose peer has not said yet who it is */
    struct map spi_in;     /* inbound ESP SPIs in use */
    struct timerheap timers;
    struct list events;   /* struct ike_event */
    struct list spare_events;
    unsigned n_spare_events;
    struct list fetches;  /* struct ike_fetch: those that are out */
    unsigned n_fetches;
    uint64_t last_fetch;
    struct list spares;   /* key pairs made ahead: ahead.c */
    bool stock_stopped;
    struct list orphans;  /* exchanges whose SA is gone while a job is out */
    struct ike_event *polled;
    struct list conns; /* struct conn_state: counters, why down */
    struct map by_name; /* hash of a connection's name -> the first conn_state of that hash */
    struct map per_ip; /* half-open by address hash -> count */
    struct cookie_jar cookies;
    struct leases leases;
    struct unproven unproven; /* of half-open SAs */
    struct unproven longer;   /* of all SAs in messages longer than IKE_MESSAGE_MAX */
    unsigned n_sas, half_open;
    uint32_t next_id, next_child_id, next_reqid, next_pending_id;
    uint64_t seed;
    struct ike_bucket errors, stranger_lines;
    uint64_t counters[ADIT_COUNTERS];
    struct adit_addr addresses[IKE_ADDRESSES_MAX]; /* of the host, as it told */
    unsigned n_addresses;
    uint8_t *scratch; /* IKE_MESSAGE_MAX octets: messages are built here */
    void *vault[EXT_COUNT];
    unsigned vault_changes;
    uint8_t *opened;  /* IKE_MESSAGE_MAX octets: a received datagram, opened in place */
};

/* One message ready to send; shared by the exchange, the stored reply and events. */
struct ike_wire {
    unsigned refs;
    uint16_t n, made;
    size_t size, used;
    struct adit_span *datagrams;
    struct ike_flight *flight; /* how far it has come; NULL: one datagram, or never sent */
    uint8_t bytes[];
};
struct ike_wire *wire_ref(struct ike_wire *w);
void wire_unref(struct ike_wire *w);

/* The answer to one request of the peer, kept for when it repeats it. */
struct ike_reply {
    struct ike_wire *wire; /* NULL: none */
    uint32_t msgid;
    uint8_t digest[16]; /* of the request */
};

enum sa_state { SA_CONNECTING, SA_AUTHENTICATING, SA_ESTABLISHED, SA_REKEYED, SA_DELETING, SA_DEAD };

/* Both sides were proven in an earlier IKE SA, and its keys go on in this one. */
struct ike_known {
    struct adit_buf id_local, id_remote; /* whole ID payload bodies */
    const char *local_auth, *remote_auth;
    struct adit_secret sk_d;
    uint64_t spi_i, spi_r; /* of the earlier SA */
    uint64_t proven_until; /* wall clock, s; 0 = no end */
};

/* A place among those of the same key in one of the engine's maps. */
struct ike_ring {
    struct list link;
    uint64_t key; /* 0: it is not there */
};
enum adit_rc ring_add(struct map *m, struct ike_ring *r, uint64_t key); /* key: not 0. ADIT_ERR_MEMORY */
void ring_del(struct map *m, struct ike_ring *r);                       /* may be in none */
/* The one after `after` (NULL: the first); NULL: no more. */
struct ike_ring *ring_next(const struct map *m, uint64_t key, const struct ike_ring *after);

struct ike_sa {
    struct list link, ended, unknown;
    struct ike_ring of_peer, of_remote, of_conn;
    struct list held, held_of_share;
    struct unproven_share *share; /* NULL: it holds nothing that counts */
    size_t held_octets;
    struct ike *ike;
    struct policy *policy;
    const struct policy_conn *conn; /* NULL: responder before IKE_SA_INIT is understood */
    struct timer timer;
    uint32_t id;
    enum sa_state state;
    bool is_initiator, half_open, keyed, nat_local, nat_remote, cut; /* cut: being freed as soon as it is safe */
    uint64_t spi_i, spi_r;
    uint64_t init_key; /* in by_init; 0 = not there */
    struct adit_path path;
    struct adit_path home; /* where it began, if it was sent elsewhere, without ports; remote.addr unset: at path */
    bool placeless;        /* the host was asked for its path */
    bool begun;            /* initiator: its first request is on its way, or waits for a connection */
    bool streamless;       /* ... which the host was asked for: nothing can be said before it is there */
    struct adit_suite suite;
    struct ike_keys keys;
    struct crypt *sealer, *opener; /* made when needed, dropped when idle */
    struct crypt *sealer_before, *own_before; /* the same, to cut that answer anew; own: opens what we have sealed */
    struct crypt *opener_before;   /* of the keys before, while an answer by them may still be asked for piece by piece */
    uint64_t iv;
    struct adit_buf nonce_i, nonce_r, init_req, init_resp; /* raw INIT messages live until authentication */
    struct adit_buf id_local, id_remote;                   /* whole ID payload bodies */
    uint32_t peer_hashes; /* SIGNATURE_HASH_ALGORITHMS */
    struct adit_buf certreq; /* hashes that the peer asked for, until authentication */
    const char *local_auth, *remote_auth;
    struct ike_known *known; /* NULL: IKE_AUTH proves who is who */
    uint8_t opened_by;       /* the exchange */
    uint32_t next_send, next_expect; /* message IDs: of our next request; of the peer's first one that is not answered */
    struct list out, in;  /* struct ike_xchg by birth: requests of ours that are not answered; the peer's, in work */
    struct ike_reply reply;    /* to the last request answered, with a window of 1 */
    struct ike_reply *replies; /* else as many as the window has; NULL: it is 1 */
    bool window_told;          /* ours is on its way to the peer */
    uint8_t window, peer_window; /* requests of the peer's, of ours that may be under way at once */
    struct adit_path reply_path;
    struct list flights; /* struct ike_flight: messages that have not left completely */
    uint64_t round_trip; /* ns, smoothed; 0 = not known yet */
    struct list tasks, children, pendings;
    void *ext[EXT_COUNT];
    uint32_t announced_me, announced_peer; /* bit (1 << ext id) */
    bool peer_private; /* it has sent our Vendor ID */
    struct peer_guess guess; /* who it is, by its first message */
    bool changed; /* its proposals, in the configuration, since it was made */
    uint64_t created_at, established_at, rekey_at, reauth_at, expire_at, heard_at, sent_at, die_at;
    uint64_t retire_at; /* when it goes if another one of the same peer is up; 0 = stays */
    unsigned retiring;  /* times that this was put off for Child SAs to be carried over */
    uint64_t reauth_by; /* until when the peer has to have proven again who it is; rekeying does not move it; 0 = never */
    uint32_t retransmits, temporary_tries, tries_left;
    uint32_t successor;            /* by rekeying: id of who inherits; 0: nobody */
    uint32_t lineage;              /* id of the SA that authentication made: rekeying keeps it */
    uint32_t crosses;              /* id of the SA that our own rekeying, under way, would replace as this one does */
    uint32_t reauth_of;            /* lineage of the SA that this one replaces */
    uint64_t wait_cookie;          /* a command waits for ESTABLISHED (or the end) */
    bool quiet;                    /* its end is no news: replaced or shut down by command */
    uint32_t early_deletes[IKE_WINDOW_MAX]; /* SPIs that the peer deleted before its answer to our request reached us */
    unsigned n_early_deletes;
    char failure[200];             /* last thing that went wrong, for "why down" */
};

struct ike_child {
    struct list link;
    struct ike_ring of_reqid;
    struct ike_sa *sa;
    const struct adit_child_cfg *cfg; /* of sa->policy */
    uint32_t id, reqid;
    enum adit_child_state state;
    enum adit_mode mode;
    struct adit_shape shape;
    bool initiator;
    bool overtime; /* its time is over, but its rekeying was still under way */
    enum adit_rc end; /* as CHILD_DOWN tells it */
    const char *end_why;
    bool standby; /* not to be sent on until the data plane has reason to, or child_activate() */
    struct adit_suite suite;
    uint32_t spi_in, spi_out;
    uint16_t n_local, n_remote;
    struct adit_ts *ts; /* local ones, then remote ones */
    struct adit_addr local_seen, remote_seen; /* transport mode: the hosts as the peer's selectors had them */
    uint64_t installed_at, rekey_at, expire_at;
    bool changed, reselect; /* since it was made, in the configuration: what else was negotiated; its selectors */
    unsigned resource;           /* 0: for all; n: for the host's nth */
    bool shares;                 /* further ones with the same selectors are welcome */
    uint32_t rekeyed_to;         /* id of its successor */
    uint32_t replaces;
    bool ke_open;         /* made in IKE_AUTH: whether rekeying has a key exchange is not negotiated yet */
    uint32_t made_before; /* window_after() when we made it on the peer's request; 0 = on ours */
};

enum task_kind { /* in order of priority */
    TASK_DELETE_IKE, TASK_NOTIFY, TASK_EXCHANGE, TASK_REKEY_IKE, TASK_DELETE_CHILD, TASK_REKEY_CHILD, TASK_NEW_CHILD,
    TASK_LIVENESS, TASK_KINDS
};
struct ike_task {
    struct list link;
    enum task_kind kind;
    const struct ike_step *step;
    uint32_t child_id;
    const struct adit_child_cfg *cfg;
    uint64_t cookie;    /* of the command that wants an answer */
    uint64_t not_before;
    uint32_t tries, reqid;
    struct adit_ts packet_local, packet_remote; /* the packet that wants out, as selectors; family 0: none */
    uint16_t notify, ke_method; /* ke_method: what the peer wanted by INVALID_KE_PAYLOAD */
    bool regular; /* the short form was refused */
    bool follow;  /* by command: what has replaced the Child SA meanwhile goes, too */
    unsigned resource; /* NEW_CHILD: one more like child_id, for the host's nth */
    uint32_t opened_for; /* id of the choosing of who opened it */
    uint32_t crossing_id; /* the peer rekeyed the same SA meanwhile: what it made (Child SA or IKE SA) ... */
    struct adit_buf crossing_nonce; /* ... and the lowest nonce of that exchange, RFC 7296 s2.8.1 */
};

struct part { /* one step's share of an exchange */
    const struct ike_step *step;
    void *scratch;
    bool done;
};
#define XCHG_PARTS_MAX 16
enum xchg_phase { PHASE_BUILD, PHASE_SENT, PHASE_CONSUME, PHASE_OVER };

struct ike_xchg {
    struct list link; /* sa->out, sa->in, or ike->orphans */
    struct ike *ike;
    struct ike_sa *sa;
    struct policy *policy; /* keeps what jobs point to */
    struct arena arena;
    enum xchg_role role;
    enum xchg_phase phase;
    uint8_t exchange;
    bool alone;          /* requester: nothing begins beside it */
    uint8_t window;      /* of the peer, as its message in hand says; 0: it does not */
    bool tells_window;   /* our message says ours */
    bool numbered;       /* requester: msgid is taken, since the request has been made */
    bool rebuild, fatal; /* rebuild: the request goes out again, changed as the response asks for */
    bool stale;          /* the response answers a request before the one that is under way: it says nothing new */
    bool last;           /* no repetition follows: nobody's, or the connection's own */
    bool hurried;        /* unauthenticated answers have changed the request before: now they wait for its repetition */
    uint32_t msgid;
    struct ike_task *task; /* requester: why it was opened */
    unsigned n_parts;
    struct part parts[XCHG_PARTS_MAX];
    struct ike_msg msg;    /* request (responder) or response (requester) */
    struct adit_span peer_id; /* IKE_AUTH: the ID payload's body of the peer */
    struct raw_msg in_raw, out_raw;
    uint8_t digest[16];
    struct adit_path path;
    struct ike_wire *wire;
    unsigned tries;
    unsigned round; /* responses looked at: IKE_SA_INIT may see several before a good one */
    uint64_t sent_at, retransmit_at; /* sent_at: for the first time */
    uint32_t peer_announced;
    bool peer_private;
    struct peer_guess guess;
    unsigned jobs_out;
    struct ike_fetch *fetch; /* the one that is out; NULL: none */
    unsigned n_fetches;      /* in all */
    const char *waiting;
    uint32_t reply_spi;            /* of the error notify: the Child SA that was not found */
    struct adit_span reply_data;   /* of the error notify, e.g. the KE method wanted */
};

enum pending_kind { PENDING_FIRST_CHILD, PENDING_NEW_CHILD, PENDING_REKEY_CHILD, PENDING_REKEY_IKE };
struct ike_pending {
    struct list link;
    bool linked;
    uint32_t id;
    struct ike *ike; /* outlives sa: an exchange may have a job out when its SA ends */
    struct ike_sa *sa;
    struct arena arena;
    enum pending_kind kind;
    bool requester;
    struct adit_suite suite;
    struct adit_buf nonce_i, nonce_r; /* of the exchange: i = its requester */
    struct adit_secret secrets[8];
    unsigned n_secrets;
    const struct ike_rekey_form *form; /* NULL: the regular one */
    const struct proposal_list *offer;
    const struct adit_child_cfg *cfg;
    enum adit_mode mode; /* asked for, then agreed; TUNNEL unless both want TRANSPORT */
    struct adit_shape shape; /* of our packets, as far as the peer bears it */
    struct adit_ts_list *local, *remote;
    struct adit_addr local_seen, remote_seen; /* as in struct ike_child */
    bool others_fit; /* responder: other children of ours would have taken something of the request, too */
    bool peer_made; /* it answered with a choice: it has a Child SA, whatever we think of it */
    uint32_t spi_in, spi_out, reqid, old_child, like; /* like: one more with the same selectors as this one */
    unsigned resource;
    bool shares;
    uint64_t new_spi_i, new_spi_r;
    uint64_t cookie, deadline;
    uint32_t crossing_id;
    struct adit_buf crossing_nonce;
    void *slot;
};

/* --- engine.c, sa.c --- */
struct ike_sa *sa_new(struct ike *ike, bool is_initiator, const struct adit_path *path);
void sa_free(struct ike_sa *sa);
void sa_drop_ext(struct ike_sa *sa); /* what extensions remember of it */
struct ike_sa *sa_by_id(const struct ike *ike, uint32_t id);
uint64_t sa_our_spi(const struct ike_sa *sa);
void sa_index(struct ike_sa *sa);           /* after its SPI is known */
void sa_leave_half_open(struct ike_sa *sa);
void sa_set_state(struct ike_sa *sa, enum sa_state state);
const struct encr_alg *sa_encr(const struct ike_sa *sa);
const struct integ_alg *sa_integ(const struct ike_sa *sa);
void sa_drop_crypts(struct ike_sa *sa);
void sa_drop_crypts_before(struct ike_sa *sa); /* there is a newer answer */
void sa_keep_crypts(struct ike_sa *sa); /* the keys are about to change: what the last answer may still need stays */
void sa_established(struct ike_sa *sa);
/* reload.c: the newest configuration instead of the SA's own, if it has everything that lives in it, and nothing but x is
 * under way; x may be NULL. At each CREATE_CHILD_SA, by either side. */
void sa_take_newest(struct ike_sa *sa, struct ike_xchg *x);
void sa_bound_life(struct ike_sa *sa); /* no later end than reauth_by */
/* The end: children removed, commands answered, events; memory goes at the end of the engine call. */
void sa_end(struct ike_sa *sa, enum adit_rc rc, const char *why);
/* As sa_end, but lingers to answer retransmissions of the peer's last request. */
void sa_linger(struct ike_sa *sa, enum adit_rc rc, const char *why);
void sa_advance(struct ike_sa *sa); /* opens the next exchange if the window allows */
/* The step of an extension that has to run before authentication, if any; msg: the responder's request in hand. */
const struct ike_step *sa_before_auth(struct ike_sa *sa, enum xchg_role role, const struct ike_msg *msg);
void sa_arm(struct ike_sa *sa);
void ike_renew_cookies(struct ike *ike); /* the secret, if its time is over */
void ike_sweep(struct ike *ike);    /* at the end of each call from outside: frees what was cut, wipes keys at rest */
bool ike_random(struct ike *ike, void *out, size_t n);
uint64_t ike_jitter(struct ike *ike, uint64_t upto);
void ike_count(struct ike *ike, const struct ike_sa *sa, enum adit_ike_counter c);
const char *sa_conn_name(const struct ike_sa *sa);

/* --- stream.c: TCP connections as paths --- */
/* The host's word about one: the SA that asked for it hears of it, and those that share it. */
enum adit_rc stream_command(struct ike *ike, const struct adit_command *cmd, unsigned *matches, struct adit_why *why);

/* --- opening.c --- */
/* Initiator, before its first message: extensions choose the path. False: it has to wait for that, or has ended. */
bool opening_begins(struct ike_sa *sa);
/* Its first message is repeated in vain. True: an extension begins anew in another way, this SA has ended. */
bool opening_unanswered(struct ike_sa *sa, unsigned tries);
bool opens_sa(uint8_t exchange); /* IKE_SA_INIT, or what an extension has in its place */
const struct ike_opening *opening_of(uint8_t exchange); /* NULL: it is none of an extension's */
const struct ike_step *opening_step(struct ike_sa *sa); /* the initiator's */
void opening_failed(struct ike_sa *sa, enum adit_rc rc);

/* --- memo.c --- */
void known_free(struct ike_known *known);
void known_bound_life(struct ike_sa *sa); /* no later reauthentication than the earlier SA's */
void known_replace(struct ike_sa *sa);    /* up: the earlier SA, if it is still there, ends without a word */
bool known_is_of(const struct ike_sa *sa, const struct ike_sa *earlier);
/* Could this connection have negotiated that suite? */
bool conn_holds_suite(const struct ike *ike, const struct policy_conn *c, const struct adit_suite *suite);

/* --- vault.c --- */
void vaults_fini(struct ike *ike);

/* --- unproven.c --- */
void unproven_init(struct ike *ike);
void unproven_fini(struct ike *ike);
/* Extensions hold more or less for this SA than before: counts it, and sheds what is oldest if it is too much. */
void unproven_update(struct ike_sa *sa);
void unproven_del(struct ike_sa *sa); /* it is proven, or ends */
/* --- halfopen.c --- */
bool halfopen_may(struct ike *ike, const struct adit_addr *peer);
bool halfopen_wants_cookie(struct ike *ike, const struct adit_addr *peer);
uint64_t halfopen_key(const struct ike *ike, const struct adit_addr *peer);
void halfopen_add(struct ike *ike, const struct adit_addr *peer);
void halfopen_del(struct ike *ike, const struct adit_addr *peer);
bool ike_may_answer_error(struct ike *ike);
bool ike_may_log_stranger(struct ike *ike); /* a line about a peer that has not authenticated itself */

/* --- demux.c, input.c --- */
void demux_init_request(struct ike *ike, const struct ike_hdr *hdr, const struct adit_path *path, struct adit_span d);
void sa_heard_on(struct ike_sa *sa, const struct adit_path *path, enum heard_by by); /* another path than its own */
void sa_input(struct ike_sa *sa, const struct ike_hdr *hdr, const struct adit_path *path, struct adit_span d);

/* --- window.c: which requests are under way, message IDs, and answers kept (RFC 7296 s2.2, s2.3) --- */
struct ike_xchg *sa_out(const struct ike_sa *sa); /* the oldest request of ours that is not answered; NULL: none */
struct ike_xchg *sa_in(const struct ike_sa *sa);  /* the oldest of the peer's that is in work */
struct ike_xchg *sa_next_out(const struct ike_sa *sa, const struct ike_xchg *after); /* after NULL: sa_out() */
struct ike_task *sa_out_task(const struct ike_sa *sa, enum task_kind kind, uint32_t child_id); /* under way; or NULL */
struct ike_xchg *window_waiting(const struct ike_sa *sa, const struct ike_hdr *response); /* the request of this answer */
bool window_takes(const struct ike_sa *sa, uint32_t msgid); /* is this request of the peer's a new one, and inside? */
bool window_has_room(const struct ike_sa *sa); /* may another request of ours go out? */
const struct ike_reply *window_reply(const struct ike_sa *sa, uint32_t msgid); /* NULL: none, or forgotten */
uint32_t window_after(const struct ike_sa *sa); /* message ID after that of the peer's last request that is answered */
bool window_has_replied(const struct ike_sa *sa); /* is there any answer to be repeated? */
/* The request is answered: takes a reference of wire. */
void window_store(struct ike_sa *sa, uint32_t msgid, struct ike_wire *wire, const uint8_t digest[16]);
/* The request came again with that digest: its answer goes out in smaller datagrams, too, if it can. True. */
bool window_recut(struct ike_sa *sa, uint32_t msgid, const uint8_t digest[16]);
bool window_is_overtaken(const struct ike_sa *sa, uint32_t msgid); /* is a later request of the peer's here already? */
/* Room for so many requests of the peer; ADIT_ERR_MEMORY: it stays as it is. It never shrinks. */
enum adit_rc window_grow(struct ike_sa *sa, unsigned n);
/* SET_WINDOW_SIZE: in IKE_AUTH, in an IKE SA that rekeying made in the first message that we send. */
void window_put(struct ike_xchg *x, struct wr *w);
void window_get(struct ike_xchg *x, const struct ike_msg *msg);
void window_commit(struct ike_xchg *x);
void window_forget(struct ike_sa *sa); /* exchanges are freed */
void window_watch(struct ike_sa *sa);  /* rekeys it while there are message IDs left, or closes it */
void window_fini(struct ike_sa *sa);   /* answers, too */

/* --- work.c, ahead.c: key pairs made before they are needed --- */
/* A job that makes the key pair of ke, for an SA or (0) for the stock: idle work then. False: memory is out. */
bool spare_work(struct ike *ike, struct ike_spare *s, struct ike_ke *ke, uint32_t sa_id);
/* Whose rows serve this method. ADIT_ERR_PROPOSAL: none. */
enum adit_rc ke_pick(const struct ike *ike, struct ike_ke *ke, uint16_t method);
enum adit_rc ke_make(void *ke); /* a job: its key pair */
/* Fills ke in as if its job were back, or makes it wait for what is under way for its SA; false: neither is there. */
bool ahead_take(struct ike_xchg *x, struct ike_ke *ke);
/* The job is back. Who waited for it goes on as after any job; NULL: nobody. */
struct ike_xchg *ahead_done(struct ike_spare *s, enum adit_rc rc);
void ahead_refill(struct ike *ike);       /* the configuration is new, or the stock's hour is over */
uint64_t ahead_deadline(const struct ike *ike);
void ahead_forget(struct ike_sa *sa);     /* it ends */
void ahead_fini(struct ike *ike);

/* --- flight.c: messages of several datagrams on their way --- */
/* Sends it, or again what the peer is not known to have of it; a single datagram at once. */
void flight_send(struct ike_sa *sa, const struct adit_path *path, struct ike_wire *wire);
void flight_stop(struct ike_wire *wire); /* nobody needs it any more; NULL: nothing */
void flights_stop(struct ike_sa *sa);
bool flight_is_heard(const struct ike_wire *wire); /* the peer has reported some of it */
uint64_t flights_deadline(const struct ike_sa *sa);
void flights_timer(struct ike_sa *sa);
/* A repetition is due: should it wait until then, because the message has not left, or only later than was thought? 0: no. */
uint64_t flight_defers(const struct ike_sa *sa, const struct ike_wire *wire, uint64_t delay);

/* --- message.c, segment.c --- */
/* Payload chain -> index in the exchange's arena; unknown critical and duplicate single payloads are refused. */
enum adit_rc msg_index(struct ike_xchg *x, const struct ike_hdr *hdr, uint8_t first, struct adit_span payloads,
                       struct adit_why *why);
/* Protects plain (chain with its first type) into datagrams, through a segmenter if one wants it. */
enum adit_rc msg_protect(struct ike_sa *sa, const struct ike_hdr *hdr, uint8_t first, struct adit_span plain,
                         struct ike_wire **out);
/* The other way. ADIT_WAIT: one part of a message that is not complete yet. */
enum adit_rc msg_unprotect(struct ike_sa *sa, const struct ike_hdr *hdr, struct adit_span d, struct raw_msg *out,
                           uint8_t digest[16]);

/* Opens datagrams of our own: with the keys that seal now. The caller frees it. */
enum adit_rc sa_new_own_opener(struct ike_sa *sa, struct crypt **out);
/* As sa_open(), with this one. */
enum adit_rc sa_open_with(const struct ike_sa *sa, struct crypt *opener, uint8_t *d, size_t n, size_t at, struct adit_span *plain);

/* --- recut.c --- */
/* In the place of *wire, which is not answered, the same message in more and smaller datagrams, and so will be all later ones.
 * False: that can't be, and nothing has changed. */
bool msg_recut(struct ike_sa *sa, struct ike_wire **wire, bool answer);
/* The request that was answered has come again, cut otherwise: so is the answer. False: this is none. */
bool msg_is_recut(struct ike_sa *sa, const struct ike_hdr *hdr, struct adit_span datagram);

/* --- exchange.c --- */
/* Takes the task, except when it fails. */
enum adit_rc xchg_open(struct ike_sa *sa, uint8_t exchange, const struct ike_step *main, struct ike_task *task);
void xchg_request(struct ike_sa *sa, const struct ike_hdr *hdr, const struct adit_path *path, const struct raw_msg *raw,
                  struct adit_span datagram, const uint8_t digest[16]);
void xchg_response(struct ike_xchg *x, const struct ike_hdr *hdr, const struct adit_path *path, const struct raw_msg *raw,
                   struct adit_span datagram);
void xchg_resume(struct ike_xchg *x);
void xchg_retransmit(struct ike_xchg *x);
void xchg_free(struct ike_xchg *x);
/* fetch.c */
void fetch_forget(struct ike_xchg *x); /* nobody waits for it any more */
uint64_t fetch_deadline(const struct ike_sa *sa);
void fetch_timer(struct ike_sa *sa);
extern const struct ike_step *const core_steps[], *const core_child_steps[]; /* those before and after what is `before_child` */

/* --- reply.c: what the peer is told --- */
uint16_t reply_notify(enum adit_rc rc); /* 0: nothing */
bool reply_is_fatal(const struct ike_sa *sa, uint8_t exchange, enum adit_rc rc);
void reply_error(struct ike_xchg *x, enum adit_rc rc);
/* Unprotected answer to a datagram without an SA; rate limited. */
void reply_stray(struct ike *ike, const struct ike_hdr *hdr, const struct adit_path *path, uint16_t notify,
                 struct adit_span data);
/* An error notify in a response -> rc; ADIT_OK if there is none. */
enum adit_rc reply_read(const struct ike_msg *msg, uint16_t *type, struct adit_why *why);

/* --- announce.c --- */
void announce_put(struct ike_xchg *x, struct wr *w);
void announce_get(struct ike_xchg *x, const struct ike_msg *msg);
void announce_commit(struct ike_xchg *x);

/* --- vendor.c: the Vendor ID by which peers know each other's private numbers --- */
void vendor_id_put(struct wr *w);
bool vendor_id_is_in(const struct ike_msg *msg);

/* --- agenda.c --- */
/* NULL: memory is out, or IKE_TASKS_MAX of them wait. */
struct ike_task *agenda_add(struct ike_sa *sa, enum task_kind kind, const struct ike_step *step);
struct ike_task *agenda_find(struct ike_sa *sa, enum task_kind kind, uint32_t child_id);
struct ike_task *agenda_take(struct ike_sa *sa); /* the one to do now, or NULL; leaves the list */
uint64_t agenda_deadline(const struct ike_sa *sa);
void agenda_again(struct ike_sa *sa, struct ike_task *t, uint64_t delay); /* puts it back */
void task_free(struct ike_task *t);
void task_end(struct ike_sa *sa, struct ike_task *t, enum adit_rc rc, const char *text); /* answers its command */
const char *task_name(const struct ike_task *t);

/* --- timers.c --- */
void sa_timer(struct ike_sa *sa);
uint64_t sa_next_deadline(struct ike_sa *sa);

/* --- events.c, log.c --- */
struct adit_event *event_add(struct ike *ike, enum adit_event_type type);
void event_send(struct ike *ike, const struct adit_path *path, struct ike_wire *wire);
/* These n datagrams of it, at most ADIT_SEND_MAX. */
void event_send_some(struct ike *ike, const struct adit_path *path, struct ike_wire *wire, const uint16_t *which, unsigned n);
void event_done(struct ike *ike, uint64_t cookie, enum adit_rc rc, const char *text);
/* False: memory; nothing is told then. */
bool event_assigned(struct ike_sa *sa, enum adit_event_type type, const struct adit_assigned *what);
bool event_child(struct ike_child *c, enum adit_event_type type, const struct adit_child_spec *spec);
void event_text(struct ike *ike, struct adit_event *ev, const char *text);
void ike_log(struct ike *ike, const struct ike_sa *sa, enum adit_level level, const char *group, const char *fmt, ...)
    ADIT_PRINTF(5, 6);
void keylog_ike(struct ike_sa *sa);
void keylog_child(struct ike_sa *sa, const struct adit_child_spec *spec);
void events_fini(struct ike *ike);

/* --- counters.c --- */
struct conn_state *conn_state(struct ike *ike, const char *name); /* made on first use; NULL: memory */
void conn_up(struct ike *ike, const char *name);
/* An SA of it has ended. False: that is no news, the attempt before failed for the same reason. */
bool conn_down(struct ike *ike, const char *name, bool was_up, const char *why);
void conn_states_fini(struct ike *ike);
void count_message(struct ike *ike, const struct ike_sa *sa, uint8_t exchange, bool in, bool response);

/* --- child.c --- */
struct ike_child *child_by_id(const struct ike *ike, uint32_t id);
struct ike_child *child_by_spi(struct ike_sa *sa, uint32_t spi, bool inbound);
struct ike_child *child_install(struct ike_pending *p, const struct adit_secret *keymat, uint32_t replaces);
void child_remove(struct ike_child *c, uint64_t grace, const char *why);
void child_move(struct ike_child *c, struct ike_sa *to);
void child_update_path(struct ike_child *c);
void child_activate(struct ike_child *c);
void child_leave(struct ike_child *c); /* something else sends for its policy: it does so no more */
/* resource: see struct ike_child. 0: none to be had. */
uint32_t child_new_spi(struct ike *ike, unsigned resource);
void child_spec(const struct ike_child *c, struct adit_child_spec *spec); /* everything but the keys */
/* Transport mode: are its selectors those of that path's two hosts? (xchg/child_mode.c) */
bool child_mode_is_at(const struct ike_child *c, const struct adit_path *path);
void child_lost(struct ike_sa *sa, const struct adit_child_cfg *cfg, uint8_t action); /* close/dpd action */

/* --- standby.c --- */
/* It is about to go: if nothing else sends for its policy, the Child SA that waits to (in whatever IKE SA of the peer that
 * stays) begins. False: there is none. */
bool standby_relieve(const struct ike_child *gone);
void standby_relieve_all(const struct ike_sa *sa); /* the same for all of an IKE SA that we delete */

void child_supersede(struct ike_child *old, uint32_t by); /* a rekeying has replaced it: it waits for its Delete */

/* --- peers.c: IKE SAs with the same peer, by the pair of identities (whole payload bodies) --- */
enum adit_rc peers_named(struct ike_sa *sa); /* its connection is known, for good */
enum adit_rc peers_add(struct ike_sa *sa);   /* once its identities are known, too */
void peers_del(struct ike_sa *sa);
/* The next one of a connection of that name after `after` (NULL: the first), without half-open ones of responders. */
struct ike_sa *peers_of_conn(const struct ike *ike, const char *name, const struct ike_sa *after);
/* Is there another IKE SA with this peer, as far as we can tell before it has said who it is? */
bool peers_known(const struct ike_sa *sa, const struct adit_id *peer);
/* The next one after `after` (NULL: the first); NULL: no more. */
struct ike_sa *peers_find(const struct ike *ike, struct adit_span local, struct adit_span remote,
                          const struct ike_sa *after);
/* Responder: the Child SA of another IKE SA with the peer that this one takes the place of; NULL: none. */
struct ike_child *peers_child(const struct ike_pending *p);
void peers_established(struct ike_sa *sa); /* it is up: which of the peer's SAs stay? */
bool peers_replaced(const struct ike_sa *sa); /* another one with its peer stays, this one goes soon */
void peers_hand_on(struct ike_sa *sa);     /* it ends: Child SAs that are still wanted in it are made in another one */
bool peers_have(const struct ike_sa *sa, const char *child); /* another IKE SA of the same peer that stays has it */
void peers_retire(struct ike_sa *sa);      /* its retire_at has come */
void peers_forget(struct ike_sa *sa);      /* INITIAL_CONTACT came with it: the others are gone */

/* --- pending.c --- */
/* NULL: memory is out, or the peer has begun IKE_PENDING_MAX of them. */
struct ike_pending *pending_new(struct ike_sa *sa, enum pending_kind kind, bool requester);
void pending_free(struct ike_pending *p);
void pending_commit(struct ike_pending *p); /* links it; completes it unless more key exchanges follow */
bool pending_more(struct ike_pending *p);
struct adit_span pending_lowest_nonce(const struct ike_pending *p);

/* --- xchg/ --- */
/* delete.c: we do not accept the peer's answer, but it has made the Child SA (RFC 7296 s1.3.1): it is told. */
void child_disown(struct ike_pending *p);
/* rekey_ike.c, create_child.c */
void ike_rekeyed(struct ike_pending *p);
extern const struct ike_step step_init_req, step_init_resp, step_auth_req, step_auth_resp, step_first_child_req,
    step_first_child_resp, step_new_child_req, step_new_child_resp, step_rekey_child_req, step_rekey_child_resp,
    step_rekey_ike_req, step_rekey_ike_resp, step_delete_ike_req, step_delete_child_req, step_notify_req,
    step_liveness_req, step_informational_resp;
/* collide.c: may the peer do this now (RFC 7296 s2.25)? */
enum collide_kind { COLLIDE_NEW_CHILD, COLLIDE_REKEY_CHILD, COLLIDE_DELETE_CHILD, COLLIDE_REKEY_IKE, COLLIDE_DELETE_IKE };
enum adit_rc collide_request(struct ike_sa *sa, enum collide_kind kind, struct ike_child *target, struct adit_why *why);
/* The peer's rekey is answered; if ours of the same SA is under way, remember what it made for the comparison. */
bool collide_note(struct ike_pending *p, uint32_t made_id);
void collide_child_done(struct ike_pending *p, struct ike_child *made); /* requester's rekey ended: who deletes what */
bool collide_lost(const struct ike_pending *p); /* requester: is what ours made the redundant one? */
bool collide_before_more(struct ike_pending *p); /* crossing series of key exchanges: false = ours must not go on */
void collide_yield(struct ike_pending *p); /* ours does not go on: what the peer's has made already takes its place */
bool collide_unknown_child(const struct ike_sa *sa); /* may an SPI that we don't know be in an answer under way to us? */
/* We delete the Child SA (0: the IKE SA): what the peer has begun to make in its place ends. */
void collide_end_series(struct ike_sa *sa, uint32_t child_id);
void collide_drop_others(const struct ike_pending *p); /* requester's rekey has won: the peer's of the same SA ends */
uint32_t collide_ike_crossing(const struct ike_sa *sa); /* id of what the peer's crossing rekeying made; 0: none */
void collide_ike_renamed(struct ike_sa *old, struct ike_sa *to); /* what crosses our rekeying of old was rekeyed to `to` */
/* The SA that the peer's crossing rekeying made `made` for, while our own rekeying of it is still under way; or NULL. */
struct ike_sa *collide_ike_crossed(const struct ike_sa *made);
/* The peer uses the IKE SA that its rekeying made while ours is still under way: its own counts. */
void collide_ike_used(struct ike_sa *fresh, const struct ike_msg *request);
void collide_ike_settle(struct ike_sa *old, uint32_t crossing_id); /* our rekey came to nothing: the peer's inherits */
/* rekey_form.c */
const struct ike_rekey_form *rekey_form_for(const struct ike_pending *p);                         /* requester */
const struct ike_rekey_form *rekey_form_of(struct ike_sa *sa, const struct ike_msg *request); /* NULL: regular */
/* The peer refused the form: the task goes on at once in the regular one. */
bool rekey_again_regular(struct ike_sa *sa, struct ike_task *t, const struct ike_pending *p, enum adit_rc rc);
uint32_t sa_transforms(struct ike_sa *sa, uint8_t exchange, const struct ike_msg *request);
size_t sa_message_room(struct ike_sa *sa, uint8_t exchange, bool response); /* octets that one of ours may have */
/* --- travel.c: which methods and numbers may be used where --- */
size_t sa_ke_max(struct ike_sa *sa, uint8_t exchange, const struct ike_msg *peer); /* octets; sa_may_carry_ke() */
/* What holds for proposals in this opening exchange, whose message `msg` of the peer is in hand (NULL: our first request), or
 * in CREATE_CHILD_SA; nothing else of *r. */
void rules_of_opening(const struct ike_xchg *x, const struct ike_msg *msg, struct negotiate_rules *r);
void rules_of_rekeying(struct ike_sa *sa, struct negotiate_rules *r);

/* --- rekeying the IKE SA --- */
struct ike_sa *sa_inherit(struct ike_pending *p, struct ike_keys *keys);
void sa_hand_over(struct ike_sa *from, struct ike_sa *to);
/* --- command.c --- */
enum adit_rc ike_initiate(struct ike *ike, const struct policy_conn *conn, const struct adit_child_cfg *child,
                          const struct adit_command *cmd, struct adit_why *why);
/* A new IKE SA as initiator; conn is of that policy, which need not be the newest. It begins with sa_advance(). known:
 * addresses (family 0) and ports (0) that it does not say are the configuration's. */
struct ike_sa *sa_start(struct ike *ike, struct policy *policy, const struct policy_conn *conn,
                        const struct adit_path *known, struct adit_why *why);
/* Where to begin anew with its peer: whoever dialled us, or is behind a translator, only at the ports that it has now. */
struct adit_path sa_known_path(struct ike_sa *sa);
bool sa_ask_name(struct ike_sa *sa); /* it begins once the host has looked up its peer's name; false: memory */
bool conn_has_name(const struct adit_conn *c); /* of its peer: a DNS name that the host has to look up */
/* The same, but not with a gateway that the peer sent us to. */
struct adit_path sa_home(struct ike_sa *sa);
/* A whole new IKE SA that takes the place of one that is up, Child SAs included: by the newest configuration, unless the
 * connection is no longer in it. cookie: a command that waits for it, or 0. */
void sa_reauthenticate(struct ike_sa *old, uint64_t cookie);
/* The peer has refused to rekey anything (NO_ADDITIONAL_SAS, RFC 7296 s4): the same, and t's command is answered by it. */
void sa_renew(struct ike_sa *old, struct ike_task *t);

#endif
