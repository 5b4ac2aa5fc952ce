/* narrow.h - narrowing of traffic selectors (RFC 7296 s2.9). Pure functions. */
#ifndef IKE_NARROW_H
#define IKE_NARROW_H

#include "model/model.h"

/* The configuration's selectors with `dynamic` replaced by each of these (a virtual address, else the IKE SA's outer one, on
 * that side), with the protocol and ports that stand behind it. Families that `dynamic` cannot have are left out. */
void narrow_resolve(const struct adit_ts_cfg *cfg, uint16_t n, const struct adit_ts_list *dynamic,
                    struct adit_ts_list *out);
/* Of what was agreed on, only what lies in `in` too. */
void narrow_cut(struct adit_ts_list *list, const struct adit_ts_list *in);
/* Responder: the peer's selectors cut down to ours; the order is the peer's; duplicates and covered ones dropped. TSi of
 * the exchange is the peer's side. v4 x v6 pairs that mean nothing are dropped when both families are present on one side
 * only. ADIT_ERR_TS with "peer asks for .., policy 'net' allows .." */
ADIT_MUST_USE enum adit_rc narrow_choose(const struct adit_ts_list *peer_local, const struct adit_ts_list *peer_remote,
                                         const struct adit_ts_list *mine_local, const struct adit_ts_list *mine_remote,
                                         struct adit_ts_list *out_local, struct adit_ts_list *out_remote,
                                         const char *child, struct adit_why *why);
/* Initiator: is every selector of `got` inside one of `asked`? */
ADIT_MUST_USE enum adit_rc narrow_check(const struct adit_ts_list *got, const struct adit_ts_list *asked,
                                        struct adit_why *why);
/* The requester's first selectors may be the packet that woke it up (RFC 7296 s2.9): put them in front, unless the lists
 * begin with them already. They have to be inside; false: they are not, and nothing changes. */
bool narrow_packet_first(struct adit_ts_list *local, struct adit_ts_list *remote, const struct adit_ts *packet_local,
                         const struct adit_ts *packet_remote);
/* Rekeying: what of `got` is inside `asked`, for peers that answer with more. ADIT_ERR_TS: nothing. */
ADIT_MUST_USE enum adit_rc narrow_clip(struct adit_ts_list *got, const struct adit_ts_list *asked, struct adit_why *why);
/* How well a child configuration fits an offer (for choosing among a connection's children): 0 = not at all; 1 = some of
 * it; 3 = the peer's first selectors, too, which an answer must hold if it can (RFC 7296 s2.9); 4 = equal. */
int narrow_score(const struct adit_ts_list *peer_local, const struct adit_ts_list *peer_remote,
                 const struct adit_ts_list *mine_local, const struct adit_ts_list *mine_remote);
void narrow_print(struct strbuf *out, const struct adit_ts_list *ts);

#endif
