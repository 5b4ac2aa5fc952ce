/* build.c - writes a VICI message element by element; every rule of the format is checked here, errors stick. */
#include "vici/name.h"
#include "vici/vici.h"

void vici_build_init(struct vici_build *b, struct adit_buf *out)
{
    *b = (struct vici_build){ 0 };
    wr_init_buf(&b->w, out, VICI_PACKET_MAX);
}

static void require(struct vici_build *b, bool cond)
{
    b->fail |= !cond;
}

static void element(struct vici_build *b, enum vici_element type)
{
    require(b, ++b->elements <= VICI_ELEMENTS_MAX);
    wr_u8(&b->w, (uint8_t)type);
}

static void put_name(struct vici_build *b, const char *name)
{
    struct adit_span text = span_str(name);
    require(b, vici_name_ok(text));
    wr_u8(&b->w, (uint8_t)text.n);
    wr_span(&b->w, text);
}

static void put_value(struct vici_build *b, struct adit_span value)
{
    require(b, value.n <= VICI_VALUE_MAX);
    wr_u16(&b->w, (uint16_t)value.n);
    wr_span(&b->w, value);
}

void vici_section(struct vici_build *b, const char *name)
{
    require(b, !b->in_list && b->depth < VICI_DEPTH_MAX);
    element(b, VICI_SECTION_START);
    put_name(b, name);
    b->depth++;
}

void vici_section_end(struct vici_build *b)
{
    require(b, !b->in_list && b->depth > 0);
    element(b, VICI_SECTION_END);
    b->depth -= b->depth > 0;
}

void vici_value(struct vici_build *b, const char *name, struct adit_span value)
{
    require(b, !b->in_list);
    element(b, VICI_KEY_VALUE);
    put_name(b, name);
    put_value(b, value);
}

void vici_str(struct vici_build *b, const char *name, const char *text)
{
    if (text)
        vici_value(b, name, span_str(text));
}

void vici_bool(struct vici_build *b, const char *name, bool value)
{
    vici_str(b, name, value ? "yes" : "no");
}

void vici_list(struct vici_build *b, const char *name)
{
    require(b, !b->in_list);
    element(b, VICI_LIST_START);
    put_name(b, name);
    b->in_list = true;
}

void vici_item(struct vici_build *b, struct adit_span value)
{
    require(b, b->in_list);
    element(b, VICI_LIST_ITEM);
    put_value(b, value);
}

void vici_item_str(struct vici_build *b, const char *text)
{
    vici_item(b, span_str(text));
}

void vici_list_end(struct vici_build *b)
{
    require(b, b->in_list);
    element(b, VICI_LIST_END);
    b->in_list = false;
}

enum adit_rc vici_build_finish(struct vici_build *b)
{
    require(b, !b->in_list && b->depth == 0);
    enum adit_rc rc = wr_finish(&b->w);
    return b->fail ? ADIT_ERR_LIMIT : rc;
}
