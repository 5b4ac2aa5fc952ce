/* keys.c - SKEYSEED and SK_* (RFC 7296 s2.14, s2.18; RFC 9370 s2.2.2). */
#include "conformance/keys.h"
#include "base/mem.h"

struct adit_span sk_part(const struct sk_keys *k, enum sk_part part)
{
    return span(k->block.p + k->at[part], k->at[part + 1] - k->at[part]);
}

void sk_fini(struct sk_keys *k)
{
    secret_fini(&k->block);
}

static size_t part_size(const struct suite_rows *s, enum sk_part part)
{
    switch (part) {
    case SK_D: case SK_PI: case SK_PR: return s->prf->key;
    case SK_AI: case SK_AR: return s->integ ? s->integ->key : 0;
    default: return encr_key_octets(s->encr, s->bits);
    }
}

static void put_spi(uint8_t *out, uint64_t spi)
{
    for (int i = 7; i >= 0; i--, spi >>= 8)
        out[i] = (uint8_t)spi;
}

/* {SK_d | SK_ai | ..} = prf+(SKEYSEED, Ni | Nr | SPIi | SPIr) */
static enum adit_rc expand(const struct suite_rows *s, const struct sk_seed *seed, struct adit_span skeyseed,
                           struct sk_keys *out)
{
    uint8_t spis[16];
    size_t n = 0;
    for (int i = 0; i < SK_PARTS; i++) {
        out->at[i] = n;
        n += part_size(s, (enum sk_part)i);
    }
    out->at[SK_PARTS] = n;
    put_spi(spis, seed->spi_i);
    put_spi(spis + 8, seed->spi_r);
    struct adit_span parts[] = { seed->ni, seed->nr, SPAN_ARRAY(spis) };
    enum adit_rc rc = secret_alloc(&out->block, n);
    return rc == ADIT_OK ? prf_plus(s->prf, skeyseed, parts, ARRAY_LEN(parts), out->block.p, n) : rc;
}

enum adit_rc sk_first(const struct suite_rows *s, const struct sk_seed *seed, struct adit_span secret,
                      struct sk_keys *out)
{
    uint8_t nonces[512], skeyseed[PRF_OUT_MAX];
    if (seed->ni.n > 256 || seed->nr.n > 256)
        return ADIT_ERR_LIMIT;
    span_copy(span_copy(nonces, seed->ni), seed->nr);
    enum adit_rc rc = prf_compute(s->prf, span(nonces, seed->ni.n + seed->nr.n), &secret, 1, skeyseed);
    if (rc == ADIT_OK)
        rc = expand(s, seed, span(skeyseed, s->prf->out), out);
    mem_wipe(skeyseed, sizeof(skeyseed));
    return rc;
}

enum adit_rc sk_series(const struct suite_rows *s, const struct sk_seed *seed, const struct sk_keys *from,
                       struct adit_span secret, struct adit_span more, struct sk_keys *out)
{
    uint8_t skeyseed[PRF_OUT_MAX];
    struct adit_span parts[] = { secret, seed->ni, seed->nr, more };
    enum adit_rc rc = prf_compute(s->prf, sk_part(from, SK_D), parts, ARRAY_LEN(parts), skeyseed);
    if (rc == ADIT_OK)
        rc = expand(s, seed, span(skeyseed, s->prf->out), out);
    mem_wipe(skeyseed, sizeof(skeyseed));
    return rc;
}

enum adit_rc sk_next(const struct suite_rows *s, const struct sk_seed *seed, const struct sk_keys *from,
                     struct adit_span secret, struct sk_keys *out)
{
    return sk_series(s, seed, from, secret, SPAN_NONE, out);
}
