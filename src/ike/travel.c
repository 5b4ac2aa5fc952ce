/* travel.c - which key exchange methods may be used where and with whom: the one rule behind offers, choices and answers.
 * By size: what opens an SA is in clear, cannot be cut into fragments (RFC 7383 s2) and comes from strangers; later messages
 * have the payload's limit, or an extension's. By number: those for private use mean something only with peers that are
 * known to mean the same by them (RFC 7296 s3.3.5). */
#include "ike/sa.h"

static size_t room_of(struct ike_sa *sa, const struct ike_ext *e, uint8_t exchange, const struct ike_msg *peer)
{
    bool asked = e->on.ke_room && (!e->on.may_use || e->on.may_use(sa));
    return asked ? e->on.ke_room(sa, exchange, peer) : 0;
}

/* A stream cuts for itself: there is only what we read of strangers. */
static size_t most_of_first(const struct ike_sa *sa)
{
    if (sa->path.tcp)
        return IKE_KE_INIT_MAX_TCP;
    size_t most = sa->conn && sa->conn->cfg->init_ke_max ? sa->conn->cfg->init_ke_max : IKE_KE_INIT_DEFAULT;
    return most < IKE_KE_INIT_MAX ? most : IKE_KE_INIT_MAX;
}

size_t sa_ke_max(struct ike_sa *sa, uint8_t exchange, const struct ike_msg *peer)
{
    size_t most = IKE_KE_MAX;
    if (opens_sa(exchange))
        return most_of_first(sa);
    for (unsigned i = 0; i < EXT_COUNT; i++) {
        size_t room = room_of(sa, ike_exts[i], exchange, peer);
        most = room > most ? room : most;
    }
    return most;
}

bool sa_may_carry_ke(struct ike_sa *sa, uint8_t exchange, const struct ike_msg *peer, size_t n)
{
    return n <= sa_ke_max(sa, exchange, peer);
}

/* Our first request may name private numbers: what the peer chooses is looked at when its answer, `msg`, is here. Of that
 * nothing is committed yet. */
static bool shares_private(const struct ike_sa *sa, const struct ike_xchg *x, const struct ike_msg *msg)
{
    if (sa->conn && sa->conn->cfg->accept_private_algs)
        return true;
    if (!x)
        return sa_shares_private(sa);
    return (x->role == XCHG_REQUESTER && !msg) || x->peer_private;
}

static void method_rules(struct ike_sa *sa, const struct ike_xchg *x, const struct ike_msg *msg, struct negotiate_rules *r)
{
    r->crypto = sa->ike->host.crypto;
    r->private_ok = shares_private(sa, x, msg);
    if (peer_has(sa, QUIRK_FRODO_NUMBERS) || (x && peer_seems(x->guess, QUIRK_FRODO_NUMBERS))) {
        r->known_from = KE_FRODOKEM_640_AES;
        r->known_to = KE_FRODOKEM_1344_SHAKE;
    }
}

void rules_of_opening(const struct ike_xchg *x, const struct ike_msg *msg, struct negotiate_rules *r)
{
    method_rules(x->sa, x, msg, r);
    r->extra_types = sa_transforms(x->sa, XCHG_IKE_SA_INIT, msg);
    r->ke_max = sa_ke_max(x->sa, XCHG_IKE_SA_INIT, msg);
    r->ke_more_max = sa_ke_max(x->sa, XCHG_IKE_INTERMEDIATE, msg);
}

void rules_of_rekeying(struct ike_sa *sa, struct negotiate_rules *r)
{
    method_rules(sa, NULL, NULL, r);
    r->extra_types = sa_transforms(sa, XCHG_CREATE_CHILD_SA, NULL);
    r->ke_max = sa_ke_max(sa, XCHG_CREATE_CHILD_SA, NULL);
    r->ke_more_max = sa_ke_max(sa, XCHG_IKE_FOLLOWUP_KE, NULL);
}
