/* transcript.c - IKE_SA_INIT_FULL_TRANSCRIPT_AUTH (draft-ietf-ipsecme-ikev2-downgrade-prevention): AUTH of both sides covers
 * both IKE_SA_INIT messages, not only the signer's own. Whoever owns one side's credential and breaks the weakest key
 * exchange can then no longer make the two agree on it. */
#include "ike/ext.h"

static bool option_is(const struct ike_sa *sa, const char *word)
{
    return span_equal(span_str(sa_option(sa, "transcript")), span_str(word));
}

/* A responder says so whether it is asked or not, and before it knows for whom: or an attacker could hide that it can. */
static bool may_use(struct ike_sa *sa)
{
    return !option_is(sa, "no");
}

/* 0^8 | what the signer received | what it sent | as ever. No message begins with 8 octets of zero, so that nothing that
 * was signed in one way is valid in the other. */
static enum adit_rc octets(struct ike_sa *sa, struct octets *o, uint32_t auth_msgid)
{
    static const uint8_t zero[8];
    if (!ext_agreed(sa, EXT_transcript))
        return ADIT_OK;
    o->part[OCTETS_PREFIX] = SPAN_ARRAY(zero);
    o->part[OCTETS_RECEIVED] = sa_init_message(sa, o->of_initiator);
    return ADIT_OK;
}

static void life(struct ike_sa *sa, enum sa_life what, struct ike_sa *other)
{
    if (what == LIFE_KEYED && ext_agreed(sa, EXT_transcript))
        sa_log(sa, ADIT_LOG_MORE, "IKE", "both sides authenticate both IKE_SA_INIT messages");
}

/* Not negotiated anew by who goes on with the SA's keys: it has to be as it was (s7.2 of the draft). */
static void memo_put(struct ike_sa *sa, struct wr *w)
{
    if (ext_agreed(sa, EXT_transcript))
        wr_u8(w, 1);
}

static bool memo_get(struct ike_sa *sa, struct rd *in)
{
    if (rd_u8(in) == 1)
        ext_set_agreed(sa, EXT_transcript);
    return ext_agreed(sa, EXT_transcript) || !option_is(sa, "yes");
}

static void status(struct ike_sa *sa, struct adit_ike_info *out)
{
    out->downgrade_proof = sa_is_established(sa) && ext_agreed(sa, EXT_transcript);
}

/* --- transcript = yes ----------------------------------------------------------------------------------------- */

static enum adit_rc put_nothing(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    return ADIT_OK;
}

static enum want init_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return sa_is_initiator(sa) && !sa_is_keyed(sa) && option_is(sa, "yes") ? WANT_RIDE : WANT_NO;
}

/* A response without the notify may be forged: the initiator waits for a better one (RFC 7296 s2.21.1). Those that only
 * ask for something (COOKIE, INVALID_KE_PAYLOAD) or refuse never carry it. */
static enum adit_rc init_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg,
                                 struct adit_why *why)
{
    struct notify n;
    if (!msg_find(msg, PLD_SA) || msg_notify(msg, N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH, &n))
        return ADIT_OK;
    return why_set(why, ADIT_ERR_POLICY,
                   "transcript = yes, but the peer does not authenticate the whole IKE_SA_INIT");
}

static enum want auth_want(struct ike_sa *sa, const struct ike_msg *msg)
{
    return sa_is_keyed(sa) && !sa_is_established(sa) ? WANT_RIDE : WANT_NO;
}

/* Who knows the pre-shared key can re-sign for both sides. */
static void warn_of_psk(struct ike_xchg *x, const struct ike_msg *msg)
{
    const struct payload *p = msg_find(msg, PLD_AUTH);
    struct rd in = rd_init(p ? p->body : SPAN_NONE);
    struct auth_payload auth;
    if (p && auth_get(&in, &auth) && auth.method == AUTH_SHARED_KEY_MIC)
        sa_log(
            xchg_sa(x), ADIT_LOG_INFO, "IKE",
            "transcript = yes protects from nobody who knows the pre-shared key: both sides have the same");
}

/* The responder learns only here whose connection it is; a peer that has proven itself by the old octets is refused. */
static enum adit_rc auth_consume(struct ike_xchg *x, void *scratch, const struct ike_msg *msg,
                                 struct adit_why *why)
{
    struct ike_sa *sa = xchg_sa(x);
    if (!option_is(sa, "yes"))
        return ADIT_OK;
    if (!ext_agreed(sa, EXT_transcript))
        return why_set(why, ADIT_ERR_AUTH,
                       "transcript = yes, but the peer authenticates only its own IKE_SA_INIT message");
    warn_of_psk(x, msg);
    return ADIT_OK;
}

static const struct ike_step init_req = {
    .name = "IKE_TRANSCRIPT",
    .exchange = XCHG_IKE_SA_INIT,
    .role = XCHG_REQUESTER,
    .want = init_want,
    .build = put_nothing,
    .consume = init_consume,
};
static const struct ike_step auth_req = {
    .name = "IKE_TRANSCRIPT",
    .exchange = XCHG_IKE_AUTH,
    .role = XCHG_REQUESTER,
    .want = auth_want,
    .build = put_nothing,
    .consume = auth_consume,
};
static const struct ike_step auth_resp = {
    .name = "IKE_TRANSCRIPT",
    .exchange = XCHG_IKE_AUTH,
    .role = XCHG_RESPONDER,
    .want = auth_want,
    .build = put_nothing,
    .consume = auth_consume,
};
static const struct ike_step *const steps[] = { &init_req, &auth_req, &auth_resp, NULL };

static const struct ike_announce announcements[] = {
    { .notify = N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH, .exchange = XCHG_IKE_SA_INIT, .rule = ALWAYS_SENT },
};

/* The daemon's row first: its default holds where neither says anything. */
static const struct adit_option_def options[] = {
    { .key = "transcript",
      .scope = ADIT_OPT_DAEMON,
      .type = ADIT_OPT_WORD,
      .words = "no|auto|yes",
      .deflt = "auto",
      .owner = "transcript",
      .doc =
          "both sides authenticate both IKE_SA_INIT messages: never, with peers that can, or with nobody else" },
    { .key = "transcript",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_WORD,
      .words = "yes",
      .deflt = "",
      .owner = "transcript",
      .doc =
          "refuse a peer that does not authenticate both IKE_SA_INIT messages; not set: as the daemon's option says" },
};

const struct ike_ext ext_transcript = {
    .id = EXT_transcript,
    .name = "transcript",
    .spec = "draft-ietf-ipsecme-ikev2-downgrade-prevention",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .announce = announcements,
    .n_announce = ARRAY_LEN(announcements),
    .steps = steps,
    .on = { .may_use = may_use,
            .octets = octets,
            .life = life,
            .memo_put = memo_put,
            .memo_get = memo_get,
            .status = status },
};
