/* demux.c - from a datagram to the SA that it belongs to (RFC 7296 s2.6, s3.1). Nothing is allocated for a sender that
 * has not shown that it can receive at its address once the house is getting full (cookie), nor for anybody above the
 * hard ceiling. */
#include "ike/sa.h"

static uint64_t init_key(const struct ike *ike, const struct adit_path *path, uint64_t spi_i)
{
    return map_mix(endpoint_hash(&path->remote, ike->seed) ^ spi_i, ike->seed);
}

static bool find_nonce(struct adit_span d, uint8_t first, struct payload_list *list, struct adit_span *nonce,
                       struct adit_span *cookie)
{
    struct rd in = rd_init(span_from(d, IKE_HDR_SIZE));
    if (!payloads_get(&in, first, list, NULL))
        return false;
    const struct payload *p = payloads_find(list, PLD_NONCE, 0);
    *cookie = SPAN_NONE;
    *nonce = SPAN_NONE;
    if (p) {
        struct rd body = rd_init(p->body);
        if (!nonce_get(&body, nonce))
            return false;
    }
    if (list->n && list->v[0].type == PLD_NOTIFY) { /* COOKIE has to be the first payload, RFC 7296 s2.6 */
        struct rd body = rd_init(list->v[0].body);
        struct notify n;
        if (notify_get(&body, &n) && n.type == N_COOKIE)
            *cookie = n.data;
    }
    return nonce->n > 0;
}

static void send_cookie(struct ike *ike, const struct ike_hdr *hdr, const struct adit_path *path,
                        struct adit_span nonce, const struct prf_alg *prf)
{
    uint8_t cookie[COOKIE_SIZE];
    ike_renew_cookies(ike); /* an idle engine has no other occasion */
    if (cookie_make(&ike->cookies, prf, nonce, &path->remote.addr, hdr->spi_i, cookie) != ADIT_OK)
        return;
    ike->counters[ADIT_C_COOKIES]++;
    reply_stray(ike, hdr, path, N_COOKIE, SPAN_ARRAY(cookie));
}

/* True: go on. The list is scratch on the caller's stack: an unauthenticated peer costs no heap. */
static bool passes_cookie(struct ike *ike, const struct ike_hdr *hdr, const struct adit_path *path, struct adit_span d,
                          struct payload_list *list)
{
    struct adit_span nonce, cookie;
    const struct prf_alg *prf = crypto_prf(ike->host.crypto, PRF_HMAC_SHA2_256);
    if (!find_nonce(d, hdr->next, list, &nonce, &cookie)) {
        ike->counters[ADIT_C_INVALID]++;
        return false;
    }
    if (path->tcp || !halfopen_wants_cookie(ike, &path->remote.addr))
        return true; /* by TCP it has shown that it is there: RFC 9329 s6.3 */
    if (cookie.n && cookie_ok(&ike->cookies, prf, cookie, nonce, &path->remote.addr, hdr->spi_i))
        return true;
    if (cookie.n)
        ike->counters[ADIT_C_COOKIE_BAD]++;
    send_cookie(ike, hdr, path, nonce, prf);
    return false;
}

/* Answered with a notify alone: nothing of it is kept. */
static bool turned_away(struct ike *ike, const struct ike_hdr *hdr, const struct adit_path *path, struct adit_span d,
                        const struct payload_list *list)
{
    const struct policy_conn *conn = policy_conn_by_path(ike->policy, path, NULL);
    struct ike_stranger s = { .ike = ike, .path = path, .msg = { .hdr = *hdr, .n = list->n, .v = list->v, .raw = d },
                              .n_sas = ike->n_sas, .conn = conn ? conn->cfg : NULL };
    for (unsigned i = 0; i < EXT_COUNT; i++) {
        uint8_t mem[600];
        struct wr w;
        wr_init(&w, mem, sizeof(mem));
        uint16_t notify = ike_exts[i]->on.turn_away ? ike_exts[i]->on.turn_away(&s, &w) : 0;
        if (!notify || !wr_ok(&w))
            continue;
        reply_stray(ike, hdr, path, notify, wr_written(&w));
        return true;
    }
    return false;
}

static void init_again(struct ike_sa *sa, const struct adit_path *path, struct adit_span d)
{
    const struct ike_reply *reply = window_reply(sa, 0);
    uint8_t digest[16];
    msg_digest(d, digest);
    if (!reply || !span_equal(SPAN_ARRAY(digest), SPAN_ARRAY(reply->digest)))
        return; /* another message under the same SPI, or still being answered */
    ike_count(sa->ike, sa, ADIT_C_DUPLICATES);
    flight_send(sa, path, reply->wire);
}

/* A stranger's long one is kept, and costs more to answer: none of them while he, or all, would be asked for a cookie. */
static bool is_too_long(struct ike *ike, const struct adit_path *path, size_t n)
{
    if (n <= IKE_INIT_MAX)
        return false;
    if (!path->tcp || n > IKE_INIT_MAX_TCP)
        return true;
    if (ike->half_open < IKE_LONG_INITS_MAX && !halfopen_wants_cookie(ike, &path->remote.addr))
        return false;
    ike->counters[ADIT_C_HALF_OPEN_FULL]++;
    return true;
}

void demux_init_request(struct ike *ike, const struct ike_hdr *hdr, const struct adit_path *path, struct adit_span d)
{
    struct raw_msg raw = { .hdr = *hdr, .first = hdr->next };
    struct payload_list list;
    uint8_t digest[16];
    uint64_t key = init_key(ike, path, hdr->spi_i);
    struct ike_sa *sa = map_get(&ike->by_init, key);
    if (sa && sa->spi_i == hdr->spi_i && endpoint_equal(&sa->reply_path.remote, &path->remote)) {
        init_again(sa, path, d);
        return;
    }
    if (!hdr->spi_i || is_too_long(ike, path, d.n) || !passes_cookie(ike, hdr, path, d, &list) || turned_away(ike, hdr, path, d, &list))
        return;
    if (!halfopen_may(ike, &path->remote.addr) || !(sa = sa_new(ike, false, path))) {
        ike->counters[ADIT_C_HALF_OPEN_FULL]++;
        return;
    }
    sa->spi_i = hdr->spi_i;
    sa->reply_path = *path;
    if (map_put(&ike->by_init, key, sa) == ADIT_OK)
        sa->init_key = key;
    sa_index(sa);
    if (sa->cut)
        return; /* no memory to find it again */
    count_message(ike, sa, hdr->exchange, true, false);
    msg_digest(d, digest);
    raw.plain = span_from(d, IKE_HDR_SIZE);
    xchg_request(sa, hdr, path, &raw, d, digest);
    sa_arm(sa);
}

static struct ike_sa *find_sa(struct ike *ike, const struct ike_hdr *hdr)
{
    bool from_initiator = hdr->flags & IKE_FLAG_INITIATOR;
    uint64_t ours = from_initiator ? hdr->spi_r : hdr->spi_i;
    uint64_t theirs = from_initiator ? hdr->spi_i : hdr->spi_r;
    struct ike_sa *sa = ours ? map_get(&ike->by_spi, ours) : NULL;
    if (!sa || sa->is_initiator == from_initiator)
        return NULL;
    uint64_t known = sa->is_initiator ? sa->spi_r : sa->spi_i; /* 0: its first answer will tell */
    return !known || known == theirs ? sa : NULL;
}

static void stray(struct ike *ike, const struct ike_hdr *hdr, const struct adit_path *path)
{
    ike->counters[ADIT_C_INVALID_SPI]++;
    if (!(hdr->flags & IKE_FLAG_RESPONSE) && !opens_sa(hdr->exchange))
        reply_stray(ike, hdr, path, N_INVALID_IKE_SPI, SPAN_NONE);
}

static bool header_ok(struct ike *ike, const struct ike_hdr *hdr, const struct adit_path *path, size_t n)
{
    if (hdr->length != n || n > IKE_MESSAGE_MAX) {
        ike->counters[ADIT_C_INVALID]++;
        return false;
    }
    if (hdr->version >> 4 == 2)
        return true;
    ike->counters[ADIT_C_INVALID]++;
    if (hdr->version >> 4 > 2 && !(hdr->flags & IKE_FLAG_RESPONSE))
        reply_stray(ike, hdr, path, N_INVALID_MAJOR_VERSION, SPAN_NONE);
    return false;
}

static void dispatch(struct ike *ike, const struct ike_hdr *hdr, const struct adit_path *path, struct adit_span d)
{
    bool is_init_request = opens_sa(hdr->exchange) && !(hdr->flags & IKE_FLAG_RESPONSE);
    if (is_init_request) {
        if (hdr->spi_r == 0 && hdr->msgid == 0 && hdr->flags & IKE_FLAG_INITIATOR)
            demux_init_request(ike, hdr, path, d);
        else
            ike->counters[ADIT_C_INVALID]++;
        return;
    }
    struct ike_sa *sa = find_sa(ike, hdr);
    if (!sa) {
        stray(ike, hdr, path);
        return;
    }
    sa_input(sa, hdr, path, d);
    sa_arm(sa);
}

void adit_ike_input(struct adit_ike *engine, const struct adit_path *path, const uint8_t *data, size_t n, uint64_t now)
{
    struct ike *ike = (struct ike *)engine;
    struct adit_span d = span(data, n);
    struct rd in = rd_init(d);
    struct ike_hdr hdr;
    ike->now = now;
    ike->counters[ADIT_C_BYTES_IN] += n;
    if (!ike_hdr_get(&in, &hdr))
        ike->counters[ADIT_C_INVALID]++;
    else if (header_ok(ike, &hdr, path, n))
        dispatch(ike, &hdr, path, d);
    ike_sweep(ike);
}
