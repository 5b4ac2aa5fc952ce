/* table.c - SPI to SA. Unicast look-up is by SPI alone, never with addresses (RFC 4303 s2.1). */
#include "base/map.h"
#include "base/mem.h"
#include "esp/sa.h"

struct esp_table {
    struct map by_spi;
};

struct esp_table *esp_table_new(uint64_t seed)
{
    struct esp_table *t = mem_new(sizeof(*t));
    if (t)
        map_init(&t->by_spi, seed);
    return t;
}

void esp_table_free(struct esp_table *t)
{
    if (t)
        map_fini(&t->by_spi);
    mem_del(t);
}

enum adit_rc esp_table_add(struct esp_table *t, struct esp_sa *sa)
{
    if (map_get(&t->by_spi, sa->in.spi))
        return ADIT_ERR_EXISTS;
    return map_put(&t->by_spi, sa->in.spi, sa);
}

void esp_table_del(struct esp_table *t, uint32_t spi)
{
    map_del(&t->by_spi, spi);
}

struct esp_sa *esp_table_get(const struct esp_table *t, uint32_t spi)
{
    return map_get(&t->by_spi, spi);
}
