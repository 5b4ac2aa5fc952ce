/* keylog.h - appends lines for Wireshark (ikev2_decryption_table, esp_sa) to files that only the owner may read.
 * Off unless a path is configured: these files hold the keys of all traffic. */
#ifndef DAEMON_KEYLOG_H
#define DAEMON_KEYLOG_H

#include <stdio.h>
#include "adit/base.h"

struct keylog {
    FILE *ike, *esp;
};

/* A path may be NULL or "" = off. Refuses links and files that others may read. */
ADIT_MUST_USE enum adit_rc keylog_open(struct keylog *k, const char *ike_path, const char *esp_path,
                                       struct adit_why *why);
/* which: "ike" or "esp". */
void keylog_line(struct keylog *k, const char *which, const char *line);
void keylog_close(struct keylog *k);

#endif
