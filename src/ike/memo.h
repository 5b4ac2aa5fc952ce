/* memo.h - the octets of a memo: what a later IKE SA needs of this one. Private to src/ike. */
#ifndef IKE_MEMO_H
#define IKE_MEMO_H

#include "base/rd.h"
#include "base/secret.h"
#include "base/wr.h"
#include "model/model.h"

#define MEMO_MAX 3000 /* octets: a ticket of it has to fit in one datagram with what stands beside it */
#define MEMO_MARK 16

struct memo { /* spans are borrowed */
    struct adit_suite suite;
    uint64_t spi_i, spi_r, proven_until;
    struct adit_span conn, id_local, id_remote, local_auth, remote_auth, sk_d;
    struct adit_span mark;    /* of the pre-shared key, MEMO_MARK octets; empty: there is none */
    struct adit_span carried; /* name length, name, length, octets, for each extension */
};
void memo_put(struct wr *w, const struct memo *m);
bool memo_get(struct rd *in, struct memo *m); /* in->fail says why not */

#endif
