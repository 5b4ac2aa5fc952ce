/* settings.c - the grammar of swanctl.conf and strongswan.conf: sections merge, the last value of a key wins in the
 * place of the first, `a : b {}` inherits what `a` lacks. An error stops its file, not the others. */
#include "config/settings.h"
#include "base/map.h"
#include "config/lexer.h"
#include "config/report.h"
#include "config/text.h"

#define DEPTH_MAX 32   /* sections inside each other */
#define INCLUDE_MAX 10 /* files inside each other, as strongSwan's */

struct config_ref {
    const char *path;
    struct place at;
    struct config_ref *next;
};
/* config_node.resolved */
enum { FRESH, IN_CHILDREN, IN_REFS, DONE };
/* A template is marked by this bit, which outlives resolving. */
#define REFERRED 0x80u

struct reader {
    const struct config_io *io;
    struct arena *arena;
    struct config_report *report;
    struct config_node *root;
    struct map index; /* all nodes, by parent, kind and name: files may hold ten thousands of sections */
    size_t nodes;
    bool no_memory;
};
/* One file under way. */
struct file {
    struct reader *r;
    const char *path;
    unsigned include_depth;
    struct lexer lx;
};

/* --- paths -------------------------------------------------------------------------------------------------------- */

const char *path_directory(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return ".";
    size_t n = slash == path ? 1 : (size_t)(slash - path);
    char *dir = arena_new(arena, n + 1);
    if (dir)
        span_copy((uint8_t *)dir, span(path, n));
    return dir;
}

const char *path_join(struct arena *arena, const char *dir, const char *name)
{
    if (name[0] == '/')
        return arena_str(arena, name);
    struct strbuf out = { .cap = strlen(dir) + strlen(name) + 2 };
    out.p = arena_new(arena, out.cap);
    if (!out.p)
        return NULL;
    strbuf_addf(&out, "%s/%s", dir, name);
    return out.p;
}

/* --- nodes -------------------------------------------------------------------------------------------------------- */

static bool count_node(struct reader *r, struct place at)
{
    if (r->nodes++ == CONFIG_NODES_MAX)
        report_at(r->report, false, at, "more than %d keys and sections", CONFIG_NODES_MAX);
    return r->nodes <= CONFIG_NODES_MAX;
}

static uint64_t node_key(const struct config_node *parent, enum config_kind kind, struct adit_span name)
{
    uint64_t h = map_mix((uintptr_t)parent, kind);
    for (size_t i = 0; i < name.n; i++)
        h = (h ^ name.p[i]) * UINT64_C(0x100000001b3);
    return map_mix(h, name.n);
}

static bool node_is(const struct config_node *node, const struct config_node *parent, enum config_kind kind,
                    struct adit_span name)
{
    return node->parent == parent && node->kind == kind && span_equal(span_str(node->name), name);
}

static struct config_node *find(const struct reader *r, const struct config_node *parent,
                                enum config_kind kind, struct adit_span name)
{
    struct config_node *node = map_get(&r->index, node_key(parent, kind, name));
    if (!node || node_is(node, parent, kind, name))
        return node;
    node = parent->first; /* two of one key */
    while (node && !node_is(node, parent, kind, name))
        node = node->next;
    return node;
}

static struct config_node *make(struct reader *r, struct config_node *parent, enum config_kind kind,
                                const char *name, struct place at)
{
    struct config_node *node = config_tree_add(r->arena, parent, kind, name, SPAN_NONE);
    uint64_t key = node_key(parent, kind, span_str(name));
    if (!node || (!map_get(&r->index, key) && map_put(&r->index, key, node) != ADIT_OK)) {
        r->no_memory = true;
        return NULL;
    }
    node->parent = parent;
    node->file = at.file;
    node->line = at.line;
    node->column = at.column;
    return node;
}

/* The section or key of this name, made if it isn't there. */
static struct config_node *obtain(struct reader *r, struct config_node *parent, enum config_kind kind,
                                  const char *name, struct place at)
{
    struct config_node *node = find(r, parent, kind, span_str(name));
    if (node)
        return node;
    return count_node(r, at) ? make(r, parent, kind, name, at) : NULL;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static struct place here(const struct file *f)
{
    return (struct place){ f->path, f->lx.line, f->lx.column };
}

static bool stop(struct file *f, struct place at, const char *what)
{
    report_at(f->r->report, false, at, "%s", what);
    return false;
}

static bool read_items(struct file *f, struct config_node *section, unsigned depth);
static bool read_file(struct reader *r, const char *path, unsigned include_depth, struct config_node *section,
                      unsigned depth, struct adit_why *why);

static bool lexer_good(struct file *f)
{
    return !f->lx.fail || stop(f, here(f), f->lx.fail);
}

static bool read_value(struct file *f, struct config_node *section, const char *name, struct place at)
{
    lexer_skip(&f->lx); /* '=' */
    struct adit_span value = lexer_value(&f->lx);
    if (!lexer_good(f))
        return false;
    if (f->lx.second_key)
        report_at(f->r->report, true, at,
                  "the value of '%s' reaches to the end of the line; keys want a line each", name);
    struct config_node *node = obtain(f->r, section, CONFIG_VALUE, name, at);
    if (!node)
        return false;
    node->value = value;
    node->file = at.file;
    node->line = at.line;
    node->column = at.column;
    return true;
}

static bool read_ref_path(struct file *f, struct strbuf *path)
{
    for (;;) {
        const char *name = lexer_name(&f->lx);
        if (!name || !*name)
            return stop(f, here(f), "a section's name is expected after ':' or ','");
        strbuf_add(path, name);
        if (lexer_peek(&f->lx) != '.')
            return true;
        strbuf_add(path, ".");
        lexer_skip(&f->lx);
    }
}

static bool add_ref(struct file *f, struct config_node *section, const char *path, struct place at)
{
    struct config_ref *ref = arena_new(f->r->arena, sizeof(*ref)), **end = &section->refs;
    const char *own = arena_str(f->r->arena, path);
    if (!ref || !own) {
        f->r->no_memory = true;
        return false;
    }
    *ref = (struct config_ref){ .path = own, .at = at };
    while (*end)
        end = &(*end)->next;
    *end = ref;
    return true;
}

static bool read_refs(struct file *f, struct config_node *section)
{
    do {
        STRBUF(path, 512);
        lexer_skip(&f->lx); /* ':' or ',' */
        lexer_space(&f->lx);
        struct place at = here(f);
        if (!read_ref_path(f, &path) || !add_ref(f, section, path.p, at))
            return false;
        lexer_space(&f->lx);
    } while (lexer_peek(&f->lx) == ',');
    return true;
}

static bool read_section(struct file *f, struct config_node *parent, const char *name, struct place at,
                         unsigned depth)
{
    struct config_node *section = obtain(f->r, parent, CONFIG_SECTION, name, at);
    if (!section)
        return false;
    if (depth == DEPTH_MAX)
        return stop(f, at, "sections are nested too deep");
    if (lexer_peek(&f->lx) == ':' && !read_refs(f, section))
        return false;
    if (lexer_peek(&f->lx) != '{')
        return stop(f, here(f), "'{' is expected");
    lexer_skip(&f->lx);
    if (!read_items(f, section, depth + 1))
        return false;
    if (lexer_peek(&f->lx) != '}') {
        report_at(f->r->report, false, at, "section '%s' is not closed by '}'", name);
        return false;
    }
    lexer_skip(&f->lx);
    return true;
}

struct include {
    struct file *f;
    struct config_node *section;
    unsigned depth;
    bool good;
    struct place at;
};

static void include_one(void *arg, const char *path)
{
    struct include *inc = arg;
    struct adit_why why = { 0 };
    unsigned errors = inc->f->r->report->errors;
    if (inc->good && !read_file(inc->f->r, path, inc->f->include_depth + 1, inc->section, inc->depth, &why)) {
        inc->good = false;
        if (inc->f->r->report->errors == errors) /* it could not be read at all */
            report_at(inc->f->r->report, false, inc->at, "include: %s", why.text);
    }
}

static bool read_include(struct file *f, struct config_node *section, struct place at, unsigned depth)
{
    struct adit_why why = { 0 };
    const char *pattern = lexer_pattern(&f->lx), *dir = path_directory(f->r->arena, f->path);
    if (!lexer_good(f))
        return false;
    if (!*pattern)
        return stop(f, at, "include: a file name or pattern is expected");
    if (f->include_depth == INCLUDE_MAX)
        return stop(f, at, "include: files are nested too deep");
    const char *full = dir ? path_join(f->r->arena, dir, pattern) : NULL;
    if (!full)
        return !(f->r->no_memory = true);
    struct include inc = { f, section, depth, true, at };
    if (f->r->io->glob(f->r->io->arg, full, include_one, &inc, &why) != ADIT_OK) {
        report_at(f->r->report, false, at, "include: %s", why.text);
        return false;
    }
    return inc.good;
}

/* `include` is a key as well: "include = x". */
static bool is_include(struct file *f, const char *name)
{
    if (strcmp(name, "include") || (lexer_peek(&f->lx) != ' ' && lexer_peek(&f->lx) != '\t'))
        return false;
    const uint8_t *p = f->lx.p;
    while (p < f->lx.end && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    return p == f->lx.end || *p != '=';
}

static bool read_item(struct file *f, struct config_node *section, unsigned depth)
{
    struct place at = here(f);
    const char *name = lexer_name(&f->lx);
    if (!lexer_good(f))
        return false;
    if (!*name) {
        report_at(f->r->report, false, at, "a key's or section's name is expected here");
        return false;
    }
    if (is_include(f, name))
        return read_include(f, section, at, depth);
    lexer_space(&f->lx);
    switch (lexer_peek(&f->lx)) {
    case '=': return read_value(f, section, name, at);
    case ':':
    case '{': return read_section(f, section, name, at, depth);
    default: report_at(f->r->report, false, here(f), "'=' or '{' is expected after '%s'", name); return false;
    }
}

/* Up to the end of the file or, in a section, the '}' that closes it. */
static bool read_items(struct file *f, struct config_node *section, unsigned depth)
{
    for (;;) {
        lexer_space(&f->lx);
        if (f->lx.p == f->lx.end || lexer_peek(&f->lx) == '}')
            return true;
        if (!read_item(f, section, depth))
            return false;
    }
}

static bool read_file(struct reader *r, const char *path, unsigned include_depth, struct config_node *section,
                      unsigned depth, struct adit_why *why)
{
    struct adit_buf text = { 0 };
    struct file f = { .r = r, .path = arena_str(r->arena, path), .include_depth = include_depth };
    r->no_memory |= !f.path;
    bool good = f.path && r->io->read(r->io->arg, path, &text, why) == ADIT_OK;
    if (good) {
        lexer_init(&f.lx, buf_span(&text), r->arena);
        good = read_items(&f, section, depth);
        if (good && f.lx.p != f.lx.end)
            good = stop(&f, here(&f), "'}' without a section that it could close");
        lexer_fini(&f.lx);
    }
    buf_wipe(&text); /* it may hold secrets */
    return good;
}

/* --- references --------------------------------------------------------------------------------------------------- */

static void resolve(struct reader *r, struct config_node *node, unsigned depth);

static struct config_node *lookup(struct reader *r, const struct config_ref *ref, unsigned depth)
{
    struct config_node *node = r->root;
    struct words w = { ref->path, '.' };
    struct adit_span name;
    while (node && words_next(&w, &name)) {
        if (node != r->root)
            resolve(r, node, depth + 1); /* the rest of the path may be inherited */
        node = find(r, node, CONFIG_SECTION, name);
        if (node)
            node->resolved |= REFERRED;
    }
    return node;
}

/* Copies into `to` what it lacks; its own keys stay first. */
static void inherit(struct reader *r, struct config_node *to, const struct config_node *from, unsigned depth)
{
    for (const struct config_node *node = from->first; node && !r->no_memory && depth < DEPTH_MAX;
         node = node->next) {
        struct config_node *own = find(r, to, node->kind, span_str(node->name));
        if (!own) {
            own = obtain(r, to, node->kind, node->name, place_of(node));
            if (!own)
                return;
            own->value = node->value;
            own->resolved = DONE;
        }
        if (node->kind == CONFIG_SECTION && own != node)
            inherit(r, own, node, depth + 1);
    }
}

static void resolve_ref(struct reader *r, struct config_node *node, const struct config_ref *ref,
                        unsigned depth)
{
    struct config_node *target = lookup(r, ref, depth);
    if (!target) {
        report_at(r->report, false, ref->at, "section '%s' does not exist", ref->path);
        return;
    }
    resolve(r, target, depth + 1);
    if ((target->resolved & ~REFERRED) == IN_CHILDREN)
        report_at(r->report, true, ref->at, "'%s' encloses what refers to it: ignored", ref->path);
    else if (target != node)
        inherit(r, node, target, 0);
}

/* Children first, so that what they refer to goes before what their parent inherits. Loops are cut. */
static void resolve(struct reader *r, struct config_node *node, unsigned depth)
{
    uint8_t mark = node->resolved & REFERRED;
    if ((node->resolved & ~REFERRED) != FRESH || r->nodes > CONFIG_NODES_MAX)
        return;
    if (depth > 4 * DEPTH_MAX) {
        report_error(r->report, node, "references are nested too deep");
        return;
    }
    node->resolved = mark | IN_CHILDREN;
    for (struct config_node *child = node->first; child; child = child->next) {
        if (child->kind == CONFIG_SECTION)
            resolve(r, child, depth + 1);
    }
    node->resolved = (node->resolved & REFERRED) | IN_REFS;
    for (const struct config_ref *ref = node->refs; ref; ref = ref->next)
        resolve_ref(r, node, ref, depth);
    node->resolved = (node->resolved & REFERRED) | DONE;
}

bool settings_is_template(const struct config_node *section)
{
    return section->resolved & REFERRED;
}

static enum adit_rc read_tree(struct reader *r, const char *path, struct adit_why *why)
{
    struct adit_why own = { 0 };
    unsigned errors = r->report->errors;
    bool good = read_file(r, path, 0, r->root, 0, &own);
    for (struct config_node *node = r->root->first; good && node; node = node->next) {
        if (node->kind == CONFIG_SECTION)
            resolve(r, node, 0);
    }
    if (r->no_memory)
        return why_set(why, ADIT_ERR_MEMORY, "no memory for %s", path);
    if (!good && r->report->errors == errors)
        return why_set(why, own.rc ? own.rc : ADIT_ERR_IO, "%s", own.text);
    return ADIT_OK;
}

enum adit_rc settings_read(const struct config_io *io, const char *path, struct arena *arena,
                           struct config_report *report, struct config_node **root, struct adit_why *why)
{
    struct reader r = { .io = io, .arena = arena, .report = report };
    *root = r.root = config_tree_new(arena, path);
    if (!r.root)
        return why_set(why, ADIT_ERR_MEMORY, "no memory for %s", path);
    map_init(&r.index, 0); /* names come from the administrator, not from a peer */
    enum adit_rc rc = read_tree(&r, path, why);
    map_fini(&r.index);
    return rc;
}
