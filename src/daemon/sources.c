/* sources.c - see sources.h. */
#include "daemon/sources.h"
#include <string.h>
#include "base/mem.h"
#include "base/span.h"
#include "base/why.h"

#define REQID_FIRST 0x10000000 /* above what people configure */

struct reqid_name {
    struct list node;
    char *conn, *child;
    uint32_t reqid;
};

/* --- reqids ------------------------------------------------------------------------------------------------------------ */

static void name_free(struct reqid_name *n)
{
    mem_del(n->conn);
    mem_del(n->child);
    mem_del(n);
}

void reqids_init(struct reqids *r)
{
    list_init(&r->names);
    r->last = REQID_FIRST;
}

void reqids_fini(struct reqids *r)
{
    list_for_each_safe (it, &r->names)
        name_free(list_entry(it, struct reqid_name, node));
    list_init(&r->names);
}

uint32_t reqids_get(struct reqids *r, const char *conn, const char *child)
{
    list_for_each (it, &r->names) {
        struct reqid_name *n = list_entry(it, struct reqid_name, node);
        if (!strcmp(n->conn, conn) && !strcmp(n->child, child))
            return n->reqid;
    }
    struct reqid_name *n = mem_new(sizeof(*n));
    if (!n)
        return 0;
    n->conn = mem_strdup(conn);
    n->child = mem_strdup(child);
    if (!n->conn || !n->child) {
        name_free(n);
        return 0;
    }
    n->reqid = ++r->last;
    list_append(&r->names, &n->node);
    return n->reqid;
}

/* --- items ------------------------------------------------------------------------------------------------------------- */

static void item_fini(struct source_item *it)
{
    mem_del(it->id);
    adit_config_unref(it->holder);
}

void sources_fini(struct sources *s)
{
    for (size_t i = 0; i < s->n; i++)
        item_fini(&s->v[i]);
    mem_del(s->v);
    adit_config_unref(s->files);
    *s = (struct sources){ 0 };
}

static enum adit_rc append(struct sources *s, enum source_kind kind, const char *id,
                           struct adit_config *holder)
{
    char *name = mem_strdup(id);
    struct source_item *v = name ? mem_resize(s->v, (s->n + 1) * sizeof(*v)) : NULL;
    if (!v) {
        mem_del(name);
        return ADIT_ERR_MEMORY;
    }
    s->v = v;
    v[s->n++] = (struct source_item){ kind, name, adit_config_ref(holder) };
    return ADIT_OK;
}

enum adit_rc sources_copy(struct sources *to, const struct sources *from)
{
    *to = (struct sources){ 0 };
    for (size_t i = 0; i < from->n; i++) {
        if (append(to, from->v[i].kind, from->v[i].id, from->v[i].holder) != ADIT_OK) {
            sources_fini(to);
            return ADIT_ERR_MEMORY;
        }
    }
    to->files = from->files ? adit_config_ref(from->files) : NULL;
    return ADIT_OK;
}

static bool same_cert(struct adit_config *a, struct adit_config *b)
{
    const struct adit_cert *const *ca, *const *cb;
    return adit_config_certs(a, &ca) == 1 && adit_config_certs(b, &cb) == 1 &&
           span_equal(ca[0]->data, cb[0]->data) && ca[0]->use == cb[0]->use;
}

static struct source_item *find(const struct sources *s, enum source_kind kind, const char *id)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].kind == kind && *id && !strcmp(s->v[i].id, id))
            return &s->v[i];
    return NULL;
}

const struct source_item *sources_find(const struct sources *s, enum source_kind kind, const char *id)
{
    return find(s, kind, id);
}

enum adit_rc sources_put(struct sources *s, enum source_kind kind, const char *id, struct adit_config *holder)
{
    struct source_item *old = find(s, kind, id);
    for (size_t i = 0; kind == SOURCE_CERT && !old && i < s->n; i++)
        if (s->v[i].kind == kind && same_cert(s->v[i].holder, holder))
            old = &s->v[i];
    if (!old)
        return append(s, kind, id, holder);
    struct adit_config *before = old->holder;
    old->holder = adit_config_ref(holder);
    adit_config_unref(before);
    return ADIT_OK;
}

static void remove_at(struct sources *s, size_t at)
{
    item_fini(&s->v[at]);
    s->n--;
    for (size_t i = at; i < s->n; i++)
        s->v[i] = s->v[i + 1];
}

bool sources_del(struct sources *s, enum source_kind kind, const char *id)
{
    struct source_item *it = find(s, kind, id);
    if (it)
        remove_at(s, (size_t)(it - s->v));
    return it != NULL;
}

void sources_clear(struct sources *s, enum source_kind kind)
{
    for (size_t i = s->n; i-- > 0;)
        if (s->v[i].kind == kind)
            remove_at(s, i);
}

/* --- building ------------------------------------------------------------------------------------------------------------ */

static enum adit_rc add_conn(struct adit_config *to, const struct adit_conn *conn, struct reqids *reqids)
{
    struct adit_conn copy = *conn;
    struct adit_child_cfg *children = mem_new_array(conn->n_children + 1u, sizeof(*children));
    if (!children)
        return ADIT_ERR_MEMORY;
    for (unsigned i = 0; i < conn->n_children; i++) {
        children[i] = conn->children[i];
        if (!children[i].reqid)
            children[i].reqid = reqids_get(reqids, conn->name, children[i].name);
    }
    copy.children = children;
    enum adit_rc rc = adit_config_add_conn(to, &copy); /* copies deeply */
    mem_del(children);
    return rc;
}

static enum adit_rc add_all(struct adit_config *to, const struct adit_config *from, struct reqids *reqids)
{
    const struct adit_conn *const *conns;
    const struct adit_shared *const *shared;
    const struct adit_cert *const *certs;
    const struct adit_key *const *keys;
    const struct adit_pool *const *pools;
    size_t n = adit_config_conns(from, &conns);
    for (size_t i = 0; i < n; i++)
        TRY(add_conn(to, conns[i], reqids));
    n = adit_config_shared(from, &shared);
    for (size_t i = 0; i < n; i++)
        TRY(adit_config_add_shared(to, shared[i]));
    n = adit_config_certs(from, &certs);
    for (size_t i = 0; i < n; i++)
        TRY(adit_config_add_cert(to, certs[i]));
    n = adit_config_pools(from, &pools);
    for (size_t i = 0; i < n; i++)
        TRY(adit_config_add_pool(to, pools[i]));
    n = adit_config_keys(from, &keys);
    for (size_t i = 0; i < n; i++)
        TRY(adit_config_add_key(to, keys[i]));
    return ADIT_OK;
}

static enum adit_rc fill(struct adit_config *cfg, const struct sources *s,
                         const struct adit_ike_settings *settings, struct reqids *reqids)
{
    TRY(adit_config_settings(cfg, settings));
    if (s->files)
        TRY(add_all(cfg, s->files, reqids));
    for (size_t i = 0; i < s->n; i++)
        TRY(add_all(cfg, s->v[i].holder, reqids));
    return ADIT_OK;
}

enum adit_rc sources_build(const struct sources *s, const struct adit_ike_settings *settings,
                           struct reqids *reqids, struct adit_config **out, struct adit_why *why)
{
    struct adit_config *cfg = adit_config_new();
    enum adit_rc rc = cfg ? fill(cfg, s, settings, reqids) : ADIT_ERR_MEMORY;
    if (rc == ADIT_OK) {
        *out = cfg;
        return ADIT_OK;
    }
    adit_config_unref(cfg);
    return why_set(why, rc, "out of memory");
}
