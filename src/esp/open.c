/* open.c - inbound, in the order of RFC 4303 s3.4 and RFC 4301 s5.2: length, SA, sequence number, ICV, window, lifetime,
 * padding, selectors, outer header. Nothing of the SA but a counter changes before the ICV is known to be right. */
#include "esp/sa.h"
#include "wire/esp_hdr.h"

#define MOVED_AGAIN_NS UINT64_C(1000000000)

struct work {
    size_t n;
    struct esp_frame frames[ESP_CHUNK];
    struct crypt_job jobs[ESP_CHUNK];
};

static void settle(struct esp_pkt *pkt, enum esp_verdict verdict)
{
    pkt->verdict = (uint8_t)verdict;
    if (pkt->sa && verdict != ESP_OK && verdict != ESP_DUMMY && verdict != ESP_STREAM)
        pkt->sa->errors_in++;
}

static bool same_endpoint(const struct esp_sa *sa, const struct adit_endpoint *known,
                          const struct adit_endpoint *e)
{
    size_t n = known->addr.family == 4 ? 4 : 16;
    return e->addr.family == known->addr.family && span_equal(span(e->addr.ip, n), span(known->addr.ip, n)) &&
           (!sa->udp || e->port == 0 || e->port == known->port); /* bare ESP has no port */
}

/* A peer whom nobody follows is not worth a word a packet. */
static bool told_of_move(const struct esp_sa *sa, const struct adit_path *from, uint64_t now)
{
    return sa->moved && now - sa->moved_told_at < MOVED_AGAIN_NS &&
           same_endpoint(sa, &sa->moved_to.remote, &from->remote);
}

/* RFC 7296 s2.23: follow the peer only by authentic packets, newer than all before, and only if a window vouches for
 * that. */
static void look_at_path(struct esp_sa *sa, const struct esp_pkt *pkt, bool newest, uint64_t now)
{
    if (!newest || !sa->window.size || !pkt->from ||
        same_endpoint(sa, &sa->path.remote, &pkt->from->remote) || told_of_move(sa, pkt->from, now))
        return;
    sa->moved = true;
    sa->moved_told_at = now;
    sa->moved_to = *pkt->from;
    esp_raise(sa, ESP_EV_PATH);
}

static void count(struct esp_sa *sa, uint64_t now)
{
    sa->in.packets++;
    sa->in.last_at = now;
    sa->active = true; /* the peer has and uses the new SA: so may we (RFC 7296 s2.8) */
    esp_raise(sa, ESP_EV_FIRST_IN);
}

static enum esp_verdict accept_frame(struct esp_sa *sa, struct esp_frame *f, const struct crypt_job *job,
                                     uint64_t now)
{
    if (!job->ok) {
        limits_failed_icv(sa);
        return ESP_INTEGRITY;
    }
    bool newest = f->seq > sa->window.top;
    if (!replay_update(&sa->window, f->seq))
        return ESP_REPLAY; /* a twin in the same batch was first */
    if (!limits_pass(sa, &sa->in))
        return ESP_EXPIRED;
    count(sa, now);
    look_at_path(sa, f->pkt, newest, now);
    enum esp_verdict verdict = sa->proto->unpad(sa, f);
    if (verdict == ESP_OK)
        verdict = sa->mode->unwrap(sa, f);
    if (verdict == ESP_OK) {
        sa->in.bytes += f->inner_n;
        sa->in.used_at = now;
    }
    sa->in.dummies += verdict == ESP_DUMMY;
    return verdict;
}

/* The SA of the packet; runs of one SPI are looked up once. */
static struct esp_sa *find(const struct esp_table *t, const struct esp_pkt *pkt, struct esp_sa *last,
                           uint64_t now)
{
    uint32_t spi = be32_get(pkt->buf + pkt->off);
    if (last && last->in.spi == spi)
        return last;
    struct esp_sa *sa = esp_table_get(t, spi);
    if (sa)
        limits_time(sa, now);
    return sa;
}

static bool lies_in_buffer(const struct esp_pkt *pkt)
{
    return pkt->len >= ESP_HDR_SIZE && pkt->off <= pkt->cap && pkt->len <= pkt->cap - pkt->off;
}

/* All that can be said before decryption. ESP_OK: frame and job are ready. */
static enum esp_verdict prepare(struct esp_pkt *pkt, struct esp_frame *f, struct crypt_job *job)
{
    struct esp_sa *sa = pkt->sa;
    if (!sa)
        return ESP_NO_SA;
    if (sa->expired)
        return ESP_EXPIRED;
    f->pkt = pkt;
    enum esp_verdict verdict = sa->proto->open(sa, f, job);
    if (verdict == ESP_OK && !esp_half_crypt(sa, &sa->in, false))
        return ESP_STANDBY;
    return verdict;
}

static void collect(const struct esp_table *t, struct esp_pkt **pkts, size_t n, uint64_t now, struct work *w)
{
    struct esp_sa *last = NULL;
    for (size_t i = 0; i < n; i++) {
        struct esp_pkt *pkt = pkts[i];
        enum esp_verdict verdict = ESP_MALFORMED;
        pkt->sa = NULL;
        if (lies_in_buffer(pkt)) {
            pkt->sa = last = find(t, pkt, last, now);
            verdict = prepare(pkt, &w->frames[w->n], &w->jobs[w->n]);
        }
        if (verdict == ESP_OK)
            w->n++;
        else
            settle(pkt, verdict);
    }
}

/* One crypto call for each run of packets of one SA. */
static void decrypt(struct work *w)
{
    for (size_t i = 0, k; i < w->n; i = k) {
        struct esp_sa *sa = w->frames[i].pkt->sa;
        for (k = i + 1; k < w->n && w->frames[k].pkt->sa == sa;)
            k++;
        crypt_open_many(sa->in.crypt, w->jobs + i, k - i);
    }
}

static void open_chunk(struct esp_table *t, struct esp_pkt **pkts, size_t n, uint64_t now)
{
    struct work w;
    w.n = 0;
    collect(t, pkts, n, now, &w);
    decrypt(&w);
    for (size_t i = 0; i < w.n; i++) {
        struct esp_pkt *pkt = w.frames[i].pkt;
        settle(pkt, accept_frame(pkt->sa, &w.frames[i], &w.jobs[i], now));
    }
}

void esp_open_batch(struct esp_table *t, struct esp_pkt **pkts, size_t n, uint64_t now)
{
    for (size_t i = 0; i < n; i += ESP_CHUNK)
        open_chunk(t, pkts + i, n - i < ESP_CHUNK ? n - i : ESP_CHUNK, now);
}
