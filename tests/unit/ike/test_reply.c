/* test_reply.c - what a peer is told, and what it is never told (RFC 7296 s2.21, s3.10.1). */
#include "core.h"

static const enum adit_rc all_errors[] = {
    ADIT_ERR_MALFORMED, ADIT_ERR_CRITICAL, ADIT_ERR_VERSION, ADIT_ERR_PROPOSAL,      ADIT_ERR_KE_METHOD,
    ADIT_ERR_TS,        ADIT_ERR_AUTH,     ADIT_ERR_POLICY,  ADIT_ERR_NO_ADDITIONAL, ADIT_ERR_TEMPORARY,
    ADIT_ERR_NO_CHILD,  ADIT_ERR_NO_STATE, ADIT_ERR_PEER,    ADIT_ERR_CRYPTO,        ADIT_ERR_INTEGRITY,
    ADIT_ERR_PUBLIC,    ADIT_ERR_MEMORY,   ADIT_ERR_LIMIT,   ADIT_ERR_TIMEOUT,       ADIT_ERR_IO,
    ADIT_ERR_DROP,      ADIT_ERR_CLOSED,   ADIT_ERR_BUG, ADIT_ERR_PATH,
};

static void each_error_has_its_notify(void **state)
{
    static const struct {
        enum adit_rc rc;
        uint16_t number; /* as in the registry */
    } rows[] = {
        { ADIT_ERR_CRITICAL, 1 },   { ADIT_ERR_VERSION, 5 },    { ADIT_ERR_MALFORMED, 7 },
        { ADIT_ERR_PUBLIC, 7 },     { ADIT_ERR_PROPOSAL, 14 },  { ADIT_ERR_POLICY, 14 },
        { ADIT_ERR_KE_METHOD, 17 }, { ADIT_ERR_AUTH, 24 },      { ADIT_ERR_NO_ADDITIONAL, 35 }, { ADIT_ERR_QUEUE, 48 },
        { ADIT_ERR_TS, 38 },        { ADIT_ERR_TEMPORARY, 43 }, { ADIT_ERR_MEMORY, 43 },
        { ADIT_ERR_LIMIT, 43 },     { ADIT_ERR_CRYPTO, 43 },    { ADIT_ERR_NO_CHILD, 44 },
        { ADIT_ERR_NO_STATE, 47 },  { ADIT_ERR_PATH, 41 },          { ADIT_ERR_DROP, 0 },       { ADIT_ERR_INTEGRITY, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_row(adit_rc_name(rows[i].rc), reply_notify(rows[i].rc) == rows[i].number);
}

/* A request in hand on the responder's SA; reply_error() leaves the answer in x->wire. */
struct in_hand {
    struct ike *ike;
    struct ike_sa *i, *r;
    struct ike_xchg x;
};

static void take(struct in_hand *h, uint8_t exchange)
{
    h->ike = core_new();
    h->i = core_sa(h->ike, true);
    h->r = core_sa(h->ike, false);
    h->x = (struct ike_xchg){ .ike = h->ike,
                              .sa = h->r,
                              .role = XCHG_RESPONDER,
                              .exchange = exchange,
                              .msgid = 9,
                              .path = core_path(false) };
    h->x.in_raw.hdr = (struct ike_hdr){
        .spi_i = h->r->spi_i, .exchange = exchange, .version = IKE_VERSION, .flags = IKE_FLAG_INITIATOR
    };
}

static void put_back(struct in_hand *h)
{
    wire_unref(h->x.wire);
    core_free(h->ike);
}

static bool is_answered(struct in_hand *h, enum adit_rc rc, struct notify *n)
{
    reply_error(&h->x, rc);
    return h->x.wire && core_opened_notify(h->i, h->x.wire->datagrams[0], n);
}

/* RFC 7296 s2.21.2: who fails to authenticate learns only that. */
static void failures_of_authentication_look_the_same(void **state)
{
    size_t length = 0;
    for (size_t i = 0; i < ARRAY_LEN(all_errors); i++) {
        enum adit_rc rc = all_errors[i];
        struct in_hand h;
        struct notify n;
        take(&h, XCHG_IKE_AUTH);
        bool told = is_answered(&h, rc, &n), silent = rc == ADIT_ERR_DROP || rc == ADIT_ERR_INTEGRITY;
        assert_row(adit_rc_name(rc), told == !silent);
        if (told && rc != ADIT_ERR_MALFORMED && rc != ADIT_ERR_CRITICAL && rc != ADIT_ERR_PATH) {
            assert_row(adit_rc_name(rc), n.type == N_AUTHENTICATION_FAILED && n.data.n == 0 && n.spi.n == 0);
            assert_row(adit_rc_name(rc), !length || h.x.wire->datagrams[0].n == length);
            length = h.x.wire->datagrams[0].n;
        }
        put_back(&h);
    }
    assert_true(length > 0);
}

static void later_exchanges_get_the_reason(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(all_errors); i++) {
        enum adit_rc rc = all_errors[i];
        struct in_hand h;
        struct notify n;
        take(&h, XCHG_CREATE_CHILD_SA);
        bool told = is_answered(&h, rc, &n);
        assert_row(adit_rc_name(rc), told == (reply_notify(rc) != 0));
        assert_row(adit_rc_name(rc), !told || n.type == reply_notify(rc));
        put_back(&h);
    }
}

static void the_answer_names_what_it_is_about(void **state)
{
    static const uint8_t data[] = { 0, 31 };
    struct in_hand h;
    struct notify n;
    take(&h, XCHG_CREATE_CHILD_SA);
    h.x.reply_spi = 0xdeadbeef;
    assert_true(is_answered(&h, ADIT_ERR_NO_CHILD, &n));
    assert_int_equal(n.proto, PROTO_ESP);
    assert_true(span_equal(n.spi, SPAN_LIT("\xde\xad\xbe\xef")));
    h.x.reply_data = SPAN_ARRAY(data);
    assert_true(is_answered(&h, ADIT_ERR_KE_METHOD, &n)); /* takes the place of the first answer */
    assert_true(span_equal(n.data, SPAN_ARRAY(data)) && n.spi.n == 0);
    put_back(&h);
}

static bool sent(struct ike *ike, struct ike_hdr *hdr, struct notify *n)
{
    static uint8_t copy[256];
    static struct payload_list list;
    struct adit_event ev;
    if (!core_event(ike, ADIT_EV_SEND, &ev))
        return false;
    assert_int_equal(ev.n_datagrams, 1);
    span_copy(copy, ev.datagrams[0]);
    struct rd in = rd_init(span(copy, ev.datagrams[0].n));
    assert_true(ike_hdr_get(&in, hdr) && hdr->length == ev.datagrams[0].n);
    assert_true(payloads_get(&in, hdr->next, &list, NULL) && list.n == 1 && list.v[0].type == PLD_NOTIFY);
    struct rd body = rd_init(list.v[0].body);
    return notify_get(&body, n);
}

/* The first exchange has no keys: its answers are in clear, under the request's SPIs, and INVALID_SYNTAX is none. */
static void the_first_exchange_is_answered_in_clear(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(all_errors); i++) {
        enum adit_rc rc = all_errors[i];
        struct in_hand h;
        struct ike_hdr hdr;
        struct notify n;
        take(&h, XCHG_IKE_SA_INIT);
        reply_error(&h.x, rc);
        bool told = sent(h.ike, &hdr, &n);
        assert_row(adit_rc_name(rc), told == (reply_notify(rc) != 0 && rc != ADIT_ERR_MALFORMED));
        assert_row(adit_rc_name(rc),
                   !told || (n.type == reply_notify(rc) && hdr.spi_i == h.r->spi_i && hdr.spi_r == 0));
        assert_row(adit_rc_name(rc),
                   !told || (hdr.flags == IKE_FLAG_RESPONSE && hdr.exchange == XCHG_IKE_SA_INIT));
        assert_null(h.x.wire);
        put_back(&h);
    }
}

static void some_errors_end_the_ike_sa(void **state)
{
    static const enum sa_state states[] = { SA_CONNECTING, SA_AUTHENTICATING, SA_ESTABLISHED, SA_REKEYED,
                                            SA_DELETING };
    for (size_t k = 0; k < ARRAY_LEN(states); k++)
        for (size_t i = 0; i < ARRAY_LEN(all_errors); i++) {
            struct ike_sa sa = { .state = states[k] };
            enum adit_rc rc = all_errors[i];
            bool fatal = states[k] < SA_ESTABLISHED || rc == ADIT_ERR_MALFORMED || rc == ADIT_ERR_PUBLIC;
            assert_row(adit_rc_name(rc), reply_is_fatal(&sa, XCHG_CREATE_CHILD_SA, rc) == fatal);
        }
}

static unsigned strays(struct ike *ike, uint16_t type, unsigned tries)
{
    struct ike_hdr request = {
        .spi_i = 1, .spi_r = 2, .exchange = XCHG_INFORMATIONAL, .flags = IKE_FLAG_INITIATOR, .msgid = 77
    };
    struct adit_path path = core_path(false);
    struct ike_hdr hdr;
    struct notify n;
    unsigned answers = 0;
    for (unsigned i = 0; i < tries; i++)
        reply_stray(ike, &request, &path, type, SPAN_NONE);
    for (; sent(ike, &hdr, &n); answers++)
        assert_true(n.type == type && hdr.spi_i == 1 && hdr.spi_r == 2 && hdr.msgid == 77);
    return answers;
}

static void strangers_get_few_errors(void **state)
{
    struct ike *ike = core_new();
    assert_int_equal(strays(ike, N_INVALID_IKE_SPI, 100), IKE_ERRORS_PER_SECOND);
    assert_int_equal(strays(ike, N_INVALID_MAJOR_VERSION, 100), 0); /* all kinds together */
    assert_int_equal(strays(ike, N_COOKIE, 50), 50); /* what the handshake needs always goes out */
    assert_int_equal(strays(ike, N_INVALID_KE_PAYLOAD, 50), 50);
    ike->now += SECONDS(1) - 1;
    assert_int_equal(strays(ike, N_INVALID_IKE_SPI, 1), 0);
    ike->now += 1;
    assert_int_equal(strays(ike, N_INVALID_IKE_SPI, 100), IKE_ERRORS_PER_SECOND);
    core_free(ike);
}

static void the_peers_first_error_counts(void **state)
{
    static const struct {
        const char *what;
        uint16_t notify[3];
        enum adit_rc rc;
        uint16_t type;
    } rows[] = {
        { "nothing", { 0 }, ADIT_OK, 0 },
        { "only a status", { 16384 }, ADIT_OK, 0 },
        { "the lowest status and the highest error", { 16384, 16383 }, ADIT_ERR_PEER, 16383 },
        { "no proposal", { 14 }, ADIT_ERR_PROPOSAL, 14 },
        { "selectors", { 16384, 38 }, ADIT_ERR_TS, 38 },
        { "authentication", { 24 }, ADIT_ERR_AUTH, 24 },
        { "busy", { 43 }, ADIT_ERR_TEMPORARY, 43 },
        { "no such Child SA", { 44 }, ADIT_ERR_NO_CHILD, 44 },
        { "no state", { 47 }, ADIT_ERR_NO_STATE, 47 },
        { "enough with these selectors", { 48 }, ADIT_ERR_QUEUE, 48 },
        { "enough of them", { 35 }, ADIT_ERR_NO_ADDITIONAL, 35 },
        { "another method", { 17 }, ADIT_ERR_KE_METHOD, 17 },
        { "unknown error", { 9999 }, ADIT_ERR_PEER, 9999 },
        { "the first of two", { 38, 14 }, ADIT_ERR_TS, 38 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t body[3][4] = { { 0 } };
        struct payload v[3] = { 0 };
        struct ike_msg msg = { .v = v };
        struct adit_why why = { 0 };
        uint16_t type = 0;
        for (; msg.n < 3 && rows[i].notify[msg.n]; msg.n++) {
            body[msg.n][2] = (uint8_t)(rows[i].notify[msg.n] >> 8);
            body[msg.n][3] = (uint8_t)rows[i].notify[msg.n];
            v[msg.n] = (struct payload){ .type = PLD_NOTIFY, .body = SPAN_ARRAY(body[msg.n]) };
        }
        assert_row(rows[i].what, reply_read(&msg, &type, &why) == rows[i].rc && type == rows[i].type);
    }
}

static void without_memory_there_is_no_answer(void **state)
{
    struct in_hand h;
    take(&h, XCHG_CREATE_CHILD_SA);
    for (unsigned n = 0; !h.x.wire; n++) {
        unsigned left = n;
        assert_true(n < 100);
        mem_set_gate(gate_countdown, &left);
        reply_error(&h.x, ADIT_ERR_TEMPORARY);
        mem_set_gate(NULL, NULL);
    }
    put_back(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_has_its_notify),
        cmocka_unit_test(failures_of_authentication_look_the_same),
        cmocka_unit_test(later_exchanges_get_the_reason),
        cmocka_unit_test(the_answer_names_what_it_is_about),
        cmocka_unit_test(the_first_exchange_is_answered_in_clear),
        cmocka_unit_test(some_errors_end_the_ike_sa),
        cmocka_unit_test(strangers_get_few_errors),
        cmocka_unit_test(the_peers_first_error_counts),
        cmocka_unit_test(without_memory_there_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
