/* simnet.c - what happens to datagrams between hosts. */
#include "support/simnet.h"
#include <stdlib.h>

#define MS 1000000ull
#define IP_UDP 28u

void simnet_init(struct simnet *net, struct prng *prng)
{
    *net = (struct simnet){ .prng = prng };
}

void simnet_fini(struct simnet *net)
{
    for (size_t i = 0; i < net->n_flying; i++)
        buf_fini(&net->flying[i].data);
    free(net->flying);
    net->flying = NULL;
    net->n_flying = net->cap_flying = 0;
}

void simnet_set_link(struct simnet *net, int host, const struct sim_link *link)
{
    for (int i = 0; i < SIM_HOSTS; i++) {
        if (host >= 0 && host != i)
            continue;
        net->host[i].link = *link;
        net->host[i].counter = host < 0 ? SIM_HOSTS : (unsigned)i;
    }
    net->counters[host < 0 ? SIM_HOSTS : host] = 0;
}

void simnet_nat(struct simnet *net, int host, const char *address)
{
    struct simnat *nat = &net->host[host].nat;
    *nat = (struct simnat){ .on = true, .next_port = 20000 };
    if (!addr_parse(address, &nat->address))
        abort();
}

void simnet_nat_rebind(struct simnet *net, int host)
{
    net->host[host].nat.n = 0;
    net->host[host].nat.next_port += 1000;
}

struct simnet_addr *simnet_addr(struct simnet *net, int host, const char *address)
{
    struct simnet_port *h = &net->host[host];
    struct adit_addr a;
    if (!addr_parse(address, &a))
        abort();
    for (unsigned i = 0; i < h->n_extra; i++)
        if (addr_equal(&h->extra[i].addr, &a))
            return &h->extra[i];
    if (h->n_extra == SIM_ADDRESSES)
        abort();
    h->extra[h->n_extra].addr = a;
    return &h->extra[h->n_extra++];
}

/* What is known of an address beside the host's first; NULL: nothing. */
static const struct simnet_addr *known(const struct simnet_port *h, const struct adit_addr *a)
{
    for (unsigned i = 0; i < h->n_extra; i++)
        if (addr_equal(&h->extra[i].addr, a))
            return &h->extra[i];
    return NULL;
}

static bool owns(const struct simnet_port *h, const struct adit_addr *a)
{
    const struct simnet_addr *k = known(h, a);
    return k ? !k->gone && !k->dead : addr_equal(&h->addr, a);
}

/* The outer endpoint of an inner one. */
static struct adit_endpoint nat_out(struct simnat *nat, const struct adit_endpoint *inner)
{
    uint16_t i;
    for (i = 0; i < nat->n; i++)
        if (endpoint_equal(&nat->map[i].inner, inner))
            return (struct adit_endpoint){ nat->address, nat->map[i].outer };
    i = nat->n < ARRAY_LEN(nat->map) ? nat->n++ : 0;
    nat->map[i] = (struct simnat_map){ *inner, ++nat->next_port };
    return (struct adit_endpoint){ nat->address, nat->map[i].outer };
}

/* Which host owns this destination; rewrites it to the inner one behind a translator. */
static int route(const struct simnet *net, struct adit_endpoint *to)
{
    for (unsigned i = 0; i < net->n_hosts; i++) {
        const struct simnet_port *h = &net->host[i];
        if (!h->nat.on && owns(h, &to->addr))
            return (int)i;
        if (!h->nat.on || !addr_equal(&h->nat.address, &to->addr))
            continue;
        for (uint16_t k = 0; k < h->nat.n; k++)
            if (h->nat.map[k].outer == to->port) {
                *to = h->nat.map[k].inner;
                return (int)i;
            }
    }
    return -1;
}

static void fly(struct simnet *net, const struct sim_datagram *d, struct adit_span data, uint64_t at)
{
    if (net->n_flying == net->cap_flying) {
        net->cap_flying = net->cap_flying ? 2 * net->cap_flying : 64;
        net->flying = realloc(net->flying, net->cap_flying * sizeof(*net->flying));
        if (!net->flying)
            abort();
    }
    struct sim_datagram *slot = &net->flying[net->n_flying++];
    *slot = *d;
    slot->at = net->hold && d->kind == SIM_IKE ? UINT64_MAX : at;
    slot->seq = net->seq++;
    slot->nth = d->kind == SIM_IKE ? net->host[d->src].sent++ : 0;
    slot->data = (struct adit_buf){ 0 };
    if (buf_set(&slot->data, data))
        abort();
}

static uint64_t travel(struct simnet *net, const struct sim_link *l, enum sim_fate *fate)
{
    uint64_t ns = l->delay_ms * MS + (l->jitter_ms ? prng_below(net->prng, l->jitter_ms * MS) : 0);
    if (prng_chance(net->prng, l->reorder)) {
        *fate = SIM_LATE;
        ns += (l->delay_ms + 1) * MS + prng_below(net->prng, 4 * (l->delay_ms + 10) * MS);
    }
    return ns;
}

static enum sim_fate mishap(struct simnet *net, struct simnet_port *h, enum sim_kind kind, size_t n)
{
    const struct sim_link *l = &h->link;
    if (h->cut)
        return SIM_CUT;
    if (net->no_udp)
        return SIM_LOST;
    if (kind == SIM_IKE && l->drop_mask) {
        unsigned i = net->counters[h->counter]++;
        if (i < 64 && (l->drop_mask >> i) & 1)
            return SIM_LOST;
    }
    if (prng_chance(net->prng, l->loss))
        return SIM_LOST;
    return kind == SIM_IKE && l->mtu && n + IP_UDP > l->mtu ? SIM_TOO_BIG : SIM_ARRIVES;
}

static int find_way(struct simnet *net, int src, const struct adit_path *path, struct adit_path *seen)
{
    struct simnet_port *h = &net->host[src];
    const struct simnet_addr *from = known(h, &path->local.addr);
    *seen = (struct adit_path){ path->remote, path->local, path->tcp };
    if (from && (from->gone || from->dead))
        return -1;
    if (h->nat.on)
        seen->remote = nat_out(&h->nat, &path->local);
    return route(net, &seen->local);
}

int simnet_reach(struct simnet *net, int src, const struct adit_path *path, struct adit_path *seen)
{
    int to = find_way(net, src, path, seen);
    return to < 0 || net->host[src].cut || net->host[to].cut ? -1 : to;
}

struct adit_addr simnet_address(const struct simnet *net, int host)
{
    const struct simnet_port *h = &net->host[host];
    if (owns(h, &h->addr))
        return h->addr;
    for (unsigned i = 0; i < h->n_extra; i++)
        if (!h->extra[i].gone && !h->extra[i].dead)
            return h->extra[i].addr;
    return h->addr;
}

void simnet_carry(struct simnet *net, const struct sim_datagram *d, struct adit_span data, uint64_t at)
{
    fly(net, d, data, at);
}

enum sim_fate simnet_send(struct simnet *net, int src, enum sim_kind kind, const struct adit_path *path,
                          struct adit_span data, uint64_t now)
{
    struct simnet_port *h = &net->host[src];
    struct sim_datagram d = { .kind = kind, .src = src };
    enum sim_fate fate = mishap(net, h, kind, data.n);
    d.dst = find_way(net, src, path, &d.path);
    if (d.dst < 0)
        return SIM_NO_ROUTE;
    if (net->host[d.dst].cut)
        return SIM_CUT;
    if (fate != SIM_ARRIVES)
        return fate;
    fly(net, &d, data, now + travel(net, &h->link, &fate));
    if (prng_chance(net->prng, h->link.dup)) {
        fate = SIM_TWICE;
        fly(net, &d, data, now + travel(net, &h->link, &fate));
    }
    return fate;
}

static size_t earliest(const struct simnet *net)
{
    size_t best = 0;
    for (size_t i = 1; i < net->n_flying; i++) {
        const struct sim_datagram *a = &net->flying[i], *b = &net->flying[best];
        if (a->at < b->at || (a->at == b->at && a->seq < b->seq))
            best = i;
    }
    return best;
}

uint64_t simnet_next(const struct simnet *net)
{
    return net->n_flying ? net->flying[earliest(net)].at : UINT64_MAX;
}

bool simnet_take(struct simnet *net, uint64_t now, struct sim_datagram *out)
{
    size_t i = earliest(net);
    if (net->n_flying == 0 || net->flying[i].at > now)
        return false;
    *out = net->flying[i];
    net->flying[i] = net->flying[--net->n_flying];
    return true;
}

unsigned simnet_held(const struct simnet *net)
{
    unsigned n = 0;
    for (size_t i = 0; i < net->n_flying; i++)
        n += net->flying[i].at == UINT64_MAX;
    return n;
}

static size_t held_after(const struct simnet *net, uint64_t seq)
{
    size_t best = net->n_flying;
    for (size_t i = 0; i < net->n_flying; i++)
        if (net->flying[i].at == UINT64_MAX && net->flying[i].seq >= seq &&
            (best == net->n_flying || net->flying[i].seq < net->flying[best].seq))
            best = i;
    return best;
}

static size_t nth_held(const struct simnet *net, unsigned nth)
{
    size_t i = held_after(net, 0);
    while (i < net->n_flying && nth-- > 0)
        i = held_after(net, net->flying[i].seq + 1);
    if (i == net->n_flying)
        abort();
    return i;
}

const struct sim_datagram *simnet_peek(const struct simnet *net, unsigned nth)
{
    return &net->flying[nth_held(net, nth)];
}

void simnet_pick(struct simnet *net, unsigned nth, bool keep, struct sim_datagram *out)
{
    size_t i = nth_held(net, nth);
    *out = net->flying[i];
    if (!keep) {
        net->flying[i] = net->flying[--net->n_flying];
        return;
    }
    out->data = (struct adit_buf){ 0 };
    if (buf_set(&out->data, buf_span(&net->flying[i].data)))
        abort();
}

void simnet_release(struct simnet *net, uint64_t now)
{
    net->hold = false;
    for (size_t i = 0; i < net->n_flying; i++)
        if (net->flying[i].at == UINT64_MAX)
            net->flying[i].at = now;
}
