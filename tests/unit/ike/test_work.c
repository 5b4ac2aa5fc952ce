/* test_work.c - computations leave the engine and come back, also when nobody waits for them any more; key exchange
 * values are measured before a library sees them. */
#include <stdlib.h>
#include "core.h"

struct desk { /* an exchange without steps, and one computation in its memory */
    struct ike *ike;
    struct ike_sa *sa;
    struct ike_xchg *x;
    struct task {
        struct ike_work work;
        unsigned runs;
        enum adit_rc rc;
    } * task;
};

static enum adit_rc compute(void *arg)
{
    struct task *t = arg;
    t->runs++;
    return t->rc;
}

static void sit_down(struct desk *d)
{
    d->ike = core_new();
    d->sa = core_sa(d->ike, true);
    d->x = mem_new(sizeof(*d->x));
    assert_non_null(d->x);
    list_init(&d->x->link);
    d->x->ike = d->ike;
    d->x->sa = d->sa;
    d->x->policy = policy_ref(d->sa->policy);
    d->x->phase = PHASE_OVER; /* nothing to resume */
    d->task = arena_new(&d->x->arena, sizeof(*d->task));
    assert_non_null(d->task);
    list_append(&d->sa->out, &d->x->link);
}

static enum adit_rc ask(struct desk *d, enum crypto_cost cost)
{
    return xchg_work(d->x, &d->task->work, compute, d->task, cost, "computes");
}

static struct adit_job *fetch(struct desk *d)
{
    struct adit_event ev;
    return core_event(d->ike, ADIT_EV_WORK, &ev) ? ev.job : NULL;
}

static void give_back(struct desk *d, struct adit_job *job)
{
    adit_job_run(job);
    adit_ike_work_done((struct adit_ike *)d->ike, job, d->ike->now + 1);
}

static void what_is_cheap_is_done_at_once(void **state)
{
    struct desk d;
    sit_down(&d);
    d.task->rc = ADIT_ERR_PUBLIC;
    assert_int_equal(ask(&d, CRYPTO_CHEAP), ADIT_ERR_PUBLIC);
    assert_int_equal(ask(&d, CRYPTO_CHEAP), ADIT_ERR_PUBLIC); /* once is enough */
    assert_int_equal(d.task->runs, 1);
    assert_null(fetch(&d));
    core_free(d.ike);
}

static void what_is_dear_goes_out_and_comes_back(void **state)
{
    for (int slow = 0; slow < 2; slow++) {
        struct desk d;
        enum crypto_cost cost = slow ? CRYPTO_SLOW : CRYPTO_MEDIUM;
        sit_down(&d);
        d.task->rc = ADIT_ERR_AUTH;
        assert_int_equal(ask(&d, cost), ADIT_WAIT);
        assert_int_equal(ask(&d, cost), ADIT_WAIT); /* out once only */
        assert_string_equal(d.x->waiting, "computes");
        struct adit_job *job = fetch(&d);
        assert_non_null(job);
        assert_null(fetch(&d));
        assert_int_equal(adit_job_is_slow(job), slow);
        assert_string_equal(adit_job_name(job), "computes");
        assert_int_equal(d.task->runs, 0);
        give_back(&d, job);
        assert_int_equal(ask(&d, cost), ADIT_ERR_AUTH);
        assert_int_equal(d.task->runs, 1);
        assert_int_equal(d.x->jobs_out, 0);
        core_free(d.ike);
    }
}

/* The exchange outlives its SA until the last thread is done with its memory. */
static void a_job_outlives_its_sa(void **state)
{
    struct desk d;
    struct ike_work second = { 0 };
    sit_down(&d);
    struct ike_work *w = arena_new(&d.x->arena, sizeof(*w));
    *w = second;
    assert_int_equal(ask(&d, CRYPTO_SLOW), ADIT_WAIT);
    assert_int_equal(xchg_work(d.x, w, compute, d.task, CRYPTO_SLOW, "too"), ADIT_WAIT);
    struct adit_job *first = fetch(&d), *last = fetch(&d);
    sa_end(d.sa, ADIT_ERR_CLOSED, "closed by command");
    ike_sweep(d.ike);
    assert_true(list_empty(&d.ike->sas) && !list_empty(&d.ike->orphans));
    give_back(&d, last);
    assert_false(list_empty(&d.ike->orphans));
    give_back(&d, first);
    assert_true(list_empty(&d.ike->orphans));
    core_free(d.ike);
}

static void an_engine_ends_with_jobs_that_nobody_fetched(void **state)
{
    struct desk d;
    sit_down(&d);
    assert_int_equal(ask(&d, CRYPTO_SLOW), ADIT_WAIT);
    adit_ike_free((struct adit_ike *)d.ike); /* the sanitizer tells whether something is left */
}

static void without_memory_nothing_goes_out(void **state)
{
    struct desk d;
    sit_down(&d);
    unsigned left = 0;
    mem_set_gate(gate_countdown, &left);
    enum adit_rc rc = ask(&d, CRYPTO_SLOW);
    mem_set_gate(NULL, NULL);
    assert_int_equal(rc, ADIT_ERR_MEMORY);
    assert_int_equal(d.x->jobs_out, 0);
    assert_int_equal(ask(&d, CRYPTO_SLOW), ADIT_WAIT); /* later it may */
    give_back(&d, fetch(&d));
    core_free(d.ike);
}

/* --- key exchange --------------------------------------------------------------------------------------------- */

static void message_with(struct ike_msg *msg, struct payload *p, struct adit_span body)
{
    *p = (struct payload){ .type = PLD_KE, .body = body };
    *msg = (struct ike_msg){ .n = body.p ? 1 : 0, .v = p };
}

static void put_ke(uint8_t *room, uint16_t method, struct adit_span data)
{
    room[0] = (uint8_t)(method >> 8);
    room[1] = (uint8_t)method;
    room[2] = room[3] = 0;
    span_copy(room + 4, data);
}

static enum adit_rc finish(struct desk *d, struct ike_ke *ke, enum adit_rc rc)
{
    if (rc != ADIT_WAIT)
        return rc;
    give_back(d, fetch(d));
    return ke->work2.state == 2 ? ke->work2.rc : ke->work.rc;
}

static void both_ends_get_the_same_secret(void **state)
{
    static const uint16_t methods[] = { KE_CURVE_25519, KE_ECP_384, KE_MODP_2048, KE_ML_KEM_768 };
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct desk d;
        struct ike_ke a = { 0 }, b = { 0 };
        struct ike_msg msg;
        struct payload p;
        struct adit_why why = { 0 };
        uint8_t room[2000];
        sit_down(&d);
        assert_int_equal(finish(&d, &a, ke_init(d.x, &a, methods[i])), ADIT_OK);
        put_ke(room, methods[i], buf_span(&a.ours));
        message_with(&msg, &p, span(room, a.ours.n + 4));
        assert_row(a.alg->name, finish(&d, &b, ke_respond(d.x, &b, methods[i], &msg, &why)) == ADIT_OK);
        put_ke(room, methods[i], buf_span(&b.ours));
        message_with(&msg, &p, span(room, b.ours.n + 4));
        assert_row(a.alg->name, finish(&d, &a, ke_finish(d.x, &a, &msg, &why)) == ADIT_OK);
        assert_row(a.alg->name, a.secret.n && secret_equal(secret_span(&a.secret), secret_span(&b.secret)));
        ke_fini(&a);
        ke_fini(&b);
        core_free(d.ike);
    }
}

/* The peer's side is the slow set's own: what differs is how long making the key pair takes. ADIT_SLOW_TESTS=1: all. */
static void key_pairs_of_a_faster_set_do_as_well(void **state)
{
    static const struct {
        uint16_t method, made_as;
        bool slow;
    } rows[] = {
        { KE_MCELIECE_348864, KE_MCELIECE_348864F, false },        { KE_MCELIECE_460896, KE_MCELIECE_460896F, true },
        { KE_MCELIECE_6688128, KE_MCELIECE_6688128F, true },       { KE_MCELIECE_6688128PC, KE_MCELIECE_6688128PCF, true },
        { KE_MCELIECE_6960119, KE_MCELIECE_6960119F, true },       { KE_MCELIECE_6960119PC, KE_MCELIECE_6960119PCF, true },
        { KE_MCELIECE_8192128, KE_MCELIECE_8192128F, true },       { KE_MCELIECE_8192128PC, KE_MCELIECE_8192128PCF, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct desk d;
        struct ike_ke a = { 0 };
        struct adit_buf ct = { 0 };
        struct adit_secret theirs = { 0 };
        struct ike_msg msg;
        struct payload p;
        struct adit_why why = { 0 };
        uint8_t room[300];
        if (rows[i].slow && !getenv("ADIT_SLOW_TESTS"))
            continue;
        sit_down(&d);
        const struct ke_alg *alg = crypto_ke(d.ike->host.crypto, rows[i].method);
        assert_non_null(alg);
        assert_row(alg->name, finish(&d, &a, ke_init(d.x, &a, rows[i].method)) == ADIT_OK);
        assert_row(alg->name, a.alg == alg && a.maker->id == rows[i].made_as && a.ours.n == alg->init_size);
        assert_row(alg->name, alg->ops->respond(a.crypto, alg, buf_span(&a.ours), &ct, &theirs) == ADIT_OK);
        put_ke(room, rows[i].method, buf_span(&ct));
        message_with(&msg, &p, span(room, ct.n + 4));
        assert_row(alg->name, finish(&d, &a, ke_finish(d.x, &a, &msg, &why)) == ADIT_OK);
        assert_row(alg->name, a.secret.n && secret_equal(secret_span(&a.secret), secret_span(&theirs)));
        ke_fini(&a);
        buf_fini(&ct);
        secret_fini(&theirs);
        core_free(d.ike);
    }
}

static void a_bad_value_is_refused_before_it_is_used(void **state)
{
    static const struct {
        const char *what;
        uint16_t method;
        size_t n; /* of the payload's body; 0: no payload */
        enum adit_rc rc;
    } rows[] = {
        { "no KE payload", KE_CURVE_25519, 0, ADIT_ERR_MALFORMED },
        { "cut in its header", KE_CURVE_25519, 3, ADIT_ERR_MALFORMED },
        { "no data", KE_CURVE_25519, 4, ADIT_ERR_MALFORMED },
        { "another method", KE_ECP_256, 36, ADIT_ERR_PUBLIC },
        { "one octet short", KE_CURVE_25519, 35, ADIT_ERR_PUBLIC },
        { "one octet long", KE_CURVE_25519, 37, ADIT_ERR_PUBLIC },
        { "all zero: RFC 7748 s6.1", KE_CURVE_25519, 36, ADIT_ERR_PUBLIC },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int answering = 0; answering < 2; answering++) {
            struct desk d;
            struct ike_ke ke = { 0 };
            struct ike_msg msg;
            struct payload p;
            struct adit_why why = { 0 };
            uint8_t room[64] = { 0 };
            enum adit_rc rc;
            sit_down(&d);
            put_ke(room, rows[i].method, SPAN_NONE);
            message_with(&msg, &p, rows[i].n ? guard_copy(span(room, rows[i].n)) : SPAN_NONE);
            if (answering) {
                rc = finish(&d, &ke, ke_respond(d.x, &ke, KE_CURVE_25519, &msg, &why));
            } else {
                assert_int_equal(finish(&d, &ke, ke_init(d.x, &ke, KE_CURVE_25519)), ADIT_OK);
                rc = finish(&d, &ke, ke_finish(d.x, &ke, &msg, &why));
            }
            assert_row(rows[i].what, rc == rows[i].rc);
            bool computed = (answering ? ke.work : ke.work2).state != 0;
            assert_row(rows[i].what,
                       computed == (i + 1 == ARRAY_LEN(rows))); /* only the last one was looked at */
            ke_fini(&ke);
            core_free(d.ike);
        }
}

static void an_unknown_method_is_no_proposal(void **state)
{
    struct desk d;
    struct ike_ke ke = { 0 };
    sit_down(&d);
    assert_int_equal(ke_init(d.x, &ke, 65000), ADIT_ERR_PROPOSAL);
    ke_fini(&ke);
    core_free(d.ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_cheap_is_done_at_once),
        cmocka_unit_test(what_is_dear_goes_out_and_comes_back),
        cmocka_unit_test(a_job_outlives_its_sa),
        cmocka_unit_test(an_engine_ends_with_jobs_that_nobody_fetched),
        cmocka_unit_test(without_memory_nothing_goes_out),
        cmocka_unit_test(both_ends_get_the_same_secret),
        cmocka_unit_test(key_pairs_of_a_faster_set_do_as_well),
        cmocka_unit_test(a_bad_value_is_refused_before_it_is_used),
        cmocka_unit_test(an_unknown_method_is_no_proposal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
