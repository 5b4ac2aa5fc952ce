/* hashurl.c - certificates by hash and URL (RFC 7296 s3.6): ours go as URLs to a peer that has said that it can look them
 * up; a peer's are fetched by the host, from places that the configuration names, and only when they have their hash. Both
 * are off until configured: a peer that nobody has authenticated makes the gateway fetch. */
#include "ike/ext/hashurl/hashurl.h"

#define BUNDLE_CERTS 8

struct state {
    bool peer_can;             /* responder: the initiator has said so in IKE_AUTH */
    bool sent, received;       /* for list-sas */
};

/* The announcements: they say that we look up. That ours may be looked up needs none. */
static bool may_use(struct ike_sa *sa)
{
    return sa_option(sa, "cert_uri_allowed")[0] != 0;
}

/* --- "I can look certificates up" ------------------------------------------------------------------------------------------ */

static bool may_be_shown_certs(const struct ike_sa *sa)
{
    const struct sig_alg *alg;
    for (size_t i = 0; (alg = crypto_sig_at(i)); i++)
        if (sa_accepts(sa, alg))
            return true;
    return false;
}

static void put(struct ike_sa *sa, struct wr *w)
{
    if (may_be_shown_certs(sa))
        notify_put(w, N_HTTP_CERT_LOOKUP_SUPPORTED, SPAN_NONE);
}

/* The answer to this very message depends on it. */
static void get(struct ike_sa *sa, const struct ike_msg *msg, const struct notify *n)
{
    struct state *s = sa_is_initiator(sa) ? NULL : ext_sa(sa, EXT_hashurl);
    if (s)
        s->peer_can = true;
}

/* --- ours ------------------------------------------------------------------------------------------------------------------ */

static bool peer_can(const struct ike_sa *sa)
{
    const struct state *s = ext_peek(sa, EXT_hashurl);
    return sa_is_initiator(sa) ? ext_peer_announced(sa, EXT_hashurl) : s && s->peer_can;
}

static bool put_url(struct wr *w, const char *base, uint8_t encoding, struct adit_span what)
{
    uint8_t hash[64], mem[HASHURL_SHA1 + HASHURL_URL_MAX];
    struct wr data;
    wr_init(&data, mem, sizeof(mem));
    if (crypto_hash(HASH_SHA1, &what, 1, hash) != HASHURL_SHA1 || !hashurl_put(base, hash, &data))
        return false;
    cert_put(w, PLD_CERT, encoding, wr_written(&data));
    return true;
}

static bool put_bundle(struct wr *w, const char *base, const struct pki_cert *const *certs, size_t n)
{
    struct adit_buf bundle = { 0 };
    bool ok = pki_bundle_make(certs, n, &bundle) == ADIT_OK &&
              put_url(w, base, CERTENC_HASH_URL_BUNDLE, buf_span(&bundle));
    buf_fini(&bundle);
    return ok;
}

static bool cert_put_url(struct ike_sa *sa, const struct pki_cert *const *certs, size_t n, struct wr *w)
{
    const char *base = sa_option(sa, "cert_uri_base");
    struct state *s = base[0] && peer_can(sa) ? ext_sa(sa, EXT_hashurl) : NULL;
    if (!s)
        return false;
    if (span_equal(span_str(sa_option(sa, "cert_uri_bundle")), SPAN_LIT("yes")))
        s->sent = put_bundle(w, base, certs, n);
    else
        for (size_t i = 0; i < n && (i == 0 || s->sent); i++)
            s->sent = put_url(w, base, CERTENC_HASH_URL_CERT, pki_cert_der(certs[i]));
    return s->sent;
}

/* --- theirs ---------------------------------------------------------------------------------------------------------------- */

static enum adit_rc check_hash(const struct hashurl *h, struct adit_span data, struct adit_why *why)
{
    uint8_t hash[64];
    if (crypto_hash(HASH_SHA1, &data, 1, hash) == HASHURL_SHA1 && span_equal(span(hash, HASHURL_SHA1), h->sha1))
        return ADIT_OK;
    return why_set(why, ADIT_ERR_AUTH, "what %s leads to does not have the hash that the peer has sent", h->url);
}

static enum adit_rc look_up(struct ike_xchg *x, const struct hashurl *h, struct ike_fetch *f, struct adit_span *data,
                            struct adit_why *why)
{
    struct hashurl_cache *cache = ext_engine(xchg_sa(x), EXT_hashurl);
    if (!cache)
        return ADIT_ERR_MEMORY;
    *data = hashurl_find(cache, h->sha1);
    if (data->n)
        return ADIT_OK;
    enum adit_rc rc = xchg_fetch(x, f, h->url, HASHURL_MOST);
    if (rc == ADIT_WAIT)
        return rc;
    if (rc != ADIT_OK)
        return why_set(why, rc, "%s: %s", h->url, rc == ADIT_ERR_LIMIT ? "too much is being fetched" : "not to be had");
    TRY(check_hash(h, f->data, why));
    hashurl_keep(cache, h->sha1, f->data);
    *data = f->data;
    return ADIT_OK;
}

static enum adit_rc take_bundle(struct adit_span data, struct ike_certs *out, struct adit_why *why)
{
    struct adit_span certs[BUNDLE_CERTS];
    size_t n;
    TRY(pki_bundle_read(data, certs, ARRAY_LEN(certs), &n, why));
    for (size_t i = 0; i < n; i++)
        certs_add(out, certs[i]);
    return ADIT_OK;
}

static enum adit_rc cert_get_url(struct ike_xchg *x, const struct cert_payload *cert, struct ike_fetch *f,
                                 struct ike_certs *out, struct adit_why *why)
{
    struct ike_sa *sa = xchg_sa(x);
    struct adit_span data;
    struct hashurl h;
    if (cert->encoding != CERTENC_HASH_URL_CERT && cert->encoding != CERTENC_HASH_URL_BUNDLE)
        return ADIT_OK;
    struct state *s = ext_sa(sa, EXT_hashurl);
    if (!s)
        return ADIT_ERR_MEMORY;
    if (!hashurl_get(cert->data, &h, why))
        return ADIT_ERR_MALFORMED;
    if (!hashurl_is_allowed(h.url, sa_option(sa, "cert_uri_allowed")))
        return why_set(why, ADIT_ERR_POLICY, "%s is not below cert_uri_allowed", h.url);
    TRY(look_up(x, &h, f, &data, why));
    s->received = true;
    if (cert->encoding == CERTENC_HASH_URL_BUNDLE)
        return take_bundle(data, out, why);
    certs_add(out, data);
    return ADIT_OK;
}

static void status(struct ike_sa *sa, struct adit_ike_info *out)
{
    const struct state *s = ext_peek(sa, EXT_hashurl);
    if (s && (s->sent || s->received) && out->n_marks < ARRAY_LEN(out->marks))
        out->marks[out->n_marks++] = (struct adit_option){ "cert-by-url", s->sent && s->received ? "both"
                                                                          : s->sent              ? "local"
                                                                                                 : "remote" };
}

/* Whoever may send CERTREQ says it there (RFC 7296 s3.10.1). */
static const struct ike_announce announcements[] = {
    { .notify = N_HTTP_CERT_LOOKUP_SUPPORTED, .exchange = XCHG_IKE_SA_INIT, .rule = RESPONDER_ONLY, .put = put },
    { .notify = N_HTTP_CERT_LOOKUP_SUPPORTED, .exchange = XCHG_IKE_AUTH, .rule = REQUESTER_ONLY, .put = put, .get = get },
};

static const struct adit_option_def options[] = {
    { .key = "cert_uri_allowed",
      .scope = ADIT_OPT_DAEMON,
      .type = ADIT_OPT_TEXTS,
      .deflt = "",
      .owner = "hashurl",
      .doc = "http:// URLs below which peers' certificates are fetched, each with its path; empty: none" },
    { .key = "cert_uri_base",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_TEXT,
      .deflt = "",
      .owner = "hashurl",
      .doc = "our certificates are at this http:// URL followed by their SHA-1 in hexadecimal digits: peers that can look "
             "them up get that" },
    { .key = "cert_uri_bundle",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_BOOL,
      .deflt = "no",
      .owner = "hashurl",
      .doc = "with cert_uri_base: certificate and chain as one file there (CertificateBundle)" },
};

static const struct ike_vault cache = { .size = sizeof(struct hashurl_cache), .fini = hashurl_cache_fini };

const struct ike_ext ext_hashurl = {
    .id = EXT_hashurl,
    .name = "hashurl",
    .spec = "RFC 7296 s3.6",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .sa_size = sizeof(struct state),
    .announce = announcements,
    .n_announce = ARRAY_LEN(announcements),
    .vault = &cache,
    .on = { .may_use = may_use, .cert_put = cert_put_url, .cert_get = cert_get_url, .status = status },
};
