/* test_kems.c - every key exchange method of the build where it may travel: alone in IKE_SA_INIT (by UDP, by TCP), as each of
 * ADDKE1 to ADDKE7, in rekeyings of both kinds, over a bad network; and what is refused, and why. The methods are those of the
 * set of algorithms: who adds one adds it here. Where only sizes matter the simulator stands in for KEMs with long keys.
 * ADIT_KEMS_FULL=1 (scripts/soak): with every PRF and in both roles, and Classic McEliece is computed, too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/strbuf.h"
#include "support/sim.h"
#include "support/simlongke.h"
#include "wire/iana.h"
#undef SECONDS /* ike/limits.h has the same */
#include "ike/sa.h"

#define MLKEM "aes256gcm16-prfsha384-x25519-ke1_mlkem768"
#define PROPOSAL_MAX 400
#define LONG_KEY 2000 /* octets of a public key; computing FrodoKEM's takes 5 to 60 ms, McEliece's up to a second */

/* Configurations borrow it; one scenario runs at a time. */
static char ike[PROPOSAL_MAX], esp[PROPOSAL_MAX];
static bool full;
static const char *const prfs[] = { "prfsha384", "prfsha256", "prfsha512", "prfkmac256", "prfkmac128" };

static bool is_of_simulator(const struct ke_alg *a)
{
    return a->id >= SIM_KE_65531;
}

/* The build's methods; the simulator's own are behind them. */
static unsigned n_methods(struct sim *s)
{
    unsigned n = 0;
    for (const struct ke_alg *a; (a = crypto_ke_at(sim_crypto(s), n)) && !is_of_simulator(a);)
        n++;
    return n;
}

static const struct ke_alg *method(struct sim *s, uint64_t i)
{
    return crypto_ke_at(sim_crypto(s), i % n_methods(s));
}

/* The method whose turn it is, and how often all have had theirs. */
static const struct ke_alg *turn(struct sim *s)
{
    return method(s, s->seed);
}

static unsigned lap(struct sim *s)
{
    return (unsigned)((s->seed - 1) / n_methods(s));
}

static const char *word(struct sim *s, const struct ke_alg *a)
{
    const char *found = iana_keyword(&(struct transform){ .type = TT_KE, .id = a->id });
    expect(s, found, "%s has no keyword: nobody can configure it", a->name);
    return found;
}

static size_t longest(const struct ke_alg *a)
{
    return a->init_size > a->resp_size ? a->init_size : a->resp_size;
}

/* For public keys of so many octets; 0: all is computed. */
static void stand_in(struct sim *s, size_t from)
{
    sim_stand_in(sim_crypto(s), from);
}

static const char *prf(struct sim *s)
{
    return prfs[(s->seed + lap(s)) % ARRAY_LEN(prfs)];
}

/* Who begins: the other one in the next lap. */
static int first_host(struct sim *s)
{
    return (s->seed + lap(s)) & 1;
}

#define TEXT(out, ...) (expect(s, snprintf(out, sizeof(out), __VA_ARGS__) < (int)sizeof(out)), out)

static void settled(struct sim *s)
{
    sim_run(s, SECONDS(15));
    expect_children(s, 1);
    expect_same_keys(s);
    expect_flows(s);
    expect_no_garbage(s);
    expect_no_gap(s);
}

static void ask(struct sim *s, int host, bool child)
{
    uint64_t cookie = child ? sim_command(s, host, ADIT_CMD_REKEY, .child = "net")
                            : sim_command(s, host, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, host, cookie, MINUTES(8)) == ADIT_OK, "%s", simhost_done(&s->host[host], cookie)->text);
    settled(s);
}

static void rekey_both(struct sim *s, int host)
{
    ask(s, host, true);
    ask(s, host, false);
}

/* A second Child SA, with a key exchange of its own. */
static void create_another(struct sim *s, int host)
{
    uint64_t cookie = sim_command(s, host, ADIT_CMD_INITIATE, .conn = "peer", .child = "net2");
    expect(s, sim_wait(s, host, cookie, MINUTES(4)) == ADIT_OK);
    sim_run(s, SECONDS(15));
    expect_children(s, 2);
    expect_same_keys(s);
}

static void expect_ike(struct sim *s, unsigned nth, const struct ke_alg *a)
{
    struct adit_ike_info sa;
    for (int host = A; host <= B; host++)
        expect(s, sim_info(s, host, &sa) && sa.suite.ke[nth] == a->id, "%s", a->name);
}

/* Of the Child SA that carries traffic. */
static void expect_child(struct sim *s, unsigned nth, const struct ke_alg *a)
{
    for (int host = A; host <= B; host++) {
        const struct simchild *c = simhost_sender(&s->host[host]);
        expect(s, c && c->suite.ke[nth] == a->id, "%s", a->name);
    }
}

/* --- alone ------------------------------------------------------------------------------------------------------------ */

#define ALONE(a)                                                                                                       \
    .ike = TEXT(ike, "aes256gcm16-%s-%s", prf(s), word(s, a)),                                 \
    .esp = TEXT(esp, "aes256gcm16-%s", word(s, a))

static void lead_life_alone(struct sim *s, const struct ke_alg *a)
{
    sim_establish(s);
    expect_ike(s, 0, a);
    rekey_both(s, first_host(s));
    rekey_both(s, !first_host(s));
    expect_ike(s, 0, a);
    expect_child(s, 0, a);
}

SIM_TEST(alone)
{
    const struct ke_alg *a = turn(s);
    if (longest(a) > IKE_KE_INIT_MAX)
        return;
    stand_in(s, 0);
    sim_configure(s, ALONE(a), .init_ke_max = longest(a) > IKE_KE_INIT_DEFAULT ? (uint32_t)longest(a) : 0);
    lead_life_alone(s, a);
}

/* There the limit of datagrams does not count; but Classic McEliece is longer than a payload. */
SIM_TEST(alone_by_tcp)
{
    const struct ke_alg *a = turn(s);
    stand_in(s, 0);
    sim_configure(s, ALONE(a), .option = { { "ike_transport", "tcp" } });
    if (longest(a) <= IKE_KE_INIT_MAX_TCP) {
        lead_life_alone(s, a);
        return;
    }
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, SECONDS(1)) != ADIT_OK);
    expect(s, strstr(simhost_done(&s->host[A], cookie)->text, "longer than any IKE_SA_INIT"), "%s",
           simhost_done(&s->host[A], cookie)->text);
}

/* A proposal that only TCP takes is left out by UDP, and taken when it comes to TCP. */
SIM_TEST(better_by_tcp)
{
    const struct ke_alg *a = turn(s);
    bool blocked = s->seed & 1;
    if (longest(a) <= IKE_KE_INIT_MAX || longest(a) > IKE_KE_INIT_MAX_TCP)
        return;
    stand_in(s, 0);
    sim_configure(s, .ike = TEXT(ike, "aes256gcm16-%s-%s,aes256gcm16-%s-x25519", prf(s), word(s, a), prf(s)),
                  .option = { { "ike_transport", "auto" } });
    sim_start(s);
    s->net.no_udp = blocked;
    sim_establish(s);
    struct adit_ike_info sa;
    expect(s, sim_info(s, B, &sa) && sa.suite.ke[0] == (blocked ? a->id : KE_CURVE_25519), "%s", a->name);
}

/* A's first message, as if somebody else had sent it. */
static void say_init_again(struct sim *s, uint8_t who, bool tcp)
{
    struct adit_ike_info info;
    expect(s, sim_info(s, B, &info) && s->tape[A].n);
    struct adit_path path = info.path;
    path.tcp = tcp;
    path.remote.port = (uint16_t)(6000 + who);
    s->tape[A].datagram[0].p[0] ^= who; /* of the SPI */
    simhost_input(&s->host[B], &path, buf_span(&s->tape[A].datagram[0]));
}

/* Strangers' long messages are not read by UDP, and by TCP not when too many are half-open already. */
SIM_TEST(long_messages_of_strangers)
{
    const struct ke_alg *a = turn(s);
    if (longest(a) <= IKE_KE_INIT_MAX || longest(a) > IKE_KE_INIT_MAX_TCP)
        return;
    stand_in(s, 0);
    sim_configure(s, ALONE(a), .cookie_threshold = 1, .option = { { "ike_transport", "tcp" } });
    sim_establish(s);
    say_init_again(s, 1, false);
    expect(s, sim_sas(s, B) == 1, "not by UDP");
    say_init_again(s, 2, true);
    expect(s, sim_sas(s, B) == 2);
    say_init_again(s, 3, true);
    expect(s, sim_sas(s, B) == 2 && sim_counter(s, B, ADIT_C_HALF_OPEN_FULL) == 1, "one is half-open already");
    sim_run(s, MINUTES(2));
    say_init_again(s, 4, true);
    expect(s, sim_sas(s, B) == 2, "its time is over, and there is room again");
    sim_run(s, MINUTES(2));
}

SIM_TEST(too_long_for_ike_sa_init)
{
    const struct ke_alg *a = turn(s);
    if (longest(a) <= IKE_KE_INIT_DEFAULT)
        return;
    sim_configure(s, ALONE(a), .init_ke_max = longest(a) > IKE_KE_INIT_MAX ? IKE_KE_INIT_MAX : IKE_KE_INIT_DEFAULT);
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(4)) != ADIT_OK);
    expect(s, sim_sas(s, B) == 0, "nothing was sent");
}

/* In CREATE_CHILD_SA there is room for all: Child SAs created and rekeyed with nothing but the method. McEliece's needs the
 * IKE SA to have agreed on longer payloads, and that is offered because a Child SA's proposal wants it. */
SIM_TEST(alone_in_create_child_sa)
{
    const struct ke_alg *a = turn(s);
    stand_in(s, LONG_KEY);
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519", .esp = TEXT(esp, "aes256gcm16-%s", word(s, a)), .two_children = true);
    sim_establish(s);
    for (int host = A; host <= B; host++)
        ask(s, host, true);
    expect_child(s, 0, a);
    create_another(s, first_host(s));
}

/* --- additional ------------------------------------------------------------------------------------------------------- */

static const char *base_for(const struct ke_alg *a)
{
    return a->id == KE_CURVE_25519 ? "ecp256" : "x25519";
}

static void configure_additional(struct sim *s, const struct ke_alg *a)
{
    sim_configure(s, .ike = TEXT(ike, "aes256gcm16-%s-%s-ke1_%s", prf(s), base_for(a), word(s, a)),
                  .esp = TEXT(esp, "aes256gcm16-%s-ke1_%s", base_for(a), word(s, a)), .two_children = true);
}

/* The whole life, in both roles, and computed; Classic McEliece only where there is time. */
SIM_TEST(additional)
{
    const struct ke_alg *a = turn(s);
    stand_in(s, full && !lap(s) ? 0 : 65536);
    configure_additional(s, a);
    sim_establish(s);
    expect_ike(s, 1, a);
    rekey_both(s, !first_host(s));
    rekey_both(s, first_host(s));
    expect_ike(s, 1, a);
    expect_child(s, 1, a);
    create_another(s, !first_host(s));
}

SIM_TEST(additional_over_a_bad_network)
{
    stand_in(s, LONG_KEY);
    configure_additional(s, turn(s));
    sim_link(s, .delay_ms = 30, .jitter_ms = 20, .loss = 0.05, .dup = 0.05, .reorder = 0.1);
    sim_slow_jobs(s, 40);
    sim_establish(s);
    sim_command(s, first_host(s), ADIT_CMD_REKEY, .child = "net");
    sim_run(s, MINUTES(2));
    sim_command(s, !first_host(s), ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MINUTES(5)); /* a Delete whose answers are lost is given up after more than two */
    sim_link(s, .delay_ms = 10);
    settled(s);
}

/* A as strangers' initiator, B as their responder, at once. */
SIM_TEST(rekeyings_that_cross)
{
    stand_in(s, LONG_KEY);
    configure_additional(s, turn(s));
    sim_slow_jobs(s, 100);
    sim_establish(s);
    sim_both(s, ADIT_CMD_REKEY, .child = "net");
    settled(s);
    sim_both(s, ADIT_CMD_REKEY, .conn = "peer");
    settled(s);
}

/* --- as each of ADDKE1 to ADDKE7 ---------------------------------------------------------------------------------------- */

/* The methods from `first` on, as ADDKE1 to ADDKE7. */
static void write_seven(struct sim *s, char *out, size_t cap, uint64_t first)
{
    size_t n = strlen(out);
    for (unsigned i = 0; i < 7; i++)
        n += (size_t)snprintf(out + n, n < cap ? cap - n : 0, "-ke%u_%s", i + 1, word(s, method(s, first + i)));
    expect(s, n < cap);
}

/* The nearest method behind the seven that may travel in IKE_SA_INIT. */
static const struct ke_alg *base_behind(struct sim *s, uint64_t first)
{
    uint64_t i = first + 7;
    while (longest(method(s, i)) > IKE_KE_INIT_MAX)
        i++;
    return method(s, i);
}

static void configure_seven(struct sim *s, uint64_t of_ike, uint64_t of_esp)
{
    TEXT(ike, "aes256gcm16-%s-%s", prf(s), word(s, base_behind(s, of_ike)));
    write_seven(s, ike, sizeof(ike), of_ike);
    TEXT(esp, "aes256gcm16-%s", word(s, method(s, of_esp + 7)));
    write_seven(s, esp, sizeof(esp), of_esp);
    sim_configure(s, .ike = ike, .esp = esp, .init_ke_max = IKE_KE_INIT_MAX);
}

/* Each method is in each place once, when all have had their turn: in IKE_INTERMEDIATE and in both rekeyings. Who asks for
 * what changes with the seed. */
SIM_TEST(seven_at_once)
{
    uint64_t of_ike = s->seed, of_esp = s->seed + n_methods(s) / 2;
    stand_in(s, LONG_KEY);
    configure_seven(s, of_ike, of_esp);
    sim_link(s, .delay_ms = 10, .jitter_ms = 5, .loss = 0.01, .dup = 0.02, .reorder = 0.05);
    sim_establish(s);
    sim_link(s, .delay_ms = 10);
    ask(s, first_host(s), true);
    ask(s, !first_host(s), false);
    for (unsigned i = 0; i < 7; i++) {
        expect_ike(s, i + 1, method(s, of_ike + i));
        expect_child(s, i + 1, method(s, of_esp + i));
    }
}

SIM_TEST(preset_paranoid)
{
    stand_in(s, 0);
    sim_configure(s, .ike = "pq-paranoid", .esp = "aes256gcm16-x25519-ke1_mlkem1024-ke2_frodos5");
    sim_establish(s);
    rekey_both(s, B);
}

/* --- numbers for private use ------------------------------------------------------------------------------------------ */

/* Takes our Vendor ID out of what A sends: 20 octets of a payload, somewhere behind the header. The first octets of it. */
static const uint8_t vendor_id[] = { 0x00, 0x14, 0x73, 0x92, 0x67, 0x65 };

static size_t without_vendor_id(struct sim *s, int from, uint8_t *datagram, size_t n)
{
    for (size_t i = 28; from == A && i + 18 <= n; i++)
        if (!memcmp(datagram + i, vendor_id, sizeof(vendor_id)))
            datagram[i + 2] ^= 1; /* another vendor's */
    return n;
}

/* strongSwan's: MD5("strongSwan"), as its `send_vendor_id` sends it. */
static size_t as_strongswan(struct sim *s, int from, uint8_t *datagram, size_t n)
{
    static const uint8_t id[16] = { 0x88, 0x2f, 0xe5, 0x6d, 0x6f, 0xd2, 0x0d, 0xbc,
                                    0x22, 0x51, 0x61, 0x3b, 0x2e, 0xbe, 0x5b, 0xeb };
    for (size_t i = 28; i + 18 <= n; i++)
        if (!memcmp(datagram + i, vendor_id, sizeof(vendor_id)))
            for (size_t k = 0; k < sizeof(id); k++)
                datagram[i + 2 + k] = id[k];
    return n;
}

static bool comes_up(struct sim *s)
{
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    return sim_wait(s, A, cookie, MINUTES(4)) == ADIT_OK;
}

/* Changed messages cannot be authenticated: how far it gets is what counts. */
static bool is_chosen(struct sim *s)
{
    comes_up(s);
    return sim_counter(s, B, ADIT_C_PROPOSAL_MISMATCH) == 0;
}

SIM_TEST(private_numbers_are_for_those_who_show_our_vendor_id)
{
    s->tamper = without_vendor_id;
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_frodoa3");
    expect(s, !is_chosen(s));
    s->tamper = NULL;
}

SIM_TEST(or_for_whom_the_configuration_trusts)
{
    s->tamper = without_vendor_id;
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_frodoa3", .accept_private_algs = true);
    expect(s, is_chosen(s));
    s->tamper = NULL;
}

SIM_TEST(strongswan_has_the_same_numbers_for_frodokem)
{
    s->tamper = as_strongswan;
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_frodoa3");
    expect(s, is_chosen(s));
    s->tamper = NULL;
}

SIM_TEST(and_no_others)
{
    s->tamper = as_strongswan;
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_efrodoa3");
    expect(s, !is_chosen(s));
    s->tamper = NULL;
}

/* A peer that is said to be a strongSwan is believed to mean the same by them, whatever it shows. */
SIM_TEST(strongswan_by_configuration)
{
    s->tamper = without_vendor_id;
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_frodoa3", .peer = "strongswan");
    expect(s, is_chosen(s));
    s->tamper = NULL;
}

#define MCELIECE "aes256gcm16-prfsha384-x25519-ke1_mceliece348864f"

/* 261,120 octets of public key, in payloads that RFC 7296 has no length for; computed. */
SIM_TEST(mceliece_by_longer_payloads)
{
    struct adit_ike_info sa;
    stand_in(s, 0);
    sim_configure(s, .ike = MCELIECE, .esp = "aes256gcm16-x25519-ke1_mceliece348864f");
    expect(s, comes_up(s));
    expect(s, sim_info(s, A, &sa) && sa.suite.ke[1] == KE_MCELIECE_348864F);
    rekey_both(s, A);
    rekey_both(s, B);
}

SIM_TEST(mceliece_waits_for_longer_payloads)
{
    struct adit_ike_info sa;
    sim_configure(s, .ike = MCELIECE "," MLKEM, .option = { { "bigpayload", "no" } });
    expect(s, comes_up(s));
    expect(s, sim_info(s, A, &sa) && sa.suite.ke[1] == KE_ML_KEM_768, "the proposal behind it is used");
}

static const struct sim_case each[] = {
    SIM_CASE(alone), SIM_CASE(alone_by_tcp), SIM_CASE(better_by_tcp), SIM_CASE(long_messages_of_strangers),
    SIM_CASE(too_long_for_ike_sa_init), SIM_CASE(alone_in_create_child_sa),
    SIM_CASE(additional), SIM_CASE(additional_over_a_bad_network), SIM_CASE(rekeyings_that_cross), SIM_CASE(seven_at_once),
};
static const struct sim_case once[] = {
    SIM_CASE(preset_paranoid),
    SIM_CASE(private_numbers_are_for_those_who_show_our_vendor_id),
    SIM_CASE(or_for_whom_the_configuration_trusts),
    SIM_CASE(strongswan_has_the_same_numbers_for_frodokem),
    SIM_CASE(and_no_others),
    SIM_CASE(strongswan_by_configuration),
    SIM_CASE(mceliece_by_longer_payloads),
    SIM_CASE(mceliece_waits_for_longer_payloads),
};

/* PROGRAM [CASE [SEED]]; the cases that take turns run once a method, or as often as there are PRFs and roles. */
int main(int argc, char **argv)
{
    static struct sim lab;
    unsigned n = n_methods(&lab);
    int rc = 0;
    full = getenv("ADIT_KEMS_FULL") != NULL;
    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(once); i++)
        if (!strcmp(argv[1], once[i].name))
            return sim_main(argc, argv, once, ARRAY_LEN(once), 1);
    rc = sim_main(argc, argv, each, ARRAY_LEN(each), full ? n * (unsigned)ARRAY_LEN(prfs) : n);
    return argc > 1 ? rc : sim_main(argc, argv, once, ARRAY_LEN(once), 1) | rc;
}
