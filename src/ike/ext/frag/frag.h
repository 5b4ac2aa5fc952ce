/* frag.h - cutting and joining of messages as plain arithmetic and a plain data structure, without an SA. Private to
 * this folder, its tests and its fuzz target. */
#ifndef IKE_EXT_FRAG_H
#define IKE_EXT_FRAG_H

#include "base/buf.h"
#include "ike/ext.h"

#define FRAG_FIXED (IKE_HDR_SIZE + 4 + 4) /* header, generic header, number and total: in front of the IV */
#define FRAG_MAX 256                      /* fragments of one message, unless it may be longer than others */
#define FRAG_OCTETS_MAX 65535             /* of plaintext in one message: as an unfragmented one */
#define FRAG_SMALL 400                    /* octets in the smallest pieces that long messages are cut into: IPv4's 576 */
#define FRAG_GIVE_UP_NS                                                                                      \
    30000000000ull /* without a new fragment; a peer that still tries sends all of them again */

/* --- cutting ---------------------------------------------------------------------------------------------------- */

/* Octets that protection adds to n octets of plaintext; never less than for n - 1, less one. */
typedef size_t frag_overhead_fn(const void *arg, size_t n);
/* The most plaintext that fits into one fragment of at most `datagram` octets; 0 = none. */
size_t frag_room(size_t datagram, frag_overhead_fn *overhead, const void *arg);
/* Pieces of `whole` octets with at most `room` in each; 0 = more than can be numbered, or no room. */
uint16_t frag_count(size_t whole, size_t room);
/* Where piece i of n begins (i = n: where the last one ends). Sizes differ by one octet at most. */
size_t frag_cut(size_t whole, uint16_t n, uint16_t i);

/* --- joining ---------------------------------------------------------------------------------------------------- */

/* Which message a fragment belongs to. */
struct frag_key {
    uint32_t msgid;
    uint8_t exchange, flags; /* of the IKE header */
};
/* What fragment 1 says about the whole message. */
struct frag_head {
    uint8_t first;    /* type of the first inner payload */
    uint8_t sk_flags; /* C and RESERVED octet */
    uint8_t digest[16];
};
struct frag_piece {
    uint8_t *block; /* the opened datagram; its plaintext is block[at] to block[at + n - 1] */
    uint32_t cap;
    uint16_t at, n;
};
/* How much one message may be. */
struct frag_limit {
    uint16_t total;
    size_t octets;
};
extern const struct frag_limit frag_ordinary; /* FRAG_MAX, FRAG_OCTETS_MAX */
struct frag_limit frag_limit_of(size_t octets);  /* for messages with at most so many octets */
/* What decides when the sender of a message under way is told. Zeroed by its first fragment. */
struct frag_watch {
    uint64_t arrived_at, reported_at, gap; /* gap: ns from one new fragment to the next, smoothed */
    unsigned since, fruitless;             /* new fragments since the last report; reports since the last new fragment */
};
/* One message under way. Maintains: only what was authenticated is in it; have = pieces that are there; octets = their
 * sum. Zeroed = nothing under way. */
struct frag_join {
    struct frag_key key;
    struct frag_head head;
    uint16_t total, have; /* total 0: nothing under way */
    struct frag_piece *pieces;
    uint8_t *there; /* a bit for each piece; the first one's is the highest of octet 0 */
    size_t octets;
    size_t kept;           /* octets of the blocks */
    uint64_t last_at;      /* when the last new fragment came, ns */
    struct frag_watch watch;
    struct adit_buf whole; /* of the message completed last */
};

/* Is it this message that is under way? */
bool frag_join_is(const struct frag_join *j, const struct frag_key *key);
/* Before anything is computed: could this fragment be of use? False: drop it (RFC 7383 s2.6: contradictory, a duplicate,
 * of an older and coarser cut, or beyond our limits). */
bool frag_join_wants(const struct frag_join *j, const struct frag_key *key, struct skf f,
                     const struct frag_limit *most);
/* An authentic fragment that frag_join_wants() wants. Takes block, which holds plain, also on failure. head counts if
 * f.number is 1. ADIT_WAIT: stored. ADIT_OK: complete, whole and head are valid until the next call. ADIT_ERR_LIMIT: too
 * long, all of it is forgotten. ADIT_ERR_MEMORY: this fragment is lost, the others stay. */
ADIT_MUST_USE enum adit_rc frag_join_add(struct frag_join *j, const struct frag_key *key, struct skf f,
                                         const struct frag_head *head, struct adit_buf *block,
                                         struct adit_span plain, const struct frag_limit *most, uint64_t now);
bool frag_join_has(const struct frag_join *j, uint16_t number); /* 1 to total: is it there? */
/* Octets of memory for what is under way, and for what the last completed message left. */
size_t frag_join_held(const struct frag_join *j);
/* Wipes and frees what the last completed message left. */
void frag_join_release(struct frag_join *j);
/* Forgets what is under way; what the last completed message left stays. */
void frag_join_forget(struct frag_join *j);
/* Both. */
void frag_join_fini(struct frag_join *j);

/* --- reports (report.c) ----------------------------------------------------------------------------------------- */

void frag_arrived(struct ike_sa *sa, struct frag_join *j);  /* a new one, not the last one */
void frag_repeated(struct ike_sa *sa, struct frag_join *j); /* one that is there already */
uint64_t frag_report_at(struct ike_sa *sa, const struct frag_join *j);
void frag_report_timer(struct ike_sa *sa, struct frag_join *j);
bool frag_beside(struct ike_sa *sa, const struct ike_hdr *hdr, struct adit_span datagram); /* the hook `beside` */

#endif
