/* policy.c - a configuration snapshot made ready for use: certificates, keys, identities and constraints parsed, once
 * and before anything depends on them. Looking things up: policy_find.c. */
#include "ike/policy.h"
#include "base/mem.h"
#include "base/why.h"

#define RSA_BITS_MIN 2048 /* RFC 8247 s3.1.1 */

struct build {
    struct policy *p;
    size_t n_certs_max;
    struct adit_why *why;
};

static enum adit_rc no_memory(struct build *b)
{
    return why_set(b->why, ADIT_ERR_MEMORY, "no memory for the configuration");
}

static const char *source_name(const char *source)
{
    return source ? source : "(no name)";
}

/* --- keys and certificates ----------------------------------------------------------------------------------- */

static enum adit_rc load_key(struct build *b, const struct adit_key *key)
{
    struct crypto_key **slot = &b->p->keys[b->p->n_keys];
    enum adit_rc rc = key->uri ? key_load_uri(b->p->crypto, key->uri, key->pass, slot, b->why)
                               : key_parse_private(b->p->crypto, key->data, key->pass, slot, b->why);
    if (rc != ADIT_OK)
        return why_context(b->why, rc, "private key %s", source_name(key->source ? key->source : key->uri));
    b->p->n_keys++;
    return ADIT_OK;
}

static enum adit_rc load_keys(struct build *b)
{
    const struct adit_key *const *keys;
    size_t n = adit_config_keys(b->p->config, &keys);
    b->p->keys = arena_new(&b->p->arena, (n + 1) * sizeof(b->p->keys[0]));
    if (!b->p->keys)
        return no_memory(b);
    for (size_t i = 0; i < n; i++)
        TRY(load_key(b, keys[i]));
    return ADIT_OK;
}

static struct crypto_key *key_of(const struct policy *p, const struct pki_cert *cert)
{
    for (size_t i = 0; i < p->n_keys; i++)
        if (key_same_public(p->keys[i], pki_cert_key(cert)))
            return p->keys[i];
    return NULL;
}

/* Parses an end-entity certificate into the next row, together with its key. */
static enum adit_rc load_leaf(struct build *b, struct adit_span data, const struct policy_cert **out)
{
    struct policy_cert *row = &b->p->certs[b->p->n_certs];
    if (b->p->n_certs == b->n_certs_max)
        return why_set(b->why, ADIT_ERR_BUG, "certificates were miscounted");
    TRY(pki_cert_parse(b->p->crypto, data, &row->cert, b->why));
    row->key = key_of(b->p, row->cert);
    b->p->n_certs++;
    *out = row;
    return ADIT_OK;
}

static enum adit_rc load_ca(struct build *b, struct adit_span data, uint8_t *spki_sha1)
{
    struct pki_cert *ca;
    TRY(pki_cert_parse(b->p->crypto, data, &ca, b->why));
    enum adit_rc rc = pki_cert_is_ca(ca)
                          ? pki_store_add_ca(b->p->store, ca)
                          : why_set(b->why, ADIT_ERR_CONFIG, "it is not a CA's (basicConstraints)");
    if (rc == ADIT_OK && spki_sha1)
        span_copy(spki_sha1, span(pki_cert_spki_sha1(ca), 20));
    pki_cert_free(ca);
    return rc;
}

static enum adit_rc load_cert(struct build *b, const struct adit_cert *cert)
{
    const struct policy_cert *ignored;
    switch (cert->use) {
    case ADIT_CERT_END_ENTITY: return load_leaf(b, cert->data, &ignored);
    case ADIT_CERT_CA: return load_ca(b, cert->data, NULL);
    case ADIT_CERT_CRL: return pki_store_add_crl(b->p->store, cert->data, b->why);
    }
    return ADIT_ERR_BUG;
}

static size_t count_local_certs(const struct adit_config *cfg)
{
    const struct adit_conn *const *conns;
    size_t n = adit_config_conns(cfg, &conns), count = 0;
    for (size_t i = 0; i < n; i++)
        for (uint16_t j = 0; j < conns[i]->n_local; j++)
            count += conns[i]->local[j].n_certs;
    return count;
}

static enum adit_rc load_certs(struct build *b)
{
    static const char *const uses[] = { "certificate", "CA certificate", "CRL" };
    const struct adit_cert *const *certs;
    size_t n = adit_config_certs(b->p->config, &certs);
    b->n_certs_max = n + count_local_certs(b->p->config);
    b->p->certs = arena_new(&b->p->arena, (b->n_certs_max + 1) * sizeof(b->p->certs[0]));
    if (!b->p->certs)
        return no_memory(b);
    for (size_t i = 0; i < n; i++) {
        enum adit_rc rc = load_cert(b, certs[i]);
        if (rc != ADIT_OK)
            return why_context(b->why, rc, "%s %s", uses[certs[i]->use], source_name(certs[i]->source));
    }
    return ADIT_OK;
}

/* --- rounds of authentication -------------------------------------------------------------------------------- */

/* An identity as configured: parsed, or as text whose DN only pki can encode. */
static enum adit_rc read_id(struct build *b, const struct adit_auth_cfg *cfg, struct adit_id *out)
{
    *out = cfg->id;
    if (cfg->id.type || !cfg->id_text)
        return ADIT_OK;
    return id_parse(cfg->id_text, &b->p->arena, pki_dn_encode, NULL, out, b->why);
}

static enum adit_rc read_constraints(struct build *b, struct policy_auth *auth)
{
    enum adit_auth_class class = auth->cfg->class;
    auth->pki.min_rsa_bits = RSA_BITS_MIN;
    if (class != ADIT_AUTH_PUBKEY && class != ADIT_AUTH_ANY)
        return ADIT_OK;
    TRY(auth_constraints_parse(auth->cfg->auth, &auth->constraints, b->why));
    if (auth->constraints.chain_rsa_bits)
        auth->pki.min_rsa_bits = auth->constraints.chain_rsa_bits;
    return ADIT_OK;
}

static enum adit_rc load_local(struct build *b, struct policy_auth *auth)
{
    const struct policy_cert *row, *first = NULL;
    TRY(read_constraints(b, auth));
    for (uint16_t i = 0; i < auth->cfg->n_certs; i++) {
        enum adit_rc rc = load_leaf(b, auth->cfg->certs[i], &row);
        if (rc != ADIT_OK)
            return why_context(b->why, rc, "its certificate %u", i + 1u);
        if (!first)
            first = row;
        if (!auth->cert && row->key)
            auth->cert = row;
    }
    auth->own = first; /* the others lie behind it */
    TRY(read_id(b, auth->cfg, &auth->id));
    if (!auth->id.type && first)
        auth->id = pki_cert_subject_id((auth->cert ? auth->cert : first)->cert);
    return ADIT_OK;
}

static enum adit_rc load_pinned(struct build *b, struct policy_auth *auth)
{
    struct pki_cert **pinned = arena_new(&b->p->arena, (auth->cfg->n_certs + 1u) * sizeof(*pinned));
    if (!pinned)
        return no_memory(b);
    auth->pinned = pinned;
    for (uint16_t i = 0; i < auth->cfg->n_certs; i++) {
        enum adit_rc rc = pki_cert_parse(b->p->crypto, auth->cfg->certs[i], &pinned[i], b->why);
        if (rc != ADIT_OK)
            return why_context(b->why, rc, "its certificate %u", i + 1u);
        auth->n_pinned++;
    }
    return ADIT_OK;
}

static enum adit_rc load_anchors(struct build *b, struct policy_auth *auth)
{
    uint16_t n = auth->cfg->n_cacerts;
    struct adit_span *anchors = arena_new(&b->p->arena, (n + 1u) * sizeof(*anchors));
    uint8_t *hashes = arena_new(&b->p->arena, (n + 1u) * 20u);
    if (!anchors || !hashes)
        return no_memory(b);
    for (uint16_t i = 0; i < n; i++) {
        enum adit_rc rc = load_ca(b, auth->cfg->cacerts[i], hashes + 20u * i);
        if (rc != ADIT_OK)
            return why_context(b->why, rc, "its CA certificate %u", i + 1u);
        anchors[i] = span(hashes + 20u * i, 20);
    }
    auth->pki.anchors = anchors;
    auth->pki.n_anchors = n;
    return ADIT_OK;
}

static enum adit_rc load_remote(struct build *b, struct policy_auth *auth)
{
    auth->pki.revocation = auth->cfg->revocation;
    TRY(read_constraints(b, auth));
    TRY(load_pinned(b, auth));
    TRY(load_anchors(b, auth));
    TRY(read_id(b, auth->cfg, &auth->id));
    if (!auth->id.type && !auth->cfg->id_text && auth->n_pinned)
        auth->id = pki_cert_subject_id(auth->pinned[0]);
    return ADIT_OK;
}

typedef enum adit_rc load_fn(struct build *b, struct policy_auth *auth);
/* A side without a section authenticates with public keys, as the documentation of `auth` says. */
static enum adit_rc load_side(struct build *b, const struct adit_auth_cfg *cfg, uint16_t n, load_fn *load,
                              const struct policy_auth **out)
{
    static const struct adit_auth_cfg none = { .class = ADIT_AUTH_PUBKEY };
    struct policy_auth *rounds = arena_new(&b->p->arena, (n ? n : 1u) * sizeof(*rounds));
    if (!rounds)
        return no_memory(b);
    *out = rounds;
    rounds[0].cfg = &none;
    for (uint16_t i = 0; i < n; i++)
        rounds[i].cfg = &cfg[i];
    for (uint16_t i = 0; i < (n ? n : 1); i++)
        TRY(load(b, &rounds[i]));
    return ADIT_OK;
}

static enum adit_rc load_conn(struct build *b, const struct adit_conn *cfg)
{
    struct policy_conn *conn = &b->p->conns[b->p->n_conns++];
    conn->cfg = cfg;
    enum adit_rc rc = load_side(b, cfg->local, cfg->n_local, load_local, &conn->local);
    if (rc != ADIT_OK)
        return why_context(b->why, rc, "connection '%s', local", cfg->name);
    rc = load_side(b, cfg->remote, cfg->n_remote, load_remote, &conn->remote);
    if (rc != ADIT_OK)
        return why_context(b->why, rc, "connection '%s', remote", cfg->name);
    return ADIT_OK;
}

static enum adit_rc load_conns(struct build *b)
{
    const struct adit_conn *const *conns;
    size_t n = adit_config_conns(b->p->config, &conns);
    b->p->conns = arena_new(&b->p->arena, (n + 1) * sizeof(b->p->conns[0]));
    if (!b->p->conns)
        return no_memory(b);
    for (size_t i = 0; i < n; i++)
        TRY(load_conn(b, conns[i]));
    return policy_index(b->p) == ADIT_OK ? ADIT_OK : no_memory(b);
}

/* --- the whole ----------------------------------------------------------------------------------------------- */

static void default_u32(uint32_t *value, uint32_t fallback)
{
    if (*value == 0)
        *value = fallback;
}

static void fill_settings(struct adit_ike_settings *s)
{
    default_u32(&s->retransmit_tries, 5);
    default_u32(&s->half_open_timeout_s, 30);
    default_u32(&s->cookie_threshold, 30);
    default_u32(&s->cookie_threshold_ip, 3);
    default_u32(&s->half_open_max, 50000);
    if (!(s->retransmit_timeout_s > 0))
        s->retransmit_timeout_s = 4.0;
    if (!(s->retransmit_base >= 1))
        s->retransmit_base = 1.8;
    if (!s->port)
        s->port = 500;
    if (!s->port_nat_t)
        s->port_nat_t = 4500;
}

static enum adit_rc load(struct build *b)
{
    b->p->store = pki_store_new(b->p->crypto);
    if (!b->p->store)
        return no_memory(b);
    TRY(load_keys(b));
    TRY(load_certs(b));
    TRY(load_conns(b));
    return policy_stock_load(b->p, b->why);
}

enum adit_rc policy_new(const struct adit_crypto *crypto, struct adit_config *cfg, struct policy **out,
                        struct adit_why *why)
{
    struct policy *p = mem_new(sizeof(*p));
    struct build b = { .p = p, .why = why };
    if (!p)
        return no_memory(&b);
    p->refs = 1;
    map_init(&p->by_name, 0); /* names are the configuration's own: nobody chooses them against us */
    p->crypto = crypto;
    p->config = adit_config_ref(cfg);
    p->settings = *adit_config_get_settings(cfg);
    fill_settings(&p->settings);
    enum adit_rc rc = load(&b);
    if (rc != ADIT_OK) {
        policy_unref(p);
        return rc;
    }
    *out = p;
    return ADIT_OK;
}

struct policy *policy_ref(struct policy *p)
{
    if (p)
        p->refs++;
    return p;
}

static void free_pinned(const struct policy_conn *conn)
{
    uint16_t n = conn->cfg->n_remote ? conn->cfg->n_remote : 1;
    for (uint16_t i = 0; conn->remote && i < n; i++)
        for (size_t j = 0; j < conn->remote[i].n_pinned; j++)
            pki_cert_free(conn->remote[i].pinned[j]);
}

void policy_unref(struct policy *p)
{
    if (!p || --p->refs)
        return;
    for (size_t i = 0; i < p->n_conns; i++)
        free_pinned(&p->conns[i]);
    for (size_t i = 0; i < p->n_certs; i++)
        pki_cert_free(p->certs[i].cert);
    for (size_t i = 0; i < p->n_keys; i++)
        key_free(p->keys[i]);
    pki_store_free(p->store);
    map_fini(&p->by_name);
    arena_fini(&p->arena);
    adit_config_unref(p->config);
    mem_del(p);
}
