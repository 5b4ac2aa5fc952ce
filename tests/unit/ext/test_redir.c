/* test_redir.c - the data of REDIRECT and REDIRECTED_FROM, who announces what, which strangers are turned away, and whom a
 * command may send elsewhere (RFC 5685). */
#include "../ike/core.h"
#include "ike/ext/redir/redir.h"

#define NONCE16 "0123456789abcdef"
#define TEN "abcdefghi."
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct {
    const char *what;
    struct adit_span data;
    const char *where; /* NULL: refused */
    size_t nonce;
} rows[] = {
    { "IPv4", SPAN_LIT("\1\4\xc0\0\2\3"), "192.0.2.3", 0 },
    { "IPv4 and nonce", SPAN_LIT("\1\4\xc0\0\2\3" NONCE16), "192.0.2.3", 16 },
    { "IPv6", SPAN_LIT("\2\x10\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), "2001:db8::1", 0 },
    { "name", SPAN_LIT("\3\xegw-2.example.x"), "gw-2.example.x", 0 },
    { "name and nonce", SPAN_LIT("\3\1a" NONCE16), "a", 16 },
    { "name with a dot at its end", SPAN_LIT("\3\4a.b."), "a.b.", 0 },
    { "nothing", SPAN_LIT(""), NULL, 0 },
    { "no length", SPAN_LIT("\1"), NULL, 0 },
    { "cut", SPAN_LIT("\1\4\xc0\0\2"), NULL, 0 },
    { "IPv4 of 3 octets", SPAN_LIT("\1\3\xc0\0\2"), NULL, 0 },
    { "IPv4 of 16 octets", SPAN_LIT("\1\x10" NONCE16), NULL, 0 },
    { "IPv6 of 4 octets", SPAN_LIT("\2\4\xc0\0\2\3"), NULL, 0 },
    { "no address", SPAN_LIT("\1\4\0\0\0\0"), NULL, 0 },
    { "type 0", SPAN_LIT("\0\4\xc0\0\2\3"), NULL, 0 },
    { "type 4", SPAN_LIT("\4\4\xc0\0\2\3"), NULL, 0 },
    { "empty name", SPAN_LIT("\3\0"), NULL, 0 },
    { "name with a blank", SPAN_LIT("\3\3a b"), NULL, 0 },
    { "name with a NUL", SPAN_LIT("\3\3a\0b"), NULL, 0 },
    { "name with a slash", SPAN_LIT("\3\3a/b"), NULL, 0 },
    { "name with an empty label", SPAN_LIT("\3\4a..b"), NULL, 0 },
    { "name that begins with a hyphen", SPAN_LIT("\3\2-a"), NULL, 0 },
    { "address as a name", SPAN_LIT("\3\x9" "192.0.2.3"), NULL, 0 },
    { "nonce of 15 octets", SPAN_LIT("\1\4\xc0\0\2\3" "0123456789abcde"), NULL, 0 },
    { "nonce of 257 octets", SPAN_LIT("\1\4\xc0\0\2\3" HUNDRED HUNDRED TEN TEN TEN TEN TEN "abcdefg"), NULL, 0 },
    { "nonce of 256 octets", SPAN_LIT("\1\4\xc0\0\2\3" HUNDRED HUNDRED TEN TEN TEN TEN TEN "abcdef"), "192.0.2.3", 256 },
};

static void data_is_read_and_written(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct redir_gateway g;
        uint8_t mem[600];
        struct wr w;
        assert_row(rows[i].what, redir_gateway_get(rows[i].data, &g) == (rows[i].where != NULL));
        if (!rows[i].where)
            continue;
        assert_row(rows[i].what, !strcmp(g.where, rows[i].where) && g.nonce.n == rows[i].nonce);
        wr_init(&w, mem, sizeof(mem));
        assert_row(rows[i].what, redir_gateway_put(&w, g.where, g.nonce));
        assert_row(rows[i].what, span_equal(wr_written(&w), rows[i].data));
    }
}

static void what_is_no_gateway_is_not_written(void **state)
{
    static const char *const bad[] = { "", "0.0.0.0", "::", "a b", "-", ".", HUNDRED HUNDRED HUNDRED };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint8_t mem[600];
        struct wr w;
        wr_init(&w, mem, sizeof(mem));
        assert_row(bad[i], !redir_gateway_put(&w, bad[i], SPAN_NONE) && w.n == 0);
    }
}

/* An engine whose only connection has these options, and an SA of it. */
struct fixture {
    struct ike *ike;
    struct ike_sa *sa;
    struct adit_conn conn;
    struct policy_conn pconn;
    struct adit_option option[4];
};

static void setup(struct fixture *f, bool initiator, const char *key, const char *value)
{
    *f = (struct fixture){ .ike = core_new() };
    f->sa = core_sa(f->ike, initiator);
    f->conn = *f->sa->conn->cfg;
    f->option[0] = (struct adit_option){ key, value };
    f->conn.options = f->option;
    f->conn.n_options = key ? 1 : 0;
    f->pconn = *f->sa->conn;
    f->pconn.cfg = &f->conn;
    f->sa->conn = &f->pconn;
}

static uint16_t announced(struct ike_sa *sa)
{
    uint8_t mem[400];
    struct payload_list list;
    struct notify n;
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    wr_chain(&w);
    for (unsigned i = 0; i < ike_exts[EXT_redir]->n_announce; i++)
        ike_exts[EXT_redir]->announce[i].put(sa, &w);
    if (w.n == 1)
        return 0;
    struct rd in = rd_init(span_from(wr_written(&w), 1));
    assert_true(payloads_get(&in, mem[0], &list, NULL) && list.n == 1);
    in = rd_init(list.v[0].body);
    assert_true(notify_get(&in, &n));
    return n.type;
}

static void clients_say_that_they_follow(void **state)
{
    struct fixture f;
    setup(&f, true, NULL, NULL);
    assert_int_equal(announced(f.sa), N_REDIRECT_SUPPORTED);
    struct redir_state *s = ext_sa(f.sa, EXT_redir);
    span_copy((uint8_t *)s->from, SPAN_LIT("192.0.2.9"));
    assert_int_equal(announced(f.sa), N_REDIRECTED_FROM);
    core_free(f.ike);
    setup(&f, true, "follow_redirects", "no");
    assert_int_equal(announced(f.sa), 0);
    core_free(f.ike);
    for (unsigned i = 0; i < ike_exts[EXT_redir]->n_announce; i++)
        assert_int_equal(ike_exts[EXT_redir]->announce[i].rule, REQUESTER_ONLY);
}

#define SUPPORTED { .type = PLD_NOTIFY, .body = SPAN_LIT("\0\0\x40\x16") }
#define FROM_3 { .type = PLD_NOTIFY, .body = SPAN_LIT("\0\0\x40\x18\1\4\xc0\0\2\3") }
#define FROM_4 { .type = PLD_NOTIFY, .body = SPAN_LIT("\0\0\x40\x18\1\4\xc0\0\2\4") }
#define NI { .type = PLD_NONCE, .body = SPAN_LIT(NONCE16) }
#define SHORT_NI { .type = PLD_NONCE, .body = SPAN_LIT("0123456789abcde") }

static const struct stranger_row {
    const char *what;
    struct payload v[2];
    uint16_t n;
    const char *to, *in, *above;
    bool away;
} strangers[] = {
    { "follows", { NI, SUPPORTED }, 2, "192.0.2.3", "init", "0", true },
    { "comes from elsewhere", { NI, FROM_4 }, 2, "192.0.2.3", "init", "0", true },
    { "comes from there", { NI, FROM_3 }, 2, "192.0.2.3", "init", "0", false },
    { "by name", { NI, SUPPORTED }, 2, "gw.example", "init", "0", true },
    { "does not follow", { NI }, 1, "192.0.2.3", "init", "0", false },
    { "no nonce", { SUPPORTED }, 1, "192.0.2.3", "init", "0", false },
    { "a bad nonce", { SHORT_NI, SUPPORTED }, 2, "192.0.2.3", "init", "0", false },
    { "nowhere to go", { NI, SUPPORTED }, 2, "", "init", "0", false },
    { "is here", { NI, SUPPORTED }, 2, "192.0.2.2", "init", "0", false },
    { "later", { NI, SUPPORTED }, 2, "192.0.2.3", "auth", "0", false },
    { "no load", { NI, SUPPORTED }, 2, "192.0.2.3", "init", "6", false },
    { "load", { NI, SUPPORTED }, 2, "192.0.2.3", "init", "5", true },
    { "no gateway", { NI, SUPPORTED }, 2, "not a name", "init", "0", false },
};

static void strangers_are_turned_away(void **state)
{
    struct ike *ike = core_new();
    struct adit_path path = core_path(false);
    for (size_t i = 0; i < ARRAY_LEN(strangers); i++) {
        const struct stranger_row *row = &strangers[i];
        struct adit_option o[] = { { "redirect_to", row->to }, { "redirect_in", row->in }, { "redirect_above", row->above } };
        struct adit_conn conn = { .options = o, .n_options = 3 };
        struct ike_stranger s = { .ike = ike, .path = &path, .msg = { .n = row->n, .v = row->v }, .n_sas = 5, .conn = &conn };
        struct redir_gateway g;
        uint8_t mem[600];
        struct wr w;
        wr_init(&w, mem, sizeof(mem));
        uint16_t notify = redir_turn_away(&s, &w);
        assert_row(row->what, notify == (row->away ? N_REDIRECT : 0));
        if (notify)
            assert_row(row->what, redir_gateway_get(wr_written(&w), &g) && !strcmp(g.where, row->to) &&
                                      span_equal(g.nonce, span_str(NONCE16)));
    }
    core_free(ike);
}

static void some_cannot_be_sent(void **state)
{
    static const struct {
        const char *what;
        bool initiator, announced;
        const char *to;
        enum adit_rc rc;
    } sent[] = {
        { "a client", false, true, "192.0.2.3", ADIT_OK },
        { "a client, by name", false, true, "gw.example", ADIT_OK },
        { "a client that does not follow", false, false, "192.0.2.3", ADIT_ERR_POLICY },
        { "a server", true, true, "192.0.2.3", ADIT_ERR_POLICY },
        { "to nowhere", false, true, "a b", ADIT_ERR_CONFIG },
    };
    for (size_t i = 0; i < ARRAY_LEN(sent); i++) {
        struct adit_why why = { 0 };
        struct fixture f;
        setup(&f, sent[i].initiator, NULL, NULL);
        f.sa->announced_peer = sent[i].announced ? 1u << EXT_redir : 0;
        assert_row(sent[i].what, redir_send_away(f.sa, sent[i].to, &why) == sent[i].rc);
        assert_row(sent[i].what, list_empty(&f.sa->tasks) == (sent[i].rc != ADIT_OK));
        assert_row(sent[i].what, (why.text[0] == 0) == (sent[i].rc == ADIT_OK));
        core_free(f.ike);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_is_read_and_written),   cmocka_unit_test(what_is_no_gateway_is_not_written),
        cmocka_unit_test(clients_say_that_they_follow), cmocka_unit_test(strangers_are_turned_away),
        cmocka_unit_test(some_cannot_be_sent),
    };
    return cmocka_run_group_tests_name("ext/redir", tests, NULL, NULL);
}
