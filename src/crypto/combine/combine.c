/* combine.c - see combine.h. The combined secret is a hash over both secrets and all that was sent, since IKEv2 hashes no
 * KE data into its keys (RFC 7296 s2.14): TLS's plain concatenation would not do here. */
#include <openssl/err.h>
#include <string.h>

#include "base/mem.h"
#include "base/span.h"
#include "crypto/combine/combine.h"

#define SEC1_UNCOMPRESSED 4

enum { PQ, T, PARTS };

static const struct combination *combination_of(const struct ke_alg *a)
{
    return a->arg;
}

static const struct ke_alg *part_of(const struct adit_crypto *c, const struct ke_alg *a, int which)
{
    return crypto_ke(c, which == PQ ? combination_of(a)->pq : combination_of(a)->t);
}

/* --- the combiner ------------------------------------------------------------------------------------------------- */

static bool hash_all(EVP_MD_CTX *ctx, const EVP_MD *md, const struct adit_span *parts, size_t n, uint8_t *out)
{
    bool ok = EVP_DigestInit_ex2(ctx, md, NULL) == 1;
    for (size_t i = 0; i < n && ok; i++)
        ok = EVP_DigestUpdate(ctx, parts[i].p, parts[i].n) == 1;
    return ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

enum adit_rc combine_secrets(const struct adit_crypto *c, const struct combination *m, const struct combine_in *in,
                             struct adit_secret *out)
{
    struct adit_span none = SPAN_NONE;
    const struct adit_span parts[] = { in->ss_pq, in->ss_t, m->universal ? in->ct_pq : none, in->ct_t,
                                       m->universal ? in->ek_pq : none, in->ek_t, span_str(m->label) };
    TRY(secret_alloc(out, 32));
    EVP_MD *md = EVP_MD_fetch(c->ossl.lib, "SHA3-256", NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = md && ctx && hash_all(ctx, md, parts, ARRAY_LEN(parts), out->p);
    EVP_MD_CTX_free(ctx);
    EVP_MD_free(md);
    if (ok)
        return ADIT_OK;
    ERR_clear_error();
    secret_fini(out);
    return ADIT_ERR_CRYPTO;
}

/* --- what travels: KEM | [04] | group --------------------------------------------------------------------------------- */

struct halves {
    struct adit_span pq, sent_t; /* as they travel */
    struct adit_span t;          /* as the group's row has it */
};

/* False: it is no pair of values of this method. */
static bool split(const struct combination *m, struct adit_span whole, size_t pq_size, struct halves *out)
{
    if (whole.n < pq_size)
        return false;
    out->pq = span_first(whole, pq_size);
    out->sent_t = out->t = span_from(whole, pq_size);
    if (!m->sec1)
        return true;
    out->t = span_from(out->sent_t, 1);
    return out->sent_t.n > 0 && out->sent_t.p[0] == SEC1_UNCOMPRESSED;
}

static enum adit_rc join(const struct combination *m, const struct adit_buf values[PARTS], struct adit_buf *out)
{
    const uint8_t point = SEC1_UNCOMPRESSED;
    TRY(buf_set(out, buf_span(&values[PQ])));
    if (m->sec1)
        TRY(buf_append(out, span(&point, 1)));
    return buf_append(out, buf_span(&values[T]));
}

/* --- the exchange ----------------------------------------------------------------------------------------------------- */

static void combine_free(struct ke_state *st)
{
    if (!st)
        return;
    for (int i = 0; i < PARTS; i++)
        if (st->part[i])
            st->ops[i]->free(st->part[i]);
    buf_fini(&st->ours);
    mem_del(st);
}

static enum adit_rc begin(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state *st,
                          struct adit_buf values[PARTS])
{
    for (int i = 0; i < PARTS; i++) {
        const struct ke_alg *part = part_of(c, a, i);
        st->ops[i] = part->ops;
        TRY(part->ops->init(c, part, &st->part[i], &values[i]));
    }
    return join(combination_of(a), values, &st->ours);
}

static enum adit_rc combine_init(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state **st,
                                 struct adit_buf *pub)
{
    struct adit_buf values[PARTS] = { 0 };
    struct ke_state *s = mem_new(sizeof(*s));
    enum adit_rc rc = s ? begin(c, a, s, values) : ADIT_ERR_MEMORY;
    if (rc == ADIT_OK)
        rc = buf_set(pub, buf_span(&s->ours));
    for (int i = 0; i < PARTS; i++)
        buf_fini(&values[i]);
    if (rc == ADIT_OK)
        *st = s;
    else
        combine_free(s);
    return rc;
}

/* From both secrets and what both sent. */
static enum adit_rc agree(const struct adit_crypto *c, const struct ke_alg *a, const struct adit_secret parts[PARTS],
                          const struct halves *init, const struct halves *resp, struct adit_secret *secret)
{
    struct combine_in in = { .ss_pq = secret_span(&parts[PQ]), .ss_t = secret_span(&parts[T]),
                             .ct_pq = resp->pq, .ct_t = resp->sent_t, .ek_pq = init->pq, .ek_t = init->sent_t };
    return combine_secrets(c, combination_of(a), &in, secret);
}

static enum adit_rc answer(const struct adit_crypto *c, const struct ke_alg *a, const struct halves *init,
                           struct adit_buf values[PARTS], struct adit_secret parts[PARTS])
{
    const struct ke_alg *pq = part_of(c, a, PQ), *t = part_of(c, a, T);
    enum adit_rc first = pq->ops->respond(c, pq, init->pq, &values[PQ], &parts[PQ]);
    enum adit_rc second = t->ops->respond(c, t, init->t, &values[T], &parts[T]);
    return first != ADIT_OK ? first : second;
}

static enum adit_rc combine_respond(const struct adit_crypto *c, const struct ke_alg *a, struct adit_span peer,
                                    struct adit_buf *pub, struct adit_secret *secret)
{
    const struct combination *m = combination_of(a);
    struct adit_buf values[PARTS] = { 0 };
    struct adit_secret parts[PARTS] = { 0 };
    struct halves init, resp;
    if (peer.n != a->init_size || !split(m, peer, part_of(c, a, PQ)->init_size, &init))
        return ADIT_ERR_PUBLIC;
    enum adit_rc rc = answer(c, a, &init, values, parts);
    if (rc == ADIT_OK)
        rc = join(m, values, pub);
    if (rc == ADIT_OK)
        rc = split(m, buf_span(pub), part_of(c, a, PQ)->resp_size, &resp) ? agree(c, a, parts, &init, &resp, secret)
                                                                          : ADIT_ERR_BUG;
    for (int i = 0; i < PARTS; i++) {
        buf_fini(&values[i]);
        secret_fini(&parts[i]);
    }
    return rc;
}

/* Both are computed before anything is said about either. */
static enum adit_rc finish_parts(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state *st,
                                 const struct halves *resp, struct adit_secret parts[PARTS])
{
    const struct ke_alg *pq = part_of(c, a, PQ), *t = part_of(c, a, T);
    enum adit_rc first = pq->ops->finish(c, pq, st->part[PQ], resp->pq, &parts[PQ]);
    enum adit_rc second = t->ops->finish(c, t, st->part[T], resp->t, &parts[T]);
    return first != ADIT_OK ? first : second;
}

static enum adit_rc combine_finish(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state *st,
                                   struct adit_span peer, struct adit_secret *secret)
{
    const struct combination *m = combination_of(a);
    struct adit_secret parts[PARTS] = { 0 };
    struct halves init, resp;
    if (peer.n != a->resp_size || !split(m, peer, part_of(c, a, PQ)->resp_size, &resp))
        return ADIT_ERR_PUBLIC;
    if (!split(m, buf_span(&st->ours), part_of(c, a, PQ)->init_size, &init))
        return ADIT_ERR_BUG;
    enum adit_rc rc = finish_parts(c, a, st, &resp, parts);
    if (rc == ADIT_OK)
        rc = agree(c, a, parts, &init, &resp, secret);
    for (int i = 0; i < PARTS; i++)
        secret_fini(&parts[i]);
    return rc;
}

bool combine_prepare(struct adit_crypto *c, const struct ke_alg *a)
{
    const struct ke_alg *pq = part_of(c, a, PQ), *t = part_of(c, a, T);
    unsigned point = combination_of(a)->sec1;
    return pq && t && pq->init_size + t->init_size + point == a->init_size &&
           pq->resp_size + t->resp_size + point == a->resp_size;
}

const struct ke_ops combine_ops = { combine_init, combine_respond, combine_finish, combine_free, "adit" };

/* --- the methods: Adit's reading until the draft's text is known ---------------------------------------------------- */

#define CHECKS "those of both components"
#define CHECKS_POINT "those of both components; the point begins with the octet 04"
#define ENCODING "the encoding of points of RFC 5903, without the octet 04"

static const struct combination x25519mlkem768 = { KE_ML_KEM_768, KE_CURVE_25519, false, true,
                                                   "curve25519-mlkem768" };
static const struct combination ecp256mlkem768 = { KE_ML_KEM_768, KE_ECP_256, true, true, "ecp256-mlkem768" };
static const struct combination ecp384mlkem1024 = { KE_ML_KEM_1024, KE_ECP_384, true, true, "ecp384-mlkem1024" };
static const struct ke_mixup point256 = { 1248, 1152, ENCODING }, point384 = { 1664, 1664, ENCODING };

const struct ke_alg combine_kes[] = {
    { KE_X25519_MLKEM768, "X25519 and ML-KEM-768", true, CRYPTO_CHEAP, 1216, 1120, 32, &combine_ops, &x25519mlkem768,
      CHECKS },
    { KE_ECP256_MLKEM768, "ECP-256 and ML-KEM-768", true, CRYPTO_CHEAP, 1249, 1153, 32, &combine_ops,
      &ecp256mlkem768, CHECKS_POINT, &point256 },
    { KE_ECP384_MLKEM1024, "ECP-384 and ML-KEM-1024", true, CRYPTO_MEDIUM, 1665, 1665, 32, &combine_ops,
      &ecp384mlkem1024, CHECKS_POINT, &point384 },
};
const size_t combine_kes_n = ARRAY_LEN(combine_kes);
