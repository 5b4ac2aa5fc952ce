/* test_counters.c - counters for all and for each connection, and why one is down. */
#include "core.h"

static struct adit_ike *public(struct ike *ike)
{
    return (struct adit_ike *)ike;
}

static void names_are_there_and_differ(void **state)
{
    for (unsigned i = 0; i < ADIT_COUNTERS; i++) {
        assert_true(strlen(adit_ike_counter_name(i)) > 3);
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(adit_ike_counter_name(i), adit_ike_counter_name(k));
    }
    assert_null(adit_ike_counter_name(ADIT_COUNTERS));
    assert_string_equal(adit_ike_counter_name(0),
                        "ike-rekey-init"); /* strongSwan's order: VICI get-counters */
    assert_string_equal(adit_ike_counter_name(20), "info-out-resp");
}

static void each_message_has_its_counter(void **state)
{
    static const struct {
        uint8_t exchange;
        const char *name;
    } rows[] = { { XCHG_IKE_SA_INIT, "ike-init" },
                 { XCHG_IKE_AUTH, "ike-auth" },
                 { XCHG_CREATE_CHILD_SA, "create-child" },
                 { XCHG_INFORMATIONAL, "info" } };
    struct ike *ike = core_new();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int k = 0; k < 4; k++) {
            char want[40];
            struct strbuf name = { want, 0, sizeof(want) };
            unsigned found = 0;
            strbuf_addf(&name, "%s-%s-%s", rows[i].name, k & 2 ? "in" : "out", k & 1 ? "resp" : "req");
            uint64_t before[ADIT_COUNTERS];
            for (unsigned c = 0; c < ADIT_COUNTERS; c++)
                before[c] = adit_ike_counter(public(ike), c);
            count_message(ike, NULL, rows[i].exchange, k & 2, k & 1);
            for (unsigned c = 0; c < ADIT_COUNTERS; c++) {
                bool it = !strcmp(adit_ike_counter_name(c), want);
                assert_row(want, adit_ike_counter(public(ike), c) == before[c] + it);
                found += it;
            }
            assert_row(want, found == 1);
        }
    count_message(ike, NULL, XCHG_IKE_FOLLOWUP_KE, true, false);
    count_message(ike, NULL, 33, false, false);
    assert_true(ike->counters[ADIT_C_OTHER_IN] == 1 && ike->counters[ADIT_C_OTHER_OUT] == 1);
    assert_int_equal(adit_ike_counter(public(ike), ADIT_COUNTERS), 0);
    core_free(ike);
}

static void a_connection_has_counters_of_its_own(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    uint64_t before = ike->counters[ADIT_C_RETRANSMITS];
    ike_count(ike, sa, ADIT_C_RETRANSMITS); /* from its first message on */
    ike_count(ike, NULL, ADIT_C_RETRANSMITS);
    assert_true(adit_ike_conn_counter(public(ike), "peer", ADIT_C_RETRANSMITS) == 1);
    assert_true(adit_ike_counter(public(ike), ADIT_C_RETRANSMITS) == before + 2);
    assert_int_equal(adit_ike_conn_counter(public(ike), "other", ADIT_C_RETRANSMITS), 0);
    assert_int_equal(adit_ike_conn_counter(public(ike), "peer", ADIT_COUNTERS), 0);
    core_free(ike);
}

static void why_a_connection_is_down(void **state)
{
    struct ike *ike = core_new();
    uint64_t since = 0;
    const char *text = NULL;
    assert_false(adit_ike_conn_down(public(ike), "peer", &since, &text));
    conn_down(ike, "peer", false, "peer does not answer");
    uint64_t first = ike->now;
    ike->now += 5;
    conn_down(ike, "peer", false, "no"); /* the newest reason, the oldest time; shorter than before */
    assert_true(adit_ike_conn_down(public(ike), "peer", &since, &text));
    assert_true(since == first && !strcmp(text, "no"));
    conn_up(ike, "peer");
    assert_false(adit_ike_conn_down(public(ike), "peer", &since, &text));
    conn_down(ike, "peer", false, "a stranger's attempt"); /* while it is up */
    conn_up(ike, "peer");
    conn_down(ike, "peer", true, "replaced by another"); /* that is up */
    assert_false(adit_ike_conn_down(public(ike), "peer", &since, &text));
    char much[1000];
    for (size_t i = 0; i < sizeof(much); i++)
        much[i] = 'x';
    much[sizeof(much) - 1] = 0;
    conn_down(ike, "peer", true, much);
    assert_true(adit_ike_conn_down(public(ike), "peer", &since, &text) && strlen(text) < 300 &&
                strstr(text, "..."));
    core_free(ike);
}

/* What fails beside an IKE SA that is up, or what has been replaced, takes nothing down. */
static void it_is_down_when_the_last_one_has_ended(void **state)
{
    struct ike *ike = core_new();
    uint64_t since = 0;
    const char *text = NULL;
    conn_up(ike, "peer");
    conn_up(ike, "peer");
    conn_down(ike, "peer", false, "a stranger's attempt");
    conn_down(ike, "peer", true, "replaced");
    assert_false(adit_ike_conn_down(public(ike), "peer", &since, &text));
    conn_down(ike, "peer", true, "closed by the peer");
    assert_true(adit_ike_conn_down(public(ike), "peer", &since, &text) &&
                !strcmp(text, "closed by the peer"));
    conn_up(ike, "peer");
    conn_down(ike, "other", true, "never was up");
    assert_false(adit_ike_conn_down(public(ike), "peer", &since, &text));
    assert_true(adit_ike_conn_down(public(ike), "other", &since, &text));
    core_free(ike);
}

static void memory_may_be_out(void **state)
{
    for (unsigned n = 0; n < 4; n++) {
        struct ike *ike = core_new();
        struct ike_sa *sa = core_sa(ike, true);
        unsigned left = n;
        mem_set_gate(gate_countdown, &left);
        conn_down(ike, "elsewhere", false, "no memory");
        ike_count(ike, sa, ADIT_C_INTEGRITY);
        mem_set_gate(NULL, NULL);
        assert_int_equal(ike->counters[ADIT_C_INTEGRITY], 1);
        core_free(ike);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_there_and_differ),
        cmocka_unit_test(each_message_has_its_counter),
        cmocka_unit_test(a_connection_has_counters_of_its_own),
        cmocka_unit_test(why_a_connection_is_down),
        cmocka_unit_test(it_is_down_when_the_last_one_has_ended),
        cmocka_unit_test(memory_may_be_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
