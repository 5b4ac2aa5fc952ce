/* lab.h - a peer of one's own, reached by a UDP socket: the port through which `adit conformance` plays its catalogue. */
#ifndef CLI_LAB_H
#define CLI_LAB_H

#include <netinet/in.h>
#include "cli/cli.h"
#include "conformance/conformance.h"

struct lab {
    int fd;
    bool marker; /* port 4500: four zero octets in front (RFC 3948 s2.2) */
    bool listens;
    const char *trigger; /* a command that brings the peer to something; NULL: none */
    struct sockaddr_storage peer;
    socklen_t peer_n;
};
/* Opens the socket to args' peer; says on standard error what is wrong, false. Only unicast addresses in digits. */
bool lab_open(struct lab *lab, const struct cli_args *args);
void lab_close(struct lab *lab);
struct conformance_port lab_port(struct lab *lab);

#endif
