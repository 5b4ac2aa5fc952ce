/* tun.c - a TUN device with a queue a worker, virtio headers, and as much segmentation offload as the kernel has: one
 * system call then carries up to 64 KiB. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/span.h"
#include "base/why.h"
#include "net/net.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
/* Packets that a queue holds while its reader waits for the CPU. The kernel's 500 lose a third of a burst of 1000; at the
 * quarter of a million single packets a second that one worker reads, these are 4 ms. */
#define QUEUE_LENGTH 1000
#define HDR_SIZE sizeof(struct virtio_net_hdr)
_Static_assert(HDR_SIZE == 10, "the header without the number of merged buffers");

static int queue_open(struct ifreq *ifr)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK), size = HDR_SIZE, little = 1;
    if (fd < 0)
        return -errno;
    ifr->ifr_flags = (short)(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE);
    if (ioctl(fd, TUNSETIFF, ifr) || ioctl(fd, TUNSETVNETHDRSZ, &size) || ioctl(fd, TUNSETVNETLE, &little)) {
        int e = -errno;
        close(fd);
        return e;
    }
    return fd;
}

/* What the kernel may hand out unfinished: checksums, TCP and (since 6.2) UDP super-packets. */
static bool offload(int fd)
{
    unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    if (ioctl(fd, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) == 0)
        return true;
    (void)ioctl(fd, TUNSETOFFLOAD, tcp); /* without it single packets come: slower, never wrong */
    return false;
}

static int queues_open(struct net_tun *t, struct ifreq *ifr, unsigned queues, int steer)
{
    for (unsigned i = 0; i < queues; i++) {
        int fd = queue_open(ifr);
        if (fd < 0)
            return fd;
        t->fd[t->n++] = fd;
    }
    t->uso = offload(t->fd[0]);
    t->by_flow = queues > 1 && net_tun_steer(t->fd[0], steer);
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int e = s < 0 || ioctl(s, SIOCGIFINDEX, ifr) ? -errno : 0;
    t->ifindex = ifr->ifr_ifindex;
    ifr->ifr_qlen = QUEUE_LENGTH;
    if (!e)
        (void)ioctl(s, SIOCSIFTXQLEN, ifr); /* with the kernel's length it works too */
    if (s >= 0)
        close(s);
    return e;
}

enum adit_rc net_tun_open(const char *name, unsigned queues, int steer, struct net_tun *out, struct adit_why *why)
{
    struct ifreq ifr = { 0 };
    *out = (struct net_tun){ .fd = mem_new_array(queues, sizeof(int)) };
    if (!out->fd)
        return ADIT_ERR_MEMORY;
    if (strlen(name) >= sizeof(ifr.ifr_name))
        return why_set(why, ADIT_ERR_CONFIG, "TUN name '%s' is longer than 15 octets", name);
    span_copy((uint8_t *)ifr.ifr_name, span_str(name));
    int e = queues_open(out, &ifr, queues, steer);
    if (e) {
        net_tun_close(out);
        return why_set(why, ADIT_ERR_IO, "TUN device '%s': %s", name, strerror(-e));
    }
    span_copy((uint8_t *)out->name, span(ifr.ifr_name, strnlen(ifr.ifr_name, sizeof(out->name) - 1)));
    return ADIT_OK;
}

void net_tun_close(struct net_tun *t)
{
    for (unsigned i = 0; i < t->n; i++)
        close(t->fd[i]);
    mem_del(t->fd);
    *t = (struct net_tun){ 0 };
}

int net_tun_read(int fd, struct virtio_net_hdr *hdr, uint8_t *out, size_t cap)
{
    struct iovec iov[2] = { { hdr, HDR_SIZE }, { out, cap } };
    ssize_t n = readv(fd, iov, 2);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    return n < (ssize_t)HDR_SIZE ? 0 : (int)(n - (ssize_t)HDR_SIZE);
}

int net_tun_write(int fd, const struct virtio_net_hdr *hdr, const uint8_t *packet, size_t n)
{
    struct virtio_net_hdr copy = *hdr;
    struct iovec iov[2] = { { &copy, HDR_SIZE }, { (void *)(uintptr_t)packet, n } };
    return writev(fd, iov, 2) < 0 ? -errno : 0;
}
