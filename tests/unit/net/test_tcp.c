/* test_tcp.c - TCP over loopback: names of both ends, refusals, nothing that waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/span.h"
#include "model/model.h"
#include "net/net.h"

static struct adit_endpoint loopback(bool v6, uint16_t port)
{
    struct adit_endpoint e = { .addr = { .family = v6 ? 6 : 4 }, .port = port };
    if (v6)
        e.addr.ip[15] = 1;
    else
        span_copy(e.addr.ip, SPAN_LIT("\x7f\0\0\x01"));
    return e;
}

/* The kernel chooses a free one. */
static int listen_somewhere(bool v6, struct adit_endpoint *at)
{
    struct adit_endpoint any = loopback(v6, 0);
    int fd = net_tcp_listen(&any, 0);
    struct sockaddr_storage sa;
    socklen_t n = sizeof(sa);
    if (fd < 0 || getsockname(fd, (struct sockaddr *)&sa, &n) || !net_sockaddr_get(&sa, at))
        fail_msg("no listener: %d", fd);
    return fd;
}

static int wait_connected(int fd, struct adit_path *path)
{
    int e;
    for (int i = 0; (e = net_tcp_connected(fd, path)) == -EINPROGRESS && i < 1000; i++)
        usleep(1000);
    return e;
}

static void both_ends_know_their_names(void **state)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct adit_path here = { .tcp = false }, there;
        int fd, listener = listen_somewhere(v6, &here.remote);
        assert_int_equal(net_tcp_accept(listener, &there), -EAGAIN);
        int client = net_tcp_connect(&here, 0);
        assert_true(client >= 0);
        assert_int_equal(wait_connected(client, &here), 0);
        poll(&(struct pollfd){ listener, POLLIN, 0 }, 1, 1000);
        assert_true((fd = net_tcp_accept(listener, &there)) >= 0);
        assert_true(here.tcp && there.tcp && here.local.port && endpoint_equal(&here.local, &there.remote) &&
                    endpoint_equal(&here.remote, &there.local));
        close(fd);
        close(client);
        close(listener);
    }
}

static void nobody_there(void **state)
{
    struct adit_path path = { .tcp = false };
    int listener = listen_somewhere(false, &path.remote);
    close(listener);
    int client = net_tcp_connect(&path, 0);
    assert_true(client == -ECONNREFUSED || wait_connected(client, &path) == -ECONNREFUSED);
    if (client >= 0)
        close(client);
}

static void a_local_address_is_used(void **state)
{
    struct adit_path path = { .local = loopback(false, 4500) };
    int listener = listen_somewhere(false, &path.remote);
    path.local.addr.ip[3] = 9;
    int client = net_tcp_connect(&path, 0);
    assert_int_equal(wait_connected(client, &path), 0);
    assert_true(path.local.addr.ip[3] == 9 && path.local.port != 4500);
    close(client);
    close(listener);
}

static void a_port_is_had_once(void **state)
{
    struct adit_endpoint at;
    int listener = listen_somewhere(false, &at);
    assert_int_equal(net_tcp_listen(&at, 0), -EADDRINUSE);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_know_their_names),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(a_local_address_is_used),
        cmocka_unit_test(a_port_is_had_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
