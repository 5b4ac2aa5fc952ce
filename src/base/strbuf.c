/* strbuf.c - text in fixed memory. */
#include "base/strbuf.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What was written is longer than the memory: full, with dots at the end. */
static void cut(struct strbuf *s)
{
    s->n = s->cap - 1;
    for (size_t i = 0; i < 3 && i < s->n; i++)
        s->p[s->n - 1 - i] = '.';
    s->p[s->n] = 0;
}

/* What printf does with "%s", at a tenth of the cost. */
static void add(struct strbuf *s, const char *text, size_t n)
{
    if (s->cap == 0)
        return;
    size_t room = s->cap - s->n - 1, fits = n < room ? n : room;
    memcpy(s->p + s->n, text, fits);
    s->n += fits;
    s->p[s->n] = 0;
    if (fits < n)
        cut(s);
}

void strbuf_add(struct strbuf *s, const char *text)
{
    text = text ? text : "(null)";
    add(s, text, strlen(text));
}

void strbuf_addc(struct strbuf *s, char c)
{
    add(s, &c, 1);
}

void strbuf_addf(struct strbuf *s, const char *fmt, ...)
{
    va_list args;
    if (s->cap == 0)
        return;
    va_start(args, fmt);
    int n = vsnprintf(s->p + s->n, s->cap - s->n, fmt, args);
    va_end(args);
    if (n < 0)
        s->p[s->n] = 0;
    else if ((size_t)n >= s->cap - s->n)
        cut(s);
    else
        s->n += (size_t)n;
}

void strbuf_hex(struct strbuf *s, struct adit_span bytes)
{
    for (size_t i = 0; i < bytes.n && s->cap; i++) {
        if (s->n + 1 == s->cap) {
            cut(s);
            return;
        }
        strbuf_addf(s, "%02x", bytes.p[i]);
    }
}
