/* test_names.c - names and keywords of code points. */
#include "wire_test.h"
#include "wire/iana.h"

static void numbers_have_names(void **state)
{
    static const struct {
        enum iana_registry r;
        unsigned value;
        const char *name;
    } rows[] = {
        { IANA_XCHG, 34, "IKE_SA_INIT" },
        { IANA_XCHG, 43, "IKE_INTERMEDIATE" },
        { IANA_PLD, 46, "SK" },
        { IANA_KE, 36, "ML_KEM_768" },
        { IANA_KE, 31, "CURVE_25519" },
        { IANA_ENCR, 20, "AES_GCM_16" },
        { IANA_ENCR, 11, "NULL" },
        { IANA_ENCR, 3, "3DES" },
        { IANA_PRF, 5, "PRF_HMAC_SHA2_256" },
        { IANA_INTEG, 12, "HMAC_SHA2_256_128" },
        { IANA_N, 16447, "IKE_SA_INIT_FULL_TRANSCRIPT_AUTH" },
        { IANA_N, 24, "AUTHENTICATION_FAILED" },
        { IANA_KE, 61234, "(61234)" },
        { IANA_PRF, 99, "(99)" },
        { IANA_XCHG, 255, "(255)" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(iana_name(rows[i].r, rows[i].value), rows[i].name);
}

static void several_unknown_names_fit_into_one_line(void **state)
{
    const char *a = iana_name(IANA_N, 60001), *b = iana_name(IANA_N, 60002), *c = iana_name(IANA_N, 60003);
    assert_string_equal(a, "(60001)");
    assert_string_equal(b, "(60002)");
    assert_string_equal(c, "(60003)");
}

static void no_number_and_no_name_occurs_twice(void **state)
{
    size_t n;
    const struct iana_row *rows = iana_rows(&n);
    for (size_t i = 0; i < n; i++) {
        assert_true(rows[i].status == 'A' || rows[i].status == 'T' || rows[i].status == 'P');
        assert_true(rows[i].spec[0] != 0);
        assert_string_equal(iana_name(rows[i].registry, rows[i].value), rows[i].name);
        for (size_t k = 0; k < i; k++) {
            if (rows[k].registry != rows[i].registry)
                continue;
            assert_row(rows[i].name, rows[k].value != rows[i].value);
            assert_row(rows[i].name, strcmp(rows[k].name, rows[i].name) != 0);
        }
    }
}

static void keywords_are_transforms(void **state)
{
    static const struct {
        const char *word;
        bool ok;
        struct transform t;
    } rows[] = {
        { "aes256gcm16", true, { TT_ENCR, false, ENCR_AES_GCM_16, 256 } },
        { "aes", true, { TT_ENCR, false, ENCR_AES_CBC, 128 } },
        { "prfsha384", true, { TT_PRF, false, PRF_HMAC_SHA2_384, 0 } },
        { "mlkem768", true, { TT_KE, false, KE_ML_KEM_768, 0 } },
        { "ke1_mlkem768", true, { TT_ADDKE1, false, KE_ML_KEM_768, 0 } },
        { "ke7_none", true, { TT_ADDKE7, false, KE_NONE, 0 } },
        { "esn", true, { TT_SN, false, SN_64_BIT_PARTIAL, 0 } },
        { "ke8_mlkem768", false, { 0 } },
        { "ke0_mlkem768", false, { 0 } },
        { "ke1_aes256gcm16", false, { 0 } },
        { "ke1_", false, { 0 } },
        { "ke1", false, { 0 } },
        { "aes256gcm1", false, { 0 } },
        { "aes256gcm160", false, { 0 } },
        { "", false, { 0 } },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct transform t = { 0 };
        struct adit_span word = guard_copy(span_str(rows[i].word)); /* not terminated */
        assert_row(rows[i].word, iana_keyword_get((const char *)word.p, word.n, &t) == rows[i].ok);
        assert_row(rows[i].word,
                   t.type == rows[i].t.type && t.id == rows[i].t.id && t.bits == rows[i].t.bits);
    }
}

static void every_keyword_comes_back_as_the_printed_one(void **state)
{
    size_t n = 0;
    for (const char *word; (word = iana_keyword_at(n)) != NULL; n++) {
        struct transform t, again;
        assert_row(word, iana_keyword_get(word, strlen(word), &t));
        const char *printed = iana_keyword(&t);
        assert_row(word, printed && iana_keyword_get(printed, strlen(printed), &again));
        assert_row(word, again.type == t.type && again.id == t.id && again.bits == t.bits);
        if (t.type != TT_KE)
            continue;
        t.type = TT_ADDKE3;
        printed = iana_keyword(&t);
        assert_row(word, printed && strncmp(printed, "ke3_", 4) == 0);
        assert_row(word, iana_keyword_get(printed, strlen(printed), &again) && again.type == TT_ADDKE3);
    }
    assert_in_range(n, 60, 1000);
}

static void what_has_no_keyword_gives_null(void **state)
{
    assert_null(iana_keyword(&(struct transform){ TT_ENCR, false, ENCR_AES_GCM_16, 100 }));
    assert_null(iana_keyword(&(struct transform){ TT_ADDKE1, false, 9999, 0 }));
}

static void transform_types_have_registries(void **state)
{
    assert_int_equal(iana_of_transform(TT_ENCR), IANA_ENCR);
    assert_int_equal(iana_of_transform(TT_PRF), IANA_PRF);
    assert_int_equal(iana_of_transform(TT_INTEG), IANA_INTEG);
    assert_int_equal(iana_of_transform(TT_SN), IANA_SN);
    for (unsigned type = TT_ADDKE1; type <= TT_ADDKE7; type++)
        assert_int_equal(iana_of_transform(type), IANA_KE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_names),
        cmocka_unit_test(several_unknown_names_fit_into_one_line),
        cmocka_unit_test(no_number_and_no_name_occurs_twice),
        cmocka_unit_test(keywords_are_transforms),
        cmocka_unit_test(every_keyword_comes_back_as_the_printed_one),
        cmocka_unit_test(what_has_no_keyword_gives_null),
        cmocka_unit_test(transform_types_have_registries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
