/* flow.c - the 5-tuple cache in front of the tables. */
#include "dp/flow.h"
#include "base/map.h"
#include "base/span.h"

static struct flow_key key_of(const struct ip_packet *ip)
{
    struct flow_key k = { .version = ip->version, .proto = ip->proto, .has_ports = ip->has_ports };
    size_t n = ip->version == 6 ? 16 : 4;
    span_copy(k.src, span(ip->src.ip, n));
    span_copy(k.dst, span(ip->dst.ip, n));
    k.src_port = ip->src_port;
    k.dst_port = ip->dst_port;
    return k;
}

static uint64_t key_hash(const struct flow_key *k, uint64_t seed)
{
    uint64_t words[sizeof(*k) / 8];
    uint64_t h = seed;
    _Static_assert(sizeof(*k) % 8 == 0, "hashed by words");
    span_copy((uint8_t *)words, span(k, sizeof(*k)));
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        h = map_mix(words[i], h);
    return h;
}

uint64_t flow_hash(const struct ip_packet *ip, uint64_t seed)
{
    struct flow_key k = key_of(ip);
    return key_hash(&k, seed);
}

struct dp_match flow_lookup(struct flow_cache *c, const struct dp_tables *t, uint64_t generation,
                            const struct ip_packet *ip)
{
    struct flow_key k = key_of(ip);
    struct flow_slot *slot = &c->slots[key_hash(&k, c->seed) % FLOW_SLOTS];
    if (slot->generation == generation && span_equal(span(&slot->key, sizeof(k)), span(&k, sizeof(k))))
        return slot->match;
    *slot = (struct flow_slot){ k, generation, tables_lookup(t, ip, c->worker) };
    return slot->match;
}
