/* sources.h - where configuration came from: the files, and what clients loaded by VICI. A change is made on a copy,
 * built into one snapshot, and takes the original's place only if the engine accepts it: all or nothing.
 * Each VICI item is held by a small snapshot of its own, so that copies share it. */
#ifndef DAEMON_SOURCES_H
#define DAEMON_SOURCES_H

#include "adit/config.h"
#include "base/list.h"

enum source_kind { SOURCE_CONN, SOURCE_SHARED, SOURCE_CERT, SOURCE_KEY, SOURCE_AUTHORITY, SOURCE_POOL };
struct source_item {
    enum source_kind kind;
    char *id;                   /* conn, shared, key, authority, pool: its name; "" = none */
    struct adit_config *holder; /* one conn, shared, cert, key or pool */
};
struct sources {
    struct adit_config *files; /* NULL = none loaded */
    struct source_item *v;     /* in order of loading */
    size_t n;
};
/* Numbers of policies that stay the same over reloads: for children whose reqid is not configured. */
struct reqids {
    struct list names;
    uint32_t last;
};

void sources_fini(struct sources *s);
ADIT_MUST_USE enum adit_rc sources_copy(struct sources *to, const struct sources *from);
/* Replaces the item of this kind and id in place (no id: only an equal certificate), or appends. Takes a reference of
 * its own. */
ADIT_MUST_USE enum adit_rc sources_put(struct sources *s, enum source_kind kind, const char *id,
                                       struct adit_config *holder);
/* false: there was none. */
bool sources_del(struct sources *s, enum source_kind kind, const char *id);
void sources_clear(struct sources *s, enum source_kind kind);
const struct source_item *sources_find(const struct sources *s, enum source_kind kind, const char *id);
/* One snapshot of everything; VICI's connections replace equal names of the files. */
ADIT_MUST_USE enum adit_rc sources_build(const struct sources *s, const struct adit_ike_settings *settings,
                                         struct reqids *reqids, struct adit_config **out,
                                         struct adit_why *why);

void reqids_init(struct reqids *r);
void reqids_fini(struct reqids *r);
/* The number of conn/child, made if it is new; 0: memory is out. */
uint32_t reqids_get(struct reqids *r, const char *conn, const char *child);

#endif
