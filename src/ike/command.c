/* command.c - what the host wants: initiate, terminate, rekey, and what the data plane reports. */
#include "ike/sa.h"

/* --- initiating ------------------------------------------------------------------------------------------------------ */

static bool pick_addr(const struct adit_addr_spec *specs, uint16_t n, const struct adit_addr *given, struct adit_addr *out)
{
    if (given->family) {
        *out = *given;
        return true;
    }
    for (uint16_t i = 0; i < n; i++)
        if (specs[i].single) {
            *out = specs[i].lo;
            return true;
        }
    return false;
}

static const char *dns_name(const struct adit_conn *c)
{
    for (uint16_t i = 0; i < c->n_remote_addrs; i++) {
        const struct adit_addr_spec *s = &c->remote_addrs[i];
        if (!s->any && !s->lo.family)
            return s->text;
    }
    return NULL;
}

bool conn_has_name(const struct adit_conn *c)
{
    return dns_name(c) != NULL;
}

/* An address that was good for the SA before, but that the host has lost since, must not keep the next one down. */
static bool host_lost(const struct ike *ike, const struct adit_addr *a)
{
    for (unsigned i = 0; i < ike->n_addresses; i++)
        if (addr_equal(&ike->addresses[i], a))
            return false;
    return ike->n_addresses && a->family && !addr_is_any(a);
}

#define PORT_IKE 500
#define PORT_NAT_T 4500

/* From the port of NAT traversal at once, if either side's is configured (RFC 7296 s2.23): some peers do not follow a
 * move from port 500. Between it and port 500 there is nothing to say: the one marks IKE messages, the other does not. */
static void pick_ports(const struct adit_ike_settings *set, const struct adit_conn *c, const struct adit_path *known,
                       struct adit_path *out)
{
    uint16_t ours = c->local_port ? c->local_port : PORT_IKE, theirs = c->remote_port ? c->remote_port : PORT_IKE;
    bool nat_t = ours == PORT_NAT_T || ours == set->port_nat_t || theirs == PORT_NAT_T ||
                 (theirs == PORT_IKE && peer_named_has(c->peer, QUIRK_START_AT_4500));
    out->local.port = nat_t ? set->port_nat_t : ours == PORT_IKE ? set->port : ours;
    out->remote.port = nat_t && theirs == PORT_IKE ? PORT_NAT_T : theirs;
    if (!known->local.port)
        return;
    out->local.port = known->local.port;
    out->remote.port = known->remote.port;
}

/* The host picks the local address for the route if none is configured: it may be unset in the path. */
static enum adit_rc make_path(struct ike *ike, const struct adit_conn *c, const struct adit_path *known,
                              struct adit_path *out, struct adit_why *why)
{
    *out = (struct adit_path){ 0 };
    pick_ports(&ike->policy->settings, c, known, out);
    if (!pick_addr(c->remote_addrs, c->n_remote_addrs, &known->remote.addr, &out->remote.addr))
        return why_set(why, ADIT_ERR_CONFIG, "connection %s has no remote address to start with (remote_addrs)", c->name);
    struct adit_addr ours = host_lost(ike, &known->local.addr) ? (struct adit_addr){ 0 } : known->local.addr;
    if (!pick_addr(c->local_addrs, c->n_local_addrs, &ours, &out->local.addr))
        out->local.addr = (struct adit_addr){ .family = out->remote.addr.family };
    return ADIT_OK;
}

struct adit_path sa_known_path(struct ike_sa *sa)
{
    struct adit_path path = sa->path;
    struct ike_nat_view nat = { 0 };
    ike_nat()->now(sa, &nat);
    if (path.tcp || (sa->is_initiator && !nat.remote))
        path.local.port = path.remote.port = 0;
    path.tcp = false; /* how is chosen anew */
    return path;
}

struct adit_path sa_home(struct ike_sa *sa)
{
    return sa->home.remote.addr.family ? sa->home : sa_known_path(sa);
}

struct ike_sa *sa_start(struct ike *ike, struct policy *policy, const struct policy_conn *conn,
                        const struct adit_path *known, struct adit_why *why)
{
    struct adit_path path;
    if (make_path(ike, conn->cfg, known, &path, why) != ADIT_OK)
        return NULL;
    struct ike_sa *sa = sa_new(ike, true, &path);
    if (!sa) {
        why_set(why, ADIT_ERR_MEMORY, "out of memory");
        return NULL;
    }
    policy_unref(sa->policy);
    sa->policy = policy_ref(policy);
    sa->conn = conn;
    sa->tries_left = conn->cfg->keyingtries;
    sa_index(sa);
    if (!sa->cut && peers_named(sa) != ADIT_OK)
        sa_end(sa, ADIT_ERR_MEMORY, "out of memory");
    if (sa->cut) {
        why_set(why, ADIT_ERR_MEMORY, "out of memory");
        return NULL;
    }
    sa_log(sa, ADIT_LOG_INFO, "IKE", "initiating IKE_SA %s[%u]", conn->cfg->name, sa->id);
    sa->reply_path = path;
    return sa;
}

static void want_again(struct ike_sa *fresh, const struct ike_child *c)
{
    const struct adit_child_cfg *cfg = conn_child(fresh->conn->cfg, c->cfg->name);
    bool is_up = !c->resource && (c->state == ADIT_CHILD_INSTALLED || c->state == ADIT_CHILD_REKEYING);
    struct ike_task *t = cfg && is_up ? agenda_add(fresh, TASK_NEW_CHILD, &step_new_child_req) : NULL;
    if (!t)
        return;
    t->cfg = cfg;
    t->reqid = c->reqid;
}

void sa_reauthenticate(struct ike_sa *old, uint64_t cookie)
{
    struct ike *ike = old->ike;
    struct adit_why why;
    if (peers_replaced(old)) { /* there is nothing left to prove anew */
        event_done(ike, cookie, ADIT_OK, "");
        return;
    }
    const struct policy_conn *conn = policy_conn_by_name(ike->policy, sa_conn_name(old));
    struct adit_path known = sa_known_path(old);
    struct ike_sa *fresh = sa_start(ike, conn ? ike->policy : old->policy, conn ? conn : old->conn, &known, &why);
    if (!fresh) {
        event_done(ike, cookie, why.rc, why.text);
        return;
    }
    fresh->reauth_of = old->lineage;
    fresh->home = old->home;
    fresh->wait_cookie = cookie;
    list_for_each(it, &old->children)
        want_again(fresh, list_entry(it, struct ike_child, link));
    sa_advance(fresh);
}

/* --- elsewhere --------------------------------------------------------------------------------------------------------- */

static bool is_on_its_way(const struct ike_sa *old)
{
    list_for_each(it, &old->ike->sas) {
        const struct ike_sa *sa = list_entry(it, struct ike_sa, link);
        if (!sa->cut && sa->state < SA_ESTABLISHED && sa->reauth_of && sa->reauth_of == old->lineage)
            return true;
    }
    return false;
}

void sa_renew(struct ike_sa *old, struct ike_task *t)
{
    sa_log(old, ADIT_LOG_INFO, "IKE", "the peer rekeys nothing: a new IKE_SA takes the place of %s[%u]", sa_conn_name(old),
           old->id);
    if (is_on_its_way(old))
        return;
    uint64_t cookie = t->cookie;
    t->cookie = 0;
    sa_reauthenticate(old, cookie);
}

static bool ask_place(struct ike_sa *sa, const char *where)
{
    struct adit_event *ev = event_add(sa->ike, ADIT_EV_RESOLVE);
    if (!ev)
        return false;
    event_text(sa->ike, ev, sa_conn_name(sa));
    ev->conn = ev->text;
    event_text(sa->ike, ev, where);
    ev->ike_id = sa->id;
    sa->placeless = true;
    sa->die_at = sa->ike->now + IKE_RESOLVE_LIFE;
    return true;
}

bool sa_ask_name(struct ike_sa *sa)
{
    return ask_place(sa, dns_name(sa->conn->cfg));
}

/* What is still to be made, and who waits for it. Of an SA that is up other jobs are about what it has. */
static void hand_tasks_on(struct ike_sa *old, struct ike_sa *fresh)
{
    list_for_each_safe(it, &old->tasks) {
        if (list_entry(it, struct ike_task, link)->kind != TASK_NEW_CHILD)
            continue;
        list_remove(it);
        list_append(&fresh->tasks, it);
    }
    fresh->tries_left = old->tries_left;
    fresh->wait_cookie = old->wait_cookie;
    old->wait_cookie = 0;
}

/* Also those that a rekeying of `old`, under way or just over, has moved to its heir. */
static void want_all_again(struct ike_sa *fresh, const struct ike_sa *old)
{
    list_for_each(it, &old->ike->sas) {
        const struct ike_sa *sa = list_entry(it, struct ike_sa, link);
        list_for_each(child, &sa->children)
            if (sa->lineage == old->lineage)
                want_again(fresh, list_entry(child, struct ike_child, link));
    }
}

struct ike_sa *sa_start_elsewhere(struct ike_sa *old, const char *where, bool keep_until_up)
{
    struct adit_why why;
    if (keep_until_up && is_on_its_way(old))
        return NULL;
    struct adit_path here = { .local.addr = old->path.local.addr, .remote.addr = old->path.remote.addr };
    struct ike_sa *fresh = sa_start(old->ike, old->policy, old->conn, &here, &why);
    if (!fresh)
        return NULL;
    if (!ask_place(fresh, where)) {
        sa_end(fresh, ADIT_ERR_MEMORY, "out of memory");
        return NULL;
    }
    fresh->home = old->home.remote.addr.family ? old->home : here;
    fresh->reauth_of = keep_until_up ? old->lineage : old->reauth_of;
    hand_tasks_on(old, fresh);
    if (keep_until_up)
        want_all_again(fresh, old);
    if (!keep_until_up && old->state < SA_ESTABLISHED)
        old->successor = fresh->id; /* not a failure */
    old->quiet |= !keep_until_up;
    sa_arm(fresh);
    return fresh;
}

/* The host's answer to ask_place(). */
static enum adit_rc cmd_place(struct ike *ike, const struct adit_command *cmd, struct adit_why *why)
{
    struct ike_sa *sa = sa_by_id(ike, cmd->ike_id);
    if (!sa || !sa->placeless)
        return why_set(why, ADIT_ERR_NOT_FOUND, "no IKE SA waits for an address");
    if (!cmd->remote.family) {
        sa_end(sa, ADIT_ERR_TIMEOUT, "the gateway's name was not resolved");
        return ADIT_OK;
    }
    sa->placeless = false;
    sa->die_at = 0;
    sa->path.remote.addr = cmd->remote;
    if (cmd->local.family)
        sa->path.local.addr = cmd->local;
    else if (sa->path.local.addr.family != cmd->remote.family)
        sa->path.local.addr = (struct adit_addr){ .family = cmd->remote.family };
    sa->reply_path = sa->path;
    event_done(ike, cmd->cookie, ADIT_OK, "");
    sa_advance(sa);
    return ADIT_OK;
}

/* --- by name ----------------------------------------------------------------------------------------------------------- */

static struct ike_sa *existing(struct ike *ike, const char *conn)
{
    for (struct ike_sa *sa = NULL; (sa = peers_of_conn(ike, conn, sa));)
        if (!sa->quiet && !sa->retire_at && sa->state <= SA_ESTABLISHED && !sa->successor &&
            (sa->is_initiator || sa->state == SA_ESTABLISHED))
            return sa;
    return NULL;
}

static enum adit_rc ask_dns(struct ike *ike, const struct adit_conn *c, const struct adit_child_cfg *child,
                            uint64_t cookie)
{
    struct adit_event *ev = event_add(ike, ADIT_EV_RESOLVE);
    if (!ev)
        return ADIT_ERR_MEMORY;
    event_text(ike, ev, c->name);
    ev->conn = ev->text;
    event_text(ike, ev, child ? child->name : "");
    ev->child = child ? ev->text : NULL;
    event_text(ike, ev, dns_name(c));
    ev->cookie = cookie;
    return ADIT_OK;
}

static enum adit_rc add_child_task(struct ike_sa *sa, const struct adit_child_cfg *child, const struct adit_command *cmd)
{
    struct ike_task *t = agenda_add(sa, TASK_NEW_CHILD, &step_new_child_req);
    if (!t)
        return ADIT_ERR_MEMORY;
    /* The SA keeps its own snapshot: take the child from there if it is the same connection. */
    const struct adit_child_cfg *own = conn_child(sa->conn->cfg, child->name);
    t->cfg = own ? own : child;
    t->cookie = cmd->cookie;
    t->reqid = cmd->reqid ? cmd->reqid : child->reqid;
    t->packet_local = cmd->packet_local;
    t->packet_remote = cmd->packet_remote;
    return ADIT_OK;
}

static bool makes(const struct ike_task *t, const char *child)
{
    return t && t->kind == TASK_NEW_CHILD && !t->resource && !strcmp(t->cfg->name, child);
}

/* Where it is noted who waits for this Child SA, if it is being made already. */
static uint64_t *cookie_of(struct ike_sa *sa, const char *child)
{
    for (struct ike_xchg *x = NULL; (x = sa_next_out(sa, x));)
        if (makes(x->task, child))
            return &x->task->cookie;
    list_for_each(it, &sa->tasks)
        if (makes(list_entry(it, struct ike_task, link), child))
            return &list_entry(it, struct ike_task, link)->cookie;
    list_for_each(it, &sa->pendings) {
        struct ike_pending *p = list_entry(it, struct ike_pending, link);
        if (p->requester && p->kind <= PENDING_NEW_CHILD && !p->resource && p->cfg && !strcmp(p->cfg->name, child))
            return &p->cookie;
    }
    return NULL;
}

/* What is under way already is not begun twice: whoever wants it now waits for that. */
static bool joins(struct ike_sa *sa, const struct adit_child_cfg *child, uint64_t cookie)
{
    uint64_t *other = cookie_of(sa, child->name);
    if (!other || (*other && cookie))
        return false;
    *other = cookie ? cookie : *other;
    return true;
}

enum adit_rc ike_initiate(struct ike *ike, const struct policy_conn *conn, const struct adit_child_cfg *child,
                          const struct adit_command *cmd, struct adit_why *why)
{
    struct ike_sa *sa = cmd->fresh ? NULL : existing(ike, conn->cfg->name);
    if (sa && child && !conn_child(sa->conn->cfg, child->name))
        sa_take_newest(sa, NULL);
    if (sa && child && !conn_child(sa->conn->cfg, child->name))
        sa = NULL; /* the old SA's snapshot does not have that child */
    if (sa && !child && sa->state == SA_ESTABLISHED) {
        event_done(ike, cmd->cookie, ADIT_OK, "already established");
        return ADIT_OK;
    }
    if (sa && child && joins(sa, child, cmd->cookie))
        return ADIT_OK;
    if (!sa && !cmd->remote.family && dns_name(conn->cfg))
        return ask_dns(ike, conn->cfg, child, cmd->cookie);
    struct adit_path known = { .local = { cmd->local, cmd->path.local.port },
                               .remote = { cmd->remote, cmd->path.remote.port } };
    if (!sa && !(sa = sa_start(ike, ike->policy, conn, &known, why)))
        return why->rc;
    if (child)
        TRY(add_child_task(sa, child, cmd));
    else if (cmd->cookie)
        sa->wait_cookie = cmd->cookie;
    sa_advance(sa);
    return ADIT_OK;
}

static enum adit_rc cmd_initiate(struct ike *ike, const struct adit_command *cmd, unsigned *matches, struct adit_why *why)
{
    if (cmd->ike_id)
        return cmd_place(ike, cmd, why);
    const struct policy_conn *conn = cmd->child ? policy_conn_by_child(ike->policy, cmd->conn, cmd->child)
                                     : cmd->conn ? policy_conn_by_name(ike->policy, cmd->conn)
                                                 : NULL;
    if (!conn && cmd->child)
        return why_set(why, ADIT_ERR_NOT_FOUND, "no connection has a child '%s'", cmd->child);
    if (!conn)
        return why_set(why, ADIT_ERR_NOT_FOUND, "no connection '%s'", cmd->conn ? cmd->conn : "");
    *matches = 1;
    return ike_initiate(ike, conn, cmd->child ? conn_child(conn->cfg, cmd->child) : NULL, cmd, why);
}

/* --- selecting ------------------------------------------------------------------------------------------------------- */

static bool picks_children(const struct adit_command *cmd)
{
    return cmd->child || cmd->child_id || cmd->reqid;
}

/* Child selectors mean Child SAs only and all have to fit; otherwise the connection's name or the id fits. */
static bool sa_selected(const struct ike_sa *sa, const struct adit_command *cmd)
{
    if (sa->cut || sa->state == SA_DEAD || sa->state == SA_REKEYED)
        return false;
    if (cmd->ike_id && sa->id != cmd->ike_id)
        return false;
    return !cmd->conn || !strcmp(sa_conn_name(sa), cmd->conn);
}

/* The next one that the command means after `after` (NULL: the first). An id needs no search. */
static struct ike_sa *next_selected(const struct ike *ike, const struct adit_command *cmd, const struct ike_sa *after)
{
    struct ike_sa *only = cmd->ike_id && !after ? sa_by_id(ike, cmd->ike_id) : NULL;
    if (cmd->ike_id)
        return only && sa_selected(only, cmd) ? only : NULL;
    for (struct list *it = after ? after->link.next : ike->sas.next; it != &ike->sas; it = it->next)
        if (sa_selected(list_entry(it, struct ike_sa, link), cmd))
            return list_entry(it, struct ike_sa, link);
    return NULL;
}

static bool child_selected(const struct ike_child *c, const struct adit_command *cmd)
{
    if (c->state == ADIT_CHILD_REKEYED || c->state == ADIT_CHILD_DELETING)
        return false;
    if (cmd->child && strcmp(c->cfg->name, cmd->child) != 0)
        return false;
    return (!cmd->child_id || c->id == cmd->child_id) && (!cmd->reqid || c->reqid == cmd->reqid);
}

static bool add_child_job(struct ike_child *c, enum task_kind kind, const struct ike_step *step, uint64_t cookie)
{
    struct ike_task *t = agenda_find(c->sa, kind, c->id);
    if (!t && !(t = agenda_add(c->sa, kind, step)))
        return false;
    t->child_id = c->id;
    t->follow |= step == &step_delete_child_req;
    t->cookie = cookie ? cookie : t->cookie;
    return true;
}

static unsigned on_children(struct ike *ike, const struct adit_command *cmd, enum task_kind kind,
                            const struct ike_step *step)
{
    unsigned n = 0;
    for (struct ike_sa *sa = NULL; (sa = next_selected(ike, cmd, sa));) {
        list_for_each(child, &sa->children) {
            struct ike_child *c = list_entry(child, struct ike_child, link);
            if (child_selected(c, cmd) && add_child_job(c, kind, step, n ? 0 : cmd->cookie))
                n++;
        }
        sa_advance(sa);
    }
    return n;
}

static void terminate_ike(struct ike_sa *sa, const struct adit_command *cmd, bool answer)
{
    bool force = cmd->force || sa->state < SA_ESTABLISHED;
    sa->quiet = true;
    if (force) {
        sa_end(sa, ADIT_ERR_CLOSED, "closed by command");
        event_done(sa->ike, answer ? cmd->cookie : 0, ADIT_OK, "");
        return;
    }
    struct ike_task *t = agenda_find(sa, TASK_DELETE_IKE, 0);
    if (!t)
        t = agenda_add(sa, TASK_DELETE_IKE, &step_delete_ike_req);
    if (t && answer)
        t->cookie = cmd->cookie;
    strbuf_add(&(struct strbuf){ sa->failure, 0, sizeof(sa->failure) }, "closed by command");
    sa_advance(sa);
}

static enum adit_rc cmd_terminate(struct ike *ike, const struct adit_command *cmd, unsigned *matches,
                                  struct adit_why *why)
{
    unsigned n = 0;
    if (picks_children(cmd)) {
        n = on_children(ike, cmd, TASK_DELETE_CHILD, &step_delete_child_req);
    } else {
        for (struct ike_sa *sa = NULL; (sa = next_selected(ike, cmd, sa));)
            if (sa->state != SA_DELETING)
                terminate_ike(sa, cmd, n++ == 0);
    }
    *matches = n;
    return n ? ADIT_OK : why_set(why, ADIT_ERR_NOT_FOUND, "no matching SA is up");
}

static void rekey_ike(struct ike_sa *sa, const struct adit_command *cmd, uint64_t cookie)
{
    if (cmd->reauth) {
        sa_reauthenticate(sa, cookie);
        return;
    }
    struct ike_task *t = agenda_find(sa, TASK_REKEY_IKE, 0);
    if (!t)
        t = agenda_add(sa, TASK_REKEY_IKE, &step_rekey_ike_req);
    if (t)
        t->cookie = cookie;
    sa_advance(sa);
}

static enum adit_rc cmd_rekey(struct ike *ike, const struct adit_command *cmd, unsigned *matches, struct adit_why *why)
{
    unsigned n = 0, replaced = 0;
    if (picks_children(cmd)) {
        n = on_children(ike, cmd, TASK_REKEY_CHILD, &step_rekey_child_req);
    } else {
        uint32_t newest = ike->next_id; /* SAs made by the command are not its matches */
        for (struct ike_sa *sa = NULL; (sa = next_selected(ike, cmd, sa));) {
            if (sa->id >= newest || sa->state != SA_ESTABLISHED)
                continue;
            if (cmd->reauth && peers_replaced(sa))
                replaced++;
            else
                rekey_ike(sa, cmd, n++ == 0 ? cmd->cookie : 0);
        }
    }
    if (!n && replaced)
        event_done(ike, cmd->cookie, ADIT_OK, "");
    n += replaced;
    *matches = n;
    return n ? ADIT_OK : why_set(why, ADIT_ERR_NOT_FOUND, "no matching SA is up");
}

static enum adit_rc send_away(struct ike_sa *sa, const char *gateway, struct adit_why *why)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.send_away)
            return ike_exts[i]->on.send_away(sa, gateway, why);
    return why_set(why, ADIT_ERR_POLICY, "this engine cannot send peers elsewhere");
}

/* Those that can be sent away are; the reason of the others is told when there is none. */
static enum adit_rc cmd_redirect(struct ike *ike, const struct adit_command *cmd, unsigned *matches, struct adit_why *why)
{
    unsigned n = 0;
    if (!cmd->gateway)
        return why_set(why, ADIT_ERR_CONFIG, "gateway is missing");
    why_set(why, ADIT_ERR_NOT_FOUND, "no matching IKE SA is up");
    for (struct ike_sa *sa = NULL; (sa = next_selected(ike, cmd, sa));) {
        if (sa->state != SA_ESTABLISHED)
            continue;
        if (send_away(sa, cmd->gateway, why) == ADIT_OK)
            n++;
        sa_advance(sa);
    }
    *matches = n;
    event_done(ike, n ? cmd->cookie : 0, ADIT_OK, "");
    return n ? ADIT_OK : why->rc;
}

/* --- reports of the data plane ---------------------------------------------------------------------------------------- */

/* A worker has traffic and no SA of its own: whoever knows about that decides. */
static enum adit_rc wants_own(struct ike *ike, const struct adit_command *cmd, unsigned *matches, struct adit_why *why)
{
    struct ike_child *c = child_by_id(ike, cmd->child_id);
    if (!c)
        return why_set(why, ADIT_ERR_NOT_FOUND, "no Child SA %u", cmd->child_id);
    *matches = 1;
    struct ike_sa *sa = c->sa;
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.wants_child)
            ike_exts[i]->on.wants_child(sa, c->id, cmd->resource);
    sa_advance(sa);
    return ADIT_OK;
}

static enum adit_rc cmd_acquire(struct ike *ike, const struct adit_command *cmd, unsigned *matches, struct adit_why *why)
{
    struct adit_command c = *cmd;
    c.cookie = 0;
    if (cmd->resource)
        return wants_own(ike, cmd, matches, why);
    const struct policy_conn *conn = cmd->child ? policy_conn_by_child(ike->policy, cmd->conn, cmd->child) : NULL;
    if (!conn)
        return why_set(why, ADIT_ERR_NOT_FOUND, "no connection for the trap policy %u", cmd->reqid);
    const struct adit_child_cfg *child = conn_child(conn->cfg, cmd->child);
    struct ike_sa *sa = existing(ike, conn->cfg->name);
    *matches = 1;
    if (sa && sa->state < SA_ESTABLISHED && sa_out(sa) && sa_out(sa)->exchange == XCHG_IKE_AUTH)
        return ADIT_OK; /* under way already */
    return ike_initiate(ike, conn, child, &c, why);
}

static enum adit_rc about_child(struct ike *ike, const struct adit_command *cmd, unsigned *matches, struct adit_why *why)
{
    struct ike_child *c = child_by_id(ike, cmd->child_id);
    if (!c)
        return why_set(why, ADIT_ERR_NOT_FOUND, "no Child SA %u", cmd->child_id);
    *matches = 1;
    struct ike_sa *sa = c->sa;
    switch (cmd->type) {
    case ADIT_CMD_EXPIRE_SOFT:
        if (c->state == ADIT_CHILD_INSTALLED)
            add_child_job(c, TASK_REKEY_CHILD, &step_rekey_child_req, 0);
        break;
    case ADIT_CMD_EXPIRE_HARD:
    case ADIT_CMD_INACTIVE: add_child_job(c, TASK_DELETE_CHILD, &step_delete_child_req, 0); break;
    case ADIT_CMD_PATH: sa_heard_on(sa, &cmd->path, BY_ESP); break;
    default: /* TRAFFIC, LIVE: authentic ESP proves life (RFC 7296 s2.4) */
        sa->heard_at = ike->now;
        c->standby &= cmd->type != ADIT_CMD_TRAFFIC; /* the data plane sends on it now */
        break;
    }
    sa_advance(sa);
    return ADIT_OK;
}

/* --- reports of the host ----------------------------------------------------------------------------------------------- */

/* An attempt that is under way: its next repetition may be a minute off, and the way may be there now. */
static void try_at_once(struct ike_sa *sa)
{
    if (!sa->is_initiator || sa->state >= SA_ESTABLISHED || sa->placeless)
        return;
    if (host_lost(sa->ike, &sa->path.local.addr))
        sa_end(sa, ADIT_ERR_IO, "our address is gone");
    else
        sa_repeat_request(sa);
}

static enum adit_rc cmd_addresses(struct ike *ike, const struct adit_command *cmd, unsigned *matches)
{
    ike->n_addresses = 0;
    for (unsigned i = 0; i < cmd->n_addresses && ike->n_addresses < IKE_ADDRESSES_MAX; i++)
        ike->addresses[ike->n_addresses++] = cmd->addresses[i];
    list_for_each_safe(it, &ike->sas) {
        struct ike_sa *sa = list_entry(it, struct ike_sa, link);
        for (unsigned i = 0; i < EXT_COUNT && !sa->cut && sa_is_established(sa); i++)
            if (ike_exts[i]->on.addresses)
                ike_exts[i]->on.addresses(sa);
        try_at_once(sa);
        sa_advance(sa);
        *matches += 1;
    }
    return ADIT_OK;
}

enum adit_rc adit_ike_command(struct adit_ike *engine, const struct adit_command *cmd, uint64_t now, unsigned *matches,
                              struct adit_why *why)
{
    struct ike *ike = (struct ike *)engine;
    struct adit_why mine;
    unsigned n = 0;
    enum adit_rc rc;
    ike->now = now;
    why = why ? why : &mine;
    *why = (struct adit_why){ 0 };
    switch (cmd->type) {
    case ADIT_CMD_INITIATE: rc = cmd_initiate(ike, cmd, &n, why); break;
    case ADIT_CMD_TERMINATE: rc = cmd_terminate(ike, cmd, &n, why); break;
    case ADIT_CMD_REKEY: rc = cmd_rekey(ike, cmd, &n, why); break;
    case ADIT_CMD_REDIRECT: rc = cmd_redirect(ike, cmd, &n, why); break;
    case ADIT_CMD_ADDRESSES: rc = cmd_addresses(ike, cmd, &n); break;
    case ADIT_CMD_STREAM_UP:
    case ADIT_CMD_STREAM_DOWN: rc = stream_command(ike, cmd, &n, why); break;
    case ADIT_CMD_ACQUIRE: rc = cmd_acquire(ike, cmd, &n, why); break;
    default: rc = about_child(ike, cmd, &n, why); break;
    }
    if (matches)
        *matches = n;
    ike_sweep(ike);
    return rc;
}
