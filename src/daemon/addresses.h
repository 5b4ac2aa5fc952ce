/* addresses.h - which addresses this host has, handed to the engine at the start and whenever they or routes change. */
#ifndef DAEMON_ADDRESSES_H
#define DAEMON_ADDRESSES_H

#include "daemon/daemon.h"

/* Hands in the present ones at once. */
ADIT_MUST_USE enum adit_rc addresses_new(struct daemon *d, struct addresses **out, struct adit_why *why);
/* The loop must run once more before addresses_free(). */
void addresses_stop(struct addresses *a);
void addresses_free(struct addresses *a);

#endif
