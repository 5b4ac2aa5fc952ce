/* cmd_check.c - adit check [FILE]: what is wrong, with file and line; without the daemon. */
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

static void print_json(const struct files *f, bool good)
{
    struct adit_buf message = { 0 };
    struct vici_build b;
    struct arena arena = { 0 };
    struct vici_node *root;
    vici_build_init(&b, &message);
    vici_bool(&b, "success", good);
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
    bool good = files_open(&f, a) && config_load(&f.src, &cfg, &f.report) == ADIT_OK;
    if (a->json)
        print_json(&f, good);
    else
        files_print_report(&f, stderr);
    if (good && !a->json)
        printf("%s: good, %zu connection%s, %u warning%s\n", f.src.swanctl_conf, count_conns(cfg),
               count_conns(cfg) == 1 ? "" : "s", f.report.warnings, f.report.warnings == 1 ? "" : "s");
    adit_config_unref(cfg);
    files_close(&f);
    return good ? EXIT_DONE : EXIT_REFUSED;
}
