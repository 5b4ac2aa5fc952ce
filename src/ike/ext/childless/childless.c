/* childless.c - an IKE SA without a Child SA (RFC 6023): the responder says that IKE_AUTH may come without one. Child
 * SAs then start in CREATE_CHILD_SA, after every key exchange that the IKE SA makes. */
#include "ike/ext.h"

static bool option_is(const struct ike_sa *sa, const char *word)
{
    return span_equal(span_str(sa_option(sa, "childless")), span_str(word));
}

static bool may_use(struct ike_sa *sa)
{
    return !option_is(sa, "never");
}

/* Found out as soon as the responder's announcement is in: nothing that needs authentication has been sent yet. */
static void life(struct ike_sa *sa, enum sa_life what, struct ike_sa *other)
{
    if (what == LIFE_KEYED && sa_is_initiator(sa) && option_is(sa, "force") &&
        !ext_peer_announced(sa, EXT_childless))
        sa_fail(sa, ADIT_ERR_POLICY, "childless = force, but the peer does not support RFC 6023");
}

static bool first_child(struct ike_sa *sa)
{
    bool wanted = option_is(sa, "prefer") || option_is(sa, "force");
    return !(wanted && ext_peer_announced(sa, EXT_childless));
}

/* RFC 6023 s3: only after the announcement. A responder has announced it whenever it may. */
static bool may_omit_child(struct ike_sa *sa)
{
    return may_use(sa) && (!sa_is_initiator(sa) || ext_peer_announced(sa, EXT_childless));
}

static const struct ike_announce announcements[] = {
    { .notify = N_CHILDLESS_IKEV2_SUPPORTED,
      .exchange = XCHG_IKE_SA_INIT,
      .rule = RESPONDER_ONLY,
      .in_each_opening = true },
};

static const struct adit_option_def options[] = {
    { .key = "childless",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_WORD,
      .words = "allow|prefer|force|never",
      .deflt = "allow",
      .owner = "childless",
      .doc = "IKE_AUTH without a Child SA: allow it to the peer, prefer or force it as initiator, or never" },
};

const struct ike_ext ext_childless = {
    .id = EXT_childless,
    .name = "childless",
    .spec = "RFC 6023",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .announce = announcements,
    .n_announce = ARRAY_LEN(announcements),
    .on = { .may_use = may_use, .first_child = first_child, .may_omit_child = may_omit_child, .life = life },
};
