/* read.c - reads a VICI message element by element and enforces where each may stand. */
#include "base/why.h"
#include "vici/name.h"
#include "vici/vici.h"

void vici_read_init(struct vici_read *r, struct adit_span message)
{
    *r = (struct vici_read){ .in = rd_init(message) };
}

static void get_name(struct rd *in, struct vici_token *out)
{
    out->name = rd_take(in, rd_u8(in));
    rd_require(in, vici_name_ok(out->name), "name with unprintable octets");
}

static void get_value(struct rd *in, struct vici_token *out)
{
    out->value = rd_take(in, rd_u16(in));
}

static void section_start(struct vici_read *r, struct vici_token *out)
{
    rd_require(&r->in, !r->in_list, "section in a list");
    rd_require(&r->in, r->depth < VICI_DEPTH_MAX, "sections nested too deep");
    get_name(&r->in, out);
    r->depth++;
}

static void section_end(struct vici_read *r)
{
    if (rd_require(&r->in, !r->in_list && r->depth > 0, "end of a section that is not open"))
        r->depth--;
}

static void list_start(struct vici_read *r, struct vici_token *out)
{
    rd_require(&r->in, !r->in_list, "list in a list");
    get_name(&r->in, out);
    r->in_list = true;
}

static void key_value(struct vici_read *r, struct vici_token *out)
{
    rd_require(&r->in, !r->in_list, "key in a list");
    get_name(&r->in, out);
    get_value(&r->in, out);
}

bool vici_read_next(struct vici_read *r, struct vici_token *out)
{
    if (!rd_more(&r->in) || !rd_require(&r->in, ++r->elements <= VICI_ELEMENTS_MAX, "too many elements"))
        return false;
    *out = (struct vici_token){ .type = rd_u8(&r->in) };
    switch (out->type) {
    case VICI_SECTION_START: section_start(r, out); break;
    case VICI_SECTION_END: section_end(r); break;
    case VICI_KEY_VALUE: key_value(r, out); break;
    case VICI_LIST_START: list_start(r, out); break;
    case VICI_LIST_ITEM:
        rd_require(&r->in, r->in_list, "item outside a list");
        get_value(&r->in, out);
        break;
    case VICI_LIST_END:
        rd_require(&r->in, r->in_list, "end of a list that is not open");
        r->in_list = false;
        break;
    default: rd_require(&r->in, false, "unknown element");
    }
    return rd_ok(&r->in);
}

enum adit_rc vici_read_end(const struct vici_read *r, struct adit_why *why)
{
    if (!rd_ok(&r->in))
        return why_set(why, ADIT_ERR_MALFORMED, "message: %s at octet %zu", r->in.fail, r->in.at);
    if (r->depth || r->in_list)
        return why_set(why, ADIT_ERR_MALFORMED, "message: a %s is left open",
                       r->in_list ? "list" : "section");
    return ADIT_OK;
}
