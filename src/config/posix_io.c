/* posix_io.c - the system's files for the loader; the only file of this room that opens any. */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/why.h"
#include "config/config.h"

#define FILE_MAX (16u << 20)
#define PATH_ROOM 4096

static enum adit_rc failed(struct adit_why *why, const char *path)
{
    enum adit_rc rc = errno == ENOENT ? ADIT_ERR_NOT_FOUND : ADIT_ERR_IO;
    return why_set(why, rc, "%s: %s", path, strerror(errno));
}

static enum adit_rc read_all(FILE *file, const char *path, struct adit_buf *out, struct adit_why *why)
{
    uint8_t part[4096];
    size_t n;
    enum adit_rc rc = ADIT_OK;
    while (rc == ADIT_OK && (n = fread(part, 1, sizeof(part), file)) > 0) {
        if (out->n + n > FILE_MAX)
            rc = why_set(why, ADIT_ERR_LIMIT, "%s is larger than %u octets", path, FILE_MAX);
        else
            rc = buf_append(out, span(part, n));
    }
    mem_wipe(part, sizeof(part)); /* it may have been a private key */
    if (rc == ADIT_ERR_MEMORY)
        return why_set(why, rc, "%s: out of memory", path);
    return rc == ADIT_OK && ferror(file) ? failed(why, path) : rc;
}

static bool is_regular(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A pipe or a device would keep us waiting, perhaps for ever. */
static FILE *open_regular(const char *path, struct adit_why *why)
{
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        why_set(why, ADIT_ERR_IO, "%s: %s", path, S_ISDIR(st.st_mode) ? "Is a directory" : "not a regular file");
        return NULL;
    }
    FILE *file = fopen(path, "re");
    if (!file)
        (void)failed(why, path);
    return file;
}

static enum adit_rc posix_read(void *arg, const char *path, struct adit_buf *out, struct adit_why *why)
{
    FILE *file = open_regular(path, why);
    out->n = 0;
    if (!file)
        return why->rc;
    setvbuf(file, NULL, _IONBF, 0); /* no second copy of secrets in stdio's memory */
    enum adit_rc rc = read_all(file, path, out, why);
    fclose(file);
    return rc;
}

static enum adit_rc posix_glob(void *arg, const char *pattern, config_path_fn *found, void *found_arg,
                               struct adit_why *why)
{
    glob_t g = { 0 };
    int rc = glob(pattern, 0, NULL, &g);
    for (size_t i = 0; rc == 0 && i < g.gl_pathc; i++) {
        if (is_regular(g.gl_pathv[i]))
            found(found_arg, g.gl_pathv[i]);
    }
    globfree(&g);
    if (rc != 0 && rc != GLOB_NOMATCH)
        return why_set(why, ADIT_ERR_IO, "%s: cannot be searched", pattern);
    return ADIT_OK;
}

static enum adit_rc posix_list(void *arg, const char *dir, config_path_fn *found, void *found_arg,
                               struct adit_why *why)
{
    struct dirent **entries;
    int n = scandir(dir, &entries, NULL, alphasort);
    if (n < 0)
        return errno == ENOENT ? ADIT_OK : failed(why, dir);
    for (int i = 0; i < n; i++) {
        STRBUF(path, PATH_ROOM);
        strbuf_addf(&path, "%s/%s", dir, entries[i]->d_name);
        if (is_regular(path.p))
            found(found_arg, path.p);
        free(entries[i]);
    }
    free(entries);
    return ADIT_OK;
}

const struct config_io config_posix_io = { .read = posix_read, .glob = posix_glob, .list = posix_list };
