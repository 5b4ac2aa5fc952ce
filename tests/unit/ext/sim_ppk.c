/* sim_ppk.c - two hosts with and without post-quantum preshared keys (RFC 8784): who gets one, who goes on without, who
 * refuses; and that what was mixed stays in the keys that follow. */
#include <stdio.h>
#include "support/sim.h"

#define PPK "0123456789abcdef0123456789abcdef"
#define OTHER "another secret of just 32 octets"
#define REQUIRED                                                                                             \
    {                                                                                                        \
        { "ppk_id", "ab" },                                                                                  \
        {                                                                                                    \
            "ppk_required", "yes"                                                                            \
        }                                                                                                    \
    }
#define OPTIONAL                                                                                             \
    {                                                                                                        \
        {                                                                                                    \
            "ppk_id", "ab"                                                                                   \
        }                                                                                                    \
    }

static bool has_ppk(const struct sim *s, int host)
{
    struct adit_ike_info info;
    bool found = false;
    if (!sim_info(s, host, &info))
        return false;
    for (unsigned i = 0; i < info.n_marks; i++)
        found |= !strcmp(info.marks[i].key, "ppk") && !strcmp(info.marks[i].value, "yes");
    return found;
}

static void up(struct sim *s, bool with)
{
    sim_establish(s);
    expect_children(s, 1);
    expect_same_keys(s);
    expect_no_garbage(s);
    expect(s, has_ppk(s, A) == with && has_ppk(s, B) == with);
}

static enum adit_rc attempt(struct sim *s)
{
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    return sim_wait(s, A, cookie, MINUTES(5));
}

static void fails(struct sim *s, enum adit_rc rc, unsigned auth_requests)
{
    enum adit_rc got = attempt(s);
    expect(s, got == rc, "rc %d", got);
    expect(s, sim_counter(s, A, ADIT_C_AUTH_OUT_REQ) == auth_requests);
    sim_run(s, MINUTES(2));
    expect(s, sim_sas(s, A) == 0 && sim_sas(s, B) == 0);
}

SIM_TEST(required_by_both)
{
    sim_configure(s, .ppk_name = "ab", .ppk = PPK, .option = REQUIRED);
    up(s, true);
}

SIM_TEST(optional_for_both)
{
    sim_configure(s, .ppk_name = "ab", .ppk = PPK, .option = OPTIONAL);
    up(s, true);
}

/* A responder needs no ppk_id: it takes what it knows. */
SIM_TEST(responder_takes_any_that_it_knows)
{
    sim_configure_host(s, A, .ppk_name = "ab", .ppk = PPK, .option = REQUIRED);
    sim_configure_host(s, B, .ppk_name = "ab", .ppk = PPK, .option = { { "ppk_required", "yes" } });
    up(s, true);
}

SIM_TEST(rekeyed_it_stays)
{
    sim_configure(s, .ppk_name = "ab", .ppk = PPK, .option = REQUIRED,
                  .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768");
    up(s, true);
    for (int i = 0; i < 4; i++) {
        uint64_t cookie = i & 1 ? sim_command(s, i >> 1, ADIT_CMD_REKEY, .child = "net")
                                : sim_command(s, i >> 1, ADIT_CMD_REKEY, .conn = "peer");
        expect(s, sim_wait(s, i >> 1, cookie, MINUTES(1)) == ADIT_OK);
        sim_run(s, MINUTES(1));
        expect_same_keys(s);
        expect(s, has_ppk(s, A) && has_ppk(s, B));
    }
    expect_no_gap(s);
}

SIM_TEST(reauthentication_mixes_anew)
{
    sim_configure(s, .ppk_name = "ab", .ppk = PPK, .option = REQUIRED, .reauth_s = 600);
    sim_establish(s);
    sim_run(s, MINUTES(30));
    expect_same_keys(s);
    expect(s, has_ppk(s, A) && has_ppk(s, B));
}

SIM_TEST(unknown_there_and_optional)
{
    sim_configure_host(s, A, .ppk_name = "ab", .ppk = PPK, .option = OPTIONAL);
    sim_configure_host(s, B, .ppk_name = "xy", .ppk = OTHER);
    up(s, false);
}

SIM_TEST(not_the_one_of_the_connection_and_optional)
{
    sim_configure_host(s, A, .ppk_name = "ab", .ppk = PPK, .option = OPTIONAL);
    sim_configure_host(s, B, .ppk_name = "ab", .ppk = PPK, .option = { { "ppk_id", "xy" } });
    up(s, false);
}

SIM_TEST(unknown_there_but_required_here)
{
    sim_configure_host(s, A, .ppk_name = "ab", .ppk = PPK, .option = REQUIRED);
    sim_configure_host(s, B, .ppk_name = "xy", .ppk = OTHER);
    fails(s, ADIT_ERR_AUTH, 1);
}

SIM_TEST(unknown_but_required_there)
{
    sim_configure_host(s, A, .ppk_name = "ab", .ppk = PPK, .option = OPTIONAL);
    sim_configure_host(s, B, .ppk_name = "xy", .ppk = OTHER, .option = { { "ppk_required", "yes" } });
    fails(s, ADIT_ERR_AUTH, 1);
}

SIM_TEST(peer_has_none_and_optional)
{
    sim_configure_host(s, A, .ppk_name = "ab", .ppk = PPK, .option = OPTIONAL);
    up(s, false);
}

/* The answer without USE_PPK may be anybody's: it is only believed when no other comes. */
SIM_TEST(peer_has_none_but_required)
{
    sim_configure_host(s, A, .ppk_name = "ab", .ppk = PPK, .option = REQUIRED);
    fails(s, ADIT_ERR_PEER, 0);
}

SIM_TEST(required_there_but_none_here)
{
    sim_configure_host(s, B, .ppk_name = "ab", .ppk = PPK, .option = { { "ppk_required", "yes" } });
    fails(s, ADIT_ERR_AUTH, 1);
}

SIM_TEST(required_but_not_loaded)
{
    sim_configure_host(s, A, .ppk_name = "xy", .ppk = PPK, .option = REQUIRED);
    sim_configure_host(s, B, .ppk_name = "ab", .ppk = PPK);
    expect(s, attempt(s) == ADIT_ERR_CONFIG && sim_counter(s, A, ADIT_C_INIT_OUT_REQ) == 0);
}

/* A known name decides: no falling back to NO_PPK_AUTH when the secrets differ. */
SIM_TEST(same_name_other_secret)
{
    sim_configure_host(s, A, .ppk_name = "ab", .ppk = PPK, .option = OPTIONAL);
    sim_configure_host(s, B, .ppk_name = "ab", .ppk = OTHER);
    fails(s, ADIT_ERR_AUTH, 1);
}

/* Signatures are made twice, by jobs; key exchanges come before, so that the last SK_* are mixed. */
#define CERTIFICATES .cert = "ecdsa", .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768"
SIM_TEST(with_certificates)
{
    sim_configure(s, CERTIFICATES, .ppk_name = "ab", .ppk = PPK, .option = OPTIONAL);
    sim_slow_jobs(s, 50);
    up(s, true);
}

SIM_TEST(with_certificates_and_without_ppk)
{
    sim_configure_host(s, A, CERTIFICATES, .ppk_name = "ab", .ppk = PPK, .option = OPTIONAL);
    sim_configure_host(s, B, CERTIFICATES, .ppk_name = "xy", .ppk = OTHER);
    sim_slow_jobs(s, 50);
    up(s, false);
}

/* RFC 8784 s6: what is secret goes into Child SAs of a rekeyed IKE SA only. */
SIM_TEST(first_child_after_a_rekeying)
{
    sim_configure(s, .ppk_name = "ab", .ppk = PPK, .no_child = true,
                  .option = { { "ppk_id", "ab" }, { "ppk_required", "yes" }, { "childless", "force" } });
    sim_establish(s);
    expect_children(s, 0);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    expect(s, has_ppk(s, A) && has_ppk(s, B));
}

/* INVALID_KE_PAYLOAD is no answer to USE_PPK, which goes out again with the other key exchange. */
SIM_TEST(asked_for_another_key_exchange)
{
    sim_configure_host(s, A, .ike = "aes256gcm16-prfsha384-x25519-ecp384", .ppk_name = "ab", .ppk = PPK,
                       .option = REQUIRED);
    sim_configure_host(s, B, .ike = "aes256gcm16-prfsha384-ecp384", .ppk_name = "ab", .ppk = PPK,
                       .option = REQUIRED);
    up(s, true);
    expect(s, sim_counter(s, A, ADIT_C_INIT_OUT_REQ) == 2);
}

SIM_TEST(over_a_bad_link)
{
    sim_configure(s, .ppk_name = "ab", .ppk = PPK, .option = REQUIRED,
                  .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768");
    sim_link(s, .delay_ms = 20, .loss = 0.2, .dup = 0.2, .reorder = 0.2);
    sim_establish(s);
    sim_link(s, .delay_ms = 20);
    sim_run(s, MINUTES(4));
    expect_same_keys(s);
    expect(s, has_ppk(s, A) && has_ppk(s, B));
}

/* One allocation fails, the one that the seed says: at worst this attempt comes to nothing. */
SIM_TEST(one_allocation_fails)
{
    sim_configure(s, .ppk_name = "ab", .ppk = PPK, .option = OPTIONAL);
    sim_start(s);
    sim_starve(s, 5 * (unsigned)s->seed);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, MINUTES(4));
    sim_starve(s, 0);
    sim_command(s, A, ADIT_CMD_TERMINATE, .conn = "peer");
    sim_run(s, MINUTES(16));
    up(s, true);
}

static const struct sim_case cases[] = {
    SIM_CASE(required_by_both),
    SIM_CASE(optional_for_both),
    SIM_CASE(responder_takes_any_that_it_knows),
    SIM_CASE(rekeyed_it_stays),
    SIM_CASE(reauthentication_mixes_anew),
    SIM_CASE(unknown_there_and_optional),
    SIM_CASE(not_the_one_of_the_connection_and_optional),
    SIM_CASE(unknown_there_but_required_here),
    SIM_CASE(unknown_but_required_there),
    SIM_CASE(peer_has_none_and_optional),
    SIM_CASE(peer_has_none_but_required),
    SIM_CASE(required_there_but_none_here),
    SIM_CASE(required_but_not_loaded),
    SIM_CASE(same_name_other_secret),
    SIM_CASE(with_certificates),
    SIM_CASE(with_certificates_and_without_ppk),
    SIM_CASE(first_child_after_a_rekeying),
    SIM_CASE(asked_for_another_key_exchange),
    SIM_CASE(over_a_bad_link),
    SIM_CASE(one_allocation_fails),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 20);
}
