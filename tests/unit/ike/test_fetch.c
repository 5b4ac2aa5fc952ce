/* test_fetch.c - what only the host can get: asked for once, bounded, and given up when nobody answers or nobody waits. */
#include "core.h"

struct desk { /* an exchange without steps that wants something */
    struct ike *ike;
    struct ike_sa *sa;
    struct ike_xchg *x;
    struct ike_fetch *f;
};

static struct ike_xchg *xchg(struct ike *ike, struct ike_sa *sa)
{
    struct ike_xchg *x = mem_new(sizeof(*x));
    assert_non_null(x);
    list_init(&x->link);
    x->ike = ike;
    x->sa = sa;
    x->policy = policy_ref(sa->policy);
    x->phase = PHASE_OVER; /* nothing to resume */
    return x;
}

static struct ike_fetch *paper(struct ike_xchg *x)
{
    struct ike_fetch *f = arena_new(&x->arena, sizeof(*f));
    assert_non_null(f);
    return f;
}

static void sit_down(struct desk *d)
{
    d->ike = core_new();
    d->sa = core_sa(d->ike, true);
    d->x = xchg(d->ike, d->sa);
    list_append(&d->sa->out, &d->x->link);
    d->f = paper(d->x);
}

static enum adit_rc ask(struct desk *d)
{
    return xchg_fetch(d->x, d->f, "http://a.example/x", 8);
}

static void answer(struct desk *d, uint64_t cookie, struct adit_span data, const char *error)
{
    adit_ike_fetched((struct adit_ike *)d->ike, cookie, data.p, data.n, error, d->ike->now + 1);
}

static void is_asked_once_and_answered(void **state)
{
    struct adit_event ev;
    struct desk d;
    sit_down(&d);
    assert_int_equal(ask(&d), ADIT_WAIT);
    assert_int_equal(ask(&d), ADIT_WAIT);
    assert_true(core_event(d.ike, ADIT_EV_FETCH, &ev));
    assert_string_equal(ev.text, "http://a.example/x");
    assert_int_equal(ev.most, 8);
    assert_int_equal(ev.ike_id, d.sa->id);
    uint64_t cookie = ev.cookie;
    answer(&d, cookie + 1, SPAN_LIT("another"), NULL);
    assert_int_equal(ask(&d), ADIT_WAIT);
    answer(&d, cookie, SPAN_LIT("the page"), NULL);
    answer(&d, cookie, SPAN_LIT("again"), NULL);
    assert_int_equal(ask(&d), ADIT_OK);
    assert_true(span_equal(d.f->data, SPAN_LIT("the page")));
    assert_int_equal(d.ike->n_fetches, 0);
    assert_null(d.x->fetch);
    core_drain(d.ike);
    core_free(d.ike);
}

static const struct {
    const char *what;
    struct adit_span data;
    const char *error;
} bad[] = {
    { "an error", { NULL, 0 }, "404" },
    { "an error with a page", { (const uint8_t *)"page", 4 }, "cut off" },
    { "nothing", { NULL, 0 }, NULL },
    { "too long", { (const uint8_t *)"123456789", 9 }, NULL },
};

static void what_is_not_good_is_an_error(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct desk d;
        sit_down(&d);
        assert_int_equal(ask(&d), ADIT_WAIT);
        answer(&d, d.f->id, bad[i].data, bad[i].error);
        assert_row(bad[i].what, ask(&d) == ADIT_ERR_IO);
        core_drain(d.ike);
        core_free(d.ike);
    }
}

static void an_exchange_has_few_and_one_at_a_time(void **state)
{
    struct desk d;
    sit_down(&d);
    assert_int_equal(ask(&d), ADIT_WAIT);
    assert_int_equal(xchg_fetch(d.x, paper(d.x), "http://a.example/y", 8), ADIT_ERR_LIMIT);
    for (unsigned i = 1; i < IKE_FETCHES_PER_EXCHANGE; i++) {
        answer(&d, d.x->fetch->id, SPAN_LIT("x"), NULL);
        assert_int_equal(xchg_fetch(d.x, paper(d.x), "http://a.example/z", 8), ADIT_WAIT);
    }
    answer(&d, d.x->fetch->id, SPAN_LIT("x"), NULL);
    assert_int_equal(xchg_fetch(d.x, paper(d.x), "http://a.example/z", 8), ADIT_ERR_LIMIT);
    core_drain(d.ike);
    core_free(d.ike);
}

static void the_engine_has_a_ceiling(void **state)
{
    struct ike_xchg *x[IKE_FETCHES_MAX];
    struct desk d;
    sit_down(&d);
    for (unsigned i = 0; i < IKE_FETCHES_MAX; i++) {
        x[i] = xchg(d.ike, d.sa);
        assert_int_equal(xchg_fetch(x[i], paper(x[i]), "http://a.example/", 8), ADIT_WAIT);
    }
    assert_int_equal(ask(&d), ADIT_ERR_LIMIT);
    for (unsigned i = 0; i < IKE_FETCHES_MAX; i++)
        xchg_free(x[i]); /* who asked goes: its place is free again */
    assert_int_equal(d.ike->n_fetches, 0);
    d.f = paper(d.x);
    assert_int_equal(ask(&d), ADIT_WAIT);
    core_drain(d.ike);
    core_free(d.ike);
}

static void a_host_that_never_answers_is_not_waited_for(void **state)
{
    struct desk d;
    sit_down(&d);
    assert_true(fetch_deadline(d.sa) == UINT64_MAX);
    assert_int_equal(ask(&d), ADIT_WAIT);
    assert_true(fetch_deadline(d.sa) == d.ike->now + IKE_FETCH_LIFE);
    fetch_timer(d.sa);
    assert_int_equal(ask(&d), ADIT_WAIT);
    uint64_t cookie = d.f->id;
    d.ike->now += IKE_FETCH_LIFE;
    fetch_timer(d.sa);
    assert_int_equal(ask(&d), ADIT_ERR_TIMEOUT);
    answer(&d, cookie, SPAN_LIT("late"), NULL);
    assert_int_equal(ask(&d), ADIT_ERR_TIMEOUT);
    assert_true(fetch_deadline(d.sa) == UINT64_MAX);
    core_drain(d.ike);
    core_free(d.ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_asked_once_and_answered),
        cmocka_unit_test(what_is_not_good_is_an_error),
        cmocka_unit_test(an_exchange_has_few_and_one_at_a_time),
        cmocka_unit_test(the_engine_has_a_ceiling),
        cmocka_unit_test(a_host_that_never_answers_is_not_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
