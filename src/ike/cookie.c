/* cookie.c - stateless cookies (RFC 7296 s2.6): nothing is remembered of a peer that has not proved its address. */
#include "ike/cookie.h"
#include "base/mem.h"
#include "base/wr.h"

#define MAC_SIZE (COOKIE_SIZE - 1)

void cookie_jar_init(struct cookie_jar *jar, const uint8_t fresh[32], uint64_t now)
{
    /* Both generations: a zero secret of the second one could be guessed. */
    span_copy(jar->secret[0], span(fresh, 32));
    span_copy(jar->secret[1], span(fresh, 32));
    jar->version = 0;
    jar->renew_at = now + COOKIE_LIFE_NS;
}

bool cookie_jar_due(const struct cookie_jar *jar, uint64_t now)
{
    return now >= jar->renew_at;
}

void cookie_jar_renew(struct cookie_jar *jar, const uint8_t fresh[32], uint64_t now)
{
    span_copy(jar->secret[1], SPAN_ARRAY(jar->secret[0]));
    span_copy(jar->secret[0], span(fresh, 32));
    jar->version++;
    jar->renew_at = now + COOKIE_LIFE_NS;
}

void cookie_jar_fini(struct cookie_jar *jar)
{
    mem_wipe(jar, sizeof(*jar));
}

/* The family comes last: without it the octets of a nonce and of an address could change places (a nonce that ends
 * like an IPv6 address's beginning), and a cookie for one address would be good for another. */
static enum adit_rc mac(const uint8_t secret[32], const struct prf_alg *prf, struct adit_span nonce_i,
                        const struct adit_addr *ip, uint64_t spi_i, uint8_t out[PRF_OUT_MAX])
{
    uint8_t spi[8];
    struct wr w;
    wr_init(&w, spi, sizeof(spi));
    wr_u64(&w, spi_i);
    const struct adit_span parts[] = { nonce_i, addr_span(ip), SPAN_ARRAY(spi), span(&ip->family, 1) };
    if (prf->out < MAC_SIZE)
        return ADIT_ERR_BUG;
    return prf_compute(prf, span(secret, 32), parts, ARRAY_LEN(parts), out);
}

enum adit_rc cookie_make(const struct cookie_jar *jar, const struct prf_alg *prf, struct adit_span nonce_i,
                         const struct adit_addr *ip, uint64_t spi_i, uint8_t out[COOKIE_SIZE])
{
    uint8_t full[PRF_OUT_MAX];
    TRY(mac(jar->secret[0], prf, nonce_i, ip, spi_i, full));
    out[0] = jar->version;
    span_copy(out + 1, span(full, MAC_SIZE));
    return ADIT_OK;
}

bool cookie_ok(const struct cookie_jar *jar, const struct prf_alg *prf, struct adit_span cookie,
               struct adit_span nonce_i, const struct adit_addr *ip, uint64_t spi_i)
{
    uint8_t full[PRF_OUT_MAX];
    if (cookie.n != COOKIE_SIZE)
        return false;
    uint8_t age = (uint8_t)(jar->version - cookie.p[0]);
    if (age > 1 || mac(jar->secret[age], prf, nonce_i, ip, spi_i, full) != ADIT_OK)
        return false;
    return secret_equal(span_from(cookie, 1), span(full, MAC_SIZE));
}
