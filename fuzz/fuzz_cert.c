/* fuzz_cert.c - the bodies that are a fixed head and octets: CERT, CERTREQ, AUTH, KE, Nonce, fragment fields. */
#include "fuzz_wire.h"

static void cert(struct adit_span body)
{
    struct cert_payload got, again;
    struct wr w;
    struct rd in = rd_init(body);
    if (!cert_get(&in, &got))
        return;
    begin_message(&w);
    cert_put(&w, PLD_CERTREQ, got.encoding, got.data);
    in = rd_init(only_body(&w, PLD_CERTREQ));
    must(cert_get(&in, &again) && again.encoding == got.encoding && span_equal(again.data, got.data));
}

static void auth(struct adit_span body)
{
    struct auth_payload got, again;
    struct wr w;
    struct rd in = rd_init(body);
    if (!auth_get(&in, &got))
        return;
    begin_message(&w);
    auth_put(&w, got.method, got.data);
    in = rd_init(only_body(&w, PLD_AUTH));
    must(auth_get(&in, &again) && again.method == got.method && span_equal(again.data, got.data));
}

static void ke(struct adit_span body)
{
    struct ke_payload got, again;
    struct wr w;
    struct rd in = rd_init(body);
    if (!ke_get(&in, &got))
        return;
    begin_message(&w);
    ke_put(&w, got.method, got.data);
    in = rd_init(only_body(&w, PLD_KE));
    must(ke_get(&in, &again) && again.method == got.method && span_equal(again.data, got.data));
}

static void nonce(struct adit_span body)
{
    struct adit_span got;
    struct rd in = rd_init(body);
    must(nonce_get(&in, &got) == (body.n >= 16 && body.n <= 256));
}

static void fragment(struct adit_span body)
{
    struct skf f;
    struct rd in = rd_init(body);
    if (skf_get(&in, &f))
        must(f.number >= 1 && f.number <= f.total);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct adit_span body = span(data, n);
    if (n > 65000)
        return 0;
    cert(body);
    auth(body);
    ke(body);
    nonce(body);
    fragment(body);
    return 0;
}
