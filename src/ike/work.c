/* work.c - computations that may take long leave the engine as jobs and come back (architecture: nothing blocks). A job
 * touches only memory of its exchange, which outlives its SA if need be. */
#include "ike/sa.h"

struct adit_job {
    struct ike_xchg *x;
    struct ike_work *work;
    work_fn *fn;
    void *arg;
    const char *name;
    enum crypto_cost cost;
    enum adit_rc rc;
};

static bool hand_out(struct ike_xchg *x, struct ike_work *w, work_fn *fn, void *arg, enum crypto_cost cost,
                     const char *name)
{
    struct adit_job *job = mem_new(sizeof(*job));
    struct adit_event *ev = job ? event_add(x->ike, ADIT_EV_WORK) : NULL;
    if (!ev) {
        mem_del(job);
        return false;
    }
    *job = (struct adit_job){ .x = x, .work = w, .fn = fn, .arg = arg, .name = name, .cost = cost };
    ev->job = job;
    ev->ike_id = x->sa->id;
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

void adit_ike_work_done(struct adit_ike *engine, struct adit_job *job, uint64_t now)
{
    struct ike *ike = (struct ike *)engine;
    struct ike_xchg *x = job->x;
    ike->now = now;
    job->work->rc = job->rc;
    job->work->state = 2;
    x->jobs_out--;
    mem_del(job);
    if (!x->sa) {
        if (!x->jobs_out) {
            list_remove(&x->link);
            xchg_free(x);
        }
        return;
    }
    struct ike_sa *sa = x->sa;
    xchg_resume(x);
    sa_arm(sa);
    ike_sweep(ike);
}

/* --- key exchange as work ---------------------------------------------------------------------------------------- */

static enum adit_rc job_init(void *arg)
{
    struct ike_ke *ke = arg;
    return ke->alg->ops->init(ke->crypto, ke->alg, &ke->state, &ke->ours);
}

static enum adit_rc job_respond(void *arg)
{
    struct ike_ke *ke = arg;
    return ke->alg->ops->respond(ke->crypto, ke->alg, ke->peer, &ke->ours, &ke->secret);
}

static enum adit_rc job_finish(void *arg)
{
    struct ike_ke *ke = arg;
    return ke->alg->ops->finish(ke->crypto, ke->alg, ke->state, ke->peer, &ke->secret);
}

static enum adit_rc pick(struct ike_xchg *x, struct ike_ke *ke, uint16_t method)
{
    ke->crypto = x->ike->host.crypto;
    ke->alg = crypto_ke(ke->crypto, method);
    return ke->alg ? ADIT_OK : ADIT_ERR_PROPOSAL;
}

enum adit_rc ke_init(struct ike_xchg *x, struct ike_ke *ke, uint16_t method)
{
    TRY(pick(x, ke, method));
    return xchg_work(x, &ke->work, job_init, ke, ke->alg->cost, ke->alg->name);
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
        return why_set(why, ADIT_ERR_PUBLIC, "KE data of %s has %zu octets instead of %zu", ke->alg->name, got.data.n,
                       size);
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
    TRY(pick(x, ke, method));
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
