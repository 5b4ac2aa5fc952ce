/* store.c - the tickets that peers have given us, one a connection, each with what we have to remember beside it (RFC 5723
 * s4.2): in memory, as long as the engine lives. */
#include "ike/ext/resumption/resumption.h"
#include "base/mem.h"

struct stored *store_find(struct stored *first, const char *conn)
{
    while (first && strcmp(first->conn, conn) != 0)
        first = first->next;
    return first;
}

void store_drop(struct stored **first, struct stored *which)
{
    while (*first && *first != which)
        first = &(*first)->next;
    if (!which || !*first)
        return;
    *first = which->next;
    buf_fini(&which->ticket);
    secret_fini(&which->memo);
    mem_del(which->conn);
    mem_del(which);
}

static struct stored *make(struct stored **first, const char *conn)
{
    struct stored *s = mem_new(sizeof(*s));
    if (s && !(s->conn = mem_strdup(conn))) {
        mem_del(s);
        return NULL;
    }
    if (s) {
        s->next = *first;
        *first = s;
    }
    return s;
}

void store_put(struct stored **first, const char *conn, uint32_t owner, uint64_t expires, struct adit_buf *ticket,
               struct adit_secret *memo)
{
    struct stored *s = store_find(*first, conn);
    if (!s && !(s = make(first, conn)))
        return;
    s->owner = owner;
    s->user = 0;
    s->lost = s->pause = false;
    s->expires = expires;
    buf_move(&s->ticket, ticket);
    secret_move(&s->memo, memo);
}

void store_expire(struct stored **first, uint64_t now)
{
    for (struct stored *s = *first, *next; s; s = next) {
        next = s->next;
        if (s->expires <= now)
            store_drop(first, s);
    }
}
