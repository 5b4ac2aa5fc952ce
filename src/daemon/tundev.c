/* tundev.c - see tundev.h. Order: the device, addresses on it, then routes, which name them as sources. */
#include "daemon/tundev.h"
#include "base/why.h"
#include "daemon/assigned.h"
#include "daemon/daemon.h"
#include "dp/dp.h"

#define RETRY_MS 3000 /* its name is taken, memory or descriptors are out */

static void on_retry(uv_timer_t *timer);

static void put_back(struct daemon *d)
{
    struct adit_why why = { 0 };
    assigned_renew(d);
    if (dp_routes_renew(d->dp, &why) != ADIT_OK)
        log_say(&d->log, ADIT_LOG_AUDIT, "KNL", "%s again: %s", daemon_tun(d), why.text);
    log_say(&d->log, ADIT_LOG_AUDIT, "KNL", "%s is there again", daemon_tun(d));
}

static void renew(struct daemon *d, enum adit_level level)
{
    struct adit_why why = { 0 };
    if (dp_tun_renew(d->dp, &why) == ADIT_OK) {
        put_back(d);
        return;
    }
    log_say(&d->log, level, "KNL", "it can't be made again yet: %s", why.text);
    uv_timer_start(&d->tun_timer, on_retry, RETRY_MS, 0);
}

static void on_retry(uv_timer_t *timer)
{
    renew(timer->data, ADIT_LOG_MORE); /* the reason has been said */
}

void tundev_lost(struct daemon *d)
{
    log_say(&d->log, ADIT_LOG_AUDIT, "KNL", "the TUN device %s was deleted; tunnels stay", daemon_tun(d));
    renew(d, ADIT_LOG_AUDIT);
}
