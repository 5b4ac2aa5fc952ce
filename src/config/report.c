/* report.c - errors and warnings with their places. */
#include "config/report.h"
#include "config/text.h"

void report_put(struct config_report *r, bool warning, struct place at, const char *text)
{
    warning ? r->warnings++ : r->errors++;
    if (r->n == CONFIG_PROBLEMS_MAX)
        return;
    const char *file = arena_str(&r->arena, at.file ? at.file : "");
    const char *copy = arena_str(&r->arena, text);
    if (file && copy)
        r->v[r->n++] = (struct config_problem){ warning, file, at.line, at.column, copy };
}

void config_report_fini(struct config_report *r)
{
    arena_fini(&r->arena);
    *r = (struct config_report){ 0 };
}

static void print_place(struct strbuf *out, const struct config_problem *p)
{
    strbuf_add(out, p->file);
    if (p->line)
        strbuf_addf(out, ":%u:%u", p->line, p->column);
}

void config_problem_print(struct strbuf *out, const struct config_problem *p)
{
    print_place(out, p);
    strbuf_addf(out, ": %s: %s", p->warning ? "warning" : "error", p->text);
}

enum adit_rc config_report_print(const struct config_report *r, struct adit_buf *out)
{
    for (unsigned i = 0; i < r->n; i++) {
        STRBUF(line, 2000);
        config_problem_print(&line, &r->v[i]);
        TRY(text_addf(out, "%s\n", line.p));
    }
    if (r->errors + r->warnings > r->n)
        TRY(text_addf(out, "and %u more\n", r->errors + r->warnings - r->n));
    return ADIT_OK;
}

enum adit_rc config_report_why(const struct config_report *r, struct adit_why *why)
{
    for (unsigned i = 0; i < r->n; i++) {
        STRBUF(place, 256);
        if (r->v[i].warning)
            continue;
        print_place(&place, &r->v[i]);
        if (r->errors > 1)
            return why_set(why, ADIT_ERR_CONFIG, "%s: %s (and %u more)", place.p, r->v[i].text,
                           r->errors - 1);
        return why_set(why, ADIT_ERR_CONFIG, "%s: %s", place.p, r->v[i].text);
    }
    return why_set(why, ADIT_ERR_CONFIG, "bad configuration");
}
