/* frag.c - IKE message fragmentation (RFC 7383): a message too long for the path leaves as several that are protected
 * one by one, and comes together again before anybody looks into it. */
#include "ike/ext/frag/frag.h"
#include "base/mem.h"
#include "ike/ext.h"
#include "wire/tcpframe.h"

#define DATAGRAM_MIN 576 /* octets of IP packet: what every host takes (RFC 791); less makes no sense */
#define DATAGRAM_MAX 65535
/* Tried one after the other while nobody answers; nothing is below what the protocol takes everywhere (RFC 7383 s2.5.1). */
static const uint16_t sizes[] = { 1280, DATAGRAM_MIN };

/* Requests and responses are numbered apart, and one of each can be under way; with a window above 1 more of them, and
 * whoever needs a place first has it. */
struct frag_state {
    struct frag_join join[2];
    struct frag_join *more;
    unsigned n_more;
    uint16_t size; /* octets of IP packet that get through; 0: as many as configured */
};

static bool option_is(const struct ike_sa *sa, const char *word)
{
    return span_equal(span_str(sa_option(sa, "fragmentation")), span_str(word));
}

static bool may_use(struct ike_sa *sa)
{
    return !option_is(sa, "no");
}

/* --- outbound --------------------------------------------------------------------------------------------------- */

static size_t headers(const struct ike_sa *sa)
{
    const struct adit_path *path = sa_path(sa);
    size_t marker = path->local.port == sa_port_nat_t(sa) ? 4 : 0; /* non-ESP marker, RFC 3948 s2.2 */
    return (path->remote.addr.family == 6 ? 40 : 20) + 8 + marker;
}

/* fragment_size counts the IP packet, as strongSwan's option does. */
static size_t packet_max(const struct ike_sa *sa)
{
    const struct frag_state *s = ext_peek(sa, EXT_frag);
    uint64_t size = sa_option_number(sa, "fragment_size");
    if (s && s->size && s->size < size)
        size = s->size;
    if (size < DATAGRAM_MIN)
        size = DATAGRAM_MIN;
    return size > DATAGRAM_MAX ? DATAGRAM_MAX : (size_t)size;
}

/* Octets of IKE message in a datagram. */
static size_t datagram_max(const struct ike_sa *sa)
{
    if (sa_path(sa)->tcp)
        return TCPFRAME_IKE_MAX; /* RFC 9329 s7.5: no fragments but of what no frame can hold */
    return packet_max(sa) - headers(sa);
}

static bool is_allowed(const struct ike_sa *sa, uint16_t size)
{
    return size >= (sa_path(sa)->remote.addr.family == 6 ? 1280 : DATAGRAM_MIN);
}

/* RFC 7383 s2.5.2: coarsely, downwards, and what was found counts for all later messages. */
static bool shrink(struct ike_sa *sa, size_t to)
{
    struct frag_state *s = ext_agreed(sa, EXT_frag) && !option_is(sa, "accept") ? ext_sa(sa, EXT_frag) : NULL;
    for (unsigned i = 0; s && i < ARRAY_LEN(sizes); i++)
        if (is_allowed(sa, sizes[i]) && sizes[i] - headers(sa) <= to && sizes[i] < packet_max(sa)) {
            s->size = sizes[i];
            return true;
        }
    return false;
}

/* A responder does not look for itself: what the initiator has found out, or is told to keep to, holds for both ways. Pieces much
 * smaller than any size that is looked for are cut for another reason. */
static void follow(struct ike_sa *sa, struct frag_state *s, size_t datagram)
{
    size_t fits = 0;
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
        if (is_allowed(sa, sizes[i]) && datagram <= sizes[i] - headers(sa))
            fits = sizes[i];
    if (fits && datagram > fits * 3 / 4 && fits < packet_max(sa) && !sa_path(sa)->tcp)
        s->size = (uint16_t)fits;
}

static bool wants(struct ike_sa *sa, uint8_t exchange, size_t whole)
{
    if (exchange == XCHG_IKE_SA_INIT || !ext_agreed(sa, EXT_frag))
        return false;
    if (option_is(sa, "accept"))
        return whole > DATAGRAM_MAX; /* there is no other way */
    return whole > datagram_max(sa);
}

static size_t overhead(const void *sa, size_t n)
{
    return sa_seal_overhead(sa, n);
}

struct cut {
    struct ike_hdr hdr;
    struct skf skf;
    uint8_t first; /* RFC 7383 s2.5: in fragment 1 only, else 0 */
    struct adit_span plain;
};

static size_t fragment_size(const struct ike_sa *sa, size_t plain)
{
    return FRAG_FIXED + plain + sa_seal_overhead(sa, plain);
}

/* The octets of the fragment numbers are authenticated too: RFC 7383 leaves it open, everybody does so. */
static enum adit_rc put_fragment(struct ike_sa *sa, struct ike_wire *wire, struct cut *c)
{
    size_t size = fragment_size(sa, c->plain.n);
    uint8_t *mem = wire_next(wire, size);
    struct wr w;
    if (!mem)
        return ADIT_ERR_BUG;
    c->hdr.next = PLD_SKF;
    c->hdr.length = (uint32_t)size;
    wr_init(&w, mem, size);
    ike_hdr_put(&w, &c->hdr);
    wr_u8(&w, c->skf.number == 1 ? c->first : 0);
    wr_u8(&w, 0);
    wr_u16(&w, (uint16_t)(size - IKE_HDR_SIZE));
    skf_put(&w, c->skf);
    TRY(sa_seal(sa, &w, 0, c->plain));
    wire_close(wire, size);
    return ADIT_OK;
}

static size_t all_octets(const struct ike_sa *sa, size_t whole, uint16_t n)
{
    size_t sum = 0;
    for (uint16_t i = 0; i < n; i++)
        sum += fragment_size(sa, frag_cut(whole, n, i + 1) - frag_cut(whole, n, i));
    return sum;
}

static enum adit_rc put_all(struct ike_sa *sa, const struct ike_hdr *hdr, uint8_t first,
                            struct adit_span plain, uint16_t n, struct ike_wire *wire)
{
    for (uint16_t i = 0; i < n; i++) {
        size_t from = frag_cut(plain.n, n, i), to = frag_cut(plain.n, n, i + 1);
        struct cut c = { .hdr = *hdr,
                         .skf = { (uint16_t)(i + 1), n },
                         .first = first,
                         .plain = span(plain.p + from, to - from) };
        TRY(put_fragment(sa, wire, &c));
    }
    return ADIT_OK;
}

/* A message in more pieces than the peer takes would never arrive: larger ones at least may, as IP fragments. 0: none. */
static uint16_t number_of(struct ike_sa *sa, const struct ike_hdr *hdr, size_t plain)
{
    struct frag_limit limit = frag_limit_of(sa_message_max(sa, hdr->exchange, hdr->flags & IKE_FLAG_RESPONSE));
    uint16_t n = frag_count(plain, frag_room(datagram_max(sa), overhead, sa)), most = limit.total;
    if (sa_peer_fragments(sa) && sa_peer_fragments(sa) < most)
        most = (uint16_t)sa_peer_fragments(sa);
    if (n && n <= most)
        return n;
    if (fragment_size(sa, plain / most + 1) > DATAGRAM_MAX - 64)
        return 0;
    sa_log(sa, ADIT_LOG_MORE, "NET", "the peer takes %u fragments of a message: larger ones than fragment_size", most);
    return most;
}

static enum adit_rc split(struct ike_sa *sa, const struct ike_hdr *hdr, uint8_t first, struct adit_span plain,
                          struct ike_wire **out)
{
    uint16_t n = number_of(sa, hdr, plain.n);
    if (!n)
        return ADIT_ERR_LIMIT;
    struct ike_wire *wire = wire_new(n, all_octets(sa, plain.n, n));
    if (!wire)
        return ADIT_ERR_MEMORY;
    enum adit_rc rc = put_all(sa, hdr, first, plain, n, wire);
    if (rc == ADIT_OK)
        *out = wire;
    else
        wire_unref(wire);
    return rc;
}

/* --- inbound ---------------------------------------------------------------------------------------------------- */

static bool read_head(struct adit_span datagram, struct frag_head *head, struct skf *f)
{
    struct rd in = rd_init(span_from(datagram, IKE_HDR_SIZE));
    head->first = rd_u8(&in);
    head->sk_flags = rd_u8(&in);
    uint16_t length = rd_u16(&in);
    return skf_get(&in, f) && length == datagram.n - IKE_HDR_SIZE; /* RFC 7383 s2.5: the last payload */
}

/* --- places for messages under way ---------------------------------------------------------------------------------- */

static struct frag_join *place(struct frag_state *s, unsigned i)
{
    return i < 2 ? &s->join[i] : &s->more[i - 2];
}

/* Windows only grow. Without memory what is there has to do. */
static void make_places(struct ike_sa *sa, struct frag_state *s)
{
    unsigned n = sa_window(sa, false) + sa_window(sa, true) - 2;
    struct frag_join *more = n > s->n_more ? mem_new_array(n, sizeof(*more)) : NULL;
    if (!more)
        return;
    for (unsigned i = 0; i < s->n_more; i++)
        more[i] = s->more[i];
    mem_del(s->more);
    s->more = more;
    s->n_more = n;
}

/* Of this message; a free one; else that of the message of which nothing was heard for longest. */
static struct frag_join *place_for(struct frag_state *s, const struct frag_key *key)
{
    struct frag_join *best = &s->join[!!(key->flags & IKE_FLAG_RESPONSE)];
    if (frag_join_is(best, key))
        return best;
    for (unsigned i = 2; i < 2 + s->n_more; i++) {
        struct frag_join *j = place(s, i);
        if (frag_join_is(j, key))
            return j;
        if (best->total && (!j->total || j->last_at < best->last_at))
            best = j;
    }
    return best;
}

/* Opened in a copy of its own, which then is where the fragment is kept. */
static enum adit_rc open_copy(struct ike_sa *sa, struct adit_span datagram, struct adit_buf *block,
                              struct adit_span *plain)
{
    TRY(buf_set(block, datagram));
    enum adit_rc rc = sa_open(sa, block->p, block->n, FRAG_FIXED, plain);
    if (rc != ADIT_OK)
        buf_wipe(block);
    return rc;
}

static void complete(const struct frag_join *j, const struct ike_hdr *hdr, struct raw_msg *out,
                     uint8_t digest[16])
{
    out->hdr = *hdr;
    out->hdr.next = PLD_SK; /* as if it had come in one: RFC 9242 s3.3.2 */
    out->sk_flags = j->head.sk_flags;
    out->first = j->head.first;
    out->plain = buf_span(&j->whole);
    span_copy(digest, SPAN_ARRAY(j->head.digest));
}

/* RFC 7383 s2.6, in its order: what contradicts or is there already is dropped before any key is used; a larger total
 * makes the fragments so far worthless only if it is authentic. */
static enum adit_rc join(struct ike_sa *sa, const struct ike_hdr *hdr, struct adit_span datagram,
                         struct raw_msg *out, uint8_t digest[16])
{
    struct frag_state *s = ext_agreed(sa, EXT_frag) ? ext_sa(sa, EXT_frag) : NULL;
    struct frag_key key = { hdr->msgid, hdr->exchange, hdr->flags };
    struct frag_head head = { 0 };
    struct adit_buf block = { 0 };
    struct adit_span plain;
    struct skf f;
    if (!s || !read_head(datagram, &head, &f))
        return ADIT_ERR_DROP;
    make_places(sa, s);
    struct frag_join *j = place_for(s, &key);
    struct frag_limit most = frag_limit_of(sa_message_max(sa, hdr->exchange, hdr->flags & IKE_FLAG_RESPONSE));
    if (!frag_join_wants(j, &key, f, &most)) {
        if (j->total == f.total && j->key.msgid == key.msgid)
            frag_repeated(sa, j);
        return ADIT_ERR_DROP;
    }
    TRY(open_copy(sa, datagram, &block, &plain));
    if (f.number == 1 && f.total > 1 && !(hdr->flags & IKE_FLAG_RESPONSE))
        follow(sa, s, datagram.n);
    msg_digest(datagram, head.digest);
    enum adit_rc rc = frag_join_add(j, &key, f, &head, &block, plain, &most, sa_now(sa));
    if (rc == ADIT_OK)
        complete(j, hdr, out, digest);
    if (rc == ADIT_WAIT)
        frag_arrived(sa, j);
    return rc;
}

/* --- hooks ------------------------------------------------------------------------------------------------------ */

/* A complete message is taken over within the call that brought it: its memory goes at the next chance. */
static uint64_t join_deadline(const struct frag_join *j)
{
    if (j->whole.p)
        return j->last_at;
    return j->total ? j->last_at + FRAG_GIVE_UP_NS : UINT64_MAX;
}

static uint64_t deadline(struct ike_sa *sa)
{
    struct frag_state *s = ext_peek(sa, EXT_frag);
    uint64_t at = UINT64_MAX;
    for (unsigned i = 0; s && i < 2 + s->n_more; i++) {
        uint64_t due = join_deadline(place(s, i)), told = frag_report_at(sa, place(s, i));
        at = due < at ? due : at;
        at = told < at ? told : at;
    }
    return at;
}

static void join_timer(struct frag_join *j, uint64_t now)
{
    frag_join_release(j);
    if (j->total && j->last_at + FRAG_GIVE_UP_NS <= now)
        frag_join_fini(j);
}

static void timer(struct ike_sa *sa, uint64_t now)
{
    struct frag_state *s = ext_peek(sa, EXT_frag);
    for (unsigned i = 0; s && i < 2 + s->n_more; i++) {
        join_timer(place(s, i), now);
        frag_report_timer(sa, place(s, i));
    }
}

static size_t held(struct ike_sa *sa)
{
    struct frag_state *s = ext_peek(sa, EXT_frag);
    size_t n = 0;
    for (unsigned i = 0; s && i < 2 + s->n_more; i++)
        n += frag_join_held(place(s, i));
    return n;
}

static void shed(struct ike_sa *sa)
{
    struct frag_state *s = ext_peek(sa, EXT_frag);
    for (unsigned i = 0; s && i < 2 + s->n_more; i++)
        frag_join_forget(place(s, i));
}

static void life(struct ike_sa *sa, enum sa_life what, struct ike_sa *other)
{
    const struct frag_state *s = what == LIFE_REKEYED ? ext_peek(sa, EXT_frag) : NULL;
    struct frag_state *heir = s && s->size ? ext_sa(other, EXT_frag) : NULL;
    if (heir)
        heir->size = s->size;
}

static void status(struct ike_sa *sa, struct adit_ike_info *out)
{
    const struct frag_state *s = ext_peek(sa, EXT_frag);
    if (s && s->size && out->n_marks < ARRAY_LEN(out->marks))
        out->marks[out->n_marks++] = (struct adit_option){ "fragment-size", s->size == DATAGRAM_MIN ? "576" : "1280" };
}

static void fini(struct ike_sa *sa, void *state)
{
    struct frag_state *s = state;
    for (unsigned i = 0; i < 2 + s->n_more; i++)
        frag_join_fini(place(s, i));
    mem_del(s->more);
}

static const struct ike_segmenter segmenter = {
    .payload = PLD_SKF,
    .wants = wants,
    .shrink = shrink,
    .split = split,
    .join = join,
};

static const struct ike_announce announcements[] = {
    { .notify = N_IKEV2_FRAGMENTATION_SUPPORTED,
      .exchange = XCHG_IKE_SA_INIT,
      .rule = BOTH_SENT,
      .in_each_opening = true },
};

static const struct adit_option_def options[] = {
    { .key = "fragmentation",
      .scope = ADIT_OPT_CONN,
      .type = ADIT_OPT_WORD,
      .words = "yes|accept|no|force",
      .deflt = "yes",
      .owner = "frag",
      .doc = "IKE fragmentation: use it, only accept the peer's fragments, or no; force means yes" },
    { .key = "fragment_size",
      .scope = ADIT_OPT_DAEMON,
      .type = ADIT_OPT_UINT,
      .deflt = "1280",
      .owner = "frag",
      .doc = "largest IP packet of a fragmented IKE message, in octets (576 to 65535)" },
};

const struct ike_ext ext_frag = {
    .id = EXT_frag,
    .name = "frag",
    .spec = "RFC 7383",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .sa_size = sizeof(struct frag_state),
    .announce = announcements,
    .n_announce = ARRAY_LEN(announcements),
    .segmenter = &segmenter,
    .on = { .may_use = may_use,
            .beside = frag_beside,
            .life = life,
            .deadline = deadline,
            .timer = timer,
            .held = held,
            .shed = shed,
            .status = status,
            .fini = fini },
};
