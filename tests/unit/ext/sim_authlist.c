/* sim_authlist.c - two hosts that say how they want to see each other authenticated (RFC 9593): the list steers, arrives by
 * either way, and never widens what is accepted. */
#include <string.h>
#include "support/sim.h"
#include "wire/iana.h"

#define BOTH .cert = "rsa,ecdsa" /* in this order */
#define LONG_INIT .ike = "aes256gcm16-prfsha384-mlkem768"
#define LONG_INIT_MORE .ike = "aes256gcm16-prfsha384-mlkem768-ke1_x25519-ke2_ecp256"

static enum adit_rc try_it(struct sim *s)
{
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    return sim_wait(s, A, cookie, MINUTES(5));
}

static bool signs_with(struct sim *s, int host, const char *what)
{
    struct adit_ike_info info;
    return sim_info(s, host, &info) && strstr(info.local_auth, what);
}

static unsigned sent(struct sim *s, int host, uint8_t exchange)
{
    unsigned n = 0;
    for (unsigned i = 0; i < s->tape[host].n; i++)
        n += s->tape[host].datagram[i].p[18] == exchange;
    return n;
}

static void comes_up(struct sim *s, const char *a, const char *b)
{
    sim_establish(s);
    expect_children(s, 1);
    expect_same_keys(s);
    expect(s, signs_with(s, A, a), "A should sign with %s", a);
    expect(s, signs_with(s, B, b), "B should sign with %s", b);
}

static void is_refused(struct sim *s)
{
    expect(s, try_it(s) != ADIT_OK);
    sim_run(s, MINUTES(1));
    expect(s, sim_sas(s, A) == 0 && sim_sas(s, B) == 0);
}

/* --- the list steers ----------------------------------------------------------------------------------------------- */

SIM_TEST(the_responder_wants_ecdsa)
{
    sim_configure_host(s, A, BOTH);
    sim_configure_host(s, B, .cert = "rsa", .remote_auth = "ecdsa");
    comes_up(s, "ECDSA", "RSA");
}

SIM_TEST(the_initiator_wants_ecdsa)
{
    sim_configure_host(s, A, .cert = "rsa", .remote_auth = "ecdsa");
    sim_configure_host(s, B, BOTH);
    comes_up(s, "RSA", "ECDSA");
}

SIM_TEST(each_wants_something_else)
{
    sim_configure_host(s, A, .cert = "rsa,ecdsa,ed25519", .remote_auth = "ike:ed25519");
    sim_configure_host(s, B, .cert = "rsa,ecdsa,ed25519", .remote_auth = "rsa-sha512");
    comes_up(s, "RSASSA-PSS with SHA2-512", "Ed25519");
}

/* The hash that suits the key is taken among those that are named. */
SIM_TEST(the_list_names_one_hash)
{
    sim_configure_host(s, A, .cert = "ecdsa");
    sim_configure_host(s, B, .cert = "ecdsa", .remote_auth = "ecdsa-sha512-sha384");
    comes_up(s, "ECDSA with SHA2-384", "ECDSA with SHA2-256");
}

SIM_TEST(the_peers_order_counts)
{
    sim_configure(s, BOTH);
    comes_up(s, "ECDSA", "ECDSA");
}

SIM_TEST(our_order_counts)
{
    sim_configure_host(s, A, BOTH, .option = { { "authlist_order", "local" } });
    sim_configure_host(s, B, BOTH);
    comes_up(s, "RSA", "ECDSA");
}

/* --- it is advice -------------------------------------------------------------------------------------------------- */

SIM_TEST(who_does_not_listen_is_refused_by_policy)
{
    sim_configure_host(s, A, BOTH, .option = { { "authlist", "no" } });
    sim_configure_host(s, B, BOTH, .remote_auth = "ecdsa");
    is_refused(s);
    expect(s, sim_counter(s, A, ADIT_C_AUTH_OUT_REQ) == 1);
}

SIM_TEST(who_does_not_speak_gets_our_first)
{
    sim_configure_host(s, A, BOTH);
    sim_configure_host(s, B, BOTH, .option = { { "authlist", "no" } });
    comes_up(s, "RSA", "RSA");
}

SIM_TEST(nothing_fits_and_is_tried_all_the_same)
{
    sim_configure_host(s, A, .cert = "rsa");
    sim_configure_host(s, B, .cert = "rsa", .remote_auth = "ecdsa");
    is_refused(s);
    expect(s, sim_counter(s, A, ADIT_C_AUTH_OUT_REQ) == 1);
}

SIM_TEST(nothing_fits_and_is_not_tried)
{
    sim_configure_host(s, A, .cert = "rsa", .option = { { "authlist", "require" } });
    sim_configure_host(s, B, .cert = "rsa", .remote_auth = "ecdsa");
    is_refused(s);
    expect(s, sim_counter(s, A, ADIT_C_AUTH_OUT_REQ) == 0);
}

SIM_TEST(a_list_is_required)
{
    sim_configure(s, BOTH, .option = { { "authlist", "require" } });
    comes_up(s, "ECDSA", "ECDSA");
}

SIM_TEST(a_list_is_required_for_a_secret)
{
    sim_configure(s, .option = { { "authlist", "require" } });
    comes_up(s, "pre-shared", "pre-shared");
}

SIM_TEST(the_responder_requires_a_list_in_vain)
{
    sim_configure_host(s, A, BOTH, .option = { { "authlist", "no" } });
    sim_configure_host(s, B, BOTH, .option = { { "authlist", "require" } });
    is_refused(s);
}

/* --- by the way of IKE_INTERMEDIATE ---------------------------------------------------------------------------------- */

SIM_TEST(a_round_of_its_own)
{
    sim_configure_host(s, A, LONG_INIT, BOTH);
    sim_configure_host(s, B, LONG_INIT, .cert = "rsa", .remote_auth = "ecdsa");
    comes_up(s, "ECDSA", "RSA");
    expect(s, sent(s, A, XCHG_IKE_INTERMEDIATE) == 1);
}

SIM_TEST(rides_on_the_last_round)
{
    sim_configure_host(s, A, LONG_INIT_MORE, BOTH);
    sim_configure_host(s, B, LONG_INIT_MORE, .cert = "rsa", .remote_auth = "ecdsa");
    comes_up(s, "ECDSA", "RSA");
    expect(s, sent(s, A, XCHG_IKE_INTERMEDIATE) == 2);
}

SIM_TEST(no_round_for_who_does_not_listen)
{
    sim_configure_host(s, A, LONG_INIT, BOTH, .option = { { "authlist", "no" } });
    sim_configure_host(s, B, LONG_INIT, BOTH);
    comes_up(s, "RSA", "RSA");
    expect(s, sent(s, A, XCHG_IKE_INTERMEDIATE) == 0);
}

SIM_TEST(no_round_for_who_has_no_choice)
{
    sim_configure_host(s, A, LONG_INIT, .cert = "rsa");
    sim_configure_host(s, B, LONG_INIT, BOTH);
    comes_up(s, "RSA", "ECDSA");
    expect(s, sent(s, A, XCHG_IKE_INTERMEDIATE) == 0);
}

SIM_TEST(a_round_for_who_requires_it)
{
    sim_configure(s, LONG_INIT, .cert = "rsa", .option = { { "authlist", "require" } });
    comes_up(s, "RSA", "RSA");
    expect(s, sent(s, A, XCHG_IKE_INTERMEDIATE) == 1);
}

SIM_TEST(over_a_bad_link)
{
    sim_configure_host(s, A, LONG_INIT_MORE, BOTH);
    sim_configure_host(s, B, LONG_INIT_MORE, BOTH, .remote_auth = "rsa");
    sim_link(s, .delay_ms = 20, .loss = 0.2, .dup = 0.2, .reorder = 0.2);
    sim_establish(s);
    expect(s, signs_with(s, A, "RSA") && signs_with(s, B, "ECDSA"));
    sim_link(s, .delay_ms = 20);
    sim_run(s, MINUTES(4));
    expect_same_keys(s);
}

/* One allocation fails, each seed another one. */
SIM_TEST(memory_runs_out_once)
{
    sim_configure(s, LONG_INIT, BOTH);
    sim_start(s);
    sim_starve(s, 60 + (unsigned)s->seed * 3);
    sim_wait(s, A, sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net"), MINUTES(15));
    sim_starve(s, 0);
    sim_run(s, MINUTES(10));
    for (int host = 0; host < 2; host++)
        if (sim_sas(s, host))
            sim_wait(s, host, sim_command(s, host, ADIT_CMD_TERMINATE, .conn = "peer"), MINUTES(15));
    sim_run(s, MINUTES(5));
    sim_establish(s);
    expect_same_keys(s);
}

/* --- attack ------------------------------------------------------------------------------------------------------------ */

/* The list's notify becomes one that nobody knows. */
static size_t hide_list(struct sim *s, int from, uint8_t *d, size_t n)
{
    for (size_t i = 28; from == B && d[18] == XCHG_IKE_SA_INIT && i + 1 < n; i++)
        if (d[i] == 0x40 && d[i + 1] == 0x3b) {
            d[i + 1] = 0xff;
            break;
        }
    return n;
}

/* B's AUTH covers the list; and what A then guesses is not what B takes. */
SIM_TEST(a_hidden_list_is_found_out)
{
    sim_configure_host(s, A, BOTH);
    sim_configure_host(s, B, BOTH, .remote_auth = s->seed & 1 ? "ecdsa" : "rsa");
    s->tamper = hide_list;
    is_refused(s);
    expect(s, sim_counter(s, B, ADIT_C_AUTH_FAILED) + sim_counter(s, A, ADIT_C_AUTH_FAILED) > 0 ||
                  (s->seed & 1));
}

static const struct sim_case cases[] = {
    SIM_CASE(the_responder_wants_ecdsa),
    SIM_CASE(the_initiator_wants_ecdsa),
    SIM_CASE(each_wants_something_else),
    SIM_CASE(the_list_names_one_hash),
    SIM_CASE(the_peers_order_counts),
    SIM_CASE(our_order_counts),
    SIM_CASE(who_does_not_listen_is_refused_by_policy),
    SIM_CASE(who_does_not_speak_gets_our_first),
    SIM_CASE(nothing_fits_and_is_tried_all_the_same),
    SIM_CASE(nothing_fits_and_is_not_tried),
    SIM_CASE(a_list_is_required),
    SIM_CASE(a_list_is_required_for_a_secret),
    SIM_CASE(the_responder_requires_a_list_in_vain),
    SIM_CASE(a_round_of_its_own),
    SIM_CASE(rides_on_the_last_round),
    SIM_CASE(no_round_for_who_does_not_listen),
    SIM_CASE(no_round_for_who_has_no_choice),
    SIM_CASE(a_round_for_who_requires_it),
    SIM_CASE(over_a_bad_link),
    SIM_CASE(memory_runs_out_once),
    SIM_CASE(a_hidden_list_is_found_out),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 8);
}
