/* test_pending.c - half-made SAs: how many, for how long, and that they leave nothing (RFC 9370 s2.2.4). */
#include "core.h"

static struct ike_pending *pend(struct ike_sa *sa, bool requester)
{
    struct ike_pending *p = pending_new(sa, PENDING_REKEY_CHILD, requester);
    if (p) {
        list_append(&sa->pendings, &p->link);
        p->linked = true;
    }
    return p;
}

static void a_peer_begins_only_so_many(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    for (unsigned i = 0; i < IKE_PENDING_MAX; i++)
        assert_non_null(pend(sa, false));
    assert_null(pend(sa, false));
    struct ike_pending *ours = pend(sa, true); /* ours don't count */
    assert_non_null(ours);
    pending_free(ours);
    pending_free(list_entry(sa->pendings.next, struct ike_pending, link));
    assert_non_null(pend(sa, false));
    core_free(ike);
}

static void the_lowest_nonce_is_found(void **state)
{
    static const struct {
        const char *i, *r, *lowest;
    } rows[] = { { "1", "2", "1" },
                 { "2", "1", "1" },
                 { "a", "ab", "a" },
                 { "ab", "a", "a" },
                 { "\xff", "\x80", "\x80" } };
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct ike_pending p = { 0 };
        assert_int_equal(buf_set(&p.nonce_i, span_str(rows[k].i)), ADIT_OK);
        assert_int_equal(buf_set(&p.nonce_r, span_str(rows[k].r)), ADIT_OK);
        assert_row(rows[k].lowest, span_equal(pending_lowest_nonce(&p), span_str(rows[k].lowest)));
        buf_fini(&p.nonce_i);
        buf_fini(&p.nonce_r);
    }
}

/* A failed rekeying of ours is tried again; the peer's is the peer's business. */
static void what_failed_is_as_before(void **state)
{
    for (int requester = 0; requester < 2; requester++) {
        struct ike *ike = core_new();
        struct ike_sa *sa = core_sa(ike, true);
        struct ike_child *old = core_child(sa);
        struct ike_pending *p = pend(sa, requester);
        struct adit_event ev;
        uint32_t spi = child_new_spi(ike, 0);
        old->state = ADIT_CHILD_REKEYING;
        p->old_child = old->id;
        p->spi_in = spi;
        p->cookie = 12;
        pending_fail(p, ADIT_ERR_TIMEOUT, "the peer is silent");
        assert_null(map_get(&ike->spi_in, spi));
        assert_true(list_empty(&sa->pendings));
        assert_true(core_event(ike, ADIT_EV_DONE, &ev) && ev.cookie == 12 && ev.rc == ADIT_ERR_TIMEOUT);
        assert_int_equal(old->state, requester ? ADIT_CHILD_INSTALLED : ADIT_CHILD_REKEYING);
        assert_true(requester ? old->rekey_at > ike->now : old->rekey_at == 0);
        core_free(ike);
    }
}

static void secrets_are_taken_eight_at_most(void **state)
{
    struct ike *ike = core_new();
    struct ike_pending *p = pend(core_sa(ike, true), true);
    struct adit_secret s = { 0 };
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(secret_alloc(&s, 32), ADIT_OK);
        assert_int_equal(pending_done(p), i);
        assert_int_equal(pending_add_secret(p, &s), ADIT_OK);
        assert_null(s.p);
    }
    assert_int_equal(secret_alloc(&s, 32), ADIT_OK);
    assert_int_equal(pending_add_secret(p, &s), ADIT_ERR_BUG);
    secret_fini(&s);
    core_free(ike);
}

static void only_the_peers_have_a_deadline(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_pending *ours = pend(sa, true), *peers = pend(sa, false);
    pending_touch(ours);
    pending_touch(peers);
    assert_true(ours->deadline == 0 && peers->deadline == ike->now + IKE_PENDING_LIFE);
    sa_arm(sa);
    uint64_t at = peers->deadline;
    assert_true(adit_ike_deadline((struct adit_ike *)ike) == at);
    adit_ike_tick((struct adit_ike *)ike, at - 1);
    assert_true(sa->pendings.next != sa->pendings.prev);
    adit_ike_tick((struct adit_ike *)ike, at);
    assert_ptr_equal(list_entry(sa->pendings.next, struct ike_pending, link), ours);
    assert_ptr_equal(sa->pendings.prev, sa->pendings.next);
    core_free(ike);
}

static void memory_may_be_out(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_pending *p = NULL;
    for (unsigned n = 0; !p; n++) {
        unsigned left = n;
        assert_true(n < 10);
        mem_set_gate(gate_countdown, &left);
        p = pending_new(sa, PENDING_NEW_CHILD, true);
        mem_set_gate(NULL, NULL);
    }
    pending_free(p);
    pending_free(NULL);
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_begins_only_so_many),     cmocka_unit_test(the_lowest_nonce_is_found),
        cmocka_unit_test(what_failed_is_as_before),       cmocka_unit_test(secrets_are_taken_eight_at_most),
        cmocka_unit_test(only_the_peers_have_a_deadline), cmocka_unit_test(memory_may_be_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
