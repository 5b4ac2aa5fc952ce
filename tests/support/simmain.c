/* simmain.c - runs scenarios: each with many seeds, each seed twice, and draws the ones that fail. */
#include <stdio.h>
#include <stdlib.h>
#include "base/secret.h"
#include "support/sim.h"
#include "support/simlog.h"

static void init(struct sim *s, const struct sim_case *c, uint64_t seed, bool verbose)
{
    static const char *const names[SIM_MEMBERS] = { "A", "B", "C" };
    static const char *const addresses[SIM_MEMBERS] = { "192.0.2.1", "192.0.2.2", "192.0.2.3" };
    *s = (struct sim){
        .seed = seed, .now = SECONDS(1000), .test = c->name, .verbose = verbose, .log = simlog_new(verbose)
    };
    prng_init(&s->prng, seed);
    prng_init(&s->crypto_prng, prng_u64(&s->prng));
    simnet_init(&s->net, &s->prng);
    s->net.n_hosts = 2;
    if (!addr_parse("192.0.2.66", &s->net.host[SIM_STRANGER].addr))
        abort();
    for (int i = 0; i < SIM_MEMBERS; i++) {
        s->host[i].sim = s;
        s->host[i].index = i;
        s->host[i].name = names[i];
        prng_init(&s->host[i].prng, i < C ? prng_u64(&s->prng) : ~seed); /* runs without C are as if there were none */
        if (!addr_parse(addresses[i], &s->net.host[i].addr))
            abort();
    }
    sim_link(s, .delay_ms = 10);
}

static void check_secrets(struct sim *s, size_t before)
{
    size_t now, locked;
    secret_usage(&now, &locked);
    if (!s->failed && now > before) {
        s->failed = true;
        snprintf(s->failure, sizeof(s->failure), "expected no secret to be left: %zu octets", now - before);
    }
}

bool sim_once(struct sim *s, const struct sim_case *c, uint64_t seed, bool verbose)
{
    size_t before, locked;
    init(s, c, seed, verbose);
    sim_crypto(s);
    secret_usage(&before, &locked);
    if (setjmp(s->out) == 0) {
        c->run(s);
        if (!s->torn_down)
            sim_tear_down(s);
    }
    for (int i = 0; i < SIM_MEMBERS; i++)
        simhost_fini(&s->host[i]);
    simnet_fini(&s->net);
    for (unsigned i = 0; i < SIM_MEMBERS * SIM_TAPE; i++)
        buf_fini(&s->tape[i % SIM_MEMBERS].datagram[i / SIM_MEMBERS]);
    check_secrets(s, before);
    return !s->failed;
}

void sim_free(struct sim *s)
{
    simlog_free(s->log);
    s->log = NULL;
}

static void report(const struct sim *s, const char *program, bool replay)
{
    if (!replay)
        simlog_print(s->log, 60);
    printf("# %s\n# replay: %s %s %llu\n", s->failure, program, s->test, (unsigned long long)s->seed);
    printf("not ok - %s (seed %llu): %s\n", s->test, (unsigned long long)s->seed, s->failure);
}

/* Twice; the second run must have done the very same. */
static bool run_seed(struct sim *s, const struct sim_case *c, uint64_t seed, const char *program,
                     bool verbose)
{
    bool good = sim_once(s, c, seed, verbose);
    uint64_t digest = s->digest;
    if (good) {
        sim_free(s);
        good = sim_once(s, c, seed, false);
        if (good && s->digest != digest) {
            good = false;
            snprintf(s->failure, sizeof(s->failure), "the same seed did not give the same octets");
        }
    }
    if (!good)
        report(s, program, verbose);
    sim_free(s);
    return good;
}

int sim_main(int argc, char **argv, const struct sim_case *cases, size_t n, unsigned seeds)
{
    static struct sim s;
    const char *env = getenv("ADIT_SIM_SEEDS"), *only = argc > 1 ? argv[1] : NULL;
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint64_t count = argc > 2 ? 1 : env ? strtoull(env, NULL, 10) : seeds;
    unsigned failures = 0, ran = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < n; i++) {
        uint64_t k = 0;
        if (only && strcmp(only, cases[i].name) != 0)
            continue;
        ran++;
        while (k < count && run_seed(&s, &cases[i], first + k, argv[0], argc > 2))
            k++;
        failures += k < count;
        if (k == count)
            printf("ok - %s (%llu seeds)\n", cases[i].name, (unsigned long long)count);
    }
    if (!ran)
        fprintf(stderr, "there is no scenario '%s'\n", only);
    return failures || !ran;
}
