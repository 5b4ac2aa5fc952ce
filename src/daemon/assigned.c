/* assigned.c - see assigned.h. */
#include "daemon/assigned.h"
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/strbuf.h"
#include "daemon/daemon.h"
#include "dp/dp.h"
#include "model/model.h"
#include "net/net.h"

#define ENV_MAX 12

struct held_addr {
    struct list node;
    struct adit_addr addr;
    unsigned refs;
    int ifindex;
    bool ours; /* we put it there */
};
struct held_servers { /* the last one in the list is in force */
    struct list node;
    struct adit_assigned what;
    char *conn;
    unsigned refs;
};

static const char *device(const struct daemon *d)
{
    return d->set.install_virtual_ip_on ? d->set.install_virtual_ip_on : daemon_tun(d);
}

/* --- addresses --------------------------------------------------------------------------------------------------------- */

static struct held_addr *find_addr(const struct daemon *d, const struct adit_addr *a)
{
    list_for_each (it, &d->held_addrs) {
        struct held_addr *h = list_entry(it, struct held_addr, node);
        if (addr_equal(&h->addr, a))
            return h;
    }
    return NULL;
}

static int change(int ifindex, const struct adit_addr *a, bool add)
{
    struct net_nl *nl;
    if (net_nl_new(&nl, NULL) != ADIT_OK)
        return -ENOMEM;
    int e = add ? net_addr_add(nl, ifindex, a) : net_addr_del(nl, ifindex, a);
    net_nl_free(nl);
    return e;
}

static void say(struct daemon *d, const struct adit_addr *a, const char *conn, const char *what, int e)
{
    STRBUF(text, 300);
    strbuf_add(&text, "virtual address ");
    addr_print(&text, a);
    strbuf_addf(&text, " %s %s%s%s", what, device(d), e ? ": " : "", e ? strerror(-e) : "");
    log_line(&d->log, &(struct log_line){
                          .level = e ? ADIT_LOG_AUDIT : ADIT_LOG_INFO, .group = "KNL", .conn = conn, .text = text.p });
}

static void hold_addr(struct daemon *d, const struct adit_addr *a, const char *conn)
{
    struct held_addr *h = find_addr(d, a);
    if (h) {
        h->refs++;
        return;
    }
    if (!(h = mem_new(sizeof(*h))))
        return;
    h->addr = *a;
    h->refs = 1;
    h->ifindex = (int)if_nametoindex(device(d));
    list_append(&d->held_addrs, &h->node);
    int e = h->ifindex ? change(h->ifindex, a, true) : -ENODEV;
    h->ours = e == 0; /* somebody else's stays when we go */
    say(d, a, conn, "installed on", e == -EEXIST ? 0 : e);
}

/* With a device's last address the kernel takes all routes over it away, those of other tunnels and traps, too. */
static void keep_routes(struct daemon *d)
{
    struct adit_why why = { 0 };
    if (d->dp && dp_routes_renew(d->dp, &why) != ADIT_OK)
        log_say(&d->log, ADIT_LOG_AUDIT, "KNL", "%s", why.text);
}

static void drop_addr(struct daemon *d, struct held_addr *h)
{
    if (h->ours && change(h->ifindex, &h->addr, false) == 0)
        keep_routes(d);
    list_remove(&h->node);
    mem_del(h);
}

static void release_addr(struct daemon *d, const struct adit_addr *a, const char *conn)
{
    struct held_addr *h = find_addr(d, a);
    if (!h || --h->refs)
        return;
    say(d, a, conn, "removed from", 0);
    drop_addr(d, h);
}

/* --- name servers ------------------------------------------------------------------------------------------------------ */

struct env {
    char **v;
    size_t n, max;
};

static void set(struct env *e, const char *name, const char *value)
{
    char *entry = NULL;
    if (e->n + 1 < e->max && asprintf(&entry, "%s=%s", name, value) >= 0)
        e->v[e->n++] = entry;
    e->v[e->n] = NULL;
}

static void set_addrs(struct env *e, const char *name, const struct adit_addr *v, unsigned n)
{
    STRBUF(text, 600);
    for (unsigned i = 0; i < n; i++) {
        strbuf_add(&text, i ? " " : "");
        addr_print(&text, &v[i]);
    }
    set(e, name, text.p);
}

static void set_nets(struct env *e, const struct adit_assigned *what)
{
    STRBUF(text, 2048);
    for (unsigned i = 0; i < what->n_nets; i++) {
        strbuf_add(&text, i ? " " : "");
        ts_print(&text, &what->nets[i]);
    }
    set(e, "ADIT_NETS", text.p);
}

size_t assigned_env(const struct adit_assigned *what, const char *conn, const char *interface, char **env, size_t max)
{
    struct env e = { env, 0, max };
    set(&e, "PATH", getenv("PATH") ? getenv("PATH") : "/usr/sbin:/usr/bin:/sbin:/bin");
    set(&e, "ADIT_VERB", what ? "up" : "down");
    set(&e, "ADIT_CONNECTION", conn);
    set(&e, "ADIT_INTERFACE", interface);
    if (!what)
        return e.n;
    set_addrs(&e, "ADIT_ADDRESSES", what->addrs, what->n_addrs);
    set_addrs(&e, "ADIT_DNS", what->dns, what->n_dns);
    set_addrs(&e, "ADIT_NBNS", what->nbns, what->n_nbns);
    set(&e, "ADIT_DOMAINS", what->domains);
    set(&e, "ADIT_ANCHORS", what->anchors);
    set_nets(&e, what);
    return e.n;
}

static void run_hook(struct daemon *d, const struct adit_assigned *what, const char *conn)
{
    char *env[ENV_MAX];
    if (!d->set.resolv || !*d->set.resolv)
        return;
    size_t n = assigned_env(what, conn, device(d), env, ENV_MAX);
    updown_command(d->updown, d->set.resolv, env);
    while (n)
        free(env[--n]);
}

static struct held_servers *last_servers(const struct daemon *d)
{
    return list_empty(&d->held_servers) ? NULL : list_entry(d->held_servers.prev, struct held_servers, node);
}

static struct held_servers *find_servers(const struct daemon *d, const struct adit_event *ev)
{
    const struct adit_assigned *w = ev->assigned;
    list_for_each (it, &d->held_servers) {
        struct held_servers *h = list_entry(it, struct held_servers, node);
        if (span_equal(span((const uint8_t *)&h->what, sizeof(*w)), span((const uint8_t *)w, sizeof(*w))) &&
            !strcmp(h->conn, ev->conn))
            return h;
    }
    return NULL;
}

static void hold_servers(struct daemon *d, const struct adit_event *ev)
{
    struct held_servers *h = find_servers(d, ev);
    if (h) {
        h->refs++;
        return;
    }
    if (!(h = mem_new(sizeof(*h))) || !(h->conn = mem_strdup(ev->conn))) {
        mem_del(h);
        return;
    }
    h->what = *ev->assigned;
    h->refs = 1;
    list_append(&d->held_servers, &h->node);
    run_hook(d, &h->what, h->conn);
}

/* Those of whoever came before are in force again. */
static void release_servers(struct daemon *d, const struct adit_event *ev)
{
    struct held_servers *h = find_servers(d, ev), *before = last_servers(d);
    if (!h || --h->refs)
        return;
    bool in_force = h == before;
    list_remove(&h->node);
    if (in_force && last_servers(d))
        run_hook(d, &last_servers(d)->what, last_servers(d)->conn);
    else if (in_force)
        run_hook(d, NULL, h->conn);
    mem_del(h->conn);
    mem_del(h);
}

/* ----------------------------------------------------------------------------------------------------------------------- */

void assigned_up(struct daemon *d, const struct adit_event *ev)
{
    for (unsigned i = 0; d->dp && d->set.install_virtual_ip && i < ev->assigned->n_addrs; i++)
        hold_addr(d, &ev->assigned->addrs[i], ev->conn);
    if (ev->assigned->n_dns || ev->assigned->n_nbns)
        hold_servers(d, ev);
}

void assigned_down(struct daemon *d, const struct adit_event *ev)
{
    for (unsigned i = 0; i < ev->assigned->n_addrs; i++)
        release_addr(d, &ev->assigned->addrs[i], ev->conn);
    release_servers(d, ev);
}

void assigned_renew(struct daemon *d)
{
    int ifindex = (int)if_nametoindex(device(d));
    list_for_each (it, &d->held_addrs) {
        struct held_addr *h = list_entry(it, struct held_addr, node);
        if (h->ifindex == ifindex)
            continue;
        int e = ifindex ? change(ifindex, &h->addr, true) : -ENODEV;
        h->ifindex = ifindex;
        h->ours = e == 0;
        say(d, &h->addr, NULL, "installed again on", e == -EEXIST ? 0 : e);
    }
}

void assigned_free(struct daemon *d)
{
    list_for_each_safe (it, &d->held_addrs)
        drop_addr(d, list_entry(it, struct held_addr, node));
    list_for_each_safe (it, &d->held_servers) {
        struct held_servers *h = list_entry(it, struct held_servers, node);
        list_remove(it);
        mem_del(h->conn);
        mem_del(h);
    }
}
