/* test_assigned.c - what the command for name servers is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/span.h"
#include "daemon/assigned.h"

static bool has(char **env, const char *entry)
{
    for (; *env; env++)
        if (!strcmp(*env, entry))
            return true;
    return false;
}

static void everything_is_in_the_environment(void **state)
{
    static const struct adit_assigned what = { .n_addrs = 1, .n_dns = 2, .n_nets = 1,
                                               .addrs = { { 4, { 10, 9, 0, 1 } } },
                                               .dns = { { 4, { 10, 2, 0, 53 } }, { 6, { 0xfd } } },
                                               .nets = { { 4, 0, 0, 65535, { 10, 2 }, { 10, 2, 255, 255 } } },
                                               .domains = "corp.example b.example",
                                               .anchors = "corp.example 1 8 2 AA\n" };
    char *env[12];
    size_t n = assigned_env(&what, "office", "adit0", env, 12);
    assert_true(has(env, "ADIT_VERB=up") && has(env, "ADIT_CONNECTION=office") && has(env, "ADIT_INTERFACE=adit0"));
    assert_true(has(env, "ADIT_ADDRESSES=10.9.0.1") && has(env, "ADIT_DNS=10.2.0.53 fd00::") && has(env, "ADIT_NBNS="));
    assert_true(has(env, "ADIT_DOMAINS=corp.example b.example") && has(env, "ADIT_NETS=10.2.0.0/16"));
    assert_true(has(env, "ADIT_ANCHORS=corp.example 1 8 2 AA\n"));
    while (n)
        free(env[--n]);
    n = assigned_env(NULL, "office", "adit0", env, 12);
    assert_true(has(env, "ADIT_VERB=down") && n == 4);
    while (n)
        free(env[--n]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(everything_is_in_the_environment) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
