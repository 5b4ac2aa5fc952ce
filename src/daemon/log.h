/* log.h - one line for people goes to every listener: standard error, VICI's "log" event, a waiting command.
 * Belongs to the control thread. */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include "adit/ike.h"
#include "base/list.h"

struct log_line {
    enum adit_level level;
    const char *group; /* "DMN", "IKE", "CHD", "CFG", "NET" ... */
    const char *conn;  /* NULL = none */
    uint32_t ike_id;
    const char *text;
};
struct log_sink {
    struct list node;
    void (*line)(struct log_sink *self, const struct log_line *line);
};
struct log {
    struct list sinks;
    enum adit_level level; /* of standard error */
    bool journal_marks;    /* systemd's "<6>" before each line */
};

void log_init(struct log *log, enum adit_level level);
void log_add(struct log *log, struct log_sink *sink);
void log_line(struct log *log, const struct log_line *line);
void log_say(struct log *log, enum adit_level level, const char *group, const char *fmt, ...)
    ADIT_PRINTF(4, 5);

#endif
