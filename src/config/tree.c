/* tree.c - sections, keys and lists, from files or VICI. */
#include "config/config.h"

struct config_node *config_tree_new(struct arena *arena, const char *file)
{
    struct config_node *root = arena_new(arena, sizeof(*root));
    const char *own_file = arena_str(arena, file);
    if (!root || !own_file)
        return NULL;
    root->name = "";
    root->file = own_file;
    return root;
}

/* The value with a NUL behind, so that it can be read as text. */
static uint8_t *copy_value(struct arena *arena, struct adit_span value)
{
    uint8_t *p = arena_new(arena, value.n + 1);
    if (p)
        span_copy(p, value);
    return p;
}

struct config_node *config_tree_add(struct arena *arena, struct config_node *parent, enum config_kind kind,
                                    const char *name, struct adit_span value)
{
    struct config_node *node = parent ? arena_new(arena, sizeof(*node)) : NULL;
    const char *own_name = *name ? arena_str(arena, name) : "";
    uint8_t *own_value = kind == CONFIG_VALUE ? copy_value(arena, value) : NULL;
    if (!node || !own_name || (kind == CONFIG_VALUE && !own_value))
        return NULL;
    *node = (struct config_node){ .kind = kind,
                                  .name = own_name,
                                  .value = { own_value, own_value ? value.n : 0 },
                                  .file = parent->file,
                                  .line = parent->line,
                                  .column = parent->column };
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

const struct config_node *config_tree_get(const struct config_node *section, enum config_kind kind,
                                          const char *name)
{
    for (const struct config_node *node = section ? section->first : NULL; node; node = node->next) {
        bool unset = node->kind == CONFIG_VALUE && !node->value.p;
        if (node->kind == kind && !unset && !strcmp(node->name, name))
            return node;
    }
    return NULL;
}
