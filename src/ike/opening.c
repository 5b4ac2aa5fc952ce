/* opening.c - exchanges that open an IKE SA in the place of IKE_SA_INIT: which there are, and what they have in common
 * with it (RFC 5723 s4.3.2: "behaves exactly like"). */
#include "ike/xchg/init.h"

const struct ike_opening *opening_of(uint8_t exchange)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->opening && ike_exts[i]->opening->exchange == exchange)
            return ike_exts[i]->opening;
    return NULL;
}

bool opens_sa(uint8_t exchange)
{
    return exchange == XCHG_IKE_SA_INIT || opening_of(exchange);
}

const struct ike_step *opening_step(struct ike_sa *sa)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->opening && ike_exts[i]->opening->wants(sa))
            return ike_exts[i]->opening->step;
    return &step_init_req;
}

bool opening_begins(struct ike_sa *sa)
{
    for (unsigned i = 0; i < EXT_COUNT && !sa->begun; i++)
        if (ike_exts[i]->on.begins)
            ike_exts[i]->on.begins(sa);
    sa->begun = true;
    return !sa->cut && !sa->streamless;
}

bool opening_unanswered(struct ike_sa *sa, unsigned tries)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.unanswered && ike_exts[i]->on.unanswered(sa, tries))
            return true;
    return false;
}

void opening_failed(struct ike_sa *sa, enum adit_rc rc)
{
    const struct ike_opening *o = opening_of(sa->opened_by);
    sa_log(sa, ADIT_LOG_INFO, "IKE", "%s came to nothing: going on with IKE_SA_INIT",
           iana_name(IANA_XCHG, sa->opened_by));
    if (o->failed)
        o->failed(sa, rc);
}

enum adit_rc opening_nonce(struct ike_xchg *x, struct adit_span *out)
{
    uint8_t *p = arena_new(&x->arena, IKE_NONCE_SIZE);
    if (!p)
        return ADIT_ERR_MEMORY;
    *out = span(p, IKE_NONCE_SIZE);
    return ike_random(x->ike, p, IKE_NONCE_SIZE) ? ADIT_OK : ADIT_ERR_CRYPTO;
}

enum adit_rc opening_keys(struct ike_xchg *x, struct adit_span ours, struct adit_span theirs, struct ike_keys *out)
{
    bool requester = x->role == XCHG_REQUESTER;
    struct keymat_in in;
    if (!x->sa->known)
        return ADIT_ERR_BUG;
    sa_keymat_in(x->sa, &in);
    in.nonce_i = requester ? ours : theirs;
    in.nonce_r = requester ? theirs : ours;
    in.spi_r = requester ? x->msg.hdr.spi_r : x->sa->spi_r;
    return keymat_resume(&in, secret_span(&x->sa->known->sk_d), out);
}

void opening_commit(struct ike_xchg *x, struct adit_span ours, struct adit_span theirs, struct ike_keys *keys)
{
    struct ike_sa *sa = x->sa;
    bool requester = x->role == XCHG_REQUESTER;
    sa->failure[0] = 0;
    if (requester)
        sa->spi_r = x->msg.hdr.spi_r;
    if (buf_set(&sa->nonce_i, requester ? ours : theirs) != ADIT_OK ||
        buf_set(&sa->nonce_r, requester ? theirs : ours) != ADIT_OK ||
        buf_set(requester ? &sa->init_resp : &sa->init_req, x->msg.raw) != ADIT_OK) {
        sa_end(sa, ADIT_ERR_MEMORY, "out of memory");
        return;
    }
    sa_keys_replace(sa, keys);
    init_done(sa);
}

void opening_repeat(struct ike_xchg *x)
{
    x->rebuild = true;
}

enum adit_rc opening_is_stale(struct ike_xchg *x, struct adit_why *why)
{
    x->stale = true;
    return why_set(why, ADIT_ERR_DROP, "an answer to an earlier request");
}

void opening_is_refused(struct ike_xchg *x)
{
    x->fatal = true;
}
