/* test_stream.c - what the host and the engine tell each other about TCP connections. */
#include "core.h"

static enum adit_rc tell(struct ike *ike, enum adit_command_type type, uint32_t id, const struct adit_path *path,
                         unsigned *matches)
{
    struct adit_why why;
    struct adit_command cmd = { .type = type, .ike_id = id, .path = *path };
    return adit_ike_command((struct adit_ike *)ike, &cmd, ike->now, matches, &why);
}

static struct adit_path stream(uint16_t port)
{
    struct adit_path p = core_path(true);
    p.local.port = port;
    p.remote.port = 4500;
    p.tcp = true;
    return p;
}

static void a_connection_nobody_wants_is_closed(void **state)
{
    struct ike *ike = core_new();
    struct adit_event ev;
    struct adit_path p = stream(40000);
    unsigned n;
    assert_int_equal(tell(ike, ADIT_CMD_STREAM_UP, 99, &p, &n), ADIT_OK);
    assert_true(n == 0 && core_event(ike, ADIT_EV_STREAM_CLOSE, &ev) && path_equal(&ev.path, &p));
    p.tcp = false;
    assert_int_equal(tell(ike, ADIT_CMD_STREAM_UP, 99, &p, &n), ADIT_ERR_CONFIG);
    core_free(ike);
}

static void it_is_asked_for_and_let_go(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true), *other = core_sa(ike, true);
    struct adit_event ev;
    struct adit_path p = stream(0);
    sa_open_stream(sa, &p);
    assert_true(core_event(ike, ADIT_EV_STREAM_OPEN, &ev) && ev.ike_id == sa->id && path_equal(&ev.path, &p));
    assert_false(sa->streamless); /* it has keys: requests wait, the SA does not */
    sa_close_stream(sa, &p);      /* there never was one */
    assert_false(core_event(ike, ADIT_EV_STREAM_CLOSE, &ev));
    sa->path = other->path = p = stream(40000);
    sa_use_stream(sa);
    assert_true(core_event(ike, ADIT_EV_STREAM_USED, &ev) && path_equal(&ev.path, &p));
    sa_close_stream(sa, &p);
    assert_false(core_event(ike, ADIT_EV_STREAM_CLOSE, &ev)); /* the other one is on it */
    other->path = core_path(true);
    sa_close_stream(sa, &p);
    assert_true(core_event(ike, ADIT_EV_STREAM_CLOSE, &ev));
    core_free(ike);
}

static void an_end_concerns_those_on_it(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    unsigned n;
    struct adit_path p = sa->path = stream(40000), q = stream(40001), none = stream(0);
    core_sa(ike, true);
    assert_true(tell(ike, ADIT_CMD_STREAM_DOWN, sa->id, &q, &n) == ADIT_OK && n == 0);
    assert_true(tell(ike, ADIT_CMD_STREAM_DOWN, 0, &p, &n) == ADIT_OK && n == 1);
    assert_true(tell(ike, ADIT_CMD_STREAM_DOWN, sa->id, &none, &n) == ADIT_OK && n == 1);
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_nobody_wants_is_closed),
        cmocka_unit_test(it_is_asked_for_and_let_go),
        cmocka_unit_test(an_end_concerns_those_on_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
