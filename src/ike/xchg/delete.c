/* delete.c - deleting an IKE SA or a Child SA ourselves (RFC 7296 s1.4.1). */
#include "ike/sa.h"

static enum adit_rc ike_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    delete_put_ike(w);
    collide_end_series(x->sa, 0);
    return ADIT_OK;
}

static void ike_commit(struct ike_xchg *x, void *scratch)
{
    struct ike_sa *sa = x->sa;
    sa_end(sa, ADIT_ERR_CLOSED, sa->successor ? "replaced by rekeying" : sa->failure[0] ? sa->failure : "closed");
}

/* Whatever the peer answered: it is over. */
static void ike_failed(struct ike_xchg *x, void *scratch, enum adit_rc rc, const struct adit_why *why)
{
    ike_commit(x, scratch);
}

const struct ike_step step_delete_ike_req = {
    .name = "IKE_DELETE", .exchange = XCHG_INFORMATIONAL, .role = XCHG_REQUESTER, .build = ike_build,
    .commit = ike_commit, .failed = ike_failed,
};

struct delete_child {
    uint32_t id;
};

static enum adit_rc child_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    struct delete_child *s = scratch;
    struct ike_child *c = child_by_id(x->ike, x->task->child_id);
    if (!c || c->sa != x->sa)
        return why_set(why, ADIT_ERR_NO_CHILD, "the Child SA is gone already");
    s->id = c->id;
    c->state = ADIT_CHILD_DELETING;
    collide_end_series(x->sa, c->id);
    delete_put_child(w, PROTO_ESP, &c->spi_in, 1);
    return ADIT_OK;
}

static void child_commit(struct ike_xchg *x, void *scratch)
{
    struct delete_child *s = scratch;
    struct ike_child *c = child_by_id(x->ike, s->id);
    if (c)
        child_remove(c, IKE_CHILD_GRACE, "closed");
}

static void child_failed(struct ike_xchg *x, void *scratch, enum adit_rc rc, const struct adit_why *why)
{
    child_commit(x, scratch);
}

const struct ike_step step_delete_child_req = {
    .name = "CHILD_DELETE", .exchange = XCHG_INFORMATIONAL, .role = XCHG_REQUESTER, .beside = true,
    .scratch = sizeof(struct delete_child), .build = child_build, .commit = child_commit, .failed = child_failed,
};

/* --- a Child SA that only the peer has made -------------------------------------------------------------------------- */

static enum adit_rc disown_build(struct ike_xchg *x, void *scratch, struct wr *w, struct adit_why *why)
{
    delete_put_child(w, PROTO_ESP, &x->task->opened_for, 1);
    return ADIT_OK;
}

static const struct ike_step step_disown_req = {
    .name = "CHILD_DELETE", .exchange = XCHG_INFORMATIONAL, .role = XCHG_REQUESTER, .beside = true, .build = disown_build,
};

void child_disown(struct ike_pending *p)
{
    struct ike_task *t = p->peer_made ? agenda_add(p->sa, TASK_DELETE_CHILD, &step_disown_req) : NULL;
    if (t)
        t->opened_for = p->spi_in;
}
