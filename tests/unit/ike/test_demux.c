/* test_demux.c - from a datagram to its SA: strangers cost nothing, and learn nothing that they could not know
 * (RFC 7296 s2.4, s2.6, s2.21.4, s3.1). */
#include "core.h"
#include <stdio.h>

/* A's first request as B sees it. */
struct door {
    struct sim *s;
    struct ike *b;
    uint8_t request[4096];
    size_t n;
    struct adit_path path;
};

static void knock(struct sim *s, struct door *d)
{
    s->conf[B].any_peer = true;
    sim_start(s);
    sim_cut(s, A, true);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    struct adit_span first = buf_span(&s->tape[A].datagram[0]);
    *d = (struct door){ .s = s, .b = core_engine(s, B), .n = first.n, .path = core_path(false) };
    assert_true(first.n > 100 && first.n < sizeof(d->request));
    span_copy(d->request, first);
}

static void leave(struct door *d)
{
    sim_command(d->s, A, ADIT_CMD_TERMINATE, .conn = "peer");
    sim_cut(d->s, A, false);
}

static void hand_over(struct door *d, struct adit_span datagram)
{
    adit_ike_input((struct adit_ike *)d->b, &d->path, datagram.p, datagram.n, d->s->now);
}

struct answer {
    unsigned n; /* datagrams */
    struct ike_hdr hdr;
    struct notify notify; /* the first payload, if it is one */
    uint8_t room[2000];
    size_t size;
};

static void collect(struct door *d, struct answer *a)
{
    static struct payload_list list;
    struct adit_event ev;
    *a = (struct answer){ 0 };
    while (core_event(d->b, ADIT_EV_SEND, &ev)) {
        a->n += ev.n_datagrams;
        a->size = ev.datagrams[0].n;
        span_copy(a->room, ev.datagrams[0]);
    }
    struct rd in = rd_init(span(a->room, a->size));
    if (!a->n)
        return;
    assert_true(ike_hdr_get(&in, &a->hdr) && payloads_get(&in, a->hdr.next, &list, NULL));
    struct rd body = rd_init(list.v[0].body);
    if (list.v[0].type == PLD_NOTIFY)
        assert_true(notify_get(&body, &a->notify));
}

static bool is_untouched(const struct door *d)
{
    return list_empty(&d->b->sas) && d->b->half_open == 0 && d->b->n_sas == 0;
}

static void fresh_spi(struct door *d)
{
    static uint64_t spi;
    spi++;
    for (int i = 0; i < 8; i++)
        d->request[i] = (uint8_t)(spi >> (56 - 8 * i));
}

static void headers(struct sim *s)
{
    static const struct {
        const char *what;
        size_t at;
        uint8_t octet;
        uint16_t notify; /* 0: no answer */
    } rows[] = {
        { "longer than it says", 27, 0, 0 },
        { "major version 1", 17, 0x10, 0 },
        { "major version 3", 17, 0x30, N_INVALID_MAJOR_VERSION },
        { "major version 15", 17, 0xff, N_INVALID_MAJOR_VERSION },
        { "a response that nobody asked for", 19, 0x20, 0 },
        { "not of an initiator", 19, 0, 0 },
        { "with a responder's SPI", 15, 1, 0 },
        { "not the first message", 23, 1, 0 },
        { "an exchange under an unknown SPI", 18, XCHG_IKE_AUTH, N_INVALID_IKE_SPI },
        { "an unknown exchange", 18, 99, N_INVALID_IKE_SPI },
        { "the chain is broken", 31, 0xff, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct door d;
        struct answer a;
        if (s->started)
            simhost_stop(&s->host[B]), simhost_stop(&s->host[A]);
        s->tape[A].n = 0;
        knock(s, &d);
        d.request[rows[i].at] = rows[i].octet;
        hand_over(&d, guard_copy(span(d.request, d.n)));
        collect(&d, &a);
        assert_row(rows[i].what, is_untouched(&d));
        assert_row(rows[i].what, (a.n == 1) == (rows[i].notify != 0) && a.notify.type == rows[i].notify);
        assert_row(rows[i].what, !a.n || (a.hdr.flags & IKE_FLAG_RESPONSE && a.size < d.n));
        assert_row(rows[i].what, d.b->counters[ADIT_C_INVALID] + d.b->counters[ADIT_C_INVALID_SPI] == 1);
        leave(&d);
    }
}

static void a_bad_header_goes_no_further(void **state)
{
    core_scenario(headers);
}

static void cuts(struct sim *s)
{
    struct door d;
    struct answer a;
    knock(s, &d);
    for (size_t n = 0; n < d.n; n++) {
        hand_over(&d, guard_copy(span(d.request, n)));
        if (n >= IKE_HDR_SIZE) { /* and with a length that agrees */
            d.request[26] = (uint8_t)(n >> 8);
            d.request[27] = (uint8_t)n;
            hand_over(&d, guard_copy(span(d.request, n)));
        }
        collect(&d, &a);
        assert_true(is_untouched(&d) && a.n == 0);
    }
    leave(&d);
}

static void no_cut_request_is_taken(void **state)
{
    core_scenario(cuts);
}

/* --- cookies ---------------------------------------------------------------------------------------------------- */

static bool count(void *arg, size_t n)
{
    ++*(unsigned *)arg;
    return true;
}

static bool refuse(void *arg, size_t n)
{
    return false;
}

static void returned_cookie(struct door *d, const struct answer *a, uint8_t *out, size_t *n)
{
    size_t add = 8 + a->notify.data.n;
    span_copy(out, span(d->request, IKE_HDR_SIZE));
    out[16] = PLD_NOTIFY;
    uint8_t *p = out + IKE_HDR_SIZE;
    p[0] = d->request[16];
    p[1] = 0;
    p[2] = 0;
    p[3] = (uint8_t)add;
    p[4] = p[5] = 0;
    p[6] = N_COOKIE >> 8;
    p[7] = N_COOKIE & 255;
    p = span_copy(p + 8, a->notify.data);
    span_copy(p, span(d->request + IKE_HDR_SIZE, d->n - IKE_HDR_SIZE));
    *n = d->n + add;
    out[26] = (uint8_t)(*n >> 8);
    out[27] = (uint8_t)*n;
}

static void full_house(struct sim *s)
{
    struct door d;
    struct answer a;
    uint8_t again[5000];
    size_t n;
    unsigned allocations = 0;
    knock(s, &d);
    d.b->policy->settings.cookie_threshold = 0; /* always */
    mem_set_gate(refuse, NULL);
    for (int i = 0; i < 100; i++)
        hand_over(&d, span(d.request, d.n)); /* even the answer finds no memory */
    mem_set_gate(count, &allocations);
    hand_over(&d, span(d.request, d.n));
    mem_set_gate(NULL, NULL);
    assert_true(allocations <= 3); /* the MAC, gone at once; the answer and its event, gone when polled */
    collect(&d, &a);
    assert_true(is_untouched(&d) && a.n == 1 && a.notify.type == N_COOKIE && a.notify.data.n == COOKIE_SIZE);
    assert_true(a.size < 100); /* no amplifier */

    returned_cookie(&d, &a, again, &n);
    again[IKE_HDR_SIZE + 8 + 5] ^= 1;
    hand_over(&d, span(again, n));
    assert_true(is_untouched(&d) && d.b->counters[ADIT_C_COOKIE_BAD] == 1);
    again[IKE_HDR_SIZE + 8 + 5] ^= 1;
    struct adit_path here = d.path;
    assert_true(addr_parse("198.51.100.9", &d.path.remote.addr)); /* heard by somebody else */
    hand_over(&d, span(again, n));
    assert_true(is_untouched(&d) && d.b->counters[ADIT_C_COOKIE_BAD] == 2);
    d.path = here;
    again[7] ^= 1; /* for another SPI */
    hand_over(&d, span(again, n));
    assert_true(is_untouched(&d) && d.b->counters[ADIT_C_COOKIE_BAD] == 3);
    again[7] ^= 1;
    collect(&d, &a);
    hand_over(&d, span(again, n));
    collect(&d, &a);
    assert_true(!is_untouched(&d) && a.n == 1 && a.notify.type != N_COOKIE && a.hdr.spi_r != 0);
    leave(&d);
}

static void who_has_not_returned_a_cookie_costs_nothing(void **state)
{
    core_scenario(full_house);
}

static void ceiling(struct sim *s)
{
    struct door d;
    struct answer a;
    knock(s, &d);
    d.b->policy->settings.cookie_threshold = UINT32_MAX; /* never */
    d.b->policy->settings.half_open_max = 5;
    for (unsigned i = 0; i < 20; i++) {
        fresh_spi(&d);
        hand_over(&d, span(d.request, d.n));
        collect(&d, &a);
        assert_int_equal(a.n, i < 5);
    }
    assert_int_equal(d.b->half_open, 5);
    assert_int_equal(d.b->counters[ADIT_C_HALF_OPEN_FULL], 15);
    leave(&d);
}

static void half_open_sas_have_a_ceiling(void **state)
{
    core_scenario(ceiling);
}

static void repeats(struct sim *s)
{
    struct door d;
    struct answer first, second;
    knock(s, &d);
    hand_over(&d, span(d.request, d.n));
    collect(&d, &first);
    assert_int_equal(first.n, 1);
    hand_over(&d, span(d.request, d.n));
    collect(&d, &second);
    assert_true(second.n == 1 && span_equal(span(first.room, first.size), span(second.room, second.size)));
    assert_int_equal(d.b->counters[ADIT_C_DUPLICATES], 1);
    d.request[d.n - 1] ^= 1; /* somebody else's under the same SPI */
    hand_over(&d, span(d.request, d.n));
    collect(&d, &second);
    assert_int_equal(second.n, 0);
    assert_int_equal(d.b->n_sas, 1);
    leave(&d);
}

static void a_repeated_first_request_gets_the_same_answer(void **state)
{
    core_scenario(repeats);
}

/* RFC 7296 s2.5: told which type it was; under the SPI that asked. */
static void critical(struct sim *s)
{
    struct door d;
    struct answer a;
    knock(s, &d);
    uint8_t old = d.request[16];
    uint8_t with[5000];
    span_copy(with, span(d.request, IKE_HDR_SIZE));
    with[16] = 201;
    span_copy(with + IKE_HDR_SIZE, span((const uint8_t[]){ old, 0x80, 0, 4 }, 4));
    span_copy(with + IKE_HDR_SIZE + 4, span(d.request + IKE_HDR_SIZE, d.n - IKE_HDR_SIZE));
    with[26] = (uint8_t)((d.n + 4) >> 8);
    with[27] = (uint8_t)(d.n + 4);
    hand_over(&d, span(with, d.n + 4));
    collect(&d, &a);
    assert_true(a.n == 1 && a.notify.type == N_UNSUPPORTED_CRITICAL_PAYLOAD);
    assert_true(a.notify.data.n == 1 && a.notify.data.p[0] == 201);
    assert_true(span_equal(span(a.room, 8), span(d.request, 8)) && a.hdr.exchange == XCHG_IKE_SA_INIT);
    assert_true(is_untouched(&d));
    leave(&d);
}

static void an_unknown_critical_payload_is_named(void **state)
{
    core_scenario(critical);
}

/* Each allocation of the first request fails in turn: nothing is kept, and the next attempt is welcome. */
static void starving(struct sim *s)
{
    struct door d;
    struct answer a = { 0 };
    knock(s, &d);
    for (unsigned n = 0; !a.n; n++) {
        unsigned left = n;
        assert_true(n < 500);
        fresh_spi(&d);
        mem_set_gate(gate_countdown, &left);
        hand_over(&d, span(d.request, d.n));
        mem_set_gate(NULL, NULL);
        collect(&d, &a);
        if (a.n && a.notify.type == N_TEMPORARY_FAILURE)
            a.n = 0;
        adit_ike_tick((struct adit_ike *)d.b, s->now += MINUTES(2));
        assert_true(is_untouched(&d));
    }
    leave(&d);
}

static void memory_may_be_out(void **state)
{
    core_scenario(starving);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_header_goes_no_further),
        cmocka_unit_test(no_cut_request_is_taken),
        cmocka_unit_test(who_has_not_returned_a_cookie_costs_nothing),
        cmocka_unit_test(half_open_sas_have_a_ceiling),
        cmocka_unit_test(a_repeated_first_request_gets_the_same_answer),
        cmocka_unit_test(an_unknown_critical_payload_is_named),
        cmocka_unit_test(memory_may_be_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
