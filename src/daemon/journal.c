/* journal.c - see journal.h. A few hundred entries at most are looked up by walking; events are rare. */
#include "daemon/journal.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void entry_free(struct journal_entry *e)
{
    mem_del(e->conn);
    mem_del(e->child);
    mem_del(e);
}

void journal_init(struct journal *j)
{
    *j = (struct journal){ 0 };
    list_init(&j->entries);
}

void journal_fini(struct journal *j)
{
    list_for_each_safe (it, &j->entries)
        entry_free(list_entry(it, struct journal_entry, node));
    list_init(&j->entries);
}

const struct journal_entry *journal_find(const struct journal *j, const char *conn, const char *child)
{
    list_for_each (it, &j->entries) {
        struct journal_entry *e = list_entry(it, struct journal_entry, node);
        if (!strcmp(e->conn, conn) && !strcmp(e->child, child))
            return e;
    }
    return NULL;
}

struct journal_entry *journal_entry(struct journal *j, const char *conn, const char *child)
{
    conn = conn ? conn : "";
    child = child ? child : "";
    const struct journal_entry *known = journal_find(j, conn, child);
    if (known)
        return list_entry(known->node.next->prev, struct journal_entry, node);
    struct journal_entry *e = mem_new(sizeof(*e));
    if (!e)
        return NULL;
    e->conn = mem_strdup(conn);
    e->child = mem_strdup(child);
    if (!e->conn || !e->child) {
        entry_free(e);
        return NULL;
    }
    list_append(&j->entries, &e->node);
    return e;
}

void journal_up(struct journal *j, const char *conn, const char *child, uint64_t now)
{
    struct journal_entry *e = journal_entry(j, conn, child);
    if (!e)
        return;
    e->ups++;
    if (e->live++ == 0)
        e->changed_at = now;
}

void journal_down(struct journal *j, const char *conn, const char *child, uint64_t now)
{
    struct journal_entry *e = journal_entry(j, conn, child);
    if (!e)
        return;
    e->downs++;
    if (e->live && --e->live == 0)
        e->changed_at = now;
}

void journal_rekeyed(struct journal *j, const char *conn, const char *child)
{
    struct journal_entry *e = journal_entry(j, conn, child);
    if (e)
        e->rekeys++;
}

void journal_add_stats(struct adit_child_stats *sum, const struct adit_child_stats *more)
{
    sum->bytes_in += more->bytes_in;
    sum->bytes_out += more->bytes_out;
    sum->packets_in += more->packets_in;
    sum->packets_out += more->packets_out;
    sum->errors_in += more->errors_in;
    sum->lost_in += more->lost_in;
    sum->dummies_in += more->dummies_in;
    sum->dummies_out += more->dummies_out;
    sum->last_in_at = later(sum->last_in_at, more->last_in_at);
    sum->last_out_at = later(sum->last_out_at, more->last_out_at);
}

void journal_finished(struct journal *j, const char *conn, const char *child,
                      const struct adit_child_stats *last)
{
    struct journal_entry *e = journal_entry(j, conn, child);
    if (e)
        journal_add_stats(&e->finished, last);
}

static struct journal_histogram *histogram(struct journal *j, const char *ke)
{
    for (unsigned i = 0; i < j->n_handshake; i++)
        if (!strcmp(j->handshake[i].ke, ke))
            return &j->handshake[i];
    if (j->n_handshake == JOURNAL_KE_MAX) /* the last one collects all further lists */
        return &j->handshake[JOURNAL_KE_MAX - 1];
    struct journal_histogram *h = &j->handshake[j->n_handshake++];
    snprintf(h->ke, sizeof(h->ke), "%s", j->n_handshake == JOURNAL_KE_MAX ? "other" : ke);
    return h;
}

void journal_handshake(struct journal *j, const char *ke, double seconds)
{
    struct journal_histogram *h = histogram(j, ke);
    unsigned i = 0;
    while (i < JOURNAL_BUCKETS && seconds > journal_bounds[i])
        i++;
    h->bucket[i]++;
    h->count++;
    h->sum_s += seconds;
}

const double journal_bounds[JOURNAL_BUCKETS] = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30 };
