/* fetch.c - what an exchange needs and only the host can get, named by a URL: it leaves as ADIT_EV_FETCH and comes back by
 * adit_ike_fetched(). Strangers can make a gateway ask: an exchange has one out at a time, few in all, and the engine a
 * ceiling; one that the host never answers for ends by itself. */
#include "ike/sa.h"

static void take_back(struct ike_fetch *f)
{
    list_remove(&f->link);
    f->x->fetch = NULL;
    f->x->ike->n_fetches--;
}

static void answered(struct ike_fetch *f, enum adit_rc rc)
{
    f->rc = rc;
    f->state = 2;
    take_back(f);
    xchg_resume(f->x);
}

void fetch_forget(struct ike_xchg *x)
{
    if (x->fetch)
        take_back(x->fetch);
}

static enum adit_rc hand_out(struct ike_xchg *x, struct ike_fetch *f, const char *url, size_t most)
{
    struct ike *ike = x->ike;
    if (x->fetch || x->n_fetches == IKE_FETCHES_PER_EXCHANGE || ike->n_fetches == IKE_FETCHES_MAX)
        return ADIT_ERR_LIMIT;
    struct adit_event *ev = event_add(ike, ADIT_EV_FETCH);
    if (!ev)
        return ADIT_ERR_MEMORY;
    f->x = x;
    f->id = ++ike->last_fetch;
    f->until = ike->now + IKE_FETCH_LIFE;
    f->most = most;
    f->state = 1;
    event_text(ike, ev, url);
    ev->cookie = f->id;
    ev->most = most;
    ev->ike_id = x->sa->id;
    list_append(&ike->fetches, &f->link);
    ike->n_fetches++;
    x->fetch = f;
    x->n_fetches++;
    x->waiting = "fetch";
    sa_log(x->sa, ADIT_LOG_INFO, "IKE", "fetching %s", url);
    return ADIT_WAIT;
}

enum adit_rc xchg_fetch(struct ike_xchg *x, struct ike_fetch *f, const char *url, size_t most)
{
    if (f->state == 1)
        return ADIT_WAIT;
    return f->state == 2 ? f->rc : hand_out(x, f, url, most);
}

static struct ike_fetch *first_of(const struct ike_sa *sa)
{
    list_for_each(it, &sa->ike->fetches) {
        struct ike_fetch *f = list_entry(it, struct ike_fetch, link);
        if (f->x->sa == sa)
            return f; /* all have the same time: it is the first to be due */
    }
    return NULL;
}

uint64_t fetch_deadline(const struct ike_sa *sa)
{
    const struct ike_fetch *f = first_of(sa);
    return f ? f->until : UINT64_MAX;
}

void fetch_timer(struct ike_sa *sa)
{
    struct ike_fetch *f;
    while (!sa->cut && (f = first_of(sa)) && f->until <= sa->ike->now) {
        sa_log(sa, ADIT_LOG_INFO, "IKE", "what was to be fetched has not come");
        answered(f, ADIT_ERR_TIMEOUT);
    }
}

static struct ike_fetch *find(const struct ike *ike, uint64_t id)
{
    list_for_each(it, &ike->fetches) {
        struct ike_fetch *f = list_entry(it, struct ike_fetch, link);
        if (f->id == id)
            return f;
    }
    return NULL;
}

static enum adit_rc keep(struct ike_fetch *f, struct adit_span data, const char *error)
{
    struct ike_sa *sa = f->x->sa;
    if (error || !data.n || data.n > f->most) {
        sa_log(sa, ADIT_LOG_INFO, "IKE", "fetching failed: %s", error ? error : data.n ? "it is too long" : "it is empty");
        return ADIT_ERR_IO;
    }
    f->data = arena_span(&f->x->arena, data);
    return f->data.p ? ADIT_OK : ADIT_ERR_MEMORY;
}

void adit_ike_fetched(struct adit_ike *engine, uint64_t cookie, const uint8_t *data, size_t n, const char *error,
                      uint64_t now)
{
    struct ike *ike = (struct ike *)engine;
    struct ike_fetch *f = find(ike, cookie);
    ike->now = now;
    if (!f)
        return; /* who asked has gone */
    struct ike_sa *sa = f->x->sa;
    answered(f, keep(f, span(data, n), error));
    sa_arm(sa);
    ike_sweep(ike);
}
