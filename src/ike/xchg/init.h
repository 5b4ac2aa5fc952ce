/* init.h - what both sides of IKE_SA_INIT share. Private to xchg/. */
#ifndef IKE_XCHG_INIT_H
#define IKE_XCHG_INIT_H

#include "ike/sa.h"

void put_hashes(struct wr *w, uint32_t named);                        /* N(SIGNATURE_HASH_ALGORITHMS) */
void take_certreq(struct ike_sa *sa, const struct ike_msg *msg);      /* CERTREQ hashes are kept until authentication */
void init_done(struct ike_sa *sa);                                    /* keys are there: tell, LIFE_KEYED */

#endif
