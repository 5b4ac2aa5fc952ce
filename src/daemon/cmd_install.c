/* cmd_install.c - install, uninstall: trap and shunt policies by hand. */
#include "daemon/cmd.h"
#include "model/model.h"

static const struct adit_conn *find_conn(const struct daemon *d, const char *ike, const char *child)
{
    const struct adit_config *cfg = adit_ike_get_config(d->ike);
    const struct adit_conn *const *all;
    size_t n = cfg ? adit_config_conns(cfg, &all) : 0;
    if (ike)
        return cfg ? adit_config_conn(cfg, ike) : NULL;
    for (size_t i = 0; i < n; i++)
        if (conn_child(all[i], child))
            return all[i];
    return NULL;
}

void cmd_install(void *arg, struct vici_call *call)
{
    struct daemon *d = arg;
    struct adit_why why = { 0 };
    const char *ike = cmd_text(call, "ike"), *name = cmd_text(call, "child");
    const struct adit_conn *conn = name ? find_conn(d, ike, name) : NULL;
    const struct adit_child_cfg *child = conn ? conn_child(conn, name) : NULL;
    if (!name)
        vici_call_fail(call, "install needs child");
    else if (!child)
        vici_call_fail(call, "no connection%s%s has a child '%s'", ike ? " " : "", ike ? ike : "", name);
    else if (trap_install(d, conn, child, &why) != ADIT_OK)
        vici_call_fail(call, "%s", why.text);
    else
        vici_call_ok(call);
}

void cmd_uninstall(void *arg, struct vici_call *call)
{
    struct adit_why why = { 0 };
    const char *name = cmd_text(call, "child");
    if (!name)
        vici_call_fail(call, "uninstall needs child");
    else if (trap_uninstall(arg, cmd_text(call, "ike"), name, &why) != ADIT_OK)
        vici_call_fail(call, "%s", why.text);
    else
        vici_call_ok(call);
}
