/* checksum.c - RFC 1071 sums, kept in the machine's own octet order until the end: one's complement addition does
 * not care (RFC 1071 s2 B), and whole words are faster. */
#include "wire/checksum.h"
#include "wire/be.h"

uint64_t checksum_add(uint64_t sum, struct adit_span octets)
{
    const uint8_t *p = octets.p;
    size_t n = octets.n;
    for (; n >= 4; p += 4, n -= 4) {
        uint32_t v;
        memcpy(&v, p, sizeof(v));
        sum += v;
    }
    if (n >= 2) {
        uint16_t v;
        memcpy(&v, p, sizeof(v));
        sum += v;
        p += 2;
        n -= 2;
    }
    return n ? sum + p[0] : sum; /* padded with a zero octet on the right */
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

uint16_t checksum_fold(uint64_t sum)
{
    return (uint16_t)~__builtin_bswap16(fold(sum));
}

uint64_t checksum_pseudo(const struct adit_addr *src, const struct adit_addr *dst, uint8_t proto,
                         uint32_t upper_n)
{
    size_t n = src->family == 4 ? 4 : 16;
    uint64_t sum = checksum_add(0, span(src->ip, n));
    sum = checksum_add(sum, span(dst->ip, n));
    return sum + __builtin_bswap32(upper_n) + __builtin_bswap32(proto);
}

uint16_t checksum_update(uint16_t check, uint16_t old, uint16_t now)
{
    uint64_t sum = (uint64_t)(uint16_t)~check + (uint16_t)~old + now;
    return (uint16_t)~fold(sum);
}

uint16_t checksum_update_span(uint16_t check, struct adit_span old, struct adit_span now)
{
    for (size_t i = 0; i + 2 <= old.n && i + 2 <= now.n; i += 2)
        check = checksum_update(check, be16_get(old.p + i), be16_get(now.p + i));
    return check;
}
