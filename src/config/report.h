/* report.h - putting problems into a report; private to this room. */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include "base/why.h"
#include "config/config.h"

/* A place in a file. */
struct place {
    const char *file;
    unsigned line, column;
};
void report_put(struct config_report *r, bool warning, struct place at, const char *text);

static inline struct place place_of(const struct config_node *node)
{
    return (struct place){ node->file, node->line, node->column };
}

#define report_at(r, warning, at, ...)                                                                       \
    do {                                                                                                     \
        struct adit_why report_why_;                                                                         \
        why_set(&report_why_, ADIT_ERR_CONFIG, __VA_ARGS__);                                                 \
        report_put(r, warning, at, report_why_.text);                                                        \
    } while (0)
#define report_error(r, node, ...) report_at(r, false, place_of(node), __VA_ARGS__)
#define report_warning(r, node, ...) report_at(r, true, place_of(node), __VA_ARGS__)

#endif
