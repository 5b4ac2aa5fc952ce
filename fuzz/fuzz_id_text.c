/* fuzz_id_text.c - identities as text and distinguished names as DER: no harm, and each matches itself. */
#include <stdlib.h>

#include "model/model.h"
#include "wire/iana.h"

/* The text's own octets stand for its DER. */
static bool raw_dn(void *arg, const char *text, struct arena *arena, struct adit_span *der)
{
    *der = arena_span(arena, span_str(text));
    return der->n % 2 == 0;
}

static void parse(const char *text)
{
    struct arena arena = { 0 };
    struct adit_id id;
    struct adit_why why = { 0 };
    STRBUF(out, 256);
    if (id_parse(text, &arena, raw_dn, NULL, &id, &why) == ADIT_OK) {
        bool wild = id.data.n && id.data.p[0] == '*';
        id_print(&out, &id);
        if (!id_equal(&id, &id) || (!wild && !id_match(&id, &id)))
            abort();
    } else if (!why.text[0]) {
        abort();
    }
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char text[1024];
    struct adit_id der = { .type = ID_DER_ASN1_DN, .data = { data, n } };
    STRBUF(out, 256);
    if (n >= sizeof(text))
        return 0;
    *span_copy((uint8_t *)text, span(data, n)) = '\0';
    parse(text);
    id_print(&out, &der);
    return 0;
}
