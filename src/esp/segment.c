/* segment.c - headers of a segment: found, and given a new length. */
#include "esp/segment.h"
#include "wire/be.h"
#include "wire/checksum.h"
#include "wire/l4.h"

static uint32_t l4_header(const struct segment *s, uint32_t n)
{
    if (s->ip.proto == IP_PROTO_UDP)
        return UDP_HDR_SIZE;
    return n >= TCP_HDR_MIN ? (uint32_t)(s->l4[TCP_DOFF_AT] >> 4) * 4 : 0;
}

bool segment_get(const uint8_t *packet, size_t n, struct segment *out)
{
    struct rd in = rd_init(span(packet, n));
    if (!ip_get(&in, &out->ip) || ip_is_fragment(&out->ip))
        return false;
    if (out->ip.proto != IP_PROTO_TCP && out->ip.proto != IP_PROTO_UDP)
        return false;
    if (out->ip.version == 6 && out->ip.header_n != IP6_HDR_SIZE)
        return false;
    out->packet = packet;
    out->l4 = packet + out->ip.header_n;
    uint32_t l4_n = out->ip.total_n - out->ip.header_n, head = l4_header(out, l4_n);
    if (head < (out->ip.proto == IP_PROTO_UDP ? UDP_HDR_SIZE : TCP_HDR_MIN) || head > l4_n)
        return false;
    out->head_n = out->ip.header_n + head;
    out->payload_n = l4_n - head;
    return true;
}

uint8_t segment_gso(const struct segment *s)
{
    if (s->ip.proto == IP_PROTO_UDP)
        return GSO_UDP;
    return s->ip.version == 4 ? GSO_TCP4 : GSO_TCP6;
}

void segment_set_length(uint8_t *packet, const struct segment *s, uint32_t total_n)
{
    if (s->ip.version == 4) {
        be16_put(packet + 2, (uint16_t)total_n);
        be16_put(packet + 10, 0);
        be16_put(packet + 10, checksum_fold(checksum_add(0, span(packet, s->ip.header_n))));
    } else {
        be16_put(packet + 4, (uint16_t)(total_n - IP6_HDR_SIZE));
    }
    if (s->ip.proto == IP_PROTO_UDP)
        be16_put(packet + s->ip.header_n + UDP_LEN_AT, (uint16_t)(total_n - s->ip.header_n));
}
