/* keylog.c - see keylog.h. */
#include "daemon/keylog.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/why.h"

static enum adit_rc open_file(const char *path, FILE **out, struct adit_why *why)
{
    struct stat st;
    if (!path || !*path)
        return ADIT_OK;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return why_set(why, ADIT_ERR_IO, "key log %s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 077)) {
        close(fd);
        return why_set(why, ADIT_ERR_IO, "key log %s: others may read it; chmod 600 it, or remove it", path);
    }
    *out = fdopen(fd, "a");
    if (!*out) {
        close(fd);
        return why_set(why, ADIT_ERR_MEMORY, "key log %s: out of memory", path);
    }
    return ADIT_OK;
}

enum adit_rc keylog_open(struct keylog *k, const char *ike_path, const char *esp_path, struct adit_why *why)
{
    *k = (struct keylog){ 0 };
    enum adit_rc rc = open_file(ike_path, &k->ike, why);
    if (rc == ADIT_OK)
        rc = open_file(esp_path, &k->esp, why);
    if (rc != ADIT_OK)
        keylog_close(k);
    return rc;
}

void keylog_line(struct keylog *k, const char *which, const char *line)
{
    FILE *f = !strcmp(which, "esp") ? k->esp : k->ike;
    if (!f)
        return;
    fprintf(f, "%s\n", line);
    fflush(f); /* a capture running now wants it now */
}

void keylog_close(struct keylog *k)
{
    if (k->ike)
        fclose(k->ike);
    if (k->esp)
        fclose(k->esp);
    *k = (struct keylog){ 0 };
}
