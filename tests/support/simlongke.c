/* simlongke.c - key exchanges for the simulator alone, with public values as long as Classic McEliece's: no cryptography, but
 * every octet of both values counts for the secret. Numbers of the range for private use, in rising length. The same can
 * stand in for real KEMs. */
#include "base/mem.h"
#include "crypto/set.h"
#include "support/simlongke.h"

struct kept { /* behind the library's struct ke_state */
    uint8_t digest[64];
};

/* Cheap and different in every octet. */
static void expand(struct adit_buf *out, uint64_t seed)
{
    for (size_t i = 0; i < out->n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        out->p[i] = (uint8_t)(seed >> 56);
    }
}

static enum adit_rc fill(const struct adit_crypto *c, struct adit_buf *out, size_t n)
{
    uint64_t seed;
    if (!c->random(c->random_arg, (uint8_t *)&seed, sizeof(seed)))
        return ADIT_ERR_CRYPTO;
    TRY(buf_reserve(out, n));
    out->n = n;
    expand(out, seed);
    return ADIT_OK;
}

static void digest(struct adit_span of, uint8_t out[64])
{
    crypto_hash(HASH_SHA2_256, &of, 1, out);
}

static enum adit_rc secret_of(const struct ke_alg *a, struct adit_span pub_digest, struct adit_span ct,
                              struct adit_secret *secret)
{
    uint8_t out[64];
    struct adit_span parts[] = { pub_digest, ct };
    crypto_hash(HASH_SHA2_512, parts, 2, out);
    return secret_set(secret, span(out, a->secret_size));
}

static enum adit_rc init(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state **st, struct adit_buf *pub)
{
    struct kept *s = mem_new(sizeof(*s));
    if (!s || fill(c, pub, a->init_size) != ADIT_OK) {
        mem_del(s);
        return ADIT_ERR_MEMORY;
    }
    digest(buf_span(pub), s->digest);
    *st = (struct ke_state *)(void *)s;
    return ADIT_OK;
}

static enum adit_rc respond(const struct adit_crypto *c, const struct ke_alg *a, struct adit_span peer,
                            struct adit_buf *pub, struct adit_secret *secret)
{
    uint8_t out[64] = { 0 };
    TRY(fill(c, pub, a->resp_size));
    digest(peer, out);
    return secret_of(a, span(out, 64), buf_span(pub), secret);
}

static enum adit_rc finish(const struct adit_crypto *c, const struct ke_alg *a, struct ke_state *st,
                           struct adit_span peer, struct adit_secret *secret)
{
    return secret_of(a, SPAN_ARRAY(((struct kept *)(void *)st)->digest), peer, secret);
}

static void forget(struct ke_state *st)
{
    mem_del(st);
}

static const struct ke_ops ops = { init, respond, finish, forget };
#define ROW(id_, octets, answer)                                                                                       \
    { .id = (id_), .name = "long" #octets, .kem = true, .cost = CRYPTO_CHEAP, .init_size = (octets),                   \
      .resp_size = (answer), .secret_size = 32, .ops = &ops }
/* A payload of 65,531, 65,532, 65,535 and 65,536 octets, then those of mceliece348864, 6688128 and 8192128; the last one is
 * long in both directions. */
static const struct ke_alg rows[] = {
    ROW(SIM_KE_65531, 65523, 208),    ROW(SIM_KE_65532, 65524, 208),    ROW(SIM_KE_65535, 65527, 208),
    ROW(SIM_KE_65536, 65528, 208),    ROW(SIM_KE_261K, 261120, 96),     ROW(SIM_KE_1M, 1044992, 208),
    ROW(SIM_KE_1357K, 1357824, 208),  ROW(SIM_KE_BOTH, 100000, 100000), ROW(SIM_KE_8M, 8384499, 208),
};

void sim_add_long_kes(struct adit_crypto *c)
{
    for (size_t i = 0; i < ARRAY_LEN(rows) && c->n_ke < SET_KE_MAX; i++)
        c->ke[c->n_ke++] = &rows[i];
}

void sim_stand_in(struct adit_crypto *c, size_t from)
{
    static const struct ke_alg *real[SET_KE_MAX];
    static struct ke_alg acting[SET_KE_MAX];
    for (size_t i = 0; i < c->n_ke; i++) {
        if (!real[i])
            real[i] = c->ke[i];
        acting[i] = *real[i];
        acting[i].ops = &ops;
        c->ke[i] = from && real[i]->kem && real[i]->init_size >= from ? &acting[i] : real[i];
    }
}
