/* kept.c - see kept.h. */
#include "daemon/kept.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"

#define KEPT_MAX 8192

static enum adit_rc open_ours(const char *path, int *out, struct adit_why *why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    *out = -1;
    if (fd < 0 && errno == ENOENT)
        return ADIT_OK;
    if (fd < 0)
        return why_set(why, ADIT_ERR_IO, "state_file %s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 077)) {
        close(fd);
        return why_set(why, ADIT_ERR_IO, "state_file %s: others may read it; chmod 600 it, or remove it", path);
    }
    *out = fd;
    return ADIT_OK;
}

enum adit_rc kept_load(struct adit_ike *ike, const char *path, struct adit_why *why)
{
    uint8_t mem[KEPT_MAX];
    int fd;
    if (!path || !*path)
        return ADIT_OK;
    TRY(open_ours(path, &fd, why));
    if (fd < 0)
        return ADIT_OK;
    ssize_t n = read(fd, mem, sizeof(mem));
    close(fd);
    bool good = n > 0 && adit_ike_load(ike, mem, (size_t)n);
    mem_wipe(mem, sizeof(mem));
    return good ? ADIT_OK : why_set(why, ADIT_ERR_IO, "state_file %s: damaged; remove it", path);
}

static bool write_all(int fd, const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return fsync(fd) == 0;
}

/* Beside it first: a crash leaves the old one or the new one. */
static bool replace(const char *path, const uint8_t *p, size_t n)
{
    char fresh[4200];
    if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh))
        return false;
    (void)unlink(fresh); /* left behind by a crash */
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool good = write_all(fd, p, n);
    close(fd);
    if (good && rename(fresh, path) == 0)
        return true;
    (void)unlink(fresh);
    return false;
}

enum adit_rc kept_save(const struct adit_ike *ike, const char *path, struct adit_why *why)
{
    uint8_t mem[KEPT_MAX];
    if (!path || !*path)
        return ADIT_OK;
    size_t n = adit_ike_save(ike, mem, sizeof(mem));
    bool good = n > 0 && replace(path, mem, n);
    int error = errno;
    mem_wipe(mem, sizeof(mem));
    return good ? ADIT_OK : why_set(why, ADIT_ERR_IO, "state_file %s: %s", path, strerror(error));
}
