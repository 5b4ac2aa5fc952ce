/* fuzz_sig_algid.c - AlgorithmIdentifiers of method 14 signatures. A row that is found must stand for method 14 and say
 * its hash; a row without parameters is found only by its own octets, or these with the NULL parameter changed. */
#include <stdlib.h>

#include "base/span.h"
#include "crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const struct sig_alg *alg = crypto_sig_by_algid(span(data, n));
    if (!alg)
        return 0;
    size_t d = alg->algid.n > n ? alg->algid.n - n : n - alg->algid.n;
    if (alg->auth_method != AUTH_DIGITAL_SIGNATURE || alg->hash == 0 || (!alg->pss && d != 0 && d != 2))
        abort();
    return 0;
}
