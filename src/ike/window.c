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
    uint32_t oldest = sa->next_send, next = sa->next_send;
    for (const struct ike_xchg *x = NULL; (x = sa_next_out(sa, x));)
        if (!x->numbered)
            next++;
        else if (x->msgid < oldest)
            oldest = x->msgid;
    return next - oldest < sa->peer_window;
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

bool window_takes(const struct ike_sa *sa, uint32_t msgid)
{
    return msgid - sa->next_expect < sa->window && !window_reply(sa, msgid) && !in_work(sa, msgid);
}

/* The answer whose place it takes is that of a request one window earlier: who sends this one has got it. */
void window_store(struct ike_sa *sa, uint32_t msgid, struct ike_wire *wire, const uint8_t digest[16])
{
    struct ike_reply *r = sa->replies ? &sa->replies[msgid % sa->window] : &sa->reply;
    wire_unref(r->wire);
    r->wire = wire_ref(wire);
    r->msgid = msgid;
    span_copy(r->digest, span(digest, sizeof(r->digest)));
    while (window_reply(sa, sa->next_expect))
        sa->next_expect++;
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
