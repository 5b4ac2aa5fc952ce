/* info.c - looking at SAs without touching them. */
#include "ike/sa.h"

/* From where the last one stands; only if that is gone meanwhile, from the beginning. */
static struct ike_sa *sa_after(const struct ike *ike, uint32_t id)
{
    const struct ike_sa *last = sa_by_id(ike, id);
    for (struct list *it = last ? last->link.next : ike->sas.next; it != &ike->sas; it = it->next) {
        struct ike_sa *sa = list_entry(it, struct ike_sa, link);
        if (sa->id > id && !sa->cut && sa->state != SA_DEAD)
            return sa;
    }
    return NULL;
}

static struct adit_id id_of(const struct adit_buf *whole)
{
    if (whole->n < 4)
        return (struct adit_id){ 0 };
    return (struct adit_id){ .type = whole->p[0], .data = span_from(buf_span(whole), 4) };
}

/* v: NULL-ended, so one place is kept. */
static void fill_steps(const struct list *xchgs, const char **v, size_t room)
{
    size_t n = 0;
    list_for_each(it, xchgs) {
        const struct ike_xchg *x = list_entry(it, struct ike_xchg, link);
        for (unsigned i = 0; i < x->n_parts && n + 1 < room; i++)
            v[n++] = x->parts[i].step->name;
    }
}

static void fill_tasks(const struct ike_sa *sa, struct adit_ike_info *out)
{
    size_t n = 0;
    list_for_each(it, &sa->tasks)
        if (n + 1 < ARRAY_LEN(out->tasks_queued))
            out->tasks_queued[n++] = task_name(list_entry(it, struct ike_task, link));
    n = 0;
    fill_steps(&sa->out, out->tasks_active, ARRAY_LEN(out->tasks_active));
    fill_steps(&sa->in, out->tasks_passive, ARRAY_LEN(out->tasks_passive));
}

static const char *waiting_for(const struct ike_sa *sa)
{
    const struct ike_xchg *in = sa_in(sa), *out = sa_out(sa);
    if (in && in->waiting)
        return in->waiting;
    if (!out)
        return NULL;
    return out->waiting ? out->waiting : iana_name(IANA_XCHG, out->exchange);
}

static const enum adit_ike_state public_state[] = {
    [SA_CONNECTING] = ADIT_IKE_CONNECTING,   [SA_AUTHENTICATING] = ADIT_IKE_AUTHENTICATING,
    [SA_ESTABLISHED] = ADIT_IKE_ESTABLISHED, [SA_REKEYED] = ADIT_IKE_REKEYED,
    [SA_DELETING] = ADIT_IKE_DELETING,       [SA_DEAD] = ADIT_IKE_DELETING,
};

static unsigned count_children(const struct ike_sa *sa)
{
    unsigned n = 0;
    list_for_each(it, &sa->children)
        n++;
    return n;
}

static void fill_sa(struct ike_sa *sa, struct adit_ike_info *out)
{
    *out = (struct adit_ike_info){
        .id = sa->id, .conn = sa_conn_name(sa), .state = public_state[sa->state], .initiator = sa->is_initiator,
        .spi_i = sa->spi_i, .spi_r = sa->spi_r, .path = sa->path, .local_id = id_of(&sa->id_local),
        .remote_id = id_of(&sa->id_remote), .local_auth = sa->local_auth, .remote_auth = sa->remote_auth,
        .suite = sa->suite, .created_at = sa->created_at, .established_at = sa->established_at,
        .rekey_at = sa->rekey_at, .reauth_at = sa->reauth_at, .last_heard_at = sa->heard_at,
        .retransmits = sa->retransmits, .waiting = waiting_for(sa), .n_children = count_children(sa),
        .window_in = sa->window, .window_out = sa->peer_window,
    };
    fill_tasks(sa, out);
    peer_status(sa, out);
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.status)
            ike_exts[i]->on.status(sa, out);
}

bool adit_ike_sa_next(const struct adit_ike *engine, uint32_t *cursor, struct adit_ike_info *out)
{
    struct ike_sa *sa = sa_after((const struct ike *)engine, *cursor);
    if (!sa)
        return false;
    *cursor = sa->id;
    fill_sa(sa, out);
    return true;
}

bool adit_ike_pool_info(const struct adit_ike *engine, size_t index, struct adit_pool_info *out)
{
    return leases_pool(&((const struct ike *)engine)->leases, index, out);
}

bool adit_ike_lease_info(const struct adit_ike *engine, size_t pool, size_t index, struct adit_lease_info *out)
{
    return leases_lease(&((const struct ike *)engine)->leases, pool, index, out);
}

bool adit_ike_child_info(const struct adit_ike *engine, uint32_t ike_id, unsigned index, struct adit_child_info *out)
{
    struct ike_sa *sa = sa_by_id((const struct ike *)engine, ike_id);
    if (!sa)
        return false;
    list_for_each(it, &sa->children) {
        struct ike_child *c = list_entry(it, struct ike_child, link);
        if (index--)
            continue;
        *out = (struct adit_child_info){ .id = c->id, .reqid = c->reqid, .state = c->state,
                                         .installed_at = c->installed_at, .rekey_at = c->rekey_at,
                                         .expire_at = c->expire_at };
        child_spec(c, &out->spec);
        return true;
    }
    return false;
}
