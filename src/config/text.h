/* text.h - texts that grow, lists of words, values of the usual kinds; private to this room. */
#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/strbuf.h"

/* Appends a formatted text of up to 2047 octets to a struct adit_buf; an enum adit_rc. */
#define text_addf(buf, ...)                                                                                  \
    ({                                                                                                       \
        STRBUF(text_part_, 2048);                                                                            \
        strbuf_addf(&text_part_, __VA_ARGS__);                                                               \
        buf_append(buf, span(text_part_.p, text_part_.n));                                                   \
    })

/* Calls with the start and length of each word between `separator`s; blanks around words are left out. */
struct words {
    const char *at; /* NULL: no more */
    char separator;
};
bool words_next(struct words *w, struct adit_span *word);
/* Is text one of "a|b|c" (any case)? Returns its index, or -1. */
int word_index(const char *words, struct adit_span text);

/* yes/true/enabled/1, no/false/disabled/0, any case. */
bool value_bool(const char *text, bool *out);
/* Decimal; no sign, no leading zeros (strongSwan would read octal), at most max. */
bool value_number(struct adit_span text, uint64_t max, uint64_t *out);
/* "N[ ][s|m|h|d]", any case, in seconds; sums: also "1h 30m". */
bool value_time(const char *text, bool sums, uint64_t *out);
/* "N[ ][k|m|g]", powers of 1024, saturating. */
bool value_size(const char *text, uint64_t *out);
/* "1.8" */
bool value_real(const char *text, double *out);
/* "0x.." hex, "0s.." base64 (prefixes in any case), else the text itself, in the arena. *p = NULL: memory; false: broken. */
bool value_octets(const char *text, struct arena *arena, struct adit_span *out);
bool value_is_encoded(const char *text);

#endif
