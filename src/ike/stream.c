/* stream.c - TCP connections (RFC 9329) as the engine sees them: the host opens and closes them, here they are paths. One is
 * for one IKE SA, and for the one that a rekeying makes of it. */
#include "ike/sa.h"

static void ask_host(struct ike_sa *sa, enum adit_event_type type, const struct adit_path *path)
{
    struct adit_event *ev = event_add(sa->ike, type);
    if (!ev)
        return;
    ev->path = *path;
    ev->ike_id = sa->id;
    event_text(sa->ike, ev, sa_conn_name(sa));
    ev->conn = ev->text;
}

static bool is_shared(const struct ike_sa *sa, const struct adit_path *path)
{
    list_for_each(it, &sa->ike->sas) {
        const struct ike_sa *other = list_entry(it, struct ike_sa, link);
        if (other != sa && !other->cut && other->state != SA_DEAD && path_equal(&other->path, path))
            return true;
    }
    return false;
}

void sa_open_stream(struct ike_sa *sa, const struct adit_path *to)
{
    sa->streamless = !sa->keyed;
    ask_host(sa, ADIT_EV_STREAM_OPEN, to);
}

void sa_close_stream(struct ike_sa *sa, const struct adit_path *path)
{
    if (path->tcp && path->local.port && !is_shared(sa, path))
        ask_host(sa, ADIT_EV_STREAM_CLOSE, path);
}

void sa_use_stream(struct ike_sa *sa)
{
    if (sa->path.tcp)
        ask_host(sa, ADIT_EV_STREAM_USED, &sa->path);
}

static void tell(struct ike_sa *sa, enum stream_news news, const struct adit_path *path)
{
    if (news == STREAM_IS_UP)
        sa->streamless = false;
    for (unsigned i = 0; i < EXT_COUNT && !sa->cut; i++)
        if (ike_exts[i]->on.stream)
            ike_exts[i]->on.stream(sa, news, path);
    sa_advance(sa);
    if (!sa->cut)
        sa_arm(sa);
}

/* To all that are on that connection: before and after a rekeying of the IKE SA. By its id, before there was one. */
static unsigned tell_all(struct ike *ike, uint32_t id, const struct adit_path *on, enum stream_news news,
                         const struct adit_path *path)
{
    unsigned n = 0;
    list_for_each_safe(it, &ike->sas) {
        struct ike_sa *sa = list_entry(it, struct ike_sa, link);
        bool is_there = on->tcp && on->local.port && path_equal(&sa->path, on);
        if (sa->cut || (!is_there && sa->id != id))
            continue;
        tell(sa, news, path);
        n++;
    }
    return n;
}

static unsigned is_up(struct ike *ike, const struct adit_command *cmd)
{
    struct ike_sa *sa = sa_by_id(ike, cmd->ike_id);
    struct adit_event *ev;
    if (sa && sa->state != SA_DEAD) {
        struct adit_path before = sa->path;
        return tell_all(ike, sa->id, &before, STREAM_IS_UP, &cmd->path);
    }
    if ((ev = event_add(ike, ADIT_EV_STREAM_CLOSE))) /* who asked for it has ended meanwhile */
        ev->path = cmd->path;
    return 0;
}

enum adit_rc stream_command(struct ike *ike, const struct adit_command *cmd, unsigned *matches, struct adit_why *why)
{
    if (!cmd->path.tcp)
        return why_set(why, ADIT_ERR_CONFIG, "a path that is no TCP connection");
    if (cmd->type == ADIT_CMD_STREAM_UP)
        *matches = is_up(ike, cmd);
    else
        *matches = tell_all(ike, cmd->path.local.port ? 0 : cmd->ike_id, &cmd->path, STREAM_IS_DOWN, &cmd->path);
    return ADIT_OK;
}
