/* fuzz_proposal.c - proposals as text: what is accepted prints as a text that gives the same proposals again. */
#include <stdlib.h>

#include "model/model.h"
#include "wire/iana.h"

static void print(struct strbuf *out, const struct proposal *p)
{
    out->n = 0;
    proposal_print(out, p);
}

static void check_again(const struct proposal *p, struct arena *arena)
{
    char first[8192], second[8192];
    struct strbuf a = { first, 0, sizeof(first) }, b = { second, 0, sizeof(second) };
    const struct proposal_list *list;
    const char *item = first;
    first[0] = second[0] = '\0';
    print(&a, p);
    if (proposals_parse(&item, 1, p->proto, arena, &list, NULL) != ADIT_OK || list->n != 1)
        abort();
    print(&b, &list->v[0]);
    if (strcmp(first, second))
        abort();
}

static void one(const char *item, uint8_t proto)
{
    struct arena arena = { 0 };
    const struct proposal_list *list;
    struct adit_why why = { 0 };
    if (proposals_parse(&item, 1, proto, &arena, &list, &why) == ADIT_OK) {
        for (uint16_t i = 0; i < list->n; i++)
            check_again(&list->v[i], &arena);
    } else if (!why.text[0]) {
        abort(); /* refused without a word */
    }
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char item[4096];
    if (n >= sizeof(item))
        return 0;
    *span_copy((uint8_t *)item, span(data, n)) = '\0';
    one(item, PROTO_IKE);
    one(item, PROTO_ESP);
    return 0;
}
