/* cmd_counters.c - get-counters, reset-counters (strongSwan's 21 names), adit-counters (all of ours, never reset).
 * The engine's counters only rise; a reset remembers where they stood. */
#include <inttypes.h>
#include <string.h>
#include "base/mem.h"
#include "daemon/cmd.h"

#define STRONGSWAN_COUNTERS 21 /* the first ones of counters.def */

struct baseline {
    struct list node;
    char *conn; /* "" = global */
    uint64_t v[STRONGSWAN_COUNTERS];
};

static uint64_t counter(const struct daemon *d, const char *conn, unsigned i)
{
    return *conn ? adit_ike_conn_counter(d->ike, conn, i) : adit_ike_counter(d->ike, i);
}

static struct baseline *find_baseline(const struct daemon *d, const char *conn)
{
    list_for_each (it, &d->baselines) {
        struct baseline *b = list_entry(it, struct baseline, node);
        if (!strcmp(b->conn, conn))
            return b;
    }
    return NULL;
}

static void show(struct vici_build *b, const struct daemon *d, const char *conn)
{
    const struct baseline *base = find_baseline(d, conn);
    vici_section(b, conn);
    for (unsigned i = 0; i < STRONGSWAN_COUNTERS; i++)
        vici_strf(b, adit_ike_counter_name(i), "%" PRIu64, counter(d, conn, i) - (base ? base->v[i] : 0));
    vici_section_end(b);
}

static void reset(struct daemon *d, const char *conn)
{
    struct baseline *b = find_baseline(d, conn);
    if (!b) {
        b = mem_new(sizeof(*b));
        char *name = b ? mem_strdup(conn) : NULL;
        if (!name) {
            mem_del(b);
            return;
        }
        b->conn = name;
        list_append(&d->baselines, &b->node);
    }
    for (unsigned i = 0; i < STRONGSWAN_COUNTERS; i++)
        b->v[i] = counter(d, conn, i);
}

typedef void each_fn(void *arg, struct daemon *d, const char *conn);

/* name: one connection; all: all of them; neither: the global ones. false: no such connection. */
static bool for_each_selected(struct daemon *d, const char *name, bool all, each_fn *each, void *arg)
{
    const struct adit_config *cfg = adit_ike_get_config(d->ike);
    const struct adit_conn *const *conns;
    size_t n = cfg ? adit_config_conns(cfg, &conns) : 0;
    bool found = !name;
    if (!name && !all)
        each(arg, d, "");
    for (size_t i = 0; i < n && (name || all); i++) {
        if (name && strcmp(name, conns[i]->name))
            continue;
        each(arg, d, conns[i]->name);
        found = true;
    }
    return found;
}

static void show_each(void *arg, struct daemon *d, const char *conn)
{
    show(arg, d, conn);
}

static void reset_each(void *arg, struct daemon *d, const char *conn)
{
    reset(d, conn);
}

void cmd_get_counters(void *arg, struct vici_call *call)
{
    const char *name = cmd_text(call, "name");
    bool all = false;
    struct reply r;
    if (!cmd_bool(call, "all", &all))
        return;
    reply_begin(&r);
    vici_section(&r.b, "counters");
    bool found = for_each_selected(arg, name, all, show_each, &r.b);
    vici_section_end(&r.b);
    vici_bool(&r.b, "success", found);
    if (!found)
        vici_strf(&r.b, "errmsg", "no counters found for connection '%s'", name);
    reply_answer(&r, call);
}

void cmd_reset_counters(void *arg, struct vici_call *call)
{
    const char *name = cmd_text(call, "name");
    bool all = false;
    if (!cmd_bool(call, "all", &all))
        return;
    if (for_each_selected(arg, name, all, reset_each, NULL))
        vici_call_ok(call);
    else
        vici_call_fail(call, "no counters found for connection '%s'", name);
}

void cmd_adit_counters(void *arg, struct vici_call *call)
{
    struct daemon *d = arg;
    const char *name = cmd_text(call, "name");
    struct reply r;
    reply_begin(&r);
    vici_section(&r.b, "counters");
    vici_section(&r.b, name ? name : "");
    for (unsigned i = 0; i < ADIT_COUNTERS; i++)
        vici_strf(&r.b, adit_ike_counter_name(i), "%" PRIu64, counter(d, name ? name : "", i));
    vici_section_end(&r.b);
    vici_section_end(&r.b);
    vici_str(&r.b, "success", "yes");
    reply_answer(&r, call);
}

void counters_free(struct daemon *d)
{
    list_for_each_safe (it, &d->baselines) {
        struct baseline *b = list_entry(it, struct baseline, node);
        mem_del(b->conn);
        mem_del(b);
    }
}
