/* fuzz_esp_open.c - the inbound path. The harness knows the key: it seals the fuzzer's octets as plaintext, so that they
 * get behind the ICV into padding, tunnel, transport and selectors; or hands them in as they are.
 * Input: suite, options, TOS, then plaintext (or packet behind the SPI). */
#include <stdlib.h>
#include "esp/sa.h"
#include "wire/be.h"
#include "wire/ip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

#define SPI 0x11223344u
#define PLAIN_MAX 4096

enum option {
    TRANSPORT = 1,
    ESN = 2,
    AS_IT_IS = 4,
    V6_PATH = 8,
    NARROW = 16,
    TRANSLATED = 32,
    NO_WINDOW = 64
};

static const struct adit_suite suites[] = {
    { .encr = ENCR_AES_GCM_16, .encr_bits = 128 },
    { .encr = ENCR_AES_GCM_16_IIV, .encr_bits = 256 },
    { .encr = ENCR_CHACHA20_POLY1305 },
    { .encr = ENCR_NULL_AES_GMAC, .encr_bits = 128 },
    { .encr = ENCR_AES_CBC, .encr_bits = 128, .integ = INTEG_HMAC_SHA2_256_128 },
    { .encr = ENCR_NULL, .integ = INTEG_HMAC_SHA2_256_128 },
};

static const struct adit_crypto *crypto(void)
{
    static struct adit_crypto *c;
    if (!c)
        c = adit_crypto_new(NULL, NULL, NULL);
    must(c);
    return c;
}

static struct adit_ts everything(uint8_t family)
{
    struct adit_ts ts = { .family = family, .port_hi = 65535 };
    for (int i = 0; i < (family == 4 ? 4 : 16); i++)
        ts.hi[i] = 0xff;
    return ts;
}

static const struct adit_addr here[2] = { { 4, { 198, 51, 100, 2 } },
                                          { 6, { 0x20, 1, 0xd, 0xb8, [15] = 2 } } };
static const struct adit_addr there[2] = { { 4, { 192, 0, 2, 1 } }, { 6, { 0x20, 1, 0xd, 0xb8, [15] = 1 } } };

static struct esp_sa *make(const struct adit_suite *suite, unsigned options)
{
    static const uint8_t key[64] = { 1, 2, 3 };
    const struct encr_alg *encr = crypto_encr(crypto(), suite->encr);
    struct adit_span k = span(key, encr_key_octets(encr, suite->encr_bits)),
                     integ = span(key, suite->integ ? 32 : 0);
    bool v6 = options & V6_PATH;
    struct adit_ts local[2] = { everything(4), everything(6) }, remote[2] = { everything(4), everything(6) };
    if (options & NARROW) {
        local[0].proto = remote[0].proto = IP_PROTO_UDP;
        local[0].port_lo = local[0].port_hi = 53;
        remote[1].port_lo = 65535, remote[1].port_hi = 0;
    }
    struct adit_child_spec spec = {
        .proto = PROTO_ESP,
        .mode = options & TRANSPORT ? ADIT_MODE_TRANSPORT : ADIT_MODE_TUNNEL,
        .suite = *suite,
        .in = { SPI, k, integ },
        .out = { SPI, k, integ },
        .path = { { here[v6], 4500 }, { there[v6], 4500 } },
        .udp_encap = true,
        .n_local_ts = 2,
        .n_remote_ts = 2,
        .local_ts = local,
        .remote_ts = remote,
        .replay_window = options & NO_WINDOW ? 0 : 64,
        .copy_ecn = true,
        .copy_dscp = ADIT_COPY_BOTH,
    };
    if (options & TRANSLATED)
        spec.local_seen_by_peer = spec.remote_seen_by_peer = here[v6];
    spec.suite.sn = options & ESN ? SN_64_BIT_PARTIAL : SN_32_BIT;
    struct esp_sa *sa = NULL;
    must(esp_sa_new(crypto(), &spec, 0, &sa, NULL) == ADIT_OK);
    sa->seq = sa->window.top = options & ESN ? UINT64_C(0x1ffffffff) : 7;
    return sa;
}

/* Lets the protocol lay a packet out, then puts the fuzzer's octets where payload, padding and trailer are. */
static void seal(struct esp_sa *sa, struct esp_pkt *pkt, struct adit_span plain)
{
    struct esp_frame f = { .pkt = pkt, .payload = pkt->buf + ESP_HEADROOM, .n = (uint32_t)plain.n - 2 };
    struct crypt_job job;
    f.seq = ++sa->seq;
    must(esp_half_crypt(sa, &sa->out, true));
    sa->proto->seal(sa, &f, &job);
    must(job.n == plain.n);
    span_copy(job.data, plain);
    crypt_seal_many(sa->out.crypt, &job, 1);
    must(job.ok);
}

static void check_inner(const struct esp_sa *sa, const struct esp_pkt *pkt)
{
    struct rd in = rd_init(span(pkt->buf + pkt->off, pkt->len));
    struct ip_packet ip;
    must(pkt->off + (size_t)pkt->len <= pkt->cap);
    must(ip_get(&in, &ip) && ip.total_n == pkt->len);
    must(selector_inbound(sa, &ip, rd_rest(&in)));
}

/* A buffer that ends where the packet does, so that a sanitizer sees the first octet too many. */
static struct esp_pkt exact(const struct esp_pkt *from, uint8_t tos)
{
    struct esp_pkt pkt = { .off = from->off, .len = from->len, .cap = from->off + from->len, .tos = tos };
    pkt.buf = malloc(pkt.cap);
    must(pkt.buf);
    span_copy(pkt.buf, span(from->buf, pkt.cap));
    return pkt;
}

static void open_twice(struct esp_sa *sa, const struct esp_pkt *sealed, uint8_t tos, bool authentic)
{
    struct esp_table *t = esp_table_new(1);
    struct esp_pkt one = exact(sealed, tos), two = exact(sealed, tos), *both[] = { &one, &two };
    uint64_t top = sa->window.top;
    must(t && esp_table_add(t, sa) == ADIT_OK);
    esp_open_batch(t, both, 2, 1);
    if (!authentic) {
        must(one.verdict != ESP_OK && one.verdict != ESP_DUMMY && sa->window.top == top &&
             sa->in.packets == 0);
    } else {
        must(one.verdict != ESP_INTEGRITY && one.verdict != ESP_REPLAY && sa->window.top == sa->seq);
        must(two.verdict == (sa->window.size ? ESP_REPLAY : one.verdict));
    }
    if (one.verdict == ESP_OK)
        check_inner(sa, &one);
    free(one.buf);
    free(two.buf);
    esp_table_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static uint8_t mem[ESP_HEADROOM + PLAIN_MAX + ESP_TAILROOM];
    if (n < 3 || n - 3 > PLAIN_MAX)
        return 0;
    unsigned options = data[1];
    struct esp_sa *sa = make(&suites[data[0] % ARRAY_LEN(suites)], options);
    struct adit_span rest = span(data + 3, n - 3), plain = span_first(rest, rest.n - rest.n % sa->align);
    struct esp_pkt pkt = { .buf = mem, .cap = sizeof(mem), .off = ESP_HEADROOM };
    if (options & AS_IT_IS) {
        be32_put(mem + ESP_HEADROOM, SPI);
        span_copy(mem + ESP_HEADROOM + 4, rest);
        pkt.len = (uint32_t)rest.n + 4;
        open_twice(sa, &pkt, data[2], false);
    } else if (plain.n > 0) {
        seal(sa, &pkt, plain);
        open_twice(sa, &pkt, data[2], true);
    }
    esp_sa_free(sa);
    return 0;
}
