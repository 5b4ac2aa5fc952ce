/* test_opening.c - which exchanges open an IKE SA, what belongs to each of them, and how they are refused. */
#include "core.h"

static void some_open_and_others_do_not(void **state)
{
    for (unsigned x = 0; x < 256; x++) {
        bool other = opening_of((uint8_t)x);
        assert_true(opens_sa((uint8_t)x) == (x == XCHG_IKE_SA_INIT || other));
        assert_false(other && x == XCHG_IKE_SA_INIT);
    }
    assert_false(opens_sa(XCHG_IKE_AUTH) || opens_sa(XCHG_IKE_INTERMEDIATE) || opens_sa(XCHG_INFORMATIONAL));
    assert_true(opens_sa(XCHG_IKE_SESSION_RESUME));
}

/* Nothing is known of the peer: by IKE_SA_INIT. */
static void without_reason_it_is_ike_sa_init(void **state)
{
    struct ike *ike = core_new();
    assert_ptr_equal(opening_step(core_sa(ike, true)), &step_init_req);
    core_free(ike);
}

/* A responder refuses by one notify, in clear, and remembers nothing: whatever is wrong. */
static void a_stranger_is_refused_in_clear(void **state)
{
    static const uint8_t datagrams[][28 + 40] = {
        { 1, [16] = PLD_NONCE, [17] = 0x20, [18] = XCHG_IKE_SESSION_RESUME, [19] = 8, [27] = 28 + 36, [31] = 36 },
        { 2, [16] = PLD_NONCE, [17] = 0x20, [18] = XCHG_IKE_SESSION_RESUME, [19] = 8, [27] = 28 + 36, [28] = 0, [31] = 36 },
    };
    struct ike *ike = core_new();
    struct adit_path path = core_path(false);
    struct adit_event ev;
    for (size_t i = 0; i < ARRAY_LEN(datagrams); i++) {
        adit_ike_input((struct adit_ike *)ike, &path, datagrams[i], 28 + 36, ike->now);
        assert_true(core_event(ike, ADIT_EV_SEND, &ev));
        struct adit_span d = ev.datagrams[0];
        assert_true(ev.n_datagrams == 1 && d.n == 28 + 8 && d.p[18] == XCHG_IKE_SESSION_RESUME && d.p[19] & 0x20);
        assert_int_equal(d.p[34] << 8 | d.p[35], 16412); /* TICKET_NACK */
        assert_int_equal(ike->half_open, 0);
        core_drain(ike);
    }
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(some_open_and_others_do_not),
        cmocka_unit_test(without_reason_it_is_ike_sa_init),
        cmocka_unit_test(a_stranger_is_refused_in_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
