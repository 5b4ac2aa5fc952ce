/* addresses.c - see addresses.h. */
#include "daemon/addresses.h"
#include <net/if.h>
#include "base/mem.h"
#include "base/span.h"
#include "base/why.h"
#include "net/net.h"

#define SETTLE_MS 200 /* an address that changes is a series of messages; and the last of them counts */
#define ADDRESSES_MAX 32

struct addresses {
    struct daemon *d;
    struct net_nl *nl;
    struct net_watch *watch;
    uv_poll_t poll;
    uv_timer_t timer;
    bool open;
};
struct found {
    unsigned tun, n;
    struct adit_addr v[ADDRESSES_MAX];
};

/* Only such as a peer elsewhere could reach. */
static bool is_global(const struct adit_addr *a)
{
    if (a->family == 4)
        return a->ip[0] != 127 && !(a->ip[0] == 169 && a->ip[1] == 254);
    return !(a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80) && !span_equal(span(a->ip, 15), span((uint8_t[15]){ 0 }, 15));
}

static bool add(void *arg, const struct adit_addr *a, int ifindex)
{
    struct found *f = arg;
    if ((unsigned)ifindex != f->tun && is_global(a) && net_link_usable(ifindex))
        f->v[f->n++] = *a;
    return f->n == ADDRESSES_MAX;
}

static unsigned tun_index(const struct addresses *a)
{
    return *daemon_tun(a->d) ? if_nametoindex(daemon_tun(a->d)) : 0;
}

static void hand_in(struct addresses *a)
{
    struct found f = { .tun = tun_index(a) };
    net_addr_each(a->nl, add, &f);
    host_addresses(a->d, f.v, f.n);
}

static void on_settled(uv_timer_t *timer)
{
    hand_in(timer->data);
}

static void on_changed(uv_poll_t *poll, int status, int events)
{
    struct addresses *a = poll->data;
    if (net_watch_changed(a->watch, (int)tun_index(a)) && !uv_is_active((uv_handle_t *)&a->timer))
        uv_timer_start(&a->timer, on_settled, SETTLE_MS, 0);
}

enum adit_rc addresses_new(struct daemon *d, struct addresses **out, struct adit_why *why)
{
    struct addresses *a = *out = mem_new(sizeof(*a));
    if (!a)
        return why_set(why, ADIT_ERR_MEMORY, "out of memory");
    a->d = d;
    TRY(net_nl_new(&a->nl, why));
    TRY(net_watch_new(&a->watch, why));
    a->poll.data = a->timer.data = a;
    a->open = true;
    uv_timer_init(&d->loop, &a->timer);
    uv_poll_init(&d->loop, &a->poll, net_watch_fd(a->watch));
    uv_poll_start(&a->poll, UV_READABLE, on_changed);
    hand_in(a);
    return ADIT_OK;
}

void addresses_stop(struct addresses *a)
{
    if (!a || !a->open)
        return;
    a->open = false;
    uv_timer_stop(&a->timer);
    uv_poll_stop(&a->poll);
    uv_close((uv_handle_t *)&a->poll, NULL);
    uv_close((uv_handle_t *)&a->timer, NULL);
}

void addresses_free(struct addresses *a)
{
    if (!a)
        return;
    net_watch_free(a->watch);
    net_nl_free(a->nl);
    mem_del(a);
}
