/* tree.c - a VICI message as a tree of nodes in an arena, and the way back. */
#include <stdlib.h>
#include <strings.h>
#include "base/mem.h"
#include "base/why.h"
#include "vici/vici.h"

struct vici_node *vici_root(struct arena *arena)
{
    struct vici_node *root = arena_new(arena, sizeof(*root));
    if (root)
        root->name = "";
    return root;
}

static uint8_t *copy_text(struct arena *arena, struct adit_span text)
{
    uint8_t *p = arena_new(arena, text.n + 1);
    if (p)
        span_copy(p, text);
    return p;
}

static struct vici_node *add(struct arena *arena, struct vici_node *parent, enum vici_kind kind,
                             struct adit_span name, struct adit_span value)
{
    struct vici_node *node = parent ? arena_new(arena, sizeof(*node)) : NULL;
    const char *own_name = name.n ? (const char *)copy_text(arena, name) : "";
    uint8_t *own_value = kind == VICI_VALUE ? copy_text(arena, value) : NULL;
    if (!node || !own_name || (kind == VICI_VALUE && !own_value))
        return NULL;
    *node =
        (struct vici_node){ .kind = kind, .name = own_name, .value = { own_value, own_value ? value.n : 0 } };
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

struct vici_node *vici_add(struct arena *arena, struct vici_node *parent, enum vici_kind kind,
                           const char *name, struct adit_span value)
{
    return add(arena, parent, kind, span_str(name), value);
}

struct vici_node *vici_add_str(struct arena *arena, struct vici_node *parent, const char *name,
                               const char *text)
{
    return add(arena, parent, VICI_VALUE, span_str(name), span_str(text));
}

/* --- parse -------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct vici_node *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* Equal keys make a message mean different things to different readers. Sorted, since there may be 64k of them. */
static enum adit_rc check_unique(const struct vici_node *section, struct adit_why *why)
{
    size_t n = 0, i = 0;
    enum adit_rc rc = ADIT_OK;
    vici_for_each(child, section) n++;
    const struct vici_node **sorted = n > 1 ? mem_new_array(n, sizeof(struct vici_node *)) : NULL;
    if (n < 2)
        return ADIT_OK;
    if (!sorted)
        return why_set(why, ADIT_ERR_MEMORY, "no memory for a message of %zu keys", n);
    vici_for_each(child, section) sorted[i++] = child;
    qsort(sorted, n, sizeof(struct vici_node *), by_name);
    for (i = 1; i < n && rc == ADIT_OK; i++) {
        if (!strcmp(sorted[i - 1]->name, sorted[i]->name))
            rc = why_set(why, ADIT_ERR_MALFORMED, "message: key '%s' twice in section '%s'", sorted[i]->name,
                         section->name);
    }
    mem_del(sorted);
    return rc;
}

struct open_nodes {
    struct vici_node *v[VICI_DEPTH_MAX + 2]; /* root, sections, one list */
    unsigned n;
};

static enum adit_rc grow(struct open_nodes *open, const struct vici_token *t, struct arena *arena,
                         struct adit_why *why)
{
    static const enum vici_kind kinds[] = { [VICI_SECTION_START] = VICI_SECTION,
                                            [VICI_LIST_START] = VICI_LIST,
                                            [VICI_KEY_VALUE] = VICI_VALUE,
                                            [VICI_LIST_ITEM] = VICI_VALUE };
    if (t->type == VICI_SECTION_END)
        TRY(check_unique(open->v[open->n - 1], why));
    if (t->type == VICI_SECTION_END || t->type == VICI_LIST_END) {
        open->n--;
        return ADIT_OK;
    }
    struct vici_node *node = add(arena, open->v[open->n - 1], kinds[t->type], t->name, t->value);
    if (!node)
        return why_set(why, ADIT_ERR_MEMORY, "no memory for a message");
    if (node->kind != VICI_VALUE)
        open->v[open->n++] = node;
    return ADIT_OK;
}

enum adit_rc vici_parse(struct adit_span message, struct arena *arena, struct vici_node **root,
                        struct adit_why *why)
{
    struct open_nodes open = { { vici_root(arena) }, 1 };
    struct vici_read r;
    struct vici_token t;
    if (!open.v[0])
        return why_set(why, ADIT_ERR_MEMORY, "no memory for a message");
    vici_read_init(&r, message);
    while (vici_read_next(&r, &t))
        TRY(grow(&open, &t, arena, why));
    TRY(vici_read_end(&r, why));
    TRY(check_unique(open.v[0], why));
    *root = open.v[0];
    return ADIT_OK;
}

/* --- write -------------------------------------------------------------------------------------------------- */

static void write_children(struct vici_build *b, const struct vici_node *node);

static void write_node(struct vici_build *b, const struct vici_node *node, bool in_list)
{
    if (node->kind == VICI_SECTION) {
        vici_section(b, node->name);
        write_children(b, node);
        vici_section_end(b);
    } else if (node->kind == VICI_LIST) {
        vici_list(b, node->name);
        write_children(b, node);
        vici_list_end(b);
    } else if (in_list) {
        vici_item(b, node->value);
    } else {
        vici_value(b, node->name, node->value);
    }
}

static void write_children(struct vici_build *b, const struct vici_node *node)
{
    vici_for_each(child, node)
    {
        if (b->fail || b->depth > VICI_DEPTH_MAX)
            return;
        write_node(b, child, node->kind == VICI_LIST);
    }
}

enum adit_rc vici_write(const struct vici_node *root, struct adit_buf *out)
{
    struct vici_build b;
    vici_build_init(&b, out);
    write_children(&b, root);
    return vici_build_finish(&b);
}

/* --- look up ------------------------------------------------------------------------------------------------ */

static struct vici_node *child_of(const struct vici_node *node, struct adit_span name)
{
    struct vici_node *child = node ? node->first : NULL;
    while (child && !span_equal(span_str(child->name), name))
        child = child->next;
    return child;
}

struct vici_node *vici_child(const struct vici_node *node, const char *name)
{
    return child_of(node, span_str(name));
}

struct vici_node *vici_find(const struct vici_node *node, const char *path)
{
    for (;;) {
        size_t n = strcspn(path, ".");
        struct vici_node *child = child_of(node, span(path, n));
        if (!child || !path[n])
            return child;
        node = child;
        path += n + 1;
    }
}

const char *vici_text(const struct vici_node *node, const char *path)
{
    const struct vici_node *found = vici_find(node, path);
    return found && found->kind == VICI_VALUE ? (const char *)found->value.p : NULL;
}

/* The text of an argument; NULL if absent or empty. *rc tells of a section or list in its place. */
static const char *argument(const struct vici_node *node, const char *path, enum adit_rc *rc,
                            struct adit_why *why)
{
    const struct vici_node *found = vici_find(node, path);
    *rc = ADIT_OK;
    if (found && found->kind != VICI_VALUE)
        *rc = why_set(why, ADIT_ERR_CONFIG, "'%s' must be a value, not a %s", path,
                      found->kind == VICI_LIST ? "list" : "section");
    return found && found->kind == VICI_VALUE && found->value.n ? (const char *)found->value.p : NULL;
}

static bool is_one_of(const char *text, const char *const *words)
{
    while (*words && strcasecmp(*words, text))
        words++;
    return *words;
}

enum adit_rc vici_get_bool(const struct vici_node *node, const char *path, bool *out, struct adit_why *why)
{
    static const char *const yes[] = { "yes", "true", "enabled", "1", NULL };
    static const char *const no[] = { "no", "false", "disabled", "0", NULL };
    enum adit_rc rc;
    const char *text = argument(node, path, &rc, why);
    if (!text)
        return rc;
    bool value = is_one_of(text, yes);
    if (!value && !is_one_of(text, no))
        return why_set(why, ADIT_ERR_CONFIG, "'%s' is '%s'; write yes or no", path, text);
    *out = value;
    return ADIT_OK;
}

/* "0x1f" or decimal; "010" is refused, because strongSwan reads it as octal. */
static bool parse_int(const char *text, int64_t *out)
{
    bool minus = text[0] == '-';
    const char *digits = text + minus;
    unsigned base = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') ? 16 : 10;
    uint64_t value = 0;
    digits += base == 16 ? 2 : 0;
    if (!*digits || (base == 10 && digits[0] == '0' && digits[1]))
        return false;
    for (; *digits; digits++) {
        const char *set = "0123456789abcdef", *at = strchr(set, *digits | 0x20);
        unsigned digit = at ? (unsigned)(at - set) : 16;
        if (digit >= base || *digits < '0' || value > ((uint64_t)INT64_MAX - digit) / base)
            return false;
        value = value * base + digit;
    }
    *out = minus ? -(int64_t)value : (int64_t)value;
    return true;
}

enum adit_rc vici_get_int(const struct vici_node *node, const char *path, int64_t *out, struct adit_why *why)
{
    enum adit_rc rc;
    const char *text = argument(node, path, &rc, why);
    if (!text)
        return rc;
    if (!parse_int(text, out))
        return why_set(why, ADIT_ERR_CONFIG, "'%s' is '%s'; write a number (no leading zeros)", path, text);
    return ADIT_OK;
}
