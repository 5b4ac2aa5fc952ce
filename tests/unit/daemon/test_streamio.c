/* test_streamio.c - one TCP connection: frames cut anywhere, IKE before ESP but never inside it, bounded queues, and every
 * way in which a peer lies about its frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/span.h"
#include "daemon/streamio.h"

struct seen {
    unsigned ike, esp;
    size_t octets;
    char order[4096];
};

static bool see(void *arg, enum tcpframe_kind kind, struct adit_span body)
{
    struct seen *s = arg;
    if (s->ike + s->esp < sizeof(s->order) - 1)
        s->order[s->ike + s->esp] = kind == TCPFRAME_IKE ? 'i' : 'e';
    *(kind == TCPFRAME_IKE ? &s->ike : &s->esp) += 1;
    s->octets += body.n;
    return true;
}

static int pair(struct streamio *s, bool originator)
{
    int fd[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    assert_int_equal(streamio_init(s, fd[0], originator), ADIT_OK);
    return fd[1];
}

static void every_cut_gives_the_same_frames(void **state)
{
    static const uint8_t text[] = "IKETCP\0\x08\0\0\0\0hi\0\x03\xff\0\x02\0\x08" "abcdef\0\x07\0\0\0\0x";
    for (size_t cut = 0; cut < sizeof(text) - 1; cut++) {
        struct streamio s;
        struct seen seen = { 0 };
        const char *why = "";
        int peer = pair(&s, false);
        assert_true(write(peer, text, cut) == (ssize_t)cut && streamio_read(&s, see, &seen, &why));
        size_t rest = sizeof(text) - 1 - cut;
        assert_true(write(peer, text + cut, rest) == (ssize_t)rest && streamio_read(&s, see, &seen, &why));
        assert_string_equal(seen.order, "iei");
        assert_int_equal(seen.octets, 2 + 6 + 1);
        close(peer);
        streamio_fini(&s);
    }
}

static void liars_are_cut_off(void **state)
{
    static const struct {
        const char *what, *text;
        size_t n;
        const char *why;
    } rows[] = {
        { "another protocol", "GET /", 5, "prefix" },
        { "a wrong last octet", "IKETCQ", 6, "prefix" },
        { "a frame without prefix", "\0\x08\0\0\0\0hi", 8, "prefix" },
        { "Length 0", "IKETCP\0\0", 8, "Length" },
        { "Length 1 after a good frame", "IKETCP\0\x06" "abcd\0\1", 14, "Length" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct streamio s;
        struct seen seen = { 0 };
        const char *why = "";
        int peer = pair(&s, false);
        assert_true(write(peer, rows[i].text, rows[i].n) == (ssize_t)rows[i].n);
        if (streamio_read(&s, see, &seen, &why) || !strstr(why, rows[i].why))
            fail_msg("%s: %s", rows[i].what, why);
        close(peer);
        streamio_fini(&s);
    }
}

static void a_stream_of_runts_is_corrupted(void **state)
{
    struct streamio s;
    struct seen seen = { 0 };
    const char *why = "";
    uint8_t runts[300];
    int peer = pair(&s, true);
    for (size_t i = 0; i < sizeof(runts); i += 3)
        span_copy(runts + i, SPAN_LIT("\0\3\1"));
    assert_true(write(peer, runts, 90) == 90 && streamio_read(&s, see, &seen, &why));
    assert_true(write(peer, runts, sizeof(runts)) == sizeof(runts) && !streamio_read(&s, see, &seen, &why));
    assert_non_null(strstr(why, "neither"));
    close(peer);
    streamio_fini(&s);
}

/* A Length of 65535 costs memory only as its octets come. */
static void a_long_frame_comes_in_pieces(void **state)
{
    struct streamio s;
    struct seen seen = { 0 };
    const char *why = "";
    static uint8_t frame[TCPFRAME_WHOLE_MAX] = { 0xff, 0xff, 1 };
    int peer = pair(&s, true);
    for (size_t at = 0; at < sizeof(frame);) {
        size_t n = sizeof(frame) - at < 1000 ? sizeof(frame) - at : 1000;
        assert_true(write(peer, frame + at, n) == (ssize_t)n && streamio_read(&s, see, &seen, &why));
        at += n;
        assert_true(s.in_cap <= 2 * at + 4096);
    }
    assert_true(seen.esp == 1 && seen.octets == TCPFRAME_ESP_MAX);
    close(peer);
    assert_false(streamio_read(&s, see, &seen, &why));
    streamio_fini(&s);
}

static void read_some(int peer, struct streamio *into, size_t n)
{
    static uint8_t octets[1 << 16];
    ssize_t got = read(peer, octets, n < sizeof(octets) ? n : sizeof(octets));
    if (got > 0)
        assert_int_equal(write(into->fd, octets, (size_t)got), got);
}

/* The reader takes a few odd octets at a time; IKE that comes in between passes the ESP that waits, at frame borders. */
static void ike_goes_first_but_not_inside(void **state)
{
    static uint8_t esp[1001] = { 1 };
    struct streamio s, copy;
    struct seen seen = { 0 };
    const char *why = "";
    unsigned put = 0;
    int peer = pair(&s, true), other = pair(&copy, false);
    assert_int_equal(setsockopt(s.fd, SOL_SOCKET, SO_SNDBUF, &(int){ 4096 }, sizeof(int)), 0);
    while (streamio_put(&s, false, SPAN_ARRAY(esp)))
        put++;
    assert_true(put > 200 && put * 1003 <= STREAMIO_ESP_MAX && s.dropped == 1);
    assert_true(streamio_flush(&s, &why) && streamio_waits(&s));
    assert_true(streamio_put(&s, true, SPAN_LIT("ike")));
    for (int i = 0; i < 2000 && seen.ike + seen.esp < put + 1; i++) {
        read_some(peer, &(struct streamio){ .fd = other }, 777);
        assert_true(streamio_flush(&s, &why) && streamio_read(&copy, see, &seen, &why));
    }
    assert_true(seen.ike == 1 && seen.esp == put && !streamio_waits(&s));
    assert_true(strchr(seen.order, 'i') - seen.order < 50);
    close(peer);
    close(other);
    streamio_fini(&s);
    streamio_fini(&copy);
}

static void a_peer_that_reads_nothing_costs_no_more_than_this(void **state)
{
    static uint8_t message[60000];
    struct streamio s;
    const char *why = "";
    size_t put = 0;
    int peer = pair(&s, true);
    while (streamio_put(&s, true, SPAN_ARRAY(message)) && streamio_flush(&s, &why))
        put += sizeof(message);
    assert_true(put > 60 * sizeof(message) && s.ike.n <= STREAMIO_IKE_MAX && s.ike.cap <= 2 * STREAMIO_IKE_MAX);
    assert_false(streamio_put(&s, true, span(message, 65530))); /* longer than a frame */
    close(peer);
    assert_false(streamio_flush(&s, &why));
    streamio_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_gives_the_same_frames),
        cmocka_unit_test(liars_are_cut_off),
        cmocka_unit_test(a_stream_of_runts_is_corrupted),
        cmocka_unit_test(a_long_frame_comes_in_pieces),
        cmocka_unit_test(ike_goes_first_but_not_inside),
        cmocka_unit_test(a_peer_that_reads_nothing_costs_no_more_than_this),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
