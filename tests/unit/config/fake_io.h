/* fake_io.h - files in memory for the loader's tests. */
#ifndef FAKE_IO_H
#define FAKE_IO_H

#include <fnmatch.h>
#include "unit.h"
#include "base/why.h"
#include "config/config.h"

struct fake_file {
    const char *path, *text; /* sorted by path; the last has path NULL */
};

static inline enum adit_rc fake_read(void *arg, const char *path, struct adit_buf *out, struct adit_why *why)
{
    for (const struct fake_file *f = arg; f->path; f++) {
        if (!strcmp(f->path, path))
            return buf_set(out, span_str(f->text));
    }
    return why_set(why, ADIT_ERR_NOT_FOUND, "%s: No such file or directory", path);
}

static inline enum adit_rc fake_glob(void *arg, const char *pattern, config_path_fn *found, void *found_arg,
                                     struct adit_why *why)
{
    for (const struct fake_file *f = arg; f->path; f++) {
        if (fnmatch(pattern, f->path, FNM_PATHNAME | FNM_PERIOD) == 0)
            found(found_arg, f->path);
    }
    return ADIT_OK;
}

static inline enum adit_rc fake_list(void *arg, const char *dir, config_path_fn *found, void *found_arg,
                                     struct adit_why *why)
{
    size_t n = strlen(dir);
    for (const struct fake_file *f = arg; f->path; f++) {
        if (!strncmp(f->path, dir, n) && f->path[n] == '/' && !strchr(f->path + n + 1, '/'))
            found(found_arg, f->path);
    }
    return ADIT_OK;
}

static inline struct config_io fake_io(const struct fake_file *files)
{
    return (struct config_io){ (void *)(uintptr_t)files, fake_read, fake_glob, fake_list };
}

/* "DN:" and the text: enough to see that the encoder was asked. */
static inline bool fake_dn(void *arg, const char *text, struct arena *arena, struct adit_span *der)
{
    STRBUF(out, 256);
    strbuf_addf(&out, "DN:%s", text);
    *der = arena_span(arena, span(out.p, out.n));
    return true;
}

/* Rows as an engine would hand them in; the names mean nothing. */
static const struct config_option fake_options[] = {
    { "x_mode", CONFIG_OPT_CONN, CONFIG_OPT_WORD, "no|auto|yes", "auto", "a mode", "x" },
    { "x_flag", CONFIG_OPT_CONN, CONFIG_OPT_BOOL, NULL, "no", "a flag", "x" },
    { "y_size", CONFIG_OPT_CHILD, CONFIG_OPT_UINT, NULL, "0", "a number", "y" },
    { "x_wait", CONFIG_OPT_DAEMON, CONFIG_OPT_TIME, NULL, "20s", "a time", "x" },
    { "x_text", CONFIG_OPT_DAEMON, CONFIG_OPT_TEXT, NULL, NULL, "a text", "x" },
};

static inline struct config_source fake_source(const struct config_io *io)
{
    return (struct config_source){ .io = io,
                                   .swanctl_conf = "/s/swanctl.conf",
                                   .options = fake_options,
                                   .n_options = ARRAY_LEN(fake_options),
                                   .dn = fake_dn };
}

/* The first problem as one line, for comparisons; "" if there is none. */
static inline const char *first_problem(const struct config_report *r)
{
    static char text[1024];
    struct strbuf out = { text, 0, sizeof(text) };
    text[0] = 0;
    for (unsigned i = 0; i < r->n && !out.n; i++) {
        const struct config_problem *p = &r->v[i];
        if (p->warning && r->errors)
            continue;
        strbuf_addf(&out, "%s:%u:%u: %s%s", p->file, p->line, p->column, p->warning ? "warning: " : "",
                    p->text);
    }
    return text;
}

/* Loads one main file, with some credentials beside it. */
static inline enum adit_rc load_text(const char *text, struct adit_config **cfg, struct config_report *report)
{
    struct fake_file files[] = { { "/s/berlin.psk", "0x6b6579\n" },
                                 { "/s/private/moon.key", "moon key" },
                                 { "/s/swanctl.conf", text },
                                 { "/s/x509/moon.pem", "moon certificate" },
                                 { "/s/x509ca/ca.pem", "ca certificate" },
                                 { NULL, NULL } };
    struct config_io io = fake_io(files);
    struct config_source src = fake_source(&io);
    return config_load(&src, cfg, report);
}

/* A snapshot that must load. */
static inline struct adit_config *good_config(const char *text)
{
    struct config_report report = { 0 };
    struct adit_config *cfg = NULL;
    if (load_text(text, &cfg, &report) != ADIT_OK)
        fail_msg("%s: %s", text, first_problem(&report));
    config_report_fini(&report);
    return cfg;
}

/* Loads text and compares its first problem ("" = none; errors go before warnings). */
static inline void expect_problem(const char *what, const char *text, const char *problem)
{
    struct config_report report = { 0 };
    struct adit_config *cfg = NULL;
    enum adit_rc rc = load_text(text, &cfg, &report);
    if (strcmp(first_problem(&report), problem))
        fail_msg("row '%s': %s", what, first_problem(&report));
    assert_row(what, (rc == ADIT_OK) == (report.errors == 0) && (rc == ADIT_OK) == (cfg != NULL));
    adit_config_unref(cfg);
    config_report_fini(&report);
}

#endif
