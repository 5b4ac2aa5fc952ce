/* handshake.h - one IKE SA after the other between two ends, on the link's clock; private to this room. */
#ifndef BENCH_HANDSHAKE_H
#define BENCH_HANDSHAKE_H

#include "bench/end.h"

#define BENCH_SEEN 16384 /* datagrams of a handshake that are told apart, at most */

struct bench_pair {
    const struct bench_case *of;
    struct bench_end end[BENCH_ENDS];
    struct bench_wire wire;
    uint64_t now;
    unsigned connections; /* of TCP, so far */
    /* of the handshake that is under way */
    bool done;
    enum adit_rc rc;
    uint64_t done_at;
    uint64_t requests; /* bits: message IDs of the initiator's */
    uint64_t distinct; /* octets of IKE, without repetitions */
    uint64_t seen[BENCH_SEEN]; /* digests of datagrams; 0: free */
    char failure[200];
};

ADIT_MUST_USE enum adit_rc pair_open(struct bench_pair *p, const struct bench_case *c, struct adit_crypto *crypto,
                                     struct adit_why *why);
void pair_close(struct bench_pair *p);
/* Makes what is missing in the stock, outside of all measuring. */
void pair_fill_stock(struct bench_pair *p);
/* One handshake, and the end of its SA. false: it did not come up, p->failure says why. suite: what was agreed on. */
bool pair_handshake(struct bench_pair *p, struct bench_run *out, struct adit_suite *suite);

#endif
