/* json.c - VICI trees to and from JSON, by jansson. Values are strings always: no guessing of numbers. What is not
 * text, and everything called `data`, is {"base64": "..."}; so that nothing is ambiguous, the value of a section whose
 * only element is a key "base64" is written that way too. VICI -> JSON -> VICI gives the same octets. */
#include <inttypes.h>
#include <jansson.h>
#include "base/strbuf.h"
#include "base/why.h"
#include "vici/name.h"
#include "vici/vici.h"

#define BASE64_KEY "base64"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* --- to JSON ------------------------------------------------------------------------------------------------ */

static void encode_three(char out[4], const uint8_t *in, size_t n)
{
    uint32_t v = (uint32_t)in[0] << 16 | (n > 1 ? (uint32_t)in[1] << 8 : 0) | (n > 2 ? in[2] : 0);
    for (size_t i = 0; i < 4; i++)
        out[i] = i <= n ? alphabet[v >> (18 - 6 * i) & 63] : '=';
}

static json_t *base64_of(struct adit_span value)
{
    struct adit_buf text = { 0 };
    json_t *object = NULL;
    if (buf_resize(&text, (value.n + 2) / 3 * 4) == ADIT_OK) {
        for (size_t i = 0; i < value.n; i += 3)
            encode_three((char *)text.p + i / 3 * 4, value.p + i, value.n - i);
        object = json_pack("{s:s%}", BASE64_KEY, text.n ? (const char *)text.p : "", text.n);
    }
    buf_wipe(&text);
    return object;
}

static bool has_nul(struct adit_span value)
{
    return value.n && memchr(value.p, 0, value.n);
}

static json_t *value_to_json(const struct vici_node *node, bool binary)
{
    json_t *text = binary || has_nul(node->value) ? NULL
                                                  : json_stringn((const char *)node->value.p, node->value.n);
    return text ? text : base64_of(node->value); /* jansson refuses what is not UTF-8 */
}

static json_t *node_to_json(const struct vici_node *node, bool binary, unsigned depth);

static json_t *list_to_json(const struct vici_node *node)
{
    json_t *array = json_array();
    vici_for_each(item, node)
    {
        if (json_array_append_new(array, value_to_json(item, false))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *section_to_json(const struct vici_node *node, unsigned depth)
{
    json_t *object = json_object();
    bool alone = node->first && node->first == node->last && !strcmp(node->first->name, BASE64_KEY);
    vici_for_each(child, node)
    {
        bool binary = alone || !strcmp(child->name, "data");
        if (json_object_set_new(object, child->name, node_to_json(child, binary, depth + 1))) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *node_to_json(const struct vici_node *node, bool binary, unsigned depth)
{
    if (depth > VICI_DEPTH_MAX + 1)
        return NULL;
    switch (node->kind) {
    case VICI_SECTION: return section_to_json(node, depth);
    case VICI_LIST: return list_to_json(node);
    default: return value_to_json(node, binary);
    }
}

static int append_chunk(const char *text, size_t n, void *out)
{
    return buf_append(out, span(text, n)) == ADIT_OK ? 0 : -1;
}

enum adit_rc vici_to_json(const struct vici_node *node, struct adit_buf *out)
{
    json_t *json = node_to_json(node, false, 0);
    out->n = 0;
    bool ok = json && json_dump_callback(json, append_chunk, out, JSON_COMPACT | JSON_ENCODE_ANY) == 0;
    json_decref(json);
    return ok ? ADIT_OK : ADIT_ERR_MEMORY;
}

/* --- from JSON ---------------------------------------------------------------------------------------------- */

struct reader {
    struct arena *arena;
    struct adit_why *why;
    unsigned elements;
};

static enum adit_rc refuse(struct reader *r, const char *key, const char *what)
{
    return why_set(r->why, ADIT_ERR_CONFIG, "JSON: '%s' %s", key, what);
}

static int sextet(char c)
{
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

/* Strict: whole groups of four, padding at the end only, no stray bits. */
static bool decode_base64(struct reader *r, struct adit_span text, struct adit_span *out)
{
    uint8_t *p = arena_new(r->arena, text.n / 4 * 3 + 1);
    size_t n = 0;
    if (!p || text.n % 4)
        return false;
    for (size_t i = 0; i < text.n; i += 4) {
        const char *group = (const char *)text.p + i;
        size_t pad = i + 4 < text.n ? 0 : (group[3] == '=') + (group[3] == '=' && group[2] == '=');
        uint32_t v = 0;
        for (size_t k = 0; k < 4 - pad; k++) {
            if (sextet(group[k]) < 0)
                return false;
            v |= (uint32_t)sextet(group[k]) << (18 - 6 * k);
        }
        for (size_t k = 0; k < 3 - pad; k++)
            p[n++] = (uint8_t)(v >> (16 - 8 * k));
        if (v & ((1u << pad * 8) - 1))
            return false;
    }
    *out = span(p, n);
    return true;
}

/* {"base64": "..."} and nothing else. */
static const json_t *base64_member(const json_t *json)
{
    const json_t *member = json_is_object(json) && json_object_size(json) == 1
                               ? json_object_get(json, BASE64_KEY)
                               : NULL;
    return json_is_string(member) ? member : NULL;
}

static enum adit_rc number_text(struct reader *r, const json_t *json, struct adit_span *out)
{
    STRBUF(text, 40);
    if (json_is_integer(json))
        strbuf_addf(&text, "%" PRId64, (int64_t)json_integer_value(json));
    else
        strbuf_addf(&text, "%.15g", json_real_value(json));
    *out = arena_span(r->arena, span(text.p, text.n));
    return out->p ? ADIT_OK : ADIT_ERR_MEMORY;
}

static enum adit_rc scalar(struct reader *r, const char *key, const json_t *json, struct adit_span *out)
{
    const json_t *base64 = base64_member(json);
    if (base64) {
        if (!decode_base64(r, span(json_string_value(base64), json_string_length(base64)), out))
            return refuse(r, key, "holds broken base64");
    } else if (json_is_string(json)) {
        *out = span(json_string_value(json), json_string_length(json));
    } else if (json_is_boolean(json)) {
        *out = span_str(json_is_true(json) ? "yes" : "no");
    } else if (json_is_number(json)) {
        TRY(number_text(r, json, out));
    } else {
        return refuse(r, key,
                      json_is_null(json) ? "is null" : "holds an array or object where a value belongs");
    }
    return out->n <= VICI_VALUE_MAX ? ADIT_OK : refuse(r, key, "is longer than 65535 octets");
}

static enum adit_rc put(struct reader *r, struct vici_node *parent, enum vici_kind kind, const char *name,
                        struct adit_span value, struct vici_node **out)
{
    if (!vici_name_ok(span_str(name)))
        return refuse(r, name, "is no name: 0 to 255 printable ASCII characters");
    if (++r->elements > VICI_ELEMENTS_MAX)
        return refuse(r, name, "is one element too many");
    *out = vici_add(r->arena, parent, kind, name, value);
    return *out ? ADIT_OK : why_set(r->why, ADIT_ERR_MEMORY, "no memory for a message");
}

static enum adit_rc read_list(struct reader *r, struct vici_node *parent, const char *name,
                              const json_t *json)
{
    struct vici_node *list, *item;
    TRY(put(r, parent, VICI_LIST, name, SPAN_NONE, &list));
    for (size_t i = 0; i < json_array_size(json); i++) {
        struct adit_span value;
        TRY(scalar(r, name, json_array_get(json, i), &value));
        TRY(put(r, list, VICI_VALUE, "", value, &item));
    }
    return ADIT_OK;
}

static enum adit_rc read_object(struct reader *r, struct vici_node *node, json_t *json, unsigned depth)
{
    const char *key;
    json_t *member;
    struct vici_node *child;
    if (depth > VICI_DEPTH_MAX)
        return refuse(r, node->name, "is nested too deep");
    json_object_foreach(json, key, member)
    {
        if (json_is_array(member)) {
            TRY(read_list(r, node, key, member));
        } else if (json_is_object(member) && !base64_member(member)) {
            TRY(put(r, node, VICI_SECTION, key, SPAN_NONE, &child));
            TRY(read_object(r, child, member, depth + 1));
        } else {
            struct adit_span value;
            TRY(scalar(r, key, member, &value));
            TRY(put(r, node, VICI_VALUE, key, value, &child));
        }
    }
    return ADIT_OK;
}

enum adit_rc vici_from_json(struct adit_span text, struct arena *arena, struct vici_node **root,
                            struct adit_why *why)
{
    json_error_t error;
    struct reader r = { .arena = arena, .why = why };
    json_t *json = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        return why_set(why, ADIT_ERR_CONFIG, "JSON: line %d, column %d: %s", error.line, error.column,
                       error.text);
    enum adit_rc rc = ADIT_ERR_CONFIG;
    *root = vici_root(arena);
    if (!*root)
        rc = why_set(why, ADIT_ERR_MEMORY, "no memory for a message");
    else if (!json_is_object(json))
        why_set(why, rc, "JSON: an object is expected");
    else
        rc = read_object(&r, *root, json, 0);
    json_decref(json);
    return rc;
}
