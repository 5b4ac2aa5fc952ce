/* test_mobike.c - what moves an SA, what is said about it, and what is believed (RFC 4555). */
#include "fake_sa.h"
#include "ike/ext/mobike/mobike.h"

extern const struct ike_ext ext_mobike;

#define SECOND 1000000000ull

/* --- translators, as another extension would find them ------------------------------------------------------------- */

static struct ike_nat_view nat_now = { .seen = true };
static unsigned nat_sets, nat_moves;

static void nat_tell(struct ike_sa *sa, struct ike_nat_view *out)
{
    *out = nat_now;
}

static void nat_put(struct ike_sa *sa, const struct adit_path *path, struct wr *w)
{
    notify_put(w, N_NAT_DETECTION_SOURCE_IP, SPAN_LIT("hash"));
}

static void nat_get(struct ike_sa *sa, const struct ike_msg *msg, const struct adit_path *path, struct ike_nat_view *out)
{
    struct notify n;
    *out = (struct ike_nat_view){ .seen = msg_notify(msg, N_NAT_DETECTION_SOURCE_IP, &n) };
}

static void nat_set(struct ike_sa *sa, const struct ike_nat_view *view)
{
    nat_sets++;
}

static void nat_move(struct ike_sa *sa)
{
    nat_moves++;
}

const struct ike_nat *ike_nat(void)
{
    static const struct ike_nat nat = { nat_tell, nat_put, nat_get, nat_set, nat_move };
    return &nat;
}

/* --- messages ------------------------------------------------------------------------------------------------------- */

struct letter {
    uint8_t mem[600];
    struct wr w;
    struct payload_list list;
    struct ike_msg msg;
};

static struct wr *open_letter(struct letter *l)
{
    wr_init(&l->w, l->mem, sizeof(l->mem));
    wr_chain(&l->w);
    return &l->w;
}

static const struct ike_msg *close_letter(struct letter *l)
{
    assert_true(wr_ok(&l->w));
    struct rd in = rd_init(span_from(wr_written(&l->w), 1));
    assert_true(payloads_get(&in, l->mem[0], &l->list, NULL));
    l->msg = (struct ike_msg){ .n = l->list.n, .v = l->list.v };
    return &l->msg;
}

static bool says(const struct ike_msg *msg, uint16_t type)
{
    struct notify n;
    return msg_notify(msg, type, &n);
}

static struct adit_addr addr(const char *text)
{
    struct adit_addr a;
    assert_true(addr_parse(text, &a));
    return a;
}

/* --- lists ------------------------------------------------------------------------------------------------------------ */

static void lists_survive_the_wire(void **state)
{
    static const char *const texts[] = { "198.51.100.7", "2001:db8::7", "10.0.0.1" };
    struct mobike_list list = { 0 }, read;
    struct letter l;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct adit_addr a = addr(texts[i]);
        mobike_list_add(&list, &a);
        mobike_list_add(&list, &a); /* once */
    }
    assert_int_equal(list.n, 3);
    mobike_list_put(open_letter(&l), &list);
    assert_true(mobike_list_get(close_letter(&l), &read));
    assert_true(mobike_list_equal(&list, &read));
    read.n--;
    assert_false(mobike_list_equal(&list, &read));
}

static void lists_end_and_skip_nonsense(void **state)
{
    struct letter l;
    struct mobike_list read;
    struct wr *w = open_letter(&l);
    notify_put(w, N_ADDITIONAL_IP4_ADDRESS, span("12345", 5));
    notify_put(w, N_ADDITIONAL_IP6_ADDRESS, span("1234", 4));
    for (uint8_t i = 0; i < MOBIKE_ADDRESSES + 3; i++)
        notify_put(w, N_ADDITIONAL_IP4_ADDRESS, span((uint8_t[]){ 10, 0, 0, i }, 4));
    assert_true(mobike_list_get(close_letter(&l), &read));
    assert_int_equal(read.n, MOBIKE_ADDRESSES);
    notify_put(open_letter(&l), N_NO_ADDITIONAL_ADDRESSES, SPAN_NONE);
    assert_true(mobike_list_get(close_letter(&l), &read));
    assert_int_equal(read.n, 0);
    notify_put(open_letter(&l), N_COOKIE2, SPAN_NONE);
    assert_false(mobike_list_get(close_letter(&l), &read));
}

static void no_nats_allowed_is_exact(void **state)
{
    static const struct {
        const char *what, *source, *destination;
        uint16_t from, to;
        bool ok;
    } rows[] = {
        { "as sent", "192.0.2.1", "198.51.100.2", 500, 501, true },
        { "another source", "192.0.2.9", "198.51.100.2", 500, 501, false },
        { "another destination", "192.0.2.1", "198.51.100.9", 500, 501, false },
        { "another source port", "192.0.2.1", "198.51.100.2", 502, 501, false },
        { "another destination port", "192.0.2.1", "198.51.100.2", 500, 500, false },
        { "another family", "2001:db8::1", "2001:db8::2", 500, 501, false },
    };
    struct adit_path sent = { { addr("192.0.2.1"), 500 }, { addr("198.51.100.2"), 501 } };
    struct letter l;
    mobike_nats_put(open_letter(&l), &sent);
    close_letter(&l);
    assert_int_equal(l.list.v[0].body.n, 4 + 12);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_path seen = { { addr(rows[i].destination), rows[i].to }, { addr(rows[i].source), rows[i].from } };
        assert_row(rows[i].what, mobike_nats_ok(&l.msg, &seen) == rows[i].ok);
    }
    for (size_t n = 0; n < 14; n++) { /* cut short, and too long */
        struct adit_path seen = { sent.remote, sent.local };
        struct letter cut;
        uint8_t data[14] = { 192, 0, 2, 1, 198, 51, 100, 2, 1, 0xf4, 1, 0xf5, 0, 0 };
        notify_put(open_letter(&cut), N_NO_NATS_ALLOWED, span(data, n));
        assert_int_equal(mobike_nats_ok(close_letter(&cut), &seen), n == 12);
    }
}

/* --- an SA ------------------------------------------------------------------------------------------------------------- */

static struct mobike_state *up(struct ike_sa *sa, bool initiator)
{
    fake_sa(sa, &ext_mobike);
    sa->established = true;
    sa->initiator = initiator;
    sa->host[0] = sa->path.local.addr;
    sa->n_host = 1;
    nat_now = (struct ike_nat_view){ .seen = true };
    nat_sets = nat_moves = 0;
    struct mobike_state *s = ext_sa(sa, EXT_mobike);
    s->initiator = initiator;
    s->peer_first = sa->path.remote.addr;
    return s;
}

static void candidates_are_pairs_of_one_family(void **state)
{
    struct ike_sa sa;
    struct adit_path ways[16];
    struct mobike_state *s = up(&sa, true);
    assert_int_equal(mobike_ways(&sa, s, ways, 16), 0); /* the one in use is none */
    sa.host[1] = addr("192.0.2.77");
    sa.host[2] = addr("2001:db8::77");
    sa.n_host = 3;
    assert_int_equal(mobike_ways(&sa, s, ways, 16), 1);
    assert_true(addr_equal(&ways[0].local.addr, &sa.host[1]));
    assert_int_equal(ways[0].remote.port, sa.path.remote.port);
    s->peer.v[s->peer.n++] = addr("2001:db8::2");
    s->peer.v[s->peer.n++] = addr("198.51.100.3");
    assert_int_equal(mobike_ways(&sa, s, ways, 16), 4);
    assert_true(addr_equal(&ways[1].remote.addr, &s->peer.v[0]));
    assert_int_equal(mobike_ways(&sa, s, ways, 2), 2); /* room */
    fake_fini(&sa);
}

static void only_esp_and_searches_move_an_sa(void **state)
{
    static const struct {
        const char *what;
        bool initiator, searching;
        enum heard_by by;
        bool settled, moves;
    } rows[] = {
        { "IKE to the responder", false, false, BY_IKE, true, false },
        { "ESP to the responder: others may follow", false, false, BY_ESP, false, false },
        { "IKE to the initiator", true, false, BY_IKE, true, false },
        { "ESP to the initiator", true, false, BY_ESP, true, false },
        { "an answer to the initiator's search", true, true, BY_IKE, true, true },
        { "ESP meanwhile", true, true, BY_ESP, true, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike_sa sa;
        struct mobike_state *s = up(&sa, rows[i].initiator);
        struct adit_path there = sa.path;
        there.local.addr = addr("192.0.2.77");
        s->searching = rows[i].searching;
        assert_row(rows[i].what, ext_mobike.on.moved(&sa, &there, rows[i].by) == rows[i].settled);
        assert_row(rows[i].what, path_equal(&sa.path, &there) == rows[i].moves);
        assert_row(rows[i].what, !!(s->todo & MOBIKE_UPDATE) == rows[i].moves && sa.opened == rows[i].moves);
        sa.agreed = false;
        assert_row(rows[i].what, !ext_mobike.on.moved(&sa, &there, rows[i].by));
        fake_fini(&sa);
    }
}

static void requests_look_for_ways_after_a_while(void **state)
{
    struct ike_sa sa;
    struct adit_path out[16];
    struct mobike_state *s = up(&sa, true);
    sa.host[sa.n_host++] = addr("192.0.2.77");
    assert_int_equal(ext_mobike.on.also_on(&sa, 0, out, 16), 0);
    assert_int_equal(ext_mobike.on.also_on(&sa, 1, out, 16), 0);
    assert_int_equal(ext_mobike.on.also_on(&sa, 2, out, 16), 1);
    assert_true(s->searching);
    assert_int_equal(ext_mobike.on.also_on(&sa, 0, out, 16), 0); /* the next request */
    assert_false(s->searching);
    s->lost = true;
    assert_int_equal(ext_mobike.on.also_on(&sa, 0, out, 16), 1);
    s->lost = s->initiator = false;
    assert_int_equal(ext_mobike.on.also_on(&sa, 5, out, 16), 0);
    fake_fini(&sa);
}

static void a_responder_has_patience(void **state)
{
    struct ike_sa sa;
    struct mobike_state *s = up(&sa, false);
    assert_true(ext_mobike.on.waits_on(&sa, 299 * SECOND));
    assert_false(ext_mobike.on.waits_on(&sa, 300 * SECOND));
    s->initiator = true;
    assert_false(ext_mobike.on.waits_on(&sa, SECOND));
    fake_fini(&sa);
}

/* --- requests ---------------------------------------------------------------------------------------------------------- */

struct asking {
    struct ike_sa sa;
    struct mobike_state *s;
    struct ike_xchg x;
    uint8_t *scratch;
    struct letter request, response;
};

static void ask(struct asking *a, uint8_t todo)
{
    a->s = up(&a->sa, true);
    a->s->todo = todo;
    a->s->asked = true;
    a->x = (struct ike_xchg){ .sa = &a->sa, .path = a->sa.path };
    a->scratch = mem_new(mobike_info_req.scratch);
    assert_int_equal(mobike_info_req.build(&a->x, a->scratch, open_letter(&a->request), NULL), ADIT_OK);
    close_letter(&a->request);
}

static enum adit_rc answer(struct asking *a, bool right_cookie)
{
    struct adit_why why = { 0 };
    struct notify n;
    assert_true(msg_notify(&a->request.msg, N_COOKIE2, &n));
    assert_int_equal(n.data.n, MOBIKE_COOKIE);
    struct wr *w = open_letter(&a->response);
    nat_put(&a->sa, &a->sa.path, w);
    notify_put(w, N_COOKIE2, right_cookie ? n.data : SPAN_LIT("0123456789abcdef"));
    enum adit_rc rc = mobike_info_req.consume(&a->x, a->scratch, close_letter(&a->response), &why);
    if (rc == ADIT_OK)
        mobike_info_req.commit(&a->x, a->scratch);
    else
        mobike_info_req.failed(&a->x, a->scratch, rc, &why);
    return rc;
}

static void done(struct asking *a)
{
    mem_del(a->scratch);
    fake_fini(&a->sa);
}

static void an_update_says_all_and_ends(void **state)
{
    struct asking a;
    ask(&a, MOBIKE_UPDATE | MOBIKE_LIST);
    assert_true(says(&a.request.msg, N_UPDATE_SA_ADDRESSES) && says(&a.request.msg, N_NAT_DETECTION_SOURCE_IP));
    assert_true(says(&a.request.msg, N_NO_ADDITIONAL_ADDRESSES) && !says(&a.request.msg, N_NO_NATS_ALLOWED));
    a.s->held = true;
    assert_int_equal(answer(&a, true), ADIT_OK);
    assert_true(a.s->todo == 0 && !a.s->held && !a.s->asked);
    assert_true(nat_sets == 1 && a.sa.children_told == 1 && a.sa.opened == 0);
    done(&a);
}

static void a_wrong_cookie_ends_the_sa(void **state)
{
    struct asking a;
    ask(&a, MOBIKE_CHECK);
    a.s->held = true;
    assert_int_equal(answer(&a, false), ADIT_ERR_PEER);
    assert_true(a.sa.deleted == 1 && a.s->held && a.sa.children_told == 0);
    done(&a);
}

static void an_answer_from_before_another_move_is_void(void **state)
{
    struct asking a;
    ask(&a, MOBIKE_UPDATE);
    a.sa.path.local.addr = addr("192.0.2.77");
    assert_int_equal(answer(&a, true), ADIT_OK);
    assert_true(a.s->todo == MOBIKE_UPDATE && a.s->asked && a.sa.opened == 1 && nat_sets == 0);
    done(&a);
}

/* RFC 4555 s3.7: which of several addresses the peer is at, such an answer does not tell. */
static void an_answer_to_many_addresses_proves_nothing(void **state)
{
    struct asking a;
    ask(&a, MOBIKE_UPDATE);
    a.s->held = a.s->searching = true;
    assert_int_equal(answer(&a, true), ADIT_OK);
    assert_true(a.s->held && a.s->todo & MOBIKE_CHECK && a.sa.opened == 1);
    done(&a);
}

static void a_search_only_asks(void **state)
{
    struct asking a;
    a.s = up(&a.sa, true);
    mem_del(a.sa.slot[EXT_mobike]);
    a.sa.slot[EXT_mobike] = NULL;
    ask(&a, MOBIKE_UPDATE);
    mem_del(a.scratch);
    a.s->lost = true;
    a.scratch = mem_new(mobike_info_req.scratch);
    assert_int_equal(mobike_info_req.build(&a.x, a.scratch, open_letter(&a.request), NULL), ADIT_OK);
    close_letter(&a.request);
    assert_false(says(&a.request.msg, N_UPDATE_SA_ADDRESSES));
    assert_int_equal(answer(&a, true), ADIT_OK);
    assert_true(!a.s->lost && a.s->todo == MOBIKE_UPDATE && a.sa.opened == 1);
    done(&a);
}

static void refuse(struct asking *a, uint16_t type, enum adit_rc rc)
{
    struct adit_why why = { 0 };
    notify_put(open_letter(&a->response), type, SPAN_NONE);
    a->x.msg = close_letter(&a->response);
    mobike_info_req.failed(&a->x, a->scratch, rc, &why);
}

static void refusals_have_an_end(void **state)
{
    struct asking a;
    ask(&a, MOBIKE_UPDATE);
    a.sa.host[a.sa.n_host++] = addr("192.0.2.77");
    refuse(&a, N_UNACCEPTABLE_ADDRESSES, ADIT_ERR_PEER);
    assert_true(addr_equal(&a.sa.path.local.addr, &a.sa.host[1]) && a.sa.opened == 1);
    refuse(&a, N_UNACCEPTABLE_ADDRESSES, ADIT_ERR_PEER);
    assert_true(a.s->todo == 0 && a.sa.opened == 1);
    done(&a);
    ask(&a, MOBIKE_UPDATE);
    for (int i = 0; i < 8; i++)
        refuse(&a, N_UNEXPECTED_NAT_DETECTED, ADIT_ERR_PATH);
    assert_true(a.s->todo == 0 && a.sa.opened == 5);
    done(&a);
}

static void without_nat_traversal_addresses_are_protected(void **state)
{
    struct asking a;
    ask(&a, MOBIKE_CHECK);
    assert_false(says(&a.request.msg, N_NO_NATS_ALLOWED));
    nat_now.seen = false;
    mem_del(a.scratch);
    a.scratch = mem_new(mobike_info_req.scratch);
    a.s->todo = MOBIKE_UPDATE;
    assert_int_equal(mobike_info_req.build(&a.x, a.scratch, open_letter(&a.request), NULL), ADIT_OK);
    close_letter(&a.request);
    assert_true(says(&a.request.msg, N_NO_NATS_ALLOWED) && !says(&a.request.msg, N_NAT_DETECTION_SOURCE_IP));
    done(&a);
}

/* --- what the peer asks --------------------------------------------------------------------------------------------------- */

static void the_peer_moves(void **state)
{
    static const struct {
        const char *what, *to;
        bool initiator, port_only, moves, checked, refused;
    } rows[] = {
        { "to another address", "192.0.2.66", false, false, true, true, false },
        { "to another port", NULL, false, true, true, false, false },
        { "where it may not be", "203.0.113.1", false, false, false, false, true },
        { "though it is not the one who decides", "192.0.2.66", true, false, false, false, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike_sa sa;
        struct letter l, answer;
        struct mobike_state *s = up(&sa, rows[i].initiator);
        struct ike_xchg x = { .sa = &sa, .path = sa.path };
        uint8_t *scratch = mem_new(mobike_info_resp.scratch);
        struct adit_path old = sa.path;
        struct adit_child_spec spec = { .path = sa.path };
        sa.forbidden = addr("203.0.113.1");
        if (rows[i].to)
            x.path.remote.addr = addr(rows[i].to);
        x.path.remote.port += rows[i].port_only;
        struct wr *w = open_letter(&l);
        notify_put(w, N_UPDATE_SA_ADDRESSES, SPAN_NONE);
        notify_put(w, N_COOKIE2, SPAN_LIT("12345678"));
        nat_put(&sa, &sa.path, w);
        assert_int_equal(mobike_info_resp.consume(&x, scratch, close_letter(&l), NULL), ADIT_OK);
        assert_int_equal(mobike_info_resp.build(&x, scratch, open_letter(&answer), NULL), ADIT_OK);
        mobike_info_resp.commit(&x, scratch);
        close_letter(&answer);
        assert_row(rows[i].what, says(&answer.msg, N_COOKIE2) && says(&answer.msg, N_NAT_DETECTION_SOURCE_IP));
        assert_row(rows[i].what, says(&answer.msg, N_UNACCEPTABLE_ADDRESSES) == rows[i].refused);
        assert_row(rows[i].what, path_equal(&sa.path, rows[i].moves ? &x.path : &old));
        assert_row(rows[i].what, s->held == rows[i].checked && !!(s->todo & MOBIKE_CHECK) == rows[i].checked);
        ext_mobike.on.child_spec(&sa, &spec);
        assert_row(rows[i].what, path_equal(&spec.path, &old)); /* until it has answered from there */
        mem_del(scratch);
        fake_fini(&sa);
    }
}

/* s3.5, s3.6: within a window requests arrive in any order. */
static void only_the_newest_request_counts(void **state)
{
    static const struct {
        const char *what;
        uint16_t says;
        uint32_t msgid;
        bool counts;
    } rows[] = {
        { "an update", N_UPDATE_SA_ADDRESSES, 7, true },
        { "an older one", N_UPDATE_SA_ADDRESSES, 6, false },
        { "an older list: no list came yet", N_NO_ADDITIONAL_ADDRESSES, 5, true },
        { "an older list still", N_NO_ADDITIONAL_ADDRESSES, 4, false },
        { "a newer update", N_UPDATE_SA_ADDRESSES, 9, true },
        { "between the two", N_UPDATE_SA_ADDRESSES, 8, false },
    };
    struct ike_sa sa;
    struct letter l, answer;
    struct mobike_state *s = up(&sa, false);
    struct ike_xchg x = { .sa = &sa, .path = sa.path };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t *scratch = mem_new(mobike_info_resp.scratch);
        x.msgid = rows[i].msgid;
        x.path.remote.port = (uint16_t)(1000 + i);
        s->peer.n = 1;
        struct wr *w = open_letter(&l);
        notify_put(w, rows[i].says, SPAN_NONE);
        notify_put(w, N_COOKIE2, SPAN_LIT("12345678"));
        assert_int_equal(mobike_info_resp.consume(&x, scratch, close_letter(&l), NULL), ADIT_OK);
        assert_int_equal(mobike_info_resp.build(&x, scratch, open_letter(&answer), NULL), ADIT_OK);
        mobike_info_resp.commit(&x, scratch);
        assert_row(rows[i].what, says(close_letter(&answer), N_COOKIE2));
        bool moved = sa.path.remote.port == x.path.remote.port, renewed = s->peer.n == 0;
        assert_row(rows[i].what, rows[i].counts == (rows[i].says == N_UPDATE_SA_ADDRESSES ? moved : renewed));
        mem_del(scratch);
    }
    fake_fini(&sa);
}

static void cookies_of_a_wrong_length_are_not_returned(void **state)
{
    static const struct {
        size_t n;
        bool ok;
    } rows[] = { { 0, false }, { 7, false }, { 8, true }, { 64, true }, { 65, false } };
    uint8_t cookie[65] = { 1 };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike_sa sa;
        struct letter l, answer;
        (void)up(&sa, false);
        struct ike_xchg x = { .sa = &sa, .path = sa.path };
        uint8_t *scratch = mem_new(mobike_info_resp.scratch);
        notify_put(open_letter(&l), N_COOKIE2, span(cookie, rows[i].n));
        assert_int_equal(mobike_info_resp.consume(&x, scratch, close_letter(&l), NULL), ADIT_OK);
        assert_int_equal(mobike_info_resp.build(&x, scratch, open_letter(&answer), NULL), ADIT_OK);
        assert_int_equal(says(close_letter(&answer), N_COOKIE2), rows[i].ok);
        mem_del(scratch);
        fake_fini(&sa);
    }
}

static void a_peer_that_left_is_followed_to_where_it_speaks(void **state)
{
    struct ike_sa sa;
    struct letter l;
    struct mobike_state *s = up(&sa, true);
    struct ike_xchg x = { .sa = &sa, .path = sa.path };
    uint8_t *scratch = mem_new(mobike_info_resp.scratch);
    x.path.remote.addr = addr("198.51.100.9");
    notify_put(open_letter(&l), N_NO_ADDITIONAL_ADDRESSES, SPAN_NONE);
    assert_int_equal(mobike_info_resp.consume(&x, scratch, close_letter(&l), NULL), ADIT_OK);
    mobike_info_resp.commit(&x, scratch);
    assert_true(path_equal(&sa.path, &x.path) && s->held && s->todo == MOBIKE_UPDATE);
    mem_del(scratch);
    fake_fini(&sa);
}

/* --- the host --------------------------------------------------------------------------------------------------------------- */

static void what_the_host_says_leads_to(void **state)
{
    static const struct {
        const char *what, *host[3];
        bool initiator, repeated, lost;
        uint8_t todo;
    } rows[] = {
        { "nothing new", { "192.0.2.1" }, true, false, false, 0 },
        { "one more", { "192.0.2.1", "192.0.2.77" }, true, false, false, MOBIKE_LIST | MOBIKE_CHECK },
        { "another one", { "192.0.2.77" }, true, true, false, MOBIKE_UPDATE },
        { "two others", { "192.0.2.77", "192.0.2.78" }, true, true, true, MOBIKE_UPDATE | MOBIKE_LIST },
        { "none that fits", { "2001:db8::1" }, true, false, false, MOBIKE_LIST },
        { "the responder's", { "192.0.2.77" }, false, true, true, MOBIKE_LIST },
        { "one more of the responder", { "192.0.2.1", "192.0.2.77" }, false, false, false, MOBIKE_LIST },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike_sa sa;
        struct mobike_state *s = up(&sa, rows[i].initiator);
        sa.now = 100 * SECOND;
        for (sa.n_host = 0; sa.n_host < 3 && rows[i].host[sa.n_host]; sa.n_host++)
            sa.host[sa.n_host] = addr(rows[i].host[sa.n_host]);
        ext_mobike.on.addresses(&sa);
        assert_row(rows[i].what, s->todo == rows[i].todo && s->lost == rows[i].lost);
        assert_row(rows[i].what, sa.repeated == rows[i].repeated && sa.opened == (rows[i].todo != 0));
        fake_fini(&sa);
    }
}

static void initiators_float_to_the_nat_port(void **state)
{
    struct ike_sa sa;
    (void)up(&sa, true);
    ext_mobike.on.life(&sa, LIFE_KEYED, NULL);
    assert_int_equal(nat_moves, 1);
    nat_now.seen = false;
    ext_mobike.on.life(&sa, LIFE_KEYED, NULL);
    nat_now.seen = true;
    fake_set(&sa, "mobike", "no");
    ext_mobike.on.life(&sa, LIFE_KEYED, NULL);
    sa.initiator = false;
    ext_mobike.on.life(&sa, LIFE_KEYED, NULL);
    assert_int_equal(nat_moves, 1);
    fake_fini(&sa);
}

/* Who made the first IKE SA decides, whoever rekeys it; and what was under way goes on. */
static void an_heir_goes_on(void **state)
{
    struct ike_sa sa, heir;
    struct mobike_state *s = up(&sa, true);
    fake_sa(&heir, &ext_mobike);
    heir.established = true;
    heir.initiator = false;
    sa.now = heir.now = 1000 * SECOND;
    sa.path.local.addr = addr("192.0.2.77");
    s->decided_at = 990 * SECOND;
    ext_mobike.on.life(&sa, LIFE_REKEYED, &heir);
    struct mobike_state *h = ext_peek(&heir, EXT_mobike);
    assert_true(h->initiator && h->todo == MOBIKE_UPDATE && heir.opened == 1 && s->retired && !h->retired);
    assert_true(path_equal(&heir.path, &sa.path));
    fake_fini(&heir);
    fake_fini(&sa);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_survive_the_wire),
        cmocka_unit_test(lists_end_and_skip_nonsense),
        cmocka_unit_test(no_nats_allowed_is_exact),
        cmocka_unit_test(candidates_are_pairs_of_one_family),
        cmocka_unit_test(only_esp_and_searches_move_an_sa),
        cmocka_unit_test(requests_look_for_ways_after_a_while),
        cmocka_unit_test(a_responder_has_patience),
        cmocka_unit_test(an_update_says_all_and_ends),
        cmocka_unit_test(a_wrong_cookie_ends_the_sa),
        cmocka_unit_test(an_answer_from_before_another_move_is_void),
        cmocka_unit_test(an_answer_to_many_addresses_proves_nothing),
        cmocka_unit_test(a_search_only_asks),
        cmocka_unit_test(refusals_have_an_end),
        cmocka_unit_test(without_nat_traversal_addresses_are_protected),
        cmocka_unit_test(the_peer_moves),
        cmocka_unit_test(only_the_newest_request_counts),
        cmocka_unit_test(cookies_of_a_wrong_length_are_not_returned),
        cmocka_unit_test(a_peer_that_left_is_followed_to_where_it_speaks),
        cmocka_unit_test(what_the_host_says_leads_to),
        cmocka_unit_test(initiators_float_to_the_nat_port),
        cmocka_unit_test(an_heir_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
