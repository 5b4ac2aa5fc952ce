/* puppet.c - the puppet's life and its verdict. */
#include <stdarg.h>
#include <stdio.h>
#include "conformance/puppet.h"
#include "base/mem.h"
#include "base/why.h"

void association_fini(struct association *a)
{
    sk_fini(&a->keys);
    crypt_free(a->sealer);
    crypt_free(a->opener);
    buf_fini(&a->ni);
    buf_fini(&a->nr);
    buf_fini(&a->init_req);
    buf_fini(&a->init_resp);
    *a = (struct association){ 0 };
}

static void verdict(struct puppet *p, enum conformance_verdict v)
{
    p->out->verdict = v;
    p->over = true;
}

void fail(struct puppet *p, const char *fmt, ...)
{
    va_list args;
    if (p->over)
        return;
    va_start(args, fmt);
    vsnprintf(p->out->text, sizeof(p->out->text), fmt, args);
    va_end(args);
    verdict(p, VERDICT_FAILED);
}

void skip(struct puppet *p, const char *why)
{
    if (p->over)
        return;
    struct strbuf text = { p->out->text, 0, sizeof(p->out->text) };
    strbuf_add(&text, why);
    verdict(p, VERDICT_SKIPPED);
}

void random_octets(struct puppet *p, uint8_t *out, size_t n)
{
    if (!adit_crypto_random(p->params->crypto, out, n))
        fail(p, "no random octets");
}

void another_self(struct puppet *p)
{
    association_fini(&p->old);
    p->old = p->sa;
    p->sa = (struct association){ 0 };
}

void former_self(struct puppet *p)
{
    struct association now = p->sa;
    p->sa = p->old;
    p->old = now;
}

static const struct proposal *parse(struct arena *arena, const char *text, uint8_t proto, struct adit_why *why)
{
    const struct proposal_list *list = NULL;
    if (proposals_parse(&text, 1, proto, arena, &list, why) != ADIT_OK)
        return NULL;
    if (list->n != 1) {
        why_set(why, ADIT_ERR_CONFIG, "'%s' is %u proposals, wanted one", text, list->n);
        return NULL;
    }
    return &list->v[0];
}

/* Exactly one transform a type: what is offered is what is agreed. */
static bool look_up(struct puppet *p, struct adit_why *why)
{
    const struct adit_crypto *c = p->params->crypto;
    for (uint8_t i = 0; i < p->ike->n; i++) {
        const struct transform *t = &p->ike->t[i];
        if (t->type == TT_ENCR)
            p->rows.encr = crypto_encr(c, t->id), p->rows.bits = t->bits;
        else if (t->type == TT_PRF)
            p->rows.prf = crypto_prf(c, t->id);
        else if (t->type == TT_INTEG && t->id)
            p->rows.integ = crypto_integ(c, t->id);
        else if (t->type == TT_KE)
            p->ke = crypto_ke(c, t->id);
        else if (t->type >= TT_ADDKE1 && p->n_add < ROUNDS_MAX)
            p->add[p->n_add++] = crypto_ke(c, t->id);
    }
    bool good = p->rows.encr && p->rows.prf && p->ke;
    for (unsigned i = 0; i < p->n_add; i++)
        good = good && p->add[i];
    for (uint8_t i = 0; i < p->esp->n; i++)
        if (p->esp->t[i].type == TT_KE)
            p->child_ke = crypto_ke(c, p->esp->t[i].id);
    return good || why_set(why, ADIT_ERR_CONFIG, "an algorithm of the IKE proposal is not built in") == ADIT_OK;
}

static bool prepare(struct puppet *p, struct adit_why *why)
{
    p->port = p->params->port;
    p->ike = parse(&p->arena, p->params->ike, PROTO_IKE, why);
    p->esp = p->ike ? parse(&p->arena, p->params->esp, PROTO_ESP, why) : NULL;
    return p->esp && look_up(p, why) && own_load(p, why);
}

struct puppet *puppet_new(const struct conformance_params *params, struct conformance_result *out)
{
    struct adit_why why = { 0 };
    struct puppet *p = mem_new(sizeof(*p));
    *out = (struct conformance_result){ .verdict = VERDICT_PASSED };
    if (!p) {
        out->verdict = VERDICT_FAILED;
        return NULL;
    }
    p->params = params;
    p->out = out;
    if (!prepare(p, &why))
        fail(p, "%s", why.text);
    return p;
}

void puppet_free(struct puppet *p)
{
    if (!p)
        return;
    if (p->ke_state)
        p->ke_state_of->ops->free(p->ke_state);
    association_fini(&p->sa);
    association_fini(&p->old);
    buf_fini(&p->pub);
    buf_fini(&p->nonce);
    buf_fini(&p->said);
    own_free(p);
    secret_fini(&p->shared);
    secret_fini(&p->series.first);
    buf_fini(&p->series.more);
    buf_fini(&p->series.nr);
    buf_fini(&p->series.link);
    arena_fini(&p->arena);
    mem_del(p);
}

enum adit_rc conformance_check(const struct conformance_params *params, struct adit_why *why)
{
    struct conformance_result out;
    struct puppet *p = puppet_new(params, &out);
    puppet_free(p);
    if (out.verdict == VERDICT_PASSED)
        return ADIT_OK;
    return why_set(why, ADIT_ERR_CONFIG, "%s", out.text[0] ? out.text : "out of memory");
}
