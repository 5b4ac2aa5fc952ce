/* esp_fixture.h - what the tests of this room share: a pair of SAs that face each other, packets in buffers with room
 * around them, small IP packets, hexadecimal octets, a cheap deterministic generator. */
#ifndef ESP_FIXTURE_H
#define ESP_FIXTURE_H

#include "unit.h"
#include "base/span.h"
#include "esp/sa.h"
#include "wire/be.h"
#include "wire/ip.h"
#include "wire/l4.h"

#define SPI_A 0x11223344u
#define SPI_B 0x55667788u
#define SECOND UINT64_C(1000000000)

static inline const struct adit_crypto *fixture_crypto(void)
{
    static struct adit_crypto *crypto;
    struct adit_why why;
    if (!crypto)
        crypto = adit_crypto_new(NULL, NULL, &why);
    assert_non_null(crypto);
    return crypto;
}

static inline size_t unhex(uint8_t *out, const char *hex)
{
    size_t n = 0;
    for (unsigned half = 0, value = 0; *hex; hex++) {
        if (*hex == ' ')
            continue;
        value = value << 4 | (unsigned)(*hex <= '9' ? *hex - '0' : (*hex | 32) - 'a' + 10);
        if (half ^= 1)
            continue;
        out[n++] = (uint8_t)value;
    }
    return n;
}

static inline uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline struct adit_addr ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (struct adit_addr){ 4, { a, b, c, d } };
}

/* 2001:db8:net::host */
static inline struct adit_addr ip6(uint8_t net, uint8_t host)
{
    struct adit_addr a = { 6, { 0x20, 0x01, 0x0d, 0xb8, 0, net } };
    a.ip[15] = host;
    return a;
}

static inline struct adit_ts ts_all(uint8_t family)
{
    struct adit_ts ts = { .family = family, .port_hi = 65535 };
    memset(ts.hi, 0xff, family == 4 ? 4 : 16);
    return ts;
}

static inline struct adit_ts ts_host(struct adit_addr a, uint8_t proto, uint16_t lo, uint16_t hi)
{
    struct adit_ts ts = { .family = a.family, .proto = proto, .port_lo = lo, .port_hi = hi };
    memcpy(ts.lo, a.ip, 16);
    memcpy(ts.hi, a.ip, 16);
    return ts;
}

/* A suite that can be negotiated. */
struct suite_row {
    const char *what;
    uint16_t encr, bits, integ;
};
static const struct suite_row suites[] = {
    { "GCM-16-256", ENCR_AES_GCM_16, 256, 0 },
    { "GCM-16-128", ENCR_AES_GCM_16, 128, 0 },
    { "GCM-12-192", ENCR_AES_GCM_12, 192, 0 },
    { "GCM-8-128", ENCR_AES_GCM_8, 128, 0 },
    { "ChaCha", ENCR_CHACHA20_POLY1305, 0, 0 },
    { "CCM-16-256", ENCR_AES_CCM_16, 256, 0 },
    { "CCM-12-128", ENCR_AES_CCM_12, 128, 0 },
    { "CCM-8-128", ENCR_AES_CCM_8, 128, 0 },
    { "GCM-16-IIV-256", ENCR_AES_GCM_16_IIV, 256, 0 },
    { "CCM-8-IIV-128", ENCR_AES_CCM_8_IIV, 128, 0 },
    { "ChaCha-IIV", ENCR_CHACHA20_POLY1305_IIV, 0, 0 },
    { "GMAC-256", ENCR_NULL_AES_GMAC, 256, 0 },
    { "CBC-256 + SHA2-256", ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128 },
    { "CBC-128 + SHA2-512", ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_512_256 },
    { "CTR-128 + SHA2-384", ENCR_AES_CTR, 128, INTEG_HMAC_SHA2_384_192 },
    { "NULL + SHA2-256", ENCR_NULL, 0, INTEG_HMAC_SHA2_256_128 },
};

/* Two ends; a change of `spec` before pair_start() goes to both, mirrored. */
struct pair {
    struct adit_child_spec spec; /* a's view */
    struct adit_ts local[2], remote[2];
    uint8_t key_ab[128], key_ba[128];
    struct esp_sa *a, *b;
    struct esp_table *at_a, *at_b;
};

static inline size_t fixture_key_size(const struct suite_row *s)
{
    const struct encr_alg *alg = crypto_encr(fixture_crypto(), s->encr);
    assert_row(s->what, alg != NULL);
    return encr_key_octets(alg, s->bits);
}

static inline void pair_init(struct pair *p, const struct suite_row *s)
{
    *p = (struct pair){ .local = { ts_all(4), ts_all(6) }, .remote = { ts_all(4), ts_all(6) } };
    for (unsigned i = 0; i < 128; i++) {
        p->key_ab[i] = (uint8_t)i;
        p->key_ba[i] = (uint8_t)(i + 128);
    }
    size_t n = fixture_key_size(s);
    const struct integ_alg *integ = s->integ ? crypto_integ(fixture_crypto(), s->integ) : NULL;
    size_t integ_n = integ ? integ->key : 0;
    p->spec = (struct adit_child_spec){
        .id = 7,
        .reqid = 3,
        .proto = PROTO_ESP,
        .mode = ADIT_MODE_TUNNEL,
        .suite = { .encr = s->encr, .encr_bits = s->bits, .integ = s->integ },
        .out = { SPI_A, span(p->key_ab, n), span(p->key_ab + 48, integ_n) },
        .in = { SPI_B, span(p->key_ba, n), span(p->key_ba + 48, integ_n) },
        .path = { { ip4(192, 0, 2, 1), 4500 }, { ip4(198, 51, 100, 2), 4500 } },
        .n_local_ts = 2,
        .n_remote_ts = 2,
        .replay_window = 4096,
        .copy_ecn = true,
        .copy_dscp = ADIT_COPY_OUT,
    };
}

static inline struct esp_sa *sa_start(const struct adit_child_spec *spec)
{
    struct esp_sa *sa = NULL;
    struct adit_why why = { 0 };
    if (esp_sa_new(fixture_crypto(), spec, 0, &sa, &why) != ADIT_OK)
        fail_msg("esp_sa_new: %s", why.text);
    return sa;
}

static inline void pair_start(struct pair *p)
{
    struct adit_child_spec mine = p->spec, theirs = p->spec;
    mine.local_ts = theirs.remote_ts = p->local;
    mine.remote_ts = theirs.local_ts = p->remote;
    theirs.n_local_ts = mine.n_remote_ts;
    theirs.n_remote_ts = mine.n_local_ts;
    theirs.in = mine.out;
    theirs.out = mine.in;
    theirs.path = (struct adit_path){ mine.path.remote, mine.path.local };
    p->a = sa_start(&mine);
    p->b = sa_start(&theirs);
    p->at_a = esp_table_new(1);
    p->at_b = esp_table_new(2);
    assert_int_equal(esp_table_add(p->at_a, p->a), ADIT_OK);
    assert_int_equal(esp_table_add(p->at_b, p->b), ADIT_OK);
}

static inline void pair_stop(struct pair *p)
{
    esp_table_free(p->at_a);
    esp_table_free(p->at_b);
    esp_sa_free(p->a);
    esp_sa_free(p->b);
}

/* A packet with a buffer of its own, as the workers have them. */
#define BOX_PAYLOAD 66000
struct box {
    struct esp_pkt pkt;
    uint8_t mem[ESP_HEADROOM + BOX_PAYLOAD + ESP_TAILROOM];
};

static inline struct esp_pkt *box_fill(struct box *b, struct adit_span s)
{
    b->pkt =
        (struct esp_pkt){ .buf = b->mem, .cap = sizeof(b->mem), .off = ESP_HEADROOM, .len = (uint32_t)s.n };
    b->pkt.verdict = ESP_VERDICTS;
    span_copy(b->mem + ESP_HEADROOM, s);
    return &b->pkt;
}

static inline struct adit_span pkt_span(const struct esp_pkt *p)
{
    return span(p->buf + p->off, p->len);
}

static inline enum esp_verdict seal_one(struct esp_sa *sa, struct esp_pkt *pkt, uint64_t now)
{
    esp_seal_batch(sa, &pkt, 1, now);
    return pkt->verdict;
}

static inline enum esp_verdict open_one(struct esp_table *t, struct esp_pkt *pkt, uint64_t now)
{
    esp_open_batch(t, &pkt, 1, now);
    return pkt->verdict;
}

/* The outer IP header is the socket's business on arrival: takes it off as the kernel does. */
static inline void strip_outer(struct esp_pkt *pkt)
{
    struct rd in = rd_init(pkt_span(pkt));
    struct ip_packet ip;
    assert_true(ip_get(&in, &ip));
    assert_int_equal(ip.proto, IP_PROTO_ESP);
    assert_int_equal(ip.total_n, pkt->len);
    pkt->off += ip.header_n;
    pkt->len -= ip.header_n;
    pkt->tos = ip.tos;
}

/* A whole IP/UDP packet with right checksums; returns its length. */
static inline size_t udp_packet(uint8_t *out, struct adit_addr src, struct adit_addr dst, uint8_t tos,
                                bool df, uint16_t sport, uint16_t dport, size_t payload_n)
{
    struct ip_outer o = {
        .src = src, .dst = dst, .tos = tos, .ttl = 61, .proto = IP_PROTO_UDP, .dont_fragment = df
    };
    size_t n = ip_put_size(&o);
    assert_true(ip_put(out, &o, UDP_HDR_SIZE + payload_n));
    udp_put(out + n, sport, dport, payload_n, 0);
    for (size_t i = 0; i < payload_n; i++)
        out[n + UDP_HDR_SIZE + i] = (uint8_t)(i * 7 + payload_n);
    struct rd in = rd_init(span(out, n + UDP_HDR_SIZE + payload_n));
    struct ip_packet ip;
    assert_true(ip_get(&in, &ip));
    l4_checksum_set(out, &ip);
    return ip.total_n;
}

/* From a's inner net to b's, 192.0.2.1 -> 198.51.100.2 with this many octets in all (>= 28). */
static inline size_t sample4(uint8_t *out, size_t total)
{
    return udp_packet(out, ip4(192, 0, 2, 1), ip4(198, 51, 100, 2), 0, false, 1000, 2000, total - 28);
}

static inline size_t sample6(uint8_t *out, size_t total)
{
    return udp_packet(out, ip6(1, 1), ip6(2, 2), 0, false, 1000, 2000, total - 48);
}

#endif
