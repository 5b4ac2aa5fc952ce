/* seal.c - outbound: mode, sequence number, protocol, one crypto call a chunk, outer header (RFC 4303 s3.3). */
#include "esp/sa.h"

#define OUTER_IP_MAX 40
#define V6_MTU_MIN 1280

bool esp_fits(const struct esp_sa *sa, struct esp_pkt *pkt, bool v6, bool inner_df, uint16_t max)
{
    if (pkt->len <= max)
        return true;
    if (!v6 && !inner_df && sa->cut_outside) {
        pkt->df = false;
        return true;
    }
    if (v6 && pkt->len <= V6_MTU_MIN) {
        pkt->df = false;
        return true;
    }
    pkt->mtu = v6 && max < V6_MTU_MIN ? V6_MTU_MIN : max;
    return false;
}

/* Is there room around the packet for all that may be written? */
static bool has_room(const struct esp_sa *sa, const struct esp_pkt *pkt)
{
    uint32_t before = OUTER_IP_MAX + sa->proto->header_n + (uint32_t)sa->iv;
    uint32_t after = sa->align + sa->proto->trailer_n + (uint32_t)sa->icv;
    return pkt->off >= before && pkt->off <= pkt->cap && pkt->len <= pkt->cap - pkt->off &&
           after <= pkt->cap - pkt->off - pkt->len;
}

static size_t with_room(const struct esp_sa *sa, struct esp_pkt **pkts, size_t n, struct esp_pkt **out)
{
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (has_room(sa, pkts[i]))
            out[m++] = pkts[i];
        else
            pkts[i]->verdict = ESP_MALFORMED;
    }
    return m;
}

static void count(struct esp_sa *sa, const struct esp_frame *f, uint64_t now)
{
    sa->out.packets++;
    sa->out.bytes += f->inner_n;
    sa->out.last_at = now;
    if (f->inner_n)
        sa->out.used_at = now;
}

/* Numbers, lays out and describes the frames; returns how many from the first on may go. A number is never given back:
 * what was counted is used up, even if the packet doesn't leave. */
static size_t lay_out(struct esp_sa *sa, struct esp_frame *frames, size_t m, struct crypt_job *jobs,
                      uint64_t now)
{
    for (size_t i = 0; i < m; i++) {
        if (!limits_pass(sa, &sa->out)) {
            for (size_t k = i; k < m; k++)
                frames[k].pkt->verdict = ESP_EXPIRED;
            return i;
        }
        frames[i].seq = ++sa->seq;
        count(sa, &frames[i], now);
        sa->proto->seal(sa, &frames[i], &jobs[i]);
    }
    return m;
}

void esp_seal_frames(struct esp_sa *sa, struct esp_frame *frames, size_t m,
                     bool (*finish)(struct esp_sa *sa, struct esp_frame *f), uint64_t now)
{
    struct crypt_job jobs[ESP_CHUNK];
    m = lay_out(sa, frames, m, jobs, now);
    crypt_seal_many(sa->out.crypt, jobs, m);
    for (size_t i = 0; i < m; i++) {
        if (!jobs[i].ok)
            frames[i].pkt->verdict = ESP_INTEGRITY; /* the library failed: what lies there may be plaintext */
        else if (!sa->udp && !finish(sa, &frames[i]))
            frames[i].pkt->verdict = ESP_MALFORMED;
    }
}

static void seal_chunk(struct esp_sa *sa, struct esp_pkt **pkts, size_t n, uint64_t now)
{
    struct esp_pkt *roomy[ESP_CHUNK];
    struct esp_frame frames[ESP_CHUNK];
    size_t m = sa->mode->wrap(sa, roomy, with_room(sa, pkts, n, roomy), frames);
    esp_seal_frames(sa, frames, m, sa->mode->finish, now);
}

enum esp_verdict esp_seal_ready(struct esp_sa *sa, uint64_t now)
{
    limits_time(sa, now);
    uint8_t family = sa->path.local.addr.family;
    if (sa->expired)
        return ESP_EXPIRED;
    if (!sa->active || (!sa->udp && (family == 0 || family != sa->path.remote.addr.family)))
        return ESP_STANDBY;
    return esp_half_crypt(sa, &sa->out, true) ? ESP_OK : ESP_STANDBY;
}

void esp_seal_batch(struct esp_sa *sa, struct esp_pkt **pkts, size_t n, uint64_t now)
{
    enum esp_verdict ready = esp_seal_ready(sa, now);
    for (size_t i = 0; i < n && ready != ESP_OK; i++)
        pkts[i]->verdict = (uint8_t)ready;
    for (size_t i = 0; i < n && ready == ESP_OK; i += ESP_CHUNK)
        seal_chunk(sa, pkts + i, n - i < ESP_CHUNK ? n - i : ESP_CHUNK, now);
}
