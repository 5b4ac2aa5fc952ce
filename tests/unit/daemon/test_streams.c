/* test_streams.c - TCP connections on loopback: two ends that talk, who is told what, and limits for strangers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/span.h"
#include "daemon/log.h"
#include "daemon/streams.h"
#include "model/model.h"

#define PORT "24517"

struct host {
    uv_loop_t loop;
    struct streams *s;
    struct log log;
    unsigned n_ike, n_esp, n_up, n_down;
    struct adit_path up, from, down;
    char text[64];
    bool closes; /* the engine is done with the connection while its message is looked at */
};

static void ike(void *arg, const struct adit_path *path, struct adit_span message)
{
    struct host *h = arg;
    h->n_ike++;
    h->from = *path;
    span_copy((uint8_t *)h->text, message);
    h->text[message.n] = 0;
    if (h->closes)
        streams_close(h->s, path);
}

static void esp(void *arg, const struct adit_path *path, struct adit_span packet)
{
    ((struct host *)arg)->n_esp++;
}

static void up(void *arg, uint32_t ike_id, const struct adit_path *path)
{
    struct host *h = arg;
    assert_int_equal(ike_id, 7);
    h->n_up++;
    h->up = *path;
}

static void down(void *arg, uint32_t ike_id, const struct adit_path *path)
{
    struct host *h = arg;
    assert_int_equal(ike_id, 7);
    h->n_down++;
    h->down = *path;
}

static void start(struct host *h)
{
    static const char *const ports[] = { PORT };
    struct adit_why why;
    *h = (struct host){ .n_ike = 0 };
    log_init(&h->log, ADIT_LOG_AUDIT);
    struct streams_settings set = { .ports = ports, .n_ports = 1, .log = &h->log, .ike = ike, .esp = esp, .up = up,
                                    .down = down, .arg = h };
    uv_loop_init(&h->loop);
    assert_int_equal(streams_new(&h->loop, &set, &h->s, &why), ADIT_OK);
}

static void stop(struct host *h)
{
    streams_stop(h->s);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    streams_free(h->s);
    assert_int_equal(uv_loop_close(&h->loop), 0);
}

static void turn(struct host *h, unsigned ms)
{
    for (unsigned i = 0; i <= ms; i++) {
        uv_run(&h->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
}

static struct adit_path to_listener(void)
{
    struct adit_path p = { .remote.port = (uint16_t)atoi(PORT), .tcp = true };
    assert_true(addr_parse("127.0.0.1", &p.remote.addr));
    return p;
}

static struct adit_path mirror(const struct adit_path *p)
{
    return (struct adit_path){ p->remote, p->local, p->tcp };
}

/* One daemon is both ends. */
static void two_ends_talk(void **state)
{
    struct host h;
    struct adit_path to = to_listener();
    struct adit_span hello[] = { SPAN_LIT("hello"), SPAN_LIT("again") };
    start(&h);
    streams_open(h.s, 7, &to);
    assert_int_equal(h.n_up, 0);
    turn(&h, 20);
    assert_true(h.n_up == 1 && h.up.tcp && h.up.local.port && streams_count(h.s) == 2);
    assert_int_equal(streams_send(h.s, &h.up, hello, 2), 0);
    turn(&h, 20);
    struct adit_path back = mirror(&h.up);
    assert_true(h.n_ike == 2 && path_equal(&h.from, &back));
    assert_string_equal(h.text, "again");
    streams_used(h.s, &back);
    assert_true(streams_send_esp(h.s, &back, SPAN_LIT("esp packet")));
    streams_flush(h.s);
    assert_int_equal(streams_send(h.s, &back, hello, 1), 0);
    turn(&h, 20);
    assert_true(h.n_esp == 1 && h.n_ike == 3 && path_equal(&h.from, &h.up));
    back.tcp = false;
    assert_true(streams_send(h.s, &back, hello, 1) < 0 && !streams_send_esp(h.s, &back, SPAN_LIT("esp packet")));
    assert_int_equal(streams_send(h.s, &h.up, hello, 2), 0);
    streams_close(h.s, &h.up); /* what was sent before still arrives */
    turn(&h, 20);
    assert_true(h.n_ike == 5 && h.n_down == 0 && streams_count(h.s) == 0);
    stop(&h);
}

static void an_end_inside_a_message_is_survived(void **state)
{
    struct host h;
    struct adit_path to = to_listener();
    struct adit_span hello[] = { SPAN_LIT("one"), SPAN_LIT("two") };
    start(&h);
    streams_open(h.s, 7, &to);
    turn(&h, 20);
    struct adit_path back = mirror(&h.up);
    h.closes = true;
    assert_int_equal(streams_send(h.s, &back, hello, 2), 0);
    turn(&h, 20);
    assert_true(h.n_ike >= 1 && h.n_down == 0 && streams_count(h.s) == 0);
    stop(&h);
}

static void whoever_opened_it_is_told_of_its_end(void **state)
{
    struct host h;
    struct adit_path to = to_listener();
    start(&h);
    to.remote.port = 1; /* nobody listens */
    streams_open(h.s, 7, &to);
    assert_int_equal(h.n_down, 0);
    turn(&h, 700);
    assert_true(h.n_down == 1 && h.down.local.port == 0 && streams_count(h.s) == 0);
    stop(&h);
}

static int dial(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(PORT)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_true(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 || fd >= 0);
    return fd;
}

static bool is_cut_off(int fd)
{
    char c;
    return recv(fd, &c, 1, MSG_DONTWAIT) == 0;
}

static void strangers_are_few_and_brief(void **state)
{
    struct host h;
    int fd[12];
    start(&h);
    for (size_t i = 0; i < ARRAY_LEN(fd); i++)
        fd[i] = dial();
    turn(&h, 20);
    assert_int_equal(streams_count(h.s), 8); /* of one address */
    assert_int_equal(send(fd[0], "GET / HTTP/1.0\r\n", 16, 0), 16);
    assert_int_equal(send(fd[1], "IKETCP\0\1", 8, 0), 8);
    turn(&h, 20);
    assert_true(is_cut_off(fd[0]) && is_cut_off(fd[1]) && streams_count(h.s) == 6);
    assert_int_equal(send(fd[2], "IKE", 3, 0), 3); /* and nothing more for ever */
    assert_int_equal(send(fd[3], "IKETCP\0\x08\0\0\0\0hi", 14, 0), 14);
    turn(&h, 5700);
    assert_true(is_cut_off(fd[2]) && is_cut_off(fd[4]) && !is_cut_off(fd[3]));
    assert_true(streams_count(h.s) == 1 && h.n_ike == 1 && h.n_down == 0);
    for (size_t i = 0; i < ARRAY_LEN(fd); i++)
        close(fd[i]);
    turn(&h, 20);
    assert_int_equal(streams_count(h.s), 0);
    stop(&h);
}

/* RFC 9329 s6.1: what begins with ESP may be the connection of an IKE SA that lives; who it is the data plane finds out. */
static void esp_may_come_first(void **state)
{
    struct host h;
    start(&h);
    int fd = dial();
    turn(&h, 20);
    assert_int_equal(send(fd, "IKETCP\0\x0a" "espacket\0\x06" "abcd", 22, 0), 22);
    turn(&h, 20);
    assert_true(h.n_esp == 2 && h.n_ike == 0 && streams_count(h.s) == 1);
    close(fd);
    turn(&h, 20);
    assert_int_equal(streams_count(h.s), 0);
    stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_ends_talk),
        cmocka_unit_test(an_end_inside_a_message_is_survived),
        cmocka_unit_test(whoever_opened_it_is_told_of_its_end),
        cmocka_unit_test(esp_may_come_first),
        cmocka_unit_test(strangers_are_few_and_brief),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
