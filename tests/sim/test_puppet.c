/* test_puppet.c - a puppet with a plot: what a client other than ours may ask a gateway with pools for, and when. B is the
 * gateway; A is a client that has nothing to do with it. Behind that: a puppet that authenticates by certificate. */
#include <string.h>
#include "conformance/puppet.h"
#include "support/simpuppet.h"

#define SUITE "aes128gcm16-prfsha256-x25519"
#define TEXT(t) SPAN_LIT(t)
#define ASK_ADDRESS "\0\1\0\0"
#define ASK_DNS "\0\3\0\0"
#define ADDRESS(n) "\0\1\0\4\x0a\x09\0" n
/* what comes with it: name server and network */
#define TOLD "\0\3\0\4\x0a\x02\0\x35" "\0\x0d\0\x08\x0a\x02\0\0\xff\xff\0\0"

static void play(struct sim *s, const char *pool, void (*script)(struct puppet *p))
{
    static struct simpuppet puppet;
    struct conformance_result result;
    const struct behaviour b = { .name = s->test, .script = script };
    simpuppet_join(&puppet, s);
    sim_configure_host(s, B, .stranger = SUITE, .stranger_option = { { "pools", "pool4" } }, .pool4 = pool);
    sim_establish(s);
    struct conformance_params params = simpuppet_params(&puppet, SUITE);
    params.no_epilogue = true;
    conformance_play(&params, &b, &result);
    expect(s, result.verdict == VERDICT_PASSED, "%s: %s", conformance_verdict_name(result.verdict), result.text);
    sim_command(s, B, ADIT_CMD_TERMINATE, .conn = "puppet", .force = true);
    sim_run(s, MINUTES(5));
    simpuppet_forget(&puppet);
}

static void leased(struct sim *s, unsigned online, unsigned offline)
{
    struct adit_pool_info p = { 0 };
    expect(s, adit_ike_pool_info(s->host[B].ike, 0, &p));
    expect(s, p.online == online && p.offline == offline, "%u online, %u offline", p.online, p.offline);
}

static void replied(struct puppet *p, struct adit_span body)
{
    const struct payload *cp = heard_payload(p, PLD_CP);
    must(p, cp && span_equal(cp->body, body), "the CFG_REPLY is another");
}

/* Authenticated, but with `cp` in place of an honest CFG_REQUEST; SPAN_NONE: none. */
static void authenticate(struct puppet *p, struct adit_span cp)
{
    keyed(p);
    auth_request(p);
    if (cp.n)
        add(p, PLD_CP, cp);
}

static void inform(struct puppet *p, struct adit_span cp)
{
    info_request(p);
    add(p, PLD_CP, cp);
    say(p);
    accepted(p);
}

/* RFC 7296 s2.19: FAILED_CP_REQUIRED, but the IKE SA stands, and an address may still be asked for (s3.15.4). */
static void later(struct puppet *p)
{
    struct notify n;
    authenticate(p, SPAN_NONE);
    say(p);
    answered(p);
    must(p, heard_notify(p, N_FAILED_CP_REQUIRED, &n), "no FAILED_CP_REQUIRED");
    finish_auth(p);
    inform(p, TEXT("\1\0\0\0" ASK_ADDRESS ASK_DNS));
    replied(p, TEXT("\2\0\0\0" ADDRESS("\1") TOLD));
    inform(p, TEXT("\1\0\0\0" ASK_ADDRESS)); /* again: the same, not a second one */
    replied(p, TEXT("\2\0\0\0" ADDRESS("\1") TOLD));
    child_request(p); /* and now there may be a Child SA */
    say(p);
    accepted(p);
    alive(p);
}

SIM_TEST(an_address_is_asked_for_later)
{
    play(s, "10.9.0.1-10.9.0.9", later);
    leased(s, 0, 1);
}

static void with_critical_bit(struct puppet *p)
{
    authenticate(p, TEXT("\1\0\0\0" ASK_ADDRESS));
    critical(p, PLD_CP);
    say(p);
    accepted(p);
    replied(p, TEXT("\2\0\0\0" ADDRESS("\1") TOLD));
    finish_auth(p);
    alive(p);
}

SIM_TEST(a_critical_bit_changes_nothing)
{
    play(s, "10.9.0.1-10.9.0.9", with_critical_bit);
    leased(s, 0, 1);
}

/* CREATE_CHILD_SA is no place to ask: what there was stays, nothing more is given. */
static void in_create_child(struct puppet *p)
{
    authenticate(p, TEXT("\1\0\0\0" ASK_ADDRESS));
    say(p);
    accepted(p);
    finish_auth(p);
    child_request(p);
    add(p, PLD_CP, TEXT("\1\0\0\0" ASK_ADDRESS ASK_ADDRESS));
    say(p);
    accepted(p);
    must(p, !heard_payload(p, PLD_CP), "a Configuration payload in CREATE_CHILD_SA is answered");
    alive(p);
}

SIM_TEST(asking_in_create_child_sa_gives_nothing)
{
    play(s, "10.9.0.1-10.9.0.9", in_create_child);
    leased(s, 0, 1);
}

/* RFC 7296 s3.15.1: nothing that is to be set is accepted. */
static void set(struct puppet *p)
{
    authenticate(p, TEXT("\1\0\0\0" ASK_ADDRESS));
    say(p);
    accepted(p);
    finish_auth(p);
    inform(p, TEXT("\3\0\0\0" ADDRESS("\7")));
    replied(p, TEXT("\4\0\0\0"));
    inform(p, TEXT("\1\0\0\0" ASK_ADDRESS));
    replied(p, TEXT("\2\0\0\0" ADDRESS("\1") TOLD));
    alive(p);
}

SIM_TEST(nothing_can_be_set)
{
    play(s, "10.9.0.1-10.9.0.9", set);
    leased(s, 0, 1);
}

/* Garbage in a live IKE SA is refused, and costs neither it nor the lease. */
static void garbage(struct puppet *p)
{
    static const struct adit_span bad[] = { TEXT("\1\0\0\0\0\1\x40\0\1"), TEXT("\1\0\0"), TEXT("\1\0\0\0\0\1\0\4\x0a\x09") };
    authenticate(p, TEXT("\1\0\0\0" ASK_ADDRESS));
    say(p);
    accepted(p);
    finish_auth(p);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        child_request(p);
        add(p, PLD_CP, bad[i]);
        say(p);
        answered(p);
        alive(p);
    }
}

SIM_TEST(garbage_where_it_has_no_meaning)
{
    play(s, "10.9.0.1-10.9.0.9", garbage);
    leased(s, 0, 1);
}

/* --- authentication by certificate ------------------------------------------------------------------------------------- */

#define HYBRID SUITE "-ke1_mlkem512"
static const char *const kinds[] = { "ecdsa", "rsa", "ed25519" };

/* B has a connection by certificates for the puppet, which has what change() makes of A's. */
static void sign(struct sim *s, void (*script)(struct puppet *p), void (*change)(struct conformance_params *p),
                 struct conformance_result *result)
{
    static struct simpuppet puppet;
    const char *kind = kinds[s->seed % ARRAY_LEN(kinds)], *suite = s->seed & 1 ? SUITE : HYBRID;
    const struct behaviour b = { .name = s->test, .script = script };
    simpuppet_join(&puppet, s);
    sim_configure_host(s, B, .stranger = suite, .stranger_cert = kind);
    sim_establish(s);
    struct conformance_params params = simpuppet_params(&puppet, suite);
    simpuppet_signs(&params, kind);
    params.no_epilogue = true;
    if (change)
        change(&params);
    conformance_play(&params, &b, result);
    sim_command(s, B, ADIT_CMD_TERMINATE, .conn = "puppet", .force = true);
    sim_run(s, MINUTES(5));
    simpuppet_forget(&puppet);
}

static void passes(struct sim *s, void (*script)(struct puppet *p))
{
    struct conformance_result result;
    sign(s, script, NULL, &result);
    expect(s, result.verdict == VERDICT_PASSED, "%s: %s", conformance_verdict_name(result.verdict), result.text);
}

static void fails_with(struct sim *s, void (*script)(struct puppet *p), void (*change)(struct conformance_params *p),
                       const char *text)
{
    struct conformance_result result;
    sign(s, script, change, &result);
    expect(s, result.verdict == VERDICT_FAILED && strstr(result.text, text), "%s: %s",
           conformance_verdict_name(result.verdict), result.text);
}

/* An IKE SA with a Child SA, and both rekeyed. */
static void calls(struct puppet *p)
{
    up(p);
    must(p, heard_payload(p, PLD_CERT) != NULL, "the peer sends no certificate");
    child_rekey(p, p->sa.spi_in);
    say(p);
    accepted(p);
    take_child(p);
    alive(p);
}

SIM_TEST(the_puppet_signs)
{
    passes(s, calls);
}

static void is_called(struct puppet *p)
{
    called_up(p);
    goodbye(p);
}

SIM_TEST(the_puppet_signs_when_called)
{
    passes(s, is_called);
}

static void other_keys(struct puppet *p)
{
    keyed(p);
    auth_request(p);
    set_auth(p, SK_PR);
    say(p);
    refused_with(p, N_AUTHENTICATION_FAILED);
    gone(p);
}

static void no_certificate(struct puppet *p)
{
    keyed(p);
    auth_request(p);
    leave_out(p, PLD_CERT);
    say(p);
    refused_with(p, N_AUTHENTICATION_FAILED);
}

static void of_somebody_else(struct puppet *p)
{
    keyed(p);
    auth_request(p);
    replace(p, PLD_IDi, TEXT("\2\0\0\0c.example"));
    set_auth(p, SK_PI);
    say(p);
    refused_aloud(p);
}

/* What a right signature does not do by itself. */
SIM_TEST(lies_of_one_who_signs)
{
    passes(s, s->seed % 3 == 0 ? other_keys : s->seed % 3 == 1 ? no_certificate : of_somebody_else);
}

static void only_psk(struct conformance_params *p)
{
    p->cert = p->key = p->ca = SPAN_NONE;
    p->id.data = span_str("puppet.example");
    p->psk = span_str("a secret of the puppet");
}

static void handshake(struct puppet *p)
{
    up(p);
}

SIM_TEST(one_with_a_pre_shared_key_is_refused)
{
    fails_with(s, handshake, only_psk, "AUTHENTICATION_FAILED");
}

static void any_key(struct conformance_params *p)
{
    p->key = span_str("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                      "-----END PRIVATE KEY-----\n"); /* Ed25519, nobody's */
}

static void no_ca(struct conformance_params *p)
{
    p->ca = p->cert;
}

static void no_credentials(struct conformance_params *p)
{
    p->cert = p->psk = SPAN_NONE;
}

SIM_TEST(credentials_that_are_no_good)
{
    fails_with(s, handshake, any_key, "not that of the certificate");
    fails_with(s, handshake, no_ca, "not one of a CA");
    fails_with(s, handshake, no_credentials, "neither a pre-shared key nor a certificate");
}

int main(int argc, char **argv)
{
    static const struct sim_case cases[] = {
        SIM_CASE(an_address_is_asked_for_later), SIM_CASE(a_critical_bit_changes_nothing),
        SIM_CASE(asking_in_create_child_sa_gives_nothing), SIM_CASE(nothing_can_be_set),
        SIM_CASE(garbage_where_it_has_no_meaning),
        SIM_CASE(the_puppet_signs), SIM_CASE(the_puppet_signs_when_called), SIM_CASE(lies_of_one_who_signs),
        SIM_CASE(one_with_a_pre_shared_key_is_refused), SIM_CASE(credentials_that_are_no_good),
    };
    return sim_main(argc, argv, cases, sizeof(cases) / sizeof(*cases), 6);
}
