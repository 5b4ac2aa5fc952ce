/* cmd_list_policies.c - list-policies: installed traps and shunts, with the selectors of their configuration. */
#include <stdio.h>
#include <string.h>
#include "daemon/cmd.h"
#include "daemon/show.h"
#include "model/model.h"

/* trap, drop, pass are tested for presence, as strongSwan does; none of them = all. */
static bool kind_wanted(const struct vici_call *call, enum adit_mode mode)
{
    const struct vici_node *args = vici_call_args(call);
    bool trap = vici_child(args, "trap"), drop = vici_child(args, "drop"), pass = vici_child(args, "pass");
    if (!trap && !drop && !pass)
        return true;
    return mode == ADIT_MODE_DROP ? drop : mode == ADIT_MODE_PASS ? pass : trap;
}

static void show_ts(struct vici_build *b, const char *name, const struct adit_ts_cfg *ts, unsigned n)
{
    vici_list(b, name);
    for (unsigned i = 0; i < n; i++) {
        STRBUF(text, 160);
        ts_cfg_print(&text, &ts[i]);
        vici_item_str(b, text.p);
    }
    vici_list_end(b);
}

static void emit(struct daemon *d, struct vici_call *call, const struct trap *t)
{
    const struct adit_config *cfg = adit_ike_get_config(d->ike);
    const struct adit_conn *conn = cfg ? adit_config_conn(cfg, t->conn) : NULL;
    const struct adit_child_cfg *child = conn ? conn_child(conn, t->child) : NULL;
    char name[VICI_NAME_MAX + 1];
    struct reply r;
    snprintf(name, sizeof(name), "%.120s/%.120s", t->conn, t->child);
    reply_begin(&r);
    vici_section(&r.b, name);
    vici_str(&r.b, "child", t->child);
    if (show_is_sa(t->mode))
        vici_strf(&r.b, "reqid", "%u", t->reqid);
    vici_str(&r.b, "ike", t->conn);
    vici_str(&r.b, "mode", show_mode(t->mode));
    if (child) {
        show_ts(&r.b, "local-ts", child->local_ts, child->n_local_ts);
        show_ts(&r.b, "remote-ts", child->remote_ts, child->n_remote_ts);
    }
    vici_section_end(&r.b);
    reply_event(&r, call, "list-policy");
}

void cmd_list_policies(void *arg, struct vici_call *call)
{
    struct daemon *d = arg;
    const char *ike = cmd_text(call, "ike"), *child = cmd_text(call, "child");
    list_for_each (it, &d->traps) {
        const struct trap *t = list_entry(it, struct trap, node);
        if (kind_wanted(call, t->mode) && (!ike || !strcmp(ike, t->conn)) &&
            (!child || !strcmp(child, t->child)))
            emit(d, call, t);
    }
    vici_call_answer(call, SPAN_NONE);
}
