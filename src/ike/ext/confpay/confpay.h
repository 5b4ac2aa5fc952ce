/* confpay.h - what the parts of this extension share: what an SA was given or has given, lists in options, domains. */
#ifndef IKE_EXT_CONFPAY_H
#define IKE_EXT_CONFPAY_H

#include "ike/ext.h"

#define VIPS_MAX ADIT_ASSIGNED_ADDRS

/* Of an SA. Client: addresses that are ours; server: the peer's, with their leases. Rekeying hands it on (RFC 7296 s2.19). */
struct confpay {
    uint16_t n;
    struct adit_addr vip[VIPS_MAX];
    struct lease *lease[VIPS_MAX]; /* server */
    struct adit_assigned *got;     /* client: what was told to the host */
    enum adit_rc refused;          /* server: why there may be no Child SA */
};
/* Both NULL: nothing yet, or memory. */
struct confpay *confpay_of(struct ike_sa *sa);
struct confpay *confpay_peek(const struct ike_sa *sa);

/* The next item of a list in an option; false: none is left. Borrowed. */
bool confpay_item(const char **list, struct adit_span *item);
/* Client: the connection's vips as far as they are addresses; unspecified ones mean any. */
uint16_t confpay_wanted(const struct ike_sa *sa, struct adit_addr out[VIPS_MAX]);

/* domains.c: names as they stand in INTERNAL_DNS_DOMAIN (RFC 8598 s4.1) and in options. */
/* Letters, digits, '-' and '_' in labels of at most 63: what may be handed to a resolver's configuration. */
bool domain_is_good(struct adit_span name);
bool domain_is_in(struct adit_span name, struct adit_span parent); /* the same or below it; case does not count */
/* Does a list of domains, or %any in it, hold this name? */
bool domain_is_listed(struct adit_span name, const char *list);
/* The same for trust anchors: there %any, the root and top-level domains hold nothing (RFC 8598 s6). */
bool domain_may_have_anchor(struct adit_span name, const char *list);
/* INTERNAL_DNSSEC_TA as "tag algorithm type DIGEST"; false: malformed (s4.2). */
bool anchor_print(struct strbuf *out, struct adit_span value);

/* ask.c: what a CFG_REPLY holds for us, added to *out. `split`: some traffic stays outside the tunnel. False: its frame
 * is malformed. */
bool confpay_read(const struct ike_sa *sa, struct adit_span body, bool split, struct adit_assigned *out);

extern const struct ike_step confpay_ask, confpay_give, confpay_give_later;

#endif
