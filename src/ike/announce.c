/* announce.c - "I can" notifies of extensions: who sent what, and when a rule is fulfilled. The core does not know which
 * exist. */
#include "ike/sa.h"

static bool may_use(struct ike_sa *sa, const struct ike_ext *e)
{
    return !e->on.may_use || e->on.may_use(sa);
}

static bool belongs(const struct ike_xchg *x, const struct ike_announce *a)
{
    return a->exchange == x->exchange || (a->in_each_opening && opens_sa(x->exchange));
}

static bool rule_lets(const struct ike_xchg *x, const struct ike_announce *a, enum ike_ext_id id)
{
    if (x->role == XCHG_REQUESTER)
        return a->rule != RESPONDER_ONLY;
    if (a->rule == REQUESTER_ONLY)
        return false;
    return a->rule != BOTH_SENT || (x->peer_announced & (1u << id));
}

static void put_one(struct ike_xchg *x, const struct ike_ext *e, const struct ike_announce *a, struct wr *w)
{
    if (!belongs(x, a) || !rule_lets(x, a, e->id))
        return;
    size_t before = w->n;
    if (a->put)
        a->put(x->sa, w);
    else
        notify_put(w, a->notify, SPAN_NONE);
    if (w->n > before)
        x->sa->announced_me |= 1u << e->id;
}

void announce_put(struct ike_xchg *x, struct wr *w)
{
    for (unsigned i = 0; i < EXT_COUNT; i++) {
        const struct ike_ext *e = ike_exts[i];
        for (unsigned k = 0; k < e->n_announce && may_use(x->sa, e); k++)
            put_one(x, e, &e->announce[k], w);
    }
    window_put(x, w);
    if (opens_sa(x->exchange) && (x->role == XCHG_REQUESTER || x->peer_private))
        vendor_id_put(w);
}

static void get_one(struct ike_xchg *x, const struct ike_ext *e, const struct ike_announce *a, const struct ike_msg *msg)
{
    struct notify n;
    uint16_t i = 0;
    if (!belongs(x, a))
        return;
    while (msg_next_notify(msg, &i, &n)) {
        if (n.type != a->notify)
            continue;
        x->peer_announced |= 1u << e->id;
        if (a->get)
            a->get(x->sa, msg, &n);
    }
}

void announce_get(struct ike_xchg *x, const struct ike_msg *msg)
{
    x->peer_announced = 0;
    window_get(x, msg);
    x->peer_private = opens_sa(x->exchange) && vendor_id_is_in(msg);
    if (opens_sa(x->exchange))
        x->guess = peer_look(msg);
    for (unsigned i = 0; i < EXT_COUNT; i++)
        for (unsigned k = 0; k < ike_exts[i]->n_announce; k++)
            get_one(x, ike_exts[i], &ike_exts[i]->announce[k], msg);
}

void announce_commit(struct ike_xchg *x)
{
    x->sa->announced_peer |= x->peer_announced;
    window_commit(x);
    x->sa->peer_private |= x->peer_private;
    if (x->guess.evidence != EVIDENCE_NONE)
        x->sa->guess = x->guess;
}

bool ext_agreed(const struct ike_sa *sa, enum ike_ext_id id)
{
    return sa->announced_me & sa->announced_peer & (1u << id);
}

void ext_set_agreed(struct ike_sa *sa, enum ike_ext_id id)
{
    sa->announced_me |= 1u << id;
    sa->announced_peer |= 1u << id;
}

bool ext_peer_announced(const struct ike_sa *sa, enum ike_ext_id id)
{
    return sa->announced_peer & (1u << id);
}

uint32_t sa_transforms(struct ike_sa *sa, uint8_t exchange, const struct ike_msg *request)
{
    uint32_t types = 0;
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.transforms && may_use(sa, ike_exts[i]))
            types |= ike_exts[i]->on.transforms(sa, exchange, request);
    return types;
}
