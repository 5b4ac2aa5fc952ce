/* spoof.c - sends IKE_SA_INIT requests from addresses that are not its own (198.18.0.0/15), each complete and acceptable.
 * Usage: spoof DESTINATION SECONDS RATE [COUNT]      so many a second (0: as fast as it can) for so long, or until COUNT are
 * out; prints what it reached.
 * For namespaces that a test made: it refuses destinations outside the documentation ranges. */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#define BATCH 64

/* SA: ENCR_AES_GCM_16-256, PRF_HMAC_SHA2_384, Curve25519; then KE and Nr, 32 octets each (RFC 7296 s3.3-3.9). */
static const unsigned char message[] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 33, 0x20, 34, 0x08, 0, 0, 0, 0, 0, 0, 0, 144,
    34, 0, 0, 40, 0, 0, 0, 36, 1, 1, 0, 3,
    3, 0, 0, 12, 1, 0, 0, 20, 0x80, 14, 1, 0,
    3, 0, 0, 8, 2, 0, 0, 6,
    0, 0, 0, 8, 4, 0, 0, 31,
    40, 0, 0, 40, 0, 31, 0, 0, [76 ... 107] = 9,
    0, 0, 0, 36, [112 ... 143] = 0x5a,
};
#define SPI_AT 0
#define KE_AT 76
#define NONCE_AT 112

struct packet {
    struct iphdr ip;
    struct udphdr udp;
    unsigned char ike[sizeof(message)];
} __attribute__((packed));

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A small generator for what only has to differ. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

static void renew(struct packet *p, uint64_t *state)
{
    uint64_t r = next(state), spi = next(state);
    p->ip.saddr = htonl(0xc6120000u | (uint32_t)(r & 0x1ffff)); /* 198.18.0.0/15 */
    p->udp.source = htons((uint16_t)(1024 + (r >> 20) % 60000));
    memcpy(p->ike + SPI_AT, &spi, sizeof(spi));
    memcpy(p->ike + KE_AT, &r, sizeof(r));
    memcpy(p->ike + NONCE_AT, &spi, sizeof(spi));
}

static void fill(struct packet *p, struct in_addr to)
{
    *p = (struct packet){ .ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .daddr = to.s_addr },
                          .udp = { .dest = htons(500), .len = htons(sizeof(struct udphdr) + sizeof(message)) } };
    p->ip.tot_len = htons(sizeof(*p));
    memcpy(p->ike, message, sizeof(message));
}

static void keep_pace(double from, unsigned long sent, double rate)
{
    while (rate > 0 && now() - from < (double)sent / rate)
        ;
}

static unsigned long flood(int fd, struct in_addr to, double seconds, double rate, unsigned long count)
{
    static struct packet packets[BATCH];
    struct iovec iov[BATCH];
    struct mmsghdr msgs[BATCH] = { 0 };
    struct sockaddr_in dest = { .sin_family = AF_INET, .sin_addr = to };
    uint64_t state = 0;
    unsigned long sent = 0;
    double from = now(), end = from + seconds;
    if (getrandom(&state, sizeof(state), 0) != sizeof(state))
        return 0;
    state |= 1;
    for (int i = 0; i < BATCH; i++) {
        fill(&packets[i], to);
        iov[i] = (struct iovec){ &packets[i], sizeof(packets[i]) };
        msgs[i].msg_hdr = (struct msghdr){ .msg_name = &dest, .msg_namelen = sizeof(dest), .msg_iov = &iov[i], .msg_iovlen = 1 };
    }
    while (sent < count && now() < end) {
        unsigned n = count - sent < BATCH ? (unsigned)(count - sent) : BATCH;
        for (unsigned i = 0; i < n; i++)
            renew(&packets[i], &state);
        int done = sendmmsg(fd, msgs, n, 0);
        if (done > 0)
            sent += (unsigned long)done;
        keep_pace(from, sent, rate);
    }
    return sent;
}

static int is_for_tests(struct in_addr a)
{
    uint32_t net = ntohl(a.s_addr) >> 8;
    return net == 0xc00002 || net == 0xc63364 || net == 0xcb0071; /* RFC 5737 */
}

int main(int argc, char **argv)
{
    struct in_addr to;
    if (argc < 4 || inet_pton(AF_INET, argv[1], &to) != 1 || !is_for_tests(to)) {
        fprintf(stderr, "usage: spoof DESTINATION SECONDS RATE [COUNT], destination in 192.0.2.0/24 or its like\n");
        return 2;
    }
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    if (fd < 0) {
        perror("spoof");
        return 1;
    }
    double from = now();
    unsigned long sent = flood(fd, to, atof(argv[2]), atof(argv[3]), argc > 4 ? strtoul(argv[4], NULL, 10) : ~0ul);
    double took = now() - from;
    printf("%lu sent in %.1f s: %.0f/s\n", sent, took, (double)sent / took);
    return 0;
}
