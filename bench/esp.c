/* esp.c - what sealing and opening a packet costs in memory, without any I/O, beside the bare crypto calls for the same
 * octets in the same run: the difference is ours. Tunnel mode, UDP encapsulation, one thread. With the library that is
 * used here, and with OpenSSL where that is another one.
 * Usage: esp [--json] [--quick] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "esp/sa.h"
#include "wire/ip.h"

#define POOL 256 /* packets that go round: 512 KiB, about a second-level cache */
#define STRIDE 2048
#define ROUNDS 41

struct suite {
    const char *name;
    uint16_t encr, bits, integ;
};
static const struct suite suites[] = {
    { "aes128gcm16", ENCR_AES_GCM_16, 128, 0 },
    { "aes256gcm16", ENCR_AES_GCM_16, 256, 0 },
    { "chacha20poly1305", ENCR_CHACHA20_POLY1305, 0, 0 },
    { "aes256-sha256", ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128 },
};
static const uint16_t sizes[] = { 64, 1420 };
static const size_t batches[] = { 1, 8, 64 };

struct cost { /* ns a packet */
    double seal, open, raw_seal, raw_open;
};

struct bench {
    struct esp_sa *out, *in;
    struct esp_table *table;
    struct crypt *raw_seal, *raw_open;
    struct esp_pkt pkts[POOL], *at[POOL];
    struct crypt_job jobs[POOL];
    uint64_t now;
};

static uint8_t memory[POOL][STRIDE] __attribute__((aligned(64)));
static uint8_t ivs[POOL][16], aads[POOL][8], icvs[POOL][64];
static const uint8_t key[128] = { 7 };

static void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench esp: %s\n", what);
    exit(1);
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct adit_addr address(uint8_t last)
{
    return (struct adit_addr){ 4, { 10, 0, 0, last } };
}

static void make_sas(struct bench *b, const struct adit_crypto *c, const struct suite *s)
{
    const struct encr_alg *encr = crypto_encr(c, s->encr);
    const struct integ_alg *integ = s->integ ? crypto_integ(c, s->integ) : NULL;
    need(encr && (!s->integ || integ), s->name);
    struct adit_span k = span(key, encr_key_octets(encr, s->bits)), ik = span(key, integ ? integ->key : 0);
    struct adit_ts ts = { .family = 4, .port_hi = 65535, .hi = { 255, 255, 255, 255 } };
    struct adit_child_spec spec = {
        .proto = PROTO_ESP,
        .mode = ADIT_MODE_TUNNEL,
        .suite = { .encr = s->encr, .encr_bits = s->bits, .integ = s->integ, .sn = SN_64_BIT_PARTIAL },
        .in = { 0x1000, k, ik },
        .out = { 0x1000, k, ik },
        .path = { { address(1), 4500 }, { address(2), 4500 } },
        .udp_encap = true,
        .n_local_ts = 1,
        .n_remote_ts = 1,
        .local_ts = &ts,
        .remote_ts = &ts,
        .replay_window = 4096,
        .copy_ecn = true,
        .copy_dscp = ADIT_COPY_OUT,
    };
    need(esp_sa_new(c, &spec, 0, &b->out, NULL) == ADIT_OK &&
             esp_sa_new(c, &spec, 0, &b->in, NULL) == ADIT_OK,
         "SA");
    b->table = esp_table_new(1);
    need(b->table && esp_table_add(b->table, b->in) == ADIT_OK, "table");
    need(crypt_new(c, encr, s->bits, k, integ, ik, true, &b->raw_seal) == ADIT_OK, "context");
    need(crypt_new(c, encr, s->bits, k, integ, ik, false, &b->raw_open) == ADIT_OK, "context");
}

static void make_packets(struct bench *b, uint16_t size)
{
    struct ip_outer ip = { .src = address(3), .dst = address(4), .ttl = 64, .proto = IP_PROTO_UDP };
    uint32_t plain = (size + 2u + b->out->align - 1) & ~(b->out->align - 1u);
    for (size_t i = 0; i < POOL; i++) {
        b->pkts[i] = (struct esp_pkt){ .buf = memory[i], .cap = STRIDE, .off = ESP_HEADROOM, .len = size };
        b->at[i] = &b->pkts[i];
        memset(memory[i], (int)i, STRIDE);
        need(ip_put(memory[i] + ESP_HEADROOM, &ip, size - 20u), "inner packet");
        b->jobs[i] = (struct crypt_job){ .data = memory[i] + ESP_HEADROOM,
                                         .n = plain,
                                         .iv = ivs[i],
                                         .aad = aads[i],
                                         .aad_n = 8,
                                         .icv = icvs[i] };
        ivs[i][7] = (uint8_t)i;
    }
}

static void check(const struct bench *b, uint32_t len)
{
    for (size_t i = 0; i < POOL; i++)
        need(b->pkts[i].verdict == ESP_OK && (!len || b->pkts[i].len == len), "a packet failed");
}

static double time_seal(struct bench *b, size_t batch)
{
    double start = now_ns();
    for (size_t i = 0; i < POOL; i += batch)
        esp_seal_batch(b->out, b->at + i, batch, b->now);
    return (now_ns() - start) / POOL;
}

static double time_open(struct bench *b, size_t batch)
{
    double start = now_ns();
    for (size_t i = 0; i < POOL; i += batch)
        esp_open_batch(b->table, b->at + i, batch, b->now);
    return (now_ns() - start) / POOL;
}

static double time_raw(struct bench *b, struct crypt *x, bool seal, size_t batch)
{
    double start = now_ns();
    for (size_t i = 0; i < POOL; i += batch) {
        if (seal)
            crypt_seal_many(x, b->jobs + i, batch);
        else
            crypt_open_many(x, b->jobs + i, batch);
    }
    double ns = (now_ns() - start) / POOL;
    for (size_t i = 0; i < POOL; i++)
        need(b->jobs[i].ok, "a job failed");
    return ns;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof(*v), ascending);
    return v[n / 2];
}

/* All four in turn within each round, so that whatever disturbs the machine disturbs them alike. What is sealed is
 * opened at once, so that the inner packet lies where it was. */
static struct cost measure(struct bench *b, uint16_t size, size_t batch, size_t rounds)
{
    static double seal[ROUNDS], open[ROUNDS], raw_seal[ROUNDS], raw_open[ROUNDS];
    make_packets(b, size);
    for (size_t r = 0; r < rounds; r++) {
        seal[r] = time_seal(b, batch);
        check(b, 0);
        open[r] = time_open(b, batch);
        check(b, size);
        raw_seal[r] = time_raw(b, b->raw_seal, true, batch);
        raw_open[r] = time_raw(b, b->raw_open, false, batch);
    }
    return (struct cost){ median(seal, rounds), median(open, rounds), median(raw_seal, rounds),
                          median(raw_open, rounds) };
}

static void print(bool json, const struct crypt *x, const char *name, uint16_t size, size_t batch, const struct cost *c)
{
    if (json)
        printf(
            "{\"bench\":\"esp\",\"library\":\"%s\",\"suite\":\"%s\",\"octets\":%u,\"batch\":%zu,\"seal_ns\":%.1f,\"open_ns\":%.1f,"
            "\"crypt_seal_ns\":%.1f,\"crypt_open_ns\":%.1f,\"seal_gbits\":%.2f,\"open_gbits\":%.2f}\n",
            crypt_engine(x), name, size, batch, c->seal, c->open, c->raw_seal, c->raw_open, size * 8 / c->seal,
            size * 8 / c->open);
    else
        printf("%-17s %-9s %6u %6zu %9.1f %9.1f %11.1f %11.1f %10.2f %10.2f\n", name, crypt_engine(x), size, batch, c->seal,
               c->open, c->raw_seal, c->raw_open, size * 8 / c->seal, size * 8 / c->open);
}

static void run(const struct adit_crypto *c, const struct suite *s, bool json, size_t rounds)
{
    static struct bench b;
    b = (struct bench){ .now = 1 };
    make_sas(&b, c, s);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        for (size_t k = 0; k < ARRAY_LEN(batches); k++) {
            struct cost cost = measure(&b, sizes[i], batches[k], rounds);
            print(json, b.raw_seal, s->name, sizes[i], batches[k], &cost);
        }
    crypt_free(b.raw_seal);
    crypt_free(b.raw_open);
    esp_table_free(b.table);
    esp_sa_free(b.out);
    esp_sa_free(b.in);
}

static void run_libraries(struct adit_crypto *c, const struct suite *s, bool json, size_t rounds)
{
    run(c, s, json, rounds);
    if (!strcmp(crypto_packets_by(c), "OpenSSL"))
        return;
    crypto_openssl_only(c, true);
    run(c, s, json, rounds);
    crypto_openssl_only(c, false);
}

int main(int argc, char **argv)
{
    bool json = false;
    size_t rounds = ROUNDS;
    struct adit_why why = { 0 };
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (strcmp(argv[i], "--quick") == 0)
            rounds = 5;
        else
            need(false, "usage: esp [--json] [--quick]");
    }
    struct adit_crypto *c = adit_crypto_new(NULL, NULL, &why);
    need(c, why.text);
    if (!json)
        printf("%-17s %-9s %6s %6s %9s %9s %11s %11s %10s %10s\n", "suite", "library", "octets", "batch", "seal ns",
               "open ns", "crypt seal", "crypt open", "seal Gb/s", "open Gb/s");
    for (size_t i = 0; i < ARRAY_LEN(suites); i++)
        run_libraries(c, &suites[i], json, rounds);
    adit_crypto_free(c);
    return 0;
}
