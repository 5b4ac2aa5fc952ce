/* test_fetch.c - a web server on the loopback that does what a bad one would: too much, elsewhere, nothing, slowly. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include "daemon/fetch.h"

#define MOST 1000
#define DONE_MAX 64

static int listener;
static uint16_t port;
static atomic_uint requests;
static struct {
    uint64_t cookie;
    size_t n;
    uint8_t first;
    char error[300];
} done[DONE_MAX];
static unsigned n_done;

static void say(int fd, const char *text)
{
    (void)!write(fd, text, strlen(text));
}

static void serve(int fd)
{
    char request[2000] = "", body[MOST + 2];
    ssize_t n = read(fd, request, sizeof(request) - 1);
    atomic_fetch_add(&requests, 1);
    memset(body, 'x', sizeof(body));
    body[MOST] = strstr(request, "/more") ? 'x' : 0;
    body[MOST + 1] = 0;
    if (n > 0 && strstr(request, "GET /page "))
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage");
    else if (strstr(request, "GET /up/../page "))
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nasis");
    else if (strstr(request, "GET /most ") || strstr(request, "GET /more ")) {
        say(fd, "HTTP/1.0 200 OK\r\n\r\n");
        say(fd, body);
    } else if (strstr(request, "GET /elsewhere "))
        say(fd, "HTTP/1.1 302 Found\r\nLocation: /page\r\nContent-Length: 4\r\n\r\nhere");
    else if (strstr(request, "GET /never "))
        sleep(FETCH_TIME_MS / 1000 + 2);
    else
        say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    close(fd);
}

static void *one(void *arg)
{
    serve((int)(intptr_t)arg);
    return NULL;
}

static void *server(void *arg)
{
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0;) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, one, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
    }
    return NULL;
}

static int setup(void **state)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof(a);
    pthread_t thread;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&a, n) || listen(listener, 64) || getsockname(listener, (struct sockaddr *)&a, &n))
        return -1;
    port = ntohs(a.sin_port);
    setenv("http_proxy", "http://127.0.0.1:1/", 1); /* nobody's business */
    return pthread_create(&thread, NULL, server, NULL);
}

static void on_done(void *arg, uint64_t cookie, const uint8_t *data, size_t n, const char *error)
{
    assert_true(n_done < DONE_MAX);
    done[n_done].cookie = cookie;
    done[n_done].n = n;
    done[n_done].first = n ? data[0] : 0;
    snprintf(done[n_done++].error, sizeof(done[0].error), "%s", error ? error : "");
}

static void begin(uv_loop_t *loop, struct fetcher **f)
{
    n_done = 0;
    uv_loop_init(loop);
    *f = fetcher_new(loop, 0, on_done, NULL);
    assert_non_null(*f);
}

static void ask(struct fetcher *f, uint64_t cookie, const char *path)
{
    char url[200];
    if (strstr(path, "://"))
        snprintf(url, sizeof(url), "%s", path);
    else
        snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
    fetch_start(f, cookie, url, MOST);
}

static void wait_for(uv_loop_t *loop, unsigned n)
{
    for (int ms = 0; ms < 3 * FETCH_TIME_MS && n_done < n; ms++) {
        uv_run(loop, UV_RUN_NOWAIT);
        uv_sleep(1);
    }
    assert_int_equal(n_done, n);
}

static void end(uv_loop_t *loop, struct fetcher *f)
{
    fetcher_stop(f);
    while (uv_run(loop, UV_RUN_DEFAULT))
        ;
    fetcher_free(f);
    assert_int_equal(uv_loop_close(loop), 0);
}

static const struct {
    const char *path;
    size_t n;          /* octets got; 0: an error ... */
    const char *error; /* ... with this in it */
} rows[] = {
    { "/page", 4, NULL },
    { "/up/../page", 4, NULL },
    { "/most", MOST, NULL },
    { "/more", 0, "more than 1000 octets" },
    { "/elsewhere", 0, "the server answers 302" },
    { "/nothing", 0, "404" },
    { "file:///etc/hostname", 0, "not supported" },
    { "ftp://127.0.0.1/x", 0, "not supported" },
    { "https://127.0.0.1/x", 0, "not supported" },
    { "gopher://127.0.0.1/x", 0, "not supported" },
    { "http://127.0.0.1:1/x", 0, "connect" },
    { "://", 0, "" },
};

static void only_good_pages_come(void **state)
{
    uv_loop_t loop;
    struct fetcher *f;
    begin(&loop, &f);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ask(f, 100 + i, rows[i].path);
        wait_for(&loop, i + 1);
        bool good = done[i].cookie == 100 + i && (rows[i].error ? done[i].error[0] && strstr(done[i].error, rows[i].error)
                                                                : !done[i].error[0] && done[i].n == rows[i].n);
        if (!good)
            fail_msg("%s: %zu octets, '%s'", rows[i].path, done[i].n, done[i].error);
    }
    end(&loop, f);
}

static void a_silent_server_costs_no_more_than_its_time(void **state)
{
    uv_loop_t loop;
    struct fetcher *f;
    begin(&loop, &f);
    uint64_t before = uv_hrtime();
    ask(f, 1, "/never");
    wait_for(&loop, 1);
    uint64_t ms = (uv_hrtime() - before) / 1000000;
    assert_true(ms >= FETCH_TIME_MS / 2 && ms < FETCH_TIME_MS + 2000);
    assert_non_null(strstr(done[0].error, "timed out"));
    end(&loop, f);
}

/* Threads are few; what finds no place is told so at once; whoever stops does not wait. */
static void a_flood_is_refused_and_broken_off(void **state)
{
    uv_loop_t loop;
    struct fetcher *f;
    begin(&loop, &f);
    uint64_t before = uv_hrtime();
    for (unsigned i = 0; i < FETCH_QUEUE + FETCH_THREADS + 5; i++)
        ask(f, i, "/never");
    assert_true(n_done >= 5);
    unsigned refused = n_done;
    for (unsigned i = 0; i < refused; i++)
        assert_non_null(strstr(done[i].error, "too much"));
    end(&loop, f);
    assert_int_equal(n_done, refused);
    assert_true((uv_hrtime() - before) / 1000000 < FETCH_TIME_MS - 1000);
}

static void nothing_asked_nothing_started(void **state)
{
    uv_loop_t loop;
    struct fetcher *f;
    begin(&loop, &f);
    end(&loop, f);
    fetcher_stop(NULL);
    fetcher_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_good_pages_come),
        cmocka_unit_test(a_silent_server_costs_no_more_than_its_time),
        cmocka_unit_test(a_flood_is_refused_and_broken_off),
        cmocka_unit_test(nothing_asked_nothing_started),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
