/* test_quirks.c - peers that are known for something (src/ike/quirks.c), end to end. */
#include "ike/sa.h"
#undef SECONDS
#undef MILLISECONDS
#include "support/sim.h"

static struct ike_sa *inside(struct sim *s, int host)
{
    struct list *all = &((struct ike *)s->host[host].ike)->sas;
    return list_empty(all) ? NULL : list_entry(all->next, struct ike_sa, link);
}

static uint16_t first_port; /* to which A sent its first message */

static size_t watch(struct sim *s, int from, uint8_t *datagram, size_t n)
{
    if (from == A && !first_port)
        first_port = inside(s, A)->path.remote.port;
    return n;
}

static void begin_at(struct sim *s, const char *peer, uint16_t port)
{
    sim_configure_host(s, A, .peer = peer, .option = { { "mobike", "no" } });
    first_port = 0;
    s->tamper = watch;
    sim_establish(s);
    expect(s, first_port == port, "port %u", first_port);
    expect_flows(s);
}

SIM_TEST(starting_on_4500_because_of_the_peer)
{
    sim_nat(s, A);
    begin_at(s, "cloudflare", 4500);
}

SIM_TEST(starting_on_500_with_others)
{
    sim_nat(s, A);
    begin_at(s, "strongswan", 500);
}

static void numbers_are(struct sim *s, int who, const char *peer, uint16_t sn)
{
    struct adit_ike_info sa;
    struct adit_child_info child;
    sim_configure(s, .esp = "aes128gcm16-x25519-esn-noesn");
    sim_configure_host(s, who, .esp = "aes128gcm16-x25519-esn-noesn", .peer = peer);
    sim_establish(s);
    for (int i = A; i <= B; i++) {
        expect(s, sim_info(s, i, &sa) && adit_ike_child_info(s->host[i].ike, sa.id, 0, &child));
        expect(s, child.spec.suite.sn == sn, "%s: %u", s->host[i].name, child.spec.suite.sn);
    }
    uint64_t cookie = sim_command(s, B, ADIT_CMD_REKEY, .child = "net"); /* asked by the other side, too */
    expect(s, sim_wait(s, B, cookie, SECONDS(20)) == ADIT_OK);
    sim_run(s, SECONDS(2));
    expect(s, sim_info(s, A, &sa) && adit_ike_child_info(s->host[A].ike, sa.id, sa.n_children - 1, &child));
    expect(s, child.spec.suite.sn == sn);
}

SIM_TEST(numbers_of_64_bits_are_not_offered)
{
    numbers_are(s, A, "cloudflare", SN_32_BIT);
}

SIM_TEST(numbers_of_64_bits_are_not_taken)
{
    numbers_are(s, B, "cloudflare", SN_32_BIT);
}

SIM_TEST(numbers_of_64_bits_with_others)
{
    numbers_are(s, A, NULL, SN_64_BIT_PARTIAL);
}

static const char *mark(const struct adit_ike_info *sa, const char *key)
{
    for (unsigned i = 0; i < sa->n_marks; i++)
        if (!strcmp(sa->marks[i].key, key))
            return sa->marks[i].value;
    return "";
}

SIM_TEST(the_kind_is_shown)
{
    struct adit_ike_info sa;
    sim_configure_host(s, A, .peer = "mikrotik");
    sim_establish(s);
    expect(s, sim_info(s, A, &sa) && !strcmp(mark(&sa, "peer-kind"), "mikrotik"));
    expect(s, !strcmp(mark(&sa, "peer-evidence"), "configuration"));
    expect(s, sim_info(s, B, &sa) && !*mark(&sa, "peer-kind"), "nothing is known of A");
}

static unsigned added;

/* Puts a payload CP before all others of A's CREATE_CHILD_SA requests, as RouterOS does. */
static size_t add_cp(struct sim *s, int from, uint8_t *datagram, size_t n)
{
    enum { HEAD = 28, SK_AT = 16, MARKER = 4, CP = 47, SK = 46 };
    static const uint8_t cp[] = { 0, 0, 0, 8 + 4, 1 /* CFG_REQUEST */, 0, 0, 0, 0, 1, 0, 0 };
    static uint8_t plain[4000], room[4000];
    size_t skip = !memcmp(datagram, "\0\0\0\0", MARKER) ? MARKER : 0;
    uint8_t *d = datagram + skip;
    struct adit_span inner;
    struct wr w;
    if (from != A || d[SK_AT] != SK || d[18] != XCHG_CREATE_CHILD_SA || (d[19] & 0x20))
        return n;
    if (sa_open(inside(s, B), d, n - skip, HEAD + 4, &inner) != ADIT_OK)
        return n;
    added++;
    memcpy(plain, cp, sizeof(cp));
    plain[0] = d[HEAD];
    memcpy(plain + sizeof(cp), inner.p, inner.n);
    wr_init(&w, room, sizeof(room));
    wr_span(&w, span(d, HEAD + 4));
    size_t whole = HEAD + 4 + inner.n + sizeof(cp) + sa_seal_overhead(inside(s, A), inner.n + sizeof(cp));
    room[HEAD] = CP;
    room[26] = (uint8_t)(whole >> 8), room[27] = (uint8_t)whole;
    room[HEAD + 2] = (uint8_t)((whole - HEAD) >> 8), room[HEAD + 3] = (uint8_t)(whole - HEAD);
    expect(s, sa_seal(inside(s, A), &w, 0, span(plain, inner.n + sizeof(cp))) == ADIT_OK && w.n == whole);
    memcpy(d, room, w.n);
    return skip + w.n;
}

SIM_TEST(configuration_payload_in_a_rekeying)
{
    sim_establish(s);
    added = 0;
    s->tamper = add_cp;
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, A, cookie, SECONDS(20)) == ADIT_OK, "%s", simhost_done(&s->host[A], cookie)->text);
    s->tamper = NULL;
    expect(s, added == 1, "%u", added);
    sim_run(s, SECONDS(10));
    expect_children(s, 1);
    expect_same_keys(s);
}

/* The network is away until A has given up; then A comes back, by its ticket if both compute AUTH alike. */
static void come_back(struct sim *s, const char *at_a, const char *at_b, bool resumed)
{
    struct adit_ike_info sa;
    sim_configure_host(s, A, .option = { { "resumption", "yes" } }, .dpd_s = 20, .peer = at_a);
    sim_configure_host(s, B, .option = { { "resumption", "yes" } }, .unique = ADIT_UNIQUE_REPLACE, .peer = at_b);
    sim_establish(s);
    sim_run(s, SECONDS(10));
    sim_cut(s, A, true);
    sim_run(s, MINUTES(6));
    expect(s, sim_sas(s, A) == 0);
    sim_cut(s, A, false);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(5)) == ADIT_OK, "%s", simhost_done(&s->host[A], cookie)->text);
    sim_run(s, SECONDS(10));
    expect_children(s, 1);
    expect_same_keys(s);
    expect(s, sim_info(s, A, &sa) && !strcmp(mark(&sa, "resumed"), resumed ? "yes" : ""));
}

SIM_TEST(resumed_as_libreswan_does)
{
    come_back(s, "libreswan", "libreswan", true);
}

SIM_TEST(not_resumed_when_only_one_does_so)
{
    come_back(s, "libreswan", NULL, false);
    expect_flows(s);
}

static const struct sim_case cases[] = {
    SIM_CASE(starting_on_4500_because_of_the_peer), SIM_CASE(starting_on_500_with_others),
    SIM_CASE(numbers_of_64_bits_are_not_offered),   SIM_CASE(numbers_of_64_bits_are_not_taken),
    SIM_CASE(numbers_of_64_bits_with_others),       SIM_CASE(the_kind_is_shown),
    SIM_CASE(configuration_payload_in_a_rekeying),  SIM_CASE(resumed_as_libreswan_does),
    SIM_CASE(not_resumed_when_only_one_does_so),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 2);
}
