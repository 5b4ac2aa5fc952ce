/* fuzz_confpay.c - what a client makes of a domain and a trust anchor that its peer sends: nothing gets through that could
 * mean something else to a resolver's configuration. Input: length of the name (1 octet), name, anchor. */
#include <stdlib.h>
#include "base/strbuf.h"
#include "ike/ext/confpay/confpay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define must(cond)                                                                                           \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            abort();                                                                                         \
    } while (0)

static bool is_plain(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' ||
           c == ' ';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    STRBUF(text, 200);
    if (n < 1 || data[0] > n - 1)
        return 0;
    struct adit_span name = span(data + 1, data[0]), anchor = span(data + 1 + data[0], n - 1 - data[0]);
    if (domain_is_good(name)) {
        must(name.n > 0 && name.n <= 254 && name.p[0] != '-' && name.p[0] != '.');
        for (size_t i = 0; i < name.n; i++)
            must(is_plain(name.p[i]) && name.p[i] != ' ');
        must(domain_is_in(name, name) && domain_is_listed(name, "%any") && !domain_may_have_anchor(name, "%any,example,."));
    }
    if (anchor_print(&text, anchor))
        for (size_t i = 0; i < text.n; i++)
            must(is_plain((uint8_t)text.p[i]));
    return 0;
}
