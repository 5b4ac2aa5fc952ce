/* kems.h - key encapsulation against published answers: whatever the library draws is what the reference drew. */
#ifndef KEMS_H
#define KEMS_H

#include <openssl/evp.h>
#include "vectors.h"

/* The first octets of SHAKE256. */
static inline bool has_hash(struct adit_span data, struct adit_span hash)
{
    uint8_t out[64];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && hash.n <= sizeof(out) && hash.n && EVP_DigestInit_ex(ctx, EVP_shake256(), NULL) == 1 &&
              EVP_DigestUpdate(ctx, data.p, data.n) == 1 && EVP_DigestFinalXOF(ctx, out, hash.n) == 1;
    EVP_MD_CTX_free(ctx);
    return ok && span_equal(span(out, hash.n), hash);
}

/* Whole, or as its hash, if that is what the record has. */
static inline bool is_value(struct adit_span data, struct adit_span expected)
{
    return data.n == expected.n ? span_equal(data, expected) : has_hash(data, expected);
}

/* What a wrong ciphertext of the right length leads to, with the key of the record. */
static inline void check_spoilt(const struct ke_alg *a, struct script *script, struct adit_crypto *c,
                                const struct vector *v, const char *ct, const char *ss)
{
    struct ke_state *st = NULL;
    struct adit_buf pub = { 0 };
    struct adit_secret secret = { 0 };
    if (!vector_get(v, ct).n)
        return;
    script->next = vector_get(v, "key");
    assert_row(v->what, a->ops->init(c, a, &st, &pub) == ADIT_OK);
    assert_row(v->what, a->ops->finish(c, a, st, vector_get(v, ct), &secret) == ADIT_OK);
    assert_row(v->what, span_equal(secret_span(&secret), vector_get(v, ss)));
    a->ops->free(st);
    buf_fini(&pub);
    secret_fini(&secret);
}

/* Both sides with the randomness of the record: public value, ciphertext and both secrets come out. */
static inline void check_kem(const struct ke_alg *row, const struct vector *v)
{
    struct script script = { .state = 1 };
    struct adit_crypto *c = crypto_or_fail(script_random, &script);
    const struct ke_alg *a = row ? row : ke_by_name(c, v->what);
    struct ke_state *st = NULL;
    struct adit_buf pub = { 0 }, ct = { 0 };
    struct adit_secret si = { 0 }, sr = { 0 };
    script.next = vector_get(v, "key");
    assert_row(v->what, a && a->ops->init(c, a, &st, &pub) == ADIT_OK);
    assert_row(v->what, pub.n == a->init_size && is_value(buf_span(&pub), vector_get(v, "pk")));
    script.next = vector_get(v, "encaps");
    assert_row(v->what, a->ops->respond(c, a, buf_span(&pub), &ct, &sr) == ADIT_OK);
    assert_row(v->what, ct.n == a->resp_size && is_value(buf_span(&ct), vector_get(v, "ct")));
    assert_row(v->what, span_equal(secret_span(&sr), vector_get(v, "secret")));
    assert_row(v->what, a->ops->finish(c, a, st, buf_span(&ct), &si) == ADIT_OK);
    assert_row(v->what, span_equal(secret_span(&si), vector_get(v, "secret")));
    check_spoilt(a, &script, c, v, "badct", "badss");
    check_spoilt(a, &script, c, v, "badct1", "badss1");
    a->ops->free(st);
    buf_fini(&pub);
    buf_fini(&ct);
    secret_fini(&si);
    secret_fini(&sr);
    adit_crypto_free(c);
}

/* Values of any other length are refused on both sides, and what is refused leaves no secret. */
static inline void check_lengths(struct adit_crypto *c, const struct ke_alg *a)
{
    struct ke_state *st = NULL;
    struct adit_buf pub = { 0 }, ct = { 0 };
    struct adit_secret secret = { 0 };
    assert_row(a->name, a->ops->init(c, a, &st, &pub) == ADIT_OK);
    assert_row(a->name, buf_append(&pub, SPAN_LIT("\4")) == ADIT_OK);
    assert_row(a->name, a->ops->respond(c, a, buf_span(&pub), &ct, &secret) == ADIT_ERR_PUBLIC);
    assert_row(a->name, a->ops->respond(c, a, span(pub.p, pub.n - 2), &ct, &secret) == ADIT_ERR_PUBLIC);
    assert_row(a->name, a->ops->respond(c, a, SPAN_NONE, &ct, &secret) == ADIT_ERR_PUBLIC);
    assert_row(a->name, a->ops->finish(c, a, st, span(pub.p, a->resp_size - 1), &secret) == ADIT_ERR_PUBLIC);
    assert_row(a->name, a->ops->finish(c, a, st, span(pub.p, a->resp_size + 1), &secret) == ADIT_ERR_PUBLIC);
    assert_row(a->name, secret.n == 0);
    a->ops->free(st);
    a->ops->free(NULL);
    buf_fini(&pub);
    buf_fini(&ct);
}

#endif
