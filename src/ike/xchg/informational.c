/* informational.c - INFORMATIONAL exchanges: liveness, notifies, and what the peer deletes (RFC 7296 s1.4, s2.4). */
#include "ike/sa.h"

/* --- requester ----------------------------------------------------------------------------------------------------- */

static enum adit_rc liveness_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    ike_count(x->ike, x->sa, ADIT_C_DPD_SENT);
    return ADIT_OK; /* empty: any answer proves life */
}

static enum adit_rc notify_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    notify_put(w, x->task->notify, SPAN_NONE);
    return ADIT_OK;
}

static void notify_commit(struct ike_xchg *x, void *scratch)
{
    struct ike_sa *sa = x->sa;
    if (sa->state == SA_DELETING)
        sa_end(sa, ADIT_ERR_AUTH, sa->failure);
}

static void notify_failed(struct ike_xchg *x, void *scratch, enum adit_rc rc, const struct adit_why *why)
{
    notify_commit(x, scratch);
}

const struct ike_step step_liveness_req = {
    .name = "IKE_DPD", .exchange = XCHG_INFORMATIONAL, .role = XCHG_REQUESTER, .beside = true, .build = liveness_build,
};
const struct ike_step step_notify_req = {
    .name = "IKE_NOTIFY", .exchange = XCHG_INFORMATIONAL, .role = XCHG_REQUESTER, .build = notify_build,
    .commit = notify_commit, .failed = notify_failed,
};

/* --- responder ----------------------------------------------------------------------------------------------------- */

struct info_resp {
    bool delete_ike, fatal;
    uint32_t *answer; /* our inbound SPIs of what the peer deletes, in the exchange's arena */
    uint32_t *gone;   /* ids of those children */
    uint16_t n_answer, n_gone;
    char why[96];
};

static enum want want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return msg && sa_is_established(sa) ? WANT_OPEN : WANT_NO;
}

static bool is_heir(const struct ike_sa *sa, const struct ike_sa *of)
{
    return !sa->cut && sa->lineage == of->lineage && sa_is_established(sa);
}

/* The peer may have sent its Delete before it knew that the Child SA has moved to a rekeyed IKE SA of ours. */
static struct ike_child *find_child(struct ike_sa *sa, uint32_t spi_out)
{
    struct ike_child *c = child_by_spi(sa, spi_out, false);
    for (struct list *it = sa->link.next; !c && sa->successor && it != &sa->ike->sas; it = it->next) {
        struct ike_sa *other = list_entry(it, struct ike_sa, link); /* an heir is younger */
        if (is_heir(other, sa))
            c = child_by_spi(other, spi_out, false);
    }
    return c;
}

static bool is_noted(const struct info_resp *s, uint32_t id)
{
    for (uint16_t i = 0; i < s->n_gone; i++)
        if (s->gone[i] == id)
            return true;
    return false;
}

/* RFC 7296 s1.4.1: the answer names the other half, unless we are deleting the same SA ourselves. */
static void note_delete(struct ike_xchg *x, struct info_resp *s, uint32_t spi)
{
    struct ike_child *c = find_child(x->sa, spi);
    if (!c && sa_out(x->sa)) /* overtook the response that makes it, RFC 7296 s2.25 */
        x->sa->early_deletes[x->sa->n_early_deletes++ % ARRAY_LEN(x->sa->early_deletes)] = spi;
    if (!c || is_noted(s, c->id))
        return;
    s->gone[s->n_gone++] = c->id;
    if (c->state != ADIT_CHILD_DELETING)
        s->answer[s->n_answer++] = c->spi_in;
}

static enum adit_rc read_delete(struct ike_xchg *x, struct info_resp *s, struct adit_span body, struct adit_why *why)
{
    struct delete_payload d;
    struct rd in = rd_init(body);
    if (!delete_get(&in, &d))
        return why_set(why, ADIT_ERR_MALFORMED, "Delete payload: %s", in.fail);
    if (d.proto == PROTO_IKE) {
        s->delete_ike = true;
        return ADIT_OK;
    }
    if (d.proto != PROTO_ESP)
        return ADIT_OK;
    struct rd spis = rd_init(d.spis);
    for (uint16_t i = 0; i < d.n; i++)
        note_delete(x, s, rd_u32(&spis));
    return ADIT_OK;
}

/* For all SPIs that the message may hold (RFC 7296 s3.11 sets no limit); its length bounds them. */
static enum adit_rc make_room(struct ike_xchg *x, struct info_resp *s, const struct ike_msg *msg)
{
    size_t n = 0;
    for (uint16_t i = 0; i < msg->n; i++)
        if (msg->v[i].type == PLD_DELETE)
            n += msg->v[i].body.n / sizeof(uint32_t);
    s->n_answer = s->n_gone = 0;
    if (!n)
        return ADIT_OK;
    s->answer = arena_new(&x->arena, n * sizeof(*s->answer));
    s->gone = arena_new(&x->arena, n * sizeof(*s->gone));
    return s->answer && s->gone ? ADIT_OK : ADIT_ERR_MEMORY;
}

static void read_notify(struct info_resp *s, const struct notify *n)
{
    bool ends = n->type == N_AUTHENTICATION_FAILED || n->type == N_INVALID_SYNTAX ||
                n->type == N_UNSUPPORTED_CRITICAL_PAYLOAD;
    if (!ends)
        return;
    s->fatal = true; /* RFC 7296 s2.21.2: the initiator did not accept our IKE_AUTH */
    strbuf_addf(&(struct strbuf){ s->why, 0, sizeof(s->why) }, "peer reports %s", iana_name(IANA_N, n->type));
}

static enum adit_rc consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg, struct adit_why *why)
{
    struct info_resp *s = scratch;
    struct notify n;
    uint16_t at = 0;
    TRY(make_room(x, s, msg));
    for (uint16_t i = 0; i < msg->n; i++)
        if (msg->v[i].type == PLD_DELETE)
            TRY(read_delete(x, s, msg->v[i].body, why));
    while (msg_next_notify(msg, &at, &n))
        read_notify(s, &n);
    return ADIT_OK;
}

static enum adit_rc build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct info_resp *s = scratch;
    if (s->n_answer && !s->delete_ike)
        delete_put_child(w, PROTO_ESP, s->answer, s->n_answer);
    return ADIT_OK;
}

/* RFC 7296 s2.25.1: our rekeying of it is under way. If that comes to nothing its close_action is due, not before. */
static bool note_in_rekeying(struct ike_sa *sa, const struct ike_child *c)
{
    struct ike_task *t = sa_out_task(sa, TASK_REKEY_CHILD, c->id);
    if (!t)
        t = agenda_find(sa, TASK_REKEY_CHILD, c->id);
    if (t && !c->resource)
        t->cfg = c->cfg;
    return t != NULL;
}

/* A Child SA that the peer closes goes; its close_action may want it back. Superseded ones end a rekeying. */
static void close_child(struct ike_sa *sa, uint32_t id)
{
    struct ike_child *c = child_by_id(sa->ike, id);
    if (!c)
        return;
    const struct adit_child_cfg *cfg = c->cfg;
    bool wanted = !note_in_rekeying(sa, c) && c->state == ADIT_CHILD_INSTALLED && !c->resource;
    c->end = ADIT_ERR_CLOSED;
    child_remove(c, IKE_CHILD_GRACE, "closed by the peer");
    if (wanted)
        child_lost(sa, cfg, cfg->close_action);
}

static void close_ike(struct ike_sa *sa)
{
    uint32_t crossing = collide_ike_crossing(sa);
    if (crossing) /* RFC 7296 s2.8.2: our own rekeying came too late */
        collide_ike_settle(sa, crossing);
    sa_linger(sa, ADIT_ERR_CLOSED, sa->successor ? "replaced by rekeying" : "closed by the peer");
}

static void commit(struct ike_xchg *x, void *scratch)
{
    struct info_resp *s = scratch;
    struct ike_sa *sa = x->sa;
    for (uint16_t i = 0; i < s->n_gone && !s->delete_ike; i++)
        close_child(sa, s->gone[i]);
    if (s->delete_ike)
        close_ike(sa);
    else if (s->fatal)
        sa_linger(sa, ADIT_ERR_AUTH, s->why);
}

const struct ike_step step_informational_resp = {
    .name = "IKE_INFO", .exchange = XCHG_INFORMATIONAL, .role = XCHG_RESPONDER, .scratch = sizeof(struct info_resp),
    .want = want, .consume = consume, .build = build, .commit = commit,
};
