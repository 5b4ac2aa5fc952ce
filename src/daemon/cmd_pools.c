/* cmd_pools.c - load-pool, unload-pool, get-pools: virtual addresses for peers. */
#include <string.h>
#include "base/why.h"
#include "daemon/cmd.h"
#include "model/model.h"

static enum adit_rc read_pool(struct daemon *d, struct arena *arena, const struct vici_node *section,
                              struct adit_config *holder, struct adit_why *why)
{
    struct config_source src;
    struct config_report report = { 0 };
    struct config_node *root = config_tree_new(arena, "vici");
    struct config_node *pool = config_tree_add(arena, root, CONFIG_SECTION, section->name, SPAN_NONE);
    if (!pool || !cmd_convert(arena, section, pool))
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    load_source(d, &src);
    enum adit_rc rc = config_pool_from_tree(&src, pool, holder, &report);
    if (rc != ADIT_OK)
        rc = config_report_why(&report, why);
    config_report_fini(&report);
    return rc;
}

static bool is_of_files(const struct daemon *d, const char *name)
{
    const struct adit_pool *const *v;
    size_t n = d->sources.files ? adit_config_pools(d->sources.files, &v) : 0;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(v[i]->name, name))
            return true;
    return false;
}

/* get-pools shows the pools of our own files too, and `swanctl --load-pools` unloads what its files do not have: these
 * stay, and that is no error, or no `swanctl --load-all` would come to its connections. */
static enum adit_rc forget(struct daemon *d, struct sources *next, const char *name, struct adit_why *why)
{
    if (sources_del(next, SOURCE_POOL, name))
        return ADIT_OK;
    if (!is_of_files(d, name))
        return why_set(why, ADIT_ERR_NOT_FOUND, "there is no such pool: '%s'", name);
    log_say(&d->log, ADIT_LOG_INFO, "CFG", "pool '%s' stays: it is of aditd's own swanctl.conf", name);
    return ADIT_OK;
}

/* holder NULL: away with it. */
static enum adit_rc apply(struct daemon *d, const char *name, struct adit_config *holder, struct adit_why *why)
{
    struct sources next;
    TRY(sources_copy(&next, &d->sources));
    enum adit_rc rc = holder ? sources_put(&next, SOURCE_POOL, name, holder) : forget(d, &next, name, why);
    if (rc == ADIT_OK)
        rc = load_apply(d, &next, why);
    sources_fini(&next);
    return rc;
}

static enum adit_rc load(struct daemon *d, struct vici_call *call, const struct vici_node *section, struct adit_why *why)
{
    struct adit_config *holder = adit_config_new();
    if (!holder)
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    enum adit_rc rc = read_pool(d, vici_call_arena(call), section, holder, why);
    if (rc == ADIT_OK)
        rc = apply(d, section->name, holder, why);
    adit_config_unref(holder);
    return rc;
}

void cmd_load_pool(void *arg, struct vici_call *call)
{
    struct adit_why why = { .text = "out of memory" };
    const struct vici_node *section = vici_call_args(call)->first;
    if (!section || section->kind != VICI_SECTION || section->next)
        vici_call_fail(call, "load-pool wants one section");
    else if (load(arg, call, section, &why) != ADIT_OK)
        vici_call_fail(call, "%s", why.text);
    else
        vici_call_ok(call);
}

void cmd_unload_pool(void *arg, struct vici_call *call)
{
    struct adit_why why = { .text = "out of memory" };
    const char *name = cmd_text(call, "name");
    if (!name)
        vici_call_fail(call, "unload-pool needs name");
    else if (apply(arg, name, NULL, &why) != ADIT_OK)
        vici_call_fail(call, "%s", why.text);
    else
        vici_call_ok(call);
}

static void show_addr(struct vici_build *b, const char *name, const struct adit_addr *a)
{
    STRBUF(text, 64);
    addr_print(&text, a);
    vici_str(b, name, text.p);
}

static void show_leases(struct vici_build *b, const struct daemon *d, size_t pool)
{
    struct adit_lease_info lease;
    vici_section(b, "leases");
    for (size_t i = 0; adit_ike_lease_info(d->ike, pool, i, &lease); i++) {
        STRBUF(owner, 512);
        STRBUF(number, 24);
        id_print(&owner, &lease.owner);
        strbuf_addf(&number, "%zu", i);
        vici_section(b, number.p);
        show_addr(b, "address", &lease.addr);
        vici_str(b, "identity", owner.p);
        vici_str(b, "status", lease.online ? "online" : "offline");
        vici_section_end(b);
    }
    vici_section_end(b);
}

void cmd_get_pools(void *arg, struct vici_call *call)
{
    const struct daemon *d = arg;
    const char *name = cmd_text(call, "name");
    struct adit_pool_info pool;
    bool leases = false;
    struct reply r;
    if (!cmd_bool(call, "leases", &leases))
        return;
    reply_begin(&r);
    for (size_t i = 0; adit_ike_pool_info(d->ike, i, &pool); i++) {
        if (name && strcmp(name, pool.name))
            continue;
        vici_section(&r.b, pool.name);
        show_addr(&r.b, "base", &pool.base);
        vici_strf(&r.b, "size", "%u", pool.size);
        vici_strf(&r.b, "online", "%u", pool.online);
        vici_strf(&r.b, "offline", "%u", pool.offline);
        if (leases)
            show_leases(&r.b, d, i);
        vici_section_end(&r.b);
    }
    reply_answer(&r, call);
}
