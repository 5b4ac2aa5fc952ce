/* test_ppk.c - RFC 8784 at the hooks: the responder's table, what the initiator makes of the answer, names, and what is
 * written. */
#include "../ike/core.h"
#include "ike/ext/ppk/ppk.h"

#define PPK "0123456789abcdef0123456789abcdef"
#define OWN_AUTH SPAN_LIT("what AUTH holds")
#define BESIDES SPAN_LIT("what NO_PPK_AUTH holds")

/* An SA that is about to be authenticated; one PPK, "ab", is loaded. */
struct talk {
    struct ike *ike;
    struct ike_sa *sa;
    struct adit_option options[2];
    struct adit_conn cfg;
    struct policy_conn conn;
    struct payload_list list;
    struct ike_msg msg;
    uint8_t plain[400];
};

static void load(struct talk *t, const char *owner)
{
    struct adit_config *cfg = adit_config_new();
    struct adit_id id = { ID_KEY_ID, span_str(owner) };
    struct adit_shared ike = { .id = "ike", .type = ADIT_SHARED_IKE, .secret = SPAN_LIT("no PPK") };
    struct adit_shared ppk = {
        .id = "ppk", .type = ADIT_SHARED_PPK, .secret = SPAN_LIT(PPK), .n_owners = *owner != 0, .owners = &id
    };
    struct adit_why why = { 0 };
    assert_int_equal(adit_config_add_shared(cfg, &ike), ADIT_OK);
    assert_int_equal(adit_config_add_shared(cfg, &ppk), ADIT_OK);
    policy_unref(t->sa->policy);
    assert_int_equal(policy_new(sa_crypto(t->sa), cfg, &t->sa->policy, &why), ADIT_OK);
    adit_config_unref(cfg);
}

static void begin(struct talk *t, bool initiator, const char *id, const char *required)
{
    *t = (struct talk){ .ike = core_new() };
    t->sa = core_sa(t->ike, initiator);
    t->sa->state = SA_AUTHENTICATING;
    t->sa->established_at = 0;
    t->options[0] = (struct adit_option){ "ppk_id", id };
    t->options[1] = (struct adit_option){ "ppk_required", required };
    t->cfg = *t->sa->conn->cfg;
    t->cfg.n_options = 2;
    t->cfg.options = t->options;
    t->conn.cfg = &t->cfg;
    t->sa->conn = &t->conn;
    load(t, "ab");
}

static void agree(struct talk *t)
{
    t->sa->announced_me |= 1u << EXT_ppk;
    t->sa->announced_peer |= 1u << EXT_ppk;
}

static void end(struct talk *t)
{
    core_free(t->ike);
}

/* The peer's IKE_AUTH message: what counts of it. identity NULL: no PPK_IDENTITY. */
static const struct ike_msg *hear(struct talk *t, const char *identity, size_t n, bool besides)
{
    struct wr w;
    wr_init(&w, t->plain, sizeof(t->plain));
    wr_chain(&w);
    auth_put(&w, AUTH_SHARED_KEY_MIC, OWN_AUTH);
    if (identity)
        notify_put(&w, N_PPK_IDENTITY, span(identity, n));
    if (besides)
        notify_put(&w, N_NO_PPK_AUTH, BESIDES);
    struct rd in = rd_init(span_from(wr_written(&w), 1));
    assert_true(wr_ok(&w) && payloads_get(&in, w.p[0], &t->list, NULL));
    t->msg = (struct ike_msg){ .n = t->list.n, .v = t->list.v };
    return &t->msg;
}

static const struct ike_hooks *on(void)
{
    return &ike_exts[EXT_ppk]->on;
}

static struct ike_keys *keys_of(struct talk *t)
{
    struct ike_keys *keys = NULL;
    assert_int_equal(on()->auth_keys(t->sa, &keys), ADIT_OK);
    return keys;
}

static bool is_mixed(struct talk *t, const struct ike_keys *keys)
{
    struct ike_keys want = { 0 };
    assert_int_equal(keymat_stir(sa_prf(t->sa), sa_keys(t->sa), SPAN_LIT(PPK), &want), ADIT_OK);
    bool same = keys && span_equal(secret_span(&keys->block), secret_span(&want.block));
    keys_fini(&want);
    return same;
}

/* RFC 8784 s3, table 1, and what is beside it. */
enum outcome { WITHOUT, WITH, BY_BESIDES, REFUSED };
static const struct {
    const char *what;
    bool agreed;
    const char *identity;
    size_t n;
    bool besides;
    const char *id, *required;
    enum outcome out;
} requests[] = {
    { "no USE_PPK, none required", false, NULL, 0, false, "", "no", WITHOUT },
    { "no USE_PPK, none required, but of the connection", false, NULL, 0, false, "ab", "no", WITHOUT },
    { "no USE_PPK, required", false, NULL, 0, false, "ab", "yes", REFUSED },
    { "no USE_PPK, but a name all the same", false, "\2ab", 3, false, "", "no", WITHOUT },
    { "unknown, insists", true, "\2xy", 3, false, "", "no", REFUSED },
    { "unknown, insists, required", true, "\2xy", 3, false, "", "yes", REFUSED },
    { "unknown, optional, required", true, "\2xy", 3, true, "", "yes", REFUSED },
    { "unknown, optional", true, "\2xy", 3, true, "", "no", BY_BESIDES },
    { "known, insists", true, "\2ab", 3, false, "", "no", WITH },
    { "known, optional", true, "\2ab", 3, true, "", "no", WITH },
    { "known, optional, required", true, "\2ab", 3, true, "ab", "yes", WITH },
    { "known, but not for this connection", true, "\2ab", 3, true, "cd", "no", BY_BESIDES },
    { "known, but not for this connection, insists", true, "\2ab", 3, false, "cd", "no", REFUSED },
    { "a name that begins alike", true, "\2abc", 4, false, "", "no", REFUSED },
    { "opaque", true, "\1ab", 3, true, "", "no", BY_BESIDES },
    { "type without a name", true, "\2", 1, true, "", "no", BY_BESIDES },
    { "empty", true, "", 0, false, "", "no", REFUSED },
    { "agreed, but names none", true, NULL, 0, true, "", "no", REFUSED },
};

static void responder_decides_by_the_table(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct talk t;
        struct adit_why why = { 0 };
        struct adit_span auth = OWN_AUTH;
        begin(&t, false, requests[i].id, requests[i].required);
        if (requests[i].agreed)
            agree(&t);
        const struct ike_msg *msg = hear(&t, requests[i].identity, requests[i].n, requests[i].besides);
        enum adit_rc rc = on()->claimed(t.sa, msg, &auth, &why);
        assert_row(requests[i].what, rc == (requests[i].out == REFUSED ? ADIT_ERR_AUTH : ADIT_OK));
        assert_row(requests[i].what, (rc == ADIT_OK) == !why.text[0]);
        struct ike_keys *keys = keys_of(&t);
        assert_row(requests[i].what, requests[i].out == WITH ? is_mixed(&t, keys) : !keys);
        assert_row(requests[i].what, span_equal(auth, requests[i].out == BY_BESIDES ? BESIDES : OWN_AUTH));
        end(&t);
    }
}

static const struct {
    const char *what;
    bool agreed, answered;
    const char *required;
    enum outcome out;
} responses[] = {
    { "it uses it", true, true, "yes", WITH },
    { "it uses it, optional", true, true, "no", WITH },
    { "it does not, optional", true, false, "no", WITHOUT },
    { "it does not, required", true, false, "yes", REFUSED },
    { "never agreed", false, false, "no", WITHOUT },
    { "never agreed, but answered all the same", false, true, "no", WITHOUT },
};

static void initiator_takes_the_answer(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(responses); i++) {
        struct talk t;
        struct adit_why why = { 0 };
        struct adit_span auth = OWN_AUTH;
        begin(&t, true, "ab", responses[i].required);
        if (responses[i].agreed)
            agree(&t);
        assert_row(responses[i].what, responses[i].agreed ? is_mixed(&t, keys_of(&t)) : !keys_of(&t));
        /* whatever is in the response's PPK_IDENTITY is ignored */
        const struct ike_msg *msg = hear(&t, responses[i].answered ? "\2xy" : NULL, 3, true);
        enum adit_rc rc = on()->claimed(t.sa, msg, &auth, &why);
        assert_row(responses[i].what, rc == (responses[i].out == REFUSED ? ADIT_ERR_AUTH : ADIT_OK));
        if (rc == ADIT_OK)
            assert_row(responses[i].what,
                       responses[i].out == WITH ? is_mixed(&t, keys_of(&t)) : !keys_of(&t));
        assert_row(responses[i].what, span_equal(auth, OWN_AUTH));
        end(&t);
    }
}

/* Two proofs only if the PPK is optional: the other would let the peer do without. */
static void second_proof(void **state)
{
    static const struct {
        bool initiator, agreed;
        const char *required;
        uint16_t notify;
    } rows[] = {
        { true, true, "no", N_NO_PPK_AUTH },
        { true, true, "yes", 0 },
        { true, false, "no", 0 },
        { false, true, "no", 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct talk t;
        begin(&t, rows[i].initiator, "ab", rows[i].required);
        if (rows[i].agreed)
            agree(&t);
        assert_int_equal(on()->auth_besides(t.sa), rows[i].notify);
        end(&t);
    }
}

/* An initiator announces what it has a key for, a responder as soon as it has any. */
static void who_announces(void **state)
{
    static const struct {
        bool initiator;
        const char *id, *owner;
        bool says;
    } rows[] = {
        { true, "ab", "ab", true }, { true, "", "ab", false }, { true, "xy", "ab", false },
        { true, "xy", "", true },   { false, "", "ab", true }, { false, "xy", "ab", true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct talk t;
        begin(&t, rows[i].initiator, rows[i].id, "no");
        load(&t, rows[i].owner);
        assert_int_equal(on()->may_use(t.sa), rows[i].says);
        end(&t);
    }
    assert_int_equal(ike_exts[EXT_ppk]->n_announce, 1);
    assert_int_equal(ike_exts[EXT_ppk]->announce[0].notify, N_USE_PPK);
    assert_int_equal(ike_exts[EXT_ppk]->announce[0].rule, BOTH_SENT);
}

/* RFC 8784 s3: never again for the same IKE SA or its heirs. */
static void rekeyed_sas_mix_nothing(void **state)
{
    struct talk t;
    struct adit_ike_info info = { 0 };
    begin(&t, true, "ab", "yes");
    agree(&t);
    struct ike_keys *keys = keys_of(&t);
    on()->status(t.sa, &info);
    assert_int_equal(info.n_marks, 0); /* not before the peer has proved that it has it */
    sa_keys_replace(t.sa, keys);
    assert_null(keys_of(&t)); /* it has them */
    sa_set_state(t.sa, SA_ESTABLISHED);
    t.sa->established_at = 1;
    struct ike_sa *heir = core_sa(t.ike, true);
    on()->life(t.sa, LIFE_REKEYED, heir);
    on()->status(heir, &info);
    assert_int_equal(info.n_marks, 1);
    assert_string_equal(info.marks[0].key, "ppk");
    assert_null(ike_exts[EXT_ppk]->steps[3]);
    for (unsigned i = 0; i < 3; i++) {
        const struct ike_step *step = ike_exts[EXT_ppk]->steps[i];
        assert_true(step->exchange == XCHG_IKE_SA_INIT || step->exchange == XCHG_IKE_AUTH);
        assert_true(step->exchange == XCHG_IKE_SA_INIT || step->want(t.sa, NULL) == WANT_NO);
    }
    end(&t);
}

static void names(void **state)
{
    static const struct {
        const char *text;
        struct adit_span octets;
    } rows[] = {
        { "far.example", SPAN_LIT("far.example") },
        { "a@b.example", SPAN_LIT("a@b.example") },
        { "@#0aff", SPAN_LIT("\x0a\xff") },
        { "keyid:10.0.0.1", SPAN_LIT("10.0.0.1") },
    };
    struct adit_buf got = { 0 };
    char longest[PPK_IDENTITY_MAX + 2] = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_row(rows[i].text,
                   ppk_identity(rows[i].text, &got) && span_equal(buf_span(&got), rows[i].octets));
    for (size_t i = 0; i < PPK_IDENTITY_MAX; i++)
        longest[i] = 'x';
    assert_true(ppk_identity(longest, &got));
    longest[PPK_IDENTITY_MAX] = 'x';
    assert_false(ppk_identity(longest, &got));
    assert_false(ppk_identity("", &got));
    buf_fini(&got);
}

static void names_on_the_wire(void **state)
{
    static const uint8_t want[] = {
        0, 0, 0, 11, 0, 0, 0x40, 0x34, 2, 'a', 'b'
    }; /* written by hand: 16436 = 0x4034 */
    uint8_t mem[64];
    struct ppk_id id;
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    wr_chain(&w);
    ppk_id_put(&w, &(struct ppk_id){ PPK_ID_FIXED, SPAN_LIT("ab") });
    assert_true(wr_ok(&w) && span_equal(span_from(wr_written(&w), 1), SPAN_ARRAY(want)));
    assert_true(ppk_id_get(guard_copy(SPAN_LIT("\2a")), &id) && id.type == 2 &&
                span_equal(id.identity, SPAN_LIT("a")));
    assert_true(ppk_id_get(guard_copy(SPAN_LIT("\x80zz")), &id) && id.type == 0x80 && id.identity.n == 2);
    assert_false(ppk_id_get(guard_copy(SPAN_LIT("\2")), &id));
    assert_false(ppk_id_get(guard_copy(SPAN_NONE), &id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responder_decides_by_the_table),
        cmocka_unit_test(initiator_takes_the_answer),
        cmocka_unit_test(second_proof),
        cmocka_unit_test(who_announces),
        cmocka_unit_test(rekeyed_sas_mix_nothing),
        cmocka_unit_test(names),
        cmocka_unit_test(names_on_the_wire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
