/* format.c - numbers as people read them. */
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"

char *format_age(char *out, size_t cap, long long s)
{
    if (s < 0)
        s = 0;
    if (s < 60)
        snprintf(out, cap, "%lld s", s);
    else if (s < 3600)
        snprintf(out, cap, "%lld min", s / 60);
    else if (s < 86400)
        snprintf(out, cap, "%lld h %lld min", s / 3600, s / 60 % 60);
    else
        snprintf(out, cap, "%lld d %lld h", s / 86400, s / 3600 % 24);
    return out;
}

char *format_bytes(char *out, size_t cap, unsigned long long n)
{
    static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
    unsigned u = 0;
    double v = (double)n;
    while (v >= 999.95 && u < 5) {
        v /= 1000;
        u++;
    }
    snprintf(out, cap, u ? "%.1f %s" : "%.0f %s", v, units[u]);
    return out;
}

long long format_number(const char *text, long long fallback)
{
    char *end;
    if (!text || !*text)
        return fallback;
    long long n = strtoll(text, &end, 10);
    return *end ? fallback : n;
}

const char *format_socket(const char *uri)
{
    return strncmp(uri, "unix://", 7) ? uri : uri + 7;
}

char *format_list(char *out, size_t cap, const struct vici_node *list, const char *between)
{
    size_t n = 0;
    out[0] = 0;
    vici_for_each(it, list)
    {
        int w = snprintf(out + n, cap - n, "%s%s", n ? between : "", (const char *)it->value.p);
        if (w < 0 || (size_t)w >= cap - n)
            break;
        n += (size_t)w;
    }
    return out;
}
