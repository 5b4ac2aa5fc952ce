/* cmd_check.c - adit check [FILE]: what is wrong, with file and line; without the daemon. */
#include <time.h>
#include "adit/ike.h"
#include "cli/files.h"

static void add_problem(struct vici_build *b, unsigned i, const struct config_problem *p)
{
    char name[16];
    snprintf(name, sizeof(name), "%u", i);
    vici_section(b, name);
    vici_str(b, "kind", p->warning ? "warning" : "error");
    vici_str(b, "file", p->file);
    vici_strf(b, "line", "%u", p->line);
    vici_strf(b, "column", "%u", p->column);
    vici_str(b, "text", p->text);
    vici_section_end(b);
}

static uint64_t unix_time(void *arg, uint64_t now)
{
    return (uint64_t)time(NULL);
}

/* What only the engine can judge: is a certificate one, does its key fit? As the daemon will when it loads them. */
static enum adit_rc try_engine(const struct files *f, struct adit_config *cfg, struct adit_why *why)
{
    struct adit_host host = { .crypto = adit_crypto_new(NULL, NULL, why), .unix_time = unix_time };
    struct adit_ike *ike = host.crypto ? adit_ike_new(&host, 1) : NULL;
    enum adit_rc rc = ike ? adit_config_settings(cfg, &f->daemon.ike) : ADIT_ERR_CRYPTO;
    if (rc == ADIT_OK)
        rc = adit_ike_config(ike, cfg, 1, why);
    adit_ike_free(ike);
    adit_crypto_free(host.crypto);
    return rc;
}

static void print_json(const struct files *f, bool good, const char *reason)
{
    struct adit_buf message = { 0 };
    struct vici_build b;
    struct arena arena = { 0 };
    struct vici_node *root;
    vici_build_init(&b, &message);
    vici_bool(&b, "success", good);
    if (*reason)
        vici_str(&b, "errmsg", reason);
    vici_section(&b, "problems");
    for (unsigned i = 0; i < f->report.n; i++)
        add_problem(&b, i, &f->report.v[i]);
    vici_section_end(&b);
    if (vici_build_finish(&b) == ADIT_OK && vici_parse(buf_span(&message), &arena, &root, NULL) == ADIT_OK)
        out_response_json(root);
    arena_fini(&arena);
    buf_fini(&message);
}

static size_t count_conns(struct adit_config *cfg)
{
    const struct adit_conn *const *conns;
    return cfg ? adit_config_conns(cfg, &conns) : 0;
}

int cmd_check(const struct cli_args *a)
{
    struct files f;
    struct adit_config *cfg = NULL;
    struct adit_why why = { 0 };
    bool good = files_open(&f, a) && config_load(&f.src, &cfg, &f.report) == ADIT_OK &&
                try_engine(&f, cfg, &why) == ADIT_OK;
    if (a->json)
        print_json(&f, good, why.text);
    else
        files_print_report(&f, stderr);
    if (!a->json && why.text[0])
        fprintf(stderr, "%s: error: %s\n", f.src.swanctl_conf, why.text);
    if (good && !a->json)
        printf("%s: good, %zu connection%s, %u warning%s\n", f.src.swanctl_conf, count_conns(cfg),
               count_conns(cfg) == 1 ? "" : "s", f.report.warnings, f.report.warnings == 1 ? "" : "s");
    adit_config_unref(cfg);
    files_close(&f);
    return good ? EXIT_DONE : EXIT_REFUSED;
}
