/* quirks.h - what peers do otherwise than the RFCs, or than one would think: who the peer is, by which evidence, and what
 * is done about it. One table, which docs/reference/quirks.md is printed from; nothing else asks who the peer is. */
#ifndef IKE_QUIRKS_H
#define IKE_QUIRKS_H

#include "adit/ike.h"

struct ike_sa;
struct ike_msg;

/* In the order of the words of `peer = ...`. */
enum peer_kind {
    PEER_UNKNOWN,
    PEER_STRONGSWAN,
    PEER_LIBRESWAN,
    PEER_OPENIKED,
    PEER_WINDOWS,
    PEER_APPLE,
    PEER_CISCO,
    PEER_MIKROTIK,
    PEER_CLOUDFLARE,
    PEER_KINDS
};
/* The stronger wins: what its first message looks like, a Vendor ID in it, the connection's `peer = ...`. */
enum peer_evidence { EVIDENCE_NONE, EVIDENCE_SHAPE, EVIDENCE_VENDOR_ID, EVIDENCE_CONFIGURED };

enum quirk { QUIRK_PRF_PLUS_OLD = 1, QUIRK_START_AT_4500 = 2, QUIRK_NO_ESN = 4, QUIRK_RESUMED_MESSAGE_ONLY = 8,
             QUIRK_FRODO_NUMBERS = 16, QUIRK_32_FRAGMENTS = 32, QUIRK_255_FRAGMENTS = 64 };

struct quirk_row {
    uint32_t flag; /* enum quirk; 0: we do so with everybody */
    enum peer_kind kind;
    enum peer_evidence least; /* what it takes to believe that it is that peer */
    const char *does, *answer; /* the peer; we */
    const char *source;        /* where that is known from */
    const char *test;          /* the file that tests it */
};

struct peer_guess {
    uint8_t kind, evidence; /* enum peer_kind, enum peer_evidence */
};

/* Who has sent this IKE_SA_INIT message, as far as it tells. */
struct peer_guess peer_look(const struct ike_msg *msg);
bool peer_has(const struct ike_sa *sa, enum quirk q);
bool peer_seems(struct peer_guess g, enum quirk q); /* the same by its first message, before that is committed */
/* The same before there is an SA: by the connection's `peer` alone (NULL: unknown). */
bool peer_named_has(const char *peer, enum quirk q);
void peer_status(const struct ike_sa *sa, struct adit_ike_info *out); /* peer-kind and peer-evidence of list-sas */

const char *peer_kind_name(enum peer_kind kind);             /* the word of `peer = ...` */
const char *peer_evidence_name(enum peer_evidence evidence); /* "Vendor ID" */
const struct quirk_row *quirk_rows(size_t *n);
/* What a kind is known by beside the configuration, for the documentation; NULL: nothing. */
const char *peer_known_by(enum peer_kind kind);

#endif
