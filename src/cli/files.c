/* files.c - see files.h. */
#include "cli/files.h"
#include "adit/ike.h"
#include "base/mem.h"
#include "pki/pki.h"

static void copy_options(struct files *f)
{
    size_t n;
    const struct adit_option_def *from = adit_ike_options(&n);
    f->options = mem_new_array(n + 1, sizeof(*f->options));
    for (size_t i = 0; f->options && i < n; i++)
        f->options[i] = (struct config_option){ from[i].key,
                                                (enum config_option_scope)from[i].scope,
                                                (enum config_option_type)from[i].type,
                                                from[i].words,
                                                from[i].deflt,
                                                from[i].doc,
                                                from[i].owner };
    f->src.options = f->options;
    f->src.n_options = f->options ? n : 0;
}

bool files_open(struct files *f, const struct cli_args *a)
{
    *f = (struct files){ .src = { .io = &config_posix_io, .dn = pki_dn_encode } };
    copy_options(f);
    const char *settings = a->config ? a->config : FILES_ADIT_CONF;
    if (config_daemon_load(&f->src, settings, &f->arena, &f->daemon, &f->report) != ADIT_OK)
        return false;
    f->src.swanctl_conf = a->n_words ? a->words[0] : f->daemon.swanctl_conf;
    return true;
}

void files_print_report(const struct files *f, FILE *to)
{
    struct adit_buf text = { 0 };
    if (config_report_print(&f->report, &text) == ADIT_OK)
        fwrite(text.p, 1, text.n, to);
    buf_fini(&text);
}

void files_close(struct files *f)
{
    config_report_fini(&f->report);
    arena_fini(&f->arena);
    mem_del(f->options);
}
