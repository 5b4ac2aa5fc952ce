/* fuzz_crl.c - revocation lists, PEM and DER. */
#include <stdlib.h>

#include "pki/pki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct adit_crypto *c;
    struct adit_why why;
    if (!c)
        c = adit_crypto_new(NULL, NULL, &why);
    struct pki_store *s = pki_store_new(c);
    if (pki_store_add_crl(s, span(data, n), &why) != ADIT_OK && why.text[0] == '\0')
        abort(); /* a refusal without a reason */
    pki_store_free(s);
    return 0;
}
