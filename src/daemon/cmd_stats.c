/* cmd_stats.c - stats: how the daemon is. strongSwan's sections with our numbers in them; then our own. */
#include <inttypes.h>
#include <malloc.h>
#include <time.h>
#include "base/secret.h"
#include "daemon/cmd.h"
#include "daemon/text.h"
#include "crypto/crypto.h"
#include "dp/dp.h"
#include "wire/iana.h"

static void show_uptime(struct vici_build *b, const struct daemon *d)
{
    char running[64], since[64] = "";
    time_t start = (time_t)d->started_unix;
    struct tm tm;
    text_age(running, sizeof(running), (daemon_now() - d->started_at) / 1000000000);
    if (localtime_r(&start, &tm))
        strftime(since, sizeof(since), "%b %d %H:%M:%S %Y", &tm);
    vici_section(b, "uptime");
    vici_str(b, "running", running);
    vici_str(b, "since", since);
    vici_section_end(b);
}

/* Three priorities of ours stand for strongSwan's four: what nobody waits for is not in its lists. */
static void show_workers(struct vici_build *b, struct daemon *d)
{
    struct workpool_stats s;
    workpool_get_stats(d->pool, &s);
    vici_section(b, "workers");
    vici_strf(b, "total", "%u", s.threads);
    vici_strf(b, "idle", "%u", s.threads - s.running);
    vici_section(b, "active");
    vici_str(b, "critical", "0");
    vici_strf(b, "high", "%u", s.running);
    vici_str(b, "medium", "0");
    vici_str(b, "low", "0");
    vici_section_end(b);
    vici_section_end(b);
    vici_section(b, "queues");
    vici_str(b, "critical", "0");
    vici_strf(b, "high", "%u", s.queued_fast);
    vici_str(b, "medium", "0");
    vici_strf(b, "low", "%u", s.queued_slow);
    vici_section_end(b);
    vici_strf(b, "scheduled", "%u", adit_ike_deadline(d->ike) == UINT64_MAX ? 0 : 1);
}

static void show_ke_pool(struct vici_build *b, const struct daemon *d)
{
    struct adit_ke_pool_info info;
    vici_section(b, "ke-pool");
    for (size_t i = 0; adit_ike_ke_pool(d->ike, i, &info); i++)
        vici_strf(b, iana_name(IANA_KE, info.method), "%u/%u", info.ready, info.wanted);
    vici_section_end(b);
}

static void show_memory(struct vici_build *b)
{
    struct mallinfo2 m = mallinfo2();
    size_t in_use, locked;
    vici_section(b, "mallinfo");
    vici_strf(b, "sbrk", "%zu", m.arena);
    vici_strf(b, "mmap", "%zu", m.hblkhd);
    vici_strf(b, "used", "%zu", m.uordblks);
    vici_strf(b, "free", "%zu", m.fordblks);
    vici_section_end(b);
    secret_usage(&in_use, &locked);
    vici_section(b, "secrets");
    vici_strf(b, "in-use", "%zu", in_use);
    vici_strf(b, "locked", "%zu", locked);
    vici_section_end(b);
}

static void show_extensions(struct vici_build *b)
{
    const char *name, *spec;
    vici_list(b, "plugins"); /* strongSwan's word; ours are the protocol extensions that are built in */
    for (size_t i = 0; adit_ike_extension(i, &name, &spec); i++)
        vici_item_str(b, name);
    vici_list_end(b);
}

static void show_dataplane(struct vici_build *b, const struct daemon *d)
{
    vici_section(b, "dataplane");
    vici_str(b, "name", d->dp ? dp_name(d->dp) : "none");
    vici_str(b, "interface", daemon_tun(d));
    vici_str(b, "crypto", crypto_packets_by(d->crypto));
    if (d->dp && d->set.dataplane != CONFIG_DP_USER)
        vici_str(b, "kernel", *dp_kernel_missing(d->dp) ? dp_kernel_missing(d->dp) : "yes");
    vici_section_end(b);
}

void cmd_stats(void *arg, struct vici_call *call)
{
    struct daemon *d = arg;
    struct reply r;
    reply_begin(&r);
    show_uptime(&r.b, d);
    show_workers(&r.b, d);
    vici_section(&r.b, "ikesas");
    vici_strf(&r.b, "total", "%u", adit_ike_sa_count(d->ike));
    vici_strf(&r.b, "half-open", "%u", adit_ike_half_open(d->ike));
    vici_section_end(&r.b);
    show_ke_pool(&r.b, d);
    show_extensions(&r.b);
    show_memory(&r.b);
    show_dataplane(&r.b, d);
    reply_answer(&r, call);
}
