/* core.c - see core.h. */
#include "core.h"

static struct sim lab; /* only for its generators */

static struct adit_crypto *library(void)
{
    if (!lab.crypto_prng.s[0])
        prng_init(&lab.crypto_prng, 7);
    return sim_crypto(&lab);
}

struct ike *core_new(void)
{
    struct adit_crypto *crypto = library();
    prng_init(&lab.prng, 42);
    struct adit_host host = { .crypto = crypto, .random = prng_fill, .random_arg = &lab.prng };
    struct adit_ike *ike = adit_ike_new(&host, SECONDS(1000));
    assert_non_null(ike);
    return (struct ike *)ike;
}

void core_free(struct ike *ike)
{
    core_drain(ike);
    adit_ike_free((struct adit_ike *)ike);
}

struct adit_path core_path(bool initiator)
{
    struct adit_path p = { .local.port = 500, .remote.port = 500 };
    assert_true(addr_parse(initiator ? "192.0.2.1" : "192.0.2.2", &p.local.addr));
    assert_true(addr_parse(initiator ? "192.0.2.2" : "192.0.2.1", &p.remote.addr));
    return p;
}

static const struct proposal_list no_proposals;
static const struct adit_child_cfg child_cfg = { .name = "net", .proposals = &no_proposals };
static const struct adit_conn conn_cfg = { .name = "peer", .proposals = &no_proposals };
static const struct policy_conn conn = { .cfg = &conn_cfg };

static void make_keys(struct ike_sa *sa)
{
    static const uint8_t nonce[32] = { 3 }, secret[32] = { 9 };
    struct keymat_in in = { .crypto = sa->ike->host.crypto,
                            .suite = &sa->suite,
                            .nonce_i = SPAN_ARRAY(nonce),
                            .nonce_r = SPAN_ARRAY(nonce),
                            .spi_i = 1,
                            .spi_r = 2 };
    assert_int_equal(keymat_init(&in, SPAN_ARRAY(secret), &sa->keys), ADIT_OK);
    sa->keyed = true;
}

struct ike_sa *core_sa_with(struct ike *ike, bool initiator, uint16_t encr, uint16_t bits, uint16_t integ)
{
    struct adit_path path = core_path(initiator);
    struct ike_sa *sa = sa_new(ike, initiator, &path);
    assert_non_null(sa);
    sa->reply_path = path;
    sa_leave_half_open(sa);
    sa->die_at = 0;
    sa->conn = &conn;
    sa->spi_i = 0x0102030405060708;
    sa->spi_r = 0x1112131415161718;
    sa->suite = (struct adit_suite){
        .encr = encr, .encr_bits = bits, .integ = integ, .prf = PRF_HMAC_SHA2_256, .ke = { KE_CURVE_25519 }
    };
    make_keys(sa);
    sa_set_state(sa, SA_ESTABLISHED);
    sa->established_at = ike->now;
    sa_index(sa);
    core_drain(ike);
    return sa;
}

struct ike_sa *core_sa(struct ike *ike, bool initiator)
{
    return core_sa_with(ike, initiator, ENCR_AES_GCM_16, 128, 0);
}

struct ike_child *core_child(struct ike_sa *sa)
{
    struct ike_child *c = mem_new(sizeof(*c));
    assert_non_null(c);
    c->sa = sa;
    c->cfg = &child_cfg;
    c->id = sa->ike->next_child_id++;
    c->spi_in = child_new_spi(sa->ike, 0);
    c->spi_out = c->spi_in + 1;
    c->state = ADIT_CHILD_INSTALLED;
    assert_int_equal(map_put(&sa->ike->by_child, c->id, c), ADIT_OK);
    list_append(&sa->children, &c->link);
    return c;
}

bool core_event(struct ike *ike, enum adit_event_type type, struct adit_event *out)
{
    while (adit_ike_poll((struct adit_ike *)ike, out))
        if (out->type == type)
            return true;
    return false;
}

void core_drain(struct ike *ike)
{
    struct adit_event ev;
    while (adit_ike_poll((struct adit_ike *)ike, &ev))
        if (ev.type == ADIT_EV_WORK) {
            adit_job_run(ev.job);
            adit_ike_work_done((struct adit_ike *)ike, ev.job, ike->now);
        }
}

bool core_opened_notify(struct ike_sa *by, struct adit_span datagram, struct notify *out)
{
    struct rd in = rd_init(datagram);
    struct ike_hdr hdr;
    struct raw_msg raw = { 0 };
    static struct payload_list list;
    uint8_t digest[16];
    assert_true(ike_hdr_get(&in, &hdr));
    assert_int_equal(msg_unprotect(by, &hdr, datagram, &raw, digest), ADIT_OK);
    struct rd inner = rd_init(raw.plain);
    assert_true(payloads_get(&inner, raw.first, &list, NULL));
    const struct payload *p = payloads_find(&list, PLD_NOTIFY, 0);
    struct rd body = rd_init(p ? p->body : SPAN_NONE);
    return p && notify_get(&body, out);
}

/* --- two hosts ------------------------------------------------------------------------------------------------ */

void core_scenario(void (*run)(struct sim *s))
{
    static struct sim s;
    const struct sim_case c = { "unit", run };
    bool good = sim_once(&s, &c, 1, false);
    sim_free(&s);
    if (!good)
        fail_msg("%s", s.failure);
}

struct ike *core_engine(struct sim *s, int host)
{
    return (struct ike *)s->host[host].ike;
}

struct ike_sa *core_newest(struct sim *s, int host)
{
    struct ike_sa *sa = NULL;
    list_for_each (it, &core_engine(s, host)->sas)
        if (!list_entry(it, struct ike_sa, link)->cut)
            sa = list_entry(it, struct ike_sa, link);
    return sa;
}
