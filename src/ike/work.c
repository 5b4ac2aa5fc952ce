/* work.c - computations that may take long leave the engine as jobs and come back (architecture: nothing blocks). A job
 * touches only memory of its exchange, which outlives its SA if need be, or of a key pair that is made ahead (ahead.c). */
#include "ike/sa.h"

struct adit_job {
    struct ike_xchg *x;
    struct ike_work *work;
    struct ike_spare *spare; /* then x and work are NULL */
    work_fn *fn;
    void *arg;
    const char *name;
    enum crypto_cost cost;
    bool idle;
    enum adit_rc rc;
};

static bool emit(struct ike *ike, uint32_t sa_id, const struct adit_job *what)
{
    struct adit_job *job = mem_new(sizeof(*job));
    struct adit_event *ev = job ? event_add(ike, ADIT_EV_WORK) : NULL;
    if (!ev) {
        mem_del(job);
        return false;
    }
    *job = *what;
    ev->job = job;
    ev->ike_id = sa_id;
    return true;
}

bool spare_work(struct ike *ike, struct ike_spare *s, struct ike_ke *ke, uint32_t sa_id)
{
    return emit(ike, sa_id, &(struct adit_job){ .spare = s, .fn = ke_make, .arg = ke, .name = ke->alg->name,
                                               .cost = ke->alg->cost, .idle = !sa_id });
}

static bool hand_out(struct ike_xchg *x, struct ike_work *w, work_fn *fn, void *arg, enum crypto_cost cost,
                     const char *name)
{
    struct adit_job job = { .x = x, .work = w, .fn = fn, .arg = arg, .name = name, .cost = cost };
    if (!emit(x->ike, x->sa->id, &job))
        return false;
    w->state = 1;
    x->jobs_out++;
    x->waiting = name;
    return true;
}

enum adit_rc xchg_work(struct ike_xchg *x, struct ike_work *w, work_fn *fn, void *arg, enum crypto_cost cost,
                       const char *name)
{
    if (w->state == 1)
        return ADIT_WAIT;
    if (w->state == 2)
        return w->rc;
    if (cost != CRYPTO_CHEAP)
        return hand_out(x, w, fn, arg, cost, name) ? ADIT_WAIT : ADIT_ERR_MEMORY;
    w->rc = fn(arg);
    w->state = 2;
    return w->rc;
}

void adit_job_run(struct adit_job *job)
{
    job->rc = job->fn(job->arg);
}

const char *adit_job_name(const struct adit_job *job)
{
    return job->name;
}

bool adit_job_is_slow(const struct adit_job *job)
{
    return job->cost == CRYPTO_SLOW;
}

bool adit_job_is_idle(const struct adit_job *job)
{
    return job->idle;
}

void adit_job_refuse(struct adit_job *job)
{
    job->rc = ADIT_ERR_LIMIT;
}

/* Who goes on with the result; NULL: nobody waits. */
static struct ike_xchg *take_result(struct adit_job *job)
{
    struct ike_xchg *x = job->x;
    if (job->spare) {
        x = ahead_done(job->spare, job->rc);
    } else {
        job->work->rc = job->rc;
        job->work->state = 2;
    }
    mem_del(job);
    return x;
}

void adit_ike_work_done(struct adit_ike *engine, struct adit_job *job, uint64_t now)
{
    struct ike *ike = (struct ike *)engine;
    ike->now = now;
    struct ike_xchg *x = take_result(job);
    if (!x)
        return;
    x->jobs_out--;
    if (!x->sa) {
        if (!x->jobs_out) {
            list_remove(&x->link);
            xchg_free(x);
        }
        return;
    }
    struct ike_sa *sa = x->sa;
    xchg_resume(x);
    if (!sa->cut)
        unproven_update(sa);
    sa_arm(sa);
    ike_sweep(ike);
}

/* --- key exchange as work ---------------------------------------------------------------------------------------- */

enum adit_rc ke_make(void *arg)
{
    struct ike_ke *ke = arg;
    return ke->maker->ops->init(ke->crypto, ke->maker, &ke->state, &ke->ours);
}

static enum adit_rc job_respond(void *arg)
{
    struct ike_ke *ke = arg;
    return ke->alg->ops->respond(ke->crypto, ke->alg, ke->peer, &ke->ours, &ke->secret);
}

static enum adit_rc job_finish(void *arg)
{
    struct ike_ke *ke = arg;
    return ke->maker->ops->finish(ke->crypto, ke->maker, ke->state, ke->peer, &ke->secret);
}

enum adit_rc ke_pick(const struct ike *ike, struct ike_ke *ke, uint16_t method)
{
    ke->crypto = ike->host.crypto;
    ke->alg = crypto_ke(ke->crypto, method);
    ke->maker = ke->alg && ke->alg->made_as ? crypto_ke(ke->crypto, ke->alg->made_as) : NULL;
    ke->maker = ke->maker ? ke->maker : ke->alg;
    return ke->alg ? ADIT_OK : ADIT_ERR_PROPOSAL;
}

enum adit_rc ke_init(struct ike_xchg *x, struct ike_ke *ke, uint16_t method)
{
    TRY(ke_pick(x->ike, ke, method));
    if (!ke->work.state && ke->alg->cost != CRYPTO_CHEAP)
        (void)ahead_take(x, ke); /* then there is nothing to be computed, or what is under way to be waited for */
    return xchg_work(x, &ke->work, ke_make, ke, ke->alg->cost, ke->alg->name);
}

/* Public values of both variants of FrodoKEM look the same: such a mistake shows only here. */
static enum adit_rc wrong_size(const struct ke_alg *a, size_t got, size_t size, struct adit_why *why)
{
    const struct ke_mixup *m = a->mixup;
    bool mixed_up = m && got == (size == a->init_size ? m->init_size : m->resp_size);
    return why_set(why, ADIT_ERR_PUBLIC, "KE data of %s has %zu octets instead of %zu%s%s", a->name, got, size,
                   mixed_up ? ": that is " : "", mixed_up ? m->what : "");
}

static enum adit_rc read_ke(struct ike_ke *ke, const struct ike_msg *msg, size_t size, struct adit_why *why)
{
    const struct payload *p = msg_find(msg, PLD_KE);
    struct ke_payload got;
    if (!p)
        return why_set(why, ADIT_ERR_MALFORMED, "KE payload is missing");
    struct rd in = rd_init(p->body);
    if (!ke_get(&in, &got))
        return why_set(why, ADIT_ERR_MALFORMED, "KE payload: %s", in.fail);
    if (got.method != ke->alg->id)
        return why_set(why, ADIT_ERR_PUBLIC, "KE payload is for %s, agreed is %s", iana_name(IANA_KE, got.method),
                       ke->alg->name);
    if (got.data.n != size)
        return wrong_size(ke->alg, got.data.n, size, why);
    ke->peer = got.data;
    return ADIT_OK;
}

static enum adit_rc explain(struct ike_ke *ke, enum adit_rc rc, struct adit_why *why)
{
    if (rc == ADIT_ERR_PUBLIC)
        return why_set(why, rc, "peer's %s value fails its checks", ke->alg->name);
    return rc;
}

enum adit_rc ke_respond(struct ike_xchg *x, struct ike_ke *ke, uint16_t method, const struct ike_msg *msg,
                        struct adit_why *why)
{
    TRY(ke_pick(x->ike, ke, method));
    TRY(read_ke(ke, msg, ke->alg->init_size, why));
    return explain(ke, xchg_work(x, &ke->work, job_respond, ke, ke->alg->cost, ke->alg->name), why);
}

enum adit_rc ke_finish(struct ike_xchg *x, struct ike_ke *ke, const struct ike_msg *msg, struct adit_why *why)
{
    TRY(read_ke(ke, msg, ke->alg->resp_size, why));
    return explain(ke, xchg_work(x, &ke->work2, job_finish, ke, ke->alg->cost, ke->alg->name), why);
}

void ke_fini(struct ike_ke *ke)
{
    if (ke->state)
        ke->alg->ops->free(ke->state);
    ke->state = NULL;
    buf_fini(&ke->ours);
    secret_fini(&ke->secret);
}
