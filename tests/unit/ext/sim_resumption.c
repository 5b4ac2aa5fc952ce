/* sim_resumption.c - two hosts and tickets (RFC 5723): after a failure the client comes up again by one, or by IKE_SA_INIT
 * if that is not to be; what is used, closed, rekeyed, altered or another's is refused. */
#include <stdio.h>
#include "support/sim.h"
#undef SECONDS /* ike/limits.h has the same */
#include "ike/sa.h"

#define YES { "resumption", "yes" }
#define HYBRID "aes256gcm16-prfsha384-x25519-ke1_mlkem768"
#define HEADER 28 /* octets of IKE's header */

/* --- what is on the wire -------------------------------------------------------------------------------------------- */

static struct {
    unsigned init, resume, auth;        /* requests of A */
    unsigned resume_answers, refusals;  /* of B */
    uint8_t last[65535];                /* A's last IKE_SESSION_RESUME */
    size_t last_n;
} wire;

static bool has_nack(const uint8_t *d, size_t n)
{
    struct rd in = rd_init(span_from(span(d, n), HEADER));
    static struct payload_list list;
    struct notify notify;
    const struct payload *p;
    if (!payloads_get(&in, d[16], &list, NULL) || !(p = payloads_find(&list, PLD_NOTIFY, 0)))
        return false;
    struct rd body = rd_init(p->body);
    return notify_get(&body, &notify) && notify.type == N_TICKET_NACK;
}

static void look(int from, const uint8_t *d, size_t n)
{
    bool response = d[19] & IKE_FLAG_RESPONSE;
    wire.init += d[18] == XCHG_IKE_SA_INIT && !response;
    wire.auth += d[18] == XCHG_IKE_AUTH && !response;
    if (d[18] != XCHG_IKE_SESSION_RESUME)
        return;
    wire.resume += !response;
    wire.resume_answers += response;
    wire.refusals += response && has_nack(d, n);
    if (from == A && !response) {
        span_copy(wire.last, span(d, n));
        wire.last_n = n;
    }
}

static size_t watching(struct sim *s, int from, uint8_t *d, size_t n)
{
    look(from, d, n);
    return n;
}

static void watch(struct sim *s)
{
    wire = (typeof(wire)){ 0 };
    s->tamper = watching;
}

/* --- steps of the stories --------------------------------------------------------------------------------------------- */

static struct ike *engine(struct sim *s, int host)
{
    return (struct ike *)s->host[host].ike;
}

static struct ike_sa *newest(struct sim *s, int host)
{
    struct list *sas = &engine(s, host)->sas;
    expect(s, !list_empty(sas));
    return list_entry(sas->prev, struct ike_sa, link);
}

static bool is_resumed(const struct sim *s, int host)
{
    struct adit_ike_info info;
    bool found = false;
    for (unsigned i = 0; sim_info(s, host, &info) && i < info.n_marks; i++)
        found |= !strcmp(info.marks[i].key, "resumed") && !strcmp(info.marks[i].value, "yes");
    return found;
}

/* Power off and on; what a host would keep of it on its disk is kept, or not. */
static void restart(struct sim *s, int host, bool keeps)
{
    uint8_t kept[8192];
    size_t n = adit_ike_save(s->host[host].ike, kept, sizeof(kept));
    sim_restart(s, host);
    if (keeps)
        expect(s, n > 1 && adit_ike_load(s->host[host].ike, kept, n));
}

/* A notices by DPD that nobody is there. */
static void lose(struct sim *s)
{
    sim_run(s, MINUTES(6));
    expect(s, sim_sas(s, A) == 0, "A has not noticed");
}

static void all_is_well(struct sim *s, bool resumed)
{
    expect_children(s, 1);
    expect_same_keys(s);
    expect_no_garbage(s);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "A %u, B %u", sim_sas(s, A), sim_sas(s, B));
    expect(s, is_resumed(s, A) == resumed && is_resumed(s, B) == resumed, "A %d, B %d", is_resumed(s, A),
           is_resumed(s, B));
}

static void again(struct sim *s, bool resumed)
{
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    enum adit_rc rc = sim_wait(s, A, cookie, MINUTES(5));
    expect(s, rc == ADIT_OK, "rc %d", rc);
    sim_run(s, SECONDS(10));
    all_is_well(s, resumed);
}

static void begin(struct sim *s)
{
    sim_establish(s);
    sim_run(s, SECONDS(10));
    all_is_well(s, false);
    watch(s);
}

#define BOTH_YES .option = { YES }, .dpd_s = 20, .unique = ADIT_UNIQUE_REPLACE

/* --- resuming ---------------------------------------------------------------------------------------------------------- */

SIM_TEST(a_restarted_gateway_that_kept_its_keys)
{
    sim_configure(s, BOTH_YES);
    begin(s);
    restart(s, B, true);
    lose(s);
    watch(s);
    again(s, true);
    expect(s, wire.resume == 1 && wire.init == 0 && wire.auth == 1 && wire.refusals == 0);
    /* ... and once more, by the ticket of the resumed one */
    restart(s, B, true);
    lose(s);
    again(s, true);
}

SIM_TEST(a_restarted_gateway_without_its_keys)
{
    sim_configure(s, BOTH_YES);
    begin(s);
    restart(s, B, false);
    lose(s);
    watch(s);
    again(s, false);
    expect(s, wire.resume == 1 && wire.refusals == 1 && wire.init == 1);
    restart(s, B, true); /* the new ticket is good */
    lose(s);
    again(s, true);
}

/* The gateway still has the old SA: it goes without a word. */
SIM_TEST(a_network_that_was_away)
{
    sim_configure_host(s, A, BOTH_YES);
    sim_configure_host(s, B, .option = { YES }, .unique = s->seed & 1 ? ADIT_UNIQUE_KEEP : ADIT_UNIQUE_NEVER);
    begin(s);
    sim_cut(s, A, true);
    lose(s);
    sim_cut(s, A, false);
    expect(s, sim_sas(s, B) == 1);
    watch(s);
    again(s, true);
    expect(s, wire.resume == 1 && wire.init == 0);
    expect(s, s->host[B].events[ADIT_EV_IKE_DOWN] == 1);
}

SIM_TEST(over_a_bad_link)
{
    sim_configure(s, BOTH_YES);
    begin(s);
    restart(s, B, true);
    lose(s);
    sim_link(s, .delay_ms = 30, .loss = 0.25, .jitter_ms = 40);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_wait(s, A, cookie, MINUTES(15));
    sim_link(s, .delay_ms = 10);
    sim_run(s, MINUTES(4));
    if (sim_sas(s, A) == 1 && sim_sas(s, B) == 1)
        expect_same_keys(s);
}

SIM_TEST(with_certificates_and_hybrid_keys)
{
    sim_configure(s, BOTH_YES, .cert = "ecdsa", .ike = HYBRID, .esp = "aes256gcm16-x25519-ke1_mlkem768");
    begin(s);
    restart(s, B, true);
    lose(s);
    watch(s);
    again(s, true);
    struct adit_ike_info info;
    expect(s, sim_info(s, A, &info) && info.suite.ke[1] == KE_ML_KEM_768 && strstr(info.remote_auth, "ECDSA"));
    expect(s, info.downgrade_proof && sim_info(s, B, &info) && info.downgrade_proof);
    uint64_t cookie = sim_command(s, s->seed & 1, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, (int)(s->seed & 1), cookie, MINUTES(2)) == ADIT_OK);
    sim_run(s, SECONDS(20));
    all_is_well(s, true);
}

SIM_TEST(a_ppk_stays_in_it)
{
    sim_configure(s, .dpd_s = 20, .unique = ADIT_UNIQUE_REPLACE, .ppk_name = "ab",
                  .ppk = "0123456789abcdef0123456789abcdef",
                  .option = { YES, { "ppk_id", "ab" }, { "ppk_required", "yes" } });
    begin(s);
    restart(s, B, true);
    lose(s);
    again(s, true);
    struct adit_ike_info info;
    bool ppk = false;
    for (unsigned i = 0; sim_info(s, B, &info) && i < info.n_marks; i++)
        ppk |= !strcmp(info.marks[i].key, "ppk");
    expect(s, ppk);
}

SIM_TEST(cookies_come_first)
{
    sim_configure_host(s, A, BOTH_YES);
    sim_configure_host(s, B, BOTH_YES, .cookie_threshold = 1);
    begin(s);
    restart(s, B, true);
    lose(s);
    for (uint8_t i = 1; i < 20; i++) { /* strangers without a ticket: no state after the first */
        uint8_t d[HEADER + 36 + 40] = { 0, 0, 0, 0, 0, 0, 0, i, [16] = PLD_NONCE, [17] = 0x20,
                                        [18] = XCHG_IKE_SESSION_RESUME, [19] = 8, [27] = sizeof(d),
                                        [HEADER] = PLD_NOTIFY, [HEADER + 3] = 36, [HEADER + 36 + 3] = 40,
                                        [HEADER + 36 + 6] = N_TICKET_OPAQUE >> 8, [HEADER + 36 + 7] = N_TICKET_OPAQUE & 255 };
        sim_inject(s, B, "203.0.113.9", 500, SPAN_ARRAY(d));
    }
    expect(s, adit_ike_half_open(s->host[B].ike) == 0);
    again(s, true);
}

SIM_TEST(behind_a_translator)
{
    sim_nat(s, A);
    sim_configure(s, BOTH_YES);
    begin(s);
    restart(s, B, true);
    lose(s);
    again(s, true);
    struct adit_ike_info info;
    expect(s, sim_info(s, B, &info) && info.nat_remote && info.path.local.port == 4500);
}

SIM_TEST(both_sides_at_once)
{
    sim_configure(s, .option = { YES }, .dpd_s = 20, .unique = ADIT_UNIQUE_NEVER);
    begin(s);
    sim_cut(s, A, true);
    lose(s);
    sim_run(s, MINUTES(4));
    sim_cut(s, A, false);
    sim_both(s, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, MINUTES(2));
    expect(s, sim_sas(s, A) >= 1 && sim_sas(s, A) == sim_sas(s, B));
    expect_same_keys(s);
}

/* --- tickets that are no longer good --------------------------------------------------------------------------------------- */

SIM_TEST(after_rekeying_a_new_one_is_asked_for)
{
    sim_configure(s, BOTH_YES);
    begin(s);
    int by = (int)(s->seed & 1);
    uint64_t cookie = sim_command(s, by, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, by, cookie, MINUTES(2)) == ADIT_OK);
    if (s->seed & 2) { /* before the client has asked */
        restart(s, B, true);
        lose(s);
        again(s, false);
        expect(s, wire.resume == 0);
        return;
    }
    sim_run(s, SECONDS(15));
    restart(s, B, true);
    lose(s);
    again(s, true);
}

SIM_TEST(a_ticket_is_renewed_before_it_expires)
{
    sim_configure(s, .option = { YES, { "ticket_lifetime", "120" } }, .dpd_s = 20, .unique = ADIT_UNIQUE_REPLACE);
    begin(s);
    sim_run(s, MINUTES(30));
    restart(s, B, true);
    sim_cut(s, A, true);
    sim_run(s, SECONDS(1));
    expect(s, sim_counter(s, A, ADIT_C_INFO_OUT_REQ) > 15);
    sim_cut(s, A, false);
    lose(s); /* takes longer than the ticket lives */
    watch(s);
    again(s, false);
    expect(s, wire.resume == 0);
}

SIM_TEST(closed_is_closed)
{
    sim_configure(s, BOTH_YES);
    begin(s);
    int by = (int)(s->seed & 1);
    uint64_t cookie = sim_command(s, by, ADIT_CMD_TERMINATE, .conn = "peer");
    expect(s, sim_wait(s, by, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, SECONDS(30));
    watch(s);
    again(s, false);
    expect(s, wire.resume == 0 && wire.init == 1);
}

/* A second use of a ticket, from wherever, changes nothing. */
SIM_TEST(a_replayed_ticket_is_refused)
{
    sim_configure_host(s, A, BOTH_YES);
    sim_configure_host(s, B, BOTH_YES, .any_peer = true);
    begin(s);
    restart(s, B, true);
    lose(s);
    again(s, true);
    uint64_t before = simhost_snapshot(&s->host[B]);
    wire.last[7] ^= 1; /* another SPI: not a retransmission */
    sim_inject(s, B, "203.0.113.9", 500, span(wire.last, wire.last_n));
    expect(s, simhost_snapshot(&s->host[B]) == before);
    sim_run(s, SECONDS(60));
    all_is_well(s, true);
}

static size_t alter_at;
static size_t altering(struct sim *s, int from, uint8_t *d, size_t n)
{
    look(from, d, n);
    if (from == A && d[18] == XCHG_IKE_SESSION_RESUME)
        d[HEADER + alter_at % (n - HEADER)] ^= 0x10;
    return n;
}

/* Each octet behind the header, by and by: whatever is altered, the two never agree on what was altered. */
SIM_TEST(an_altered_opening)
{
    sim_configure(s, BOTH_YES);
    begin(s);
    restart(s, B, true);
    lose(s);
    alter_at = s->seed * 131;
    s->tamper = altering;
    again(s, false);
}

SIM_TEST(every_octet_of_a_ticket)
{
    sim_configure_host(s, A, BOTH_YES);
    sim_configure_host(s, B, BOTH_YES, .any_peer = true);
    begin(s);
    restart(s, B, true);
    lose(s);
    sim_cut(s, B, true); /* only its octets are wanted */
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, SECONDS(2));
    expect(s, wire.last_n > 200);
    size_t ticket = HEADER + 36 + 8; /* after the nonce */
    for (size_t i = ticket; i < wire.last_n && wire.last[HEADER] == PLD_NOTIFY; i++) {
        size_t end = ticket - 8 + (size_t)wire.last[ticket - 6] * 256 + wire.last[ticket - 5];
        if (i == end)
            break;
        wire.last[i] ^= (uint8_t)(1 + s->seed % 255);
        wire.last[0]++;
        sim_inject(s, B, "203.0.113.9", 500, span(wire.last, wire.last_n));
        expect(s, adit_ike_half_open(s->host[B].ike) == 0, "octet %zu", i - ticket);
        wire.last[i] ^= (uint8_t)(1 + s->seed % 255);
    }
    wire.last[0]++;
    sim_inject(s, B, "203.0.113.9", 500, span(wire.last, wire.last_n));
    expect(s, adit_ike_half_open(s->host[B].ike) == 1, "unaltered it is taken");
    sim_cut(s, B, false);
    sim_run(s, MINUTES(4));
}

SIM_TEST(the_ticket_of_another_gateway)
{
    uint8_t kept[8192];
    sim_configure(s, BOTH_YES);
    begin(s);
    size_t n = adit_ike_save(s->host[B].ike, kept, sizeof(kept));
    kept[n - 1] ^= 1; /* another's key, though by chance of the same name */
    sim_restart(s, B);
    expect(s, adit_ike_load(s->host[B].ike, kept, n));
    lose(s);
    again(s, false);
    expect(s, wire.refusals == 1);
}

/* --- configurations ----------------------------------------------------------------------------------------------------- */

static void reload(struct sim *s, int host)
{
    struct adit_config *cfg = sim_conf_build(s, host);
    struct adit_why why = { 0 };
    expect(s, adit_ike_config(s->host[host].ike, cfg, s->now, &why) == ADIT_OK, "%s", why.text);
    adit_config_unref(cfg);
}

SIM_TEST(what_is_no_longer_configured_is_not_resumed)
{
    sim_configure(s, BOTH_YES, .ike = "aes128gcm16-prfsha256-x25519");
    begin(s);
    restart(s, B, true);
    lose(s);
    unsigned which = (unsigned)(s->seed % 4);
    for (int i = 0; i < 2; i++) {
        if (which == 0) /* now it is to be safe from quantum computers */
            s->conf[i].ike = "aes128gcm16-prfsha256-x25519-ke1_mlkem768";
        if (which == 1)
            s->conf[i].psk = "another secret of the simulation";
        if (which == 2)
            s->conf[i].cert = "ecdsa";
        if (which == 3)
            s->conf[i].option[0].value = "no";
        reload(s, i);
    }
    watch(s);
    again(s, false);
    expect(s, wire.resume == 0 && wire.init == 1);
}

SIM_TEST(the_gateway_has_changed_its_mind)
{
    sim_configure(s, BOTH_YES);
    begin(s);
    restart(s, B, true);
    lose(s);
    s->conf[B].option[0].value = "no";
    reload(s, B);
    again(s, false);
    expect(s, wire.resume == 1 && wire.refusals == 1);
}

static void never(struct sim *s)
{
    begin(s);
    restart(s, B, false);
    lose(s);
    again(s, false);
    expect(s, wire.resume == 0);
}

SIM_TEST(nobody_asks_by_default)
{
    sim_configure(s, .dpd_s = 20, .unique = ADIT_UNIQUE_REPLACE);
    never(s);
}

SIM_TEST(a_peer_without_it)
{
    sim_configure_host(s, A, BOTH_YES);
    sim_configure_host(s, B, .option = { { "resumption", "no" } }, .unique = ADIT_UNIQUE_REPLACE);
    never(s);
}

SIM_TEST(granted_to_who_asks)
{
    sim_configure_host(s, A, BOTH_YES);
    sim_configure_host(s, B, .unique = ADIT_UNIQUE_REPLACE);
    begin(s);
    restart(s, B, true);
    lose(s);
    again(s, true);
}

/* An opening that nobody answers gives way to IKE_SA_INIT; the ticket is tried again after that. */
static size_t swallowing(struct sim *s, int from, uint8_t *d, size_t n)
{
    look(from, d, n);
    if (d[18] == XCHG_IKE_SESSION_RESUME && from == A)
        d[18] = 250; /* of no use to B */
    return n;
}

SIM_TEST(nobody_answers_it)
{
    sim_configure(s, BOTH_YES);
    begin(s);
    restart(s, B, true);
    lose(s);
    watch(s);
    s->tamper = swallowing;
    again(s, false);
    expect(s, wire.resume == 3 && wire.init == 1, "%u, %u", wire.resume, wire.init);
}

/* The proof of who the peer is does not become younger by being resumed. */
SIM_TEST(reauthentication_is_not_put_off)
{
    sim_configure(s, .option = { YES }, .dpd_s = 20, .reauth_s = 3600, .unique = ADIT_UNIQUE_REPLACE);
    sim_establish(s);
    uint64_t by = newest(s, A)->reauth_by;
    sim_run(s, MINUTES(20));
    watch(s);
    restart(s, B, true);
    lose(s);
    again(s, true);
    expect(s, newest(s, A)->reauth_by <= by + 1000000000 && newest(s, B)->reauth_by <= by + 1000000000);
    sim_run(s, MINUTES(50));
    expect(s, wire.init >= 1, "IKE_SA_INIT has come");
    all_is_well(s, false);
}

static const struct sim_case cases[] = {
    SIM_CASE(a_restarted_gateway_that_kept_its_keys),
    SIM_CASE(a_restarted_gateway_without_its_keys),
    SIM_CASE(a_network_that_was_away),
    SIM_CASE(over_a_bad_link),
    SIM_CASE(with_certificates_and_hybrid_keys),
    SIM_CASE(a_ppk_stays_in_it),
    SIM_CASE(cookies_come_first),
    SIM_CASE(behind_a_translator),
    SIM_CASE(both_sides_at_once),
    SIM_CASE(after_rekeying_a_new_one_is_asked_for),
    SIM_CASE(a_ticket_is_renewed_before_it_expires),
    SIM_CASE(closed_is_closed),
    SIM_CASE(a_replayed_ticket_is_refused),
    SIM_CASE(an_altered_opening),
    SIM_CASE(every_octet_of_a_ticket),
    SIM_CASE(the_ticket_of_another_gateway),
    SIM_CASE(what_is_no_longer_configured_is_not_resumed),
    SIM_CASE(the_gateway_has_changed_its_mind),
    SIM_CASE(nobody_asks_by_default),
    SIM_CASE(a_peer_without_it),
    SIM_CASE(granted_to_who_asks),
    SIM_CASE(nobody_answers_it),
    SIM_CASE(reauthentication_is_not_put_off),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 12);
}
