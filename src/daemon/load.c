/* load.c - configuration into the running daemon: adit.conf, the connection files, and the way every change takes. */
#include "base/mem.h"
#include "base/why.h"
#include "daemon/daemon.h"
#include "pki/pki.h"

void load_source(const struct daemon *d, struct config_source *out)
{
    *out = (struct config_source){ .io = &config_posix_io,
                                   .swanctl_conf = d->opt.swanctl_conf ? d->opt.swanctl_conf
                                                                       : d->set.swanctl_conf,
                                   .options = d->options,
                                   .n_options = d->n_options,
                                   .dn = pki_dn_encode };
}

enum adit_rc load_settings(struct daemon *d, struct config_report *report)
{
    struct config_source src;
    struct config_daemon set = { 0 };
    struct arena arena = { 0 };
    load_source(d, &src);
    enum adit_rc rc = config_daemon_load(&src, d->opt.config, &arena, &set, report);
    if (rc != ADIT_OK) {
        arena_fini(&arena);
        return rc;
    }
    arena_fini(&d->set_arena);
    d->set_arena = arena;
    d->set = set;
    if (d->opt.no_dataplane)
        d->set.dataplane = CONFIG_DP_NONE;
    d->log.level = (enum adit_level)(d->opt.debug >= 0 ? d->opt.debug : set.log);
    return ADIT_OK;
}

static size_t count_conns(const struct adit_config *cfg)
{
    const struct adit_conn *const *conns;
    return cfg ? adit_config_conns(cfg, &conns) : 0;
}

enum adit_rc load_files(struct daemon *d, bool allow_empty, struct config_report *report,
                        struct adit_why *why)
{
    struct config_source src;
    struct adit_config *files = NULL;
    struct sources next;
    load_source(d, &src);
    if (config_load(&src, &files, report) != ADIT_OK)
        return config_report_why(report, why);
    if (!allow_empty && !count_conns(files)) {
        adit_config_unref(files);
        return why_set(why, ADIT_ERR_CONFIG, "%s has no connections; if that is meant, say --empty",
                       src.swanctl_conf);
    }
    if (sources_copy(&next, &d->sources) != ADIT_OK) {
        adit_config_unref(files);
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    }
    adit_config_unref(next.files);
    next.files = files;
    enum adit_rc rc = load_apply(d, &next, why);
    sources_fini(&next);
    return rc;
}

enum adit_rc load_apply(struct daemon *d, struct sources *changed, struct adit_why *why)
{
    struct adit_config *after;
    const struct adit_config *current = adit_ike_get_config(d->ike);
    TRY(sources_build(changed, &d->set.ike, &d->reqids, &after, why));
    /* A reference of our own: the engine lets go of it in adit_ike_config(). */
    struct adit_config *before = current ? adit_config_ref((struct adit_config *)(uintptr_t)current) : NULL;
    enum adit_rc rc = adit_ike_config(d->ike, after, daemon_now(), why);
    if (rc == ADIT_OK) {
        struct sources old = d->sources;
        d->sources = *changed;
        *changed = old;
        host_run(d);
        actions_apply(d, before, after);
        host_run(d);
    }
    adit_config_unref(before);
    adit_config_unref(after);
    return rc;
}
