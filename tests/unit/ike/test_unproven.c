/* test_unproven.c - memory for unfinished messages before authentication: one budget, shares of it, the oldest goes. */
#include "core.h"
#include "ike/ext/frag/frag.h"

#define PIECE 60000

static struct ike_sa *stranger(struct ike *ike, unsigned address)
{
    struct ike_sa *sa = core_sa(ike, false);
    sa->path.remote.addr = (struct adit_addr){ .family = 4, .ip = { 198, 51, 100, (uint8_t)address } };
    sa->reply_path = sa->path;
    sa->half_open = true;
    halfopen_add(ike, &sa->path.remote.addr);
    return sa;
}

/* Fragment `number` of three, of PIECE octets. */
static void send_piece(struct ike_sa *sa, uint16_t number)
{
    struct frag_join *j = ext_sa(sa, EXT_frag); /* the first of two */
    struct adit_buf block = { 0 };
    static const uint8_t octets[PIECE];
    assert_int_equal(buf_set(&block, span(octets, number == 1 ? PIECE : 100)), ADIT_OK);
    enum adit_rc rc = frag_join_add(j, &(struct frag_key){ 1, XCHG_IKE_AUTH, 0 }, (struct skf){ number, 3 },
                                    &(struct frag_head){ 0 }, &block, buf_span(&block), &frag_ordinary, 0);
    assert_int_equal(rc, ADIT_WAIT);
    unproven_update(sa);
}

static void all_together_stay_below_the_budget_and_the_oldest_go(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa[40];
    ike->unproven.max = 1u << 20;
    for (unsigned i = 0; i < ARRAY_LEN(sa); i++) {
        send_piece(sa[i] = stranger(ike, i), 1);
        assert_true(ike->unproven.octets <= ike->unproven.max);
    }
    size_t fit = ike->unproven.max / sa[39]->held_octets;
    for (unsigned i = 0; i < ARRAY_LEN(sa); i++)
        assert_int_equal(sa[i]->held_octets > 0, i >= ARRAY_LEN(sa) - fit);
    send_piece(sa[40 - fit], 2); /* who goes on is not the oldest any more */
    send_piece(sa[0], 1);
    assert_true(sa[40 - fit]->held_octets > 0 && sa[0]->held_octets > 0 && !sa[41 - fit]->held_octets);
    core_free(ike);
}

static void one_address_has_a_share(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *other = stranger(ike, 1), *sa[40];
    ike->unproven.max = 1u << 20;
    send_piece(other, 1);
    for (unsigned i = 0; i < ARRAY_LEN(sa); i++)
        send_piece(sa[i] = stranger(ike, 2), 1);
    assert_true(other->held_octets > 0);
    assert_true(ike->unproven.octets - other->held_octets <= ike->unproven.max / IKE_UNPROVEN_SHARE + IKE_UNPROVEN_FEW);
    assert_true(sa[39]->held_octets > 0 && !sa[0]->held_octets);
    assert_int_equal(ike->unproven.by_ip.n, 2);
    core_free(ike);
}

static void what_is_proven_or_gone_does_not_count(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *a = stranger(ike, 1), *b = stranger(ike, 1), *up = core_sa(ike, false);
    send_piece(a, 1);
    send_piece(b, 1);
    send_piece(up, 1);
    assert_int_equal(up->held_octets, 0);
    sa_leave_half_open(a);
    assert_int_equal(ike->unproven.octets, b->held_octets);
    assert_true(((struct frag_join *)ext_sa(a, EXT_frag))->total); /* what it holds stays */
    frag_join_fini(ext_sa(b, EXT_frag));
    unproven_update(b);
    assert_int_equal(ike->unproven.octets, 0);
    assert_int_equal(ike->unproven.by_ip.n, 0);
    core_free(ike);
}

/* Fragment `number` of 41 of a message that a long key exchange needs. */
static enum adit_rc send_long(struct ike_sa *sa, uint16_t number)
{
    static const uint8_t octets[30000];
    static const struct frag_limit most = { 41, 41 * sizeof(octets) };
    struct frag_join *j = ext_sa(sa, EXT_frag);
    struct adit_buf block = { 0 };
    assert_int_equal(buf_set(&block, SPAN_ARRAY(octets)), ADIT_OK);
    enum adit_rc rc = frag_join_add(j, &(struct frag_key){ 1, XCHG_IKE_INTERMEDIATE, 0 }, (struct skf){ number, 41 },
                                    &(struct frag_head){ 0 }, &block, buf_span(&block), &most, 0);
    unproven_update(sa);
    return rc;
}

/* 1,000 peers, each with all but the last of 41 fragments: neither budget is ever exceeded, and who goes on gets through. */
static void a_thousand_long_messages_stay_below_the_ceiling(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa[1000], *honest = stranger(ike, 7);
    size_t before, most = 0;
    for (unsigned i = 0; i < ARRAY_LEN(sa); i++)
        sa[i] = stranger(ike, i % 200);
    ike->unproven.max = 4u << 20;
    before = mem_octets();
    for (unsigned i = 0; i < ARRAY_LEN(sa); i++)
        for (uint16_t k = 1; k <= 40; k++) {
            send_long(sa[i], k);
            assert_true(ike->longer.octets <= ike->longer.max && ike->unproven.octets <= ike->unproven.max);
            most = mem_octets() - before > most ? mem_octets() - before : most;
        }
    assert_int_equal(ike->longer.max, 256u << 20); /* bigpayload_memory */
    assert_true(most > 128u << 20 && most <= ike->longer.max + ike->unproven.max + (8u << 20)); /* tables, rounding */
    assert_true(ike->counters[ADIT_C_MEMORY_FULL] > 0);
    for (uint16_t k = 1; k <= 41; k++)
        assert_int_equal(send_long(honest, k), k < 41 ? ADIT_WAIT : ADIT_OK);
    core_free(ike);
}

/* Lines at the level that everybody sees. */
static unsigned told(struct ike *ike, const char *expected)
{
    struct adit_event ev;
    unsigned n = 0;
    while (core_event(ike, ADIT_EV_LOG, &ev))
        if (ev.level <= ADIT_LOG_INFO) {
            assert_non_null(strstr(ev.text, expected));
            n++;
        }
    return n;
}

static void a_full_budget_is_told_of_once_in_ten_seconds(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa[42];
    for (unsigned i = 0; i < ARRAY_LEN(sa); i++)
        sa[i] = stranger(ike, i);
    ike->unproven.max = 1u << 20;
    for (unsigned i = 0; i < 40; i++)
        send_piece(sa[i], 1);
    assert_int_equal(told(ike, "memory for strangers is full: all peers have "), 1);
    ike->now += SECONDS(11);
    send_piece(sa[40], 1);
    send_piece(sa[41], 1);
    assert_int_equal(told(ike, "all peers have"), 1);
    core_free(ike);
}

static void so_is_a_full_share(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa[30];
    for (unsigned i = 0; i < ARRAY_LEN(sa); i++)
        sa[i] = stranger(ike, 9);
    for (unsigned i = 0; i < ARRAY_LEN(sa); i++)
        for (uint16_t k = 1; k <= 40; k++)
            send_long(sa[i], k);
    assert_int_equal(told(ike, "long messages is full: 198.51.100.9 has its share, "), 1);
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_together_stay_below_the_budget_and_the_oldest_go),
        cmocka_unit_test(one_address_has_a_share),
        cmocka_unit_test(what_is_proven_or_gone_does_not_count),
        cmocka_unit_test(a_full_budget_is_told_of_once_in_ten_seconds),
        cmocka_unit_test(so_is_a_full_share),
        cmocka_unit_test(a_thousand_long_messages_stay_below_the_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
