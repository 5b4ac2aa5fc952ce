/* text.h - text that grows, for metrics and reports. Failing allocation is sticky: ask text_ok() once. */
#ifndef DAEMON_TEXT_H
#define DAEMON_TEXT_H

#include "base/buf.h"

struct text {
    struct adit_buf buf;
    bool fail;
};

void text_addf(struct text *t, const char *fmt, ...) ADIT_PRINTF(2, 3);
void text_add(struct text *t, const char *s);
static inline bool text_ok(const struct text *t)
{
    return !t->fail;
}
/* Terminated; "" if empty. Lives until the next add or text_fini(). */
const char *text_str(struct text *t);
void text_fini(struct text *t);

/* "3 min", "2 h 5 min", "41 d 3 h": two units at most. */
void text_age(char *out, size_t cap, uint64_t seconds);
/* Copies s as one line of printable ASCII; anything else becomes '?' (VICI clients drop other lines whole). */
void text_ascii(char *out, size_t cap, const char *s);

#endif
