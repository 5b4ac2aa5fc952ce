/* dp_pair.c - one end of a tunnel with fixed keys, for tests and benches: a data plane without IKE. Two of them, -a and
 * -b, understand each other. Keys come from the SPI numbers: never use it for anything but tests.
 *
 *   dp_pair -a|-b --local ADDR --peer ADDR --local-ts CIDR.. --remote-ts CIDR.. [--encap] [--fifo FILE] [options]
 *
 * Makes SA 1 at once (unless --trap or --none) and then reads commands from the FIFO, one a line:
 *   add ID [replaces ID] [standby]   activate ID   del ID GRACE_MS   path ID ADDR PORT   stats ID   counters
 *   ike ADDR PORT TEXT   keepalive ADDR PORT   local ADDR (for later commands)   quit
 * Events and answers go to stdout, one a line. */
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "dp/dp.h"
#include "model/model.h"

#define TS_MAX 8

struct opts {
    bool stream, b, encap, trap, none, routes, no_clamp, transport, raw;
    const char *tun, *fifo;
    struct adit_addr local, peer;
    struct adit_ts local_ts[TS_MAX], remote_ts[TS_MAX];
    uint16_t n_local, n_remote, port, mtu;
    unsigned workers, mark, table, window;
    enum adit_df df;
    enum adit_fragment fragment;
    struct adit_shape shape;
    uint64_t soft_packets, hard_packets, inactivity_ms;
};

static struct dp *dp;
static struct opts o;

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "dp_pair: %s: %s\n", what, detail);
    exit(2);
}

/* "10.1.0.0/16" or an address. */
static struct adit_ts ts_of(const char *text)
{
    char copy[64];
    struct adit_addr a;
    snprintf(copy, sizeof(copy), "%s", text);
    char *slash = strchr(copy, '/');
    if (slash)
        *slash = 0;
    if (!addr_parse(copy, &a))
        die("not a prefix", text);
    struct adit_ts ts = ts_from_addr(&a);
    unsigned octets = a.family == 6 ? 16 : 4, n = slash ? (unsigned)atoi(slash + 1) : octets * 8;
    for (unsigned i = 0; i < octets * 8; i++) {
        uint8_t bit = (uint8_t)(0x80 >> i % 8);
        if (i >= n) {
            ts.lo[i / 8] &= (uint8_t)~bit;
            ts.hi[i / 8] |= bit;
        }
    }
    return ts;
}

static struct adit_addr addr_of(const char *text)
{
    struct adit_addr a;
    if (!addr_parse(text, &a))
        die("not an address", text);
    return a;
}

static void key_of(uint32_t spi, uint8_t out[36])
{
    for (unsigned i = 0; i < 36; i++)
        out[i] = (uint8_t)(spi * 7 + i * 31 + (spi >> 8));
}

static struct adit_path path_to(const struct adit_addr *peer, uint16_t port)
{
    struct adit_path p = { .local = { o.local, o.port }, .remote = { *peer, port } };
    return p;
}

/* SA id: SPI 0x1000 + 2 id towards -a, + 1 towards -b. */
static void add(uint32_t id, uint32_t replaces, bool standby)
{
    uint8_t in_key[36], out_key[36];
    struct adit_child_spec s = { .id = id,
                                 .ike_id = 1,
                                 .reqid = 1,
                                 .replaces = replaces,
                                 .conn = "pair",
                                 .child = "net",
                                 .proto = PROTO_ESP,
                                 .initiator = !o.b };
    struct adit_why why = { 0 };
    s.mode = o.transport ? ADIT_MODE_TRANSPORT : o.stream ? ADIT_MODE_AGGFRAG : ADIT_MODE_TUNNEL;
    s.suite.encr = ENCR_AES_GCM_16;
    s.suite.encr_bits = 256;
    s.in.spi = 0x1000 + 2 * id + o.b;
    s.out.spi = 0x1000 + 2 * id + !o.b;
    key_of(s.in.spi, in_key);
    key_of(s.out.spi, out_key);
    s.in.encr = SPAN_ARRAY(in_key);
    s.out.encr = SPAN_ARRAY(out_key);
    s.path = path_to(&o.peer, o.port);
    s.udp_encap = o.encap;
    s.outbound = standby ? ADIT_OUT_STANDBY : ADIT_OUT_ACTIVE;
    s.n_local_ts = o.n_local;
    s.n_remote_ts = o.n_remote;
    s.local_ts = o.local_ts;
    s.remote_ts = o.remote_ts;
    s.replay_window = o.window;
    s.df = o.df;
    s.fragment = o.fragment;
    s.shape = o.shape;
    s.copy_ecn = true;
    s.copy_dscp = ADIT_COPY_OUT;
    s.life.soft_packets = o.soft_packets;
    s.life.hard_packets = o.hard_packets;
    s.inactivity_ns = o.inactivity_ms * 1000000;
    if (dp_child_add(dp, &s, &why))
        printf("add %u failed: %s\n", id, why.text);
    else
        printf("added %u\n", id);
}

static void add_trap(void)
{
    struct dp_policy p = { .reqid = 1,
                           .mode = ADIT_MODE_TUNNEL,
                           .trap = true,
                           .n_local_ts = o.n_local,
                           .n_remote_ts = o.n_remote,
                           .local_ts = o.local_ts,
                           .remote_ts = o.remote_ts };
    struct adit_why why = { 0 };
    if (dp_policy_add(dp, &p, &why))
        die("policy", why.text);
    printf("trap\n");
}

static void print_stats(const char *what, uint32_t id, const struct adit_child_stats *s)
{
    printf("%s %u packets_in=%lu packets_out=%lu bytes_in=%lu bytes_out=%lu errors_in=%lu dummies_in=%lu "
           "dummies_out=%lu lost_in=%lu\n",
           what, id, s->packets_in, s->packets_out, s->bytes_in, s->bytes_out, s->errors_in, s->dummies_in,
           s->dummies_out, s->lost_in);
}

static void print_counters(void)
{
    struct dp_counters c;
    dp_counters(dp, &c);
    printf("counters packets_in=%lu packets_out=%lu no_policy=%lu bypassed=%lu ptb_sent=%lu ptb_taken=%lu "
           "ptb_refused=%lu mss_clamped=%lu acquires=%lu rx_errors=%lu tx_errors=%lu drops=",
           c.packets_in, c.packets_out, c.no_policy, c.bypassed, c.ptb_sent, c.ptb_taken, c.ptb_refused,
           c.mss_clamped, c.acquires, c.rx_errors, c.tx_errors);
    for (size_t i = 0; i < ARRAY_LEN(c.drops); i++)
        printf("%s%lu", i ? "," : "", c.drops[i]);
    printf("\n");
}

static bool command(char *line)
{
    char word[16] = "", addr[64] = "", text[256] = "";
    unsigned id = 0, n = 0;
    struct adit_child_stats st;
    sscanf(line, "%15s", word);
    if (!strcmp(word, "quit"))
        return false;
    if (!strcmp(word, "counters")) {
        print_counters();
    } else if (!strcmp(word, "add")) {
        const char *r = strstr(line, "replaces");
        sscanf(line, "%*s %u", &id);
        add(id, r ? (uint32_t)atoi(r + 9) : 0, strstr(line, "standby"));
    } else if (sscanf(line, "activate %u", &id) == 1) {
        dp_child_activate(dp, id);
    } else if (sscanf(line, "del %u %u", &id, &n) == 2) {
        dp_child_del(dp, id, (uint64_t)n * 1000000, &st);
        print_stats("deleted", id, &st);
    } else if (sscanf(line, "path %u %63s %u", &id, addr, &n) == 3) {
        struct adit_addr a = addr_of(addr);
        struct adit_path p = path_to(&a, (uint16_t)n);
        dp_child_path(dp, id, &p, o.encap);
        printf("path %u set\n", id);
    } else if (sscanf(line, "stats %u", &id) == 1) {
        if (dp_child_stats(dp, id, &st))
            print_stats("stats", id, &st);
        else
            printf("no sa %u\n", id);
    } else if (sscanf(line, "ike %63s %u %255s", addr, &n, text) == 3) {
        struct adit_addr a = addr_of(addr);
        struct adit_path p = path_to(&a, (uint16_t)n);
        printf("sent %d\n", dp_send_nat_t(dp, &p, span_str(text)));
    } else if (sscanf(line, "local %63s", addr) == 1) {
        o.local = addr_of(addr);
        printf("local %s\n", addr);
    } else if (sscanf(line, "keepalive %63s %u", addr, &n) == 2) {
        struct adit_addr a = addr_of(addr);
        struct adit_path p = path_to(&a, (uint16_t)n);
        printf("sent %d\n", dp_send_nat_t(dp, &p, SPAN_LIT("\xff")));
    } else {
        printf("what is '%s'?\n", word);
    }
    return true;
}

static void print_event(const struct dp_event *ev)
{
    static const char *const names[] = { [DP_EV_ACQUIRE] = "acquire",   [DP_EV_SOFT] = "soft", [DP_EV_HARD] = "hard",
                                         [DP_EV_FIRST_IN] = "first-in", [DP_EV_PATH] = "path", [DP_EV_INACTIVE] = "inactive",
                                         [DP_EV_OWN] = "own",           [DP_EV_TUN] = "tun",   [DP_EV_IKE] = "ike" };
    STRBUF(from, 80);
    endpoint_print(&from, &ev->path.remote);
    printf("event %s id=%u reqid=%u", names[ev->type], ev->id, ev->reqid);
    if (ev->type == DP_EV_PATH || ev->type == DP_EV_IKE)
        printf(" from=%s", from.p);
    if (ev->type == DP_EV_IKE)
        printf(" data=%.*s", (int)ev->data.n, (const char *)ev->data.p);
    if (ev->type == DP_EV_ACQUIRE) {
        STRBUF(ts, 160);
        ts_print(&ts, &ev->local);
        strbuf_add(&ts, " === ");
        ts_print(&ts, &ev->remote);
        printf(" %s", ts.p);
    }
    printf("\n");
}

static void parse(int argc, char **argv)
{
    static const struct option longs[] = {
        { "local", 1, 0, 'l' },
        { "peer", 1, 0, 'p' },
        { "local-ts", 1, 0, 'L' },
        { "remote-ts", 1, 0, 'R' },
        { "encap", 0, 0, 'e' },
        { "fifo", 1, 0, 'f' },
        { "tun", 1, 0, 't' },
        { "workers", 1, 0, 'w' },
        { "mtu", 1, 0, 'm' },
        { "routes", 0, 0, 'r' },
        { "mark", 1, 0, 'M' },
        { "table", 1, 0, 'T' },
        { "trap", 0, 0, 'x' },
        { "none", 0, 0, 'n' },
        { "no-clamp", 0, 0, 'c' },
        { "transport", 0, 0, 'H' },
        { "port", 1, 0, 'P' },
        { "window", 1, 0, 'W' },
        { "soft-packets", 1, 0, 'S' },
        { "hard-packets", 1, 0, 'D' },
        { "inactivity", 1, 0, 'I' },
        { "no-raw", 0, 0, 'N' },
        { "tfc", 1, 0, 'F' },
        { "dummies", 1, 0, 'U' },
        { "df", 1, 0, 'd' },
        { "cut-after", 0, 0, 'C' },
        { "stream", 0, 0, 'A' },
        { "size", 1, 0, 's' },
        { "rate", 1, 0, 'q' },
        { "delay", 1, 0, 'y' },
        { "whole", 0, 0, 'h' },
        { 0 },
    };
    int c;
    o = (struct opts){ .tun = "adit0", .port = 4500, .window = 4096, .raw = true };
    o.shape.stream = (struct adit_stream){ .queue_octets = 1 << 20, .reorder_window = 3, .drop_us = 1000000 };
    while ((c = getopt_long(argc, argv, "ab", longs, NULL)) != -1) {
        switch (c) {
        case 'a': break;
        case 'b': o.b = true; break;
        case 'l': o.local = addr_of(optarg); break;
        case 'p': o.peer = addr_of(optarg); break;
        case 'L': o.local_ts[o.n_local++ % TS_MAX] = ts_of(optarg); break;
        case 'R': o.remote_ts[o.n_remote++ % TS_MAX] = ts_of(optarg); break;
        case 'e': o.encap = true; break;
        case 'f': o.fifo = optarg; break;
        case 't': o.tun = optarg; break;
        case 'w': o.workers = (unsigned)atoi(optarg); break;
        case 'm': o.mtu = (uint16_t)atoi(optarg); break;
        case 'r': o.routes = true; break;
        case 'M': o.mark = (unsigned)strtoul(optarg, NULL, 0); break;
        case 'T': o.table = (unsigned)atoi(optarg); break;
        case 'x': o.trap = true; break;
        case 'n': o.none = true; break;
        case 'c': o.no_clamp = true; break;
        case 'H': o.transport = true; break;
        case 'P': o.port = (uint16_t)atoi(optarg); break;
        case 'W': o.window = (unsigned)atoi(optarg); break;
        case 'S': o.soft_packets = strtoull(optarg, NULL, 0); break;
        case 'D': o.hard_packets = strtoull(optarg, NULL, 0); break;
        case 'I': o.inactivity_ms = strtoull(optarg, NULL, 0); break;
        case 'N': o.raw = false; break;
        case 'F': o.shape.tfc_padding = (uint16_t)(strcmp(optarg, "mtu") ? atoi(optarg) : ADIT_TFC_MTU); break;
        case 'U': o.shape.dummies = (uint32_t)atoi(optarg); break;
        case 'd': o.df = *optarg == 's' ? ADIT_DF_SET : *optarg == 'c' ? ADIT_DF_CLEAR : ADIT_DF_COPY; break;
        case 'A': o.stream = true; break;
        case 's': o.shape.stream.packet_size = (uint16_t)atoi(optarg); break;
        case 'q': o.shape.stream.rate = (uint32_t)atoi(optarg); break;
        case 'y': o.shape.stream.delay_us = (uint32_t)atoi(optarg); break;
        case 'h': o.shape.stream.whole = o.shape.stream.refuse_fragments = true; break;
        case 'C': o.fragment = ADIT_FRAGMENT_AFTER; break;
        default: exit(2);
        }
    }
    if (!o.local.family || !o.peer.family || !o.n_local || !o.n_remote)
        die("usage", "see the top of dp_pair.c");
}

static volatile sig_atomic_t ended;
static void on_term(int sig)
{
    ended = 1;
}

static bool read_commands(int fd)
{
    static char buf[4096];
    static size_t n;
    ssize_t got = read(fd, buf + n, sizeof(buf) - 1 - n);
    n += got > 0 ? (size_t)got : 0;
    buf[n] = 0;
    char *line = buf, *end;
    bool go_on = true;
    while (go_on && (end = strchr(line, '\n'))) {
        *end = 0;
        go_on = command(line);
        line = end + 1;
    }
    n -= (size_t)(line - buf);
    memmove(buf, line, n);
    return go_on;
}

static void loop(int fifo)
{
    struct pollfd p[2] = { { .fd = dp_event_fd(dp), .events = POLLIN }, { .fd = fifo, .events = POLLIN } };
    bool go_on = true;
    while (go_on && !ended) {
        struct dp_event ev;
        if (poll(p, 2, -1) < 0)
            continue;
        while (dp_poll(dp, &ev))
            print_event(&ev);
        if (p[1].revents)
            go_on = read_commands(fifo);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    struct adit_why why = { 0 };
    parse(argc, argv);
    signal(SIGTERM, on_term);
    signal(SIGINT, on_term);
    setlinebuf(stdout);
    struct adit_crypto *crypto = adit_crypto_new(NULL, NULL, &why);
    if (!crypto)
        die("crypto", why.text);
    struct dp_settings s = { .crypto = crypto,
                             .tun_name = o.tun,
                             .port_nat_t = o.port,
                             .workers = o.workers,
                             .install_routes = o.routes,
                             .no_mss_clamp = o.no_clamp,
                             .mtu = o.mtu,
                             .raw_esp = o.raw,
                             .fwmark = (uint16_t)o.mark,
                             .route_table = o.table };
    if (dp_new(&s, &dp, &why))
        die("data plane", why.text);
    int fifo = o.fifo ? open(o.fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;
    if (o.trap)
        add_trap();
    else if (!o.none)
        add(1, 0, false);
    printf("ready %s\n", dp_tun(dp));
    loop(fifo);
    print_counters();
    dp_free(dp);
    adit_crypto_free(crypto);
    return 0;
}
