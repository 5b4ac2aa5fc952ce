/* counters.c - what is counted, for all and for each connection, monotonic over rekeys; and why a connection is down. */
#include "ike/sa.h"

struct conn_state {
    struct list link;
    struct conn_state *next; /* of the same hash */
    char *name;
    uint64_t counters[ADIT_COUNTERS];
    unsigned n_up;       /* IKE SAs, rekeyed ones once */
    uint64_t down_since; /* 0: up, or never tried */
    char why[240];
};

static uint64_t key_of(const struct ike *ike, const char *name)
{
    uint64_t h = ike->seed;
    for (; *name; name++)
        h = (h ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    return h;
}

static struct conn_state *find(const struct ike *ike, const char *name)
{
    struct conn_state *s = map_get(&ike->by_name, key_of(ike, name));
    while (s && strcmp(s->name, name) != 0)
        s = s->next;
    return s;
}

struct conn_state *conn_state(struct ike *ike, const char *name)
{
    struct conn_state *s = find(ike, name);
    if (s || !(s = mem_new(sizeof(*s))))
        return s;
    s->name = mem_strdup(name);
    s->next = map_get(&ike->by_name, key_of(ike, name));
    if (!s->name || map_put(&ike->by_name, key_of(ike, name), s) != ADIT_OK) {
        mem_del(s->name);
        mem_del(s);
        return NULL;
    }
    list_append(&ike->conns, &s->link);
    return s;
}

void conn_up(struct ike *ike, const char *name)
{
    struct conn_state *s = conn_state(ike, name);
    if (!s)
        return;
    s->n_up++;
    s->down_since = 0;
}

bool conn_down(struct ike *ike, const char *name, bool was_up, const char *why)
{
    struct conn_state *s = conn_state(ike, name);
    if (!s)
        return true;
    if (was_up && s->n_up)
        s->n_up--;
    if (s->n_up)
        return true; /* another IKE SA of it is up: what failed was a stranger's attempt, or has been replaced */
    if (s->down_since && !was_up && !strncmp(s->why, why, sizeof(s->why) - 1))
        return false;
    if (!s->down_since)
        s->down_since = ike->now ? ike->now : 1;
    s->why[0] = 0;
    strbuf_add(&(struct strbuf){ s->why, 0, sizeof(s->why) }, why);
    return true;
}

void conn_states_fini(struct ike *ike)
{
    list_for_each_safe(it, &ike->conns) {
        struct conn_state *s = list_entry(it, struct conn_state, link);
        list_remove(it);
        mem_del(s->name);
        mem_del(s);
    }
}

void ike_count(struct ike *ike, const struct ike_sa *sa, enum adit_ike_counter c)
{
    ike->counters[c]++;
    struct conn_state *s = sa && sa->conn ? conn_state(ike, sa->conn->cfg->name) : NULL;
    if (s)
        s->counters[c]++;
}

void count_message(struct ike *ike, const struct ike_sa *sa, uint8_t exchange, bool in, bool response)
{
    static const enum adit_ike_counter base[] = { ADIT_C_INIT_IN_REQ, ADIT_C_AUTH_IN_REQ, ADIT_C_CHILD_IN_REQ,
                                                  ADIT_C_INFO_IN_REQ };
    if (exchange < XCHG_IKE_SA_INIT || exchange > XCHG_INFORMATIONAL) {
        ike_count(ike, sa, in ? ADIT_C_OTHER_IN : ADIT_C_OTHER_OUT);
        return;
    }
    unsigned c = base[exchange - XCHG_IKE_SA_INIT] + (in ? 0 : 2) + (response ? 1 : 0);
    ike_count(ike, sa, (enum adit_ike_counter)c);
}

const char *adit_ike_counter_name(unsigned i)
{
    static const char *const names[ADIT_COUNTERS] = {
#define C(id, name) name,
#include "adit/counters.def"
#undef C
    };
    return i < ADIT_COUNTERS ? names[i] : NULL;
}

uint64_t adit_ike_counter(const struct adit_ike *ike, unsigned i)
{
    return i < ADIT_COUNTERS ? ((const struct ike *)ike)->counters[i] : 0;
}

uint64_t adit_ike_conn_counter(const struct adit_ike *ike, const char *conn, unsigned i)
{
    const struct conn_state *s = find((const struct ike *)ike, conn);
    return s && i < ADIT_COUNTERS ? s->counters[i] : 0;
}

bool adit_ike_conn_down(const struct adit_ike *ike, const char *conn, uint64_t *since, const char **text)
{
    const struct conn_state *s = find((const struct ike *)ike, conn);
    if (!s || !s->down_since)
        return false;
    *since = s->down_since;
    *text = s->why;
    return true;
}
