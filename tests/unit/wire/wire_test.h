/* wire_test.h - octets from hex, a writer in static memory, and the rule that no prefix of a message makes a parser
 * read past its end. */
#ifndef WIRE_TEST_H
#define WIRE_TEST_H

#include "unit.h"
#include "base/rd.h"
#include "base/wr.h"
#include "wire/payload.h"

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

/* A message under way: an IKE header in static memory, to which a payload is written; see only_payload(). */
static inline void begin_message(struct wr *w)
{
    static uint8_t mem[GUARD_ROOM * 2];
    wr_init(w, mem, sizeof(mem));
    ike_hdr_put(w, &(struct ike_hdr){ .version = IKE_VERSION });
}

/* The body of the message's only payload, in front of a guard page; checks the chain. */
static inline struct rd only_payload(struct wr *w, uint8_t type)
{
    static struct payload_list list;
    struct ike_hdr hdr;
    ike_hdr_close(w, 0);
    assert_true(wr_ok(w));
    struct rd in = rd_init(wr_written(w));
    assert_true(ike_hdr_get(&in, &hdr));
    assert_int_equal(hdr.length, w->n);
    assert_int_equal(hdr.next, type);
    assert_true(payloads_get(&in, hdr.next, &list, NULL));
    assert_int_equal(list.n, 1);
    return rd_init(guard_copy(list.v[0].body));
}

#endif
