/* test_optrekey.c - OPTIMIZED_REKEY's octets, what is refused and how, when it may be used, and with whom
 * (draft-ietf-ipsecme-ikev2-sa-ts-payloads-opt). */
#include "../ike/core.h"

static const struct ike_rekey_form *form(void)
{
    return ike_exts[EXT_optrekey]->rekey_form;
}

static struct ike_sa *agreed(struct ike *ike, bool sent, bool received)
{
    struct ike_sa *sa = core_sa(ike, true);
    sa->announced_me = sent ? 1u << EXT_optrekey : 0;
    sa->announced_peer = received ? 1u << EXT_optrekey : 0;
    return sa;
}

/* Protocol ID 0, SPI Size 0, the SPI in the data. */
static void octets_are_as_in_the_draft(void **state)
{
    static const uint8_t spi[] = { 1, 2, 3, 4 };
    static const uint8_t want[] = { 0, 0, 0, 12, 0, 0, 41011 >> 8, 41011 & 0xff, 1, 2, 3, 4 };
    uint8_t mem[32];
    struct wr w;
    wr_init(&w, mem, sizeof(mem));
    wr_chain(&w);
    form()->put(&w, SPAN_ARRAY(spi));
    assert_int_equal(mem[0], PLD_NOTIFY);
    assert_int_equal(w.n, 1 + sizeof(want));
    assert_memory_equal(mem + 1, want, sizeof(want));
}

#define NOTIFY4 { .type = PLD_NOTIFY, .body = SPAN_LIT("\0\0\xa0\x33" "abcd") }
#define NOTIFY8 { .type = PLD_NOTIFY, .body = SPAN_LIT("\0\0\xa0\x33" "abcdefgh") }
#define NOTIFY5 { .type = PLD_NOTIFY, .body = SPAN_LIT("\0\0\xa0\x33" "abcde") }
#define NOTIFY0 { .type = PLD_NOTIFY, .body = SPAN_LIT("\0\0\xa0\x33") }
#define OTHER { .type = PLD_NOTIFY, .body = SPAN_LIT("\0\0\xa0\x34" "abcd") }
#define EMPTY(pld) { .type = (pld), .body = SPAN_LIT("") }

static const struct row {
    const char *what;
    struct payload v[3];
    uint16_t n;
    size_t spi;
    bool agreed, is;
    enum adit_rc rc;
} rows[] = {
    { "a Child SA", { NOTIFY4 }, 1, 4, true, true, ADIT_OK },
    { "an IKE SA, beside another notify", { OTHER, NOTIFY8, EMPTY(PLD_NONCE) }, 3, 8, true, true, ADIT_OK },
    { "an ESP SPI for an IKE SA", { NOTIFY4 }, 1, 8, true, true, ADIT_ERR_MALFORMED },
    { "an IKE SPI for a Child SA", { NOTIFY8 }, 1, 4, true, true, ADIT_ERR_MALFORMED },
    { "5 octets", { NOTIFY5 }, 1, 4, true, true, ADIT_ERR_MALFORMED },
    { "no octets", { NOTIFY0 }, 1, 4, true, true, ADIT_ERR_MALFORMED },
    { "two of them", { NOTIFY4, NOTIFY4 }, 2, 4, true, true, ADIT_ERR_MALFORMED },
    { "with SA", { NOTIFY4, EMPTY(PLD_SA) }, 2, 4, true, true, ADIT_ERR_MALFORMED },
    { "with TSi", { NOTIFY4, EMPTY(PLD_TSi) }, 2, 4, true, true, ADIT_ERR_MALFORMED },
    { "with TSr", { NOTIFY4, EMPTY(PLD_TSr) }, 2, 4, true, true, ADIT_ERR_MALFORMED },
    { "none (a regular answer)", { EMPTY(PLD_SA), OTHER }, 2, 4, true, false, ADIT_ERR_MALFORMED },
    { "not agreed on", { NOTIFY4 }, 1, 4, false, true, ADIT_ERR_PROPOSAL },
    { "not agreed on, and a regular request", { NOTIFY4, EMPTY(PLD_SA) }, 2, 4, false, false, ADIT_ERR_PROPOSAL },
};

static void messages_are_judged(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *yes = agreed(ike, true, true), *no = core_sa(ike, false);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike_msg msg = { .n = rows[i].n, .v = rows[i].v };
        struct ike_sa *sa = rows[i].agreed ? yes : no;
        struct adit_span spi = SPAN_NONE;
        struct adit_why why = { 0 };
        enum adit_rc rc = form()->get(sa, &msg, rows[i].spi, &spi, &why);
        assert_row(rows[i].what, rc == rows[i].rc && form()->is(sa, &msg) == rows[i].is);
        assert_row(rows[i].what, rc != ADIT_OK || (spi.n == rows[i].spi && spi.p[0] == 'a'));
    }
    core_free(ike);
}

static void only_if_agreed_and_settled(void **state)
{
    for (int i = 0; i < 16; i++) {
        struct ike *ike = core_new();
        struct ike_sa *sa = agreed(ike, i & 1, i & 2);
        struct ike_child *c = core_child(sa);
        bool of_child = i & 8;
        c->ke_open = i & 4;
        struct ike_pending *p = pending_new(sa, of_child ? PENDING_REKEY_CHILD : PENDING_REKEY_IKE, true);
        p->old_child = of_child ? c->id : 0;
        p->cfg = c->cfg;
        bool want = (i & 3) == 3 && !(of_child && c->ke_open);
        assert_true(form()->may(p) == want);
        assert_ptr_equal(rekey_form_for(p), want ? form() : NULL);
        pending_free(p);
        core_free(ike);
    }
}

/* Without a word about it in the configuration: with peers that show our Vendor ID only. */
static void strangers_are_not_told(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    assert_false(ike_exts[EXT_optrekey]->on.may_use(sa));
    sa->peer_private = true;
    assert_true(ike_exts[EXT_optrekey]->on.may_use(sa));
    core_free(ike);
}

static void status_is_told(void **state)
{
    struct ike *ike = core_new();
    struct adit_ike_info info = { 0 };
    ike_exts[EXT_optrekey]->on.status(agreed(ike, true, false), &info);
    assert_false(info.short_rekeys);
    core_free(ike);
    ike = core_new();
    ike_exts[EXT_optrekey]->on.status(agreed(ike, true, true), &info);
    assert_true(info.short_rekeys);
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_are_as_in_the_draft), cmocka_unit_test(messages_are_judged),
        cmocka_unit_test(only_if_agreed_and_settled), cmocka_unit_test(strangers_are_not_told),
        cmocka_unit_test(status_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
