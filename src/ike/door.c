/* door.c - what extensions (and nobody else) ask of an SA or an exchange: ext.h's accessors. */
#include <stdlib.h>
#include "ike/sa.h"

void *ext_sa(struct ike_sa *sa, enum ike_ext_id id)
{
    if (!sa->ext[id])
        sa->ext[id] = mem_new(ike_exts[id]->sa_size);
    return sa->ext[id];
}

void *ext_peek(const struct ike_sa *sa, enum ike_ext_id id)
{
    return sa->ext[id];
}

unsigned sa_engine_sas(const struct ike_sa *sa)
{
    return sa->ike->n_sas;
}

void xchg_is_final(struct ike_xchg *x)
{
    x->fatal = true;
}

/* The linker lays equal literals of the program together: most keys are found without looking at their letters. */
static const char *option_default(const char *key)
{
    for (unsigned e = 0; e < EXT_COUNT; e++)
        for (unsigned i = 0; i < ike_exts[e]->n_options; i++)
            if (ike_exts[e]->options[i].key == key)
                return ike_exts[e]->options[i].deflt;
    for (unsigned e = 0; e < EXT_COUNT; e++)
        for (unsigned i = 0; i < ike_exts[e]->n_options; i++)
            if (!strcmp(ike_exts[e]->options[i].key, key))
                return ike_exts[e]->options[i].deflt;
    return "";
}

static const char *option(const struct policy *p, const struct adit_conn *c, const char *key)
{
    const struct adit_ike_settings *s = &p->settings;
    const char *v = c ? adit_option_get(c->options, c->n_options, key) : NULL;
    if (!v)
        v = adit_option_get(s->options, s->n_options, key);
    return v ? v : option_default(key);
}

const char *sa_option(const struct ike_sa *sa, const char *key)
{
    return option(sa->policy, sa->conn ? sa->conn->cfg : NULL, key);
}

const char *stranger_option(const struct ike_stranger *s, const char *key)
{
    return option(s->ike->policy, s->conn, key);
}

uint64_t sa_option_number(const struct ike_sa *sa, const char *key)
{
    return strtoull(sa_option(sa, key), NULL, 10);
}

bool sa_any_child_option(const struct ike_sa *sa, const char *key, const char *word)
{
    const struct adit_conn *c = sa->conn ? sa->conn->cfg : NULL;
    for (uint16_t i = 0; c && i < c->n_children; i++) {
        const char *v = adit_option_get(c->children[i].options, c->children[i].n_options, key);
        if (v && !strcmp(v, word))
            return true;
    }
    return false;
}

bool sa_round_after(struct ike_sa *sa)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.round_after && ike_exts[i]->on.round_after(sa))
            return true;
    return false;
}

struct adit_span sa_init_message(const struct ike_sa *sa, bool response)
{
    return buf_span(response ? &sa->init_resp : &sa->init_req);
}

bool sa_accepts(const struct ike_sa *sa, const struct sig_alg *alg)
{
    const struct policy_conn *c = NULL;
    if (sa->is_initiator)
        return policy_accepts(&sa->conn->remote[0], alg);
    while ((c = policy_conn_by_path(sa->policy, &sa->path, c)))
        if (policy_accepts(&c->remote[0], alg))
            return true;
    return false;
}

unsigned sa_own_certs(const struct ike_sa *sa)
{
    const struct policy_auth *local = &sa->conn->local[0];
    unsigned n = 0;
    for (size_t i = 0; local->cfg->class != ADIT_AUTH_PSK && policy_cert_next(sa->policy, local, &i);)
        n++;
    return n;
}

bool auth_way_leads_to(const struct auth_way *way, struct adit_span ca_sha1)
{
    return way->cert && policy_cert_leads_to(way->policy, way->cert, ca_sha1);
}

const struct adit_shared *sa_next_shared(const struct ike_sa *sa, enum adit_shared_type type, size_t *i)
{
    const struct adit_shared *const *all;
    size_t n = adit_config_shared(sa->policy->config, &all);
    while (*i < n)
        if (all[(*i)++]->type == type)
            return all[*i - 1];
    return NULL;
}

struct lease *sa_lease(struct ike_sa *sa, const char *pool, struct adit_span owner, const struct adit_addr *wanted,
                       bool takes_over)
{
    struct lease_want want = { .pool = pool, .owner = owner, .wanted = wanted, .peer = &sa->path.remote.addr,
                               .takes_over = takes_over };
    return lease_take(&sa->ike->leases, &want);
}

const struct adit_pool *sa_pool(const struct ike_sa *sa, const char *name)
{
    return adit_config_pool(sa->ike->policy->config, name);
}

bool sa_takes_over(const struct ike_sa *sa, const struct ike_msg *msg)
{
    struct notify n;
    enum adit_unique unique = sa->conn->cfg->unique;
    return unique == ADIT_UNIQUE_REPLACE || (unique != ADIT_UNIQUE_NEVER && msg_notify(msg, N_INITIAL_CONTACT, &n));
}

struct ike_sa *sa_replaced(const struct ike_sa *sa)
{
    list_for_each(it, &sa->ike->sas) {
        struct ike_sa *other = list_entry(it, struct ike_sa, link);
        if (sa->reauth_of && other != sa && !other->cut && other->lineage == sa->reauth_of && other->state == SA_ESTABLISHED)
            return other;
    }
    return NULL;
}

struct adit_span sa_peer_id(const struct ike_sa *sa)
{
    return buf_span(&sa->id_remote);
}

void sa_tell_assigned(struct ike_sa *sa, bool released, const struct adit_assigned *what)
{
    if (!event_assigned(sa, released ? ADIT_EV_RELEASED : ADIT_EV_ASSIGNED, what))
        sa_log(sa, ADIT_LOG_AUDIT, "IKE", "out of memory: what the peer assigned is not told");
}

const struct adit_crypto *sa_crypto(const struct ike_sa *sa)
{
    return sa->ike->host.crypto;
}

const struct prf_alg *sa_prf(const struct ike_sa *sa)
{
    return crypto_prf(sa->ike->host.crypto, sa->suite.prf);
}

const struct ike_keys *sa_keys(const struct ike_sa *sa)
{
    return &sa->keys;
}

const struct adit_suite *sa_suite(const struct ike_sa *sa)
{
    return &sa->suite;
}

void sa_keymat_in(const struct ike_sa *sa, struct keymat_in *out)
{
    *out = (struct keymat_in){ .crypto = sa->ike->host.crypto, .suite = &sa->suite, .nonce_i = buf_span(&sa->nonce_i),
                               .nonce_r = buf_span(&sa->nonce_r), .spi_i = sa->spi_i, .spi_r = sa->spi_r };
}

void sa_send_beside(struct ike_sa *sa, struct ike_wire *wire)
{
    ike_count(sa->ike, sa, ADIT_C_REPORTS_OUT);
    for (unsigned i = 0; i < wire->made; i++)
        sa->ike->counters[ADIT_C_REPORT_BYTES] += wire->datagrams[i].n;
    event_send(sa->ike, &sa->path, wire);
    wire_unref(wire);
}

uint64_t sa_round_trip(const struct ike_sa *sa)
{
    return sa->round_trip;
}

/* The IV counter goes on: what replaces the keys may keep SK_e (RFC 8784 s3), and an IV must never come twice. */
void sa_keys_replace(struct ike_sa *sa, struct ike_keys *keys)
{
    sa_keep_crypts(sa);
    keys_fini(&sa->keys);
    keys_move(&sa->keys, keys);
    sa->keyed = true;
    keylog_ike(sa);
}

bool sa_is_initiator(const struct ike_sa *sa)
{
    return sa->is_initiator;
}

bool sa_is_keyed(const struct ike_sa *sa)
{
    return sa->keyed;
}

bool sa_is_established(const struct ike_sa *sa)
{
    return sa->established_at && sa->state >= SA_ESTABLISHED && sa->state < SA_DEAD;
}

uint64_t sa_spi_i(const struct ike_sa *sa)
{
    return sa->spi_i;
}

uint64_t sa_spi_r(const struct ike_sa *sa)
{
    return sa->spi_r;
}

uint32_t sa_id(const struct ike_sa *sa)
{
    return sa->id;
}

const struct adit_path *sa_path(const struct ike_sa *sa)
{
    return &sa->path;
}

void sa_set_path(struct ike_sa *sa, const struct adit_path *path)
{
    if (path_equal(&sa->path, path))
        return;
    sa->path = *path;
    sa_children_changed(sa);
}

void sa_children_changed(struct ike_sa *sa)
{
    list_for_each(it, &sa->children)
        child_update_path(list_entry(it, struct ike_child, link));
}

/* On another path counting begins anew: that it failed there says nothing about here. */
void sa_repeat_request(struct ike_sa *sa)
{
    for (struct ike_xchg *x = NULL; (x = sa_next_out(sa, x));) {
        if (x->phase != PHASE_SENT)
            continue;
        x->tries = 0;
        x->last = false;
        x->retransmit_at = sa->ike->now;
    }
    sa_arm(sa);
}

struct ike_sa *sa_heir(const struct ike_sa *sa)
{
    return sa->state == SA_REKEYED && sa->successor ? sa_by_id(sa->ike, sa->successor) : NULL;
}

bool sa_may_move(struct ike_sa *sa)
{
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike_exts[i]->on.may_move && ike_exts[i]->on.may_move(sa))
            return true;
    return false;
}

unsigned sa_host_addresses(const struct ike_sa *sa, const struct adit_addr **v)
{
    *v = sa->ike->addresses;
    return sa->ike->n_addresses;
}

bool sa_may_be_at(const struct ike_sa *sa, const struct adit_addr *local, const struct adit_addr *remote)
{
    return sa->conn && policy_conn_allows(sa->conn, local, remote);
}

const struct ike_nat *ike_nat(void)
{
    unsigned i = 0;
    while (!ike_exts[i]->nat)
        i++;
    return ike_exts[i]->nat;
}

uint16_t sa_port_nat_t(const struct ike_sa *sa)
{
    return sa->policy->settings.port_nat_t;
}

uint64_t sa_now(const struct ike_sa *sa)
{
    return sa->ike->now;
}

uint64_t sa_last_sent_at(const struct ike_sa *sa)
{
    return sa->sent_at;
}

bool sa_random(struct ike_sa *sa, uint8_t *out, size_t n)
{
    return ike_random(sa->ike, out, n);
}

void sa_keepalive(struct ike_sa *sa)
{
    struct adit_event *ev = event_add(sa->ike, ADIT_EV_KEEPALIVE);
    if (!ev)
        return;
    ev->path = sa->path;
    ev->ike_id = sa->id;
    sa->sent_at = sa->ike->now;
}

struct ike_sa *xchg_sa(const struct ike_xchg *x)
{
    return x->sa;
}

struct arena *xchg_arena(struct ike_xchg *x)
{
    return &x->arena;
}

bool xchg_is_check(const struct ike_xchg *x)
{
    return x->task && x->task->kind == TASK_LIVENESS;
}

uint32_t xchg_msgid(const struct ike_xchg *x)
{
    return x->msgid;
}

const struct ike_msg *xchg_msg(const struct ike_xchg *x)
{
    return x->msg.n ? &x->msg : NULL;
}

const struct adit_path *xchg_path(const struct ike_xchg *x)
{
    return &x->path;
}

uint32_t xchg_opened_for(const struct ike_xchg *x)
{
    return x->task ? x->task->opened_for : 0;
}

enum adit_rc sa_open_exchange(struct ike_sa *sa, const struct ike_step *step, uint32_t id)
{
    struct ike_task *t = agenda_add(sa, TASK_EXCHANGE, step);
    if (!t)
        return ADIT_ERR_MEMORY;
    t->opened_for = id;
    sa_arm(sa);
    return ADIT_OK;
}

struct ike_sa *pending_sa(const struct ike_pending *p)
{
    return p->sa;
}

uint32_t pending_id(const struct ike_pending *p)
{
    return p->id;
}

struct ike_pending *pending_by_id(struct ike_sa *sa, uint32_t id)
{
    list_for_each(it, &sa->pendings) {
        struct ike_pending *p = list_entry(it, struct ike_pending, link);
        if (p->id == id)
            return p;
    }
    return NULL;
}

bool pending_is_requester(const struct ike_pending *p)
{
    return p->requester;
}

const struct adit_suite *pending_suite(const struct ike_pending *p)
{
    return &p->suite;
}

const struct adit_child_cfg *pending_child(const struct ike_pending *p)
{
    return p->cfg;
}

const char *pending_option(const struct ike_pending *p, const char *key)
{
    const char *v = adit_option_get(p->cfg->options, p->cfg->n_options, key);
    return v ? v : sa_option(p->sa, key);
}

enum adit_mode pending_mode(const struct ike_pending *p)
{
    return p->mode;
}

void pending_set_mode(struct ike_pending *p, enum adit_mode mode)
{
    p->mode = mode;
}

struct adit_shape *pending_shape(struct ike_pending *p)
{
    return &p->shape;
}

bool pending_ke_settled(const struct ike_pending *p)
{
    const struct ike_child *old = child_by_id(p->ike, p->old_child);
    return p->kind == PENDING_REKEY_IKE || (old && !old->ke_open);
}

static bool child_stands(const struct adit_conn *now, const struct adit_child_cfg *made_with)
{
    const struct adit_child_cfg *c = conn_child(now, made_with->name);
    return c && c->mode == made_with->mode && !c->replay_window == !made_with->replay_window &&
           negotiate_same(c->proposals, made_with->proposals);
}

bool pending_config_stands(const struct ike_pending *p)
{
    const struct ike_sa *sa = p->sa;
    const struct ike_child *old = child_by_id(p->ike, p->old_child);
    if (p->kind == PENDING_REKEY_IKE ? sa->changed : old && (old->changed || old->reselect))
        return false;
    if (sa->policy == p->ike->policy)
        return true;
    const struct policy_conn *now = policy_conn_by_name(p->ike->policy, sa_conn_name(sa));
    if (!now)
        return false;
    return p->kind == PENDING_REKEY_IKE ? negotiate_same(now->cfg->proposals, sa->conn->cfg->proposals)
                                        : child_stands(now->cfg, p->cfg);
}

unsigned pending_done(const struct ike_pending *p)
{
    return p->n_secrets;
}

enum adit_rc pending_add_secret(struct ike_pending *p, struct adit_secret *secret)
{
    if (p->n_secrets == ARRAY_LEN(p->secrets))
        return ADIT_ERR_BUG;
    secret_move(&p->secrets[p->n_secrets++], secret);
    return ADIT_OK;
}

void *pending_slot(struct ike_pending *p, size_t n)
{
    if (!p->slot)
        p->slot = arena_new(&p->arena, n);
    return p->slot;
}

struct ike_pending *pending_find(struct ike_sa *sa, bool (*is)(struct ike_pending *p, const void *arg), const void *arg)
{
    list_for_each(it, &sa->pendings) {
        struct ike_pending *p = list_entry(it, struct ike_pending, link);
        if (is(p, arg))
            return p;
    }
    return NULL;
}

/* --- several Child SAs with the same selectors ------------------------------------------------------------------------- */

unsigned sa_host_resources(const struct ike_sa *sa)
{
    return sa->ike->host.resources;
}

static bool same_ts(const struct adit_ts *a, const struct adit_ts *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (!ts_equal(&a[i], &b[i]))
            return false;
    return true;
}

static bool same_kind(const struct adit_suite *a, const struct adit_suite *b)
{
    return a->encr == b->encr && a->encr_bits == b->encr_bits && a->integ == b->integ && a->sn == b->sn;
}

static bool alike(const struct ike_child *a, const struct ike_child *b)
{
    return a->cfg == b->cfg && a->mode == b->mode && same_kind(&a->suite, &b->suite) && a->n_local == b->n_local &&
           a->n_remote == b->n_remote && same_ts(a->ts, b->ts, (unsigned)a->n_local + a->n_remote);
}

static void view(const struct ike_child *c, struct ike_child_view *out)
{
    *out = (struct ike_child_view){ .id = c->id, .resource = c->resource, .shares = c->shares, .initiator = c->initiator,
                                    .current = c->state == ADIT_CHILD_INSTALLED || c->state == ADIT_CHILD_REKEYING };
}

bool sa_child_view(const struct ike_sa *sa, uint32_t id, struct ike_child_view *out)
{
    const struct ike_child *c = child_by_id(sa->ike, id);
    if (c && c->sa == sa)
        view(c, out);
    return c && c->sa == sa;
}

bool sa_next_like(const struct ike_sa *sa, uint32_t like, unsigned *i, struct ike_child_view *out)
{
    const struct ike_child *of = child_by_id(sa->ike, like);
    unsigned at = 0;
    list_for_each(it, &sa->children) {
        const struct ike_child *c = list_entry(it, struct ike_child, link);
        if (at++ < *i || !of || !alike(of, c))
            continue;
        *i = at;
        view(c, out);
        return true;
    }
    return false;
}

static const char *child_option(const struct adit_child_cfg *cfg, const char *key)
{
    const char *v = adit_option_get(cfg->options, cfg->n_options, key);
    return v ? v : option_default(key);
}

const char *sa_child_option(const struct ike_sa *sa, uint32_t id, const char *key)
{
    const struct ike_child *c = child_by_id(sa->ike, id);
    return c ? child_option(c->cfg, key) : "";
}

static bool asks_for(const struct ike_task *t, const struct ike_child *like, unsigned resource)
{
    return t->kind == TASK_NEW_CHILD && t->resource == resource && t->cfg == like->cfg;
}

bool sa_want_child(struct ike_sa *sa, uint32_t like, unsigned resource)
{
    const struct ike_child *c = child_by_id(sa->ike, like);
    if (!c)
        return false;
    for (const struct ike_xchg *x = NULL; (x = sa_next_out(sa, x));)
        if (x->task && asks_for(x->task, c, resource))
            return false;
    list_for_each(it, &sa->tasks)
        if (asks_for(list_entry(it, struct ike_task, link), c, resource))
            return false;
    struct ike_task *t = agenda_add(sa, TASK_NEW_CHILD, &step_new_child_req);
    if (!t)
        return false;
    t->cfg = c->cfg;
    t->reqid = c->reqid;
    t->child_id = like;
    t->resource = resource;
    sa_arm(sa);
    return true;
}

void sa_unwant_children(struct ike_sa *sa, uint32_t like)
{
    list_for_each_safe(it, &sa->tasks) {
        struct ike_task *t = list_entry(it, struct ike_task, link);
        if (t->kind != TASK_NEW_CHILD || !t->resource || t->child_id != like)
            continue;
        list_remove(it);
        task_end(sa, t, ADIT_ERR_QUEUE, "the peer makes no more");
    }
}

bool pending_shares(const struct ike_pending *p)
{
    return p->shares;
}

bool pending_is_rekey(const struct ike_pending *p)
{
    return p->kind == PENDING_REKEY_CHILD;
}

uint32_t pending_like(const struct ike_pending *p)
{
    return p->like;
}

unsigned pending_resource(const struct ike_pending *p)
{
    return p->resource;
}

static bool is_like(const struct ike_pending *p, const struct ike_child *c)
{
    return c->cfg == p->cfg && c->mode == p->mode && same_kind(&c->suite, &p->suite) && c->n_local == p->local->n &&
           c->n_remote == p->remote->n && same_ts(c->ts, p->local->v, c->n_local) &&
           same_ts(c->ts + c->n_local, p->remote->v, c->n_remote);
}

uint32_t pending_finds_like(const struct ike_pending *p)
{
    uint32_t found = 0;
    list_for_each(it, &p->sa->children) {
        const struct ike_child *c = list_entry(it, struct ike_child, link);
        bool current = c->state == ADIT_CHILD_INSTALLED || c->state == ADIT_CHILD_REKEYING;
        if (current && is_like(p, c) && (!found || !c->resource))
            found = c->id;
    }
    return found;
}

void pending_bind(struct ike_pending *p, uint32_t like, unsigned resource)
{
    const struct ike_child *c = child_by_id(p->ike, like);
    p->shares = true;
    p->resource = resource;
    if (c)
        p->reqid = c->reqid;
}

void pending_touch(struct ike_pending *p)
{
    p->deadline = p->requester ? 0 : p->sa->ike->now + IKE_PENDING_LIFE;
}

const struct adit_option_def *adit_ike_options(size_t *n)
{
    static struct adit_option_def all[64]; /* a copy of const tables: filled once, the same each time */
    size_t k = 0;
    for (unsigned e = 0; e < EXT_COUNT; e++)
        for (unsigned i = 0; i < ike_exts[e]->n_options && k < ARRAY_LEN(all); i++)
            all[k++] = ike_exts[e]->options[i];
    *n = k;
    return all;
}

bool adit_ike_extension(size_t i, const char **name, const char **spec)
{
    if (i >= EXT_COUNT)
        return false;
    *name = ike_exts[i]->name;
    *spec = ike_exts[i]->spec;
    return true;
}
