/* actions.c - start actions when the configuration changes (as load-conn and unload-conn want it): SAs live on with
 * their old settings, except those of children that were removed or changed and had been started by their start
 * action: these are closed. Their traps are uninstalled; then the new start actions run. */
#include "daemon/show.h"
#include <string.h>
#include "base/why.h"
#include "config/config.h"
#include "daemon/daemon.h"
#include "daemon/keeper.h"

static void terminate(struct daemon *d, const struct adit_command *cmd)
{
    struct adit_why why;
    struct adit_command c = *cmd;
    c.type = ADIT_CMD_TERMINATE;
    if (adit_ike_command(d->ike, &c, daemon_now(), NULL, &why) == ADIT_OK)
        host_run(d);
}

/* Has this IKE SA Child SAs of other children? */
static bool used_by_others(const struct daemon *d, uint32_t ike_id, const char *child)
{
    struct adit_child_info info;
    for (unsigned i = 0; adit_ike_child_info(d->ike, ike_id, i, &info); i++)
        if (!info.spec.child || strcmp(info.spec.child, child))
            return true;
    return false;
}

static void close_sas(struct daemon *d, const char *conn, const char *child)
{
    struct adit_ike_info ike;
    uint32_t ids[64];
    unsigned n = 0;
    for (uint32_t cursor = 0; n < 64 && adit_ike_sa_next(d->ike, &cursor, &ike);)
        if (ike.conn && !strcmp(ike.conn, conn) && !used_by_others(d, ike.id, child))
            ids[n++] = ike.id;
    for (unsigned i = 0; i < n; i++)
        terminate(d, &(struct adit_command){ .ike_id = ids[i] });
    terminate(d, &(struct adit_command){ .conn = conn, .child = child });
}

static void undo(struct daemon *d, const struct adit_conn *conn, const struct adit_child_cfg *child)
{
    struct adit_why why;
    if ((child->start_action & ADIT_ACTION_TRAP) && trap_find(d, conn->name, child->name) &&
        trap_uninstall(d, conn->name, child->name, &why) != ADIT_OK)
        log_say(&d->log, ADIT_LOG_AUDIT, "CFG", "%s", why.text);
    keeper_forget(d, conn->name, child->name);
    if (child->start_action & ADIT_ACTION_START)
        close_sas(d, conn->name, child->name);
}

static void perform(struct daemon *d, const struct adit_conn *conn, const struct adit_child_cfg *child)
{
    struct adit_why why = { 0 };
    bool tunnel = show_is_sa(child->mode);
    if ((child->start_action & ADIT_ACTION_TRAP) && trap_install(d, conn, child, &why) != ADIT_OK)
        log_say(&d->log, ADIT_LOG_AUDIT, "CFG", "connection %s, child %s: policy not installed: %s",
                conn->name, child->name, why.text);
    if ((child->start_action & ADIT_ACTION_START) && tunnel)
        keeper_start(d, conn->name, child->name);
}

typedef void child_fn(struct daemon *d, const struct adit_conn *conn, const struct adit_child_cfg *child);

static void all_children(struct daemon *d, const struct adit_conn *conn, child_fn *fn)
{
    for (unsigned i = 0; conn && i < conn->n_children; i++)
        fn(d, conn, &conn->children[i]);
}

static void undo_changed(void *arg, const struct config_change *c)
{
    if (c->child_before)
        undo(arg, c->before, c->child_before);
    else if (c->kind == CONFIG_CONN_REMOVED || c->kind == CONFIG_CONN_CHANGED)
        all_children(arg, c->before, undo);
}

static void perform_changed(void *arg, const struct config_change *c)
{
    if (c->child_after)
        perform(arg, c->after, c->child_after);
    else if (c->kind == CONFIG_CONN_ADDED || c->kind == CONFIG_CONN_CHANGED)
        all_children(arg, c->after, perform);
}

void actions_apply(struct daemon *d, const struct adit_config *before, const struct adit_config *after)
{
    config_diff(before, after, undo_changed, d);
    config_diff(before, after, perform_changed, d);
    keeper_retry_all(d, true); /* a secret or a certificate may be what was missing */
}
