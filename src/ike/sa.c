/* sa.c - the life of an IKE SA: birth, states, what comes next, end. */
#include <stdarg.h>
#include <stdio.h>
#include "ike/sa.h"

uint64_t sa_our_spi(const struct ike_sa *sa)
{
    return sa->is_initiator ? sa->spi_i : sa->spi_r;
}

static bool fresh_spi(struct ike *ike, uint64_t *spi)
{
    for (int tries = 0; tries < 8; tries++)
        if (ike_random(ike, spi, sizeof(*spi)) && *spi && !map_get(&ike->by_spi, *spi))
            return true;
    return false;
}

struct ike_sa *sa_new(struct ike *ike, bool is_initiator, const struct adit_path *path)
{
    uint64_t spi;
    struct ike_sa *sa = fresh_spi(ike, &spi) ? mem_new(sizeof(*sa)) : NULL;
    if (!sa)
        return NULL;
    sa->id = ike->next_id++;
    if (timer_set(&ike->timers, &sa->timer, UINT64_MAX) != ADIT_OK || /* an SA without timer would never end */
        map_put(&ike->by_id, sa->id, sa) != ADIT_OK) {
        timer_stop(&ike->timers, &sa->timer);
        mem_del(sa);
        return NULL;
    }
    *(is_initiator ? &sa->spi_i : &sa->spi_r) = spi;
    sa->ike = ike;
    sa->policy = policy_ref(ike->policy);
    sa->lineage = sa->id;
    sa->is_initiator = is_initiator;
    sa->path = *path;
    sa->created_at = sa->heard_at = sa->sent_at = ike->now;
    sa->window = sa->peer_window = 1;
    list_init(&sa->out);
    list_init(&sa->in);
    list_init(&sa->flights);
    list_init(&sa->tasks);
    list_init(&sa->children);
    list_init(&sa->pendings);
    list_init(&sa->ended);
    list_init(&sa->of_peer.link);
    list_init(&sa->of_remote.link);
    list_init(&sa->of_conn.link);
    list_append(&ike->unknown, &sa->unknown);
    list_init(&sa->held);
    list_init(&sa->held_of_share);
    list_append(&ike->sas, &sa->link);
    ike->n_sas++;
    if (!is_initiator) {
        sa->half_open = true;
        sa->die_at = ike->now + SECONDS(sa->policy->settings.half_open_timeout_s);
        halfopen_add(ike, &path->remote.addr);
    }
    return sa;
}

void sa_index(struct ike_sa *sa)
{
    if (map_put(&sa->ike->by_spi, sa_our_spi(sa), sa) != ADIT_OK)
        sa_end(sa, ADIT_ERR_MEMORY, "out of memory");
}

static void unindex(struct ike_sa *sa)
{
    struct ike *ike = sa->ike;
    if (map_get(&ike->by_spi, sa_our_spi(sa)) == sa)
        map_del(&ike->by_spi, sa_our_spi(sa));
    if (sa->init_key && map_get(&ike->by_init, sa->init_key) == sa)
        map_del(&ike->by_init, sa->init_key);
    sa->init_key = 0;
}

void sa_leave_half_open(struct ike_sa *sa)
{
    if (!sa->half_open)
        return;
    sa->half_open = false;
    unproven_del(sa);
    halfopen_del(sa->ike, &sa->reply_path.remote.addr);
}

void sa_drop_ext(struct ike_sa *sa)
{
    for (unsigned i = 0; i < EXT_COUNT; i++) {
        if (!sa->ext[i])
            continue;
        if (ike_exts[i]->on.fini)
            ike_exts[i]->on.fini(sa, sa->ext[i]);
        mem_wipe(sa->ext[i], ike_exts[i]->sa_size);
        mem_del(sa->ext[i]);
        sa->ext[i] = NULL;
    }
}

static void free_init_messages(struct ike_sa *sa)
{
    buf_fini(&sa->init_req);
    buf_fini(&sa->init_resp);
    buf_fini(&sa->certreq);
}

void sa_free(struct ike_sa *sa)
{
    struct ike *ike = sa->ike;
    sa_leave_half_open(sa);
    unproven_del(sa); /* an established one may hold half of a long message, too */
    unindex(sa);
    peers_del(sa);
    timer_stop(&ike->timers, &sa->timer);
    list_for_each_safe(child, &sa->children)
        child_remove(list_entry(child, struct ike_child, link), 0, NULL);
    list_for_each_safe(pending, &sa->pendings)
        pending_free(list_entry(pending, struct ike_pending, link));
    list_for_each_safe(task, &sa->tasks)
        task_free(list_entry(task, struct ike_task, link));
    flights_stop(sa);
    window_fini(sa);
    ahead_forget(sa);
    sa_drop_crypts(sa);
    keys_fini(&sa->keys);
    sa_drop_ext(sa);
    free_init_messages(sa);
    known_free(sa->known);
    buf_fini(&sa->nonce_i);
    buf_fini(&sa->nonce_r);
    buf_fini(&sa->id_local);
    buf_fini(&sa->id_remote);
    map_del(&ike->by_id, sa->id);
    list_remove(&sa->ended);
    list_remove(&sa->link);
    if (sa->state != SA_DEAD)
        ike->n_sas--;
    policy_unref(sa->policy);
    mem_del(sa);
}

struct ike_sa *sa_by_id(const struct ike *ike, uint32_t id)
{
    struct ike_sa *sa = map_get(&ike->by_id, id);
    return sa && !sa->cut ? sa : NULL;
}

const char *sa_conn_name(const struct ike_sa *sa)
{
    return sa->conn ? sa->conn->cfg->name : "(unnamed)";
}

static void tell(struct ike_sa *sa, enum adit_event_type type, uint32_t old_id, const char *why)
{
    struct adit_event *ev = event_add(sa->ike, type);
    if (!ev)
        return;
    event_text(sa->ike, ev, sa_conn_name(sa));
    ev->conn = ev->text;
    event_text(sa->ike, ev, why);
    ev->ike_id = sa->id;
    ev->old_ike_id = old_id;
    ev->path = sa->path;
}

void sa_set_state(struct ike_sa *sa, enum sa_state state)
{
    if (state == SA_DEAD && sa->state != SA_DEAD)
        sa->ike->n_sas--; /* what is kept only to repeat its last answer does not count */
    sa->state = state;
}

void sa_bound_life(struct ike_sa *sa)
{
    if (sa->reauth_by && (!sa->expire_at || sa->expire_at > sa->reauth_by))
        sa->expire_at = sa->reauth_by;
}

/* Lifetimes are spread so that both ends, and many SAs, do not rekey at the same moment (RFC 7296 s2.8). */
static void start_lifetimes(struct ike_sa *sa)
{
    const struct adit_conn *c = sa->conn->cfg;
    uint64_t now = sa->ike->now, spread = ike_jitter(sa->ike, SECONDS(c->rand_s) + 1);
    if (c->rekey_s)
        sa->rekey_at = now + SECONDS(c->rekey_s) - (spread < SECONDS(c->rekey_s) ? spread : 0);
    if (c->reauth_s)
        sa->reauth_at = now + SECONDS(c->reauth_s) - (spread < SECONDS(c->reauth_s) ? spread : 0);
    uint64_t longest = c->rekey_s > c->reauth_s ? c->rekey_s : c->reauth_s;
    sa->expire_at = longest ? now + SECONDS(longest + c->over_s) + IKE_OVER_MIN : 0;
    sa->reauth_by = c->reauth_s ? now + SECONDS(c->reauth_s + c->over_s) + IKE_OVER_MIN : 0;
    known_bound_life(sa);
    sa_bound_life(sa);
}

void sa_established(struct ike_sa *sa)
{
    STRBUF(line, 400);
    sa_leave_half_open(sa);
    if (sa->init_key)
        map_del(&sa->ike->by_init, sa->init_key);
    sa->init_key = 0;
    free_init_messages(sa);
    sa_set_state(sa, SA_ESTABLISHED);
    sa->established_at = sa->ike->now;
    sa->die_at = 0;
    sa->failure[0] = 0;
    start_lifetimes(sa);
    conn_up(sa->ike, sa_conn_name(sa));
    ike_count(sa->ike, sa, ADIT_C_IKE_UP);
    endpoint_print(&line, &sa->path.local);
    strbuf_add(&line, "...");
    endpoint_print(&line, &sa->path.remote);
    sa_log(sa, ADIT_LOG_AUDIT, "IKE", "IKE_SA %s[%u] established between %s", sa_conn_name(sa), sa->id, line.p);
    tell(sa, ADIT_EV_IKE_UP, 0, "");
    event_done(sa->ike, sa->wait_cookie, ADIT_OK, "");
    sa->wait_cookie = 0;
    known_replace(sa);
    peers_established(sa);
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.life)
            ike_exts[i]->on.life(sa, LIFE_ESTABLISHED, NULL);
}

static void end_tasks(struct ike_sa *sa, enum adit_rc rc, const char *why)
{
    peers_hand_on(sa);
    event_done(sa->ike, sa->wait_cookie, rc, why);
    sa->wait_cookie = 0;
    for (struct ike_xchg *x = NULL; (x = sa_next_out(sa, x));) {
        struct ike_task *t = x->task;
        x->task = NULL;
        if (t)
            task_end(sa, t, t->kind == TASK_DELETE_IKE ? ADIT_OK : rc, why);
    }
    list_for_each_safe(it, &sa->tasks) {
        list_remove(it);
        struct ike_task *t = list_entry(it, struct ike_task, link);
        task_end(sa, t, t->kind == TASK_DELETE_IKE ? ADIT_OK : rc, why);
    }
}

/* Children go with their IKE SA; those whose connection asks for it are started again. */
static void end_children(struct ike_sa *sa, enum adit_rc rc, const char *why)
{
    bool dead = rc == ADIT_ERR_TIMEOUT;
    list_for_each_safe(it, &sa->children) {
        struct ike_child *c = list_entry(it, struct ike_child, link);
        const struct adit_child_cfg *cfg = c->cfg;
        bool wanted = !c->resource && (c->state == ADIT_CHILD_INSTALLED || c->state == ADIT_CHILD_REKEYING);
        c->end = sa->quiet ? ADIT_OK : rc;
        /* Packets under way when another IKE SA takes its place; else nothing is to come through any more. */
        child_remove(c, standby_relieve(c) ? IKE_CHILD_GRACE : 0, why);
        if (wanted && !sa->quiet)
            child_lost(sa, cfg, dead ? cfg->dpd_action : cfg->close_action);
    }
    list_for_each_safe(p, &sa->pendings)
        pending_fail(list_entry(p, struct ike_pending, link), rc, why);
}

static void end_extensions(struct ike_sa *sa)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.life)
            ike_exts[i]->on.life(sa, LIFE_ENDED, NULL);
}

/* The same attempt at that place, NULL: where it was; it takes over what was to be done. */
static struct ike_sa *start_again(struct ike_sa *sa, const struct adit_path *place)
{
    struct adit_why w;
    struct adit_path known = { .local = { sa->path.local.addr, sa->reply_path.local.port },
                               .remote = { sa->path.remote.addr, sa->reply_path.remote.port } };
    struct ike_sa *fresh = sa_start(sa->ike, sa->policy, sa->conn, place ? place : &known, &w);
    if (!fresh)
        return NULL;
    fresh->reauth_of = sa->reauth_of;
    fresh->wait_cookie = sa->wait_cookie;
    sa->wait_cookie = 0;
    list_for_each_safe(it, &sa->tasks) {
        list_remove(it);
        list_append(&fresh->tasks, it);
    }
    sa_arm(fresh);
    return fresh;
}

/* keyingtries: the same attempt again, with everything that was to be done in it; by IKE_SA_INIT if it was opened in
 * another way. */
static void try_again(struct ike_sa *sa, enum adit_rc rc)
{
    bool otherwise = opening_of(sa->opened_by) && rc != ADIT_ERR_CLOSED && rc != ADIT_ERR_MEMORY;
    if (!sa->is_initiator || sa->state >= SA_ESTABLISHED || sa->quiet)
        return;
    if (sa->placeless && !otherwise)
        return; /* its name does not resolve: whoever wants it asks again later */
    if (otherwise)
        opening_failed(sa, rc);
    else if (rc != ADIT_ERR_TIMEOUT || sa->tries_left == 1)
        return;
    struct ike_sa *fresh = start_again(sa, sa->home.remote.addr.family ? &sa->home : NULL);
    if (!fresh)
        return;
    if (!otherwise && !sa->home.remote.addr.family && conn_has_name(sa->conn->cfg))
        (void)!sa_ask_name(fresh); /* the peer may have another address by now */
    fresh->tries_left = sa->tries_left && !otherwise ? sa->tries_left - 1 : sa->tries_left;
}

struct ike_sa *sa_begin_anew(struct ike_sa *sa, const char *why)
{
    struct ike_sa *fresh = start_again(sa, NULL);
    if (!fresh)
        return NULL;
    fresh->home = sa->home;
    fresh->tries_left = sa->tries_left;
    sa->successor = fresh->id; /* not a failure */
    sa->quiet = true;
    sa_log(sa, ADIT_LOG_INFO, "IKE", "%s", why);
    sa_end(sa, ADIT_ERR_CLOSED, why);
    return fresh;
}

static void note_end(struct ike_sa *sa, enum adit_rc rc, const char *why)
{
    bool was_up = sa->established_at != 0;
    bool lost = rc == ADIT_ERR_TIMEOUT && sa->state == SA_ESTABLISHED && !sa->quiet;
    if (sa->successor)
        return;
    if (was_up)
        ike_count(sa->ike, sa, ADIT_C_IKE_DOWN);
    else if (sa->conn)
        ike_count(sa->ike, sa, ADIT_C_IKE_FAILED);
    bool news = !sa->conn || conn_down(sa->ike, sa_conn_name(sa), was_up, why);
    sa_log(sa, news ? ADIT_LOG_AUDIT : ADIT_LOG_MORE, "IKE", "IKE_SA %s[%u] %s: %s", sa_conn_name(sa), sa->id, was_up ? "closed" : "failed", why);
    if (was_up)
        tell(sa, ADIT_EV_IKE_DOWN, 0, why);
    for (unsigned i = 0; was_up && i < EXT_COUNT; i++)
        if (ike_exts[i]->on.life)
            ike_exts[i]->on.life(sa, lost ? LIFE_LOST : LIFE_CLOSED, NULL);
}

void sa_end(struct ike_sa *sa, enum adit_rc rc, const char *why)
{
    if (sa->cut)
        return;
    if (sa->state != SA_DEAD) {
        try_again(sa, rc);
        note_end(sa, rc, why);
        sa->cut = true; /* now: what its children want to be begun anew is not for this one */
        end_children(sa, rc, why);
        end_extensions(sa);
        end_tasks(sa, rc, why);
    }
    sa->cut = true;
    list_append(&sa->ike->ended, &sa->ended);
    sa_leave_half_open(sa);
    sa_set_state(sa, SA_DEAD);
    unindex(sa);
    timer_stop(&sa->ike->timers, &sa->timer);
}

void sa_linger(struct ike_sa *sa, enum adit_rc rc, const char *why)
{
    if (sa->cut || sa->state == SA_DEAD)
        return;
    if (!window_has_replied(sa) || !sa->keyed) {
        sa_end(sa, rc, why);
        return;
    }
    note_end(sa, rc, why);
    sa_set_state(sa, SA_DEAD); /* before its children go: what they want to be begun anew is not for this one */
    end_children(sa, rc, why);
    end_extensions(sa);
    end_tasks(sa, rc, why);
    sa_leave_half_open(sa);
    sa->rekey_at = sa->reauth_at = sa->expire_at = 0;
    sa->die_at = sa->ike->now + IKE_DELETED_LIFE;
    window_forget(sa);
    sa_arm(sa);
}

void sa_fail(struct ike_sa *sa, enum adit_rc rc, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    sa_end(sa, rc, text);
}

void sa_delete(struct ike_sa *sa, const char *why)
{
    if (sa->cut || sa->state == SA_DEAD || sa->state == SA_DELETING)
        return;
    if (sa->state < SA_ESTABLISHED) {
        sa_end(sa, ADIT_ERR_CLOSED, why);
        return;
    }
    strbuf_add(&(struct strbuf){ sa->failure, 0, sizeof(sa->failure) }, why);
    if (!agenda_find(sa, TASK_DELETE_IKE, 0))
        agenda_add(sa, TASK_DELETE_IKE, &step_delete_ike_req);
    sa_arm(sa);
}

const struct ike_step *sa_before_auth(struct ike_sa *sa, enum xchg_role role, const struct ike_msg *msg)
{
    for (unsigned e = 0; e < EXT_COUNT; e++)
        for (unsigned k = 0; ike_exts[e]->steps && ike_exts[e]->steps[k]; k++) {
            const struct ike_step *s = ike_exts[e]->steps[k];
            if (s->role == role && s->exchange != XCHG_IKE_AUTH && s->want && s->want(sa, msg) == WANT_OPEN)
                return s;
        }
    return NULL;
}

static void connect_next(struct ike_sa *sa)
{
    const struct ike_step *step;
    enum adit_rc rc;
    if (!sa->keyed) {
        if (!opening_begins(sa))
            return;
        step = opening_step(sa);
        sa->opened_by = step->exchange;
        rc = xchg_open(sa, step->exchange, step, NULL);
    } else if ((step = sa_before_auth(sa, XCHG_REQUESTER, NULL))) {
        rc = xchg_open(sa, step->exchange, step, NULL);
    } else {
        sa_set_state(sa, SA_AUTHENTICATING);
        rc = xchg_open(sa, XCHG_IKE_AUTH, &step_auth_req, NULL);
    }
    if (rc != ADIT_OK && !sa->cut)
        sa_end(sa, rc, adit_rc_name(rc));
}

static void open_task(struct ike_sa *sa, struct ike_task *t)
{
    if (t->kind == TASK_DELETE_IKE) {
        sa_set_state(sa, SA_DELETING);
        standby_relieve_all(sa);
    }
    if (xchg_open(sa, t->step->exchange, t->step, t) != ADIT_OK)
        agenda_again(sa, t, IKE_TEMPORARY_RETRY_MIN);
}

static bool may_open_more(const struct ike_sa *sa)
{
    return !sa->cut && sa->state >= SA_ESTABLISHED && sa->state != SA_DEAD && window_has_room(sa);
}

void sa_advance(struct ike_sa *sa)
{
    struct ike_task *t;
    if (sa->cut || !window_has_room(sa) || sa->state == SA_DEAD || sa->placeless)
        return;
    if (sa->state < SA_ESTABLISHED && sa->is_initiator)
        connect_next(sa);
    while (may_open_more(sa) && (t = agenda_take(sa)))
        open_task(sa, t);
    if (!sa->cut && sa->state >= SA_ESTABLISHED && !sa_out(sa) && !sa_in(sa))
        sa_drop_crypts(sa); /* idle: the library's contexts are the largest part of an SA */
    if (!sa->cut)
        sa_arm(sa);
}
