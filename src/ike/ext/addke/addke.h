/* addke.h - shared by the two halves of this extension only. */
#ifndef IKE_EXT_ADDKE_H
#define IKE_EXT_ADDKE_H

#include "ike/ext.h"

#define ADDKE_TYPES 0x1fc0u /* bits 6..12: ADDKE1..ADDKE7 */

/* Method of the nth (0-based) additional key exchange that is performed: NONE ones do not count. 0: no more. */
uint16_t addke_method(const struct adit_suite *s, unsigned nth);

extern const struct ike_step addke_followup_req, addke_followup_resp;
bool addke_more(struct ike_pending *p);
void addke_more_put(struct ike_pending *p, struct wr *w);
enum adit_rc addke_more_get(struct ike_pending *p, const struct ike_msg *msg, struct adit_why *why);
void addke_more_start(struct ike_pending *p);

#endif
