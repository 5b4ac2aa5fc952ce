/* test_updown.c - the environment of updown commands is strongSwan's; commands run in order, one at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "daemon/updown.h"
#include "model/model.h"
#include "wire/iana.h"

static struct adit_ts local[2], remote[1];
static struct adit_child_spec spec;

static struct adit_ts net(const char *text)
{
    struct adit_ts_cfg cfg;
    assert_int_equal(ts_parse(text, &cfg, NULL), ADIT_OK);
    return cfg.ts;
}

static int setup(void **state)
{
    local[0] = net("10.1.0.0/16");
    local[1] = net("192.0.2.1/32");
    remote[0] = net("10.2.0.5-10.2.0.9");
    spec = (struct adit_child_spec){ .id = 3,
                                     .ike_id = 2,
                                     .reqid = 7,
                                     .conn = "gw",
                                     .child = "net",
                                     .proto = PROTO_ESP,
                                     .n_local_ts = 2,
                                     .n_remote_ts = 1,
                                     .local_ts = local,
                                     .remote_ts = remote,
                                     .udp_encap = true };
    spec.in.spi = 0xc0ffee01;
    addr_parse("192.0.2.1", &spec.path.local.addr);
    addr_parse("192.0.2.2", &spec.path.remote.addr);
    spec.path.remote.port = 4500;
    return 0;
}

static bool has(char *const *env, const char *wanted)
{
    for (; *env; env++)
        if (!strcmp(*env, wanted))
            return true;
    print_message("missing: %s\n", wanted);
    return false;
}

static void environment_is_strongswans(void **state)
{
    char *env[40];
    struct updown_event ev = { .up = true,
                               .command = "x",
                               .spec = &spec,
                               .interface = "adit0",
                               .local_id = { ID_FQDN, SPAN_LIT("moon.example") },
                               .remote_id = { ID_FQDN, SPAN_LIT("sun.example") } };
    size_t n = updown_env(&ev, 0, 0, env, ARRAY_LEN(env));
    assert_true(n > 15);
    static const char *const wanted[] = {
        "PLUTO_VERB=up-client", "PLUTO_CONNECTION=net",      "PLUTO_INTERFACE=adit0",
        "PLUTO_REQID=7",        "PLUTO_PROTO=esp",           "PLUTO_UNIQUEID=2",
        "PLUTO_ME=192.0.2.1",   "PLUTO_MY_ID=moon.example",  "PLUTO_MY_CLIENT=10.1.0.0/16",
        "PLUTO_PEER=192.0.2.2", "PLUTO_PEER_ID=sun.example", "PLUTO_PEER_CLIENT=10.2.0.5..10.2.0.9",
        "PLUTO_MY_PORT=0",      "PLUTO_MY_PROTOCOL=0",       "PLUTO_UDP_ENC=4500",
    };
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        assert_true(has(env, wanted[i]));
    for (size_t i = 0; i < n; i++)
        free(env[i]);
}

static void our_own_address_is_a_host(void **state)
{
    char *env[40];
    struct updown_event ev = { .up = false, .command = "x", .spec = &spec, .interface = "" };
    size_t n = updown_env(&ev, 1, 0, env, ARRAY_LEN(env));
    assert_true(has(env, "PLUTO_VERB=down-host"));
    for (size_t i = 0; i < n; i++)
        free(env[i]);
}

static void commands_run_in_order(void **state)
{
    char path[64], command[256], line[64];
    uv_loop_t loop;
    struct log log;
    uv_loop_init(&loop);
    log_init(&log, ADIT_LOG_AUDIT);
    struct updown *u = updown_new(&loop, &log);
    snprintf(path, sizeof(path), "/tmp/adit-test-%d.updown", (int)getpid());
    unlink(path);
    snprintf(command, sizeof(command), "echo $PLUTO_VERB $PLUTO_MY_CLIENT >>%s", path);
    updown_run(u, &(struct updown_event){ .up = true, .command = command, .spec = &spec, .interface = "" });
    updown_run(u, &(struct updown_event){ .up = false, .command = command, .spec = &spec, .interface = "" });
    assert_int_equal(updown_pending(u), 4);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(updown_pending(u), 0);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    static const char *const wanted[] = { "up-client 10.1.0.0/16\n", "up-host 192.0.2.1/32\n",
                                          "down-client 10.1.0.0/16\n", "down-host 192.0.2.1/32\n" };
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        assert_non_null(fgets(line, sizeof(line), f));
        assert_string_equal(line, wanted[i]);
    }
    fclose(f);
    unlink(path);
    updown_free(u);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(environment_is_strongswans, setup),
        cmocka_unit_test_setup(our_own_address_is_a_host, setup),
        cmocka_unit_test_setup(commands_run_in_order, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
