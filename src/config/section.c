/* section.c - fills a struct from a section by the schema's rows; whatever has no row is an error with the nearest. */
#include <inttypes.h>
#include "config/load.h"
#include "config/text.h"

#define NAMES_MAX 256 /* offered by "did you mean" */

bool has_prefix(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

bool check_name(struct load *l, const struct config_node *node)
{
    size_t n = strlen(node->name);
    for (size_t i = 0; i < n; i++) {
        if (node->name[i] < 0x20 || node->name[i] > 0x7e) {
            report_error(l->report, node, "a name holds printable ASCII characters only");
            return false;
        }
    }
    if (n > 127) /* some VICI clients read lengths as signed octets */
        report_error(l->report, node, "a name has at most 127 characters");
    return n <= 127;
}

static const char *const option_prefix_scope[] = {
    [CONFIG_OPT_CONN] = "connection", [CONFIG_OPT_CHILD] = "child", [CONFIG_OPT_DAEMON] = "daemon"
};

static int option_scope(unsigned scope)
{
    switch (scope) {
    case SCOPE_CONN: return CONFIG_OPT_CONN;
    case SCOPE_CHILD: return CONFIG_OPT_CHILD;
    case SCOPE_DAEMON: return CONFIG_OPT_DAEMON;
    default: return -1;
    }
}

static const struct config_option *find_option(const struct config_source *src, int scope, const char *name)
{
    for (size_t i = 0; scope >= 0 && i < src->n_options; i++) {
        if ((int)src->options[i].scope == scope && !strcmp(src->options[i].key, name))
            return &src->options[i];
    }
    return NULL;
}

/* Where a key belongs that stands in the wrong section; NULL if it is known nowhere, or in several. */
static const char *home_of(const char *name, unsigned scope)
{
    static const struct {
        unsigned scope;
        const char *words;
    } homes[] = { { SCOPE_CONN, "the connection itself" },
                  { SCOPE_LOCAL | SCOPE_REMOTE, "`local` or `remote`" },
                  { SCOPE_CHILD, "a section in `children`" } };
    size_t rows;
    const struct config_key *keys = schema_keys(&rows);
    const char *home = NULL;
    for (size_t i = 0; i < rows; i++) {
        if ((keys[i].scopes & scope) && !strcmp(keys[i].name, name))
            return NULL; /* at home, but no section */
        for (size_t h = 0; h < ARRAY_LEN(homes); h++) {
            bool fits = (scope & (SCOPE_CONN | SCOPE_LOCAL | SCOPE_REMOTE | SCOPE_CHILD)) &&
                        (keys[i].scopes & homes[h].scope) && !strcmp(keys[i].name, name);
            if (fits && home && home != homes[h].words)
                return NULL;
            home = fits ? homes[h].words : home;
        }
    }
    return home;
}

void report_unknown(struct load *l, const struct config_node *node, unsigned scope, const char *what)
{
    const char *names[NAMES_MAX];
    size_t n = 0, rows, num_sections;
    const struct config_key *keys = schema_keys(&rows);
    const struct config_section *sections = schema_sections(&num_sections);
    for (size_t i = 0; i < rows && n < NAMES_MAX; i++) {
        if (keys[i].scopes & scope)
            names[n++] = keys[i].name;
    }
    for (size_t i = 0; i < l->src->n_options && n < NAMES_MAX; i++) {
        if ((int)l->src->options[i].scope == option_scope(scope))
            names[n++] = l->src->options[i].key;
    }
    for (size_t i = 0; i < num_sections && n < NAMES_MAX; i++) {
        if (sections[i].inside ? sections[i].inside & scope : !scope)
            names[n++] = sections[i].name;
    }
    const char *nearest = word_nearest(node->name, names, n), *home = home_of(node->name, scope);
    if (home)
        report_error(l->report, node, "'%s' stands in the wrong section; it belongs into %s", node->name,
                     home);
    else if (nearest && strcmp(nearest, node->name))
        report_error(l->report, node, "unknown %s '%s'; did you mean '%s'?", what, node->name, nearest);
    else if (nearest)
        report_error(l->report, node, "'%s' is no %s", node->name, what);
    else
        report_error(l->report, node, "unknown %s '%s'", what, node->name);
}

/* Why not, in one line: "label is not supported by this version: no security labels yet". */
static void report_verdict(struct load *l, const struct config_node *node, bool warning, const char *shown,
                           enum verdict verdict, const char *reason)
{
    report_at(l->report, warning, place_of(node), "%s is %s%s%s", shown, verdict_text(verdict),
              *reason ? ": " : "", reason);
}

/* Is the value one of these words? "no" and "yes" in all their forms. */
static bool is_among(const char *words, const struct config_node *node)
{
    bool flag;
    if (!words || node->kind != CONFIG_VALUE)
        return false;
    if (word_index(words, node->value) >= 0)
        return true;
    return value_bool((const char *)node->value.p, &flag) && !strcmp(words, flag ? "yes" : "no");
}

static void load_refused(struct load *l, const struct config_key *key, const struct config_node *node)
{
    if (is_among(key->neutral, node))
        return;
    bool warning = key->verdict == V_IGNORED || is_among(key->warned, node);
    report_verdict(l, node, warning, key->name, key->verdict, key->reason);
}

static void load_key(struct load *l, const struct config_key *key, const struct config_node *node,
                     unsigned scope, void *base)
{
    const struct config_bad_value *no = NULL;
    if (key->verdict != V_HAVE) {
        load_refused(l, key, node);
        return;
    }
    if (node->kind == CONFIG_VALUE)
        no = schema_bad_value(scope, key->name, (const char *)node->value.p);
    if (no) {
        STRBUF(shown, 128);
        strbuf_addf(&shown, "%s = %s", no->key, no->value);
        report_verdict(l, node, false, shown.p, no->verdict, no->reason);
        return;
    }
    if (key->type != F_SPECIAL)
        field_load(l, key, node, base);
}

/* --- options of extensions -------------------------------------------------------------------------------------------- */

static bool option_number(const struct config_option *option, const char *text, struct strbuf *out)
{
    uint64_t v;
    bool ok = option->type == CONFIG_OPT_TIME ? value_time(text, true, &v)
                                              : value_number(span_str(text), UINT32_MAX, &v);
    strbuf_addf(out, "%" PRIu64, v);
    return ok;
}

static bool option_word(const struct config_option *option, const char *text, struct strbuf *out)
{
    int index = word_index(option->words, span_str(text));
    struct words w = { option->words, '|' };
    struct adit_span word = { 0 };
    for (int i = 0; i <= index && words_next(&w, &word); i++)
        ;
    strbuf_addf(out, "%.*s", (int)word.n, (const char *)word.p);
    return index >= 0;
}

/* The value in its one form; false: not of its type. */
static bool option_normal(const struct config_option *option, const char *text, struct strbuf *out)
{
    bool flag;
    switch (option->type) {
    case CONFIG_OPT_BOOL:
        if (!value_bool(text, &flag))
            return false;
        strbuf_add(out, flag ? "yes" : "no");
        return true;
    case CONFIG_OPT_WORD: return option_word(option, text, out);
    case CONFIG_OPT_UINT:
    case CONFIG_OPT_TIME: return option_number(option, text, out);
    default: strbuf_add(out, text); return true;
    }
}

static const char *option_want(const struct config_option *option)
{
    switch (option->type) {
    case CONFIG_OPT_BOOL: return "yes or no";
    case CONFIG_OPT_WORD: return option->words;
    case CONFIG_OPT_UINT: return "a number";
    case CONFIG_OPT_TIME: return "a time: 20s, 2m";
    case CONFIG_OPT_ADDRS: return "a list of IP addresses";
    case CONFIG_OPT_TEXTS: return "a list";
    default: return "a text";
    }
}

static bool is_list(const struct config_option *option)
{
    return option->type == CONFIG_OPT_ADDRS || option->type == CONFIG_OPT_TEXTS;
}

static bool item_fits(const struct config_option *option, struct adit_span item)
{
    char text[64] = { 0 };
    struct adit_addr a;
    if (option->type == CONFIG_OPT_TEXTS)
        return item.n && !memchr(item.p, ',', item.n) && !memchr(item.p, 0, item.n);
    if (item.n >= sizeof(text))
        return false;
    span_copy((uint8_t *)text, item);
    return addr_parse(text, &a);
}

static void load_list(struct load *l, const struct config_option *option, const struct config_node *node,
                      struct adit_option *out)
{
    STRBUF(value, 1024);
    const struct adit_span *items;
    size_t n = node_items(l, node, &items);
    for (size_t i = 0; i < n; i++) {
        if (!item_fits(option, items[i]) || value.n + items[i].n + 2 > value.cap)
            report_error(l->report, node, "%s = %.*s: expected is %s", option->key, (int)items[i].n, (const char *)items[i].p,
                         option_want(option));
        strbuf_addf(&value, "%s%.*s", i ? "," : "", (int)items[i].n, (const char *)items[i].p);
    }
    out->key = option->key;
    out->value = arena_str(l->arena, value.p);
    l->no_memory |= !out->value;
}

static void load_option(struct load *l, const struct config_option *option, const struct config_node *node,
                        struct adit_option *out)
{
    STRBUF(value, 1024);
    const char *text = (const char *)node->value.p;
    if (node->kind != CONFIG_VALUE || strlen(text) != node->value.n || node->value.n >= sizeof(value_mem)) {
        report_error(l->report, node, "%s (option of a %s) is one value", option->key,
                     option_prefix_scope[option->scope]);
        return;
    }
    if (!option_normal(option, text, &value))
        report_error(l->report, node, "%s = %s: expected is %s", option->key, text, option_want(option));
    out->key = option->key;
    out->value = arena_str(l->arena, value.p);
    l->no_memory |= !out->value;
}

uint16_t section_options(struct load *l, const struct config_node *section, enum config_option_scope scope,
                         const struct adit_option **out)
{
    uint16_t n = 0;
    struct adit_option *options = l->src->n_options ? load_new(l, l->src->n_options * sizeof(*options))
                                                    : NULL;
    *out = options;
    for (const struct config_node *node = section ? section->first : NULL; node && options;
         node = node->next) {
        const struct config_option *option = find_option(l->src, (int)scope, node->name);
        bool unset = node->kind == CONFIG_VALUE && !node->value.p;
        if (option && node->kind != CONFIG_SECTION && !unset && n < l->src->n_options)
            (is_list(option) ? load_list : load_option)(l, option, node, &options[n++]);
    }
    return n;
}

/* --- the walk ------------------------------------------------------------------------------------------------------------ */

static void load_node(struct load *l, const struct config_node *node, unsigned scope, void *base)
{
    const struct config_key *key = schema_find(scope, node->name);
    if (find_option(l->src, option_scope(scope), node->name))
        return; /* section_options() reads it */
    if (key)
        load_key(l, key, node, scope, base);
    else
        report_unknown(l, node, scope, "key");
}

void section_load(struct load *l, const struct config_node *section, unsigned scope, void *base,
                  section_fn *inside, void *arg)
{
    size_t rows;
    const struct config_key *keys = schema_keys(&rows);
    for (size_t i = 0; i < rows; i++) {
        if ((keys[i].scopes & scope) && keys[i].verdict == V_HAVE && base)
            field_default(l, &keys[i], section ? section->file : "", base);
    }
    for (const struct config_node *node = section ? section->first : NULL; node; node = node->next) {
        if (node->kind == CONFIG_SECTION) {
            if (!inside || !inside(l, node, arg))
                report_unknown(l, node, scope, "section");
        } else if (node->kind == CONFIG_LIST || node->value.p) {
            load_node(l, node, scope, base);
        }
    }
}
