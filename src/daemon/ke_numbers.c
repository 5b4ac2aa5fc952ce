/* ke_numbers.c - see ke_numbers.h. */
#include "daemon/ke_numbers.h"
#include <stdio.h>
#include <string.h>
#include "adit/model.h"
#include "base/span.h"
#include "base/why.h"
#include "crypto/crypto.h"
#include "wire/iana.h"

static enum adit_rc read_item(const char *item, size_t n, struct adit_why *why)
{
    struct transform t;
    char text[64], word[40];
    unsigned number;
    int end = 0;
    if (n >= sizeof(text))
        return why_set(why, ADIT_ERR_CONFIG, "ke_numbers: an item is too long");
    *span_copy((uint8_t *)text, span(item, n)) = 0;
    if (sscanf(text, "%39[a-z0-9] = %u %n", word, &number, &end) != 2 || text[end] || number > 65535)
        return why_set(why, ADIT_ERR_CONFIG, "ke_numbers: '%s' is not WORD=NUMBER", text);
    if (!iana_keyword_get(word, strlen(word), &t) || t.type != TT_KE)
        return why_set(why, ADIT_ERR_CONFIG, "ke_numbers: '%s' is no key exchange method", word);
    if (!iana_ke_renumber(t.id, (uint16_t)number))
        return why_set(why, ADIT_ERR_CONFIG,
                       "ke_numbers: %s cannot have the number %u: its own number is assigned, or that one is not free, or not "
                       "1024 to 65535",
                       word, number);
    return ADIT_OK;
}

enum adit_rc ke_numbers_read(const char *text, struct adit_why *why)
{
    iana_ke_renumber(0, 0);
    for (const char *at = text ? text : ""; *at;) {
        at += strspn(at, ", ");
        size_t n = strcspn(at, ",");
        if (n)
            TRY(read_item(at, n, why));
        at += n;
    }
    return ADIT_OK;
}

struct adit_crypto *ke_numbers_crypto(struct adit_why *why)
{
    struct adit_crypto *c = adit_crypto_new(NULL, NULL, why);
    uint16_t from, to;
    for (size_t i = 0; c && iana_ke_renumbered(i, &from, &to); i++)
        (void)crypto_ke_renumber(c, from, to); /* false: no library has the method */
    return c;
}
