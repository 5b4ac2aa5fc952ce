/* field.c - one key's value: text to its place in the snapshot's structs, and back to text. */
#include <inttypes.h>
#include "config/load.h"
#include "config/text.h"
#include "wire/iana.h"

#define ITEMS_MAX 1024

/* A value under way. */
struct field {
    struct load *l;
    const struct config_key *key;
    const struct config_node *node;
    const char *text; /* of single values */
    void *to, *count; /* its place; for lists, their count */
};

static void *place_in(const void *base, uint16_t offset)
{
    return (uint8_t *)(uintptr_t)base + offset;
}

void *load_new(struct load *l, size_t n)
{
    void *p = arena_new(l->arena, n);
    l->no_memory |= !p;
    return p;
}

static void bad(struct field *f, const char *want)
{
    report_error(f->l->report, f->node, "%s = %s: %s", f->key->name, f->text, want);
}

/* --- lists -------------------------------------------------------------------------------------------------------- */

static size_t count_items(const struct config_node *node)
{
    size_t n = 0;
    struct adit_span word;
    if (node->kind == CONFIG_LIST) {
        for (const struct config_node *item = node->first; item; item = item->next)
            n++;
        return n;
    }
    for (struct words w = { (const char *)node->value.p, ',' }; words_next(&w, &word);)
        n++;
    return n;
}

/* With a NUL behind, so that items are texts too. */
static struct adit_span copy_item(struct load *l, struct adit_span item)
{
    uint8_t *p = load_new(l, item.n + 1);
    if (!p)
        return SPAN_NONE;
    span_copy(p, item);
    return span(p, item.n);
}

size_t node_items(struct load *l, const struct config_node *node, const struct adit_span **out)
{
    size_t max = count_items(node), n = 0;
    struct adit_span *items = max && max <= ITEMS_MAX ? load_new(l, max * sizeof(*items)) : NULL;
    *out = items;
    if (max > ITEMS_MAX)
        report_error(l->report, node, "%s has more than %d items", node->name, ITEMS_MAX);
    if (!items)
        return 0;
    if (node->kind == CONFIG_LIST) {
        for (const struct config_node *item = node->first; item; item = item->next)
            items[n++] = item->value;
        return n;
    }
    struct words w = { (const char *)node->value.p, ',' };
    struct adit_span word;
    while (words_next(&w, &word)) {
        if (word.n)
            items[n++] = copy_item(l, word);
    }
    return l->no_memory ? 0 : n;
}

static void set_list(struct field *f, const void *items, size_t n)
{
    *(const void **)f->to = items;
    *(uint16_t *)f->count = (uint16_t)n;
}

static void load_addrs(struct field *f)
{
    const struct adit_span *items;
    size_t n = node_items(f->l, f->node, &items);
    struct adit_addr_spec *specs = load_new(f->l, n * sizeof(*specs));
    struct adit_why why;
    for (size_t i = 0; specs && i < n; i++) {
        if (addr_spec_parse((const char *)items[i].p, &specs[i], &why) != ADIT_OK)
            report_error(f->l->report, f->node, "%s: %s", f->key->name, why.text);
    }
    set_list(f, specs, specs ? n : 0);
}

static void load_ts(struct field *f)
{
    const struct adit_span *items;
    size_t n = node_items(f->l, f->node, &items);
    struct adit_ts_cfg *ts = load_new(f->l, n * sizeof(*ts));
    struct adit_why why;
    if (n > ADIT_TS_MAX)
        report_error(f->l->report, f->node, "%s has more than %d selectors", f->key->name, ADIT_TS_MAX);
    for (size_t i = 0; ts && i < n; i++) {
        if (ts_parse((const char *)items[i].p, &ts[i], &why) != ADIT_OK)
            report_error(f->l->report, f->node, "%s: %s", f->key->name, why.text);
    }
    set_list(f, ts, ts ? n : 0);
}

static const char **load_strings(struct field *f, size_t *n)
{
    const struct adit_span *items;
    *n = node_items(f->l, f->node, &items);
    const char **texts = load_new(f->l, (*n + 1) * sizeof(*texts));
    for (size_t i = 0; texts && i < *n; i++)
        texts[i] = (const char *)items[i].p;
    return texts;
}

static void load_texts(struct field *f)
{
    size_t n;
    const char **texts = load_strings(f, &n);
    set_list(f, texts, texts ? n : 0);
}

static void load_proposals(struct field *f, uint8_t proto)
{
    size_t n;
    const char **texts = load_strings(f, &n);
    struct adit_why why;
    if (!texts)
        return;
    enum adit_rc rc = proposals_parse(texts, n, proto, f->l->arena, (const struct proposal_list **)f->to,
                                      &why);
    f->l->no_memory |= rc == ADIT_ERR_MEMORY;
    if (rc != ADIT_OK)
        report_error(f->l->report, f->node, "%s: %s", f->key->name, why.text);
}

/* The octets themselves, or a file of them. */
static bool load_cert(struct field *f, const char *dir, struct adit_span item, struct adit_span *out)
{
    const char *text = (const char *)item.p;
    *out = item;
    if (f->l->vici)
        return true;
    if (!value_is_encoded(text))
        return load_file(f->l, f->node, dir, text, out);
    bool good = value_octets(text, f->l->arena, out);
    f->l->no_memory |= !out->p;
    if (!good)
        report_error(f->l->report, f->node, "%s: broken hex or base64", f->key->name);
    return good;
}

static void load_certs(struct field *f, const char *dir)
{
    struct adit_span whole = f->node->value;
    const struct adit_span *items = &whole;
    bool one = f->l->vici && f->node->kind == CONFIG_VALUE; /* PEM may hold commas */
    size_t n = one ? 1 : node_items(f->l, f->node, &items);
    size_t before = *(uint16_t *)f->count;
    struct adit_span *certs = load_new(f->l, (before + n) * sizeof(*certs));
    if (!certs)
        return;
    span_copy((uint8_t *)certs, span(*(const void **)f->to, before * sizeof(*certs)));
    for (size_t i = 0; i < n; i++) {
        if (!load_cert(f, dir, items[i], &certs[before + i]))
            return;
    }
    set_list(f, certs, before + n);
}

/* --- single values -------------------------------------------------------------------------------------------------- */

static void load_number(struct field *f, uint64_t limit)
{
    uint64_t max = f->key->max ? f->key->max : limit, v;
    if (!value_number(span_str(f->text), max, &v) || v < f->key->min) {
        report_error(f->l->report, f->node,
                     "%s = %s: a number from %u to %" PRIu64 " is expected (no leading zeros)", f->key->name,
                     f->text, f->key->min, max);
        return;
    }
    if (f->key->type == F_U16)
        *(uint16_t *)f->to = (uint16_t)v;
    else if (f->key->type == F_U32)
        *(uint32_t *)f->to = (uint32_t)v;
    else
        *(uint64_t *)f->to = v;
}

static void load_bool(struct field *f)
{
    if (!value_bool(f->text, f->to))
        bad(f, "yes or no is expected");
}

static void load_time(struct field *f)
{
    bool sums = f->key->type == F_TIME32;
    uint64_t seconds;
    if (!value_time(f->text, sums, &seconds) || (sums && seconds > UINT32_MAX))
        bad(f, sums ? "a time is expected: 30, 90s, 2m 30s"
                    : "a time is expected: a number and one of s, m, h, d");
    else if (sums)
        *(uint32_t *)f->to = (uint32_t)seconds;
    else
        *(uint64_t *)f->to = seconds;
}

static void load_size(struct field *f)
{
    if (!value_size(f->text, f->to))
        bad(f, "a size is expected: a number and, if wanted, one of k, m, g");
}

static void load_real(struct field *f)
{
    double v;
    if (!value_real(f->text, &v) || v < 0.001 || v > 1e6)
        bad(f, "a number like 1.8 is expected");
    else
        *(double *)f->to = v;
}

static void load_tfc(struct field *f)
{
    uint64_t v = ADIT_TFC_MTU;
    if (strcmp(f->text, "mtu") && !value_number(span_str(f->text), ADIT_TFC_MTU - 1, &v))
        bad(f, "a number of octets is expected, or mtu");
    else
        *(uint16_t *)f->to = (uint16_t)v;
}

/* Words that may be yes and no are so in all forms of these. */
static int word_of(const struct config_key *key, const char *text)
{
    bool flag;
    int i = word_index(key->words, span_str(text));
    if (i >= 0 || !value_bool(text, &flag))
        return i;
    return word_index(key->words, flag ? SPAN_LIT("yes") : SPAN_LIT("no"));
}

static void load_word(struct field *f)
{
    int i = word_of(f->key, f->text);
    if (i < 0)
        report_error(f->l->report, f->node, "%s = %s: one of %s is expected", f->key->name, f->text,
                     f->key->words);
    else if (f->key->type == F_WORD)
        *(unsigned *)f->to = (unsigned)i;
    else if (f->key->type == F_PEER)
        *(const char **)f->to = i == 0 ? NULL : f->text;
}

/* trap|start and old names, as strongSwan's. */
static void load_actions(struct field *f)
{
    static const uint8_t bits[] = { ADIT_ACTION_NONE, ADIT_ACTION_NONE,  ADIT_ACTION_TRAP,
                                    ADIT_ACTION_TRAP, ADIT_ACTION_START, ADIT_ACTION_START, ADIT_ACTION_TRAP };
    struct words w = { f->text, '|' };
    struct adit_span word;
    uint8_t value = 0;
    while (words_next(&w, &word)) {
        int i = word_index("none|clear|trap|route|start|restart|hold", word);
        if (i < 0) {
            bad(f, "none, trap, start or trap|start is expected (for dpd_action: clear, trap, restart)");
            return;
        }
        value |= bits[i];
    }
    *(uint8_t *)f->to = value;
}

static void load_auth(struct field *f)
{
    struct adit_auth_cfg *auth = (void *)((uint8_t *)f->to - offsetof(struct adit_auth_cfg, class));
    struct adit_why why;
    if (auth_words_check(f->text, &auth->class, &why) != ADIT_OK)
        report_error(f->l->report, f->node, "auth: %s", why.text);
    auth->auth = f->text;
}

static void load_id(struct field *f)
{
    struct adit_auth_cfg *auth = (void *)((uint8_t *)f->to - offsetof(struct adit_auth_cfg, id));
    const struct config_source *src = f->l->src;
    struct adit_why why;
    enum adit_rc rc = id_parse(f->text, f->l->arena, src->dn, src->dn_arg, &auth->id, &why);
    f->l->no_memory |= rc == ADIT_ERR_MEMORY;
    if (rc != ADIT_OK)
        report_error(f->l->report, f->node, "id: %s", why.text);
    auth->id_text = f->text;
}

static void load_single(struct field *f)
{
    switch (f->key->type) {
    case F_BOOL: load_bool(f); break;
    case F_U16: load_number(f, UINT16_MAX); break;
    case F_U32: load_number(f, UINT32_MAX); break;
    case F_COUNT: load_number(f, INT64_MAX); break;
    case F_TIME:
    case F_TIME32: load_time(f); break;
    case F_SIZE: load_size(f); break;
    case F_REAL: load_real(f); break;
    case F_NONE:
    case F_WORD:
    case F_PEER: load_word(f); break;
    case F_TFC: load_tfc(f); break;
    case F_TEXT: *(const char **)f->to = f->text; break;
    case F_ACTIONS: load_actions(f); break;
    case F_AUTH: load_auth(f); break;
    case F_ID: load_id(f); break;
    default: break;
    }
}

void field_load(struct load *l, const struct config_key *key, const struct config_node *node, void *base)
{
    struct field f = {
        l, key, node, (const char *)node->value.p, place_in(base, key->offset), place_in(base, key->n_offset)
    };
    switch (key->type) {
    case F_SPECIAL: return;
    case F_ADDRS: load_addrs(&f); return;
    case F_TS: load_ts(&f); return;
    case F_TEXTS: load_texts(&f); return;
    case F_IKE_PROPOSALS:
    case F_ESP_PROPOSALS: load_proposals(&f, key->type == F_IKE_PROPOSALS ? PROTO_IKE : PROTO_ESP); return;
    case F_CERTS:
    case F_CACERTS: load_certs(&f, key->type == F_CERTS ? "x509" : "x509ca"); return;
    default: break;
    }
    if (node->kind == CONFIG_LIST)
        report_error(l->report, node, "%s is one value, not a list", key->name);
    else if (strlen(f.text) != node->value.n)
        report_error(l->report, node, "%s holds a NUL octet", key->name);
    else
        load_single(&f);
}

void field_default(struct load *l, const struct config_key *key, const char *file, void *base)
{
    struct config_node node = {
        .kind = CONFIG_VALUE, .name = key->name, .value = span_str(key->deflt), .file = file
    };
    if (key->deflt && key->type != F_SPECIAL)
        field_load(l, key, &node, base);
}

/* --- print ---------------------------------------------------------------------------------------------------------- */

static enum adit_rc print_list_item(struct adit_buf *out, size_t i, const char *text)
{
    return text_addf(out, "%s%s", i ? ", " : "", text);
}

static enum adit_rc print_addrs(const void *to, uint16_t n, struct adit_buf *out)
{
    const struct adit_addr_spec *v = *(const struct adit_addr_spec *const *)to;
    for (uint16_t i = 0; i < n; i++)
        TRY(print_list_item(out, i, v[i].text));
    return ADIT_OK;
}

static enum adit_rc print_ts(const void *to, uint16_t n, struct adit_buf *out)
{
    const struct adit_ts_cfg *v = *(const struct adit_ts_cfg *const *)to;
    for (uint16_t i = 0; i < n; i++) {
        STRBUF(text, 160);
        ts_cfg_print(&text, &v[i]);
        TRY(print_list_item(out, i, text.p));
    }
    return ADIT_OK;
}

static enum adit_rc print_proposals(const void *to, struct adit_buf *out)
{
    const struct proposal_list *list = *(const struct proposal_list *const *)to;
    for (uint16_t i = 0; list && i < list->n; i++) {
        STRBUF(text, 1024);
        proposal_print(&text, &list->v[i]);
        TRY(print_list_item(out, i, text.p));
    }
    return ADIT_OK;
}

static enum adit_rc print_certs(uint16_t n, struct adit_buf *out)
{
    return n ? text_addf(out, "(%u certificate%s)", n, n == 1 ? "" : "s") : ADIT_OK;
}

static enum adit_rc print_time(uint64_t s, struct adit_buf *out)
{
    if (s && s % 86400 == 0)
        return text_addf(out, "%" PRIu64 "d", s / 86400);
    if (s && s % 3600 == 0)
        return text_addf(out, "%" PRIu64 "h", s / 3600);
    if (s && s % 60 == 0)
        return text_addf(out, "%" PRIu64 "m", s / 60);
    return text_addf(out, "%" PRIu64 "s", s);
}

static enum adit_rc print_word(const char *words, unsigned index, struct adit_buf *out)
{
    struct words w = { words, '|' };
    struct adit_span word = { 0 };
    for (unsigned i = 0; i <= index && words_next(&w, &word); i++)
        ;
    return buf_append(out, word);
}

static enum adit_rc print_actions(uint8_t bits, struct adit_buf *out)
{
    static const char *const texts[] = { "none", "trap", "start", "trap|start" };
    return text_addf(out, "%s", texts[bits & 3]);
}

static enum adit_rc print_text(const char *text, struct adit_buf *out)
{
    return text ? text_addf(out, "%s", text) : ADIT_OK;
}

static enum adit_rc print_id(const struct adit_id *id, struct adit_buf *out)
{
    STRBUF(text, 512);
    if (id->type)
        id_print(&text, id);
    return buf_append(out, span(text.p, text.n));
}

static enum adit_rc print_texts(const void *to, uint16_t n, struct adit_buf *out)
{
    const char *const *v = *(const char *const *const *)to;
    for (uint16_t i = 0; i < n; i++)
        TRY(print_list_item(out, i, v[i]));
    return ADIT_OK;
}

enum adit_rc field_print(const struct config_key *key, const void *base, struct adit_buf *out)
{
    const void *to = place_in(base, key->offset);
    uint16_t n = *(const uint16_t *)place_in(base, key->n_offset);
    switch (key->type) {
    case F_BOOL: return print_text(*(const bool *)to ? "yes" : "no", out);
    case F_U16: return text_addf(out, "%u", *(const uint16_t *)to);
    case F_U32: return text_addf(out, "%u", *(const uint32_t *)to);
    case F_TIME: return print_time(*(const uint64_t *)to, out);
    case F_TIME32: return print_time(*(const uint32_t *)to, out);
    case F_SIZE:
    case F_COUNT:
        return *(const uint64_t *)to ? text_addf(out, "%" PRIu64, *(const uint64_t *)to)
                                     : print_text("off", out);
    case F_REAL: return text_addf(out, "%g", *(const double *)to);
    case F_WORD: return print_word(key->words, *(const unsigned *)to, out);
    case F_TFC:
        return *(const uint16_t *)to == ADIT_TFC_MTU ? print_text("mtu", out)
                                                     : text_addf(out, "%u", *(const uint16_t *)to);
    case F_PEER: return print_text(*(const char *const *)to ? *(const char *const *)to : "auto", out);
    case F_TEXT: return print_text(*(const char *const *)to, out);
    case F_ACTIONS: return print_actions(*(const uint8_t *)to, out);
    case F_ADDRS: return print_addrs(to, n, out);
    case F_TS: return print_ts(to, n, out);
    case F_TEXTS: return print_texts(to, n, out);
    case F_IKE_PROPOSALS:
    case F_ESP_PROPOSALS: return print_proposals(to, out);
    case F_AUTH: return print_text(((const struct adit_auth_cfg *)base)->auth, out);
    case F_ID: return print_id(to, out);
    case F_CERTS:
    case F_CACERTS: return print_certs(n, out);
    default: return ADIT_OK;
    }
}

/* --- equal ------------------------------------------------------------------------------------------------------------ */

static bool spans_equal(const struct adit_span *a, const struct adit_span *b, uint16_t n)
{
    for (uint16_t i = 0; i < n; i++) {
        if (!span_equal(a[i], b[i]))
            return false;
    }
    return true;
}

/* Values are equal if they print alike; where printing says too little, the octets decide. */
bool field_equal(const struct config_key *key, const void *a, const void *b)
{
    struct adit_buf x = { 0 }, y = { 0 };
    bool certs = key->type == F_CERTS || key->type == F_CACERTS;
    bool equal = field_print(key, a, &x) == ADIT_OK && field_print(key, b, &y) == ADIT_OK &&
                 span_equal(buf_span(&x), buf_span(&y));
    if (equal && certs)
        equal = spans_equal(*(const struct adit_span **)place_in(a, key->offset),
                            *(const struct adit_span **)place_in(b, key->offset),
                            *(const uint16_t *)place_in(a, key->n_offset));
    if (equal && key->type == F_ID)
        equal = id_equal(place_in(a, key->offset), place_in(b, key->offset));
    buf_fini(&x);
    buf_fini(&y);
    return equal;
}
