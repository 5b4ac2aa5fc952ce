/* ike_sa_init.c - IKE_SA_INIT as its initiator (RFC 7296 s1.2, s2.6, s2.7). Answers are not authenticated: a bad or
 * forged one is set aside and the next one looked at (s2.21.1). */
#include "ike/xchg/init.h"

struct init_req {
    struct ike_ke ke;
    const struct proposal_list *offer;
    uint16_t method, wanted; /* wanted: by the peer, from the next request on; 0 = nothing */
    uint8_t cookies, ke_retries;
    unsigned round;
    struct adit_span cookie;
    struct adit_suite suite;
    struct adit_span nonce_r;
    struct ike_keys keys;
    uint32_t hashes;
};

static struct negotiate_rules rules(struct ike_xchg *x, const struct ike_msg *msg)
{
    struct negotiate_rules r = { 0 };
    rules_of_opening(x, msg, &r);
    return r;
}

static enum adit_rc begin(struct ike_xchg *x, struct init_req *s, struct adit_why *why)
{
    struct ike_sa *sa = x->sa;
    struct negotiate_rules r = rules(x, NULL);
    TRY(negotiate_offer(sa->conn->cfg->proposals, &r, &x->arena, &s->offer, why));
    s->method = negotiate_first_ke(s->offer);
    TRY(buf_resize(&sa->nonce_i, IKE_NONCE_SIZE));
    return ike_random(sa->ike, sa->nonce_i.p, sa->nonce_i.n) ? ADIT_OK : ADIT_ERR_CRYPTO;
}

void put_hashes(struct wr *w, uint32_t named)
{
    uint8_t mem[32];
    struct wr list;
    wr_init(&list, mem, sizeof(mem));
    auth_hashes_put(&list, named);
    notify_put(w, N_SIGNATURE_HASH_ALGORITHMS, wr_written(&list));
}

static void change_method(struct init_req *s)
{
    ke_fini(&s->ke);
    s->ke = (struct ike_ke){ 0 };
    s->method = s->wanted;
}

static enum adit_rc build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct init_req *s = scratch;
    if (!s->offer)
        TRY(begin(x, s, why));
    if (s->wanted && s->wanted != s->method)
        change_method(s);
    TRY(ke_init(x, &s->ke, s->method));
    if (s->cookie.n)
        notify_put(w, N_COOKIE, s->cookie); /* first payload, RFC 7296 s2.6 */
    negotiate_put(w, s->offer, SPAN_NONE);
    ke_put(w, s->method, buf_span(&s->ke.ours));
    nonce_put(w, buf_span(&x->sa->nonce_i));
    put_hashes(w, policy_hashes(x->policy, x->sa->conn));
    return ADIT_OK;
}

/* A new response: what an earlier one left is dropped. */
static void fresh_round(struct ike_xchg *x, struct init_req *s)
{
    if (s->round == x->round)
        return;
    s->round = x->round;
    s->ke.work2 = (struct ike_work){ 0 };
    secret_fini(&s->ke.secret);
    keys_fini(&s->keys);
}

/* An answer to what we sent before crosses what we send now: once acted upon is enough. */
static enum adit_rc stale(struct ike_xchg *x, const char *what, struct adit_why *why)
{
    x->stale = true;
    return why_set(why, ADIT_ERR_DROP, "the peer has asked for this %s before", what);
}

static enum adit_rc take_cookie(struct ike_xchg *x, struct init_req *s, const struct notify *n, struct adit_why *why)
{
    if (s->cookie.n && span_equal(s->cookie, n->data))
        return stale(x, "cookie", why);
    if (n->data.n < 1 || n->data.n > 64 || s->cookies++ >= IKE_COOKIE_ROUNDS)
        return why_set(why, ADIT_ERR_LIMIT, "peer keeps asking for cookies");
    s->cookie = arena_span(&x->arena, n->data);
    x->rebuild = true;
    x->hurried = s->cookies > 2; /* of a peer that makes a new one after it has wanted another KE payload, too */
    sa_log(x->sa, ADIT_LOG_MORE, "IKE", "peer asks for a cookie");
    return s->cookie.p ? ADIT_OK : ADIT_ERR_MEMORY;
}

static enum adit_rc take_method(struct ike_xchg *x, struct init_req *s, const struct notify *n, struct adit_why *why)
{
    struct rd in = rd_init(n->data);
    uint16_t method = rd_u16(&in);
    if (s->wanted && method == s->wanted)
        return stale(x, "key exchange", why);
    if (!rd_end(&in) || method == s->method || !negotiate_offers_ke(s->offer, method) ||
        s->ke_retries++ >= IKE_KE_RETRIES)
        return why_set(why, ADIT_ERR_KE_METHOD, "peer wants key exchange %s, which is not offered",
                       iana_name(IANA_KE, method));
    sa_log(x->sa, ADIT_LOG_INFO, "IKE", "peer wants key exchange %s instead of %s", iana_name(IANA_KE, method),
           s->ke.alg->name);
    s->wanted = method;
    x->rebuild = true;
    x->hurried = s->ke_retries > 1;
    return ADIT_OK;
}

static enum adit_rc read_sa(struct ike_xchg *x, struct init_req *s, const struct ike_msg *msg, struct adit_why *why)
{
    const struct payload *sa = msg_find(msg, PLD_SA), *nonce = msg_find(msg, PLD_NONCE);
    struct proposals *answer = arena_new(&x->arena, sa_payload_room(sa ? sa->body : SPAN_NONE));
    struct rd in = rd_init(sa ? sa->body : SPAN_NONE), in2 = rd_init(nonce ? nonce->body : SPAN_NONE);
    struct negotiate_rules r = rules(x, msg);
    struct adit_span spi;
    if (!answer)
        return ADIT_ERR_MEMORY;
    if (!sa || !sa_payload_get(&in, answer))
        return why_set(why, ADIT_ERR_MALFORMED, "SA payload: %s", sa ? in.fail : "missing");
    TRY(negotiate_check(answer, s->offer, &r, &s->suite, &spi, why));
    if (s->suite.ke[0] != s->method)
        return why_set(why, ADIT_ERR_MALFORMED, "peer chose another KE method than our KE payload's");
    if (!nonce || !nonce_get(&in2, &s->nonce_r))
        return why_set(why, ADIT_ERR_MALFORMED, "Nonce payload: %s", nonce ? in2.fail : "missing");
    return ADIT_OK;
}

static enum adit_rc derive(struct ike_xchg *x, struct init_req *s, const struct ike_msg *msg)
{
    struct keymat_in in;
    if (s->keys.block.n)
        return ADIT_OK;
    sa_keymat_in(x->sa, &in);
    in.suite = &s->suite;
    in.nonce_r = s->nonce_r;
    in.spi_r = msg->hdr.spi_r;
    return keymat_init(&in, secret_span(&s->ke.secret), &s->keys);
}

/* The peer alone knows what it wants instead: its log says so, ours at least what it refused. */
static enum adit_rc refused(const struct proposal_list *offer, struct adit_why *why)
{
    STRBUF(ours, 300);
    negotiate_print(&ours, offer->v, offer->n);
    return why_set(why, ADIT_ERR_PROPOSAL, "peer answers NO_PROPOSAL_CHOSEN; we offer %s; the peer's log says what it wants",
                   ours.p);
}

static enum adit_rc consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct init_req *s = scratch;
    struct notify n;
    uint16_t type;
    fresh_round(x, s);
    if (msg_notify(msg, N_COOKIE, &n))
        return take_cookie(x, s, &n, why);
    if (msg_notify(msg, N_INVALID_KE_PAYLOAD, &n))
        return take_method(x, s, &n, why);
    enum adit_rc rc = reply_read(msg, &type, why);
    if (rc != ADIT_OK)
        return rc == ADIT_ERR_PROPOSAL ? refused(s->offer, why) : rc;
    if (!msg->hdr.spi_r)
        return why_set(why, ADIT_ERR_MALFORMED, "response without a responder SPI");
    TRY(read_sa(x, s, msg, why));
    TRY(ke_finish(x, &s->ke, msg, why));
    x->rebuild = false; /* what was asked for in between is not needed any more */
    s->hashes = msg_notify(msg, N_SIGNATURE_HASH_ALGORITHMS, &n) ? auth_hashes_get(n.data, x->peer_private) : 0;
    return derive(x, s, msg);
}

/* RFC 7296 s3.7: the contents are the same whether the certificate or its URL is asked for. */
static bool names_cas(uint8_t encoding)
{
    return encoding == CERTENC_X509_SIGNATURE || encoding == CERTENC_HASH_URL_CERT || encoding == CERTENC_HASH_URL_BUNDLE;
}

void take_certreq(struct ike_sa *sa, const struct ike_msg *msg)
{
    for (uint16_t i = 0; i < msg->n; i++) {
        struct rd in = rd_init(msg->v[i].body);
        struct cert_payload c;
        if (msg->v[i].type == PLD_CERTREQ && cert_get(&in, &c) && names_cas(c.encoding) && c.data.n % 20 == 0)
            (void)!buf_append(&sa->certreq, c.data); /* a hint, never fatal */
    }
}

void init_done(struct ike_sa *sa)
{
    STRBUF(suite, 200);
    suite_print(&suite, &sa->suite);
    sa_log(sa, ADIT_LOG_INFO, "CFG", "selected proposal: IKE:%s", suite.p);
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.life)
            ike_exts[i]->on.life(sa, LIFE_KEYED, NULL);
}

static void commit(struct ike_xchg *x, void *scratch)
{
    struct init_req *s = scratch;
    struct ike_sa *sa = x->sa;
    sa->spi_r = x->msg.hdr.spi_r;
    sa->suite = s->suite;
    sa->peer_hashes = s->hashes;
    sa->failure[0] = 0;
    if (buf_set(&sa->nonce_r, s->nonce_r) != ADIT_OK || buf_set(&sa->init_resp, x->msg.raw) != ADIT_OK) {
        sa_end(sa, ADIT_ERR_MEMORY, "out of memory");
        return;
    }
    take_certreq(sa, &x->msg);
    sa_keys_replace(sa, &s->keys);
    init_done(sa);
}

static void fini(struct ike_xchg *x, void *scratch)
{
    struct init_req *s = scratch;
    ke_fini(&s->ke);
    keys_fini(&s->keys);
}

const struct ike_step step_init_req = {
    .name = "IKE_INIT", .exchange = XCHG_IKE_SA_INIT, .role = XCHG_REQUESTER, .scratch = sizeof(struct init_req),
    .build = build, .consume = consume, .commit = commit, .fini = fini,
};
