/* fake_sa.c - see fake_sa.h. */
#include "fake_sa.h"
#include <stdlib.h>

void fake_sa(struct ike_sa *sa, const struct ike_ext *ext)
{
    *sa = (struct ike_sa){ .ext = ext,
                           .initiator = true,
                           .agreed = true,
                           .peer_announced = true,
                           .spi_i = 0x0102030405060708,
                           .spi_r = 0x1112131415161718 };
    assert_true(addr_parse("192.0.2.1", &sa->path.local.addr));
    assert_true(addr_parse("198.51.100.2", &sa->path.remote.addr));
    sa->path.local.port = sa->path.remote.port = 500;
}

void fake_set(struct ike_sa *sa, const char *key, const char *value)
{
    size_t i = 0;
    while (sa->option[i][0] && strcmp(sa->option[i][0], key) != 0)
        i++;
    assert_true(i < ARRAY_LEN(sa->option));
    sa->option[i][0] = key;
    sa->option[i][1] = value;
}

void fake_fini(struct ike_sa *sa)
{
    void *state = sa->slot[sa->ext->id];
    if (state && sa->ext->on.fini)
        sa->ext->on.fini(sa, state);
    mem_del(state);
    sa->slot[sa->ext->id] = NULL;
}

void *ext_sa(struct ike_sa *sa, enum ike_ext_id id)
{
    assert_int_equal(id, sa->ext->id);
    if (!sa->slot[id])
        sa->slot[id] = mem_new(sa->ext->sa_size);
    return sa->slot[id];
}

void *ext_peek(const struct ike_sa *sa, enum ike_ext_id id)
{
    return sa->slot[id];
}

bool ext_agreed(const struct ike_sa *sa, enum ike_ext_id id)
{
    return sa->agreed;
}

bool ext_peer_announced(const struct ike_sa *sa, enum ike_ext_id id)
{
    return sa->peer_announced;
}

const char *sa_option(const struct ike_sa *sa, const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(sa->option) && sa->option[i][0]; i++)
        if (!strcmp(sa->option[i][0], key))
            return sa->option[i][1];
    for (uint16_t i = 0; i < sa->ext->n_options; i++)
        if (!strcmp(sa->ext->options[i].key, key))
            return sa->ext->options[i].deflt;
    fail_msg("option '%s' is in no table", key);
    return "";
}

bool sa_any_child_option(const struct ike_sa *sa, const char *key, const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(sa->option) && sa->option[i][0]; i++)
        if (!strcmp(sa->option[i][0], key))
            return !strcmp(sa->option[i][1], word);
    return false;
}

uint64_t sa_option_number(const struct ike_sa *sa, const char *key)
{
    return strtoull(sa_option(sa, key), NULL, 10);
}

bool sa_is_initiator(const struct ike_sa *sa)
{
    return sa->initiator;
}

bool sa_is_established(const struct ike_sa *sa)
{
    return sa->established;
}

uint64_t sa_spi_i(const struct ike_sa *sa)
{
    return sa->spi_i;
}

uint64_t sa_spi_r(const struct ike_sa *sa)
{
    return sa->spi_r;
}

const struct adit_path *sa_path(const struct ike_sa *sa)
{
    return &sa->path;
}

void sa_set_path(struct ike_sa *sa, const struct adit_path *path)
{
    sa->path = *path;
    sa->path_sets++;
}

void sa_close_stream(struct ike_sa *sa, const struct adit_path *path)
{
    sa->streams_closed += path->tcp;
}

void sa_use_stream(struct ike_sa *sa)
{
    sa->streams_used += sa->path.tcp;
}

void sa_children_changed(struct ike_sa *sa)
{
    sa->children_told++;
}

void sa_repeat_request(struct ike_sa *sa)
{
    sa->repeated++;
}

unsigned sa_host_addresses(const struct ike_sa *sa, const struct adit_addr **v)
{
    *v = sa->host;
    return sa->n_host;
}

bool sa_may_be_at(const struct ike_sa *sa, const struct adit_addr *local, const struct adit_addr *remote)
{
    return !remote || !addr_equal(remote, &sa->forbidden);
}

enum adit_rc sa_open_exchange(struct ike_sa *sa, const struct ike_step *step, uint32_t id)
{
    sa->opened++;
    return ADIT_OK;
}

void sa_delete(struct ike_sa *sa, const char *why)
{
    sa->deleted++;
}

struct ike_sa *xchg_sa(const struct ike_xchg *x)
{
    return x->sa;
}

uint32_t xchg_msgid(const struct ike_xchg *x)
{
    return x->msgid;
}

unsigned sa_window(const struct ike_sa *sa, bool answers)
{
    return sa->window ? sa->window : 1;
}

bool xchg_is_check(const struct ike_xchg *x)
{
    return x->is_check;
}

const struct adit_path *xchg_path(const struct ike_xchg *x)
{
    return &x->path;
}

const struct ike_msg *xchg_msg(const struct ike_xchg *x)
{
    return x->msg;
}

bool msg_next_notify(const struct ike_msg *msg, uint16_t *i, struct notify *out)
{
    while (*i < msg->n) {
        const struct payload *p = &msg->v[(*i)++];
        struct rd in = rd_init(p->body);
        if (p->type == PLD_NOTIFY && notify_get(&in, out))
            return true;
    }
    return false;
}

bool msg_notify(const struct ike_msg *msg, uint16_t type, struct notify *out)
{
    for (uint16_t i = 0; msg_next_notify(msg, &i, out);)
        if (out->type == type)
            return true;
    return false;
}

uint16_t sa_port_nat_t(const struct ike_sa *sa)
{
    return 4500;
}

uint64_t sa_now(const struct ike_sa *sa)
{
    return sa->now;
}

uint64_t sa_last_sent_at(const struct ike_sa *sa)
{
    return sa->last_sent_at;
}

size_t sa_message_max(struct ike_sa *sa, uint8_t exchange, bool response)
{
    return sa->message_max ? sa->message_max : 65535;
}

unsigned sa_peer_fragments(const struct ike_sa *sa)
{
    return sa->peer_fragments;
}

uint64_t sa_round_trip(const struct ike_sa *sa)
{
    return 0;
}

/* No other extension is there. */
static const struct ike_ext none;
const struct ike_ext *const ike_exts[EXT_COUNT] = { [0 ... EXT_COUNT - 1] = &none };

void sa_send_beside(struct ike_sa *sa, struct ike_wire *wire)
{
    wire_unref(wire);
}

uint16_t sa_reported_total(const struct ike_sa *sa, const struct ike_hdr *hdr)
{
    return 0;
}

void sa_report(struct ike_sa *sa, const struct ike_hdr *hdr, const struct ike_report *r)
{
}

bool sa_random(struct ike_sa *sa, uint8_t *out, size_t n)
{
    sa->randoms++;
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(i + sa->randoms);
    return true;
}

void sa_keepalive(struct ike_sa *sa)
{
    sa->keepalives++;
    sa->last_sent_at = sa->now;
}

void sa_log(struct ike_sa *sa, enum adit_level level, const char *group, const char *fmt, ...)
{
}

void sa_fail(struct ike_sa *sa, enum adit_rc rc, const char *fmt, ...)
{
    assert_true(strlen(fmt) > 0);
    sa->failed++;
    sa->failed_with = rc;
}

struct ike_wire *wire_new(uint16_t n, size_t octets)
{
    assert_true(n <= FAKE_DATAGRAMS);
    struct ike_wire *w = mem_new(sizeof(*w) + octets);
    if (w)
        w->n = n, w->size = octets;
    return w;
}

uint8_t *wire_next(struct ike_wire *w, size_t n)
{
    if (w->made >= w->n || n > w->size - w->used)
        return NULL;
    w->datagrams[w->made].p = w->bytes + w->used;
    return w->bytes + w->used;
}

void wire_close(struct ike_wire *w, size_t n)
{
    w->datagrams[w->made++].n = n;
    w->used += n;
}

void wire_unref(struct ike_wire *w)
{
    mem_del(w);
}

static size_t padding(const struct ike_sa *sa, size_t plain)
{
    size_t block = sa->block ? sa->block : 1;
    return (block - (plain + 1) % block) % block;
}

static void icv(struct adit_span text, uint8_t out[64])
{
    assert_int_equal(crypto_hash(HASH_SHA2_256, &text, 1, out), 32);
}

size_t sa_seal_overhead(const struct ike_sa *sa, size_t plain)
{
    return FAKE_IV + padding(sa, plain) + 1 + FAKE_ICV;
}

enum adit_rc sa_seal(struct ike_sa *sa, struct wr *w, size_t aad_at, struct adit_span plain)
{
    uint8_t mac[64];
    size_t pad = padding(sa, plain.n), at = w->n + FAKE_IV;
    wr_u64(w, sa->now++);
    wr_span(w, plain);
    wr_zero(w, pad);
    wr_u8(w, (uint8_t)pad);
    if (!wr_ok(w))
        return ADIT_ERR_LIMIT;
    for (size_t i = at; i < w->n; i++)
        w->p[i] ^= 0x5a;
    icv(span_from(wr_written(w), aad_at), mac);
    wr_span(w, span(mac, FAKE_ICV));
    return wr_ok(w) ? ADIT_OK : ADIT_ERR_LIMIT;
}

enum adit_rc sa_open(struct ike_sa *sa, uint8_t *d, size_t n, size_t at, struct adit_span *plain)
{
    uint8_t mac[64];
    if (n < at + FAKE_IV + 1 + FAKE_ICV)
        return ADIT_ERR_DROP;
    icv(span(d, n - FAKE_ICV), mac);
    if (!span_equal(span(mac, FAKE_ICV), span(d + n - FAKE_ICV, FAKE_ICV)))
        return ADIT_ERR_INTEGRITY;
    for (size_t i = at + FAKE_IV; i < n - FAKE_ICV; i++)
        d[i] ^= 0x5a;
    size_t len = n - FAKE_ICV - at - FAKE_IV, pad = d[n - FAKE_ICV - 1];
    if (pad + 1 > len)
        return ADIT_ERR_MALFORMED;
    *plain = span(d + at + FAKE_IV, len - 1 - pad);
    return ADIT_OK;
}

void msg_digest(struct adit_span datagram, uint8_t out[16])
{
    uint8_t full[64];
    icv(datagram, full);
    span_copy(out, span(full, 16));
}
