/* check.c - see check.h. Goes as far as the engine, which parses certificates and keys; opens no socket. */
#include "daemon/check.h"
#include <stdio.h>
#include "base/mem.h"
#include "daemon/ke_numbers.h"
#include "base/why.h"

static void print(const struct config_report *report)
{
    struct adit_buf text = { 0 };
    if (config_report_print(report, &text) == ADIT_OK)
        fwrite(text.p, 1, text.n, stderr);
    buf_fini(&text);
}

static enum adit_rc try_engine(struct daemon *d, struct adit_config *files, struct adit_why *why)
{
    struct sources s = { .files = files };
    struct adit_config *all;
    TRY(sources_build(&s, &d->set.ike, &d->reqids, &all, why));
    d->crypto = ke_numbers_crypto(why);
    struct adit_host host = { .crypto = d->crypto, .unix_time = daemon_unix_time };
    d->ike = d->crypto ? adit_ike_new(&host, daemon_now()) : NULL;
    enum adit_rc rc = d->ike ? adit_ike_config(d->ike, all, daemon_now(), why) : ADIT_ERR_CRYPTO;
    adit_config_unref(all);
    adit_ike_free(d->ike);
    adit_crypto_free(d->crypto);
    return rc;
}

static enum adit_rc check_connections(struct daemon *d, struct config_report *report, struct adit_why *why)
{
    struct config_source src;
    struct adit_config *files = NULL;
    load_source(d, &src);
    TRY(config_load(&src, &files, report));
    enum adit_rc rc = try_engine(d, files, why);
    adit_config_unref(files);
    return rc;
}

int check_files(const struct daemon_options *opt)
{
    static struct daemon d;
    struct config_report report = { 0 };
    struct adit_why why = { 0 };
    d.opt = *opt;
    reqids_init(&d.reqids);
    enum adit_rc rc = daemon_copy_options(&d, &why);
    if (rc == ADIT_OK)
        rc = load_settings(&d, &report);
    if (rc == ADIT_OK)
        rc = ke_numbers_read(d.set.ke_numbers, &why);
    if (rc == ADIT_OK)
        rc = check_connections(&d, &report, &why);
    print(&report);
    if (rc != ADIT_OK && why.text[0])
        fprintf(stderr, "aditd: %s\n", why.text);
    config_report_fini(&report);
    reqids_fini(&d.reqids);
    arena_fini(&d.set_arena);
    mem_del(d.options);
    return rc == ADIT_OK ? 0 : 1;
}
