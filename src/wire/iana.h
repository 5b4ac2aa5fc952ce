/* iana.h - the code points of iana.def as enums (XCHG_IKE_AUTH, PLD_KE, N_COOKIE, ENCR_AES_GCM_16, ...), their
 * names, and the configuration keywords of transforms. Any room may include it. */
#ifndef WIRE_IANA_H
#define WIRE_IANA_H

#include "adit/base.h"

enum iana_value {
#define X(registry, value, name, status, spec) registry##_##name = value,
#include "wire/iana.def"
#undef X
};

enum iana_registry {
    IANA_XCHG,
    IANA_PLD,
    IANA_PROTO,
    IANA_TT,
    IANA_ENCR,
    IANA_PRF,
    IANA_INTEG,
    IANA_KE,
    IANA_SN,
    IANA_ID,
    IANA_CERTENC,
    IANA_AUTH,
    IANA_HASH,
    IANA_N,
    IANA_TS,
    IANA_ATTR,
    IANA_CFG,
    IANA_CPATTR
};

/* "ML_KEM_768"; unknown numbers give "(1234)". The text lives in a small ring of thread-local buffers: use it at
 * once. PRF names carry their prefix as strongSwan prints them ("PRF_HMAC_SHA2_256"). */
const char *iana_name(enum iana_registry r, unsigned value);
/* Is this notify an error (RFC 7296 s3.10.1)? */
static inline bool notify_is_error(unsigned type)
{
    return type < 16384;
}
/* The registry of a transform type's IDs; ADDKE1-7 share KE's. */
enum iana_registry iana_of_transform(unsigned transform_type);

/* Row of one table, for docs and `adit list-algs`. NULL at the end. */
struct iana_row {
    enum iana_registry registry;
    unsigned value;
    const char *name;
    char status; /* 'A', 'T' = TBD, 'P' */
    const char *spec;
};
const struct iana_row *iana_rows(size_t *n);

/* Keyword -> transform; "ke1_mlkem768" gives type ADDKE1. False: no such keyword. */
struct transform;
bool iana_keyword_get(const char *word, size_t n, struct transform *out);
/* Transform -> its first keyword (with "keN_" for ADDKE); NULL if it has none. Thread-local ring as above. */
const char *iana_keyword(const struct transform *t);
/* Peers may have other numbers for KE methods whose own are not assigned: from now on the one that is known as `from` in
 * iana.def is `to`, for words and names alike. Both of the range for private use, each at most once, and `to` nobody else's;
 * false: not so, or too many. For the whole process, before anything is negotiated. 0, 0: as at the beginning. */
bool iana_ke_renumber(uint16_t from, uint16_t to);
/* Walks them: index from 0; false at the end. */
bool iana_ke_renumbered(size_t i, uint16_t *from, uint16_t *to);
/* All keywords for "did you mean": index from 0; NULL at the end. */
const char *iana_keyword_at(size_t i);

#endif
