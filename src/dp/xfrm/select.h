/* select.h - traffic selectors as the kernel's: prefixes for address ranges, masks for port ranges. Pure. */
#ifndef DP_XFRM_SELECT_H
#define DP_XFRM_SELECT_H

#include <linux/xfrm.h>
#include "adit/model.h"

#define XFRM_SELECTORS_MAX 256 /* of one policy: policies in the kernel are looked at one by one */

/* Every pair of a local and a remote selector, as outbound packets match it: saddr is local. Returns how many; 0 with
 * *why_not (a literal): the kernel has no words for them. */
size_t xfrm_selectors(const struct adit_ts *local, size_t n_local, const struct adit_ts *remote, size_t n_remote,
                      struct xfrm_selector *out, size_t max, const char **why_not);
/* As inbound packets match it. */
struct xfrm_selector xfrm_selector_turned(const struct xfrm_selector *s);
/* The narrowest selector that holds all of them; family 0: they are of both families, and it holds everything. */
struct xfrm_selector xfrm_selector_hull(const struct xfrm_selector *v, size_t n);
bool xfrm_selector_equal(const struct xfrm_selector *a, const struct xfrm_selector *b);

void xfrm_address_put(xfrm_address_t *out, const struct adit_addr *a); /* family 0: zeros */
struct adit_addr xfrm_address_get(const xfrm_address_t *in, uint16_t family); /* AF_INET, AF_INET6; else family 0 */

#endif
