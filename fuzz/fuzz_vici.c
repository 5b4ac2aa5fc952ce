/* fuzz_vici.c - VICI packets and messages: what is read is written with the same octets, also by way of JSON. */
#include <stdlib.h>

#include "vici/vici.h"

static void require(bool cond)
{
    if (!cond)
        abort();
}

static void by_json(const struct vici_node *root, struct arena *arena, struct adit_span message)
{
    struct adit_buf json = { 0 }, out = { 0 };
    struct vici_node *again;
    require(vici_to_json(root, &json) == ADIT_OK);
    require(vici_from_json(buf_span(&json), arena, &again, NULL) == ADIT_OK);
    require(vici_write(again, &out) == ADIT_OK && span_equal(buf_span(&out), message));
    buf_fini(&json);
    buf_fini(&out);
}

static void message(struct adit_span octets)
{
    struct arena arena = { 0 };
    struct adit_buf out = { 0 };
    struct vici_node *root;
    struct adit_why why = { 0 };
    if (vici_parse(octets, &arena, &root, &why) == ADIT_OK) {
        require(vici_write(root, &out) == ADIT_OK && span_equal(buf_span(&out), octets));
        by_json(root, &arena, octets);
    } else {
        require(why.text[0]);
    }
    buf_fini(&out);
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct adit_span stream = { data, n };
    struct vici_packet p;
    size_t used;
    message(stream);
    while (vici_packet_take(stream, &p, &used, NULL) == ADIT_OK) {
        struct adit_buf out = { 0 };
        require(vici_packet_put(&out, p.type, p.name, p.message) == ADIT_OK);
        require(span_equal(buf_span(&out), span_first(stream, used)));
        buf_fini(&out);
        if (vici_type_has_message(p.type))
            message(p.message);
        stream = span_from(stream, used);
    }
    return 0;
}
