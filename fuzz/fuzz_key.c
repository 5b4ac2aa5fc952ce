/* fuzz_key.c - private and public keys in every form, with and without a pass phrase. */
#include "base/span.h"
#include "crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct adit_crypto *c;
    struct crypto_key *key = NULL;
    struct adit_why why;
    uint8_t id[20];
    if (!c)
        c = adit_crypto_new(NULL, NULL, &why);
    if (key_parse_private(c, span(data, n), SPAN_LIT("pass"), &key, &why) == ADIT_OK && key_id_sha1(key, id))
        (void)key_bits(key);
    key_free(key);
    key = NULL;
    if (key_parse_public(c, span(data, n), &key) == ADIT_OK && key_id_sha1(key, id))
        (void)key_same_public(key, key);
    key_free(key);
    return 0;
}
