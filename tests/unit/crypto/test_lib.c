/* test_lib.c - the library context: its own, untouched by configuration files; ciphers by key size; reasons as text. */
#include <openssl/err.h>
#include <openssl/provider.h>
#include <unistd.h>
#include "vectors.h"
#include "crypto/set.h"

static void ciphers_are_there_for_their_key_sizes(void **state)
{
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    static const struct {
        const char *what;
        enum ossl_cipher which;
        size_t key;
        bool there;
    } rows[] = {
        { "AES-128-GCM", OSSL_AES_GCM, 16, true },
        { "AES-192-CCM", OSSL_AES_CCM, 24, true },
        { "AES-256-CTR", OSSL_AES_CTR, 32, true },
        { "ChaCha20 with 256 bits", OSSL_CHACHA, 32, true },
        { "ChaCha20 with 128 bits", OSSL_CHACHA, 16, false },
        { "no key", OSSL_AES_GCM, 0, false },
        { "17 octets", OSSL_AES_GCM, 17, false },
        { "40 octets", OSSL_AES_GCM, 40, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const EVP_CIPHER *cipher = ossl_cipher(c, rows[i].which, rows[i].key);
        assert_row(rows[i].what, (cipher != NULL) == rows[i].there);
        assert_row(rows[i].what, !cipher || (size_t)EVP_CIPHER_get_key_length(cipher) == rows[i].key);
    }
    adit_crypto_free(c);
}

/* A file that would take every algorithm away. */
static void configuration_files_change_nothing(void **state)
{
    char path[] = "/tmp/adit-test-lib-XXXXXX";
    static const char text[] =
        "openssl_conf = init\n[init]\nalg_section = algs\n[algs]\ndefault_properties = fips=yes\n";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    close(fd);
    setenv("OPENSSL_CONF", path, 1);
    struct adit_crypto *c = crypto_or_fail(NULL, NULL);
    assert_non_null(crypto_ke(c, KE_ML_KEM_768));
    unsetenv("OPENSSL_CONF");
    unlink(path);
    adit_crypto_free(c);
}

static void each_set_has_a_context_of_its_own(void **state)
{
    struct adit_crypto *a = crypto_or_fail(NULL, NULL), *b = crypto_or_fail(NULL, NULL);
    assert_non_null(crypto_libctx(a));
    assert_ptr_not_equal(crypto_libctx(a), crypto_libctx(b));
    assert_int_equal(OSSL_PROVIDER_available(crypto_libctx(a), "default"), 1);
    assert_int_equal(OSSL_PROVIDER_available(crypto_libctx(a), "adit-random"), 0);
    adit_crypto_free(a);
    adit_crypto_free(b);
}

static void reasons_are_told_once(void **state)
{
    ERR_raise(ERR_LIB_EVP, ERR_R_PASSED_INVALID_ARGUMENT);
    assert_string_equal(ossl_error(), "passed invalid argument");
    assert_int_equal(ERR_peek_error(), 0);
    assert_string_equal(ossl_error(), "no reason given");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ciphers_are_there_for_their_key_sizes),
        cmocka_unit_test(configuration_files_change_nothing),
        cmocka_unit_test(each_set_has_a_context_of_its_own),
        cmocka_unit_test(reasons_are_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
