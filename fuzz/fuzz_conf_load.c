/* fuzz_conf_load.c - whole configurations: either a snapshot without errors or errors without a snapshot; what loads can
 * be explained, and differs in nothing from itself loaded again. */
#include <stdlib.h>

#include "fuzz_config.h"

static const struct config_option options[] = {
    { "x_mode", CONFIG_OPT_CONN, CONFIG_OPT_WORD, "no|auto|yes", "auto", "a mode", "x" },
    { "y_size", CONFIG_OPT_CHILD, CONFIG_OPT_UINT, NULL, "0", "a number", "y" },
    { "x_wait", CONFIG_OPT_DAEMON, CONFIG_OPT_TIME, NULL, "20s", "a time", "x" },
};

static bool raw_dn(void *arg, const char *text, struct arena *arena, struct adit_span *der)
{
    *der = arena_span(arena, span_str(text));
    return der->n > 0;
}

static struct adit_config *load(struct adit_span main_file)
{
    struct fuzz_files files = { .main = main_file };
    struct config_io io = fuzz_io(&files);
    struct config_source src = { &io, "/s/swanctl.conf", options, ARRAY_LEN(options), raw_dn, NULL };
    struct config_report report = { 0 };
    struct adit_config *cfg = NULL;
    enum adit_rc rc = config_load(&src, &cfg, &report);
    if ((rc == ADIT_OK) != (cfg != NULL) || (rc == ADIT_OK) != (report.errors == 0))
        abort();
    config_report_fini(&report);
    return cfg;
}

static void explain(struct adit_span main_file)
{
    struct fuzz_files files = { .main = main_file };
    struct config_io io = fuzz_io(&files);
    struct config_source src = { &io, "/s/swanctl.conf", options, ARRAY_LEN(options), raw_dn, NULL };
    struct config_report report = { 0 };
    struct adit_buf out = { 0 };
    if (config_explain(&src, NULL, &out, &report) != ADIT_OK)
        abort();
    buf_fini(&out);
    config_report_fini(&report);
}

static void daemon_settings(struct adit_span file)
{
    struct fuzz_files files = { .main = file };
    struct config_io io = fuzz_io(&files);
    struct config_source src = { &io, NULL, options, ARRAY_LEN(options), raw_dn, NULL };
    struct config_report report = { 0 };
    struct config_daemon d;
    struct arena arena = { 0 };
    if ((config_daemon_load(&src, "/e/adit.conf", &arena, &d, &report) == ADIT_OK) != (report.errors == 0))
        abort();
    config_report_fini(&report);
    arena_fini(&arena);
}

static void changed(void *arg, const struct config_change *change)
{
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct adit_config *cfg = load(span(data, n));
    if (cfg) {
        struct adit_config *again = load(span(data, n));
        explain(span(data, n));
        config_diff(cfg, again, changed, NULL);
        adit_config_unref(again);
    }
    adit_config_unref(cfg);
    daemon_settings(span(data, n));
    return 0;
}
