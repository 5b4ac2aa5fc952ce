/* policy_stock.c - of which key exchange methods key pairs are made ahead: those that `ke_pool` names, or (auto) one of each
 * slow method that a connection offers. */
#include "ike/policy.h"
#include "base/why.h"

static void want(struct policy *p, uint16_t method)
{
    for (size_t i = 0; i < p->n_stock; i++)
        if (p->stock[i].method == method)
            return;
    if (p->n_stock < KE_POOL_MAX)
        p->stock[p->n_stock++] = (struct ke_pool_item){ method, 1 };
}

static void want_slow(struct policy *p, const struct proposal_list *list)
{
    for (uint16_t i = 0; list && i < list->n; i++)
        for (uint8_t k = 0; k < list->v[i].n; k++) {
            const struct transform *t = &list->v[i].t[k];
            bool ke = t->type == TT_KE || (t->type >= TT_ADDKE1 && t->type <= TT_ADDKE7);
            const struct ke_alg *alg = ke ? crypto_ke(p->crypto, t->id) : NULL;
            if (alg && alg->cost == CRYPTO_SLOW)
                want(p, t->id);
        }
}

static void want_what_is_configured(struct policy *p)
{
    for (size_t i = 0; i < p->n_conns; i++) {
        const struct adit_conn *cfg = p->conns[i].cfg;
        want_slow(p, cfg->proposals);
        for (uint16_t k = 0; k < cfg->n_children; k++)
            want_slow(p, cfg->children[k].proposals);
    }
}

enum adit_rc policy_stock_load(struct policy *p, struct adit_why *why)
{
    struct ke_pool pool;
    TRY(ke_pool_parse(p->settings.ke_pool, &pool, why));
    if (pool.automatic)
        want_what_is_configured(p);
    for (size_t i = 0; i < pool.n; i++) {
        const struct ke_alg *alg = crypto_ke(p->crypto, pool.v[i].method);
        const char *word = iana_name(IANA_KE, pool.v[i].method);
        if (!alg)
            return why_set(why, ADIT_ERR_CONFIG, "ke_pool: %s is not available here", word);
        if (alg->cost == CRYPTO_CHEAP)
            return why_set(why, ADIT_ERR_CONFIG, "ke_pool: a key of %s is made as fast as it is found; leave it out", word);
        p->stock[p->n_stock++] = pool.v[i];
    }
    return ADIT_OK;
}
