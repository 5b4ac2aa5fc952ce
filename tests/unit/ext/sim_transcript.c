/* sim_transcript.c - an attacker who owns the initiator's key and breaks the weaker key exchange edits IKE_SA_INIT: what
 * happens with AUTH over both messages, without it, and with a peer that does not know it
 * (draft-ietf-ipsecme-ikev2-downgrade-prevention). */
#include "support/sim.h"
#undef SECONDS /* ike/limits.h has the same */
#include "ike/sa.h"

#define TWO_OFFERS                                                                                           \
    .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768,aes128gcm16-prfsha384-x25519", .cert = "ecdsa"

/* --- the attacker -------------------------------------------------------------------------------------------------- */

typedef size_t edit_fn(uint8_t *d, size_t n);
static struct {
    edit_fn *edit[2];     /* of the IKE_SA_INIT messages, by sender */
    bool signs_for_a;     /* AUTH of A is renewed, to fit what B received */
    struct adit_buf real; /* what A sent */
} attack;

static void set_length(uint8_t *d, size_t n)
{
    for (int i = 0; i < 4; i++)
        d[IKE_HDR_LENGTH_AT + i] = (uint8_t)(n >> (24 - 8 * i));
}

/* Takes the first notify of that type out, and links what is left. */
static size_t without_notify(uint8_t *d, size_t n, uint16_t type)
{
    size_t link = IKE_HDR_NEXT_AT;
    for (size_t at = IKE_HDR_SIZE; d[link] && at + 4 <= n;) {
        size_t len = (size_t)d[at + 2] << 8 | d[at + 3];
        if (d[link] == PLD_NOTIFY && (d[at + 6] << 8 | d[at + 7]) == type) {
            d[link] = d[at];
            for (size_t i = at; i + len < n; i++)
                d[i] = d[i + len];
            set_length(d, n - len);
            return n - len;
        }
        link = at;
        at += len;
    }
    return n;
}

static size_t without_intermediate(uint8_t *d, size_t n)
{
    return without_notify(d, n, N_INTERMEDIATE_EXCHANGE_SUPPORTED);
}

static size_t without_announcement(uint8_t *d, size_t n)
{
    return without_notify(d, n, N_IKE_SA_INIT_FULL_TRANSCRIPT_AUTH);
}

/* The first proposal's first transform becomes one that nobody knows: SA is the first payload. */
static size_t without_first_proposal(uint8_t *d, size_t n)
{
    size_t transform = IKE_HDR_SIZE + 4 + 8;
    d[transform + 6] = 0xff;
    return n;
}

static struct ike_sa *newest(struct sim *s, int host)
{
    struct ike *ike = (struct ike *)s->host[host].ike;
    return list_empty(&ike->sas) ? NULL : list_entry(ike->sas.prev, struct ike_sa, link);
}

/* A's engine is made to sign the edited message: exactly the AUTH payload that the attacker would put in its place. What
 * A expects of B's AUTH stays as it was. */
static void sign_for_a(struct sim *s, struct adit_span edited)
{
    struct ike_sa *sa = newest(s, A);
    if (!attack.signs_for_a || attack.real.n || !sa)
        return;
    buf_move(&attack.real, &sa->init_req);
    expect(s, buf_set(&sa->init_req, edited) == ADIT_OK);
}

static void give_back(struct sim *s)
{
    struct ike_sa *sa = newest(s, A);
    if (attack.real.n && sa)
        buf_move(&sa->init_req, &attack.real);
}

static size_t in_the_middle(struct sim *s, int from, uint8_t *d, size_t n)
{
    bool init = d[18] == XCHG_IKE_SA_INIT;
    if (init && attack.edit[from])
        n = attack.edit[from](d, n);
    if (init && from == A)
        sign_for_a(s, span(d, n));
    else if (from == A && d[18] == XCHG_IKE_AUTH)
        give_back(s);
    return n;
}

static void attack_by(struct sim *s, edit_fn *a, edit_fn *b, bool signs_for_a)
{
    attack.edit[A] = a;
    attack.edit[B] = b;
    attack.signs_for_a = signs_for_a;
    buf_fini(&attack.real);
    s->tamper = in_the_middle;
}

/* --- the victims --------------------------------------------------------------------------------------------------- */

static void daemons(struct sim *s, const char *a, const char *b)
{
    sim_configure_host(s, A, TWO_OFFERS, .daemon_option = { { "transcript", a } });
    sim_configure_host(s, B, TWO_OFFERS, .daemon_option = { { "transcript", b } });
}

static bool is_proof(struct sim *s, int host)
{
    struct adit_ike_info info;
    expect(s, sim_info(s, host, &info));
    return info.downgrade_proof;
}

static void comes_up(struct sim *s, bool proof)
{
    sim_establish(s);
    expect_children(s, 1);
    expect_same_keys(s);
    expect(s, is_proof(s, A) == proof && is_proof(s, B) == proof);
}

static bool is_strong(struct sim *s)
{
    struct adit_ike_info info;
    return sim_info(s, A, &info) && info.suite.ke[1] != 0;
}

static enum adit_rc try_it(struct sim *s)
{
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    enum adit_rc rc = sim_wait(s, A, cookie, MINUTES(5));
    s->tamper = NULL;
    buf_fini(&attack.real);
    return rc;
}

static void is_refused(struct sim *s)
{
    expect(s, try_it(s) != ADIT_OK);
    sim_run(s, MINUTES(1));
    expect(s, sim_sas(s, A) == 0 && sim_sas(s, B) == 0);
    expect_children(s, 0);
}

/* --- four states --------------------------------------------------------------------------------------------------- */

SIM_TEST(both_can)
{
    daemons(s, "auto", "auto");
    comes_up(s, true);
    expect(s, is_strong(s));
    expect(s, sim_wait(s, A, sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer"), MINUTES(1)) == ADIT_OK);
    sim_run(s, MILLIS(1));
    expect(s, is_proof(s, A), "after a rekeying");
}

SIM_TEST(only_the_initiator_can)
{
    daemons(s, "auto", "no");
    comes_up(s, false);
}

SIM_TEST(only_the_responder_can)
{
    daemons(s, "no", "auto");
    comes_up(s, false);
}

SIM_TEST(nobody_can)
{
    daemons(s, "no", "no");
    comes_up(s, false);
}

SIM_TEST(both_insist)
{
    daemons(s, "yes", "yes");
    comes_up(s, true);
}

/* The initiator sends nothing that needs authentication to a peer that can't. */
SIM_TEST(initiator_insists_in_vain)
{
    daemons(s, "yes", "no");
    is_refused(s);
    expect(s, sim_counter(s, A, ADIT_C_AUTH_OUT_REQ) == 0);
}

SIM_TEST(responder_insists_in_vain)
{
    daemons(s, "no", "yes");
    is_refused(s);
    expect(s, sim_counter(s, A, ADIT_C_AUTH_OUT_REQ) == 1);
}

/* Any connection may raise it; what the daemon says holds for the others. */
SIM_TEST(a_connection_insists)
{
    sim_configure_host(s, A, TWO_OFFERS, .option = { { "transcript", "yes" } },
                       .daemon_option = { { "transcript", "no" } });
    sim_configure_host(s, B, TWO_OFFERS);
    comes_up(s, true);
}

SIM_TEST(a_connection_of_the_responder_insists_in_vain)
{
    sim_configure_host(s, A, TWO_OFFERS, .daemon_option = { { "transcript", "no" } });
    sim_configure_host(s, B, TWO_OFFERS, .option = { { "transcript", "yes" } });
    is_refused(s);
}

/* A response without the notify may be forged: the true one, later, still counts. */
SIM_TEST(initiator_waits_for_a_better_response)
{
    daemons(s, "yes", "auto");
    sim_start(s);
    attack_by(s, NULL, without_announcement, false);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, MILLIS(100));
    s->tamper = NULL;
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    expect(s, is_proof(s, A));
}

/* --- which messages count ------------------------------------------------------------------------------------------ */

SIM_TEST(after_another_key_exchange_was_asked_for)
{
    sim_configure_host(s, A, .ike = "aes128gcm16-prfsha256-x25519-ecp256", .cert = "rsa");
    sim_configure_host(s, B, .ike = "aes128gcm16-prfsha256-ecp256", .cert = "rsa");
    comes_up(s, true);
    expect(s, sim_counter(s, A, ADIT_C_INIT_OUT_REQ) == 2);
}

SIM_TEST(after_a_cookie_was_asked_for)
{
    uint8_t copy[4096];
    sim_configure_host(s, B, .any_peer = true, .cookie_threshold = 2);
    sim_establish(s);
    sim_wait(s, A, sim_command(s, A, ADIT_CMD_TERMINATE, .conn = "peer"), MINUTES(1));
    for (unsigned i = 0; i < 4; i++) {
        span_copy(copy, buf_span(&s->tape[A].datagram[0]));
        prng_fill(&s->prng, copy, 8);
        sim_inject(s, B, "198.51.100.1", 500, span(copy, s->tape[A].datagram[0].n));
    }
    uint64_t before = sim_counter(s, A, ADIT_C_INIT_OUT_REQ);
    expect(s, sim_wait(s, A, sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net"),
                       MINUTES(1)) == ADIT_OK);
    expect(s, sim_counter(s, A, ADIT_C_INIT_OUT_REQ) == before + 2 && is_proof(s, A));
}

SIM_TEST(over_a_bad_link_with_every_kind_of_authentication)
{
    static const char *const certs[] = { NULL, "rsa", "ecdsa", "ed25519" };
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768", .cert = certs[s->seed % 4]);
    sim_link(s, .delay_ms = 20, .loss = 0.2, .dup = 0.2, .reorder = 0.2);
    sim_establish(s);
    expect(s, is_proof(s, A) && is_proof(s, B));
    sim_link(s, .delay_ms = 20);
    sim_run(s, MINUTES(4));
    expect_same_keys(s);
}

/* --- attacks ------------------------------------------------------------------------------------------------------- */

/* What all of this is about: both sides believe in an IKE SA without ML-KEM. */
SIM_TEST(without_it_an_attacker_strips_the_second_key_exchange)
{
    daemons(s, "auto", "no");
    attack_by(s, without_intermediate, NULL, true);
    expect(s, try_it(s) == ADIT_OK && !is_strong(s) && !is_proof(s, A));
}

SIM_TEST(without_it_an_attacker_picks_the_proposal)
{
    daemons(s, "no", "auto");
    attack_by(s, without_first_proposal, NULL, true);
    expect(s, try_it(s) == ADIT_OK && !is_strong(s));
}

SIM_TEST(with_it_the_second_key_exchange_is_not_stripped)
{
    daemons(s, "auto", "auto");
    attack_by(s, without_intermediate, NULL, true);
    is_refused(s);
    expect(s, sim_counter(s, B, ADIT_C_AUTH_FAILED) == 0, "B believes the attacker, A does not");
    expect(s, sim_counter(s, A, ADIT_C_AUTH_FAILED) == 1);
}

SIM_TEST(with_it_the_proposal_is_not_picked)
{
    daemons(s, "auto", "auto");
    attack_by(s, without_first_proposal, NULL, true);
    is_refused(s);
    expect(s, sim_counter(s, A, ADIT_C_AUTH_FAILED) == 1);
}

SIM_TEST(the_announcement_is_stripped_from_the_request)
{
    daemons(s, "auto", "auto");
    attack_by(s, without_announcement, NULL, true);
    is_refused(s);
}

SIM_TEST(the_announcement_is_stripped_from_the_response)
{
    daemons(s, "auto", "auto");
    attack_by(s, NULL, without_announcement, false);
    is_refused(s);
}

/* Both use the old octets, and A's are signed by the attacker; B's say what A has not seen. */
SIM_TEST(the_announcement_is_stripped_from_both)
{
    daemons(s, "auto", "auto");
    attack_by(s, without_announcement, without_announcement, true);
    is_refused(s);
    expect(s, sim_counter(s, B, ADIT_C_AUTH_FAILED) == 0 && sim_counter(s, A, ADIT_C_AUTH_FAILED) == 1);
}

SIM_TEST(an_attacker_without_keys_gets_nowhere)
{
    daemons(s, "auto", "auto");
    attack_by(s, s->seed & 1 ? without_intermediate : without_first_proposal, NULL, false);
    is_refused(s);
}

static const struct sim_case cases[] = {
    SIM_CASE(both_can),
    SIM_CASE(only_the_initiator_can),
    SIM_CASE(only_the_responder_can),
    SIM_CASE(nobody_can),
    SIM_CASE(both_insist),
    SIM_CASE(initiator_insists_in_vain),
    SIM_CASE(responder_insists_in_vain),
    SIM_CASE(a_connection_insists),
    SIM_CASE(a_connection_of_the_responder_insists_in_vain),
    SIM_CASE(initiator_waits_for_a_better_response),
    SIM_CASE(after_another_key_exchange_was_asked_for),
    SIM_CASE(after_a_cookie_was_asked_for),
    SIM_CASE(over_a_bad_link_with_every_kind_of_authentication),
    SIM_CASE(without_it_an_attacker_strips_the_second_key_exchange),
    SIM_CASE(without_it_an_attacker_picks_the_proposal),
    SIM_CASE(with_it_the_second_key_exchange_is_not_stripped),
    SIM_CASE(with_it_the_proposal_is_not_picked),
    SIM_CASE(the_announcement_is_stripped_from_the_request),
    SIM_CASE(the_announcement_is_stripped_from_the_response),
    SIM_CASE(the_announcement_is_stripped_from_both),
    SIM_CASE(an_attacker_without_keys_gets_nowhere),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 8);
}
