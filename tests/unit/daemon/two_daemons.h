/* two_daemons.h - two whole daemons in one process, without data plane, on loopback ports; a VICI client for each. */
#ifndef TWO_DAEMONS_H
#define TWO_DAEMONS_H

#include "daemon/daemon.h"

struct end {
    struct daemon d;
    int fd; /* our side of a connection to its control socket */
    struct adit_buf in;
    char dir[64], config[96];
    struct adit_buf events; /* names of events that came, each followed by a blank */
};
struct pair {
    struct end e[2];
};

/* IKE port of daemon 0 or 1 (2: nobody's); the NAT traversal port is the next one. Different in every process. */
unsigned pair_port(int who);
/* Starts both; connections is swanctl.conf's text of each (may be ""). */
void pair_start(struct pair *p, const char *left, const char *right);
void pair_stop(struct pair *p);
/* Turns both loops for so many milliseconds, or until cond(p) holds; returns whether it does. */
bool pair_run(struct pair *p, unsigned ms, bool (*cond)(struct pair *p));
void ask_register(struct pair *p, int who, const char *event);
/* Sends a request (built as JSON) and returns the answer as JSON; valid until the next ask(). */
const char *ask(struct pair *p, int who, const char *command, const char *json);
/* The last event's message as JSON; "" if there was none. Valid until the next ask(). */
const char *last_event(struct pair *p, int who);

#endif
