/* strbuf.h - text in fixed memory: appends never overflow, a cut is marked by "...". Always terminated. */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include "base/span.h"

struct strbuf {
    char *p;
    size_t n, cap;
};

#define STRBUF(name, size)                                                                                   \
    char name##_mem[size] = "";                                                                              \
    struct strbuf name = { name##_mem, 0, sizeof(name##_mem) }

/* Append text, a character, formatted text, lower-case hex digits. */
void strbuf_add(struct strbuf *s, const char *text);
void strbuf_addc(struct strbuf *s, char c);
void strbuf_addf(struct strbuf *s, const char *fmt, ...) ADIT_PRINTF(2, 3);
void strbuf_hex(struct strbuf *s, struct adit_span bytes);

#endif
