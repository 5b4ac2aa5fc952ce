/* sim_optrekey.c - rekeying without SA and TS payloads between two hosts: what is on the wire, what is inherited, crossing
 * and lossy rekeyings, refusals (draft-ietf-ipsecme-ikev2-sa-ts-payloads-opt). */
#include "support/sim.h"
#undef SECONDS /* ike/limits.h has the same */
#include "ike/sa.h"

#define HYBRID .ike = "aes256gcm16-prfsha384-x25519-ke1_mlkem768", .esp = "aes256gcm16-x25519-ke1_mlkem768"

static struct ike *engine(struct sim *s, int host)
{
    return (struct ike *)s->host[host].ike;
}

static struct ike_sa *newest(struct sim *s, int host)
{
    struct list *sas = &engine(s, host)->sas;
    return list_empty(sas) ? NULL : list_entry(sas->prev, struct ike_sa, link);
}

static struct ike_child *child(struct sim *s, int host)
{
    struct ike_sa *sa = newest(s, host);
    expect(s, sa && !list_empty(&sa->children));
    return list_entry(sa->children.prev, struct ike_child, link);
}

static uint64_t shorts(struct sim *s, int host)
{
    return sim_counter(s, host, ADIT_C_SHORT_REKEYS);
}

/* --- on the wire: the receiver's keys open a copy of each CREATE_CHILD_SA ------------------------------------------ */

static struct {
    unsigned messages, sa, ts, ke, short_form;
    size_t plain; /* octets */
} wire;

static void count(struct sim *s, const struct payload *p)
{
    struct rd in = rd_init(p->body);
    struct notify n;
    wire.sa += p->type == PLD_SA;
    wire.ts += p->type == PLD_TSi || p->type == PLD_TSr;
    wire.ke += p->type == PLD_KE;
    if (p->type != PLD_NOTIFY)
        return;
    expect(s, notify_get(&in, &n));
    if (n.type != N_OPTIMIZED_REKEY)
        return;
    wire.short_form++;
    expect(s, n.proto == 0 && n.spi.n == 0 && (n.data.n == 4 || n.data.n == 8));
}

static size_t look(struct sim *s, int from, uint8_t *d, size_t n)
{
    static uint8_t copy[65535];
    static struct payload_list list;
    struct ike_sa *sa = newest(s, !from);
    struct adit_span plain;
    if (d[18] != XCHG_CREATE_CHILD_SA || d[IKE_HDR_NEXT_AT] != PLD_SK || !sa)
        return n;
    span_copy(copy, span(d, n));
    if (sa_open(sa, copy, n, IKE_HDR_SIZE + 4, &plain) != ADIT_OK)
        return n;
    struct rd in = rd_init(plain);
    expect(s, payloads_get(&in, d[IKE_HDR_SIZE], &list, NULL));
    for (unsigned i = 0; i < list.n; i++)
        count(s, &list.v[i]);
    wire.messages++;
    wire.plain += plain.n;
    return n;
}

static void watch(struct sim *s)
{
    wire = (typeof(wire)){ 0 };
    s->tamper = look;
}

/* --- steps of the stories ------------------------------------------------------------------------------------------ */

static void start(struct sim *s)
{
    sim_establish(s);
    sim_traffic(s, MILLIS(50));
    sim_run(s, SECONDS(1));
}

static void all_is_well(struct sim *s)
{
    expect_children(s, 1);
    expect_same_keys(s);
    expect_flows(s);
    expect_no_garbage(s);
    expect_no_gap(s);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1);
}

static void rekey(struct sim *s, int host, bool ike)
{
    uint32_t old = simhost_sender(&s->host[A])->spi_out;
    uint64_t old_ike = sa_spi_i(newest(s, A));
    uint64_t cookie = ike ? sim_command(s, host, ADIT_CMD_REKEY, .conn = "peer")
                          : sim_command(s, host, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, host, cookie, MINUTES(4)) == ADIT_OK);
    sim_run(s, SECONDS(20));
    all_is_well(s);
    expect(s, (old == simhost_sender(&s->host[A])->spi_out) == ike);
    expect(s, (old_ike == sa_spi_i(newest(s, A))) == !ike);
}

static void expect_shorts(struct sim *s, unsigned n)
{
    expect(s, shorts(s, A) == n && shorts(s, B) == n, "A %u, B %u instead of %u", (unsigned)shorts(s, A),
           (unsigned)shorts(s, B), n);
}

/* --- the short form ------------------------------------------------------------------------------------------------ */

SIM_TEST(ike_by_either_side)
{
    start(s);
    watch(s);
    for (unsigned i = 0; i < 4; i++)
        rekey(s, (int)(i & 1), true);
    expect_shorts(s, 4);
    expect(s, wire.messages == 8 && wire.short_form == 8 && wire.ke == 8 && !wire.sa && !wire.ts);
    struct adit_ike_info info;
    expect(s, sim_info(s, A, &info) && info.short_rekeys);
}

/* The draft's s5.1: IKE_AUTH has left open whether the Child SA has a key exchange. */
SIM_TEST(first_child_is_rekeyed_regularly_once)
{
    start(s);
    watch(s);
    rekey(s, (int)(s->seed & 1), false);
    expect_shorts(s, 0);
    expect(s, wire.messages == 2 && wire.sa == 2 && wire.ts == 4 && !wire.short_form);
    size_t regular = wire.plain;
    watch(s);
    rekey(s, A, false);
    expect(s, wire.messages == 2 && wire.short_form == 2 && wire.ke == 2 && !wire.sa && !wire.ts);
    expect(s, regular - wire.plain == 160, "%zu octets instead of %zu", wire.plain, regular);
    rekey(s, B, false);
    rekey(s, A, true);
    rekey(s, B, false);
    expect_shorts(s, 4);
}

SIM_TEST(child_of_its_own_exchange_at_once)
{
    sim_configure(s, .option = { { "childless", "force" } });
    start(s);
    rekey(s, B, false);
    expect_shorts(s, 1);
}

SIM_TEST(child_without_key_exchange)
{
    sim_configure(s, .esp = "aes128gcm16");
    start(s);
    rekey(s, A, false);
    watch(s);
    rekey(s, B, false);
    rekey(s, A, false);
    expect_shorts(s, 2);
    expect(s, wire.short_form == 4 && !wire.ke && !wire.sa && !wire.ts);
}

static void with_mlkem(struct sim *s)
{
    sim_configure(s, HYBRID);
    start(s);
    rekey(s, A, false);
    for (int i = 0; i < 2; i++) {
        rekey(s, i, true);
        rekey(s, i, false);
        expect(s, sa_suite(newest(s, A))->ke[1] == KE_ML_KEM_768 && child(s, B)->suite.ke[1] == KE_ML_KEM_768);
    }
    expect_shorts(s, 4);
}

SIM_TEST(several_key_exchanges)
{
    watch(s);
    with_mlkem(s);
    expect(s, wire.short_form == 8);
}

SIM_TEST(several_slow_key_exchanges)
{
    sim_slow_jobs(s, 30);
    with_mlkem(s);
}

SIM_TEST(selectors_and_mode_stay)
{
    sim_configure_host(s, A, .transport = true, .local_ts = "192.0.2.1/32[udp/5000]", .remote_ts = "192.0.2.2/32[udp]");
    sim_configure_host(s, B, .transport = true, .local_ts = "192.0.2.1/32[udp]", .remote_ts = "192.0.2.2/32[udp]");
    start(s);
    struct simchild before = *simhost_sender(&s->host[B]);
    for (int i = 0; i < 4; i++)
        rekey(s, i & 1, false);
    expect_shorts(s, 3);
    const struct simchild *now = simhost_sender(&s->host[B]);
    expect(s, now->mode == ADIT_MODE_TRANSPORT && now->n_remote == 1 && now->n_local == 1);
    expect(s, ts_equal(&now->remote[0], &before.remote[0]) && ts_equal(&now->local[0], &before.local[0]));
    expect(s, now->reqid == before.reqid);
}

/* --- who can ------------------------------------------------------------------------------------------------------- */

SIM_TEST(options_of_both)
{
    static const char *const words[] = { "no", "auto", "yes" };
    const char *a = words[s->seed % 3], *b = words[s->seed / 3 % 3];
    sim_configure_host(s, A, .option = { { "optrekey", a } });
    sim_configure_host(s, B, .option = { { "optrekey", b } });
    bool can = a != words[0] && b != words[0];
    struct adit_ike_info info;
    start(s);
    expect(s, sim_info(s, B, &info) && info.short_rekeys == can);
    rekey(s, A, false);
    rekey(s, B, false);
    rekey(s, A, true);
    rekey(s, B, true);
    expect_shorts(s, can ? 3 : 0);
}

/* B takes A for another's implementation, as if it had shown no Vendor ID of ours. */
static size_t estrange(struct sim *s, int from, uint8_t *d, size_t n)
{
    if (d[18] == XCHG_IKE_SA_INIT && from == B) {
        expect(s, newest(s, B)->peer_private);
        newest(s, B)->peer_private = false;
    }
    return n;
}

/* Private numbers go to strangers only if the configuration says so. */
SIM_TEST(peer_that_is_not_adit)
{
    bool told = s->seed & 1;
    if (told)
        sim_configure(s, .option = { { "optrekey", "yes" } });
    s->tamper = estrange;
    start(s);
    rekey(s, A, true);
    rekey(s, B, true);
    expect_shorts(s, told ? 2 : 0);
}

static void reload(struct sim *s, int host)
{
    struct adit_why why = { 0 };
    struct adit_config *cfg = sim_conf_build(s, host);
    expect(s, adit_ike_config(s->host[host].ike, cfg, s->now, &why) == ADIT_OK, "%s", why.text);
    adit_config_unref(cfg);
}

/* Loaded again unchanged, it stands; with other proposals, whoever has them asks and is asked in the regular form. */
SIM_TEST(other_configuration)
{
    start(s);
    rekey(s, A, false);
    reload(s, A);
    reload(s, B);
    rekey(s, A, false);
    rekey(s, B, true);
    expect_shorts(s, 2);
    sim_configure_host(s, B, .ike = "aes128gcm16-prfsha256-x25519,aes256gcm16-prfsha384-x25519",
                       .esp = "aes128gcm16-x25519,aes256gcm16-x25519");
    reload(s, B);
    watch(s);
    rekey(s, A, false); /* asked short, refused, asked again */
    expect(s, wire.short_form == 1 && wire.sa == 2);
    rekey(s, A, true);
    expect(s, wire.short_form == 2 && wire.sa == 4);
    rekey(s, B, false); /* what both have by now was made with the new one */
    rekey(s, B, true);
    expect(s, wire.short_form == 6 && wire.sa == 4);
    expect_shorts(s, 4);
}

/* NO_PROPOSAL_CHOSEN, not INVALID_KE_PAYLOAD, for another key exchange or none, and where B knows of no agreement: the
 * IKE SA lives, and the regular form follows at once. */
SIM_TEST(refused_for_any_reason)
{
    bool ike = s->seed & 1;
    start(s);
    rekey(s, A, false);
    struct adit_suite *mine = ike ? &newest(s, A)->suite : &child(s, A)->suite;
    switch (s->seed / 2 % 3) {
    case 0: mine->ke[0] = KE_ECP_256; break;
    case 1: mine->ke[0] = ike ? KE_ECP_384 : 0; break;
    default: newest(s, B)->announced_peer = 0; break;
    }
    watch(s);
    rekey(s, A, ike);
    expect(s, wire.short_form == 1 && wire.sa == 2);
    expect_shorts(s, 0);
}

/* The next rekeying by that host is a regular one, as it may be at any time. */
static void next_is_regular(struct sim *s, int host, bool ike)
{
    struct ike_sa *sa = newest(s, host);
    struct ike_task *t = agenda_add(sa, ike ? TASK_REKEY_IKE : TASK_REKEY_CHILD,
                                    ike ? &step_rekey_ike_req : &step_rekey_child_req);
    expect(s, t);
    t->child_id = ike ? 0 : child(s, host)->id;
    t->regular = true;
}

static size_t octets(struct sim *s, bool ike, bool regular)
{
    if (regular)
        next_is_regular(s, A, ike);
    watch(s);
    rekey(s, A, ike);
    expect(s, wire.messages == 2 && wire.short_form == (regular ? 0 : 2));
    return wire.plain;
}

/* The numbers of docs/ext/: octets before encryption, request and response together. */
SIM_TEST(octets_saved)
{
    static const struct row {
        const char *ike, *esp;
        size_t of_ike, of_child;
    } rows[] = {
        { "aes128gcm16-prfsha256-x25519", "aes128gcm16-x25519", 64, 160 },
        { "aes256gcm16-prfsha384-x25519-ke1_mlkem768", "aes256gcm16-x25519-ke1_mlkem768", 80, 176 },
        { "aes256gcm16-prfsha384-x25519-ke1_mlkem768,aes256gcm16-prfsha384-x25519,aes128gcm16-prfsha256-x25519",
          "aes256gcm16-x25519-ke1_mlkem768,aes256gcm16-x25519,aes128gcm16-x25519", 168, 256 },
    };
    const struct row *r = &rows[s->seed % ARRAY_LEN(rows)];
    sim_configure(s, .ike = r->ike, .esp = r->esp);
    start(s);
    rekey(s, A, false);
    size_t ike = octets(s, true, true) - octets(s, true, false);
    size_t of_child = octets(s, false, true) - octets(s, false, false);
    expect(s, ike == r->of_ike && of_child == r->of_child, "%s: %zu, %zu", r->ike, ike, of_child);
}

/* --- crossing ------------------------------------------------------------------------------------------------------ */

static void cross(struct sim *s, bool ike, int regular_host)
{
    start(s);
    rekey(s, A, false);
    if (regular_host >= 0)
        next_is_regular(s, regular_host, ike);
    sim_link(s, .delay_ms = 20, .jitter_ms = 1 + s->seed % 60);
    if (ike)
        sim_both(s, ADIT_CMD_REKEY, .conn = "peer");
    else
        sim_both(s, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, MINUTES(8));
    all_is_well(s);
}

SIM_TEST(both_short_child)
{
    cross(s, false, -1);
    expect(s, shorts(s, A) && shorts(s, B));
}

SIM_TEST(both_short_ike)
{
    cross(s, true, -1);
    expect(s, shorts(s, A) && shorts(s, B));
}

SIM_TEST(short_and_regular_child)
{
    cross(s, false, (int)(s->seed & 1));
}

SIM_TEST(short_and_regular_ike)
{
    cross(s, true, (int)(s->seed & 1));
}

SIM_TEST(crossing_with_several_key_exchanges)
{
    sim_configure(s, HYBRID);
    cross(s, s->seed & 1, s->seed % 3 ? -1 : B);
}

SIM_TEST(child_and_ike_cross)
{
    start(s);
    rekey(s, A, false);
    sim_link(s, .delay_ms = 20, .jitter_ms = 1 + s->seed % 60);
    sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    sim_command(s, B, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MINUTES(8));
    all_is_well(s);
}

SIM_TEST(over_a_bad_link)
{
    sim_configure(s, HYBRID);
    start(s);
    rekey(s, B, false);
    sim_link(s, .delay_ms = 20, .jitter_ms = 30, .loss = 0.2, .dup = 0.2, .reorder = 0.2);
    sim_both(s, ADIT_CMD_REKEY, .child = "net");
    sim_run(s, MINUTES(1));
    sim_command(s, (int)(s->seed & 1), ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MINUTES(4));
    sim_link(s, .delay_ms = 20);
    sim_run(s, MINUTES(4));
    all_is_well(s);
    expect(s, shorts(s, A) && shorts(s, B));
}

static const struct sim_case cases[] = {
    SIM_CASE(ike_by_either_side),
    SIM_CASE(first_child_is_rekeyed_regularly_once),
    SIM_CASE(child_of_its_own_exchange_at_once),
    SIM_CASE(child_without_key_exchange),
    SIM_CASE(several_key_exchanges),
    SIM_CASE(several_slow_key_exchanges),
    SIM_CASE(selectors_and_mode_stay),
    SIM_CASE(options_of_both),
    SIM_CASE(peer_that_is_not_adit),
    SIM_CASE(other_configuration),
    SIM_CASE(refused_for_any_reason),
    SIM_CASE(octets_saved),
    SIM_CASE(both_short_child),
    SIM_CASE(both_short_ike),
    SIM_CASE(short_and_regular_child),
    SIM_CASE(short_and_regular_ike),
    SIM_CASE(crossing_with_several_key_exchanges),
    SIM_CASE(child_and_ike_cross),
    SIM_CASE(over_a_bad_link),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 18);
}
