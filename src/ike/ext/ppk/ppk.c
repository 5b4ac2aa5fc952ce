/* ppk.c - post-quantum preshared keys (RFC 8784): a secret that both ends know is mixed into SK_d, SK_pi and SK_pr when
 * the IKE SA is authenticated, so that whoever breaks its key exchange later still cannot read its Child SAs. Its name
 * travels in IKE_AUTH. Rekeying mixes nothing: what is in SK_d is handed on. */
#include "ike/ext/ppk/ppk.h"

#define STRONG_OCTETS 32 /* 256 bits of entropy, RFC 8784 s6 */

struct state {
    struct adit_buf name; /* as initiator: identity of the PPK that it uses */
    struct ike_keys keys; /* mixed; the SA takes them with IKE_AUTH */
    bool mixed;           /* the PPK is in use */
    bool declined;        /* as initiator: the peer goes on without */
};

/* --- configuration --------------------------------------------------------------------------------------------- */

static bool is_required(const struct ike_sa *sa)
{
    return span_equal(span_str(sa_option(sa, "ppk_required")), SPAN_LIT("yes"));
}

static bool is_named(const struct ike_sa *sa)
{
    return *sa_option(sa, "ppk_id") != 0;
}

/* As initiator: the PPK of ppk_id. */
static const struct adit_shared *our_ppk(const struct ike_sa *sa)
{
    struct adit_buf name = { 0 };
    const struct adit_shared *ppk = NULL;
    if (is_named(sa) && ppk_identity(sa_option(sa, "ppk_id"), &name))
        ppk = ppk_find(sa, buf_span(&name));
    buf_fini(&name);
    return ppk;
}

/* A responder offers to use PPKs as soon as it has any: whose they are shows with the peer's identity (s3). */
static bool may_use(struct ike_sa *sa)
{
    size_t i = 0;
    return sa_is_initiator(sa) ? our_ppk(sa) != NULL : sa_next_shared(sa, ADIT_SHARED_PPK, &i) != NULL;
}

/* ppk_id of a responder's connection is the only one that it takes; without, every one that it knows. */
static bool is_allowed(const struct ike_sa *sa, struct adit_span identity)
{
    struct adit_buf name = { 0 };
    bool ok = !is_named(sa) ||
              (ppk_identity(sa_option(sa, "ppk_id"), &name) && span_equal(buf_span(&name), identity));
    buf_fini(&name);
    return ok;
}

/* --- keys ------------------------------------------------------------------------------------------------------ */

static void tell(struct ike_sa *sa, struct adit_span identity, const struct adit_shared *ppk)
{
    STRBUF(name, 2 * PPK_IDENTITY_MAX + 8);
    id_print(&name, &(struct adit_id){ ID_KEY_ID, identity });
    sa_log(sa, ADIT_LOG_INFO, "IKE", "using PPK '%s'", name.p);
    if (ppk->secret.n < STRONG_OCTETS)
        sa_log(sa, ADIT_LOG_AUDIT, "CFG",
               "PPK '%s' has %zu octets only: against quantum computers it needs %d of them, "
               "random (RFC 8784 s6)",
               name.p, ppk->secret.n, STRONG_OCTETS);
}

static enum adit_rc mix(struct ike_sa *sa, struct state *s, struct adit_span identity,
                        const struct adit_shared *ppk)
{
    TRY(keymat_stir(sa_prf(sa), sa_keys(sa), ppk->secret, &s->keys));
    s->mixed = true;
    tell(sa, identity, ppk);
    return ADIT_OK;
}

/* The initiator mixes when it writes IKE_AUTH: no key exchange follows then, so these SK_* are the last ones. */
static enum adit_rc prepare(struct ike_sa *sa, struct state *s)
{
    const struct adit_shared *ppk = our_ppk(sa);
    if (!ppk)
        return ADIT_ERR_BUG; /* it was there when USE_PPK was sent, and the SA has kept its configuration */
    if (!ppk_identity(sa_option(sa, "ppk_id"), &s->name))
        return ADIT_ERR_MEMORY;
    return mix(sa, s, buf_span(&s->name), ppk);
}

static bool initiator_uses(const struct ike_sa *sa)
{
    return sa_is_initiator(sa) && ext_agreed(sa, EXT_ppk) && !sa_is_established(sa);
}

static enum adit_rc auth_keys(struct ike_sa *sa, struct ike_keys **keys)
{
    struct state *s = initiator_uses(sa) ? ext_sa(sa, EXT_ppk) : ext_peek(sa, EXT_ppk);
    if (!s)
        return initiator_uses(sa) ? ADIT_ERR_MEMORY : ADIT_OK;
    if (initiator_uses(sa) && !s->mixed && !s->declined)
        TRY(prepare(sa, s));
    if (s->mixed && s->keys.block.n) /* else the SA has them already */
        *keys = &s->keys;
    return ADIT_OK;
}

/* An optional PPK: the responder may not have it, and then looks at this proof. */
static uint16_t auth_besides(struct ike_sa *sa)
{
    return initiator_uses(sa) && !is_required(sa) ? N_NO_PPK_AUTH : 0;
}

/* --- IKE_AUTH: what the peer says ------------------------------------------------------------------------------ */

/* The response is not authentic yet, but its AUTH is, or is not, by the keys that are chosen here. */
static enum adit_rc read_response(struct ike_sa *sa, const struct ike_msg *msg, struct adit_why *why)
{
    struct state *s = ext_sa(sa, EXT_ppk);
    struct notify n;
    if (!s)
        return ADIT_ERR_MEMORY;
    if (msg_notify(msg, N_PPK_IDENTITY, &n)) /* whatever is in it, RFC 8784 s3 */
        return ADIT_OK;
    if (is_required(sa))
        return why_set(why, ADIT_ERR_AUTH, "the peer does not use our PPK, which is required");
    sa_log(sa, ADIT_LOG_AUDIT, "IKE", "the peer does not use our PPK: going on without");
    keys_fini(&s->keys);
    s->mixed = false;
    s->declined = true;
    return ADIT_OK;
}

/* The PPK that the request names, if we have it for this peer. */
static const struct adit_shared *wanted(struct ike_sa *sa, const struct notify *n, struct ppk_id *id)
{
    bool fixed = ppk_id_get(n->data, id) && id->type == PPK_ID_FIXED;
    return fixed && is_allowed(sa, id->identity) ? ppk_find(sa, id->identity) : NULL;
}

/* Table 1 of RFC 8784 s3, from "Configured with PPK: no" on. */
static enum adit_rc go_on_without(struct ike_sa *sa, const struct ike_msg *msg, struct adit_span *auth,
                                  struct adit_why *why)
{
    struct notify n;
    if (is_required(sa))
        return why_set(why, ADIT_ERR_AUTH,
                       "the peer's PPK is unknown here or not for this connection, and one is required");
    if (!msg_notify(msg, N_NO_PPK_AUTH, &n))
        return why_set(why, ADIT_ERR_AUTH,
                       "the peer's PPK is unknown here or not for this connection, and it insists on it");
    sa_log(sa, ADIT_LOG_AUDIT, "IKE",
           "the peer's PPK is unknown here or not for this connection: going on without");
    *auth = n.data;
    return ADIT_OK;
}

static enum adit_rc read_request(struct ike_sa *sa, const struct ike_msg *msg, struct adit_span *auth,
                                 struct adit_why *why)
{
    struct state *s = ext_sa(sa, EXT_ppk);
    const struct adit_shared *ppk;
    struct ppk_id id;
    struct notify n;
    if (!s)
        return ADIT_ERR_MEMORY;
    if (!msg_notify(msg, N_PPK_IDENTITY, &n))
        return why_set(why, ADIT_ERR_AUTH, "the peer agreed to use a PPK, but names none");
    ppk = wanted(sa, &n, &id);
    return ppk ? mix(sa, s, id.identity, ppk) : go_on_without(sa, msg, auth, why);
}

static enum adit_rc claimed(struct ike_sa *sa, const struct ike_msg *msg, struct adit_span *auth,
                            struct adit_why *why)
{
    if (sa_is_from_memo(sa))
        return ADIT_OK; /* memo_get() has seen to it */
    if (ext_agreed(sa, EXT_ppk))
        return sa_is_initiator(sa) ? read_response(sa, msg, why) : read_request(sa, msg, auth, why);
    if (is_required(sa))
        return why_set(why, ADIT_ERR_AUTH, "the peer does not use a PPK, which is required");
    if (is_named(sa) && !sa_is_initiator(sa))
        sa_log(sa, ADIT_LOG_AUDIT, "IKE", "PPK '%s' is not used: the peer asks for none",
               sa_option(sa, "ppk_id"));
    return ADIT_OK;
}

/* --- steps ----------------------------------------------------------------------------------------------------- */

static enum want init_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return is_required(sa) ? WANT_RIDE : WANT_NO;
}

static enum adit_rc init_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct ike_sa *sa = xchg_sa(x);
    if (!is_named(sa))
        return why_set(why, ADIT_ERR_CONFIG, "ppk_required needs ppk_id to initiate");
    if (!our_ppk(sa))
        return why_set(why, ADIT_ERR_CONFIG, "ppk_required, but no PPK '%s' is loaded",
                       sa_option(sa, "ppk_id"));
    return ADIT_OK;
}

/* Anybody could send an answer without USE_PPK: it is set aside, and the attempt fails if no better one comes (s6). */
static enum adit_rc init_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg,
                                 struct adit_why *why)
{
    struct notify n;
    if (!msg_find(msg, PLD_SA) ||
        msg_notify(msg, N_USE_PPK, &n)) /* no SA: a cookie or another key exchange is wanted */
        return ADIT_OK;
    return why_set(why, ADIT_ERR_POLICY, "the peer offers no PPKs, and one is required");
}

static enum want req_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return initiator_uses(sa) ? WANT_RIDE : WANT_NO;
}

static enum adit_rc req_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct state *s = ext_peek(xchg_sa(x), EXT_ppk);
    if (!s || !s->mixed) /* AUTH stands before it */
        return ADIT_ERR_BUG;
    ppk_id_put(w, &(struct ppk_id){ PPK_ID_FIXED, buf_span(&s->name) });
    return ADIT_OK;
}

static enum want resp_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return !sa_is_initiator(sa) && ext_agreed(sa, EXT_ppk) && !sa_is_established(sa) ? WANT_RIDE : WANT_NO;
}

static enum adit_rc resp_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct state *s = ext_peek(xchg_sa(x), EXT_ppk);
    if (s && s->mixed)
        notify_put(w, N_PPK_IDENTITY, SPAN_NONE);
    return ADIT_OK;
}

/* --- the life of the SA ---------------------------------------------------------------------------------------- */

static void tell_unused(struct ike_sa *sa)
{
    if (!is_named(sa) || ext_agreed(sa, EXT_ppk) || sa_is_from_memo(sa))
        return;
    sa_log(sa, ADIT_LOG_AUDIT, "IKE", "PPK '%s' is not used: %s", sa_option(sa, "ppk_id"),
           our_ppk(sa) ? "the peer offers none" : "none of this name is loaded");
}

static void life(struct ike_sa *sa, enum sa_life what, struct ike_sa *other)
{
    struct state *s = ext_peek(sa, EXT_ppk), *heir;
    if (what == LIFE_KEYED && sa_is_initiator(sa))
        tell_unused(sa);
    if (what != LIFE_REKEYED || !s || !s->mixed)
        return;
    heir = ext_sa(other,
                  EXT_ppk); /* no memory: it depends on the PPK all the same, only list-sas won't say so */
    if (heir)
        heir->mixed = true;
}

/* The PPK is in SK_d: who goes on with it depends on the PPK, and mixes nothing again. */
static void memo_put(struct ike_sa *sa, struct wr *w)
{
    const struct state *s = ext_peek(sa, EXT_ppk);
    if (s && s->mixed)
        wr_u8(w, 1);
}

static bool memo_get(struct ike_sa *sa, struct rd *in)
{
    struct state *s = rd_u8(in) == 1 ? ext_sa(sa, EXT_ppk) : NULL;
    if (s)
        s->mixed = true;
    return s || !is_required(sa);
}

static void status(struct ike_sa *sa, struct adit_ike_info *out)
{
    const struct state *s = ext_peek(sa, EXT_ppk);
    if (s && s->mixed && sa_is_established(sa) && out->n_marks < ARRAY_LEN(out->marks))
        out->marks[out->n_marks++] = (struct adit_option){ "ppk", "yes" };
}

static void fini(struct ike_sa *sa, void *state)
{
    struct state *s = state;
    buf_fini(&s->name);
    keys_fini(&s->keys);
}

/* --- tables ---------------------------------------------------------------------------------------------------- */

static const struct ike_announce announce[] = {
    { .notify = N_USE_PPK, .exchange = XCHG_IKE_SA_INIT, .rule = BOTH_SENT },
};

static const struct ike_step init_req = {
    .name = "IKE_PPK",
    .exchange = XCHG_IKE_SA_INIT,
    .role = XCHG_REQUESTER,
    .want = init_want,
    .build = init_build,
    .consume = init_consume,
};
static const struct ike_step auth_req = {
    .name = "IKE_PPK",
    .exchange = XCHG_IKE_AUTH,
    .role = XCHG_REQUESTER,
    .want = req_want,
    .build = req_build,
};
static const struct ike_step auth_resp = {
    .name = "IKE_PPK",
    .exchange = XCHG_IKE_AUTH,
    .role = XCHG_RESPONDER,
    .want = resp_want,
    .build = resp_build,
};
static const struct ike_step *const steps[] = { &init_req, &auth_req, &auth_resp, NULL };

static const struct adit_option_def options[] = {
    { .key = "ppk_id",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_TEXT,
      .deflt = "",
      .owner = "ppk",
      .doc =
          "name of the post-quantum preshared key to use, and as responder the only one to take; default: none, and as "
          "responder any" },
    { .key = "ppk_required",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_BOOL,
      .deflt = "no",
      .owner = "ppk",
      .doc = "no IKE SA without a post-quantum preshared key" },
};

const struct ike_ext ext_ppk = {
    .id = EXT_ppk,
    .name = "ppk",
    .spec = "RFC 8784",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .sa_size = sizeof(struct state),
    .announce = announce,
    .n_announce = ARRAY_LEN(announce),
    .steps = steps,
    .on = { .may_use = may_use,
            .claimed = claimed,
            .auth_keys = auth_keys,
            .auth_besides = auth_besides,
            .life = life,
            .memo_put = memo_put,
            .memo_get = memo_get,
            .status = status,
            .fini = fini },
};
