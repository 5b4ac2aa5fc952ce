/* settings.h - from a file to a tree of sections and keys, with includes and references resolved. */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "config/config.h"

/* Reads path and what it includes. Syntax errors go to the report (the tree then holds what came before). ADIT_ERR_IO,
 * ADIT_ERR_NOT_FOUND: the file itself can't be read, with *why; ADIT_ERR_MEMORY. */
ADIT_MUST_USE enum adit_rc settings_read(const struct config_io *io, const char *path, struct arena *arena,
                                         struct config_report *report, struct config_node **root,
                                         struct adit_why *why);
/* Is this top-level section there only to be referred to by others? */
bool settings_is_template(const struct config_node *section);
/* Directory of a path, without the slash; "." if it has none. NULL: memory. */
const char *path_directory(struct arena *arena, const char *path);
/* name if it is absolute, else dir/name. NULL: memory. */
const char *path_join(struct arena *arena, const char *dir, const char *name);

#endif
