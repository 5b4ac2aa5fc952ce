/* simlog.h - what happened in a simulation, line by line, for the diagram of a failure. */
#ifndef TESTS_SIMLOG_H
#define TESTS_SIMLOG_H

#include <stdarg.h>
#include "base/span.h"

struct simlog;
struct simlog *simlog_new(bool print_at_once);
void simlog_free(struct simlog *log);
void simlog_text(struct simlog *log, uint64_t at, const char *who, const char *fmt, va_list args) ADIT_PRINTF(4, 0);
/* A datagram from host 0 or 1; what it is is read from its header. */
void simlog_packet(struct simlog *log, uint64_t at, int from, unsigned kind, struct adit_span data,
                   const char *fate);
/* The last `lines` of it (0: all) to stdout as comment lines. */
void simlog_print(const struct simlog *log, size_t lines);
/* Does a line hold this text? */
bool simlog_has(const struct simlog *log, const char *text);

#endif
