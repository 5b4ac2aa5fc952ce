/* lexer.h - the words of a settings file (management.md s4.1 in short): names, values, include patterns. */
#ifndef CONFIG_LEXER_H
#define CONFIG_LEXER_H

#include "base/arena.h"
#include "base/buf.h"

struct lexer {
    const uint8_t *p, *end;
    unsigned line, column; /* of the next octet, from 1 */
    struct arena *arena;   /* where texts live */
    struct adit_buf text;  /* the value under way; wiped by lexer_fini(), since it may be a secret */
    bool second_key;       /* the value had a bare "=" in it: a second key on one line? */
    const char *fail;      /* NULL, or what is wrong (a literal) */
};

void lexer_init(struct lexer *lx, struct adit_span file, struct arena *arena);
void lexer_fini(struct lexer *lx);
/* The next octet, or 0 at the end. */
char lexer_peek(const struct lexer *lx);
void lexer_skip(struct lexer *lx); /* one octet */
/* Blanks, newlines and comments. */
void lexer_space(struct lexer *lx);
/* A name, or "" if none stands here; NULL when memory is out (fail is set). */
const char *lexer_name(struct lexer *lx);
/* What follows "=": SPAN_NONE if there is nothing; otherwise with a NUL behind. */
struct adit_span lexer_value(struct lexer *lx);
/* What follows "include", as one pattern. */
const char *lexer_pattern(struct lexer *lx);

#endif
