/* fuzz_ke.c - public values and ciphertexts of every method that generates its keys quickly, of right and wrong lengths. Nothing
 * but OK and "fails its checks" may come out, and a secret only with OK. The first octet chooses the method, the second the
 * direction; what is missing of the right length is filled up, so that short inputs get past the length. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/span.h"
#include "base/why.h"
#include "crypto/crypto.h"

#define QUICK 10000 /* octets of a public value: FrodoKEM-640 is the largest */

static struct adit_crypto *c;

static void judge(enum adit_rc rc, struct adit_secret *secret, const struct ke_alg *a, size_t right, size_t n)
{
    if ((rc != ADIT_OK && rc != ADIT_ERR_PUBLIC) || (rc == ADIT_OK) != (secret->n == a->secret_size))
        abort();
    if (rc == ADIT_OK && n != right)
        abort(); /* of a wrong length */
    secret_fini(secret);
}

static void respond(const struct ke_alg *a, struct adit_span value)
{
    struct adit_buf out = { 0 };
    struct adit_secret secret = { 0 };
    judge(a->ops->respond(c, a, value, &out, &secret), &secret, a, a->init_size, value.n);
    buf_fini(&out);
}

static void finish(const struct ke_alg *a, struct adit_span value)
{
    struct ke_state *st = NULL;
    struct adit_buf pub = { 0 };
    struct adit_secret secret = { 0 };
    if (a->ops->init(c, a, &st, &pub) != ADIT_OK)
        abort();
    judge(a->ops->finish(c, a, st, value, &secret), &secret, a, a->resp_size, value.n);
    a->ops->free(st);
    buf_fini(&pub);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct adit_why why = { 0 };
    size_t methods = 0;
    if (!c && !(c = adit_crypto_new(NULL, NULL, &why)))
        abort();
    while (crypto_ke_at(c, methods))
        methods++;
    const struct ke_alg *a = n > 2 ? crypto_ke_at(c, data[0] % methods) : NULL;
    if (!a || a->init_size > QUICK)
        return 0;
    bool requester = data[1] & 1, as_it_is = data[1] & 2;
    struct adit_buf value = { 0 };
    size_t right = requester ? a->resp_size : a->init_size;
    if (buf_set(&value, span(data + 2, n - 2)) != ADIT_OK || (!as_it_is && buf_resize(&value, right) != ADIT_OK))
        abort();
    for (size_t i = n - 2; i < value.n; i++)
        value.p[i] = 0;
    requester ? finish(a, buf_span(&value)) : respond(a, buf_span(&value));
    buf_fini(&value);
    return 0;
}
