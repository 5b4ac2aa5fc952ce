/* keeper.c - see keeper.h. The engine begins anew at once what dpd_action and close_action want; this one sees to it that
 * it does not end with that attempt, nor with an SA that ended in another way. */
#include "daemon/keeper.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "model/model.h"

#define SOON_MS 3000 /* no attempt sooner after the one before, whatever happens */

struct keeper {
    struct list node;
    struct daemon *d;
    char *conn, *child;
    uv_timer_t timer;
    bool held, refused, was_up;
    unsigned failures;
    uint64_t down_at, next_at, tried_at; /* ns; 0 = not */
    char why[320];
};

/* --- how long to wait ------------------------------------------------------------------------------------------------ */

uint64_t keeper_delay_ms(unsigned failures, bool refused, uint32_t random)
{
    uint64_t ms = refused ? 4000 : SOON_MS, most = refused ? 900000 : 60000;
    for (unsigned i = 1; i < failures && ms < most; i++)
        ms *= refused ? 3 : 2;
    ms = ms < most ? ms : most;
    return ms - ms / 8 + random % (ms / 4); /* those that failed together do not come back together */
}

static uint32_t some_random(void)
{
    uint32_t r = 0;
    if (uv_random(NULL, NULL, &r, sizeof(r), 0, NULL))
        r = (uint32_t)daemon_now();
    return r;
}

/* Answers of a peer that is there and does not want us, or a configuration that can't work. */
static bool is_refusal(enum adit_rc rc)
{
    return rc != ADIT_OK && rc != ADIT_ERR_TIMEOUT && rc != ADIT_ERR_IO && rc != ADIT_ERR_MEMORY &&
           rc != ADIT_ERR_CLOSED && rc != ADIT_ERR_TEMPORARY && rc != ADIT_ERR_LIMIT;
}

/* --- life -------------------------------------------------------------------------------------------------------------- */

static struct keeper *find(const struct daemon *d, const char *conn, const char *child)
{
    list_for_each (it, &d->keepers) {
        struct keeper *k = list_entry(it, struct keeper, node);
        if (!strcmp(k->conn, conn) && !strcmp(k->child, child))
            return k;
    }
    return NULL;
}

static void on_closed(uv_handle_t *handle)
{
    struct keeper *k = handle->data;
    mem_del(k->conn);
    mem_del(k->child);
    mem_del(k);
}

static void let_go(struct keeper *k)
{
    list_remove(&k->node);
    uv_close((uv_handle_t *)&k->timer, on_closed);
}

static struct keeper *keeper_of(struct daemon *d, const char *conn, const char *child)
{
    struct keeper *k = find(d, conn, child);
    if (k || !(k = mem_new(sizeof(*k))))
        return k;
    k->d = d;
    k->conn = mem_strdup(conn);
    k->child = mem_strdup(child);
    if (!k->conn || !k->child) {
        mem_del(k->conn);
        mem_del(k->child);
        mem_del(k);
        return NULL;
    }
    k->timer.data = k;
    uv_timer_init(&d->loop, &k->timer);
    list_append(&d->keepers, &k->node);
    return k;
}

/* --- trying -------------------------------------------------------------------------------------------------------------- */

static const struct adit_child_cfg *cfg_of(const struct daemon *d, const char *conn_name, const char *child)
{
    const struct adit_config *cfg = adit_ike_get_config(d->ike);
    const struct adit_conn *conn = cfg ? adit_config_conn(cfg, conn_name) : NULL;
    return conn ? conn_child(conn, child) : NULL;
}

static bool is_live(const struct keeper *k)
{
    const struct journal_entry *e = journal_find(&k->d->journal, k->conn, k->child);
    return e && e->live;
}

static void on_timer(uv_timer_t *timer);

static void wait_ms(struct keeper *k, uint64_t ms)
{
    k->next_at = daemon_now() + ms * 1000000;
    uv_update_time(&k->d->loop);
    uv_timer_start(&k->timer, on_timer, ms, 0);
}

static void wait_longer(struct keeper *k)
{
    k->failures++;
    wait_ms(k, keeper_delay_ms(k->failures, k->refused, some_random()));
}

static void try_now(struct keeper *k)
{
    uv_timer_stop(&k->timer);
    k->next_at = 0;
    k->tried_at = daemon_now();
    if (!waiting_attempt(k->d, k->conn, k->child))
        wait_longer(k); /* memory is out */
}

static void on_timer(uv_timer_t *timer)
{
    struct keeper *k = timer->data;
    const struct adit_child_cfg *child = cfg_of(k->d, k->conn, k->child);
    uint8_t wants = child ? child->start_action | child->dpd_action | child->close_action : 0;
    k->next_at = 0;
    if (!(wants & ADIT_ACTION_START))
        let_go(k);
    else if (k->held || k->d->stopping || is_live(k))
        return;
    else if (waiting_wants(k->d, k->conn, k->child)) /* others try: let them */
        wait_ms(k, SOON_MS);
    else
        try_now(k);
}

void keeper_start(struct daemon *d, const char *conn, const char *child)
{
    struct keeper *k = keeper_of(d, conn, child);
    if (!k)
        return;
    k->held = k->refused = false;
    k->failures = 0;
    if (!k->down_at && !is_live(k))
        k->down_at = daemon_now();
    try_now(k);
}

void keeper_forget(struct daemon *d, const char *conn, const char *child)
{
    struct keeper *k = find(d, conn, child);
    if (k)
        let_go(k);
}

/* --- what happens --------------------------------------------------------------------------------------------------------- */

static void say(struct keeper *k, enum adit_level level, const char *text)
{
    log_line(&k->d->log, &(struct log_line){ .level = level, .group = "CHD", .conn = k->conn, .text = text });
}

/* One line a change: the same reason again is for those who want more. */
static void say_failed(struct keeper *k, const char *why)
{
    char text[700];
    bool news = strncmp(k->why, why, sizeof(k->why) - 1) != 0;
    snprintf(k->why, sizeof(k->why), "%s", why);
    snprintf(text, sizeof(text), "child %s of %s is down: %s; trying again by itself, next in %" PRIu64 " s", k->child,
             k->conn, k->why, (k->next_at - daemon_now() + 999999999) / 1000000000);
    say(k, news ? ADIT_LOG_AUDIT : ADIT_LOG_MORE, text);
}

void keeper_tried(struct daemon *d, const char *conn, const char *child, enum adit_rc rc, const char *why)
{
    struct keeper *k = find(d, conn, child);
    if (!k || d->stopping || k->held || is_live(k))
        return;
    if (rc == ADIT_OK) /* closed again within the same instant */
        why = "closed as soon as it was up";
    k->refused = is_refusal(rc);
    wait_longer(k);
    say_failed(k, why);
}

static void come_back(struct keeper *k)
{
    struct journal_entry *e = journal_entry(&k->d->journal, k->conn, k->child);
    uint64_t away_ms = (daemon_now() - k->down_at) / 1000000;
    char text[700];
    if (e) {
        e->recoveries++;
        e->outage_ms += away_ms;
    }
    snprintf(text, sizeof(text), "child %s of %s is up again after %" PRIu64 ".%" PRIu64 " s", k->child, k->conn,
             away_ms / 1000, away_ms / 100 % 10);
    say(k, ADIT_LOG_AUDIT, text);
}

void keeper_up(struct daemon *d, const char *conn, const char *child)
{
    struct keeper *k = find(d, conn, child);
    if (!k)
        return;
    uv_timer_stop(&k->timer);
    if (k->down_at && k->was_up && !k->held)
        come_back(k);
    k->held = k->refused = false;
    k->was_up = true;
    k->failures = 0;
    k->next_at = k->down_at = 0;
    k->why[0] = 0;
}

uint8_t keeper_action(const struct adit_child_cfg *child, enum adit_rc rc)
{
    switch (rc) {
    case ADIT_ERR_TIMEOUT: return child->dpd_action;
    case ADIT_ERR_CLOSED: return child->close_action;
    default: return child->start_action | child->dpd_action | child->close_action;
    }
}

/* The engine may be at it already: its attempt is waited for, or joined. */
void keeper_down(struct daemon *d, const struct adit_event *ev)
{
    const struct adit_child_cfg *child = cfg_of(d, ev->conn, ev->child);
    struct keeper *k = find(d, ev->conn, ev->child);
    if (k && k->held)
        k->down_at = k->down_at ? k->down_at : daemon_now();
    if (!child || d->stopping || (k && k->held) || !(keeper_action(child, ev->rc) & ADIT_ACTION_START))
        return;
    if (ev->rc == ADIT_OK && !(child->start_action & ADIT_ACTION_START))
        return; /* ended by us, and nobody has asked for more */
    if (!(k = k ? k : keeper_of(d, ev->conn, ev->child)) || is_live(k))
        return;
    k->was_up = true;
    k->down_at = daemon_now();
    k->failures = 0;
    snprintf(k->why, sizeof(k->why), "%s", ev->text && *ev->text ? ev->text : "closed");
    wait_ms(k, keeper_delay_ms(1, false, some_random()));
}

/* --- by command ------------------------------------------------------------------------------------------------------------ */

static bool has_child(const struct daemon *d, const struct adit_command *sel, const struct keeper *k,
                      const struct adit_ike_info *ike)
{
    struct adit_child_info c;
    for (unsigned i = 0; adit_ike_child_info(d->ike, ike->id, i, &c); i++)
        if (c.spec.child && !strcmp(c.spec.child, k->child) && (!sel->child_id || c.id == sel->child_id) &&
            (!sel->reqid || c.reqid == sel->reqid))
            return true;
    return false;
}

static bool is_meant(const struct daemon *d, const struct adit_command *sel, const struct keeper *k)
{
    struct adit_ike_info ike;
    if ((sel->conn && strcmp(sel->conn, k->conn)) || (sel->child && strcmp(sel->child, k->child)))
        return false;
    if (!sel->ike_id && !sel->child_id && !sel->reqid)
        return true;
    for (uint32_t cursor = 0; adit_ike_sa_next(d->ike, &cursor, &ike);)
        if (ike.conn && !strcmp(ike.conn, k->conn) && (!sel->ike_id || ike.id == sel->ike_id) &&
            (has_child(d, sel, k, &ike) || (!sel->child_id && !sel->reqid && ike.state < ADIT_IKE_ESTABLISHED)))
            return true;
    return false;
}

void keeper_hold(struct daemon *d, const struct adit_command *sel)
{
    list_for_each (it, &d->keepers) {
        struct keeper *k = list_entry(it, struct keeper, node);
        if (!is_meant(d, sel, k))
            continue;
        k->held = true;
        k->next_at = 0;
        snprintf(k->why, sizeof(k->why), "%s", "closed by command");
        uv_timer_stop(&k->timer);
    }
}

/* Many of them not in the same instant. */
void keeper_retry_all(struct daemon *d, bool afresh)
{
    unsigned n = 0;
    list_for_each (it, &d->keepers) {
        struct keeper *k = list_entry(it, struct keeper, node);
        uint64_t now = daemon_now(), rest = k->tried_at + SOON_MS * UINT64_C(1000000);
        if (k->held || !k->next_at)
            continue;
        if (afresh)
            k->failures = 0;
        uint64_t ms = 100 + some_random() % 400 + 4 * n++;
        if (!afresh && rest > now)
            ms += (rest - now) / 1000000;
        if (now + ms * 1000000 < k->next_at)
            wait_ms(k, ms);
    }
}

/* --- looking at it ----------------------------------------------------------------------------------------------------------- */

bool keeper_repeats(const struct daemon *d, const char *conn)
{
    list_for_each (it, &d->keepers) {
        const struct keeper *k = list_entry(it, struct keeper, node);
        if (!strcmp(k->conn, conn) && k->down_at && k->failures > 1)
            return true;
    }
    return false;
}

bool keeper_look(const struct daemon *d, const char *conn, const char *child, struct keeper_info *out)
{
    const struct keeper *k = find(d, conn, child);
    if (!k || !k->down_at)
        return false;
    *out = (struct keeper_info){ k->held, k->failures, k->down_at, k->next_at, k->why };
    return true;
}

void keepers_free(struct daemon *d)
{
    list_for_each_safe (it, &d->keepers)
        let_go(list_entry(it, struct keeper, node));
}
