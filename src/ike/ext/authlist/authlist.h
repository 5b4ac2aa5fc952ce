/* authlist.h - announcements of SUPPORTED_AUTH_METHODS (RFC 9593 s3): their octets, and what they say about a way to
 * authenticate. Also the door for other extensions that add kinds of announcements. */
#ifndef IKE_EXT_AUTHLIST_H
#define IKE_EXT_AUTHLIST_H

#include "ike/ext.h"

#define AUTHLIST_OCTETS_MAX 4096
#define AUTHLIST_MAX 255 /* announcements */

struct announcement {
    uint8_t method;
    uint8_t link;           /* 0: any CA; n: the nth of the CAs in the CERTREQs beside */
    bool linked;            /* is there a Cert Link at all? */
    struct adit_span algid; /* method 14: DER AlgorithmIdentifier */
};
/* The next one; false at the end and where the list is malformed (rd_ok() tells). Borrows. */
bool announcement_get(struct rd *in, struct announcement *out);
/* Is it of a method, and in the form, that we know? Others are passed over (RFC 9593 s3.2). */
bool announcement_is_known(const struct announcement *a);
/* algid empty: two octets for a method without a public key, three for the older signatures. */
void announcement_put(struct wr *w, uint8_t method, struct adit_span algid);
/* The whole list of a notify: well-formed, not empty and within the limits? */
bool authlist_is_good(struct adit_span list);
/* What a list, with the CAs (20 octets each) of the message in which it came, says of this way: 0 = the kind of key that
 * its sender likes best, then 1, ..; AUTH_RANK_LAST: not in the list. */
unsigned authlist_rank(struct adit_span list, struct adit_span cas, const struct auth_way *way);

#endif
