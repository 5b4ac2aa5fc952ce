/* addke.c - multiple key exchanges (RFC 9370): further ones after IKE_SA_INIT ride on IKE_INTERMEDIATE, one a round, and
 * each renews all keys. Those of CREATE_CHILD_SA are in followup.c. */
#include "ike/ext/addke/addke.h"

struct state {
    unsigned done; /* rounds performed */
};

struct round {
    struct ike_ke ke;
    struct ike_keys keys;
};

uint16_t addke_method(const struct adit_suite *s, unsigned nth)
{
    for (unsigned i = 1; i < ARRAY_LEN(s->ke); i++)
        if (s->ke[i] && nth-- == 0)
            return s->ke[i];
    return 0;
}

static unsigned done(struct ike_sa *sa)
{
    const struct state *s = ext_peek(sa, EXT_addke);
    return s ? s->done : 0;
}

static uint16_t next_method(struct ike_sa *sa)
{
    return sa_is_keyed(sa) && !sa_is_established(sa) ? addke_method(sa_suite(sa), done(sa)) : 0;
}

static bool round_after(struct ike_sa *sa)
{
    return next_method(sa) && addke_method(sa_suite(sa), done(sa) + 1);
}

static enum want req_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return next_method(sa) && sa_is_initiator(sa) && ext_agreed(sa, EXT_intermediate) ? WANT_OPEN : WANT_NO;
}

static enum want resp_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return next_method(sa) && !sa_is_initiator(sa) && ext_agreed(sa, EXT_intermediate) ? WANT_OPEN : WANT_NO;
}

/* The new keys are computed before anything is committed, so that committing cannot fail. */
static enum adit_rc derive(struct ike_sa *sa, struct round *r)
{
    struct keymat_in in;
    if (r->keys.block.n)
        return ADIT_OK;
    sa_keymat_in(sa, &in);
    return keymat_round(&in, sa_keys(sa), secret_span(&r->ke.secret), &r->keys);
}

static void commit(struct ike_xchg *x, void *scratch)
{
    struct round *r = scratch;
    struct ike_sa *sa = xchg_sa(x);
    struct state *s = ext_sa(sa, EXT_addke);
    if (!s) {
        sa_fail(sa, ADIT_ERR_MEMORY, "out of memory");
        return;
    }
    s->done++;
    sa_log(sa, ADIT_LOG_MORE, "IKE", "additional key exchange %u: %s", s->done, r->ke.alg->name);
    sa_keys_replace(sa, &r->keys);
}

static void fini(struct ike_xchg *x, void *scratch)
{
    struct round *r = scratch;
    ke_fini(&r->ke);
    keys_fini(&r->keys);
}

static enum adit_rc req_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct round *r = scratch;
    TRY(ke_init(x, &r->ke, next_method(xchg_sa(x))));
    ke_put(w, r->ke.alg->id, buf_span(&r->ke.ours));
    ke_ahead(x, addke_method(sa_suite(xchg_sa(x)), done(xchg_sa(x)) + 1));
    return ADIT_OK;
}

static enum adit_rc req_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct round *r = scratch;
    TRY(ke_finish(x, &r->ke, msg, why));
    return derive(xchg_sa(x), r);
}

static enum adit_rc resp_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct round *r = scratch;
    TRY(ke_respond(x, &r->ke, next_method(xchg_sa(x)), msg, why));
    return derive(xchg_sa(x), r);
}

static enum adit_rc resp_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct round *r = scratch;
    ke_put(w, r->ke.alg->id, buf_span(&r->ke.ours));
    return ADIT_OK;
}

/* ADDKE transforms mean something in IKE_SA_INIT only when both sides can do IKE_INTERMEDIATE (RFC 9370 s2.2.1). */
static uint32_t transforms(struct ike_sa *sa, uint8_t exchange, const struct ike_msg *request)
{
    struct notify n;
    bool can = exchange != XCHG_IKE_SA_INIT || !request || msg_notify(request, N_INTERMEDIATE_EXCHANGE_SUPPORTED, &n);
    return can ? ADDKE_TYPES : 0;
}

static const struct ike_step round_req = {
    .name = "IKE_MULTI_KE", .exchange = XCHG_IKE_INTERMEDIATE, .role = XCHG_REQUESTER, .scratch = sizeof(struct round),
    .want = req_want, .build = req_build, .consume = req_consume, .commit = commit, .fini = fini,
};
static const struct ike_step round_resp = {
    .name = "IKE_MULTI_KE", .exchange = XCHG_IKE_INTERMEDIATE, .role = XCHG_RESPONDER, .scratch = sizeof(struct round),
    .want = resp_want, .consume = resp_consume, .build = resp_build, .commit = commit, .fini = fini,
};
static const struct ike_step *const steps[] = { &round_req, &round_resp, &addke_followup_resp, NULL };

const struct ike_ext ext_addke = {
    .id = EXT_addke,
    .name = "addke",
    .spec = "RFC 9370",
    .sa_size = sizeof(struct state),
    .steps = steps,
    .on = { .transforms = transforms, .round_after = round_after, .more = addke_more, .more_put = addke_more_put,
            .more_get = addke_more_get, .more_start = addke_more_start },
};
