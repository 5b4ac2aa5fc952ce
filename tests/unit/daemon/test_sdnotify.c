/* test_sdnotify.c - one datagram to the service manager, or silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include "daemon/sdnotify.h"

static int listen_on(const char *name, struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    *addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(addr->sun_path, name, strlen(name));
    if (name[0] == '@')
        addr->sun_path[0] = 0;
    assert_int_equal(
        bind(fd, (struct sockaddr *)addr, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
        0);
    return fd;
}

static void sends_to_paths_and_abstract_names(void **state)
{
    static const char *const forms[] = { "/tmp/adit-test-%d.notify", "@adit-test-%d" };
    for (size_t i = 0; i < 2; i++) {
        char name[64], got[64] = "";
        struct sockaddr_un addr;
        snprintf(name, sizeof(name), i ? "@adit-test-%d" : "/tmp/adit-test-%d.notify", (int)getpid());
        int fd = listen_on(name, &addr);
        setenv("NOTIFY_SOCKET", name, 1);
        if (!sdnotify("READY=1") || recv(fd, got, sizeof(got) - 1, 0) != 7 || strcmp(got, "READY=1"))
            fail_msg("%s: got '%s'", forms[i], got);
        close(fd);
        unlink(name);
    }
}

static void says_when_nobody_is_there(void **state)
{
    setenv("NOTIFY_SOCKET", "/tmp/adit-test-no-such-socket", 1);
    assert_false(sdnotify("READY=1"));
    unsetenv("NOTIFY_SOCKET");
    assert_true(sdnotify("READY=1")); /* nobody asked */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_to_paths_and_abstract_names),
        cmocka_unit_test(says_when_nobody_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
