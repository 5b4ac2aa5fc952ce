/* child_nego.c - offering, choosing and checking one Child SA: proposals, selectors, SPIs. */
#include "ike/xchg/child_nego.h"

enum adit_rc nego_fresh_nonce(struct ike_sa *sa, struct adit_buf *nonce)
{
    TRY(buf_resize(nonce, IKE_NONCE_SIZE));
    return ike_random(sa->ike, nonce->p, nonce->n) ? ADIT_OK : ADIT_ERR_CRYPTO;
}

enum adit_rc nego_get_nonce(const struct ike_msg *msg, struct adit_buf *out, struct adit_why *why)
{
    const struct payload *p = msg_find(msg, PLD_NONCE);
    struct adit_span nonce;
    struct rd in = rd_init(p ? p->body : SPAN_NONE);
    if (!p || !nonce_get(&in, &nonce))
        return why_set(why, ADIT_ERR_MALFORMED, "Nonce payload is missing or bad");
    return buf_set(out, nonce);
}

enum adit_rc nego_get_sa(struct ike_xchg *x, const struct ike_msg *msg, struct proposals **out,
                         struct adit_why *why)
{
    const struct payload *p = msg_find(msg, PLD_SA);
    struct rd in = rd_init(p ? p->body : SPAN_NONE);
    *out = arena_new(&x->arena, sa_payload_room(p ? p->body : SPAN_NONE));
    if (!*out)
        return ADIT_ERR_MEMORY;
    if (!p || !sa_payload_get(&in, *out))
        return why_set(why, ADIT_ERR_MALFORMED, "SA payload: %s", p ? in.fail : "missing");
    return ADIT_OK;
}

static struct negotiate_rules rules(struct ike_xchg *x, const struct adit_child_cfg *cfg, bool first, uint16_t kei)
{
    struct negotiate_rules r = {
        .no_ke = first,
        .esp = true,
        .ke_first = kei,
        .no_window = cfg && !cfg->replay_window,
        .no_esn = peer_has(x->sa, QUIRK_NO_ESN),
    };
    rules_of_rekeying(x->sa, &r);
    if (first)
        r.extra_types = 0;
    return r;
}

/* False: nobody but the outer address knows. */
static bool dynamic_of(struct ike_sa *sa, bool local, struct adit_ts_list *out)
{
    const struct adit_addr *outer = local ? &sa->path.local.addr : &sa->path.remote.addr;
    out->n = 0;
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.dynamic && ike_exts[i]->on.dynamic(sa, local, out))
            return true;
    if (outer->family)
        out->v[out->n++] = ts_from_addr(outer);
    return false;
}

static void resolve(struct ike_sa *sa, const struct adit_child_cfg *cfg, struct adit_ts_list *local,
                    struct adit_ts_list *remote)
{
    struct adit_ts_list dynamic;
    (void)dynamic_of(sa, true, &dynamic);
    narrow_resolve(cfg->local_ts, cfg->n_local_ts, &dynamic, local);
    (void)dynamic_of(sa, false, &dynamic);
    narrow_resolve(cfg->remote_ts, cfg->n_remote_ts, &dynamic, remote);
}

enum adit_rc child_may(struct ike_sa *sa, struct adit_why *why)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.may_child)
            TRY(ike_exts[i]->on.may_child(sa, why));
    return ADIT_OK;
}

/* A rekeying proposes the old SA's selectors: never narrower than what is in use (RFC 7296 s2.9.2). */
void child_old_selectors(struct ike_pending *p, const struct ike_child *old)
{
    p->local->n = old->n_local;
    p->remote->n = old->n_remote;
    for (uint16_t i = 0; i < old->n_local; i++)
        p->local->v[i] = old->ts[i];
    for (uint16_t i = 0; i < old->n_remote; i++)
        p->remote->v[i] = old->ts[old->n_local + i];
    if (old->mode == ADIT_MODE_TRANSPORT)
        child_mode_readdress(p);
}

/* What was negotiated, not what is configured. */
static enum adit_rc inherit(struct ike_xchg *x, struct ike_pending *p, struct adit_why *why)
{
    const struct ike_child *old = child_by_id(x->ike, p->old_child);
    if (!old)
        return why_set(why, ADIT_ERR_NOT_FOUND, "the Child SA was closed meanwhile");
    child_old_selectors(p, old);
    p->suite = old->suite;
    p->mode = old->mode;
    p->local_seen = old->local_seen;
    p->remote_seen = old->remote_seen;
    p->shape = old->shape;
    p->spi_in = child_new_spi(x->ike, p->resource);
    return p->spi_in ? ADIT_OK : why_set(why, ADIT_ERR_LIMIT, "no SPI to be had");
}

enum adit_rc child_offer(struct ike_xchg *x, struct ike_pending *p, bool first, struct adit_why *why)
{
    struct negotiate_rules r = rules(x, p->cfg, first, 0);
    if (p->form)
        return inherit(x, p, why);
    TRY(negotiate_offer(p->cfg->proposals, &r, &p->arena, &p->offer, why));
    if (!p->local->n)
        resolve(x->sa, p->cfg, p->local, p->remote);
    if (!p->local->n || !p->remote->n)
        return why_set(why, ADIT_ERR_CONFIG, "child %s has no traffic selectors for these addresses", p->cfg->name);
    TRY(child_mode_offer(p, why));
    p->spi_in = child_new_spi(x->ike, p->resource);
    return p->spi_in ? ADIT_OK : why_set(why, ADIT_ERR_LIMIT, "no SPI to be had");
}

void child_offer_packet(struct ike_pending *p, const struct ike_task *t)
{
    if (t && t->packet_local.family)
        narrow_packet_first(p->local, p->remote, &t->packet_local, &t->packet_remote);
}

static struct adit_span spi_octets(uint32_t spi, uint8_t out[4])
{
    struct wr w;
    wr_init(&w, out, 4);
    wr_u32(&w, spi);
    return span(out, 4);
}

/* Of our packets. TFC padding exists in tunnel mode only (RFC 4303 s2.7), and the peer may refuse it (RFC 7296 s1.3.1). */
static void shape(struct ike_pending *p, const struct ike_msg *msg)
{
    struct notify n;
    if (p->mode == ADIT_MODE_AGGFRAG)
        return; /* settled by who knows it */
    p->shape = (struct adit_shape){ .tfc_padding = p->cfg->tfc_padding, .dummies = p->cfg->tfc_dummies };
    if (p->mode != ADIT_MODE_TUNNEL || msg_notify(msg, N_ESP_TFC_PADDING_NOT_SUPPORTED, &n))
        p->shape.tfc_padding = 0;
}

static enum adit_rc get_notifies(struct ike_pending *p, const struct ike_msg *msg, struct adit_why *why)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.child_get)
            TRY(ike_exts[i]->on.child_get(p, msg, why));
    return ADIT_OK;
}

static void put_notifies(struct ike_pending *p, struct wr *w)
{
    child_mode_put(w, p->mode);
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.child_put)
            ike_exts[i]->on.child_put(p, w);
}

void child_put_sa(struct wr *w, struct ike_pending *p)
{
    uint8_t spi[4];
    if (p->form) {
        p->form->put(w, spi_octets(p->spi_in, spi));
        return;
    }
    put_notifies(p, w);
    negotiate_put(w, p->offer, spi_octets(p->spi_in, spi));
}

/* TSi is always the requester's side, in both messages (RFC 7296 s2.9). */
void child_put_ts(struct wr *w, const struct ike_pending *p)
{
    const struct adit_ts_list *i = p->requester ? p->local : p->remote, *r = p->requester ? p->remote : p->local;
    if (p->form)
        return;
    ts_put(w, PLD_TSi, i->v, i->n);
    ts_put(w, PLD_TSr, r->v, r->n);
}

void child_put_answer(struct wr *w, struct ike_pending *p)
{
    uint8_t spi[4];
    if (p->form) {
        p->form->put(w, spi_octets(p->spi_in, spi));
        return;
    }
    put_notifies(p, w);
    if (p->others_fit) /* RFC 7296 s2.9 */
        notify_put(w, N_ADDITIONAL_TS_POSSIBLE, SPAN_NONE);
    negotiate_answer(w, &p->suite, PROTO_ESP, spi_octets(p->spi_in, spi));
}

/* A request may ask for more than we can hold: narrowing leaves the rest out (RFC 7296 s2.9). A response may not. */
static enum adit_rc get_ts(const struct ike_msg *msg, uint8_t type, struct adit_ts_list *out, struct adit_why *why)
{
    const struct payload *p = msg_find(msg, type);
    struct rd in = rd_init(p ? p->body : SPAN_NONE);
    unsigned unknown;
    if (!p || !ts_get(&in, out, &unknown))
        return why_set(why, ADIT_ERR_MALFORMED, "%s payload: %s", iana_name(IANA_PLD, type), p ? in.fail : "missing");
    if (unknown && out->n == ADIT_TS_MAX && (msg->hdr.flags & IKE_FLAG_RESPONSE))
        return why_set(why, ADIT_ERR_TS, "peer answered with more than %d traffic selectors", ADIT_TS_MAX);
    return ADIT_OK;
}

static enum adit_rc read_spi(struct adit_span spi, struct ike_pending *p, struct adit_why *why)
{
    struct rd in = rd_init(spi);
    p->spi_out = rd_u32(&in);
    if (spi.n != 4 || !p->spi_out)
        return why_set(why, ADIT_ERR_MALFORMED, "proposal without an ESP SPI");
    return ADIT_OK;
}

/* SPIs up to 255 are reserved (RFC 4303 s2.1). */
static enum adit_rc read_form(struct ike_xchg *x, struct ike_pending *p, const struct ike_msg *msg, struct adit_why *why)
{
    struct adit_span spi;
    TRY(p->form->get(x->sa, msg, 4, &spi, why));
    TRY(read_spi(spi, p, why));
    return p->spi_out > 255 ? ADIT_OK : why_set(why, ADIT_ERR_MALFORMED, "reserved ESP SPI %u", p->spi_out);
}

static enum adit_rc check_form(struct ike_xchg *x, struct ike_pending *p, const struct ike_msg *msg, struct adit_why *why)
{
    TRY(read_form(x, p, msg, why));
    if (!p->suite.ke[0] && msg_find(msg, PLD_KE))
        return why_set(why, ADIT_ERR_MALFORMED, "KE payload in the answer to a request without one");
    return ADIT_OK;
}

/* Nothing is negotiable: another KE method is no reason for INVALID_KE_PAYLOAD. */
static enum adit_rc choose_form(struct ike_xchg *x, struct ike_pending *p, const struct ike_msg *msg, uint16_t kei,
                                struct adit_why *why)
{
    TRY(read_form(x, p, msg, why));
    if (!p->form->may(p))
        return why_set(why, ADIT_ERR_PROPOSAL, "this Child SA has to be rekeyed in the regular form");
    TRY(inherit(x, p, why));
    if (kei != p->suite.ke[0])
        return why_set(why, ADIT_ERR_PROPOSAL, "another key exchange than that of the Child SA");
    return ADIT_OK;
}

/* `dynamic` may mean less than when it was offered: a virtual address is known by now (RFC 7296 s2.19). */
static enum adit_rc settle_dynamic(struct ike_xchg *x, struct ike_pending *p, struct adit_why *why)
{
    struct adit_ts_list *l = arena_new(&x->arena, sizeof(*l)), *r = arena_new(&x->arena, sizeof(*r));
    if (!l || !r)
        return ADIT_ERR_MEMORY;
    if (!dynamic_of(x->sa, true, l))
        return ADIT_OK;
    resolve(x->sa, p->cfg, l, r);
    narrow_cut(p->local, l);
    return p->local->n && p->remote->n
               ? ADIT_OK
               : why_set(why, ADIT_ERR_TS, "peer's selectors have no place for the address that it assigned");
}

/* Some peers answer a rekeying with all that they would allow (Windows); what is in use is what we keep. */
static enum adit_rc check_ts(const struct ike_pending *p, struct adit_ts_list *got, const struct adit_ts_list *asked,
                             struct adit_why *why)
{
    return p->kind == PENDING_REKEY_CHILD ? narrow_clip(got, asked, why) : narrow_check(got, asked, why);
}

enum adit_rc child_check(struct ike_xchg *x, struct ike_pending *p, const struct ike_msg *msg, bool first,
                         struct adit_why *why)
{
    struct negotiate_rules r = rules(x, p->cfg, first, 0);
    struct adit_ts_list *i = arena_new(&x->arena, sizeof(*i)), *t = arena_new(&x->arena, sizeof(*t));
    struct proposals *answer;
    struct adit_span spi;
    struct notify more;
    if (!i || !t)
        return ADIT_ERR_MEMORY;
    p->peer_made = true;
    if (p->form)
        return check_form(x, p, msg, why);
    TRY(nego_get_sa(x, msg, &answer, why));
    TRY(negotiate_check(answer, p->offer, &r, &p->suite, &spi, why));
    TRY(read_spi(spi, p, why));
    TRY(get_ts(msg, PLD_TSi, i, why));
    TRY(get_ts(msg, PLD_TSr, t, why));
    TRY(child_mode_check(p, msg, i, t, why));
    TRY(check_ts(p, i, p->local, why));
    TRY(check_ts(p, t, p->remote, why));
    if (msg_notify(msg, N_ADDITIONAL_TS_POSSIBLE, &more))
        sa_log(x->sa, ADIT_LOG_INFO, "CHD", "peer has further networks for other CHILD_SAs than %s", p->cfg->name);
    *p->local = *i;
    *p->remote = *t;
    if (first)
        TRY(settle_dynamic(x, p, why));
    TRY(get_notifies(p, msg, why));
    shape(p, msg);
    return ADIT_OK;
}

/* The child that fits best; among equals one of that mode, then the first configured. Tunnel mode is for any of them,
 * transport mode only for those that want it. */
static const struct adit_child_cfg *best_child(struct ike_xchg *x, const struct adit_ts_list *peer_local,
                                               const struct adit_ts_list *peer_remote, enum adit_mode mode,
                                               bool *others_fit)
{
    const struct adit_conn *conn = x->sa->conn->cfg;
    struct adit_ts_list *l = arena_new(&x->arena, sizeof(*l)), *r = arena_new(&x->arena, sizeof(*r));
    const struct adit_child_cfg *best = NULL;
    int score = 0, fitting = 0;
    for (uint16_t i = 0; l && r && i < conn->n_children; i++) {
        const struct adit_child_cfg *c = &conn->children[i];
        if (c->mode == ADIT_MODE_PASS || c->mode == ADIT_MODE_DROP || (mode == ADIT_MODE_TRANSPORT && c->mode != mode))
            continue;
        resolve(x->sa, c, l, r);
        int s = 2 * narrow_score(peer_local, peer_remote, l, r);
        s += s && c->mode == mode;
        fitting += s > 0;
        if (s > score) {
            score = s;
            best = c;
        }
    }
    *others_fit = fitting > 1;
    return best;
}

static enum adit_rc no_child(struct ike_xchg *x, const struct adit_ts_list *l, const struct adit_ts_list *r,
                             struct adit_why *why)
{
    STRBUF(local, 160);
    STRBUF(remote, 160);
    narrow_print(&local, l);
    narrow_print(&remote, r);
    ike_count(x->ike, x->sa, ADIT_C_TS_MISMATCH);
    return why_set(why, ADIT_ERR_TS, "peer asks for %s === %s: no child of connection %s allows that", local.p, remote.p,
                   sa_conn_name(x->sa));
}

/* What is in use stays allowed at a rekeying (RFC 7296 s2.9.2), also when `dynamic` means another address by now. */
static void allow_old(const struct ike_child *old, struct adit_ts_list *local, struct adit_ts_list *remote)
{
    for (uint16_t i = 0; i < old->n_local && local->n < ADIT_TS_MAX; i++)
        local->v[local->n++] = old->ts[i];
    for (uint16_t i = 0; i < old->n_remote && remote->n < ADIT_TS_MAX; i++)
        remote->v[remote->n++] = old->ts[old->n_local + i];
}

/* What the peer asks for, TSr being our side, and for which of our children, in p. Transport mode is looked for first,
 * by the addresses that we see; failing that, tunnel mode by the selectors as they came (RFC 7296 s2.23.1). */
static enum adit_rc pick_child(struct ike_xchg *x, struct ike_pending *p, const struct ike_msg *msg,
                               struct adit_ts_list *local, struct adit_ts_list *remote, struct adit_why *why)
{
    bool may = child_mode_asked(msg) && (!p->cfg || p->cfg->mode == ADIT_MODE_TRANSPORT);
    TRY(get_ts(msg, PLD_TSi, remote, why));
    TRY(get_ts(msg, PLD_TSr, local, why));
    p->mode = ADIT_MODE_TRANSPORT;
    may = may && child_mode_see(p, local, remote);
    if (may && !p->cfg)
        p->cfg = best_child(x, local, remote, p->mode, &p->others_fit);
    if (may && p->cfg)
        return ADIT_OK;
    child_mode_forget(p);
    TRY(get_ts(msg, PLD_TSi, remote, why));
    TRY(get_ts(msg, PLD_TSr, local, why));
    if (!p->cfg)
        p->cfg = best_child(x, local, remote, p->mode, &p->others_fit);
    return p->cfg ? ADIT_OK : no_child(x, local, remote, why);
}

static enum adit_rc narrow(struct ike_xchg *x, struct ike_pending *p, const struct ike_msg *msg, struct adit_why *why)
{
    struct adit_ts_list *i = arena_new(&x->arena, sizeof(*i)), *r = arena_new(&x->arena, sizeof(*r));
    struct adit_ts_list *l = arena_new(&x->arena, sizeof(*l)), *m = arena_new(&x->arena, sizeof(*m));
    const struct ike_child *old;
    if (!i || !r || !l || !m)
        return ADIT_ERR_MEMORY;
    TRY(pick_child(x, p, msg, r, i, why));
    resolve(x->sa, p->cfg, l, m);
    if ((old = child_by_id(x->ike, p->old_child)) && !old->reselect)
        allow_old(old, l, m);
    enum adit_rc rc = narrow_choose(r, i, l, m, p->local, p->remote, p->cfg->name, why);
    if (rc != ADIT_OK)
        ike_count(x->ike, x->sa, ADIT_C_TS_MISMATCH);
    return rc == ADIT_OK ? child_mode_alone(x, p, why) : rc;
}

enum adit_rc child_choose(struct ike_xchg *x, struct ike_pending *p, const struct ike_msg *msg, bool first, uint16_t kei,
                          struct adit_why *why)
{
    struct negotiate_rules r;
    struct proposals *offer;
    struct adit_span spi;
    if (p->form)
        return choose_form(x, p, msg, kei, why);
    TRY(nego_get_sa(x, msg, &offer, why));
    TRY(narrow(x, p, msg, why));
    r = rules(x, p->cfg, first, kei); /* now it is known whose child it is */
    enum adit_rc rc = negotiate_choose(offer, p->cfg->proposals, &r, &p->suite, &spi, why);
    if (rc == ADIT_ERR_PROPOSAL)
        ike_count(x->ike, x->sa, ADIT_C_PROPOSAL_MISMATCH);
    TRY(rc);
    TRY(read_spi(spi, p, why));
    TRY(get_notifies(p, msg, why));
    shape(p, msg);
    p->spi_in = child_new_spi(x->ike, p->resource);
    return p->spi_in ? ADIT_OK : why_set(why, ADIT_ERR_LIMIT, "no SPI to be had");
}
