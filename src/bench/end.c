/* end.c - see end.h. Both ends have the same connection, by a PSK, seen from its two sides. */
#include "bench/end.h"
#include <time.h>
#include "base/mem.h"
#include "base/secret.h"
#include "base/why.h"
#include "crypto/crypto.h"
#include "wire/iana.h"

#define BEGIN 1000000000000ull /* ns: some day */
#define INIT_KE_MAX 7168       /* longest that a responder reads in IKE_SA_INIT */
#define INIT_KE_USUAL 1600

uint64_t bench_cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t bench_still(void)
{
    return 0;
}

/* --- configuration ---------------------------------------------------------------------------------------------------- */

struct parts { /* of a configuration, for as long as it is built */
    struct adit_addr_spec here, there;
    struct adit_auth_cfg auth[BENCH_ENDS];
    struct adit_ts_cfg ts[BENCH_ENDS];
    struct adit_option option[12];
    uint16_t n_options;
    const struct proposal_list *esp;
    char packet[16];
};

static void add_option(struct parts *p, const char *key, const char *value)
{
    if (p->n_options < ARRAY_LEN(p->option))
        p->option[p->n_options++] = (struct adit_option){ key, value };
}

static void choose_reports(struct parts *p, const struct bench_case *c)
{
    for (size_t i = 0; bench_reports_at(i); i++)
        add_option(p, bench_reports_option(i), strcmp(bench_reports_at(i), c->reports) == 0 ? "auto" : "no");
}

/* What is alone in IKE_SA_INIT may be longer than a cautious default allows. */
static uint32_t init_room(const struct bench_case *c, const struct adit_crypto *crypto)
{
    uint32_t most = INIT_KE_USUAL;
    for (unsigned i = 0; i < c->method->proposals->n; i++) {
        const struct proposal *p = &c->method->proposals->v[i];
        for (unsigned k = 0; k < p->n; k++) {
            const struct ke_alg *a = p->t[k].type == TT_KE ? crypto_ke(crypto, p->t[k].id) : NULL;
            uint32_t size = !a ? 0 : a->init_size > a->resp_size ? a->init_size : a->resp_size;
            most = size > most && size <= INIT_KE_MAX ? size : most;
        }
    }
    return most;
}

static enum adit_rc prepare(struct parts *p, int me, const struct bench_end *e, const struct bench_case *c, struct arena *a,
                            struct adit_why *why)
{
    static const char *const names[] = { "initiator.example", "responder.example" }, *esp = "aes256gcm16";
    static const char *const nets[] = { "10.1.0.0/16", "10.2.0.0/16" };
    *p = (struct parts){ .here = { .text = "", .lo = e->path.local.addr, .hi = e->path.local.addr, .single = true },
                         .there = { .text = "", .lo = e->path.remote.addr, .hi = e->path.remote.addr, .single = true } };
    for (int i = 0; i < BENCH_ENDS; i++) {
        p->auth[i] = (struct adit_auth_cfg){ .class = ADIT_AUTH_PSK, .auth = "psk", .id_text = names[i],
                                             .id = { ID_FQDN, span_str(names[i]) } };
        TRY(ts_parse(nets[i], &p->ts[i], why));
    }
    choose_reports(p, c);
    if (c->tcp && me == 0)
        add_option(p, "ike_transport", "tcp");
    snprintf(p->packet, sizeof(p->packet), "%u", c->packet);
    return proposals_parse(&esp, 1, PROTO_ESP, a, &p->esp, why);
}

static enum adit_rc fill(struct adit_config *cfg, const struct parts *p, int me, const struct bench_case *c,
                         uint32_t init_ke_max)
{
    struct adit_child_cfg child = { .name = "net", .proposals = p->esp, .n_local_ts = 1, .n_remote_ts = 1,
                                    .local_ts = &p->ts[me], .remote_ts = &p->ts[!me], .replay_window = 4096 };
    struct adit_conn conn = { .name = "peer", .n_local_addrs = 1, .n_remote_addrs = 1, .local_addrs = &p->here,
                              .remote_addrs = &p->there, .proposals = c->method->proposals, .n_local = 1, .n_remote = 1,
                              .local = &p->auth[me], .remote = &p->auth[!me], .n_children = 1, .children = &child,
                              .unique = ADIT_UNIQUE_NEVER, .keyingtries = 1, .init_ke_max = init_ke_max,
                              .options = p->option, .n_options = p->n_options };
    struct adit_option packet = { "fragment_size", p->packet };
    struct adit_shared psk = { .id = "k", .secret = SPAN_LIT("a secret of the bench, longer than short") };
    struct adit_ike_settings set = { .cookie_threshold = UINT32_MAX, .half_open_timeout_s = 600,
                                     .ke_pool = c->stock && me == 0 ? "auto" : "no", .options = &packet,
                                     .n_options = c->packet != 0 };
    TRY(adit_config_add_conn(cfg, &conn));
    TRY(adit_config_add_shared(cfg, &psk));
    return adit_config_settings(cfg, &set);
}

static enum adit_rc configure(struct bench_end *e, int me, const struct bench_case *c, const struct adit_crypto *crypto,
                              struct adit_why *why)
{
    struct parts p;
    struct arena a = { 0 };
    struct adit_config *cfg = adit_config_new();
    enum adit_rc rc = cfg ? prepare(&p, me, e, c, &a, why) : ADIT_ERR_MEMORY;
    if (rc == ADIT_OK)
        rc = fill(cfg, &p, me, c, init_room(c, crypto));
    if (rc == ADIT_OK)
        rc = adit_ike_config(e->ike, cfg, BEGIN, why);
    adit_config_unref(cfg);
    arena_fini(&a);
    return rc;
}

/* --- the engine ------------------------------------------------------------------------------------------------------- */

static bool seeded(void *arg, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)wire_random(arg);
    return true;
}

enum adit_rc end_open(struct bench_end *e, int me, const struct bench_case *c, struct adit_crypto *crypto,
                      struct adit_why *why)
{
    *e = (struct bench_end){ .clock = c->cpu, .random = 2 * c->seed + (uint64_t)me, .busy = BEGIN };
    struct adit_host host = { .crypto = crypto, .random = seeded, .random_arg = &e->random };
    for (int i = 0; i < BENCH_ENDS; i++)
        *(i == me ? &e->path.local : &e->path.remote) =
            (struct adit_endpoint){ .addr = { 4, { 192, 0, 2, (uint8_t)(i + 1) } }, .port = 500 };
    e->ike = adit_ike_new(&host, BEGIN);
    if (!e->ike)
        return why_set(why, ADIT_ERR_MEMORY, "memory is out");
    return configure(e, me, c, crypto, why);
}

void end_close(struct bench_end *e)
{
    for (unsigned i = 0; i < e->n_idle; i++) {
        adit_job_refuse(e->idle[i]);
        adit_ike_work_done(e->ike, e->idle[i], e->busy);
    }
    if (e->ike)
        adit_ike_free(e->ike);
    e->ike = NULL;
}

static size_t secrets(void)
{
    size_t in_use, locked;
    secret_usage(&in_use, &locked);
    return in_use;
}

/* Between the two only this engine works: what is added is its own. */
void end_enter(struct bench_end *e)
{
    mem_peak_reset();
    e->entered_octets = mem_octets();
    e->entered_secrets = secrets();
    e->entered_cpu = e->clock();
}

uint64_t end_leave(struct bench_end *e)
{
    uint64_t took = e->clock() - e->entered_cpu;
    size_t most = e->octets + (mem_peak() - e->entered_octets);
    e->cpu += took;
    e->octets += mem_octets() - e->entered_octets;
    size_t more = secrets() - e->entered_secrets;
    e->octets += more;
    if (more < SIZE_MAX / 2)
        most += more;
    e->peak = most > e->peak ? most : e->peak;
    return took;
}
