/* lexer.c - the words of a settings file. Strings may span lines; a value ends at newline, '#' or '}'. */
#include "config/lexer.h"

void lexer_init(struct lexer *lx, struct adit_span file, struct arena *arena)
{
    static const char bom[] = "\xef\xbb\xbf";
    *lx = (struct lexer){
        .p = file.p, .end = file.n ? file.p + file.n : file.p, .line = 1, .column = 1, .arena = arena
    };
    if (span_equal(span_first(file, 3), SPAN_LIT(bom)))
        lx->p += 3;
}

void lexer_fini(struct lexer *lx)
{
    buf_wipe(&lx->text);
}

char lexer_peek(const struct lexer *lx)
{
    return lx->p < lx->end ? (char)*lx->p : 0;
}

void lexer_skip(struct lexer *lx)
{
    if (lx->p == lx->end)
        return;
    if (*lx->p == '\n') {
        lx->line++;
        lx->column = 0;
    }
    lx->column++;
    lx->p++;
}

static void fail(struct lexer *lx, const char *what)
{
    if (!lx->fail)
        lx->fail = what;
    lx->p = lx->end;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static void skip_blanks(struct lexer *lx)
{
    while (is_blank(lexer_peek(lx)))
        lexer_skip(lx);
}

void lexer_space(struct lexer *lx)
{
    for (;;) {
        char c = lexer_peek(lx);
        if (c == '#') {
            while (lx->p < lx->end && *lx->p != '\n')
                lexer_skip(lx);
        } else if (is_blank(c) || c == '\n') {
            lexer_skip(lx);
        } else {
            break;
        }
    }
}

static void add(struct lexer *lx, char c)
{
    if (buf_append(&lx->text, span(&c, 1)) != ADIT_OK)
        fail(lx, "out of memory");
}

/* The collected text in the arena, with a NUL behind. */
static struct adit_span collected(struct lexer *lx)
{
    uint8_t *p = arena_new(lx->arena, lx->text.n + 1);
    if (!p) {
        fail(lx, "out of memory");
        return SPAN_NONE;
    }
    span_copy(p, buf_span(&lx->text));
    return span(p, lx->text.n);
}

const char *lexer_name(struct lexer *lx)
{
    lx->text.n = 0;
    for (char c = lexer_peek(lx); c && !is_one_of(c, "#{}:.,=\"\r\n\t "); c = lexer_peek(lx)) {
        add(lx, c);
        lexer_skip(lx);
    }
    return (const char *)collected(lx).p;
}

static void escape(struct lexer *lx)
{
    char c = lexer_peek(lx);
    lexer_skip(lx);
    if (c == '\n') /* joins lines */
        return;
    add(lx, c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c);
}

static void string(struct lexer *lx)
{
    lexer_skip(lx); /* the opening quote */
    for (;;) {
        char c = lexer_peek(lx);
        if (!c) {
            fail(lx, lx->p < lx->end ? "a NUL octet in a string" : "the string is not closed by '\"'");
            return;
        }
        lexer_skip(lx);
        if (c == '"')
            return;
        if (c == '\\' && lexer_peek(lx))
            escape(lx);
        else if (c != '\\')
            add(lx, c);
    }
}

static void bare(struct lexer *lx)
{
    size_t before = lx->text.n;
    for (char c = lexer_peek(lx); c && !is_one_of(c, "#}\"\n\r\t "); c = lexer_peek(lx)) {
        add(lx, c);
        lexer_skip(lx);
    }
    lx->second_key |= before && span_equal(span_from(buf_span(&lx->text), before), SPAN_LIT("="));
}

struct adit_span lexer_value(struct lexer *lx)
{
    bool any = false;
    lx->text.n = 0;
    lx->second_key = false;
    for (skip_blanks(lx); !is_one_of(lexer_peek(lx), "#}\n") && lexer_peek(lx); skip_blanks(lx)) {
        if (any)
            add(lx, ' ');
        any = true;
        if (lexer_peek(lx) == '"')
            string(lx);
        else
            bare(lx);
    }
    return any ? collected(lx) : SPAN_NONE;
}

const char *lexer_pattern(struct lexer *lx)
{
    lx->text.n = 0;
    skip_blanks(lx);
    if (lexer_peek(lx) == '"') {
        string(lx);
        return (const char *)collected(lx).p;
    }
    for (char c = lexer_peek(lx); c && !is_one_of(c, "#}\"\n\r\t "); c = lexer_peek(lx)) {
        lexer_skip(lx);
        if (c == '\\' && is_one_of(lexer_peek(lx), "\"#} ")) {
            c = lexer_peek(lx);
            lexer_skip(lx);
        }
        add(lx, c);
    }
    return (const char *)collected(lx).p;
}
