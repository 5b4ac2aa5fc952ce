/* kept.h - what the engine wants to outlive it, in one file that only we may read. */
#ifndef DAEMON_KEPT_H
#define DAEMON_KEPT_H

#include "adit/ike.h"
#include "base/why.h"

/* path NULL or "": nothing is kept. A file that is not there is no error, one that others may read is. */
ADIT_MUST_USE enum adit_rc kept_load(struct adit_ike *ike, const char *path, struct adit_why *why);
/* Replaces the file as a whole; mode 0600. */
ADIT_MUST_USE enum adit_rc kept_save(const struct adit_ike *ike, const char *path, struct adit_why *why);

#endif
