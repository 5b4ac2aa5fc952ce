/* list.c - the octets of SUPPORTED_AUTH_METHODS (RFC 9593 s3.2) and what a list says about one way to authenticate. */
#include "ike/ext/authlist/authlist.h"

#define CA_SIZE 20 /* SHA-1 of a public key, RFC 7296 s3.7 */

bool announcement_get(struct rd *in, struct announcement *out)
{
    *out = (struct announcement){ 0 };
    if (!rd_more(in))
        return false;
    uint8_t n = rd_u8(in); /* counts itself */
    if (!rd_require(in, n >= 2, "an announcement is shorter than 2 octets"))
        return false;
    struct rd body = rd_sub(in, n - 1u);
    out->method = rd_u8(&body);
    out->linked = rd_more(&body);
    out->link = out->linked ? rd_u8(&body) : 0;
    out->algid = rd_rest(&body);
    return rd_join(in, &body);
}

bool announcement_is_known(const struct announcement *a)
{
    switch (a->method) {
    case AUTH_SHARED_KEY_MIC: return !a->linked;
    case AUTH_RSA_SIGNATURE:
    case AUTH_ECDSA_256:
    case AUTH_ECDSA_384:
    case AUTH_ECDSA_521: return a->linked && !a->algid.n;
    case AUTH_DIGITAL_SIGNATURE: return a->algid.n > 0;
    default: return false;
    }
}

void announcement_put(struct wr *w, uint8_t method, struct adit_span algid)
{
    bool has_key = method != AUTH_SHARED_KEY_MIC;
    wr_u8(w, (uint8_t)(2 + has_key + algid.n));
    wr_u8(w, method);
    if (has_key)
        wr_u8(w, 0); /* any CA: our policy does not tie algorithms to CAs */
    wr_span(w, algid);
}

bool authlist_is_good(struct adit_span list)
{
    struct rd in = rd_init(list);
    struct announcement a;
    unsigned n = 0;
    while (announcement_get(&in, &a))
        n++;
    return rd_ok(&in) && n > 0 && n <= AUTHLIST_MAX && list.n <= AUTHLIST_OCTETS_MAX;
}

/* Cert Link n: only below the nth CA. One beyond the CAs that were sent means nothing; without any it is ignored. */
static bool link_holds(const struct announcement *a, struct adit_span cas, const struct auth_way *way)
{
    size_t at = (size_t)(a->link - 1) * CA_SIZE;
    if (!a->link || cas.n < CA_SIZE)
        return true;
    return at + CA_SIZE <= cas.n && auth_way_leads_to(way, span(cas.p + at, CA_SIZE));
}

/* The row that it stands for; RSASSA-PSS in either encoding is the same. NULL: none that we know. */
static const struct sig_alg *meant(const struct announcement *a, const struct auth_way *way)
{
    if (a->method == AUTH_DIGITAL_SIGNATURE)
        return crypto_sig_by_algid(a->algid);
    return a->method == way->method ? way->alg : NULL; /* the older methods name no hash */
}

static bool is_family(const struct sig_alg *a, const struct sig_alg *b)
{
    return a->auth_method == b->auth_method && a->key == b->key && a->pss == b->pss;
}

/* The place of the first announcement of its kind of key counts, so that among the hashes named the one that suits the
 * key is taken rather than the one that happens to stand first. */
unsigned authlist_rank(struct adit_span list, struct adit_span cas, const struct auth_way *way)
{
    struct rd in = rd_init(list);
    struct announcement a;
    unsigned family = AUTH_RANK_LAST;
    bool named = false;
    for (unsigned place = 0; announcement_get(&in, &a); place++) {
        if (!announcement_is_known(&a) || a.method != way->method || !link_holds(&a, cas, way))
            continue;
        const struct sig_alg *alg = way->alg ? meant(&a, way) : NULL;
        if (way->alg && (!alg || !is_family(alg, way->alg)))
            continue;
        family = family == AUTH_RANK_LAST ? place : family;
        named |= alg == way->alg;
    }
    return named ? family : AUTH_RANK_LAST;
}
