/* test_window.c - several requests under way at once (RFC 7296 s2.3): over good links and bad ones, towards peers with
 * windows of other sizes, and beside what has to be alone. */
#include "ike/sa.h"
#undef SECONDS
#undef MILLISECONDS
#include "support/sim.h"

static const char *const nets[] = { "net2",  "net3",  "net4",  "net5",  "net6",  "net7",  "net8",
                                    "net9",  "net10", "net11", "net12", "net13", "net14", "net15",
                                    "net16", "net17", "net18", "net19", "net20", "net21" };
#define SLOW "aes128gcm16-ecp384" /* its key exchange is a job */
#define NETS ARRAY_LEN(nets)

static struct ike_sa *newest(struct sim *s, int host)
{
    struct list *all = &((struct ike *)s->host[host].ike)->sas;
    return list_empty(all) ? NULL : list_entry(all->prev, struct ike_sa, link);
}

/* The IKE SA is up, with net in it. */
static void begin_with(struct sim *s, uint16_t of_a, uint16_t of_b, const char *esp)
{
    sim_configure_host(s, A, .n_children = NETS + 1, .window = of_a, .esp = esp);
    sim_configure_host(s, B, .n_children = NETS + 1, .window = of_b, .esp = esp);
    sim_establish(s);
    sim_run(s, SECONDS(2));
    expect(s, newest(s, A)->peer_window == of_b && newest(s, B)->peer_window == of_a);
    expect(s, newest(s, A)->window == of_a && newest(s, B)->window == of_b);
}

static void begin(struct sim *s, uint16_t of_a, uint16_t of_b)
{
    begin_with(s, of_a, of_b, NULL);
}

/* All others at once; how long it takes. */
static uint64_t create_all(struct sim *s, int host, uint64_t patience)
{
    uint64_t cookies[NETS], from = s->now;
    for (size_t i = 0; i < NETS; i++)
        cookies[i] = sim_command(s, host, ADIT_CMD_INITIATE, .conn = "peer", .child = nets[i]);
    for (size_t i = 0; i < NETS; i++)
        expect(s, sim_wait(s, host, cookies[i], patience) == ADIT_OK, "%s", nets[i]);
    return s->now - from;
}

static void rekey_all(struct sim *s, int host)
{
    uint64_t cookies[NETS];
    for (size_t i = 0; i < NETS; i++)
        cookies[i] = sim_command(s, host, ADIT_CMD_REKEY, .child = nets[i]);
    for (size_t i = 0; i < NETS; i++)
        expect(s, sim_wait(s, host, cookies[i], MINUTES(4)) == ADIT_OK, "%s", nets[i]);
}

static void all_is_well(struct sim *s, unsigned children)
{
    sim_run(s, SECONDS(30));
    expect_children(s, children);
    expect_same_keys(s);
    expect_no_garbage(s);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "A has %u IKE SAs, B %u", sim_sas(s, A), sim_sas(s, B));
}

/* --- how long it takes ------------------------------------------------------------------------------------------- */

static void takes_rounds(struct sim *s, uint16_t of_a, uint16_t of_b, unsigned rounds)
{
    begin(s, of_a, of_b);
    sim_link(s, .delay_ms = 50);
    uint64_t took = create_all(s, A, MINUTES(1));
    expect(s, took >= rounds * MILLIS(100) && took < rounds * MILLIS(100) + MILLIS(50), "%u ms for %u round trips",
           (unsigned)(took / MILLIS(1)), rounds);
    all_is_well(s, NETS + 1);
}

SIM_TEST(twenty_child_sas_take_four_round_trips)
{
    takes_rounds(s, 5, 5, 4);
}

SIM_TEST(it_is_the_peers_window_that_counts)
{
    takes_rounds(s, 1, 5, 4);
}

SIM_TEST(towards_a_window_of_one_they_go_one_by_one)
{
    takes_rounds(s, 5, 1, 20);
}

SIM_TEST(both_with_windows_of_one)
{
    takes_rounds(s, 1, 1, 20);
}

SIM_TEST(the_largest_window)
{
    takes_rounds(s, 8, 8, 3);
}

/* A job of one request does not keep the next one waiting. */
SIM_TEST(key_exchanges_run_side_by_side)
{
    begin_with(s, 5, 5, SLOW);
    sim_link(s, .delay_ms = 1);
    sim_slow_jobs(s, 100);
    uint64_t took = create_all(s, A, MINUTES(1));
    expect(s, took > 4 * 3 * MILLIS(100) && took < 4 * 3 * MILLIS(110), "%u ms", (unsigned)(took / MILLIS(1))); /* A's key, B's both, A's secret */
    all_is_well(s, NETS + 1);
}

/* B computes for a new Child SA; what is asked after that is answered before. */
SIM_TEST(what_is_computed_keeps_nothing_else_waiting)
{
    begin_with(s, 5, 5, SLOW);
    sim_link(s, .delay_ms = 1);
    create_all(s, A, MINUTES(1));
    uint64_t quick = 0, slow = sim_command(s, A, ADIT_CMD_REKEY, .child = "net2");
    sim_run(s, MILLIS(10));
    expect(s, newest(s, B)->window == 5 && !sa_in(newest(s, B)));
    sim_slow_jobs(s, 1000);
    slow = sim_command(s, A, ADIT_CMD_REKEY, .child = "net3");
    sim_run(s, MILLIS(1010)); /* A's key is there, and its request at B */
    expect(s, sa_in(newest(s, B)) && sa_in(newest(s, B))->waiting);
    uint64_t from = s->now;
    quick = sim_command(s, A, ADIT_CMD_TERMINATE, .child = "net4");
    expect(s, sim_wait(s, A, quick, SECONDS(1)) == ADIT_OK && s->now - from < MILLIS(10));
    expect(s, sa_in(newest(s, B)));
    expect(s, sim_wait(s, A, slow, SECONDS(10)) == ADIT_OK);
    sim_slow_jobs(s, 0);
    all_is_well(s, NETS);
}

/* --- bad links ------------------------------------------------------------------------------------------------------ */

static void on_a_bad_link(struct sim *s, uint16_t of_a, uint16_t of_b)
{
    begin(s, of_a, of_b);
    sim_link(s, .delay_ms = 20, .jitter_ms = 200, .loss = 0.15, .dup = 0.2, .reorder = 0.3, .garble = 0.1);
    create_all(s, A, MINUTES(30));
    rekey_all(s, B);
    rekey_all(s, A);
    sim_link(s, .delay_ms = 20);
    sim_run(s, MINUTES(4));
    all_is_well(s, NETS + 1);
}

SIM_TEST(loss_reordering_and_duplicates_five_and_five)
{
    on_a_bad_link(s, 5, 5);
}

SIM_TEST(loss_reordering_and_duplicates_one_and_five)
{
    on_a_bad_link(s, 1, 5);
}

SIM_TEST(loss_reordering_and_duplicates_eight_and_two)
{
    on_a_bad_link(s, 8, 2);
}

/* Fragments of several messages arrive mixed. */
SIM_TEST(fragmented_requests_side_by_side)
{
    static const struct adit_option small = { "fragment_size", "576" };
    for (int host = A; host <= B; host++)
        sim_configure_host(s, host, .n_children = NETS + 1, .window = 5, .esp = "aes128gcm16-x25519-ke1_mlkem768",
                           .daemon_option = { small });
    sim_establish(s);
    sim_run(s, SECONDS(2));
    sim_link(s, .delay_ms = 20, .jitter_ms = 60, .reorder = 0.5, .mtu = 576);
    uint64_t took = create_all(s, A, MINUTES(1));
    expect(s, took < SECONDS(4), "%u ms: some were repeated", (unsigned)(took / MILLIS(1)));
    all_is_well(s, NETS + 1);
}

/* Of the first five the first one is lost: the others are answered meanwhile, and no sixth goes out before it is there. */
SIM_TEST(a_lost_request_holds_the_window)
{
    begin(s, 5, 5);
    sim_link(s, .delay_ms = 50, .drop_mask = 1);
    for (size_t i = 0; i < NETS; i++)
        sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = nets[i]);
    sim_run(s, SECONDS(2));
    expect(s, sa_out(newest(s, A)) && !sa_next_out(newest(s, A), sa_out(newest(s, A))));
    expect_children(s, 5); /* net and four */
    expect(s, newest(s, B)->next_expect + 4 == newest(s, A)->next_send - 1);
    sim_run(s, SECONDS(30));
    all_is_well(s, NETS + 1);
}

/* --- both at once, and what goes alone ------------------------------------------------------------------------------- */

SIM_TEST(both_rekey_all_at_once)
{
    begin(s, 5, 5);
    sim_link(s, .delay_ms = 20, .jitter_ms = 15);
    create_all(s, A, MINUTES(1));
    for (size_t i = 0; i < NETS; i++)
        sim_both(s, ADIT_CMD_REKEY, .child = nets[i]);
    sim_run(s, MINUTES(2));
    all_is_well(s, NETS + 1);
}

/* The second command comes while the further key exchanges of the first one run. */
SIM_TEST(a_child_sa_is_not_rekeyed_twice_at_once)
{
    begin_with(s, 5, 5, "aes128gcm16-x25519-ke1_ecp384");
    create_all(s, A, MINUTES(1));
    sim_link(s, .delay_ms = 100);
    sim_slow_jobs(s, 200);
    sim_traffic(s, MILLIS(20));
    sim_run(s, SECONDS(1));
    for (unsigned after = 50; after < 1200; after += 50) {
        sim_command(s, A, ADIT_CMD_REKEY, .child = nets[0]);
        sim_run(s, MILLIS(after));
        sim_command(s, A, ADIT_CMD_REKEY, .child = nets[0]);
        sim_run(s, SECONDS(20));
    }
    all_is_well(s, NETS + 1);
    expect_no_gap(s);
}

SIM_TEST(both_create_all_at_once)
{
    begin(s, 5, 5);
    sim_link(s, .delay_ms = 20, .jitter_ms = 15);
    for (size_t i = 0; i < NETS; i++)
        sim_both(s, ADIT_CMD_INITIATE, .conn = "peer", .child = nets[i]);
    sim_run(s, MINUTES(2));
    expect_same_keys(s);
    sim_run(s, SECONDS(30));
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1);
}

/* The new IKE SA begins with a window of 1, and both tell theirs anew. */
SIM_TEST(the_ike_sa_is_rekeyed_meanwhile)
{
    begin(s, 5, 5);
    sim_link(s, .delay_ms = 50);
    uint32_t before = newest(s, A)->id;
    uint64_t ike = 0, cookies[NETS];
    for (size_t i = 0; i < NETS; i++) {
        cookies[i] = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = nets[i]);
        if (i == 7)
            ike = sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    }
    expect(s, sim_wait(s, A, ike, MINUTES(1)) == ADIT_OK);
    expect(s, newest(s, A)->id != before && newest(s, A)->peer_window == 1);
    for (size_t i = 0; i < NETS; i++)
        expect(s, sim_wait(s, A, cookies[i], MINUTES(1)) == ADIT_OK, "%s", nets[i]);
    expect(s, newest(s, A)->peer_window == 5 && newest(s, B)->peer_window == 5);
    all_is_well(s, NETS + 1);
}

SIM_TEST(both_rekey_everything_at_once)
{
    begin(s, 5, 5);
    sim_link(s, .delay_ms = 20, .jitter_ms = 15);
    create_all(s, B, MINUTES(1));
    sim_traffic(s, MILLIS(50));
    sim_run(s, SECONDS(1));
    for (size_t i = 0; i < NETS; i++)
        sim_both(s, ADIT_CMD_REKEY, .child = nets[i]);
    sim_both(s, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MINUTES(4));
    all_is_well(s, NETS + 1);
    expect_no_gap(s);
}

/* Never more than the window, and nothing beside what has to be alone: seen at each step. */
static void look(struct sim *s, unsigned most)
{
    for (int host = A; host <= B; host++) {
        list_for_each(it, &((struct ike *)s->host[host].ike)->sas) {
            const struct ike_sa *sa = list_entry(it, struct ike_sa, link);
            unsigned n = 0, alone = 0;
            for (const struct ike_xchg *x = NULL; (x = sa_next_out(sa, x)); n++)
                alone += x->alone;
            expect(s, n <= most && (!alone || n == 1), "%u under way, %u of them alone", n, alone);
        }
    }
}

SIM_TEST(what_has_to_be_alone_is)
{
    begin(s, 5, 5);
    sim_link(s, .delay_ms = 20, .jitter_ms = 40, .loss = 0.1, .reorder = 0.2);
    for (size_t i = 0; i < NETS; i++) {
        sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = nets[i]);
        if (i % 7 == 3)
            sim_command(s, i % 2 ? A : B, ADIT_CMD_REKEY, .conn = "peer");
        for (int k = 0; k < 10; k++) {
            sim_run(s, MILLIS(5));
            look(s, 5);
        }
    }
    for (int k = 0; k < 2000; k++) {
        sim_run(s, MILLIS(20));
        look(s, 5);
    }
    sim_link(s, .delay_ms = 20);
    sim_run(s, MINUTES(4));
    all_is_well(s, NETS + 1);
}

SIM_TEST(it_ends_while_five_are_under_way)
{
    begin(s, 5, 5);
    sim_link(s, .delay_ms = 50);
    for (size_t i = 0; i < NETS; i++)
        sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = nets[i]);
    sim_run(s, MILLIS(70));
    sim_command(s, B, ADIT_CMD_TERMINATE, .conn = "peer");
    sim_run(s, MINUTES(1));
    expect(s, sim_sas(s, A) == 0 && sim_sas(s, B) == 0);
}

/* All requests are given up together: the IKE SA ends once. */
SIM_TEST(the_peer_dies_while_five_are_under_way)
{
    begin(s, 5, 5);
    sim_cut(s, B, true);
    for (size_t i = 0; i < NETS; i++)
        sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = nets[i]);
    sim_run(s, MINUTES(5));
    expect(s, sim_sas(s, A) == 0);
    sim_cut(s, B, false);
}

int main(int argc, char **argv)
{
    static const struct sim_case cases[] = {
        SIM_CASE(twenty_child_sas_take_four_round_trips),
        SIM_CASE(it_is_the_peers_window_that_counts),
        SIM_CASE(towards_a_window_of_one_they_go_one_by_one),
        SIM_CASE(both_with_windows_of_one),
        SIM_CASE(the_largest_window),
        SIM_CASE(key_exchanges_run_side_by_side),
        SIM_CASE(what_is_computed_keeps_nothing_else_waiting),
        SIM_CASE(loss_reordering_and_duplicates_five_and_five),
        SIM_CASE(loss_reordering_and_duplicates_one_and_five),
        SIM_CASE(loss_reordering_and_duplicates_eight_and_two),
        SIM_CASE(fragmented_requests_side_by_side),
        SIM_CASE(a_lost_request_holds_the_window),
        SIM_CASE(both_rekey_all_at_once),
        SIM_CASE(a_child_sa_is_not_rekeyed_twice_at_once),
        SIM_CASE(both_create_all_at_once),
        SIM_CASE(the_ike_sa_is_rekeyed_meanwhile),
        SIM_CASE(both_rekey_everything_at_once),
        SIM_CASE(what_has_to_be_alone_is),
        SIM_CASE(it_ends_while_five_are_under_way),
        SIM_CASE(the_peer_dies_while_five_are_under_way),
    };
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 5);
}
