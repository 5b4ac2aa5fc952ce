/* authlist.c - SUPPORTED_AUTH_METHODS (RFC 9593): each side says how the other may prove itself, and chooses its own
 * certificate and signature by what the other said. Advice only: what is accepted is decided by the configuration. */
#include "ike/ext/authlist/authlist.h"

#define INIT_PACKET 1280 /* IKE_SA_INIT can't be cut: the least that IPv6 carries */
#define IP_UDP (40 + 8)
#define INIT_REST 160 /* for notifies that follow */
#define LIST_ROOM 2048
#define CA_SIZE 20

struct state {
    struct adit_buf list, cas; /* the peer's, and the CAs of the message that it came in */
    struct adit_buf idi, idr;  /* responder: whom the initiator named in IKE_INTERMEDIATE */
    bool awaited;              /* initiator: the list is to come in IKE_INTERMEDIATE */
    bool asked;                /* one such exchange has been made */
    bool owed;                 /* responder: we said that it is to come, and it has not gone yet */
    bool peer_hashes;          /* the peer knows Digital Signature (RFC 7427) */
};

static bool option_is(const struct ike_sa *sa, const char *key, const char *word)
{
    return span_equal(span_str(sa_option(sa, key)), span_str(word));
}

static bool may_use(struct ike_sa *sa)
{
    return !option_is(sa, "authlist", "no");
}

/* --- our list --------------------------------------------------------------------------------------------------- */

/* What we take, in our order. Once both know Digital Signature the older methods are not used (RFC 7427 s3). */
static void make_list(struct ike_sa *sa, bool digital, struct wr *list)
{
    const struct sig_alg *alg;
    uint8_t last = 0;
    if (sa_accepts(sa, NULL))
        announcement_put(list, AUTH_SHARED_KEY_MIC, SPAN_NONE);
    for (size_t i = 0; (alg = crypto_sig_at(i)); i++) {
        bool is_digital = alg->auth_method == AUTH_DIGITAL_SIGNATURE;
        if (is_digital != digital || !sa_accepts(sa, alg) || (!is_digital && alg->auth_method == last))
            continue;
        announcement_put(list, alg->auth_method, alg->algid);
        last = alg->auth_method;
    }
}

enum said { SAID, SAID_NOTHING /* there is nothing to say */, SAID_TOO_LONG };

/* An empty notify would mean "later". */
static enum said put_list(struct ike_sa *sa, bool digital, struct wr *w, size_t room)
{
    uint8_t mem[LIST_ROOM];
    struct wr list;
    wr_init(&list, mem, sizeof(mem));
    make_list(sa, digital, &list);
    if (wr_ok(&list) && !list.n)
        return SAID_NOTHING;
    if (!wr_ok(&list) || list.n > room)
        return SAID_TOO_LONG;
    notify_put(w, N_SUPPORTED_AUTH_METHODS, wr_written(&list));
    return SAID;
}

/* --- the peer's list ---------------------------------------------------------------------------------------------- */

struct heard {
    struct adit_buf list, cas;
    bool awaited, peer_hashes;
};

/* All CERTREQs of a message are one list of CAs. */
static enum adit_rc hear_cas(const struct ike_msg *msg, struct adit_buf *cas)
{
    for (uint16_t i = 0; i < msg->n; i++) {
        struct rd in = rd_init(msg->v[i].body);
        struct cert_payload c;
        if (msg->v[i].type == PLD_CERTREQ && cert_get(&in, &c) && c.encoding == CERTENC_X509_SIGNATURE &&
            c.data.n % CA_SIZE == 0)
            TRY(buf_append(cas, c.data));
    }
    return ADIT_OK;
}

/* The first notify counts: more than one makes sense only with RFC 4739. */
static enum adit_rc hear(struct ike_sa *sa, const struct ike_msg *msg, struct heard *out)
{
    struct notify n;
    TRY(buf_resize(&out->list, 0)); /* an earlier response may have been set aside */
    TRY(buf_resize(&out->cas, 0));
    out->awaited = false;
    out->peer_hashes = msg_notify(msg, N_SIGNATURE_HASH_ALGORITHMS, &n);
    TRY(hear_cas(msg, &out->cas));
    if (!msg_notify(msg, N_SUPPORTED_AUTH_METHODS, &n))
        return ADIT_OK;
    out->awaited = n.data.n == 0;
    if (!out->awaited && !authlist_is_good(n.data)) {
        sa_log(sa, ADIT_LOG_INFO, "IKE", "passed over a malformed list of authentication methods");
        return ADIT_OK;
    }
    return buf_append(&out->list, n.data);
}

static void heard_fini(struct heard *h)
{
    buf_fini(&h->list);
    buf_fini(&h->cas);
}

/* CAs that are not repeated beside the list are those of IKE_SA_INIT. */
static void take(struct ike_sa *sa, struct state *s, struct heard *h)
{
    if (h->cas.n)
        buf_move(&s->cas, &h->cas);
    if (!h->list.n)
        return;
    buf_move(&s->list, &h->list);
    s->awaited = false;
    sa_log(sa, ADIT_LOG_MORE, "IKE", "peer has announced how it wants to see us authenticated");
}

static unsigned rank(struct ike_sa *sa, const struct auth_way *way)
{
    const struct state *s = ext_peek(sa, EXT_authlist);
    bool require = option_is(sa, "authlist", "require");
    if (!may_use(sa))
        return 0;
    unsigned r = s && s->list.n ? authlist_rank(buf_span(&s->list), buf_span(&s->cas), way) : AUTH_RANK_LAST;
    if (r == AUTH_RANK_LAST)
        return require ? AUTH_RANK_NEVER : r;
    return option_is(sa, "authlist_order", "local") ? 0 : r;
}

/* --- IKE_SA_INIT: the responder speaks first ------------------------------------------------------------------------ */

static enum adit_rc put_nothing(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    return ADIT_OK;
}

static enum want init_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return sa_is_keyed(sa) ? WANT_NO : WANT_RIDE;
}

static enum adit_rc init_hear(struct ike_xchg *x, void *scratch, const struct ike_msg *msg,
                              struct adit_why *why)
{
    return ext_sa(xchg_sa(x), EXT_authlist) ? hear(xchg_sa(x), msg, scratch) : ADIT_ERR_MEMORY;
}

static void init_take(struct ike_xchg *x, void *scratch)
{
    struct heard *h = scratch;
    struct state *s = ext_peek(xchg_sa(x), EXT_authlist);
    s->peer_hashes = h->peer_hashes;
    s->awaited = h->awaited;
    take(xchg_sa(x), s, h);
}

static void fini_heard(struct ike_xchg *x, void *scratch)
{
    heard_fini(scratch);
}

struct saying {
    bool digital, can_wait, owed;
};

static enum adit_rc init_read(struct ike_xchg *x, void *scratch, const struct ike_msg *msg,
                              struct adit_why *why)
{
    struct saying *s = scratch;
    struct notify n;
    s->digital = msg_notify(msg, N_SIGNATURE_HASH_ALGORITHMS, &n);
    s->can_wait = msg_notify(msg, N_INTERMEDIATE_EXCHANGE_SUPPORTED, &n);
    return ext_sa(xchg_sa(x), EXT_authlist) ? ADIT_OK : ADIT_ERR_MEMORY;
}

/* Octets that the list may have, when so many are there already. */
static size_t room_in_init(struct ike_sa *sa, size_t used)
{
    uint64_t packet = sa_option_number(sa, "fragment_size"); /* what is known to get through */
    if (packet == 0 || packet > INIT_PACKET)
        packet = INIT_PACKET;
    return used + INIT_REST + IP_UDP < packet ? packet - INIT_REST - IP_UDP - used : 0;
}

/* Too long for this message: later if there is an exchange for it, else not at all. */
static enum adit_rc init_say(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct saying *s = scratch;
    struct ike_sa *sa = xchg_sa(x);
    if (!may_use(sa) || put_list(sa, s->digital, w, room_in_init(sa, w->n)) != SAID_TOO_LONG || !s->can_wait)
        return ADIT_OK;
    s->owed = true;
    notify_put(w, N_SUPPORTED_AUTH_METHODS, SPAN_NONE);
    return ADIT_OK;
}

static void init_said(struct ike_xchg *x, void *scratch)
{
    const struct saying *said = scratch;
    struct state *s = ext_peek(xchg_sa(x), EXT_authlist);
    s->owed = said->owed;
    s->peer_hashes = said->digital;
}

/* --- IKE_INTERMEDIATE: a list that was too long (RFC 9593 s3.1) --------------------------------------------------------- */

/* An exchange for its own sake only if there is no other, once, and only who has something to choose from. */
static enum want later_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    const struct state *s = ext_peek(sa, EXT_authlist);
    if (!s || !s->awaited || !may_use(sa) || sa_is_established(sa) || !ext_agreed(sa, EXT_intermediate))
        return WANT_NO;
    bool matters = sa_own_certs(sa) > 1 || option_is(sa, "authlist", "require");
    return matters && !s->asked ? WANT_OPEN : WANT_RIDE;
}

static void later_take(struct ike_xchg *x, void *scratch)
{
    struct state *s = ext_peek(xchg_sa(x), EXT_authlist);
    s->asked = true;
    take(xchg_sa(x), s, scratch);
}

struct answer {
    struct adit_buf idi, idr;
    bool said;
};

static enum want answer_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    const struct state *s = ext_peek(sa, EXT_authlist);
    return s && s->owed && !sa_is_established(sa) ? WANT_RIDE : WANT_NO;
}

static enum adit_rc hear_id(const struct ike_msg *msg, uint8_t type, struct adit_buf *out)
{
    const struct payload *p = msg_find(msg, type);
    return p ? buf_set(out, p->body) : ADIT_OK;
}

static enum adit_rc answer_read(struct ike_xchg *x, void *scratch, const struct ike_msg *msg,
                                struct adit_why *why)
{
    struct answer *a = scratch;
    TRY(hear_id(msg, PLD_IDi, &a->idi));
    return hear_id(msg, PLD_IDr, &a->idr);
}

/* In the last round, as RFC 9593 s3.1 recommends: its keys are the strongest. */
static enum adit_rc answer_say(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct answer *a = scratch;
    struct ike_sa *sa = xchg_sa(x);
    const struct state *s = ext_peek(sa, EXT_authlist);
    a->said = !sa_round_after(sa) && put_list(sa, s->peer_hashes, w, LIST_ROOM) == SAID;
    return ADIT_OK;
}

static void answer_said(struct ike_xchg *x, void *scratch)
{
    struct answer *a = scratch;
    struct state *s = ext_peek(xchg_sa(x), EXT_authlist);
    s->owed = !a->said;
    if (a->idi.n)
        buf_move(&s->idi, &a->idi);
    if (a->idr.n)
        buf_move(&s->idr, &a->idr);
}

static void fini_answer(struct ike_xchg *x, void *scratch)
{
    struct answer *a = scratch;
    buf_fini(&a->idi);
    buf_fini(&a->idr);
}

/* --- IKE_AUTH: the initiator's list, and whether it is who it said --------------------------------------------------------- */

static enum want same_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    const struct state *s = ext_peek(sa, EXT_authlist);
    return s && (s->idi.n || s->idr.n) && !sa_is_established(sa) ? WANT_RIDE : WANT_NO;
}

static bool is_same(const struct ike_msg *msg, uint8_t type, const struct adit_buf *before)
{
    const struct payload *p = msg_find(msg, type);
    return !before->n || (p && span_equal(p->body, buf_span(before)));
}

static enum adit_rc same_check(struct ike_xchg *x, void *scratch, const struct ike_msg *msg,
                               struct adit_why *why)
{
    const struct state *s = ext_peek(xchg_sa(x), EXT_authlist);
    if (is_same(msg, PLD_IDi, &s->idi) && is_same(msg, PLD_IDr, &s->idr))
        return ADIT_OK;
    return why_set(why, ADIT_ERR_AUTH, "the peer named other identities in IKE_INTERMEDIATE (RFC 9593 s3.1)");
}

/* Only the initiator's request carries it. */
static void put(struct ike_sa *sa, struct wr *w)
{
    const struct state *s = ext_peek(sa, EXT_authlist);
    if (sa_is_initiator(sa))
        (void)put_list(sa, s && s->peer_hashes, w, LIST_ROOM);
}

/* Before any step reads the request: the responder's choice depends on it. Without memory there is no advice. */
static void get(struct ike_sa *sa, const struct ike_msg *msg, const struct notify *n)
{
    struct state *s = ext_sa(sa, EXT_authlist);
    struct heard h = { 0 };
    if (s && !sa_is_initiator(sa) && !s->list.n && hear(sa, msg, &h) == ADIT_OK)
        take(sa, s, &h);
    heard_fini(&h);
}

static void fini(struct ike_sa *sa, void *state)
{
    struct state *s = state;
    buf_fini(&s->list);
    buf_fini(&s->cas);
    buf_fini(&s->idi);
    buf_fini(&s->idr);
}

static const struct ike_step init_req = {
    .name = "IKE_AUTH_LIST",
    .exchange = XCHG_IKE_SA_INIT,
    .role = XCHG_REQUESTER,
    .scratch = sizeof(struct heard),
    .want = init_want,
    .build = put_nothing,
    .consume = init_hear,
    .commit = init_take,
    .fini = fini_heard,
};
static const struct ike_step init_resp = {
    .name = "IKE_AUTH_LIST",
    .exchange = XCHG_IKE_SA_INIT,
    .role = XCHG_RESPONDER,
    .scratch = sizeof(struct saying),
    .want = init_want,
    .build = init_say,
    .consume = init_read,
    .commit = init_said,
};
static const struct ike_step later_req = {
    .name = "IKE_AUTH_LIST",
    .exchange = XCHG_IKE_INTERMEDIATE,
    .role = XCHG_REQUESTER,
    .scratch = sizeof(struct heard),
    .want = later_want,
    .build = put_nothing,
    .consume = init_hear,
    .commit = later_take,
    .fini = fini_heard,
};
static const struct ike_step later_resp = {
    .name = "IKE_AUTH_LIST",
    .exchange = XCHG_IKE_INTERMEDIATE,
    .role = XCHG_RESPONDER,
    .scratch = sizeof(struct answer),
    .want = answer_want,
    .build = answer_say,
    .consume = answer_read,
    .commit = answer_said,
    .fini = fini_answer,
};
static const struct ike_step same_resp = {
    .name = "IKE_AUTH_LIST",
    .exchange = XCHG_IKE_AUTH,
    .role = XCHG_RESPONDER,
    .want = same_want,
    .build = put_nothing,
    .consume = same_check,
};
static const struct ike_step *const steps[] = { &init_req,   &init_resp, &later_req,
                                                &later_resp, &same_resp, NULL };

static const struct ike_announce announcements[] = {
    { .notify = N_SUPPORTED_AUTH_METHODS,
      .exchange = XCHG_IKE_AUTH,
      .rule = ALWAYS_SENT,
      .put = put,
      .get = get },
};

static const struct adit_option_def options[] = {
    { .key = "authlist",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_WORD,
      .words = "yes|no|require",
      .deflt = "yes",
      .owner = "authlist",
      .doc =
          "announce how the peer may authenticate and heed what it announces; require: use nothing that it does not" },
    { .key = "authlist_order",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_WORD,
      .words = "peer|local",
      .deflt = "peer",
      .owner = "authlist",
      .doc = "of several certificates that the peer would take: the one that it likes best, or our first" },
};

const struct ike_ext ext_authlist = {
    .id = EXT_authlist,
    .name = "authlist",
    .spec = "RFC 9593",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .sa_size = sizeof(struct state),
    .announce = announcements,
    .n_announce = ARRAY_LEN(announcements),
    .steps = steps,
    .on = { .may_use = may_use, .rank = rank, .fini = fini },
};
