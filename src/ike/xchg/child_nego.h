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
/* Do the extensions allow a Child SA that rekeys nothing, now? */
enum adit_rc child_may(struct ike_sa *sa, struct adit_why *why);
/* All of these do what p->form says, if it is not NULL: p->old_child is inherited from.
 * Requester: fills offer, selectors and our inbound SPI of p->cfg; first = in IKE_AUTH (no KE). */
enum adit_rc child_offer(struct ike_xchg *x, struct ike_pending *p, bool first, struct adit_why *why);
/* Requester, after child_offer(): the packet that made us ask goes first; t may be NULL. */
void child_offer_packet(struct ike_pending *p, const struct ike_task *t);
void child_put_sa(struct wr *w, struct ike_pending *p);
void child_put_ts(struct wr *w, const struct ike_pending *p);
/* Requester: the peer's choice against our offer. */
enum adit_rc child_check(struct ike_xchg *x, struct ike_pending *p, const struct ike_msg *msg, bool first,
                         struct adit_why *why);
/* Responder: picks a child of the connection (p->cfg given: that one), narrows, chooses; our inbound SPI. kei = method of
 * the KE payload, 0 = none. */
enum adit_rc child_choose(struct ike_xchg *x, struct ike_pending *p, const struct ike_msg *msg, bool first, uint16_t kei,
                          struct adit_why *why);
void child_put_answer(struct wr *w, struct ike_pending *p);

/* --- child_mode.c: transport mode (RFC 7296 s1.3.1, s2.23.1) --- */
/* Requester: what to ask for, p->mode. ADIT_ERR_CONFIG: the selectors are not those of the two hosts. */
enum adit_rc child_mode_offer(struct ike_pending *p, struct adit_why *why);
void child_mode_put(struct wr *w, enum adit_mode mode);
bool child_mode_asked(const struct ike_msg *msg); /* USE_TRANSPORT_MODE: a wish in the request, consent in the response */
/* The peer's selectors of our and of its side become those that we see; how the peer had them is kept in p. False: they
 * are not those of two hosts. */
bool child_mode_see(struct ike_pending *p, struct adit_ts_list *local, struct adit_ts_list *remote);
void child_mode_forget(struct ike_pending *p); /* tunnel mode it is, with the selectors as they came */
/* Requester: what the peer has agreed to; its selectors as above. */
enum adit_rc child_mode_check(struct ike_pending *p, const struct ike_msg *msg, struct adit_ts_list *local,
                              struct adit_ts_list *remote, struct adit_why *why);
/* Responder, narrowed: ADIT_ERR_TS if another peer behind the same translator has the same selectors. */
enum adit_rc child_mode_alone(struct ike_xchg *x, struct ike_pending *p, struct adit_why *why);
/* Rekeying: the hosts may be at other addresses by now. */
void child_mode_readdress(struct ike_pending *p);

#endif
