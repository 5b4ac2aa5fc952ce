/* simpuppet.c - ears, voice and wishes of the puppet in the simulator. */
#include "support/simpuppet.h"
#include <stdio.h>
#include "wire/iana.h"

static void ears(struct sim *s, const struct sim_datagram *d)
{
    struct simpuppet *in = s->stranger_arg;
    if (d->kind == SIM_IKE && in->n < SIMPUPPET_INBOX)
        expect(s, buf_set(&in->datagram[(in->first + in->n++) % SIMPUPPET_INBOX], buf_span(&d->data)) == ADIT_OK);
}

static bool port_send(void *arg, struct adit_span datagram)
{
    struct simpuppet *in = arg;
    sim_say(in->sim, B, datagram);
    return true;
}

static size_t port_receive(void *arg, uint8_t *out, size_t cap, unsigned ms)
{
    struct simpuppet *in = arg;
    uint64_t end = in->sim->now + MILLIS(ms);
    while (in->n == 0 && in->sim->now < end)
        sim_run(in->sim, MILLIS(5));
    if (in->n == 0)
        return 0;
    struct adit_buf *d = &in->datagram[in->first];
    in->first = (in->first + 1) % SIMPUPPET_INBOX;
    in->n--;
    size_t n = d->n < cap ? d->n : cap;
    span_copy(out, span(d->p, n));
    buf_fini(d);
    return n;
}

static uint64_t port_now(void *arg)
{
    struct simpuppet *in = arg;
    return in->sim->now / MILLIS(1);
}

static bool port_wish(void *arg, enum conformance_wish w)
{
    struct simpuppet *in = arg;
    if (w == WISH_INITIATE)
        sim_command(in->sim, B, ADIT_CMD_INITIATE, .conn = "puppet", .child = "net");
    else if (w == WISH_REKEY_CHILD)
        sim_command(in->sim, B, ADIT_CMD_REKEY, .conn = "puppet", .child = "net");
    else
        sim_command(in->sim, B, ADIT_CMD_REKEY, .conn = "puppet");
    return true;
}

static struct adit_ts selectors(struct sim *s, const char *text)
{
    struct adit_ts_cfg cfg;
    struct adit_why why;
    expect(s, ts_parse(text, &cfg, &why) == ADIT_OK, "%s", why.text);
    return cfg.ts;
}

void simpuppet_join(struct simpuppet *in, struct sim *s)
{
    in->sim = s;
    for (unsigned i = 0; i < SIMPUPPET_INBOX; i++)
        buf_fini(&in->datagram[i]);
    in->n = 0;
    s->stranger = ears;
    s->net.n_hosts = SIM_STRANGER + 1;
    s->stranger_arg = in;
}

void simpuppet_forget(struct simpuppet *in)
{
    while (in->n)
        port_receive(in, (uint8_t[1]){ 0 }, 1, 0);
}

static struct adit_span file(struct sim *s, uint8_t mem[SIMPUPPET_FILE], const char *name)
{
    char path[500];
    snprintf(path, sizeof(path), "%s/%s", SIM_CERTS, name);
    FILE *f = fopen(path, "rb");
    expect(s, f, "%s", path);
    size_t n = fread(mem, 1, SIMPUPPET_FILE, f);
    fclose(f);
    return span(mem, n);
}

void simpuppet_signs(struct conformance_params *p, const char *kind)
{
    static uint8_t cert[SIMPUPPET_FILE], key[SIMPUPPET_FILE], ca[SIMPUPPET_FILE];
    struct sim *s = ((const struct simpuppet *)p->port.arg)->sim;
    char name[40];
    snprintf(name, sizeof(name), "a-%s.pem", kind);
    p->cert = file(s, cert, name);
    snprintf(name, sizeof(name), "a-%s.key", kind);
    p->key = file(s, key, name);
    p->ca = file(s, ca, "ca.pem");
    p->unix_now = 1800000000;
    p->id.data = span_str("a.example");
    p->psk = SPAN_NONE;
}

struct conformance_params simpuppet_params(struct simpuppet *in, const char *ike)
{
    struct sim *s = in->sim;
    return (struct conformance_params){ .crypto = sim_crypto(s),
                                        .port = { in, port_send, port_receive, port_now, port_wish },
                                        .ike = ike,
                                        .esp = "aes128gcm16",
                                        .id = { ID_FQDN, span_str("puppet.example") },
                                        .peer_id = { ID_FQDN, span_str("b.example") },
                                        .psk = span_str("a secret of the puppet"),
                                        .ts = selectors(s, "10.66.0.0/16"),
                                        .peer_ts = selectors(s, "10.2.0.0/16"),
                                        .answer_ms = 3000,
                                        .quiet_ms = 1500 };
}
