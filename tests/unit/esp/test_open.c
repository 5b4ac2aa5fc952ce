/* test_open.c - inbound batches: order of checks, what may and may not change before a packet is authentic, events. */
#include "esp_fixture.h"
#include "esp/pad.h"
#include "wire/esp_hdr.h"

static struct box box, spare;
static uint8_t inner[2000];

static void start(struct pair *p)
{
    pair_init(p, &suites[0]);
    p->spec.udp_encap = true;
    pair_start(p);
}

static struct esp_pkt *sealed(struct pair *p, struct box *b)
{
    struct esp_pkt *pkt = box_fill(b, span(inner, sample4(inner, 100)));
    assert_int_equal(seal_one(p->a, pkt, 1), ESP_OK);
    return pkt;
}

/* Whatever plaintext (with its trailer), in a packet that is authentic all the same. */
static struct esp_pkt *sealed_plain(struct pair *p, struct adit_span plain)
{
    struct esp_pkt *pkt = box_fill(&box, plain);
    struct crypt *x = esp_half_crypt(p->a, &p->a->out, true);
    uint8_t *header = pkt->buf + pkt->off - 16;
    struct crypt_job job = {
        .data = pkt->buf + pkt->off, .n = pkt->len, .iv = header + 8, .aad = header, .aad_n = 8
    };
    job.icv = job.data + job.n;
    esp_hdr_put(header, SPI_A, (uint32_t)++p->a->seq);
    crypt_iv(x, p->a->seq, header + 8);
    crypt_seal_many(x, &job, 1);
    assert_true(job.ok);
    pkt->off -= 16;
    pkt->len += 32;
    return pkt;
}

/* The first payload_n octets of an inner packet of inner_n, and the trailer. */
static enum esp_verdict open_plain(struct pair *p, size_t inner_n, size_t payload_n, const char *trailer_hex)
{
    uint8_t plain[2200];
    sample4(plain, inner_n);
    size_t n = payload_n + unhex(plain + payload_n, trailer_hex);
    return open_one(p->at_b, sealed_plain(p, span(plain, n)), 1);
}

static void trailers_may_lie(void **state)
{
    static const struct {
        const char *what;
        size_t inner, payload;
        const char *trailer;
        enum esp_verdict verdict;
    } rows[] = {
        { "plain", 100, 100, "01020204", ESP_OK },
        { "more padding than needed", 100, 100, "0102030405060604", ESP_OK },
        { "odd size", 101, 101, "0004", ESP_OK },
        { "padding longer than the packet", 100, 30, "ff04", ESP_MALFORMED },
        { "wrong padding", 100, 100, "01030204", ESP_MALFORMED },
        { "nothing inside", 100, 0, "0004", ESP_MALFORMED },
        { "v6 said, v4 inside", 100, 100, "01020229", ESP_MALFORMED },
        { "transport payload in a tunnel", 100, 100, "01020211", ESP_MALFORMED },
        { "inner length beyond the payload", 100, 99, "010104", ESP_MALFORMED },
        { "dummy", 100, 100, "0102023b", ESP_DUMMY },
        { "empty dummy", 100, 0, "003b", ESP_DUMMY },
        { "dummy with wrong padding", 100, 100, "0102063b", ESP_MALFORMED },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pair p;
        start(&p);
        enum esp_verdict v = open_plain(&p, rows[i].inner, rows[i].payload, rows[i].trailer);
        assert_row(rows[i].what, v == rows[i].verdict);
        /* authentic, so it counts and moves the window, whatever it holds */
        assert_row(rows[i].what, p.b->in.packets == 1 && p.b->window.top == 1);
        assert_row(rows[i].what, p.b->errors_in == (v != ESP_OK && v != ESP_DUMMY));
        pair_stop(&p);
    }
}

static void longest_padding(void **state)
{
    struct pair p;
    uint8_t plain[600];
    start(&p);
    size_t n = sample4(plain, 100);
    n += pad_put(plain + n, 255, IP_PROTO_IPV4);
    struct esp_pkt *pkt = sealed_plain(&p, span(plain, n));
    assert_int_equal(open_one(p.at_b, pkt, 1), ESP_OK);
    assert_int_equal(pkt->len, 100);
    pair_stop(&p);
}

static void padding_against_traffic_analysis_is_trimmed(void **state)
{
    struct pair p;
    uint8_t plain[600];
    start(&p);
    for (int v6 = 0; v6 < 2; v6++) {
        size_t n = v6 ? sample6(plain, 100) : sample4(plain, 100), all = 500;
        memset(plain + n, 0x5a, all - n);
        all += pad_put(plain + all, 2, v6 ? IP_PROTO_IPV6 : IP_PROTO_IPV4);
        struct esp_pkt *pkt = sealed_plain(&p, span(plain, all));
        assert_int_equal(open_one(p.at_b, pkt, 1), ESP_OK);
        assert_true(span_equal(pkt_span(pkt), span(plain, n)));
    }
    assert_int_equal(p.b->in.bytes, 200);
    pair_stop(&p);
}

static void unknown_spi_and_runts(void **state)
{
    struct pair p;
    start(&p);
    struct esp_pkt *pkt = sealed(&p, &box);
    pkt->buf[pkt->off] ^= 1;
    assert_int_equal(open_one(p.at_b, pkt, 1), ESP_NO_SA);
    assert_null(pkt->sa);
    pkt = box_fill(&box, SPAN_LIT("1234567"));
    assert_int_equal(open_one(p.at_b, pkt, 1), ESP_MALFORMED);
    pkt->off = pkt->cap;
    pkt->len = 100;
    assert_int_equal(open_one(p.at_b, pkt, 1), ESP_MALFORMED);
    pair_stop(&p);
}

static void a_twin_in_the_same_batch_is_a_replay(void **state)
{
    struct pair p;
    start(&p);
    struct esp_pkt *one = sealed(&p, &box), *two = box_fill(&spare, pkt_span(one));
    struct esp_pkt *both[] = { one, two };
    esp_open_batch(p.at_b, both, 2, 1);
    assert_int_equal(one->verdict, ESP_OK);
    assert_int_equal(two->verdict, ESP_REPLAY);
    assert_int_equal(p.b->in.packets, 1);
    pair_stop(&p);
}

/* Two SAs, forgeries, strangers and runts mixed in one long batch: each gets what it would get alone. */
static void mixed_batches(void **state)
{
    enum { N = 200 };
    static struct box boxes[N];
    static enum esp_verdict expect[N];
    struct esp_pkt *pkts[N];
    struct pair p, q;
    start(&p);
    pair_init(&q, &suites[12]);
    q.spec.udp_encap = true;
    q.spec.out.spi = 0x1000;
    pair_start(&q);
    assert_int_equal(esp_table_add(p.at_b, q.b), ADIT_OK);
    uint64_t rnd = 3;
    for (size_t i = 0; i < N; i++) {
        uint64_t r = next_random(&rnd);
        pkts[i] = sealed(r & 1 ? &p : &q, &boxes[i]);
        expect[i] = ESP_OK;
        if (r >> 60 == 1) {
            pkts[i]->buf[pkts[i]->off + 20] ^= 4;
            expect[i] = ESP_INTEGRITY;
        } else if (r >> 60 == 2) {
            be32_put(pkts[i]->buf + pkts[i]->off, 0x99999999);
            expect[i] = ESP_NO_SA;
        } else if (r >> 60 == 3) {
            pkts[i]->len = 5;
            expect[i] = ESP_MALFORMED;
        }
    }
    esp_open_batch(p.at_b, pkts, N, 1);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(pkts[i]->verdict, expect[i]);
        assert_true(expect[i] != ESP_OK || span_equal(pkt_span(pkts[i]), span(inner, 100)));
    }
    pair_stop(&p);
    pair_stop(&q);
}

static void the_first_packet_activates_the_way_back(void **state)
{
    struct pair p;
    start(&p);
    p.b->active = false;
    struct esp_pkt *pkt = sealed(&p, &box);
    struct esp_pkt *forged = box_fill(&spare, pkt_span(pkt));
    forged->buf[forged->off + 30] ^= 1;
    assert_int_equal(open_one(p.at_b, forged, 1), ESP_INTEGRITY);
    assert_false(esp_sa_is_active(p.b));
    assert_int_equal(esp_sa_events(p.b), 0);
    assert_int_equal(open_one(p.at_b, pkt, 1), ESP_OK);
    assert_true(esp_sa_is_active(p.b));
    assert_int_equal(esp_sa_events(p.b), ESP_EV_FIRST_IN);
    assert_int_equal(open_one(p.at_b, sealed(&p, &box), 1), ESP_OK);
    assert_int_equal(esp_sa_events(p.b), 0);
    pair_stop(&p);
}

static unsigned events_from(struct pair *p, struct esp_pkt *pkt, const struct adit_path *from)
{
    pkt->from = from;
    assert_int_equal(open_one(p->at_b, pkt, 1), ESP_OK);
    return esp_sa_events(p->b) & ~(unsigned)ESP_EV_FIRST_IN;
}

static void a_peer_that_moves_is_noticed(void **state)
{
    struct pair p;
    struct adit_path out;
    start(&p);
    const struct adit_path home = *esp_sa_path(p.b);
    struct adit_path elsewhere = home, other_port = home, other_local = home;
    elsewhere.remote.addr = ip4(203, 0, 113, 9);
    other_port.remote.port = 61000;
    other_local.local.addr = ip4(203, 0, 113, 10);
    assert_int_equal(events_from(&p, sealed(&p, &box), &home), 0);
    assert_int_equal(events_from(&p, sealed(&p, &box), NULL), 0);
    assert_int_equal(events_from(&p, sealed(&p, &box), &other_local), 0);
    assert_false(esp_sa_moved(p.b, &out));
    assert_int_equal(events_from(&p, sealed(&p, &box), &other_port), ESP_EV_PATH);
    assert_int_equal(events_from(&p, sealed(&p, &box), &other_port), 0); /* known, though nobody follows */
    struct esp_pkt *late = sealed(&p, &spare);
    assert_int_equal(events_from(&p, sealed(&p, &box), &elsewhere), ESP_EV_PATH);
    assert_int_equal(events_from(&p, late, &other_port), 0); /* older than what we know */
    assert_true(esp_sa_moved(p.b, &out));
    assert_int_equal(out.remote.addr.ip[0], 203);
    assert_int_equal(out.remote.port, 4500);
    esp_sa_set_path(p.b, &elsewhere, true);
    assert_int_equal(events_from(&p, sealed(&p, &box), &elsewhere), 0);
    pair_stop(&p);
}

/* Bare ESP tells no port, whatever the path says where IKE talks; nor does it with UDP if the receiver can't see it. */
static void a_missing_port_is_no_move(void **state)
{
    static const struct {
        const char *what;
        bool udp;
        uint16_t port;
        unsigned events;
    } rows[] = {
        { "bare", false, 0, 0 },
        { "bare, some port", false, 9, 0 },
        { "UDP, unknown", true, 0, 0 },
        { "UDP, other", true, 9, ESP_EV_PATH },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pair p;
        start(&p);
        p.b->udp = rows[i].udp;
        struct adit_path from = *esp_sa_path(p.b);
        from.remote.port = rows[i].port;
        assert_row(rows[i].what, events_from(&p, sealed(&p, &box), &from) == rows[i].events);
        pair_stop(&p);
    }
}

static void a_packet_may_end_with_its_buffer(void **state)
{
    struct pair p;
    start(&p);
    struct esp_pkt *pkt = sealed(&p, &box);
    pkt->cap = pkt->off + pkt->len - 1;
    assert_int_equal(open_one(p.at_b, pkt, 1), ESP_MALFORMED);
    pkt->cap++;
    assert_int_equal(open_one(p.at_b, pkt, 1), ESP_OK);
    pair_stop(&p);
}

static void without_a_window_nobody_moves(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.udp_encap = true;
    p.spec.replay_window = 0;
    pair_start(&p);
    struct adit_path elsewhere = *esp_sa_path(p.b);
    elsewhere.remote.addr = ip4(203, 0, 113, 9);
    struct esp_pkt *pkt = sealed(&p, &box), *again = box_fill(&spare, pkt_span(pkt));
    assert_int_equal(events_from(&p, pkt, &elsewhere), 0);
    assert_int_equal(events_from(&p, again, &elsewhere), 0); /* and replays pass, as configured */
    pair_stop(&p);
}

static void other_traffic_is_refused(void **state)
{
    struct pair p;
    pair_init(&p, &suites[0]);
    p.spec.udp_encap = true;
    p.spec.n_local_ts = 1;
    p.local[0] = ts_host(ip4(192, 0, 2, 77), 0, 0, 65535);
    pair_start(&p);
    assert_int_equal(open_one(p.at_b, sealed(&p, &box), 1), ESP_SELECTOR);
    assert_int_equal(p.b->in.packets, 1);
    assert_int_equal(p.b->in.bytes, 0);
    pair_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trailers_may_lie),
        cmocka_unit_test(longest_padding),
        cmocka_unit_test(padding_against_traffic_analysis_is_trimmed),
        cmocka_unit_test(unknown_spi_and_runts),
        cmocka_unit_test(a_twin_in_the_same_batch_is_a_replay),
        cmocka_unit_test(mixed_batches),
        cmocka_unit_test(the_first_packet_activates_the_way_back),
        cmocka_unit_test(a_peer_that_moves_is_noticed),
        cmocka_unit_test(a_missing_port_is_no_move),
        cmocka_unit_test(a_packet_may_end_with_its_buffer),
        cmocka_unit_test(without_a_window_nobody_moves),
        cmocka_unit_test(other_traffic_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
