/* hashurl.h - a certificate by its SHA-1 and a URL (RFC 7296 s3.6): the octets, and which URLs are asked for. */
#ifndef IKE_EXT_HASHURL_H
#define IKE_EXT_HASHURL_H

#include "ike/ext.h"

#define HASHURL_SHA1 20
#define HASHURL_URL_MAX 255           /* octets of a URL: 40 of them are the hash as a rule */
#define HASHURL_MOST (64u << 10)      /* octets behind it: a chain with post-quantum signatures */
#define HASHURL_CACHE 16              /* answers kept, of all peers */

/* Certificate data of encodings 12 and 13. */
struct hashurl {
    struct adit_span sha1;
    char url[HASHURL_URL_MAX + 1];
};
bool hashurl_get(struct adit_span data, struct hashurl *out, struct adit_why *why);
/* base | the hash in hexadecimal digits. False: that is longer than a URL of ours may be. */
bool hashurl_put(const char *base, const uint8_t sha1[HASHURL_SHA1], struct wr *w);
/* Is it below one of the prefixes (with commas; "http://host/.." each), by a path that cannot lead out of it? */
bool hashurl_is_allowed(const char *url, const char *prefixes);

/* What was fetched and had its hash; the oldest goes. Zeroed is empty. */
struct hashurl_cache {
    uint64_t uses;
    struct hashurl_kept {
        uint8_t sha1[HASHURL_SHA1];
        struct adit_buf data;
        uint64_t used;
    } v[HASHURL_CACHE];
};
struct adit_span hashurl_find(struct hashurl_cache *c, struct adit_span sha1); /* borrowed; empty: not there */
void hashurl_keep(struct hashurl_cache *c, struct adit_span sha1, struct adit_span data);
void hashurl_cache_fini(void *cache);

#endif
