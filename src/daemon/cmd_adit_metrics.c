/* cmd_adit_metrics.c - adit-metrics: OpenMetrics text in pieces of a value's size. */
#include "daemon/cmd.h"
#include "daemon/metrics.h"

#define PIECE 60000 /* octets: a VICI value holds 65535 */

void cmd_adit_metrics(void *arg, struct vici_call *call)
{
    struct text text = { 0 };
    struct reply r;
    metrics_write(arg, &text);
    if (!text_ok(&text)) {
        text_fini(&text);
        vici_call_fail(call, "out of memory");
        return;
    }
    reply_begin(&r);
    vici_str(&r.b, "success", "yes");
    vici_list(&r.b, "openmetrics");
    for (struct adit_span rest = buf_span(&text.buf); rest.n; rest = span_from(rest, PIECE))
        vici_item(&r.b, span_first(rest, PIECE));
    vici_list_end(&r.b);
    reply_answer(&r, call);
    text_fini(&text);
}
