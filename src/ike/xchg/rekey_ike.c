/* rekey_ike.c - a new IKE SA inside the old one (RFC 7296 s1.3.2, s2.8, s2.18). All Child SAs move to it; the one who
 * asked deletes the old one. */
#include "ike/xchg/child_nego.h"

struct rekey_ike {
    struct ike_pending *p;
    struct ike_ke ke;
    uint16_t method;
    bool asked;
};

static enum adit_rc new_spi(struct ike *ike, uint64_t *spi)
{
    for (int tries = 0; tries < 8; tries++)
        if (ike_random(ike, spi, sizeof(*spi)) && *spi && !map_get(&ike->by_spi, *spi))
            return ADIT_OK;
    return ADIT_ERR_MEMORY;
}

static void spi_octets(uint64_t spi, uint8_t out[8])
{
    struct wr w;
    wr_init(&w, out, 8);
    wr_u64(&w, spi);
}

static struct negotiate_rules rules(struct ike_sa *sa)
{
    struct negotiate_rules r = { 0 };
    rules_of_rekeying(sa, &r);
    return r;
}

static enum adit_rc read_spi(struct adit_span spi, uint64_t *out, struct adit_why *why)
{
    struct rd in = rd_init(spi);
    *out = rd_u64(&in);
    if (spi.n != 8 || !*out)
        return why_set(why, ADIT_ERR_MALFORMED, "no new IKE SPI");
    return ADIT_OK;
}

/* --- requester ----------------------------------------------------------------------------------------------------- */

static enum adit_rc ask(struct ike_xchg *x, struct rekey_ike *s, struct adit_why *why)
{
    struct negotiate_rules r = rules(x->sa);
    sa_take_newest(x->sa, x);
    if (!(s->p = pending_new(x->sa, PENDING_REKEY_IKE, true)))
        return ADIT_ERR_MEMORY;
    s->p->cookie = x->task ? x->task->cookie : 0;
    s->p->form = x->task && x->task->regular ? NULL : rekey_form_for(s->p);
    if (s->p->form)
        s->p->suite = x->sa->suite;
    else
        TRY(negotiate_offer(x->sa->conn->cfg->proposals, &r, &s->p->arena, &s->p->offer, why));
    TRY(new_spi(x->ike, &s->p->new_spi_i));
    TRY(nego_fresh_nonce(x->sa, &s->p->nonce_i));
    if (s->p->form)
        s->method = s->p->suite.ke[0];
    else
        s->method = x->task && x->task->ke_method ? x->task->ke_method : negotiate_first_ke(s->p->offer);
    s->asked = true;
    return ADIT_OK;
}

static enum adit_rc req_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct rekey_ike *s = scratch;
    uint8_t spi[8];
    if (!s->asked)
        TRY(ask(x, s, why));
    TRY(ke_init(x, &s->ke, s->method));
    spi_octets(s->p->new_spi_i, spi);
    if (s->p->form)
        s->p->form->put(w, SPAN_ARRAY(spi));
    else
        negotiate_put(w, s->p->offer, SPAN_ARRAY(spi));
    nonce_put(w, buf_span(&s->p->nonce_i));
    ke_put(w, s->method, buf_span(&s->ke.ours));
    return ADIT_OK;
}

static enum adit_rc check(struct ike_xchg *x, struct ike_pending *p, const struct ike_msg *msg, struct adit_span *spi,
                          struct adit_why *why)
{
    struct negotiate_rules r = rules(x->sa);
    struct proposals *answer;
    if (p->form)
        return p->form->get(x->sa, msg, 8, spi, why);
    TRY(nego_get_sa(x, msg, &answer, why));
    return negotiate_check(answer, p->offer, &r, &p->suite, spi, why);
}

static enum adit_rc req_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct rekey_ike *s = scratch;
    struct adit_span spi;
    TRY(check(x, s->p, msg, &spi, why));
    TRY(read_spi(spi, &s->p->new_spi_r, why));
    TRY(nego_get_nonce(msg, &s->p->nonce_r, why));
    if (s->p->suite.ke[0] != s->method)
        return why_set(why, ADIT_ERR_MALFORMED, "peer chose another KE method than it answered");
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.more_get)
            TRY(ike_exts[i]->on.more_get(s->p, msg, why));
    return ke_finish(x, &s->ke, msg, why);
}

static void req_commit(struct ike_xchg *x, void *scratch)
{
    struct rekey_ike *s = scratch;
    struct ike_pending *p = s->p;
    s->p = NULL;
    (void)!pending_add_secret(p, &s->ke.secret);
    if (x->task) {
        p->crossing_id = x->task->crossing_id;
        buf_move(&p->crossing_nonce, &x->task->crossing_nonce);
        x->task->cookie = 0; /* answered when the new SA is there */
    }
    pending_commit(p);
}

static void req_failed(struct ike_xchg *x, void *scratch, enum adit_rc rc, const struct adit_why *why)
{
    struct ike_sa *sa = x->sa;
    struct ike_task *t = x->task;
    struct notify n;
    if (!t || sa->state != SA_ESTABLISHED)
        return;
    if (t->crossing_id) {
        collide_ike_settle(sa, t->crossing_id);
        return;
    }
    x->task = NULL;
    if (rekey_again_regular(sa, t, ((struct rekey_ike *)scratch)->p, rc))
        return;
    if (rc == ADIT_ERR_KE_METHOD && t->tries < IKE_KE_RETRIES && msg_notify(&x->msg, N_INVALID_KE_PAYLOAD, &n) &&
        n.data.n == 2) {
        t->ke_method = (uint16_t)(n.data.p[0] << 8 | n.data.p[1]);
        agenda_again(sa, t, 0);
    } else if (rc == ADIT_ERR_TEMPORARY && t->tries < IKE_TEMPORARY_TRIES) {
        agenda_again(sa, t, IKE_TEMPORARY_RETRY_MIN + ike_jitter(sa->ike, 2 * IKE_TEMPORARY_RETRY_MIN));
    } else {
        if (rc == ADIT_ERR_NO_ADDITIONAL)
            sa_renew(sa, t);
        task_end(sa, t, rc, why->text);
    }
}

static void fini(struct ike_xchg *x, void *scratch)
{
    struct rekey_ike *s = scratch;
    ke_fini(&s->ke);
    pending_free(s->p);
    s->p = NULL;
}

/* --- responder ----------------------------------------------------------------------------------------------------- */

static enum want resp_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    struct notify n;
    if (!sa_is_established(sa) || !msg)
        return WANT_NO;
    if (rekey_form_of(sa, msg))
        return msg_notify(msg, N_REKEY_SA, &n) ? WANT_NO : WANT_OPEN;
    return msg_find(msg, PLD_TSi) ? WANT_NO : WANT_OPEN;
}

/* Nothing is negotiable: another KE method, or none, is no reason for INVALID_KE_PAYLOAD. */
static enum adit_rc choose_form(struct ike_xchg *x, struct rekey_ike *s, const struct ike_msg *msg, struct adit_why *why)
{
    const struct payload *ke = msg_find(msg, PLD_KE);
    struct rd in = rd_init(ke ? ke->body : SPAN_NONE);
    struct ke_payload kei = { 0 };
    struct adit_span spi;
    TRY(s->p->form->get(x->sa, msg, 8, &spi, why));
    TRY(read_spi(spi, &s->p->new_spi_i, why));
    if (ke && !ke_get(&in, &kei))
        return why_set(why, ADIT_ERR_MALFORMED, "KE payload: %s", in.fail);
    if (!s->p->form->may(s->p))
        return why_set(why, ADIT_ERR_PROPOSAL, "this IKE SA has to be rekeyed in the regular form");
    s->p->suite = x->sa->suite;
    s->method = s->p->suite.ke[0];
    if (kei.method != s->method)
        return why_set(why, ADIT_ERR_PROPOSAL, "another key exchange than that of the IKE SA");
    return ADIT_OK;
}

static enum adit_rc choose(struct ike_xchg *x, struct rekey_ike *s, const struct ike_msg *msg, struct adit_why *why)
{
    struct negotiate_rules r = rules(x->sa);
    const struct payload *ke = msg_find(msg, PLD_KE);
    struct proposals *offer;
    struct adit_span spi;
    struct ke_payload kei;
    struct rd in = rd_init(ke ? ke->body : SPAN_NONE);
    if (!ke || !ke_get(&in, &kei))
        return why_set(why, ADIT_ERR_MALFORMED, "KE payload is missing or bad");
    r.ke_first = kei.method;
    TRY(nego_get_sa(x, msg, &offer, why));
    TRY(negotiate_choose(offer, x->sa->conn->cfg->proposals, &r, &s->p->suite, &spi, why));
    TRY(read_spi(spi, &s->p->new_spi_i, why));
    s->method = s->p->suite.ke[0];
    if (kei.method == s->method)
        return ADIT_OK;
    uint8_t *want = arena_new(&x->arena, 2);
    if (!want)
        return ADIT_ERR_MEMORY;
    want[0] = (uint8_t)(s->method >> 8);
    want[1] = (uint8_t)s->method;
    x->reply_data = span(want, 2);
    return why_set(why, ADIT_ERR_KE_METHOD, "KE payload is for another method than the one chosen");
}

static enum adit_rc resp_begin(struct ike_xchg *x, struct rekey_ike *s, const struct ike_msg *msg, struct adit_why *why)
{
    sa_take_newest(x->sa, x);
    if (!(s->p = pending_new(x->sa, PENDING_REKEY_IKE, false)))
        return ADIT_ERR_MEMORY;
    s->p->form = rekey_form_of(x->sa, msg);
    TRY(s->p->form ? choose_form(x, s, msg, why) : choose(x, s, msg, why));
    TRY(nego_get_nonce(msg, &s->p->nonce_i, why));
    TRY(new_spi(x->ike, &s->p->new_spi_r));
    TRY(nego_fresh_nonce(x->sa, &s->p->nonce_r));
    s->asked = true;
    return ADIT_OK;
}

static enum adit_rc resp_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct rekey_ike *s = scratch;
    TRY(collide_request(x->sa, COLLIDE_REKEY_IKE, NULL, why)); /* each time: ours may have ended while work was out */
    if (!s->asked)
        TRY(resp_begin(x, s, msg, why));
    TRY(ke_respond(x, &s->ke, s->method, msg, why));
    return s->p->n_secrets ? ADIT_OK : pending_add_secret(s->p, &s->ke.secret);
}

static enum adit_rc resp_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct rekey_ike *s = scratch;
    uint8_t spi[8];
    spi_octets(s->p->new_spi_r, spi);
    if (s->p->form)
        s->p->form->put(w, SPAN_ARRAY(spi));
    else
        negotiate_answer(w, &s->p->suite, PROTO_IKE, SPAN_ARRAY(spi));
    nonce_put(w, buf_span(&s->p->nonce_r));
    ke_put(w, s->method, buf_span(&s->ke.ours));
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.more_put)
            ike_exts[i]->on.more_put(s->p, w);
    return ADIT_OK;
}

static void resp_commit(struct ike_xchg *x, void *scratch)
{
    struct rekey_ike *s = scratch;
    struct ike_pending *p = s->p;
    s->p = NULL;
    pending_commit(p);
}

/* --- the new SA ------------------------------------------------------------------------------------------------------ */

static bool copy_identity(struct ike_sa *to, const struct ike_sa *from)
{
    to->conn = from->conn;
    return buf_set(&to->id_local, buf_span(&from->id_local)) == ADIT_OK &&
           buf_set(&to->id_remote, buf_span(&from->id_remote)) == ADIT_OK && peers_add(to) == ADIT_OK;
}

/* The requester of the rekeying is the original initiator of the new SA (RFC 7296 s2.18). */
struct ike_sa *sa_inherit(struct ike_pending *p, struct ike_keys *keys)
{
    struct ike_sa *old = p->sa, *sa = sa_new(old->ike, true, &old->path);
    if (!sa || !copy_identity(sa, old)) {
        if (sa)
            sa_free(sa);
        return NULL;
    }
    sa->is_initiator = p->requester;
    sa->spi_i = p->new_spi_i;
    sa->spi_r = p->new_spi_r;
    policy_unref(sa->policy);
    sa->policy = policy_ref(old->policy);
    sa->lineage = old->lineage;
    sa->home = old->home;
    sa->suite = p->suite;
    buf_move(&sa->nonce_i, &p->nonce_i);
    buf_move(&sa->nonce_r, &p->nonce_r);
    sa->announced_me = old->announced_me;
    sa->announced_peer = old->announced_peer;
    sa->peer_private = old->peer_private;
    sa->round_trip = old->round_trip;
    sa->guess = old->guess;
    sa->local_auth = old->local_auth;
    sa->remote_auth = old->remote_auth;
    sa->peer_hashes = old->peer_hashes;
    sa->nat_local = old->nat_local;
    sa->nat_remote = old->nat_remote;
    sa_keys_replace(sa, keys);
    sa_index(sa);
    return sa;
}

static void settle_lifetimes(struct ike_sa *sa, const struct ike_sa *old)
{
    const struct adit_conn *c = sa->conn->cfg;
    uint64_t now = sa->ike->now, spread = ike_jitter(sa->ike, SECONDS(c->rand_s) + 1);
    sa->state = SA_ESTABLISHED;
    sa->established_at = now;
    sa->reauth_at = old->reauth_at;
    sa->rekey_at = c->rekey_s ? now + SECONDS(c->rekey_s) - (spread < SECONDS(c->rekey_s) ? spread : 0) : 0;
    sa->expire_at = c->rekey_s ? now + SECONDS(c->rekey_s + c->over_s) + IKE_OVER_MIN : 0;
    sa->reauth_by = old->reauth_by;
    sa_bound_life(sa);
}

static void tell_rekeyed(struct ike_sa *from, struct ike_sa *to)
{
    struct adit_event *ev = event_add(to->ike, ADIT_EV_IKE_REKEYED);
    sa_log(to, ADIT_LOG_AUDIT, "IKE", "IKE_SA %s[%u] rekeyed to %s[%u]", sa_conn_name(from), from->id, sa_conn_name(to),
           to->id);
    if (!ev)
        return;
    event_text(to->ike, ev, sa_conn_name(to));
    ev->conn = ev->text;
    ev->ike_id = to->id;
    ev->old_ike_id = from->id;
    ev->path = to->path;
}

static bool moves(const struct ike_task *t)
{
    return t->kind != TASK_REKEY_IKE && t->kind != TASK_LIVENESS && t->kind != TASK_EXCHANGE;
}

/* `from` is what the peer's crossing rekeying of another SA made, and ours of that one is still under way: `from` was the
 * one that counts, and so is its successor. */
static void settle_crossed(struct ike_sa *from, struct ike_sa *to)
{
    struct ike_sa *old = collide_ike_crossed(from);
    if (!old)
        return;
    collide_ike_renamed(old, to);
    sa_hand_over(old, to);
}

/* A Delete that is under way may never be answered: the peer may end the old SA first. It is sent again on the new one. */
static void repeat_delete(struct ike_task *t, struct ike_sa *to)
{
    struct ike_task *again;
    if (!t || t->kind != TASK_DELETE_CHILD || !(again = agenda_add(to, TASK_DELETE_CHILD, &step_delete_child_req)))
        return;
    again->child_id = t->child_id;
    again->cookie = t->cookie;
    t->cookie = 0;
}

/* It only waits for the peer's Delete now, which may never come. */
static void replace(struct ike_sa *sa, struct ike_sa *by)
{
    sa->successor = by->id;
    sa->quiet = true;
    sa_set_state(sa, SA_REKEYED);
    sa->rekey_at = sa->reauth_at = sa->expire_at = 0;
    sa->die_at = sa->ike->now + IKE_REKEYED_LIFE;
}

void sa_hand_over(struct ike_sa *from, struct ike_sa *to)
{
    replace(from, to);
    to->retire_at = from->retire_at; /* a third one has taken its place: rekeying changes nothing about that */
    to->retiring = from->retiring;
    from->retire_at = 0;
    list_for_each_safe(child, &from->children)
        child_move(list_entry(child, struct ike_child, link), to);
    list_for_each_safe(it, &from->tasks) {
        struct ike_task *t = list_entry(it, struct ike_task, link);
        if (t->kind == TASK_EXCHANGE)
            continue; /* goes on with what it was opened for */
        list_remove(it);
        if (moves(t))
            list_append(&to->tasks, it);
        else
            task_end(from, t, ADIT_OK, ""); /* a rekeying or check that waited for its turn has no object any more */
    }
    for (struct ike_xchg *x = NULL; (x = sa_next_out(from, x));)
        repeat_delete(x->task, to);
    tell_rekeyed(from, to);
    settle_crossed(from, to);
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.life)
            ike_exts[i]->on.life(from, LIFE_REKEYED, to);
    sa_arm(from);
    sa_arm(to);
}

static void by_peer(struct ike_pending *p, struct ike_sa *old, struct ike_sa *fresh)
{
    ike_count(old->ike, old, ADIT_C_IKE_REKEY_RESP);
    if (collide_note(p, fresh->id))
        fresh->crosses = old->id;
    else
        sa_hand_over(old, fresh);
}

static void by_us(struct ike_pending *p, struct ike_sa *old, struct ike_sa *fresh)
{
    struct ike_sa *crossing = p->crossing_id ? sa_by_id(old->ike, p->crossing_id) : NULL;
    ike_count(old->ike, old, ADIT_C_IKE_REKEY_INIT);
    if (old->successor || (crossing && collide_lost(p))) { /* it has one: the peer has shown already that its own counts */
        if (!old->successor)
            sa_hand_over(old, crossing); /* the peer deletes the old one */
        fresh->quiet = true;
        fresh->successor = old->successor;
        sa_delete(fresh, "redundant after a rekey collision");
        return;
    }
    collide_drop_others(p);
    sa_hand_over(old, fresh);
    agenda_add(old, TASK_DELETE_IKE, &step_delete_ike_req);
    if (crossing && crossing->state != SA_DEAD) {
        replace(crossing, fresh); /* the peer deletes it, if it ever heard of it */
        sa_arm(crossing);
    }
}

void ike_rekeyed(struct ike_pending *p)
{
    struct ike_sa *old = p->sa;
    struct ike_keys keys = { 0 };
    struct keymat_in in = { .crypto = old->ike->host.crypto, .suite = &p->suite, .nonce_i = buf_span(&p->nonce_i),
                            .nonce_r = buf_span(&p->nonce_r), .spi_i = p->new_spi_i, .spi_r = p->new_spi_r };
    enum adit_rc rc = keymat_rekey(&in, sa_prf(old), &old->keys, p->secrets, p->n_secrets,
                                   peer_has(old, QUIRK_PRF_PLUS_OLD), &keys);
    struct adit_buf lowest = { 0 };
    (void)!buf_set(&lowest, pending_lowest_nonce(p));
    struct ike_sa *fresh = rc == ADIT_OK ? sa_inherit(p, &keys) : NULL;
    keys_fini(&keys);
    if (!fresh) {
        buf_fini(&lowest);
        pending_fail(p, ADIT_ERR_MEMORY, "no memory for the new IKE SA");
        return;
    }
    (void)!buf_set(&p->nonce_i, buf_span(&lowest)); /* inherited: the comparison needs the lowest one only */
    (void)!buf_set(&p->nonce_r, buf_span(&lowest));
    buf_fini(&lowest);
    settle_lifetimes(fresh, old);
    if (p->requester)
        by_us(p, old, fresh);
    else
        by_peer(p, old, fresh);
    event_done(old->ike, p->cookie, ADIT_OK, "");
    pending_free(p);
    sa_arm(old);
    sa_arm(fresh);
}

const struct ike_step step_rekey_ike_req = {
    .name = "IKE_REKEY", .exchange = XCHG_CREATE_CHILD_SA, .role = XCHG_REQUESTER, .scratch = sizeof(struct rekey_ike),
    .build = req_build, .consume = req_consume, .commit = req_commit, .failed = req_failed, .fini = fini,
};
const struct ike_step step_rekey_ike_resp = {
    .name = "IKE_REKEY", .exchange = XCHG_CREATE_CHILD_SA, .role = XCHG_RESPONDER, .scratch = sizeof(struct rekey_ike),
    .want = resp_want, .consume = resp_consume, .build = resp_build, .commit = resp_commit, .fini = fini,
};
