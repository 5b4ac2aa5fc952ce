/* show.c - see show.h. Names and order as strongSwan's vici_query.c sends them, because its swanctl prints "(null)"
 * for what is missing and prints the IKE line when child-sas starts. */
#include "daemon/show.h"
#include <inttypes.h>
#include <stdio.h>
#include "dp/dp.h"
#include "model/model.h"
#include "wire/iana.h"

static int64_t seconds_until(uint64_t at, uint64_t now)
{
    return ((int64_t)at - (int64_t)now) / 1000000000;
}

static void show_addr(struct vici_build *b, const char *name, const struct adit_addr *addr)
{
    STRBUF(text, 64);
    if (addr_is_any(addr))
        strbuf_add(&text, "%any");
    else
        addr_print(&text, addr);
    vici_str(b, name, text.p);
}

static void show_id(struct vici_build *b, const char *name, const struct adit_id *id)
{
    STRBUF(text, 512);
    if (id->type)
        id_print(&text, id);
    else
        strbuf_add(&text, "%any");
    vici_str(b, name, text.p);
}

static void show_transform(struct vici_build *b, const char *name, enum iana_registry r, unsigned id)
{
    if (id)
        vici_str(b, name, iana_name(r, id));
}

/* as_ike: prf too. RFC 9370's additional exchanges are ake1..ake7. */
static void show_suite(struct vici_build *b, const struct adit_suite *s, bool as_ike)
{
    if (!s->encr)
        return;
    show_transform(b, "encr-alg", IANA_ENCR, s->encr);
    if (s->encr_bits)
        vici_strf(b, "encr-keysize", "%u", s->encr_bits);
    show_transform(b, "integ-alg", IANA_INTEG, s->integ);
    if (as_ike)
        show_transform(b, "prf-alg", IANA_PRF, s->prf);
    show_transform(b, "dh-group", IANA_KE, s->ke[0]);
    for (unsigned i = 1; i < ARRAY_LEN(s->ke); i++) {
        char name[8];
        snprintf(name, sizeof(name), "ake%u", i);
        show_transform(b, name, IANA_KE, s->ke[i]);
    }
    if (as_ike)
        return;
    vici_str(b, "sn", iana_name(IANA_SN, s->sn));
    if (s->sn == SN_64_BIT_PARTIAL) /* strongSwan's word */
        vici_str(b, "esn", "1");
}

static void show_strings(struct vici_build *b, const char *name, const char *const *v, size_t max)
{
    if (!v[0])
        return;
    vici_list(b, name);
    for (size_t i = 0; i < max && v[i]; i++)
        vici_item_str(b, v[i]);
    vici_list_end(b);
}

static const char *ike_state(enum adit_ike_state s)
{
    static const char *const names[] = { "CONNECTING", "CONNECTING", "ESTABLISHED", "REKEYED", "DELETING" };
    return names[s];
}

static const char *child_state(enum adit_child_state s)
{
    static const char *const names[] = { "CREATED",  "INSTALLING", "INSTALLED",
                                         "REKEYING", "REKEYED",    "DELETING" };
    return names[s];
}

static void show_vips(struct vici_build *b, const char *name, const struct adit_addr *v, unsigned n)
{
    if (!n)
        return;
    vici_list(b, name);
    for (unsigned i = 0; i < n; i++) {
        STRBUF(text, 64);
        addr_print(&text, &v[i]);
        vici_item_str(b, text.p);
    }
    vici_list_end(b);
}

static void show_nat(struct vici_build *b, const struct adit_ike_info *i)
{
    if (i->nat_local)
        vici_str(b, "nat-local", "yes");
    if (i->nat_remote)
        vici_str(b, "nat-remote", "yes");
    if (i->nat_local || i->nat_remote)
        vici_str(b, "nat-any", "yes");
}

static void show_ike_times(struct vici_build *b, const struct adit_ike_info *i, uint64_t now)
{
    if (i->state != ADIT_IKE_ESTABLISHED)
        return;
    vici_strf(b, "established", "%" PRId64, -seconds_until(i->established_at, now));
    if (i->rekey_at)
        vici_strf(b, "rekey-time", "%" PRId64, seconds_until(i->rekey_at, now));
    if (i->reauth_at)
        vici_strf(b, "reauth-time", "%" PRId64, seconds_until(i->reauth_at, now));
}

void show_ike(struct vici_build *b, const struct adit_ike_info *i, uint64_t now)
{
    vici_strf(b, "uniqueid", "%u", i->id);
    vici_str(b, "version", "2");
    vici_str(b, "state", ike_state(i->state));
    show_addr(b, "local-host", &i->path.local.addr);
    vici_strf(b, "local-port", "%u", i->path.local.port);
    show_id(b, "local-id", &i->local_id);
    show_addr(b, "remote-host", &i->path.remote.addr);
    vici_strf(b, "remote-port", "%u", i->path.remote.port);
    show_id(b, "remote-id", &i->remote_id);
    if (i->initiator)
        vici_str(b, "initiator", "yes");
    vici_strf(b, "initiator-spi", "%016" PRIx64, i->spi_i);
    vici_strf(b, "responder-spi", "%016" PRIx64, i->spi_r);
    show_nat(b, i);
    show_suite(b, &i->suite, true);
    if (i->window_in > 1 || i->window_out > 1) { /* ours, as those below */
        vici_strf(b, "window-in", "%u", i->window_in);
        vici_strf(b, "window-out", "%u", i->window_out);
    }
    for (unsigned k = 0; k < i->n_marks; k++)
        vici_str(b, i->marks[k].key, i->marks[k].value);
    show_ike_times(b, i, now);
    show_vips(b, "local-vips", i->local_vips, i->n_local_vips);
    show_vips(b, "remote-vips", i->remote_vips, i->n_remote_vips);
    /* ours: strongSwan's clients ignore keys that they do not know */
    vici_str(b, "local-auth", i->local_auth);
    vici_str(b, "remote-auth", i->remote_auth);
    if (i->downgrade_proof)
        vici_str(b, "downgrade-proof", "yes");
    if (i->short_rekeys)
        vici_str(b, "optimized-rekey", "yes");
    vici_str(b, "waiting-for", i->waiting);
    if (i->retransmits)
        vici_strf(b, "retransmits", "%u", i->retransmits);
    show_strings(b, "tasks-queued", i->tasks_queued, ARRAY_LEN(i->tasks_queued));
    show_strings(b, "tasks-active", i->tasks_active, ARRAY_LEN(i->tasks_active));
    show_strings(b, "tasks-passive", i->tasks_passive, ARRAY_LEN(i->tasks_passive));
}

static void show_direction(struct vici_build *b, const char *suffix, uint64_t bytes, uint64_t packets,
                           uint64_t last, uint64_t now)
{
    char name[16];
    snprintf(name, sizeof(name), "bytes-%s", suffix);
    vici_strf(b, name, "%" PRIu64, bytes);
    snprintf(name, sizeof(name), "packets-%s", suffix);
    vici_strf(b, name, "%" PRIu64, packets);
    snprintf(name, sizeof(name), "use-%s", suffix);
    if (last)
        vici_strf(b, name, "%" PRId64, -seconds_until(last, now));
}

static void show_dummies(struct vici_build *b, const struct adit_child_stats *stats)
{
    if (stats->dummies_in)
        vici_strf(b, "dummies-in", "%" PRIu64, stats->dummies_in);
    if (stats->dummies_out)
        vici_strf(b, "dummies-out", "%" PRIu64, stats->dummies_out);
    if (stats->lost_in)
        vici_strf(b, "lost-in", "%" PRIu64, stats->lost_in);
}

static void show_installed(struct vici_build *b, struct daemon *d, const struct adit_child_info *c,
                           uint64_t now)
{
    struct adit_child_stats stats;
    host_child_stats(d, c->id, &stats);
    vici_str(b, "protocol", iana_name(IANA_PROTO, c->spec.proto));
    if (c->spec.udp_encap)
        vici_str(b, "encap", "yes");
    vici_str(b, "esp-transport", c->spec.path.tcp ? "tcp" : c->spec.udp_encap ? "udp" : "raw");
    vici_strf(b, "spi-in", "%08x", c->spec.in.spi);
    vici_strf(b, "spi-out", "%08x", c->spec.out.spi);
    if (c->spec.shares)
        vici_bool(b, "per-cpu-sas", true);
    if (c->spec.resource)
        vici_strf(b, "cpu", "%u", c->spec.resource - 1);
    show_suite(b, &c->spec.suite, false);
    show_direction(b, "in", stats.bytes_in, stats.packets_in, stats.last_in_at, now);
    show_direction(b, "out", stats.bytes_out, stats.packets_out, stats.last_out_at, now);
    show_dummies(b, &stats);
    if (c->rekey_at)
        vici_strf(b, "rekey-time", "%" PRId64, seconds_until(c->rekey_at, now));
    if (c->expire_at)
        vici_strf(b, "life-time", "%" PRId64, seconds_until(c->expire_at, now));
    vici_strf(b, "install-time", "%" PRId64, -seconds_until(c->installed_at, now));
}

void show_ts_list(struct vici_build *b, const char *name, const struct adit_ts *ts, unsigned n)
{
    vici_list(b, name);
    for (unsigned i = 0; i < n; i++) {
        STRBUF(text, 160);
        ts_print(&text, &ts[i]);
        vici_item_str(b, text.p);
    }
    vici_list_end(b);
}

const char *show_mode(enum adit_mode mode)
{
    static const char *const names[] = { "TUNNEL", "TRANSPORT", "PASS", "DROP", "IPTFS" };
    return mode <= ADIT_MODE_AGGFRAG ? names[mode] : "TUNNEL";
}

bool show_is_sa(enum adit_mode mode)
{
    return mode != ADIT_MODE_PASS && mode != ADIT_MODE_DROP;
}

/* Ours: who carries it. */
static void show_carrier(struct vici_build *b, const struct daemon *d, uint32_t id)
{
    const char *why, *on = d->dp ? dp_child_on(d->dp, id, &why) : NULL;
    if (!on)
        return;
    vici_str(b, "dataplane", on);
    if (*why)
        vici_str(b, "dataplane-why", why);
}

void show_child(struct vici_build *b, struct daemon *d, const struct adit_child_info *c, uint64_t now)
{
    vici_str(b, "name", c->spec.child);
    vici_strf(b, "uniqueid", "%u", c->id);
    vici_strf(b, "reqid", "%u", c->reqid);
    vici_str(b, "state", child_state(c->state));
    vici_str(b, "mode", show_mode(c->spec.mode));
    if (c->state >= ADIT_CHILD_INSTALLED)
        show_installed(b, d, c, now);
    show_carrier(b, d, c->id);
    show_ts_list(b, "local-ts", c->spec.local_ts, c->spec.n_local_ts);
    show_ts_list(b, "remote-ts", c->spec.remote_ts, c->spec.n_remote_ts);
}

void show_child_section(struct vici_build *b, struct daemon *d, const struct adit_child_info *c, uint64_t now)
{
    char name[VICI_NAME_MAX + 1];
    snprintf(name, sizeof(name), "%.200s-%u", c->spec.child ? c->spec.child : "", c->id);
    vici_section(b, name);
    show_child(b, d, c, now);
    vici_section_end(b);
}

void show_sa(struct vici_build *b, struct daemon *d, const struct adit_ike_info *ike, uint32_t only,
             uint64_t now)
{
    struct adit_child_info child;
    vici_section(b, ike->conn && *ike->conn ? ike->conn : "(unnamed)");
    show_ike(b, ike, now);
    vici_section(b, "child-sas");
    for (unsigned i = 0; adit_ike_child_info(d->ike, ike->id, i, &child); i++)
        if (!only || child.id == only)
            show_child_section(b, d, &child, now);
    vici_section_end(b);
    vici_section_end(b);
}

void show_ke_list(char *out, size_t cap, const struct adit_suite *suite)
{
    struct strbuf text = { out, 0, cap };
    out[0] = 0;
    for (unsigned i = 0; i < ARRAY_LEN(suite->ke); i++)
        if (suite->ke[i])
            strbuf_addf(&text, "%s%s", text.n ? "+" : "", iana_name(IANA_KE, suite->ke[i]));
}

bool show_find_ike(const struct daemon *d, uint32_t ike_id, struct adit_ike_info *out)
{
    for (uint32_t cursor = 0; adit_ike_sa_next(d->ike, &cursor, out);)
        if (out->id == ike_id)
            return true;
    return false;
}

bool show_find_child(const struct daemon *d, uint32_t ike_id, uint32_t child_id, struct adit_child_info *out)
{
    for (unsigned i = 0; adit_ike_child_info(d->ike, ike_id, i, out); i++)
        if (out->id == child_id)
            return true;
    return false;
}
