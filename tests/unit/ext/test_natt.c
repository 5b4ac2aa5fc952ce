/* test_natt.c - hashes of addresses, what follows from them, and when (RFC 7296 s2.23). */
#include "fake_sa.h"
#include "ike/ext/natt/natt.h"

extern const struct ike_ext ext_natt;

#define SPI_I 0x0102030405060708
#define SPI_R 0x1112131415161718
#define SECOND 1000000000ull

static void hashes_are_those_of_an_independent_computation(void **state)
{
    static const struct
    { /* Python: sha1(struct.pack('>QQ', i, r) + inet_pton(ip) + struct.pack('>H', port)) */
        const char *what, *ip;
        uint64_t spi_r;
        uint16_t port;
        const char *hex;
    } rows[] = {
        { "IPv4, first request", "192.0.2.1", 0, 500, "644b4575455bd6fcc1efe2be8162a9218e448e5f" },
        { "IPv4, port 4500", "198.51.100.2", SPI_R, 4500, "f574d2c866f7fa5e231217325d5dcde42e7be277" },
        { "IPv6", "2001:db8::1", SPI_R, 500, "645efdf3a4d473679c6a6530abefd3b71d8c18af" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_endpoint e = { .port = rows[i].port };
        uint8_t hash[NATT_HASH_SIZE];
        STRBUF(hex, 64);
        assert_true(addr_parse(rows[i].ip, &e.addr));
        assert_true(natt_hash(SPI_I, rows[i].spi_r, &e, hash));
        strbuf_hex(&hex, SPAN_ARRAY(hash));
        assert_row(rows[i].what, !strcmp(hex.p, rows[i].hex));
    }
}

static const uint8_t good[NATT_HASH_SIZE] = { 1 }, bad[NATT_HASH_SIZE] = { 2 };

static void one_source_of_several_is_enough(void **state)
{
    static const struct {
        const char *what, *notifies; /* S/D: matches; s/d: does not; |: another message */
        bool local, remote;
    } rows[] = {
        { "nothing came", "", false, false },
        { "all match", "SD", false, false },
        { "source differs", "sD", false, true },
        { "destination differs", "Sd", true, false },
        { "both differ", "sd", true, true },
        { "second source matches", "sSD", false, false },
        { "first source matches", "SsD", false, false },
        { "no destination", "s", false, true },
        { "no source", "d", true, false },
        { "a better second message", "sd|SD", false, false },
        { "a worse second message", "SD|sd", true, true },
        { "the second message says less", "sd|S", false, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct natt_state s = { 0 };
        const char *of = rows[i].notifies;
        for (const char *c = of; *c; c++) {
            bool source = *c == 'S' || *c == 's', match = *c == 'S' || *c == 'D';
            if (*c == '|')
                of = c;
            else
                natt_note(&s, of, source, match ? SPAN_ARRAY(good) : SPAN_ARRAY(bad), good);
        }
        assert_row(rows[i].what, natt_is_local(&s) == rows[i].local);
        assert_row(rows[i].what, natt_is_remote(&s) == rows[i].remote);
    }
}

static void a_hash_of_another_length_does_not_match(void **state)
{
    struct natt_state s = { 0 };
    natt_note(&s, &s, true, span(good, NATT_HASH_SIZE - 1), good);
    natt_note(&s, &s, false, SPAN_NONE, good);
    assert_true(natt_is_remote(&s) && natt_is_local(&s));
}

/* --- two ends ------------------------------------------------------------------------------------------------- */

struct letter { /* the notifies of one IKE_SA_INIT message */
    uint8_t mem[200];
    struct payload_list list;
    struct ike_msg msg;
};

static void write_letter(struct ike_sa *from, struct letter *l)
{
    struct wr w;
    struct ike_hdr hdr = { .spi_i = from->spi_i, .spi_r = from->initiator ? 0 : from->spi_r };
    wr_init(&w, l->mem, sizeof(l->mem));
    wr_chain(&w);
    for (uint16_t i = 0; i < ext_natt.n_announce; i++)
        ext_natt.announce[i].put(from, &w);
    assert_true(wr_ok(&w));
    struct rd in = rd_init(span_from(wr_written(&w), 1));
    assert_true(payloads_get(&in, l->mem[0], &l->list, NULL));
    l->msg = (struct ike_msg){ .hdr = hdr, .n = l->list.n, .v = l->list.v };
}

static void read_letter(struct ike_sa *to, const struct letter *l)
{
    for (uint16_t row = 0; row < ext_natt.n_announce; row++)
        for (uint16_t i = 0; i < l->msg.n; i++) {
            struct rd in = rd_init(l->msg.v[i].body);
            struct notify n;
            assert_true(notify_get(&in, &n));
            if (n.type == ext_natt.announce[row].notify)
                ext_natt.announce[row].get(to, &l->msg, &n);
        }
}

static void endpoint(struct adit_endpoint *e, const char *ip, uint16_t port)
{
    assert_true(addr_parse(ip, &e->addr));
    e->port = port;
}

/* A speaks to B through what `nat_a` and `nat_b` say; then IKE_SA_INIT is over. */
static void exchange(struct ike_sa *a, struct ike_sa *b, bool nat_a, bool nat_b, const char *encap_a,
                     const char *encap_b)
{
    struct letter request, response;
    fake_sa(a, &ext_natt);
    fake_sa(b, &ext_natt);
    b->initiator = false;
    fake_set(a, "encap", encap_a);
    fake_set(b, "encap", encap_b);
    b->path = (struct adit_path){ a->path.remote, a->path.local };
    if (nat_a)
        endpoint(&b->path.remote, "203.0.113.9", 61000);
    if (nat_b)
        endpoint(&b->path.local, "10.0.0.2", 500);
    write_letter(a, &request);
    read_letter(b, &request);
    write_letter(b, &response);
    read_letter(a, &response);
    ext_natt.on.life(b, LIFE_KEYED, NULL);
    ext_natt.on.life(a, LIFE_KEYED, NULL);
}

static void done(struct ike_sa *a, struct ike_sa *b)
{
    fake_fini(a);
    fake_fini(b);
}

static bool encapsulates(struct ike_sa *sa)
{
    struct adit_child_spec spec = { .path = sa->path };
    ext_natt.on.child_spec(sa, &spec);
    return spec.udp_encap;
}

static void both_ends_find_the_same_translators(void **state)
{
    static const struct {
        const char *what;
        bool nat_a, nat_b;
        const char *encap_a, *encap_b;
        bool a_local, a_remote, b_local, b_remote, moves;
    } rows[] = {
        { "no NAT", false, false, "no", "no", false, false, false, false, false },
        { "initiator behind NAT", true, false, "no", "no", true, false, false, true, true },
        { "responder behind NAT", false, true, "no", "no", false, true, true, false, true },
        { "both behind NAT", true, true, "no", "no", true, true, true, true, true },
        { "initiator fakes one", false, false, "yes", "no", false, false, false, true, true },
        { "responder fakes one", false, false, "no", "yes", false, true, false, false, true },
        { "both fake one", false, false, "yes", "yes", false, true, false, true, true },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike_sa a, b;
        struct adit_ike_info ia = { 0 }, ib = { 0 };
        exchange(&a, &b, rows[i].nat_a, rows[i].nat_b, rows[i].encap_a, rows[i].encap_b);
        ext_natt.on.status(&a, &ia);
        ext_natt.on.status(&b, &ib);
        assert_row(rows[i].what, ia.nat_local == rows[i].a_local && ia.nat_remote == rows[i].a_remote);
        assert_row(rows[i].what, ib.nat_local == rows[i].b_local && ib.nat_remote == rows[i].b_remote);
        assert_row(rows[i].what, a.path.local.port == (rows[i].moves ? 4500 : 500));
        assert_row(rows[i].what, a.path.remote.port == (rows[i].moves ? 4500 : 500));
        assert_row(rows[i].what, b.path_sets == 0); /* the responder follows what it sees */
        assert_row(rows[i].what, encapsulates(&a) == rows[i].moves);
        assert_row(rows[i].what, !encapsulates(&b)); /* still on port 500 */
        b.path.local.port = 4500;
        assert_row(rows[i].what, encapsulates(&b) == rows[i].moves);
        done(&a, &b);
    }
}

static void a_configured_port_of_the_peer_stays(void **state)
{
    struct ike_sa a, b;
    exchange(&a, &b, true, false, "no", "no");
    a.path.local.port = 500;
    a.path.remote.port = 1500;
    ext_natt.on.life(&a, LIFE_KEYED, NULL);
    assert_int_equal(a.path.local.port, 4500);
    assert_int_equal(a.path.remote.port, 1500);
    done(&a, &b);
}

static void without_agreement_nothing_follows(void **state)
{
    struct ike_sa a, b;
    struct adit_ike_info info = { 0 };
    exchange(&a, &b, true, true, "yes", "no");
    a.agreed = false; /* the message that was accepted in the end had no such notify */
    ext_natt.on.status(&a, &info);
    assert_false(info.nat_local || info.nat_remote || encapsulates(&a));
    a.path_sets = 0;
    ext_natt.on.life(&a, LIFE_KEYED, NULL);
    assert_int_equal(a.path_sets, 0);
    done(&a, &b);
}

static void a_second_response_counts_alone(void **state)
{
    struct ike_sa a, b;
    struct letter forged, good_one;
    struct adit_ike_info info = { 0 };
    exchange(&a, &b, false, false, "no", "no");
    b.path.local.port = b.path.remote.port = 9;
    write_letter(&b, &forged);
    read_letter(&a, &forged);
    ext_natt.on.status(&a, &info);
    assert_true(info.nat_local && info.nat_remote);
    b.path = (struct adit_path){ a.path.remote, a.path.local };
    write_letter(&b, &good_one);
    read_letter(&a, &good_one);
    read_letter(&a, &good_one); /* resumed after waiting: the same again */
    ext_natt.on.status(&a, &info);
    assert_false(info.nat_local || info.nat_remote);
    done(&a, &b);
}

static void only_a_host_in_the_open_follows(void **state)
{
    static const struct {
        const char *what;
        bool nat_a, nat_b, a_follows, b_follows;
    } rows[] = {
        { "no NAT", false, false, false, false },
        { "initiator behind NAT", true, false, false, true },
        { "responder behind NAT", false, true, true, false },
        { "both behind NAT", true, true, false, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ike_sa a, b;
        struct adit_path there;
        exchange(&a, &b, rows[i].nat_a, rows[i].nat_b, "no", "no");
        there = a.path;
        endpoint(&there.remote, "203.0.113.77", 4321);
        ext_natt.on.moved(&a, &there, BY_IKE);
        assert_row(rows[i].what, path_equal(&a.path, &there) == rows[i].a_follows);
        there = b.path;
        endpoint(&there.remote, "203.0.113.78", 4322);
        ext_natt.on.moved(&b, &there, BY_ESP);
        assert_row(rows[i].what, path_equal(&b.path, &there) == rows[i].b_follows);
        done(&a, &b);
    }
}

/* --- keepalives ----------------------------------------------------------------------------------------------- */

static void tick(struct ike_sa *sa, uint64_t now)
{
    sa->now = now;
    ext_natt.on.timer(sa, now);
}

static void keepalives_fill_silence_behind_a_nat(void **state)
{
    struct ike_sa a, b;
    exchange(&a, &b, true, false, "no", "no");
    assert_true(ext_natt.on.deadline(&a) == UINT64_MAX); /* not yet established */
    a.established = b.established = true;
    a.last_sent_at = 5 * SECOND;
    assert_true(ext_natt.on.deadline(&a) == 25 * SECOND);
    tick(&a, 25 * SECOND - 1);
    assert_int_equal(a.keepalives, 0);
    tick(&a, 25 * SECOND);
    assert_int_equal(a.keepalives, 1);
    assert_true(ext_natt.on.deadline(&a) == 45 * SECOND);
    assert_true(ext_natt.on.deadline(&b) == UINT64_MAX); /* b is in the open */
    fake_set(&a, "keep_alive", "7");
    assert_true(ext_natt.on.deadline(&a) == 32 * SECOND);
    fake_set(&a, "keep_alive", "0");
    assert_true(ext_natt.on.deadline(&a) == UINT64_MAX);
    tick(&a, 1000 * SECOND);
    assert_int_equal(a.keepalives, 1);
    done(&a, &b);
}

/* A rekeyed SA has what its ancestor found out; crossing rekeys make two heirs, and each of them may stay. */
static void rekeyed_sas_inherit(void **state)
{
    struct ike_sa a, b, heir[2];
    struct adit_ike_info info = { 0 };
    exchange(&a, &b, true, false, "no", "no");
    a.established = true;
    for (int i = 0; i < 2; i++) {
        fake_sa(&heir[i], &ext_natt);
        heir[i].established = true;
        heir[i].path = a.path;
        ext_natt.on.life(&a, LIFE_REKEYED, &heir[i]);
        ext_natt.on.status(&heir[i], &info);
        assert_true(info.nat_local && !info.nat_remote);
        assert_true(encapsulates(&heir[i]));
        assert_true(ext_natt.on.deadline(&heir[i]) == 20 * SECOND);
    }
    assert_true(ext_natt.on.deadline(&a) == UINT64_MAX);
    for (int i = 0; i < 2; i++)
        fake_fini(&heir[i]);
    done(&a, &b);
}

static void memory_may_be_out(void **state)
{
    struct ike_sa a, b;
    struct letter request;
    unsigned left = 0;
    struct adit_ike_info info = { 0 };
    exchange(&a, &b, false, false, "no", "no");
    write_letter(&a, &request);
    fake_fini(&b);
    mem_set_gate(gate_countdown, &left);
    read_letter(&b, &request);
    mem_set_gate(NULL, NULL);
    ext_natt.on.status(&b, &info);
    assert_false(info.nat_local || info.nat_remote);
    done(&a, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_an_independent_computation),
        cmocka_unit_test(one_source_of_several_is_enough),
        cmocka_unit_test(a_hash_of_another_length_does_not_match),
        cmocka_unit_test(both_ends_find_the_same_translators),
        cmocka_unit_test(a_configured_port_of_the_peer_stays),
        cmocka_unit_test(without_agreement_nothing_follows),
        cmocka_unit_test(a_second_response_counts_alone),
        cmocka_unit_test(only_a_host_in_the_open_follows),
        cmocka_unit_test(keepalives_fill_silence_behind_a_nat),
        cmocka_unit_test(rekeyed_sas_inherit),
        cmocka_unit_test(memory_may_be_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
