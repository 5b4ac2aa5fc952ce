/* simconf.c - the configuration of one simulated host: connection "peer", children "net" and "net2". */
#include <stdio.h>
#include <stdlib.h>
#include "adit/config.h"
#include "support/sim.h"
#include "wire/iana.h"

struct build {
    struct sim *sim;
    const struct sim_conf *conf;
    struct arena arena;
    struct adit_config *cfg;
    int me;   /* whose address it has */
    int side; /* A, or B also for C */
};

static const char *const addresses[SIM_MEMBERS] = { "192.0.2.1", "192.0.2.2", "192.0.2.3" };
static const char *const names[2] = { "a.example", "b.example" };

static void must(struct build *b, enum adit_rc rc, const struct adit_why *why)
{
    if (rc != ADIT_OK)
        sim_fail(b->sim, __FILE__, __LINE__, "a configuration", "rc %d %s", rc, why ? why->text : "");
}

/* "+64006": that method of simlongke.h as ADDKE1; "*64006": as the key exchange itself. Keywords have no such numbers. */
static void add_long_ke(struct proposal_list *list, char mark, const char *number)
{
    struct transform t = { .type = mark == '+' ? TT_ADDKE1 : TT_KE, .id = (uint16_t)atoi(number) };
    for (uint16_t i = 0; i < list->n; i++)
        list->v[i].t[list->v[i].n++] = t;
}

static const struct proposal_list *proposals(struct build *b, const char *text, uint8_t proto)
{
    const char *items[8];
    size_t n = 0;
    struct adit_why why = { 0 };
    const struct proposal_list *out = NULL;
    char *copy = arena_str(&b->arena, text), *save = NULL, *tail = copy + strcspn(copy, "+*"), mark = *tail;
    *tail = 0;
    for (char *w = strtok_r(copy, ",", &save); w && n < 8; w = strtok_r(NULL, ",", &save))
        items[n++] = w;
    must(b, proposals_parse(items, n, proto, &b->arena, &out, &why), &why);
    if (mark) /* it is in our arena, and nobody has it yet */
        add_long_ke((struct proposal_list *)(uintptr_t)out, mark, tail + 1);
    return out;
}

static struct adit_span file(struct build *b, const char *name)
{
    static char mem[16384];
    char path[500];
    snprintf(path, sizeof(path), "%s/%s", SIM_CERTS, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        sim_fail(b->sim, __FILE__, __LINE__, "a certificate file", "%s", path);
    size_t n = fread(mem, 1, sizeof(mem), f);
    fclose(f);
    return arena_span(&b->arena, span(mem, n));
}

static void add_own_cert(struct build *b, const char *kind)
{
    char name[64];
    snprintf(name, sizeof(name), "%c-%s.pem", "ab"[b->side], kind);
    struct adit_cert mine = { .use = ADIT_CERT_END_ENTITY, .data = file(b, name), .source = "mine.pem" };
    must(b, adit_config_add_cert(b->cfg, &mine), NULL);
    snprintf(name, sizeof(name), "%c-%s.key", "ab"[b->side], kind);
    struct adit_key key = { .data = file(b, name), .source = "mine.key" };
    must(b, adit_config_add_key(b->cfg, &key), NULL);
}

static const struct adit_span *own_cert(struct build *b)
{
    char name[64];
    struct adit_span *out = arena_new(&b->arena, sizeof(*out));
    snprintf(name, sizeof(name), "%c-%s.pem", "ab"[b->side], b->conf->cert);
    *out = file(b, name);
    return out;
}

static void add_certs(struct build *b, const char *list)
{
    const char *name = strcmp(list, "listed") == 0 ? "listed-ca.pem" : "ca.pem";
    struct adit_cert ca = { .use = ADIT_CERT_CA, .data = file(b, name), .source = "ca.pem" };
    char *kinds = arena_str(&b->arena, list), *save = NULL;
    must(b, adit_config_add_cert(b->cfg, &ca), NULL);
    if (b->conf->crl) {
        struct adit_cert crl = { .use = ADIT_CERT_CRL, .data = file(b, b->conf->crl), .source = "ca.crl" };
        must(b, adit_config_add_cert(b->cfg, &crl), NULL);
    }
    for (char *kind = strtok_r(kinds, ",", &save); kind; kind = strtok_r(NULL, ",", &save))
        add_own_cert(b, kind);
}

static void add_secret(struct build *b)
{
    struct adit_shared psk = { .id = "ike-1",
                               .type = ADIT_SHARED_IKE,
                               .secret = span_str(b->conf->psk ? b->conf->psk
                                                               : "a secret of the simulation") };
    must(b, adit_config_add_shared(b->cfg, &psk), NULL);
}

static void add_stranger_secret(struct build *b)
{
    struct adit_id owner = { ID_FQDN, span_str("puppet.example") };
    struct adit_shared psk = { .id = "ike-2",
                               .type = ADIT_SHARED_IKE,
                               .secret = span_str("a secret of the puppet"),
                               .n_owners = 1,
                               .owners = &owner };
    must(b, adit_config_add_shared(b->cfg, &psk), NULL);
}

static void add_ppk(struct build *b)
{
    if (!b->conf->ppk)
        return;
    struct adit_id owner = { ID_FQDN, span_str(b->conf->ppk_name) };
    struct adit_shared ppk = { .id = "ppk-1",
                               .type = ADIT_SHARED_PPK,
                               .secret = span_str(b->conf->ppk),
                               .n_owners = 1,
                               .owners = &owner };
    must(b, adit_config_add_shared(b->cfg, &ppk), NULL);
}

static const uint8_t nameserver[] = { 10, 2, 0, 53 }, subnet[] = { 10, 2, 0, 0, 255, 255, 0, 0 };

static void add_pool(struct build *b, const char *name, const char *range)
{
    struct adit_attr attrs[] = { { CPATTR_INTERNAL_IP4_DNS, SPAN_ARRAY(nameserver) },
                                 { CPATTR_INTERNAL_DNS_DOMAIN, SPAN_LIT("corp.example") },
                                 { CPATTR_INTERNAL_DNSSEC_TA, SPAN_LIT("\1\2\10\2ABCDEF") },
                                 { CPATTR_INTERNAL_IP4_SUBNET, SPAN_ARRAY(subnet) },
                                 { CPATTR_APPLICATION_VERSION, SPAN_NONE } };
    struct adit_pool pool = { .name = name, .n_attrs = ARRAY_LEN(attrs) - !b->conf->pool_version, .attrs = attrs };
    char text[128], *end;
    if (!range)
        return;
    if (b->conf->pool_version)
        attrs[ARRAY_LEN(attrs) - 1].value = span_str(b->conf->pool_version);
    snprintf(text, sizeof(text), "%s", range);
    end = strchr(text, '-');
    *end = 0;
    must(b, addr_parse(text, &pool.lo) && addr_parse(end + 1, &pool.hi) ? ADIT_OK : ADIT_ERR_CONFIG, NULL);
    pool.base = pool.lo;
    must(b, adit_config_add_pool(b->cfg, &pool), NULL);
}

static uint16_t count(const struct adit_option *options)
{
    uint16_t n = 0;
    while (n < 8 && options[n].key)
        n++;
    return n;
}

static void add_settings(struct build *b)
{
    struct adit_ike_settings set = { .cookie_threshold = b->conf->cookie_threshold,
                                     .half_open_timeout_s = b->conf->half_open_s,
                                     .ke_pool = b->conf->ke_pool ? b->conf->ke_pool : "no",
                                     .n_options = count(b->conf->daemon_option),
                                     .options = b->conf->daemon_option };
    must(b, adit_config_settings(b->cfg, &set), NULL);
}

static struct adit_addr_spec address(struct build *b, const char *text)
{
    struct adit_addr_spec spec;
    struct adit_why why = { 0 };
    must(b, addr_spec_parse(text, &spec, &why), &why);
    return spec;
}

static struct adit_id identity(struct build *b, const char *text)
{
    struct adit_id id;
    struct adit_why why = { 0 };
    must(b, id_parse(text, &b->arena, NULL, NULL, &id, &why), &why);
    return id;
}

static struct adit_auth_cfg auth(struct build *b, int who)
{
    const char *name = who <= B && b->conf->ids[who] ? b->conf->ids[who] : names[who];
    bool cert = b->conf->cert && !(b->conf->a_by_psk && who == A);
    struct adit_auth_cfg a = { .class = cert ? ADIT_AUTH_PUBKEY : ADIT_AUTH_PSK,
                               .revocation = b->conf->revocation,
                               .auth = cert ? "pubkey" : "psk",
                               .id_text = name,
                               .id = identity(b, name) };
    return a;
}

static struct adit_ts_cfg selector(struct build *b, const char *text)
{
    struct adit_ts_cfg ts;
    struct adit_why why = { 0 };
    must(b, ts_parse(text, &ts, &why), &why);
    return ts;
}

static struct adit_child_cfg child(struct build *b, const char *name, struct adit_ts_cfg ts[2])
{
    const char *left = b->conf->local_ts ? b->conf->local_ts : "10.1.0.0/16";
    const char *right = b->conf->remote_ts ? b->conf->remote_ts : "10.2.0.0/16";
    unsigned nth = name[3] ? (unsigned)atoi(name + 3) - 1 : 0;
    char mem[2][32];
    if (b->conf->transport && !b->conf->local_ts)
        left = right = "dynamic";
    else if (nth) {
        snprintf(mem[0], sizeof(mem[0]), "10.%u.0.0/16", 2 * nth + 1);
        snprintf(mem[1], sizeof(mem[1]), "10.%u.0.0/16", 2 * nth + 2);
        left = mem[0], right = mem[1];
    }
    ts[b->side] = selector(b, left);
    ts[!b->side] = selector(b, right);
    return (struct adit_child_cfg){ .name = name,
                                    .mode = b->conf->transport ? ADIT_MODE_TRANSPORT : b->conf->mode,
                                    .tfc_padding = b->conf->tfc_padding,
                                    .tfc_dummies = b->conf->tfc_dummies,
                                    .n_options = count(b->conf->child_option),
                                    .options = b->conf->child_option,
                                    .proposals = proposals(
                                        b, b->conf->esp ? b->conf->esp : "aes128gcm16-x25519", PROTO_ESP),
                                    .n_local_ts = 1,
                                    .n_remote_ts = 1,
                                    .local_ts = &ts[0],
                                    .remote_ts = &ts[1],
                                    .replay_window = 32,
                                    .rekey_s = b->conf->child_rekey_s,
                                    .life_s = b->conf->child_rekey_s + b->conf->child_rekey_s / 10,
                                    .rand_s = b->conf->child_rekey_s / 10 };
}

static void add_conn(struct build *b)
{
    const struct sim_conf *c = b->conf;
    bool peer_roams = c->any_peer || b->sim->net.host[!b->side].nat.on;
    uint32_t life = c->rekey_s > c->reauth_s ? c->rekey_s : c->reauth_s;
    struct adit_addr_spec here[] = { address(b, addresses[b->me]), address(b, "%any") };
    struct adit_addr_spec there[] = { address(b, peer_roams ? "%any" : addresses[!b->side]), address(b, "%any") };
    struct adit_auth_cfg mine = auth(b, b->side), theirs = auth(b, !b->side);
    static const char *const nets[] = { "net", "net2", "net3", "net4", "net5", "net6", "net7", "net8", "net9", "net10",
                                        "net11", "net12", "net13", "net14", "net15", "net16", "net17", "net18", "net19",
                                        "net20", "net21" };
    struct adit_ts_cfg ts[ARRAY_LEN(nets)][2];
    struct adit_child_cfg children[ARRAY_LEN(nets)];
    for (unsigned i = 0; i < ARRAY_LEN(nets); i++)
        children[i] = child(b, nets[i], ts[i]);
    if (c->id) {
        mine.id_text = c->id;
        mine.id.data = span_str(c->id);
    }
    if (c->own_cert) {
        mine.n_certs = 1;
        mine.certs = own_cert(b);
    }
    if (c->cert && c->local_auth)
        mine.auth = c->local_auth;
    if (c->cert && c->remote_auth)
        theirs.auth = c->remote_auth;
    struct adit_conn conn = { .name = "peer",
                              .n_local_addrs = 1 + c->roams,
                              .n_remote_addrs = 1 + c->roams,
                              .local_addrs = here,
                              .remote_addrs = there,
                              .local_port = c->local_port ? c->local_port : 500,
                              .remote_port = c->remote_port ? c->remote_port : 500,
                              .proposals = proposals(b, c->ike ? c->ike : "aes128gcm16-prfsha256-x25519",
                                                     PROTO_IKE),
                              .n_local = 1,
                              .n_remote = 1,
                              .local = &mine,
                              .remote = &theirs,
                              .n_children = (uint16_t)(c->no_child ? 0 : c->n_children ? c->n_children : 1u + c->two_children),
                              .children = children,
                              .unique = c->unique,
                              .peer = c->peer,
                              .init_ke_max = c->init_ke_max,
                              .accept_private_algs = c->accept_private_algs,
                              .send_cert = ADIT_CERT_IF_ASKED,
                              .send_certreq = true,
                              .dpd_delay_s = c->dpd_s,
                              .window = c->window,
                              .keyingtries = 1,
                              .rekey_s = c->rekey_s,
                              .over_s = life / 10,
                              .rand_s = life / 10,
                              .reauth_s = c->reauth_s,
                              .source = "simulation",
                              .n_options = count(c->option),
                              .options = c->option };
    must(b, adit_config_add_conn(b->cfg, &conn), NULL);
}

static void add_stranger(struct build *b)
{
    struct adit_addr_spec here = address(b, addresses[b->me]), there = address(b, "192.0.2.66");
    bool signs = b->conf->stranger_cert;
    const char *who = signs ? names[A] : "puppet.example";
    struct adit_auth_cfg mine = { signs ? ADIT_AUTH_PUBKEY : ADIT_AUTH_PSK, .auth = signs ? "pubkey" : "psk",
                                  .id_text = names[b->me], .id = { ID_FQDN, span_str(names[b->me]) } };
    struct adit_auth_cfg theirs = { mine.class, .auth = mine.auth, .id_text = who, .id = { ID_FQDN, span_str(who) } };
    struct adit_ts_cfg local = selector(b, "10.2.0.0/16"), remote = selector(b, "10.66.0.0/16");
    struct adit_child_cfg child = { .name = "net", .mode = ADIT_MODE_TUNNEL, .n_local_ts = 1, .n_remote_ts = 1,
                                    .proposals = proposals(b, "aes128gcm16", PROTO_ESP), .local_ts = &local,
                                    .remote_ts = &remote, .replay_window = 32, .rekey_s = b->conf->stranger_child_s,
                                    .life_s = b->conf->stranger_child_s + b->conf->stranger_child_s / 10,
                                    .rand_s = b->conf->stranger_child_s / 10 };
    struct adit_conn conn = { .name = "puppet", .n_local_addrs = 1, .n_remote_addrs = 1, .local_addrs = &here,
                              .remote_addrs = &there, .local_port = 500, .remote_port = 500,
                              .proposals = proposals(b, b->conf->stranger, PROTO_IKE), .n_local = 1, .n_remote = 1,
                              .local = &mine, .remote = &theirs, .n_children = 1, .children = &child,
                              .keyingtries = 1, .window = b->conf->window, .n_options = count(b->conf->stranger_option),
                              .options = b->conf->stranger_option, .rekey_s = b->conf->stranger_rekey_s,
                              .over_s = b->conf->stranger_rekey_s / 10, .rand_s = b->conf->stranger_rekey_s / 10,
                              .source = "simulation" };
    if (signs)
        add_certs(b, b->conf->stranger_cert);
    else
        add_stranger_secret(b);
    must(b, adit_config_add_conn(b->cfg, &conn), NULL);
}

struct adit_config *sim_conf_build(struct sim *s, int host)
{
    struct build b = { .sim = s, .conf = &s->conf[host], .cfg = adit_config_new(), .me = host,
                       .side = host == A ? A : B };
    if (!b.cfg)
        abort();
    if (b.conf->cert)
        add_certs(&b, b.conf->cert);
    if (!b.conf->cert || b.conf->a_by_psk)
        add_secret(&b);
    add_ppk(&b);
    add_settings(&b);
    add_pool(&b, "pool4", b.conf->pool4);
    add_pool(&b, "pool6", b.conf->pool6);
    add_conn(&b);
    if (b.conf->stranger)
        add_stranger(&b);
    arena_fini(&b.arena);
    return b.cfg;
}
