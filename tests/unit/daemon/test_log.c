/* test_log.c - lines reach every listener, clean and complete. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "daemon/log.h"

struct catcher {
    struct log_sink sink;
    unsigned n;
    char text[256], group[16];
};

static void catch_line(struct log_sink *self, const struct log_line *line)
{
    struct catcher *c = (struct catcher *)(void *)self;
    c->n++;
    strncpy(c->text, line->text, sizeof(c->text) - 1);
    strncpy(c->group, line->group, sizeof(c->group) - 1);
}

static void listeners_get_all_levels_as_ascii(void **state)
{
    struct log log;
    struct catcher a = { .sink.line = catch_line }, b = { .sink.line = catch_line };
    log_init(&log, ADIT_LOG_AUDIT);
    log_add(&log, &a.sink);
    log_add(&log, &b.sink);
    log_say(&log, ADIT_LOG_DEBUG, "NET", "two\nlines %d", 7);
    assert_int_equal(a.n, 1);
    assert_int_equal(b.n, 1);
    assert_string_equal(a.text, "two lines 7");
    assert_string_equal(b.group, "NET");
    log_line(&log, &(struct log_line){ .level = ADIT_LOG_DEBUG });
    assert_string_equal(a.text, "");
    assert_string_equal(a.group, "DMN");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(listeners_get_all_levels_as_ascii) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
