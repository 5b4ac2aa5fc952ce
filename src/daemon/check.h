/* check.h - aditd --check. */
#ifndef DAEMON_CHECK_H
#define DAEMON_CHECK_H

#include "daemon/daemon.h"

/* Reads all files, prints what is wrong to standard error. 0 = good, 1 = errors. */
int check_files(const struct daemon_options *opt);

#endif
