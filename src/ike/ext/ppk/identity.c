/* identity.c - names of PPKs: read, written, and the secret that goes by one. See ppk.h. */
#include "ike/ext/ppk/ppk.h"
#include "base/rd.h"

bool ppk_id_get(struct adit_span data, struct ppk_id *out)
{
    struct rd in = rd_init(data);
    out->type = rd_u8(&in);
    out->identity = rd_rest(&in);
    return rd_ok(&in) && out->identity.n > 0;
}

void ppk_id_put(struct wr *w, const struct ppk_id *id)
{
    uint8_t mem[1 + PPK_IDENTITY_MAX];
    struct wr data;
    wr_init(&data, mem, sizeof(mem));
    wr_u8(&data, id->type);
    wr_span(&data, id->identity);
    notify_put(w, N_PPK_IDENTITY, wr_written(&data));
}

bool ppk_identity(const char *text, struct adit_buf *out)
{
    struct arena arena = { 0 };
    struct adit_id id;
    struct adit_why why;
    bool named = id_parse(text, &arena, NULL, NULL, &id, &why) == ADIT_OK && id.type;
    struct adit_span octets = named ? id.data : span_str(text); /* e.g. a distinguished name: as it stands */
    bool ok = octets.n > 0 && octets.n <= PPK_IDENTITY_MAX && buf_set(out, octets) == ADIT_OK;
    arena_fini(&arena);
    return ok;
}

/* 2: by name; 1: anybody's; 0: somebody else's. The kind of identity does not count: PPK_ID has none. */
static int rank(const struct adit_shared *ppk, struct adit_span identity)
{
    int best = ppk->n_owners ? 0 : 1;
    for (uint16_t i = 0; i < ppk->n_owners; i++) {
        const struct adit_id *owner = &ppk->owners[i];
        int r = !owner->type ? 1 : span_equal(owner->data, identity) ? 2 : 0;
        best = r > best ? r : best;
    }
    return best;
}

const struct adit_shared *ppk_find(const struct ike_sa *sa, struct adit_span identity)
{
    const struct adit_shared *ppk, *best = NULL;
    int best_rank = 0;
    for (size_t i = 0; (ppk = sa_next_shared(sa, ADIT_SHARED_PPK, &i));) {
        int r = rank(ppk, identity);
        if (r > best_rank) {
            best = ppk;
            best_rank = r;
        }
    }
    return best;
}
