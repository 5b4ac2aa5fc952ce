/* url.c - hash and URL as octets (RFC 7296 s3.6), which URLs are asked for, and what was got before. */
#include "ike/ext/hashurl/hashurl.h"

static bool is_plain(uint8_t c)
{
    return c > ' ' && c < 0x7f && c != '\\' && c != '#' && c != '"' && c != '<' && c != '>';
}

bool hashurl_get(struct adit_span data, struct hashurl *out, struct adit_why *why)
{
    struct rd in = rd_init(data);
    out->sha1 = rd_take(&in, HASHURL_SHA1);
    struct adit_span url = rd_rest(&in);
    bool ok = rd_ok(&in) && url.n > 0 && url.n <= HASHURL_URL_MAX;
    for (size_t i = 0; ok && i < url.n; i++)
        ok = is_plain(url.p[i]);
    if (!ok) {
        why_set(why, ADIT_ERR_MALFORMED, "not a hash and a URL of at most %d characters", HASHURL_URL_MAX);
        return false;
    }
    *span_copy((uint8_t *)out->url, url) = 0;
    return true;
}

bool hashurl_put(const char *base, const uint8_t sha1[HASHURL_SHA1], struct wr *w)
{
    static const char digits[] = "0123456789abcdef";
    if (strlen(base) + 2 * HASHURL_SHA1 > HASHURL_URL_MAX)
        return false;
    wr_span(w, span(sha1, HASHURL_SHA1));
    wr_span(w, span_str(base));
    for (unsigned i = 0; i < HASHURL_SHA1; i++) {
        wr_u8(w, (uint8_t)digits[sha1[i] >> 4]);
        wr_u8(w, (uint8_t)digits[sha1[i] & 15]);
    }
    return wr_ok(w);
}

/* Without a slash behind the host "http://pki.example" would also begin "http://pki.example.of.somebody.else/". */
static bool is_prefix(struct adit_span url, struct adit_span prefix)
{
    static const struct adit_span scheme = { (const uint8_t *)"http://", 7 };
    if (!span_equal(span_first(prefix, scheme.n), scheme) || prefix.n == scheme.n ||
        !span_equal(span_first(url, prefix.n), prefix))
        return false;
    for (size_t i = scheme.n; i < prefix.n; i++)
        if (prefix.p[i] == '/')
            return true;
    return url.n > prefix.n && url.p[prefix.n] == '/';
}

/* A server may take "/../", also with its dots as %2e, for the way up. */
static bool climbs(struct adit_span rest)
{
    for (size_t i = 0; i + 1 < rest.n; i++)
        if ((rest.p[i] == '.' && rest.p[i + 1] == '.') || (rest.p[i] == '%' && rest.p[i + 1] == '2'))
            return true;
    return false;
}

bool hashurl_is_allowed(const char *url, const char *prefixes)
{
    struct adit_span all = span_str(prefixes), whole = span_str(url);
    for (size_t from = 0, to; from < all.n; from = to + 1) {
        for (to = from; to < all.n && all.p[to] != ','; to++)
            ;
        while (from < to && all.p[from] == ' ')
            from++;
        struct adit_span prefix = span(all.p + from, to - from);
        if (prefix.n && is_prefix(whole, prefix) && !climbs(span_from(whole, prefix.n)))
            return true;
    }
    return false;
}

/* --- what was got before ------------------------------------------------------------------------------------------------ */

struct adit_span hashurl_find(struct hashurl_cache *c, struct adit_span sha1)
{
    for (unsigned i = 0; i < HASHURL_CACHE; i++)
        if (c->v[i].data.n && span_equal(SPAN_ARRAY(c->v[i].sha1), sha1)) {
            c->v[i].used = ++c->uses;
            return buf_span(&c->v[i].data);
        }
    return SPAN_NONE;
}

void hashurl_keep(struct hashurl_cache *c, struct adit_span sha1, struct adit_span data)
{
    struct hashurl_kept *oldest = &c->v[0];
    if (sha1.n != HASHURL_SHA1 || hashurl_find(c, sha1).n)
        return;
    for (unsigned i = 1; i < HASHURL_CACHE; i++)
        if (c->v[i].used < oldest->used)
            oldest = &c->v[i];
    buf_fini(&oldest->data);
    if (buf_set(&oldest->data, data) != ADIT_OK)
        return;
    span_copy(oldest->sha1, sha1);
    oldest->used = ++c->uses;
}

void hashurl_cache_fini(void *cache)
{
    struct hashurl_cache *c = cache;
    for (unsigned i = 0; i < HASHURL_CACHE; i++)
        buf_fini(&c->v[i].data);
}
