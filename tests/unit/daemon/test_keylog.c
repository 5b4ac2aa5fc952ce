/* test_keylog.c - key logs are the owner's alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "daemon/keylog.h"

static char path[64], other[64];

static int setup(void **state)
{
    snprintf(path, sizeof(path), "/tmp/adit-test-%d.keys", (int)getpid());
    snprintf(other, sizeof(other), "/tmp/adit-test-%d.link", (int)getpid());
    unlink(path);
    unlink(other);
    return 0;
}

static int teardown(void **state)
{
    unlink(path);
    unlink(other);
    return 0;
}

static void appends_lines_to_a_private_file(void **state)
{
    struct keylog k;
    struct stat st;
    char line[64];
    umask(0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(keylog_open(&k, path, "", NULL), ADIT_OK);
        keylog_line(&k, "ike", "one line");
        keylog_line(&k, "esp", "goes nowhere");
        keylog_close(&k);
    }
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_size, 2 * 9);
    FILE *f = fopen(path, "r");
    assert_non_null(fgets(line, sizeof(line), f));
    assert_string_equal(line, "one line\n");
    fclose(f);
}

static void refuses_what_others_may_read(void **state)
{
    struct keylog k;
    struct adit_why why = { 0 };
    FILE *f = fopen(path, "w");
    fclose(f);
    chmod(path, 0640);
    assert_int_equal(keylog_open(&k, path, NULL, &why), ADIT_ERR_IO);
    assert_non_null(strstr(why.text, "chmod 600"));
    chmod(path, 0600);
    assert_int_equal(symlink(path, other), 0);
    assert_int_equal(keylog_open(&k, NULL, other, &why), ADIT_ERR_IO);
    assert_null(k.ike);
    assert_null(k.esp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(appends_lines_to_a_private_file, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_what_others_may_read, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
