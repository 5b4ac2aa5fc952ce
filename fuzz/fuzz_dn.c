/* fuzz_dn.c - distinguished names: what is read as text is read again from its own print and means the same; DER from
 * strangers prints and matches without harm. */
#include <stdlib.h>

#include "pki/pki.h"

static void text(struct adit_span in)
{
    char line[2048], printed[8192];
    struct strbuf out = { printed, 0, sizeof(printed) };
    struct arena arena = { 0 };
    struct adit_span der = SPAN_NONE, again = SPAN_NONE;
    if (in.n >= sizeof(line))
        return;
    *span_copy((uint8_t *)line, in) = '\0';
    printed[0] = '\0';
    if (pki_dn_encode(NULL, line, &arena, &der)) {
        pki_dn_print(der, &out);
        if (!pki_dn_encode(NULL, printed, &arena, &again) || !pki_dn_match(der, again))
            abort();
    }
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    STRBUF(out, 300);
    text(span(data, n));
    pki_dn_print(span(data, n), &out);
    (void)pki_dn_match(span(data, n), span(data, n));
    return 0;
}
