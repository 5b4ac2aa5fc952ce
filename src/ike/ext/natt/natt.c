/* natt.c - NAT traversal (RFC 7296 s2.23, RFC 3948): find translators by hashes of addresses, move to port 4500, ask for
 * ESP in UDP, keep the mapping alive, follow a peer whose mapping changes. */
#include "ike/ext/natt/natt.h"

#define PORT_IKE 500
#define PORT_NAT_T 4500
#define NS_PER_S 1000000000ull

bool natt_hash(uint64_t spi_i, uint64_t spi_r, const struct adit_endpoint *e, uint8_t out[NATT_HASH_SIZE])
{
    uint8_t mem[34], full[64];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    wr_u64(&w, spi_i);
    wr_u64(&w, spi_r);
    wr_span(&w, addr_span(&e->addr));
    wr_u16(&w, e->port);
    struct adit_span text = wr_written(&w);
    if (crypto_hash(HASH_SHA1, &text, 1, full) != NATT_HASH_SIZE)
        return false;
    span_copy(out, span(full, NATT_HASH_SIZE));
    return true;
}

void natt_note(struct natt_state *s, const void *of, bool source, struct adit_span data,
               const uint8_t ours[NATT_HASH_SIZE])
{
    bool match = span_equal(data, span(ours, NATT_HASH_SIZE));
    if (s->seen_in != of)
        *s = (struct natt_state){ .seen_in = of };
    *(source ? &s->seen_source : &s->seen_destination) = true;
    *(source ? &s->source_match : &s->destination_match) |= match; /* of several, one is enough */
}

bool natt_is_local(const struct natt_state *s)
{
    return s->seen_destination && !s->destination_match;
}

bool natt_is_remote(const struct natt_state *s)
{
    return s->seen_source && !s->source_match;
}

/* --- what holds for an SA -------------------------------------------------------------------------------------- */

static const struct natt_state *state(const struct ike_sa *sa)
{
    static const struct natt_state nothing;
    const struct natt_state *s = ext_agreed(sa, EXT_natt) ? ext_peek(sa, EXT_natt) : NULL;
    return s ? s : &nothing;
}

/* encap = yes, or a Child SA whose ESP is to go in UDP: the peer has to believe in a translator. */
static bool is_to_be_faked(const struct ike_sa *sa)
{
    return span_equal(span_str(sa_option(sa, "encap")), SPAN_LIT("yes")) || sa_any_child_option(sa, "esp_transport", "udp");
}

/* The peer has to take part: without its notifies it need not accept ESP in UDP. */
static bool is_faked(const struct ike_sa *sa)
{
    return ext_agreed(sa, EXT_natt) && is_to_be_faked(sa);
}

static bool is_any(struct ike_sa *sa)
{
    return natt_is_local(state(sa)) || natt_is_remote(state(sa)) || is_faked(sa);
}

static uint64_t keepalive_at(struct ike_sa *sa)
{
    uint64_t every = sa_option_number(sa, "keep_alive") * NS_PER_S;
    if (!every || !sa_is_established(sa) || !natt_is_local(state(sa)) || state(sa)->retired || sa_path(sa)->tcp)
        return UINT64_MAX;
    return sa_last_sent_at(sa) + every;
}

/* --- notifies ------------------------------------------------------------------------------------------------- */

static void put(struct ike_sa *sa, struct wr *w, uint16_t type, const struct adit_endpoint *e, bool fake)
{
    uint8_t hash[NATT_HASH_SIZE];
    /* As in this message's header: IKE_SA_INIT's request has no SPIr yet, be it the first or repeated with a cookie. */
    uint64_t spi_r = sa_is_initiator(sa) && !sa_is_established(sa) ? 0 : sa_spi_r(sa);
    bool made = fake ? sa_random(sa, hash, sizeof(hash)) : natt_hash(sa_spi_i(sa), spi_r, e, hash);
    if (made)
        notify_put(w, type, SPAN_ARRAY(hash));
}

/* A source that cannot be true: a translator before us. */
static void put_source_of(struct ike_sa *sa, const struct adit_path *path, struct wr *w)
{
    put(sa, w, N_NAT_DETECTION_SOURCE_IP, &path->local, is_to_be_faked(sa));
}

static void put_source(struct ike_sa *sa, struct wr *w)
{
    put_source_of(sa, sa_path(sa), w);
}

static void put_destination(struct ike_sa *sa, struct wr *w)
{
    put(sa, w, N_NAT_DETECTION_DESTINATION_IP, &sa_path(sa)->remote, false);
}

static void put_both(struct ike_sa *sa, const struct adit_path *path, struct wr *w)
{
    put_source_of(sa, path, w);
    put(sa, w, N_NAT_DETECTION_DESTINATION_IP, &path->remote, false);
}

/* The payload index is new memory for each message of an exchange, and so tells them apart. */
static void get(struct ike_sa *sa, const struct ike_msg *msg, const struct notify *n)
{
    uint8_t ours[NATT_HASH_SIZE];
    struct natt_state *s = ext_sa(sa, EXT_natt);
    bool source = n->type == N_NAT_DETECTION_SOURCE_IP;
    const struct adit_endpoint *e = source ? &sa_path(sa)->remote : &sa_path(sa)->local;
    if (s && natt_hash(msg->hdr.spi_i, msg->hdr.spi_r, e, ours))
        natt_note(s, msg->v, source, n->data, ours);
    if (s && !source && n->data.n == NATT_HASH_SIZE)
        span_copy(s->seen_as, n->data);
}

/* --- for those that look again, when the path of an SA that is up changes ------------------------------------------ */

static void note_one(struct natt_state *s, const struct ike_msg *msg, const struct notify *n,
                     const struct adit_path *path)
{
    uint8_t ours[NATT_HASH_SIZE];
    bool source = n->type == N_NAT_DETECTION_SOURCE_IP;
    if (!source && n->type != N_NAT_DETECTION_DESTINATION_IP)
        return;
    if (natt_hash(msg->hdr.spi_i, msg->hdr.spi_r, source ? &path->remote : &path->local, ours))
        natt_note(s, msg->v, source, n->data, ours);
    if (!source && n->data.n == NATT_HASH_SIZE)
        span_copy(s->seen_as, n->data);
}

static struct ike_nat_view view_of(const struct natt_state *s)
{
    struct ike_nat_view v = { s->seen_source && s->seen_destination, natt_is_local(s), natt_is_remote(s), { 0 } };
    span_copy(v.seen_as, SPAN_ARRAY(s->seen_as));
    return v;
}

static void look(struct ike_sa *sa, const struct ike_msg *msg, const struct adit_path *path, struct ike_nat_view *out)
{
    struct natt_state found = { .seen_in = msg->v };
    struct notify n;
    for (uint16_t i = 0; msg_next_notify(msg, &i, &n);)
        note_one(&found, msg, &n, path);
    *out = view_of(&found);
}

static void now(struct ike_sa *sa, struct ike_nat_view *out)
{
    *out = view_of(state(sa));
    out->seen = ext_agreed(sa, EXT_natt);
}

static void set(struct ike_sa *sa, const struct ike_nat_view *v)
{
    struct natt_state *s = v->seen ? ext_sa(sa, EXT_natt) : NULL;
    if (!s)
        return;
    s->seen_source = s->seen_destination = true;
    s->source_match = !v->remote;
    s->destination_match = !v->local;
    span_copy(s->seen_as, SPAN_ARRAY(v->seen_as));
}

/* --- hooks ---------------------------------------------------------------------------------------------------- */

static void tell(struct ike_sa *sa)
{
    if (natt_is_local(state(sa)))
        sa_log(sa, ADIT_LOG_INFO, "IKE", "local host is behind NAT%s", sa_path(sa)->tcp ? "" : ", sending keep alives");
    if (natt_is_remote(state(sa)))
        sa_log(sa, ADIT_LOG_INFO, "IKE", "remote host is behind NAT");
    if (is_faked(sa))
        sa_log(sa, ADIT_LOG_INFO, "IKE", "faking a NAT, so that ESP goes in UDP (encap = yes, esp_transport = udp)");
}

/* RFC 7296 s2.23: the initiator moves both ends to 4500; the responder follows the ports that it sees. A peer's port
 * that is not 500 was configured, and stays. */
static void move_to_nat_t(struct ike_sa *sa)
{
    struct adit_path path = *sa_path(sa);
    if (path.tcp)
        return; /* RFC 9329 s6.5: a connection gets through as it is */
    path.local.port = sa_port_nat_t(sa);
    if (path.remote.port == PORT_IKE)
        path.remote.port = PORT_NAT_T;
    sa_set_path(sa, &path);
}

static void inherit(struct ike_sa *from, struct ike_sa *to)
{
    struct natt_state *old = ext_peek(from, EXT_natt), *fresh = old ? ext_sa(to, EXT_natt) : NULL;
    if (!fresh)
        return;
    *fresh = *old;
    fresh->retired = false; /* crossing rekeys: the old one may have been left before */
    old->retired = true;
}

static void life(struct ike_sa *sa, enum sa_life what, struct ike_sa *other)
{
    if (what == LIFE_REKEYED)
        inherit(sa, other);
    if (what != LIFE_KEYED)
        return;
    tell(sa);
    if (sa_is_initiator(sa) && is_any(sa))
        move_to_nat_t(sa);
}

/* Never on port 500, where nobody looks for ESP (RFC 7296 s2.23). */
static void child_spec(struct ike_sa *sa, struct adit_child_spec *spec)
{
    spec->udp_encap = is_any(sa) && !spec->path.tcp && spec->path.local.port != PORT_IKE;
}

/* RFC 7296 s2.23: a host behind a translator does not follow, or two of them would chase each other. */
static bool moved(struct ike_sa *sa, const struct adit_path *path, enum heard_by by)
{
    if (natt_is_remote(state(sa)) && !natt_is_local(state(sa)) && !sa_path(sa)->tcp)
        sa_set_path(sa, path);
    return false;
}

static void timer(struct ike_sa *sa, uint64_t now)
{
    if (keepalive_at(sa) <= now)
        sa_keepalive(sa);
}

static void status(struct ike_sa *sa, struct adit_ike_info *out)
{
    out->nat_local = natt_is_local(state(sa));
    out->nat_remote = natt_is_remote(state(sa));
}

static bool may_use(struct ike_sa *sa)
{
    return span_equal(span_str(sa_option(sa, "nat_traversal")), SPAN_LIT("yes"));
}

static const struct ike_announce announcements[] = {
    { .notify = N_NAT_DETECTION_SOURCE_IP,
      .exchange = XCHG_IKE_SA_INIT,
      .rule = BOTH_SENT,
      .in_each_opening = true,
      .put = put_source,
      .get = get },
    { .notify = N_NAT_DETECTION_DESTINATION_IP,
      .exchange = XCHG_IKE_SA_INIT,
      .rule = BOTH_SENT,
      .in_each_opening = true,
      .put = put_destination,
      .get = get },
};

static const struct ike_nat nat = { .now = now, .put = put_both, .get = look, .set = set, .in_udp = is_any,
                                     .move = move_to_nat_t };

static const struct adit_option_def options[] = {
    { .key = "nat_traversal",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_BOOL,
      .deflt = "yes",
      .owner = "natt",
      .doc = "look for NATs, and send ESP in UDP through them; no: a peer is reached without, or not at all" },
    { .key = "encap",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_BOOL,
      .deflt = "no",
      .owner = "natt",
      .doc = "ESP in UDP even without a NAT, by faking one" },
    { .key = "keep_alive",
      .scope = ADIT_OPT_DAEMON,
      .type = ADIT_OPT_TIME,
      .deflt = "20s",
      .owner = "natt",
      .doc = "behind a NAT, send a keepalive after so long without another IKE message; 0 = never" },
};

const struct ike_ext ext_natt = {
    .id = EXT_natt,
    .name = "natt",
    .spec = "RFC 7296 s2.23, RFC 3948",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .sa_size = sizeof(struct natt_state),
    .announce = announcements,
    .n_announce = ARRAY_LEN(announcements),
    .nat = &nat,
    .on = { .may_use = may_use,
            .life = life,
            .moved = moved,
            .child_spec = child_spec,
            .deadline = keepalive_at,
            .timer = timer,
            .status = status },
};
