/* cmd_load_conn.c - load-conn, unload-conn, get-conns: connections by VICI. All of a message, or nothing. */
#include "base/why.h"
#include "daemon/cmd.h"

bool cmd_convert(struct arena *arena, const struct vici_node *from, struct config_node *to)
{
    static const enum config_kind kinds[] = {
        [VICI_SECTION] = CONFIG_SECTION, [VICI_LIST] = CONFIG_LIST, [VICI_VALUE] = CONFIG_VALUE
    };
    vici_for_each(it, from)
    {
        struct config_node *n = config_tree_add(arena, to, kinds[it->kind], it->name, it->value);
        if (!n || !cmd_convert(arena, it, n))
            return false;
    }
    return true;
}

static enum adit_rc read_conn(struct daemon *d, struct arena *arena, const struct vici_node *section,
                              struct adit_config *holder, struct adit_why *why)
{
    struct config_source src;
    struct config_report report = { 0 };
    struct config_node *root = config_tree_new(arena, "vici");
    struct config_node *conn = config_tree_add(arena, root, CONFIG_SECTION, section->name, SPAN_NONE);
    if (!conn || !cmd_convert(arena, section, conn))
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    load_source(d, &src);
    enum adit_rc rc = config_conn_from_tree(&src, conn, holder, &report);
    if (rc != ADIT_OK)
        rc = config_report_why(&report, why);
    config_report_fini(&report);
    return rc;
}

static enum adit_rc put_conn(struct daemon *d, struct vici_call *call, const struct vici_node *section,
                             struct sources *next, struct adit_why *why)
{
    if (section->kind != VICI_SECTION)
        return why_set(why, ADIT_ERR_CONFIG, "load-conn wants sections, '%s' is none", section->name);
    struct adit_config *holder = adit_config_new();
    if (!holder)
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    enum adit_rc rc = read_conn(d, vici_call_arena(call), section, holder, why);
    if (rc == ADIT_OK)
        rc = sources_put(next, SOURCE_CONN, section->name, holder);
    adit_config_unref(holder);
    return rc;
}

static enum adit_rc load_all(struct daemon *d, struct vici_call *call, struct adit_why *why)
{
    struct sources next;
    enum adit_rc rc = sources_copy(&next, &d->sources);
    vici_for_each(it, vici_call_args(call)) if (rc == ADIT_OK) rc = put_conn(d, call, it, &next, why);
    if (rc == ADIT_OK)
        rc = load_apply(d, &next, why);
    sources_fini(&next);
    return rc;
}

void cmd_load_conn(void *arg, struct vici_call *call)
{
    struct adit_why why = { .text = "out of memory" };
    if (!vici_call_args(call)->first)
        vici_call_fail(call, "load-conn without a connection");
    else if (load_all(arg, call, &why) != ADIT_OK)
        vici_call_fail(call, "%s", why.text);
    else
        vici_call_ok(call);
}

static enum adit_rc unload(struct daemon *d, const char *name, struct adit_why *why)
{
    struct sources next;
    TRY(sources_copy(&next, &d->sources));
    enum adit_rc rc = ADIT_OK;
    if (!sources_del(&next, SOURCE_CONN, name))
        rc = why_set(why, ADIT_ERR_NOT_FOUND, "unload: no connection '%s' was loaded by VICI", name);
    if (rc == ADIT_OK)
        rc = load_apply(d, &next, why);
    sources_fini(&next);
    return rc;
}

void cmd_unload_conn(void *arg, struct vici_call *call)
{
    struct adit_why why = { .text = "out of memory" };
    const char *name = cmd_text(call, "name");
    if (!name)
        vici_call_fail(call, "unload-conn needs name");
    else if (unload(arg, name, &why) != ADIT_OK)
        vici_call_fail(call, "%s", why.text);
    else
        vici_call_ok(call);
}

/* Only VICI's own: swanctl unloads what it finds here and not in its file. */
void cmd_get_conns(void *arg, struct vici_call *call)
{
    const struct daemon *d = arg;
    struct reply r;
    reply_begin(&r);
    vici_list(&r.b, "conns");
    for (size_t i = 0; i < d->sources.n; i++)
        if (d->sources.v[i].kind == SOURCE_CONN)
            vici_item_str(&r.b, d->sources.v[i].id);
    vici_list_end(&r.b);
    reply_answer(&r, call);
}
