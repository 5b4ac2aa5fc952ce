/* septransport.c - separate transports (draft-ietf-ipsecme-ikev2-reliable-transport): IKE by TCP, where long messages and
 * filters are no trouble, but ESP over IP or in UDP, where packets are not held up by each other. */
#include "ike/ext/septransport/septransport.h"

#define PORT_NAT_T 4500

static bool option_is(const struct ike_sa *sa, const char *key, const char *word)
{
    return span_equal(span_str(sa_option(sa, key)), span_str(word));
}

/* Not after a fall-back: where UDP was not answered ESP would not get through either. Of the responder's peer the number
 * means the same by its Vendor ID alone. */
static bool may_use(struct ike_sa *sa)
{
    if (!sa_path(sa)->tcp || !sa_shares_private(sa))
        return false;
    if (sa_is_initiator(sa))
        return option_is(sa, "septransport", "yes") && option_is(sa, "ike_transport", "tcp");
    return !option_is(sa, "septransport", "no");
}

static bool is_on(const struct ike_sa *sa)
{
    return sa_path(sa)->tcp && ext_agreed(sa, EXT_septransport);
}

/* The addresses are those of the connection, its ports say nothing about UDP (4500 at both ends): a peer behind a
 * translator is where its ESP comes from. */
static bool place_of(struct ike_sa *sa, const struct ike_nat_view *nat, struct adit_path *out)
{
    const struct adit_path *ike = sa_path(sa);
    const struct septransport_state *s = ext_peek(sa, EXT_septransport);
    *out = (struct adit_path){ .local = { ike->local.addr, sa_port_nat_t(sa) },
                               .remote = { ike->remote.addr, PORT_NAT_T } };
    if (!nat->remote)
        return true;
    if (!s || !addr_equal(&s->seen.addr, &ike->remote.addr))
        return false;
    out->remote = s->seen;
    return true;
}

/* A translator needs UDP; so does who says that there is one (encap = yes). Behind one we speak first, and go on speaking, so that the
 * peer learns our port and the mapping stays. */
static void child_spec(struct ike_sa *sa, struct adit_child_spec *spec)
{
    struct ike_nat_view nat;
    if (!is_on(sa))
        return;
    ike_nat()->now(sa, &nat);
    spec->udp_encap = nat.local || nat.remote || (nat.seen && option_is(sa, "encap", "yes"));
    if (!place_of(sa, &nat, &spec->path))
        spec->outbound = ADIT_OUT_STANDBY;
    if (nat.local && !spec->shape.dummies && spec->mode != ADIT_MODE_AGGFRAG)
        spec->shape.dummies = 1;
}

/* RFC 7296 s2.23: only who is not behind a translator itself follows, and only one that is. */
static bool moved(struct ike_sa *sa, const struct adit_path *path, enum heard_by by)
{
    struct ike_nat_view nat;
    if (by != BY_ESP || path->tcp || !is_on(sa))
        return false;
    ike_nat()->now(sa, &nat);
    struct septransport_state *s = nat.remote && !nat.local ? ext_sa(sa, EXT_septransport) : NULL;
    if (s) {
        s->seen = path->remote;
        sa_children_changed(sa);
    }
    return true;
}

static void life(struct ike_sa *sa, enum sa_life what, struct ike_sa *other)
{
    const struct septransport_state *old = what == LIFE_REKEYED ? ext_peek(sa, EXT_septransport) : NULL;
    struct septransport_state *fresh = old ? ext_sa(other, EXT_septransport) : NULL;
    if (fresh)
        *fresh = *old;
    if (what == LIFE_ESTABLISHED && is_on(sa))
        sa_log(sa, ADIT_LOG_INFO, "IKE", "IKE goes by TCP, ESP does not");
    if (what == LIFE_ESTABLISHED && !is_on(sa) && may_use(sa) && sa_is_initiator(sa))
        sa_log(sa, ADIT_LOG_INFO, "IKE", "the peer does not separate transports: ESP goes by TCP, too");
}

static void status(struct ike_sa *sa, struct adit_ike_info *out)
{
    if (is_on(sa) && sa_is_established(sa) && out->n_marks < ARRAY_LEN(out->marks))
        out->marks[out->n_marks++] = (struct adit_option){ "separate-transports", "yes" };
}

static const struct ike_announce announcements[] = {
    { .notify = N_SEPARATE_TRANSPORTS, .exchange = XCHG_IKE_SA_INIT, .rule = BOTH_SENT, .in_each_opening = true },
};

static const struct adit_option_def options[] = {
    { .key = "septransport",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_WORD,
      .words = "accept|no|yes",
      .deflt = "accept",
      .owner = "septransport",
      .doc = "ESP over IP or UDP though IKE goes by TCP: if the peer asks; never; ask for it (with ike_transport = tcp)" },
};

const struct ike_ext ext_septransport = {
    .id = EXT_septransport,
    .name = "septransport",
    .spec = "draft-ietf-ipsecme-ikev2-reliable-transport",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .sa_size = sizeof(struct septransport_state),
    .announce = announcements,
    .n_announce = ARRAY_LEN(announcements),
    .on = { .may_use = may_use, .child_spec = child_spec, .moved = moved, .life = life, .status = status },
};
