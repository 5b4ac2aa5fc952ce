/* child_nego.h - negotiating one Child SA: the parts that IKE_AUTH and CREATE_CHILD_SA share (RFC 7296 s1.2, s1.3, s2.9).
 * Private to xchg/. */
#ifndef IKE_XCHG_CHILD_NEGO_H
#define IKE_XCHG_CHILD_NEGO_H

#include "ike/sa.h"

/* For every kind of CREATE_CHILD_SA, rekeying the IKE SA included. */
enum adit_rc nego_fresh_nonce(struct ike_sa *sa, struct adit_buf *nonce);
enum adit_rc nego_get_nonce(const struct ike_msg *msg, struct adit_buf *out, struct adit_why *why);
/* *out lies in the exchange's arena. */
enum adit_rc nego_get_sa(struct ike_xchg *x, const struct ike_msg *msg, struct proposals **out, struct adit_why *why);


void child_old_selectors(struct ike_pending *p, const struct ike_child *old);
/* All of these do what p->form says, if it is not NULL: p->old_child is inherited from.
 * Requester: fills offer, selectors and our inbound SPI of p->cfg; first = in IKE_AUTH (no KE). */
enum adit_rc child_offer(struct ike_xchg *x, struct ike_pending *p, bool first, struct adit_why *why);
void child_put_sa(struct wr *w, struct ike_pending *p);
void child_put_ts(struct wr *w, const struct ike_pending *p);
/* Requester: the peer's choice against our offer. */
enum adit_rc child_check(struct ike_xchg *x, struct ike_pending *p, const struct ike_msg *msg, bool first,
                         struct adit_why *why);
/* Responder: picks a child of the connection (p->cfg given: that one), narrows, chooses; our inbound SPI. kei = method of
 * the KE payload, 0 = none. */
enum adit_rc child_choose(struct ike_xchg *x, struct ike_pending *p, const struct ike_msg *msg, bool first, uint16_t kei,
                          struct adit_why *why);
void child_put_answer(struct wr *w, const struct ike_pending *p);

#endif
