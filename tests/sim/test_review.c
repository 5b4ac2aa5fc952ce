/* test_review.c - what a hostile reader of the engine tried: peers that are not who they say, that leave out steps, that
 * speak after the end; work that comes back late; configurations that change under an SA. */
#include "ike/sa.h"
#undef SECONDS
#undef MILLISECONDS
#include "support/sim.h"

static struct ike *engine(struct sim *s, int host)
{
    return (struct ike *)s->host[host].ike;
}

/* The oldest IKE SA of a host, seen from inside; NULL: none. */
static struct ike_sa *inside(struct sim *s, int host)
{
    struct list *all = &engine(s, host)->sas;
    return list_empty(all) ? NULL : list_entry(all->next, struct ike_sa, link);
}

/* As if the request that is under way had never been made. */
static void unsay(struct ike_sa *sa)
{
    if (!sa_out(sa))
        return;
    sa->next_send = sa_out(sa)->msgid;
    xchg_free(sa_out(sa));
}

/* From now on A behaves as if B had accepted it. */
static void pretend_established(struct ike_sa *sa)
{
    xchg_free(sa_out(sa));
    sa->state = SA_ESTABLISHED;
    sa->established_at = sa->ike->now;
    sa->die_at = 0;
}

static void ask(struct ike_sa *sa, enum task_kind kind, const struct ike_step *step)
{
    struct ike_task *t = agenda_add(sa, kind, step);
    if (t)
        t->cfg = &sa->conn->cfg->children[0];
    sa_arm(sa);
}

/* An SA that lingers only to repeat its last answer takes no requests: neither before nor after authentication. */
SIM_TEST(a_refused_peer_goes_on_regardless)
{
    sim_configure(s, .psk = "what A believes");
    sim_configure_host(s, B, .psk = "what B knows");
    sim_start(s);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_run(s, MILLIS(25));              /* IKE_SA_INIT is through, IKE_AUTH under way */
    sim_link_from(s, B, .drop_mask = 1); /* the refusal is lost */
    sim_run(s, MILLIS(500));
    struct ike_sa *liar = inside(s, A), *dead = inside(s, B);
    expect(s, liar && dead && dead->state == SA_DEAD, "B has refused A");
    pretend_established(liar);
    if (s->seed & 1)
        ask(liar, TASK_NEW_CHILD, &step_new_child_req);
    else
        ask(liar, TASK_REKEY_IKE, &step_rekey_ike_req);
    sim_run(s, SECONDS(2));
    expect(s, simhost_children(&s->host[B]) == 0, "B has a Child SA with a stranger");
    expect(s, sim_sas(s, B) == 0, "B has an IKE SA with a stranger");
}

/* RFC 9370: what was agreed on is done before IKE_AUTH, or the keys are weaker than the suite says. */
SIM_TEST(a_peer_leaves_out_a_key_exchange)
{
    sim_configure(s, .ike = "aes128gcm16-prfsha256-x25519-ke1_mlkem768");
    sim_start(s);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_link_from(s, A, .delay_ms = 10, .drop_mask = 3); /* A's IKE_INTERMEDIATE */
    sim_run(s, MILLIS(100));
    struct ike_sa *liar = inside(s, A);
    expect(s, liar && sa_out(liar) && sa_out(liar)->exchange == XCHG_IKE_INTERMEDIATE);
    unsay(liar);
    *(unsigned *)ext_sa(liar, EXT_addke) = 1; /* "done" */
    sa_arm(liar);
    sim_run(s, SECONDS(2));
    expect(s, sim_sas(s, B) == 0, "B has an IKE SA without the second key exchange");
}

/* RFC 7427 s3: both sides have announced hashes, so it has to be method 14. */
SIM_TEST(an_older_signature_method_is_not_taken)
{
    sim_configure(s, .cert = "ecdsa");
    sim_start(s);
    sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    sim_link_from(s, A, .delay_ms = 10, .drop_mask = 1); /* A's IKE_AUTH */
    sim_run(s, MILLIS(100));
    struct ike_sa *liar = inside(s, A);
    expect(s, liar && sa_out(liar) && sa_out(liar)->exchange == XCHG_IKE_AUTH);
    unsay(liar);
    liar->peer_hashes = 0;
    sa_arm(liar);
    sim_run(s, SECONDS(2));
    expect(s, sim_sas(s, B) == 0, "B has taken an older signature");
}

/* The job comes back when its SA is gone. */
SIM_TEST(an_sa_ends_while_work_is_out)
{
    int host = (int)(s->seed & 1);
    sim_configure(s, .esp = "aes128gcm16-ecp384", .ike = "aes128gcm16-prfsha256-ecp384");
    sim_establish(s);
    sim_slow_jobs(s, 700);
    if (s->seed & 2)
        sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    else
        sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    sim_run(s, MILLIS(s->seed * 331 % 2400));
    sim_command(s, host, ADIT_CMD_TERMINATE, .conn = "peer", .force = true);
    sim_run(s, MINUTES(5));
}

/* Crossing rekeyings, and each step takes its time: both ends agree on what is left. */
SIM_TEST(crossing_rekeys_with_slow_work)
{
    sim_configure(s, .esp = "aes128gcm16-ecp384", .ike = "aes128gcm16-prfsha256-ecp384");
    sim_establish(s);
    sim_slow_jobs(s, 100);
    if (s->seed & 1)
        sim_both(s, ADIT_CMD_REKEY, .conn = "peer");
    else
        sim_both(s, ADIT_CMD_REKEY, .child = "net");
    for (int i = 0; i < 200; i++) { /* the one job longer than the other */
        s->host[i & 1].job_delay_ms = 1 + (unsigned)prng_below(&s->prng, 300);
        sim_run(s, MILLIS(5));
    }
    sim_run(s, MINUTES(6));
    expect_children(s, 1);
    expect_same_keys(s);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "A has %u IKE SAs, B %u", sim_sas(s, A),
           sim_sas(s, B));
    expect_no_garbage(s);
}

static void reload(struct sim *s, int host)
{
    struct adit_why why = { 0 };
    struct adit_config *cfg = sim_conf_build(s, host);
    expect(s, adit_ike_config(s->host[host].ike, cfg, s->now, &why) == ADIT_OK, "%s", why.text);
    adit_config_unref(cfg);
}

/* What is begun anew in the place of an SA from an older configuration. */
SIM_TEST(reauthentication_after_a_reload)
{
    sim_configure(s, .two_children = true);
    sim_establish(s);
    expect(s, sim_wait(s, A, sim_command(s, A, ADIT_CMD_INITIATE, .child = "net2"), MINUTES(1)) == ADIT_OK);
    reload(s, A);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer", .reauth = true);
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, MINUTES(1));
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "A has %u IKE SAs, B %u", sim_sas(s, A),
           sim_sas(s, B));
    expect_children(s, 2);
    cookie = sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
}

SIM_TEST(a_new_attempt_after_a_reload)
{
    sim_start(s);
    ((struct adit_conn *)(uintptr_t)policy_conn_by_name(engine(s, A)->policy, "peer")->cfg)->keyingtries = 3;
    sim_cut(s, B, true);
    if (s->seed & 1)
        sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    else
        sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer");
    sim_run(s, SECONDS(10));
    reload(s, A);
    sim_run(s, MINUTES(4)); /* the first attempt has failed */
    sim_cut(s, B, false);
    sim_run(s, MINUTES(3));
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "A has %u IKE SAs, B %u", sim_sas(s, A),
           sim_sas(s, B));
}

/* close_action, dpd_action: the dying SA is not the place for what is to come up again. */
SIM_TEST(a_lost_child_comes_back)
{
    sim_configure(s, .dpd_s = 20);
    sim_establish(s);
    struct adit_child_cfg *cfg = (struct adit_child_cfg *)(uintptr_t)&inside(s, A)->conn->cfg->children[0];
    cfg->close_action = cfg->dpd_action = ADIT_ACTION_START;
    if (s->seed & 1)
        sim_command(s, B, ADIT_CMD_TERMINATE, .conn = "peer");
    else
        sim_restart(s, B);
    sim_run(s, MINUTES(8));
    expect_children(s, 1);
    expect_flows(s);
    cfg = (struct adit_child_cfg *)(uintptr_t)&inside(s, A)->conn->cfg->children[0];
    cfg->close_action = cfg->dpd_action = 0;
}

/* unique = replace holds across configurations; unique = keep does not lock out a peer that has lost everything. */
SIM_TEST(unique_after_a_reload)
{
    sim_configure(s, .unique = s->seed & 1 ? ADIT_UNIQUE_REPLACE : ADIT_UNIQUE_KEEP);
    sim_establish(s);
    reload(s, B);
    sim_restart(s, A);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, MINUTES(5));
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "A has %u IKE SAs, B %u", sim_sas(s, A),
           sim_sas(s, B));
    cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net", .fresh = true);
    enum adit_rc rc = sim_wait(s, A, cookie, MINUTES(1));
    expect(s, (rc == ADIT_OK) == (s->seed & 1), "%d", rc);
    sim_run(s, MINUTES(5));
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "A has %u IKE SAs, B %u", sim_sas(s, A),
           sim_sas(s, B));
}

/* The IKE SA is rekeyed while its replacement is being authenticated. */
SIM_TEST(reauthentication_meets_a_rekeying)
{
    sim_configure(s, .unique = ADIT_UNIQUE_NEVER);
    sim_link(s, .delay_ms = 20, .jitter_ms = 1 + s->seed % 40);
    sim_establish(s);
    sim_command(s, (int)(s->seed & 1), ADIT_CMD_REKEY, .conn = "peer");
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer", .reauth = true);
    expect(s, sim_wait(s, A, cookie, MINUTES(4)) == ADIT_OK);
    sim_run(s, MINUTES(6));
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1, "A has %u IKE SAs, B %u", sim_sas(s, A),
           sim_sas(s, B));
    expect_children(s, 1);
    expect_flows(s);
}

/* RFC 7296 s2.9.2: a rekeying may keep what is in use, also when `dynamic` would mean another address by now. */
SIM_TEST(rekeying_keeps_dynamic_selectors)
{
    sim_configure(s, .local_ts = "dynamic");
    sim_establish(s);
    expect(s, addr_parse("192.0.2.77", &inside(s, B)->path.remote.addr));
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    expect(s, addr_parse("192.0.2.1", &inside(s, B)->path.remote.addr));
    expect_same_keys(s);
}

/* A peer that begins and begins, and never sends the key exchange that is due. */
SIM_TEST(half_done_negotiations_are_few)
{
    sim_configure(s, .esp = "aes128gcm16-x25519-ke1_mlkem768");
    sim_establish(s);
    struct ike_sa *liar = inside(s, A), *sa = inside(s, B);
    unsigned most = 0;
    for (int i = 0; i < 40; i++) {
        ask(liar, TASK_NEW_CHILD, &step_new_child_req);
        sim_run(s, MILLIS(15)); /* B has answered, and A has not heard it yet */
        unsay(liar);
        list_for_each_safe (it, &liar->pendings)
            pending_free(list_entry(it, struct ike_pending, link));
        list_for_each_safe (it, &liar->tasks) {
            list_remove(it);
            task_free(list_entry(it, struct ike_task, link));
        }
        liar->next_send = sa->next_expect;
        unsigned n = 0;
        list_for_each (it, &sa->pendings)
            n++;
        most = n > most ? n : most;
    }
    expect(s, most > 1 && most <= IKE_PENDING_MAX, "%u half-done negotiations", most);
    sim_run(s, MINUTES(1));
    expect(s, list_empty(&sa->pendings));
}

static void add_conn(struct sim *s, struct adit_config *to, const struct adit_conn *like, const char *name,
                     const char *peer)
{
    struct adit_conn conn = *like;
    struct adit_auth_cfg remote = conn.remote[0];
    conn.name = name;
    conn.remote = &remote;
    remote.id_text = peer;
    remote.id = (struct adit_id){ ID_FQDN, span_str(peer) };
    expect(s, adit_config_add_conn(to, &conn) == ADIT_OK);
}

/* B with many connections for any address, and one for any name before the one that A is meant for. */
static struct adit_config *crowd(struct sim *s, unsigned n)
{
    const struct adit_conn *const *conns;
    const struct adit_shared *const *shared;
    struct adit_config *one = sim_conf_build(s, B), *cfg = adit_config_new();
    expect(s, adit_config_conns(one, &conns) == 1 && adit_config_shared(one, &shared) == 1);
    expect(s, adit_config_add_shared(cfg, shared[0]) == ADIT_OK);
    add_conn(s, cfg, conns[0], "anybody", "*.example");
    for (unsigned i = 0; i < n; i++) {
        STRBUF(name, 32);
        strbuf_addf(&name, "u%u.example", i);
        add_conn(s, cfg, conns[0], name.p, name.p);
    }
    add_conn(s, cfg, conns[0], "peer", "a.example");
    adit_config_unref(one);
    return cfg;
}

/* As strongSwan does: the very name counts for more than a pattern that is configured before it. */
SIM_TEST(a_name_before_a_pattern)
{
    struct adit_why why = { 0 };
    sim_configure_host(s, B, .any_peer = true);
    sim_start(s);
    struct adit_config *cfg = crowd(s, 2000);
    expect(s, adit_ike_config(s->host[B].ike, cfg, s->now, &why) == ADIT_OK, "%s", why.text);
    adit_config_unref(cfg);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    expect(s, inside(s, B) && !strcmp(inside(s, B)->conn->cfg->name, "peer"), "%s",
           inside(s, B)->conn->cfg->name);
}

/* An SPI of ours beside another of the peer's names no SA. */
SIM_TEST(both_spis_count)
{
    uint8_t copy[2048];
    sim_establish(s);
    uint64_t before = sim_counter(s, B, ADIT_C_INVALID_SPI);
    struct adit_span last = buf_span(&s->tape[A].datagram[s->tape[A].n - 1]);
    expect(s, last.n > 28 && last.n <= sizeof(copy));
    span_copy(copy, last);
    copy[s->seed % 8] ^= 1; /* SPIi: A's */
    sim_inject(s, B, "192.0.2.1", 500, span(copy, last.n));
    expect(s, sim_counter(s, B, ADIT_C_INVALID_SPI) == before + 1);
}

/* A's first request n times, with SPIs and from an address of IPv6 /64 `net` of their own. */
static void from_one_network(struct sim *s, unsigned n, unsigned net)
{
    uint8_t copy[2048];
    struct adit_span first = buf_span(&s->tape[A].datagram[0]);
    struct adit_path path = { .local = { .addr = inside(s, B)->path.local.addr, .port = 500 } };
    expect(s, first.n > 28 && first.n <= sizeof(copy));
    for (unsigned i = 0; i < n; i++) {
        STRBUF(from, 64);
        strbuf_addf(&from, "2001:db8:0:%x::%x", net, i + 1);
        expect(s, addr_parse(from.p, &path.remote.addr));
        path.remote.port = 500;
        span_copy(copy, first);
        prng_fill(&s->prng, copy, 8);
        adit_ike_input(s->host[B].ike, &path, copy, first.n, s->now);
    }
}

/* A cookie proves an address, and a stranger may have one, or 2^64 of them. */
SIM_TEST(one_network_does_not_take_every_place)
{
    sim_configure_host(s, B, .any_peer = true, .cookie_threshold = UINT32_MAX);
    sim_establish(s);
    engine(s, B)->policy->settings.half_open_max = 400;
    from_one_network(s, 300, 1);
    unsigned one = adit_ike_half_open(s->host[B].ike);
    expect(s, one == 400 / IKE_HALF_OPEN_SHARE + IKE_HALF_OPEN_FEW, "%u half-open SAs", one);
    from_one_network(s, 10, 2);
    expect(s, adit_ike_half_open(s->host[B].ike) == one + 10, "%u", adit_ike_half_open(s->host[B].ike));
    engine(s, B)->policy->settings.half_open_max = 50000;
    sim_run(s, MINUTES(2));
    expect_no_garbage(s);
}

/* What strangers do, and an IKE SA that has been replaced, do not make a connection look down that is up. */
SIM_TEST(a_connection_that_is_up_is_not_down)
{
    uint64_t since;
    const char *why;
    sim_configure_host(s, B, .unique = ADIT_UNIQUE_NEVER);
    sim_configure_host(s, A, .unique = ADIT_UNIQUE_NEVER);
    sim_establish(s);
    sim_inject(s, B, "192.0.2.1", 501, buf_span(&s->tape[A].datagram[0])); /* never goes on */
    sim_run(s, MINUTES(2));
    expect(s, sim_sas(s, B) == 1);
    expect(s, !adit_ike_conn_down(s->host[B].ike, "peer", &since, &why), "%s", why);
    uint64_t cookie = sim_command(s, A, ADIT_CMD_REKEY, .conn = "peer", .reauth = true);
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, MINUTES(1));
    for (int i = 0; i < 2; i++)
        expect(s, !adit_ike_conn_down(s->host[i].ike, "peer", &since, &why), "%s", why);
    cookie = sim_command(s, A, ADIT_CMD_TERMINATE, .conn = "peer");
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_OK);
    sim_run(s, MINUTES(1));
    for (int i = 0; i < 2; i++)
        expect(s, adit_ike_conn_down(s->host[i].ike, "peer", &since, &why));
}

/* Rekeying is no way around reauth_time: who cannot authenticate any more goes. */
SIM_TEST(rekeying_does_not_put_off_reauthentication)
{
    sim_configure(s, .reauth_s = 600, .rekey_s = 120);
    sim_establish(s);
    s->conf[A].psk = "another one";
    reload(s, A);
    sim_run(s, MINUTES(9));
    expect(s, sim_sas(s, A) == 1);
    sim_run(s, MINUTES(5));
    expect(s, sim_sas(s, A) == 0, "the IKE SA outlives its authentication");
}

/* A secret for us and one peer is good for that peer's name, not for ours in its mouth, nor for a third one's. */
SIM_TEST(a_shared_key_is_for_its_owners)
{
    struct adit_why why = { 0 };
    const struct adit_id us = { ID_FQDN, SPAN_LIT("b.example") }, peer = { ID_FQDN, SPAN_LIT("a.example") },
                         third = { ID_FQDN, SPAN_LIT("c.example") }, owners[] = { us, peer };
    struct adit_shared psk = {
        .id = "ike-1", .type = ADIT_SHARED_IKE, .secret = SPAN_LIT("theirs"), .owners = owners, .n_owners = 2
    };
    struct adit_config *cfg = adit_config_new();
    sim_establish(s);
    expect(s, adit_config_add_shared(cfg, &psk) == ADIT_OK);
    expect(s, adit_ike_config(s->host[B].ike, cfg, s->now, &why) == ADIT_OK, "%s", why.text);
    adit_config_unref(cfg);
    const struct policy *p = engine(s, B)->policy;
    expect(s, policy_psk(p, &us, &peer) && !policy_psk(p, &us, &us) && !policy_psk(p, &us, &third));
}

/* A's request is on its way; meanwhile A forgets that it has asked for so much: no answer can be right. */
static void initiate_and_forget(struct sim *s, uint8_t exchange)
{
    uint64_t cookie = sim_command(s, A, ADIT_CMD_INITIATE, .conn = "peer", .child = "net");
    struct ike_xchg *x = NULL;
    for (int i = 0; i < 1000 && !(x && x->exchange == exchange && x->phase == PHASE_SENT); i++) {
        sim_run(s, MILLIS(5));
        x = sa_out(inside(s, A));
    }
    expect(s, x);
    for (unsigned i = 0; i < x->n_parts; i++)
        if (!strcmp(x->parts[i].step->name, "CHILD_CREATE")) /* its scratch begins with what is negotiated */
            (*(struct ike_pending **)x->parts[i].scratch)->local->v[0] = ts_any(6);
    expect(s, sim_wait(s, A, cookie, MINUTES(1)) == ADIT_ERR_TS);
    sim_run(s, SECONDS(20));
    expect_children(s, 0);
}

/* RFC 7296 s1.3.1: what B has made and A does not accept does not stay with B alone. */
SIM_TEST(an_answer_that_is_not_accepted)
{
    sim_link(s, .delay_ms = 20);
    sim_start(s);
    initiate_and_forget(s, XCHG_IKE_AUTH);
    initiate_and_forget(s, XCHG_CREATE_CHILD_SA);
    expect(s, sim_sas(s, A) == 1 && sim_sas(s, B) == 1);
}

static const struct sim_case cases[] = {
    SIM_CASE(a_refused_peer_goes_on_regardless),
    SIM_CASE(a_peer_leaves_out_a_key_exchange),
    SIM_CASE(an_older_signature_method_is_not_taken),
    SIM_CASE(an_sa_ends_while_work_is_out),
    SIM_CASE(crossing_rekeys_with_slow_work),
    SIM_CASE(reauthentication_after_a_reload),
    SIM_CASE(a_new_attempt_after_a_reload),
    SIM_CASE(a_lost_child_comes_back),
    SIM_CASE(unique_after_a_reload),
    SIM_CASE(reauthentication_meets_a_rekeying),
    SIM_CASE(rekeying_keeps_dynamic_selectors),
    SIM_CASE(half_done_negotiations_are_few),
    SIM_CASE(a_name_before_a_pattern),
    SIM_CASE(both_spis_count),
    SIM_CASE(one_network_does_not_take_every_place),
    SIM_CASE(a_connection_that_is_up_is_not_down),
    SIM_CASE(rekeying_does_not_put_off_reauthentication),
    SIM_CASE(a_shared_key_is_for_its_owners),
    SIM_CASE(an_answer_that_is_not_accepted),
};

int main(int argc, char **argv)
{
    return sim_main(argc, argv, cases, ARRAY_LEN(cases), 10);
}
