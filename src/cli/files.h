/* files.h - reading configuration files without the daemon, for check and explain. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include "cli/cli.h"
#include "config/config.h"

#define FILES_ADIT_CONF "/etc/adit/adit.conf"

struct files {
    struct config_source src;
    struct config_option *options;
    struct config_daemon daemon;
    struct arena arena;
    struct config_report report;
};
/* Finds the file to read: the word on the command line, or what adit.conf says. false: the settings have errors. */
bool files_open(struct files *f, const struct cli_args *a);
void files_print_report(const struct files *f, FILE *to);
void files_close(struct files *f);

#endif
