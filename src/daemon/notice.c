/* notice.c - see notice.h. */
#include "daemon/notice.h"
#include "daemon/keeper.h"
#include "daemon/reply.h"
#include "daemon/show.h"
#include "model/model.h"

static struct vici_server *listener(struct daemon *d, const char *event)
{
    return vici_server_wanted(d->vici, event) ? d->vici : NULL;
}

static const char *name_of(const char *s)
{
    return s && *s ? s : "(unnamed)";
}

/* "<conn>" S {I, child-sas}; of an SA that is already gone only what the event itself says. */
static void add_sa(struct reply *r, struct daemon *d, const struct adit_event *ev, uint32_t only_child)
{
    struct adit_ike_info ike;
    if (show_find_ike(d, ev->ike_id, &ike)) {
        show_sa(&r->b, d, &ike, only_child, daemon_now());
        return;
    }
    vici_section(&r->b, name_of(ev->conn));
    vici_strf(&r->b, "uniqueid", "%u", ev->ike_id);
    vici_str(&r->b, "version", "2");
    vici_str(&r->b, "state", "DELETING");
    vici_section_end(&r->b);
}

static void tell_ike(struct daemon *d, const struct adit_event *ev, bool up)
{
    struct reply r;
    struct adit_ike_info ike;
    if (!listener(d, "ike-updown"))
        return;
    reply_begin(&r);
    if (up)
        vici_str(&r.b, "up", "yes");
    if (show_find_ike(d, ev->ike_id, &ike)) {
        vici_section(&r.b, name_of(ike.conn));
        show_ike(&r.b, &ike, daemon_now());
        vici_section_end(&r.b);
    } else {
        add_sa(&r, d, ev, 0);
    }
    reply_broadcast(&r, d->vici, "ike-updown");
}

static void add_named_ike(struct reply *r, struct daemon *d, const char *name, uint32_t id)
{
    struct adit_ike_info ike;
    vici_section(&r->b, name);
    if (show_find_ike(d, id, &ike))
        show_ike(&r->b, &ike, daemon_now());
    else
        vici_strf(&r->b, "uniqueid", "%u", id);
    vici_section_end(&r->b);
}

static void tell_ike_rekeyed(struct daemon *d, const struct adit_event *ev)
{
    struct reply r;
    if (!listener(d, "ike-rekey"))
        return;
    reply_begin(&r);
    vici_section(&r.b, name_of(ev->conn));
    add_named_ike(&r, d, "old", ev->old_ike_id);
    add_named_ike(&r, d, "new", ev->ike_id);
    vici_section_end(&r.b);
    reply_broadcast(&r, d->vici, "ike-rekey");
}

static void tell_child(struct daemon *d, const struct adit_event *ev, bool up)
{
    struct reply r;
    if (!listener(d, "child-updown"))
        return;
    reply_begin(&r);
    if (up)
        vici_str(&r.b, "up", "yes");
    add_sa(&r, d, ev, ev->child_id);
    reply_broadcast(&r, d->vici, "child-updown");
}

static void add_named_child(struct reply *r, struct daemon *d, const struct adit_event *ev, const char *name,
                            uint32_t id)
{
    struct adit_child_info child;
    vici_section(&r->b, name);
    if (show_find_child(d, ev->ike_id, id, &child))
        show_child(&r->b, d, &child, daemon_now());
    else
        vici_strf(&r->b, "uniqueid", "%u", id);
    vici_section_end(&r->b);
}

static void tell_child_rekeyed(struct daemon *d, const struct adit_event *ev)
{
    struct reply r;
    struct adit_ike_info ike;
    if (!listener(d, "child-rekey") || !show_find_ike(d, ev->ike_id, &ike))
        return;
    reply_begin(&r);
    vici_section(&r.b, name_of(ike.conn));
    show_ike(&r.b, &ike, daemon_now());
    vici_section(&r.b, "child-sas");
    vici_section(&r.b, name_of(ev->child ? ev->child : ev->spec ? ev->spec->child : NULL));
    add_named_child(&r, d, ev, "old", ev->old_child_id);
    add_named_child(&r, d, ev, "new", ev->child_id);
    vici_section_end(&r.b);
    vici_section_end(&r.b);
    vici_section_end(&r.b);
    reply_broadcast(&r, d->vici, "child-rekey");
}

void notice_alert(struct daemon *d, const char *type, const char *conn, uint32_t ike_id)
{
    struct reply r;
    if (!type || !listener(d, "alert"))
        return;
    reply_begin(&r);
    vici_str(&r.b, "type", type);
    vici_section(&r.b, "ike-sa");
    if (conn)
        add_named_ike(&r, d, name_of(conn), ike_id);
    vici_section_end(&r.b);
    reply_broadcast(&r, d->vici, "alert");
}

/* The alerts that a reason alone identifies. */
static const char *alert_of(enum adit_rc rc)
{
    switch (rc) {
    case ADIT_ERR_PROPOSAL: return "proposal-mismatch-ike";
    case ADIT_ERR_AUTH: return "peer-auth-failed";
    case ADIT_ERR_TIMEOUT: return "retransmit-send-timeout";
    case ADIT_ERR_TS: return "ts-mismatch";
    default: return NULL;
    }
}

static void run_updown(struct daemon *d, const struct adit_event *ev, bool up)
{
    const struct adit_config *cfg = adit_ike_get_config(d->ike);
    const struct adit_conn *conn = ev->spec && cfg ? adit_config_conn(cfg, ev->spec->conn) : NULL;
    const struct adit_child_cfg *child = conn ? conn_child(conn, ev->spec->child) : NULL;
    struct adit_ike_info ike = { 0 };
    if (!child || !child->updown || !*child->updown)
        return;
    show_find_ike(d, ev->ike_id, &ike);
    updown_run(d->updown, &(struct updown_event){ .up = up,
                                                  .command = child->updown,
                                                  .spec = ev->spec,
                                                  .local_id = ike.local_id,
                                                  .remote_id = ike.remote_id,
                                                  .interface = daemon_tun(d) });
}

/* The engine starts closed children again whose actions say "start"; "trap" is for the data plane. */
static void trap_again(struct daemon *d, const struct adit_event *ev)
{
    const struct adit_config *cfg = adit_ike_get_config(d->ike);
    const struct adit_conn *conn = ev->spec && cfg ? adit_config_conn(cfg, ev->spec->conn) : NULL;
    const struct adit_child_cfg *child = conn ? conn_child(conn, ev->spec->child) : NULL;
    struct adit_why why = { 0 };
    if (!child || d->stopping || !(keeper_action(child, ev->rc) & ADIT_ACTION_TRAP))
        return;
    if (trap_install(d, conn, child, &why) != ADIT_OK)
        log_say(&d->log, ADIT_LOG_AUDIT, "CHD", "child %s: policy not installed: %s", child->name, why.text);
}

static void ike_up(struct daemon *d, const struct adit_event *ev)
{
    struct adit_ike_info ike;
    char ke[128];
    journal_up(&d->journal, ev->conn, "", daemon_now());
    if (show_find_ike(d, ev->ike_id, &ike) && ike.established_at > ike.created_at) {
        show_ke_list(ke, sizeof(ke), &ike.suite);
        journal_handshake(&d->journal, ke, (double)(ike.established_at - ike.created_at) / 1e9);
    }
    tell_ike(d, ev, true);
}

static void ike_down(struct daemon *d, const struct adit_event *ev)
{
    tell_ike(d, ev, false);
    notice_alert(d, alert_of(ev->rc), ev->conn, ev->ike_id);
    journal_down(&d->journal, ev->conn, "", daemon_now());
}

static const char *conn_name(const struct adit_event *ev)
{
    return ev->conn ? ev->conn : ev->spec ? ev->spec->conn : "";
}

static const char *child_name(const struct adit_event *ev)
{
    return ev->child ? ev->child : ev->spec ? ev->spec->child : "";
}

void notice(struct daemon *d, const struct adit_event *ev)
{
    switch (ev->type) {
    case ADIT_EV_IKE_UP: ike_up(d, ev); return;
    case ADIT_EV_IKE_DOWN: ike_down(d, ev); return;
    case ADIT_EV_IKE_REKEYED:
        journal_rekeyed(&d->journal, ev->conn, "");
        tell_ike_rekeyed(d, ev);
        return;
    case ADIT_EV_CHILD_UP:
        journal_up(&d->journal, conn_name(ev), child_name(ev), daemon_now());
        keeper_up(d, conn_name(ev), child_name(ev));
        tell_child(d, ev, true);
        run_updown(d, ev, true);
        return;
    case ADIT_EV_CHILD_DOWN:
        tell_child(d, ev, false);
        run_updown(d, ev, false);
        trap_again(d, ev);
        journal_down(&d->journal, conn_name(ev), child_name(ev), daemon_now());
        keeper_down(d, ev);
        return;
    case ADIT_EV_CHILD_REKEYED:
        journal_rekeyed(&d->journal, conn_name(ev), child_name(ev));
        tell_child_rekeyed(d, ev);
        return;
    default: return;
    }
}
