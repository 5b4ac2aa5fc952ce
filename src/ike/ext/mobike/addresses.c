/* addresses.c - lists of addresses on the wire (RFC 4555 s3.4, s3.6, s3.9), and the pairs that may be tried. */
#include "ike/ext/mobike/mobike.h"

#define PORT_NAT_T 4500

bool mobike_list_has(const struct mobike_list *list, const struct adit_addr *a)
{
    for (unsigned i = 0; i < list->n; i++)
        if (addr_equal(&list->v[i], a))
            return true;
    return false;
}

void mobike_list_add(struct mobike_list *list, const struct adit_addr *a)
{
    if (a->family && list->n < MOBIKE_ADDRESSES && !mobike_list_has(list, a))
        list->v[list->n++] = *a;
}

bool mobike_list_equal(const struct mobike_list *a, const struct mobike_list *b)
{
    for (unsigned i = 0; i < a->n; i++)
        if (!mobike_list_has(b, &a->v[i]))
            return false;
    return a->n == b->n;
}

void mobike_list_put(struct wr *w, const struct mobike_list *list)
{
    for (unsigned i = 0; i < list->n; i++) {
        bool v4 = list->v[i].family == 4;
        notify_put(w, v4 ? N_ADDITIONAL_IP4_ADDRESS : N_ADDITIONAL_IP6_ADDRESS, addr_span(&list->v[i]));
    }
}

static void add_from(struct mobike_list *list, const struct notify *n)
{
    struct adit_addr a = { .family = n->type == N_ADDITIONAL_IP4_ADDRESS ? 4 : 6 };
    if (n->data.n != addr_span(&a).n)
        return;
    span_copy(a.ip, n->data);
    mobike_list_add(list, &a);
}

bool mobike_list_get(const struct ike_msg *msg, struct mobike_list *out)
{
    struct notify n;
    bool any = false;
    *out = (struct mobike_list){ 0 };
    for (uint16_t i = 0; msg_next_notify(msg, &i, &n);) {
        bool address = n.type == N_ADDITIONAL_IP4_ADDRESS || n.type == N_ADDITIONAL_IP6_ADDRESS;
        any |= address || n.type == N_NO_ADDITIONAL_ADDRESSES;
        if (address)
            add_from(out, &n);
    }
    return any;
}

void mobike_list_own(const struct ike_sa *sa, struct mobike_list *out)
{
    const struct adit_addr *v;
    unsigned n = sa_host_addresses(sa, &v);
    *out = (struct mobike_list){ 0 };
    for (unsigned i = 0; i < n; i++)
        if (!addr_equal(&v[i], &sa_path(sa)->local.addr) && sa_may_be_at(sa, &v[i], NULL))
            mobike_list_add(out, &v[i]);
}

void mobike_nats_put(struct wr *w, const struct adit_path *path)
{
    uint8_t mem[36];
    struct wr data;
    wr_init(&data, mem, sizeof(mem));
    wr_span(&data, addr_span(&path->local.addr));
    wr_span(&data, addr_span(&path->remote.addr));
    wr_u16(&data, path->local.port);
    wr_u16(&data, path->remote.port);
    notify_put(w, N_NO_NATS_ALLOWED, wr_written(&data));
}

bool mobike_nats_ok(const struct ike_msg *msg, const struct adit_path *path)
{
    struct notify n;
    if (path->tcp || !msg_notify(msg, N_NO_NATS_ALLOWED, &n)) /* by TCP it means nothing: RFC 9329 s7.1 */
        return true;
    struct rd in = rd_init(n.data);
    struct adit_span source = rd_take(&in, addr_span(&path->remote.addr).n);
    struct adit_span destination = rd_take(&in, addr_span(&path->local.addr).n);
    uint16_t from = rd_u16(&in), to = rd_u16(&in);
    return rd_ok(&in) && rd_rest(&in).n == 0 && span_equal(source, addr_span(&path->remote.addr)) &&
           span_equal(destination, addr_span(&path->local.addr)) && from == path->remote.port &&
           to == path->local.port;
}

struct ways {
    const struct ike_sa *sa;
    struct adit_path *out;
    unsigned n, room;
};

/* All of our addresses towards this one, in the order that the host gave. */
static void ways_to(struct ways *w, const struct adit_addr *remote)
{
    const struct adit_addr *v;
    struct adit_path p = *sa_path(w->sa);
    unsigned n = sa_host_addresses(w->sa, &v);
    if (p.tcp)
        p = (struct adit_path){ .local.port = sa_port_nat_t(w->sa), .remote.port = PORT_NAT_T };
    p.remote.addr = *remote;
    for (unsigned i = 0; i < n && w->n < w->room; i++) {
        p.local.addr = v[i];
        if (v[i].family == remote->family && !path_equal(&p, sa_path(w->sa)) && sa_may_be_at(w->sa, &v[i], NULL))
            w->out[w->n++] = p;
    }
}

/* Those of datagrams. Whoever is on TCP on purpose stays there. */
static bool may_leave_stream(const struct ike_sa *sa)
{
    return span_equal(span_str(sa_option(sa, "ike_transport")), SPAN_LIT("auto")) &&
           !sa_any_child_option(sa, "esp_transport", "tcp");
}

unsigned mobike_ways(const struct ike_sa *sa, const struct mobike_state *s, struct adit_path *out, unsigned room)
{
    struct ways w = { sa, out, 0, room };
    if (sa_path(sa)->tcp && !may_leave_stream(sa))
        return 0;
    struct mobike_list remotes = { 0 };
    mobike_list_add(&remotes, &sa_path(sa)->remote.addr);
    mobike_list_add(&remotes, &s->peer_first);
    for (unsigned i = 0; i < s->peer.n; i++)
        mobike_list_add(&remotes, &s->peer.v[i]);
    for (unsigned i = 0; i < remotes.n; i++)
        ways_to(&w, &remotes.v[i]);
    return w.n;
}
