/* test_steer.c - the packets of a flow come by one queue of a TUN device, and many flows by all of them. Real devices in a
 * network namespace of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/virtio_net.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/span.h"
#include "base/why.h"
#include "net/net.h"

enum { QUEUES = 4, FLOWS = 64, EACH = 3 };

static bool own_namespace(void)
{
    return access("/dev/net/tun", R_OK | W_OK) == 0 && unshare(CLONE_NEWNET) == 0;
}

static void up(const char *name)
{
    struct ifreq r = { 0 };
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000001) };
    assert_true(s >= 0);
    strcpy(r.ifr_name, name);
    span_copy((uint8_t *)&r.ifr_addr, span(&a, sizeof(a)));
    assert_int_equal(ioctl(s, SIOCSIFADDR, &r), 0);
    a.sin_addr.s_addr = htonl(0xffffff00);
    span_copy((uint8_t *)&r.ifr_netmask, span(&a, sizeof(a)));
    assert_int_equal(ioctl(s, SIOCSIFNETMASK, &r), 0);
    r.ifr_flags = IFF_UP;
    assert_int_equal(ioctl(s, SIOCSIFFLAGS, &r), 0);
    close(s);
}

static void send_to(int s, unsigned flow)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(1000 + flow)),
                              .sin_addr.s_addr = htonl(0x0a000002) };
    assert_int_equal(sendto(s, &flow, sizeof(flow), 0, (struct sockaddr *)&to, sizeof(to)), sizeof(flow));
}

/* The flow of a datagram of ours; FLOWS: somebody else's. */
static unsigned flow_of(const uint8_t *p, int n)
{
    bool ours = n == 20 + 8 + (int)sizeof(unsigned) && p[0] == 0x45 && p[9] == 17;
    return ours ? ((unsigned)p[22] << 8 | p[23]) - 1000 : FLOWS;
}

static void drain(const struct net_tun *t, unsigned q, unsigned seen[FLOWS][QUEUES])
{
    struct virtio_net_hdr hdr;
    uint8_t p[2048];
    for (int n; (n = net_tun_read(t->fd[q], &hdr, p, sizeof(p))) > 0;) {
        unsigned flow = flow_of(p, n);
        if (flow < FLOWS)
            seen[flow][q]++;
        hdr = (struct virtio_net_hdr){ 0 };
        (void)net_tun_write(t->fd[0], &hdr, p, (size_t)n); /* what the kernel alone would follow */
    }
}

static void a_flow_keeps_its_queue(void **state)
{
    struct net_tun t;
    struct adit_why why = { 0 };
    unsigned seen[FLOWS][QUEUES] = { 0 }, used[QUEUES] = { 0 };
    int program = net_steer_load();
    if (program < 0 || !own_namespace())
        skip();
    assert_int_equal(net_tun_open("steer%d", QUEUES, program, &t, &why), ADIT_OK);
    assert_true(t.by_flow);
    up(t.name);
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    for (unsigned round = 0; round < EACH; round++) {
        for (unsigned f = 0; f < FLOWS; f++)
            send_to(s, f);
        for (unsigned q = 0; q < QUEUES; q++)
            drain(&t, q, seen);
    }
    for (unsigned f = 0; f < FLOWS; f++)
        for (unsigned q = 0; q < QUEUES; q++) {
            assert_true(seen[f][q] == 0 || seen[f][q] == EACH);
            used[q] += seen[f][q] == EACH;
        }
    assert_int_equal(used[0] + used[1] + used[2] + used[3], FLOWS);
    for (unsigned q = 0; q < QUEUES; q++)
        assert_in_range(used[q], FLOWS / QUEUES / 4, FLOWS);
    close(s);
    close(program);
    net_tun_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_flow_keeps_its_queue) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
