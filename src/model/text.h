/* text.h - what the parsers of this room share; private to it. */
#ifndef MODEL_TEXT_H
#define MODEL_TEXT_H

#include "adit/model.h"
#include "base/strbuf.h"

/* Decimal, no sign, no leading zeros, at most max. */
bool text_number(const char *text, size_t n, unsigned long max, unsigned long *out);
/* "a", "a/n" (host bits cleared) or "a-b" of text[0..n); false: none of them. */
bool addr_range_parse(const char *text, size_t n, struct adit_addr *lo, struct adit_addr *hi);
/* Clears lo's host bits and sets hi to the last address; false: bits too large. */
bool addr_cidr(struct adit_addr *lo, unsigned bits, struct adit_addr *hi);
/* A DER Name as "C=CH, O=x, CN=y"; false: not one (what was read so far is printed). */
bool dn_print(struct strbuf *out, struct adit_span der);

#endif
