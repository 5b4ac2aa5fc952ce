/* ext.h - the interface between the engine and its extensions. An extension is a guest: one folder under ext/, one line
 * in ext/registry.def. It includes this header and the doors of other extensions, never a private header of ike/.
 *
 * Laws: the core never names an extension; consume never changes the SA, commit never fails; what an extension stores
 * is in its own slot (ext_sa); the order of registry.def is the order of payloads and of hooks. */
#ifndef IKE_EXT_H
#define IKE_EXT_H

#include "adit/ike.h"
#include "base/list.h"
#include "ike/auth/auth.h"
#include "ike/keymat.h"
#include "model/model.h"
#include "pki/pki.h"
#include "wire/payload.h"

struct ike_sa;
struct lease;       /* an address of a pool, held for a peer: sa_lease() */
struct ike_xchg;    /* one request and its response */
struct ike_pending; /* a Child SA or IKE SA being negotiated; outlives an exchange when more key exchanges follow */

enum ike_ext_id {
#define EXTENSION(name) EXT_##name,
#include "ike/ext/registry.def"
#undef EXTENSION
    EXT_COUNT
};

enum xchg_role { XCHG_REQUESTER, XCHG_RESPONDER };

/* A received message, authenticated and opened (IKE_SA_INIT: in clear). Lives as long as its exchange. */
struct ike_msg {
    struct ike_hdr hdr;
    uint16_t n;
    const struct payload *v;
    struct adit_span raw; /* IKE_SA_INIT: the datagram */
};
const struct payload *msg_find(const struct ike_msg *msg, uint8_t type);
/* The first notify of that type; false: none, or malformed. */
bool msg_notify(const struct ike_msg *msg, uint16_t type, struct notify *out);
/* Walks notifies: start with *i = 0. */
bool msg_next_notify(const struct ike_msg *msg, uint16_t *i, struct notify *out);

/* A message as integrity-over-the-conversation schemes see it (RFC 9242 s3.3.2): the unprotected form. */
struct raw_msg {
    struct ike_hdr hdr; /* next = PLD_SK or the first cleartext payload */
    uint8_t sk_flags;   /* C and RESERVED octet of the SK header (of fragment 1) */
    uint8_t first;      /* type of the first inner payload */
    struct adit_span plain;
};

/* --- work: computations that may take long --------------------------------------------------------------------- */
/* Lives in a step's scratch. xchg_work() runs fn(arg) inline if it is cheap, else hands it out as ADIT_EV_WORK and
 * returns ADIT_WAIT; when the step is called again it gives fn's result. arg lies in the exchange's arena. */
typedef enum adit_rc work_fn(void *arg);
struct ike_work {
    uint8_t state; /* 0 idle, 1 out, 2 done */
    enum adit_rc rc;
};
enum adit_rc xchg_work(struct ike_xchg *x, struct ike_work *w, work_fn *fn, void *arg, enum crypto_cost cost,
                       const char *name);

/* --- fetching: what only the host can get, by URL --------------------------------------------------------------------- */
/* Lives in a step's scratch, zeroed; is used for one URL. xchg_fetch() hands it out as ADIT_EV_FETCH and returns ADIT_WAIT;
 * when the step is called again: ADIT_OK, f->data holds it (arena); ADIT_ERR_IO, _TIMEOUT: it cannot be had; ADIT_ERR_LIMIT:
 * too many are out. An exchange has one out at a time. Whoever calls it has made sure that the configuration allows the
 * URL: the peer may not be authenticated yet. For certificates, and for revocation lists and OCSP. */
struct ike_fetch {
    struct list link;
    struct ike_xchg *x;
    uint64_t id, until;
    size_t most;
    uint8_t state; /* 0 idle, 1 out, 2 done */
    enum adit_rc rc;
    struct adit_span data;
};
enum adit_rc xchg_fetch(struct ike_xchg *x, struct ike_fetch *f, const char *url, size_t most);

/* One key exchange of one exchange: both roles, size checks, work. `ke` lies in scratch, zeroed; ended by ke_fini(). */
struct ike_ke {
    const struct ke_alg *alg, *maker; /* maker: whose key pair it is, and who opens what was sealed for it */
    const struct adit_crypto *crypto;
    struct ke_state *state;
    struct adit_buf ours;
    struct adit_span peer;
    struct adit_secret secret;
    struct ike_work work, work2;
};
enum adit_rc ke_init(struct ike_xchg *x, struct ike_ke *ke, uint16_t method);                        /* requester: ours */
enum adit_rc ke_respond(struct ike_xchg *x, struct ike_ke *ke, uint16_t method, const struct ike_msg *msg,
                        struct adit_why *why);                                          /* responder: ours and secret */
enum adit_rc ke_finish(struct ike_xchg *x, struct ike_ke *ke, const struct ike_msg *msg, struct adit_why *why);
/* Requester: this method will be next in this SA. If it is dear, its key pair is begun while messages travel, and ke_init()
 * of the next exchange finds it. May be called often. */
void ke_ahead(struct ike_xchg *x, uint16_t method);
void ke_fini(struct ike_ke *ke);

/* --- steps: parts of an exchange -------------------------------------------------------------------------------- */
enum want { WANT_NO, WANT_RIDE /* join if it happens */, WANT_OPEN /* make it happen */ };

/* consume reads and computes into scratch and may be called again after ADIT_WAIT; build writes payloads (it may be run
 * again from the start: it must not change anything but its scratch); commit makes it true and cannot fail; fini frees
 * what scratch holds. Requester: build, consume, commit. Responder: consume, build, commit. */
struct ike_step {
    const char *name; /* what lists print: strongSwan's task names where it has them */
    uint8_t exchange;
    enum xchg_role role;
    bool before_child; /* its payloads stand, and it reads, before the Child SA's; in commit too */
    bool beside; /* requester: may be under way beside others that may, too, if the peer's window allows; agenda.c */
    uint16_t scratch; /* octets, zeroed */
    /* Requester: x is NULL when asked whether to open, else riding. Responder: msg is the request. */
    enum want (*want)(struct ike_sa *sa, const struct ike_msg *msg);
    enum adit_rc (*build)(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why);
    enum adit_rc (*consume)(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why);
    void (*commit)(struct ike_xchg *x, void *scratch);
    /* Requester: the peer refused, or its answer is bad. NULL: the command that asked for it is told, the SA lives. */
    void (*failed)(struct ike_xchg *x, void *scratch, enum adit_rc rc, const struct adit_why *why);
    void (*fini)(struct ike_xchg *x, void *scratch); /* always, last: free what scratch owns */
};

/* --- announcements: "I can" ------------------------------------------------------------------------------------- */
enum announce_rule { BOTH_SENT /* responder answers only if asked */, ALWAYS_SENT, RESPONDER_ONLY, REQUESTER_ONLY };
struct ike_announce {
    uint16_t notify;
    uint8_t exchange; /* XCHG_IKE_SA_INIT or XCHG_IKE_AUTH */
    enum announce_rule rule;
    void (*put)(struct ike_sa *sa, struct wr *w);                                     /* writes whole notifies itself */
    void (*get)(struct ike_sa *sa, const struct ike_msg *msg, const struct notify *n); /* called for each one */
    bool in_each_opening; /* of IKE_SA_INIT, but also in other exchanges that open an IKE SA */
};

/* --- opening an IKE SA otherwise than by IKE_SA_INIT ------------------------------------------------------------------- */
/* An exchange in the place of IKE_SA_INIT: in clear, cookies and ceilings before any state, its messages are those that
 * AUTH covers. The initiator's attempt that fails is followed by one with IKE_SA_INIT. */
struct ike_opening {
    uint8_t exchange;
    uint16_t refusal;              /* status notify by which a responder refuses it, whatever the reason */
    const struct ike_step *step;   /* the initiator's */
    bool (*wants)(struct ike_sa *sa); /* initiator: shall this SA be opened so? Asked once, before its first message */
    void (*failed)(struct ike_sa *sa, enum adit_rc rc); /* initiator: an SA opened so did not come up */
};
/* Own nonce, in the exchange's arena. */
enum adit_rc opening_nonce(struct ike_xchg *x, struct adit_span *out);
/* SK_* from the memo that the SA has taken and both nonces (RFC 5723 s5.1). */
enum adit_rc opening_keys(struct ike_xchg *x, struct adit_span ours, struct adit_span theirs, struct ike_keys *out);
/* To be committed: the SA is keyed, IKE_AUTH is next. Takes the keys. */
void opening_commit(struct ike_xchg *x, struct adit_span ours, struct adit_span theirs, struct ike_keys *keys);
void opening_repeat(struct ike_xchg *x);     /* requester: the request goes out again, built anew (COOKIE) */
enum adit_rc opening_is_stale(struct ike_xchg *x, struct adit_why *why); /* requester: the answer is to an earlier form of it */
void opening_is_refused(struct ike_xchg *x); /* requester: the refusal counts, though anybody could have sent it */

/* --- memos: what a later IKE SA needs to go on with what this one has proven ---------------------------------------------- */
/* Suite, identities, how they were proven, SK_d, what hooks carry. Secret. From when the peer is verified on, in IKE_AUTH's
 * build already; keys that IKE_AUTH brings into force are in it. ADIT_ERR_LIMIT: longer than a ticket should be. */
enum adit_rc sa_memo_make(struct ike_sa *sa, struct adit_secret *out);
/* Unkeyed SA: identities, suite and how it was authenticated are from now on those of the memo, and IKE_AUTH proves by
 * SK_p that both ends hold these keys (RFC 5723 s4.3.3). Refused unless today's configuration would allow all of it. */
enum adit_rc sa_memo_take(struct ike_sa *sa, struct adit_span memo, struct adit_why *why);
bool sa_is_from_memo(const struct ike_sa *sa);
uint64_t sa_life_left(const struct ike_sa *sa); /* s until its end or the next authentication; UINT64_MAX: none set */
uint64_t sa_unix_time(const struct ike_sa *sa); /* s, wall clock */
const char *sa_conn(const struct ike_sa *sa);   /* the connection's name */

/* --- rekeying in another form ---------------------------------------------------------------------------------------- */
/* CREATE_CHILD_SA that rekeys without SA, TSi and TSr: the new SPI stands in a payload of this form, and suite, selectors
 * and mode are those of the SA being rekeyed; the core takes them over. An alternative, not a switch: whoever is asked in
 * the regular form answers in it, and a requester whose form is refused (NO_PROPOSAL_CHOSEN) asks again in the regular
 * one. */
struct ike_rekey_form {
    /* Both roles: may this rekeying use it? Of p what is replaced is known, nothing is negotiated. */
    bool (*may)(const struct ike_pending *p);
    bool (*is)(struct ike_sa *sa, const struct ike_msg *request); /* Responder: is this request in that form? */
    void (*put)(struct wr *w, struct adit_span spi);
    /* Request or response; *spi: exactly spi_n octets, borrowed. ADIT_ERR_PROPOSAL: ask in the regular form. */
    enum adit_rc (*get)(struct ike_sa *sa, const struct ike_msg *msg, size_t spi_n, struct adit_span *spi,
                        struct adit_why *why);
};

/* --- segmenting: message <-> datagrams ------------------------------------------------------------------------------ */
struct ike_wire; /* ready-made datagrams of one message */
struct ike_segmenter {
    uint8_t payload; /* type after the header by which its datagrams are known */
    /* Outbound: cut this message of `whole` octets? */
    bool (*wants)(struct ike_sa *sa, uint8_t exchange, size_t whole);
    /* What is longer than `to` octets of datagram does not get through: cut smaller from now on. False: it can't. NULL: never. */
    bool (*shrink)(struct ike_sa *sa, size_t to);
    enum adit_rc (*split)(struct ike_sa *sa, const struct ike_hdr *hdr, uint8_t first, struct adit_span plain,
                          struct ike_wire **out);
    /* Inbound, hdr checked and message ID in window: ADIT_WAIT = authentic, more to come; ADIT_OK = *out is complete
     * (plain borrowed until the next call); digest names fragment 1 for recognising retransmissions. */
    enum adit_rc (*join)(struct ike_sa *sa, const struct ike_hdr *hdr, struct adit_span datagram, struct raw_msg *out,
                         uint8_t digest[16]);
};
struct ike_wire *wire_new(uint16_t n, size_t octets); /* NULL: memory; n datagrams, `octets` in all */
/* Room for the next datagram of at most n octets; wire_close() says how many it became. */
uint8_t *wire_next(struct ike_wire *w, size_t n);
void wire_close(struct ike_wire *w, size_t n);
void wire_unref(struct ike_wire *w); /* gives it up: split() failed half-way */
/* Writes IV | ciphertext | ICV of `plain` after what w holds; everything from `aad_at` on is authenticated. */
enum adit_rc sa_seal(struct ike_sa *sa, struct wr *w, size_t aad_at, struct adit_span plain);
size_t sa_seal_overhead(const struct ike_sa *sa, size_t plain); /* IV, padding, pad length, ICV */
/* Opens datagram[at..): IV first, ICV last; aad = datagram[0..at). In place; *plain without padding. ADIT_ERR_INTEGRITY. */
enum adit_rc sa_open(struct ike_sa *sa, uint8_t *datagram, size_t n, size_t at, struct adit_span *plain);
void msg_digest(struct adit_span datagram, uint8_t out[16]);

/* --- reports: which datagrams of a message have arrived ------------------------------------------------------------- */
struct ike_report {
    uint16_t total, first, last; /* 1 <= first <= last <= total */
    const uint8_t *got;          /* a bit for each of first..last; that of `first` is the highest of octet 0 */
};
#define IKE_REPORT_ROOM 8192 /* octets: bits for every total */
/* One form of them on the wire. Which form, and when, is decided where messages are joined; the first in registry order that
 * is in force is sent, all that are in force are understood. hdr: exchange and message ID of the message that it is about,
 * R as of a message that goes the other way. */
struct ike_reports {
    bool (*in_force)(struct ike_sa *sa);
    enum adit_rc (*put)(struct ike_sa *sa, const struct ike_hdr *hdr, const struct ike_report *r, struct ike_wire **out);
    bool (*is)(const struct ike_hdr *hdr, struct adit_span datagram); /* could it be one? Before any key is used */
    /* Opens datagram[n], a copy, about a message of `total` datagrams. Other than ADIT_OK: it is none. r->got may lie in
     * bits[IKE_REPORT_ROOM]. */
    enum adit_rc (*get)(struct ike_sa *sa, const struct ike_hdr *hdr, uint8_t *datagram, size_t n, uint16_t total,
                        uint8_t *bits, struct ike_report *r);
};
/* Opens a message beside an exchange, as sa_open(): with the keys of that exchange. */
enum adit_rc sa_open_beside(struct ike_sa *sa, const struct ike_hdr *hdr, uint8_t *d, size_t n, size_t at,
                            struct adit_span *plain);
void sa_send_beside(struct ike_sa *sa, struct ike_wire *wire); /* takes it: once, to the SA's own path */
/* Datagrams of the message of ours that a report with this header is about; 0: there is none, or it was told too often. */
uint16_t sa_reported_total(const struct ike_sa *sa, const struct ike_hdr *hdr);
/* An authentic report: what is missing goes out again, and the rest faster or slower. A hint: who has no proof of who he is
 * may have sent it, and what it asks for is bounded. */
void sa_report(struct ike_sa *sa, const struct ike_hdr *hdr, const struct ike_report *r);
uint64_t sa_round_trip(const struct ike_sa *sa); /* ns; 0: not known */

/* --- address translators: looked for again on an SA that is up, when its path changes --------------------------------- */
struct ike_nat_view {
    bool seen;          /* the peer has sent its hashes; without them the rest says nothing */
    bool local, remote; /* we are behind a translator; the peer is */
    uint8_t seen_as[20]; /* hash of our address and port as the peer sees them */
};
struct ike_nat {
    void (*now)(struct ike_sa *sa, struct ike_nat_view *out); /* what holds; seen = both ends can do it */
    void (*put)(struct ike_sa *sa, const struct adit_path *path, struct wr *w); /* hashes for a message that goes there */
    void (*get)(struct ike_sa *sa, const struct ike_msg *msg, const struct adit_path *path, struct ike_nat_view *out);
    void (*set)(struct ike_sa *sa, const struct ike_nat_view *view); /* from now on; sa_children_changed() is the caller's */
    void (*move)(struct ike_sa *sa); /* initiator, before authentication: both ports to those of NAT traversal */
    bool (*in_udp)(struct ike_sa *sa); /* does ESP that is not by TCP go in UDP: for a translator, or as configured? */
};
const struct ike_nat *ike_nat(void); /* of the extension that knows them; never NULL */

/* --- strangers: who sends an IKE_SA_INIT request of which nothing is kept or computed yet -------------------------------- */
struct ike_stranger {
    const struct ike *ike;
    const struct adit_path *path; /* local: where it came to */
    struct ike_msg msg;
    unsigned n_sas; /* IKE SAs that there are */
    const struct adit_conn *conn; /* the first one for these addresses; NULL: none */
};
const char *stranger_option(const struct ike_stranger *s, const char *key); /* as sa_option() */

/* --- hooks ------------------------------------------------------------------------------------------------------ */
enum msg_dir { MSG_SENT, MSG_RECEIVED };
enum heard_by { BY_IKE, BY_ESP };
enum sa_life {
    LIFE_KEYED /* after IKE_SA_INIT */,
    LIFE_ESTABLISHED,
    LIFE_REKEYED /* other = the SA that takes its place */,
    LIFE_LOST /* it was up, and the peer does not answer any more */,
    LIFE_CLOSED /* it was up, and one side has ended it */,
    LIFE_ENDED /* however it ended, up or not: what it holds outside of itself is given back */
};

/* One way in which we could prove who we are: a pre-shared key, or a signature by the key of a certificate. */
struct auth_way {
    uint8_t method;
    const struct sig_alg *alg;       /* NULL: no signature */
    const struct policy *policy;     /* for auth_way_leads_to() */
    const struct pki_cert *cert;
};
/* Certificates of the peer as they are found: those that do not parse are passed over, more than there is room for too. */
struct ike_certs;
void certs_add(struct ike_certs *out, struct adit_span der);

#define AUTH_RANK_LAST (~0u - 1) /* only if there is nothing better */
#define AUTH_RANK_NEVER (~0u)
/* Does the way's certificate chain up to the CA with this SHA-1 of its public key, as in CERTREQ? */
bool auth_way_leads_to(const struct auth_way *way, struct adit_span ca_sha1);

enum stream_news {
    STREAM_IS_UP,   /* the TCP connection is there: path names it */
    STREAM_IS_DOWN, /* it is no more, or (path.local.port 0) did not come about */
};

struct ike_hooks {
    /* A connection as configured, before it is used: do its options contradict each other? What is written there counts
     * (adit_option_get()), not defaults. ADIT_ERR_CONFIG with words that say what, and what to do. */
    enum adit_rc (*check)(const struct adit_conn *conn, struct adit_why *why);
    /* Initiator, before its first message, once: another path than the configured addresses' datagrams? sa_set_path(), or
     * sa_open_stream(), for which it then waits. */
    void (*begins)(struct ike_sa *sa);
    /* Initiator, nobody has answered its first message in `tries` repetitions. True: sa_begin_anew() was called. */
    bool (*unanswered)(struct ike_sa *sa, unsigned tries);
    void (*stream)(struct ike_sa *sa, enum stream_news news, const struct adit_path *path);
    bool (*may_use)(struct ike_sa *sa); /* by configuration; gates announcements and steps. NULL: yes */
    /* Transform types beyond 1-5 that this extension understands in this exchange: bits (1 << type). */
    uint32_t (*transforms)(struct ike_sa *sa, uint8_t exchange, const struct ike_msg *request);
    /* Every protected message of IKE_INTERMEDIATE-like exchanges before authentication, before commit. */
    enum adit_rc (*message)(struct ike_sa *sa, enum msg_dir dir, const struct raw_msg *raw);
    /* Headers of inner payloads, when both ends can do other than PAYLOAD_RFC7296. */
    enum payload_format (*payload_format)(struct ike_sa *sa);
    /* Octets that all SAs together may hold of unfinished messages, for those that hold more than RFC 7296 can need, and
     * the setting that says so. */
    size_t (*held_max)(struct ike_sa *sa, const char **setting);
    /* The longest Key Exchange Data that a message of this exchange may carry in either direction, where that is more than
     * an RFC 7296 payload takes. peer: its message of an opening exchange in hand, not accepted yet; NULL: none. */
    size_t (*ke_room)(struct ike_sa *sa, uint8_t exchange, const struct ike_msg *peer);
    /* A datagram with the message ID of a request that waits for its answer, or of one answered, before it is looked at as a
     * part of that exchange. True: it was an authentic message beside it, and that is all: no message ID moves, nothing is
     * consumed or answered, no hook `message` sees it. */
    bool (*beside)(struct ike_sa *sa, const struct ike_hdr *hdr, struct adit_span datagram);
    bool (*round_after)(struct ike_sa *sa); /* will there be one more such exchange after the one under way? */
    enum adit_rc (*octets)(struct ike_sa *sa, struct octets *o, uint32_t auth_msgid);
    /* How well this way of proving who we are would suit the peer: 0 = best, or no opinion. Of the ways that suit
     * equally the first in local order is taken; asked in IKE_AUTH, when the peer's message has been read. */
    unsigned (*rank)(struct ike_sa *sa, const struct auth_way *way);
    /* IKE_AUTH, both roles: who the peer claims to be is read, as responder its connection chosen, but its AUTH not yet
     * looked at. May refuse. *auth: the Authentication Data that will be verified; others of the same method may be put. */
    enum adit_rc (*claimed)(struct ike_sa *sa, const struct ike_msg *msg, struct adit_span *auth,
                            struct adit_why *why);
    /* IKE_AUTH: our certificates are to be sent, certs[0] ours, then its chain: writes CERT payloads in another encoding and
     * says true, or false: as they are. For URLs, and for bare public keys (RFC 7670). */
    bool (*cert_put)(struct ike_sa *sa, const struct pki_cert *const *certs, size_t n, struct wr *w);
    /* IKE_AUTH: the peer will prove itself by a signature, and this CERT is no X.509 certificate: what it stands for goes by
     * certs_add() to `out`. `f` is for one fetch, fresh for each CERT. ADIT_WAIT: ask again. Anything else that is not
     * ADIT_OK: *why says what was wrong with it, and it is passed over. */
    enum adit_rc (*cert_get)(struct ike_xchg *x, const struct cert_payload *cert, struct ike_fetch *f,
                             struct ike_certs *out, struct adit_why *why);
    /* IKE_AUTH: keys that come into force by it. AUTH is computed with their SK_p, and the SA takes them as soon as it is
     * authenticated, before Child SAs are made. *keys stays as it is: the SA's own. Once given, always given. */
    enum adit_rc (*auth_keys)(struct ike_sa *sa, struct ike_keys **keys);
    /* IKE_AUTH request: notify that holds our Authentication Data by the SA's present keys, beside AUTH; 0 = none. */
    uint16_t (*auth_besides)(struct ike_sa *sa);
    /* Responder, IKE_SA_INIT, cookies passed: the stranger gets this notify as its only answer, and no SA. 0: no. */
    uint16_t (*turn_away)(const struct ike_stranger *s, struct wr *data);
    /* A Child SA that rekeys nothing, asked by both roles before selectors are looked at: may it be? The error is what the
     * peer is told. */
    enum adit_rc (*may_child)(struct ike_sa *sa, struct adit_why *why);
    /* What `dynamic` in local_ts (else remote_ts) means: adds to *out. False: no opinion; nobody's: the outer address. */
    bool (*dynamic)(struct ike_sa *sa, bool local, struct adit_ts_list *out);
    bool (*first_child)(struct ike_sa *sa);      /* initiator: shall IKE_AUTH carry a Child SA? all must agree */
    /* IKE_AUTH, the peer is authentic: shall the Child SA be left out all the same? Responder: it is not made, and that is
     * no error of the request. Initiator: the answer (msg) leaves it out on purpose; it stays to be done. */
    bool (*withholds_child)(struct ike_sa *sa, const struct ike_msg *msg);
    /* A command: the peer is to go to another gateway. Other than ADIT_OK: this one cannot be sent away. */
    enum adit_rc (*send_away)(struct ike_sa *sa, const char *gateway, struct adit_why *why);
    bool (*may_omit_child)(struct ike_sa *sa);   /* responder: may the peer leave it out? one is enough */
    /* The peer was heard, authentic and new, on another path than sa_path(): follow it with sa_set_path() or not.
     * True: that is settled, nobody else is asked. */
    bool (*moved)(struct ike_sa *sa, const struct adit_path *path, enum heard_by by);
    /* Does an agreement with the peer let us, on this SA, change addresses and transport at will? */
    bool (*may_move)(struct ike_sa *sa);
    /* A request goes out that was sent `tries` times before: on which paths beside sa_path()? At most `room` of them. */
    unsigned (*also_on)(struct ike_sa *sa, unsigned tries, struct adit_path *out, unsigned room);
    /* No repetition of a request was answered, for `waited` ns: wait on, instead of ending the SA? */
    bool (*waits_on)(struct ike_sa *sa, uint64_t waited);
    void (*addresses)(struct ike_sa *sa); /* the host's addresses or routes have changed: sa_host_addresses() */
    void (*child_spec)(struct ike_sa *sa, struct adit_child_spec *spec);
    /* Notifies about one Child SA beside its SA payload, in request and response; a rekeying in another form inherits
     * instead. put: requester: what we want, pending_mode() being the configured one; responder: what was agreed on. get:
     * pending_shape() counts if the mode is one of an extension's. May refuse. */
    void (*child_put)(struct ike_pending *p, struct wr *w);
    enum adit_rc (*child_get)(struct ike_pending *p, const struct ike_msg *msg, struct adit_why *why);
    void (*child_made)(struct ike_sa *sa, uint32_t child_id); /* not by rekeying */
    void (*child_refused)(struct ike_sa *sa, uint32_t like, enum adit_rc rc); /* what sa_want_child() asked for */
    void (*wants_child)(struct ike_sa *sa, uint32_t like, unsigned resource); /* the host: its nth uses `like` */
    /* Key exchanges beyond the first in CREATE_CHILD_SA: are there more (asked after each)? Responder: beside SA, KE, TS. */
    bool (*more)(struct ike_pending *p);
    void (*more_put)(struct ike_pending *p, struct wr *w);
    enum adit_rc (*more_get)(struct ike_pending *p, const struct ike_msg *msg, struct adit_why *why);
    void (*more_start)(struct ike_pending *p); /* requester: committed; open your exchange */
    void (*life)(struct ike_sa *sa, enum sa_life life, struct ike_sa *other);
    /* What of the extension's state a memo has to hold: at most 255 octets; nothing written: nothing held. */
    void (*memo_put)(struct ike_sa *sa, struct wr *w);
    /* The SA goes on with a memo (`in` is empty if it holds nothing of ours). False: not by today's configuration. */
    bool (*memo_get)(struct ike_sa *sa, struct rd *in);
    uint64_t (*deadline)(struct ike_sa *sa);
    void (*timer)(struct ike_sa *sa, uint64_t now);
    /* Octets kept of messages that the peer has not completed. Before it is authenticated they count towards a budget
     * of all such SAs; when that is full, shed: forget them, the peer sends them again. */
    size_t (*held)(struct ike_sa *sa);
    void (*shed)(struct ike_sa *sa);
    void (*status)(struct ike_sa *sa, struct adit_ike_info *out);
    void (*fini)(struct ike_sa *sa, void *state);
};

/* --- state of the whole engine ------------------------------------------------------------------------------------------- */
/* What an extension remembers beyond its SAs. save/load: the part that should outlive the engine (adit_ike_save), as
 * secrets that peers rely on after a restart; NULL: nothing. */
struct ike_vault {
    uint16_t size; /* octets, zeroed at first use, wiped at the end */
    void (*fini)(void *state);
    void (*save)(const void *state, struct wr *w);
    bool (*load)(void *state, struct rd *in, uint64_t now);
};

struct ike_ext {
    enum ike_ext_id id;
    const char *name, *spec;
    const struct adit_option_def *options;
    uint16_t n_options;
    uint16_t sa_size; /* octets of state an SA, zeroed at first use, wiped at its end */
    const struct ike_announce *announce;
    uint16_t n_announce;
    const struct ike_step *const *steps; /* NULL-ended */
    const struct ike_segmenter *segmenter;
    const struct ike_reports *reports;
    const struct ike_nat *nat;
    const struct ike_rekey_form *rekey_form;
    const struct ike_opening *opening;
    const struct ike_vault *vault;
    struct ike_hooks on;
};
extern const struct ike_ext *const ike_exts[EXT_COUNT];

/* --- what an extension may ask of the engine -------------------------------------------------------------------------- */
unsigned sa_engine_sas(const struct ike_sa *sa); /* IKE SAs that there are */
void *ext_sa(struct ike_sa *sa, enum ike_ext_id id);  /* its slot, made on first use; NULL: memory */
void *ext_engine(struct ike_sa *sa, enum ike_ext_id id); /* its vault, made on first use; NULL: memory */
void ext_engine_changed(struct ike_sa *sa); /* what is to outlive the engine has changed */
void *ext_peek(const struct ike_sa *sa, enum ike_ext_id id); /* NULL if never used */
bool ext_agreed(const struct ike_sa *sa, enum ike_ext_id id); /* its announcement rule is fulfilled */
void ext_set_agreed(struct ike_sa *sa, enum ike_ext_id id); /* as if announced by both: a memo says so */
bool ext_peer_announced(const struct ike_sa *sa, enum ike_ext_id id);
const char *sa_option(const struct ike_sa *sa, const char *key); /* connection, then daemon, then default; never NULL */
uint64_t sa_option_number(const struct ike_sa *sa, const char *key);
bool sa_any_child_option(const struct ike_sa *sa, const char *key, const char *word); /* of the connection's children */

/* Numbers of the ranges for private use: the peer has shown by our Vendor ID that it means the same by them. True in an
 * initiator's first request, when nothing is known yet: status notifies do no harm there. An extension that uses such
 * numbers asks here from may_use, unless the configuration says that the peer knows them. */
bool sa_shares_private(const struct ike_sa *sa);
/* May a KE payload with n octets of Key Exchange Data go in a message of this exchange, in either direction? The one place
 * that knows. peer: its IKE_SA_INIT message in hand whose announcements are not accepted yet; NULL: none. An initiator's
 * first request asks about what the peer may turn out to be able to. */
bool sa_may_carry_ke(struct ike_sa *sa, uint8_t exchange, const struct ike_msg *peer, size_t n);
enum payload_format sa_payload_format(struct ike_sa *sa); /* of inner payloads */
/* Has a method that the SA's connection could negotiate a public value that is too long for a message as RFC 7296 has it? */
bool sa_wants_long_ke(const struct ike_sa *sa);
/* Octets of content that a message of this exchange may have: 65,535, or what the longest key exchange that is agreed on
 * (up: may be agreed on) needs, with a quarter more as a margin for what the peer adds. */
size_t sa_message_max(struct ike_sa *sa, uint8_t exchange, bool response);
unsigned sa_peer_fragments(const struct ike_sa *sa); /* the most that it is known to take of one message; 0: not known */
bool sa_round_after(struct ike_sa *sa); /* hook round_after of any extension: is this not the last one? */
/* The raw IKE_SA_INIT request or response that counts, octet for octet; empty before there is one. */
struct adit_span sa_init_message(const struct ike_sa *sa, bool response);
/* May the peer prove itself by such a signature (NULL: by a pre-shared key)? A responder that does not know yet whose
 * connection it is: would any that it may turn out to be allow it? */
bool sa_accepts(const struct ike_sa *sa, const struct sig_alg *alg);
unsigned sa_own_certs(const struct ike_sa *sa); /* certificates of ours that would do; 0: a pre-shared key proves us */
/* Walks the configured secrets of a type: start with *i = 0; NULL at the end. Borrowed: they live as long as the SA. */
const struct adit_shared *sa_next_shared(const struct ike_sa *sa, enum adit_shared_type type, size_t *i);

/* Addresses of the engine's pools. A lease is held until lease_return(); whose it was is remembered. owner: whole ID payload
 * body; wanted: NULL = any; takes_over: the owner's other SAs end with this one's beginning. NULL: none to be had. */
struct lease *sa_lease(struct ike_sa *sa, const char *pool, struct adit_span owner, const struct adit_addr *wanted,
                       bool takes_over);
struct adit_addr lease_address(const struct lease *lease);
void lease_return(struct lease *lease); /* NULL: nothing */
const struct adit_pool *sa_pool(const struct ike_sa *sa, const char *name); /* of the newest configuration; NULL: none */
/* Will this SA, once it is up, take the place of others of the same peer (INITIAL_CONTACT in msg, unique = replace)? */
bool sa_takes_over(const struct ike_sa *sa, const struct ike_msg *msg);
struct ike_sa *sa_heir(const struct ike_sa *sa); /* the one that a rekeying has put in its place; NULL: none */
struct ike_sa *sa_replaced(const struct ike_sa *sa); /* the one that its reauthentication replaces; NULL: none */
struct adit_span sa_peer_id(const struct ike_sa *sa); /* whole ID payload body; empty before authentication */
/* ADIT_EV_ASSIGNED or _RELEASED; what is copied. */
void sa_tell_assigned(struct ike_sa *sa, bool released, const struct adit_assigned *what);

const struct adit_crypto *sa_crypto(const struct ike_sa *sa);
const struct prf_alg *sa_prf(const struct ike_sa *sa);
const struct ike_keys *sa_keys(const struct ike_sa *sa);
const struct adit_suite *sa_suite(const struct ike_sa *sa);
void sa_keymat_in(const struct ike_sa *sa, struct keymat_in *out);
void sa_keys_replace(struct ike_sa *sa,
                     struct ike_keys *keys);   /* takes them; the old ones are wiped; IVs go on */
bool sa_is_initiator(const struct ike_sa *sa); /* original initiator */
bool sa_is_keyed(const struct ike_sa *sa);
bool sa_is_established(const struct ike_sa *sa); /* both sides have proven who they are, and it has not ended */
uint64_t sa_spi_i(const struct ike_sa *sa), sa_spi_r(const struct ike_sa *sa);
uint32_t sa_id(const struct ike_sa *sa);
const struct adit_path *sa_path(const struct ike_sa *sa);
void sa_set_path(struct ike_sa *sa, const struct adit_path *path); /* children follow by ADIT_EV_CHILD_UPDATE */
/* Asks the host for a TCP connection to `to`; its word comes by the hook `stream`. An SA without keys waits for it. */
void sa_open_stream(struct ike_sa *sa, const struct adit_path *to);
void sa_close_stream(struct ike_sa *sa, const struct adit_path *path); /* unless another SA uses it */
bool sa_may_move(struct ike_sa *sa);   /* hook may_move of any extension */
void sa_use_stream(struct ike_sa *sa); /* tells the host that an authentic peer is on sa_path() */
/* Initiator, before its first answer: this attempt ends, another one with all that was to be done in it begins. NULL: memory,
 * and nothing has changed. */
struct ike_sa *sa_begin_anew(struct ike_sa *sa, const char *why);
void sa_children_changed(struct ike_sa *sa); /* what child_spec says has changed: ADIT_EV_CHILD_UPDATE for all */
void sa_repeat_request(struct ike_sa *sa); /* the request that waits for its answer goes out again now, on sa_path() */
unsigned sa_host_addresses(const struct ike_sa *sa, const struct adit_addr **v); /* 0: the host does not tell */
/* Does the connection allow us, the peer, at these addresses? NULL: not asked. */
bool sa_may_be_at(const struct ike_sa *sa, const struct adit_addr *local, const struct adit_addr *remote);
uint16_t sa_port_nat_t(const struct ike_sa *sa);
uint64_t sa_now(const struct ike_sa *sa);
uint64_t sa_last_sent_at(const struct ike_sa *sa);
bool sa_random(struct ike_sa *sa, uint8_t *out, size_t n);
void sa_keepalive(struct ike_sa *sa); /* ADIT_EV_KEEPALIVE on its path */
/* Initiator: a new IKE SA of the same connection, with what this one has still to make, at `where`, a name or an address:
 * the host is asked for it (ADIT_EV_RESOLVE), and whatever ends the new one, its next attempt is at the place where the
 * first one began. With keep_until_up it gets Child SAs like those that are up too, and when it is up this one is deleted;
 * otherwise this one's end is the caller's. NULL: memory, or there is such a one already. */
struct ike_sa *sa_start_elsewhere(struct ike_sa *sa, const char *where, bool keep_until_up);
void sa_log(struct ike_sa *sa, enum adit_level level, const char *group, const char *fmt, ...) ADIT_PRINTF(4, 5);
void sa_fail(struct ike_sa *sa, enum adit_rc rc, const char *fmt, ...) ADIT_PRINTF(3, 4); /* ends it, telling why */
void sa_delete(struct ike_sa *sa, const char *why); /* sends a Delete, then ends it */

struct ike_sa *xchg_sa(const struct ike_xchg *x);
/* Requester, IKE_SA_INIT: this response counts though nobody has authenticated it; refusing it ends the attempt. */
void xchg_is_final(struct ike_xchg *x);
struct arena *xchg_arena(struct ike_xchg *x);
bool xchg_is_check(const struct ike_xchg *x); /* requester: does it only ask whether the peer lives? From build on */
uint32_t xchg_msgid(const struct ike_xchg *x);
/* Messages of the peer that may be on their way at once: its requests, or its answers. */
unsigned sa_window(const struct ike_sa *sa, bool answers);
const struct ike_msg *xchg_msg(const struct ike_xchg *x); /* received; requester: also when it failed; NULL: none */
const struct adit_path *xchg_path(const struct ike_xchg *x); /* of the request or response in hand */
uint32_t xchg_opened_for(const struct ike_xchg *x); /* the id that sa_open_exchange() was given */
/* Opens an exchange with `step` as soon as the window allows. `id`, e.g. pending_id(), is handed to it: what it names may
 * be gone by then. */
enum adit_rc sa_open_exchange(struct ike_sa *sa, const struct ike_step *step, uint32_t id);

/* Child SAs of which several have the same selectors: */
struct ike_child_view {
    uint32_t id;
    unsigned resource; /* 0: for all; n: for the host's nth */
    bool shares, initiator, current; /* initiator: we asked for it; current: up, neither replaced nor being deleted */
};
unsigned sa_host_resources(const struct ike_sa *sa); /* how many the host has */
/* Walks those like this one, itself included (connection's child, selectors, mode, algorithms): start with *i = 0. */
bool sa_next_like(const struct ike_sa *sa, uint32_t like, unsigned *i, struct ike_child_view *out);
bool sa_child_view(const struct ike_sa *sa, uint32_t id, struct ike_child_view *out);
const char *sa_child_option(const struct ike_sa *sa, uint32_t id, const char *key); /* the child's, then the default */
/* One more like it. False: it is on its way already, or no memory. */
bool sa_want_child(struct ike_sa *sa, uint32_t like, unsigned resource);
void sa_unwant_children(struct ike_sa *sa, uint32_t like); /* those that are not on their way yet */
bool pending_is_rekey(const struct ike_pending *p);
uint32_t pending_like(const struct ike_pending *p); /* requester: what it is to be like; 0: nothing */
unsigned pending_resource(const struct ike_pending *p);
bool pending_shares(const struct ike_pending *p); /* pending_bind() was called */
/* Is it, as negotiated so far, like an SA that is up? 0: none. Of several the one that is for all. */
uint32_t pending_finds_like(const struct ike_pending *p);
void pending_bind(struct ike_pending *p, uint32_t like, unsigned resource); /* like 0: it is the first, for all */

/* pending: */
struct ike_sa *pending_sa(const struct ike_pending *p);
uint32_t pending_id(const struct ike_pending *p); /* never given twice, so that it cannot mean a later one */
struct ike_pending *pending_by_id(struct ike_sa *sa, uint32_t id); /* NULL: it has come to its end */
bool pending_is_requester(const struct ike_pending *p);
const struct adit_suite *pending_suite(const struct ike_pending *p);
const struct adit_child_cfg *pending_child(const struct ike_pending *p);
/* The child's option, or what sa_option() says. */
const char *pending_option(const struct ike_pending *p, const char *key);
enum adit_mode pending_mode(const struct ike_pending *p);
void pending_set_mode(struct ike_pending *p, enum adit_mode mode);
struct adit_shape *pending_shape(struct ike_pending *p);
/* Rekeying: was the key exchange of what is replaced negotiated? IKE_AUTH leaves that of the first Child SA open. */
bool pending_ke_settled(const struct ike_pending *p);
/* Rekeying: does the newest configuration still offer what the one offers that the SA was made with? */
bool pending_config_stands(const struct ike_pending *p);
unsigned pending_done(const struct ike_pending *p); /* key exchanges done, the first included */
enum adit_rc pending_add_secret(struct ike_pending *p, struct adit_secret *secret); /* takes it */
void *pending_slot(struct ike_pending *p, size_t n);   /* the extension's state, made on first use; NULL: memory */
struct ike_pending *pending_find(struct ike_sa *sa, bool (*is)(struct ike_pending *p, const void *arg), const void *arg);
void pending_complete(struct ike_pending *p); /* all secrets are in: keys, SA, events; p is gone */
void pending_fail(struct ike_pending *p, enum adit_rc rc, const char *why); /* p is gone */
void pending_touch(struct ike_pending *p); /* it moves on: its deadline starts anew */

#endif
