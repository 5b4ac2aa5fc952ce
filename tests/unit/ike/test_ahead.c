/* test_ahead.c - key pairs made ahead: each is used once, by whom it was made for or by one exchange of any SA; what is not
 * used goes with its SA, its hour or its place in the configuration. */
#include "core.h"

#define SLOW KE_MODP_4096 /* the slow row that OpenSSL has; MODP-3072 is of the middle */
#define HOUR SECONDS(3600)

static void want(struct ike *ike, uint16_t method, uint8_t keys)
{
    ike->policy->n_stock = keys ? 1 : 0;
    ike->policy->stock[0] = (struct ke_pool_item){ method, keys };
    ahead_refill(ike);
}

static struct adit_job *fetch(struct ike *ike)
{
    struct adit_event ev;
    return core_event(ike, ADIT_EV_WORK, &ev) ? ev.job : NULL;
}

static void do_job(struct ike *ike, struct adit_job *job)
{
    assert_non_null(job);
    adit_job_run(job);
    adit_ike_work_done((struct adit_ike *)ike, job, ike->now);
}

static unsigned fill(struct ike *ike)
{
    unsigned n = 0;
    for (struct adit_job *job; (job = fetch(ike)); n++) {
        assert_true(adit_job_is_idle(job));
        do_job(ike, job);
    }
    return n;
}

static unsigned ready(struct ike *ike)
{
    struct adit_ke_pool_info info;
    return adit_ike_ke_pool((struct adit_ike *)ike, 0, &info) ? info.ready : 0;
}

static void fini(struct ike_xchg *x, void *scratch)
{
    ke_fini(scratch);
}

/* An exchange with one step, whose scratch is a key exchange. */
static struct ike_xchg *open_exchange(struct ike_sa *sa)
{
    static const struct ike_step step = { .name = "KE", .scratch = sizeof(struct ike_ke), .fini = fini };
    struct ike_xchg *x = mem_new(sizeof(*x));
    assert_non_null(x);
    x->parts[x->n_parts++] = (struct part){ .step = &step, .scratch = arena_new(&x->arena, sizeof(struct ike_ke)) };
    list_init(&x->link);
    x->ike = sa->ike;
    x->sa = sa;
    x->policy = policy_ref(sa->policy);
    x->phase = PHASE_OVER;
    list_append(&sa->out, &x->link);
    return x;
}

static void the_stock_is_filled_one_by_one_and_each_is_used_once(void **state)
{
    struct ike *ike = core_new();
    struct ike_xchg *x = open_exchange(core_sa(ike, true));
    struct ike_ke one = { 0 }, two = { 0 }, three = { 0 };
    want(ike, SLOW, 2);
    struct adit_job *first = fetch(ike);
    assert_null(fetch(ike)); /* one at a time */
    do_job(ike, first);
    assert_int_equal(1 + fill(ike), 2);
    assert_int_equal(ready(ike), 2);
    assert_int_equal(ke_init(x, &one, SLOW), ADIT_OK);
    struct adit_job *next = fetch(ike);
    assert_true(adit_job_is_idle(next)); /* in its place */
    assert_int_equal(ke_init(x, &two, SLOW), ADIT_OK);
    assert_true(one.ours.n == 512 && two.ours.n == 512 && !span_equal(buf_span(&one.ours), buf_span(&two.ours)));
    assert_true(one.state && two.state && one.state != two.state);
    assert_int_equal(ready(ike), 0);
    assert_int_equal(ke_init(x, &three, SLOW), ADIT_WAIT); /* none is left: its own */
    struct adit_job *own = fetch(ike);
    assert_false(adit_job_is_idle(own));
    do_job(ike, own);
    assert_int_equal(ke_init(x, &three, SLOW), ADIT_OK);
    do_job(ike, next);
    assert_int_equal(ike->counters[ADIT_C_KE_POOL_TAKEN], 2);
    assert_int_equal(ike->counters[ADIT_C_KE_POOL_EMPTY], 1);
    fill(ike);
    assert_int_equal(ready(ike), 2);
    ke_fini(&one);
    ke_fini(&two);
    ke_fini(&three);
    core_free(ike);
}

static void what_is_not_wanted_any_more_goes(void **state)
{
    struct ike *ike = core_new();
    struct ike_xchg *x = open_exchange(core_sa(ike, true));
    struct ike_ke ke = { 0 };
    want(ike, SLOW, 3);
    assert_int_equal(fill(ike), 3);
    want(ike, SLOW, 1);
    assert_true(ready(ike) == 1 && fill(ike) == 0);
    want(ike, SLOW, 0);
    assert_true(list_empty(&ike->spares));
    assert_int_equal(ke_init(x, &ke, SLOW), ADIT_WAIT);
    do_job(ike, fetch(ike));
    assert_int_equal(ike->counters[ADIT_C_KE_POOL_EMPTY], 0); /* nobody wanted a stock */
    ke_fini(&ke);
    core_free(ike);
}

/* After an hour it is made anew, by the timer or when it would be used. */
static void keys_do_not_grow_old(void **state)
{
    struct ike *ike = core_new();
    struct ike_xchg *x = open_exchange(core_sa(ike, true));
    struct ike_ke ke = { 0 };
    want(ike, SLOW, 1);
    assert_int_equal(fill(ike), 1);
    uint64_t due = adit_ike_deadline((struct adit_ike *)ike);
    assert_int_equal(due, ike->now + HOUR);
    adit_ike_tick((struct adit_ike *)ike, due - 1);
    assert_true(ready(ike) == 1 && fill(ike) == 0);
    adit_ike_tick((struct adit_ike *)ike, due);
    assert_int_equal(ready(ike), 0);
    assert_int_equal(fill(ike), 1);
    ike->now += HOUR;
    assert_int_equal(ke_init(x, &ke, SLOW), ADIT_WAIT);
    core_drain(ike);
    ke_fini(&ke);
    core_free(ike);
}

static void an_sa_finds_what_was_begun_for_it(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true), *other = core_sa(ike, true);
    struct ike_xchg *x = open_exchange(sa), *y = open_exchange(other);
    struct ike_ke ke = { 0 }, theirs = { 0 };
    ke_ahead(x, KE_CURVE_25519); /* cheap: not worth it */
    assert_null(fetch(ike));
    ke_ahead(x, KE_MODP_3072);
    ke_ahead(x, KE_MODP_3072);
    struct adit_job *job = fetch(ike);
    assert_false(adit_job_is_idle(job)); /* somebody will wait for it soon */
    assert_null(fetch(ike));
    do_job(ike, job);
    assert_int_equal(ke_init(y, &theirs, KE_MODP_3072), ADIT_WAIT); /* not of another SA */
    do_job(ike, fetch(ike));
    assert_int_equal(ke_init(x, &ke, KE_MODP_3072), ADIT_OK);
    assert_int_equal(ke.ours.n, 384);
    assert_int_equal(ike->counters[ADIT_C_KE_AHEAD], 1);
    ke_fini(&ke);
    ke_fini(&theirs);
    core_free(ike);
}

/* Also if the SA ends meanwhile: the exchange stays until the job is back. */
static void an_sa_waits_for_what_is_under_way(void **state)
{
    for (int ends = 0; ends < 2; ends++) {
        struct ike *ike = core_new();
        struct ike_sa *sa = core_sa(ike, true);
        struct ike_xchg *x = open_exchange(sa);
        struct ike_ke *ke = x->parts[0].scratch;
        ke_ahead(x, KE_MODP_3072);
        struct adit_job *job = fetch(ike);
        assert_int_equal(ke_init(x, ke, KE_MODP_3072), ADIT_WAIT);
        assert_int_equal(ke_init(x, ke, KE_MODP_3072), ADIT_WAIT);
        assert_string_equal(x->waiting, "MODP-3072");
        assert_null(fetch(ike)); /* not twice */
        if (ends)
            sa_end(sa, ADIT_ERR_CLOSED, "closed by command");
        ike_sweep(ike);
        assert_int_equal(list_empty(&ike->orphans), !ends);
        do_job(ike, job);
        assert_true(list_empty(&ike->orphans) && list_empty(&ike->spares));
        if (!ends)
            assert_true(ke_init(x, ke, KE_MODP_3072) == ADIT_OK && ke->ours.n == 384);
        core_free(ike);
    }
}

static void what_was_begun_for_an_sa_goes_with_it(void **state)
{
    struct ike *ike = core_new();
    struct ike_sa *sa = core_sa(ike, true);
    struct ike_xchg *x = open_exchange(sa);
    ke_ahead(x, KE_MODP_3072);
    do_job(ike, fetch(ike));
    ke_ahead(x, SLOW);
    struct adit_job *late = fetch(ike);
    assert_false(list_empty(&ike->spares));
    sa_end(sa, ADIT_ERR_CLOSED, "closed by command");
    ike_sweep(ike);
    do_job(ike, late);
    assert_true(list_empty(&ike->spares));
    core_free(ike);
}

static void a_job_that_fails_is_not_repeated(void **state)
{
    struct ike *ike = core_new();
    struct ike_xchg *x = open_exchange(core_sa(ike, true));
    struct ike_ke ke = { 0 };
    want(ike, SLOW, 2);
    struct adit_job *job = fetch(ike);
    adit_job_refuse(job);
    adit_ike_work_done((struct adit_ike *)ike, job, ike->now);
    assert_null(fetch(ike));
    assert_true(ready(ike) == 0 && list_empty(&ike->spares));
    /* one that somebody waits for: he is told */
    ke_ahead(x, KE_MODP_3072);
    job = fetch(ike);
    assert_int_equal(ke_init(x, &ke, KE_MODP_3072), ADIT_WAIT);
    adit_job_refuse(job);
    adit_ike_work_done((struct adit_ike *)ike, job, ike->now);
    assert_int_equal(ke_init(x, &ke, KE_MODP_3072), ADIT_ERR_LIMIT);
    ke_fini(&ke);
    core_free(ike);
}

static void without_memory_keys_are_made_when_they_are_needed(void **state)
{
    struct ike *ike = core_new();
    struct ike_xchg *x = open_exchange(core_sa(ike, true));
    for (unsigned n = 0; n < 2; n++) {
        unsigned left = n;
        mem_set_gate(gate_countdown, &left);
        ke_ahead(x, KE_MODP_3072);
        mem_set_gate(NULL, NULL);
        assert_true(list_empty(&ike->spares));
    }
    ke_ahead(x, KE_MODP_3072);
    assert_false(list_empty(&ike->spares));
    core_free(ike); /* with a job that nobody has fetched */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_stock_is_filled_one_by_one_and_each_is_used_once),
        cmocka_unit_test(what_is_not_wanted_any_more_goes),
        cmocka_unit_test(keys_do_not_grow_old),
        cmocka_unit_test(an_sa_finds_what_was_begun_for_it),
        cmocka_unit_test(an_sa_waits_for_what_is_under_way),
        cmocka_unit_test(what_was_begun_for_an_sa_goes_with_it),
        cmocka_unit_test(a_job_that_fails_is_not_repeated),
        cmocka_unit_test(without_memory_keys_are_made_when_they_are_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
