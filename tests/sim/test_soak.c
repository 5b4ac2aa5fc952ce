/* test_soak.c - thousands of random lives of two hosts: configuration, network and events are drawn from the seed.
 *
 *   test_soak [PART PARTS]          ADIT_SIM_RUNS lives in all (10000) from seed ADIT_SIM_FIRST (1) on; this process
 *                                   takes every PARTS-th (scripts/soak: one for each core)
 *   test_soak life SEED             replays one, drawing all that happens
 *   ADIT_SOAK_WINDOWS=1             other lives: four Child SAs, of which several are rekeyed at once, and windows of 1 to 8 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include "support/sim.h"
#include "support/simlog.h"

static const char *const ike_proposals[] = {
    "aes128gcm16-prfsha256-x25519",
    "aes128gcm16-prfsha256-x25519",
    "aes256gcm16-prfsha384-ecp256",
    "aes128-sha256-x25519",
    "chacha20poly1305-prfsha256-x25519",
    "aes256gcm16-prfsha384-x25519-ke1_mlkem768",
    "aes256gcm16-prfsha384-x25519-ke1_mlkem512",
    "aes256gcm16-prfsha384-mlkem768",
    "aes256gcm16-prfsha512-x25519-ke1_mlkem512-ke2_mlkem768",
    "aes256gcm16-prfsha384-ecp384",
    "aes256gcm16-prfsha384-x25519-ke1_ecp384", /* this and the one before are computed as jobs */
};
static const char *const esp_proposals[] = {
    "aes128gcm16-x25519",   "aes128gcm16",          "aes256gcm16-x25519-ke1_mlkem768",
    "aes128-sha256-x25519", "aes256gcm16-mlkem512", "aes128gcm16-x25519-ke1_ecp384",
    "aes256gcm16-ecp384",
};

static bool windows; /* ADIT_SOAK_WINDOWS */

static const char *one_of(struct sim *s, const char *const *v, size_t n)
{
    return v[prng_below(&s->prng, n)];
}

static bool one_in(struct sim *s, uint64_t n)
{
    return prng_below(&s->prng, n) == 0;
}

static void configure(struct sim *s)
{
    struct sim_conf c = { .ike = one_of(s, ike_proposals, ARRAY_LEN(ike_proposals)),
                          .esp = one_of(s, esp_proposals, ARRAY_LEN(esp_proposals)),
                          .cert = one_in(s, 6)    ? "ecdsa"
                                  : one_in(s, 12) ? "ed25519"
                                                  : NULL,
                          .transport = one_in(s, 8),
                          .unique = ADIT_UNIQUE_REPLACE };
    if (one_in(s, 5))
        c.daemon_option[0] = (struct adit_option){ "fragment_size", "600" };
    if (one_in(s, 4))
        c.dpd_s = (uint32_t)(10 + prng_below(&s->prng, 60));
    if (one_in(s, 6))
        c.child_rekey_s = (uint32_t)(60 + prng_below(&s->prng, 200));
    if (one_in(s, 10))
        c.rekey_s = (uint32_t)(120 + prng_below(&s->prng, 400));
    if (!c.transport && one_in(s, 8))
        sim_nat(s, A);
    if (one_in(s, 3))
        sim_slow_jobs(s, (unsigned)prng_below(&s->prng, 400));
    c.n_children = windows && !c.transport ? 4 : 0;
    sim_configure_(s, -1, &c);
    for (int host = A; host <= B && windows; host++) {
        c.window = (uint16_t)(1 + prng_below(&s->prng, 8));
        sim_configure_(s, host, &c);
    }
}

static const char *const nets[] = { "net2", "net3", "net4" };

/* The others are there before traffic flows. */
static void more_children(struct sim *s)
{
    for (size_t i = 0; i < ARRAY_LEN(nets) && s->conf[A].n_children; i++)
        sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = nets[i]);
    sim_run(s, MINUTES(2));
}

static void rekey_several(struct sim *s, bool both)
{
    int host = (int)prng_below(&s->prng, 2);
    for (size_t i = 0; i < ARRAY_LEN(nets) && s->conf[A].n_children; i++) {
        sim_command(s, host, ADIT_CMD_REKEY, .child = nets[i]);
        if (both)
            sim_command(s, !host, ADIT_CMD_REKEY, .child = nets[i]);
    }
}

static void weather(struct sim *s)
{
    struct sim_link link = { .delay_ms = (unsigned)prng_below(&s->prng, 120) };
    if (one_in(s, 2))
        link.jitter_ms = (unsigned)prng_below(&s->prng, 100);
    if (one_in(s, 2))
        link.loss = (double)prng_below(&s->prng, 25) / 100;
    if (one_in(s, 3))
        link.dup = (double)prng_below(&s->prng, 50) / 100;
    if (one_in(s, 3))
        link.reorder = (double)prng_below(&s->prng, 50) / 100;
    if (one_in(s, 4))
        link.garble = 0.3;
    sim_link_(s, -1, &link);
}

static void happen(struct sim *s)
{
    int host = (int)prng_below(&s->prng, 2);
    switch (prng_below(&s->prng, windows ? 12 : 8)) {
    case 8:
    case 9: rekey_several(s, true); break;
    case 10:
    case 11: rekey_several(s, false); break;
    case 0: sim_both(s, ADIT_CMD_REKEY, .child = "net"); break;
    case 1: sim_both(s, ADIT_CMD_REKEY, .conn = "peer"); break;
    case 2:
        sim_command(s, host, ADIT_CMD_REKEY, .child = "net");
        sim_command(s, !host, ADIT_CMD_REKEY, .conn = "peer");
        break;
    case 3:
    case 4: sim_command(s, host, ADIT_CMD_REKEY, .child = "net"); break;
    case 5: sim_command(s, host, ADIT_CMD_REKEY, .conn = "peer"); break;
    case 6: weather(s); break;
    default: sim_run(s, SECONDS(prng_below(&s->prng, 200))); break;
    }
    sim_run(s, MILLIS(prng_below(&s->prng, one_in(s, 2) ? 300 : 10000)));
}

/* One host loses power or its cable; the SAs that are left must go or recover. */
static bool disaster(struct sim *s)
{
    int host = (int)prng_below(&s->prng, 2);
    if (one_in(s, 2)) {
        sim_restart(s, host);
        sim_run(s, MINUTES(prng_below(&s->prng, 4)));
        return true;
    }
    sim_cut(s, host, true);
    sim_run(s, SECONDS(prng_below(&s->prng, 60)));
    sim_cut(s, host, false);
    return false;
}

/* Until no exchange is under way: a liveness check may just run. */
static void settle(struct sim *s)
{
    struct adit_ike_info sa;
    for (int i = 0; i < 100; i++) {
        bool busy = false;
        for (int host = 0; host < 2; host++)
            busy |= sim_info(s, host, &sa) && sa.waiting;
        if (!busy)
            return;
        sim_run(s, MILLIS(50));
    }
}

static void life(struct sim *s)
{
    configure(s);
    weather(s);
    sim_establish(s);
    if (windows && !one_in(s, 4))
        more_children(s);
    if (one_in(s, 2))
        sim_traffic(s, MILLIS(100 + prng_below(&s->prng, 2000)));
    for (uint64_t n = prng_below(&s->prng, 5); n > 0; n--)
        happen(s);
    bool cut = one_in(s, 5), forgot = cut && disaster(s);
    sim_link(s, .delay_ms = 10);
    sim_traffic(s, 0);
    sim_run(s, MINUTES(8));
    settle(s);
    if (forgot || sim_sas(s, A) == 0 || sim_sas(s, B) == 0)
        return;
    if (!s->conf[A].rekey_s && !s->conf[A].child_rekey_s) { /* else one may just be under way */
        expect_no_garbage(s);
        expect(s, windows || s->conf[A].n_children == 0);
        if (!windows)
            expect_children(s, 1);
    }
    expect_same_keys(s);
    if (!cut || !s->conf[A].child_rekey_s) /* else its life may have ended meanwhile */
        expect_flows(s);
    if (!cut)
        expect_no_gap(s);
}

static const struct sim_case the_life = { "life", life };

#define FAILURES_MAX 20 /* then it is enough */

/* The first one is drawn. */
static void report(const struct sim *s, const char *program, unsigned failures)
{
    if (failures == 0)
        simlog_print(s->log, 60);
    printf("# replay: %s life %llu\n", program, (unsigned long long)s->seed);
    printf("not ok - life (seed %llu): %s\n", (unsigned long long)s->seed, s->failure);
}

/* Every tenth life is lived twice and must give the same octets. */
static bool live(struct sim *s, uint64_t seed)
{
    bool good = sim_once(s, &the_life, seed, false);
    if (!good || seed % 10)
        return good;
    uint64_t digest = s->digest;
    sim_free(s);
    good = sim_once(s, &the_life, seed, false);
    if (good && s->digest != digest) {
        snprintf(s->failure, sizeof(s->failure), "the same seed did not give the same octets");
        return false;
    }
    return good;
}

/* After the first lives have filled the library's caches the heap must not grow. */
static bool heap_grew(size_t base)
{
    size_t now = mallinfo2().uordblks;
    if (base && now > base + (1u << 20))
        printf("not ok - the heap grew from %zu to %zu octets\n", base, now);
    return base && now > base + (1u << 20);
}

static uint64_t number(const char *text, uint64_t without)
{
    return text ? strtoull(text, NULL, 10) : without;
}

int main(int argc, char **argv)
{
    static struct sim s;
    windows = getenv("ADIT_SOAK_WINDOWS") != NULL;
    if (argc == 3 && strcmp(argv[1], "life") == 0)
        return sim_main(argc, argv, &the_life, 1, 1);
    uint64_t first = number(getenv("ADIT_SIM_FIRST"), 1), last = first - 1 + number(getenv("ADIT_SIM_RUNS"), 10000);
    uint64_t part = number(argc == 3 ? argv[1] : NULL, 0), parts = number(argc == 3 ? argv[2] : NULL, 1);
    uint64_t lived = 0, base = 0;
    unsigned failures = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (uint64_t seed = first + part; parts && seed <= last && failures < FAILURES_MAX; seed += parts) {
        if (!live(&s, seed))
            report(&s, argv[0], failures++);
        sim_free(&s);
        if (++lived == 200)
            base = mallinfo2().uordblks;
    }
    if (failures || heap_grew(base))
        return 1;
    printf("ok - %llu random lives of two hosts\n", (unsigned long long)lived);
    return 0;
}
