/* negotiate_match.h - does one proposal of ours fit one of the peer's, and what is in the way? Private to negotiate*.c. */
#ifndef IKE_NEGOTIATE_MATCH_H
#define IKE_NEGOTIATE_MATCH_H

#include "ike/negotiate.h"

/* What is in the way: bit (1 << transform type), or one of these. 0 = it fits. */
#define FAULT(type) (1u << (type))
#define FAULT_PROTO (1u << 28)  /* for another protocol */
#define FAULT_TYPE (1u << 29)   /* a transform type that takes no part here */
#define FAULT_SPI (1u << 30)    /* SPI of a wrong size */
#define FAULT_REPEAT (1u << 31) /* additional exchanges: only repetitions, or no first one; RFC 9370 s2.2 */

/* Does a library row exist for it, and do the protocol's rules allow it? NONE counts where it is legal. */
bool negotiate_usable(const struct negotiate_rules *r, const struct transform *t);
/* Would it be usable with a peer that shares our private numbers, and is not with this one? */
bool negotiate_is_strange(const struct negotiate_rules *r, const struct transform *t);
/* Would it be usable if the messages of this negotiation could carry more? */
bool negotiate_is_long(const struct negotiate_rules *r, const struct transform *t);
bool negotiate_is_aead(const struct negotiate_rules *r, uint16_t encr);
bool negotiate_has_type(const struct proposal *p, uint8_t type);
/* The first transform of a type, or NULL. */
const struct transform *negotiate_first(const struct proposal *p, uint8_t type);
/* Transform types that every proposal of this protocol has to hold, as FAULT() bits: ours, or one that we receive. */
uint32_t negotiate_mandatory(const struct negotiate_rules *r, bool ours);
/* Faults, or 0 and the choice in *out (num = theirs). */
uint32_t negotiate_match(const struct negotiate_rules *r, const struct proposal *mine,
                         const struct proposal *theirs, struct adit_suite *out);
/* No proposal fits: says so in words. Always ADIT_ERR_PROPOSAL. */
enum adit_rc negotiate_explain(const struct proposals *offer, const struct proposal_list *mine,
                               const struct negotiate_rules *r, struct adit_why *why);

#endif
