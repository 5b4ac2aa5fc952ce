/* test_ke_pool.c - what `ke_pool` may say. */
#include "model/model.h"
#include "unit.h"
#include "wire/iana.h"

static void words_are_methods_and_numbers_of_keys(void **state)
{
    static const struct {
        const char *text;
        bool automatic;
        size_t n;
        struct ke_pool_item v[2];
    } rows[] = {
        { NULL, true, 0 },
        { "auto", true, 0 },
        { "no", false, 0 },
        { "", false, 0 },
        { "modp4096", false, 1, { { KE_MODP_4096, 1 } } },
        { "modp4096:2", false, 1, { { KE_MODP_4096, 2 } } },
        { " modp4096:16 ,modp3072, ", false, 2, { { KE_MODP_4096, 16 }, { KE_MODP_3072, 1 } } },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ke_pool pool;
        const char *what = rows[i].text ? rows[i].text : "(none)";
        assert_row(what, ke_pool_parse(rows[i].text, &pool, NULL) == ADIT_OK);
        assert_row(what, pool.automatic == rows[i].automatic && pool.n == rows[i].n);
        for (size_t k = 0; k < pool.n; k++)
            assert_row(what, pool.v[k].method == rows[i].v[k].method && pool.v[k].keys == rows[i].v[k].keys);
    }
}

static void errors_name_the_item(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        { "modp4096, modp9999", "'modp9999' is no key exchange method" },
        { "aes256", "'aes256' is no key exchange method" },
        { "none", "'none' is no key exchange method" },
        { "ke1_modp4096", "'ke1_modp4096' is no key exchange method" },
        { "modp4096:0", "'modp4096:0': 1 to 16 keys" },
        { "modp4096:17", "'modp4096:17': 1 to 16 keys" },
        { "modp4096:", "'modp4096:': 1 to 16 keys" },
        { "modp4096:2x", "'modp4096:2x': 1 to 16 keys" },
        { "modp4096:100000002", "1 to 16 keys" },
        { "modp4096, modp3072, modp4096:2", "'modp4096:2' stands there twice" },
        { "modp2048 modp3072 modp4096 ecp384 ecp521 x448 ecp256bp ecp384bp ecp512bp", "more than 8 methods" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ke_pool pool;
        struct adit_why why = { 0 };
        assert_row(rows[i].text, ke_pool_parse(rows[i].text, &pool, &why) == ADIT_ERR_CONFIG);
        if (!strstr(why.text, rows[i].says))
            fail_msg("%s: %s", rows[i].text, why.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_methods_and_numbers_of_keys),
        cmocka_unit_test(errors_name_the_item),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
