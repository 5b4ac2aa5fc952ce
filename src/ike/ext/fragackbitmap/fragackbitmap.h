/* fragackbitmap.h - the parser alone, for its tests and its fuzz target. */
#ifndef IKE_EXT_FRAGACKBITMAP_H
#define IKE_EXT_FRAGACKBITMAP_H

#include "ike/ext.h"

/* A bitmap of received fragments (the content of the report) about a message of `total`; *out points into bits[IKE_REPORT_ROOM],
 * zeroed by the caller. ADIT_ERR_DROP: malformed, or about fragments that there are not. */
enum adit_rc fragackbitmap_read(struct adit_span data, uint16_t total, uint8_t *bits, struct ike_report *out);

#endif
