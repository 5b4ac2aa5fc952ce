/* test_engine.c - an engine's birth, its life without configuration, its end. */
#include "core.h"

static bool no_random(void *arg, uint8_t *out, size_t n)
{
    return false;
}

static void without_memory_or_randomness_there_is_none(void **state)
{
    struct ike *first = core_new(); /* the library has been made */
    struct adit_host host = { .crypto = first->host.crypto, .random = no_random };
    assert_null(adit_ike_new(&host, 1));
    struct adit_ike *ike = NULL;
    host.random = first->host.random;
    host.random_arg = first->host.random_arg;
    for (unsigned n = 0; !ike; n++) {
        unsigned left = n;
        assert_true(n < 50);
        mem_set_gate(gate_countdown, &left);
        ike = adit_ike_new(&host, 1);
        mem_set_gate(NULL, NULL);
    }
    adit_ike_free(ike);
    adit_ike_free(NULL);
    core_free(first);
}

static void without_configuration_everything_is_refused(void **state)
{
    struct ike *ike = core_new();
    struct adit_ike *engine = (struct adit_ike *)ike;
    static const enum adit_command_type all[] = {
        ADIT_CMD_INITIATE,    ADIT_CMD_TERMINATE, ADIT_CMD_REKEY, ADIT_CMD_ACQUIRE,  ADIT_CMD_EXPIRE_SOFT,
        ADIT_CMD_EXPIRE_HARD, ADIT_CMD_TRAFFIC,   ADIT_CMD_PATH,  ADIT_CMD_INACTIVE, ADIT_CMD_LIVE
    };
    struct adit_event ev;
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct adit_command cmd = {
            .type = all[i], .cookie = 7, .conn = "peer", .child = "net", .child_id = 1
        };
        struct adit_why why;
        unsigned matches = 99;
        assert_int_equal(adit_ike_command(engine, &cmd, ike->now, &matches, &why), ADIT_ERR_NOT_FOUND);
        assert_true(matches == 0 && why.text[0]);
        assert_int_equal(adit_ike_command(engine, &cmd, ike->now, NULL, NULL), ADIT_ERR_NOT_FOUND);
    }
    assert_true(adit_ike_deadline(engine) == UINT64_MAX && adit_ike_sa_count(engine) == 0);
    adit_ike_tick(engine, ike->now + SECONDS(100000));
    assert_false(core_event(ike, ADIT_EV_SEND, &ev) || core_event(ike, ADIT_EV_DONE, &ev));
    core_free(ike);
}

static void a_bad_configuration_changes_nothing(void **state)
{
    struct ike *ike = core_new();
    struct adit_ike *engine = (struct adit_ike *)ike;
    const struct adit_config *before = adit_ike_get_config(engine);
    struct adit_config *bad = adit_config_new();
    struct adit_cert cert = { .use = ADIT_CERT_CA,
                              .data = SPAN_LIT("no certificate"),
                              .source = "ca/bad.pem" };
    struct adit_why why = { 0 };
    assert_int_equal(adit_config_add_cert(bad, &cert), ADIT_OK);
    assert_true(adit_ike_config(engine, bad, ike->now, &why) != ADIT_OK);
    assert_non_null(strstr(why.text, "ca/bad.pem"));
    assert_ptr_equal(adit_ike_get_config(engine), before);
    struct adit_config *good = adit_config_new();
    assert_int_equal(adit_ike_config(engine, good, ike->now, &why), ADIT_OK);
    assert_ptr_equal(adit_ike_get_config(engine), good);
    adit_config_unref(bad);
    adit_config_unref(good); /* the engine has its own reference */
    core_free(ike);
}

static void jitter_stays_below_its_bound(void **state)
{
    struct ike *ike = core_new();
    uint64_t most = 0;
    assert_int_equal(ike_jitter(ike, 0), 0);
    assert_int_equal(ike_jitter(ike, 1), 0);
    for (int i = 0; i < 1000; i++) {
        uint64_t j = ike_jitter(ike, 10);
        assert_true(j < 10);
        most = j > most ? j : most;
    }
    assert_int_equal(most, 9);
    ike->host.random = no_random;
    assert_int_equal(ike_jitter(ike, 10), 0);
    core_free(ike);
}

static void the_secret_of_cookies_is_renewed(void **state)
{
    struct ike *ike = core_new();
    struct adit_ike *engine = (struct adit_ike *)ike;
    uint8_t version = ike->cookies.version;
    adit_ike_tick(engine, ike->now + COOKIE_LIFE_NS - 1);
    assert_int_equal(ike->cookies.version, version);
    adit_ike_tick(engine, ike->now + 1);
    assert_int_equal(ike->cookies.version, (uint8_t)(version + 1));
    core_free(ike);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_or_randomness_there_is_none),
        cmocka_unit_test(without_configuration_everything_is_refused),
        cmocka_unit_test(a_bad_configuration_changes_nothing),
        cmocka_unit_test(jitter_stays_below_its_bound),
        cmocka_unit_test(the_secret_of_cookies_is_renewed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
