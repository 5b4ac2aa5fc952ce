/* test_auth_words.c - `auth =`: which words may stand where. */
#include "fake_io.h"
#include "config/load.h"

static const struct {
    const char *text, *problem; /* NULL: fine */
    enum adit_auth_class class;
} rows[] = {
    { "psk", NULL, ADIT_AUTH_PSK },
    { "pubkey", NULL, ADIT_AUTH_PUBKEY },
    { "rsa", NULL, ADIT_AUTH_PUBKEY },
    { "rsa-3072-sha256-sha384", NULL, ADIT_AUTH_PUBKEY },
    { "rsa/pss-4096-sha512", NULL, ADIT_AUTH_PUBKEY },
    { "ecdsa-384-sha384", NULL, ADIT_AUTH_PUBKEY },
    { "rsa-2048-ecdsa-256-sha256", NULL, ADIT_AUTH_PUBKEY },
    { "pubkey-sha384-ike:rsa/pss-sha384", NULL, ADIT_AUTH_PUBKEY },
    { "ike:ed25519", NULL, ADIT_AUTH_PUBKEY },
    { "pubkey-ed448", NULL, ADIT_AUTH_PUBKEY },
    { "ed25519", "'ed25519' can't stand first", 0 },
    { "sha256", "'sha256' can't stand first", 0 },
    { "RSA", "'RSA' can't stand first", 0 },
    { "rsa-sha265", "unknown word 'sha265'; did you mean 'sha256'?", 0 },
    { "rsa-100", "'100' is no key size", 0 },
    { "rsa--sha256", "'' is no key size", 0 },
    { "rsa-sha1", "'sha1' is no key size", 0 },
    { "pubkey-256", "a key size needs rsa or ecdsa", 0 },
    { "ike:pubkey-256", "a key size needs rsa or ecdsa", 0 },
    { "pubkey-rsa-3072", NULL, ADIT_AUTH_PUBKEY },
    { "rsa - sha256", "holds blanks", 0 },
    { "pubkey-identity", "'identity' is no key size", 0 },
    { "psk-sha256", "'psk' can't stand first", 0 },
    { "", "'' can't stand first", 0 },
    { "eap", "no EAP yet", 0 },
    { "eap-mschapv2", "no EAP yet", 0 },
    { "xauth", "does not speak IKEv1", 0 },
    { "rsa-sha256-sha384-sha512-sha256-sha384-sha512-sha256-sha384-sha5", "longer than 63", 0 },
};

static void words_are_checked(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum adit_auth_class class = ADIT_AUTH_ANY;
        struct adit_why why = { 0 };
        bool ok = auth_words_check(rows[i].text, &class, &why) == ADIT_OK;
        assert_row(rows[i].text, ok == !rows[i].problem);
        assert_row(rows[i].text, !ok || class == rows[i].class);
        if (!ok && !strstr(why.text, rows[i].problem))
            fail_msg("row '%s': %s", rows[i].text, why.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(words_are_checked) };
    return cmocka_run_group_tests_name("config/auth_words", tests, NULL, NULL);
}
