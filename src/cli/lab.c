/* lab.c - one UDP socket to one peer. Datagrams of others are not looked at, and nothing is sent to others. */
#include "cli/lab.h"
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "model/model.h"

#define MARKER 4

static bool port_number(const char *text, uint16_t *out)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    *out = (uint16_t)v;
    return *text && !*end && v > 0 && v < 65536;
}

/* To everybody, or to nobody. */
static bool is_one_host(const struct adit_addr *a)
{
    static const uint8_t all[4] = { 255, 255, 255, 255 };
    if (addr_is_any(a))
        return false;
    if (a->family == 4)
        return (a->ip[0] & 0xf0) != 0xe0 && memcmp(a->ip, all, 4) != 0;
    return a->ip[0] != 0xff;
}

static socklen_t to_sockaddr(const struct adit_addr *a, uint16_t port, struct sockaddr_storage *out)
{
    struct sockaddr_in *in4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof(*out));
    if (a->family == 4) {
        in4->sin_family = AF_INET;
        in4->sin_port = htons(port);
        memcpy(&in4->sin_addr, a->ip, 4);
        return sizeof(*in4);
    }
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    memcpy(&in6->sin6_addr, a->ip, 16);
    return sizeof(*in6);
}

static bool complain(const char *what, const char *value)
{
    fprintf(stderr, "adit conformance: %s: %s\n", value, what);
    return false;
}

/* Ours: any address, a port of the kernel's choice; as a responder the port that peers call. */
static bool bind_here(struct lab *lab, const struct cli_args *args, uint8_t family, uint16_t port)
{
    struct sockaddr_storage here;
    struct adit_addr any = { .family = family };
    uint16_t own = args->listen ? port : 0;
    if (args->bind && (!addr_parse(args->bind, &any) || any.family != family))
        return complain("no address of the peer's family", args->bind);
    if (args->bind_port && !port_number(args->bind_port, &own))
        return complain("no port", args->bind_port);
    socklen_t n = to_sockaddr(&any, own, &here);
    lab->fd = socket(here.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (lab->fd < 0 || bind(lab->fd, (struct sockaddr *)&here, n))
        return complain(strerror(errno), "cannot open the socket");
    return true;
}

bool lab_open(struct lab *lab, const struct cli_args *args)
{
    struct adit_addr peer;
    uint16_t port = 500;
    *lab = (struct lab){ .fd = -1, .trigger = args->trigger, .listens = args->listen };
    if (!addr_parse(args->words[0], &peer))
        return complain("no IP address", args->words[0]);
    if (!is_one_host(&peer))
        return complain("not the address of one host", args->words[0]);
    if (args->port && !port_number(args->port, &port))
        return complain("no port", args->port);
    lab->marker = port == 4500;
    lab->peer_n = to_sockaddr(&peer, port, &lab->peer);
    return bind_here(lab, args, peer.family, port);
}

void lab_close(struct lab *lab)
{
    if (lab->fd >= 0)
        close(lab->fd);
}

static bool is_peer(const struct lab *lab, const struct sockaddr_storage *from)
{
    const struct sockaddr_in *a = (const struct sockaddr_in *)from, *b = (const struct sockaddr_in *)&lab->peer;
    const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)from, *b6 = (const struct sockaddr_in6 *)&lab->peer;
    if (from->ss_family != lab->peer.ss_family)
        return false;
    return from->ss_family == AF_INET ? a->sin_addr.s_addr == b->sin_addr.s_addr
                                      : !memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr));
}

/* A datagram that the kernel does not take (too long, nobody at home) is lost like any other. */
static bool lab_send(void *arg, struct adit_span d)
{
    struct lab *lab = arg;
    static uint8_t out[70000];
    size_t before = lab->marker ? MARKER : 0;
    if (d.n > sizeof(out) - MARKER)
        return false;
    memset(out, 0, MARKER);
    memcpy(out + before, d.p, d.n);
    (void)!sendto(lab->fd, out, before + d.n, 0, (struct sockaddr *)&lab->peer, lab->peer_n);
    return true;
}

static uint64_t lab_now(void *arg)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static size_t lab_receive(void *arg, uint8_t *out, size_t cap, unsigned ms)
{
    struct lab *lab = arg;
    static uint8_t in[70000];
    struct sockaddr_storage from;
    socklen_t n = sizeof(from);
    size_t before = lab->marker ? MARKER : 0;
    struct pollfd p = { .fd = lab->fd, .events = POLLIN };
    if (poll(&p, 1, (int)ms) <= 0)
        return 0;
    ssize_t got = recvfrom(lab->fd, in, sizeof(in), 0, (struct sockaddr *)&from, &n);
    if (got <= (ssize_t)before || !is_peer(lab, &from))
        return 0;
    if (lab->listens)
        memcpy(&lab->peer, &from, n); /* wherever it calls from */
    size_t len = (size_t)got - before < cap ? (size_t)got - before : cap;
    memcpy(out, in + before, len);
    return len;
}

/* sh -c 'COMMAND "$1"' trigger WISH, which nobody waits for. */
static void run_trigger(const struct lab *lab, const char *wish)
{
    char text[4096];
    snprintf(text, sizeof(text), "%s \"$1\"", lab->trigger);
    pid_t pid = fork();
    if (pid != 0)
        return;
    close(lab->fd);
    execl("/bin/sh", "sh", "-c", text, "trigger", wish, (char *)NULL);
    _exit(127);
}

static bool lab_wish(void *arg, enum conformance_wish w)
{
    static const char *const words[] = { "initiate", "rekey-child", "rekey-ike" };
    struct lab *lab = arg;
    if (!lab->listens)
        return false;
    if (lab->trigger)
        run_trigger(lab, words[w]);
    else if (w == WISH_INITIATE)
        fprintf(stderr, "adit conformance: waiting for the peer to initiate\n");
    return lab->trigger || w == WISH_INITIATE;
}

struct conformance_port lab_port(struct lab *lab)
{
    return (struct conformance_port){ lab, lab_send, lab_receive, lab_now, lab_wish };
}
