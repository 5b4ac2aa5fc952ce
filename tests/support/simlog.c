/* simlog.c - lines with a time in front; datagrams drawn as arrows between A (left) and B (right). */
#include "support/simlog.h"
#include <stdio.h>
#include <stdlib.h>
#include "support/simnet.h"
#include "wire/iana.h"
#include "wire/ike_hdr.h"

struct simlog {
    char **line;
    size_t n, cap;
    bool print;
};

struct simlog *simlog_new(bool print_at_once)
{
    struct simlog *log = calloc(1, sizeof(*log));
    if (!log)
        abort();
    log->print = print_at_once;
    return log;
}

void simlog_free(struct simlog *log)
{
    for (size_t i = 0; log && i < log->n; i++)
        free(log->line[i]);
    if (log)
        free(log->line);
    free(log);
}

static void add(struct simlog *log, uint64_t at, const char *text)
{
    char line[400];
    snprintf(line, sizeof(line), "# %9.3f  %s", (double)(at / 1000000) / 1000.0, text);
    if (log->print)
        puts(line);
    if (log->n == log->cap) {
        log->cap = log->cap ? 2 * log->cap : 128;
        log->line = realloc(log->line, log->cap * sizeof(*log->line));
    }
    if (!log->line || !(log->line[log->n++] = strdup(line)))
        abort();
}

void simlog_text(struct simlog *log, uint64_t at, const char *who, const char *fmt, va_list args)
{
    char text[300], line[340];
    vsnprintf(text, sizeof(text), fmt, args);
    snprintf(line, sizeof(line), "%s: %s", who, text);
    add(log, at, line);
}

static void describe(char *out, size_t n, unsigned kind, struct adit_span data)
{
    struct rd in = rd_init(data);
    struct ike_hdr h;
    if (kind == SIM_KEEPALIVE)
        snprintf(out, n, "NAT keepalive");
    else if (kind == SIM_DATA)
        snprintf(out, n, "ESP probe");
    else if (!ike_hdr_get(&in, &h))
        snprintf(out, n, "?, %zu octets", data.n);
    else
        snprintf(out, n, "%s %s %u, %zu octets", iana_name(IANA_XCHG, h.exchange),
                 h.flags & IKE_FLAG_RESPONSE ? "response" : "request", h.msgid, data.n);
}

void simlog_packet(struct simlog *log, uint64_t at, int from, unsigned kind, struct adit_span data,
                   const char *fate)
{
    char what[120], line[240];
    describe(what, sizeof(what), kind, data);
    if (from > 1)
        snprintf(line, sizeof(line), "  puppet: %s %s", what, fate);
    else if (from == 0)
        snprintf(line, sizeof(line), "A ---- %s %.*s> B  %s", what, (int)(50 - strnlen(what, 48)),
                 "------------------------------------------------------", fate);
    else
        snprintf(line, sizeof(line), "A <%.*s %s ---- B  %s", (int)(50 - strnlen(what, 48)),
                 "------------------------------------------------------", what, fate);
    add(log, at, line);
}

void simlog_print(const struct simlog *log, size_t lines)
{
    size_t from = lines && log->n > lines ? log->n - lines : 0;
    if (from)
        printf("# ... %zu lines before (replay shows all)\n", from);
    for (size_t i = from; i < log->n; i++)
        puts(log->line[i]);
}

bool simlog_has(const struct simlog *log, const char *text)
{
    for (size_t i = 0; i < log->n; i++)
        if (strstr(log->line[i], text))
            return true;
    return false;
}
