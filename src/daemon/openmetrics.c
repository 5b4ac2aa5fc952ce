/* openmetrics.c - see openmetrics.h. */
#include "daemon/openmetrics.h"

/* OpenMetrics 1.0.0 "Escaping": backslash, quote and line feed. */
static void add_escaped(struct text *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '\\' || *s == '"')
            text_addf(out, "\\%c", *s);
        else if (*s == '\n')
            text_add(out, "\\n");
        else
            text_addf(out, "%c", *s);
    }
}

static void add_labels(struct text *out, const struct om_label *labels)
{
    if (!labels || !labels->name)
        return;
    for (const struct om_label *l = labels; l->name; l++) {
        text_addf(out, "%s%s=\"", l == labels ? "{" : ",", l->name);
        add_escaped(out, l->value ? l->value : "");
        text_add(out, "\"");
    }
    text_add(out, "}");
}

void om_family(struct text *out, const char *name, const char *type, const char *unit, const char *help)
{
    text_addf(out, "# TYPE %s %s\n", name, type);
    if (unit)
        text_addf(out, "# UNIT %s %s\n", name, unit);
    text_addf(out, "# HELP %s ", name);
    add_escaped(out, help);
    text_add(out, "\n");
}

void om_sample(struct text *out, const char *name, const char *suffix, const struct om_label *labels,
               double value)
{
    text_addf(out, "%s%s", name, suffix);
    add_labels(out, labels);
    text_addf(out, " %.9g\n", value);
}

void om_sample_u64(struct text *out, const char *name, const char *suffix, const struct om_label *labels,
                   uint64_t value)
{
    text_addf(out, "%s%s", name, suffix);
    add_labels(out, labels);
    text_addf(out, " %llu\n", (unsigned long long)value);
}

void om_end(struct text *out)
{
    text_add(out, "# EOF\n");
}
