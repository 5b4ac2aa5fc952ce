/* test_aggfrag.c - USE_AGGFRAG octet by octet, as it is sent and as it may come (RFC 9347 s5.1). */
#include "../ike/core.h"

static const struct ike_hooks *hooks(void)
{
    return &ike_exts[EXT_aggfrag]->on;
}

static struct ike_pending *pending(struct ike *ike, struct adit_child_cfg *cfg, enum adit_mode mode, bool requester)
{
    struct ike_pending *p = pending_new(core_sa(ike, true), PENDING_NEW_CHILD, requester);
    assert_non_null(p);
    cfg->mode = mode;
    p->cfg = cfg;
    p->mode = mode;
    return p;
}

static void octets(void **state)
{
    static const struct {
        const char *what, *accept;
        enum adit_mode mode;
        uint8_t flags;
    } rows[] = {
        { "fragments are taken", "yes", ADIT_MODE_AGGFRAG, 0 },
        { "fragments are not taken", "no", ADIT_MODE_AGGFRAG, 1 },
        { "another mode", "no", ADIT_MODE_TUNNEL, 0xff },
        { "transport mode", "yes", ADIT_MODE_TRANSPORT, 0xff },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike *ike = core_new();
        struct adit_option option = { "iptfs_accept_fragments", rows[i].accept };
        struct adit_child_cfg cfg = { .name = "net", .n_options = 1, .options = &option };
        struct ike_pending *p = pending(ike, &cfg, rows[i].mode, true);
        uint8_t mem[32];
        struct wr w;
        wr_init(&w, mem, sizeof(mem));
        wr_chain(&w);
        hooks()->child_put(p, &w);
        if (rows[i].flags == 0xff) {
            assert_row(rows[i].what, w.n <= 1);
        } else {
            const uint8_t want[] = { 0, 0, 0, 9, 0, 0, 16442 >> 8, 16442 & 0xff, rows[i].flags };
            assert_row(rows[i].what, w.n == 1 + sizeof(want) && mem[0] == PLD_NOTIFY);
            assert_row(rows[i].what, span_equal(span(mem + 1, sizeof(want)), SPAN_ARRAY(want)));
        }
        pending_free(p);
        core_free(ike);
    }
}

#define NOTIFY(flags) { .type = PLD_NOTIFY, .body = SPAN_LIT("\0\0\x40\x3a" flags) }
static const struct {
    const char *what;
    struct payload v[1];
    uint16_t n;
    enum adit_mode mode;
    enum adit_rc rc;
    bool whole;
    const char *text;
} rows[] = {
    { "no flags", { NOTIFY("\0") }, 1, ADIT_MODE_AGGFRAG, ADIT_OK, false, "" },
    { "no octet at all", { NOTIFY("") }, 1, ADIT_MODE_AGGFRAG, ADIT_OK, false, "" },
    { "no fragments", { NOTIFY("\1") }, 1, ADIT_MODE_AGGFRAG, ADIT_OK, true, "" },
    { "congestion control", { NOTIFY("\2") }, 1, ADIT_MODE_AGGFRAG, ADIT_ERR_POLICY, false, "congestion control" },
    { "a reserved flag", { NOTIFY("\4") }, 1, ADIT_MODE_AGGFRAG, ADIT_ERR_POLICY, false, "RFC 9347 does not know" },
    { "two octets", { NOTIFY("\0\0") }, 1, ADIT_MODE_AGGFRAG, ADIT_ERR_POLICY, false, "RFC 9347 does not know" },
    { "nothing", { { 0 } }, 0, ADIT_MODE_AGGFRAG, ADIT_ERR_POLICY, false, "does not agree to USE_AGGFRAG" },
    { "for a tunnel: not answered", { NOTIFY("\0") }, 1, ADIT_MODE_TUNNEL, ADIT_OK, false, "" },
};

static void what_comes(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike *ike = core_new();
        struct adit_child_cfg cfg = { .name = "net" };
        struct ike_pending *p = pending(ike, &cfg, rows[i].mode, true);
        struct ike_msg msg = { .n = rows[i].n, .v = rows[i].v };
        struct adit_why why = { 0 };
        p->mode = ADIT_MODE_TUNNEL;
        assert_row(rows[i].what, hooks()->child_get(p, &msg, &why) == rows[i].rc);
        assert_row(rows[i].what, strstr(why.text, rows[i].text) != NULL);
        assert_row(rows[i].what, p->mode == (rows[i].rc ? ADIT_MODE_TUNNEL : rows[i].mode));
        assert_row(rows[i].what, p->shape.stream.whole == rows[i].whole);
        pending_free(p);
        core_free(ike);
    }
}

/* Numbers that are too large are the largest that mean something. */
static void options_are_bounded(void **state)
{
    struct adit_option v[] = { { "iptfs_packet_size", "4000000000" }, { "iptfs_rate", "4000000000" },
                               { "iptfs_reorder_window", "65" },      { "iptfs_init_delay", "4000000000" },
                               { "iptfs_max_queue_size", "4000000000" }, { "iptfs_drop_time", "4000000000" } };
    struct ike *ike = core_new();
    struct adit_child_cfg cfg = { .name = "net", .n_options = ARRAY_LEN(v), .options = v };
    struct ike_pending *p = pending(ike, &cfg, ADIT_MODE_AGGFRAG, false);
    struct ike_msg msg = { .n = 1, .v = rows[0].v };
    struct adit_why why = { 0 };
    assert_int_equal(hooks()->child_get(p, &msg, &why), ADIT_OK);
    const struct adit_stream *t = &p->shape.stream;
    assert_true(t->packet_size == 65535 && t->rate == 1000000 && t->reorder_window == 64);
    assert_true(t->delay_us == 1000000 && t->queue_octets == 1u << 28 && t->drop_us == 60000000);
    pending_free(p);
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(octets), cmocka_unit_test(what_comes),
                                        cmocka_unit_test(options_are_bounded) };
    return cmocka_run_group_tests_name("ext/aggfrag", tests, NULL, NULL);
}
