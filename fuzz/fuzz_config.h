/* fuzz_config.h - the loader's files for fuzz targets: the input is the main file and what it includes. */
#ifndef FUZZ_CONFIG_H
#define FUZZ_CONFIG_H

#include "base/why.h"
#include "config/config.h"

struct fuzz_files {
    struct adit_span main;
    unsigned reads; /* an include of itself would go on for long */
};

static inline enum adit_rc fuzz_read(void *arg, const char *path, struct adit_buf *out, struct adit_why *why)
{
    struct fuzz_files *f = arg;
    if (f->reads++ > 40)
        return why_set(why, ADIT_ERR_IO, "%s: enough", path);
    size_t n = strlen(path);
    if (n > 5 && !strcmp(path + n - 5, ".conf"))
        return buf_set(out, f->main);
    if (n > 4 && !strcmp(path + n - 4, ".pem"))
        return buf_set(out, SPAN_LIT("certificate"));
    return why_set(why, ADIT_ERR_NOT_FOUND, "%s: no such file", path);
}

static inline enum adit_rc fuzz_glob(void *arg, const char *pattern, config_path_fn *found, void *found_arg,
                                     struct adit_why *why)
{
    found(found_arg, pattern);
    return ADIT_OK;
}

static inline enum adit_rc fuzz_list(void *arg, const char *dir, config_path_fn *found, void *found_arg,
                                     struct adit_why *why)
{
    if (!strcmp(dir, "/s/private"))
        found(found_arg, "/s/private/a.pem");
    return ADIT_OK;
}

static inline struct config_io fuzz_io(struct fuzz_files *files)
{
    return (struct config_io){ files, fuzz_read, fuzz_glob, fuzz_list };
}

#endif
