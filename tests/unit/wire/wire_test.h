/* wire_test.h - octets from hex, a writer in static memory, and the rule that no prefix of a message makes a parser
 * read past its end. */
#ifndef WIRE_TEST_H
#define WIRE_TEST_H

#include "unit.h"
#include "base/rd.h"
#include "base/wr.h"

static inline int hex_digit(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Octets of a hex text, spaces ignored, in front of a guard page; valid until the next call. */
static inline struct adit_span unhex(const char *text)
{
    static uint8_t octets[GUARD_ROOM];
    size_t digits = 0;
    for (; *text; text++)
        if (*text != ' ') {
            int d = hex_digit(*text);
            octets[digits / 2] = (uint8_t)(digits % 2 ? octets[digits / 2] | d : d << 4);
            digits++;
        }
    assert_int_equal(digits % 2, 0);
    return guard_copy(span(octets, digits / 2));
}

/* The same in memory that stays and may be changed. */
static inline struct adit_span unhex_to(uint8_t *out, const char *text)
{
    struct adit_span s = unhex(text);
    span_copy(out, s);
    return span(out, s.n);
}

#endif
