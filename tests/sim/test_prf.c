/* test_prf.c - every PRF with every kind of key exchange through a whole life: first keys, rekeyings, a pre-shared
 * post-quantum key, resumption, IntAuth. A PRF that gives its keys in one call (KMAC) makes all of them wrong if one
 * length is, so equal keys on both ends say that each formula had the right one. */
#include <stdio.h>
#include "support/sim.h"
#undef SECONDS /* ike/limits.h has the same */
#include "ike/sa.h"

static const char *const prfs[] = { "prfsha256", "prfsha384", "prfsha512", "prfkmac128", "prfkmac256" };
static const char *const kes[] = { "x25519", "ecp384", "modp2048", "mlkem768", "x25519-ke1_mlkem768",
                                   "ecp256-ke1_mlkem512-ke2_mlkem1024" };
static char ike[200], esp[200], other[200];

static struct ike_sa *newest(struct sim *s, int host)
{
    struct list *sas = &((struct ike *)s->host[host].ike)->sas;
    expect(s, !list_empty(sas));
    return list_entry(sas->prev, struct ike_sa, link);
}

static void rekey(struct sim *s, int host, bool child)
{
    uint64_t cookie = child ? sim_command(s, host, ADIT_CMD_REKEY, .child = "net")
                            : sim_command(s, host, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, host, cookie, MINUTES(1)) == ADIT_OK, "%s", simhost_done(&s->host[host], cookie)->text);
    sim_run(s, SECONDS(10));
    expect_children(s, 1);
    expect_same_keys(s);
}

/* Rekeyings by both, of the IKE SA, of the Child SA by the new keys, and of the IKE SA again. */
static void live(struct sim *s, uint16_t prf)
{
    sim_establish(s);
    sim_run(s, SECONDS(5));
    expect_children(s, 1);
    expect_same_keys(s);
    for (int host = A; host <= B; host++) {
        rekey(s, host, false);
        rekey(s, host, true);
    }
    expect(s, newest(s, A)->suite.prf == prf && newest(s, B)->suite.prf == prf, "PRF %u", newest(s, A)->suite.prf);
    expect_no_gap(s);
    expect_no_garbage(s);
}

static uint16_t prf_of(const char *word)
{
    struct transform t = { 0 };
    return iana_keyword_get(word, strlen(word), &t) ? t.id : 0;
}

/* One pair a seed, so that all are met by as many seeds as there are pairs; each run takes all key exchanges. */
static void each_ke(struct sim *s, unsigned prf)
{
    const char *ke = kes[s->seed % ARRAY_LEN(kes)];
    snprintf(ike, sizeof(ike), "aes256gcm16-%s-%s", prfs[prf], ke);
    snprintf(esp, sizeof(esp), "aes256gcm16-%s", ke);
    sim_configure(s, .ike = ike, .esp = esp, .cert = s->seed / ARRAY_LEN(kes) & 1 ? "ecdsa" : NULL);
    live(s, prf_of(prfs[prf]));
}

SIM_TEST(hmac_sha2_256_with_each_key_exchange)
{
    each_ke(s, 0);
}

SIM_TEST(hmac_sha2_384_with_each_key_exchange)
{
    each_ke(s, 1);
}

SIM_TEST(hmac_sha2_512_with_each_key_exchange)
{
    each_ke(s, 2);
}

SIM_TEST(kmac_128_with_each_key_exchange)
{
    each_ke(s, 3);
}

SIM_TEST(kmac_256_with_each_key_exchange)
{
    each_ke(s, 4);
}

/* KMAC for integrity as well; the PRF comes from the integrity algorithm, as with HMAC. */
SIM_TEST(kmac_for_integrity_in_ike_and_esp)
{
    bool strong = s->seed & 1;
    sim_configure(s, .ike = strong ? "aes256-kmac256-x25519-ke1_mlkem768" : "aes128ctr-kmac128-x25519",
                  .esp = strong ? "aes256-kmac256-x25519-esn" : "null-kmac128");
    live(s, strong ? PRF_KMAC_256 : PRF_KMAC_128);
    expect(s, newest(s, A)->suite.integ == (strong ? INTEG_KMAC_256 : INTEG_KMAC_128));
}

SIM_TEST(over_a_bad_link)
{
    sim_configure(s, .ike = "aes256-kmac256-prfkmac128-x25519-ke1_mlkem768", .esp = "aes256gcm16-x25519");
    sim_link(s, .delay_ms = 20, .loss = 0.2, .dup = 0.1, .reorder = 0.1);
    sim_establish(s);
    sim_run(s, MINUTES(1));
    expect_children(s, 1);
    expect_same_keys(s);
}

SIM_TEST(post_quantum_preshared_key)
{
    snprintf(ike, sizeof(ike), "aes256gcm16-%s-x25519-ke1_mlkem768", prfs[s->seed % ARRAY_LEN(prfs)]);
    sim_configure(s, .ike = ike, .ppk_name = "ppk.example", .ppk = "a post-quantum preshared key of both",
                  .option = { { "ppk_id", "ppk.example" }, { "ppk_required", "yes" } });
    live(s, prf_of(prfs[s->seed % ARRAY_LEN(prfs)]));
}

SIM_TEST(resumed)
{
    uint8_t kept[8192];
    unsigned prf = s->seed % ARRAY_LEN(prfs);
    snprintf(ike, sizeof(ike), "aes256gcm16-%s-x25519-ke1_mlkem768", prfs[prf]);
    sim_configure(s, .ike = ike, .option = { { "resumption", "yes" } }, .dpd_s = 20, .unique = ADIT_UNIQUE_REPLACE);
    sim_establish(s);
    sim_run(s, SECONDS(10));
    size_t n = adit_ike_save(s->host[B].ike, kept, sizeof(kept));
    sim_restart(s, B);
    expect(s, n > 1 && adit_ike_load(s->host[B].ike, kept, n));
    sim_run(s, MINUTES(6));
    expect(s, sim_sas(s, A) == 0);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK, "%s", simhost_done(&s->host[A], cookie)->text);
    sim_run(s, SECONDS(5));
    expect(s, newest(s, A)->known && newest(s, A)->suite.prf == prf_of(prfs[prf]));
    expect_same_keys(s);
    rekey(s, A, false);
    rekey(s, B, true);
}

static void reload(struct sim *s, int host)
{
    struct adit_why why = { 0 };
    struct adit_config *cfg = sim_conf_build(s, host);
    expect(s, adit_ike_config(s->host[host].ike, cfg, s->now, &why) == ADIT_OK, "%s", why.text);
    adit_config_unref(cfg);
}

/* From HMAC to KMAC and back: SKEYSEED by the old PRF, all else by the new one (RFC 7296 s2.18). */
SIM_TEST(a_rekeying_changes_the_prf)
{
    static const char *const order[] = { "prfkmac256", "prfsha256", "prfkmac128", "prfsha512" };
    for (unsigned i = 0; i <= ARRAY_LEN(order); i++) {
        snprintf(other, sizeof(other), "aes256gcm16-%s-x25519", i ? order[i - 1] : "prfsha384");
        sim_configure(s, .ike = other);
        if (i == 0)
            sim_establish(s);
        else
            reload(s, A), reload(s, B);
        if (i)
            rekey(s, (int)(i & 1), false);
        expect(s, newest(s, A)->suite.prf == prf_of(i ? order[i - 1] : "prfsha384"));
        rekey(s, A, true);
    }
}

/* B takes A for another's implementation, as if it had shown no Vendor ID of ours. */
static size_t estrange(struct sim *s, int from, uint8_t *d, size_t n)
{
    if (d[18] == XCHG_IKE_SA_INIT && from == B)
        newest(s, B)->peer_private = false;
    return n;
}

SIM_TEST(a_stranger_gets_no_private_numbers)
{
    sim_configure(s, .ike = "aes256gcm16-prfkmac256-prfsha256-x25519", .esp = "aes256-kmac256-sha256-x25519",
                  .option = { { "optrekey", "no" } }); /* that keeps the suite */
    sim_establish(s);
    expect(s, newest(s, A)->suite.prf == PRF_KMAC_256);
    newest(s, A)->peer_private = newest(s, B)->peer_private = false;
    rekey(s, s->seed & 1 ? A : B, true);
    rekey(s, A, false);
    expect(s, newest(s, A)->suite.prf == PRF_HMAC_SHA2_256, "PRF %u", newest(s, A)->suite.prf);
}

SIM_TEST(a_stranger_gets_no_private_child)
{
    sim_configure(s, .esp = "aes256-kmac256-x25519");
    s->tamper = estrange;
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_wait(s, A, cookie, MINUTES(1));
    expect_children(s, 0);
}

static const char *way(struct sim *s, int host)
{
    static struct adit_ike_info info;
    expect(s, sim_info(s, host, &info));
    return info.local_auth;
}

/* Signatures: each of SHA-3's hashes, named on both sides. */
SIM_TEST(signatures_with_sha3)
{
    static const struct {
        const char *cert, *auth, *way;
    } rows[] = {
        { "ecdsa", "ecdsa-sha3_256", "ECDSA with SHA3-256" },
        { "ecdsa", "pubkey-sha3_384", "ECDSA with SHA3-384" },
        { "ecdsa", "pubkey-sha3_512", "ECDSA with SHA3-512" },
        { "ecdsa", "ecdsa-shake128", "ECDSA with SHAKE128" },
        { "ecdsa", "ike:ecdsa-shake256", "ECDSA with SHAKE256" },
        { "rsa", "rsa-sha3_256", "RSASSA-PSS with SHA3-256" },
        { "rsa", "rsa/pss-sha3_384", "RSASSA-PSS with SHA3-384" },
        { "rsa", "pubkey-sha3_512", "RSASSA-PSS with SHA3-512" },
    };
    const char *want = rows[s->seed % ARRAY_LEN(rows)].way, *auth = rows[s->seed % ARRAY_LEN(rows)].auth;
    sim_configure(s, .cert = rows[s->seed % ARRAY_LEN(rows)].cert, .local_auth = auth, .remote_auth = auth);
    sim_establish(s);
    expect_children(s, 1);
    expect(s, !strcmp(way(s, A), want), "A: %s", way(s, A));
    expect(s, !strcmp(way(s, B), want), "B: %s", way(s, B));
}

/* The peer has named none: it is not offered, and what is left decides. */
SIM_TEST(sha3_that_the_peer_does_not_list)
{
    bool sha2 = s->seed & 1;
    sim_configure_host(s, A, .cert = "ecdsa", .local_auth = sha2 ? "ecdsa-sha3_256-sha256" : "ecdsa-sha3_256");
    sim_configure_host(s, B, .cert = "ecdsa");
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    enum adit_rc rc = sim_wait(s, A, cookie, MINUTES(1));
    expect(s, (rc == ADIT_OK) == sha2);
    if (sha2)
        expect(s, !strcmp(way(s, A), "ECDSA with SHA2-256"), "%s", way(s, A));
}

/* KMAC takes keys of four octets and more (so OpenSSL): the reason is said. */
SIM_TEST(a_secret_that_is_too_short)
{
    sim_configure(s, .ike = "aes256gcm16-prfkmac256-x25519", .psk = "abc");
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) != ADIT_OK);
    const char *text = simhost_done(&s->host[A], cookie)->text;
    expect(s, strstr(text, "4 to 512 octets") != NULL, "%s", text);
}

int main(int argc, char **argv)
{
    static const struct sim_case cases[] = {
        SIM_CASE(hmac_sha2_256_with_each_key_exchange),
        SIM_CASE(hmac_sha2_384_with_each_key_exchange),
        SIM_CASE(hmac_sha2_512_with_each_key_exchange),
        SIM_CASE(kmac_128_with_each_key_exchange),
        SIM_CASE(kmac_256_with_each_key_exchange),
        SIM_CASE(kmac_for_integrity_in_ike_and_esp),
        SIM_CASE(over_a_bad_link),
        SIM_CASE(post_quantum_preshared_key),
        SIM_CASE(resumed),
        SIM_CASE(a_rekeying_changes_the_prf),
        SIM_CASE(a_stranger_gets_no_private_numbers),
        SIM_CASE(a_stranger_gets_no_private_child),
        SIM_CASE(signatures_with_sha3),
        SIM_CASE(sha3_that_the_peer_does_not_list),
        SIM_CASE(a_secret_that_is_too_short),
    };
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 8);
}
