/* test_ke_numbers.c - other numbers for methods without an assigned one: words, names and rows follow; what cannot be is told. */
#include "../unit.h"
#include <string.h>
#include "adit/model.h"
#include "crypto/crypto.h"
#include "daemon/ke_numbers.h"
#include "wire/iana.h"

static void words_names_and_rows_follow(void **state)
{
    struct adit_why why = { 0 };
    struct transform t;
    assert_int_equal(ke_numbers_read("frodoa3=1190, x25519mlkem768 = 1084", &why), ADIT_OK);
    assert_true(iana_keyword_get("frodoa3", 7, &t) && t.id == 1190);
    assert_true(iana_keyword_get("ke2_x25519mlkem768", 18, &t) && t.id == 1084 && t.type == TT_ADDKE2);
    assert_string_equal(iana_keyword(&(struct transform){ TT_ADDKE1, false, 1190, 0 }), "ke1_frodoa3");
    assert_string_equal(iana_name(IANA_KE, 1190), "FRODOKEM_976_AES");
    assert_string_equal(iana_name(IANA_KE, 1084), "X25519_MLKEM768");
    struct adit_crypto *c = ke_numbers_crypto(&why);
    assert_non_null(c);
    assert_string_equal(crypto_ke(c, 1190)->name, "FrodoKEM-976-AES");
    assert_null(crypto_ke(c, KE_X25519_MLKEM768));
    assert_false(crypto_ke_renumber(c, 1190, KE_ML_KEM_768));
    assert_false(crypto_ke_renumber(c, 9999, 9998));
    adit_crypto_free(c);
    assert_int_equal(ke_numbers_read(NULL, &why), ADIT_OK);
    assert_true(iana_keyword_get("frodoa3", 7, &t) && t.id == KE_FRODOKEM_976_AES);
}

static void what_cannot_be_is_told(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        { "frodoa3", "'frodoa3' is not WORD=NUMBER" },
        { "frodoa3=1190 or so", "is not WORD=NUMBER" },
        { "frodoa3=70000", "is not WORD=NUMBER" },
        { "frodo=1190", "'frodo' is no key exchange method" },
        { "aes256=1190", "'aes256' is no key exchange method" },
        { "mlkem768=1190", "mlkem768 cannot have the number 1190" },
        { "frodoa3=36", "frodoa3 cannot have the number 36" },
        { "frodoa3=1085", "not free" },
        { "frodoa3=1190, frodoa5=1190", "frodoa5 cannot have the number 1190" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct adit_why why = { 0 };
        assert_row(rows[i].text, ke_numbers_read(rows[i].text, &why) == ADIT_ERR_CONFIG);
        assert_row(rows[i].text, strstr(why.text, rows[i].says) != NULL);
    }
    assert_true(iana_ke_renumber(0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_names_and_rows_follow),
        cmocka_unit_test(what_cannot_be_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
