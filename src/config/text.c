/* text.c - values as people write them: numbers, times, sizes, words, encoded octets. */
#include "config/text.h"
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct adit_span trimmed(const char *p, size_t n)
{
    while (n && is_blank(*p)) {
        p++;
        n--;
    }
    while (n && is_blank(p[n - 1]))
        n--;
    return span(p, n);
}

/* A word in quotes of its own may hold the separator. */
static size_t word_length(const char *p, char separator)
{
    char quote = 0;
    size_t n = 0;
    for (; p[n] && (quote || p[n] != separator); n++) {
        if (quote)
            quote = p[n] == quote ? 0 : quote;
        else if (p[n] == '\'' || p[n] == '"')
            quote = p[n];
    }
    return n;
}

static struct adit_span unquoted(struct adit_span word)
{
    bool quoted = word.n >= 2 && (word.p[0] == '\'' || word.p[0] == '"') && word.p[word.n - 1] == word.p[0];
    return quoted ? span(word.p + 1, word.n - 2) : word;
}

bool words_next(struct words *w, struct adit_span *word)
{
    if (!w->at)
        return false;
    size_t n = word_length(w->at, w->separator);
    *word = unquoted(trimmed(w->at, n));
    w->at = w->at[n] ? w->at + n + 1 : NULL;
    return true;
}

int word_index(const char *words, struct adit_span text)
{
    struct words w = { words, '|' };
    struct adit_span word;
    for (int i = 0; words_next(&w, &word); i++) {
        if (word.n == text.n && strncasecmp((const char *)word.p, (const char *)text.p, text.n) == 0)
            return i;
    }
    return -1;
}

bool value_bool(const char *text, bool *out)
{
    int i = word_index("yes|true|enabled|1|no|false|disabled|0", span_str(text));
    *out = i >= 0 && i < 4;
    return i >= 0;
}

bool value_number(struct adit_span text, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;
    if (text.n == 0 || (text.n > 1 && text.p[0] == '0'))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        uint64_t digit = (uint64_t)(text.p[i] - '0');
        if (text.p[i] < '0' || text.p[i] > '9' || v > (max - digit) / 10 || digit > max)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

/* A number, blanks, at most one letter of `units`; returns the unit's place, or units' length without unit; -1: broken. */
static int number_unit(const char **text, const char *units, uint64_t *out)
{
    const char *p = *text;
    size_t digits = strspn(p, "0123456789");
    if (!value_number(span(p, digits), UINT64_MAX / 2, out))
        return -1;
    p += digits;
    while (is_blank(*p))
        p++;
    const char *unit = *p ? strchr(units, tolower((unsigned char)*p)) : NULL;
    *text = unit ? p + 1 : p;
    return (int)(unit ? (size_t)(unit - units) : strlen(units));
}

static bool time_part(const char **text, uint64_t *seconds)
{
    static const uint64_t factors[] = { 1, 60, 3600, 86400, 1 };
    uint64_t n;
    int unit = number_unit(text, "smhd", &n);
    if (unit < 0 || n > UINT32_MAX)
        return false;
    *seconds += n * factors[unit];
    return true;
}

bool value_time(const char *text, bool sums, uint64_t *out)
{
    uint64_t seconds = 0;
    if (strlen(text) > (sums ? 63 : 15)) /* strongSwan's buffer has room for 15 */
        return false;
    do {
        if (!time_part(&text, &seconds))
            return false;
        while (is_blank(*text))
            text++;
    } while (*text && sums);
    *out = seconds;
    return !*text;
}

bool value_size(const char *text, uint64_t *out)
{
    uint64_t n;
    int unit = number_unit(&text, "kmg", &n);
    if (unit < 0 || *text)
        return false;
    unsigned shift = unit == 3 ? 0 : 10 * ((unsigned)unit + 1);
    *out = n > UINT64_MAX >> shift ? UINT64_MAX : n << shift;
    return true;
}

bool value_real(const char *text, double *out)
{
    char *end;
    if (!isdigit((unsigned char)text[0]) || strspn(text, "0123456789.") != strlen(text) || strlen(text) > 15)
        return false;
    *out = strtod(text, &end);
    return !*end;
}

bool value_is_encoded(const char *text)
{
    return text[0] == '0' &&
           (tolower((unsigned char)text[1]) == 'x' || tolower((unsigned char)text[1]) == 's');
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

static bool from_hex(const char *text, size_t n, uint8_t *out, size_t *len)
{
    for (size_t i = 0; i + 1 < n; i += 2) {
        int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i / 2] = (uint8_t)(high << 4 | low);
    }
    *len = n / 2;
    return n % 2 == 0;
}

static int sextet(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Padding may be missing, as strongSwan allows it. */
static bool from_base64(const char *text, size_t n, uint8_t *out, size_t *len)
{
    uint32_t v = 0;
    unsigned bits = 0;
    *len = 0;
    while (n && text[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++) {
        if (sextet(text[i]) < 0)
            return false;
        v = v << 6 | (uint32_t)sextet(text[i]);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[(*len)++] = (uint8_t)(v >> bits);
        }
    }
    return n % 4 != 1;
}

bool value_octets(const char *text, struct arena *arena, struct adit_span *out)
{
    size_t n = strlen(text), len = n;
    uint8_t *p = arena_new(arena, n + 1);
    bool ok = true;
    if (!p) {
        *out = SPAN_NONE;
        return true;
    }
    if (!value_is_encoded(text))
        span_copy(p, span(text, n));
    else if (tolower((unsigned char)text[1]) == 'x')
        ok = from_hex(text + 2, n - 2, p, &len);
    else
        ok = from_base64(text + 2, n - 2, p, &len);
    *out = span(p, len);
    return ok;
}
