/* ppk.h - names of post-quantum preshared keys, in the configuration and on the wire (RFC 8784 s5.1). */
#ifndef IKE_EXT_PPK_H
#define IKE_EXT_PPK_H

#include "ike/ext.h"

#define PPK_IDENTITY_MAX 255 /* octets */
enum ppk_id_type { PPK_ID_OPAQUE = 1 /* known to its two ends only */, PPK_ID_FIXED = 2 };

/* PPK_ID = type | identity */
struct ppk_id {
    uint8_t type;
    struct adit_span identity; /* borrowed; never empty */
};
/* The whole data of a notify; false: too short. Unknown types are read, too. */
bool ppk_id_get(struct adit_span data, struct ppk_id *out);
/* N(PPK_IDENTITY) with this PPK_ID; identity of at most PPK_IDENTITY_MAX octets. */
void ppk_id_put(struct wr *w, const struct ppk_id *id);
/* The octets that a configured name stands for: those of an identity of that text, so that both ends may write it as they
 * write identities (management.md 4.2). False: none, too long, memory. */
bool ppk_identity(const char *text, struct adit_buf *out);
/* The PPK of that name: one that belongs to it before one that is anybody's. NULL: there is none. */
const struct adit_shared *ppk_find(const struct ike_sa *sa, struct adit_span identity);

#endif
