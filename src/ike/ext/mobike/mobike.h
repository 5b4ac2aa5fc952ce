/* mobike.h - what one IKE SA knows about moving to other addresses. Private to this folder and its tests. In here, the
 * initiator is who made the first IKE SA of a series of rekeyings (RFC 4555 s1.3): it alone decides. */
#ifndef IKE_EXT_MOBIKE_H
#define IKE_EXT_MOBIKE_H

#include "ike/ext.h"

#define MOBIKE_ADDRESSES 8 /* of one end, beside the one in use: each is 12 or 24 octets of a message */
#define MOBIKE_COOKIE 16   /* octets; RFC 4555 s4.2.5 allows 8 to 64 */

struct mobike_list {
    unsigned n;
    struct adit_addr v[MOBIKE_ADDRESSES];
};

/* What the next request of ours has to say. */
enum mobike_todo {
    MOBIKE_UPDATE = 1, /* we are at other addresses now */
    MOBIKE_LIST = 2,   /* these are the addresses that we have beside */
    MOBIKE_CHECK = 4,  /* can the peer be reached where it says it is? Also: does the path work? */
};

struct mobike_state {
    bool initiator;
    bool retired; /* another IKE SA has taken over; this one only has to be found by its peer until it is deleted */
    uint8_t todo;
    bool asked;     /* our request is under way, or waits for its turn */
    bool lost;      /* our address is gone: paths are being tried from the first transmission on */
    bool searching; /* the request that is out went to several paths */
    bool held;      /* Child SAs stay on child_path until the peer has answered from its new address, s3.7 */
    bool rebase;    /* the SPIs are new, and so are all hashes */
    uint32_t update_after, list_after; /* message ID after that of the peer's newest request about it; 0: none */
    struct adit_path child_path;
    struct ike_nat_view later; /* translators that count once Child SAs are no longer held */
    struct adit_addr peer_first; /* where the peer was when it gave its list */
    struct mobike_list peer, told;
    unsigned refusals, nat_retries;
    uint64_t hinted_at, decided_at;
};

/* --- addresses.c: lists and candidates ------------------------------------------------------------------------------ */
bool mobike_list_has(const struct mobike_list *list, const struct adit_addr *a);
void mobike_list_add(struct mobike_list *list, const struct adit_addr *a); /* once; not when it is full */
bool mobike_list_equal(const struct mobike_list *a, const struct mobike_list *b);
/* ADDITIONAL_IP4_ADDRESS, ADDITIONAL_IP6_ADDRESS notifies (s3.4). */
void mobike_list_put(struct wr *w, const struct mobike_list *list);
/* False: the message says nothing about addresses. Those that are no addresses are skipped. */
bool mobike_list_get(const struct ike_msg *msg, struct mobike_list *out);
/* What we would announce now: the host's addresses that the connection allows, but for the one in use. */
void mobike_list_own(const struct ike_sa *sa, struct mobike_list *out);
/* NO_NATS_ALLOWED for a message that goes there; does one that came from there say so (s3.9)? */
void mobike_nats_put(struct wr *w, const struct adit_path *path);
bool mobike_nats_ok(const struct ike_msg *msg, const struct adit_path *path);
/* Pairs of addresses other than the current one, the peer's current address first; at most room. */
unsigned mobike_ways(const struct ike_sa *sa, const struct mobike_state *s, struct adit_path *out, unsigned room);

/* --- mobike.c: moving ------------------------------------------------------------------------------------------------- */
bool mobike_may_use(struct ike_sa *sa); /* by configuration */
/* The slot, if both ends do this; else NULL. */
struct mobike_state *mobike_of(const struct ike_sa *sa);
/* The IKE SA is at `path` from now on. Child SAs follow at once only if the peer's address stays. */
void mobike_move(struct ike_sa *sa, struct mobike_state *s, const struct adit_path *path);
/* The initiator's decision: moves, and tells the peer. */
void mobike_decide(struct ike_sa *sa, struct mobike_state *s, const struct adit_path *path);
/* The peer is where it says it is: Child SAs follow, and what was found out about translators counts. */
void mobike_release(struct ike_sa *sa, struct mobike_state *s);
/* Has the request opened that says what there is to say, unless one is under way. */
void mobike_push(struct ike_sa *sa, struct mobike_state *s);

extern const struct ike_step mobike_auth_req, mobike_auth_resp, mobike_info_req, mobike_nat_req, mobike_info_resp;

#endif
