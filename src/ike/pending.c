/* pending.c - SAs being negotiated by CREATE_CHILD_SA, IKE_AUTH and the key exchanges that may follow (RFC 9370 s2.2.4):
 * when all secrets are in, keys are made and the new SA takes its place. */
#include "ike/sa.h"

/* Series of key exchanges that the peer has begun and not ended: each holds secrets until its time is over. */
static unsigned begun_by_peer(const struct ike_sa *sa)
{
    unsigned n = 0;
    list_for_each(it, &sa->pendings)
        n += !list_entry(it, struct ike_pending, link)->requester;
    return n;
}

struct ike_pending *pending_new(struct ike_sa *sa, enum pending_kind kind, bool requester)
{
    bool full = !requester && begun_by_peer(sa) >= IKE_PENDING_MAX;
    struct ike_pending *p = full ? NULL : mem_new(sizeof(*p));
    if (!p)
        return NULL;
    list_init(&p->link);
    p->id = ++sa->ike->next_pending_id;
    p->ike = sa->ike;
    p->sa = sa;
    p->kind = kind;
    p->requester = requester;
    p->local = arena_new(&p->arena, sizeof(*p->local));
    p->remote = arena_new(&p->arena, sizeof(*p->remote));
    if (p->local && p->remote)
        return p;
    pending_free(p);
    return NULL;
}

void pending_free(struct ike_pending *p)
{
    if (!p)
        return;
    if (p->linked)
        list_remove(&p->link);
    if (p->spi_in)
        map_del(&p->ike->spi_in, p->spi_in);
    for (unsigned i = 0; i < ARRAY_LEN(p->secrets); i++)
        secret_fini(&p->secrets[i]);
    buf_fini(&p->nonce_i);
    buf_fini(&p->nonce_r);
    buf_fini(&p->crossing_nonce);
    arena_fini(&p->arena);
    mem_del(p);
}

struct adit_span pending_lowest_nonce(const struct ike_pending *p)
{
    struct adit_span i = buf_span(&p->nonce_i), r = buf_span(&p->nonce_r);
    return span_compare(i, r) < 0 ? i : r;
}

bool pending_more(struct ike_pending *p)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.more && ike_exts[i]->on.more(p))
            return true;
    return false;
}

static void wait_for_more(struct ike_pending *p)
{
    if (!p->requester) {
        pending_touch(p); /* a requester's exchanges have an end of their own */
        return;
    }
    if (!collide_before_more(p)) {
        pending_fail(p, ADIT_ERR_TEMPORARY, "the peer's crossing rekey goes on instead");
        return;
    }
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.more_start)
            ike_exts[i]->on.more_start(p);
}

void pending_commit(struct ike_pending *p)
{
    list_append(&p->sa->pendings, &p->link);
    p->linked = true;
    if (pending_more(p))
        wait_for_more(p);
    else
        pending_complete(p);
}

/* Where the peer's crossing series goes on, ours must not come between its exchanges: strongSwan drops an IKE SA then.
 * It may have lost our answer and repeat its request, so it gets all the time that such a series has. */
static uint64_t again_at(struct ike *ike, enum adit_rc rc, uint64_t soonest)
{
    uint64_t delay = rc == ADIT_ERR_TEMPORARY ? IKE_PENDING_LIFE : soonest;
    return ike->now + delay + ike_jitter(ike, delay);
}

void pending_fail(struct ike_pending *p, enum adit_rc rc, const char *why)
{
    struct ike_sa *sa = p->sa;
    struct ike_child *old = child_by_id(sa->ike, p->old_child);
    sa_log(sa, ADIT_LOG_INFO, "CHD", "negotiation of %s given up: %s",
           p->kind == PENDING_REKEY_IKE ? "the IKE SA" : "a Child SA", why);
    event_done(sa->ike, p->cookie, rc, why);
    if (p->requester && sa->state == SA_ESTABLISHED && !sa->cut)
        collide_yield(p);
    if (p->requester && old && old->state == ADIT_CHILD_REKEYING) {
        old->state = ADIT_CHILD_INSTALLED;
        old->rekey_at = again_at(sa->ike, rc, SECONDS(10));
    }
    if (p->requester && p->kind == PENDING_REKEY_IKE && sa->state == SA_ESTABLISHED)
        sa->rekey_at = again_at(sa->ike, rc, IKE_TEMPORARY_RETRY_MIN);
    pending_free(p);
    sa_arm(sa);
}

static void child_made(struct ike_pending *p, struct ike_child *c)
{
    if (p->kind == PENDING_REKEY_CHILD && p->requester)
        collide_child_done(p, c);
    else if (p->kind == PENDING_REKEY_CHILD && !collide_note(p, c->id)) {
        struct ike_child *old = child_by_id(p->sa->ike, p->old_child);
        if (old) /* the peer deletes it: RFC 7296 s2.8 */
            child_supersede(old, c->id);
    }
}

static bool deleted_early(struct ike_sa *sa, uint32_t spi)
{
    for (unsigned i = 0; i < ARRAY_LEN(sa->early_deletes); i++)
        if (sa->early_deletes[i] == spi) {
            sa->early_deletes[i] = 0;
            return true;
        }
    return false;
}

/* What the peer makes anew in another IKE SA: sent on once it uses it, or closes the other one. */
static void take_place(struct ike_pending *p)
{
    struct ike_child *old = p->requester || p->kind == PENDING_REKEY_CHILD || p->resource ? NULL : peers_child(p);
    if (!old)
        return;
    p->old_child = old->id;
    p->reqid = old->reqid;
}

static void complete_child(struct ike_pending *p)
{
    struct ike_sa *sa = p->sa;
    take_place(p);
    struct adit_secret keymat = { 0 };
    enum adit_rc rc = keymat_child(sa->ike->host.crypto, sa_prf(sa), &sa->keys, &p->suite, buf_span(&p->nonce_i),
                                   buf_span(&p->nonce_r), p->secrets, p->n_secrets, &keymat);
    struct ike_child *c = rc == ADIT_OK ? child_install(p, &keymat, p->old_child) : NULL;
    secret_fini(&keymat);
    if (!c) {
        pending_fail(p, ADIT_ERR_MEMORY, "no memory for the keys of the Child SA");
        sa_delete(sa, "the peer has a Child SA that we have no memory for");
        return;
    }
    p->spi_in = 0; /* the child's now */
    child_made(p, c);
    if (p->requester && deleted_early(sa, p->spi_out)) {
        const struct adit_child_cfg *cfg = c->cfg;
        c->end = ADIT_ERR_CLOSED;
        child_remove(c, 0, "closed by the peer as soon as it was made");
        if (!p->resource)
            child_lost(sa, cfg, cfg->close_action);
    }
    event_done(sa->ike, p->cookie, ADIT_OK, "");
    pending_free(p);
}

void pending_complete(struct ike_pending *p)
{
    if (p->form)
        ike_count(p->ike, p->sa, ADIT_C_SHORT_REKEYS);
    if (p->kind == PENDING_REKEY_IKE)
        ike_rekeyed(p);
    else
        complete_child(p);
}
