/* test_caps.c - missing rights are named; a process that drops its own is told so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/span.h"
#include "net/net.h"

static int child(void)
{
    struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[2] = { 0 };
    struct adit_why why = { 0 };
    syscall(SYS_capset, &h, none);
    if (net_caps_check(true, &why) != ADIT_ERR_IO)
        return 1;
    if (!strstr(why.text, "CAP_NET_ADMIN") || !strstr(why.text, "CAP_NET_RAW"))
        return 2;
    return net_caps_check(false, &why) == ADIT_ERR_IO && !strstr(why.text, "CAP_NET_RAW") ? 0 : 3;
}

static void missing_rights_are_named(void **state)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(child());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(missing_rights_are_named) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
