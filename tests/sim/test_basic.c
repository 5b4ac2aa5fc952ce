/* test_basic.c - two hosts meet: key exchanges, ways to authenticate, what cannot work. */
#include "support/sim.h"
#include "wire/iana.h"

static void meet(struct sim *s)
{
    sim_establish(s);
    expect_children(s, 1);
    expect_same_keys(s);
    sim_run(s, SECONDS(5));
    expect_no_garbage(s);
    expect_no_gap(s);
}

SIM_TEST(psk_x25519)
{
    meet(s);
}

SIM_TEST(psk_ecp384_cbc)
{
    sim_configure(s, .ike = "aes256-sha384-prfsha384-ecp384", .esp = "aes256-sha256-esn");
    meet(s);
}

SIM_TEST(hybrid_mlkem768)
{
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768",
                  .esp = "aes256gcm16-x25519-ke1_mlkem768");
    meet(s);
    struct adit_ike_info sa;
    expect(s, sim_info(s, A, &sa));
    expect(s, sa.suite.ke[1] == 36, "ADDKE1 is ML-KEM-768, not %u", sa.suite.ke[1]);
}

SIM_TEST(two_additional_key_exchanges)
{
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem512-ke2_mlkem1024",
                  .esp = "aes256gcm16-x25519-ke1_mlkem512");
    meet(s);
}

SIM_TEST(mlkem_alone)
{
    sim_configure(s, .ike = "aes256gcm16-prfsha384-mlkem768", .esp = "aes256gcm16-mlkem768");
    meet(s);
}

SIM_TEST(certificates_ecdsa)
{
    sim_configure(s, .cert = "ecdsa");
    meet(s);
}

SIM_TEST(certificates_rsa)
{
    sim_configure(s, .cert = "rsa");
    meet(s);
}

SIM_TEST(certificates_ed25519)
{
    sim_configure(s, .cert = "ed25519");
    meet(s);
}

SIM_TEST(hybrid_with_certificates_and_slow_jobs)
{
    sim_configure(s, .cert = "rsa", .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem1024");
    sim_slow_jobs(s, 300);
    meet(s);
}

SIM_TEST(transport_mode)
{
    sim_configure(s, .transport = true);
    meet(s);
    expect(s, simhost_sender(&s->host[A])->mode == ADIT_MODE_TRANSPORT);
}

SIM_TEST(second_child)
{
    sim_configure(s, .two_children = true);
    meet(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net2");
    expect(s, sim_wait(s, A, cookie, MINUTES(3)) == ADIT_OK);
    sim_run(s, SECONDS(5));
    expect_children(s, 2);
    expect_same_keys(s);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "both children share one IKE SA");
}

SIM_TEST(second_child_with_mlkem)
{
    sim_configure(s, .two_children = true, .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768",
                  .esp = "aes256gcm16-x25519-ke1_mlkem768");
    meet(s);
    uint64_t cookie = sim_command(s, B, ADIT_CMD_INITIATE, .conn = "peer", .child = "net2");
    expect(s, sim_wait(s, B, cookie, MINUTES(3)) == ADIT_OK);
    sim_run(s, SECONDS(5));
    expect_children(s, 2);
    expect_same_keys(s);
}

/* B wants another group than A's first: INVALID_KE_PAYLOAD, A tries again (RFC 7296 s1.2). */
SIM_TEST(another_group_is_asked_for)
{
    sim_configure_host(s, A, .ike = "aes128gcm16-prfsha256-x25519-ecp256");
    sim_configure_host(s, B, .ike = "aes128gcm16-prfsha256-ecp256");
    meet(s);
}

SIM_TEST(another_group_for_the_second_child)
{
    sim_configure_host(s, A, .two_children = true, .esp = "aes128gcm16-x25519-ecp256");
    sim_configure_host(s, B, .two_children = true, .esp = "aes128gcm16-ecp256");
    meet(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net2");
    expect(s, sim_wait(s, A, cookie, MINUTES(3)) == ADIT_OK);
    sim_run(s, SECONDS(2));
    expect_children(s, 2);
    expect_same_keys(s);
}

static void refuse(struct sim *s, enum adit_rc want)
{
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    enum adit_rc rc = sim_wait(s, A, cookie, MINUTES(15));
    expect(s, rc != ADIT_OK && (want == ADIT_OK || rc == want), "rc %d, wanted %d: %s", rc, want,
           simhost_done(&s->host[A], cookie)->text);
    sim_run(s, MINUTES(1));
    expect_children(s, 0);
    expect(s, sim_sas(s, A) == 0 && sim_sas(s, B) == 0, "A has %u SAs, B %u", sim_sas(s, A), sim_sas(s, B));
}

SIM_TEST(wrong_secret_is_refused)
{
    sim_configure_host(s, B, .psk = "another secret of the simulation");
    refuse(s, ADIT_OK);
}

SIM_TEST(no_common_proposal_is_refused)
{
    sim_configure_host(s, B, .ike = "aes256gcm16-prfsha384-ecp384");
    refuse(s, ADIT_OK);
}

/* The IKE SA may stay without its child (RFC 7296 s1.2); no traffic may flow. */
SIM_TEST(no_common_selectors_no_child)
{
    sim_configure_host(s, B, .local_ts = "10.1.0.0/16", .remote_ts = "10.99.0.0/16");
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(15)) != ADIT_OK);
    sim_run(s, MINUTES(1));
    expect_children(s, 0);
}

SIM_TEST(selectors_are_narrowed)
{
    sim_configure_host(s, B, .remote_ts = "10.2.128.0/17");
    meet(s);
}

SIM_TEST(both_initiate_at_once)
{
    sim_start(s);
    sim_both(s, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, MINUTES(1));
    expect_same_keys(s);
    expect_flows(s);
}

/* Transform type 5 (RFC 9827) in IKE_AUTH and at a rekeying; the preferred one of what both can. */
SIM_TEST(kinds_of_sequence_numbers)
{
    static const struct {
        const char *a, *b;
        uint16_t sn;
    } rows[] = { { "aes128gcm16-x25519-esn-noesn", "aes128gcm16-x25519-noesn-esn", SN_32_BIT },
                 { "aes128gcm16-x25519-noesn-esn", "aes128gcm16-x25519-esn-noesn", SN_64_BIT_PARTIAL },
                 { "aes128gcm16-x25519-esn", "aes128gcm16-x25519-noesn-esn", SN_64_BIT_PARTIAL },
                 { "aes128gcm16-x25519-esn-noesn", "aes128gcm16-x25519-noesn", SN_32_BIT } };
    unsigned row = s->seed % ARRAY_LEN(rows);
    sim_configure_host(s, A, .esp = rows[row].a);
    sim_configure_host(s, B, .esp = rows[row].b);
    sim_establish(s);
    expect(s, simhost_sender(&s->host[A])->suite.sn == rows[row].sn, "row %u", row);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, A, cookie, SECONDS(10)) == ADIT_OK);
    expect(s, simhost_sender(&s->host[A])->suite.sn == rows[row].sn, "row %u, rekeyed", row);
    expect_same_keys(s);
}

SIM_TEST(no_common_sequence_numbers_no_child)
{
    sim_configure_host(s, A, .esp = "aes128gcm16-x25519-esn");
    sim_configure_host(s, B, .esp = "aes128gcm16-x25519-noesn");
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, SECONDS(10)) == ADIT_ERR_PROPOSAL);
    expect(s, sim_sas(s, A) == 1 && simhost_children(&s->host[B]) == 0);
}

/* RFC 8750: beside the same cipher with the IV in the packet, for peers that know no other. */
SIM_TEST(implicit_iv_or_not)
{
    bool both = s->seed & 1;
    sim_configure_host(s, B, .esp = both ? "aes256gcm16-aes256gcm16iiv-x25519" : "aes256gcm16-x25519");
    sim_configure_host(s, A, .esp = both ? "aes256gcm16iiv-x25519" : "aes256gcm16iiv-aes256gcm16-x25519");
    sim_establish(s);
    expect(s, simhost_sender(&s->host[A])->suite.encr == (both ? ENCR_AES_GCM_16_IIV : ENCR_AES_GCM_16));
    expect_same_keys(s);
}

/* The data plane says that half of the sequence numbers are gone: new keys. That none is left: the end. */
SIM_TEST(sequence_numbers_run_out)
{
    sim_establish(s);
    uint32_t spi = simhost_sender(&s->host[A])->spi_out;
    sim_command(s, A, ADIT_CMD_EXPIRE_SOFT, .child_id = simhost_sender(&s->host[A])->id);
    sim_run(s, SECONDS(20));
    expect_children(s, 1);
    expect(s, simhost_sender(&s->host[A])->spi_out != spi, "rekeyed");
    sim_command(s, A, ADIT_CMD_EXPIRE_HARD, .child_id = simhost_sender(&s->host[A])->id);
    sim_run(s, SECONDS(20));
    expect_children(s, 0);
    expect(s, sim_sas(s, A) == 1);
}

/* Nowhere to go: the command says so at once, and nothing is begun. */
SIM_TEST(initiating_without_an_address)
{
    sim_configure_host(s, A, .any_peer = true);
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .child = "net");
    expect(s, sim_wait(s, A, cookie, SECONDS(1)) == ADIT_ERR_CONFIG);
    const char *text = simhost_done(&s->host[A], cookie)->text;
    expect(s, strstr(text, "peer has no remote address"), "said: %s", text);
    expect(s, sim_sas(s, A) == 0 && s->host[A].events[ADIT_EV_SEND] == 0);
}

/* What is there already is not made again. */
SIM_TEST(initiating_what_is_up)
{
    sim_establish(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer");
    expect(s, sim_wait(s, A, cookie, SECONDS(1)) == ADIT_OK);
    expect(s, !strcmp(simhost_done(&s->host[A], cookie)->text, "already established"));
    sim_run(s, SECONDS(5));
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1);
    expect_children(s, 1);
}

/* Packets keep asking while the exchanges for the first one are under way: one IKE SA and one Child SA come of it. */
SIM_TEST(many_packets_ask_for_one_sa)
{
    sim_start(s);
    for (int i = 0; i < 12; i++) {
        sim_command(s, A, ADIT_CMD_ACQUIRE, .conn = "peer", .child = "net");
        expect(s, sim_sas(s, A) == 1);
        sim_run(s, MILLIS(3));
    }
    sim_run(s, SECONDS(5));
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1);
    expect_children(s, 1);
}

static const struct sim_case cases[] = {
    SIM_CASE(initiating_without_an_address),
    SIM_CASE(initiating_what_is_up),
    SIM_CASE(many_packets_ask_for_one_sa),
    SIM_CASE(psk_x25519),
    SIM_CASE(psk_ecp384_cbc),
    SIM_CASE(hybrid_mlkem768),
    SIM_CASE(two_additional_key_exchanges),
    SIM_CASE(mlkem_alone),
    SIM_CASE(certificates_ecdsa),
    SIM_CASE(certificates_rsa),
    SIM_CASE(certificates_ed25519),
    SIM_CASE(hybrid_with_certificates_and_slow_jobs),
    SIM_CASE(transport_mode),
    SIM_CASE(second_child),
    SIM_CASE(second_child_with_mlkem),
    SIM_CASE(another_group_is_asked_for),
    SIM_CASE(another_group_for_the_second_child),
    SIM_CASE(wrong_secret_is_refused),
    SIM_CASE(no_common_proposal_is_refused),
    SIM_CASE(no_common_selectors_no_child),
    SIM_CASE(selectors_are_narrowed),
    SIM_CASE(both_initiate_at_once),
    SIM_CASE(kinds_of_sequence_numbers),
    SIM_CASE(no_common_sequence_numbers_no_child),
    SIM_CASE(implicit_iv_or_not),
    SIM_CASE(sequence_numbers_run_out),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 5);
}
