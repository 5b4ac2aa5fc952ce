/* septransport.c - separate transports (draft-ietf-ipsecme-ikev2-reliable-transport): IKE by TCP, where long messages and
 * filters are no trouble, but ESP over IP or in UDP, where packets are not held up by each other. */
#include "ike/ext/septransport/septransport.h"
#include <string.h>

#define PORT_NAT_T 4500
#define KEY "esp_transport"

static bool option_is(const struct ike_sa *sa, const char *key, const char *word)
{
    return span_equal(span_str(sa_option(sa, key)), span_str(word));
}

static bool wants_apart(const struct ike_sa *sa)
{
    return option_is(sa, "septransport", "yes") || sa_any_child_option(sa, KEY, "raw") || sa_any_child_option(sa, KEY, "udp");
}

/* Not after a fall-back: where UDP was not answered ESP would not get through either. Of the responder's peer the number
 * means the same by its Vendor ID alone. */
static bool may_use(struct ike_sa *sa)
{
    if (!sa_path(sa)->tcp || !sa_shares_private(sa) || sa_any_child_option(sa, KEY, "tcp"))
        return false;
    if (sa_is_initiator(sa))
        return wants_apart(sa) && option_is(sa, "ike_transport", "tcp");
    return !option_is(sa, "septransport", "no");
}

static bool is_on(const struct ike_sa *sa)
{
    return sa_path(sa)->tcp && ext_agreed(sa, EXT_septransport);
}

/* Behind a translator, or the peer is told so: it waits for us. */
static bool speaks_first(const struct ike_sa *sa, const struct ike_nat_view *nat)
{
    bool fakes = option_is(sa, "encap", "yes") || sa_any_child_option(sa, KEY, "udp");
    return nat->local || (nat->seen && fakes);
}

/* The addresses are those of the connection, its ports say nothing about UDP (4500 at both ends): a peer behind a
 * translator is where its ESP comes from. If both have to speak first the initiator does. */
static bool place_of(struct ike_sa *sa, const struct ike_nat_view *nat, struct adit_path *out)
{
    const struct adit_path *ike = sa_path(sa);
    const struct septransport_state *s = ext_peek(sa, EXT_septransport);
    *out = (struct adit_path){ .local = { ike->local.addr, sa_port_nat_t(sa) },
                               .remote = { ike->remote.addr, PORT_NAT_T } };
    if (!nat->remote)
        return true;
    if (!s || !addr_equal(&s->seen.addr, &ike->remote.addr))
        return sa_is_initiator(sa) && speaks_first(sa, nat);
    out->remote = s->seen;
    return true;
}

/* A translator needs UDP; so does who says that there is one (encap = yes, esp_transport = udp). Behind one, or as if, we
 * speak first, and go on speaking: the peer waits for it, learns our port, and the mapping stays. */
static void child_spec(struct ike_sa *sa, struct adit_child_spec *spec)
{
    struct ike_nat_view nat;
    if (!is_on(sa))
        return;
    ike_nat()->now(sa, &nat);
    spec->udp_encap = ike_nat()->in_udp(sa);
    if (!place_of(sa, &nat, &spec->path))
        spec->outbound = ADIT_OUT_STANDBY;
    if (speaks_first(sa, &nat) && !spec->shape.dummies && spec->mode != ADIT_MODE_AGGFRAG)
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

/* --- esp_transport -------------------------------------------------------------------------------------------------- */

static const char *way_of(struct ike_sa *sa)
{
    if (sa_path(sa)->tcp && !is_on(sa))
        return "tcp";
    return ike_nat()->in_udp(sa) ? "udp" : "raw";
}

static const char *why_not(struct ike_sa *sa, const char *wanted, const char *way)
{
    if (!strcmp(wanted, "tcp"))
        return "IKE goes by UDP, and ESP by TCP only on IKE's connection (ike_transport)";
    if (!strcmp(way, "tcp") && sa_is_initiator(sa) && !option_is(sa, "ike_transport", "tcp"))
        return "IKE goes by TCP since UDP is not answered";
    if (!strcmp(way, "tcp"))
        return "IKE goes by TCP, and the peer does not separate transports";
    if (!strcmp(wanted, "raw"))
        return "there is a NAT between us and the peer, so that ESP has to go in UDP";
    return "the peer does not do NAT traversal";
}

/* Both roles. What was agreed on for the IKE SA decides; a Child SA that rekeys another one goes as that one went. */
static enum adit_rc child_get(struct ike_pending *p, const struct ike_msg *msg, struct adit_why *why)
{
    struct ike_sa *sa = pending_sa(p);
    const char *wanted = pending_option(p, KEY), *way = way_of(sa);
    if (pending_is_rekey(p) || !strcmp(wanted, "any") || !strcmp(wanted, way))
        return ADIT_OK;
    return why_set(why, ADIT_ERR_POLICY, "esp_transport = %s, but %s", wanted, why_not(sa, wanted, way));
}

static bool says(const struct adit_conn *conn, const char *key, const char *word)
{
    const char *v = adit_option_get(conn->options, conn->n_options, key);
    return v && !strcmp(v, word);
}

static const char *contradicts(const struct adit_conn *conn, const char *way)
{
    bool tcp = !strcmp(way, "tcp");
    if (tcp && says(conn, "ike_transport", "udp"))
        return "ike_transport = udp: ESP goes by TCP only where IKE does";
    if (tcp && says(conn, "septransport", "yes"))
        return "septransport = yes, which takes ESP out of the TCP connection";
    if (!tcp && says(conn, "ike_transport", "tcp") && says(conn, "septransport", "no"))
        return "ike_transport = tcp with septransport = no, where ESP goes by TCP";
    if (!strcmp(way, "raw") && says(conn, "encap", "yes"))
        return "encap = yes, which puts ESP in UDP";
    if (!strcmp(way, "udp") && says(conn, "nat_traversal", "no"))
        return "nat_traversal = no: the peer would not expect ESP in UDP";
    return NULL;
}

/* The peer is told about the IKE SA, not about each Child SA: those of one connection go the same way. */
static enum adit_rc check(const struct adit_conn *conn, struct adit_why *why)
{
    const char *first = NULL, *no;
    for (uint16_t i = 0; i < conn->n_children; i++) {
        const struct adit_child_cfg *c = &conn->children[i];
        const char *way = adit_option_get(c->options, c->n_options, KEY);
        if (!way || !strcmp(way, "any"))
            continue;
        if (first && strcmp(first, way))
            return why_set(why, ADIT_ERR_CONFIG, "child '%s': esp_transport = %s, but another child has %s: ESP of one IKE SA "
                           "goes one way; use two connections", c->name, way, first);
        if ((no = contradicts(conn, way)))
            return why_set(why, ADIT_ERR_CONFIG, "child '%s': esp_transport = %s contradicts %s", c->name, way, no);
        first = way;
    }
    return ADIT_OK;
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
    { .key = KEY,
      .scope = ADIT_OPT_CHILD,
      .type = ADIT_OPT_WORD,
      .words = "any|raw|udp|tcp",
      .deflt = "any",
      .owner = "septransport",
      .doc = "how ESP has to go: any way; over IP; in UDP, also without a NAT; by TCP, with IKE. No Child SA if it can't" },
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
    .on = { .check = check,
            .may_use = may_use,
            .child_get = child_get,
            .child_spec = child_spec,
            .moved = moved,
            .life = life,
            .status = status },
};
