/* seal.h - runs one record (encr, bits, key | salt, iv, aad, plain, cipher, icv) through both directions, and spoils each
 * part of it. */
#ifndef SEAL_H
#define SEAL_H

#include "vectors.h"

struct sealed {
    uint8_t data[VECTOR_MAX], icv[64], iv[16], aad[64], tail[8];
    struct crypt_job job;
};

static inline void sealed_fill(struct sealed *s, struct adit_span iv, struct adit_span aad,
                               struct adit_span data, struct adit_span tail, struct adit_span icv)
{
    span_copy(s->iv, iv);
    span_copy(s->aad, aad);
    span_copy(s->data, data);
    span_copy(s->tail, tail);
    span_copy(s->icv, icv);
    s->job = (struct crypt_job){ .data = s->data,
                                 .n = (uint32_t)data.n,
                                 .iv = s->iv,
                                 .aad = s->aad,
                                 .aad_n = (uint16_t)aad.n,
                                 .tail = s->tail,
                                 .tail_n = (uint8_t)tail.n,
                                 .icv = s->icv };
}

static inline struct crypt *vector_crypt(const struct adit_crypto *c, const struct vector *v, bool seal)
{
    struct crypt *x = NULL;
    const struct encr_alg *encr = crypto_encr(c, (uint16_t)vector_u16(v, "encr"));
    uint8_t key[64];
    struct adit_span all = span(key, vector_get(v, "key").n + vector_get(v, "salt").n);
    span_copy(span_copy(key, vector_get(v, "key")), vector_get(v, "salt"));
    assert_row(v->what, encr && crypt_new(c, encr, (uint16_t)vector_u16(v, "bits"), all,
                                          crypto_integ(c, (uint16_t)vector_u16(v, "integ")),
                                          vector_get(v, "integkey"), seal, &x) == ADIT_OK);
    return x;
}

static inline void check_sealing(const struct adit_crypto *c, const struct vector *v)
{
    struct crypt *x = vector_crypt(c, v, true);
    struct adit_span icv = vector_get(v, "icv");
    struct sealed s;
    assert_row(v->what, crypt_icv(x) == icv.n);
    for (int round = 0; round < 2; round++) { /* the context is used again */
        sealed_fill(&s, vector_get(v, "iv"), vector_get(v, "aad"), vector_get(v, "plain"),
                    vector_get(v, "tail"), SPAN_NONE);
        crypt_seal_many(x, &s.job, 1);
        assert_row(v->what, s.job.ok && span_equal(span(s.data, s.job.n), vector_get(v, "cipher")));
        assert_row(v->what, span_equal(span(s.icv, icv.n), icv));
    }
    crypt_open_many(x, &s.job, 1);
    assert_row("a sealing context does not open", !s.job.ok);
    crypt_free(x);
}

/* Flips a bit of one part; part 0 flips nothing. */
static inline void spoil(struct sealed *s, int part)
{
    uint8_t *parts[] = { NULL,   s->data, s->aad,
                         s->icv, s->iv,   s->job.tail_n ? s->tail : s->data + s->job.n - 1 };
    if (parts[part])
        parts[part][0] ^= 0x80;
}

static inline void check_opening(const struct adit_crypto *c, const struct vector *v)
{
    struct crypt *x = vector_crypt(c, v, false);
    for (int part = 0; part < 6; part++) {
        struct sealed s;
        sealed_fill(&s, vector_get(v, "iv"), vector_get(v, "aad"), vector_get(v, "cipher"),
                    vector_get(v, "tail"), vector_get(v, "icv"));
        spoil(&s, part);
        crypt_open_many(x, &s.job, 1);
        assert_row(v->what, s.job.ok == (part == 0));
        if (s.job.ok)
            assert_row(v->what, span_equal(span(s.data, s.job.n), vector_get(v, "plain")));
    }
    crypt_free(x);
}

#endif
