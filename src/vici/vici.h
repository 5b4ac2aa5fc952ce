/* vici.h - the VICI management protocol's bytes: packets, messages (streaming and as a tree) and their JSON form.
 * No sockets: the daemon and the tools move the octets. Format: strongSwan's src/libcharon/plugins/vici/README.md. */
#ifndef VICI_VICI_H
#define VICI_VICI_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/rd.h"
#include "base/strbuf.h"
#include "base/wr.h"

#define VICI_PACKET_MAX 524288u /* octets behind the length field */
#define VICI_DEPTH_MAX 16       /* sections inside each other */
#define VICI_ELEMENTS_MAX 65536 /* in one message */
#define VICI_NAME_MAX 255
#define VICI_VALUE_MAX 65535

/* --- packet.c: what travels on the socket ------------------------------------------------------------------- */

enum vici_type {
    VICI_CMD_REQUEST,
    VICI_CMD_RESPONSE,
    VICI_CMD_UNKNOWN,
    VICI_EVENT_REGISTER,
    VICI_EVENT_UNREGISTER,
    VICI_EVENT_CONFIRM,
    VICI_EVENT_UNKNOWN,
    VICI_EVENT
};
struct vici_packet {
    enum vici_type type;
    char name[VICI_NAME_MAX + 1]; /* "" for the types that have none */
    struct adit_span message;     /* borrowed; empty for the types that have none */
};
/* Takes one packet from the front of what was received. ADIT_OK: *used octets belong to it, out borrows from them.
 * ADIT_WAIT: it is not complete yet. ADIT_ERR_MALFORMED (length 0 or above VICI_PACKET_MAX, unknown type, bad name,
 * octets left over): close the connection. The message itself is not looked at. */
ADIT_MUST_USE enum adit_rc vici_packet_take(struct adit_span stream, struct vici_packet *out, size_t *used,
                                            struct adit_why *why);
/* Appends one packet with its length field. name and message as the type wants them (else "" and empty).
 * ADIT_ERR_LIMIT: too long; ADIT_ERR_MEMORY. */
ADIT_MUST_USE enum adit_rc vici_packet_put(struct adit_buf *out, enum vici_type type, const char *name,
                                           struct adit_span message);
/* What follows the type octet. */
bool vici_type_has_name(enum vici_type type);
bool vici_type_has_message(enum vici_type type);

/* --- build.c: a message, element by element ------------------------------------------------------------------ */

/* Failures (too long, too deep, too many, element in a wrong place, no memory) stick; ask vici_build_finish() once. */
struct vici_build {
    struct wr w;
    unsigned depth, elements;
    bool in_list, fail;
};
/* The message replaces out's contents. */
void vici_build_init(struct vici_build *b, struct adit_buf *out);
void vici_section(struct vici_build *b, const char *name);
void vici_section_end(struct vici_build *b);
void vici_value(struct vici_build *b, const char *name, struct adit_span value);
void vici_str(struct vici_build *b, const char *name, const char *text); /* NULL: nothing is written */
/* vici_strf(b, "spi-in", "%08x", spi): up to 1023 octets, longer ones are cut with "...". */
#define vici_strf(b, name, ...)                                                                              \
    do {                                                                                                     \
        STRBUF(vici_text_, 1024);                                                                            \
        strbuf_addf(&vici_text_, __VA_ARGS__);                                                               \
        vici_value(b, name, span(vici_text_.p, vici_text_.n));                                               \
    } while (0)
void vici_bool(struct vici_build *b, const char *name, bool value); /* "yes", "no" */
void vici_list(struct vici_build *b, const char *name);
void vici_item(struct vici_build *b, struct adit_span value);
void vici_item_str(struct vici_build *b, const char *text);
void vici_list_end(struct vici_build *b);
/* Sets out's length. ADIT_ERR_LIMIT after any failure, also for sections or lists left open. */
ADIT_MUST_USE enum adit_rc vici_build_finish(struct vici_build *b);

/* --- read.c: a message, element by element ------------------------------------------------------------------- */

enum vici_element {
    VICI_SECTION_START = 1,
    VICI_SECTION_END,
    VICI_KEY_VALUE,
    VICI_LIST_START,
    VICI_LIST_ITEM,
    VICI_LIST_END
};
struct vici_read {
    struct rd in;
    unsigned depth, elements;
    bool in_list;
};
struct vici_token {
    enum vici_element type;
    struct adit_span name;  /* borrowed; sections, lists, key/values */
    struct adit_span value; /* borrowed; key/values, items */
};
void vici_read_init(struct vici_read *r, struct adit_span message);
/* The next element; false at the end and on errors: vici_read_end() tells which. */
bool vici_read_next(struct vici_read *r, struct vici_token *out);
/* ADIT_OK: all was read and well-formed. Does not see equal keys in one section; vici_parse() does. */
ADIT_MUST_USE enum adit_rc vici_read_end(const struct vici_read *r, struct adit_why *why);

/* --- tree.c: a message as a tree; everything lives in the arena, the order is kept ----------------------------- */

enum vici_kind { VICI_SECTION, VICI_LIST, VICI_VALUE };
struct vici_node {
    enum vici_kind kind;
    const char *name;               /* "" for the root and for list items */
    struct adit_span value;         /* VICI_VALUE; a NUL that is not counted follows */
    struct vici_node *first, *last; /* children of sections and lists */
    struct vici_node *next;
};
/* Refuses what the format forbids, equal keys in a section too. */
ADIT_MUST_USE enum adit_rc vici_parse(struct adit_span message, struct arena *arena, struct vici_node **root,
                                      struct adit_why *why);
/* The message (root's children) replaces out's contents. ADIT_ERR_LIMIT, ADIT_ERR_MEMORY. */
ADIT_MUST_USE enum adit_rc vici_write(const struct vici_node *root, struct adit_buf *out);
/* Growing a tree; NULL when memory is out. vici_add* put the new node at the end of parent (NULL parent: NULL). */
struct vici_node *vici_root(struct arena *arena);
struct vici_node *vici_add(struct arena *arena, struct vici_node *parent, enum vici_kind kind,
                           const char *name, struct adit_span value);
struct vici_node *vici_add_str(struct arena *arena, struct vici_node *parent, const char *name,
                               const char *text);
/* A direct child by name; the name may hold dots. NULL: none. node may be NULL. */
struct vici_node *vici_child(const struct vici_node *node, const char *name);
/* A descendant by path "children.net.state", split at dots. NULL: none. */
struct vici_node *vici_find(const struct vici_node *node, const char *path);
/* Text of a value by path, or NULL if there is none (or it is no value). Valid as long as the tree. */
const char *vici_text(const struct vici_node *node, const char *path);
/* Arguments of commands: absent or empty = *out unchanged; ADIT_ERR_CONFIG for anything that is not one. */
ADIT_MUST_USE enum adit_rc vici_get_bool(const struct vici_node *node, const char *path, bool *out,
                                         struct adit_why *why);
ADIT_MUST_USE enum adit_rc vici_get_int(const struct vici_node *node, const char *path, int64_t *out,
                                        struct adit_why *why);
#define vici_for_each(it, node)                                                                              \
    for (const struct vici_node *it = (node) ? (node)->first : NULL; it; it = it->next)

/* --- json.c: section = object, list = array, value = string always --------------------------------------------- */

/* One line, no newline at the end, replaces out's contents. `data` and values that are no text become {"base64": ..}. */
ADIT_MUST_USE enum adit_rc vici_to_json(const struct vici_node *node, struct adit_buf *out);
/* The reverse; true/false = yes/no, numbers = decimal text; null and equal keys are errors. */
ADIT_MUST_USE enum adit_rc vici_from_json(struct adit_span json, struct arena *arena, struct vici_node **root,
                                          struct adit_why *why);

#endif
