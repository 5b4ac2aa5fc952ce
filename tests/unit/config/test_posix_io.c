/* test_posix_io.c - the system's files: reading, patterns, directories. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fake_io.h"

static char dir[] = "/tmp/test_posix_io_XXXXXX";

static void path_of(struct strbuf *out, const char *name)
{
    strbuf_addf(out, "%s/%s", dir, name);
}

static void write_file(const char *name, const char *text)
{
    STRBUF(path, 256);
    path_of(&path, name);
    FILE *f = fopen(path.p, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int setup(void **state)
{
    STRBUF(sub, 256);
    if (!mkdtemp(dir))
        return -1;
    path_of(&sub, "sub.conf");
    write_file("b.conf", "bb");
    write_file("a.conf", "a");
    write_file(".hidden", "h");
    write_file("empty", "");
    return mkdir(sub.p, 0700);
}

static int cleanup(void **state)
{
    static const char *const names[] = { "b.conf", "a.conf", ".hidden", "empty" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        STRBUF(path, 256);
        path_of(&path, names[i]);
        unlink(path.p);
    }
    STRBUF(sub, 256);
    path_of(&sub, "sub.conf");
    rmdir(sub.p);
    return rmdir(dir);
}

static void found(void *arg, const char *path)
{
    strbuf_addf(arg, "%s ", path + strlen(dir) + 1);
}

static void files_are_read_whole(void **state)
{
    struct adit_buf out = { 0 };
    struct adit_why why;
    STRBUF(path, 256);
    STRBUF(none, 256);
    path_of(&path, "b.conf");
    path_of(&none, "none");
    assert_int_equal(config_posix_io.read(NULL, path.p, &out, &why), ADIT_OK);
    assert_true(span_equal(buf_span(&out), SPAN_LIT("bb")));
    assert_int_equal(config_posix_io.read(NULL, none.p, &out, &why), ADIT_ERR_NOT_FOUND);
    assert_non_null(strstr(why.text, "none: No such file"));
    assert_int_equal(config_posix_io.read(NULL, dir, &out, &why), ADIT_ERR_IO);
    STRBUF(fifo, 200);
    strbuf_addf(&fifo, "%s/fifo", dir);
    assert_int_equal(mkfifo(fifo.p, 0600), 0);
    assert_int_equal(config_posix_io.read(NULL, fifo.p, &out, &why), ADIT_ERR_IO); /* at once */
    assert_non_null(strstr(why.text, "not a regular file"));
    unlink(fifo.p);
    buf_fini(&out);
}

static void patterns_give_regular_files_in_order(void **state)
{
    STRBUF(pattern, 256);
    STRBUF(nothing, 256);
    STRBUF(out, 256);
    path_of(&pattern, "*.conf");
    path_of(&nothing, "*.none");
    assert_int_equal(config_posix_io.glob(NULL, pattern.p, found, &out, NULL), ADIT_OK);
    assert_int_equal(config_posix_io.glob(NULL, nothing.p, found, &out, NULL), ADIT_OK);
    assert_string_equal(out.p, "a.conf b.conf ");
}

static void directories_are_listed_with_hidden_files(void **state)
{
    STRBUF(none, 256);
    STRBUF(out, 256);
    path_of(&none, "none");
    assert_int_equal(config_posix_io.list(NULL, dir, found, &out, NULL), ADIT_OK);
    assert_true(strstr(out.p, ".hidden ") && strstr(out.p, "a.conf ") && !strstr(out.p, "sub"));
    out.n = 0;
    assert_int_equal(config_posix_io.list(NULL, none.p, found, &out, NULL), ADIT_OK);
    assert_int_equal(out.n, 0);
}

static void large_files_are_refused(void **state)
{
    struct adit_buf out = { 0 };
    struct adit_why why;
    STRBUF(path, 256);
    path_of(&path, "empty");
    assert_int_equal(truncate(path.p, (16 << 20) + 1), 0);
    assert_int_equal(config_posix_io.read(NULL, path.p, &out, &why), ADIT_ERR_LIMIT);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(files_are_read_whole),
                                        cmocka_unit_test(patterns_give_regular_files_in_order),
                                        cmocka_unit_test(directories_are_listed_with_hidden_files),
                                        cmocka_unit_test(large_files_are_refused) };
    return cmocka_run_group_tests_name("config/posix_io", tests, setup, cleanup);
}
