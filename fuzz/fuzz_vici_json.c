/* fuzz_vici_json.c - JSON input of the tools: what is accepted becomes a message that reads back as the same JSON. */
#include <stdlib.h>

#include "vici/vici.h"

static void check(const struct vici_node *root, struct arena *arena)
{
    struct adit_buf octets = { 0 }, first = { 0 }, second = { 0 };
    struct vici_node *again;
    if (vici_write(root, &octets) == ADIT_OK) { /* not if it is too long for a message */
        if (vici_parse(buf_span(&octets), arena, &again, NULL) != ADIT_OK ||
            vici_to_json(root, &first) != ADIT_OK || vici_to_json(again, &second) != ADIT_OK ||
            !span_equal(buf_span(&first), buf_span(&second)))
            abort();
    }
    buf_fini(&octets);
    buf_fini(&first);
    buf_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arena arena = { 0 };
    struct vici_node *root;
    struct adit_why why = { 0 };
    if (vici_from_json(span(data, n), &arena, &root, &why) == ADIT_OK)
        check(root, &arena);
    else if (!why.text[0])
        abort();
    arena_fini(&arena);
    return 0;
}
