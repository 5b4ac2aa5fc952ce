/* test_frag.c - cutting and joining (RFC 7383): arithmetic at its edges, the structure against a model under chance, the
 * module against a toy cipher whose ICV covers all that the true one covers. */
#include "fake_sa.h"
#include "ike/ext/frag/frag.h"

extern const struct ike_ext ext_frag;

/* --- arithmetic ----------------------------------------------------------------------------------------------- */

struct cipher {
    const char *what;
    size_t iv, block, icv;
};
static const struct cipher ciphers[] = {
    { "AES-GCM", 8, 1, 16 },
    { "AES-CBC, SHA2-256", 16, 16, 16 },
    { "AES-CBC, SHA2-512", 16, 16, 32 },
    { "3DES, SHA-1", 8, 8, 12 },
};

static size_t adds(const void *arg, size_t n)
{
    const struct cipher *c = arg;
    return c->iv + (c->block - (n + 1) % c->block) % c->block + 1 + c->icv;
}

static void room_is_the_most_that_fits(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++)
        for (size_t datagram = 0; datagram < 3000; datagram++) {
            size_t n = frag_room(datagram, adds, &ciphers[i]);
            if (n)
                assert_row(ciphers[i].what, FRAG_FIXED + n + adds(&ciphers[i], n) <= datagram);
            assert_row(ciphers[i].what, FRAG_FIXED + n + 1 + adds(&ciphers[i], n + 1) > datagram);
        }
}

static void pieces_cover_all_and_are_of_like_size(void **state)
{
    for (size_t whole = 1; whole < 2000; whole++)
        for (size_t room = 1; room < 700; room += 13) {
            uint16_t n = frag_count(whole, room);
            if (!n) {
                assert_true(whole > room * FRAG_MAX);
                continue;
            }
            assert_true(n == 1 || whole > room * (n - 1u)); /* none too many */
            assert_int_equal(frag_cut(whole, n, 0), 0);
            assert_int_equal(frag_cut(whole, n, n), whole);
            for (uint16_t i = 0; i < n; i++) {
                size_t size = frag_cut(whole, n, i + 1) - frag_cut(whole, n, i);
                assert_true(size <= room && (size == whole / n || size == whole / n + 1));
            }
        }
}

static void counts_at_the_edges(void **state)
{
    static const struct {
        const char *what;
        size_t whole, room;
        uint16_t n;
    } rows[] = {
        { "no room", 100, 0, 0 },
        { "one", 100, 100, 1 },
        { "two", 101, 100, 2 },
        { "most", 6553500, 100, 65535 },
        { "one too many", 6553501, 100, 0 },
        { "far too many", 1u << 24, 100, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_row(rows[i].what, frag_count(rows[i].whole, rows[i].room) == rows[i].n);
}

/* --- joining: rows -------------------------------------------------------------------------------------------- */

static const struct frag_key key = { 7, XCHG_IKE_AUTH, IKE_FLAG_INITIATOR };

static enum adit_rc add(struct frag_join *j, const struct frag_key *k, struct skf f, const char *text,
                        uint64_t now)
{
    struct adit_buf block = { 0 };
    struct frag_head head = { .first = (uint8_t)f.total, .sk_flags = 1, .digest = { (uint8_t)f.number } };
    if (!frag_join_wants(j, k, f, &frag_ordinary))
        return ADIT_ERR_DROP;
    assert_int_equal(buf_append(&block, SPAN_LIT("....")),
                     ADIT_OK); /* what stands in front of the plaintext */
    assert_int_equal(buf_append(&block, span_str(text)), ADIT_OK);
    enum adit_rc rc = frag_join_add(j, k, f, &head, &block, span(block.p + 4, strlen(text)), &frag_ordinary, now);
    assert_null(block.p);
    return rc;
}

static void the_order_of_checks(void **state)
{
    static const struct {
        const char *what;
        struct frag_key key;
        struct skf f;
        bool wanted;
    } rows[] = {
        { "missing one", { 7, XCHG_IKE_AUTH, 8 }, { 3, 3 }, true },
        { "number 0", { 7, XCHG_IKE_AUTH, 8 }, { 0, 3 }, false },
        { "both 0", { 7, XCHG_IKE_AUTH, 8 }, { 0, 0 }, false },
        { "total 0", { 7, XCHG_IKE_AUTH, 8 }, { 1, 0 }, false },
        { "number beyond total", { 7, XCHG_IKE_AUTH, 8 }, { 4, 3 }, false },
        { "duplicate", { 7, XCHG_IKE_AUTH, 8 }, { 1, 3 }, false },
        { "total smaller", { 7, XCHG_IKE_AUTH, 8 }, { 2, 2 }, false },
        { "total larger", { 7, XCHG_IKE_AUTH, 8 }, { 1, 4 }, true },
        { "total largest", { 7, XCHG_IKE_AUTH, 8 }, { 1, FRAG_MAX }, true },
        { "total too large", { 7, XCHG_IKE_AUTH, 8 }, { 1, FRAG_MAX + 1 }, false },
        { "a newer message, cut less", { 8, XCHG_IKE_AUTH, 8 }, { 1, 2 }, true },
        { "another exchange", { 7, XCHG_INFORMATIONAL, 8 }, { 1, 2 }, true },
        { "total 1", { 8, XCHG_IKE_AUTH, 8 }, { 1, 1 }, true },
    };
    struct frag_join j = { 0 };
    assert_int_equal(add(&j, &key, (struct skf){ 1, 3 }, "a", 0), ADIT_WAIT);
    assert_int_equal(add(&j, &key, (struct skf){ 2, 3 }, "b", 0), ADIT_WAIT);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_row(rows[i].what, frag_join_wants(&j, &rows[i].key, rows[i].f, &frag_ordinary) == rows[i].wanted);
    assert_true(j.total == 3 && j.have == 2); /* wanting changes nothing */
    frag_join_fini(&j);
}

static void whole_is(const struct frag_join *j, const char *text)
{
    assert_int_equal(j->whole.n, strlen(text));
    assert_memory_equal(j->whole.p, text, strlen(text));
    assert_true(j->total == 0 && !j->pieces && j->octets == 0);
}

static void any_order_gives_the_message_and_its_head(void **state)
{
    struct frag_join j = { 0 };
    assert_int_equal(add(&j, &key, (struct skf){ 3, 3 }, "ghi", 5), ADIT_WAIT);
    assert_int_equal(add(&j, &key, (struct skf){ 1, 3 }, "abc", 6), ADIT_WAIT);
    assert_int_equal(add(&j, &key, (struct skf){ 1, 3 }, "abc", 6), ADIT_ERR_DROP);
    assert_int_equal(add(&j, &key, (struct skf){ 2, 3 }, "def", 7), ADIT_OK);
    whole_is(&j, "abcdefghi");
    assert_true(j.head.first == 3 && j.head.sk_flags == 1 && j.head.digest[0] == 1 && j.last_at == 7);
    frag_join_release(&j);
    assert_null(j.whole.p);
    frag_join_fini(&j);
}

static void a_finer_cut_begins_anew(void **state)
{
    struct frag_join j = { 0 };
    assert_int_equal(add(&j, &key, (struct skf){ 1, 2 }, "abc", 0), ADIT_WAIT);
    assert_int_equal(add(&j, &key, (struct skf){ 2, 3 }, "c", 0), ADIT_WAIT);
    assert_int_equal(add(&j, &key, (struct skf){ 2, 2 }, "def", 0), ADIT_ERR_DROP);
    assert_int_equal(add(&j, &key, (struct skf){ 3, 3 }, "def", 0), ADIT_WAIT);
    assert_int_equal(add(&j, &key, (struct skf){ 1, 3 }, "ab", 0), ADIT_OK);
    whole_is(&j, "abcdef");
    assert_int_equal(j.head.first, 3);
    frag_join_fini(&j);
}

static void a_newer_message_takes_the_place(void **state)
{
    struct frag_join j = { 0 };
    struct frag_key newer = key;
    newer.msgid++;
    assert_int_equal(add(&j, &key, (struct skf){ 1, 5 }, "old", 0), ADIT_WAIT);
    assert_int_equal(add(&j, &newer, (struct skf){ 2, 2 }, "y", 0), ADIT_WAIT);
    assert_int_equal(add(&j, &newer, (struct skf){ 1, 2 }, "x", 0), ADIT_OK);
    whole_is(&j, "xy");
    frag_join_fini(&j);
}

static void empty_pieces_and_a_single_one(void **state)
{
    struct frag_join j = { 0 };
    assert_int_equal(add(&j, &key, (struct skf){ 1, 1 }, "", 0), ADIT_OK);
    whole_is(&j, "");
    assert_int_equal(add(&j, &key, (struct skf){ 2, 2 }, "", 0), ADIT_WAIT);
    assert_int_equal(add(&j, &key, (struct skf){ 1, 2 }, "a", 0), ADIT_OK);
    whole_is(&j, "a");
    frag_join_fini(&j);
}

static void add_octets(struct frag_join *j, uint16_t number, size_t n, enum adit_rc want)
{
    struct adit_buf block = { 0 };
    struct frag_head head = { 0 };
    assert_int_equal(buf_resize(&block, n), ADIT_OK);
    assert_int_equal(frag_join_add(j, &key, (struct skf){ number, 3 }, &head, &block, buf_span(&block), &frag_ordinary, 0),
                     want);
}

static void a_message_has_at_most_65535_octets(void **state)
{
    struct frag_join j = { 0 };
    add_octets(&j, 1, 30000, ADIT_WAIT);
    add_octets(&j, 2, 30000, ADIT_WAIT);
    add_octets(&j, 3, 5536, ADIT_ERR_LIMIT);
    assert_true(j.total == 0 && !j.pieces);
    add_octets(&j, 1, 30000, ADIT_WAIT);
    add_octets(&j, 2, 30000, ADIT_WAIT);
    add_octets(&j, 3, 5535, ADIT_OK);
    assert_int_equal(j.whole.n, 65535);
    frag_join_fini(&j);
}

/* Whichever allocation fails, the peer's repetition completes the message. */
static void memory_may_be_out(void **state)
{
    for (unsigned pass = 0; pass < 12; pass++) {
        struct frag_join j = { 0 };
        unsigned left = pass;
        bool complete = false;
        for (uint16_t i = 0; i < 3; i++) {
            struct adit_buf block = { 0 };
            struct frag_head head = { .first = 33 };
            assert_int_equal(buf_append(&block, span(&"abc"[i], 1)), ADIT_OK);
            struct adit_span plain = buf_span(&block);
            mem_set_gate(gate_countdown, &left);
            enum adit_rc rc = frag_join_add(&j, &key, (struct skf){ i + 1, 3 }, &head, &block, plain, &frag_ordinary, 0);
            mem_set_gate(NULL, NULL);
            assert_true(rc == ADIT_WAIT || rc == ADIT_ERR_MEMORY || rc == ADIT_OK);
            complete |= rc == ADIT_OK;
        }
        assert_true(complete || pass < 2);
        for (uint16_t i = 0; i < 3 && !complete; i++)
            complete = add(&j, &key, (struct skf){ i + 1, 3 }, (const char *[]){ "a", "b", "c" }[i], 0) ==
                       ADIT_OK;
        whole_is(&j, "abc");
        frag_join_fini(&j);
    }
}

/* --- joining: against a model ---------------------------------------------------------------------------------- */

static uint64_t dice = 1;

static unsigned roll(unsigned n)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(dice >> 33) % n;
}

/* The model: which totals have been begun, and which numbers of the current one are there. */
struct model {
    uint16_t total, have;
    bool there[FRAG_MAX + 1];
};

static enum adit_rc model_add(struct model *m, struct skf f)
{
    if (f.number == 0 || f.number > f.total || f.total < m->total ||
        (f.total == m->total && m->there[f.number]))
        return ADIT_ERR_DROP;
    if (f.total > m->total)
        *m = (struct model){ .total = f.total };
    m->there[f.number] = true;
    if (++m->have < m->total)
        return ADIT_WAIT;
    *m = (struct model){ 0 };
    return ADIT_OK;
}

static const char message[] =
    "The quick brown fox jumps over the lazy dog, and over the fence, and far away.";

/* Chance decides number (now and then none that is possible) and total, which grows. */
static void random_arrivals_are_joined_as_the_model_says(void **state)
{
    unsigned completed = 0;
    for (unsigned round = 0; round < 300; round++) {
        struct frag_join j = { 0 };
        struct model m = { 0 };
        uint16_t total = (uint16_t)(1 + roll(12));
        size_t whole = sizeof(message) - 1;
        for (unsigned step = 0; step < 150; step++) {
            if (roll(40) == 0)
                total = (uint16_t)(1 + roll(20));
            struct skf f = { (uint16_t)(roll(30) ? 1 + roll(total) : roll(25)), total };
            size_t from = 0, to = 0;
            if (f.number >= 1 && f.number <= total) {
                from = frag_cut(whole, total, (uint16_t)(f.number - 1));
                to = frag_cut(whole, total, f.number);
            }
            char text[sizeof(message)] = "";
            span_copy((uint8_t *)text, span(message + from, to - from));
            enum adit_rc want = model_add(&m, f);
            assert_int_equal(add(&j, &key, f, text, step), want);
            assert_int_equal(j.total, m.total);
            assert_int_equal(j.have, m.have);
            if (want == ADIT_OK) {
                completed++;
                whole_is(&j, message);
                assert_int_equal(j.head.first, total);
            }
        }
        frag_join_fini(&j);
    }
    assert_true(completed > 300);
}

/* --- the module ----------------------------------------------------------------------------------------------- */

#define PLAIN 5000
static uint8_t plain[PLAIN];
static const struct ike_hdr hdr = { .spi_i = 1,
                                    .spi_r = 2,
                                    .next = PLD_SK,
                                    .version = IKE_VERSION,
                                    .exchange = XCHG_IKE_AUTH,
                                    .flags = IKE_FLAG_INITIATOR,
                                    .msgid = 3 };

static void module_sa(struct ike_sa *sa)
{
    fake_sa(sa, &ext_frag);
    for (size_t i = 0; i < PLAIN; i++)
        plain[i] = (uint8_t)(i * 7 + i / 256);
}

static void only_long_messages_of_willing_peers_are_cut(void **state)
{
    static const struct {
        const char *what, *fragmentation, *size, *ip;
        uint16_t port;
        bool agreed;
        uint8_t exchange;
        size_t whole;
        bool cut;
    } rows[] = {
        { "fits IPv4", "yes", "1280", "192.0.2.9", 500, true, XCHG_IKE_AUTH, 1252, false },
        { "one octet more", "yes", "1280", "192.0.2.9", 500, true, XCHG_IKE_AUTH, 1253, true },
        { "fits with marker", "yes", "1280", "192.0.2.9", 4500, true, XCHG_IKE_AUTH, 1248, false },
        { "one octet more, marker", "yes", "1280", "192.0.2.9", 4500, true, XCHG_IKE_AUTH, 1249, true },
        { "fits IPv6", "yes", "1280", "2001:db8::9", 500, true, XCHG_IKE_AUTH, 1232, false },
        { "one octet more, IPv6", "yes", "1280", "2001:db8::9", 500, true, XCHG_IKE_AUTH, 1233, true },
        { "fits IPv6 with marker", "yes", "1280", "2001:db8::9", 4500, true, XCHG_IKE_AUTH, 1228, false },
        { "forced", "force", "1280", "192.0.2.9", 500, true, XCHG_CREATE_CHILD_SA, 9000, true },
        { "forced, but it fits", "force", "1280", "192.0.2.9", 500, true, XCHG_CREATE_CHILD_SA, 900, false },
        { "accept only", "accept", "1280", "192.0.2.9", 500, true, XCHG_IKE_AUTH, 9000, false },
        { "not agreed", "yes", "1280", "192.0.2.9", 500, false, XCHG_IKE_AUTH, 9000, false },
        { "not agreed, forced", "force", "1280", "192.0.2.9", 500, false, XCHG_IKE_AUTH, 9000, false },
        { "IKE_SA_INIT never", "yes", "1280", "192.0.2.9", 500, true, XCHG_IKE_SA_INIT, 9000, false },
        { "size too small: 576", "yes", "100", "192.0.2.9", 500, true, XCHG_IKE_AUTH, 548, false },
        { "size too small, longer", "yes", "0", "192.0.2.9", 500, true, XCHG_IKE_AUTH, 549, true },
        { "size too large", "yes", "99999", "192.0.2.9", 500, true, XCHG_IKE_AUTH, 65507, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike_sa sa;
        module_sa(&sa);
        fake_set(&sa, "fragmentation", rows[i].fragmentation);
        fake_set(&sa, "fragment_size", rows[i].size);
        assert_true(addr_parse(rows[i].ip, &sa.path.remote.addr));
        sa.path.local.port = rows[i].port;
        sa.agreed = rows[i].agreed;
        assert_row(rows[i].what,
                   ext_frag.segmenter->wants(&sa, rows[i].exchange, rows[i].whole) == rows[i].cut);
        assert_row(rows[i].what, ext_frag.on.may_use(&sa));
    }
    struct ike_sa sa;
    module_sa(&sa);
    fake_set(&sa, "fragmentation", "no");
    assert_false(ext_frag.on.may_use(&sa));
}

static struct ike_wire *cut(struct ike_sa *sa, size_t n, const char *size)
{
    struct ike_wire *w = NULL;
    fake_set(sa, "fragment_size", size);
    assert_int_equal(ext_frag.segmenter->split(sa, &hdr, PLD_IDi, span(plain, n), &w), ADIT_OK);
    assert_true(w->made == w->n && w->used == w->size);
    return w;
}

/* Larger ones may arrive, more of them never would. */
static void no_more_fragments_than_the_peer_takes(void **state)
{
    static const struct { unsigned takes, n; } rows[] = { { 0, 11 }, { 255, 11 }, { 11, 11 }, { 10, 10 }, { 3, 3 } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike_sa sa;
        module_sa(&sa);
        sa.peer_fragments = rows[i].takes;
        struct ike_wire *w = cut(&sa, PLAIN, "576");
        assert_int_equal(w->made, rows[i].n);
        wire_unref(w);
        fake_fini(&sa);
    }
}

static void fragments_look_as_rfc_7383_says(void **state)
{
    for (unsigned block = 1; block <= 16; block += 15) {
        struct ike_sa sa;
        module_sa(&sa);
        sa.block = block;
        struct ike_wire *w = cut(&sa, PLAIN, "1280");
        assert_int_equal(w->made, 5);
        for (uint16_t i = 0; i < w->made; i++) {
            struct rd in = rd_init(w->datagrams[i]);
            struct ike_hdr h;
            struct skf f;
            assert_true(w->datagrams[i].n <= 1252);
            assert_true(ike_hdr_get(&in, &h));
            assert_int_equal(h.next, PLD_SKF);
            assert_int_equal(h.length, w->datagrams[i].n);
            assert_true(h.spi_i == hdr.spi_i && h.spi_r == hdr.spi_r && h.exchange == hdr.exchange);
            assert_true(h.flags == hdr.flags && h.msgid == hdr.msgid && h.version == hdr.version);
            assert_int_equal(rd_u8(&in), i ? 0 : PLD_IDi);
            assert_int_equal(rd_u8(&in), 0);
            assert_int_equal(rd_u16(&in), w->datagrams[i].n - IKE_HDR_SIZE);
            assert_true(skf_get(&in, &f) && f.number == i + 1 && f.total == w->made);
        }
        wire_unref(w);
        fake_fini(&sa);
    }
}

static enum adit_rc receive(struct ike_sa *sa, struct adit_span d, struct raw_msg *out, uint8_t digest[16])
{
    struct rd in = rd_init(d);
    struct ike_hdr h;
    assert_true(ike_hdr_get(&in, &h));
    return ext_frag.segmenter->join(sa, &h, guard_copy(d), out, digest);
}

static void what_is_cut_is_joined(void **state)
{
    for (size_t n = 600; n <= PLAIN; n += 733) {
        struct ike_sa a, b;
        struct raw_msg out;
        uint8_t digest[16], first[16];
        module_sa(&a);
        module_sa(&b);
        struct ike_wire *w = cut(&a, n, "576");
        for (uint16_t i = w->made; i-- > 0;)
            assert_int_equal(receive(&b, w->datagrams[i], &out, digest), i ? ADIT_WAIT : ADIT_OK);
        msg_digest(w->datagrams[0], first);
        assert_memory_equal(digest, first, sizeof(first));
        assert_true(out.hdr.next == PLD_SK && out.hdr.msgid == 3 && out.first == PLD_IDi &&
                    out.sk_flags == 0);
        assert_int_equal(out.plain.n, n);
        assert_memory_equal(out.plain.p, plain, n);
        wire_unref(w);
        fake_fini(&a);
        fake_fini(&b);
    }
}

static struct frag_join *join_of(struct ike_sa *sa, int response)
{
    struct frag_join *joins = ext_peek(sa, EXT_frag); /* the slot begins with the two of them */
    assert_true(ext_frag.sa_size <= 2 * sizeof(*joins) + 16);
    return &joins[response];
}

static void falsified_fragments_change_nothing(void **state)
{
    struct ike_sa a, b;
    struct raw_msg out;
    uint8_t digest[16], bad[600];
    module_sa(&a);
    module_sa(&b);
    struct ike_wire *w = cut(&a, 900, "576");
    assert_int_equal(w->made, 2);
    assert_int_equal(receive(&b, w->datagrams[0], &out, digest), ADIT_WAIT);
    for (size_t i = 0; i < w->datagrams[1].n; i++) {
        span_copy(bad, w->datagrams[1]);
        bad[i] ^= 1;
        struct ike_hdr h = hdr; /* the core has checked it */
        h.next = PLD_SKF;
        enum adit_rc rc = ext_frag.segmenter->join(&b, &h, guard_copy(span(bad, w->datagrams[1].n)), &out,
                                                   digest);
        assert_true(rc == ADIT_ERR_INTEGRITY || rc == ADIT_ERR_DROP);
        assert_true(join_of(&b, 0)->total == 2 && join_of(&b, 0)->have == 1);
    }
    for (size_t n = IKE_HDR_SIZE; n < w->datagrams[1].n; n++)
        assert_int_equal(
            ext_frag.segmenter->join(&b, &hdr, guard_copy(span_first(w->datagrams[1], n)), &out, digest),
            ADIT_ERR_DROP);
    assert_int_equal(receive(&b, w->datagrams[1], &out, digest), ADIT_OK);
    wire_unref(w);
    fake_fini(&a);
    fake_fini(&b);
}

static void nothing_is_joined_without_agreement(void **state)
{
    struct ike_sa a, b;
    struct raw_msg out;
    uint8_t digest[16];
    module_sa(&a);
    module_sa(&b);
    struct ike_wire *w = cut(&a, 900, "576");
    b.agreed = false;
    assert_int_equal(receive(&b, w->datagrams[0], &out, digest), ADIT_ERR_DROP);
    assert_null(ext_peek(&b, EXT_frag));
    wire_unref(w);
    fake_fini(&a);
}

static void request_and_response_do_not_mix(void **state)
{
    struct ike_sa a, b;
    struct raw_msg out;
    uint8_t digest[16];
    struct ike_hdr response = hdr;
    struct ike_wire *w[2];
    response.flags = IKE_FLAG_RESPONSE;
    module_sa(&a);
    module_sa(&b);
    w[0] = cut(&a, 900, "576");
    assert_int_equal(ext_frag.segmenter->split(&a, &response, PLD_IDr, span(plain + 1, 900), &w[1]), ADIT_OK);
    assert_int_equal(receive(&b, w[0]->datagrams[0], &out, digest), ADIT_WAIT);
    assert_int_equal(receive(&b, w[1]->datagrams[1], &out, digest), ADIT_WAIT);
    assert_int_equal(receive(&b, w[0]->datagrams[1], &out, digest), ADIT_OK);
    assert_memory_equal(out.plain.p, plain, 900);
    assert_int_equal(receive(&b, w[1]->datagrams[0], &out, digest), ADIT_OK);
    assert_memory_equal(out.plain.p, plain + 1, 900);
    assert_int_equal(out.first, PLD_IDr);
    wire_unref(w[0]);
    wire_unref(w[1]);
    fake_fini(&a);
    fake_fini(&b);
}

/* Four requests in a window of four, their fragments mixed; towards a window of one only the last one begun is kept. */
static void several_are_joined_side_by_side(void **state)
{
    enum { MESSAGES = 4 };
    for (unsigned window = 1; window <= MESSAGES; window += MESSAGES - 1) {
        struct ike_sa a, b;
        struct raw_msg out;
        uint8_t digest[16];
        struct ike_wire *w[MESSAGES];
        unsigned whole = 0;
        module_sa(&a);
        module_sa(&b);
        b.window = window;
        fake_set(&a, "fragment_size", "576");
        for (uint32_t m = 0; m < MESSAGES; m++) {
            struct ike_hdr h = hdr;
            h.msgid += m;
            assert_int_equal(ext_frag.segmenter->split(&a, &h, PLD_IDi, span(plain + m, 1200), &w[m]), ADIT_OK);
            assert_int_equal(w[m]->made, 3);
        }
        for (unsigned i = 0; i < 3; i++)
            for (unsigned m = 0; m < MESSAGES; m++) {
                b.now++;
                if (receive(&b, w[m]->datagrams[i], &out, digest) != ADIT_OK)
                    continue;
                whole++;
                assert_true(out.plain.n == 1200 && out.hdr.msgid == hdr.msgid + m);
                assert_memory_equal(out.plain.p, plain + m, 1200);
            }
        assert_int_equal(whole, window == 1 ? 0 : MESSAGES);
        assert_true(ext_frag.on.held(&b) > 0 || window > 1);
        b.now += 2 * FRAG_GIVE_UP_NS;
        ext_frag.on.timer(&b, b.now);
        assert_true(ext_frag.on.held(&b) == 0 && ext_frag.on.deadline(&b) == UINT64_MAX);
        for (uint32_t m = 0; m < MESSAGES; m++)
            wire_unref(w[m]);
        fake_fini(&a);
        fake_fini(&b);
    }
}

static void what_is_left_lying_is_given_up(void **state)
{
    struct ike_sa a, b;
    struct raw_msg out;
    uint8_t digest[16];
    module_sa(&a);
    module_sa(&b);
    assert_true(ext_frag.on.deadline(&b) == UINT64_MAX);
    struct ike_wire *w = cut(&a, 900, "576");
    b.now = 1000;
    assert_int_equal(receive(&b, w->datagrams[0], &out, digest), ADIT_WAIT);
    assert_true(ext_frag.on.deadline(&b) == 1000 + FRAG_GIVE_UP_NS);
    ext_frag.on.timer(&b, 999 + FRAG_GIVE_UP_NS);
    assert_int_equal(join_of(&b, 0)->have, 1);
    ext_frag.on.timer(&b, 1000 + FRAG_GIVE_UP_NS);
    assert_true(join_of(&b, 0)->total == 0 && ext_frag.on.deadline(&b) == UINT64_MAX);
    b.now = 2000;
    assert_int_equal(receive(&b, w->datagrams[1], &out, digest), ADIT_WAIT);
    assert_int_equal(receive(&b, w->datagrams[0], &out, digest), ADIT_OK);
    assert_true(ext_frag.on.deadline(&b) == 2000); /* at once: the message has been taken over */
    ext_frag.on.timer(&b, 2000);
    assert_true(!join_of(&b, 0)->whole.p && ext_frag.on.deadline(&b) == UINT64_MAX);
    wire_unref(w);
    fake_fini(&a);
    fake_fini(&b);
}

static void cutting_may_fail_for_want_of_memory(void **state)
{
    struct ike_sa sa;
    struct ike_wire *w = NULL;
    unsigned left = 0;
    module_sa(&sa);
    mem_set_gate(gate_countdown, &left);
    enum adit_rc rc = ext_frag.segmenter->split(&sa, &hdr, PLD_IDi, SPAN_ARRAY(plain), &w);
    mem_set_gate(NULL, NULL);
    assert_int_equal(rc, ADIT_ERR_MEMORY);
    assert_null(w);
}

static void smaller_sizes_are_few_and_not_too_small(void **state)
{
    static const struct {
        const char *what, *configured;
        uint8_t family;
        bool tcp;
        size_t longest, to[3]; /* octets of datagram after each step; 0: no further */
    } rows[] = {
        { "the default", "1280", 4, false, 1252, { 548, 0 } },
        { "as long as Ethernet takes", "1500", 4, false, 1472, { 1252, 548, 0 } },
        { "a short message", "1280", 4, false, 540, { 0 } },
        { "one that is short enough for the first step", "1500", 4, false, 1200, { 548, 0 } },
        { "small already", "576", 4, false, 548, { 0 } },
        { "IPv6 takes 1280 everywhere", "1280", 6, false, 1232, { 0 } },
        { "IPv6, jumbograms", "9000", 6, false, 8952, { 1232, 0 } },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike_sa sa = { .ext = &ext_frag, .agreed = true, .option = { { "fragment_size", rows[i].configured } } };
        size_t longest = rows[i].longest;
        sa.path.local.port = sa.path.remote.port = 500;
        sa.path.local.addr.family = sa.path.remote.addr.family = rows[i].family;
        for (unsigned k = 0; k < 3; k++) {
            assert_row(rows[i].what, ext_frag.segmenter->shrink(&sa, longest - 1) == (rows[i].to[k] > 0));
            if (!rows[i].to[k])
                break;
            longest = rows[i].to[k];
            assert_row(rows[i].what, ext_frag.segmenter->wants(&sa, XCHG_IKE_AUTH, longest + 1));
            assert_row(rows[i].what, !ext_frag.segmenter->wants(&sa, XCHG_IKE_AUTH, longest));
        }
        fake_fini(&sa);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_is_the_most_that_fits),
        cmocka_unit_test(pieces_cover_all_and_are_of_like_size),
        cmocka_unit_test(counts_at_the_edges),
        cmocka_unit_test(the_order_of_checks),
        cmocka_unit_test(any_order_gives_the_message_and_its_head),
        cmocka_unit_test(a_finer_cut_begins_anew),
        cmocka_unit_test(a_newer_message_takes_the_place),
        cmocka_unit_test(empty_pieces_and_a_single_one),
        cmocka_unit_test(a_message_has_at_most_65535_octets),
        cmocka_unit_test(memory_may_be_out),
        cmocka_unit_test(random_arrivals_are_joined_as_the_model_says),
        cmocka_unit_test(only_long_messages_of_willing_peers_are_cut),
        cmocka_unit_test(no_more_fragments_than_the_peer_takes), cmocka_unit_test(fragments_look_as_rfc_7383_says),
        cmocka_unit_test(what_is_cut_is_joined),
        cmocka_unit_test(falsified_fragments_change_nothing),
        cmocka_unit_test(nothing_is_joined_without_agreement),
        cmocka_unit_test(request_and_response_do_not_mix),
        cmocka_unit_test(several_are_joined_side_by_side),
        cmocka_unit_test(what_is_left_lying_is_given_up),
        cmocka_unit_test(cutting_may_fail_for_want_of_memory),
        cmocka_unit_test(smaller_sizes_are_few_and_not_too_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
