/* ke_pool.c - `ke_pool = mceliece8192128f:2, frodoa5`: of which key exchange methods how many keys are made ahead. */
#include "base/why.h"
#include "model/model.h"
#include "wire/iana.h"

static enum adit_rc read_keys(struct adit_span text, struct adit_span count, struct ke_pool_item *item, struct adit_why *why)
{
    unsigned keys = 0;
    for (size_t i = 0; i < count.n && i < 4; i++)
        keys = count.p[i] >= '0' && count.p[i] <= '9' ? keys * 10 + (unsigned)(count.p[i] - '0') : KE_POOL_KEYS_MAX + 1;
    if (!count.n || keys < 1 || keys > KE_POOL_KEYS_MAX)
        return why_set(why, ADIT_ERR_CONFIG, "ke_pool: '%.*s': 1 to %d keys of a method", (int)(text.n > 60 ? 60 : text.n),
                       (const char *)text.p, KE_POOL_KEYS_MAX);
    item->keys = (uint8_t)keys;
    return ADIT_OK;
}

/* "frodoa5" or "frodoa5:2" */
static enum adit_rc read_item(struct adit_span text, struct ke_pool_item *item, struct adit_why *why)
{
    size_t colon = 0;
    struct transform t;
    while (colon < text.n && text.p[colon] != ':')
        colon++;
    *item = (struct ke_pool_item){ .keys = 1 };
    if (!iana_keyword_get((const char *)text.p, colon, &t) || t.type != TT_KE || t.id == KE_NONE)
        return why_set(why, ADIT_ERR_CONFIG, "ke_pool: '%.*s' is no key exchange method", (int)(colon > 60 ? 60 : colon),
                       (const char *)text.p);
    item->method = t.id;
    return colon < text.n ? read_keys(text, span_from(text, colon + 1), item, why) : ADIT_OK;
}

static struct adit_span next_item(const char **at)
{
    *at += strspn(*at, ", \t");
    struct adit_span item = span(*at, strcspn(*at, ", \t"));
    *at += item.n;
    return item;
}

enum adit_rc ke_pool_parse(const char *text, struct ke_pool *out, struct adit_why *why)
{
    *out = (struct ke_pool){ .automatic = !text || !strcmp(text, "auto") };
    if (out->automatic || !strcmp(text, "no"))
        return ADIT_OK;
    for (struct adit_span item; (item = next_item(&text)).n; out->n++) {
        if (out->n == KE_POOL_MAX)
            return why_set(why, ADIT_ERR_CONFIG, "ke_pool: more than %d methods", KE_POOL_MAX);
        TRY(read_item(item, &out->v[out->n], why));
        for (size_t i = 0; i < out->n; i++)
            if (out->v[i].method == out->v[out->n].method)
                return why_set(why, ADIT_ERR_CONFIG, "ke_pool: '%.*s' stands there twice", (int)item.n, (const char *)item.p);
    }
    return ADIT_OK;
}
