/* cmd_explain.c - adit explain [FILE]: every key with its effective value and where it comes from. */
#include "cli/files.h"

int cmd_explain(const struct cli_args *a)
{
    struct files f;
    struct adit_buf text = { 0 };
    bool good = files_open(&f, a) && config_explain(&f.src, a->name, &text, &f.report) == ADIT_OK;
    files_print_report(&f, stderr);
    if (good)
        fwrite(text.p, 1, text.n, stdout);
    buf_fini(&text);
    files_close(&f);
    return good ? EXIT_DONE : EXIT_REFUSED;
}
