/* mobike.c - MOBIKE (RFC 4555): an IKE SA and its Child SAs move to other addresses. The initiator looks for a path that
 * works when its address is gone or requests stay unanswered, and tells the responder; who moved is checked before Child
 * SAs follow. */
#include "ike/ext/mobike/mobike.h"

#define SEARCH_AFTER 2 /* repetitions in vain: one loss is no broken path */
#define NS_PER_S 1000000000ull
#define PATIENCE (300 * NS_PER_S) /* of a responder, whose peer may be looking for a path: s3.11 */
#define RECENT (60 * NS_PER_S)
#define HINT_EVERY (30 * NS_PER_S) /* checks of a path because routes have changed */

bool mobike_may_use(struct ike_sa *sa)
{
    return span_equal(span_str(sa_option(sa, "mobike")), SPAN_LIT("yes"));
}

struct mobike_state *mobike_of(const struct ike_sa *sa)
{
    return ext_agreed(sa, EXT_mobike) ? ext_peek(sa, EXT_mobike) : NULL;
}

/* --- moving -------------------------------------------------------------------------------------------------------- */

void mobike_push(struct ike_sa *sa, struct mobike_state *s)
{
    if ((s->todo || s->lost) && !s->asked && sa_is_established(sa))
        s->asked = sa_open_exchange(sa, &mobike_info_req, 0) == ADIT_OK;
}

void mobike_release(struct ike_sa *sa, struct mobike_state *s)
{
    if (!s->held && !s->later.seen)
        return;
    s->held = false;
    if (s->later.seen)
        ike_nat()->set(sa, &s->later);
    s->later.seen = false;
    sa_children_changed(sa);
}

/* RFC 9329 s7.1: the connection that is left is closed, and one that comes about has shown by itself that the peer is there. */
void mobike_move(struct ike_sa *sa, struct mobike_state *s, const struct adit_path *path)
{
    struct adit_path before = *sa_path(sa);
    if (!s->held)
        s->child_path = before;
    s->held = !path->tcp && !addr_equal(&s->child_path.remote.addr, &path->remote.addr);
    sa_set_path(sa, path);
    if (path_equal(&before, path))
        return;
    sa_close_stream(sa, &before);
    sa_use_stream(sa);
}

static void say_move(struct ike_sa *sa, const struct adit_path *path)
{
    STRBUF(from, 80);
    STRBUF(to, 80);
    endpoint_print(&from, &path->local);
    endpoint_print(&to, &path->remote);
    sa_log(sa, ADIT_LOG_INFO, "IKE", "moving to %s...%s", from.p, to.p);
}

void mobike_decide(struct ike_sa *sa, struct mobike_state *s, const struct adit_path *path)
{
    say_move(sa, path);
    mobike_move(sa, s, path);
    s->lost = s->searching = false;
    s->todo |= MOBIKE_UPDATE;
    s->decided_at = sa_now(sa);
    mobike_push(sa, s);
}

/* --- what the host tells ----------------------------------------------------------------------------------------------- */

static bool has_local(const struct ike_sa *sa)
{
    const struct adit_addr *v, *mine = &sa_path(sa)->local.addr;
    unsigned n = sa_host_addresses(sa, &v);
    bool unset = span_equal(addr_span(mine), addr_span(&(struct adit_addr){ .family = mine->family }));
    for (unsigned i = 0; i < n; i++)
        if (addr_equal(&v[i], mine))
            return true;
    return !n || unset;
}

/* RFC 9329 s7.1: datagrams are tried from where we are now; the connection comes back by itself, and what is answered on
 * it tells where we are. A responder's peer comes back. */
static void leave_stream(struct ike_sa *sa, struct mobike_state *s, unsigned n_ways)
{
    if (!s->initiator || s->retired)
        return;
    s->lost = n_ways > 0;
    s->todo |= MOBIKE_UPDATE;
    s->decided_at = sa_now(sa);
    if (!n_ways)
        return;
    mobike_push(sa, s);
    sa_repeat_request(sa);
}

/* With one pair left there is nothing to choose; of several, the one that an answer comes on (s3.10). A responder only
 * makes itself heard, from what it has. */
static void leave(struct ike_sa *sa, struct mobike_state *s)
{
    struct adit_path ways[16];
    unsigned n = mobike_ways(sa, s, ways, ARRAY_LEN(ways));
    if (sa_path(sa)->tcp) {
        leave_stream(sa, s, n);
        return;
    }
    if (!n) {
        sa_log(sa, ADIT_LOG_INFO, "IKE", "our address is gone, and there is no other to go to yet");
        return;
    }
    if (s->initiator && n == 1) {
        mobike_decide(sa, s, &ways[0]);
    } else {
        say_move(sa, &ways[0]);
        mobike_move(sa, s, &ways[0]);
        s->lost = true;
        s->decided_at = sa_now(sa);
        s->todo |= s->initiator ? MOBIKE_UPDATE : MOBIKE_LIST;
        mobike_push(sa, s);
    }
    sa_repeat_request(sa);
}

/* Only a hint that something may be wrong (s3.5); without another pair it is of no use. */
static void check_path(struct ike_sa *sa, struct mobike_state *s)
{
    struct adit_path way;
    if (!s->initiator || s->hinted_at + HINT_EVERY > sa_now(sa) || !mobike_ways(sa, s, &way, 1))
        return;
    s->hinted_at = sa_now(sa);
    s->todo |= MOBIKE_CHECK;
}

static void addresses(struct ike_sa *sa)
{
    struct mobike_state *s = mobike_of(sa);
    struct mobike_list own;
    if (!s)
        return;
    if (!has_local(sa))
        leave(sa, s);
    else if (!s->retired)
        check_path(sa, s);
    mobike_list_own(sa, &own);
    if (!s->retired && !mobike_list_equal(&own, &s->told))
        s->todo |= MOBIKE_LIST;
    mobike_push(sa, s);
}

/* --- hooks ------------------------------------------------------------------------------------------------------------- */

/* s3.8: IKE messages alone never move the SA; ESP may. An answer to a request that went to several paths shows one that
 * works; so does what comes by a connection of our own that is not the SA's. */
static bool moved(struct ike_sa *sa, const struct adit_path *path, enum heard_by by)
{
    struct mobike_state *s = mobike_of(sa);
    if (!ext_agreed(sa, EXT_mobike))
        return false;
    if (s && s->initiator && (s->searching || (path->tcp && !sa_path(sa)->tcp)) && by == BY_IKE)
        mobike_decide(sa, s, path);
    return by == BY_IKE || (s && s->initiator);
}

static unsigned also_on(struct ike_sa *sa, unsigned tries, struct adit_path *out, unsigned room)
{
    struct mobike_state *s = mobike_of(sa);
    if (!s)
        return 0;
    if (tries == 0)
        s->searching = false;
    if (!s->lost && (!s->initiator || tries < SEARCH_AFTER))
        return 0;
    unsigned n = mobike_ways(sa, s, out, room);
    if (n && !s->searching)
        sa_log(sa, ADIT_LOG_INFO, "IKE", "looking for a path that works: %u beside this one", n);
    s->searching |= n > 0;
    return n;
}

static bool may_move(struct ike_sa *sa)
{
    const struct mobike_state *s = mobike_of(sa);
    return s && s->initiator && !s->retired;
}

/* The connection is there again: hashes, and lists, are about another path. */
static void stream(struct ike_sa *sa, enum stream_news news, const struct adit_path *path)
{
    struct mobike_state *s = mobike_of(sa);
    if (news != STREAM_IS_UP || !path_equal(path, sa_path(sa)) || !may_move(sa))
        return;
    s->todo |= s->lost ? 0 : MOBIKE_UPDATE;
    mobike_push(sa, s);
}

static bool waits_on(struct ike_sa *sa, uint64_t waited)
{
    const struct mobike_state *s = mobike_of(sa);
    return s && !s->initiator && !s->retired && waited < PATIENCE;
}

/* The peer may have made its new SA before it heard of our last move, on the old one: it is told again. */
static void inherit(struct ike_sa *from, struct ike_sa *to)
{
    struct mobike_state *old = ext_peek(from, EXT_mobike), *fresh = old ? ext_sa(to, EXT_mobike) : NULL;
    if (!fresh)
        return;
    *fresh = *old;
    fresh->retired = fresh->asked = fresh->searching = false;
    fresh->update_after = fresh->list_after = 0; /* message IDs begin anew */
    fresh->rebase = true;
    old->retired = true;
    if (old->initiator && old->decided_at && old->decided_at + RECENT > sa_now(from))
        fresh->todo |= MOBIKE_UPDATE;
    sa_set_path(to, sa_path(from));
    mobike_push(to, fresh);
}

/* s3.3: to port 4500 also without a NAT, so that one may come later. Whether the peer does this is not known yet; that it
 * knows NAT traversal is. Of a peer at a configured port nobody knows where it would look for ESP. */
static void life(struct ike_sa *sa, enum sa_life what, struct ike_sa *other)
{
    struct ike_nat_view nat;
    if (what == LIFE_REKEYED)
        inherit(sa, other);
    if (what != LIFE_KEYED || !sa_is_initiator(sa) || !mobike_may_use(sa))
        return;
    ike_nat()->now(sa, &nat);
    if (nat.seen && sa_path(sa)->remote.port == 500)
        ike_nat()->move(sa);
}

/* Before that of NAT traversal, which looks at the ports of this path. */
static void child_spec(struct ike_sa *sa, struct adit_child_spec *spec)
{
    const struct mobike_state *s = mobike_of(sa);
    if (s && s->held)
        spec->path = s->child_path;
}

static const struct ike_announce announcements[] = {
    { .notify = N_MOBIKE_SUPPORTED, .exchange = XCHG_IKE_AUTH, .rule = BOTH_SENT },
};

static const struct ike_step *const steps[] = { &mobike_auth_req, &mobike_auth_resp, &mobike_nat_req, &mobike_info_resp,
                                                NULL };

static const struct adit_option_def options[] = {
    { .key = "mobike",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_BOOL,
      .deflt = "yes",
      .owner = "mobike",
      .doc = "move to other addresses when the ones in use fail (RFC 4555), if the peer can; IKE on port 4500" },
};

const struct ike_ext ext_mobike = {
    .id = EXT_mobike,
    .name = "mobike",
    .spec = "RFC 4555",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .sa_size = sizeof(struct mobike_state),
    .announce = announcements,
    .n_announce = ARRAY_LEN(announcements),
    .steps = steps,
    .on = { .may_use = mobike_may_use,
            .moved = moved,
            .also_on = also_on,
            .waits_on = waits_on,
            .may_move = may_move,
            .stream = stream,
            .addresses = addresses,
            .life = life,
            .child_spec = child_spec },
};
