/* test_room.c - how long messages may be: as ever, unless a long key exchange was agreed on with a peer that can. */
#include "core.h"
#include "support/simlongke.h"

static void agree(struct ike_sa *sa, bool big)
{
    sa->announced_me = sa->announced_peer = (big ? 1u << EXT_bigpayload : 0) | 1u << EXT_frag;
    sa->peer_private = true;
    sa->keyed = true;
}

static void without_it_messages_are_as_long_as_ever(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    agree(sa, false);
    sa->suite.ke[1] = SIM_KE_1M;
    assert_true(sa_may_carry_ke(sa, XCHG_IKE_INTERMEDIATE, NULL, IKE_KE_MAX));
    assert_false(sa_may_carry_ke(sa, XCHG_IKE_INTERMEDIATE, NULL, IKE_KE_MAX + 1));
    assert_false(sa_may_carry_ke(sa, XCHG_IKE_SA_INIT, NULL, IKE_KE_INIT_MAX + 1));
    assert_int_equal(sa_message_max(sa, XCHG_IKE_INTERMEDIATE, false), IKE_MESSAGE_MAX);
    assert_int_equal(sa_message_room(sa, XCHG_IKE_INTERMEDIATE, false), IKE_MESSAGE_MAX);
    core_free(ike);
}

/* Its connection offers all of them. */
static void offer_long_kes(struct ike_sa *sa)
{
    static struct policy_conn conn;
    static struct adit_conn cfg;
    static struct { struct proposal_list list; struct proposal one; } offer;
    offer.list.n = 1;
    offer.list.v[0] = (struct proposal){ .proto = PROTO_IKE, .n = 1, .t = { { .type = TT_ADDKE1, .id = SIM_KE_1M } } };
    conn = *sa->conn;
    cfg = *conn.cfg;
    cfg.proposals = &offer.list;
    cfg.n_children = 0;
    conn.cfg = &cfg;
    sa->conn = &conn;
}

static void an_agreed_method_makes_room_for_itself(void **state)
{
    static const struct {
        const char *what;
        uint16_t method;
        uint8_t exchange;
        bool response;
        size_t max, room;
    } rows[] = {
        { "request", SIM_KE_1M, XCHG_IKE_INTERMEDIATE, false, 1044992 + 261248 + IKE_MARGIN, 1044992 + IKE_BESIDE_KE },
        { "short answer", SIM_KE_1M, XCHG_IKE_INTERMEDIATE, true, IKE_MESSAGE_MAX, IKE_MESSAGE_MAX },
        { "long answer", SIM_KE_BOTH, XCHG_IKE_INTERMEDIATE, true, 125000 + IKE_MARGIN, 100000 + IKE_BESIDE_KE },
        { "a method as ever", KE_ML_KEM_1024, XCHG_IKE_INTERMEDIATE, false, IKE_MESSAGE_MAX, IKE_MESSAGE_MAX },
        { "no key exchange here", SIM_KE_1M, XCHG_INFORMATIONAL, false, IKE_MESSAGE_MAX, IKE_MESSAGE_MAX },
        { "nor here", SIM_KE_1M, XCHG_IKE_AUTH, false, IKE_MESSAGE_MAX, IKE_MESSAGE_MAX },
        { "afterwards", SIM_KE_261K, XCHG_IKE_FOLLOWUP_KE, false, 261120 + 65280 + IKE_MARGIN, 261120 + IKE_BESIDE_KE },
    };
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, false);
    sim_add_long_kes(ike->host.crypto);
    agree(sa, true);
    sa_set_state(sa, SA_AUTHENTICATING);
    offer_long_kes(sa);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        sa->suite.ke[1] = rows[i].method;
        assert_row(rows[i].what, sa_message_max(sa, rows[i].exchange, rows[i].response) == rows[i].max);
        assert_row(rows[i].what, sa_message_room(sa, rows[i].exchange, rows[i].response) == rows[i].room);
    }
    sa_set_state(sa, SA_ESTABLISHED); /* what the connection offers may be agreed on at any time now */
    sa->suite.ke[1] = 0;
    assert_int_equal(sa_message_max(sa, XCHG_CREATE_CHILD_SA, false), rows[0].max);
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_it_messages_are_as_long_as_ever),
        cmocka_unit_test(an_agreed_method_makes_room_for_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
