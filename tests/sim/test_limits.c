/* test_limits.c - how much a peer may have and ask for, and how little it may know: as many Child SAs as there can be, all
 * of them in one Delete, the version (RFC 7296 s1.3, s2.20, s3.11), and a minimal initiator (RFC 7815). B is the peer of a
 * puppet; A is a client that has nothing to do with it. */
#include "conformance/puppet.h"
#include "ike/limits.h"
#undef SECONDS
#undef MILLISECONDS
#include "support/simpuppet.h"

#define SUITE "aes128gcm16-prfsha256-x25519"
#define ONCE(s) ((s)->seed == 1 ? (s) : NULL) /* a thousand of anything: one seed will do */

static struct simpuppet inbox;
static struct sim *world;

static void play(struct sim *s, void (*script)(struct puppet *p), const struct sim_conf *conf)
{
    struct conformance_result result;
    const struct behaviour b = { .name = s->test, .script = script };
    world = s;
    simpuppet_join(&inbox, s);
    sim_configure_(s, B, conf);
    sim_establish(s);
    s->tape[A].n = s->tape[B].n = SIM_TAPE; /* nothing more is kept */
    struct conformance_params params = simpuppet_params(&inbox, SUITE);
    params.no_epilogue = true;
    conformance_play(&params, &b, &result);
    expect(s, result.verdict == VERDICT_PASSED, "%s: %s", conformance_verdict_name(result.verdict), result.text);
    sim_command(s, B, ADIT_CMD_TERMINATE, .conn = "puppet", .force = true);
    sim_run(s, MINUTES(5));
    simpuppet_forget(&inbox);
    expect(s, sim_sas(s, B) == 1, "B has %u IKE SAs", sim_sas(s, B));
}

/* Child SAs of all IKE SAs of B but the one with A. */
static unsigned children(void)
{
    struct adit_ike_info sa;
    unsigned n = 0;
    uint32_t cursor = 0;
    while (adit_ike_sa_next(world->host[B].ike, &cursor, &sa))
        if (sa.conn && !strcmp(sa.conn, "puppet"))
            n += sa.n_children;
    return n;
}

/* --- as many as there can be ------------------------------------------------------------------------------------------ */

static uint32_t spis[2 * IKE_CHILDREN_MAX + 1]; /* our inbound ones */
static unsigned n_spis;

static void one_more(struct puppet *p)
{
    child_request(p);
    say(p);
    accepted(p);
    take_child(p);
    spis[n_spis++] = p->sa.spi_in;
}

/* All but the first `from`, in one message, each named twice; how many halves of its own the peer names. */
static unsigned delete_from(struct puppet *p, unsigned from)
{
    static uint8_t body[4 + 8 * ARRAY_LEN(spis)];
    struct wr w;
    wr_init(&w, body, sizeof(body));
    wr_u8(&w, PROTO_ESP);
    wr_u8(&w, 4);
    wr_u16(&w, (uint16_t)(2 * (n_spis - from)));
    for (unsigned i = 2 * from; i < 2 * n_spis; i++)
        wr_u32(&w, spis[i / 2]);
    info_request(p);
    add(p, PLD_DELETE, wr_written(&w));
    say(p);
    accepted(p);
    const struct payload *d = heard_payload(p, PLD_DELETE);
    n_spis = from;
    return d ? (unsigned)(d->body.n - 4) / 4 : 0;
}

static void to_the_limit(struct puppet *p)
{
    up(p);
    n_spis = 0;
    spis[n_spis++] = p->sa.spi_in;
    while (n_spis < IKE_CHILDREN_MAX && !p->over)
        one_more(p);
    must(p, children() == IKE_CHILDREN_MAX, "fewer Child SAs than were accepted");
    child_request(p);
    say(p);
    refused_with(p, N_NO_ADDITIONAL_SAS);
    alive(p);
    child_rekey(p, spis[1]); /* replaces: none more (RFC 7296 s1.3) */
    say(p);
    accepted(p);
    take_child(p);
    delete_child(p, spis[1]);
    say(p);
    accepted(p);
    spis[1] = p->sa.spi_in;
    must(p, children() == IKE_CHILDREN_MAX, "rekeying at the limit changes the number");
    must(p, delete_from(p, 2) == IKE_CHILDREN_MAX - 2, "not each Child SA that is deleted is named in the answer, once");
    must(p, children() == 2, "Child SAs that were deleted are still there");
    one_more(p); /* there is room again */
    must(p, delete_from(p, 0) == 3 && children() == 0, "the last ones stay");
    alive(p);
}

SIM_TEST(as_many_child_sas_as_there_can_be)
{
    if (ONCE(s))
        play(s, to_the_limit, &(struct sim_conf){ .stranger = SUITE });
}

/* --- the version -------------------------------------------------------------------------------------------------------- */

#define TEXT(t) SPAN_LIT(t)
#define VERSION "\0\7\0\0"
#define ADDRESS "\0\1\0\4\x0a\x09\0\1"
#define TOLD "\0\3\0\4\x0a\x02\0\x35" "\0\x0d\0\x08\x0a\x02\0\0\xff\xff\0\0"

static void asks(struct puppet *p, struct adit_span request, struct adit_span reply)
{
    info_request(p);
    add(p, PLD_CP, request);
    say(p);
    accepted(p);
    const struct payload *cp = heard_payload(p, PLD_CP);
    must(p, cp && span_equal(cp->body, reply), "the CFG_REPLY is another");
}

static void asks_for_the_version(struct puppet *p)
{
    up(p);
    asks(p, TEXT("\1\0\0\0" VERSION), TEXT("\2\0\0\0" VERSION));
    alive(p);
}

/* RFC 7296 s2.20: who declines "MUST either return an empty string or no CP payload". */
SIM_TEST(the_version_is_not_told)
{
    play(s, asks_for_the_version, &(struct sim_conf){ .stranger = SUITE });
}

static void asks_for_an_address_too(struct puppet *p)
{
    struct adit_span silent = TEXT("\2\0\0\0" ADDRESS TOLD VERSION), tells = TEXT("\2\0\0\0" ADDRESS TOLD "\0\7\0\6" "Adit 1");
    keyed(p);
    auth_request(p);
    add(p, PLD_CP, TEXT("\1\0\0\0\0\1\0\0"));
    say(p);
    accepted(p);
    finish_auth(p);
    asks(p, TEXT("\1\0\0\0\0\1\0\0" VERSION), world->conf[B].pool_version ? tells : silent);
    alive(p);
}

SIM_TEST(the_version_is_told_where_a_pool_has_it)
{
    play(s, asks_for_an_address_too,
         &(struct sim_conf){ .stranger = SUITE, .stranger_option = { { "pools", "pool4" } },
                             .pool4 = "10.9.0.1-10.9.0.9", .pool_version = s->seed & 1 ? "Adit 1" : NULL });
}

/* --- a minimal initiator -------------------------------------------------------------------------------------------------- */

static unsigned refusals;

/* For so long it does what RFC 7815 s2.2 asks of it, and no more: NO_ADDITIONAL_SAS to CREATE_CHILD_SA, an empty response to
 * INFORMATIONAL whatever stands in it, nothing to IKE_SA_INIT. */
static void minimal(struct puppet *p, unsigned minutes)
{
    uint64_t end = world->now + MINUTES(minutes);
    while (!p->over && !p->sa.over && world->now < end) {
        if (!hear_request(p, XCHG_CREATE_CHILD_SA, 10000))
            continue;
        answer(p);
        add_notify(p, N_NO_ADDITIONAL_SAS, SPAN_NONE);
        say(p);
        refusals++;
        expect(world, sim_sas(world, B) <= 3, "B has %u IKE SAs", sim_sas(world, B));
    }
}

static void knows_little(struct puppet *p)
{
    refusals = 0;
    up(p);
    minimal(p, 9); /* rekeying is due after 9 to 10 minutes, the end after another one */
    must(p, !p->sa.over, "the IKE SA has gone before its time");
    alive(p);
    minimal(p, 9);
    must(p, refusals > 0, "no rekeying was tried");
    must(p, p->sa.over, "the IKE SA outlives its time");
    another_self(p); /* traffic would make it call again */
    up(p);
    alive(p);
    must(p, children() == 1, "the Child SA is not there, or twice");
}

SIM_TEST(a_minimal_initiator_is_served_until_its_time_is_over)
{
    play(s, knows_little, &(struct sim_conf){ .stranger = SUITE, .stranger_rekey_s = 600 });
}

static void loses_its_child(struct puppet *p)
{
    refusals = 0;
    up(p);
    for (unsigned i = 0; i < 3 && !p->over; i++) {
        minimal(p, 9);
        if (p->sa.over) {
            another_self(p);
            up(p);
        }
        alive(p);
    }
    must(p, refusals > 0 && refusals < 30, "it is asked too often");
}

SIM_TEST(a_minimal_initiator_whose_child_is_to_be_rekeyed)
{
    play(s, loses_its_child, &(struct sim_conf){ .stranger = SUITE, .stranger_child_s = 300 });
}

/* --- rekeyed, and never deleted -------------------------------------------------------------------------------------------- */

static bool rekeyed_once_more(struct puppet *p)
{
    struct notify n;
    child_rekey(p, p->sa.spi_in);
    say(p);
    answered(p);
    if (p->over || heard_any_error(p, &n))
        return false;
    take_child(p);
    return true;
}

static void never_deletes(struct puppet *p)
{
    up(p);
    for (n_spis = 0; n_spis < 2 * IKE_CHILDREN_MAX && !p->over; n_spis++) {
        spis[n_spis] = p->sa.spi_in;
        if (!rekeyed_once_more(p))
            break;
    }
    must(p, n_spis == 2 * IKE_CHILDREN_MAX - 1, "there is no end to the Child SAs");
    child_rekey(p, p->sa.spi_in);
    say(p);
    refused_with(p, N_TEMPORARY_FAILURE);
    alive(p);
    must(p, delete_from(p, 0) == 2 * IKE_CHILDREN_MAX - 1 && children() == 1, "what is deleted in the end is still there");
    must(p, rekeyed_once_more(p), "rekeying does not work any more");
    alive(p);
}

SIM_TEST(rekeyed_ones_that_are_not_deleted)
{
    if (ONCE(s))
        play(s, never_deletes, &(struct sim_conf){ .stranger = SUITE });
}

static void forgets_them(struct puppet *p)
{
    up(p);
    for (unsigned i = 0; i < 10; i++)
        must(p, rekeyed_once_more(p), "rekeying does not work");
    minimal(p, 3);
    must(p, children() == 11, "what the peer has to delete is deleted before it can");
    minimal(p, 3);
    must(p, children() == 1 && !p->sa.over, "what was rekeyed and never deleted is still there");
    must(p, rekeyed_once_more(p), "rekeying does not work any more");
    alive(p);
}

SIM_TEST(rekeyed_ones_that_are_never_deleted)
{
    play(s, forgets_them, &(struct sim_conf){ .stranger = SUITE });
}

int main(int argc, char **argv)
{
    static const struct sim_case cases[] = {
        SIM_CASE(as_many_child_sas_as_there_can_be), SIM_CASE(rekeyed_ones_that_are_not_deleted),
        SIM_CASE(rekeyed_ones_that_are_never_deleted), SIM_CASE(the_version_is_not_told),
        SIM_CASE(the_version_is_told_where_a_pool_has_it), SIM_CASE(a_minimal_initiator_is_served_until_its_time_is_over),
        SIM_CASE(a_minimal_initiator_whose_child_is_to_be_rekeyed),
    };
    return sim_main(argc, argv, cases, sizeof(cases) / sizeof(*cases), 4);
}
