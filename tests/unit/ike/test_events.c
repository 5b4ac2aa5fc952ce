/* test_events.c - what is told: in order, whole, and nobody else's memory. */
#include "core.h"

static bool poll_one(struct ike *ike, struct adit_event *ev)
{
    return adit_ike_poll((struct adit_ike *)ike, ev);
}

static struct ike_wire *letters(uint16_t n)
{
    struct ike_wire *w = wire_new(n, (size_t)n * 2);
    assert_non_null(w);
    for (uint16_t i = 0; i < n; i++) {
        uint8_t *p = wire_next(w, 2);
        p[0] = (uint8_t)(i >> 8);
        p[1] = (uint8_t)i;
        wire_close(w, 2);
    }
    return w;
}

static void first_come_first_told(void **state)
{
    struct ike *ike = core_new();
    struct adit_event ev;
    for (uint32_t i = 0; i < 40; i++)
        event_add(ike, i & 1 ? ADIT_EV_IKE_UP : ADIT_EV_IKE_DOWN)->ike_id = i;
    for (uint32_t i = 0; i < 40; i++)
        assert_true(poll_one(ike, &ev) && ev.ike_id == i);
    assert_false(poll_one(ike, &ev));
    assert_false(poll_one(ike, &ev));
    core_free(ike);
}

static void long_messages_are_told_in_parts(void **state)
{
    static const uint16_t counts[] = {
        1, ADIT_SEND_MAX - 1, ADIT_SEND_MAX, ADIT_SEND_MAX + 1, 2 * ADIT_SEND_MAX, 200
    };
    for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
        struct ike *ike = core_new();
        struct adit_path path = core_path(true);
        struct ike_wire *w = letters(counts[k]);
        struct adit_event ev;
        unsigned seen = 0;
        event_send(ike, &path, w);
        wire_unref(w); /* the event has its own share */
        event_add(ike, ADIT_EV_IKE_UP);
        while (poll_one(ike, &ev) && ev.type == ADIT_EV_SEND) {
            assert_true(ev.n_datagrams > 0 && ev.n_datagrams <= ADIT_SEND_MAX && path_equal(&ev.path, &path));
            for (unsigned i = 0; i < ev.n_datagrams; i++, seen++)
                assert_true(ev.datagrams[i].n == 2 && ev.datagrams[i].p[0] << 8 == (int)(seen & 0xff00) &&
                            ev.datagrams[i].p[1] == (uint8_t)seen);
        }
        assert_int_equal(seen, counts[k]);
        assert_int_equal(ev.type, ADIT_EV_IKE_UP); /* what came later was told later */
        assert_int_equal(ike->counters[ADIT_C_BYTES_OUT], 2 * counts[k]);
        core_free(ike);
    }
}

static void texts_are_copies(void **state)
{
    struct ike *ike = core_new();
    struct adit_event ev;
    char text[] = "no memory lasts";
    event_done(ike, 3, ADIT_ERR_TS, text);
    event_done(ike, 0, ADIT_OK, text); /* nobody wants to know */
    mem_wipe(text, sizeof(text));
    assert_true(poll_one(ike, &ev) && ev.cookie == 3 && ev.rc == ADIT_ERR_TS);
    assert_string_equal(ev.text, "no memory lasts");
    assert_false(poll_one(ike, &ev));
    core_free(ike);
}

static const uint8_t key[4][20] = { { 1 }, { 2 }, { 3 }, { 4 } };

static void make_spec(struct ike_child *c, struct adit_child_spec *spec, struct adit_ts ts[3],
                      uint8_t keys[4][20], char conn[8])
{
    for (unsigned i = 0; i < 4; i++)
        span_copy(keys[i], SPAN_ARRAY(key[i]));
    span_copy((uint8_t *)conn, SPAN_LIT("vanish\0"));
    child_spec(c, spec);
    spec->conn = conn;
    spec->in.encr = SPAN_ARRAY(keys[0]);
    spec->in.integ = SPAN_ARRAY(keys[1]);
    spec->out.encr = SPAN_ARRAY(keys[2]);
    spec->out.integ = SPAN_ARRAY(keys[3]);
    for (unsigned i = 0; i < 3; i++)
        ts[i] = ts_any(4);
    spec->local_ts = ts;
    spec->n_local_ts = 1;
    spec->remote_ts = ts + 1;
    spec->n_remote_ts = 2;
}

/* All that a Child SA's event points to is gone before it is polled. */
static void a_child_is_told_with_copies_of_all_it_has(void **state)
{
    struct ike *ike = core_new();
    struct ike_child *c = core_child(core_sa(ike, true));
    struct adit_child_spec spec;
    struct adit_ts ts[3], any = ts_any(4);
    uint8_t keys[4][20];
    char conn[8];
    struct adit_event ev;
    make_spec(c, &spec, ts, keys, conn);
    spec.replaces = 5;
    assert_true(event_child(c, ADIT_EV_CHILD_ADD, &spec));
    mem_wipe(keys, sizeof(keys));
    mem_wipe(conn, sizeof(conn));
    mem_wipe(ts, sizeof(ts));
    child_remove(c, 0, NULL);
    assert_true(core_event(ike, ADIT_EV_CHILD_ADD, &ev));
    const struct adit_child_spec *s = ev.spec;
    assert_true(!strcmp(s->conn, "vanish") && !strcmp(s->child, "net") && !strcmp(ev.conn, "vanish"));
    assert_true(span_equal(s->in.encr, SPAN_ARRAY(key[0])) && span_equal(s->in.integ, SPAN_ARRAY(key[1])));
    assert_true(span_equal(s->out.encr, SPAN_ARRAY(key[2])) && span_equal(s->out.integ, SPAN_ARRAY(key[3])));
    assert_true(ts_equal(s->local_ts, &any) && ts_equal(s->remote_ts, &any) &&
                ts_equal(s->remote_ts + 1, &any));
    assert_int_equal(ev.old_child_id, 5);
    core_free(ike);
}

/* A Child SA whose keys or selectors have no room is not told at all. */
static void a_child_is_told_whole_or_not(void **state)
{
    bool told = false;
    for (unsigned n = 0; !told; n++) {
        struct ike *ike = core_new();
        struct ike_child *c = core_child(core_sa(ike, true));
        struct adit_child_spec spec;
        struct adit_ts ts[3];
        uint8_t keys[4][20];
        char conn[8];
        struct adit_event ev;
        unsigned left = n;
        make_spec(c, &spec, ts, keys, conn);
        assert_true(n < 50);
        mem_set_gate(gate_countdown, &left);
        told = event_child(c, ADIT_EV_CHILD_ADD, &spec);
        mem_set_gate(NULL, NULL);
        assert_int_equal(core_event(ike, ADIT_EV_CHILD_ADD, &ev), told);
        core_free(ike);
    }
}

/* Events that were told are kept for bad times; the log does without. */
static void a_few_events_need_no_memory(void **state)
{
    struct ike *ike = core_new();
    struct adit_event ev;
    for (unsigned i = 0; i < 100; i++)
        event_add(ike, ADIT_EV_LOG);
    core_drain(ike);
    unsigned left = 0;
    mem_set_gate(gate_countdown, &left);
    assert_null(event_add(ike, ADIT_EV_LOG));
    assert_null(event_add(ike, ADIT_EV_KEYLOG));
    for (unsigned i = 0; i < IKE_SPARE_EVENTS; i++)
        event_done(ike, i + 1, ADIT_ERR_MEMORY, "out of memory");
    assert_null(event_add(ike, ADIT_EV_DONE));
    for (unsigned i = 0; i < IKE_SPARE_EVENTS; i++) {
        assert_true(poll_one(ike, &ev) && ev.cookie == i + 1 && ev.rc == ADIT_ERR_MEMORY);
        assert_non_null(ev.text); /* empty, but there */
    }
    assert_false(poll_one(ike, &ev));
    mem_set_gate(NULL, NULL);
    core_free(ike);
}

static void an_engine_ends_with_events_untold(void **state)
{
    struct ike *ike = core_new();
    struct ike_child *c = core_child(core_sa(ike, true));
    struct adit_path path = core_path(true);
    struct ike_wire *w = letters(100);
    struct adit_child_spec spec;
    struct adit_ts ts[3];
    uint8_t keys[4][20];
    char conn[8];
    struct adit_event ev;
    make_spec(c, &spec, ts, keys, conn);
    event_send(ike, &path, w);
    wire_unref(w);
    event_child(c, ADIT_EV_CHILD_ADD, &spec);
    event_done(ike, 1, ADIT_OK, "x");
    assert_true(poll_one(ike, &ev)); /* half told */
    adit_ike_free((struct adit_ike *)ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_come_first_told),
        cmocka_unit_test(long_messages_are_told_in_parts),
        cmocka_unit_test(texts_are_copies),
        cmocka_unit_test(a_child_is_told_with_copies_of_all_it_has),
        cmocka_unit_test(a_child_is_told_whole_or_not),
        cmocka_unit_test(a_few_events_need_no_memory),
        cmocka_unit_test(an_engine_ends_with_events_untold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
