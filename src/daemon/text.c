/* text.c - see text.h. */
#include "daemon/text.h"
#include <stdarg.h>
#include <stdio.h>

void text_addf(struct text *t, const char *fmt, ...)
{
    char line[1024];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(line))
        t->fail = true;
    else
        text_add(t, line);
}

void text_add(struct text *t, const char *s)
{
    if (!t->fail && buf_append(&t->buf, span_str(s)) != ADIT_OK)
        t->fail = true;
}

const char *text_str(struct text *t)
{
    if (!t->buf.n)
        return "";
    if (buf_reserve(&t->buf, t->buf.n + 1) != ADIT_OK)
        return "";
    t->buf.p[t->buf.n] = 0;
    return (const char *)t->buf.p;
}

void text_fini(struct text *t)
{
    buf_fini(&t->buf);
    *t = (struct text){ 0 };
}

void text_age(char *out, size_t cap, uint64_t s)
{
    if (s < 60)
        snprintf(out, cap, "%u s", (unsigned)s);
    else if (s < 3600)
        snprintf(out, cap, "%u min", (unsigned)(s / 60));
    else if (s < 86400)
        snprintf(out, cap, "%u h %u min", (unsigned)(s / 3600), (unsigned)(s / 60 % 60));
    else
        snprintf(out, cap, "%llu d %u h", (unsigned long long)(s / 86400), (unsigned)(s / 3600 % 24));
}

void text_ascii(char *out, size_t cap, const char *s)
{
    size_t n = 0;
    for (; *s && n + 1 < cap; s++) {
        if (*s >= 0x20 && *s < 0x7f)
            out[n++] = *s;
        else if (*s == '\n' || *s == '\t')
            out[n++] = ' ';
        else if (((unsigned char)*s & 0xc0) != 0x80) /* one '?' for a whole UTF-8 character */
            out[n++] = '?';
    }
    if (cap)
        out[n] = 0;
}
