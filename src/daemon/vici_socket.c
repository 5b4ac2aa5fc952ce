/* vici_socket.c - see vici_socket.h. */
#include "daemon/vici_socket.h"
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/why.h"

static bool somebody_answers(const struct sockaddr_un *addr)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    int rc = connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
    bool yes = rc == 0 || errno == EAGAIN; /* EAGAIN: its backlog is full */
    close(fd);
    return yes;
}

static enum adit_rc make_directory(const char *path, struct adit_why *why)
{
    char copy[108];
    snprintf(copy, sizeof(copy), "%s", path);
    const char *dir = dirname(copy);
    if (mkdir(dir, 0755) == 0 || errno == EEXIST)
        return ADIT_OK;
    int error = errno;
    if (access(dir, F_OK) == 0) /* a parent is not ours to write */
        return ADIT_OK;
    return why_set(why, ADIT_ERR_IO,
                   "control socket %s: can't make directory %s: %s; make it, or set vici.sockets "
                   "or --socket",
                   path, dir, strerror(error));
}

static enum adit_rc clear_path(const struct sockaddr_un *addr, struct adit_why *why)
{
    struct stat st;
    if (lstat(addr->sun_path, &st) < 0)
        return ADIT_OK;
    if (!S_ISSOCK(st.st_mode))
        return why_set(why, ADIT_ERR_EXISTS, "control socket %s: there is something else of that name",
                       addr->sun_path);
    if (somebody_answers(addr))
        return why_set(why, ADIT_ERR_EXISTS, "control socket %s: a running daemon has it", addr->sun_path);
    unlink(addr->sun_path);
    return ADIT_OK;
}

enum adit_rc vici_socket_bind(const char *path, int *out, struct adit_why *why)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(addr.sun_path))
        return why_set(why, ADIT_ERR_CONFIG, "control socket %s: longer than %zu characters", path,
                       sizeof(addr.sun_path) - 1);
    memcpy(addr.sun_path, path, strlen(path));
    TRY(make_directory(path, why));
    TRY(clear_path(&addr, why));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t old = umask(0117); /* 0660 from the first moment */
    int rc = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&addr, sizeof(addr));
    int error = errno;
    umask(old);
    if (rc == 0) {
        *out = fd;
        return ADIT_OK;
    }
    if (fd >= 0)
        close(fd);
    return why_set(why, ADIT_ERR_IO, "control socket %s: %s", path, strerror(error));
}
