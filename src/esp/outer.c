/* outer.c - the header of our own around what is sealed (RFC 4301 s5.1.2). */
#include "esp/sa.h"
#include "wire/ip.h"

#define OUTER_TTL 64

bool esp_outer_put(struct esp_sa *sa, struct esp_frame *f)
{
    struct ip_outer outer = {
        .src = sa->path.local.addr,
        .dst = sa->path.remote.addr,
        .tos = f->pkt->tos,
        .ttl = OUTER_TTL,
        .proto = sa->proto->ip_proto,
        .dont_fragment = f->pkt->df,
        .id = (uint16_t)f->seq, /* unique among those that may still be in the net, RFC 6864 s4.3 */
    };
    uint32_t n = (uint32_t)ip_put_size(&outer);
    f->pkt->off -= n;
    f->pkt->len += n;
    return ip_put(f->pkt->buf + f->pkt->off, &outer, f->pkt->len - n);
}
