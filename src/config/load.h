/* load.h - what the parts of the loader share; private to this room. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/config.h"
#include "config/report.h"
#include "config/schema.h"

/* One load under way. */
struct load {
    const struct config_source *src;
    struct config_report *report;
    struct arena
        *arena; /* of the tree and of everything that is built from it, until the snapshot has its copy */
    const char *dir; /* where credentials lie */
    bool vici;       /* certificates are contents, not file names */
    bool no_memory;
};

/* Arena memory; remembers that it was out. */
void *load_new(struct load *l, size_t n);
/* The contents of a file in a directory beside the main one (NULL: in the same one), or of an absolute path. false:
 * reported at `at`. */
bool load_file(struct load *l, const struct config_node *at, const char *subdir, const char *name,
               struct adit_span *out);

/* --- field.c: one key's value, by its type ------------------------------------------------------------------------ */

/* Parses a key's value into its place in base. Problems are reported at node. */
void field_load(struct load *l, const struct config_key *key, const struct config_node *node, void *base);
/* The row's default. */
void field_default(struct load *l, const struct config_key *key, const char *file, void *base);
ADIT_MUST_USE enum adit_rc field_print(const struct config_key *key, const void *base, struct adit_buf *out);
bool field_equal(const struct config_key *key, const void *a, const void *b);
/* The items of a list, or of a value split at commas; the count. NULL items of 0: none or memory. */
size_t node_items(struct load *l, const struct config_node *node, const struct adit_span **out);

/* --- auth_words.c -------------------------------------------------------------------------------------------------- */
ADIT_MUST_USE enum adit_rc auth_words_check(const char *text, enum adit_auth_class *class,
                                            struct adit_why *why);

/* --- section.c: a section by its rows --------------------------------------------------------------------------------- */

/* Asked for each section inside; false: unknown there. */
typedef bool section_fn(struct load *l, const struct config_node *section, void *arg);
/* Fills base by the rows of scope: defaults, then what is set. Unknown keys and sections are reported. */
void section_load(struct load *l, const struct config_node *section, unsigned scope, void *base,
                  section_fn *inside, void *arg);
/* Extensions' options that are set in the section. */
uint16_t section_options(struct load *l, const struct config_node *section, enum config_option_scope scope,
                         const struct adit_option **out);
/* Does name begin with prefix? (local-1, ike_x; an exact name too) */
bool has_prefix(const char *name, const char *prefix);
/* "unknown key 'x'; did you mean 'y'?" */
void report_unknown(struct load *l, const struct config_node *node, unsigned scope, const char *what);
/* Names that others will see: printable ASCII of at most 127 octets. */
bool check_name(struct load *l, const struct config_node *node);

/* --- connections.c, children.c ------------------------------------------------------------------------------------------ */
void connection_load(struct load *l, const struct config_node *section, struct adit_conn *out);
/* The nth round's section: by `round`, then by place. NULL: there is none. */
const struct config_node *round_section(const struct config_node *conn, const char *prefix, uint16_t nth);
void children_load(struct load *l, const struct config_node *sections, struct adit_conn *out);
/* Computed defaults, after the keys. */
void connection_lifetimes(struct load *l, const struct config_node *section, struct adit_conn *conn);
void child_lifetimes(struct load *l, const struct config_node *section, struct adit_child_cfg *child);

/* --- tunnels.c: rewrites `tunnels` into `connections` and `secrets` ------------------------------------------------------- */
void tunnels_expand(struct load *l, struct config_node *root);

/* --- secrets.c, credentials.c: into the snapshot ----------------------------------------------------------------------------- */
void secrets_load(struct load *l, const struct config_node *secrets, struct adit_config *cfg);
void credentials_load(struct load *l, const struct config_node *secrets, struct adit_config *cfg);
void authorities_load(struct load *l, const struct config_node *authorities, struct adit_config *cfg);
/* pools.c */
void pools_load(struct load *l, const struct config_node *pools, struct adit_config *cfg);
void pool_load(struct load *l, const struct config_node *section, struct adit_config *cfg);
/* For rc of adit_config_add_*(): remembers lack of memory. */
void load_check(struct load *l, enum adit_rc rc);

/* load.c: the tree of the main file with tunnels expanded; false: reported. */
bool load_tree(struct load *l, const char *path, struct config_node **root);

#endif
