/* ike_sa_init_resp.c - IKE_SA_INIT as its responder. Whatever fails here leaves no state: one unprotected notify or
 * silence (RFC 7296 s2.21.1). */
#include "ike/xchg/init.h"

struct init_resp {
    struct ike_ke ke;
    bool begun;
    const struct policy_conn *conn;
    struct adit_suite suite;
    struct adit_span nonce_i;
    struct adit_buf nonce_r;
    struct ike_keys keys;
    uint32_t hashes;
    bool peer_hashes;
};

static enum want want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return sa->keyed || sa->is_initiator ? WANT_NO : WANT_OPEN;
}

static enum adit_rc no_conn(struct ike_xchg *x, struct adit_why *why)
{
    STRBUF(local, 64);
    STRBUF(remote, 64);
    endpoint_print(&local, &x->path.local);
    endpoint_print(&remote, &x->path.remote);
    return why_set(why, ADIT_ERR_POLICY, "no connection is configured for %s...%s", local.p, remote.p);
}

/* The first connection, best address match first, whose proposals meet the offer. Which one it really is shows when
 * identities are known (IKE_AUTH). */
static enum adit_rc choose(struct ike_xchg *x, struct init_resp *s, const struct ike_msg *msg, uint16_t kei,
                           struct adit_why *why)
{
    const struct payload *p = msg_find(msg, PLD_SA);
    struct proposals *offer = arena_new(&x->arena, sa_payload_room(p ? p->body : SPAN_NONE));
    struct rd in = rd_init(p ? p->body : SPAN_NONE);
    struct adit_span spi;
    const struct policy_conn *tried = NULL;
    enum adit_rc rc = no_conn(x, why);
    if (!offer)
        return ADIT_ERR_MEMORY;
    if (!p || !sa_payload_get(&in, offer))
        return why_set(why, ADIT_ERR_MALFORMED, "SA payload: %s", p ? in.fail : "missing");
    for (s->conn = policy_conn_by_path(x->policy, &x->path, NULL); s->conn;
         s->conn = policy_conn_by_path(x->policy, &x->path, s->conn)) {
        if (tried && negotiate_same(tried->cfg->proposals, s->conn->cfg->proposals))
            continue; /* thousands of connections often have the same ones, and the offer is a stranger's */
        tried = s->conn;
        x->sa->conn = s->conn; /* its options count for what may be used */
        struct negotiate_rules r = { .ke_first = kei };
        rules_of_opening(x, msg, &r);
        rc = negotiate_choose(offer, s->conn->cfg->proposals, &r, &s->suite, &spi, why);
        if (rc == ADIT_OK)
            return rc;
    }
    return rc;
}

static enum adit_rc want_method(struct ike_xchg *x, uint16_t got, uint16_t method, struct adit_why *why)
{
    uint8_t *data = arena_new(&x->arena, 2);
    if (!data)
        return ADIT_ERR_MEMORY;
    data[0] = (uint8_t)(method >> 8);
    data[1] = (uint8_t)method;
    x->reply_data = span(data, 2);
    return why_set(why, ADIT_ERR_KE_METHOD, "KE payload is for %s, asking for %s", iana_name(IANA_KE, got),
                   iana_name(IANA_KE, method));
}

static enum adit_rc begin(struct ike_xchg *x, struct init_resp *s, const struct ike_msg *msg, struct adit_why *why)
{
    const struct payload *ke = msg_find(msg, PLD_KE), *nonce = msg_find(msg, PLD_NONCE);
    struct rd in = rd_init(ke ? ke->body : SPAN_NONE), in2 = rd_init(nonce ? nonce->body : SPAN_NONE);
    struct ke_payload kei;
    struct notify n;
    if (!ke || !ke_get(&in, &kei))
        return why_set(why, ADIT_ERR_MALFORMED, "KE payload: %s", ke ? in.fail : "missing");
    if (!nonce || !nonce_get(&in2, &s->nonce_i))
        return why_set(why, ADIT_ERR_MALFORMED, "Nonce payload: %s", nonce ? in2.fail : "missing");
    TRY(choose(x, s, msg, kei.method, why));
    if (kei.method != s->suite.ke[0])
        return want_method(x, kei.method, s->suite.ke[0], why);
    s->peer_hashes = msg_notify(msg, N_SIGNATURE_HASH_ALGORITHMS, &n);
    s->hashes = s->peer_hashes ? auth_hashes_get(n.data, x->peer_private) : 0;
    TRY(buf_resize(&s->nonce_r, IKE_NONCE_SIZE));
    if (!ike_random(x->ike, s->nonce_r.p, s->nonce_r.n))
        return ADIT_ERR_CRYPTO;
    s->begun = true;
    return ADIT_OK;
}

static enum adit_rc derive(struct ike_xchg *x, struct init_resp *s)
{
    struct keymat_in in;
    if (s->keys.block.n)
        return ADIT_OK;
    sa_keymat_in(x->sa, &in);
    in.suite = &s->suite;
    in.nonce_i = s->nonce_i;
    in.nonce_r = buf_span(&s->nonce_r);
    return keymat_init(&in, secret_span(&s->ke.secret), &s->keys);
}

static enum adit_rc consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct init_resp *s = scratch;
    if (!s->begun)
        TRY(begin(x, s, msg, why));
    TRY(ke_respond(x, &s->ke, s->suite.ke[0], msg, why));
    return derive(x, s);
}

static enum adit_rc build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct init_resp *s = scratch;
    negotiate_answer(w, &s->suite, PROTO_IKE, SPAN_NONE);
    ke_put(w, s->suite.ke[0], buf_span(&s->ke.ours));
    nonce_put(w, buf_span(&s->nonce_r));
    if (s->conn->cfg->send_certreq) {
        uint8_t mem[1200];
        struct wr list;
        wr_init(&list, mem, sizeof(mem));
        policy_certreq(x->policy, NULL, &list);
        if (wr_ok(&list) && list.n)
            cert_put(w, PLD_CERTREQ, CERTENC_X509_SIGNATURE, wr_written(&list));
    }
    if (s->peer_hashes)
        put_hashes(w, x->peer_private ? policy_hashes(x->policy, NULL) : 0); /* whose it is, IKE_AUTH will tell */
    return ADIT_OK;
}

static void commit(struct ike_xchg *x, void *scratch)
{
    struct init_resp *s = scratch;
    struct ike_sa *sa = x->sa;
    sa->conn = s->conn;
    sa->suite = s->suite;
    sa->peer_hashes = s->hashes;
    buf_move(&sa->nonce_r, &s->nonce_r);
    if (buf_set(&sa->nonce_i, s->nonce_i) != ADIT_OK || buf_set(&sa->init_req, x->msg.raw) != ADIT_OK) {
        sa_end(sa, ADIT_ERR_MEMORY, "out of memory");
        return;
    }
    sa_keys_replace(sa, &s->keys);
    init_done(sa);
}

static void fini(struct ike_xchg *x, void *scratch)
{
    struct init_resp *s = scratch;
    ke_fini(&s->ke);
    keys_fini(&s->keys);
    buf_fini(&s->nonce_r);
}

const struct ike_step step_init_resp = {
    .name = "IKE_INIT", .exchange = XCHG_IKE_SA_INIT, .role = XCHG_RESPONDER, .scratch = sizeof(struct init_resp),
    .want = want, .consume = consume, .build = build, .commit = commit, .fini = fini,
};
