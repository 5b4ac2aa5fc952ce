/* test_ahead.c - dear key exchanges whose cost is hidden: keys of the next round are made while messages travel, and a stock
 * is filled while nothing else is to do. MODP-4096 is the slow method here, MODP-3072 one of the middle. */
#include "support/sim.h"
#undef SECONDS /* ike/limits.h has the same */
#include "ike/sa.h"
#undef SECONDS
#define SECONDS(n) ((uint64_t)(n)*1000000000ull)

#define TWO_ROUNDS "aes256gcm16-prfsha384-x25519-ke1_modp3072-ke2_modp4096"
#define CHILD_ROUNDS "aes256gcm16-x25519-ke1_modp3072-ke2_modp4096"

static unsigned ready(struct sim *s, int host)
{
    struct adit_ke_pool_info info;
    return adit_ike_ke_pool(s->host[host].ike, 0, &info) ? info.ready : 0;
}

static uint64_t initiate(struct sim *s, uint64_t most)
{
    uint64_t before = s->now, cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, most) == ADIT_OK, "%s", simhost_done(&s->host[A], cookie)->text);
    return (s->now - before) / 1000000;
}

static void terminate(struct sim *s)
{
    uint64_t cookie = sim_command(s, A, ADIT_CMD_TERMINATE, .conn = "peer");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, SECONDS(10));
}

/* Messages take 250 ms, each computation 400. IKE_SA_INIT and IKE_AUTH 500 each; a round: key, there, answer, back, end =
 * 1700, and 1300 if the key is there already. */
SIM_TEST(the_next_key_is_made_while_messages_travel)
{
    sim_configure(s, .ike = TWO_ROUNDS, .ke_pool = "no");
    sim_link(s, .delay_ms = 250);
    sim_slow_jobs(s, 400);
    sim_start(s);
    uint64_t ms = initiate(s, MINUTES(1));
    expect(s, sim_counter(s, A, ADIT_C_KE_AHEAD) == 1 && sim_counter(s, B, ADIT_C_KE_AHEAD) == 0);
    expect(s, ms == 500 + 1700 + 1300 + 500, "%llu ms", (unsigned long long)ms);
    expect_same_keys(s);
}

/* The answer is there before the key: the exchange waits for the one that is under way. */
SIM_TEST(a_key_that_is_not_there_yet_is_waited_for)
{
    sim_configure(s, .ike = "aes256gcm16-prfsha384-x25519-ke1_modp3072-ke2_modp4096", .ke_pool = "no");
    sim_link(s, .delay_ms = 10);
    sim_start(s);
    s->host[A].job_delay_ms = 700; /* B is quick */
    uint64_t ms = initiate(s, MINUTES(1));
    expect(s, sim_counter(s, A, ADIT_C_KE_AHEAD) == 1);
    /* 20; key 700, 20, end 700 (the next key is ready by then); 20, end 700; 20 */
    expect(s, ms == 20 + 1420 + 720 + 20, "%llu ms", (unsigned long long)ms);
    expect_same_keys(s);
}

SIM_TEST(in_rekeyings_too)
{
    sim_configure(s, .ike = TWO_ROUNDS, .esp = CHILD_ROUNDS, .ke_pool = "no");
    sim_link(s, .delay_ms = 50);
    sim_slow_jobs(s, 100);
    sim_establish(s);
    for (int host = A; host <= B; host++) {
        uint64_t before = sim_counter(s, host, ADIT_C_KE_AHEAD);
        expect(s, sim_wait(s, host, sim_command(s, host, ADIT_CMD_REKEY, .child = "net"), MINUTES(1)) == ADIT_OK);
        expect(s, sim_counter(s, host, ADIT_C_KE_AHEAD) == before + 1);
        sim_run(s, SECONDS(5));
        expect(s, sim_wait(s, host, sim_command(s, host, ADIT_CMD_REKEY, .conn = "peer"), MINUTES(1)) == ADIT_OK);
        expect(s, sim_counter(s, host, ADIT_C_KE_AHEAD) == before + 2);
        sim_run(s, SECONDS(5));
        expect_same_keys(s);
    }
    expect_no_gap(s);
    expect_no_garbage(s);
}

static struct adit_span ke_of(struct sim *s, unsigned nth)
{
    for (unsigned i = 0; i < s->tape[A].n; i++) {
        struct adit_span d = buf_span(&s->tape[A].datagram[i]);
        static struct payload_list list;
        struct rd in = rd_init(span_from(d, IKE_HDR_SIZE));
        if (d.n < IKE_HDR_SIZE || d.p[18] != XCHG_IKE_SA_INIT || nth--)
            continue;
        expect(s, payloads_get(&in, d.p[16], &list, NULL) && payloads_find(&list, PLD_KE, 0));
        return payloads_find(&list, PLD_KE, 0)->body;
    }
    sim_fail(s, __FILE__, __LINE__, "a KE payload", "of IKE_SA_INIT %u", nth);
}

/* Two are made while nothing happens; each begins one IKE SA, and no two have the same. */
SIM_TEST(keys_of_the_stock_are_used_once)
{
    sim_configure(s, .ike = "aes256gcm16-prfsha384-modp4096", .ke_pool = "modp4096:2");
    sim_link(s, .delay_ms = 10);
    sim_slow_jobs(s, 3000);
    sim_start(s);
    expect(s, ready(s, A) == 0);
    sim_run(s, SECONDS(10));
    expect(s, ready(s, A) == 2 && sim_counter(s, A, ADIT_C_KE_POOL_MADE) == 2);
    for (unsigned i = 1; i <= 4; i++) {
        uint64_t ms = initiate(s, MINUTES(1));
        expect(s, ms < 3000 + 3000 + 100, "%llu ms: not three computations", (unsigned long long)ms);
        expect(s, sim_counter(s, A, ADIT_C_KE_POOL_TAKEN) == i);
        expect_same_keys(s);
        terminate(s);
    }
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < i; k++)
            expect(s, !span_equal(ke_of(s, i), ke_of(s, k)), "%u and %u", i, k);
    expect(s, ready(s, A) == 2 && sim_counter(s, A, ADIT_C_KE_POOL_EMPTY) == 0);
}

/* The default: one of each slow method that is configured. */
SIM_TEST(slow_methods_have_a_stock_by_default)
{
    sim_configure(s, .ike = TWO_ROUNDS, .ke_pool = "auto");
    sim_slow_jobs(s, 1000);
    sim_start(s);
    sim_run(s, SECONDS(5));
    expect(s, ready(s, A) == 1 && ready(s, B) == 1);
    initiate(s, MINUTES(1));
    expect(s, sim_counter(s, A, ADIT_C_KE_POOL_TAKEN) == 1 && sim_counter(s, A, ADIT_C_KE_AHEAD) == 0);
    sim_run(s, SECONDS(5));
    expect(s, ready(s, A) == 1 && ready(s, B) == 1); /* who answers needs none */
    uint64_t made = sim_counter(s, B, ADIT_C_KE_POOL_MADE);
    sim_run(s, MINUTES(61));
    expect(s, ready(s, B) == 1 && sim_counter(s, B, ADIT_C_KE_POOL_MADE) == made + 1);
}

SIM_TEST(an_sa_that_ends_while_its_keys_are_made)
{
    sim_configure(s, .ike = TWO_ROUNDS, .ke_pool = s->seed & 1 ? "no" : "auto");
    sim_link(s, .delay_ms = 10);
    sim_slow_jobs(s, 1000);
    sim_start(s);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, MILLIS(200 + 400 * (s->seed % 12)));
    sim_command(s, A, ADIT_CMD_TERMINATE, .conn = "peer", .force = true);
    sim_run(s, MINUTES(3));
    expect(s, sim_sas(s, A) == 0);
    initiate(s, MINUTES(1));
    expect_same_keys(s);
}

SIM_TEST(over_a_bad_link)
{
    sim_configure(s, .ike = TWO_ROUNDS, .esp = CHILD_ROUNDS, .ke_pool = s->seed & 1 ? "no" : "modp3072:2, modp4096");
    sim_link(s, .delay_ms = 30, .loss = 0.2, .dup = 0.1, .reorder = 0.1);
    sim_slow_jobs(s, 500);
    sim_establish(s);
    sim_run(s, MINUTES(1));
    expect_children(s, 1);
    expect_same_keys(s);
}

/* One allocation fails, another one in each run. */
SIM_TEST(memory_fails_once)
{
    sim_configure(s, .ike = TWO_ROUNDS, .ke_pool = s->seed & 1 ? "no" : "modp4096:2");
    sim_start(s);
    sim_starve(s, 1 + (unsigned)s->seed * 7);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, MINUTES(3));
    sim_starve(s, 0);
    sim_establish(s);
    expect_same_keys(s);
}

int main(int argc, char **argv)
{
    static const struct sim_case cases[] = {
        SIM_CASE(the_next_key_is_made_while_messages_travel),
        SIM_CASE(a_key_that_is_not_there_yet_is_waited_for),
        SIM_CASE(in_rekeyings_too),
        SIM_CASE(keys_of_the_stock_are_used_once),
        SIM_CASE(slow_methods_have_a_stock_by_default),
        SIM_CASE(an_sa_that_ends_while_its_keys_are_made),
        SIM_CASE(over_a_bad_link),
        SIM_CASE(memory_fails_once),
    };
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 6);
}
