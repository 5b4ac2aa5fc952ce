/* fuzz_ike_payload.c - a whole cleartext IKE message: header, chain in either dialect, every body. */
#include "fuzz_wire.h"

static void get_body(const struct payload *p)
{
    static struct proposals proposals;
    static struct adit_ts_list ts;
    struct ke_payload ke;
    struct adit_id id;
    struct cert_payload cert;
    struct auth_payload auth;
    struct notify notify;
    struct delete_payload del;
    struct skf skf;
    struct adit_span octets;
    unsigned unknown;
    struct rd in = rd_init(p->body);
    switch (p->type) {
    case PLD_SA: sa_payload_get(&in, &proposals); break;
    case PLD_KE: ke_get(&in, &ke); break;
    case PLD_IDi:
    case PLD_IDr: id_get(&in, &id, &octets); break;
    case PLD_CERT:
    case PLD_CERTREQ: cert_get(&in, &cert); break;
    case PLD_AUTH: auth_get(&in, &auth); break;
    case PLD_NONCE: nonce_get(&in, &octets); break;
    case PLD_NOTIFY: notify_get(&in, &notify); break;
    case PLD_DELETE: delete_get(&in, &del); break;
    case PLD_TSi:
    case PLD_TSr: ts_get(&in, &ts, &unknown); break;
    case PLD_SKF: skf_get(&in, &skf); break;
    default: break;
    }
}

/* Writes the same payloads again: the reader must find the same ones. */
static void write_again(const struct payload_list *list, enum payload_format f, uint8_t first)
{
    static struct payload_list again;
    struct wr w;
    begin_message(&w);
    wr_format(&w, f);
    for (uint16_t i = 0; i < list->n; i++) {
        struct wr_mark mark = wr_payload(&w, list->v[i].type);
        wr_span(&w, list->v[i].body);
        wr_payload_end(&w, mark);
    }
    must(wr_ok(&w));
    struct rd in = rd_init(span_from(wr_written(&w), IKE_HDR_SIZE));
    must(payloads_get_as(&in, f, first, &again, NULL) && again.n == list->n);
    for (uint16_t i = 0; i < list->n; i++)
        must(again.v[i].type == list->v[i].type && span_equal(again.v[i].body, list->v[i].body));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct payload_list list;
    struct ike_hdr hdr;
    uint8_t inner;
    if (n > 70000)
        return 0;
    struct rd in = rd_init(span(data, n));
    if (!ike_hdr_get(&in, &hdr))
        return 0;
    enum payload_format f = hdr.msgid & 1 ? PAYLOAD_RESERVED23 : PAYLOAD_RFC7296; /* both dialects */
    bool good = payloads_get_as(&in, f, hdr.next, &list, &inner);
    must(list.n <= PAYLOADS_MAX && good == rd_ok(&in));
    for (uint16_t i = 0; i < list.n; i++) {
        must(payloads_find(&list, list.v[i].type, 0) <= &list.v[i]);
        get_body(&list.v[i]);
    }
    if (good)
        write_again(&list, f, hdr.next);
    return 0;
}
