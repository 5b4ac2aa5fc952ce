/* memo.c - one IKE SA goes on with what an earlier one has proven (RFC 5723 s5). A memo is taken only if the configuration
 * of today would allow such an SA: suite, identities, kind of authentication, and the very pre-shared key. */
#include "ike/memo.h"
#include "ike/xchg/auth_own.h"

/* --- made -------------------------------------------------------------------------------------------------------- */

static struct adit_id id_of(struct adit_span whole)
{
    return (struct adit_id){ .type = whole.p[0], .data = span_from(whole, 4) };
}

static bool by_psk(const char *name)
{
    return span_equal(span_str(name), SPAN_LIT("pre-shared key"));
}

/* Who changes the secret wants those that know the old one to be gone: the memo is bound to it. */
static enum adit_rc mark_of(const struct ike_sa *sa, const struct memo *m, uint8_t out[PRF_OUT_MAX],
                            struct adit_span *mark)
{
    struct adit_id local = id_of(m->id_local), remote = id_of(m->id_remote);
    const struct adit_shared *psk = policy_psk(sa->policy, &local, &remote);
    const struct prf_alg *prf = crypto_prf(sa->ike->host.crypto, m->suite.prf);
    struct adit_span parts[] = { SPAN_LIT("pre-shared key"), psk ? psk->secret : SPAN_NONE };
    *mark = SPAN_NONE;
    if (!prf || prf->out < MEMO_MARK)
        return ADIT_ERR_CRYPTO;
    if (!psk)
        return ADIT_OK;
    *mark = span(out, MEMO_MARK);
    return prf_compute(prf, m->sk_d, parts, ARRAY_LEN(parts), out);
}

static void put_carried(struct ike_sa *sa, struct wr *w)
{
    for (unsigned i = 0; i < EXT_COUNT; i++) {
        const struct ike_ext *e = ike_exts[i];
        if (!e->on.memo_put)
            continue;
        wr_u8(w, (uint8_t)strlen(e->name));
        wr_span(w, span_str(e->name));
        size_t at = w->n;
        wr_u8(w, 0);
        e->on.memo_put(sa, w);
        wr_set_u8(w, at, (uint8_t)(w->n - at - 1));
    }
}

uint64_t sa_unix_time(const struct ike_sa *sa)
{
    const struct adit_host *h = &sa->ike->host;
    return h->unix_time ? h->unix_time(h->unix_arg, sa->ike->now) : sa->ike->now / SECONDS(1);
}

/* Until when the peer's proof holds: an SA that goes on with it does not prolong it. */
static uint64_t proven_until(const struct ike_sa *sa)
{
    const struct adit_conn *c = sa->conn->cfg;
    uint64_t until = sa->known ? sa->known->proven_until : 0, own = 0;
    if (sa->reauth_by)
        own = sa_unix_time(sa) + (sa->reauth_by > sa->ike->now ? (sa->reauth_by - sa->ike->now) / SECONDS(1) : 0);
    else if (!sa->established_at && c->reauth_s)
        own = sa_unix_time(sa) + c->reauth_s + c->over_s;
    return until && (!own || until < own) ? until : own;
}

uint64_t sa_life_left(const struct ike_sa *sa)
{
    const struct adit_conn *c = sa->conn->cfg;
    uint64_t longest = c->rekey_s > c->reauth_s ? c->rekey_s : c->reauth_s, until = proven_until(sa);
    uint64_t left = longest ? longest + c->over_s : UINT64_MAX, now = sa_unix_time(sa);
    if (sa->established_at && sa->expire_at)
        left = sa->expire_at > sa->ike->now ? (sa->expire_at - sa->ike->now) / SECONDS(1) : 0;
    uint64_t proven = !until ? UINT64_MAX : until > now ? until - now : 0;
    return proven < left ? proven : left;
}

static enum adit_rc write_memo(struct ike_sa *sa, const struct ike_keys *keys, uint8_t *mem, struct adit_secret *out)
{
    uint8_t carried[600], mark[PRF_OUT_MAX];
    struct wr w, c;
    wr_init(&c, carried, sizeof(carried));
    put_carried(sa, &c);
    struct memo m = { .suite = sa->suite, .spi_i = sa->spi_i, .spi_r = sa->spi_r, .proven_until = proven_until(sa),
                      .conn = span_str(sa_conn_name(sa)), .id_local = buf_span(&sa->id_local),
                      .id_remote = buf_span(&sa->id_remote), .local_auth = span_str(sa->local_auth),
                      .remote_auth = span_str(sa->remote_auth), .sk_d = keys_d(keys), .carried = wr_written(&c) };
    if (m.id_local.n <= 4 || m.id_remote.n <= 4 || !wr_ok(&c) || m.conn.n > UINT8_MAX)
        return ADIT_ERR_LIMIT;
    if (by_psk(sa->local_auth) || by_psk(sa->remote_auth))
        TRY(mark_of(sa, &m, mark, &m.mark));
    wr_init(&w, mem, MEMO_MAX);
    memo_put(&w, &m);
    return wr_ok(&w) ? secret_set(out, wr_written(&w)) : ADIT_ERR_LIMIT;
}

enum adit_rc sa_memo_make(struct ike_sa *sa, struct adit_secret *out)
{
    uint8_t mem[MEMO_MAX];
    struct ike_keys *fresh;
    TRY(auth_new_keys(sa, &fresh));
    enum adit_rc rc = write_memo(sa, fresh ? fresh : &sa->keys, mem, out);
    mem_wipe(mem, sizeof(mem));
    return rc;
}

/* --- taken ------------------------------------------------------------------------------------------------------- */

bool conn_holds_suite(const struct ike *ike, const struct policy_conn *c, const struct adit_suite *suite)
{
    struct negotiate_rules r = { .crypto = ike->host.crypto, .extra_types = ~0u, .private_ok = true };
    struct proposals offer = { .n = 1 };
    struct adit_suite out;
    struct adit_span spi;
    struct adit_why why;
    suite_to_proposal(suite, PROTO_IKE, &offer.v[0]);
    offer.v[0].num = 1;
    return negotiate_choose(&offer, c->cfg->proposals, &r, &out, &spi, &why) == ADIT_OK;
}

static const struct sig_alg *signature_of(struct adit_span name)
{
    const struct sig_alg *alg = NULL;
    for (size_t i = 0; (alg = crypto_sig_at(i)) && !span_equal(span_str(alg->name), name);)
        i++;
    return alg;
}

/* A name that lives as long as the program; NULL: nothing that we know. */
static const char *auth_name(struct adit_span name)
{
    const struct sig_alg *alg = signature_of(name);
    return span_equal(name, SPAN_LIT("pre-shared key")) ? "pre-shared key" : alg ? alg->name : NULL;
}

static bool own_way_stands(const struct policy_auth *own, const char *way)
{
    enum adit_auth_class class = own->cfg->class;
    return class == ADIT_AUTH_ANY || (class == ADIT_AUTH_PSK) == by_psk(way);
}

static enum adit_rc check_identities(const struct ike_sa *sa, const struct policy_conn *c, const struct memo *m,
                                     struct adit_why *why)
{
    struct adit_id local = id_of(m->id_local), remote = id_of(m->id_remote);
    const struct policy_auth *own = &c->local[0];
    const char *ours = auth_name(m->local_auth), *theirs = auth_name(m->remote_auth);
    if ((own->id.type && !id_equal(&own->id, &local)) || !policy_remote_id_ok(&c->remote[0], &remote))
        return why_set(why, ADIT_ERR_POLICY, "identities have changed since");
    if (!ours || !theirs || !own_way_stands(own, ours) ||
        !policy_accepts(&c->remote[0], signature_of(m->remote_auth)))
        return why_set(why, ADIT_ERR_POLICY, "authentication has changed since");
    if (c->cfg->n_local > 1 || c->cfg->n_remote > 1)
        return why_set(why, ADIT_ERR_POLICY, "more than one round of authentication is asked for");
    return ADIT_OK;
}

static enum adit_rc check_mark(const struct ike_sa *sa, const struct memo *m, struct adit_why *why)
{
    uint8_t mem[PRF_OUT_MAX];
    struct adit_span mark;
    if (!span_equal(m->local_auth, SPAN_LIT("pre-shared key")) && !span_equal(m->remote_auth, SPAN_LIT("pre-shared key")))
        return ADIT_OK;
    TRY(mark_of(sa, m, mem, &mark));
    return mark.n && secret_equal(mark, m->mark)
               ? ADIT_OK
               : why_set(why, ADIT_ERR_POLICY, "the pre-shared key has changed since");
}

static struct rd carried_by(const struct memo *m, const char *name)
{
    struct rd in = rd_init(m->carried);
    while (rd_more(&in)) {
        struct adit_span of = rd_take(&in, rd_u8(&in));
        struct rd body = rd_sub(&in, rd_u8(&in));
        if (rd_ok(&in) && span_equal(of, span_str(name)))
            return body;
    }
    return rd_init(SPAN_NONE);
}

static enum adit_rc take_carried(struct ike_sa *sa, const struct memo *m, struct adit_why *why)
{
    for (unsigned i = 0; i < EXT_COUNT; i++) {
        struct rd in = carried_by(m, ike_exts[i]->name);
        if (ike_exts[i]->on.memo_get && !ike_exts[i]->on.memo_get(sa, &in))
            return why_set(why, ADIT_ERR_POLICY, "what %s asks for has changed since", ike_exts[i]->name);
    }
    return ADIT_OK;
}

void known_free(struct ike_known *k)
{
    if (!k)
        return;
    buf_fini(&k->id_local);
    buf_fini(&k->id_remote);
    secret_fini(&k->sk_d);
    mem_del(k);
}

static enum adit_rc know(struct ike_sa *sa, const struct memo *m)
{
    struct ike_known *k = mem_new(sizeof(*k));
    if (!k || buf_set(&k->id_local, m->id_local) != ADIT_OK || buf_set(&k->id_remote, m->id_remote) != ADIT_OK ||
        secret_set(&k->sk_d, m->sk_d) != ADIT_OK) {
        known_free(k);
        return ADIT_ERR_MEMORY;
    }
    k->local_auth = auth_name(m->local_auth);
    k->remote_auth = auth_name(m->remote_auth);
    k->spi_i = m->spi_i;
    k->spi_r = m->spi_r;
    k->proven_until = m->proven_until;
    known_free(sa->known);
    sa->known = k;
    sa->suite = m->suite;
    return ADIT_OK;
}

/* The responder learns here whose connection it is; the initiator knows. */
static enum adit_rc find_conn(const struct ike_sa *sa, const struct memo *m, const struct policy_conn **out,
                              struct adit_why *why)
{
    struct adit_id local = id_of(m->id_local), remote = id_of(m->id_remote);
    char name[UINT8_MAX + 1] = { 0 };
    if (m->conn.n >= sizeof(name))
        return why_set(why, ADIT_ERR_MALFORMED, "the connection's name is too long");
    span_copy((uint8_t *)name, m->conn);
    *out = sa->is_initiator ? sa->conn : policy_conn_by_name(sa->policy, name);
    if (!*out || strcmp((*out)->cfg->name, name) != 0)
        return why_set(why, ADIT_ERR_POLICY, "connection %s is no longer there", name);
    if (!sa->is_initiator && !policy_conn_fits(*out, &sa->path, &remote, &local))
        return why_set(why, ADIT_ERR_POLICY, "not from that address by connection %s", name);
    return ADIT_OK;
}

/* An initiator goes on with IKE_SA_INIT: as if it had never looked. */
static void forget(struct ike_sa *sa)
{
    known_free(sa->known);
    sa->known = NULL;
    sa->suite = (struct adit_suite){ 0 };
    sa->announced_me = sa->announced_peer = 0;
    sa_drop_ext(sa);
}

enum adit_rc sa_memo_take(struct ike_sa *sa, struct adit_span octets, struct adit_why *why)
{
    struct rd in = rd_init(octets);
    const struct policy_conn *c = NULL;
    struct memo m;
    if (!memo_get(&in, &m))
        return why_set(why, ADIT_ERR_MALFORMED, "what is kept of the earlier IKE SA: %s", in.fail);
    TRY(find_conn(sa, &m, &c, why));
    if (!conn_holds_suite(sa->ike, c, &m.suite))
        return why_set(why, ADIT_ERR_POLICY, "proposals have changed since");
    if (m.proven_until && m.proven_until <= sa_unix_time(sa))
        return why_set(why, ADIT_ERR_POLICY, "the peer has to prove anew who it is");
    TRY(check_identities(sa, c, &m, why));
    TRY(check_mark(sa, &m, why));
    sa->conn = c;
    TRY(know(sa, &m));
    enum adit_rc rc = take_carried(sa, &m, why);
    if (rc != ADIT_OK)
        forget(sa);
    return rc;
}

bool sa_is_from_memo(const struct ike_sa *sa)
{
    return sa->known;
}

const char *sa_conn(const struct ike_sa *sa)
{
    return sa_conn_name(sa);
}

/* --- the life of the SA ------------------------------------------------------------------------------------------ */

void known_bound_life(struct ike_sa *sa)
{
    uint64_t until = sa->known ? sa->known->proven_until : 0, now = sa_unix_time(sa);
    if (!until)
        return;
    uint64_t left = until > now ? SECONDS(until - now) : 0, by = sa->ike->now + left;
    if (!sa->reauth_by || by < sa->reauth_by)
        sa->reauth_by = by;
    uint64_t over = SECONDS(sa->conn->cfg->over_s), at = left > over ? by - over : sa->ike->now + left / 2;
    if (sa->reauth_at && at < sa->reauth_at)
        sa->reauth_at = at;
}

bool known_is_of(const struct ike_sa *sa, const struct ike_sa *earlier)
{
    return sa->known && sa->known->spi_i == earlier->spi_i && sa->known->spi_r == earlier->spi_r;
}

/* RFC 5723 s4.3.4: without a Delete, and its Child SAs with it. */
void known_replace(struct ike_sa *sa)
{
    if (!sa->known)
        return;
    list_for_each_safe(it, &sa->ike->sas) {
        struct ike_sa *old = list_entry(it, struct ike_sa, link);
        if (old == sa || old->cut || !sa_is_established(old) || !known_is_of(sa, old))
            continue;
        old->quiet = true;
        sa_end(old, ADIT_ERR_CLOSED, "a new IKE SA goes on in its place");
    }
    secret_fini(&sa->known->sk_d);
}
