/* test_adversary.c - every row of the adversary's catalogue against the engine, one test a row: it is refused as the
 * document says and leaves what adversary.def says, an honest peer beside it does not notice, memory is bounded meanwhile and
 * as before afterwards, and the next honest handshake works. */
#include <stdio.h>
#include <stdlib.h>
#include "base/mem.h"
#include "conformance/puppet.h"
#include "support/simpuppet.h"
#include "wire/iana.h"

#define CLASSIC "aes128gcm16-prfsha256-x25519"
#define HYBRID "aes256-sha384-x25519-ke1_mlkem768"
#define CUT CLASSIC "-ke1_mlkem1024" /* whose answers come in fragments */
#define LONG CLASSIC "-ke1_mceliece348864f"
#define OFFER CLASSIC ",aes128gcm16-prfsha256-ecp256," HYBRID "," CUT "," LONG

static const struct behaviour *row_of(const char *name)
{
    size_t n;
    const struct behaviour *rows = conformance_rows(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

/* No half-open SA, no lingering one, nothing in flight: what is in memory now is what is kept. */
static long settle(struct sim *s, struct simpuppet *in)
{
    sim_command(s, B, ADIT_CMD_TERMINATE, .conn = "puppet", .force = true);
    sim_run(s, MINUTES(12));
    sim_traffic(s, 0);
    sim_run(s, SECONDS(2));
    simpuppet_forget(in);
    long blocks = mem_blocks();
    sim_traffic(s, SECONDS(1));
    return blocks;
}

/* Of three seeds one has certificates in place of the pre-shared key, another kind each row. The stranger is A then, as far as B
 * can see, and may end A's SAs. */
static const char *cert_of(const struct sim *s)
{
    static const char *const kinds[] = { "ecdsa", "rsa", "ed25519" };
    return s->seed % 3 || !strcmp(s->test, "initial_contact_abuse") ? NULL : kinds[strlen(s->test) % ARRAY_LEN(kinds)];
}

/* --- what B has when a row is over --------------------------------------------------------------------------------- */

struct outcome {
    const char *row;
    unsigned established, others, children; /* of the puppet's: IKE SAs that are up, half-open or on their way out; Child SAs */
    const char *heard;
};
static const struct outcome outcomes[] = {
#define OUTCOME(row, ...) { #row, __VA_ARGS__ },
#include "adversary.def"
};
#define MEMORY_MAX (96u << 10) /* octets that a row may make B keep at a time, beyond what an honest handshake takes */
static struct sim *world;
static const struct behaviour *played;
static struct outcome seen;

static void count(struct outcome *out)
{
    struct adit_ike_info sa;
    uint32_t cursor = 0;
    *out = (struct outcome){ 0 };
    while (adit_ike_sa_next(world->host[B].ike, &cursor, &sa)) {
        if (sa.path.remote.addr.ip[3] != 66)
            continue;
        out->established += sa.state == ADIT_IKE_ESTABLISHED;
        out->others += sa.state != ADIT_IKE_ESTABLISHED;
        out->children += sa.n_children;
    }
}

static void observed(struct puppet *p)
{
    played->script(p);
    count(&seen);
}

/* How it was refused or taken, and what is there now: all as the list says. */
static void is_as_listed(struct sim *s, const char *row, const struct conformance_result *result)
{
    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
        const struct outcome *o = &outcomes[i];
        if (!strcmp(o->row, row) && o->established == seen.established && o->others == seen.others &&
            o->children == seen.children && !strcmp(o->heard, result->heard))
            return;
    }
    expect(s, false, "OUTCOME(%s, %u, %u, %u, \"%s\") is not in adversary.def", row, seen.established, seen.others,
           seen.children, result->heard);
}

static void play(struct sim *s, struct simpuppet *in, const struct behaviour *b, const char *ike,
                 struct conformance_result *result)
{
    struct conformance_params p = simpuppet_params(in, ike);
    struct behaviour row = *b;
    if (cert_of(s))
        simpuppet_signs(&p, cert_of(s));
    world = s;
    played = b;
    row.script = observed;
    conformance_play(&p, &row, result);
    sim_note(s, -1, "%s: %s %s", b->name, conformance_verdict_name(result->verdict), result->text);
}

/* Contexts of HMAC go round in pools, which are to be full before anything is counted. */
#define CONTEXTS 16
static void fill_pools(struct sim *s)
{
    static const uint16_t ids[] = { INTEG_HMAC_SHA2_256_128, INTEG_HMAC_SHA2_384_192 };
    const struct adit_crypto *c = sim_crypto(s);
    struct crypt *x[CONTEXTS];
    uint8_t key[64] = { 0 };
    for (unsigned k = 0; k < ARRAY_LEN(ids); k++) {
        const struct integ_alg *integ = crypto_integ(c, ids[k]);
        for (unsigned i = 0; i < CONTEXTS; i++)
            expect(s, crypt_new(c, crypto_encr(c, ENCR_AES_CBC), 128, span(key, 16), integ, span(key, integ->key), true,
                                &x[i]) == ADIT_OK);
        for (unsigned i = 0; i < CONTEXTS; i++)
            crypt_free(x[i]);
    }
}

static void no_script(struct puppet *p)
{
}

static void one_row(struct sim *s)
{
    static struct simpuppet inbox;
    struct conformance_result result;
    const struct behaviour *b = row_of(s->test);
    simpuppet_join(&inbox, s);
    sim_configure_host(s, B, .stranger = OFFER, .stranger_cert = cert_of(s), .window = s->seed & 1 ? 5 : 1);
    sim_establish(s);
    s->tape[A].n = s->tape[B].n = SIM_TAPE; /* nothing more is kept */
    sim_traffic(s, SECONDS(1));
    static const struct behaviour honest = { .name = "only an honest handshake", .script = no_script };
    fill_pools(s);
    size_t octets = mem_octets();
    mem_peak_reset();
    play(s, &inbox, &honest, s->seed & 1 ? CLASSIC : HYBRID, &result);
    size_t usual = mem_peak() - octets;
    expect(s, result.verdict == VERDICT_PASSED, "%s", result.text);
    sim_command(s, B, ADIT_CMD_INITIATE, .conn = "puppet", .child = "net"); /* what is kept once a connection */
    sim_run(s, SECONDS(1));
    play(s, &inbox, row_of("followup"), HYBRID, &result); /* of contexts, rekeying with more key exchanges fills more */
    expect(s, result.verdict == VERDICT_PASSED, "%s", result.text);
    long before = settle(s, &inbox);
    octets = mem_octets();
    mem_peak_reset();
    play(s, &inbox, b, s->seed & 1 ? CLASSIC : HYBRID, &result);
    if (result.verdict == VERDICT_SKIPPED)
        play(s, &inbox, b, s->seed & 1 ? HYBRID : CLASSIC, &result);
    expect(s, result.verdict == VERDICT_PASSED, "%s: %s", conformance_verdict_name(result.verdict), result.text);
    is_as_listed(s, b->name, &result);
    size_t peak = mem_peak() - octets;
    expect(s, peak < usual + MEMORY_MAX, "%zu octets of memory, an honest handshake takes %zu", peak, usual);
    expect_no_gap(s);
    long after = settle(s, &inbox);
    expect(s, after == before, "%ld blocks of memory more than before", after - before);
    expect_no_gap(s);
    expect_same_keys(s);
    expect_no_garbage(s);
    expect(s, sim_sas(s, B) == 1, "B has %u IKE SAs", sim_sas(s, B));
    sim_wait(s, A, sim_command(s, A, ADIT_CMD_TERMINATE, .conn = "peer"), MINUTES(1));
    sim_establish(s);
}

int main(int argc, char **argv)
{
    size_t n;
    const struct behaviour *rows = conformance_rows(&n);
    struct sim_case *cases = calloc(n, sizeof(*cases));
    if (!cases)
        return 1;
    for (size_t i = 0; i < n; i++)
        cases[i] = (struct sim_case){ rows[i].name, one_row };
    int code = sim_main(argc, argv, cases, n, 3);
    free(cases);
    return code;
}
