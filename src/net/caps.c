/* caps.c - what this machine or this process lacks for a data plane in user space, in words that say what to do. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/span.h"
#include "base/strbuf.h"
#include "base/why.h"
#include "net/net.h"

static bool has_cap(unsigned cap)
{
    struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct d[2] = { 0 };
    return syscall(SYS_capget, &h, d) == 0 && (d[cap / 32].effective >> cap % 32 & 1);
}

static void missing_tun(struct strbuf *out)
{
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
        return;
    }
    const char *hint = errno == ENOENT ? "modprobe tun; in a container: --device /dev/net/tun"
                                       : "run as root";
    strbuf_addf(out, "%s/dev/net/tun: %s (%s)", out->n ? "; " : "", strerror(errno), hint);
}

enum adit_rc net_caps_check(bool raw, struct adit_why *why)
{
    static const struct {
        unsigned cap;
        bool raw_only;
        const char *what;
    } caps[] = {
        { CAP_NET_ADMIN, false, "CAP_NET_ADMIN (TUN device, routes)" },
        { CAP_NET_RAW, true, "CAP_NET_RAW (ESP without UDP)" },
    };
    STRBUF(text, 400);
    for (size_t i = 0; i < ARRAY_LEN(caps); i++)
        if ((raw || !caps[i].raw_only) && !has_cap(caps[i].cap))
            strbuf_addf(&text, "%slacks %s", text.n ? "; " : "", caps[i].what);
    missing_tun(&text);
    return text.n ? why_set(why, ADIT_ERR_IO, "this process can't carry packets: %s", text.p) : ADIT_OK;
}
