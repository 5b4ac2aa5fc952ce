/* test_words.c - "did you mean". */
#include "unit.h"
#include "model/model.h"

static const char *const words[] = { "remote_addrs", "remote_port", "rekey_time",
                                     "aes256gcm16",  "aes128gcm16", "id" };
static const struct {
    const char *word, *nearest;
} rows[] = {
    { "remote_adrs", "remote_addrs" },
    { "remtoe_port", "remote_port" }, /* neighbours swapped count once */
    { "rekeytime", "rekey_time" },
    { "aes256gcm", "aes256gcm16" },
    { "aes129gcm16", "aes128gcm16" },
    { "rekey_time", "rekey_time" },
    { "completely", NULL },
    { "ix", NULL }, /* two letters: everything would be near */
    { "", NULL },
    { "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww",
      NULL },
};

static void nearest_word_is_found(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *got = word_nearest(rows[i].word, words, ARRAY_LEN(words));
        assert_row(rows[i].word, rows[i].nearest ? got && !strcmp(got, rows[i].nearest) : !got);
    }
}

static void no_words_have_no_nearest(void **state)
{
    assert_null(word_nearest("remote_addrs", NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nearest_word_is_found),
                                        cmocka_unit_test(no_words_have_no_nearest) };
    return cmocka_run_group_tests_name("model/words", tests, NULL, NULL);
}
