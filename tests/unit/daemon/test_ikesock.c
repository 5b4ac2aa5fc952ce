/* test_ikesock.c - ICMP errors, which anybody can forge, end nothing (RFC 7296 s2.4): the socket that they are about still
 * sends and still hears. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/span.h"
#include "daemon/ikesock.h"

static unsigned heard;
static uint16_t heard_from;

static void input(void *arg, const struct adit_path *path, struct adit_span datagram)
{
    heard++;
    heard_from = path->remote.port;
}

/* A socket of somebody else on the loopback, and its port. */
static int other(uint16_t *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(a);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 && getsockname(fd, (struct sockaddr *)&a, &n) == 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static struct adit_path path_to(uint16_t from, uint16_t to)
{
    struct adit_path p = { 0 };
    p.local.addr = (struct adit_addr){ .family = 4, .ip = { 127, 0, 0, 1 } };
    p.remote.addr = p.local.addr;
    p.local.port = from;
    p.remote.port = to;
    return p;
}

/* A message of an SA: it goes to the socket that the errors are about, not to the strangers' one. */
static void say(int fd, uint16_t to)
{
    static const uint8_t message[28] = { [0] = 1, [8] = 2, [16] = 46, [17] = 0x20, [18] = 37, [27] = 28 };
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(to) };
    assert_int_equal(sendto(fd, message, sizeof(message), 0, (struct sockaddr *)&a, sizeof(a)), sizeof(message));
}

static void turn(uv_loop_t *loop, unsigned times)
{
    while (times--) {
        uv_run(loop, UV_RUN_NOWAIT);
        usleep(2000);
    }
}

/* Sends to a port that nobody has: our own kernel answers each with "port unreachable". */
static void provoke(uv_loop_t *loop, struct ikesock *s, uint16_t port, unsigned times)
{
    struct adit_span one = SPAN_LIT("a request");
    uint16_t nobody;
    close(other(&nobody));
    struct adit_path p = path_to(port, nobody);
    while (times--) {
        assert_int_equal(ikesock_send(s, &p, &one, 1), 0);
        turn(loop, 2);
    }
}

static void unreachable_ends_nothing(void **state)
{
    uv_loop_t loop;
    uint16_t port, theirs;
    uint8_t got[32];
    struct ikesock *s = NULL;
    struct adit_why why = { 0 };
    int fd = other(&theirs);
    close(other(&port)); /* free a moment ago */
    struct ikesock_settings set = { .port = port, .input = input };
    struct adit_span one = SPAN_LIT("a request");
    assert_int_equal(uv_loop_init(&loop), 0);
    if (ikesock_new(&loop, &set, &s, &why) != ADIT_OK)
        fail_msg("%s", why.text);
    struct adit_path p = path_to(port, theirs);
    for (unsigned round = 1; round <= 3; round++) {
        provoke(&loop, s, port, 20);
        assert_int_equal(ikesock_send(s, &p, &one, 1), 0);
        assert_int_equal(recv(fd, got, sizeof(got), 0), one.n);
        say(fd, port);
        turn(&loop, 20);
        assert_int_equal(heard, round);
        assert_int_equal(heard_from, theirs);
    }
    ikesock_stop(s);
    uv_run(&loop, UV_RUN_DEFAULT);
    ikesock_free(s);
    uv_loop_close(&loop);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(unreachable_ends_nothing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
