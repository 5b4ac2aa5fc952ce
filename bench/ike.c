/* ike.c - what an IKE SA with its Child SA costs: two engines in one process, datagrams handed over in memory. Beside it
 * the same primitives called bare in the same run, so that the ratio is the engine's own cost: the key exchanges and
 * signatures alone, and with them every PRF, hash and AEAD operation that the handshake made (replay.c). Two processes
 * give handshakes a second on two cores; memory is the growth of the resident set at 10,000 SAs.
 * Usage: bench_ike [--json] [--quick], or
 *        bench_ike --rate N       only the handshakes a second of the Nth method, SAs kept
 *        bench_ike --many N       only: how fast beside 10,000 SAs, against 100, with the Nth method
 *        bench_ike --profile N K  under a profiler: K handshakes of the Nth method; its primitives: profile_bare() */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "adit/ike.h"
#include "crypto/crypto.h"
#include "model/model.h"
#include "replay.h"

#define KEEP_SAS 10000

struct method {
    const char *name, *ike, *cert; /* cert NULL: PSK */
    uint16_t ke[2];
    bool resumes; /* measured again: by ticket */
};
static const struct method methods[] = {
    { "x25519, PSK", "aes256gcm16-prfsha384-x25519", NULL, { KE_CURVE_25519 } },
    { "x25519 + mlkem768, PSK", "aes256gcm16-prfsha384-x25519-ke1_mlkem768", NULL, { KE_CURVE_25519, KE_ML_KEM_768 } },
    { "x25519 + mlkem768, ECDSA P-256", "aes256gcm16-prfsha384-x25519-ke1_mlkem768", "ecdsa",
      { KE_CURVE_25519, KE_ML_KEM_768 }, true },
    { "mlkem1024, PSK", "aes256gcm16-prfsha384-mlkem1024", NULL, { KE_ML_KEM_1024 } },
};

struct end {
    struct adit_ike *ike;
    struct adit_path path;
    uint64_t up;
    uint32_t id; /* of the newest IKE SA */
    unsigned begun, clients; /* clients: each IKE SA is another one's, by turns; 0: all are of the same */
};

static void need(bool ok, const char *what, const struct adit_why *why)
{
    if (ok)
        return;
    fprintf(stderr, "bench ike: %s%s%s\n", what, why ? ": " : "", why ? why->text : "");
    exit(1);
}

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long resident_kib(void)
{
    long size, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    need(f && fscanf(f, "%ld %ld", &size, &resident) == 2, "/proc/self/statm", NULL);
    fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* --- configuration --------------------------------------------------------------------------------------------------- */

static const struct proposal_list *parse(struct arena *a, const char *text, uint8_t proto)
{
    const struct proposal_list *out;
    struct adit_why why;
    need(proposals_parse(&text, 1, proto, a, &out, &why) == ADIT_OK, "proposal", &why);
    return out;
}

static struct adit_span file(struct arena *a, const char *name)
{
    static char mem[16384];
    char path[400];
    snprintf(path, sizeof(path), "%s/%s", BENCH_CERTS, name);
    FILE *f = fopen(path, "rb");
    need(f, path, NULL);
    size_t n = fread(mem, 1, sizeof(mem), f);
    fclose(f);
    return arena_span(a, span(mem, n));
}

static void add_certs(struct adit_config *cfg, struct arena *a, int me, const char *kind)
{
    char name[64];
    struct adit_cert ca = { .use = ADIT_CERT_CA, .data = file(a, "ca.pem"), .source = "ca" };
    snprintf(name, sizeof(name), "%c-%s.pem", "ab"[me], kind);
    struct adit_cert cert = { .use = ADIT_CERT_END_ENTITY, .data = file(a, name), .source = "cert" };
    snprintf(name, sizeof(name), "%c-%s.key", "ab"[me], kind);
    struct adit_key key = { .data = file(a, name), .source = "key" };
    need(adit_config_add_cert(cfg, &ca) == ADIT_OK && adit_config_add_cert(cfg, &cert) == ADIT_OK &&
             adit_config_add_key(cfg, &key) == ADIT_OK, "certificates", NULL);
}

/* The client's side of many: connections that differ in their names and local identities. */
static void add_clients(struct adit_config *cfg, const struct adit_conn *conn, unsigned clients)
{
    for (unsigned i = 0; i < clients; i++) {
        char name[32], id[32];
        snprintf(name, sizeof(name), "client%u", i);
        snprintf(id, sizeof(id), "client%u.example", i);
        struct adit_auth_cfg local = conn->local[0];
        local.id_text = id;
        local.id.data = span_str(id);
        struct adit_conn one = *conn;
        one.name = name;
        one.local = &local;
        need(adit_config_add_conn(cfg, &one) == ADIT_OK, "a client", NULL);
    }
}

static struct adit_config *configure(const struct method *m, int me, const struct adit_path *path, unsigned clients)
{
    static const char *const names[] = { "a.example", "b.example" };
    struct arena a = { 0 };
    struct adit_config *cfg = adit_config_new();
    struct adit_addr_spec here = { .text = "", .lo = path->local.addr, .hi = path->local.addr, .single = true };
    struct adit_addr_spec there = { .text = "", .lo = path->remote.addr, .hi = path->remote.addr, .single = true };
    struct adit_auth_cfg auth[2];
    struct adit_ts_cfg ts[2];
    struct adit_shared psk = { .id = "k", .secret = SPAN_LIT("a secret of the bench, longer than short") };
    struct adit_ike_settings set = { .cookie_threshold = UINT32_MAX, .half_open_max = 100000 };
    const struct adit_option resumption = { "resumption", "yes" };
    for (int i = 0; i < 2; i++) {
        char net[32];
        snprintf(net, sizeof(net), "10.%d.0.0/16", i + 1);
        auth[i] = (struct adit_auth_cfg){ .class = m->cert ? ADIT_AUTH_PUBKEY : ADIT_AUTH_PSK,
                                          .auth = m->cert ? "pubkey" : "psk", .id_text = names[i],
                                          .id = { ID_FQDN, span_str(names[i]) } };
        need(ts_parse(net, &ts[i], NULL) == ADIT_OK, "selectors", NULL);
    }
    struct adit_child_cfg child = { .name = "net", .proposals = parse(&a, "aes256gcm16", PROTO_ESP), .n_local_ts = 1,
                                    .n_remote_ts = 1, .local_ts = &ts[me], .remote_ts = &ts[!me], .rekey_s = 3600,
                                    .life_s = 3960, .replay_window = 4096 };
    struct adit_conn conn = { .name = "peer", .n_local_addrs = 1, .n_remote_addrs = 1, .local_addrs = &here,
                              .remote_addrs = &there, .proposals = parse(&a, m->ike, PROTO_IKE), .n_local = 1,
                              .n_remote = 1, .local = &auth[me], .remote = &auth[!me], .n_children = 1,
                              .children = &child, .unique = ADIT_UNIQUE_NEVER, .send_certreq = true,
                              .keyingtries = 1, .rekey_s = 14400, .over_s = 1440, .dpd_delay_s = m->resumes,
                              .options = &resumption, .n_options = m->resumes };
    if (clients && me)
        auth[0] = (struct adit_auth_cfg){ .class = ADIT_AUTH_PSK, .auth = "psk", .id_text = "%any" };
    if (clients)
        conn.unique = ADIT_UNIQUE_REPLACE;
    if (clients && !me)
        add_clients(cfg, &conn, clients);
    need(cfg && adit_config_add_conn(cfg, &conn) == ADIT_OK && adit_config_add_shared(cfg, &psk) == ADIT_OK &&
             adit_config_settings(cfg, &set) == ADIT_OK, "configuration", NULL);
    if (m->cert)
        add_certs(cfg, &a, me, m->cert);
    arena_fini(&a);
    return cfg;
}

static void start(struct end *e, const struct method *m, int me, struct adit_crypto *crypto)
{
    struct adit_host host = { .crypto = crypto };
    struct adit_why why;
    for (int i = 0; i < 2; i++) {
        struct adit_endpoint *p = i == me ? &e->path.local : &e->path.remote;
        *p = (struct adit_endpoint){ .addr = { 4, { 192, 0, 2, (uint8_t)(i + 1) } }, .port = 500 };
    }
    struct adit_config *cfg = configure(m, me, &e->path, e->clients);
    e->ike = adit_ike_new(&host, 1);
    need(e->ike, "engine", NULL);
    need(adit_ike_config(e->ike, cfg, 1, &why) == ADIT_OK, "configuration", &why);
    adit_config_unref(cfg);
}

/* --- one handshake after the other ------------------------------------------------------------------------------------- */

#define NOW ((uint64_t)time(NULL) * 1000000000ull)

/* Everything that one end has to say goes to the other at once; true if anything was said. */
static bool pump(struct end *from, struct end *to, uint64_t now)
{
    struct adit_event ev;
    bool said = false;
    while (adit_ike_poll(from->ike, &ev)) {
        said = true;
        if (ev.type == ADIT_EV_WORK) {
            adit_job_run(ev.job);
            adit_ike_work_done(from->ike, ev.job, now);
        }
        if (ev.type == ADIT_EV_IKE_UP)
            from->id = ev.ike_id;
        /* One identity makes them all: the next Child SA counts as the successor of the last. */
        if (ev.type == ADIT_EV_CHILD_UP || ev.type == ADIT_EV_CHILD_REKEYED)
            from->up++;
        for (unsigned i = 0; ev.type == ADIT_EV_SEND && i < ev.n_datagrams; i++) {
            struct adit_path path = { .local = ev.path.remote, .remote = ev.path.local };
            adit_ike_input(to->ike, &path, ev.datagrams[i].p, ev.datagrams[i].n, now);
        }
    }
    return said;
}

static void handshakes(struct end e[2], unsigned n, bool keep)
{
    uint64_t now = NOW;
    uint64_t before = e[0].up;
    for (unsigned i = 0; i < n; i++) {
        char name[32] = "peer";
        if (e->clients)
            snprintf(name, sizeof(name), "client%u", e->begun++ % e->clients);
        struct adit_command go = { .type = ADIT_CMD_INITIATE, .conn = name, .child = "net", .fresh = true };
        struct adit_why why;
        need(adit_ike_command(e[0].ike, &go, now, NULL, &why) == ADIT_OK, "initiate", &why);
        while (pump(&e[0], &e[1], now) | pump(&e[1], &e[0], now))
            ;
        for (int k = 0; k < 2 && !keep; k++) {
            struct adit_command stop = { .type = ADIT_CMD_TERMINATE, .ike_id = e[k].id, .force = true };
            need(adit_ike_command(e[k].ike, &stop, now, NULL, &why) == ADIT_OK, "terminate", &why);
        }
    }
    need(e[0].up - before == n && e[1].up >= n, "not every handshake succeeded", NULL);
}

static void open_clients(struct end e[2], const struct method *m, struct adit_crypto *c[2], unsigned clients)
{
    struct adit_why why;
    memset(e, 0, 2 * sizeof(*e));
    for (int i = 0; i < 2; i++) {
        e[i].clients = clients;
        need((c[i] = adit_crypto_new(NULL, NULL, &why)), "crypto", &why);
        start(&e[i], m, i, c[i]);
    }
}

static void open_ends(struct end e[2], const struct method *m, struct adit_crypto *c[2])
{
    open_clients(e, m, c, 0);
}

static void close_ends(struct end e[2], struct adit_crypto *c[2])
{
    for (int i = 0; i < 2; i++) {
        adit_ike_free(e[i].ike);
        adit_crypto_free(c[i]);
    }
}

/* --- the primitives alone ------------------------------------------------------------------------------------------------ */

static void one_ke(const struct adit_crypto *c, const struct ke_alg *a)
{
    struct adit_buf mine = { 0 }, theirs = { 0 };
    struct adit_secret s1 = { 0 }, s2 = { 0 };
    struct ke_state *st = NULL;
    need(a && a->ops->init(c, a, &st, &mine) == ADIT_OK &&
             a->ops->respond(c, a, buf_span(&mine), &theirs, &s1) == ADIT_OK &&
             a->ops->finish(c, a, st, buf_span(&theirs), &s2) == ADIT_OK, "key exchange", NULL);
    a->ops->free(st);
    buf_fini(&mine);
    buf_fini(&theirs);
    secret_fini(&s1);
    secret_fini(&s2);
}

/* Both ends' signatures: each signs once and verifies twice, the peer's signature and that of the CA in its certificate. */
static void signatures(struct crypto_key *key)
{
    const struct sig_alg *alg = NULL;
    struct adit_buf sig = { 0 };
    uint8_t octets[400] = { 1 };
    for (size_t i = 0; (alg = crypto_sig_at(i)); i++)
        if (sig_fits(alg, key) && alg->auth_method == AUTH_DIGITAL_SIGNATURE)
            break;
    for (int i = 0; i < 2; i++) {
        need(sig_sign(alg, key, SPAN_ARRAY(octets), &sig) == ADIT_OK, "sign", NULL);
        for (int k = 0; k < 2; k++)
            need(sig_verify(alg, key, alg->algid, SPAN_ARRAY(octets), buf_span(&sig)) == ADIT_OK, "verify", NULL);
        buf_fini(&sig);
    }
}

struct cost {
    double asymmetric, all; /* s of CPU, both ends */
};

static double replay_cost(struct adit_crypto *c, unsigned n)
{
    double from = cpu();
    for (unsigned i = 0; i < n; i++)
        need(replay_run(c), "replaying the symmetric operations", NULL);
    return (cpu() - from) / n;
}

/* What one handshake asks of the PRF, hash and AEAD. */
static void note_symmetric(struct end e[2])
{
    handshakes(e, 1, false);
    replay_record(true);
    handshakes(e, 1, false);
    replay_record(false);
}

static struct cost primitives(struct adit_crypto *c, const struct method *m, unsigned n)
{
    struct adit_why why;
    struct crypto_key *key = NULL;
    struct arena a = { 0 };
    struct cost cost;
    if (m->cert)
        need(key_parse_private(c, file(&a, "a-ecdsa.key"), SPAN_NONE, &key, &why) == ADIT_OK, "key", &why);
    double from = cpu();
    for (unsigned i = 0; i < n; i++) {
        for (size_t k = 0; k < ARRAY_LEN(m->ke) && m->ke[k]; k++)
            one_ke(c, crypto_ke(c, m->ke[k]));
        if (key)
            signatures(key);
    }
    cost.asymmetric = (cpu() - from) / n;
    cost.all = cost.asymmetric + replay_cost(c, n);
    key_free(key);
    arena_fini(&a);
    return cost;
}

/* --- measuring ----------------------------------------------------------------------------------------------------------- */

#define ROUNDS 5 /* alternating; the median counts: neighbours on the machine come and go */

struct result {
    double cpu_pair, rate;
    struct cost bare;
    double kib; /* an end */
    double many; /* handshakes/s beside many SAs, against those beside few */
};

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double v[ROUNDS])
{
    qsort(v, ROUNDS, sizeof(*v), by_size);
    return v[ROUNDS / 2];
}

__attribute__((noinline)) static double time_handshakes(struct end e[2], unsigned n)
{
    double from = cpu();
    handshakes(e, n, false);
    return (cpu() - from) / n;
}

/* Nobody answers any more: the SA is lost, its ticket good. */
static void lose(struct end *e, uint64_t *now)
{
    struct adit_event ev;
    for (int i = 0; i < 400 && adit_ike_sa_count(e->ike); i++) {
        *now += 1000000000ull;
        adit_ike_tick(e->ike, *now);
        while (adit_ike_poll(e->ike, &ev))
            ;
    }
    need(adit_ike_sa_count(e->ike) == 0, "not lost", NULL);
}

/* s of CPU, both ends, each IKE SA by the ticket of the one before. */
static double time_resumptions(const struct method *m, unsigned n)
{
    struct end e[2];
    struct adit_crypto *c[2];
    struct adit_command go = { .type = ADIT_CMD_INITIATE, .child = "net" };
    struct adit_why why;
    uint64_t now = NOW;
    double sum = 0;
    open_ends(e, m, c);
    for (unsigned i = 0; i <= n; i++) {
        double from = cpu();
        need(adit_ike_command(e[0].ike, &go, now, NULL, &why) == ADIT_OK, "initiate", &why);
        while (pump(&e[0], &e[1], now) | pump(&e[1], &e[0], now))
            ;
        sum += i ? cpu() - from : 0;
        lose(&e[0], &now);
    }
    need(e[0].up == n + 1 && adit_ike_counter(e[1].ike, ADIT_C_INIT_IN_REQ) == 1, "not every SA was resumed", NULL);
    close_ends(e, c);
    return sum / n;
}

/* Handshakes and their primitives in turn. */
static void time_rounds(const struct method *m, unsigned n, struct result *r)
{
    struct end e[2];
    struct adit_crypto *c[2];
    double pair[ROUNDS], asymmetric[ROUNDS], all[ROUNDS];
    open_ends(e, m, c);
    note_symmetric(e);
    for (int i = 0; i < ROUNDS; i++) {
        struct cost bare = primitives(c[0], m, n / ROUNDS);
        pair[i] = time_handshakes(e, n / ROUNDS);
        asymmetric[i] = bare.asymmetric;
        all[i] = bare.all;
    }
    r->cpu_pair = median(pair);
    r->bare = (struct cost){ median(asymmetric), median(all) };
    close_ends(e, c);
}

/* Is an engine with many SAs slower? Two pairs of ends, one with 100 SAs. All of one pair of identities, or each with
 * another one of as many clients, more than there are SAs. */
static double beside_many(const struct method *m, unsigned n, unsigned sas, bool differ)
{
    struct end few[2], many[2];
    struct adit_crypto *c[2], *d[2];
    double ratio[ROUNDS];
    open_clients(few, m, c, differ ? sas + n : 0);
    open_clients(many, m, d, differ ? sas + n : 0);
    handshakes(few, 100, true);
    handshakes(many, sas, true);
    for (int i = 0; i < ROUNDS; i++) {
        double fast = time_handshakes(few, n / ROUNDS);
        ratio[i] = fast / time_handshakes(many, n / ROUNDS);
    }
    close_ends(few, c);
    close_ends(many, d);
    return median(ratio);
}

/* Two processes, each both ends of its own SAs: the rate of the machine's two cores. */
static double rate(const struct method *m, unsigned n, bool keep)
{
    double from = wall();
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();
        need(pid >= 0, "fork", NULL);
        if (pid)
            continue;
        struct end e[2];
        struct adit_crypto *c[2];
        open_ends(e, m, c);
        handshakes(e, n, keep);
        _exit(0);
    }
    for (int i = 0, status; i < 2; i++)
        need(wait(&status) > 0 && status == 0, "a child failed", NULL);
    return 2 * n / (wall() - from);
}

static double memory(const struct method *m, unsigned sas)
{
    int fd[2];
    double kib = 0;
    need(pipe(fd) == 0, "pipe", NULL);
    pid_t pid = fork();
    need(pid >= 0, "fork", NULL);
    if (!pid) {
        struct end e[2];
        struct adit_crypto *c[2];
        open_ends(e, m, c);
        handshakes(e, 100, true);
        long before = resident_kib();
        handshakes(e, sas, true);
        kib = (double)(resident_kib() - before) / sas / 2;
        need(write(fd[1], &kib, sizeof(kib)) == sizeof(kib), "pipe", NULL);
        _exit(0);
    }
    need(read(fd[0], &kib, sizeof(kib)) == sizeof(kib), "the memory run failed", NULL);
    waitpid(pid, NULL, 0);
    close(fd[0]);
    close(fd[1]);
    return kib;
}

static void print(const struct method *m, const struct result *r, bool json, bool last)
{
    if (json)
        printf("  {\"method\": \"%s\", \"handshakes_per_s_2_cores\": %.0f, \"cpu_us_per_sa_pair\": %.1f, "
               "\"key_exchange_and_signatures_us\": %.1f, \"primitives_us\": %.1f, \"ratio\": %.2f, "
               "\"ratio_to_key_exchange\": %.2f, \"kib_per_sa_and_end\": %.1f, \"rate_at_many_to_few\": %.2f}%s\n",
               m->name, r->rate, r->cpu_pair * 1e6, r->bare.asymmetric * 1e6, r->bare.all * 1e6,
               r->cpu_pair / r->bare.all, r->cpu_pair / r->bare.asymmetric, r->kib, r->many, last ? "" : ",");
    else
        printf("%-32s %7.0f %8.0f us %8.0f us %5.2f %8.0f us %5.2f %8.1f KiB %8.2f\n", m->name, r->rate,
               r->cpu_pair * 1e6, r->bare.all * 1e6, r->cpu_pair / r->bare.all, r->bare.asymmetric * 1e6,
               r->cpu_pair / r->bare.asymmetric, r->kib, r->many);
}

static void print_resumed(const struct method *m, double each, bool json)
{
    if (json)
        printf("  {\"method\": \"%s, resumed\", \"cpu_us_per_sa_pair\": %.1f},\n", m->name, each * 1e6);
    else
        printf("%-32s %7s %8.0f us\n", "  the same, resumed by ticket", "", each * 1e6);
}

__attribute__((noinline)) static void profile_bare(struct adit_crypto *c, const struct method *m, unsigned n)
{
    (void)primitives(c, m, n);
}

/* callgrind --toggle-collect=time_handshakes, or =profile_bare, counts the instructions of one or the other. */
static void profile(const struct method *m, unsigned n)
{
    struct end e[2];
    struct adit_crypto *c[2];
    open_ends(e, m, c);
    note_symmetric(e);
    time_handshakes(e, n);
    profile_bare(c[0], m, n);
    close_ends(e, c);
}

static const struct method *method_of(const char *number)
{
    size_t i = (size_t)atoi(number);
    need(i < ARRAY_LEN(methods), "there is no such method", NULL);
    return &methods[i];
}

int main(int argc, char **argv)
{
    bool json = false, quick = false;
    for (int i = 1; i < argc; i++) {
        json |= !strcmp(argv[i], "--json");
        quick |= !strcmp(argv[i], "--quick");
        if (!strcmp(argv[i], "--rate") && i + 1 < argc) {
            printf("%.0f\n", rate(method_of(argv[i + 1]), 2000, true));
            return 0;
        }
        if (!strcmp(argv[i], "--many") && i + 1 < argc) {
            const struct method *m = method_of(argv[i + 1]);
            printf("one pair of identities: %.2f\n", beside_many(m, 2000, KEEP_SAS, false));
            printf("all different: %.2f\n", beside_many(m, 2000, KEEP_SAS, true));
            return 0;
        }
        if (!strcmp(argv[i], "--profile") && i + 2 < argc) {
            profile(method_of(argv[i + 1]), (unsigned)atoi(argv[i + 2]));
            return 0;
        }
    }
    unsigned n = quick ? 200 : 2000, sas = quick ? 1000 : KEEP_SAS;
    if (json)
        printf("[\n");
    else
        printf("%-32s %7s %11s %11s %5s %11s %5s %12s %8s\n", "IKE SA with a Child SA", "SAs/s", "both ends",
               "primitives", "ratio", "KE + sig", "ratio", "RSS an end", "at many");
    double kib[ARRAY_LEN(methods)];
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) /* first, while the heap has no room left over from other runs */
        kib[i] = memory(&methods[i], sas);
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        const struct method *m = &methods[i];
        struct result r = { .kib = kib[i], .rate = rate(m, n, false) };
        time_rounds(m, n, &r);
        r.many = beside_many(m, n, sas, false);
        print(m, &r, json, i + 1 == ARRAY_LEN(methods));
        if (m->resumes)
            print_resumed(m, time_resumptions(m, n), json);
        fflush(stdout);
    }
    if (json)
        printf("]\n");
    return 0;
}
