/* test_memo.c - what a later IKE SA takes of an earlier one: all of it, or nothing; and what ends then. */
#include "core.h"

/* Taken, it makes both sides known and the suite that of before; with any octet altered it is taken or nothing is. */
static void take_it(struct sim *s)
{
    struct adit_secret memo = { 0 };
    struct adit_why why = { 0 };
    sim_establish(s);
    struct ike *ike = core_engine(s, 0);
    struct ike_sa *old = core_newest(s, 0), *sa = sa_new(ike, true, &old->path);
    sa->conn = old->conn;
    assert_int_equal(sa_memo_make(old, &memo), ADIT_OK);
    for (size_t i = 0; i < memo.n; i++) {
        memo.p[i] ^= 0x80;
        bool taken = sa_memo_take(sa, secret_span(&memo), &why) == ADIT_OK;
        assert_true(taken == sa_is_from_memo(sa));
        memo.p[i] ^= 0x80;
        known_free(sa->known);
        sa->known = NULL;
    }
    assert_int_equal(sa_memo_take(sa, secret_span(&memo), &why), ADIT_OK);
    assert_true(sa->suite.encr == old->suite.encr && sa->suite.ke[0] == old->suite.ke[0] && !sa->keyed);
    assert_true(secret_equal(secret_span(&sa->known->sk_d), keys_d(&old->keys)) && known_is_of(sa, old));
    sa_end(sa, ADIT_ERR_CLOSED, "enough");
    ike_sweep(ike);
    secret_fini(&memo);
}

static void a_memo_is_taken_or_nothing_is(void **state)
{
    core_scenario(take_it);
}

/* Nobody may ask for what was not proven: a memo of an SA without identities is not made. */
static void nothing_is_made_of_nobody(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct adit_secret memo = { 0 };
    sa->local_auth = sa->remote_auth = "pre-shared key";
    assert_int_equal(sa_memo_make(sa, &memo), ADIT_ERR_LIMIT);
    core_free(ike);
}

static struct ike_known *known_of(const struct ike_sa *old, uint64_t until)
{
    struct ike_known *k = mem_new(sizeof(*k));
    k->spi_i = old->spi_i;
    k->spi_r = old->spi_r;
    k->proven_until = until;
    return k;
}

/* RFC 5723 s4.3.4: silently. */
static void the_earlier_sa_ends_without_a_word(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *old = core_sa(ike, true), *other = core_sa(ike, true), *sa = core_sa(ike, true);
    struct adit_event ev;
    old->spi_i = 77;
    sa->known = known_of(old, 0);
    assert_true(known_is_of(sa, old) && !known_is_of(sa, other));
    known_replace(sa);
    assert_true(old->cut && !other->cut && !sa->cut);
    assert_false(core_event(ike, ADIT_EV_SEND, &ev));
    core_free(ike);
}

static void the_proof_becomes_no_younger(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *old = core_sa(ike, true), *sa = core_sa(ike, true);
    ike->now = SECONDS(1000);
    sa->known = known_of(old, 1500); /* no clock of the host: seconds of the engine's */
    sa->reauth_at = sa->ike->now + SECONDS(3600);
    sa->reauth_by = 0;
    known_bound_life(sa);
    assert_true(sa->reauth_by == SECONDS(1500) && sa->reauth_at <= sa->reauth_by);
    sa->reauth_by = SECONDS(1200);
    known_bound_life(sa);
    assert_true(sa->reauth_by == SECONDS(1200));
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_memo_is_taken_or_nothing_is),
        cmocka_unit_test(nothing_is_made_of_nobody),
        cmocka_unit_test(the_earlier_sa_ends_without_a_word),
        cmocka_unit_test(the_proof_becomes_no_younger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
