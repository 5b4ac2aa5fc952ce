/* resumption.c - IKE session resumption (RFC 5723): after a failure an IKE SA comes up again by a ticket, without key
 * exchange, signatures and certificates. The responder remembers nothing: its state lies sealed in the ticket. */
#include "ike/ext/resumption/resumption.h"

#define NS_PER_S 1000000000ull

/* --- the life of an IKE SA --------------------------------------------------------------------------------------------- */

/* Not to be taken any more: used, or of an IKE SA that was closed or rekeyed (RFC 5723 s6.2, s9.8). */
static void revoke(struct ike_sa *sa, uint64_t id, uint64_t expires)
{
    struct vault *v = vault_of(sa);
    if (v && id)
        used_add(&v->used, id, expires);
}

static void came_up(struct ike_sa *sa, struct state *s)
{
    struct vault *v = vault_of(sa);
    struct stored *used = v ? store_find(v->store, sa_conn(sa)) : NULL;
    if (!s->resumed)
        return;
    sa_log(sa, ADIT_LOG_AUDIT, "IKE", "resumed the session of an earlier IKE_SA");
    revoke(sa, s->ticket, s->ticket_expires);
    s->ticket = 0;
    if (used && used->user == sa_id(sa))
        store_drop(&v->store, used);
}

static void went(struct ike_sa *sa, struct state *s, bool lost)
{
    struct vault *v = vault_of(sa);
    struct stored *own = v ? store_find(v->store, sa_conn(sa)) : NULL;
    if (!lost)
        revoke(sa, s->granted, s->granted_expires);
    if (!own || own->owner != sa_id(sa))
        return;
    own->lost = true;
    if (!lost)
        store_drop(&v->store, own);
}

/* The new SA's client is the old one's, whoever has rekeyed. */
static void rekeyed(struct ike_sa *sa, const struct state *s, struct ike_sa *other)
{
    struct state *heir = ext_sa(other, EXT_resumption);
    if (!heir)
        return;
    heir->client = s->client;
    heir->resumed = s->resumed;
    if (s->client && (s->ask_at || resumption_is(sa, "yes")))
        heir->ask_at = sa_now(sa) + 2 * NS_PER_S; /* rekeyings may have crossed: see first which SA lives */
}

static void life(struct ike_sa *sa, enum sa_life what, struct ike_sa *other)
{
    struct state *s = ext_peek(sa, EXT_resumption);
    if (!s)
        return;
    if (what == LIFE_ESTABLISHED)
        came_up(sa, s);
    if (what == LIFE_REKEYED)
        rekeyed(sa, s, other);
    if (what == LIFE_REKEYED || what == LIFE_CLOSED || what == LIFE_LOST)
        went(sa, s, what == LIFE_LOST);
    if (what == LIFE_REKEYED)
        s->ask_at = s->granted = 0;
}

/* Two at a time may have begun with one ticket: the first that is authenticated has used it. */
static enum adit_rc claimed(struct ike_sa *sa, const struct ike_msg *msg, struct adit_span *auth, struct adit_why *why)
{
    const struct state *s = ext_peek(sa, EXT_resumption);
    const struct vault *v = s ? vault_of(sa) : NULL;
    if (v && s->ticket && used_has(&v->used, s->ticket))
        return why_set(why, ADIT_ERR_AUTH, "the ticket was used meanwhile");
    return ADIT_OK;
}

static uint64_t deadline(struct ike_sa *sa)
{
    const struct state *s = ext_peek(sa, EXT_resumption);
    return s && s->ask_at && sa_is_established(sa) ? s->ask_at : UINT64_MAX;
}

static void timer(struct ike_sa *sa, uint64_t now)
{
    struct state *s = ext_peek(sa, EXT_resumption);
    if (deadline(sa) > now)
        return;
    s->ask_at = now + 60 * NS_PER_S; /* unless the answer says better */
    if (sa_open_exchange(sa, &ask_info_req, 0) == ADIT_OK)
        s->ask_at = 0;
}

static void status(struct ike_sa *sa, struct adit_ike_info *out)
{
    const struct state *s = ext_peek(sa, EXT_resumption);
    if (s && s->resumed && sa_is_established(sa) && out->n_marks < ARRAY_LEN(out->marks))
        out->marks[out->n_marks++] = (struct adit_option){ "resumed", "yes" };
}

/* --- what outlives the engine: the keys of tickets ------------------------------------------------------------------------ */

static void vault_fini(void *state)
{
    struct vault *v = state;
    while (v->store)
        store_drop(&v->store, v->store);
    used_fini(&v->used);
    for (size_t i = 0; i < ARRAY_LEN(v->key); i++)
        secret_fini(&v->key[i].secret);
}

static void vault_save(const void *state, struct wr *w)
{
    const struct vault *v = state;
    for (size_t i = 0; i < ARRAY_LEN(v->key) && v->key[i].secret.n; i++) {
        wr_span(w, SPAN_ARRAY(v->key[i].id));
        wr_u64(w, v->key[i].made_at);
        wr_u8(w, (uint8_t)v->key[i].secret.n);
        wr_span(w, secret_span(&v->key[i].secret));
    }
}

static bool vault_load(void *state, struct rd *in, uint64_t now)
{
    struct vault *v = state;
    for (size_t i = 0; i < ARRAY_LEN(v->key) && rd_more(in); i++) {
        struct adit_span id = rd_take(in, KEY_ID_SIZE);
        uint64_t made_at = rd_u64(in);
        struct adit_span secret = rd_take(in, rd_u8(in));
        if (!rd_ok(in) || secret.n != 32 || secret_set(&v->key[i].secret, secret) != ADIT_OK)
            return false;
        span_copy(v->key[i].id, id);
        v->key[i].made_at = made_at;
    }
    return rd_end(in);
}

/* --- tables ------------------------------------------------------------------------------------------------------------- */

static const struct ike_vault vault = { .size = sizeof(struct vault), .fini = vault_fini, .save = vault_save,
                                        .load = vault_load };

static const struct ike_step *const steps[] = { &resume_resp, &ask_auth_req, &grant_auth_resp, &grant_info_resp,
                                                &later_child_resp, NULL };

static const struct adit_option_def options[] = {
    { .key = "resumption",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_WORD,
      .words = "no|auto|yes",
      .deflt = "auto",
      .owner = "resumption",
      .doc = "tickets by which an IKE SA comes up again after a failure: neither ask nor grant, grant to peers that ask, "
             "or ask as well" },
    { .key = "ticket_lifetime",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_TIME,
      .deflt = "14400s",
      .owner = "resumption",
      .doc = "how long tickets are good that are granted, and how long those of peers are kept; at least 60s" },
};

const struct ike_ext ext_resumption = {
    .id = EXT_resumption,
    .name = "resumption",
    .spec = "RFC 5723",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .sa_size = sizeof(struct state),
    .steps = steps,
    .opening = &resumption_opening,
    .vault = &vault,
    .on = { .claimed = claimed, .life = life, .deadline = deadline, .timer = timer, .status = status },
};
