/* window.c - which requests are under way in both directions, their message IDs, and the answers that are kept for when
 * the peer repeats its requests (RFC 7296 s2.1 - s2.3). */
#include "ike/sa.h"

static struct ike_xchg *first(const struct list *l)
{
    return list_empty(l) ? NULL : list_entry(l->next, struct ike_xchg, link);
}

struct ike_xchg *sa_out(const struct ike_sa *sa)
{
    return first(&sa->out);
}

struct ike_xchg *sa_in(const struct ike_sa *sa)
{
    return first(&sa->in);
}

struct ike_xchg *sa_next_out(const struct ike_sa *sa, const struct ike_xchg *after)
{
    const struct list *at = after ? &after->link : &sa->out;
    return at->next == &sa->out ? NULL : list_entry(at->next, struct ike_xchg, link);
}

struct ike_task *sa_out_task(const struct ike_sa *sa, enum task_kind kind, uint32_t child_id)
{
    for (struct ike_xchg *x = NULL; (x = sa_next_out(sa, x));)
        if (x->task && x->task->kind == kind && x->task->child_id == child_id)
            return x->task;
    return NULL;
}

/* --- our requests -------------------------------------------------------------------------------------------------- */

struct ike_xchg *window_waiting(const struct ike_sa *sa, const struct ike_hdr *response)
{
    for (struct ike_xchg *x = NULL; (x = sa_next_out(sa, x));)
        if (x->phase == PHASE_SENT && x->msgid == response->msgid && x->exchange == response->exchange)
            return x;
    return NULL;
}

/* RFC 7296 s2.3: request X waits for the answers to all up to X - N. Those that are still being built get theirs, too. */
bool window_has_room(const struct ike_sa *sa)
{
    unsigned window = sa->state < SA_ESTABLISHED ? 1 : sa->peer_window;
    uint32_t oldest = sa->next_send, next = sa->next_send;
    if (next == UINT32_MAX)
        return false; /* s2.2: no ID is used twice */
    for (const struct ike_xchg *x = NULL; (x = sa_next_out(sa, x));)
        if (!x->numbered)
            next++;
        else if (x->msgid < oldest)
            oldest = x->msgid;
    return next - oldest < window;
}

/* --- the peer's ---------------------------------------------------------------------------------------------------- */

static const struct ike_reply *place(const struct ike_sa *sa, uint32_t msgid)
{
    return sa->replies ? &sa->replies[msgid % sa->window] : &sa->reply;
}

const struct ike_reply *window_reply(const struct ike_sa *sa, uint32_t msgid)
{
    const struct ike_reply *r = place(sa, msgid);
    return r->wire && r->msgid == msgid ? r : NULL;
}

uint32_t window_after(const struct ike_sa *sa)
{
    uint32_t after = sa->next_expect;
    for (unsigned i = 1; i < sa->window; i++)
        if (window_reply(sa, sa->next_expect + i))
            after = sa->next_expect + i + 1;
    return after;
}

bool window_has_replied(const struct ike_sa *sa)
{
    for (unsigned i = 0; i < sa->window; i++)
        if (place(sa, i)->wire)
            return true;
    return false;
}

static bool in_work(const struct ike_sa *sa, uint32_t msgid)
{
    list_for_each(it, &sa->in)
        if (list_entry(it, struct ike_xchg, link)->msgid == msgid)
            return true;
    return false;
}

/* It is 1 until the initial exchanges are done, whatever has been said in them. */
static unsigned window_of(const struct ike_sa *sa)
{
    return sa->state < SA_ESTABLISHED ? 1 : sa->window;
}

bool window_takes(const struct ike_sa *sa, uint32_t msgid)
{
    bool inside = msgid >= sa->next_expect && msgid - sa->next_expect < window_of(sa) && msgid != UINT32_MAX;
    return inside && !window_reply(sa, msgid) && !in_work(sa, msgid);
}

bool window_is_overtaken(const struct ike_sa *sa, uint32_t msgid)
{
    for (uint32_t later = 1; later < sa->window; later++)
        if (window_reply(sa, msgid + later) || in_work(sa, msgid + later))
            return true;
    return false;
}

enum adit_rc window_grow(struct ike_sa *sa, unsigned n)
{
    struct ike_reply *v = n > sa->window && !sa->replies ? mem_new_array(n, sizeof(*v)) : NULL;
    if (!v)
        return n <= sa->window ? ADIT_OK : ADIT_ERR_MEMORY;
    v[sa->reply.msgid % n] = sa->reply;
    sa->reply = (struct ike_reply){ 0 };
    sa->replies = v;
    sa->window = (uint8_t)n;
    return ADIT_OK;
}

/* The answer whose place it takes is that of a request one window earlier: who sends this one has got it. */
void window_store(struct ike_sa *sa, uint32_t msgid, struct ike_wire *wire, const uint8_t digest[16])
{
    struct ike_reply *r = sa->replies ? &sa->replies[msgid % sa->window] : &sa->reply;
    flight_stop(r->wire);
    wire_unref(r->wire);
    r->wire = wire_ref(wire);
    r->msgid = msgid;
    sa_drop_crypts_before(sa);
    span_copy(r->digest, span(digest, sizeof(r->digest)));
    while (window_reply(sa, sa->next_expect))
        sa->next_expect++;
}

bool window_recut(struct ike_sa *sa, uint32_t msgid, const uint8_t digest[16])
{
    struct ike_reply *r = sa->replies ? &sa->replies[msgid % sa->window] : &sa->reply;
    span_copy(r->digest, span(digest, sizeof(r->digest)));
    (void)!msg_recut(sa, &r->wire, true);
    return true;
}

/* --- SET_WINDOW_SIZE ------------------------------------------------------------------------------------------------ */

static bool may_tell(const struct ike_xchg *x)
{
    return x->exchange == XCHG_IKE_AUTH || x->exchange == XCHG_CREATE_CHILD_SA || x->exchange == XCHG_INFORMATIONAL;
}

void window_put(struct ike_xchg *x, struct wr *w)
{
    struct ike_sa *sa = x->sa;
    unsigned n = sa->conn ? sa->conn->cfg->window : 0;
    uint8_t mem[4];
    struct wr data;
    if (n < 2 || sa->window_told || sa->state == SA_DELETING || !may_tell(x))
        return;
    if (window_grow(sa, n < IKE_WINDOW_MAX ? n : IKE_WINDOW_MAX) != ADIT_OK)
        return; /* the next message says it, if there is memory then */
    wr_init(&data, mem, sizeof(mem));
    wr_u32(&data, sa->window);
    notify_put(w, N_SET_WINDOW_SIZE, wr_written(&data));
    x->tells_window = true;
}

/* A status notify: what it should not be says nothing. */
void window_get(struct ike_xchg *x, const struct ike_msg *msg)
{
    struct notify n;
    x->window = 0;
    if (!may_tell(x) || !msg_notify(msg, N_SET_WINDOW_SIZE, &n) || n.data.n != 4)
        return;
    struct rd in = rd_init(n.data);
    uint32_t size = rd_u32(&in);
    x->window = (uint8_t)(size < IKE_WINDOW_MAX ? size : IKE_WINDOW_MAX);
}

/* RFC 7296 s2.3: it can only grow. */
void window_commit(struct ike_xchg *x)
{
    struct ike_sa *sa = x->sa;
    sa->window_told |= x->tells_window;
    if (x->window <= sa->peer_window)
        return;
    sa->peer_window = x->window;
    sa_log(sa, ADIT_LOG_MORE, "IKE", "%u requests may be under way to the peer at once", sa->peer_window);
}

unsigned sa_window(const struct ike_sa *sa, bool answers)
{
    return answers ? sa->peer_window : sa->window;
}

void window_watch(struct ike_sa *sa)
{
    uint32_t id = sa->next_send > sa->next_expect ? sa->next_send : sa->next_expect;
    if (id < IKE_IDS_REKEY || sa->state != SA_ESTABLISHED)
        return;
    if (id >= IKE_IDS_END)
        sa_delete(sa, "its message IDs have run out");
    else if (id % IKE_IDS_EACH == 0)
        sa->rekey_at = sa->ike->now;
}

/* --- the end ------------------------------------------------------------------------------------------------------- */

void window_forget(struct ike_sa *sa)
{
    list_for_each_safe(out, &sa->out)
        xchg_free(list_entry(out, struct ike_xchg, link));
    list_for_each_safe(in, &sa->in)
        xchg_free(list_entry(in, struct ike_xchg, link));
}

void window_fini(struct ike_sa *sa)
{
    window_forget(sa);
    for (unsigned i = 0; i < sa->window && sa->replies; i++)
        wire_unref(sa->replies[i].wire);
    wire_unref(sa->reply.wire);
    mem_del(sa->replies);
}
