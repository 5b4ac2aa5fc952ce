/* config.c - the configuration snapshot: deep copies in one arena, shared by reference counting. */
#include <stdatomic.h>
#include "base/map.h"
#include "base/mem.h"
#include "base/why.h"
#include "model/model.h"

/* A growing array of pointers to const things of the arena, and where names stand in it: there may be ten thousands,
 * and the engine looks connections up by name. */
struct rows {
    const void **v;
    size_t n, cap;
    struct map places; /* of a name's hash: pointer into v's numbering, + 1 */
};
typedef const char *name_fn(const void *row);

struct adit_config {
    atomic_uint refs;
    struct arena arena;
    struct rows conns, shared, certs, keys, pools;
    struct adit_ike_settings settings;
};

/* --- copying: a failed allocation is remembered in *ok, so that a copy reads like an assignment ----------------- */

struct copy {
    struct arena *arena;
    bool ok;
};

static void *copy_space(struct copy *c, size_t n, size_t size)
{
    void *p = n ? arena_new(c->arena, n * size) : NULL;
    c->ok &= p || !n;
    return p;
}

static const char *copy_str(struct copy *c, const char *s)
{
    const char *p = s ? arena_str(c->arena, s) : NULL;
    c->ok &= p || !s;
    return p;
}

static struct adit_span copy_span(struct copy *c, struct adit_span s)
{
    struct adit_span p = arena_span(c->arena, s);
    c->ok &= p.p || !s.n;
    return p;
}

static const void *copy_array(struct copy *c, const void *v, size_t n, size_t size)
{
    uint8_t *p = copy_space(c, n, size);
    if (p)
        span_copy(p, span(v, n * size));
    return p;
}

static const struct adit_span *copy_spans(struct copy *c, const struct adit_span *v, size_t n)
{
    struct adit_span *p = copy_space(c, n, sizeof(*p));
    for (size_t i = 0; p && i < n; i++)
        p[i] = copy_span(c, v[i]);
    return p;
}

static const struct adit_option *copy_options(struct copy *c, const struct adit_option *v, size_t n)
{
    struct adit_option *p = copy_space(c, n, sizeof(*p));
    for (size_t i = 0; p && i < n; i++)
        p[i] = (struct adit_option){ copy_str(c, v[i].key), copy_str(c, v[i].value) };
    return p;
}

static const struct proposal_list *copy_proposals(struct copy *c, const struct proposal_list *list)
{
    return list ? copy_array(c, list, 1, sizeof(*list) + list->n * sizeof(list->v[0])) : NULL;
}

static const struct adit_addr_spec *copy_addrs(struct copy *c, const struct adit_addr_spec *v, size_t n)
{
    struct adit_addr_spec *p = copy_space(c, n, sizeof(*p));
    for (size_t i = 0; p && i < n; i++) {
        p[i] = v[i];
        p[i].text = copy_str(c, v[i].text);
    }
    return p;
}

static const struct adit_id *copy_ids(struct copy *c, const struct adit_id *v, size_t n)
{
    struct adit_id *p = copy_space(c, n, sizeof(*p));
    for (size_t i = 0; p && i < n; i++)
        p[i] = (struct adit_id){ .type = v[i].type, .data = copy_span(c, v[i].data) };
    return p;
}

static const struct adit_auth_cfg *copy_auths(struct copy *c, const struct adit_auth_cfg *v, size_t n)
{
    struct adit_auth_cfg *p = copy_space(c, n, sizeof(*p));
    for (size_t i = 0; p && i < n; i++) {
        p[i] = v[i];
        p[i].auth = copy_str(c, v[i].auth);
        p[i].id.data = copy_span(c, v[i].id.data);
        p[i].id_text = copy_str(c, v[i].id_text);
        p[i].certs = copy_spans(c, v[i].certs, v[i].n_certs);
        p[i].cacerts = copy_spans(c, v[i].cacerts, v[i].n_cacerts);
    }
    return p;
}

static const struct adit_child_cfg *copy_children(struct copy *c, const struct adit_child_cfg *v, size_t n)
{
    struct adit_child_cfg *p = copy_space(c, n, sizeof(*p));
    for (size_t i = 0; p && i < n; i++) {
        p[i] = v[i];
        p[i].name = copy_str(c, v[i].name);
        p[i].proposals = copy_proposals(c, v[i].proposals);
        p[i].local_ts = copy_array(c, v[i].local_ts, v[i].n_local_ts, sizeof(*v[i].local_ts));
        p[i].remote_ts = copy_array(c, v[i].remote_ts, v[i].n_remote_ts, sizeof(*v[i].remote_ts));
        p[i].updown = copy_str(c, v[i].updown);
        p[i].options = copy_options(c, v[i].options, v[i].n_options);
    }
    return p;
}

/* --- rows --------------------------------------------------------------------------------------------------- */

static uint64_t name_key(const char *name)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    return map_mix(h, 0);
}

/* The place of a name, or SIZE_MAX. */
static size_t rows_find(const struct rows *rows, const char *name, name_fn *name_of)
{
    size_t place = name ? (uintptr_t)map_get(&rows->places, name_key(name)) : 0;
    if (!place)
        return SIZE_MAX;
    if (name_of(rows->v[place - 1]) && !strcmp(name_of(rows->v[place - 1]), name))
        return place - 1;
    for (size_t i = 0; i < rows->n; i++) { /* two names of one hash */
        if (name_of(rows->v[i]) && !strcmp(name_of(rows->v[i]), name))
            return i;
    }
    return SIZE_MAX;
}

static enum adit_rc rows_grow(struct rows *rows)
{
    size_t cap = rows->cap ? rows->cap * 2 : 8;
    const void **v = rows->n < rows->cap ? rows->v : mem_resize(rows->v, cap * sizeof(*v));
    if (!v)
        return ADIT_ERR_MEMORY;
    rows->cap = rows->n < rows->cap ? rows->cap : cap;
    rows->v = v;
    return ADIT_OK;
}

/* Puts p at place `at`, or at the end if that is SIZE_MAX. */
static enum adit_rc rows_put(struct rows *rows, size_t at, const void *p, const char *name)
{
    if (at != SIZE_MAX) {
        rows->v[at] = p;
        return ADIT_OK;
    }
    TRY(rows_grow(rows));
    if (name && !map_get(&rows->places, name_key(name)))
        TRY(map_put(&rows->places, name_key(name), (void *)(rows->n + 1)));
    rows->v[rows->n++] = p;
    return ADIT_OK;
}

static enum adit_rc rows_commit(struct rows *rows, size_t at, const struct copy *c, const void *p,
                                const char *name)
{
    return c->ok && p ? rows_put(rows, at, p, name) : ADIT_ERR_MEMORY;
}

static void rows_fini(struct rows *rows)
{
    mem_del(rows->v);
    map_fini(&rows->places);
}

struct adit_config *adit_config_new(void)
{
    struct adit_config *cfg = mem_new(sizeof(*cfg));
    if (!cfg)
        return NULL;
    atomic_init(&cfg->refs, 1);
    map_init(&cfg->conns.places, 0); /* names come from the administrator, not from a peer */
    map_init(&cfg->shared.places, 0);
    map_init(&cfg->pools.places, 0);
    return cfg;
}

struct adit_config *adit_config_ref(struct adit_config *cfg)
{
    if (cfg)
        atomic_fetch_add(&cfg->refs, 1);
    return cfg;
}

void adit_config_unref(struct adit_config *cfg)
{
    if (!cfg || atomic_fetch_sub(&cfg->refs, 1) != 1)
        return;
    rows_fini(&cfg->conns);
    rows_fini(&cfg->shared);
    rows_fini(&cfg->certs);
    rows_fini(&cfg->keys);
    rows_fini(&cfg->pools);
    arena_fini(&cfg->arena);
    mem_del(cfg);
}

static const char *conn_name(const void *row)
{
    return ((const struct adit_conn *)row)->name;
}

static size_t conn_index(const struct adit_config *cfg, const char *name)
{
    return rows_find(&cfg->conns, name, conn_name);
}

enum adit_rc adit_config_add_conn(struct adit_config *cfg, const struct adit_conn *conn)
{
    struct copy c = { &cfg->arena, true };
    struct adit_conn *p = copy_space(&c, 1, sizeof(*p));
    if (!p)
        return ADIT_ERR_MEMORY;
    *p = *conn;
    p->name = copy_str(&c, conn->name);
    p->local_addrs = copy_addrs(&c, conn->local_addrs, conn->n_local_addrs);
    p->remote_addrs = copy_addrs(&c, conn->remote_addrs, conn->n_remote_addrs);
    p->proposals = copy_proposals(&c, conn->proposals);
    p->local = copy_auths(&c, conn->local, conn->n_local);
    p->remote = copy_auths(&c, conn->remote, conn->n_remote);
    p->children = copy_children(&c, conn->children, conn->n_children);
    p->peer = copy_str(&c, conn->peer);
    p->source = copy_str(&c, conn->source);
    p->options = copy_options(&c, conn->options, conn->n_options);
    return rows_commit(&cfg->conns, conn_index(cfg, conn->name), &c, p, p->name);
}

static const char *shared_name(const void *row)
{
    return ((const struct adit_shared *)row)->id;
}

enum adit_rc adit_config_add_shared(struct adit_config *cfg, const struct adit_shared *secret)
{
    struct copy c = { &cfg->arena, true };
    struct adit_shared *p = copy_space(&c, 1, sizeof(*p));
    if (!p)
        return ADIT_ERR_MEMORY;
    *p = *secret;
    p->id = copy_str(&c, secret->id);
    p->secret = copy_span(&c, secret->secret);
    p->owners = copy_ids(&c, secret->owners, secret->n_owners);
    return rows_commit(&cfg->shared, rows_find(&cfg->shared, secret->id, shared_name), &c, p, p->id);
}

static size_t cert_index(const struct adit_config *cfg, const struct adit_cert *cert)
{
    for (size_t i = 0; i < cfg->certs.n; i++) {
        const struct adit_cert *c = cfg->certs.v[i];
        if (c->use == cert->use && span_equal(c->data, cert->data))
            return i;
    }
    return SIZE_MAX;
}

enum adit_rc adit_config_add_cert(struct adit_config *cfg, const struct adit_cert *cert)
{
    struct copy c = { &cfg->arena, true };
    struct adit_cert *p = copy_space(&c, 1, sizeof(*p));
    if (!p)
        return ADIT_ERR_MEMORY;
    *p = (struct adit_cert){ cert->use, copy_span(&c, cert->data), copy_str(&c, cert->source) };
    return rows_commit(&cfg->certs, cert_index(cfg, cert), &c, p, NULL);
}

static size_t key_index(const struct adit_config *cfg, const struct adit_key *key)
{
    for (size_t i = 0; i < cfg->keys.n; i++) {
        const struct adit_key *k = cfg->keys.v[i];
        if (span_equal(k->data, key->data) && !strcmp(k->uri ? k->uri : "", key->uri ? key->uri : ""))
            return i;
    }
    return SIZE_MAX;
}

enum adit_rc adit_config_add_key(struct adit_config *cfg, const struct adit_key *key)
{
    struct copy c = { &cfg->arena, true };
    struct adit_key *p = copy_space(&c, 1, sizeof(*p));
    if (!p)
        return ADIT_ERR_MEMORY;
    *p = (struct adit_key){ copy_span(&c, key->data), copy_str(&c, key->uri), copy_span(&c, key->pass),
                            copy_str(&c, key->source) };
    return rows_commit(&cfg->keys, key_index(cfg, key), &c, p, NULL);
}

static const char *pool_name(const void *row)
{
    return ((const struct adit_pool *)row)->name;
}

enum adit_rc adit_config_add_pool(struct adit_config *cfg, const struct adit_pool *pool)
{
    struct copy c = { &cfg->arena, true };
    struct adit_pool *p = copy_space(&c, 1, sizeof(*p));
    struct adit_attr *attrs = copy_space(&c, pool->n_attrs, sizeof(*attrs));
    if (!c.ok)
        return ADIT_ERR_MEMORY;
    *p = *pool;
    p->name = copy_str(&c, pool->name);
    p->attrs = attrs;
    for (uint16_t i = 0; i < pool->n_attrs; i++)
        attrs[i] = (struct adit_attr){ pool->attrs[i].type, copy_span(&c, pool->attrs[i].value) };
    return rows_commit(&cfg->pools, rows_find(&cfg->pools, pool->name, pool_name), &c, p, p->name);
}

enum adit_rc adit_config_settings(struct adit_config *cfg, const struct adit_ike_settings *s)
{
    struct copy c = { &cfg->arena, true };
    struct adit_ike_settings copy = *s;
    copy.options = copy_options(&c, s->options, s->n_options);
    copy.ke_pool = copy_str(&c, s->ke_pool);
    if (!c.ok)
        return ADIT_ERR_MEMORY;
    cfg->settings = copy;
    return ADIT_OK;
}

size_t adit_config_conns(const struct adit_config *cfg, const struct adit_conn *const **out)
{
    *out = (const struct adit_conn *const *)cfg->conns.v;
    return cfg->conns.n;
}

size_t adit_config_shared(const struct adit_config *cfg, const struct adit_shared *const **out)
{
    *out = (const struct adit_shared *const *)cfg->shared.v;
    return cfg->shared.n;
}

size_t adit_config_certs(const struct adit_config *cfg, const struct adit_cert *const **out)
{
    *out = (const struct adit_cert *const *)cfg->certs.v;
    return cfg->certs.n;
}

size_t adit_config_keys(const struct adit_config *cfg, const struct adit_key *const **out)
{
    *out = (const struct adit_key *const *)cfg->keys.v;
    return cfg->keys.n;
}

size_t adit_config_pools(const struct adit_config *cfg, const struct adit_pool *const **out)
{
    *out = (const struct adit_pool *const *)cfg->pools.v;
    return cfg->pools.n;
}

const struct adit_pool *adit_config_pool(const struct adit_config *cfg, const char *name)
{
    size_t i = rows_find(&cfg->pools, name, pool_name);
    return i == SIZE_MAX ? NULL : cfg->pools.v[i];
}

const struct adit_ike_settings *adit_config_get_settings(const struct adit_config *cfg)
{
    return &cfg->settings;
}

const struct adit_conn *adit_config_conn(const struct adit_config *cfg, const char *name)
{
    size_t i = conn_index(cfg, name);
    return i == SIZE_MAX ? NULL : cfg->conns.v[i];
}

const struct adit_child_cfg *conn_child(const struct adit_conn *conn, const char *name)
{
    for (uint16_t i = 0; i < conn->n_children; i++) {
        if (!strcmp(conn->children[i].name, name))
            return &conn->children[i];
    }
    return NULL;
}

const char *adit_option_get(const struct adit_option *options, uint16_t n, const char *key)
{
    for (uint16_t i = 0; i < n; i++) {
        if (!strcmp(options[i].key, key))
            return options[i].value;
    }
    return NULL;
}
