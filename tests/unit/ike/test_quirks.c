/* test_quirks.c - what is known of peers applies to those connections that name them, and to no other. */
#include "core.h"

static const struct {
    const char *what, *peer;
    bool old_prf;
} rows[] = {
    { "unknown peer", NULL, false },
    { "strongswan", "strongswan", true },
    { "another name", "libreswan", false },
    { "only whole names count", "strongswan6", false },
};

static void names_select_quirks(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_conn cfg = { .name = "peer", .peer = rows[i].peer };
        struct policy_conn conn = { .cfg = &cfg };
        const struct policy_conn *keep = sa->conn;
        sa->conn = &conn;
        assert_row(rows[i].what, peer_has(sa, QUIRK_PRF_PLUS_OLD) == rows[i].old_prf);
        sa->conn = keep;
    }
    core_free(ike);
}

static void nothing_is_known_before_a_connection_is_found(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, false);
    const struct policy_conn *keep = sa->conn;
    sa->conn = NULL;
    assert_false(peer_has(sa, QUIRK_PRF_PLUS_OLD));
    sa->conn = keep;
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_select_quirks),
        cmocka_unit_test(nothing_is_known_before_a_connection_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
