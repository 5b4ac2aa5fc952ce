/* log.c - see log.h. */
#include "daemon/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "daemon/text.h"

static void to_stderr(const struct log *log, const struct log_line *l)
{
    static const char *const marks[] = { "<5>", "<6>", "<7>", "<7>" };
    const char *mark = log->journal_marks ? marks[l->level <= ADIT_LOG_DEBUG ? l->level : ADIT_LOG_DEBUG]
                                          : "";
    if (l->conn && *l->conn)
        fprintf(stderr, "%s[%s] <%s|%u> %s\n", mark, l->group, l->conn, l->ike_id, l->text);
    else
        fprintf(stderr, "%s[%s] %s\n", mark, l->group, l->text);
}

void log_init(struct log *log, enum adit_level level)
{
    list_init(&log->sinks);
    log->level = level;
    log->journal_marks = getenv("JOURNAL_STREAM") != NULL;
}

void log_add(struct log *log, struct log_sink *sink)
{
    list_append(&log->sinks, &sink->node);
}

void log_line(struct log *log, const struct log_line *line)
{
    char text[1024];
    text_ascii(text, sizeof(text), line->text ? line->text : "");
    struct log_line clean = *line;
    clean.text = text;
    clean.group = line->group ? line->group : "DMN";
    if (clean.level <= log->level)
        to_stderr(log, &clean);
    list_for_each_safe (it, &log->sinks) {
        struct log_sink *sink = list_entry(it, struct log_sink, node);
        sink->line(sink, &clean);
    }
}

void log_say(struct log *log, enum adit_level level, const char *group, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    log_line(log, &(struct log_line){ .level = level, .group = group, .text = text });
}
