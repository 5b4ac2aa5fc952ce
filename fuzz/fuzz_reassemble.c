/* fuzz_reassemble.c - joining of IKE fragments against a model that keeps every authentic piece in a table.
 * Input: steps of message (1 octet), number (2), total (2), octets (2); contents follow from all four. */
#include <stdlib.h>
#include "base/mem.h"
#include "base/rd.h"
#include "ike/ext/frag/frag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

#define STEPS 1000

static struct {
    struct frag_key key;
    uint16_t total, have;
    size_t octets;
    bool there[FRAG_MAX];
    size_t size[FRAG_MAX];
    uint8_t salt[FRAG_MAX];
} model;

static bool same(const struct frag_key *a, const struct frag_key *b)
{
    return a->msgid == b->msgid && a->exchange == b->exchange && a->flags == b->flags;
}

static bool model_wants(const struct frag_key *key, struct skf f)
{
    if (!f.number || f.number > f.total || f.total > FRAG_MAX)
        return false;
    if (!model.total || !same(&model.key, key))
        return true;
    return f.total > model.total || (f.total == model.total && !model.there[f.number - 1]);
}

static enum adit_rc model_add(const struct frag_key *key, struct skf f, size_t size, uint8_t salt)
{
    if (!model.total || !same(&model.key, key) || f.total != model.total) {
        mem_wipe(&model, sizeof(model));
        model.key = *key;
        model.total = f.total;
    }
    if (model.octets + size > FRAG_OCTETS_MAX) {
        mem_wipe(&model, sizeof(model));
        return ADIT_ERR_LIMIT;
    }
    model.octets += size;
    model.there[f.number - 1] = true;
    model.size[f.number - 1] = size;
    model.salt[f.number - 1] = salt;
    return ++model.have == model.total ? ADIT_OK : ADIT_WAIT;
}

static uint8_t octet(uint8_t salt, size_t at)
{
    return (uint8_t)(salt + at * 31);
}

static void check_whole(const struct frag_join *j)
{
    size_t at = 0;
    must(j->whole.n == model.octets && j->head.first == model.salt[0] && !j->total && !j->pieces);
    for (uint16_t i = 0; i < model.total; i++)
        for (size_t k = 0; k < model.size[i]; k++)
            must(j->whole.p[at++] == octet(model.salt[i], k));
    must(at == j->whole.n);
    mem_wipe(&model, sizeof(model));
}

static void step(struct frag_join *j, const struct frag_key *key, struct skf f, size_t size, uint8_t salt)
{
    struct frag_head head = { .first = salt };
    struct adit_buf block = { 0 };
    bool wanted = model_wants(key, f);
    must(frag_join_wants(j, key, f, &frag_ordinary) == wanted);
    if (!wanted || buf_resize(&block, size) != ADIT_OK)
        return;
    for (size_t i = 0; i < size; i++)
        block.p[i] = octet(salt, i);
    enum adit_rc want = model_add(key, f, size, salt);
    must(frag_join_add(j, key, f, &head, &block, span(block.p, size), &frag_ordinary, 0) == want);
    must(!block.p);
    if (want == ADIT_OK)
        check_whole(j);
    else
        must(j->total == model.total && j->have == model.have && j->octets == model.octets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rd in = rd_init(span(data, n));
    struct frag_join j = { 0 };
    mem_wipe(&model, sizeof(model));
    for (unsigned i = 0; i < STEPS && in.n >= 7; i++) {
        uint8_t which = rd_u8(&in);
        struct frag_key key = { which & 3, (uint8_t)(35 + (which >> 2 & 1)), (uint8_t)(which >> 3 & 1) };
        struct skf f = { rd_u16(&in), 0 };
        f.total = rd_u16(&in);
        step(&j, &key, f, rd_u16(&in), (uint8_t)(i + 1));
    }
    frag_join_fini(&j);
    return 0;
}
