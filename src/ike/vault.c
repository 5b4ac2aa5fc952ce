/* vault.c - what extensions remember for the whole engine, and the part of it that the host may keep for the next one. */
#include "ike/sa.h"

#define VAULT_VERSION 1

static void *vault_of(struct ike *ike, enum ike_ext_id id)
{
    if (!ike->vault[id] && ike_exts[id]->vault)
        ike->vault[id] = mem_new(ike_exts[id]->vault->size);
    return ike->vault[id];
}

void *ext_engine(struct ike_sa *sa, enum ike_ext_id id)
{
    return vault_of(sa->ike, id);
}

void ext_engine_changed(struct ike_sa *sa)
{
    sa->ike->vault_changes++;
}

void vaults_fini(struct ike *ike)
{
    for (unsigned i = 0; i < EXT_COUNT; i++) {
        if (!ike->vault[i])
            continue;
        if (ike_exts[i]->vault->fini)
            ike_exts[i]->vault->fini(ike->vault[i]);
        mem_wipe(ike->vault[i], ike_exts[i]->vault->size);
        mem_del(ike->vault[i]);
    }
}

unsigned adit_ike_changes(const struct adit_ike *engine)
{
    return ((const struct ike *)engine)->vault_changes;
}

/* By name, since the order of extensions may be another one then. */
static void save_one(const struct ike_ext *e, const void *state, struct wr *w)
{
    wr_u8(w, (uint8_t)strlen(e->name));
    wr_span(w, span_str(e->name));
    size_t at = w->n;
    wr_u16(w, 0);
    e->vault->save(state, w);
    wr_set_u16(w, at, (uint16_t)(w->n - at - 2));
}

size_t adit_ike_save(const struct adit_ike *engine, uint8_t *out, size_t room)
{
    const struct ike *ike = (const struct ike *)engine;
    struct wr w;
    wr_init(&w, out, room);
    wr_u8(&w, VAULT_VERSION);
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (ike->vault[i] && ike_exts[i]->vault->save && wr_ok(&w))
            save_one(ike_exts[i], ike->vault[i], &w);
    if (!wr_ok(&w))
        mem_wipe(out, room);
    return wr_written(&w).n;
}

static bool load_one(struct ike *ike, struct adit_span name, struct rd *in)
{
    for (unsigned i = 0; i < EXT_COUNT; i++) {
        const struct ike_vault *v = ike_exts[i]->vault;
        if (!v || !v->load || !span_equal(span_str(ike_exts[i]->name), name))
            continue;
        void *state = vault_of(ike, (enum ike_ext_id)i);
        return state && v->load(state, in, ike->now);
    }
    return true; /* of an extension that is not there any more */
}

bool adit_ike_load(struct adit_ike *engine, const uint8_t *data, size_t n)
{
    struct rd in = rd_init(span(data, n));
    bool good = rd_u8(&in) == VAULT_VERSION;
    while (good && rd_more(&in)) {
        struct adit_span name = rd_take(&in, rd_u8(&in));
        struct rd body = rd_sub(&in, rd_u16(&in));
        good = rd_ok(&in) && load_one((struct ike *)engine, name, &body);
    }
    return good && rd_ok(&in);
}
