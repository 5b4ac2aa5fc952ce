/* cmd_adit_metrics.c - adit-metrics: OpenMetrics text in pieces, one event each. */
#include "base/mem.h"
#include "daemon/cmd.h"
#include "daemon/metrics.h"

#define PIECE 60000 /* octets: a VICI value holds 65535 */

struct pieces {
    struct text text;
    struct adit_span rest;
};

static bool next(void *state, struct vici_call *call)
{
    struct pieces *p = state;
    struct reply r;
    if (!p->rest.n) {
        vici_call_ok(call);
        return false;
    }
    reply_begin(&r);
    vici_value(&r.b, "openmetrics", span_first(p->rest, PIECE));
    p->rest = span_from(p->rest, PIECE);
    reply_event(&r, call, "adit-metrics");
    return true;
}

static void pieces_free(void *state)
{
    struct pieces *p = state;
    text_fini(&p->text);
    mem_del(p);
}

void cmd_adit_metrics(void *arg, struct vici_call *call)
{
    struct pieces *p = mem_new(sizeof(*p));
    if (p)
        metrics_write(arg, &p->text);
    if (!p || !text_ok(&p->text)) {
        if (p)
            pieces_free(p);
        vici_call_fail(call, "out of memory");
        return;
    }
    p->rest = buf_span(&p->text.buf);
    vici_call_stream(call, next, p, pieces_free);
}
