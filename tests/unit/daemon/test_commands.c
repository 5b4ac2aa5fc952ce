/* test_commands.c - the VICI commands of two whole daemons that negotiate over loopback, without data plane. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/mem.h"
#include "two_daemons.h"

#define SECRET                                                                                               \
    "{\"id\":\"s1\",\"type\":\"IKE\",\"data\":\"a secret\",\"owners\":[\"left.example\",\"right.example\"]}"
#define YES "{\"success\":\"yes\"}"

static struct pair *pair;

/* load-conn's message of daemon `me`, whose peer listens on port_of(peer). */
static const char *conn(int me, int peer, const char *extra)
{
    static char text[2][1024];
    static const char *const names[] = { "left.example", "right.example", "nobody.example" };
    snprintf(
        text[me], sizeof(text[me]),
        "{\"gw\":{\"local_addrs\":[\"127.0.0.1\"],\"remote_addrs\":[\"127.0.0.1\"],\"local_port\":\"%u\","
        "\"remote_port\":\"%u\",\"proposals\":[\"aes256gcm16-prfsha384-x25519-ke1_mlkem768\"],"
        "\"local-1\":{\"auth\":\"psk\",\"id\":\"%s\"},\"remote-1\":{\"auth\":\"psk\",\"id\":\"%s\"},"
        "\"children\":{\"net\":{\"local_ts\":[\"10.1.0.0/16\"],\"remote_ts\":[\"10.1.0.0/16\"],"
        "\"esp_proposals\":[\"aes256gcm16-x25519\"]%s}}}}",
        pair_port(me), pair_port(peer), names[me], names[peer], extra);
    return text[me];
}

static int setup(void **state)
{
    pair = mem_new(sizeof(*pair));
    pair_start(pair, "", "");
    return 0;
}

static int teardown(void **state)
{
    pair_stop(pair);
    mem_del(pair);
    return 0;
}

static void has(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("no %s in %s", part, text ? text : "no answer");
}

static const char *status(void)
{
    ask_register(pair, 0, "adit-status");
    ask(pair, 0, "adit-status", "{}");
    return last_event(pair, 0);
}

static const char *metrics(void)
{
    ask_register(pair, 0, "adit-metrics");
    ask(pair, 0, "adit-metrics", "{}");
    has(last_event(pair, 0), "# EOF");
    return last_event(pair, 0);
}

static void load_both(void)
{
    assert_string_equal(ask(pair, 0, "load-conn", conn(0, 1, "")), YES);
    assert_string_equal(ask(pair, 1, "load-conn", conn(1, 0, "")), YES);
    assert_string_equal(ask(pair, 0, "load-shared", SECRET), YES);
    assert_string_equal(ask(pair, 1, "load-shared", SECRET), YES);
}

static void queries_answer_without_anything_loaded(void **state)
{
    static const struct {
        const char *command, *part;
    } rows[] = {
        { "version", "\"daemon\":\"aditd\"" },
        { "stats", "\"ikesas\":{\"total\":\"0\"" },
        { "list-sas", "{}" },
        { "list-conns", "{}" },
        { "list-policies", "{}" },
        { "list-certs", "{}" },
        { "list-authorities", "{}" },
        { "get-conns", "{\"conns\":[]}" },
        { "get-keys", "{\"keys\":[]}" },
        { "get-shared", "{\"keys\":[]}" },
        { "get-pools", "{}" },
        { "get-authorities", "{\"authorities\":[]}" },
        { "get-algorithms", "ML_KEM_768" },
        { "get-counters", "\"info-out-resp\":\"0\"" },
        { "adit-counters", "\"cookies-sent\"" },
        { "adit-status", "yes" },
        { "adit-metrics", "yes" },
        { "flush-certs", "yes" },
        { "clear-creds", "yes" },
        { "reload-settings", "yes" },
        { "reset-counters", "yes" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        has(ask(pair, 0, rows[i].command, "{}"), rows[i].part);
}

static void refusals_have_reasons(void **state)
{
    static const struct {
        const char *command, *args, *reason;
    } rows[] = {
        { "initiate", "{}", "needs ike or child" },
        { "initiate", "{\"child\":\"nobody\"}", "nobody" },
        { "initiate", "{\"child\":\"x\",\"timeout\":\"soon\"}", "timeout" },
        { "initiate", "{\"child\":\"x\",\"loglevel\":\"9\"}", "loglevel" },
        { "terminate", "{}", "needs ike" },
        { "terminate", "{\"ike\":\"nobody\"}", "\"matches\":\"0\"" },
        { "rekey", "{\"ike\":\"nobody\"}", "\"matches\":\"0\"" },
        { "redirect", "{\"gateway\":\"192.0.2.1\"}", "needs ike" },
        { "redirect", "{\"ike\":\"gw\"}", "needs gateway" },
        { "redirect", "{\"ike\":\"nobody\",\"gateway\":\"192.0.2.1\"}", "no matching" },
        { "redirect", "{\"peer-ip\":\"a.name\",\"gateway\":\"192.0.2.1\"}", "an address, a network or a range" },
        { "redirect", "{\"peer-ip\":\"1.2.3.4/40\",\"gateway\":\"192.0.2.1\"}", "1.2.3.4/40" },
        { "redirect", "{\"ike-id\":\"x\",\"gateway\":\"192.0.2.1\"}", "ike-id" },
        { "install", "{}", "needs child" },
        { "install", "{\"child\":\"nobody\"}", "nobody" },
        { "uninstall", "{\"child\":\"nobody\"}", "nobody" },
        { "load-conn", "{}", "without a connection" },
        { "load-conn", "{\"gw\":\"text\"}", "sections" },
        { "load-conn", "{\"gw\":{\"prposals\":[\"aes\"]}}", "did you mean 'proposals'" },
        { "unload-conn", "{\"name\":\"nobody\"}", "nobody" },
        { "load-cert", "{\"type\":\"X509\",\"data\":\"nonsense\"}", "errmsg" },
        { "load-cert", "{\"type\":\"X509_AC\",\"data\":\"x\"}", "not supported" },
        { "load-key", "{\"type\":\"any\",\"data\":\"nonsense\"}", "private key" },
        { "load-token", "{\"handle\":\"01\"}", "not supported" },
        { "load-shared", "{\"type\":\"NTLM\",\"data\":\"x\"}", "not supported" },
        { "load-shared", "{\"type\":\"IKE\",\"data\":\"\"}", "empty" },
        { "unload-key", "{\"id\":\"00\"}", "no key" },
        { "load-pool", "{}", "one section" },
        { "load-pool", "{\"p\":{\"addrs\":\"nowhere\"}}", "one range" },
        { "load-pool", "{\"p\":{\"dns\":[\"10.0.0.1\"]}}", "no addrs" },
        { "unload-pool", "{\"name\":\"nobody\"}", "no such pool" },
        { "load-authority", "{}", "one section" },
        { "load-authority", "{\"a\":{\"crl_uris\":[\"http://x\"]}}", "fetches nothing" },
        { "load-authority", "{\"a\":{}}", "no cacert" },
        { "unload-authority", "{\"name\":\"nobody\"}", "nobody" },
        { "get-counters", "{\"name\":\"nobody\"}", "nobody" },
        { "adit-load", "{}", "no connections" },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *got = ask(pair, 0, rows[i].command, rows[i].args);
        has(got, "\"success\":\"no\"");
        has(got, rows[i].reason);
    }
    has(ask(pair, 0, "list-conns", "{}"), "{}"); /* nothing stuck */
}

static void a_tunnel_lives_and_ends(void **state)
{
    load_both();
    ask_register(pair, 0, "control-log");
    ask_register(pair, 0, "list-sa");
    ask_register(pair, 0, "child-updown");
    ask_register(pair, 0, "ike-updown");
    ask_register(pair, 0, "child-rekey");
    assert_string_equal(ask(pair, 0, "initiate", "{\"child\":\"net\",\"timeout\":\"10000\"}"), YES);
    assert_non_null(memmem(pair->e[0].events.p, pair->e[0].events.n, "control-log ", 12));
    assert_non_null(memmem(pair->e[0].events.p, pair->e[0].events.n, "ike-updown ", 11));
    assert_non_null(memmem(pair->e[0].events.p, pair->e[0].events.n, "child-updown ", 13));
    ask(pair, 0, "list-sas", "{}");
    static const char *const parts[] = {
        "{\"gw\":{\"uniqueid\":\"1\",\"version\":\"2\",\"state\":\"ESTABLISHED\"",
        "\"local-id\":\"left.example\"",
        "\"initiator\":\"yes\"",
        "\"encr-alg\":\"AES_GCM_16\",\"encr-keysize\":\"256\"",
        "\"ake1\":\"ML_KEM_768\"",
        "\"child-sas\":{\"net-1\":{\"name\":\"net\"",
        "\"state\":\"INSTALLED\",\"mode\":\"TUNNEL\",\"protocol\":\"ESP\"",
        "\"bytes-in\":\"0\"",
        "\"local-ts\":[\"10.1.0.0/16\"]",
    };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        has(last_event(pair, 0), parts[i]);
    has(status(), "\"gw\":{\"up\":\"yes\",\"state\":\"ESTABLISHED\"");
    has(metrics(), "adit_connection_quantum_safe{connection=\\\"gw\\\"} 1");
    has(ask(pair, 0, "get-counters", "{}"), "\"ike-init-out-req\":\"1\"");
    has(ask(pair, 0, "rekey", "{\"child\":\"net\"}"), "\"matches\":\"1\"");
    pair_run(pair, 300, NULL);
    has(status(), "\"net\":{\"up\":\"yes\",\"since\":\"0\",\"ups\":\"1\",\"rekeys\":\"1\"");
    has(ask(pair, 0, "terminate", "{\"ike\":\"gw\",\"timeout\":\"5000\"}"),
        "\"success\":\"yes\",\"matches\":\"1\"");
    has(status(), "\"gw\":{\"up\":\"no\",\"state\":\"DOWN\"");
}

/* The IKE port stays open to all after a peer's port was unreachable: the second daemon is started later. */
static void an_unreachable_port_deafens_nobody(void **state)
{
    load_both();
    assert_string_equal(ask(pair, 0, "load-conn", conn(0, 2, "")), YES);
    has(ask(pair, 0, "initiate", "{\"child\":\"net\",\"timeout\":\"900\"}"), "not up");
    assert_string_equal(ask(pair, 0, "load-conn", conn(0, 1, "")), YES);
    assert_string_equal(ask(pair, 1, "initiate", "{\"child\":\"net\",\"timeout\":\"5000\"}"), YES);
}

/* RFC 7296 s2.4: INITIAL_CONTACT makes the peer forget its other IKE SAs with us; only the first may say it. */
static void a_second_connection_to_the_same_peer_spares_the_first(void **state)
{
    char second[1100];
    load_both();
    for (int who = 0; who < 2; who++) {
        snprintf(second, sizeof(second), "{\"gx\"%s", conn(who, !who, "") + strlen("{\"gw\""));
        assert_string_equal(ask(pair, who, "load-conn", second), YES);
    }
    assert_string_equal(ask(pair, 0, "initiate", "{\"ike\":\"gw\",\"child\":\"net\",\"timeout\":\"10000\"}"),
                        YES);
    assert_string_equal(ask(pair, 0, "initiate", "{\"ike\":\"gx\",\"child\":\"net\",\"timeout\":\"10000\"}"),
                        YES);
    pair_run(pair, 300, NULL);
    has(ask(pair, 1, "stats", "{}"), "\"ikesas\":{\"total\":\"2\",\"half-open\":\"0\"}");
    has(ask(pair, 0, "stats", "{}"), "\"ikesas\":{\"total\":\"2\",\"half-open\":\"0\"}");
}

/* RFC 8784: the secret by load-shared, the rest as options of the connection. */
static void a_post_quantum_preshared_key(void **state)
{
    char text[1200];
    load_both();
    for (int who = 0; who < 2; who++) {
        snprintf(text, sizeof(text), "{\"gw\":{\"ppk_id\":\"spring\",\"ppk_required\":\"yes\",%s",
                 conn(who, !who, "") + strlen("{\"gw\":{"));
        assert_string_equal(ask(pair, who, "load-conn", text), YES);
    }
    has(ask(pair, 0, "initiate", "{\"ike\":\"gw\",\"timeout\":\"10000\"}"), "no PPK 'spring' is loaded");
    for (int who = 0; who < 2; who++)
        assert_string_equal(ask(pair, who, "load-shared",
                                "{\"id\":\"p\",\"type\":\"ppk\",\"owners\":[\"spring\"],"
                                "\"data\":\"0123456789abcdef0123456789abcdef\"}"),
                            YES);
    assert_string_equal(ask(pair, 0, "initiate", "{\"child\":\"net\",\"timeout\":\"10000\"}"), YES);
    ask_register(pair, 0, "list-sa");
    ask(pair, 0, "list-sas", "{}");
    has(last_event(pair, 0), "\"ake1\":\"ML_KEM_768\",\"ppk\":\"yes\"");
    ask_register(pair, 0, "list-conn");
    ask(pair, 0, "list-conns", "{}");
    has(last_event(pair, 0), "\"ppk_id\":\"spring\",\"ppk_required\":\"yes\"");
}

static void counters_start_again_after_a_reset(void **state)
{
    load_both();
    ask(pair, 0, "initiate", "{\"child\":\"net\",\"timeout\":\"10000\"}");
    assert_string_equal(ask(pair, 0, "reset-counters", "{}"), YES);
    has(ask(pair, 0, "get-counters", "{}"), "\"ike-init-out-req\":\"0\"");
    has(ask(pair, 0, "adit-counters", "{}"), "\"ike-init-out-req\":\"1\""); /* monitoring sees no fall */
    has(ask(pair, 0, "get-counters", "{\"all\":\"yes\"}"), "\"gw\":{");
}

static void wrong_secrets_fail_with_the_reason(void **state)
{
    load_both();
    assert_string_equal(ask(pair, 1, "load-shared", "{\"id\":\"s1\",\"type\":\"IKE\",\"data\":\"another\"}"),
                        YES);
    has(ask(pair, 0, "initiate", "{\"ike\":\"gw\",\"timeout\":\"10000\"}"), "AUTHENTICATION_FAILED");
    has(status(), "AUTHENTICATION_FAILED");
}

static void a_timeout_leaves_the_attempt_running(void **state)
{
    /* nobody listens there */
    assert_string_equal(ask(pair, 0, "load-conn", conn(0, 2, "")), YES);
    assert_string_equal(ask(pair, 0, "load-shared", SECRET), YES);
    has(ask(pair, 0, "initiate", "{\"child\":\"net\",\"timeout\":\"150\"}"), "goes on in the background");
    has(status(), "\"state\":\"CONNECTING\"");
    assert_string_equal(ask(pair, 0, "initiate", "{\"child\":\"net\",\"timeout\":\"-1\"}"), YES);
}

/* A refusal without authentication may be forged, so the attempt goes on; who waits is told all the same. */
static void a_refused_proposal_is_told_with_ours(void **state)
{
    char other[1024];
    load_both();
    snprintf(other, sizeof(other), "%s", conn(1, 0, ""));
    char *word = strstr(other, "prfsha384");
    span_copy((uint8_t *)word, SPAN_LIT("prfsha512"));
    assert_string_equal(ask(pair, 1, "load-conn", other), YES);
    const char *got = ask(pair, 0, "initiate", "{\"child\":\"net\",\"timeout\":\"200\"}");
    has(got, "goes on in the background; last: ");
    has(got, "NO_PROPOSAL_CHOSEN; we offer aes256gcm16-prfsha384-x25519-ke1_mlkem768");
    has(status(), "\"state\":\"CONNECTING\",\"why\":\"first attempt\"");
}

static void unloading_undoes_start_actions_only(void **state)
{
    load_both();
    assert_string_equal(ask(pair, 0, "initiate", "{\"child\":\"net\",\"timeout\":\"10000\"}"), YES);
    assert_string_equal(ask(pair, 0, "unload-conn", "{\"name\":\"gw\"}"), YES);
    pair_run(pair, 100, NULL);
    assert_int_equal(adit_ike_sa_count(pair->e[0].d.ike), 1); /* initiated by hand: stays */
    has(ask(pair, 0, "terminate", "{\"ike\":\"gw\",\"timeout\":\"5000\"}"), "yes");
    const char *started = conn(0, 1, ",\"start_action\":\"trap|start\"");
    assert_string_equal(ask(pair, 0, "load-conn", started), YES);
    pair_run(pair, 500, NULL);
    has(status(), "\"gw\":{\"up\":\"yes\"");
    ask_register(pair, 0, "list-policy");
    ask(pair, 0, "list-policies", "{\"trap\":\"yes\"}");
    has(last_event(pair, 0), "{\"gw/net\":{\"child\":\"net\"");
    assert_string_equal(ask(pair, 0, "load-conn", started), YES); /* the same again: nothing happens */
    pair_run(pair, 100, NULL);
    has(status(), "\"ups\":\"2\""); /* one by hand, one by its action */
    assert_string_equal(ask(pair, 0, "unload-conn", "{\"name\":\"gw\"}"), YES);
    pair_run(pair, 500, NULL);
    ask_register(pair, 0, "list-sa");
    ask(pair, 0, "list-sas", "{}");
    assert_string_equal(last_event(pair, 0), "");
    ask(pair, 0, "list-policies", "{}");
    assert_string_equal(last_event(pair, 0), "");
}

static bool left_is_up(struct pair *p)
{
    const struct journal_entry *e = journal_find(&p->e[0].d.journal, "gw", "net");
    return e && e->live;
}

static void a_start_action_is_tried_again(void **state)
{
    assert_string_equal(ask(pair, 0, "load-shared", SECRET), YES);
    assert_string_equal(ask(pair, 0, "load-conn", conn(0, 1, ",\"start_action\":\"start\"")), YES);
    assert_string_equal(ask(pair, 1, "load-conn", conn(1, 0, "")), YES); /* has no secret yet */
    assert_false(pair_run(pair, 500, left_is_up));
    assert_string_equal(ask(pair, 1, "load-shared", SECRET), YES);
    assert_true(pair_run(pair, 6000, left_is_up));
    has(ask(pair, 0, "terminate", "{\"ike\":\"gw\",\"timeout\":\"5000\"}"), "yes");
    assert_false(pair_run(pair, 4000, left_is_up)); /* who closes it by hand means it */
}

static void closing_installs_the_policy_that_close_action_wants(void **state)
{
    load_both();
    ask(pair, 0, "load-conn", conn(0, 1, ",\"close_action\":\"trap\""));
    assert_string_equal(ask(pair, 0, "initiate", "{\"child\":\"net\",\"timeout\":\"10000\"}"), YES);
    assert_null(trap_find(&pair->e[0].d, "gw", "net"));
    has(ask(pair, 1, "terminate", "{\"ike\":\"gw\",\"timeout\":\"5000\"}"), "yes");
    pair_run(pair, 300, NULL);
    assert_non_null(trap_find(&pair->e[0].d, "gw", "net"));
}

static void files_and_vici_live_side_by_side(void **state)
{
    char path[128];
    FILE *f;
    load_both();
    snprintf(path, sizeof(path), "%s/swanctl.conf", pair->e[0].dir);
    f = fopen(path, "w");
    fputs(
        "connections {\n filed {\n remote_addrs = 192.0.2.1\n local {\n auth = psk\n }\n remote {\n auth = psk\n }\n"
        " children {\n x {\n }\n }\n }\n}\n",
        f);
    fclose(f);
    has(ask(pair, 0, "adit-load", "{}"), "\"success\":\"yes\"");
    assert_string_equal(ask(pair, 0, "get-conns", "{}"), "{\"conns\":[\"gw\"]}"); /* VICI's only */
    ask_register(pair, 0, "list-conn");
    ask(pair, 0, "list-conns", "{\"ike\":\"filed\"}");
    has(last_event(pair, 0), "swanctl.conf:2");
    f = fopen(path, "w");
    fputs("connections {\n filed {\n nonsense = 1\n }\n}\n", f);
    fclose(f);
    has(ask(pair, 0, "adit-load", "{}"), "swanctl.conf:3");
    ask(pair, 0, "list-conns", "{\"ike\":\"filed\"}");
    has(last_event(pair, 0), "192.0.2.1"); /* the old one is still in force */
}

static void write_swanctl_conf(int who, const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/swanctl.conf", pair->e[who].dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Right has a pool; left asks for an address of it. */
static void lease_an_address(void)
{
    char text[1200];
    load_both();
    assert_string_equal(ask(pair, 1, "load-pool", "{\"rw\":{\"addrs\":\"10.9.0.0/24\",\"dns\":[\"10.1.0.53\"]}}"), YES);
    for (int who = 0; who < 2; who++) {
        snprintf(text, sizeof(text), "{\"gw\":{%s,%s", who ? "\"pools\":[\"rw\"]" : "\"vips\":[\"0.0.0.0\"]",
                 conn(who, !who, "") + strlen("{\"gw\":{"));
        char *ts = strstr(text, who ? "\"remote_ts\":[" : "\"local_ts\":[");
        assert_non_null(ts);
        span_copy((uint8_t *)strchr(ts, '[') + 1, SPAN_LIT("\"dynamic\"    ]"));
        assert_string_equal(ask(pair, who, "load-conn", text), YES);
    }
    assert_string_equal(ask(pair, 0, "initiate", "{\"child\":\"net\",\"timeout\":\"10000\"}"), YES);
    has(ask(pair, 1, "get-pools", "{\"leases\":\"yes\"}"),
        "{\"rw\":{\"base\":\"10.9.0.0\",\"size\":\"254\",\"online\":\"1\",\"offline\":\"0\",\"leases\":{\"0\":"
        "{\"address\":\"10.9.0.1\",\"identity\":\"left.example\",\"status\":\"online\"}}}}");
}

static void pools_that_are_in_use_stay(void **state)
{
    static const struct {
        const char *command, *args, *answer;
    } rows[] = {
        { "load-pool", "{\"rw\":{\"addrs\":\"10.9.0.0/24\",\"dns\":[\"10.1.0.54\"]}}", "{\"success\":\"yes\"}" },
        { "load-pool", "{\"rw\":{\"addrs\":\"10.8.0.0/24\"}}", "\"success\":\"no\"" },
        { "unload-pool", "{\"name\":\"rw\"}", "\"success\":\"no\"" },
        { "load-pool", "{\"other\":{\"addrs\":\"10.8.0.0/24\"}}", "{\"success\":\"yes\"}" },
        { "unload-pool", "{\"name\":\"other\"}", "{\"success\":\"yes\"}" },
    };
    lease_an_address();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        has(ask(pair, 1, rows[i].command, rows[i].args), rows[i].answer);
        has(ask(pair, 1, "get-pools", "{}"), "\"rw\":{\"base\":\"10.9.0.0\",\"size\":\"254\",\"online\":\"1\"");
    }
    has(ask(pair, 0, "terminate", "{\"ike\":\"gw\",\"timeout\":\"5000\"}"), "yes");
    pair_run(pair, 300, NULL);
    has(ask(pair, 1, "get-pools", "{}"), "\"online\":\"0\",\"offline\":\"1\"");
    has(ask(pair, 1, "load-pool", "{\"rw\":{\"addrs\":\"10.8.0.0/24\"}}"), "\"success\":\"yes\"");
    has(ask(pair, 1, "get-pools", "{}"), "{\"rw\":{\"base\":\"10.8.0.0\",\"size\":\"254\",\"online\":\"0\",\"offline\":\"0\"}}");
    has(ask(pair, 1, "unload-pool", "{\"name\":\"rw\"}"), "\"success\":\"yes\"");
    assert_string_equal(ask(pair, 1, "get-pools", "{}"), "{}");
}

/* swanctl --load-pools unloads what get-pools shows and its own files do not have. */
static void pools_of_files_outlast_swanctl(void **state)
{
    write_swanctl_conf(0, "pools {\n own {\n addrs = 10.7.0.0/24\n }\n}\n");
    has(ask(pair, 0, "adit-load", "{\"empty\":\"yes\"}"), "\"success\":\"yes\"");
    has(ask(pair, 0, "get-pools", "{}"), "{\"own\":{\"base\":\"10.7.0.0\"");
    assert_string_equal(ask(pair, 0, "unload-pool", "{\"name\":\"own\"}"), YES);
    has(ask(pair, 0, "get-pools", "{}"), "{\"own\":{\"base\":\"10.7.0.0\"");
    /* one of VICI hides it, and its end brings it back */
    assert_string_equal(ask(pair, 0, "load-pool", "{\"own\":{\"addrs\":\"10.6.0.0/24\"}}"), YES);
    has(ask(pair, 0, "get-pools", "{}"), "{\"own\":{\"base\":\"10.6.0.0\"");
    assert_string_equal(ask(pair, 0, "unload-pool", "{\"name\":\"own\"}"), YES);
    has(ask(pair, 0, "get-pools", "{}"), "{\"own\":{\"base\":\"10.7.0.0\"");
}

static bool peer_was_told(struct pair *p)
{
    struct adit_ike_info ike;
    uint32_t cursor = 0;
    return !adit_ike_sa_next(p->e[1].d.ike, &cursor, &ike);
}

static void ends_by_itself_when_told_to_stop(void **state)
{
    load_both();
    ask(pair, 0, "initiate", "{\"child\":\"net\",\"timeout\":\"10000\"}");
    daemon_stop(&pair->e[0].d);
    assert_true(pair_run(pair, 3000, peer_was_told));
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(queries_answer_without_anything_loaded),
        ROW(refusals_have_reasons),
        ROW(a_tunnel_lives_and_ends),
        ROW(an_unreachable_port_deafens_nobody),
        ROW(a_second_connection_to_the_same_peer_spares_the_first),
        ROW(a_post_quantum_preshared_key),
        ROW(counters_start_again_after_a_reset),
        ROW(wrong_secrets_fail_with_the_reason),
        ROW(a_timeout_leaves_the_attempt_running),
        ROW(a_refused_proposal_is_told_with_ours),
        ROW(unloading_undoes_start_actions_only),
        ROW(a_start_action_is_tried_again),
        ROW(closing_installs_the_policy_that_close_action_wants),
        ROW(files_and_vici_live_side_by_side),
        ROW(pools_that_are_in_use_stay),
        ROW(pools_of_files_outlast_swanctl),
        ROW(ends_by_itself_when_told_to_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
