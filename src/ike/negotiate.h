/* negotiate.h - offering, choosing and checking proposals (RFC 7296 s2.7, s3.3; RFC 9370 s2.2.1). Pure functions. */
#ifndef IKE_NEGOTIATE_H
#define IKE_NEGOTIATE_H

#include "crypto/crypto.h"
#include "model/model.h"
#include "wire/payload.h"

/* Which transform types beyond the core's (1-5) take part here: bit (1 << type). Extensions set them (ADDKE1-7). A type
 * outside the mask is an unknown type: proposals that hold it are skipped whole. */
struct negotiate_rules {
    const struct adit_crypto *crypto; /* what no library offers is never offered nor chosen */
    uint32_t extra_types;
    bool no_ke;          /* IKE_AUTH: KE and extra types are left out of the offer; NONE is tolerated */
    bool prefer_peers;   /* walk the peer's order instead of ours */
    uint16_t ke_first;   /* put this KE method first where our list has it (INVALID_KE_PAYLOAD retry); 0 = as is */
    bool esp;            /* ESP rules: SN is always offered, PRF forbidden */
    bool no_window;      /* no replay protection here: without a window the high half of 64-bit numbers is a guess */
    size_t ke_max, ke_more_max; /* octets of Key Exchange Data that a message may carry for type 4 and the extra types; 0 = any */
    uint16_t known_from, known_to; /* KE methods of that range that do so without private_ok; 0 = none */
    bool private_ok;     /* numbers of the ranges for private use mean the same to both: sa_shares_private() */
    bool no_esn;         /* the peer is known not to want numbers of 64 bits */
};

/* What was sent, kept until the answer is checked: the filtered list. Lives in `arena`. */
ADIT_MUST_USE enum adit_rc negotiate_offer(const struct proposal_list *mine, const struct negotiate_rules *r,
                                           struct arena *arena, const struct proposal_list **out, struct adit_why *why);
/* The same proposals in the same order? Then one negotiation tells what the other would. */
bool negotiate_same(const struct proposal_list *a, const struct proposal_list *b);
/* Writes the whole SA payload, proposals numbered from 1; spi_n = 0, 4 or 8 octets in every proposal. */
void negotiate_put(struct wr *w, const struct proposal_list *offer, struct adit_span spi);
/* Responder: chooses from the peer's offer. On ADIT_ERR_PROPOSAL *why holds both proposals in words, the nearest match
 * and the one token to change. *spi = the chosen proposal's SPI (borrowed). */
ADIT_MUST_USE enum adit_rc negotiate_choose(const struct proposals *offer, const struct proposal_list *mine,
                                            const struct negotiate_rules *r, struct adit_suite *out,
                                            struct adit_span *spi, struct adit_why *why);
/* Responder: the SA payload of the answer. */
void negotiate_answer(struct wr *w, const struct adit_suite *s, uint8_t proto, struct adit_span spi);
/* Initiator: the answer must be one of `offer` exactly (RFC 7296 s2.7; no duplicate ADDKE, RFC 9370 s2.2.1). */
ADIT_MUST_USE enum adit_rc negotiate_check(const struct proposals *answer, const struct proposal_list *offer,
                                           const struct negotiate_rules *r, struct adit_suite *out,
                                           struct adit_span *spi, struct adit_why *why);
/* Does the list offer this KE method (type 4)? For INVALID_KE_PAYLOAD. */
bool negotiate_offers_ke(const struct proposal_list *list, uint16_t method);
/* The first usable KE method of the list (what KEi is made for); 0 = none. */
uint16_t negotiate_first_ke(const struct proposal_list *list);
/* "aes256gcm16-prfsha384-x25519, aes128gcm16-..." */
void negotiate_print(struct strbuf *out, const struct proposal *v, size_t n);

#endif
