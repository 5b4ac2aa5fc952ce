/* simpuppet.h - the conformance puppet in the simulator: it is the stranger at 192.0.2.66, and host B is its peer, which
 * needs .stranger in its configuration. */
#ifndef TESTS_SIMPUPPET_H
#define TESTS_SIMPUPPET_H

#include "conformance/conformance.h"
#include "support/sim.h"

#define SIMPUPPET_INBOX 1024
#define SIMPUPPET_FILE 16384 /* octets of a certificate or key */
struct simpuppet {
    struct sim *sim;
    unsigned first, n;
    struct adit_buf datagram[SIMPUPPET_INBOX];
};

/* Before sim_start(): the puppet takes part. What an earlier run has left in *in is dropped. */
void simpuppet_join(struct simpuppet *in, struct sim *s);
/* Everything that it has not listened to. */
void simpuppet_forget(struct simpuppet *in);
/* What conformance_play() wants. ike: its proposal. Borrows from in. */
struct conformance_params simpuppet_params(struct simpuppet *in, const char *ike);
/* The same with A's certificate of that kind, for a host that is configured with this stranger_cert. Borrows until the next call. */
void simpuppet_signs(struct conformance_params *p, const char *kind);

#endif
