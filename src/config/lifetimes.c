/* lifetimes.c - the defaults that depend on other keys (strongSwan's formulas, management.md s4.3). */
#include "config/load.h"

static bool is_set(const struct config_node *section, const char *key)
{
    return config_tree_get(section, CONFIG_VALUE, key) != NULL;
}

static uint64_t lower(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void connection_lifetimes(struct load *l, const struct config_node *section, struct adit_conn *conn)
{
    if (conn->reauth_s && !is_set(section, "rekey_time"))
        conn->rekey_s = 0;
    if (!is_set(section, "over_time"))
        conn->over_s = (conn->rekey_s > conn->reauth_s ? conn->rekey_s : conn->reauth_s) / 10;
    if (!is_set(section, "rand_time")) {
        conn->rand_s = conn->over_s;
        if (conn->rekey_s)
            conn->rand_s = lower(conn->rand_s, conn->rekey_s / 2);
        if (conn->reauth_s)
            conn->rand_s = lower(conn->rand_s, conn->reauth_s / 2);
    }
    if ((conn->rekey_s && conn->rand_s >= conn->rekey_s) ||
        (conn->reauth_s && conn->rand_s >= conn->reauth_s))
        report_error(l->report, section, "rand_time must be shorter than rekey_time and reauth_time");
}

/* value * 11 / 10 and value * 10 / 11 without overflow. */
static uint64_t longer(uint64_t v)
{
    return v > UINT64_MAX - v / 10 ? UINT64_MAX : v + v / 10;
}
static uint64_t shorter(uint64_t v)
{
    return v / 11 * 10 + v % 11 * 10 / 11;
}

struct limit {
    const char *unit; /* "time", "bytes", "packets" */
    uint64_t *rekey, *life, *rand;
    uint64_t deflt;
};

static bool limit_is_set(const struct config_node *section, const char *what, const char *unit)
{
    STRBUF(key, 32);
    strbuf_addf(&key, "%s_%s", what, unit);
    return is_set(section, key.p);
}

static void fill(struct load *l, const struct config_node *section, struct limit m)
{
    bool rekey = limit_is_set(section, "rekey", m.unit), life = limit_is_set(section, "life", m.unit);
    if (!rekey)
        *m.rekey = life ? shorter(*m.life) : m.deflt;
    if (!life)
        *m.life = longer(*m.rekey);
    if (!limit_is_set(section, "rand", m.unit))
        *m.rand = *m.rekey && *m.life > *m.rekey ? lower(*m.life - *m.rekey, *m.rekey / 2) : 0;
    if (*m.life && *m.life < *m.rekey)
        report_error(l->report, section, "life_%s must not be below rekey_%s", m.unit, m.unit);
    if (*m.rekey && *m.rand >= *m.rekey)
        report_error(l->report, section, "rand_%s must be below rekey_%s", m.unit, m.unit);
}

void child_lifetimes(struct load *l, const struct config_node *section, struct adit_child_cfg *c)
{
    fill(l, section, (struct limit){ "time", &c->rekey_s, &c->life_s, &c->rand_s, 3600 });
    fill(l, section, (struct limit){ "bytes", &c->rekey_bytes, &c->life_bytes, &c->rand_bytes, 0 });
    fill(l, section, (struct limit){ "packets", &c->rekey_packets, &c->life_packets, &c->rand_packets, 0 });
}
