/* two_engines.c - a program of somebody else: two IKEv2 engines of the installed libadit talk to each other in memory.
 * No sockets, no threads, no clock: datagrams are handed over as they come. Prints what was agreed. */
#include <adit/ike.h>
#include <adit/version.h>
#include <stdio.h>
#include <string.h>

static const struct transform ike_transforms[] = { { .type = 1, .id = 20, .bits = 256 }, /* AES-GCM-16 */
                                                   { .type = 2, .id = 6 },               /* HMAC-SHA2-384 */
                                                   { .type = 4, .id = 31 },              /* Curve25519 */
                                                   { .type = 6, .id = 36 } };            /* + ML-KEM-768 */
static const struct transform esp_transforms[] = { { .type = 1, .id = 20, .bits = 256 },
                                                   { .type = 5, .id = 0 } };
static union {
    struct proposal_list list;
    char mem[sizeof(struct proposal_list) + sizeof(struct proposal)];
} ike, esp;

static void one_proposal(struct proposal_list *l, uint8_t proto, const struct transform *t, uint8_t n)
{
    l->n = 1;
    l->v[0] = (struct proposal){ .num = 1, .proto = proto, .n = n };
    memcpy(l->v[0].t, t, n * sizeof(*t));
}

static struct adit_addr address(uint8_t last)
{
    return (struct adit_addr){ 4, { 192, 0, 2, last } };
}

static struct adit_config *configuration(uint8_t me, uint8_t peer)
{
    const char *names[] = { "", "left.example", "right.example" };
    struct adit_auth_cfg auth[2] = { { .class = ADIT_AUTH_PSK, .auth = "psk" },
                                     { .class = ADIT_AUTH_PSK, .auth = "psk" } };
    uint8_t ends[2] = { me, peer };
    struct adit_addr_spec addrs[2];
    struct adit_ts_cfg ts[2];
    for (int i = 0; i < 2; i++) {
        auth[i].id_text = names[ends[i]];
        auth[i].id = (struct adit_id){ 2, { (const uint8_t *)names[ends[i]], strlen(names[ends[i]]) } };
        addrs[i] = (struct adit_addr_spec){
            .text = "", .lo = address(ends[i]), .hi = address(ends[i]), .single = true
        };
        ts[i] = (struct adit_ts_cfg){
            .ts = { .family = 4, .port_hi = 65535, .lo = { 10, ends[i] }, .hi = { 10, ends[i], 255, 255 } }
        };
    }
    struct adit_child_cfg child = { .name = "net",
                                    .proposals = &esp.list,
                                    .n_local_ts = 1,
                                    .n_remote_ts = 1,
                                    .local_ts = &ts[0],
                                    .remote_ts = &ts[1],
                                    .replay_window = 1024 };
    struct adit_conn conn = { .name = "gw",
                              .n_local_addrs = 1,
                              .n_remote_addrs = 1,
                              .local_addrs = &addrs[0],
                              .remote_addrs = &addrs[1],
                              .local_port = 500,
                              .remote_port = 500,
                              .proposals = &ike.list,
                              .n_local = 1,
                              .n_remote = 1,
                              .local = &auth[0],
                              .remote = &auth[1],
                              .n_children = 1,
                              .children = &child,
                              .keyingtries = 1,
                              .source = "here" };
    struct adit_shared psk = { .id = "psk", .secret = { (const uint8_t *)"a shared secret", 15 } };
    struct adit_config *cfg = adit_config_new();
    if (adit_config_add_conn(cfg, &conn) != ADIT_OK || adit_config_add_shared(cfg, &psk) != ADIT_OK)
        return NULL;
    return cfg;
}

/* Hands on what one engine has to say; true once its Child SA is up. */
static bool drain(struct adit_ike *from, struct adit_ike *to, uint64_t now)
{
    struct adit_event ev;
    bool up = false;
    while (adit_ike_poll(from, &ev)) {
        struct adit_path back = { .local = ev.path.remote, .remote = ev.path.local, .tcp = ev.path.tcp };
        for (unsigned i = 0; ev.type == ADIT_EV_SEND && i < ev.n_datagrams; i++)
            adit_ike_input(to, &back, ev.datagrams[i].p, ev.datagrams[i].n, now);
        if (ev.type == ADIT_EV_WORK) {
            adit_job_run(ev.job);
            adit_ike_work_done(from, ev.job, now);
        }
        up |= ev.type == ADIT_EV_CHILD_ADD;
    }
    return up;
}

int main(void)
{
    struct adit_why why = { 0 };
    struct adit_host host = { .crypto = adit_crypto_new(NULL, NULL, &why) };
    struct adit_ike *e[2];
    unsigned up = 0;
    one_proposal(&ike.list, 1, ike_transforms, 4);
    one_proposal(&esp.list, 3, esp_transforms, 2);
    for (uint8_t i = 0; i < 2; i++) {
        struct adit_config *cfg = configuration((uint8_t)(1 + i), (uint8_t)(2 - i));
        e[i] = adit_ike_new(&host, 1);
        if (!cfg || !e[i] || adit_ike_config(e[i], cfg, 1, &why) != ADIT_OK)
            return fprintf(stderr, "configuration: %s\n", why.text), 1;
        adit_config_unref(cfg);
    }
    struct adit_command go = {
        .type = ADIT_CMD_INITIATE, .child = "net", .local = address(1), .remote = address(2)
    };
    if (adit_ike_command(e[0], &go, 1, NULL, &why) != ADIT_OK)
        return fprintf(stderr, "initiate: %s\n", why.text), 1;
    for (int turn = 0; turn < 20; turn++)
        up |= (unsigned)drain(e[turn & 1], e[!(turn & 1)], 2) << (turn & 1);
    struct adit_ike_info sa = { 0 };
    uint32_t cursor = 0;
    adit_ike_sa_next(e[1], &cursor, &sa);
    printf("libadit %s: state %d, KE %u + %u, children %u\n", adit_version(), sa.state, sa.suite.ke[0],
           sa.suite.ke[1], sa.n_children);
    adit_ike_free(e[0]);
    adit_ike_free(e[1]);
    adit_crypto_free(host.crypto);
    return up == 3 && sa.state == ADIT_IKE_ESTABLISHED && sa.suite.ke[1] == 36 ? 0 : 1;
}
