/* fuzz_settings.c - the grammar of settings files: includes, references, strings. */
#include <stdlib.h>

#include "config/settings.h"
#include "fuzz_config.h"

static size_t count(const struct config_node *section, unsigned depth)
{
    size_t n = 0;
    if (depth > 100)
        abort(); /* the limits on nesting do not hold */
    for (const struct config_node *node = section->first; node; node = node->next)
        n += 1 + count(node, depth + 1);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct fuzz_files files = { .main = { data, n } };
    struct config_io io = fuzz_io(&files);
    struct arena arena = { 0 };
    struct config_report report = { 0 };
    struct config_node *root;
    struct adit_why why = { 0 };
    enum adit_rc rc = settings_read(&io, "/s/swanctl.conf", &arena, &report, &root, &why);
    if (rc != ADIT_OK && !why.text[0])
        abort();
    if (rc == ADIT_OK && count(root, 0) > CONFIG_NODES_MAX + 1)
        abort();
    config_report_fini(&report);
    arena_fini(&arena);
    return 0;
}
