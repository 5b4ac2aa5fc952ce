/* policy_find.c - finding a connection, a secret or a certificate in a snapshot: the most specific one first. */
#include "ike/policy.h"
#include "base/wr.h"
#include "wire/iana.h"

#define CERTREQ_MAX 50 /* 1000 octets: IKE_SA_INIT cannot be fragmented */
#define SHA1_SIZE 20
#define CHAIN_MAX 8

/* --- connections --------------------------------------------------------------------------------------------- */

static uint64_t key_of(const char *name)
{
    uint64_t h = 0;
    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    return h;
}

enum adit_rc policy_index(struct policy *p)
{
    for (size_t i = p->n_conns; i-- > 0;) /* of two with one hash the first is in the map */
        TRY(map_put(&p->by_name, key_of(p->conns[i].cfg->name), &p->conns[i]));
    return ADIT_OK;
}

const struct policy_conn *policy_conn_by_name(const struct policy *p, const char *name)
{
    const struct policy_conn *c = map_get(&p->by_name, key_of(name));
    for (; c && c < p->conns + p->n_conns; c++)
        if (!strcmp(c->cfg->name, name))
            return c;
    return NULL;
}

const struct policy_conn *policy_conn_by_child(const struct policy *p, const char *conn, const char *child)
{
    const struct policy_conn *named = conn ? policy_conn_by_name(p, conn) : NULL;
    if (conn)
        return named && conn_child(named->cfg, child) ? named : NULL;
    for (size_t i = 0; i < p->n_conns; i++)
        if (conn_child(p->conns[i].cfg, child))
            return &p->conns[i];
    return NULL;
}

/* Leading bits that both have in common. */
static int common_bits(struct adit_span a, struct adit_span b)
{
    for (size_t i = 0; i < a.n; i++)
        if (a.p[i] != b.p[i])
            return (int)(8 * i) + __builtin_clz((unsigned)(a.p[i] ^ b.p[i])) -
                   (int)(8 * sizeof(unsigned) - 8);
    return (int)(8 * a.n);
}

/* -1: does not match; 0: any address; more: the narrower the range, the higher. A name that only the host can resolve
 * counts as any: identities decide later. */
static int spec_rank(const struct adit_addr_spec *spec, const struct adit_addr *addr)
{
    if (spec->any || !spec->lo.family)
        return 0;
    if (!addr_spec_match(spec, addr))
        return -1;
    return 1 + common_bits(addr_span(&spec->lo), addr_span(&spec->hi));
}

static int side_rank(const struct adit_addr_spec *specs, uint16_t n, const struct adit_addr *addr)
{
    int best = n ? -1 : 0;
    for (uint16_t i = 0; i < n; i++) {
        int rank = spec_rank(&specs[i], addr);
        if (rank > best)
            best = rank;
    }
    return best;
}

static int path_rank(const struct policy_conn *conn, const struct adit_path *path)
{
    const struct adit_conn *cfg = conn->cfg;
    int remote = side_rank(cfg->remote_addrs, cfg->n_remote_addrs, &path->remote.addr);
    int local = side_rank(cfg->local_addrs, cfg->n_local_addrs, &path->local.addr);
    return remote < 0 || local < 0 ? -1 : remote * 1000 + local;
}

bool policy_conn_allows(const struct policy_conn *conn, const struct adit_addr *local, const struct adit_addr *remote)
{
    const struct adit_conn *cfg = conn->cfg;
    return (!local || side_rank(cfg->local_addrs, cfg->n_local_addrs, local) >= 0) &&
           (!remote || side_rank(cfg->remote_addrs, cfg->n_remote_addrs, remote) >= 0);
}

/* The first one of the highest rank below `limit`. */
static const struct policy_conn *best_below(const struct policy *p, const struct adit_path *path, int limit)
{
    const struct policy_conn *best = NULL;
    int best_rank = -1;
    for (size_t i = 0; i < p->n_conns; i++) {
        int rank = path_rank(&p->conns[i], path);
        if (rank >= limit || rank <= best_rank)
            continue;
        best = &p->conns[i];
        best_rank = rank;
    }
    return best;
}

/* Thousands of connections may share a rank ("any address"), and a stranger's packet may have us walk over all of them:
 * within a rank each step begins where the one before ended. */
const struct policy_conn *policy_conn_by_path(const struct policy *p, const struct adit_path *path,
                                              const struct policy_conn *after)
{
    int rank = after ? path_rank(after, path) : INT32_MAX;
    for (const struct policy_conn *c = after ? after + 1 : NULL; c && c < p->conns + p->n_conns; c++)
        if (path_rank(c, path) == rank)
            return c;
    return best_below(p, path, rank);
}

bool policy_remote_id_ok(const struct policy_auth *auth, const struct adit_id *id)
{
    if (auth->id.type == ID_DER_ASN1_DN && id->type == ID_DER_ASN1_DN)
        return pki_dn_match(auth->id.data, id->data);
    return id_match(&auth->id, id);
}

/* The initiator may ask for any name that we can prove. */
static bool local_id_ok(const struct policy_auth *auth, const struct adit_id *idr)
{
    if (!idr || !idr->type || !auth->id.type || id_equal(&auth->id, idr))
        return true;
    return auth->cert && pki_cert_proves(auth->cert->cert, idr, NULL);
}

bool policy_conn_fits(const struct policy_conn *conn, const struct adit_path *path, const struct adit_id *idi,
                      const struct adit_id *idr)
{
    return path_rank(conn, path) >= 0 && policy_remote_id_ok(&conn->remote[0], idi) &&
           local_id_ok(&conn->local[0], idr);
}

/* --- secrets ------------------------------------------------------------------------------------------------- */

static int owner_rank(const struct adit_id *owner, const struct adit_id *id)
{
    if (!owner->type || !id->type)
        return 0;
    return id_equal(owner, id) ? 2 : id_match(owner, id) ? 1 : 0;
}

/* Both > remote > local > anybody; equal names before patterns. -1: not for this pair. A secret that names others beside
 * us is theirs: "local only" holds if nobody else is named, or one peer could pose as another. */
static int secret_rank(const struct adit_shared *s, const struct adit_id *local, const struct adit_id *remote)
{
    int l = 0, r = 0;
    bool others = false;
    for (uint16_t i = 0; i < s->n_owners; i++) {
        int as_local = owner_rank(&s->owners[i], local), as_remote = owner_rank(&s->owners[i], remote);
        l = as_local > l ? as_local : l;
        r = as_remote > r ? as_remote : r;
        others |= s->owners[i].type && !as_local && !as_remote;
    }
    if (others && (!r || id_equal(local, remote))) /* nor may a named peer pose as ourselves */
        return -1;
    return (r ? 20 + r : 0) + (l ? 10 + l : 0);
}

const struct adit_shared *policy_psk(const struct policy *p, const struct adit_id *local,
                                     const struct adit_id *remote)
{
    const struct adit_shared *const *all, *best = NULL;
    size_t n = adit_config_shared(p->config, &all);
    int best_rank = -1;
    for (size_t i = 0; i < n; i++) {
        int rank = all[i]->type == ADIT_SHARED_IKE ? secret_rank(all[i], local, remote) : -1;
        if (rank <= best_rank)
            continue;
        best = all[i];
        best_rank = rank;
    }
    return best;
}

/* --- certificates -------------------------------------------------------------------------------------------- */

static bool is_listed(const uint8_t *sha1, struct adit_span hashes)
{
    for (size_t at = 0; at + SHA1_SIZE <= hashes.n; at += SHA1_SIZE)
        if (span_equal(span(hashes.p + at, SHA1_SIZE), span(sha1, SHA1_SIZE)))
            return true;
    return false;
}

static bool is_issued_by_listed(const struct policy *p, const struct pki_cert *cert, struct adit_span hashes)
{
    struct pki_cert *const *cas;
    size_t n = pki_store_cas(p->store, &cas);
    for (size_t i = 0; i < n; i++)
        if (is_listed(pki_cert_spki_sha1(cas[i]), hashes) && pki_cert_issued(cas[i], cert))
            return true;
    return false;
}

bool policy_cert_leads_to(const struct policy *p, const struct pki_cert *leaf, struct adit_span hashes)
{
    const struct pki_cert *chain[CHAIN_MAX];
    size_t n = pki_chain(p->store, leaf, chain, CHAIN_MAX);
    if (is_issued_by_listed(p, leaf, hashes))
        return true;
    for (size_t i = 0; i < n; i++)
        if (is_listed(pki_cert_spki_sha1(chain[i]), hashes) || is_issued_by_listed(p, chain[i], hashes))
            return true;
    return false;
}

/* CERTREQ is a hint (RFC 7296 s3.7): without a certificate from an issuer asked for, the first that proves the identity
 * is sent all the same. */
const struct policy_cert *policy_cert_for(const struct policy *p, const struct policy_auth *auth,
                                          struct adit_span certreq_hashes)
{
    const struct policy_cert *first = NULL;
    if (auth->cert || auth->cfg->n_certs)
        return auth->cert;
    for (size_t i = 0; i < p->n_certs; i++) {
        const struct policy_cert *row = &p->certs[i];
        if (!row->key || (auth->id.type && !pki_cert_proves(row->cert, &auth->id, NULL)))
            continue;
        if (policy_cert_leads_to(p, row->cert, certreq_hashes))
            return row;
        if (!first)
            first = row;
    }
    return first;
}

const struct policy_cert *policy_cert_next(const struct policy *p, const struct policy_auth *auth, size_t *i)
{
    const struct policy_cert *rows = auth->cfg->n_certs ? auth->own : p->certs;
    size_t n = auth->cfg->n_certs ? auth->cfg->n_certs : p->n_certs;
    while (*i < n) {
        const struct policy_cert *row = &rows[(*i)++];
        if (row->key && (!auth->id.type || pki_cert_proves(row->cert, &auth->id, NULL)))
            return row;
    }
    return NULL;
}

static bool pinned_may_sign(const struct policy_auth *remote, const struct sig_alg *alg)
{
    for (size_t i = 0; i < remote->n_pinned; i++)
        if (sig_fits(alg, pki_cert_key(remote->pinned[i])))
            return true;
    return remote->n_pinned == 0;
}

bool policy_accepts(const struct policy_auth *remote, const struct sig_alg *alg)
{
    enum adit_auth_class class = remote->cfg->class;
    if (!alg)
        return class == ADIT_AUTH_PSK || class == ADIT_AUTH_ANY;
    return (class == ADIT_AUTH_PUBKEY || class == ADIT_AUTH_ANY) && auth_sig_allowed(alg, &remote->constraints) &&
           pinned_may_sign(remote, alg);
}

static uint32_t hashes_of(const struct policy_conn *conn)
{
    uint32_t bits = 0;
    for (uint16_t i = 0; i < conn->cfg->n_remote; i++)
        bits |= auth_hashes_named(&conn->remote[i].constraints);
    return bits;
}

uint32_t policy_hashes(const struct policy *p, const struct policy_conn *conn)
{
    uint32_t bits = conn ? hashes_of(conn) : 0;
    for (size_t i = 0; i < p->n_conns && !conn; i++)
        bits |= hashes_of(&p->conns[i]);
    return bits;
}

static size_t certreq_anchors(const struct policy_conn *conn, struct wr *w)
{
    size_t n = 0;
    uint16_t rounds = conn && conn->cfg->n_remote ? conn->cfg->n_remote : 0;
    for (uint16_t r = 0; r < rounds; r++)
        for (size_t i = 0; i < conn->remote[r].pki.n_anchors && n < CERTREQ_MAX; i++, n++)
            wr_span(w, conn->remote[r].pki.anchors[i]);
    return n;
}

void policy_certreq(const struct policy *p, const struct policy_conn *conn, struct wr *w)
{
    struct pki_cert *const *cas;
    if (certreq_anchors(conn, w))
        return;
    size_t n = pki_store_cas(p->store, &cas);
    for (size_t i = 0; i < n && i < CERTREQ_MAX; i++)
        wr_span(w, span(pki_cert_spki_sha1(cas[i]), SHA1_SIZE));
}
