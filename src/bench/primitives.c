/* primitives.c - the key exchanges of a suite called bare: what no engine can do without. */
#include "base/buf.h"
#include "base/secret.h"
#include "bench/bench.h"
#include "crypto/crypto.h"

/* As the engine has them made: some sets of keys are the same but for what making them costs. */
static bool exchange(const struct adit_crypto *c, const struct ke_alg *a)
{
    const struct ke_alg *maker = a->made_as ? crypto_ke(c, a->made_as) : a;
    struct adit_buf mine = { 0 }, theirs = { 0 };
    struct adit_secret ours = { 0 }, hers = { 0 };
    struct ke_state *st = NULL;
    bool good = maker->ops->init(c, maker, &st, &mine) == ADIT_OK &&
                a->ops->respond(c, a, buf_span(&mine), &theirs, &hers) == ADIT_OK &&
                maker->ops->finish(c, maker, st, buf_span(&theirs), &ours) == ADIT_OK &&
                secret_equal(secret_span(&ours), secret_span(&hers));
    if (st)
        maker->ops->free(st);
    buf_fini(&mine);
    buf_fini(&theirs);
    secret_fini(&ours);
    secret_fini(&hers);
    return good;
}

uint64_t bench_primitives(struct adit_crypto *crypto, const struct adit_suite *suite)
{
    uint64_t from = bench_cpu();
    for (unsigned i = 0; i < 8; i++) {
        const struct ke_alg *a = suite->ke[i] ? crypto_ke(crypto, suite->ke[i]) : NULL;
        if (suite->ke[i] && (!a || !exchange(crypto, a)))
            return 0;
    }
    return bench_cpu() - from;
}
