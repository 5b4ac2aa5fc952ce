/* chain.c - trust anchors and path validation (RFC 5280 s6 by OpenSSL, RFC 4945 s5 by us). The time is handed in; nothing
 * is fetched. */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "pki/pki_private.h"

#define EXTRA_MAX 16     /* CERT payloads of a peer that are looked at */
#define DEPTH_MAX 10     /* CA certificates in a path */
#define SECURITY_LEVEL 2 /* 112 bits: no SHA-1 signatures, RSA >= 2048, curves >= 224 bits in the path */
#define LOW_LEVEL 1      /* 80 bits: no SHA-1 either, RSA >= 1024: only where the connection asks for such keys */
#define LOW_BITS 2048    /* below that */
#define CAS_FIRST 8

void pki_store_free(struct pki_store *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_cas; i++)
        pki_cert_free(s->cas[i]);
    mem_del(s->cas);
    sk_X509_free(s->anchors);
    sk_X509_free(s->others);
    X509_STORE_free(s->lists);
    mem_del(s);
}

struct pki_store *pki_store_new(const struct adit_crypto *c)
{
    struct pki_store *s = mem_new(sizeof(*s));
    if (!s)
        return NULL;
    s->crypto = c;
    s->lists = X509_STORE_new();
    s->anchors = sk_X509_new_null();
    s->others = sk_X509_new_null();
    if (s->lists && s->anchors && s->others)
        return s;
    pki_store_free(s);
    return NULL;
}

static bool make_room(struct pki_store *s)
{
    if (s->n_cas < s->cap_cas)
        return true;
    size_t cap = s->cap_cas ? 2 * s->cap_cas : CAS_FIRST;
    struct pki_cert **cas = mem_resize(s->cas, cap * sizeof(struct pki_cert *));
    if (!cas)
        return false;
    s->cas = cas;
    s->cap_cas = cap;
    return true;
}

static bool issued(X509 *issuer, X509 *subject)
{
    return X509_check_issued(issuer, subject) == X509_V_OK;
}

/* Does any CA here but x509 itself stand above it? */
static bool has_issuer(const struct pki_store *s, X509 *x509)
{
    for (size_t i = 0; i < s->n_cas; i++)
        if (s->cas[i]->x509 != x509 && issued(s->cas[i]->x509, x509))
            return true;
    return false;
}

/* Anchors that the newcomer has issued are anchors no more. */
static bool demote_issued_by(struct pki_store *s, X509 *newcomer)
{
    for (int i = sk_X509_num(s->anchors) - 1; i >= 0; i--) {
        X509 *anchor = sk_X509_value(s->anchors, i);
        if (issued(anchor, anchor) || !issued(newcomer, anchor))
            continue;
        if (sk_X509_push(s->others, anchor) <= 0)
            return false;
        (void)sk_X509_delete(s->anchors, i);
    }
    return true;
}

static bool place(struct pki_store *s, X509 *x509)
{
    bool anchor = issued(x509, x509) || !has_issuer(s, x509);
    return demote_issued_by(s, x509) && sk_X509_push(anchor ? s->anchors : s->others, x509) > 0;
}

enum adit_rc pki_store_add_ca(struct pki_store *s, struct pki_cert *ca)
{
    if (!pki_cert_is_ca(ca))
        return ADIT_ERR_CONFIG;
    for (size_t i = 0; i < s->n_cas; i++)
        if (span_equal(pki_cert_der(s->cas[i]), pki_cert_der(ca)))
            return ADIT_OK;
    if (!make_room(s) || !place(s, ca->x509)) {
        ERR_clear_error();
        return ADIT_ERR_MEMORY;
    }
    s->cas[s->n_cas++] = pki_cert_ref(ca);
    ERR_clear_error();
    return ADIT_OK;
}

size_t pki_store_cas(const struct pki_store *s, struct pki_cert *const **out)
{
    *out = s->cas;
    return s->n_cas;
}

/* What one validation needs at hand when OpenSSL reports a problem. */
struct judge {
    enum adit_revocation revocation;
    int error, depth;
};

static int judge_problem(int ok, X509_STORE_CTX *ctx)
{
    struct judge *j = X509_STORE_CTX_get_app_data(ctx);
    if (ok)
        return 1;
    int error = X509_STORE_CTX_get_error(ctx), depth = X509_STORE_CTX_get_error_depth(ctx);
    /* Nobody can revoke the anchor: it is trusted by configuration. */
    bool is_anchor = depth > 0 && depth == sk_X509_num(X509_STORE_CTX_get0_chain(ctx)) - 1;
    enum adit_revocation strictness = is_anchor ? ADIT_REVOKE_RELAXED : j->revocation;
    X509 *x509 = X509_STORE_CTX_get_current_cert(ctx);
    if (x509 && pki_crl_may_pass(error, x509, strictness)) {
        X509_STORE_CTX_set_error(ctx, X509_V_OK);
        return 1;
    }
    j->error = error;
    j->depth = depth;
    return 0;
}

static bool prepare(X509_STORE_CTX *ctx, const struct pki_store *s, const struct pki_cert *leaf,
                    STACK_OF(X509) * untrusted, const struct pki_policy *policy, uint64_t unix_now)
{
    bool low = policy->min_rsa_bits && policy->min_rsa_bits < LOW_BITS;
    if (X509_STORE_CTX_init(ctx, s->lists, leaf->x509, untrusted) != 1)
        return false;
    X509_STORE_CTX_set0_trusted_stack(ctx, s->anchors);
    X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(p, (time_t)unix_now);
    X509_VERIFY_PARAM_set_depth(p, DEPTH_MAX);
    X509_VERIFY_PARAM_set_auth_level(p, low ? LOW_LEVEL : SECURITY_LEVEL);
    /* An anchor need not be self-signed; peers' certificates never are anchors. */
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    X509_STORE_CTX_set_verify_cb(ctx, judge_problem);
    return X509_VERIFY_PARAM_set_flags(p, flags) == 1 &&
           X509_VERIFY_PARAM_set_purpose(p, X509_PURPOSE_ANY) == 1;
}

static enum adit_rc say(const struct judge *j, STACK_OF(X509) * chain, struct adit_why *why)
{
    STRBUF(subject, 256);
    unsigned char *der = NULL;
    X509 *x509 = j->depth < sk_X509_num(chain) ? sk_X509_value(chain, j->depth) : NULL;
    int n = x509 ? i2d_X509_NAME(X509_get_subject_name(x509), &der) : -1;
    if (n > 0)
        pki_dn_print(span(der, (size_t)n), &subject);
    OPENSSL_free(der);
    return why_set(why, ADIT_ERR_AUTH, "certificate '%s' is not trusted: %s", subject.p,
                   X509_verify_cert_error_string(j->error));
}

static bool spki_sha1(X509 *x509, uint8_t out[64])
{
    unsigned char *spki = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &spki);
    struct adit_span part = span(spki, n > 0 ? (size_t)n : 0);
    bool ok = n > 0 && crypto_hash(HASH_SHA1, &part, 1, out) == 20;
    OPENSSL_free(spki);
    return ok;
}

static bool is_listed(X509 *x509, const struct pki_policy *policy)
{
    uint8_t id[64];
    if (!spki_sha1(x509, id))
        return false;
    for (size_t i = 0; i < policy->n_anchors; i++)
        if (span_equal(policy->anchors[i], span(id, 20)))
            return true;
    return false;
}

static enum adit_rc check_strength(X509 *x509, const struct pki_policy *policy, struct adit_why *why)
{
    EVP_PKEY *key = X509_get0_pubkey(x509);
    bool rsa = key && (EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS"));
    if (rsa && (unsigned)EVP_PKEY_get_bits(key) < policy->min_rsa_bits)
        return why_set(why, ADIT_ERR_AUTH, "a certificate of the path has an RSA key of only %d bits",
                       EVP_PKEY_get_bits(key));
    return ADIT_OK;
}

/* What OpenSSL leaves open: basicConstraints in every CA certificate (it lets some old forms pass), RSA sizes, and
 * the configured CAs, one of which the path must contain. */
static enum adit_rc check_path(STACK_OF(X509) * chain, const struct pki_policy *policy, struct adit_why *why)
{
    bool listed = policy->n_anchors == 0;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *x509 = sk_X509_value(chain, i);
        TRY(check_strength(x509, policy, why));
        if (i > 0 && X509_check_ca(x509) != 1)
            return why_set(why, ADIT_ERR_AUTH, "a certificate of the path is not one of a CA");
        listed = listed || (i > 0 && is_listed(x509, policy));
    }
    return listed ? ADIT_OK : why_set(why, ADIT_ERR_AUTH, "no CA of the path is among the configured ones");
}

static enum adit_rc validate(X509_STORE_CTX *ctx, const struct pki_policy *policy, struct adit_why *why)
{
    struct judge j = { .revocation = policy->revocation, .error = X509_V_ERR_UNSPECIFIED };
    X509_STORE_CTX_set_app_data(ctx, &j);
    bool ok = X509_verify_cert(ctx) == 1;
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    return ok ? check_path(chain, policy, why) : say(&j, chain, why);
}

enum adit_rc pki_verify(const struct pki_store *s, const struct pki_cert *leaf, struct pki_cert *const *extra,
                        size_t n_extra, const struct pki_policy *policy, uint64_t unix_now,
                        struct adit_why *why)
{
    TRY(pki_usage_check(leaf, why));
    X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(crypto_libctx(s->crypto), NULL);
    STACK_OF(X509) *untrusted = sk_X509_dup(s->others);
    bool ok = ctx && untrusted;
    for (size_t i = 0; ok && i < n_extra && i < EXTRA_MAX; i++)
        ok = sk_X509_push(untrusted, extra[i]->x509) > 0;
    enum adit_rc rc = ok && prepare(ctx, s, leaf, untrusted, policy, unix_now)
                          ? validate(ctx, policy, why)
                          : why_set(why, ADIT_ERR_MEMORY, "out of memory");
    X509_STORE_CTX_free(ctx);
    sk_X509_free(untrusted);
    ERR_clear_error();
    return rc;
}

static struct pki_cert *issuer_of(const struct pki_store *s, const struct pki_cert *subject)
{
    for (size_t i = 0; i < s->n_cas; i++)
        if (pki_cert_issued(s->cas[i], subject))
            return s->cas[i];
    return NULL;
}

size_t pki_chain(const struct pki_store *s, const struct pki_cert *leaf, const struct pki_cert **out,
                 size_t max)
{
    size_t n = 0;
    const struct pki_cert *at = leaf;
    while (n < max && n < DEPTH_MAX) {
        const struct pki_cert *issuer = issuer_of(s, at);
        if (!issuer || issuer == at || X509_self_signed(issuer->x509, 0) == 1)
            break;
        out[n++] = issuer;
        at = issuer;
    }
    ERR_clear_error();
    return n;
}
