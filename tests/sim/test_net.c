/* test_net.c - the simulated network itself: what is configured is what happens. */
#include <stdio.h>
#include <stdlib.h>
#include "support/simnet.h"

static struct prng prng;
static struct simnet net;
static struct adit_path a_to_b, b_to_a;
static unsigned failed;

#define check(cond) ((cond) ? (void)0 : (void)(failed++, printf("# line %d: %s\n", __LINE__, #cond)))

static void setup(uint64_t seed)
{
    prng_init(&prng, seed);
    simnet_fini(&net);
    simnet_init(&net, &prng);
    net.n_hosts = 2;
    check(addr_parse("192.0.2.1", &net.host[0].addr) && addr_parse("192.0.2.2", &net.host[1].addr));
    a_to_b = (struct adit_path){ { net.host[0].addr, 500 }, { net.host[1].addr, 500 } };
    b_to_a = (struct adit_path){ a_to_b.remote, a_to_b.local };
}

static enum sim_fate send_octet(int from, uint8_t octet, uint64_t now)
{
    return simnet_send(&net, from, SIM_IKE, from ? &b_to_a : &a_to_b, span(&octet, 1), now);
}

/* Octets in the order of their arrival. */
static size_t receive(uint8_t *out, size_t max)
{
    struct sim_datagram d;
    size_t n = 0;
    while (n < max && simnet_take(&net, UINT64_MAX - 1, &d)) {
        out[n++] = d.data.p[0];
        buf_fini(&d.data);
    }
    return n;
}

static void perfect_link_keeps_order_and_time(void)
{
    struct sim_datagram d;
    setup(1);
    simnet_set_link(&net, -1, &(struct sim_link){ .delay_ms = 20 });
    for (uint8_t i = 0; i < 5; i++)
        check(send_octet(0, i, 1000) == SIM_ARRIVES);
    check(simnet_next(&net) == 20001000);
    check(!simnet_take(&net, 20000999, &d));
    for (uint8_t i = 0; i < 5; i++) {
        check(simnet_take(&net, 20001000, &d) && d.data.p[0] == i && d.src == 0 && d.dst == 1);
        check(path_equal(&d.path, &b_to_a)); /* as B sees it */
        buf_fini(&d.data);
    }
    check(simnet_next(&net) == UINT64_MAX);
}

static void drop_mask_names_the_lost_ones(void)
{
    uint8_t got[8];
    setup(1);
    simnet_set_link(&net, -1, &(struct sim_link){ .drop_mask = 0x5 });
    for (uint8_t i = 0; i < 5; i++)
        check(send_octet(i & 1, i, i) == (i == 0 || i == 2 ? SIM_LOST : SIM_ARRIVES));
    check(receive(got, sizeof(got)) == 3 && got[0] == 1 && got[1] == 3 && got[2] == 4);
}

static void chance_is_about_what_was_asked_for(void)
{
    static uint8_t got[4000];
    unsigned late = 0;
    setup(7);
    simnet_set_link(&net, 0, &(struct sim_link){ .delay_ms = 1, .loss = 0.25, .dup = 0.5, .reorder = 0.1 });
    for (int i = 0; i < 2000; i++)
        late += send_octet(0, 0, 0) == SIM_LATE;
    size_t n = receive(got, sizeof(got));
    check(n > 2100 && n < 2400);               /* 2000 * 0.75 * 1.5 = 2250 */
    check(late > 100 && late < 200);           /* 2000 * 0.75 * 0.1: of two, the copy counts */
    check(send_octet(1, 0, 0) == SIM_ARRIVES); /* the other direction is perfect */
}

static void mtu_counts_ip_and_udp(void)
{
    uint8_t octets[600] = { 0 };
    setup(1);
    simnet_set_link(&net, -1, &(struct sim_link){ .mtu = 576 });
    check(simnet_send(&net, 0, SIM_IKE, &a_to_b, span(octets, 548), 0) == SIM_ARRIVES);
    check(simnet_send(&net, 0, SIM_IKE, &a_to_b, span(octets, 549), 0) == SIM_TOO_BIG);
}

static void cut_host_neither_sends_nor_hears(void)
{
    setup(1);
    net.host[1].cut = true;
    check(send_octet(0, 1, 0) == SIM_CUT && send_octet(1, 1, 0) == SIM_CUT);
    net.host[1].cut = false;
    check(send_octet(0, 1, 0) == SIM_ARRIVES && send_octet(1, 1, 0) == SIM_ARRIVES);
}

/* B sees A's outer endpoint and can answer only to it. */
static void translator_lets_answers_in(void)
{
    struct sim_datagram d;
    setup(1);
    simnet_nat(&net, 0, "203.0.113.1");
    check(send_octet(1, 9, 0) == SIM_NO_ROUTE);
    check(send_octet(0, 1, 0) == SIM_ARRIVES && simnet_take(&net, 0, &d));
    check(d.path.remote.port == 20001 && addr_equal(&d.path.remote.addr, &net.host[0].nat.address));
    struct adit_path answer = d.path;
    buf_fini(&d.data);
    check(simnet_send(&net, 1, SIM_IKE, &answer, SPAN_LIT("x"), 0) == SIM_ARRIVES &&
          simnet_take(&net, 0, &d));
    check(d.dst == 0 && endpoint_equal(&d.path.local, &a_to_b.local));
    buf_fini(&d.data);
    simnet_nat_rebind(&net, 0);
    check(simnet_send(&net, 1, SIM_IKE, &answer, SPAN_LIT("x"), 0) == SIM_NO_ROUTE);
    check(send_octet(0, 1, 0) == SIM_ARRIVES && simnet_take(&net, 0, &d) &&
          d.path.remote.port != answer.remote.port);
    buf_fini(&d.data);
}

/* First outputs of xoshiro256** for the state 1, 2, 3, 4 (its authors' test values). */
static void generator_is_the_published_one(void)
{
    static const uint64_t want[] = { 11520, 0, 1509978240, 1215971899390074240 };
    struct prng r = { { 1, 2, 3, 4 } };
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        check(prng_u64(&r) == want[i]);
}

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
    { "perfect_link_keeps_order_and_time", perfect_link_keeps_order_and_time },
    { "drop_mask_names_the_lost_ones", drop_mask_names_the_lost_ones },
    { "chance_is_about_what_was_asked_for", chance_is_about_what_was_asked_for },
    { "mtu_counts_ip_and_udp", mtu_counts_ip_and_udp },
    { "cut_host_neither_sends_nor_hears", cut_host_neither_sends_nor_hears },
    { "translator_lets_answers_in", translator_lets_answers_in },
    { "generator_is_the_published_one", generator_is_the_published_one },
};

int main(void)
{
    unsigned all = 0;
    for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
        failed = 0;
        tests[i].run();
        printf("%s - %s\n", failed ? "not ok" : "ok", tests[i].name);
        all += failed;
    }
    simnet_fini(&net);
    return all != 0;
}
