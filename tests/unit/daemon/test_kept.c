/* test_kept.c - the file of what outlives the engine: private, whole or not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "daemon/kept.h"

static char path[64], fresh[70];
static struct adit_crypto *crypto;
static struct adit_ike *ike;

static int setup(void **state)
{
    struct adit_why why;
    snprintf(path, sizeof(path), "/tmp/adit-test-%d.state", (int)getpid());
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    unlink(path);
    unlink(fresh);
    crypto = adit_crypto_new(NULL, NULL, &why);
    struct adit_host host = { .crypto = crypto };
    ike = adit_ike_new(&host, 1);
    assert_non_null(ike);
    return 0;
}

static int teardown(void **state)
{
    unlink(path);
    unlink(fresh);
    adit_ike_free(ike);
    adit_crypto_free(crypto);
    return 0;
}

static void write_file(const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
    chmod(path, mode);
}

static void is_private_and_whole(void **state)
{
    struct adit_why why;
    struct stat st;
    umask(0);
    FILE *f = fopen(fresh, "w"); /* a crash has left it */
    fclose(f);
    for (int i = 0; i < 2; i++)
        assert_int_equal(kept_save(ike, path, &why), ADIT_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_true(access(fresh, F_OK) != 0);
    assert_int_equal(kept_load(ike, path, &why), ADIT_OK);
}

static void nothing_is_kept_unless_asked_for(void **state)
{
    struct adit_why why;
    assert_int_equal(kept_save(ike, NULL, &why), ADIT_OK);
    assert_int_equal(kept_save(ike, "", &why), ADIT_OK);
    assert_int_equal(kept_load(ike, NULL, &why), ADIT_OK);
    assert_int_equal(kept_load(ike, path, &why), ADIT_OK); /* the first start */
}

static void what_is_wrong_is_said(void **state)
{
    struct adit_why why = { 0 };
    write_file("\1", 0640);
    assert_int_equal(kept_load(ike, path, &why), ADIT_ERR_IO);
    assert_non_null(strstr(why.text, "chmod 600"));
    write_file("no state at all", 0600);
    assert_int_equal(kept_load(ike, path, &why), ADIT_ERR_IO);
    assert_non_null(strstr(why.text, "damaged"));
    assert_int_equal(kept_save(ike, "/nowhere/at/all", &why), ADIT_ERR_IO);
    assert_non_null(strstr(why.text, "/nowhere/at/all"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_private_and_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_kept_unless_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_said, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
