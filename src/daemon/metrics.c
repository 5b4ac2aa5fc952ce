/* metrics.c - see metrics.h. Every configured connection has its samples from the start, up or not: "configured minus
 * up" is what people alert on. Byte counters never fall at a rekey. */
#include "daemon/metrics.h"
#include <stdio.h>
#include <string.h>
#include "daemon/openmetrics.h"
#include "daemon/show.h"
#include "dp/dp.h"
#include "esp/esp.h"
#include "wire/iana.h"

typedef void per_child_fn(struct daemon *d, struct text *out, const struct adit_conn *conn,
                          const struct adit_child_cfg *child);
typedef void per_conn_fn(struct daemon *d, struct text *out, const struct adit_conn *conn);

static void each_conn(struct daemon *d, struct text *out, per_conn_fn *fn)
{
    const struct adit_config *cfg = adit_ike_get_config(d->ike);
    const struct adit_conn *const *conns;
    size_t n = cfg ? adit_config_conns(cfg, &conns) : 0;
    for (size_t i = 0; i < n; i++)
        fn(d, out, conns[i]);
}

static void each_child(struct daemon *d, struct text *out, per_child_fn *fn)
{
    const struct adit_config *cfg = adit_ike_get_config(d->ike);
    const struct adit_conn *const *conns;
    size_t n = cfg ? adit_config_conns(cfg, &conns) : 0;
    for (size_t i = 0; i < n; i++)
        for (unsigned k = 0; k < conns[i]->n_children; k++)
            fn(d, out, conns[i], &conns[i]->children[k]);
}

/* --- daemon ------------------------------------------------------------------------------------------------------------ */

static void write_daemon(struct daemon *d, struct text *out)
{
    struct workpool_stats w;
    workpool_get_stats(d->pool, &w);
    om_family(out, "adit_build", "info", NULL, "Version of the daemon");
    om_sample_u64(out, "adit_build", "_info", (struct om_label[]){ { "version", ADIT_VERSION }, { 0 } }, 1);
    om_family(out, "adit_start_time_seconds", "gauge", "seconds", "Start of the daemon, unix time");
    om_sample_u64(out, "adit_start_time_seconds", "", NULL, (uint64_t)d->started_unix);
    om_family(out, "adit_ike_sas", "gauge", NULL, "IKE SAs of all states");
    om_sample_u64(out, "adit_ike_sas", "", NULL, adit_ike_sa_count(d->ike));
    om_family(out, "adit_ike_half_open", "gauge", NULL,
              "IKE SAs that are not yet authenticated, as responder");
    om_sample_u64(out, "adit_ike_half_open", "", NULL, adit_ike_half_open(d->ike));
    om_family(out, "adit_work_queued", "gauge", NULL, "Cryptographic jobs waiting for a thread");
    om_sample_u64(out, "adit_work_queued", "", NULL, w.queued_fast + w.queued_slow);
}

static void write_ke_pool(struct daemon *d, struct text *out)
{
    struct adit_ke_pool_info info;
    om_family(out, "adit_ke_pool_keys", "gauge", NULL, "Key pairs made ahead that are ready, by method");
    for (size_t i = 0; adit_ike_ke_pool(d->ike, i, &info); i++)
        om_sample_u64(out, "adit_ke_pool_keys", "",
                      (struct om_label[]){ { "method", iana_name(IANA_KE, info.method) }, { 0 } }, info.ready);
}

static void write_ike_counters(struct daemon *d, struct text *out)
{
    om_family(out, "adit_ike_events", "counter", NULL, "What the IKE engine counted, by event");
    for (unsigned i = 0; i < ADIT_COUNTERS; i++)
        om_sample_u64(out, "adit_ike_events", "_total",
                      (struct om_label[]){ { "event", adit_ike_counter_name(i) }, { 0 } },
                      adit_ike_counter(d->ike, i));
}

/* --- connections ------------------------------------------------------------------------------------------------------- */

static bool is_up(const struct daemon *d, const char *conn, const char *child)
{
    const struct journal_entry *e = journal_find(&d->journal, conn, child);
    return e && e->live;
}

/* Unix time of the last change between up and down; the daemon's start if there was none. */
static uint64_t since_unix(const struct daemon *d, const char *conn, const char *child)
{
    const struct journal_entry *e = journal_find(&d->journal, conn, child);
    uint64_t at = e && e->changed_at ? e->changed_at : d->started_at;
    return (uint64_t)d->started_unix + (at - d->started_at) / 1000000000;
}

static void conn_configured(struct daemon *d, struct text *out, const struct adit_conn *c)
{
    om_sample_u64(out, "adit_connection_configured", "",
                  (struct om_label[]){ { "connection", c->name }, { 0 } }, 1);
}

static void conn_up(struct daemon *d, struct text *out, const struct adit_conn *c)
{
    om_sample_u64(out, "adit_connection_up", "", (struct om_label[]){ { "connection", c->name }, { 0 } },
                  is_up(d, c->name, ""));
}

static void conn_since(struct daemon *d, struct text *out, const struct adit_conn *c)
{
    om_sample_u64(out, "adit_connection_since_seconds", "",
                  (struct om_label[]){ { "connection", c->name }, { 0 } }, since_unix(d, c->name, ""));
}

static void conn_rekeys(struct daemon *d, struct text *out, const struct adit_conn *c)
{
    const struct journal_entry *e = journal_find(&d->journal, c->name, "");
    om_sample_u64(out, "adit_connection_rekeys", "_total",
                  (struct om_label[]){ { "connection", c->name }, { 0 } }, e ? e->rekeys : 0);
}

static void conn_events(struct daemon *d, struct text *out, const struct adit_conn *c)
{
    static const unsigned which[] = { ADIT_C_RETRANSMITS, ADIT_C_DPD_FAILED,        ADIT_C_AUTH_FAILED,
                                      ADIT_C_IKE_FAILED,  ADIT_C_PROPOSAL_MISMATCH, ADIT_C_TS_MISMATCH };
    for (size_t i = 0; i < ARRAY_LEN(which); i++)
        om_sample_u64(out, "adit_connection_events", "_total",
                      (struct om_label[]){
                          { "connection", c->name }, { "event", adit_ike_counter_name(which[i]) }, { 0 } },
                      adit_ike_conn_counter(d->ike, c->name, which[i]));
}

static bool is_quantum_safe(const struct adit_suite *s)
{
    for (size_t i = 0; i < ARRAY_LEN(s->ke); i++)
        if (s->ke[i] == KE_ML_KEM_512 || s->ke[i] == KE_ML_KEM_768 || s->ke[i] == KE_ML_KEM_1024)
            return true;
    return false;
}

static void conn_quantum(struct daemon *d, struct text *out, const struct adit_conn *c)
{
    struct adit_ike_info ike;
    bool any = false, all = true;
    for (uint32_t cursor = 0; adit_ike_sa_next(d->ike, &cursor, &ike);) {
        if (!ike.conn || strcmp(ike.conn, c->name) || ike.state != ADIT_IKE_ESTABLISHED)
            continue;
        any = true;
        all = all && is_quantum_safe(&ike.suite);
    }
    if (any)
        om_sample_u64(out, "adit_connection_quantum_safe", "",
                      (struct om_label[]){ { "connection", c->name }, { 0 } }, all);
}

static void write_connections(struct daemon *d, struct text *out)
{
    om_family(out, "adit_connection_configured", "gauge", NULL, "1 for every configured connection");
    each_conn(d, out, conn_configured);
    om_family(out, "adit_connection_up", "gauge", NULL, "1 if the connection has an established IKE SA");
    each_conn(d, out, conn_up);
    om_family(out, "adit_connection_since_seconds", "gauge", "seconds",
              "Unix time since when it is up or down");
    each_conn(d, out, conn_since);
    om_family(out, "adit_connection_quantum_safe", "gauge", NULL,
              "1 if all its IKE SAs used a post-quantum key exchange; absent while it is down");
    each_conn(d, out, conn_quantum);
    om_family(out, "adit_connection_rekeys", "counter", NULL, "IKE SA rekeyings");
    each_conn(d, out, conn_rekeys);
    om_family(out, "adit_connection_events", "counter", NULL, "What went wrong with it, by event");
    each_conn(d, out, conn_events);
}

/* --- children ------------------------------------------------------------------------------------------------------------- */

static void child_up(struct daemon *d, struct text *out, const struct adit_conn *c,
                     const struct adit_child_cfg *x)
{
    om_sample_u64(out, "adit_child_up", "",
                  (struct om_label[]){ { "connection", c->name }, { "child", x->name }, { 0 } },
                  is_up(d, c->name, x->name));
}

static void child_rekeys(struct daemon *d, struct text *out, const struct adit_conn *c,
                         const struct adit_child_cfg *x)
{
    const struct journal_entry *e = journal_find(&d->journal, c->name, x->name);
    om_sample_u64(out, "adit_child_rekeys", "_total",
                  (struct om_label[]){ { "connection", c->name }, { "child", x->name }, { 0 } },
                  e ? e->rekeys : 0);
}

static void child_recoveries(struct daemon *d, struct text *out, const struct adit_conn *c,
                             const struct adit_child_cfg *x)
{
    const struct journal_entry *e = journal_find(&d->journal, c->name, x->name);
    om_sample_u64(out, "adit_child_recoveries", "_total",
                  (struct om_label[]){ { "connection", c->name }, { "child", x->name }, { 0 } },
                  e ? e->recoveries : 0);
}

static void child_outage(struct daemon *d, struct text *out, const struct adit_conn *c,
                         const struct adit_child_cfg *x)
{
    const struct journal_entry *e = journal_find(&d->journal, c->name, x->name);
    om_sample(out, "adit_child_outage_seconds", "_total",
              (struct om_label[]){ { "connection", c->name }, { "child", x->name }, { 0 } },
              e ? (double)e->outage_ms / 1000 : 0);
}

static void two_directions(struct text *out, const char *name, const struct adit_conn *c,
                           const struct adit_child_cfg *x, uint64_t in, uint64_t out_value)
{
    struct om_label labels[] = {
        { "connection", c->name }, { "child", x->name }, { "direction", "in" }, { 0 }
    };
    om_sample_u64(out, name, "_total", labels, in);
    labels[2].value = "out";
    om_sample_u64(out, name, "_total", labels, out_value);
}

static void child_bytes(struct daemon *d, struct text *out, const struct adit_conn *c,
                        const struct adit_child_cfg *x)
{
    struct adit_child_stats s;
    host_total_stats(d, c->name, x->name, &s);
    two_directions(out, "adit_child_bytes", c, x, s.bytes_in, s.bytes_out);
}

static void child_packets(struct daemon *d, struct text *out, const struct adit_conn *c,
                          const struct adit_child_cfg *x)
{
    struct adit_child_stats s;
    host_total_stats(d, c->name, x->name, &s);
    two_directions(out, "adit_child_packets", c, x, s.packets_in, s.packets_out);
}

static void child_errors(struct daemon *d, struct text *out, const struct adit_conn *c,
                         const struct adit_child_cfg *x)
{
    struct adit_child_stats s;
    host_total_stats(d, c->name, x->name, &s);
    om_sample_u64(out, "adit_child_errors", "_total",
                  (struct om_label[]){ { "connection", c->name }, { "child", x->name }, { 0 } }, s.errors_in);
}

static void write_children(struct daemon *d, struct text *out)
{
    om_family(out, "adit_child_up", "gauge", NULL, "1 if the child has a Child SA");
    each_child(d, out, child_up);
    om_family(out, "adit_child_rekeys", "counter", NULL, "Child SA rekeyings");
    each_child(d, out, child_rekeys);
    om_family(out, "adit_child_recoveries", "counter", NULL, "Times that it was lost and came back by itself");
    each_child(d, out, child_recoveries);
    om_family(out, "adit_child_outage_seconds", "counter", "seconds", "How long it was away before it came back");
    each_child(d, out, child_outage);
    om_family(out, "adit_child_bytes", "counter", "bytes",
              "Inner octets over all SAs that the child ever had");
    each_child(d, out, child_bytes);
    om_family(out, "adit_child_packets", "counter", NULL,
              "Inner packets over all SAs that the child ever had");
    each_child(d, out, child_packets);
    om_family(out, "adit_child_errors", "counter", NULL, "Inbound packets of its SAs that were dropped");
    each_child(d, out, child_errors);
}

/* --- data plane, handshakes --------------------------------------------------------------------------------------------- */

static void write_drops(const struct dp_counters *c, struct text *out)
{
    om_family(out, "adit_dataplane_drops", "counter", NULL, "Dropped packets, by reason");
    for (unsigned v = ESP_DUMMY; v < ESP_VERDICTS && v < ARRAY_LEN(c->drops); v++)
        om_sample_u64(out, "adit_dataplane_drops", "_total",
                      (struct om_label[]){ { "reason", esp_verdict_name((enum esp_verdict)v) }, { 0 } },
                      c->drops[v]);
    om_sample_u64(out, "adit_dataplane_drops", "_total",
                  (struct om_label[]){ { "reason", "no policy" }, { 0 } }, c->no_policy);
}

static void write_dataplane(struct daemon *d, struct text *out)
{
    struct dp_counters c;
    if (!d->dp)
        return;
    dp_counters(d->dp, &c);
    const struct {
        const char *event;
        uint64_t value;
    } events[] = {
        { "bypassed", c.bypassed },        { "too-big-sent", c.ptb_sent },
        { "too-big-taken", c.ptb_taken },  { "too-big-refused", c.ptb_refused },
        { "mss-clamped", c.mss_clamped },  { "acquires", c.acquires },
        { "receive-errors", c.rx_errors }, { "send-errors", c.tx_errors },
        { "tun-renewed", c.tun_renewed },
    };
    om_family(out, "adit_dataplane_packets", "counter", NULL, "Packets through the data plane");
    om_sample_u64(out, "adit_dataplane_packets", "_total",
                  (struct om_label[]){ { "direction", "in" }, { 0 } }, c.packets_in);
    om_sample_u64(out, "adit_dataplane_packets", "_total",
                  (struct om_label[]){ { "direction", "out" }, { 0 } }, c.packets_out);
    om_family(out, "adit_dataplane_bytes", "counter", "bytes", "Octets through the data plane");
    om_sample_u64(out, "adit_dataplane_bytes", "_total", (struct om_label[]){ { "direction", "in" }, { 0 } },
                  c.bytes_in);
    om_sample_u64(out, "adit_dataplane_bytes", "_total", (struct om_label[]){ { "direction", "out" }, { 0 } },
                  c.bytes_out);
    write_drops(&c, out);
    om_family(out, "adit_dataplane_events", "counter", NULL, "Other things that the data plane counts");
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        om_sample_u64(out, "adit_dataplane_events", "_total",
                      (struct om_label[]){ { "event", events[i].event }, { 0 } }, events[i].value);
}

static void write_histogram(const struct journal_histogram *h, struct text *out)
{
    char le[32];
    uint64_t sum = 0;
    for (unsigned i = 0; i <= JOURNAL_BUCKETS; i++) {
        sum += h->bucket[i];
        if (i < JOURNAL_BUCKETS)
            snprintf(le, sizeof(le), "%g", journal_bounds[i]);
        om_sample_u64(
            out, "adit_ike_handshake_seconds", "_bucket",
            (struct om_label[]){ { "ke", h->ke }, { "le", i < JOURNAL_BUCKETS ? le : "+Inf" }, { 0 } }, sum);
    }
    om_sample(out, "adit_ike_handshake_seconds", "_sum", (struct om_label[]){ { "ke", h->ke }, { 0 } },
              h->sum_s);
    om_sample_u64(out, "adit_ike_handshake_seconds", "_count", (struct om_label[]){ { "ke", h->ke }, { 0 } },
                  h->count);
}

void metrics_handshakes(const struct journal *j, struct text *out)
{
    om_family(out, "adit_ike_handshake_seconds", "histogram", "seconds",
              "From the first message to an established IKE SA, by key exchanges");
    for (unsigned i = 0; i < j->n_handshake; i++)
        write_histogram(&j->handshake[i], out);
}

void metrics_write(struct daemon *d, struct text *out)
{
    write_daemon(d, out);
    write_connections(d, out);
    write_children(d, out);
    write_ke_pool(d, out);
    write_ike_counters(d, out);
    write_dataplane(d, out);
    metrics_handshakes(&d->journal, out);
    om_end(out);
}
