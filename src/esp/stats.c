/* stats.c - what is counted for one SA, and the verdicts' names. */
#include "esp/sa.h"

static const char *const names[ESP_VERDICTS]; /* at the end */

void esp_sa_stats(const struct esp_sa *sa, struct adit_child_stats *out)
{
    *out = (struct adit_child_stats){
        .bytes_in = sa->in.bytes,
        .packets_in = sa->in.packets,
        .bytes_out = sa->out.bytes,
        .packets_out = sa->out.packets,
        .last_in_at = sa->in.last_at,
        .last_out_at = sa->out.last_at,
        .errors_in = sa->errors_in,
        .dummies_in = sa->in.dummies,
        .dummies_out = sa->out.dummies,
        .lost_in = sa->stream ? stream_lost(sa) : 0,
    };
}

const char *esp_verdict_name(enum esp_verdict v)
{
    return v < ESP_VERDICTS ? names[v] : "unknown";
}

static const char *const names[ESP_VERDICTS] = {
    [ESP_OK] = "ok",
    [ESP_DUMMY] = "dummy",
    [ESP_NO_SA] = "no-sa",
    [ESP_MALFORMED] = "malformed",
    [ESP_REPLAY] = "replay",
    [ESP_INTEGRITY] = "integrity",
    [ESP_SELECTOR] = "selector",
    [ESP_ECN] = "ecn",
    [ESP_TOO_BIG] = "too-big",
    [ESP_TTL] = "ttl",
    [ESP_EXPIRED] = "expired",
    [ESP_STANDBY] = "standby",
    [ESP_STREAM] = "stream",
    [ESP_FULL] = "queue-full",
};
