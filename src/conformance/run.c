/* run.c - one row from beginning to end, and what follows: does the peer still serve an honest one? */
#include "conformance/puppet.h"

/* What a script left open is closed, so that rows do not depend on each other. */
static void clean_up(struct puppet *p)
{
    struct conformance_result kept = *p->out;
    bool over = p->over;
    goodbye(p);
    former_self(p);
    goodbye(p);
    *p->out = kept;
    p->over = over;
}

static void rest(const struct conformance_params *params, unsigned ms)
{
    static uint8_t ignored[DATAGRAM_MAX];
    const struct conformance_port *port = &params->port;
    uint64_t now, end = port->now_ms(port->arg) + ms;
    while ((now = port->now_ms(port->arg)) < end)
        port->receive(port->arg, ignored, sizeof(ignored), (unsigned)(end - now));
}

/* A peer that has been flooded may keep its doors shut for a while. */
#define TRIES 5

static void epilogue(const struct conformance_params *params, struct conformance_result *out)
{
    struct conformance_result result = { .verdict = VERDICT_FAILED };
    for (int i = 0; i < TRIES && result.verdict != VERDICT_PASSED; i++) {
        if (i)
            rest(params, 4 * params->answer_ms);
        struct puppet *p = puppet_new(params, &result);
        if (!p)
            return;
        honest(p);
        puppet_free(p);
    }
    if (result.verdict == VERDICT_PASSED)
        return;
    struct strbuf text = { out->text, 0, sizeof(out->text) };
    out->verdict = VERDICT_FAILED;
    out->text[0] = 0;
    strbuf_addf(&text, "afterwards an honest handshake fails: %s", result.text);
}

void conformance_play(const struct conformance_params *params, const struct behaviour *b, struct conformance_result *out)
{
    struct puppet *p = puppet_new(params, out);
    if (!p)
        return;
    if (!p->over && b->script)
        b->script(p);
    clean_up(p);
    puppet_free(p);
    if (!params->no_epilogue && out->verdict != VERDICT_FAILED)
        epilogue(params, out);
}

const char *conformance_role_name(enum conformance_role r)
{
    return r == CONFORMANCE_INITIATOR ? "initiator" : "responder";
}

const char *conformance_stage_name(enum conformance_stage s)
{
    return s == STAGE_BEFORE_AUTH ? "before auth" : "behind keys";
}

const char *conformance_level_name(enum conformance_level l)
{
    static const char *const names[] = { "MUST", "SHOULD", "choice" };
    return names[l];
}

const char *conformance_verdict_name(enum conformance_verdict v)
{
    static const char *const names[] = { "passed", "failed", "skipped" };
    return names[v];
}
