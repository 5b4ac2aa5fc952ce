/* test_tcpencap.c - back-off between attempts to connect, and whom a responder follows (RFC 9329 s6.1). */
#include "../ike/core.h"
#include "ike/ext/tcpencap/tcpencap.h"

static void attempts_become_rarer(void **state)
{
    static const unsigned s[] = { 0, 1, 2, 4, 8, 16, 32, 60, 60, 60 };
    for (unsigned i = 0; i < ARRAY_LEN(s); i++)
        assert_true(tcpencap_back_off(i) == SECONDS(s[i]));
    assert_true(tcpencap_back_off(~0u) == SECONDS(60));
}

static void only_who_is_on_tcp_is_followed_there(void **state)
{
    static const struct {
        const char *what;
        bool was_tcp, is_tcp, ours, settled, follows;
    } rows[] = {
        { "datagrams: for others to decide", false, false, false, false, false },
        { "from one connection to the next", true, true, false, true, true },
        { "it is we who open them", true, true, true, true, false },
        { "from UDP to TCP", false, true, false, true, false },
        { "ESP by UDP: for others to decide", true, false, false, false, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike *ike = core_new();
        struct ike_sa *sa = core_sa(ike, rows[i].ours);
        struct adit_path there = core_path(rows[i].ours);
        struct adit_event ev;
        sa->path.tcp = rows[i].was_tcp;
        there.tcp = rows[i].is_tcp;
        there.remote.port = 6000;
        if (rows[i].ours)
            ((struct tcpencap_state *)ext_sa(sa, EXT_tcpencap))->originator = true;
        assert_row(rows[i].what, ike_exts[EXT_tcpencap]->on.moved(sa, &there, BY_ESP) == rows[i].settled);
        assert_row(rows[i].what, path_equal(&sa->path, &there) == rows[i].follows);
        assert_row(rows[i].what, core_event(ike, ADIT_EV_STREAM_USED, &ev) == rows[i].follows);
        core_free(ike);
    }
}

static void lists_say_so(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct adit_ike_info info = { 0 };
    ike_exts[EXT_tcpencap]->on.status(sa, &info);
    assert_int_equal(info.n_marks, 0);
    sa->path.tcp = true;
    ike_exts[EXT_tcpencap]->on.status(sa, &info);
    assert_true(info.n_marks == 1 && !strcmp(info.marks[0].key, "transport") && !strcmp(info.marks[0].value, "tcp"));
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_become_rarer),
        cmocka_unit_test(only_who_is_on_tcp_is_followed_there),
        cmocka_unit_test(lists_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
