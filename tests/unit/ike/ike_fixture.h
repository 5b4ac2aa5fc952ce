/* ike_fixture.h - what the tests of the engine's pure functions share: the libraries, octets from hex, proposals from
 * text that no parser has judged. */
#ifndef IKE_FIXTURE_H
#define IKE_FIXTURE_H

#include "unit.h"
#include <stdio.h>
#include <stdlib.h>
#include "base/strbuf.h"
#include "crypto/crypto.h"
#include "ike/negotiate.h"

static inline struct adit_crypto *crypto(void)
{
    static struct adit_crypto *c;
    struct adit_why why = { 0 };
    if (!c)
        c = adit_crypto_new(NULL, NULL, &why);
    if (!c)
        fail_msg("%s", why.text);
    return c;
}

/* Octets of a hex text (blanks allowed), in one of a few static rooms. */
static inline struct adit_span hex(const char *text)
{
    static uint8_t rooms[16][512];
    static unsigned next;
    uint8_t *out = rooms[next++ % 16];
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        char two[3] = { p[0], p[1], 0 };
        if (*p == ' ')
            continue;
        out[n++] = (uint8_t)strtoul(two, NULL, 16);
        p++;
    }
    return span(out, n);
}

/* n octets first, first + 1, .. */
static inline struct adit_span ascending(uint8_t first, size_t n)
{
    static uint8_t rooms[16][512];
    static unsigned next;
    uint8_t *out = rooms[next++ % 16];
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(first + i);
    return span(out, n);
}

/* "aes128-sha256-(2/9/0)": keywords, or (type/id/bits); '!' in front: with an attribute that nobody knows. */
static inline void raw_proposal(const char *text, uint8_t proto, struct proposal *p)
{
    char copy[2000], *save = NULL;
    *p = (struct proposal){ .proto = proto };
    snprintf(copy, sizeof(copy), "%s", text);
    for (char *word = strtok_r(copy, "-", &save); word; word = strtok_r(NULL, "-", &save)) {
        struct transform *t = &p->t[p->n++];
        unsigned type, id, bits;
        bool unusable = *word == '!';
        word += unusable;
        if (sscanf(word, "(%u/%u/%u)", &type, &id, &bits) == 3)
            *t = (struct transform){ .type = (uint8_t)type, .id = (uint16_t)id, .bits = (uint16_t)bits };
        else if (!iana_keyword_get(word, strlen(word), t))
            fail_msg("no such keyword: %s", word);
        t->unusable = unusable;
        p->unknown |= t->type < TT_ENCR || t->type > TT_ADDKE7;
    }
}

/* Proposals separated by ", ", numbered from 1; ESP ones get the SPI c0ffee01. */
static inline uint16_t raw_proposals(const char *text, uint8_t proto, struct proposal *v)
{
    static const uint8_t spi[] = { 0xc0, 0xff, 0xee, 0x01 };
    char copy[8000], *save = NULL;
    uint16_t n = 0;
    snprintf(copy, sizeof(copy), "%s", text);
    for (char *one = strtok_r(copy, ", ", &save); one; one = strtok_r(NULL, ", ", &save)) {
        raw_proposal(one, proto, &v[n]);
        v[n].num = (uint8_t)(n + 1);
        if (proto == PROTO_ESP) {
            span_copy(v[n].spi, SPAN_ARRAY(spi));
            v[n].spi_n = 4;
        }
        n++;
    }
    return n;
}

static inline const struct proposal_list *list_of(const char *text, uint8_t proto)
{
    static struct {
        struct proposal_list list;
        struct proposal room[PROPOSALS_MAX];
    } rooms[4];
    static unsigned next;
    struct proposal_list *list = &rooms[next++ % 4].list;
    list->n = raw_proposals(text, proto, list->v);
    for (uint16_t i = 0; i < list->n; i++)
        list->v[i].spi_n = 0;
    return list;
}

static inline const struct proposals *offer_of(const char *text, uint8_t proto)
{
    static struct proposals offer;
    offer.n = raw_proposals(text, proto, offer.v);
    return &offer;
}

#define EXTRAS_ALL (0x7fu << TT_ADDKE1)

#endif
