/* cmd_reload.c - adit-load: the files again, all or nothing; reload-settings: adit.conf alone. */
#include "daemon/cmd.h"

static void answer(struct vici_call *call, enum adit_rc rc, const char *reason,
                   const struct config_report *report)
{
    struct reply r;
    reply_begin(&r);
    vici_bool(&r.b, "success", rc == ADIT_OK);
    if (rc != ADIT_OK)
        vici_str(&r.b, "errmsg", reason);
    vici_list(&r.b, "problems");
    for (unsigned i = 0; i < report->n; i++) {
        STRBUF(line, 1000);
        config_problem_print(&line, &report->v[i]);
        vici_item_str(&r.b, line.p);
    }
    vici_list_end(&r.b);
    reply_answer(&r, call);
}

void cmd_adit_load(void *arg, struct vici_call *call)
{
    struct adit_why why = { 0 };
    struct config_report report = { 0 };
    bool empty = false;
    if (!cmd_bool(call, "empty", &empty))
        return;
    enum adit_rc rc = load_files(arg, empty, &report, &why);
    answer(call, rc, why.text, &report);
    config_report_fini(&report);
}

static enum adit_rc reload_settings(struct daemon *d, struct config_report *report, struct adit_why *why)
{
    struct sources next;
    if (load_settings(d, report) != ADIT_OK)
        return config_report_why(report, why);
    enum adit_rc rc = sources_copy(&next, &d->sources);
    if (rc == ADIT_OK)
        rc = load_apply(d, &next, why);
    sources_fini(&next);
    return rc;
}

void cmd_reload_settings(void *arg, struct vici_call *call)
{
    struct adit_why why = { 0 };
    struct config_report report = { 0 };
    enum adit_rc rc = reload_settings(arg, &report, &why);
    answer(call, rc, why.text, &report);
    config_report_fini(&report);
}
