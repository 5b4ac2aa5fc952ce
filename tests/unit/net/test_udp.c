/* test_udp.c - UDP over loopback: paths, TOS, trains with and without offload, spreading by the first four octets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/span.h"
#include "net/net.h"

static void open_on(struct net_udp *u, bool v6, uint16_t port, bool reuseport, bool offload)
{
    struct adit_endpoint e = { .addr = { .family = v6 ? 6 : 4 }, .port = port };
    struct net_opts opts = { .reuseport = reuseport, .offload = offload };
    struct adit_why why;
    if (v6)
        e.addr.ip[15] = 1;
    else
        span_copy(e.addr.ip, SPAN_LIT("\x7f\0\0\x01"));
    if (net_udp_open(&e, &opts, u, &why))
        fail_msg("%s", why.text);
}

static struct adit_path path_between(const struct net_udp *from, const struct net_udp *to)
{
    struct adit_path p = { .local = { { .family = from->family }, from->port },
                           .remote = { { .family = from->family }, to->port } };
    if (from->family == 4)
        span_copy(p.local.addr.ip, SPAN_LIT("\x7f\0\0\x01"));
    else
        p.local.addr.ip[15] = 1;
    p.remote.addr = p.local.addr;
    return p;
}

static int wait_recv(struct net_udp *u, struct net_rx *rx)
{
    int n = 0;
    for (unsigned i = 0; i < 2000 && (n = net_udp_recv(u, rx)) == 0; i++)
        usleep(1000);
    return n;
}

/* Datagrams of sizes[], each filled with its index, arrive in order, however the kernel trained them. */
static void exchange(bool v6, bool offload, const size_t *sizes, size_t n)
{
    static uint8_t mem[64][2000];
    struct net_udp a, b;
    struct net_rx *rx = net_rx_new(8);
    struct iovec iov[64];
    int error;
    size_t got = 0;
    open_on(&a, v6, 0, false, offload);
    open_on(&b, v6, 0, false, offload);
    struct adit_path path = path_between(&a, &b);
    for (size_t i = 0; i < n; i++) {
        memset(mem[i], (int)i, sizes[i]);
        iov[i] = (struct iovec){ mem[i], sizes[i] };
    }
    assert_int_equal(net_udp_send(&a, &path, 0xb9, true, iov, n, &error), n);
    assert_int_equal(error, 0);
    while (got < n) {
        int k = wait_recv(&b, rx);
        assert_true(k > 0);
        for (int i = 0; i < k; i++) {
            const struct net_datagram *d = net_rx_at(rx, (unsigned)i);
            assert_int_equal(d->tos, 0xb9);
            assert_int_equal(d->path.local.port, b.port);
            assert_int_equal(d->path.remote.port, a.port);
            assert_true(span_equal(span(&d->path.local.addr, 17), span(&path.remote.addr, 17)));
            assert_true(span_equal(span(&d->path.remote.addr, 17), span(&path.local.addr, 17)));
            for (uint32_t at = 0; at < d->n; at += d->segment, got++) {
                uint32_t len = d->n - at < d->segment ? d->n - at : d->segment;
                assert_int_equal(len, sizes[got]);
                assert_int_equal(d->data[at], (uint8_t)got);
                assert_int_equal(d->data[at + len - 1], (uint8_t)got);
            }
        }
    }
    net_rx_free(rx);
    net_udp_close(&a);
    net_udp_close(&b);
}

static void datagrams_arrive_in_order(void **state)
{
    static const size_t equal[] = { 1200, 1200, 1200, 1200, 700 },
                        mixed[] = { 100, 1200, 1200, 5, 5, 5, 1400, 1 };
    size_t many[64];
    for (size_t i = 0; i < 64; i++)
        many[i] = i % 20 ? 1400 : 60;
    for (unsigned how = 0; how < 4; how++) {
        exchange(how & 1, how & 2, equal, ARRAY_LEN(equal));
        exchange(how & 1, how & 2, mixed, ARRAY_LEN(mixed));
        exchange(how & 1, how & 2, many, ARRAY_LEN(many));
    }
}

static void steering_follows_first_octets(void **state)
{
    struct net_udp in[3], out;
    struct net_rx *rx = net_rx_new(4);
    open_on(&in[0], false, 0, true, false);
    open_on(&in[1], false, in[0].port, true, false);
    open_on(&in[2], false, in[0].port, true, false); /* sends only: must get nothing */
    open_on(&out, false, 0, false, false);
    assert_int_equal(net_udp_steer(&in[0], 2), 0);
    struct adit_path path = path_between(&out, &in[0]);
    for (uint32_t i = 0; i < 40; i++) {
        uint8_t data[8] = { 1, 2, 3, (uint8_t)i };
        struct iovec iov = { data, sizeof(data) };
        int error;
        assert_int_equal(net_udp_send(&out, &path, 0, true, &iov, 1, &error), 1);
        assert_int_equal(wait_recv(&in[i % 2], rx), 1);
        assert_int_equal(net_rx_at(rx, 0)->data[3], i);
        assert_int_equal(net_udp_recv(&in[!(i % 2)], rx), 0);
        assert_int_equal(net_udp_recv(&in[2], rx), 0);
    }
    net_rx_free(rx);
    for (size_t i = 0; i < 3; i++)
        net_udp_close(&in[i]);
    net_udp_close(&out);
}

static void set_loopback(int mtu)
{
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq ifr = { .ifr_name = "lo", .ifr_mtu = mtu };
    assert_int_equal(ioctl(s, SIOCSIFMTU, &ifr), 0);
    ifr.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
    assert_int_equal(ioctl(s, SIOCSIFFLAGS, &ifr), 0);
    close(s);
}

/* A train whose datagrams have to be cut is refused; that says nothing about other trains. */
static void trains_stay_after_one_to_be_cut(void **state)
{
    static uint8_t mem[4][1400];
    struct iovec iov[4];
    struct net_udp a, b;
    int error;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
        skip();
    set_loopback(1280);
    open_on(&a, false, 0, false, true);
    open_on(&b, false, 0, false, true);
    struct adit_path path = path_between(&a, &b);
    bool had = a.gso;
    for (size_t i = 0; i < 4; i++)
        iov[i] = (struct iovec){ mem[i], sizeof(mem[i]) };
    assert_int_equal(net_udp_send(&a, &path, 0, false, iov, 4, &error), 4);
    assert_int_equal(error, 0);
    assert_int_equal(a.gso, had);
    net_udp_close(&a);
    net_udp_close(&b);
}

static void busy_port_is_named(void **state)
{
    struct net_udp a, b;
    struct adit_why why;
    open_on(&a, false, 0, false, false);
    struct adit_endpoint e = { .addr = { .family = 4, .ip = { 127, 0, 0, 1 } }, .port = a.port };
    assert_int_equal(net_udp_open(&e, &(struct net_opts){ 0 }, &b, &why), ADIT_ERR_IO);
    assert_non_null(strstr(why.text, "another IKE daemon?"));
    net_udp_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datagrams_arrive_in_order), cmocka_unit_test(steering_follows_first_octets),
        cmocka_unit_test(busy_port_is_named),
        cmocka_unit_test(trains_stay_after_one_to_be_cut), /* last: it leaves the network */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
