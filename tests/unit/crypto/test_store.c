/* test_store.c - keys by URI. */
#include <unistd.h>
#include "keys.h"

static struct adit_crypto *c;

static void write_key(char path[64], const char *kind, const char *pass, EVP_PKEY **pkey)
{
    struct adit_buf pem = { 0 };
    strcpy(path, "/tmp/adit-test-store-XXXXXX");
    int fd = mkstemp(path);
    *pkey = pkey_new(c, kind);
    pkey_encode(*pkey, "PEM", pass ? "EncryptedPrivateKeyInfo" : "PrivateKeyInfo", pass, &pem);
    assert_int_equal(write(fd, pem.p, pem.n), pem.n);
    close(fd);
    buf_fini(&pem);
}

static const struct {
    const char *what, *prefix, *kind, *pass, *given;
    bool ok;
} rows[] = {
    { "file: URI", "file:", "EC:P-256", NULL, NULL, true },
    { "plain path", "", "ED25519", NULL, NULL, true },
    { "encrypted", "file:", "RSA:2048", "pass", "pass", true },
    { "encrypted, wrong pass phrase", "file:", "EC:P-256", "pass", "no", false },
    { "encrypted, no pass phrase: nobody is asked", "file:", "EC:P-256", "pass", NULL, false },
};

static void files_are_read(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char path[64], uri[80];
        EVP_PKEY *pkey;
        struct crypto_key *key = NULL;
        struct adit_why why = { 0 };
        write_key(path, rows[i].kind, rows[i].pass, &pkey);
        snprintf(uri, sizeof(uri), "%s%s", rows[i].prefix, path);
        enum adit_rc rc = key_load_uri(c, uri, span_str(rows[i].given), &key, &why);
        assert_row(rows[i].what, (rc == ADIT_OK) == rows[i].ok);
        if (rows[i].ok) {
            struct crypto_key *public = key_public(c, pkey);
            assert_row(rows[i].what, key_same_public(key, public));
            key_free(public);
        }
        key_free(key);
        EVP_PKEY_free(pkey);
        unlink(path);
    }
}

static void what_is_missing_is_named(void **state)
{
    struct crypto_key *key = NULL;
    struct adit_why why = { 0 };
    assert_int_equal(key_load_uri(c, "file:/does/not/exist", SPAN_NONE, &key, &why), ADIT_ERR_CONFIG);
    assert_non_null(strstr(why.text, "/does/not/exist"));
    assert_int_equal(key_load_uri(c, "nosuchscheme:x", SPAN_NONE, &key, &why), ADIT_ERR_CONFIG);
    assert_non_null(strstr(why.text, "provider 'nosuchscheme'"));
    assert_int_equal(key_load_uri(c, "handle:0x81000001", SPAN_NONE, &key, &why), ADIT_ERR_CONFIG);
    assert_non_null(strstr(why.text, "tpm2"));
}

static int setup(void **state)
{
    c = crypto_or_fail(NULL, NULL);
    return 0;
}

static int teardown(void **state)
{
    adit_crypto_free(c);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(what_is_missing_is_named),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
