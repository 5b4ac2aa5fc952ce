/* test_kems.c - every key exchange method where it may travel: alone in IKE_SA_INIT, as additional one, in rekeyings of
 * both kinds, over a bad network; and what is refused, and why. A method is a row. */
#include <stdio.h>
#include <string.h>
#include "base/strbuf.h"
#include "support/sim.h"
#include "wire/iana.h"

#define MLKEM "aes256gcm16-prfsha384-x25519-ke1_mlkem768"

static const struct method {
    const char *word;
    uint16_t id;
    uint32_t init_ke_max; /* that it takes in IKE_SA_INIT over UDP; 0: the default does; 1: it never may */
} methods[] = {
    { "mlkem512", KE_ML_KEM_512, 0 },
    { "mlkem768", KE_ML_KEM_768, 0 },
    { "mlkem1024", KE_ML_KEM_1024, 0 },
    { "x25519mlkem768", KE_X25519_MLKEM768, 0 },
    { "ecp256mlkem768", KE_ECP256_MLKEM768, 0 },
    { "ecp384mlkem1024", KE_ECP384_MLKEM1024, 1700 },
    { "frodoa1", KE_FRODOKEM_640_AES, 1 },
    { "frodoa3", KE_FRODOKEM_976_AES, 1 },
    { "frodoa5", KE_FRODOKEM_1344_AES, 1 },
    { "frodos1", KE_FRODOKEM_640_SHAKE, 1 },
    { "frodos3", KE_FRODOKEM_976_SHAKE, 1 },
    { "frodos5", KE_FRODOKEM_1344_SHAKE, 1 },
    { "efrodoa1", KE_EFRODOKEM_640_AES, 1 },
    { "efrodoa3", KE_EFRODOKEM_976_AES, 1 },
    { "efrodoa5", KE_EFRODOKEM_1344_AES, 1 },
    { "efrodos1", KE_EFRODOKEM_640_SHAKE, 1 },
    { "efrodos3", KE_EFRODOKEM_976_SHAKE, 1 },
    { "efrodos5", KE_EFRODOKEM_1344_SHAKE, 1 },
};

/* The method's turn: by the seed, so that each is had once. */
static const struct method *turn(const struct sim *s)
{
    return &methods[s->seed % ARRAY_LEN(methods)];
}

/* Proposals outlive the scenario's start; one scenario runs at a time. */
static const char *text(char *out, size_t n, const char *before, const char *word)
{
    snprintf(out, n, "%s%s", before, word);
    return out;
}

static void settled(struct sim *s)
{
    sim_run(s, SECONDS(15));
    expect_children(s, 1);
    expect_same_keys(s);
    expect_flows(s);
    expect_no_garbage(s);
    expect_no_gap(s);
}

static void rekey_both(struct sim *s, int host)
{
    uint64_t cookie = sim_command(s, host, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, host, cookie, MINUTES(4)) == ADIT_OK);
    settled(s);
    cookie = sim_command(s, host, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, host, cookie, MINUTES(4)) == ADIT_OK);
    settled(s);
}

static void configure_alone(struct sim *s, const struct method *m)
{
    static char ike[80], esp[80];
    sim_configure(s, .ike = text(ike, sizeof(ike), "aes256gcm16-prfsha384-", m->word),
                  .esp = text(esp, sizeof(esp), "aes256gcm16-", m->word), .init_ke_max = m->init_ke_max);
}

SIM_TEST(alone)
{
    const struct method *m = turn(s);
    struct adit_ike_info sa;
    if (m->init_ke_max == 1)
        return;
    configure_alone(s, m);
    sim_establish(s);
    expect(s, sim_info(s, A, &sa) && sa.suite.ke[0] == m->id, "%s", m->word);
    rekey_both(s, A);
    rekey_both(s, B);
}

/* FrodoKEM's public values are longer than any IKE_SA_INIT that is read: it is not even offered. */
SIM_TEST(too_long_for_ike_sa_init)
{
    const struct method *m = turn(s);
    if (!m->init_ke_max)
        return;
    configure_alone(s, &(struct method){ m->word, m->id, m->init_ke_max == 1 ? 7168 : 1600 });
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(4)) != ADIT_OK);
    expect(s, sim_sas(s, B) == 0, "nothing was sent");
}

static void configure_additional(struct sim *s, const struct method *m)
{
    static char ike[100], esp[100];
    sim_configure(s, .ike = text(ike, sizeof(ike), "aes256gcm16-prfsha384-x25519-ke1_", m->word),
                  .esp = text(esp, sizeof(esp), "aes256gcm16-x25519-ke1_", m->word));
}

SIM_TEST(additional)
{
    const struct method *m = turn(s);
    struct adit_ike_info sa;
    configure_additional(s, m);
    sim_establish(s);
    expect(s, sim_info(s, A, &sa) && sa.suite.ke[1] == m->id, "%s", m->word);
    rekey_both(s, B);
    rekey_both(s, A);
}

SIM_TEST(additional_over_a_bad_network)
{
    configure_additional(s, turn(s));
    sim_link(s, .delay_ms = 30, .jitter_ms = 20, .loss = 0.05, .dup = 0.05, .reorder = 0.1);
    sim_slow_jobs(s, 40);
    sim_establish(s);
    sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, MINUTES(2));
    sim_command(s, B, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MINUTES(2));
    sim_link(s, .delay_ms = 10);
    settled(s);
}

/* A as strangers' initiator, B as their responder, at once. */
SIM_TEST(rekeyings_that_cross)
{
    configure_additional(s, turn(s));
    sim_slow_jobs(s, 100);
    sim_establish(s);
    sim_both(s, ADIT_CMD_REKEY, .child = "net");
    settled(s);
    sim_both(s, ADIT_CMD_REKEY, .conn = "peer");
    settled(s);
}

SIM_TEST(seven_of_them)
{
    struct adit_ike_info sa;
    sim_configure(s, .ike = "aes256gcm16-prfsha512-x25519-ke1_mlkem512-ke2_mlkem768-ke3_mlkem1024-ke4_frodoa1-"
                            "ke5_efrodos1-ke6_x25519mlkem768-ke7_frodoa3",
                  .esp = "aes256gcm16-x25519mlkem768-ke1_efrodoa3-ke7_mlkem768");
    sim_link(s, .delay_ms = 5, .loss = 0.02);
    sim_establish(s);
    expect(s, sim_info(s, A, &sa) && sa.suite.ke[7] == KE_FRODOKEM_976_AES && sa.suite.ke[1] == KE_ML_KEM_512);
    sim_link(s, .delay_ms = 5);
    rekey_both(s, A);
}

SIM_TEST(preset_paranoid)
{
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
    configure_additional(s, &methods[7]);
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

/* 261,120 octets of public key, in payloads that RFC 7296 has no length for. */
SIM_TEST(mceliece_by_longer_payloads)
{
    struct adit_ike_info sa;
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
    SIM_CASE(alone), SIM_CASE(too_long_for_ike_sa_init), SIM_CASE(additional), SIM_CASE(additional_over_a_bad_network),
    SIM_CASE(rekeyings_that_cross),
};
static const struct sim_case once[] = {
    SIM_CASE(seven_of_them),
    SIM_CASE(preset_paranoid),
    SIM_CASE(private_numbers_are_for_those_who_show_our_vendor_id),
    SIM_CASE(or_for_whom_the_configuration_trusts),
    SIM_CASE(strongswan_has_the_same_numbers_for_frodokem),
    SIM_CASE(and_no_others),
    SIM_CASE(strongswan_by_configuration),
    SIM_CASE(mceliece_by_longer_payloads),
    SIM_CASE(mceliece_waits_for_longer_payloads),
};

/* PROGRAM [CASE [SEED]]; the cases that take turns run once a method. */
int main(int argc, char **argv)
{
    int rc = 0;
    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(once); i++)
        if (!strcmp(argv[1], once[i].name))
            return sim_main(argc, argv, once, ARRAY_LEN(once), 1);
    rc = sim_main(argc, argv, each, ARRAY_LEN(each), ARRAY_LEN(methods));
    return argc > 1 ? rc : sim_main(argc, argv, once, ARRAY_LEN(once), 1) | rc;
}
