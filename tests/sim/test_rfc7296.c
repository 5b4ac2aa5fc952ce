/* test_rfc7296.c - requirements of RFC 7296 that no other scenario is about; docs/conformance.md names each. */
#include "ike/sa.h"
#undef SECONDS
#undef MILLISECONDS
#include <string.h>
#include "support/sim.h"

enum { EXCHANGE_AT = 18, FLAGS_AT = 19 };

static struct ike_sa *newest(struct sim *s, int host)
{
    struct list *all = &((struct ike *)s->host[host].ike)->sas;
    return list_empty(all) ? NULL : list_entry(all->prev, struct ike_sa, link);
}

static void initiate(struct sim *s)
{
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK, "%s", simhost_done(&s->host[A], cookie)->text);
}

static void terminate(struct sim *s)
{
    uint64_t cookie = sim_command(s, A, ADIT_CMD_TERMINATE, .conn = "peer");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
}

/* The nth IKE_SA_INIT message that a host has sent. */
static struct adit_span init_of(struct sim *s, int from, unsigned nth)
{
    for (unsigned i = 0; i < s->tape[from].n; i++) {
        struct adit_span d = buf_span(&s->tape[from].datagram[i]);
        if (d.n > IKE_HDR_SIZE && d.p[EXCHANGE_AT] == XCHG_IKE_SA_INIT && nth-- == 0)
            return d;
    }
    sim_fail(s, __FILE__, __LINE__, "an IKE_SA_INIT message", "of %s", s->host[from].name);
}

static struct payload payload_of(struct sim *s, struct adit_span message, uint8_t type)
{
    struct payload_list list;
    struct rd in = rd_init(span_from(message, IKE_HDR_SIZE));
    struct ike_hdr hdr;
    struct rd head = rd_init(message);
    expect(s, ike_hdr_get(&head, &hdr) && payloads_get(&in, hdr.next, &list, NULL));
    const struct payload *p = type ? payloads_find(&list, type, 0) : &list.v[0];
    expect(s, p != NULL);
    return *p;
}

/* s2.2: each direction of each IKE SA counts from 0, by itself. */
static void ids_are(struct sim *s, uint32_t of_a, uint32_t of_b)
{
    struct ike_sa *a = newest(s, A), *b = newest(s, B);
    expect(s, a && b && a->spi_i == b->spi_i);
    expect(s, a->next_send == of_a && b->next_expect == of_a, "%u, %u: A's", a->next_send, b->next_expect);
    expect(s, b->next_send == of_b && a->next_expect == of_b, "%u, %u: B's", b->next_send, a->next_expect);
}

static void rekey(struct sim *s, int host, const char *conn, const char *child)
{
    uint64_t cookie = sim_command(s, host, ADIT_CMD_REKEY, .conn = conn, .child = child);
    expect(s, sim_wait(s, host, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, SECONDS(10));
}

SIM_TEST(message_ids_begin_at_0_in_each_ike_sa)
{
    sim_establish(s);
    ids_are(s, 2, 0);
    rekey(s, A, NULL, "net"); /* and its Delete */
    ids_are(s, 4, 0);
    rekey(s, B, "peer", NULL);
    ids_are(s, 0, 0);
    rekey(s, B, NULL, "net");
    ids_are(s, 0, 2);
    rekey(s, A, NULL, "net");
    ids_are(s, 2, 2);
}

/* s2.6, s2.10, s2.12: SPIs, nonces and Diffie-Hellman values are fresh, in both roles. */
SIM_TEST(nothing_is_used_in_two_ike_sas)
{
    sim_establish(s);
    terminate(s);
    initiate(s);
    for (int i = A; i <= B; i++) {
        struct adit_span one = init_of(s, i, 0), two = init_of(s, i, 1);
        size_t spi = i == A ? 0 : 8;
        expect(s, memcmp(one.p + spi, two.p + spi, 8) != 0, "SPI of %s", s->host[i].name);
        expect(s, !span_equal(payload_of(s, one, PLD_KE).body, payload_of(s, two, PLD_KE).body), "KE");
        expect(s, !span_equal(payload_of(s, one, PLD_NONCE).body, payload_of(s, two, PLD_NONCE).body), "nonce");
    }
}

/* s2.6.1: the cookie goes along with the other key exchange that B wants: three requests, not four. */
SIM_TEST(a_cookie_and_another_key_exchange)
{
    uint8_t copy[4096];
    sim_configure_host(s, A, .ike = "aes128gcm16-prfsha256-x25519-ecp256");
    sim_configure_host(s, B, .ike = "aes128gcm16-prfsha256-ecp256", .any_peer = true, .cookie_threshold = 2);
    sim_establish(s);
    terminate(s);
    struct adit_span accepted = init_of(s, A, 1);
    for (unsigned i = 0; i < 4; i++) {
        span_copy(copy, accepted);
        prng_fill(&s->prng, copy, 8);
        sim_inject(s, B, "198.51.100.1", 500, span(copy, accepted.n));
    }
    uint64_t before = sim_counter(s, A, ADIT_C_INIT_OUT_REQ);
    initiate(s);
    expect(s, sim_counter(s, A, ADIT_C_INIT_OUT_REQ) == before + 3, "%llu",
           (unsigned long long)(sim_counter(s, A, ADIT_C_INIT_OUT_REQ) - before));
    struct notify n;
    struct payload first = payload_of(s, init_of(s, A, 4), 0);
    struct rd in = rd_init(first.body);
    expect(s, first.type == PLD_NOTIFY && notify_get(&in, &n) && n.type == N_COOKIE);
}

/* s4: "the responder is authenticated using PKIX Certificates and the initiator ... using shared key authentication" */
SIM_TEST(a_certificate_one_way_a_shared_key_the_other)
{
    struct adit_ike_info sa;
    sim_configure(s, .cert = s->seed & 1 ? "rsa" : "ecdsa", .a_by_psk = true);
    sim_establish(s);
    expect_children(s, 1);
    expect_same_keys(s);
    expect(s, sim_info(s, A, &sa) && !strcmp(sa.local_auth, "pre-shared key") && strcmp(sa.remote_auth, "pre-shared key"));
    expect(s, sim_info(s, B, &sa) && !strcmp(sa.remote_auth, "pre-shared key") && strcmp(sa.local_auth, "pre-shared key"));
}

/* subjectKeyIdentifier of a-ecdsa.pem and b-ecdsa.pem */
#define KEY_ID_A "@#3b56257875586fdc02e11984dfb021363d4c39af"
#define KEY_ID_B "@#82ff07891e42e2ec325bdf42631e2229043c3402"
#define KEY_ID_NONE "@#82ff07891e42e2ec325bdf42631e2229043c3403"

/* s4: ID_KEY_ID with certificates, either side; one of them by key ID, the other by name; from either end. */
SIM_TEST(key_ids_with_certificates)
{
    struct adit_ike_info sa;
    unsigned of = s->seed % 3;
    sim_configure(s, .cert = "ecdsa", .ids = { of != 1 ? KEY_ID_A : NULL, of != 2 ? KEY_ID_B : NULL });
    sim_establish(s);
    expect_children(s, 1);
    expect_same_keys(s);
    for (int i = A; i <= B; i++) {
        expect(s, sim_info(s, i, &sa));
        expect(s, sa.local_id.type == (of == (i == A ? 1u : 2u) ? ID_FQDN : ID_KEY_ID), "%u", sa.local_id.type);
        expect(s, sa.remote_id.type == (of == (i == A ? 2u : 1u) ? ID_FQDN : ID_KEY_ID), "%u", sa.remote_id.type);
    }
}

/* A key ID that the certificate does not hold, although it is the one that the other side expects: refused by the
 * responder (the initiator lies) and by the initiator (the responder lies). */
static void lies_about_its_key_id(struct sim *s, int liar)
{
    const char *ids[2] = { KEY_ID_A, KEY_ID_B };
    ids[liar] = KEY_ID_NONE;
    for (int i = A; i <= B; i++)
        sim_configure_host(s, i, .cert = "ecdsa", .ids = { ids[A], ids[B] }, .own_cert = true);
    sim_start(s);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    enum adit_rc rc = sim_wait(s, A, cookie, MINUTES(5));
    const char *text = simhost_done(&s->host[A], cookie)->text;
    expect(s, rc == ADIT_ERR_AUTH, "%s", adit_rc_name(rc));
    expect(s, liar == A || strstr(text, "key id @#82ff07891e42e2ec325bdf42631e2229043c3402"), "%s", text);
    sim_run(s, MINUTES(5));
    expect(s, sim_sas(s, A) == 0 && sim_sas(s, B) == 0 && s->host[B].events[ADIT_EV_IKE_UP] == (liar == B));
    expect(s, s->host[A].events[ADIT_EV_IKE_UP] == 0);
}

SIM_TEST(an_initiator_with_another_key_id)
{
    lies_about_its_key_id(s, A);
}

SIM_TEST(a_responder_with_another_key_id)
{
    lies_about_its_key_id(s, B);
}

static bool told;

/* Opens a copy of B's answer to IKE_AUTH as A will. */
static size_t look(struct sim *s, int from, uint8_t *datagram, size_t n)
{
    static uint8_t copy[4000];
    size_t skip = !memcmp(datagram, "\0\0\0\0", 4) ? 4 : 0;
    struct adit_span plain;
    struct payload_list list;
    if (from != B || datagram[skip + EXCHANGE_AT] != XCHG_IKE_AUTH || n > sizeof(copy))
        return n;
    memcpy(copy, datagram + skip, n - skip);
    expect(s, sa_open(newest(s, A), copy, n - skip, IKE_HDR_SIZE + 4, &plain) == ADIT_OK);
    struct rd in = rd_init(plain);
    expect(s, payloads_get(&in, copy[IKE_HDR_SIZE], &list, NULL));
    for (unsigned i = 0; i < list.n; i++) {
        struct rd body = rd_init(list.v[i].body);
        struct notify note;
        told |= list.v[i].type == PLD_NOTIFY && notify_get(&body, &note) && note.type == N_ADDITIONAL_TS_POSSIBLE;
    }
    return n;
}

/* s2.9: A asks for all; whether B has another network for it shows in ADDITIONAL_TS_POSSIBLE. */
SIM_TEST(further_networks_are_told_of)
{
    bool more = s->seed & 1;
    sim_configure_host(s, A, .local_ts = "10.0.0.0/8", .remote_ts = "10.0.0.0/8");
    sim_configure_host(s, B, .two_children = more);
    told = false;
    s->tamper = look;
    sim_establish(s);
    s->tamper = NULL;
    expect(s, told == more);
}

/* --- a minimal peer ------------------------------------------------------------------------------------------------- */

static bool refuses; /* B's next answer is to a CREATE_CHILD_SA request */
static unsigned refused;

static struct ike_sa *sa_of(struct sim *s, int host, const struct ike_hdr *hdr)
{
    struct list *all = &((struct ike *)s->host[host].ike)->sas;
    list_for_each(it, all) {
        struct ike_sa *sa = list_entry(it, struct ike_sa, link);
        if (sa->spi_i == hdr->spi_i && sa->spi_r == hdr->spi_r)
            return sa;
    }
    sim_fail(s, __FILE__, __LINE__, "an IKE SA", "of %s", s->host[host].name);
}

/* Another message in the place of this one: of that exchange, with one notify or none. */
static size_t replace(struct sim *s, int from, uint8_t *d, size_t n, uint8_t exchange, uint16_t notify)
{
    uint8_t plain[32], room[300];
    struct ike_hdr hdr;
    struct rd in = rd_init(span(d, n));
    struct wr p, w;
    expect(s, ike_hdr_get(&in, &hdr));
    struct ike_sa *sa = sa_of(s, from, &hdr);
    wr_init(&p, plain, sizeof(plain));
    wr_chain(&p);
    if (notify)
        notify_put(&p, notify, SPAN_NONE);
    size_t body = 4 + p.n - 1 + sa_seal_overhead(sa, p.n - 1);
    hdr.exchange = exchange;
    hdr.next = PLD_SK;
    hdr.length = (uint32_t)(IKE_HDR_SIZE + body);
    wr_init(&w, room, sizeof(room));
    ike_hdr_put(&w, &hdr);
    wr_u8(&w, plain[0]);
    wr_u8(&w, 0);
    wr_u16(&w, (uint16_t)body);
    expect(s, sa_seal(sa, &w, 0, span(plain + 1, p.n - 1)) == ADIT_OK && w.n == hdr.length);
    memcpy(d, room, w.n);
    return w.n;
}

static uint16_t refusal; /* a notify */

/* What B never gets to see it answers by this refusal: a liveness check reaches it instead. */
static size_t minimal(struct sim *s, int from, uint8_t *datagram, size_t n)
{
    size_t skip = !memcmp(datagram, "\0\0\0\0", 4) ? 4 : 0;
    uint8_t *d = datagram + skip;
    bool response = d[FLAGS_AT] & IKE_FLAG_RESPONSE;
    if (from == A && !response && d[EXCHANGE_AT] == XCHG_CREATE_CHILD_SA) {
        refuses = true;
        refused++;
        return skip + replace(s, A, d, n - skip, XCHG_INFORMATIONAL, 0);
    }
    if (from == B && response && refuses && d[EXCHANGE_AT] == XCHG_INFORMATIONAL) {
        refuses = false;
        return skip + replace(s, B, d, n - skip, XCHG_CREATE_CHILD_SA, refusal);
    }
    return n;
}

static void is_renewed(struct sim *s, const char *conn, const char *child)
{
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .conn = conn, .child = child);
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, SECONDS(30));
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "A has %u IKE SAs, B %u", sim_sas(s, A), sim_sas(s, B));
}

/* s4: who rekeys nothing gets a new IKE SA, and the old one is deleted; no moment is without one. */
SIM_TEST(a_peer_that_rekeys_nothing)
{
    sim_configure_host(s, A, .rekey_s = 300, .child_rekey_s = 200, .unique = ADIT_UNIQUE_NEVER);
    sim_configure_host(s, B, .unique = ADIT_UNIQUE_NEVER);
    sim_establish(s);
    refuses = false;
    refused = 0;
    s->tamper = minimal;
    refusal = N_NO_ADDITIONAL_SAS;
    is_renewed(s, NULL, "net");
    is_renewed(s, "peer", NULL);
    sim_run(s, MINUTES(12));
    s->tamper = NULL;
    expect(s, refused > 3 && s->host[A].events[ADIT_EV_IKE_UP] >= 3, "%u", s->host[A].events[ADIT_EV_IKE_UP]);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "A has %u IKE SAs, B %u", sim_sas(s, A), sim_sas(s, B));
    expect_children(s, 1);
    expect_same_keys(s);
    expect_no_gap(s);
}

/* s1.3, s2.9: a Child SA more is refused; what is there stays, and the user hears what to do. */
SIM_TEST(one_more_child_is_refused)
{
    static const struct {
        uint16_t refusal;
        enum adit_rc rc;
        const char *says;
    } rows[] = { { N_NO_ADDITIONAL_SAS, ADIT_ERR_NO_ADDITIONAL, "NO_ADDITIONAL_SAS" },
                 { N_SINGLE_PAIR_REQUIRED, ADIT_ERR_TS, "use start_action = trap" } };
    sim_configure(s, .two_children = true);
    sim_establish(s);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        refusal = rows[i].refusal;
        refuses = false;
        s->tamper = minimal;
        uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .child = "net2");
        enum adit_rc rc = sim_wait(s, A, cookie, MINUTES(1));
        s->tamper = NULL;
        const char *text = simhost_done(&s->host[A], cookie)->text;
        expect(s, rc == rows[i].rc && strstr(text, rows[i].says), "%s: %s", rows[i].says, text);
    }
    sim_run(s, MINUTES(1));
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1);
    expect_children(s, 1);
    expect_no_gap(s);
}

static void set_ids(struct sim *s, uint32_t of_a, uint32_t of_b)
{
    struct ike_sa *a = newest(s, A), *b = newest(s, B);
    a->next_send = b->next_expect = of_a;
    b->next_send = a->next_expect = of_b;
}

static void says_something(struct sim *s, int host)
{
    struct ike_sa *sa = newest(s, host);
    expect(s, agenda_add(sa, TASK_LIVENESS, &step_liveness_req) != NULL);
    sa_arm(sa);
    sim_run(s, SECONDS(5));
}

/* s2.2: an IKE SA is rekeyed well before its message IDs come round, whoever has used them. */
SIM_TEST(message_ids_run_low)
{
    int by = (int)(s->seed & 1);
    sim_establish(s);
    set_ids(s, by == A ? IKE_IDS_REKEY - 1 : 7, by == B ? IKE_IDS_REKEY - 1 : 7);
    uint32_t before = newest(s, A)->id;
    says_something(s, by);
    sim_run(s, SECONDS(30));
    struct ike_sa *a = newest(s, A), *b = newest(s, B);
    expect(s, a->id != before && a->next_send < 10 && b->next_send < 10);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1);
    expect_children(s, 1);
    expect_same_keys(s);
    expect_no_gap(s);
}

/* They have run out: it is closed, and no ID is used twice. */
SIM_TEST(message_ids_run_out)
{
    int by = (int)(s->seed & 1);
    sim_establish(s);
    set_ids(s, by == A ? IKE_IDS_END - 1 : 7, by == B ? IKE_IDS_END - 1 : 7);
    says_something(s, by);
    sim_run(s, MINUTES(1));
    expect(s, sim_sas(s, A) == 0 && sim_sas(s, B) == 0, "A has %u IKE SAs, B %u", sim_sas(s, A), sim_sas(s, B));
    initiate(s);
    set_ids(s, UINT32_MAX, 7);
    newest(s, A)->state = SA_REKEYED; /* as if nothing had closed it */
    expect(s, !window_has_room(newest(s, A)));
    expect(s, !window_takes(newest(s, B), UINT32_MAX) && !window_takes(newest(s, B), 0));
    newest(s, A)->state = SA_ESTABLISHED;
    set_ids(s, 7, 7);
}

/* s2.8: a Child SA ends with its lifetime, also if there is no memory to say so just then. */
SIM_TEST(a_child_ends_when_memory_is_out)
{
    sim_establish(s);
    struct ike_sa *sa = newest(s, A);
    list_entry(sa->children.next, struct ike_child, link)->expire_at = s->now + SECONDS(1);
    sa_arm(sa);
    sim_starve(s, (unsigned)s->seed);
    sim_run(s, MINUTES(2));
    sim_starve(s, 0);
    expect_children(s, 0);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1);
}

static const struct sim_case cases[] = {
    SIM_CASE(a_child_ends_when_memory_is_out),
    SIM_CASE(message_ids_begin_at_0_in_each_ike_sa),
    SIM_CASE(message_ids_run_low),
    SIM_CASE(message_ids_run_out),
    SIM_CASE(nothing_is_used_in_two_ike_sas),
    SIM_CASE(a_cookie_and_another_key_exchange),
    SIM_CASE(a_certificate_one_way_a_shared_key_the_other),
    SIM_CASE(key_ids_with_certificates),
    SIM_CASE(an_initiator_with_another_key_id),
    SIM_CASE(a_responder_with_another_key_id),
    SIM_CASE(further_networks_are_told_of),
    SIM_CASE(a_peer_that_rekeys_nothing),
    SIM_CASE(one_more_child_is_refused),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 5);
}
