/* test_child.c - Child SAs as the control plane keeps them: SPIs, finding, moving, leaving. How they are made:
 * tests/sim. */
#include "core.h"

static bool draw(void *arg, uint8_t *out, size_t n)
{
    const uint32_t **next = arg;
    if (n != 4 || !**next)
        return false;
    span_copy(out, span(*next, 4));
    ++*next;
    return true;
}

static void spis_are_fresh_and_not_reserved(void **state)
{
    static const struct {
        const char *what;
        uint32_t random[5]; /* 0 = the generator fails */
        uint32_t spi;
    } rows[] = {
        { "as it comes", { 0x12345678 }, 0x12345678 },
        { "the top bit is not ours", { 0x92345678 }, 0x12345678 },
        { "reserved ones are skipped", { 1, 255, 0x80000001, 256 }, 256 },
        { "the largest", { UINT32_MAX }, 0x7fffffff },
        { "one in use", { 0x00c0ffee, 0x80c0ffee, 300 }, 300 },
        { "no randomness", { 0 }, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike *ike = core_new();
        const uint32_t *next = rows[i].random;
        assert_int_equal(map_put(&ike->spi_in, 0x00c0ffee, ike), ADIT_OK);
        ike->host.random = draw;
        ike->host.random_arg = &next;
        assert_row(rows[i].what, child_new_spi(ike, 0) == rows[i].spi);
        assert_row(rows[i].what, !rows[i].spi || map_get(&ike->spi_in, rows[i].spi));
        core_free(ike);
    }
}

static bool always_seven(void *arg, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = 7;
    return true;
}

static void a_stuck_generator_does_not_stop_us(void **state)
{
    struct ike *ike = core_new();
    ike->host.random = always_seven;
    assert_int_equal(child_new_spi(ike, 0), 0x07070707);
    assert_int_equal(child_new_spi(ike, 0), 0); /* not twice the same, and no endless search */
    core_free(ike);
}

static void they_are_found_by_what_they_have(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *a = core_sa(ike, true), *b = core_sa(ike, false);
    struct ike_child *one = core_child(a), *two = core_child(a);
    assert_ptr_equal(child_by_id(ike, two->id), two);
    assert_null(child_by_id(ike, 0));
    assert_null(child_by_id(ike, 99));
    assert_ptr_equal(child_by_spi(a, one->spi_in, true), one);
    assert_ptr_equal(child_by_spi(a, one->spi_out, false), one);
    assert_null(child_by_spi(b, one->spi_in, true)); /* another SA's */
    child_move(one, b);
    assert_null(child_by_spi(a, one->spi_in, true));
    assert_ptr_equal(child_by_spi(b, one->spi_in, true), one);
    assert_ptr_equal(child_by_id(ike, one->id), one);
    core_free(ike);
}

static void its_end_is_told_once(void **state)
{
    static const struct {
        const char *what, *why;
        uint32_t rekeyed_to;
        bool down;
    } rows[] = {
        { "closed", "closed by the peer", 0, true },
        { "replaced: no news", "closed", 17, false },
        { "the engine ends", NULL, 0, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike *ike = core_new();
        struct ike_child *c = core_child(core_sa(ike, true));
        uint32_t id = c->id, spi = c->spi_in;
        struct adit_event ev;
        unsigned removes = 0, downs = 0;
        c->rekeyed_to = rows[i].rekeyed_to;
        child_remove(c, SECONDS(5), rows[i].why);
        while (adit_ike_poll((struct adit_ike *)ike, &ev)) {
            assert_row(rows[i].what,
                       ev.type != ADIT_EV_CHILD_REMOVE || (ev.child_id == id && ev.grace_ns == SECONDS(5)));
            removes += ev.type == ADIT_EV_CHILD_REMOVE;
            downs += ev.type == ADIT_EV_CHILD_DOWN;
        }
        assert_row(rows[i].what, removes == 1 && downs == rows[i].down);
        assert_row(rows[i].what, !child_by_id(ike, id) && !map_get(&ike->spi_in, spi));
        core_free(ike);
    }
}

static void a_new_path_is_told_without_keys(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_child *c = core_child(sa);
    struct adit_path there = core_path(true);
    struct adit_event ev;
    sa_set_path(sa, &there); /* the same */
    assert_false(core_event(ike, ADIT_EV_CHILD_UPDATE, &ev));
    there.remote.port = 4500;
    sa_set_path(sa, &there);
    assert_true(core_event(ike, ADIT_EV_CHILD_UPDATE, &ev));
    assert_true(ev.child_id == c->id && path_equal(&ev.spec->path, &there) &&
                ev.spec->outbound == ADIT_OUT_ACTIVE);
    assert_true(!ev.spec->in.encr.n && !ev.spec->out.encr.n && ev.spec->in.spi == c->spi_in);
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spis_are_fresh_and_not_reserved),
        cmocka_unit_test(a_stuck_generator_does_not_stop_us),
        cmocka_unit_test(they_are_found_by_what_they_have),
        cmocka_unit_test(its_end_is_told_once),
        cmocka_unit_test(a_new_path_is_told_without_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
